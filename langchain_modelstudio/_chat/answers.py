"""Complete answers to LangChain's messages, with their metadata and usage."""

import json
from typing import Any, cast

from langchain_core.messages import AIMessage, InvalidToolCall
from langchain_core.messages.ai import (
    InputTokenDetails,
    OutputTokenDetails,
    UsageMetadata,
)
from langchain_core.messages.tool import ToolCall, invalid_tool_call, tool_call

from langchain_modelstudio._provider import PROVIDER
from modelstudio_core.chat import messages as core
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Finish, Usage
from modelstudio_core.chat.plan import ChatPlan

__all__ = ["to_message", "to_metadata", "to_usage"]


def to_message(completion: Completion, plan: ChatPlan) -> AIMessage:
    """Convert a complete answer to a message."""
    tool_calls: list[ToolCall] = []
    invalid_tool_calls: list[InvalidToolCall] = []
    for call in completion.tool_calls:
        _parse_call(call, tool_calls, invalid_tool_calls)
    finish = completion.finish
    additional_kwargs: dict[str, Any] = {}
    if completion.reasoning:
        additional_kwargs["reasoning_content"] = completion.reasoning
    if completion.citations:
        additional_kwargs["search_results"] = completion.citations
    return AIMessage(
        content=completion.text,
        additional_kwargs=additional_kwargs,
        response_metadata={
            "model_provider": PROVIDER,
            **(to_metadata(finish, plan) if finish else {}),
        },
        tool_calls=tool_calls,
        invalid_tool_calls=invalid_tool_calls,
        usage_metadata=to_usage(finish.usage if finish else None),
    )


def _parse_call(
    call: core.ToolCall,
    tool_calls: list[ToolCall],
    invalid_tool_calls: list[InvalidToolCall],
) -> None:
    name, text = call["function"]["name"], call["function"]["arguments"]
    try:
        arguments: object = json.loads(text) if text.strip() else {}
        problem = "The arguments are not a JSON object."
    except (ValueError, RecursionError) as error:
        arguments, problem = None, f"The arguments are not valid JSON: {error}"
    if isinstance(arguments, dict):
        args = cast("dict[str, Any]", arguments)
        tool_calls.append(tool_call(name=name, args=args, id=call["id"]))
    else:
        invalid_tool_calls.append(
            invalid_tool_call(name=name, args=text, id=call["id"], error=problem)
        )


def to_metadata(finish: Finish, plan: ChatPlan) -> dict[str, Any]:
    """Return a message's ``response_metadata``."""
    metadata: dict[str, Any] = {
        "model_name": plan.model.profile.id,
        "finish_reason": finish.finish_reason,
        "request_id": finish.request_id,
    }
    if finish.created is not None:
        metadata["created"] = finish.created
    metadata |= plan.scope
    if plan.requested_model is not None:
        metadata["requested_model"] = plan.requested_model
    if plan.thinking_disabled:
        metadata[f"thinking_disabled_for_{plan.thinking_disabled}"] = True
    if finish.logprobs:
        metadata["logprobs"] = {"content": finish.logprobs}
    if finish.tool_info:
        metadata["tool_info"] = finish.tool_info
    return metadata


def to_usage(usage: Usage | None) -> UsageMetadata | None:
    """Return a message's ``usage_metadata``."""
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
