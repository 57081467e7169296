"""What is done with a chat model of LangChain."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from typing import Any, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.load import dumps
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    messages_from_dict,
    messages_to_dict,
)
from langchain_core.runnables import Runnable
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

_Model = Runnable[Any, AIMessage]


# --- Calls ------------------------------------------------------------------------


def answers(task: Task) -> object:
    """Ask the same in each mode."""
    return perform(task["parameters"]["modes"], lambda mode: _ask(task, mode))


def _ask(task: Task, mode: str) -> dict[str, Any]:
    said = task["parameters"]
    llm = construct(task, {**said.get("arguments", {}), **_for(task, mode)})
    model = _with_tools(llm, said)
    prompt, call = _prompt(said), said.get("call", {})
    match mode:
        case "whole":
            return _view(model.invoke(prompt, **call))
        case "awhole":
            return _view(run(model.ainvoke(prompt, **call)))
        case "stream":
            return _view(*_joined(model.stream(prompt, **call)))
        case "astream":
            return _view(*run(_ajoined(model.astream(prompt, **call))))
        case _:
            return _v3(model, prompt)


def _for(task: Task, mode: str) -> dict[str, Any]:
    as_it_is = mode.endswith("whole") or task["parameters"].get("defaults")
    return {} if as_it_is else task["streaming"]


def _with_tools(llm: BaseChatModel, said: dict[str, Any]) -> _Model:
    if "tools" not in said:
        return llm
    tools = [TOOLS[name] for name in said["tools"]]
    return llm.bind_tools(tools, **said.get("bind", {}))


def _prompt(said: dict[str, Any]) -> list[BaseMessage]:
    text = said.get("prompt", "Hi")
    if image := said.get("image"):
        picture = {"type": "image", "base64": image, "mime_type": "image/png"}
        return [HumanMessage([{"type": "text", "text": text}, picture])]
    return [HumanMessage(text)]


def _joined(chunks: Iterator[Any]) -> tuple[AIMessage, int]:
    total: AIMessageChunk | None = None
    count = 0
    for count, chunk in enumerate(chunks, 1):  # noqa: B007 - the last one is the count
        total = chunk if total is None else cast("AIMessageChunk", total + chunk)
    return cast("AIMessage", total), count


async def _ajoined(chunks: AsyncIterator[Any]) -> tuple[AIMessage, int]:
    return _joined(iter([chunk async for chunk in chunks]))


def _v3(model: _Model, prompt: list[BaseMessage]) -> dict[str, Any]:
    stream = cast("Any", model).stream_events(prompt, version="v3")
    return _view(stream.output)


def _view(message: AIMessage, chunks: int = 0) -> dict[str, Any]:
    """Return the parts of a message, wherever its class keeps them."""
    blocks = [cast("dict[str, Any]", block) for block in message.content_blocks]
    thought = "".join(b.get("reasoning", "") for b in blocks if _is(b, "reasoning"))
    usage = message.usage_metadata
    metadata = message.response_metadata
    return {
        "text": str(message.text),
        "reasoning": message.additional_kwargs.get("reasoning_content") or thought,
        "calls": [
            {"id": it["id"], "name": it["name"], "args": it["args"]}
            for it in message.tool_calls
        ],
        "broken_calls": [it["args"] for it in message.invalid_tool_calls],
        "blocks": [_block(block) for block in blocks],
        "chunks": chunks,
        "usage": usage and _usage(cast("dict[str, Any]", usage)),
        "request_id": metadata.get("request_id"),
        "all": json.dumps(message.model_dump(), default=str),
    }


def _is(block: dict[str, Any], kind: str) -> bool:
    return bool(block["type"] == kind)


def _block(block: dict[str, Any]) -> list[Any]:
    """Return a block's kind and what it says."""
    match block["type"]:
        case "tool_call" | "tool_call_chunk" | "invalid_tool_call" as kind:
            return [kind, block.get("id"), block.get("name"), block.get("args")]
        case kind:
            return [kind, block.get(str(kind))]


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "input": usage["input_tokens"],
        "output": usage["output_tokens"],
        "reasoning": usage.get("output_token_details", {}).get("reasoning"),
        "cached": usage.get("input_token_details", {}).get("cache_read"),
    }


def loops(task: Task) -> object:
    """Ask the same object in two event loops, one after the other."""
    llm = construct(task)
    return [str(run_alone(llm.ainvoke("Hi")).text) for _ in range(2)]


def choices(task: Task) -> object:
    """Ask for two answers at once."""
    (answers,) = construct(task).generate([[HumanMessage("Hi")]], n=2).generations
    return [it.text for it in answers]


# --- Turns ------------------------------------------------------------------------


def tool_turn(task: Task) -> object:
    """Let a tool be called, and send the client's own message back with a result."""
    said = task["parameters"]
    mode = said["modes"][0]
    model = _with_tools(construct(task, _for(task, mode)), said)
    prompt = _prompt(said)
    first = (
        model.invoke(prompt) if mode == "whole" else _joined(model.stream(prompt))[0]
    )
    called = [*first.tool_calls, *first.invalid_tool_calls]
    results = [ToolMessage("Rain.", tool_call_id=it["id"] or "") for it in called]
    history: list[BaseMessage] = [*prompt, first, *results]
    if said.get("stored"):
        history = messages_from_dict(json.loads(json.dumps(messages_to_dict(history))))
    return {"first": _view(first), "second": _view(model.invoke(history))}


def agent(task: Task) -> object:
    """Let an agent run, up to a limit of steps."""
    # Not each environment has it.
    create_agent = import_module("langchain.agents").create_agent
    said = task["parameters"]
    form = Tower if said.get("structured") else None
    tools = [TOOLS[name] for name in said.get("tools", ())]
    graph = create_agent(construct(task), tools=tools, response_format=form)
    asked: Any = {"messages": _prompt(said)}
    state = graph.invoke(asked, {"recursion_limit": said["limit"]})
    last = state["messages"][-1]
    results = [str(it.text) for it in state["messages"] if it.type == "tool"]
    form_of = state.get("structured_response")
    return {
        "text": str(last.text),
        "results": results,
        "structured": form_of and form_of.model_dump(),
    }


def structured(task: Task) -> object:
    """Ask for an object, whole or streamed."""

    def one(mode: str) -> object:
        model = construct(task, _for(task, mode)).with_structured_output(Tower)
        prompt = task["parameters"]["prompt"]
        match mode:
            case "whole":
                return _plain(model.invoke(prompt))
            case "awhole":
                return _plain(run(model.ainvoke(prompt)))
            case _:
                return _plain([None, *model.stream(prompt)][-1])

    return perform(task["parameters"]["modes"], one)


def _plain(value: object) -> object:
    return value.model_dump() if isinstance(value, BaseModel) else value


def unchanged(task: Task) -> object:
    """Ask, make a structured twin, and ask the first one again."""
    llm = construct(task)
    llm.invoke("Hi")
    llm.with_structured_output(Tower)
    llm.invoke("Hi")
    return None


# --- Questions about the object -----------------------------------------------------


def secrets(task: Task) -> object:
    """Return every text that the model makes of itself."""
    llm = construct(task)
    return {
        "repr": repr(llm),
        "str": str(llm),
        "dumps": dumps(llm),
        "model_dump_json": _or_nothing(llm.model_dump_json),
    }


def _or_nothing(make: Any) -> str:
    try:
        return str(make())
    except Exception:  # noqa: BLE001 - a client that cannot be dumped leaks nothing
        return ""


def cache_keys(task: Task) -> object:
    """Return the keys that a cache has for the model and for those beside it."""
    arguments = task["arguments"]
    keys: dict[str, str] = {}
    for name, value in [("", None), *task["parameters"]["others"].items()]:
        if name and name not in arguments:
            continue
        beside = {**arguments, name: value} if name else arguments
        model = construct({**task, "arguments": beside})
        keys[name] = model._get_llm_string()  # noqa: SLF001 - what core itself asks
    return keys


def unkeyed(task: Task) -> object:
    """Ask without a key, while another vendor's key stands in the environment."""
    os.environ["OPENAI_API_KEY"] = task["parameters"]["other_key"]
    try:
        return _view(construct(task).invoke("Hi"))
    finally:
        del os.environ["OPENAI_API_KEY"]


ACTIONS = {
    "agent": agent,
    "answers": answers,
    "cache_keys": cache_keys,
    "choices": choices,
    "loops": loops,
    "secrets": secrets,
    "structured": structured,
    "tool_turn": tool_turn,
    "unchanged": unchanged,
    "unkeyed": unkeyed,
}

if __name__ == "__main__":
    serve(ACTIONS)
