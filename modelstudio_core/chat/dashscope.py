"""The native DashScope protocol of Model Studio.

What to answer stands in ``input``, how to in ``parameters``; a stream is asked for in a
header. The path follows the model, not the content: a model that can see refuses the
text path even for text. The shapes are those of the official DashScope API reference
(spring 2026) and of exchanges recorded from 2024 to August 2026.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from typing_extensions import override

from modelstudio_core.chat.events import Citations, Event, Usage
from modelstudio_core.chat.messages import Message, Part, prepare_messages
from modelstudio_core.chat.options import ChatPlan
from modelstudio_core.chat.parser import ChatParser
from modelstudio_core.chat.plan import extra_body_of, parameters_of
from modelstudio_core.wire.json_values import count_of, object_of, objects_of, text_of
from modelstudio_core.wire.refusals import ErrorContext
from modelstudio_core.wire.sse import field_of

__all__ = ["Parser", "build_request", "headers", "path"]

_STREAM_HEADERS: Final = {"X-DashScope-SSE": "enable", "Accept": "text/event-stream"}
_MULTIMODAL: Final = "multimodal-generation"
# The status of an error inside a stream stands in a comment, and nowhere else.
_STATUS: Final = re.compile(rb"^: ?HTTP_STATUS/(\d{3})", re.MULTILINE)
_ERROR: Final = re.compile(rb"^event: ?error$", re.MULTILINE)
_OK: Final = 200
# How the head of an event ends that is no error, as all recorded ones do.
_GOOD: Final = b"\nevent:result\n:HTTP_STATUS/200"


def path(request: ChatPlan) -> str:
    """Return the path below the base URL, which follows from the model."""
    return f"/services/aigc/{request.model.profile.native_path}/generation"


def headers(request: ChatPlan) -> Mapping[str, str]:
    """Return the headers that ask for a stream, where one is wanted."""
    return _STREAM_HEADERS if request.stream else {}


def build_request(
    request: ChatPlan,
    messages: Sequence[Message],
    *,
    include_usage: bool = True,  # noqa: ARG001 - it comes with every event
) -> dict[str, Any]:
    """Build the body of a request.

    Args:
        request: What was decided, see ``plan_chat``.
        messages: The prompt.
        include_usage: Nothing: token counts come with every event.

    Returns:
        The body, ready for JSON.

    Raises:
        ConfigurationError: The messages hold what the model does not take.
    """
    profile = request.model.profile
    prepared = prepare_messages(
        messages, profile, preserve_thinking=request.preserve_thinking
    )
    if profile.native_path == _MULTIMODAL:
        prepared = [_with_parts(message) for message in prepared]
    parameters = {"result_format": "message", **parameters_of(request)}
    if request.stream:
        parameters["incremental_output"] = True
    return {
        "model": profile.id,
        "input": {"messages": prepared},
        "parameters": parameters | extra_body_of(request),
    }


def _with_parts(message: Any) -> Any:
    """Return a message with its content in the shape of the multimodal path."""
    content = message["content"]
    if isinstance(content, str):
        return {**message, "content": [{"text": content}] if content else []}
    return {**message, "content": [_part(part) for part in content]}


def _part(part: Part) -> dict[str, Any]:
    match part["type"]:
        case "text":
            return {name: value for name, value in part.items() if name != "type"}
        case "image_url":
            return {"image": part["image_url"]["url"]}
        case "video_url":
            return {"video": part["video_url"]["url"]}
        case "video":
            return {"video": part["video"]}
        case "input_audio":
            return {"audio": part["input_audio"]["data"]}


class Parser(ChatParser):
    r"""Turn the bytes of one response into events. Pushed, pure and used once.

    Example:
        >>> parser = Parser(ErrorContext(None, "dashscope", "127.0.0.1"))
        >>> parser.feed(
        ...     b'id:1\nevent:result\n:HTTP_STATUS/200\n'
        ...     b'data:{"output":{"text":"Hi","finish_reason":"null"}}\n\n'
        ... )
        [TextDelta(text='Hi', choice=0)]
    """

    def __init__(self, context: ErrorContext, *, request_id: str | None = None) -> None:
        """Begin a response, see ``ChatParser``."""
        super().__init__(context, request_id=request_id)
        self._own_id: str | None = None
        self._sources: Citations | None = None
        self._extras: dict[str, Any] = {}

    @property
    @override
    def _common(self) -> dict[str, Any]:
        return {"request_id": self.request_id, **self._extras}

    @property
    @override
    def request_id(self) -> str | None:
        """The id in the body, which is that of the header."""
        return self._own_id or self._header_id

    @override
    def _take(self, raw: bytes, events: list[Event]) -> None:
        head, found, data = raw.partition(b"\ndata:")
        if not found or b"\n" in data:
            data = field_of(raw, b"data")
            head = raw
        if data and not head.endswith(_GOOD):
            self._check_head(head, data)
        self._take_data(data, events)

    def _check_head(self, head: bytes, data: bytes) -> None:
        """Raise for an event that says that it is an error."""
        found = _STATUS.search(head)
        status = int(found.group(1)) if found else None
        if _ERROR.search(head) or status not in (None, _OK):
            payload = self._load(data)
            # An error event with the status 200 says its status by its code alone.
            raise self._refusal(payload, None if status == _OK else status)

    @override
    def _add_chunk(self, chunk: dict[str, Any], events: list[Event]) -> None:
        if not self._own_id:
            self._own_id = text_of(chunk, "request_id")
        output = chunk.get("output")
        if not output:
            raise self._refusal(chunk)
        if chunk.get("usage") and (usage := object_of(chunk, "usage")):
            self._usage = usage
        if "search_info" in output or "tool_info" in output:
            self._keep_extras(output)
        choices = output.get("choices")
        if choices is None:
            # result_format "text": the answer without a message around it.
            choices = [{**output, "message": {"content": output.get("text")}}]
        for choice in choices:
            self._add_choice(choice, choice.get("message"), events)
        # Nothing marks the end of a stream but the finish reason.
        if self._ends:
            self.done = self.finished

    def _keep_extras(self, output: Mapping[str, Any]) -> None:
        """Keep what the service looked up, and the tools of its own that it ran."""
        search = object_of(output, "search_info")
        if (results := objects_of(search, "search_results")) and not self._sources:
            self._extras["search_info"] = search
            self._sources = Citations(results)
        if tools := objects_of(output, "tool_info"):
            self._extras["tool_info"] = tools

    @override
    def _last_events(self) -> list[Event]:
        return [self._sources] if self._sources else []

    @override
    def _parse_usage(self, raw: Mapping[str, Any]) -> Usage:
        inputs = object_of(raw, "prompt_tokens_details")
        outputs = object_of(raw, "output_tokens_details")
        input_tokens = count_of(raw, "input_tokens") or 0
        output_tokens = count_of(raw, "output_tokens") or 0
        cached = count_of(inputs, "cached_tokens")
        return Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            total_tokens=count_of(raw, "total_tokens") or input_tokens + output_tokens,
            reasoning_tokens=count_of(outputs, "reasoning_tokens"),
            cached_tokens=count_of(raw, "cached_tokens") if cached is None else cached,
            cache_creation_tokens=count_of(inputs, "cache_creation_input_tokens"),
            raw=raw,
        )
