"""What is done with an LLM of LlamaIndex."""

# LlamaIndex has types for half of its JSON.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from comparison.drivers.subjects import TOOLS, Tower
from comparison.drivers.task import (
    Task,
    construct,
    perform,
    run,
    run_alone,
    serve,
)

__all__ = ["ACTIONS"]


_PREFIX: Final = {
    "whole": "",
    "awhole": "a",
    "stream": "stream_",
    "astream": "astream_",
}


# --- Calls ------------------------------------------------------------------------


def answers(task: Task) -> object:
    """Ask the same in each mode."""
    return perform(task["parameters"]["modes"], lambda mode: _ask(task, mode))


def _ask(task: Task, mode: str) -> dict[str, Any]:
    said = task["parameters"]
    llm = construct(task, {**said.get("arguments", {}), **_for(task, mode)})
    responses = _responses(llm, mode, _prompt(said), said)
    return _view(llm, responses, streamed=mode.endswith("stream"))


def _for(task: Task, mode: str) -> dict[str, Any]:
    as_it_is = mode.endswith("whole") or task["parameters"].get("defaults")
    return {} if as_it_is else task["streaming"]


def _prompt(said: dict[str, Any]) -> list[ChatMessage]:
    blocks: list[Any] = [TextBlock(text=said.get("prompt", "Hi"))]
    if image := said.get("image"):
        blocks.append(ImageBlock(image=image.encode(), image_mimetype="image/png"))
    return [ChatMessage(blocks=blocks)]


def _tools(said: dict[str, Any]) -> list[FunctionTool]:
    return [FunctionTool.from_defaults(TOOLS[name]) for name in said.get("tools", ())]


def _responses(
    llm: FunctionCallingLLM, mode: str, prompt: list[ChatMessage], said: dict[str, Any]
) -> list[ChatResponse]:
    call = {**said.get("call", {}), **said.get("bind", {})}
    if "tools" in said:
        call |= {"tools": _tools(said), "chat_history": prompt}
        returned = getattr(llm, f"{_PREFIX[mode]}chat_with_tools")(**call)
    else:
        returned = getattr(llm, f"{_PREFIX[mode]}chat")(prompt, **call)
    match mode:
        case "whole":
            return [returned]
        case "awhole":
            return [run(returned)]
        case "stream":
            return _kept(llm, returned)
        case _:
            return run(_akept(llm, returned))


def _kept(
    llm: FunctionCallingLLM, responses: Iterable[ChatResponse]
) -> list[ChatResponse]:
    kept: list[ChatResponse] = []
    for response in responses:
        # An agent asks each of them for its calls.
        llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
        kept.append(response)
    return kept


async def _akept(llm: FunctionCallingLLM, opening: Any) -> list[ChatResponse]:
    responses = cast("AsyncIterator[ChatResponse]", await opening)
    return _kept(llm, [response async for response in responses])


def _view(
    llm: FunctionCallingLLM, responses: list[ChatResponse], *, streamed: bool = False
) -> dict[str, Any]:
    """Return the parts of an answer, wherever its class keeps them."""
    response = responses[-1]
    message, raw = response.message, _raw(response)
    thought = [b.content or "" for b in message.blocks if isinstance(b, ThinkingBlock)]
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    more = response.additional_kwargs
    view = {
        "text": message.content or "",
        "reasoning": "".join(thought)
        or message.additional_kwargs.get("reasoning_content")
        or "",
        "calls": [
            {"id": it.tool_id, "name": it.tool_name, "args": it.tool_kwargs}
            for it in calls
        ],
        "blocks": [_block(block) for block in message.blocks],
        "chunks": len(responses) if streamed else 0,
        "usage": _usage(raw.get("usage")),
        "request_id": more.get("request_id") or raw.get("request_id"),
        "all": json.dumps([message.model_dump(), more, raw], default=str),
    }
    return {**view, **_deltas(responses)} if streamed else view


def _block(block: object) -> list[Any]:
    """Return a block's kind and what it says."""
    match block:
        case ThinkingBlock():
            return ["reasoning", block.content]
        case TextBlock():
            return ["text", block.text]
        case ToolCallBlock():
            arguments = block.tool_kwargs
            with suppress(ValueError, TypeError):
                arguments = json.loads(cast("str", arguments))
            return ["tool_call", block.tool_call_id, block.tool_name, arguments]
        case _:
            return [type(block).__name__]


def _deltas(responses: list[ChatResponse]) -> dict[str, Any]:
    thoughts = [it.additional_kwargs.get("thinking_delta") or "" for it in responses]
    return {
        "deltas": "".join(it.delta or "" for it in responses),
        "thinking_deltas": "".join(thoughts),
    }


def _raw(response: ChatResponse) -> dict[str, Any]:
    raw = response.raw
    if isinstance(raw, BaseModel):
        return raw.model_dump()
    return dict(raw) if isinstance(raw, Mapping) else {}


def _usage(counts: object) -> dict[str, Any] | None:
    if not isinstance(counts, Mapping):
        return None
    told = {**counts}
    thought = told.get("completion_tokens_details") or told.get("output_tokens_details")
    return {
        "input": told.get("prompt_tokens", told.get("input_tokens")),
        "output": told.get("completion_tokens", told.get("output_tokens")),
        "reasoning": (thought or {}).get("reasoning_tokens"),
        "cached": (told.get("prompt_tokens_details") or {}).get("cached_tokens"),
    }


def loops(task: Task) -> object:
    """Ask the same object in two event loops, one after the other."""
    llm = construct(task)
    return [run_alone(llm.achat(_prompt({}))).message.content for _ in range(2)]


# --- Turns ------------------------------------------------------------------------


def tool_turn(task: Task) -> object:
    """Let a tool be called, and send the client's own message back with a result."""
    said = task["parameters"]
    mode = said["modes"][0]
    llm = construct(task, _for(task, mode))
    prompt, tools = _prompt(said), _tools(said)
    first = _responses(llm, mode, prompt, said)[-1]
    called = llm.get_tool_calls_from_response(first, error_on_no_tool_call=False)
    results = [
        ChatMessage(
            role="tool",
            content="Rain.",
            additional_kwargs={"tool_call_id": it.tool_id, "name": it.tool_name},
        )
        for it in called
    ]
    history = [*prompt, first.message, *results]
    if said.get("stored"):
        history = [
            ChatMessage.model_validate_json(it.model_dump_json()) for it in history
        ]
    before = _view(llm, [first])
    second = llm.chat_with_tools(tools, chat_history=history)
    return {"first": before, "second": _view(llm, [second])}


def agent(task: Task) -> object:
    """Let an agent run, up to a limit of steps."""
    said = task["parameters"]
    form = Tower if said.get("structured") else None
    results: list[str] = []
    tools = [
        FunctionTool.from_defaults(_noting(TOOLS[name], results))
        for name in said.get("tools", ())
    ]
    made: Any = FunctionAgent(llm=construct(task), tools=tools, output_cls=form)

    async def work() -> dict[str, Any]:
        prompt, limit = _prompt(said)[0], said["limit"]
        output = await made.run(user_msg=prompt, max_iterations=limit)
        answered = output.response.content or ""
        told = output.structured_response
        return {"text": answered, "results": results, "structured": told}

    return run(work())


def _noting(tool: Callable[[str], str], results: list[str]) -> Callable[[str], str]:
    def weather(city: str) -> str:
        results.append(tool(city))
        return results[-1]

    weather.__doc__ = tool.__doc__
    return weather


def structured(task: Task) -> object:
    """Ask for an object, whole or streamed."""

    def one(mode: str) -> object:
        llm = construct(task, _for(task, mode))
        prompt = PromptTemplate(task["parameters"]["prompt"])
        match mode:
            case "whole":
                value = llm.structured_predict(Tower, prompt)
            case "awhole":
                value = run(llm.astructured_predict(Tower, prompt))
            case _:
                value = [None, *llm.stream_structured_predict(Tower, prompt)][-1]
        return value.model_dump() if isinstance(value, BaseModel) else value

    return perform(task["parameters"]["modes"], one)


# --- Questions about the object -----------------------------------------------------


def secrets(task: Task) -> object:
    """Return every text that the model makes of itself."""
    llm = construct(task)
    return {
        "repr": repr(llm),
        "str": str(llm),
        "to_dict": json.dumps(llm.to_dict(), default=str),
        "to_json": llm.to_json(),
        "to_payload": json.dumps(llm.to_payload(), default=str),
    }


def unkeyed(task: Task) -> object:
    """Ask without a key, while another vendor's key stands in the environment."""
    os.environ["OPENAI_API_KEY"] = task["parameters"]["other_key"]
    try:
        llm = construct(task)
        return _view(llm, [llm.chat(_prompt({}))])
    finally:
        del os.environ["OPENAI_API_KEY"]


ACTIONS = {
    "agent": agent,
    "answers": answers,
    "loops": loops,
    "secrets": secrets,
    "structured": structured,
    "tool_turn": tool_turn,
    "unkeyed": unkeyed,
}

if __name__ == "__main__":
    serve(ACTIONS)
