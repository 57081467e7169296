"""Complete answers to LangChain's messages, with their metadata and usage."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, InvalidToolCall
from langchain_core.messages.ai import (
    InputTokenDetails,
    OutputTokenDetails,
    UsageMetadata,
)
from langchain_core.messages.tool import ToolCall, invalid_tool_call, tool_call
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_modelstudio._foreign import new_message
from langchain_modelstudio._provider import PROVIDER
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Finish, Usage
from modelstudio_core.chat.plan import ChatPlan

__all__ = [
    "combine_llm_outputs",
    "to_generation_info",
    "to_llm_output",
    "to_message",
    "to_metadata",
    "to_result",
    "to_usage",
]


def to_message(completion: Completion, plan: ChatPlan) -> AIMessage:
    """Convert a complete answer to a message."""
    finish = completion.finish
    metadata: dict[str, Any] = {
        "model_provider": PROVIDER,
        **(to_metadata(finish, plan) if finish else {}),
    }
    usage = to_usage(finish.usage if finish else None)
    extra = _additional_kwargs(completion)
    if completion.is_plain:
        return new_message(completion.text, extra, metadata, usage)
    tool_calls: list[ToolCall] = []
    invalid_tool_calls: list[InvalidToolCall] = []
    for call in completion.parsed_calls:
        if call.arguments is None:
            invalid_tool_calls.append(
                invalid_tool_call(
                    name=call.name, args=call.text, id=call.id, error=call.problem
                )
            )
        else:
            tool_calls.append(
                tool_call(name=call.name, args=call.arguments, id=call.id)
            )
    return AIMessage(
        content=completion.text,
        additional_kwargs=extra,
        response_metadata=metadata,
        tool_calls=tool_calls,
        invalid_tool_calls=invalid_tool_calls,
        usage_metadata=usage,
    )


def to_result(completions: Sequence[Completion], plan: ChatPlan) -> ChatResult:
    """Convert the complete answers of one request to LangChain's result.

    Args:
        completions: The answers: ``n`` of them.
        plan: The plan of the request.
    """
    messages = [to_message(completion, plan) for completion in completions]
    # The usage is that of all answers together.
    for message in messages[1:]:
        message.usage_metadata = None
    finishes = [completion.finish for completion in completions]
    return ChatResult(
        generations=[
            ChatGeneration(
                message=message, generation_info=to_generation_info(finish, plan)
            )
            for message, finish in zip(messages, finishes, strict=True)
        ],
        llm_output=to_llm_output(finishes[0], plan),
    )


def _additional_kwargs(completion: Completion) -> dict[str, Any]:
    values: dict[str, Any] = {
        "reasoning_content": completion.reasoning,
        "search_results": completion.citations,
        "audio": completion.speech and completion.speech.as_sent(),
    }
    present = {name: value for name, value in values.items() if value}
    return {**completion.parts, **present}


def to_metadata(finish: Finish, plan: ChatPlan) -> dict[str, Any]:
    """Return a message's ``response_metadata``."""
    metadata: dict[str, Any] = {
        "model_name": plan.model.profile.id,
        "finish_reason": finish.finish_reason,
        "request_id": finish.request_id,
        "id": finish.response_id or finish.request_id,
    }
    if finish.created is not None:
        metadata["created"] = finish.created
    metadata |= plan.scope
    if (requested := plan.requested_model) is not None:
        metadata["requested_model"] = requested
    if plan.thinking_disabled:
        metadata[f"thinking_disabled_for_{plan.thinking_disabled}"] = True
    if finish.logprobs:
        metadata["logprobs"] = {"content": finish.logprobs}
    if finish.tool_info:
        metadata["tool_info"] = finish.tool_info
    if finish.usage:
        metadata["token_usage"] = dict(finish.usage.raw)
        if finish.usage.tool_counts:
            metadata["tool_usage"] = dict(finish.usage.tool_counts)
    return metadata | dict.fromkeys(finish.problems, True)


def to_generation_info(finish: Finish | None, plan: ChatPlan) -> dict[str, Any]:
    """Return the ``generation_info`` that tracers read."""
    if finish is None:
        return {}
    return {
        "finish_reason": finish.finish_reason,
        "model_name": plan.model.profile.id,
        "id": finish.response_id or finish.request_id,
    }


def to_llm_output(finish: Finish | None, plan: ChatPlan) -> dict[str, Any]:
    """Return the ``llm_output`` that tracers read, with OpenAI's names of counts."""
    output: dict[str, Any] = {"model_name": plan.model.profile.id, "token_usage": {}}
    if finish:
        output["id"] = finish.response_id or finish.request_id
    if finish and (usage := finish.usage):
        output["token_usage"] = {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.total_tokens,
        }
    return output


def combine_llm_outputs(outputs: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Return one ``llm_output`` for several prompts: with the sum of their tokens."""
    present = [output for output in outputs if output]
    if not present:
        return {}
    if len(present) == 1:
        return dict(present[0])
    counts: Counter[str] = Counter()
    for output in present:
        counts.update(output["token_usage"])
    return {"model_name": present[0]["model_name"], "token_usage": dict(counts)}


def to_usage(usage: Usage | None) -> UsageMetadata | None:
    """Return a message's ``usage_metadata``."""
    if usage is None:
        return None
    metadata = UsageMetadata(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
    )
    inputs: dict[str, int | None] = {
        "cache_read": usage.cached_tokens,
        "cache_creation": usage.cache_creation_tokens,
        **(_without_text(usage.input_details) if usage.input_details else {}),
    }
    outputs: dict[str, int | None] = {
        "reasoning": usage.reasoning_tokens,
        **(_without_text(usage.output_details) if usage.output_details else {}),
    }
    # LangChain's own keys are cache_read, cache_creation, audio and reasoning; it
    # allows others beside them.
    if input_details := _present(inputs):
        metadata["input_token_details"] = cast("InputTokenDetails", input_details)
    if output_details := _present(outputs):
        metadata["output_token_details"] = cast("OutputTokenDetails", output_details)
    return metadata


def _without_text(details: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in details.items() if name != "text"}


def _present(details: Mapping[str, int | None]) -> dict[str, int]:
    return {name: count for name, count in details.items() if count is not None}
