"""LlamaIndex's messages to the neutral prompt, and answers back to its responses."""

# LlamaIndex's responses hold plain dicts.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import base64
import json
from collections.abc import Mapping, Sequence
from io import IOBase
from typing import Any, Final, Protocol, assert_never, cast

from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    ChatResponse,
    CitableBlock,
    CitationBlock,
    CompletionResponse,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from pydantic import BaseModel

from llamaindex_modelstudio._history import pair_calls
from modelstudio_core import messages as core
from modelstudio_core.completion import Completion
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.events import (
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.options import ChatRequest

__all__ = [
    "from_messages",
    "to_completion_response",
    "to_delta_response",
    "to_response",
]

# --- LlamaIndex → neutral ---------------------------------------------------------

_ROLES: Final[dict[MessageRole, str]] = {
    MessageRole.SYSTEM: "system",
    # The service documents no developer role.
    MessageRole.DEVELOPER: "system",
    MessageRole.USER: "user",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.TOOL: "tool",
    MessageRole.FUNCTION: "tool",
}


def from_messages(messages: Sequence[ChatMessage]) -> list[core.Message]:
    """Convert a prompt; the messages themselves are not touched.

    Of ``additional_kwargs`` only what the service knows is read: memories and agents
    leave notes of their own there.

    Raises:
        ConfigurationError: A block has no counterpart.
    """
    return pair_calls([_from_message(message) for message in messages])


def _from_message(message: ChatMessage) -> core.Message:
    role = _ROLES[message.role]
    extra = message.additional_kwargs
    converted: dict[str, Any] = {"role": role, "content": _content(message.blocks)}
    if isinstance(extra.get("name"), str):
        converted["name"] = extra["name"]
    if role == "tool":
        converted["tool_call_id"] = str(extra.get("tool_call_id") or "")
    if role == "assistant":
        if reasoning := _reasoning(message):
            converted["reasoning_content"] = reasoning
        if calls := _calls(message):
            converted["tool_calls"] = calls
        if extra.get("partial"):
            converted["partial"] = True
    return cast("core.Message", converted)


def _reasoning(message: ChatMessage) -> str:
    kept = message.additional_kwargs.get("reasoning_content")
    if isinstance(kept, str) and kept:
        return kept
    found = [b.content or "" for b in message.blocks if isinstance(b, ThinkingBlock)]
    return "".join(found)


def _calls(message: ChatMessage) -> list[core.ToolCall]:
    """Read the tool calls: dicts, objects of any SDK, or blocks."""
    kept = message.additional_kwargs.get("tool_calls")
    listed = cast("Sequence[Any]", kept) if isinstance(kept, list | tuple) else ()
    plain = [_plain(call) for call in listed]
    if plain and all("function" in call for call in plain):
        return [_call(call.get("id"), **_named(call["function"])) for call in plain]
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if blocks:
        return [_call(b.tool_call_id, b.tool_name, b.tool_kwargs) for b in blocks]
    return [_call(call.get("id"), **_named(call)) for call in plain if call.get("name")]


def _plain(call: Any) -> Mapping[str, Any]:
    plain = call.model_dump() if isinstance(call, BaseModel) else call
    return cast("Mapping[str, Any]", plain) if isinstance(plain, Mapping) else {}


def _named(function: object) -> dict[str, Any]:
    """Return the name and the arguments, which other services call their input."""
    known = _plain(function)
    arguments = known.get("arguments") or known.get("input")
    return {"name": known.get("name"), "arguments": arguments}


def _call(call_id: object, name: object, arguments: object) -> core.ToolCall:
    known = str(name or "")
    text = arguments
    if not isinstance(text, str):
        text = core.arguments_text(known, arguments or {})
    function: Any = {"name": known, "arguments": text}
    return {"id": str(call_id or ""), "type": "function", "function": function}


def _content(blocks: Sequence[ContentBlock]) -> str | list[core.Part]:
    parts: list[core.Part] = []
    for block in blocks:
        match block:
            case ThinkingBlock() | ToolCallBlock():
                pass
            case CachePoint():
                _mark_cached(parts)
            case CitableBlock():
                parts.extend(_text_parts(block.content))
            case CitationBlock():
                parts.extend(_text_parts([block.cited_content]))
            case _:
                parts.append(_part(block))
    return parts or ""


def _text_parts(blocks: Sequence[Any]) -> list[core.Part]:
    return [_part(block) for block in blocks]


def _mark_cached(parts: list[core.Part]) -> None:
    """Mark what stands before a cache point as the end of a cached prefix."""
    if parts and parts[-1]["type"] == "text":
        parts[-1] = {**parts[-1], "cache_control": {"type": "ephemeral"}}


def _part(
    block: TextBlock | ImageBlock | AudioBlock | VideoBlock | DocumentBlock,
) -> core.Part:
    match block:
        case TextBlock():
            return {"type": "text", "text": block.text}
        case ImageBlock():
            url = _url(
                block.url, block.image_mimetype, "image/png", block.resolve_image
            )
            image: Any = {"url": url}
            if block.detail:
                image["detail"] = block.detail
            return {"type": "image_url", "image_url": image}
        case VideoBlock():
            url = _url(
                block.url, block.video_mimetype, "video/mp4", block.resolve_video
            )
            return {"type": "video_url", "video_url": {"url": url}}
        case AudioBlock():
            data = _url(block.url, "", "", block.resolve_audio)
            return {
                "type": "input_audio",
                "input_audio": {"data": data, "format": block.format or "wav"},
            }
        case DocumentBlock():
            raise ConfigurationError(
                "A DocumentBlock cannot be sent: Model Studio's chat models take text,"
                " image, video and audio blocks. Pass the document's text instead."
            )
        case _:
            assert_never(block)


class _Resolve(Protocol):
    def __call__(self) -> IOBase: ...  # LlamaIndex's own


def _url(url: object, mime: str | None, default: str, resolve: _Resolve) -> str:
    """Return a medium's own address, else its bytes as a ``data:`` URL."""
    if url:
        return str(url)
    try:
        encoded = base64.b64encode(cast("bytes", resolve().read())).decode()
    except (OSError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"The bytes of a media block cannot be read: {error}"
        ) from None
    return f"data:{default if mime is None else mime};base64,{encoded}"


# --- Neutral → LlamaIndex ---------------------------------------------------------


def to_response(completion: Completion, request: ChatRequest) -> ChatResponse:
    """Make the response of a whole answer."""
    finish = completion.finish
    return ChatResponse(
        message=_to_message(completion, whole=True),
        raw=finish.raw if finish else None,
        logprobs=_logprobs(finish),
        additional_kwargs=_metadata(finish, request) if finish else {},
    )


def to_delta_response(
    event: Event, so_far: Completion, request: ChatRequest
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
    return ChatResponse(
        message=_to_message(so_far, whole=False),
        delta=delta,
        additional_kwargs={"thinking_delta": thinking},
    )


def to_completion_response(response: ChatResponse) -> CompletionResponse:
    """Make what ``complete`` returns: the reasoning goes beside the text."""
    extra: dict[str, Any] = dict(response.additional_kwargs)
    if reasoning := _reasoning(response.message):
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


def _metadata(finish: Finish, request: ChatRequest) -> dict[str, Any]:
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
