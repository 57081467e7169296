"""Tools in requests, and tool calls in responses."""

# LlamaIndex types only some attributes of its tools.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from contextlib import aclosing, closing
from typing import Any, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    MessageRole,
    ToolCallBlock,
)
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json
from llama_index.core.tools import BaseTool, FunctionTool, ToolMetadata
from typing_extensions import override

from llamaindex_modelstudio._foreign import is_program_call
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.chat.option_rules import refuse_hosted_tools
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.service_inputs import list_of
from modelstudio_core.wire.json_values import check_values

__all__ = ["ToolCalling"]


class ToolCalling(ChatArguments, FunctionCallingLLM):
    """The methods that ``FunctionCallingLLM`` requires of a model that calls tools."""

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
        messages = cast(
            "list[ChatMessage]", list_of(chat_history or [], "chat_history")
        )
        if user_msg is not None:
            messages.append(
                ChatMessage(role=MessageRole.USER, content=user_msg)
                if isinstance(user_msg, str)
                else user_msg
            )
        prepared: dict[str, Any] = {**kwargs, "messages": messages}
        # FunctionCallingProgram passes None for its default.
        choice = prepared.pop("tool_choice", None)
        if tools:
            prepared["tools"] = [
                tool.metadata.to_openai_tool(skip_length_check=True)
                for tool in _as_tools(tools)
            ]
            if choice is None and tool_required:
                choice = "required"
            if choice is not None:
                prepared["tool_choice"] = choice
            # The default of the service is False.
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
        return response if allow_parallel_tool_calls else _keep_first_call(response)

    # LlamaIndex's methods take no functions.

    @override
    def predict_and_call(
        self, tools: Sequence[BaseTool], *args: Any, **kwargs: Any
    ) -> AgentChatResponse:
        """Answer a message by calls of tools or functions, and return the results."""
        return super().predict_and_call(_as_tools(tools), *args, **kwargs)

    @override
    async def apredict_and_call(
        self, tools: Sequence[BaseTool], *args: Any, **kwargs: Any
    ) -> AgentChatResponse:
        """Async version of ``predict_and_call``."""
        return await super().apredict_and_call(_as_tools(tools), *args, **kwargs)

    # LlamaIndex does not call ``_validate_chat_with_tools_response`` for streams.

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
        """Stream the answer to a conversation, with tools that the model may call."""
        responses = super().stream_chat_with_tools(
            tools,
            user_msg,
            chat_history,
            verbose=verbose,
            allow_parallel_tool_calls=allow_parallel_tool_calls,
            tool_required=tool_required or is_program_call(tools, kwargs),
            **kwargs,
        )
        return responses if allow_parallel_tool_calls else _keep_first_calls(responses)

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
        """Async version of ``stream_chat_with_tools``."""
        responses = await super().astream_chat_with_tools(
            tools,
            user_msg,
            chat_history,
            verbose=verbose,
            allow_parallel_tool_calls=allow_parallel_tool_calls,
            tool_required=tool_required or is_program_call(tools, kwargs),
            **kwargs,
        )
        return responses if allow_parallel_tool_calls else _akeep_first_calls(responses)

    @override
    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """Return the tool calls in a response; in a stream, those so far.

        Args:
            response: A response of ``chat`` or ``stream_chat``.
            error_on_no_tool_call: Whether a response without a tool call is an error.
            **kwargs: Not used.

        Returns:
            The calls. In a stream, arguments that are not complete are parsed as far as
            possible. A call of a complete response whose arguments are cut off or
            invalid is left out: an agent would run it.

        Raises:
            ValueError: There is no tool call, and ``error_on_no_tool_call`` is true.
        """
        all_calls = calls = _tool_call_blocks(response)
        # Only the last response of a stream has the answer as the service sent it.
        if response.raw is not None:
            calls = [call for call in calls if isinstance(call.tool_kwargs, dict)]
        if not calls and error_on_no_tool_call:
            raise ValueError(
                "Expected at least one tool call, but "
                + (
                    f"the arguments of {all_calls[0].tool_name!r} are cut off or"
                    f" invalid: {all_calls[0].tool_kwargs!r}"
                    if all_calls
                    else f"the model answered with text: {response.message.content!r}"
                )
            )
        return [
            ToolSelection(
                tool_id=block.tool_call_id or "",
                tool_name=block.tool_name,
                tool_kwargs=_parse_partial_arguments(block.tool_kwargs),
            )
            for block in calls
        ]


def _as_tools(tools: object) -> list[BaseTool]:
    """Return tools, and functions as tools.

    Raises:
        ConfigurationError: It is no list of them.
    """
    given = list_of(tools, "tools")
    refuse_hosted_tools(given)
    return [_as_tool(tool, index) for index, tool in enumerate(given)]


def _as_tool(tool: object, index: int) -> BaseTool:
    if isinstance(getattr(tool, "metadata", None), ToolMetadata):
        return cast("BaseTool", tool)
    if not callable(tool) or isinstance(tool, type):
        raise ConfigurationError(
            f"tools[{index}] must be a tool of LlamaIndex or a function, got a"
            f" {type(tool).__name__}."
        )
    try:
        return FunctionTool.from_defaults(tool)
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"tools[{index}] cannot be converted to a tool: {error}. Pass"
            " FunctionTool.from_defaults(fn, name=..., fn_schema=...)."
        ) from error


def _keep_first_calls(responses: ChatResponseGen) -> ChatResponseGen:
    with closing(responses):
        for response in responses:
            yield _keep_first_call(response)


async def _akeep_first_calls(responses: ChatResponseAsyncGen) -> ChatResponseAsyncGen:
    async with aclosing(responses):
        async for response in responses:
            yield _keep_first_call(response)


def _keep_first_call(response: ChatResponse) -> ChatResponse:
    """Remove all tool calls but the first from a response, which is changed."""
    calls = _tool_call_blocks(response)
    if len(calls) > 1:
        message = response.message
        message.blocks = [
            block
            for block in message.blocks
            if block is calls[0] or not isinstance(block, ToolCallBlock)
        ]
        extra = message.additional_kwargs
        extra["tool_calls"] = extra["tool_calls"][:1]
    return response


def _tool_call_blocks(response: ChatResponse) -> list[ToolCallBlock]:
    blocks = response.message.blocks
    return [block for block in blocks if isinstance(block, ToolCallBlock)]


def _parse_partial_arguments(arguments: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(arguments, dict):
        return arguments
    try:
        check_values(arguments)
        parsed = cast("object", parse_partial_json(arguments))
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
