"""Creating a task, and the list of tasks."""

import re
import secrets
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from typing_extensions import Unpack

from modelstudio_core.arguments import warn_of_model
from modelstudio_core.catalog import MediaProfile, resolve_service_model
from modelstudio_core.connection_arguments import keys_hidden
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    RateLimitError,
)
from modelstudio_core.local_files import LocalFile
from modelstudio_core.service_inputs import service_context
from modelstudio_core.tasks.answers import Observation, parse_task
from modelstudio_core.tasks.explain import explain
from modelstudio_core.tasks.inputs import (
    Given,
    TaskInput,
    UrlOrPath,
    build_body,
    check_input,
)
from modelstudio_core.tasks.options import ConnectionOptions, connect
from modelstudio_core.tasks.outputs import read_result
from modelstudio_core.tasks.routes import resolve_route
from modelstudio_core.tasks.state import save_binding
from modelstudio_core.tasks.task import Task
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import JsonAnswer, afetch, fetch
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.uploads import aload_files, load_files, oss_headers
from modelstudio_core.wire.json_values import text_of
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "Creation",
    "asubmit",
    "submit",
]

_SERVER_ERROR: Final = 500
_MAY_BE_TASK: Final = (
    "The task may have been created nevertheless, so the request was not repeated:"
    " tasks.list_tasks() shows it."
)
_MAY_BE_RESULT: Final = (
    "The images may have been made nevertheless, so the request was not repeated."
)
_ASYNC_HEADERS: Final = {"X-DashScope-Async": "enable"}
# Only images are accepted inside a request.
_INLINE_BYTES: Final = {"video": 0, "audio": 0}
_NAMES: Final = frozenset(
    {"model", "prompt", "images", "media", "urls", "parameters", "input", "path"}
) | {"upload_media"}


def submit(
    *,
    model: str,
    prompt: str | None = None,
    images: Iterable[UrlOrPath] = (),
    media: Iterable[Mapping[str, object]] = (),
    urls: Iterable[UrlOrPath] = (),
    parameters: Mapping[str, object] | None = None,
    input: Mapping[str, object] | None = None,  # noqa: A002 - the service's name
    path: str | None = None,
    upload_media: bool = False,
    **connection: Unpack[ConnectionOptions],
) -> Task:
    """Create a task: images, video, speech recognition, a file of embeddings.

    The path and the form of the input are those of the model. A model without tasks
    (``qwen-image-2.0``, ``z-image-turbo`` …) is called, and its task is done.

    One request creates the task. It is only repeated where it surely was not accepted:
    without a connection, or after a 429. If the answer is lost, ``list_tasks`` shows
    whether there is a task.

    Args:
        model: The model id.
        prompt: The text.
        images: Images as http, https, oss or data URLs, or as paths on this machine:
            the images to edit, the first and the last frame.
        media: For video models with several kinds of media: mappings with ``type``,
            such as ``"first_frame"``, and ``url``.
        urls: Files for speech recognition and embeddings.
        parameters: The parameters, such as ``size``. Image models get ``n: 1`` unless
            it is given; the service's own default is up to 4.
        input: The complete input, instead of ``prompt``, ``images``, ``media`` and
            ``urls``. It is sent as it is: for fields such as ``negative_prompt`` or
            ``style_index``.
        path: The path below ``/api/v1/services/`` for a model that is not known.
        upload_media: Whether files that are too large for the request, and video and
            audio files, may be uploaded to the temporary storage of Model Studio, which
            is on another host.
        **connection: The connection arguments of every class: ``api_key``, ``region``,
            ``mode``, ``workspace``, ``base_url`` …

    Returns:
        The task, bound to its endpoint and key.

    Raises:
        ConfigurationError: An argument is invalid. Nothing was sent.
        APIError: The task was not created, or the answer is lost.

    Example:
        >>> from modelstudio_core import tasks
        >>> task = tasks.submit(  # doctest: +SKIP
        ...     model="wan2.6-t2i",
        ...     prompt="A flower shop",
        ...     region="us-virginia",
        ...     mode="global",
        ... )
        >>> task.result().files[0].url  # doctest: +SKIP
    """
    given = Given(
        prompt=prompt,
        images=images,
        media=media,
        urls=urls,
        parameters=parameters,
        input=input,
    )
    creation = Creation.prepare(model, given, path, connection)
    return creation.run(upload=upload_media)


async def asubmit(
    *,
    model: str,
    prompt: str | None = None,
    images: Iterable[UrlOrPath] = (),
    media: Iterable[Mapping[str, object]] = (),
    urls: Iterable[UrlOrPath] = (),
    parameters: Mapping[str, object] | None = None,
    input: Mapping[str, object] | None = None,  # noqa: A002 - the service's name
    path: str | None = None,
    upload_media: bool = False,
    **connection: Unpack[ConnectionOptions],
) -> Task:
    """Async version of ``submit``."""
    given = Given(
        prompt=prompt,
        images=images,
        media=media,
        urls=urls,
        parameters=parameters,
        input=input,
    )
    creation = Creation.prepare(model, given, path, connection)
    return await creation.arun(upload=upload_media)


@dataclass(frozen=True, kw_only=True)
class Creation:
    """The creation of a task, whose input was checked.

    Attributes:
        connection: How to reach the service.
        task: The input.
        context: The facts of the request that errors report.
    """

    connection: Connection
    task: TaskInput
    context: ErrorContext

    @classmethod
    def prepare(
        cls,
        model: object,
        given: Given,
        path: str | None,
        options: Mapping[str, Any],
    ) -> "Creation":
        """Check the arguments of ``submit``. Nothing is sent.

        Args:
            model: The model id.
            given: The input.
            path: The path that the caller gave.
            options: The connection arguments by name.

        Raises:
            ConfigurationError: An argument is invalid.
        """
        with keys_hidden(options):
            connection = connect(options, model, _NAMES)
            resolved = resolve_service_model(MediaProfile, model, connection.endpoint)
            creation = cls.of(connection, resolved.profile, given, path)
        warn_of_model(resolved)
        return creation

    @classmethod
    def of(
        cls,
        connection: Connection,
        profile: MediaProfile,
        given: Given,
        path: str | None = None,
    ) -> "Creation":
        """Check an input for a model that is resolved already.

        Args:
            connection: How to reach the service.
            profile: What is known of the model.
            given: The input.
            path: The path that the caller gave.

        Raises:
            ConfigurationError: The input is invalid.
        """
        task = check_input(resolve_route(profile, path), given)
        context = service_context(connection, profile, "media")
        return cls(connection=connection, task=task, context=context)

    def run(self, *, upload: bool) -> Task:
        """Read or upload the files, and create the task.

        Args:
            upload: Whether files may be uploaded.

        Raises:
            ConfigurationError: A file cannot be read. Nothing was created.
            APIError: The task was not created, or the answer is lost.
        """
        loaded = load_files(
            self.task.files,
            self.connection,
            self.context,
            model=self._model,
            upload=upload,
            inline_bytes=_INLINE_BYTES,
        )
        with _creating(is_task=self._is_task):
            answer = fetch(self.connection, self._request(loaded), self.context)
            return self._bind(answer)

    async def arun(self, *, upload: bool) -> Task:
        """Async version of ``run``."""
        loaded = await aload_files(
            self.task.files,
            self.connection,
            self.context,
            model=self._model,
            upload=upload,
            inline_bytes=_INLINE_BYTES,
        )
        with _creating(is_task=self._is_task):
            request = self._request(loaded)
            return self._bind(await afetch(self.connection, request, self.context))

    @property
    def _model(self) -> str:
        return self.task.route.profile.id

    @property
    def _is_task(self) -> bool:
        return self.task.route.is_task

    def _request(self, loaded: Mapping[LocalFile, str]) -> HttpRequest:
        body = build_body(self.task, loaded)
        headers = _ASYNC_HEADERS if self._is_task else {}
        return HttpRequest(
            api="dashscope",
            uses_sdk=False,
            path=f"/services/{self.task.route.path}",
            headers={**headers, **oss_headers(body["input"])},
            json=body,
            # It is paid for: the answer may be lost after the task was created.
            repeatable=False,
        )

    def _bind(self, answer: JsonAnswer) -> Task:
        connection, profile = self.connection, self.task.route.profile
        now, result = datetime.now(UTC), None
        if self._is_task:
            seen = parse_task(answer, self.context)
        else:
            seen = _seen_at_once(answer, now)
            result = read_result(seen, connection, self.context)
        key = connection.key_of(answer.api_key)
        binding = None
        if key is not None:
            binding = save_binding(seen.id, profile.id, connection, key)
        return Task(
            connection,
            profile,
            seen,
            created_at=now,
            result=result,
            binding=binding,
        )


def _seen_at_once(answer: JsonAnswer, now: datetime) -> Observation:
    """Return what the answer of a model without tasks says."""
    request_id = text_of(answer.body, "request_id") or answer.request_id
    return Observation(
        id=_plain_id(request_id),
        status="SUCCEEDED",
        code=None,
        message=None,
        ended_at=now,
        request_id=request_id,
        body=answer.body,
    )


def _plain_id(request_id: str | None) -> str:
    text = re.sub(r"[^A-Za-z0-9_-]", "", request_id or "")[:128]
    return text or secrets.token_hex(16)


@contextmanager
def _creating(*, is_task: bool) -> Generator[None]:
    """Say in an error after which a task may exist that it was not created again."""
    try:
        yield
    except APIError as error:
        if _may_exist(error):
            error.is_retryable = False
            explain(error, _MAY_BE_TASK if is_task else _MAY_BE_RESULT)
        raise


def _may_exist(error: APIError) -> bool:
    """Return whether something may have been created, and is paid for then."""
    if isinstance(error, RateLimitError):
        return False
    if isinstance(error, APIConnectionError):
        return error.was_sent
    return error.status_code is None or error.status_code >= _SERVER_ERROR
