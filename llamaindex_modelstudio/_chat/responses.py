"""Conversion of answers, and of events of a stream, to LlamaIndex responses."""

# LlamaIndex does not type the dicts in its responses.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import isnan
from typing import Any, TypeVar, assert_never, cast

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ContentBlock,
    ImageBlock,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from pydantic import ValidationError

from llamaindex_modelstudio._chat.messages import reasoning_of
from llamaindex_modelstudio._foreign import UNVALIDATED_RESPONSES, construct_response
from modelstudio_core.chat.completion import Completion, ParsedCall
from modelstudio_core.chat.events import (
    AudioDelta,
    Citations,
    ContentParts,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from modelstudio_core.chat.messages import ToolCall
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.wire.json_values import number_of

__all__ = [
    "to_completion_response",
    "to_delta_response",
    "to_message",
    "to_response",
    "validated_response",
]

_Media = TypeVar("_Media", AudioBlock, ImageBlock)


def to_response(completion: Completion, plan: ChatPlan) -> ChatResponse:
    """Build the response of a complete answer."""
    finish = completion.finish
    return ChatResponse(
        message=_to_message(completion, complete=True),
        raw=finish.raw if finish else None,
        logprobs=_logprobs(finish),
        additional_kwargs=_metadata(finish, plan) if finish else {},
    )


def to_message(completion: Completion) -> ChatMessage:
    """Build the message of a complete answer, without a response around it.

    For the rows of large batches validation takes longer than reading them: for text
    alone it is skipped where the result is the same.
    """
    text, reasoning = completion.text, completion.reasoning
    is_text = completion.is_plain and text and not completion.parts
    if UNVALIDATED_RESPONSES.active and is_text and completion.speech is None:
        try:
            extra = {"reasoning_content": reasoning} if reasoning else {}
            response = construct_response(reasoning, text, "", "", extra=extra)
            if reasoning:
                usage = completion.finish.usage if completion.finish else None
                tokens = usage.reasoning_tokens if usage else None
                vars(response.message.blocks[0])["num_tokens"] = tokens
        except Exception as error:  # noqa: BLE001 - private parts may raise anything
            UNVALIDATED_RESPONSES.switch_off(error)
        else:
            return response.message
    return _to_message(completion, complete=True)


def to_delta_response(
    event: Event, completion: Completion, plan: ChatPlan
) -> ChatResponse:
    """Build the response of one event of a stream.

    Each response has its own message, so that later events do not change it. The tool
    calls that did not change are shared with the response before.

    Args:
        event: The event.
        completion: The answer so far, with the event.
        plan: The plan of the request.
    """
    match event:
        case TextDelta():
            delta, thinking_delta = event.text, ""
        case ReasoningDelta():
            delta, thinking_delta = "", event.text
        case ToolCallDelta() | Citations() | ContentParts():
            delta, thinking_delta = "", ""
        case AudioDelta():
            response = validated_response(completion, "", "")
            response.additional_kwargs["audio_delta"] = event.data
            return response
        case Finish():
            response = to_response(completion, plan)
            response.delta = ""
            response.additional_kwargs["thinking_delta"] = ""
            return response
        case _:
            assert_never(event)
    if UNVALIDATED_RESPONSES.active:
        try:
            if completion.is_plain:
                return construct_response(
                    completion.reasoning, completion.text, delta, thinking_delta
                )
            calls, blocks = completion.calls_so_far(_tool_call_block)
            return construct_response(
                completion.reasoning,
                completion.text,
                delta,
                thinking_delta,
                call_blocks=blocks,
                extra=_extra(completion, calls),
            )
        except Exception as error:  # noqa: BLE001 - private parts may raise anything
            UNVALIDATED_RESPONSES.switch_off(error)
    return validated_response(completion, delta, thinking_delta)


def validated_response(
    completion: Completion, delta: str, thinking_delta: str
) -> ChatResponse:
    """Build the response of one event through LlamaIndex's constructors."""
    return ChatResponse(
        message=_to_message(completion, complete=False),
        delta=delta,
        additional_kwargs={"thinking_delta": thinking_delta},
    )


def to_completion_response(response: ChatResponse) -> CompletionResponse:
    """Convert a chat response; its reasoning goes into ``additional_kwargs``."""
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


def _to_message(completion: Completion, *, complete: bool) -> ChatMessage:
    """Build the message, without usage and ids: memories count all of its text."""
    blocks: list[ContentBlock] = []
    extra: dict[str, Any] = {}
    if reasoning := completion.reasoning:
        usage = completion.finish.usage if completion.finish else None
        tokens = usage.reasoning_tokens if usage else None
        blocks.append(ThinkingBlock(content=reasoning, num_tokens=tokens))
        if complete:
            extra["reasoning_content"] = reasoning
    blocks_of_calls: Sequence[ContentBlock]
    if complete:
        calls = completion.tool_calls
        blocks_of_calls = [*map(_tool_call_block, completion.parsed_calls)]
    else:
        calls, blocks_of_calls = completion.calls_so_far(_tool_call_block)
    text = completion.text
    if text or (complete and not calls):
        blocks.append(TextBlock(text=text))
    extra |= _extra(completion, calls)
    if complete:
        _add_media(completion, blocks, extra)
    blocks.extend(blocks_of_calls)
    return ChatMessage(
        role=MessageRole.ASSISTANT, blocks=blocks, additional_kwargs=extra
    )


def _extra(completion: Completion, calls: list[ToolCall]) -> dict[str, Any]:
    values = {"search_results": completion.citations, "tool_calls": calls}
    return {name: value for name, value in values.items() if value}


def _add_media(
    completion: Completion, blocks: list[ContentBlock], extra: dict[str, Any]
) -> None:
    """Add the sound, the images and the other parts of a complete answer."""
    extra.update(completion.parts)
    if speech := completion.speech:
        # The sound is in the block only: memories and stores copy these values.
        extra["audio"] = {k: v for k, v in speech.as_sent().items() if k != "data"}
        if speech.data:
            file = speech.to_file()
            blocks.append(AudioBlock(audio=file.content, format=file.format))
        elif speech.url:
            blocks.extend(_media_blocks(AudioBlock, speech.url))
    if completion.parts:
        blocks.extend(_media_blocks(ImageBlock, *completion.image_urls))


def _media_blocks(kind: type[_Media], *urls: str) -> list[_Media]:
    """Return the blocks of addresses, but for those that LlamaIndex does not accept.

    An answer has all of them beside its blocks.
    """
    blocks: list[_Media] = []
    for url in urls:
        with suppress(ValidationError):
            blocks.append(kind(url=url))  # pyright: ignore[reportArgumentType] - pydantic converts it
    return blocks


def _tool_call_block(call: ParsedCall) -> ToolCallBlock:
    """Build the block of a call; incomplete or invalid arguments stay text."""
    return ToolCallBlock(
        tool_call_id=call.id,
        tool_name=call.name,
        tool_kwargs=call.text if call.arguments is None else call.arguments,
    )


def _metadata(finish: Finish, plan: ChatPlan) -> dict[str, Any]:
    usage = finish.usage
    values = {
        "prompt_tokens": usage.input_tokens if usage else None,
        "completion_tokens": usage.output_tokens if usage else None,
        "total_tokens": usage.total_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "cache_creation_tokens": usage.cache_creation_tokens if usage else None,
        **_token_details(usage),
        "tool_usage": dict(usage.tool_counts) if usage and usage.tool_counts else None,
        "request_id": finish.request_id,
        "finish_reason": finish.finish_reason,
        "tool_info": finish.tool_info,
    }
    metadata: dict[str, Any] = {
        name: value for name, value in values.items() if value is not None
    }
    metadata |= plan.scope
    if (requested := plan.requested_model) is not None:
        metadata["requested_model"] = requested
    if plan.thinking_disabled:
        metadata[f"thinking_disabled_for_{plan.thinking_disabled}"] = True
    return metadata | dict.fromkeys(finish.problems, True)


def _token_details(usage: Usage | None) -> dict[str, int]:
    """Return the counts of media, such as ``input_audio_tokens``."""
    if usage is None or not (usage.input_details or usage.output_details):
        return {}
    sides = {"input": usage.input_details, "output": usage.output_details}
    return {
        f"{side}_{kind}_tokens": count
        for side, details in sides.items()
        for kind, count in details.items()
        if kind != "text"
    }


# --- Log probabilities ------------------------------------------------------------


def _logprobs(finish: Finish | None) -> list[list[LogProb]] | None:
    """Convert the candidates of each token; without candidates, the token itself."""
    if finish is None or not finish.logprobs:
        return None
    return [
        [_logprob(candidate) for candidate in _mappings(token.get("top_logprobs"))]
        or [_logprob(token)]
        for token in _mappings(finish.logprobs)
    ]


def _logprob(token: Mapping[str, object]) -> LogProb:
    logprob, values = number_of(token.get("logprob")), token.get("bytes")
    codes = cast("list[object]", values) if isinstance(values, list) else []
    return LogProb(
        token=str(token.get("token") or ""),
        logprob=0.0 if isnan(logprob) else logprob,
        bytes=[code for code in codes if type(code) is int],
    )


def _mappings(value: object) -> list[Mapping[str, object]]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [
        cast("Mapping[str, object]", item)
        for item in items
        if isinstance(item, Mapping)
    ]
