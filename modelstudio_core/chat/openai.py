"""The OpenAI-compatible protocol for chat.

A parameter that OpenAI does not have is a key at the top level of the body, as all
others. Sources: the official page "OpenAI compatible - Chat" (September 2026) and
exchanges recorded from 2024 to August 2026.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from typing_extensions import override

from modelstudio_core.chat.events import Event, Usage
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.parser import ANY_FORM, AnswerForm, ChatParser
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.chat.prompt import prepare_prompt
from modelstudio_core.chat.usage import created_in_cache, token_details, tool_counts
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.wire.json_values import count_of, object_of
from modelstudio_core.wire.refusals import ErrorContext
from modelstudio_core.wire.sse import field_of

__all__ = ["Parser", "build_request", "parse_usage"]

_PATH: Final = "/chat/completions"


def build_request(
    plan: ChatPlan, messages: Sequence[Message], *, include_usage: bool = True
) -> HttpRequest:
    """Build the HTTP request of a plan.

    Args:
        plan: The model and the parameters.
        messages: The messages of the prompt.
        include_usage: Whether a stream ends with token counts.

    Raises:
        ConfigurationError: The model does not support a part of a message.
    """
    body: dict[str, Any] = {
        "model": plan.model.profile.id,
        "messages": prepare_prompt(messages, plan),
    }
    body |= plan.parameters()
    body["stream"] = plan.stream
    if plan.stream and include_usage:
        body["stream_options"] = {"include_usage": True}
    return HttpRequest(
        api="openai",
        path=_PATH,
        json=body | plan.extra_body(),
        requested_model=plan.requested_model,
    )


class Parser(ChatParser):
    r"""Converts the bytes of one response of the OpenAI protocol to events.

    Example:
        >>> parser = Parser(ErrorContext(None, "openai", "127.0.0.1"))
        >>> parser.feed(b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n')
        [TextDelta(text='Hi', choice=0)]
    """

    _END = b"[DONE]"

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
        # The first chunk without its choices.
        self._first: dict[str, Any] = {}

    @property
    @override
    def _common(self) -> dict[str, Any]:
        return self._first

    @property
    @override
    def request_id(self) -> str | None:
        """The id in the header, else the id that the id of the answer contains."""
        if self._header_id:
            return self._header_id
        body_id = self._first.get("request_id") or self._first.get("id")
        if not body_id:
            return None
        return self._context.redact(str(body_id)).removeprefix("chatcmpl-")

    @override
    def _parse_event(self, raw: bytes, events: list[Event]) -> None:
        self._parse_data(field_of(raw, b"data"), events)

    @override
    def _add_chunk(self, chunk: dict[str, Any], events: list[Event]) -> None:
        choices = chunk.get("choices")
        if (choices is None and chunk.get("code")) or chunk.get("error"):
            raise self._refusal(chunk)
        if not self._first:
            self._first = {k: v for k, v in chunk.items() if k != "choices"}
        if chunk.get("usage") and (usage := object_of(chunk, "usage")):
            self._usage = usage
        for position, choice in enumerate(choices or ()):
            message = choice.get("delta") or choice.get("message")
            self._add_choice(choice, message, events, position)

    @override
    def _parse_usage(self, raw: Mapping[str, object]) -> Usage:
        return parse_usage(raw)


def parse_usage(raw: Mapping[str, object]) -> Usage:
    """Parse the token counts of a response.

    Args:
        raw: The ``usage`` object. A detail that is absent is None, not zero.

    Example:
        >>> parse_usage({"prompt_tokens": 9, "completion_tokens": 3}).total_tokens
        12
    """
    inputs = object_of(raw, "prompt_tokens_details")
    outputs = object_of(raw, "completion_tokens_details")
    input_tokens = count_of(raw, "prompt_tokens") or 0
    output_tokens = count_of(raw, "completion_tokens") or 0
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=count_of(raw, "total_tokens") or input_tokens + output_tokens,
        reasoning_tokens=count_of(outputs, "reasoning_tokens"),
        cached_tokens=count_of(inputs, "cached_tokens"),
        cache_creation_tokens=created_in_cache(inputs, raw),
        input_details=token_details(inputs),
        output_details=token_details(outputs),
        tool_counts=tool_counts(object_of(raw, "x_tools") or object_of(raw, "plugins")),
        raw=raw,
    )
