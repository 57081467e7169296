"""Answers, and events of a stream, to LlamaIndex's responses."""

# LlamaIndex's responses hold plain dicts.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import json
from collections.abc import Mapping
from typing import Any, Final, assert_never, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ContentBlock,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from llamaindex_modelstudio._chat.messages import reasoning_of
from modelstudio_core.chat import messages as core
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.foreign.pydantic_objects import construct, dump_state

__all__ = ["to_completion_response", "to_delta_response", "to_response"]


def to_response(completion: Completion, request: ChatPlan) -> ChatResponse:
    """Make the response of a whole answer."""
    finish = completion.finish
    return ChatResponse(
        message=_to_message(completion, whole=True),
        raw=finish.raw if finish else None,
        logprobs=_logprobs(finish),
        additional_kwargs=_metadata(finish, request) if finish else {},
    )


def to_delta_response(
    event: Event, so_far: Completion, request: ChatPlan
) -> ChatResponse:
    """Make the response of one event, after it was added to what came so far.

    Each response has a message of its own, so that no later one changes it.
    """
    match event:
        case TextDelta():
            delta, thinking = event.text, ""
        case ReasoningDelta():
            delta, thinking = "", event.text
        case ToolCallDelta() | Citations():
            delta, thinking = "", ""
        case Finish():
            whole = to_response(so_far, request)
            whole.delta = ""
            whole.additional_kwargs["thinking_delta"] = ""
            return whole
        case _:
            assert_never(event)
    way = _make if so_far.is_plain else validated
    return way(so_far, delta, thinking)


def validated(so_far: Completion, delta: str, thinking: str) -> ChatResponse:
    """Make the response of one event the ordinary way."""
    return ChatResponse(
        message=_to_message(so_far, whole=False),
        delta=delta,
        additional_kwargs={"thinking_delta": thinking},
    )


def to_completion_response(response: ChatResponse) -> CompletionResponse:
    """Make what ``complete`` returns: the reasoning goes beside the text."""
    extra: dict[str, Any] = dict(response.additional_kwargs)
    if reasoning := reasoning_of(response.message):
        extra["reasoning_content"] = reasoning
    return CompletionResponse(
        text=response.message.content or "",
        additional_kwargs=extra,
        raw=response.raw,
        logprobs=response.logprobs,
        delta=response.delta,
    )


def _to_message(completion: Completion, *, whole: bool) -> ChatMessage:
    """Make the message; usage and ids stay out of it, as memories count its text."""
    blocks: list[ContentBlock] = []
    extra: dict[str, Any] = {}
    if reasoning := completion.reasoning:
        usage = completion.finish.usage if completion.finish else None
        tokens = usage.reasoning_tokens if usage else None
        blocks.append(ThinkingBlock(content=reasoning, num_tokens=tokens))
        if whole:
            extra["reasoning_content"] = reasoning
    calls = completion.tool_calls
    text = completion.text
    if text or (whole and not calls):
        blocks.append(TextBlock(text=text))
    if completion.citations:
        extra["search_results"] = completion.citations
    if calls:
        extra["tool_calls"] = calls
        blocks.extend(_call_block(call) for call in calls)
    return ChatMessage(
        role=MessageRole.ASSISTANT, blocks=blocks, additional_kwargs=extra
    )


def _call_block(call: core.ToolCall) -> ToolCallBlock:
    function = call["function"]
    return ToolCallBlock(
        tool_call_id=call["id"],
        tool_name=function["name"],
        tool_kwargs=_arguments(function["arguments"]),
    )


def _arguments(text: str) -> dict[str, Any] | str:
    """Return arguments as a dict; unfinished or broken ones stay text."""
    try:
        parsed: Any = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return text
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else text


def _metadata(finish: Finish, request: ChatPlan) -> dict[str, Any]:
    usage = finish.usage
    told: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens if usage else None,
        "completion_tokens": usage.output_tokens if usage else None,
        "total_tokens": usage.total_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "request_id": finish.request_id,
        "finish_reason": finish.finish_reason,
        "tool_info": finish.tool_info,
    }
    known = {name: value for name, value in told.items() if value is not None}
    if request.model.replaced:
        known["requested_model"] = request.model.requested
    if request.thinking_disabled:
        known[f"thinking_disabled_for_{request.thinking_disabled}"] = True
    return known


def _logprobs(finish: Finish | None) -> list[list[LogProb]] | None:
    if finish is None or not finish.logprobs:
        return None
    return [
        [_logprob(it) for it in _objects(token.get("top_logprobs")) or [token]]
        for token in cast("list[Mapping[str, Any]]", finish.logprobs)
    ]


def _logprob(token: Mapping[str, Any]) -> LogProb:
    probability, codes = token.get("logprob"), token.get("bytes")
    numbers = cast("list[object]", codes) if isinstance(codes, list) else []
    return LogProb(
        token=str(token.get("token") or ""),
        logprob=probability if isinstance(probability, int | float) else 0.0,
        bytes=[it for it in numbers if type(it) is int],
    )


def _objects(value: object) -> list[Mapping[str, Any]]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, Any]", it) for it in items if isinstance(it, Mapping)]


# --- The fast way -----------------------------------------------------------------
#
# Validating four objects a chunk costs more than the rest of its way from the socket.
# This makes what validation makes; where LlamaIndex's classes have come to hold
# anything else, the ordinary way is taken.


def unvalidated(so_far: Completion, delta: str, thinking: str) -> ChatResponse:
    """Make the response of one event of reasoning or text without validation."""
    blocks: list[ContentBlock] = []
    if reasoning := so_far.reasoning:
        thought: dict[str, Any] = {
            "block_type": "thinking",
            "content": reasoning,
            "num_tokens": None,
            "additional_information": {},
        }
        blocks.append(construct(ThinkingBlock, thought, {"content", "num_tokens"}))
    if text := so_far.text:
        said = {"block_type": "text", "text": text}
        blocks.append(construct(TextBlock, said, {"text"}))
    message = construct(
        ChatMessage,
        {"role": MessageRole.ASSISTANT, "additional_kwargs": {}, "blocks": blocks},
        {"role", "additional_kwargs", "blocks"},
    )
    fields = {
        "message": message,
        "raw": None,
        "delta": delta,
        "logprobs": None,
        "additional_kwargs": {"thinking_delta": thinking},
    }
    return construct(ChatResponse, fields, {"message", "delta", "additional_kwargs"})


def agrees() -> bool:
    """Tell whether both ways make the same objects."""
    so_far = Completion()
    for event in (ReasoningDelta("Hm."), TextDelta("x")):
        so_far.add(event)
        ordinary, fast = validated(so_far, "x", "y"), unvalidated(so_far, "x", "y")
        if dump_state(ordinary) != dump_state(fast):
            return False
    return True


_make: Final = unvalidated if agrees() else validated
