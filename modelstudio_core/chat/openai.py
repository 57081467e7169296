"""The OpenAI-compatible protocol of Model Studio.

Every parameter that OpenAI does not have is a key at the top of the body. The shapes
of answers are those of exchanges recorded from 2024 to August 2026.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from typing_extensions import override

from modelstudio_core.chat.events import Event, Usage
from modelstudio_core.chat.messages import Message, prepare_messages
from modelstudio_core.chat.options import ChatPlan
from modelstudio_core.chat.parser import ChatParser
from modelstudio_core.chat.plan import extra_body_of, parameters_of
from modelstudio_core.wire.json_values import count_of, object_of
from modelstudio_core.wire.refusals import ErrorContext
from modelstudio_core.wire.sse import field_of

__all__ = ["Parser", "build_request", "headers", "path"]

_PATH: Final = "/chat/completions"
_NO_HEADERS: Final[Mapping[str, str]] = {}


def path(request: ChatPlan) -> str:  # noqa: ARG001 - one path for all models
    """Return the path below the base URL."""
    return _PATH


def headers(request: ChatPlan) -> Mapping[str, str]:  # noqa: ARG001 - none for any
    """Return the headers that this protocol wants besides."""
    return _NO_HEADERS


def build_request(
    request: ChatPlan, messages: Sequence[Message], *, include_usage: bool = True
) -> dict[str, Any]:
    """Build the body of a request.

    Args:
        request: What was decided, see ``plan_chat``.
        messages: The prompt.
        include_usage: Whether a stream ends with its token counts.

    Returns:
        The body, ready for JSON.

    Raises:
        ConfigurationError: The messages hold what the model does not take.
    """
    body: dict[str, Any] = {
        "model": request.model.profile.id,
        "messages": prepare_messages(
            messages,
            request.model.profile,
            preserve_thinking=request.preserve_thinking,
        ),
    }
    body |= parameters_of(request)
    body["stream"] = request.stream
    if request.stream and include_usage:
        body["stream_options"] = {"include_usage": True}
    return body | extra_body_of(request)


class Parser(ChatParser):
    r"""Turn the bytes of one response into events. Pushed, pure and used once.

    Example:
        >>> parser = Parser(ErrorContext(None, "openai", "127.0.0.1"))
        >>> parser.feed(b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n')
        [TextDelta(text='Hi', choice=0)]
    """

    _END = b"[DONE]"

    def __init__(self, context: ErrorContext, *, request_id: str | None = None) -> None:
        """Begin a response, see ``ChatParser``."""
        super().__init__(context, request_id=request_id)
        self._first: dict[str, Any] = {}

    @property
    @override
    def _common(self) -> dict[str, Any]:
        return self._first

    @property
    @override
    def request_id(self) -> str | None:
        """The header's id, else the one that the answer's own id is made of."""
        if self._header_id:
            return self._header_id
        own = self._first.get("request_id") or self._first.get("id")
        return str(own).removeprefix("chatcmpl-") if own else None

    @override
    def _take(self, raw: bytes, events: list[Event]) -> None:
        self._take_data(field_of(raw, b"data"), events)

    @override
    def _add_chunk(self, chunk: dict[str, Any], events: list[Event]) -> None:
        choices = chunk.get("choices")
        if (choices is None and chunk.get("code")) or chunk.get("error"):
            raise self._refusal(chunk)
        if not self._first:
            self._first = {k: v for k, v in chunk.items() if k != "choices"}
        if chunk.get("usage") and (usage := object_of(chunk, "usage")):
            self._usage = usage
        for choice in choices or ():
            self._add_choice(
                choice, choice.get("delta") or choice.get("message"), events
            )

    @override
    def _parse_usage(self, raw: Mapping[str, Any]) -> Usage:
        return parse_usage(raw)


def parse_usage(raw: Mapping[str, Any]) -> Usage:
    """Read token counts; each detail may be absent, and absent is not zero."""
    inputs = object_of(raw, "prompt_tokens_details")
    outputs = object_of(raw, "completion_tokens_details")
    input_tokens = count_of(raw, "prompt_tokens") or 0
    output_tokens = count_of(raw, "completion_tokens") or 0
    created = count_of(inputs, "cache_creation_input_tokens")
    if created is None:
        created = count_of(raw, "cache_creation_input_tokens")
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=count_of(raw, "total_tokens") or input_tokens + output_tokens,
        reasoning_tokens=count_of(outputs, "reasoning_tokens"),
        cached_tokens=count_of(inputs, "cached_tokens"),
        cache_creation_tokens=created,
        raw=raw,
    )
