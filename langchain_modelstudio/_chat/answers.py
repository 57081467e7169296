"""Whole answers to LangChain's messages, and what is said beside them."""

import json
from typing import Any, cast

from langchain_core.messages import (
    AIMessage,
    InvalidToolCall,
)
from langchain_core.messages.ai import (
    InputTokenDetails,
    OutputTokenDetails,
    UsageMetadata,
)
from langchain_core.messages.tool import (
    ToolCall,
    invalid_tool_call,
    tool_call,
)

from langchain_modelstudio._chat.blocks import PROVIDER
from modelstudio_core.chat import messages as core
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Finish, Usage
from modelstudio_core.chat.plan import ChatPlan

__all__ = ["to_message", "to_metadata", "to_usage"]


def to_message(completion: Completion, request: ChatPlan) -> AIMessage:
    """Make the message of a whole answer."""
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for call in completion.tool_calls:
        _parse_call(call, calls, invalid)
    finish = completion.finish
    extra: dict[str, Any] = {}
    if completion.reasoning:
        extra["reasoning_content"] = completion.reasoning
    if completion.citations:
        extra["search_results"] = completion.citations
    return AIMessage(
        content=completion.text,
        additional_kwargs=extra,
        response_metadata={
            "model_provider": PROVIDER,
            **(to_metadata(finish, request) if finish else {}),
        },
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=to_usage(finish.usage if finish else None),
    )


def _parse_call(
    call: core.ToolCall, calls: list[ToolCall], invalid: list[InvalidToolCall]
) -> None:
    name, text = call["function"]["name"], call["function"]["arguments"]
    try:
        arguments: Any = json.loads(text) if text.strip() else {}
        problem = "The arguments are not a JSON object."
    except (ValueError, RecursionError) as error:
        arguments, problem = None, f"The arguments are not JSON: {error}"
    if isinstance(arguments, dict):
        known = cast("dict[str, Any]", arguments)
        calls.append(tool_call(name=name, args=known, id=call["id"]))
    else:
        invalid.append(
            invalid_tool_call(name=name, args=text, id=call["id"], error=problem)
        )


def to_metadata(finish: Finish, request: ChatPlan) -> dict[str, Any]:
    """Return what is known of a response, for ``response_metadata``."""
    told: dict[str, Any] = {
        "model_name": request.model.profile.id,
        "finish_reason": finish.finish_reason,
        "request_id": finish.request_id,
        "created": finish.created,
    }
    if request.model.replaced:
        told["requested_model"] = request.model.requested
    if request.thinking_disabled:
        told[f"thinking_disabled_for_{request.thinking_disabled}"] = True
    if finish.logprobs:
        told["logprobs"] = {"content": finish.logprobs}
    if finish.tool_info:
        told["tool_info"] = finish.tool_info
    if finish.created is None:
        del told["created"]
    return told


def to_usage(usage: Usage | None) -> UsageMetadata | None:
    """Return token counts as LangChain has them."""
    if usage is None:
        return None
    metadata = UsageMetadata(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
    )
    read, created = usage.cached_tokens, usage.cache_creation_tokens
    if read is not None or created is not None:
        details = InputTokenDetails()
        if read is not None:
            details["cache_read"] = read
        if created is not None:
            details["cache_creation"] = created
        metadata["input_token_details"] = details
    if usage.reasoning_tokens is not None:
        metadata["output_token_details"] = OutputTokenDetails(
            reasoning=usage.reasoning_tokens
        )
    return metadata
