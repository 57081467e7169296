"""The native DashScope protocol for chat.

The messages are in ``input``, all other parameters in ``parameters``; a header requests
a stream. The path depends on the model and not on the content: a vision model refuses
the path of text models, even for text. Sources: the official DashScope API reference
(spring 2026) and exchanges recorded from 2024 to August 2026.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from typing_extensions import override

from modelstudio_core.chat.events import Citation, Citations, Event, Usage
from modelstudio_core.chat.media import has_media
from modelstudio_core.chat.messages import Message, Part
from modelstudio_core.chat.parser import ANY_FORM, AnswerForm, ChatParser
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.chat.prompt import prepare_prompt
from modelstudio_core.chat.usage import created_in_cache, token_details, tool_counts
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.wire.json_values import count_of, object_of, objects_of, text_of
from modelstudio_core.wire.refusals import ErrorContext
from modelstudio_core.wire.sse import field_of

__all__ = ["Parser", "build_request"]

_STREAM_HEADERS: Final = {"X-DashScope-SSE": "enable", "Accept": "text/event-stream"}
_NO_HEADERS: Final[Mapping[str, str]] = {}
_MULTIMODAL: Final = "multimodal-generation"
# Only this comment of an event has the status of an error inside a stream.
_STATUS: Final = re.compile(rb"^: ?HTTP_STATUS/(\d{3})", re.MULTILINE)
_ERROR: Final = re.compile(rb"^event: ?error$", re.MULTILINE)
_OK: Final = 200
# How the lines before the data of a successful event end, in every recorded stream.
_RESULT_HEAD_END: Final = b"\nevent:result\n:HTTP_STATUS/200"


def build_request(
    plan: ChatPlan,
    messages: Sequence[Message],
    *,
    include_usage: bool = True,  # noqa: ARG001 - token counts come with every event
) -> HttpRequest:
    """Build the HTTP request of a plan.

    Args:
        plan: The model and the parameters.
        messages: The messages of the prompt.
        include_usage: Not used: token counts come with every event.

    Raises:
        ConfigurationError: The model does not support a part of a message.
    """
    profile = plan.model.profile
    prepared = prepare_prompt(messages, plan)
    # The path of text models never accepts media.
    has_any_media = any(map(has_media, prepared))
    native_path = _MULTIMODAL if has_any_media else profile.native_path
    parameters = {"result_format": "message", **plan.parameters()}
    if plan.stream:
        parameters["incremental_output"] = True
    return HttpRequest(
        api="dashscope",
        path=f"/services/aigc/{native_path}/generation",
        headers=_STREAM_HEADERS if plan.stream else _NO_HEADERS,
        requested_model=plan.requested_model,
        json={
            "model": profile.id,
            "input": {
                "messages": [_with_parts(message) for message in prepared]
                if native_path == _MULTIMODAL
                else prepared
            },
            "parameters": parameters | plan.extra_body(),
        },
    )


def _with_parts(message: Message) -> dict[str, Any]:
    """Return a message with its content in the form of the multimodal path."""
    content = message["content"]
    if isinstance(content, str):
        return {**message, "content": [{"text": content}] if content else []}
    return {**message, "content": [_part(part) for part in content]}


def _part(part: Part) -> dict[str, Any]:
    """Return a part in the form of the multimodal path, with the keys beside it."""
    own = ("type", part["type"])
    settings = {name: value for name, value in part.items() if name not in own}
    match part["type"]:
        case "text":
            return {"text": part["text"], **settings}
        case "image_url":
            return {**_media(part["image_url"], "image"), **settings}
        case "video_url":
            return {**_media(part["video_url"], "video"), **settings}
        case "video":
            return {"video": part["video"], **settings}
        case "input_audio":
            return {"audio": part["input_audio"]["data"], **settings}
        case "file":
            file = {k: v for k, v in part["file"].items() if k != "file_format"}
            return {**file, **settings}


def _media(url: Mapping[str, object], name: str) -> dict[str, object]:
    """Return the URL under the name of its kind, and what was beside it."""
    return {name: url["url"], **{k: v for k, v in url.items() if k != "url"}}


class Parser(ChatParser):
    r"""Converts the bytes of one response of the DashScope protocol to events.

    Example:
        >>> parser = Parser(ErrorContext(None, "dashscope", "127.0.0.1"))
        >>> parser.feed(
        ...     b'id:1\nevent:result\n:HTTP_STATUS/200\n'
        ...     b'data:{"output":{"text":"Hi","finish_reason":"null"}}\n\n'
        ... )
        [TextDelta(text='Hi', choice=0)]
    """

    def __init__(
        self,
        context: ErrorContext,
        *,
        request_id: str | None = None,
        form: AnswerForm = ANY_FORM,
        max_event_bytes: int = sys.maxsize,
    ) -> None:
        """Create the parser of one response; see ``ChatParser``."""
        super().__init__(
            context,
            request_id=request_id,
            form=form,
            max_event_bytes=max_event_bytes,
        )
        self._body_id: str | None = None
        self._citations: Citations | None = None
        self._extras: dict[str, Any] = {}

    @property
    @override
    def _common(self) -> dict[str, Any]:
        return {"request_id": self.request_id, **self._extras}

    @property
    @override
    def request_id(self) -> str | None:
        """The id in the body, else the id in the header. They are equal."""
        return self._body_id or self._header_id

    @override
    def _parse_event(self, raw: bytes, events: list[Event]) -> None:
        head, separator, data = raw.partition(b"\ndata:")
        if not separator or b"\n" in data:
            data = field_of(raw, b"data")
            head = raw
        if data and not head.endswith(_RESULT_HEAD_END):
            self._check_head(head, data)
        self._parse_data(data, events)

    def _check_head(self, head: bytes, data: bytes) -> None:
        """Raise an error if the lines before the data of an event mark an error."""
        match = _STATUS.search(head)
        status = int(match.group(1)) if match else None
        if _ERROR.search(head) or status not in (None, _OK):
            payload = self._context.parse(data, self.request_id)
            # An error event can have the status 200: then its code tells the status.
            raise self._refusal(payload, None if status == _OK else status)

    @override
    def _add_chunk(self, chunk: dict[str, Any], events: list[Event]) -> None:
        if not self._body_id:
            self._body_id = self._context.redact(text_of(chunk, "request_id"))
        output = chunk.get("output")
        if not output:
            raise self._refusal(chunk)
        if chunk.get("usage") and (usage := object_of(chunk, "usage")):
            self._usage = usage
        if "search_info" in output or "tool_info" in output:
            self._keep_extras(output)
        choices = output.get("choices")
        if choices is None:
            # With result_format "text" the output has no message.
            choices = [{**output, "message": {"content": output.get("text")}}]
        for position, choice in enumerate(choices):
            self._add_choice(choice, choice.get("message"), events, position)
        # The protocol has no event that ends a stream, only the finish reason.
        if self._has_finish_reason:
            self.done = self.finished

    def _keep_extras(self, output: dict[str, Any]) -> None:
        """Keep the results of the service's web search and of its built-in tools."""
        search = object_of(output, "search_info")
        if (results := objects_of(search, "search_results")) and not self._citations:
            self._extras["search_info"] = search
            self._citations = Citations(cast("list[Citation]", results))
        if tools := objects_of(output, "tool_info"):
            self._extras["tool_info"] = tools

    @override
    def _last_events(self) -> list[Event]:
        return [self._citations] if self._citations else []

    @override
    def _parse_usage(self, raw: Mapping[str, object]) -> Usage:
        cache = object_of(raw, "prompt_tokens_details")
        inputs = object_of(raw, "input_tokens_details")
        outputs = object_of(raw, "output_tokens_details")
        input_tokens = count_of(raw, "input_tokens") or 0
        output_tokens = count_of(raw, "output_tokens") or 0
        cached = count_of(cache, "cached_tokens")
        return Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            total_tokens=count_of(raw, "total_tokens") or input_tokens + output_tokens,
            reasoning_tokens=count_of(outputs, "reasoning_tokens"),
            cached_tokens=count_of(raw, "cached_tokens") if cached is None else cached,
            cache_creation_tokens=created_in_cache(cache, raw),
            # Some models have the counts of their input at the top level only.
            input_details=token_details(raw, cache, inputs),
            output_details=token_details(outputs),
            tool_counts=tool_counts(
                object_of(raw, "plugins") or object_of(raw, "x_tools")
            ),
            raw=raw,
        )
