"""Tools for LlamaIndex: how they are sent, and how calls are read."""

# LlamaIndex has half of the types for its tools.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, Final, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    MessageRole,
    ToolCallBlock,
)
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.tools import BaseTool, FunctionTool
from typing_extensions import override

from modelstudio_core.chat.arguments import ChatArguments

__all__ = ["ToolCalling"]

_PROGRAM: Final = FunctionCallingProgram.__module__


class ToolCalling(ChatArguments, FunctionCallingLLM):
    """What ``FunctionCallingLLM`` asks of a model that calls tools."""

    @override
    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        messages = list(chat_history or [])
        if user_msg is not None:
            messages.append(
                ChatMessage(role=MessageRole.USER, content=user_msg)
                if isinstance(user_msg, str)
                else user_msg
            )
        prepared: dict[str, Any] = {**kwargs, "messages": messages}
        # Programs pass a None of their own: it is no choice.
        choice = prepared.pop("tool_choice", None)
        if tools:
            prepared["tools"] = [
                tool.metadata.to_openai_tool(skip_length_check=True) for tool in tools
            ]
            if choice is None and tool_required:
                choice = "required"
            if choice is not None:
                prepared["tool_choice"] = choice
            # The service's own default is one call.
            if allow_parallel_tool_calls or self.parallel_tool_calls:
                prepared.setdefault("parallel_tool_calls", allow_parallel_tool_calls)
        return prepared

    @override
    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        return response if allow_parallel_tool_calls else _with_one_call(response)

    # LlamaIndex does not validate streams.

    @override
    def stream_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> ChatResponseGen:
        """Answer with tools piece by piece; see ``chat``."""
        responses = super().stream_chat_with_tools(
            tools,
            user_msg,
            chat_history,
            verbose=verbose,
            allow_parallel_tool_calls=allow_parallel_tool_calls,
            tool_required=tool_required or _is_program(tools, kwargs),
            **kwargs,
        )
        return responses if allow_parallel_tool_calls else _one_call_each(responses)

    @override
    async def astream_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> ChatResponseAsyncGen:
        """Answer with tools piece by piece; see ``chat``."""
        responses = await super().astream_chat_with_tools(
            tools,
            user_msg,
            chat_history,
            verbose=verbose,
            allow_parallel_tool_calls=allow_parallel_tool_calls,
            tool_required=tool_required or _is_program(tools, kwargs),
            **kwargs,
        )
        return responses if allow_parallel_tool_calls else _aone_call_each(responses)

    @override
    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """Return the tool calls of a response, of a streamed one as far as it came.

        Args:
            response: What ``chat`` or ``stream_chat`` returned.
            error_on_no_tool_call: Whether an answer without a call is an error.
            **kwargs: Not used.

        Raises:
            ValueError: There is no call, and there must be one.
        """
        blocks = [b for b in response.message.blocks if isinstance(b, ToolCallBlock)]
        if not blocks and error_on_no_tool_call:
            raise ValueError(
                "Expected at least one tool call, and the model answered:"
                f" {response.message.content!r}"
            )
        return [
            ToolSelection(
                tool_id=block.tool_call_id or "",
                tool_name=block.tool_name,
                tool_kwargs=_as_far_as_it_came(block.tool_kwargs),
            )
            for block in blocks
        ]


def _is_program(tools: Sequence[BaseTool], arguments: Mapping[str, Any]) -> bool:
    """Tell whether a ``FunctionCallingProgram`` streams: it does not require its tool.

    Its tools come from its own module, and it alone passes a ``tool_choice`` of None.
    """
    if "tool_choice" not in arguments or arguments["tool_choice"] is not None:
        return False
    return bool(tools) and all(
        isinstance(tool, FunctionTool) and tool.real_fn.__module__ == _PROGRAM
        for tool in tools
    )


def _one_call_each(responses: ChatResponseGen) -> ChatResponseGen:
    with closing(responses):
        for response in responses:
            yield _with_one_call(response)


async def _aone_call_each(responses: ChatResponseAsyncGen) -> ChatResponseAsyncGen:
    async with aclosing(responses):
        async for response in responses:
            yield _with_one_call(response)


def _with_one_call(response: ChatResponse) -> ChatResponse:
    """Drop all calls but the first from a response that nobody else has."""
    message = response.message
    calls = [it for it in message.blocks if isinstance(it, ToolCallBlock)]
    if len(calls) > 1:
        first = calls[0]
        message.blocks = [
            it
            for it in message.blocks
            if it is first or not isinstance(it, ToolCallBlock)
        ]
        kept = message.additional_kwargs
        kept["tool_calls"] = kept["tool_calls"][:1]
    return response


def _as_far_as_it_came(arguments: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(arguments, dict):
        return arguments
    try:
        parsed = cast("object", parse_partial_json(arguments))
    except ValueError:
        return {}
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
