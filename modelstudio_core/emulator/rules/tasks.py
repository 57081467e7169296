"""Rules for tasks: how they are created, queried and canceled.

Sources: Manage asynchronous tasks; Regions and deployment modes; the pages of the
models (read 2026-11-27); recorded exchanges (2024-02 to 2026-06). Limits are the
catalog's.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from modelstudio_core.catalog import (
    SYNC_MEDIA_PATH,
    MediaInput,
    MediaProfile,
    ModelProfile,
)
from modelstudio_core.emulator.json_values import (
    JsonObject,
    is_array,
    is_object,
    objects,
)
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.served_models import is_served
from modelstudio_core.emulator.rules.sources import OWN, sourced
from modelstudio_core.emulator.studio import StoredFile, StoredTask

__all__ = [
    "RESULT_LIFETIME",
    "RESULT_PATH",
    "TaskQuery",
    "check_addresses",
    "check_cancel",
    "check_creation",
    "check_object",
    "check_rate",
    "media_profile",
]

RESULT_PATH: Final = "/task-results/"
_QUERIES_PER_SECOND: Final = 20
_SECOND: Final = 1.0
_SIZE: Final = re.compile(r"\d{2,5}\*\d{2,5}|[124]K")
_URL: Final = re.compile(r"(?:https?|oss)://[^\s/]+|data:[^,]*,", re.IGNORECASE)
_STORAGE: Final = "oss://"
# The fields of an input that the forms without messages must have.
_FIELDS: Final[Mapping[MediaInput, str]] = {
    "prompt": "prompt",
    "prompt+images": "images",
    "image_url": "image_url",
    "base_image_url": "base_image_url",
    "img_url": "img_url",
    "frames": "first_frame_url",
    "file_url": "file_url",
    "file_urls": "file_urls",
    "url": "url",
}
_LISTS: Final = frozenset({"images", "file_urls"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """A request that creates a task, or that is answered at once.

    Attributes:
        profile: What is known of the model.
        path: The path below ``/services/``.
        input: The input.
        parameters: The parameters.
        is_task: Whether the request has the header that asks for a task.
        resolves_uploads: Whether it has the header that ``oss://`` URLs need.
    """

    profile: MediaProfile
    path: str
    input: JsonObject
    parameters: JsonObject
    is_task: bool
    resolves_uploads: bool

    @property
    def form(self) -> MediaInput | None:
        """The form of the input on this path."""
        return "messages" if self.path == SYNC_MEDIA_PATH else self.profile.input_form

    @property
    def number(self) -> int:
        """How many files are requested; the service's own default without ``n``."""
        files = self.input.get("file_urls")
        if is_array(files):
            return len(files)
        if "image" not in self.profile.outputs:
            return 1
        number = self.parameters.get("n", self.profile.default_n)
        return number if type(number) is int else 1

    @property
    def parts(self) -> list[JsonObject]:
        """The parts of all messages."""
        messages = objects(self.input.get("messages"))
        return [
            part for message in messages for part in objects(message.get("content"))
        ]

    @property
    def prompt(self) -> str:
        """The text of the request."""
        texts = [part["text"] for part in self.parts if "text" in part]
        return "\n".join(map(str, texts)) or str(self.input.get("prompt", ""))

    def addresses(self) -> Iterator[object]:
        """Yield each address of a file in the input."""
        for part in self.parts:
            yield from (part[key] for key in ("image", "audio", "video") if key in part)
        for item in objects(self.input.get("media")):
            yield item.get("url")
        for key, value in self.input.items():
            if key in _LISTS:
                yield from value if is_array(value) else [value]
            elif key == "url" or key.endswith("_url"):
                yield value


@sourced("recorded", "2026-11-27")
def media_profile(profile: ModelProfile) -> MediaProfile:
    """Return the profile of a model that exists and makes media.

    Args:
        profile: What is known of the model.

    Raises:
        Refusal: There is no such model, or it is of another kind.
    """
    if not isinstance(profile, MediaProfile) or not is_served(profile):
        raise Refusal("Model not exist.", gateway=True)
    return profile


def check_creation(query: TaskQuery) -> None:
    """Refuse a request that the service refuses.

    Args:
        query: The request.

    Raises:
        Refusal: With the service's status, code and message.
    """
    _check_path(query)
    _check_mode(query)
    if query.form == "messages":
        _check_messages(query)
    else:
        _check_fields(query)
    _check_prompt(query)
    _check_parameters(query)


@sourced("Error codes", "2026-11-27")
def _check_path(query: TaskQuery) -> None:
    profile = query.profile
    paths = {profile.native_path, profile.sync_path} - {None}
    if paths and query.path not in paths:
        raise Refusal("url error, please check url！", gateway=True)  # noqa: RUF001 - the service's text


@sourced("Error codes", "2026-11-27")
def _check_mode(query: TaskQuery) -> None:
    is_sync_path = query.path == SYNC_MEDIA_PATH
    if query.is_task != is_sync_path:
        return
    kind = "asynchronous" if query.is_task else "synchronous"
    raise Refusal(
        f"current user api does not support {kind} calls",
        status=403,
        dashscope_code="AccessDenied",
        gateway=True,
    )


@sourced("Wan image generation and editing API reference", "2026-11-27")
def _check_messages(query: TaskQuery) -> None:
    messages = objects(query.input.get("messages"))
    if len(messages) != 1 or messages[0].get("role") != "user":
        raise _invalid("messages must have exactly one message of the user")
    texts = [part["text"] for part in query.parts if "text" in part]
    images = [part["image"] for part in query.parts if "image" in part]
    if "image" not in query.profile.outputs:
        return
    if len(texts) != 1 or not isinstance(texts[0], str) or not texts[0].strip():
        raise _invalid("content must have exactly one text")
    limits = query.profile.input_images
    least, most = limits or (0, len(images))
    if "image" not in query.profile.inputs:
        most = 0
    if not least <= len(images) <= most:
        raise _invalid(f"content must have {least} to {most} images")


@sourced("Error codes", "2026-11-27")
def _check_fields(query: TaskQuery) -> None:
    name = _FIELDS.get(query.form or "media")
    if name is None:
        is_empty = not query.input
    else:
        value = query.input.get(name)
        is_right = is_array(value) if name in _LISTS else isinstance(value, str)
        is_empty = not value or not is_right
    if is_empty:
        raise Refusal(
            "Required input parameter missing from request.",
            dashscope_code="BadRequest.EmptyInput",
            gateway=True,
        )
    for item in objects(query.input.get("media")):
        if not isinstance(item.get("type"), str) or not item.get("url"):
            raise _invalid("each item of media must have a type and a url")


@sourced("Wan image generation and editing API reference", "2026-11-27")
def _check_prompt(query: TaskQuery) -> None:
    limit = query.profile.max_prompt_characters
    if limit is not None and len(query.prompt) > limit:
        raise _invalid(f"the prompt has more than {limit} characters")


@sourced("Qwen-Image generation and editing API reference", "2026-11-27")
def _check_parameters(query: TaskQuery) -> None:
    number, size = query.parameters.get("n"), query.parameters.get("size")
    limits = query.profile.n_range or (1, 12)
    if query.parameters.get("enable_sequential"):
        limits = (1, 12)
    is_number = type(number) is int and limits[0] <= number <= limits[1]
    if number is not None and not is_number:
        raise _invalid(f"n must be an integer from {limits[0]} to {limits[1]}")
    if size is not None and not (isinstance(size, str) and _SIZE.fullmatch(size)):
        raise _invalid("size must be width*height, such as 1024*1024")


@sourced("Error codes", "2026-11-27")
def _invalid(problem: str) -> Refusal:
    """Return a refusal of a model; only its code is known, not its text."""
    return Refusal(f"{problem} (emulator).", gateway=True)


@sourced("Error codes; Upload a file and obtain a temporary URL", "2026-11-27")
def check_addresses(
    query: TaskQuery,
    uploads: Mapping[str, StoredFile],
    results: Mapping[str, tuple[StoredTask, int]],
    now: float,
) -> None:
    """Refuse addresses that are no URLs, and files that cannot be fetched.

    Args:
        query: The request.
        uploads: The files of the temporary storage by their keys.
        results: The files of tasks by their paths.
        now: The time in seconds.

    Raises:
        Refusal: With the service's status, code and message.
    """
    for address in query.addresses():
        if not isinstance(address, str) or not _URL.match(address):
            raise _invalid_url()
        if address.startswith(_STORAGE):
            file = uploads.get(address.removeprefix(_STORAGE))
            is_there = query.resolves_uploads and file is not None
            is_there = is_there and file is not None and file.expires > now
            if not is_there or file is None or file.model != query.profile.id:
                raise _unreachable()
        elif RESULT_PATH in address:
            path = address[address.index(RESULT_PATH) :].partition("?")[0]
            if not is_fresh(results.get(path), now):
                raise _unreachable()


def is_fresh(result: tuple[StoredTask, int] | None, now: float) -> bool:
    """Return whether a file of a task exists and is not older than 24 hours.

    Args:
        result: The task and the number of the file; None if there is none.
        now: The time in seconds.
    """
    return result is not None and now < result[0].ended + RESULT_LIFETIME


@sourced("Error codes", "2026-11-27")
def _invalid_url() -> Refusal:
    return Refusal(
        "The provided URL does not appear to be valid. Ensure it is correctly"
        " formatted.",
        dashscope_code="InvalidURL",
        gateway=True,
    )


@sourced("Error codes", "2026-11-27")
def _unreachable() -> Refusal:
    return Refusal(
        "Unable to download the media resource during the data inspection process.",
        dashscope_code="InvalidParameter.DataInspection",
        gateway=True,
    )


# --- Queries ----------------------------------------------------------------------

RESULT_LIFETIME: Final = 24 * 3600.0  # seconds


@sourced("Manage asynchronous tasks", "2026-11-27")
def check_rate(queries: deque[float], now: float) -> None:
    """Refuse more than 20 queries, lists and cancellations in a second.

    Args:
        queries: When there were such requests; the new one is added.
        now: The time in seconds.

    Raises:
        Refusal: With the service's status, code and message.
    """
    while queries and queries[0] <= now - _SECOND:
        queries.popleft()
    if len(queries) >= _QUERIES_PER_SECOND:
        raise Refusal(
            "Requests rate limit exceeded, please try again later.",
            status=429,
            dashscope_code="Throttling.RateQuota",
            gateway=True,
        )
    queries.append(now)


@sourced("recorded", "2026-11-27")
def check_cancel(status: str) -> None:
    """Refuse to cancel a task that is not pending.

    Args:
        status: Its status.

    Raises:
        Refusal: With the service's status, code and message.
    """
    if status != "PENDING":
        raise Refusal(
            "Failed to cancel the task, please confirm if the task is in PENDING"
            " status.",
            dashscope_code="UnsupportedOperation",
            gateway=True,
        )


@sourced(OWN, "2026-11-27")
def check_object(value: object, name: str) -> JsonObject:
    """Return a part of the body that must be an object.

    Args:
        value: The part; None for an empty object.
        name: Its name.

    Raises:
        Refusal: It is not an object.
    """
    if value is None:
        return {}
    if not is_object(value):
        raise _invalid(f"{name} must be an object")
    return value
