"""Every use of LlamaIndex's private parts.

Each use has a ``FastPath``. If that is off, or a use fails, LlamaIndex's public
interface is used instead.
"""

# LlamaIndex does not type the dicts in its messages and responses.
# pyright: reportUnknownMemberType=false

from collections.abc import Mapping, Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ContentBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms.llm import LLM
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.tools import BaseTool, FunctionTool

from modelstudio_core.foreign.fast_path import FastPath
from modelstudio_core.foreign.pydantic_objects import construct, dump_state

__all__ = [
    "PROGRAM_TOOLS",
    "SYSTEM_PROMPT",
    "UNVALIDATED_RESPONSES",
    "add_system_prompt",
    "construct_response",
    "is_program_call",
]

# --- Responses without validation -------------------------------------------------
#
# Validating the four objects of one response costs more than the rest of its path from
# the socket.


def construct_response(
    reasoning: str,
    text: str,
    delta: str,
    thinking_delta: str,
    *,
    call_blocks: Sequence[ToolCallBlock] = (),
    extra: Mapping[str, Any] | None = None,
) -> ChatResponse:
    """Build the response of one event of a stream without validation.

    To be called while ``UNVALIDATED_RESPONSES`` is active; if this raises, the caller
    switches it off. A guard in here would cost one more function call for each chunk.

    Args:
        reasoning: The reasoning so far.
        text: The text so far.
        delta: The text that the event added.
        thinking_delta: The reasoning that the event added.
        call_blocks: The tool calls so far.
        extra: The additional values of the message.

    Returns:
        A response equal to a validated one.
    """
    blocks: list[ContentBlock] = []
    if reasoning:
        thinking_fields: dict[str, Any] = {
            "block_type": "thinking",
            "content": reasoning,
            "num_tokens": None,
            "additional_information": {},
        }
        blocks.append(
            construct(ThinkingBlock, thinking_fields, {"content", "num_tokens"})
        )
    if text:
        text_fields = {"block_type": "text", "text": text}
        blocks.append(construct(TextBlock, text_fields, {"text"}))
    blocks += call_blocks
    message = construct(
        ChatMessage,
        {
            "role": MessageRole.ASSISTANT,
            "additional_kwargs": dict(extra or {}),
            "blocks": blocks,
        },
        {"role", "additional_kwargs", "blocks"},
    )
    response_fields = {
        "message": message,
        "raw": None,
        "delta": delta,
        "logprobs": None,
        "additional_kwargs": {"thinking_delta": thinking_delta},
    }
    return construct(
        ChatResponse, response_fields, {"message", "delta", "additional_kwargs"}
    )


def _matches_validation() -> bool:
    """Return whether a response is the same with and without validation."""
    call, extra = ToolCallBlock(tool_name="e"), {"tool_calls": [{"id": "f"}]}
    blocks = [ThinkingBlock(content="a", num_tokens=None), TextBlock(text="b"), call]
    validated = ChatResponse(
        message=ChatMessage(
            role=MessageRole.ASSISTANT, blocks=blocks, additional_kwargs=extra
        ),
        delta="c",
        additional_kwargs={"thinking_delta": "d"},
    )
    constructed = construct_response(
        "a", "b", "c", "d", call_blocks=[call], extra=extra
    )
    return dump_state(validated) == dump_state(constructed)


UNVALIDATED_RESPONSES: Final = FastPath(
    "building LlamaIndex responses without validation", _matches_validation
)

# --- The system prompt ------------------------------------------------------------

SYSTEM_PROMPT: Final = FastPath(
    "LlamaIndex's own step that adds the system prompt",
    lambda: callable(LLM._extend_messages),  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the probe
)


def add_system_prompt(llm: LLM, messages: list[ChatMessage]) -> list[ChatMessage]:
    """Return the messages with the model's system prompt before them.

    LlamaIndex's programs call ``LLM._extend_messages`` for this, which subclasses may
    override.

    Args:
        llm: The model.
        messages: The prompt.
    """
    if SYSTEM_PROMPT.active:
        try:
            return llm._extend_messages(messages)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see the docstring
        except Exception as error:  # noqa: BLE001 - private parts may raise anything
            SYSTEM_PROMPT.switch_off(error)
    if not llm.system_prompt:
        return messages
    system = ChatMessage(role=MessageRole.SYSTEM, content=llm.system_prompt)
    return [system, *messages]


# --- Calls by a FunctionCallingProgram --------------------------------------------


def _program_makes_function_tools() -> bool:
    from llama_index.core.program import function_program  # noqa: PLC0415 - private

    maker = function_program.get_function_tool.__module__
    return maker == FunctionCallingProgram.__module__ and hasattr(
        FunctionTool, "real_fn"
    )


def _is_program_tool(tool: BaseTool) -> bool:
    """Return whether a tool's function is defined beside ``FunctionCallingProgram``."""
    return (
        isinstance(tool, FunctionTool)
        and tool.real_fn.__module__ == FunctionCallingProgram.__module__
    )


PROGRAM_TOOLS: Final = FastPath(
    "requiring the tool when a FunctionCallingProgram streams",
    _program_makes_function_tools,
)


def is_program_call(tools: Sequence[BaseTool], arguments: Mapping[str, object]) -> bool:
    """Return whether a ``FunctionCallingProgram`` makes a call.

    Its streams do not require the tool of the program, although an answer without a
    call of that tool is an error (llama-index-core 0.14.25). No other caller passes
    ``tool_choice=None``.

    Args:
        tools: The tools of the call.
        arguments: The keyword arguments of the call.

    Returns:
        True for such a call; False for other calls and if the fast path is off.
    """
    if not PROGRAM_TOOLS.active or arguments.get("tool_choice", "") is not None:
        return False
    try:
        return bool(tools) and all(_is_program_tool(tool) for tool in tools)
    except Exception as error:  # noqa: BLE001 - private parts may raise anything
        PROGRAM_TOOLS.switch_off(error)
        return False
