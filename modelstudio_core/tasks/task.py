"""A task, bound to the endpoint and the key that created it."""

import asyncio
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Self

from typing_extensions import Unpack, override

from modelstudio_core.catalog import (
    MediaProfile,
    check_model_id,
    resolve_model_as,
)
from modelstudio_core.connection_arguments import keys_hidden
from modelstudio_core.endpoints import Endpoint
from modelstudio_core.errors import (
    APIError,
    APITimeoutError,
    ConfigurationError,
    InvalidResponseError,
    TaskFailedError,
)
from modelstudio_core.service_inputs import check_seconds, service_context
from modelstudio_core.tasks.answers import TASK_ID, Observation, parse_task
from modelstudio_core.tasks.options import ConnectionOptions, connect
from modelstudio_core.tasks.outputs import TaskResult, read_result
from modelstudio_core.tasks.state import (
    connect_as_saved,
    load_result,
    save_binding,
    save_result,
    saved_binding,
    saved_time,
)
from modelstudio_core.tasks.status import SUCCEEDED, UNKNOWN, TaskStatus, unseen
from modelstudio_core.tasks.waiting import (
    Wait,
    progress_bar,
    query_gate,
)
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.deadlines import Deadline
from modelstudio_core.transport.fetch import JsonAnswer, afetch, fetch
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.wire.json_values import text_of
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["Task", "check_id"]

_PATH: Final = "/tasks"


class Task:
    """An asynchronous task, bound to the endpoint and the key that created it.

    ``submit`` creates one. A model without tasks is answered at once: its task is done
    from the start.

    Example:
        >>> from modelstudio_core import tasks
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     task = tasks.submit(
        ...         model="wan2.6-t2i",
        ...         prompt="A flower shop",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     before = task.status, task.done
        ...     task.refresh()
        >>> before, task.status, task.done
        (('PENDING', False), 'SUCCEEDED', True)
    """

    def __init__(
        self,
        connection: Connection,
        profile: MediaProfile,
        seen: Observation,
        *,
        created_at: datetime | None = None,
        result: TaskResult | None = None,
        binding: Mapping[str, Any] | None = None,
    ) -> None:
        """Bind a task. Use ``submit``, ``from_dict`` or ``from_id``.

        Args:
            connection: How the task was created.
            profile: What is known of the model.
            seen: What the service answered last.
            created_at: When it was created; None if that is not known.
            result: The result of a call that was answered at once.
            binding: What binds it to the key that created it; None if that key is not
                known.
        """
        self._connection = connection
        self._binding = binding
        self._profile = profile
        self._status = TaskStatus(seen, created_at)
        self._result = result
        self._is_task = result is None

    # --- What was seen last -------------------------------------------------------

    @property
    def id(self) -> str:
        """The id of the task; of a call that was answered at once, of its request."""
        return self._status.seen.id

    @property
    def model(self) -> str:
        """The model id; empty for a task of ``from_id`` without ``model=``."""
        return self._profile.id

    @property
    def status(self) -> str:
        """The status that was seen last, without a request.

        ``"PENDING"``, ``"RUNNING"``, ``"SUCCEEDED"``, ``"FAILED"``, ``"CANCELED"``,
        ``"UNKNOWN"``, or what else the service answers.
        """
        return self._status.seen.status

    @property
    def done(self) -> bool:
        """Whether the task has ended, as it was seen last.

        ``UNKNOWN`` counts after three answers over 30 seconds, or at once for a task
        older than 24 hours: soon after a creation it may be temporary.
        """
        return self._status.is_done

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that the task is bound to."""
        return self._connection.endpoint

    @property
    def created_at(self) -> datetime | None:
        """When it was created, by the clock of this machine; None if not known."""
        return self._status.created_at

    @property
    def request_id(self) -> str | None:
        """The id of the last request, for the support of Alibaba Cloud."""
        return self._status.seen.request_id

    @override
    def __repr__(self) -> str:
        """Return the id, the model, the status and the endpoint."""
        endpoint = self.endpoint
        return (
            f"Task({self.id!r}, model={self.model!r}, status={self.status!r},"
            f" region={endpoint.region!r}, mode={endpoint.mode!r},"
            f" host={endpoint.host!r})"
        )

    # --- One request --------------------------------------------------------------

    def refresh(self) -> None:
        """Query the status: one request; none for a call that was answered at once.

        Raises:
            APIError: The query failed, which says nothing about the task.
        """
        if self._is_task:
            self._query(None)

    async def arefresh(self) -> None:
        """Async version of ``refresh``."""
        if self._is_task:
            await self._aquery(None)

    def cancel(self) -> None:
        """Cancel a task that is still pending: one request.

        Raises:
            BadRequestError: The task is not pending any more, and is paid for when it
                is done.
            ConfigurationError: The call was answered at once.
        """
        request, gate = self._cancellation(), query_gate(self._connection)
        answer = fetch(self._connection, request, self._context, gate)
        self._observe(self._canceled(answer))

    async def acancel(self) -> None:
        """Async version of ``cancel``."""
        request, gate = self._cancellation(), query_gate(self._connection)
        answer = await afetch(self._connection, request, self._context, gate)
        self._observe(self._canceled(answer))

    # --- Waiting ------------------------------------------------------------------

    def result(
        self,
        timeout: float | None = None,
        progress: bool = False,
        poll_interval: float | None = None,
    ) -> TaskResult:
        """Wait for the task and return what it made.

        A query that fails is made again later; it never creates another task.

        Args:
            timeout: The seconds to wait; None for the 24 hours of the task's life.
            progress: Whether to show the status on standard error, with tqdm.
            poll_interval: The seconds between two queries; None for the pace of the
                model: from 3 to 15 seconds for images, from 10 to 30 for video.

        Returns:
            The result, of which some files may have failed.

        Raises:
            TaskFailedError: The task failed, was canceled, or is not known.
            APITimeoutError: The task is not done in time. It goes on.
            APIError: The queries fail for another reason than the network, or for five
                minutes.

        Example:
            >>> from modelstudio_core import tasks
            >>> task = tasks.submit(model="wan2.6-t2i", prompt="A")  # doctest: +SKIP
            >>> task.result(timeout=600).files[0].url  # doctest: +SKIP
        """
        wait = self._begin(timeout, poll_interval)
        with progress_bar(self._label, is_shown=progress) as show:
            while not self._is_answered:
                time.sleep(self._pause(wait))
                with self._failing(wait):
                    self._query(wait.begin_query())
                show(self.status, *self._status.counts)
        return self._finish()

    async def aresult(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as in result
        progress: bool = False,
        poll_interval: float | None = None,
    ) -> TaskResult:
        """Async version of ``result``."""
        wait = self._begin(timeout, poll_interval)
        with progress_bar(self._label, is_shown=progress) as show:
            while not self._is_answered:
                await asyncio.sleep(self._pause(wait))
                with self._failing(wait):
                    await self._aquery(wait.begin_query())
                show(self.status, *self._status.counts)
        return self._finish()

    def _begin(self, timeout: float | None, poll_interval: float | None) -> Wait:
        with keys_hidden(self._connection):
            seconds = check_seconds("timeout", timeout)
            interval = check_seconds("poll_interval", poll_interval)
        seconds = self._status.life_left if seconds is None else seconds
        return Wait(seconds, self._profile.poll_seconds, interval, self._status.rested)

    def _pause(self, wait: Wait) -> float:
        if wait.is_over:
            raise self._context.error(
                APITimeoutError, wait.describe(self.id, self.status), is_retryable=False
            )
        return wait.pause()

    @contextmanager
    def _failing(self, wait: Wait) -> Generator[None]:
        """Go on after a query that failed."""
        try:
            yield
        except APIError as error:
            wait.count_failure(error, self.id)
        else:
            wait.count_answer()

    @property
    def _is_answered(self) -> bool:
        return not self._is_task or self._status.is_explained

    @property
    def _label(self) -> str:
        return f"{self.model or 'task'} {self.id[:8]}"

    def _finish(self) -> TaskResult:
        seen = self._status.seen
        if seen.status != SUCCEEDED:
            raise self._context.error(
                TaskFailedError,
                self._status.describe_end(self.endpoint.host),
                task_id=self.id,
                status=self.status,
                code=seen.code,
                request_id=seen.request_id,
                body=dict(seen.body),
            )
        if self._result is None:
            self._result = read_result(seen, self._connection, self._context)
        return self._result

    # --- Requests -----------------------------------------------------------------

    @property
    def _context(self) -> ErrorContext:
        return service_context(self._connection, self._profile, "media")

    def _query(self, deadline: Deadline | None) -> None:
        gate = query_gate(self._connection)
        answer = fetch(self._connection, self._request(deadline), self._context, gate)
        self._observe(parse_task(answer, self._context))

    async def _aquery(self, deadline: Deadline | None) -> None:
        gate, request = query_gate(self._connection), self._request(deadline)
        answer = await afetch(self._connection, request, self._context, gate)
        self._observe(parse_task(answer, self._context))

    def _request(self, deadline: Deadline | None) -> HttpRequest:
        return HttpRequest(
            api="dashscope",
            path=f"{_PATH}/{self.id}",
            method="GET",
            models=self._models,
            is_of_model=True,
            deadline=deadline,
        )

    def _cancellation(self) -> HttpRequest:
        if not self._is_task:
            raise ConfigurationError(
                f"{self.model} has no tasks: the call was answered at once, and cannot"
                " be canceled."
            )
        # Not repeated when its answer is lost: the second one would be refused.
        return HttpRequest(
            api="dashscope",
            path=f"{_PATH}/{self.id}/cancel",
            models=self._models,
            is_of_model=True,
            repeatable=False,
        )

    @property
    def _models(self) -> tuple[str, ...]:
        return (self.model,) if self.model else ()

    def _canceled(self, answer: JsonAnswer) -> Observation:
        request_id = text_of(answer.body, "request_id") or answer.request_id
        return replace(
            self._status.seen,
            status="CANCELED",
            request_id=request_id,
            body=answer.body,
        )

    def _observe(self, seen: Observation) -> None:
        if seen.id != self.id:
            raise self._context.error(
                InvalidResponseError,
                f"The answer to a query of task {self.id} is about another task.",
                request_id=seen.request_id,
                body=seen.body,
            )
        self._status.observe(seen)

    # --- State --------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return the state, for another process: JSON without the key and the prompt.

        Example:
            >>> import json
            >>> from modelstudio_core import tasks
            >>> from modelstudio_core.emulator import Emulator
            >>> with Emulator() as studio:
            ...     connection = {
            ...         "base_url": studio.base_url,
            ...         "api_key": studio.api_key,
            ...     }
            ...     task = tasks.submit(model="wan2.6-t2i", prompt="A", **connection)
            ...     text = json.dumps(task.to_dict())
            ...     again = tasks.Task.from_dict(json.loads(text), **connection)
            >>> again.id == task.id
            True
        """
        created_at, binding = self.created_at, self._binding
        if binding is None:
            key = self._connection.ask_key()
            binding = save_binding(self.id, self.model, self._connection, key)
        return {
            **binding,
            "status": self.status,
            "created_at": created_at.isoformat() if created_at else None,
            "answer": save_result(self._result) if not self._is_task else None,
        }

    @classmethod
    def from_dict(
        cls, state: Mapping[str, Any], **connection: Unpack[ConnectionOptions]
    ) -> Self:
        """Return the task of a saved state, bound to the same endpoint and key.

        Nothing is sent.

        Args:
            state: What ``to_dict`` returned.
            **connection: The connection arguments; ``api_key`` is not in the state.
                What contradicts the state is an error.

        Raises:
            ConfigurationError: The state was changed, belongs to another key or
                contradicts an argument, or its address is neither documented nor
                loopback and was not passed as ``base_url=``.
        """
        with keys_hidden(connection):
            bound = connect_as_saved(state, connection)
            profile = resolve_model_as(MediaProfile, str(state["model"]))
        created_at = saved_time(state, "created_at")
        status = text_of(state, "status") or UNKNOWN
        seen = unseen(check_id(state.get("id")), status)
        context = service_context(bound, profile, "media")
        result = load_result(state, bound, context)
        binding = saved_binding(state)
        return cls(
            bound,
            profile,
            seen,
            created_at=created_at,
            result=result,
            binding=binding,
        )

    @classmethod
    def from_id(
        cls,
        task_id: str,
        *,
        model: str = "",
        **connection: Unpack[ConnectionOptions],
    ) -> Self:
        """Return a task whose id is known, such as one that ``list_tasks`` found.

        Nothing is sent. The endpoint and the key must be those of its creation, which
        cannot be checked: the service answers ``UNKNOWN`` at another endpoint.

        Args:
            task_id: The id.
            model: The model id, which decides the pace of queries. It must be given
                where a policy bounds models, and is not compared with the task's.
            **connection: The connection arguments.

        Raises:
            ConfigurationError: An argument is invalid.

        Example:
            >>> from modelstudio_core import tasks
            >>> task = tasks.Task.from_id("0b1c-2d3e", region="singapore", api_key="sk")
            >>> task.status, task.done
            ('UNKNOWN', False)
        """
        with keys_hidden(connection):
            bound = connect(connection, model, {"task_id", "model"})
            return cls.bind(bound, task_id, model=model)

    @classmethod
    def bind(
        cls,
        connection: Connection,
        task_id: str,
        *,
        model: str,
        created_at: datetime | None = None,
    ) -> Self:
        """Return a task whose id is known. Use ``from_id``.

        Args:
            connection: How it was created.
            task_id: The id.
            model: The model id; empty if it is not known.
            created_at: When it was created; None if that is not known.

        Raises:
            ConfigurationError: The id is invalid.
        """
        profile = MediaProfile()
        if model != "":
            profile = resolve_model_as(MediaProfile, check_model_id(model))
        seen = unseen(check_id(task_id), UNKNOWN)
        return cls(connection, profile, seen, created_at=created_at)


def check_id(task_id: object) -> str:
    """Return the id of a task, which becomes a part of a path.

    Args:
        task_id: The id.

    Raises:
        ConfigurationError: It is not the id of a task.
    """
    if not isinstance(task_id, str) or not TASK_ID.fullmatch(task_id):
        raise ConfigurationError(
            f"{task_id!r:.150} is not the id of a task: up to 128 letters, digits, '-'"
            " and '_'."
        )
    return task_id
