"""What observers are told, and the ways of LlamaIndex around the four calls."""

# LlamaIndex has half of the types for its callbacks.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.callbacks import (
    CallbackManager,
    CBEventType,
    EventPayload,
    LlamaDebugHandler,
    TokenCountingHandler,
)
from llama_index.core.tools import FunctionTool

from llamaindex_modelstudio import ModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Fault, Reply, ToolCall
from tests.llamaindex.bench import Bench

HI = [ChatMessage(role=MessageRole.USER, content="Hi")]
WAYS = ["chat", "complete", "stream_chat", "stream_complete"]


async def ask(llm: ModelStudio, colour: str, way: str, **arguments: Any) -> Any:
    """Ask in one of the eight ways; of a stream return the last response."""
    result = getattr(llm, f"{colour}{way}")(**arguments)
    if colour:
        result = await result
    if "stream" not in way:
        return result
    pieces = [it async for it in result] if colour else list(result)
    return pieces[-1]


@pytest.mark.parametrize("colour", ["", "a"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_call_by_names_is_one_event_without_a_secret(
    bench: Bench, colour: str, way: str
) -> None:
    """It is told of once, with the model and its answer, and counted by its usage."""
    bench.script(Reply(reasoning="Hm.", text="Hello."))
    counter = TokenCountingHandler(tokenizer=str.split)
    debug = LlamaDebugHandler(print_trace_on_end=False)
    llm = bench.llm(callback_manager=CallbackManager([counter, debug]))
    asked: dict[str, Any] = {"prompt": "Hi"} if "complete" in way else {"messages": HI}
    last = await ask(llm, colour, way, **asked)
    ((start, end),) = debug.get_event_pairs(CBEventType.LLM)
    assert bench.studio.api_key not in str(start.payload)
    assert start.payload[EventPayload.SERIALIZED]["model"] == "deepseek-v4-pro"  # type: ignore[index]
    assert counter.total_llm_token_count == last.additional_kwargs["total_tokens"]
    assert EventPayload.EXCEPTION not in (end.payload or {})


@pytest.mark.parametrize("colour", ["", "a"])
@pytest.mark.parametrize("way", WAYS)
async def test_an_error_ends_the_event(bench: Bench, colour: str, way: str) -> None:
    bench.script(Fault(status=400, code="x", message="No."))
    debug = LlamaDebugHandler(print_trace_on_end=False)
    llm = bench.llm(callback_manager=CallbackManager([debug]))
    asked: dict[str, Any] = {"prompt": "Hi"} if "complete" in way else {"messages": HI}
    with pytest.raises(errors.BadRequestError):
        await ask(llm, colour, way, **asked)
    ((_, end),) = debug.get_event_pairs(CBEventType.LLM)
    assert isinstance((end.payload or {})[EventPayload.EXCEPTION], errors.APIError)


# --- Calls of tools without an agent ----------------------------------------------


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)


@pytest.mark.parametrize("colour", ["", "a"])
async def test_predict_and_call_runs_what_was_called(bench: Bench, colour: str) -> None:
    """All of them if that is allowed; none is an error unless it is said not to be."""
    calls = [ToolCall("add", {"a": 1, "b": it}) for it in (2, 3)]
    bench.script(Reply(tool_calls=calls), Reply(text="No."), Reply(text="No."))
    llm = bench.llm()

    async def call(**arguments: Any) -> Any:
        result = getattr(llm, f"{colour}predict_and_call")([ADD], "1 + 2?", **arguments)
        return await result if colour else result

    assert str(await call(allow_parallel_tool_calls=True)) == "3\n\n4"
    assert str(await call(error_on_no_tool_call=False)) == "No."
    with pytest.raises(ValueError, match=r"at least one tool call.*'No\.'"):
        await call()
