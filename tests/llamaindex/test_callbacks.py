"""LlamaIndex's callbacks: what they report, for each method and for tool calls."""

# LlamaIndex types only some attributes of its callbacks.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any

import pytest
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
from tests.llamaindex.support import HI, SYNC_AND_ASYNC, EmulatedService

METHODS = pytest.mark.parametrize(
    "method",
    [
        f"{prefix}{name}"
        for prefix in ("", "a")
        for name in ("chat", "complete", "stream_chat", "stream_complete")
    ],
)


async def call(llm: ModelStudio, method: str) -> Any:
    """Call a method by keywords; return the response, of a stream the last one."""
    arguments: dict[str, Any] = {"messages": HI}
    if "complete" in method:
        arguments = {"prompt": "Hi"}
    result = getattr(llm, method)(**arguments)
    if method.startswith("a"):
        result = await result
    if "stream" not in method:
        return result
    if method.startswith("a"):
        return [response async for response in result][-1]
    return list(result)[-1]


@METHODS
async def test_a_call_is_reported_once_without_the_key(
    service: EmulatedService, method: str
) -> None:
    """With the model, the answer, and the token counts of the service."""
    service.script(Reply(reasoning="Hm.", text="Hello."))
    counter = TokenCountingHandler(tokenizer=str.split)
    debug = LlamaDebugHandler(print_trace_on_end=False)
    llm = service.llm(callback_manager=CallbackManager([counter, debug]))
    response = await call(llm, method)
    ((start, end),) = debug.get_event_pairs(CBEventType.LLM)
    assert service.emulator.api_key not in str(start.payload)
    assert start.payload[EventPayload.SERIALIZED]["model"] == "deepseek-v4-pro"  # type: ignore[index]
    assert counter.total_llm_token_count == response.additional_kwargs["total_tokens"]
    assert EventPayload.EXCEPTION not in (end.payload or {})


@METHODS
async def test_an_error_is_reported(service: EmulatedService, method: str) -> None:
    service.script(Fault(status=400, code="x", message="No."))
    debug = LlamaDebugHandler(print_trace_on_end=False)
    llm = service.llm(callback_manager=CallbackManager([debug]))
    with pytest.raises(errors.BadRequestError):
        await call(llm, method)
    ((_, end),) = debug.get_event_pairs(CBEventType.LLM)
    assert isinstance((end.payload or {})[EventPayload.EXCEPTION], errors.APIError)


# --- predict_and_call -------------------------------------------------------------


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)


@SYNC_AND_ASYNC
async def test_predict_and_call_runs_the_called_tools(
    service: EmulatedService, is_async: bool
) -> None:
    """Several calls run if that is allowed; none is an error unless it is allowed."""
    calls = [ToolCall("add", {"a": 1, "b": number}) for number in (2, 3)]
    service.script(Reply(tool_calls=calls), Reply(text="No."), Reply(text="No."))
    llm = service.llm()

    async def predict_and_call(**arguments: Any) -> Any:
        if is_async:
            return await llm.apredict_and_call([ADD], "1 + 2?", **arguments)
        return llm.predict_and_call([ADD], "1 + 2?", **arguments)

    assert str(await predict_and_call(allow_parallel_tool_calls=True)) == "3\n\n4"
    assert str(await predict_and_call(error_on_no_tool_call=False)) == "No."
    with pytest.raises(ValueError, match=r"at least one tool call.*'No\.'"):
        await predict_and_call()
