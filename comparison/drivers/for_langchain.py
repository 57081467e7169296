"""The actions with a chat model of LangChain."""

import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from typing import Any, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.load import dumps
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolCall,
    ToolMessage,
    messages_from_dict,
    messages_to_dict,
)
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from comparison.drivers.task import (
    Task,
    construct,
    run,
    run_in_new_loop,
    run_modes,
    serve,
)
from comparison.drivers.tools import TOOLS, Tower

__all__ = ["ACTIONS"]

_Model = Runnable[Any, AIMessage]


# --- Calls ------------------------------------------------------------------------


def answers(task: Task) -> object:
    """Return the response of each mode."""
    return run_modes(task["parameters"]["modes"], lambda mode: _respond(task, mode))


def _respond(task: Task, mode: str) -> dict[str, Any]:
    parameters = task["parameters"]
    more = {**parameters.get("arguments", {}), **_arguments_for(task, mode)}
    llm = construct(task, more)
    model = _with_tools(llm, parameters)
    prompt, call = _prompt(parameters), parameters.get("call", {})
    match mode:
        case "call":
            return _view(model.invoke(prompt, **call))
        case "acall":
            return _view(run(model.ainvoke(prompt, **call)))
        case "stream":
            return _view(*_join(model.stream(prompt, **call)))
        case "astream":
            return _view(*run(_ajoin(model.astream(prompt, **call))))
        case _:
            return _v3(model, prompt)


def _arguments_for(task: Task, mode: str) -> dict[str, Any]:
    no_more = mode.endswith("call") or task["parameters"].get("defaults")
    return {} if no_more else task["streaming"]


def _with_tools(llm: BaseChatModel, parameters: dict[str, Any]) -> _Model:
    if "tools" not in parameters:
        return llm
    tools = [TOOLS[name] for name in parameters["tools"]]
    return llm.bind_tools(tools, **parameters.get("bind", {}))


def _prompt(parameters: dict[str, Any]) -> list[BaseMessage]:
    if history := parameters.get("history"):
        return [_turn(turn) for turn in history]
    text = parameters.get("prompt", "Hi")
    if media := parameters.get("media"):
        return [HumanMessage([{"type": "text", "text": text}, media])]
    return [HumanMessage(text)]


def _turn(turn: dict[str, Any]) -> BaseMessage:
    """Return a message of a history."""
    match turn:
        case {"role": "user"}:
            return HumanMessage(turn["content"])
        case {"role": "assistant"}:
            call = ToolCall(name="weather", args=turn["arguments"], id=turn["call"])
            return AIMessage("", tool_calls=[call])
        case _:
            blocks: list[str | dict[Any, Any]] = [
                {"type": "text", "text": turn["content"]},
                {"type": "image", "url": turn.get("image")},
            ]
            content = blocks if "image" in turn else turn["content"]
            return ToolMessage(content, tool_call_id=turn["call"], name="weather")


def _join(chunks: Iterator[Any]) -> tuple[AIMessage, int]:
    total: AIMessageChunk | None = None
    count = 0
    for count, chunk in enumerate(chunks, 1):  # noqa: B007 - the last value is the count
        total = chunk if total is None else cast("AIMessageChunk", total + chunk)
    return cast("AIMessage", total), count


async def _ajoin(chunks: AsyncIterator[Any]) -> tuple[AIMessage, int]:
    return _join(iter([chunk async for chunk in chunks]))


def _v3(model: _Model, prompt: list[BaseMessage]) -> dict[str, Any]:
    stream = cast("Any", model).stream_events(prompt, version="v3")
    return _view(stream.output)


def _view(message: AIMessage, chunks: int = 0) -> dict[str, Any]:
    """Return the parts of a message, wherever its class keeps them."""
    blocks = [cast("dict[str, Any]", block) for block in message.content_blocks]
    reasoning = "".join(
        block.get("reasoning", "") for block in blocks if block["type"] == "reasoning"
    )
    usage = message.usage_metadata
    metadata = message.response_metadata
    return {
        "text": str(message.text),
        "reasoning": message.additional_kwargs.get("reasoning_content") or reasoning,
        "calls": [
            {"id": call["id"], "name": call["name"], "args": call["args"]}
            for call in message.tool_calls
        ],
        "broken_calls": [call["args"] for call in message.invalid_tool_calls],
        "blocks": [_block(block) for block in blocks],
        "chunks": chunks,
        "usage": usage and _usage(cast("dict[str, Any]", usage)),
        "request_id": metadata.get("request_id"),
        "all": json.dumps(message.model_dump(), default=str),
    }


def _block(block: dict[str, Any]) -> list[Any]:
    """Return a block's type and content."""
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
    """Use one object in two event loops, one after the other."""
    llm = construct(task)
    return [str(run_in_new_loop(llm.ainvoke("Hi")).text) for _ in range(2)]


def choices(task: Task) -> object:
    """Request two responses at once."""
    result = construct(task).generate([[HumanMessage("Hi")]], n=2)
    return [generation.text for generation in result.generations[0]]


# --- Tools and structured output --------------------------------------------------


def tool_turn(task: Task) -> object:
    """Get a tool call, and send it back with the tool's result."""
    parameters = task["parameters"]
    mode = parameters["modes"][0]
    model = _with_tools(construct(task, _arguments_for(task, mode)), parameters)
    prompt = _prompt(parameters)
    first = model.invoke(prompt) if mode == "call" else _join(model.stream(prompt))[0]
    calls = [*first.tool_calls, *first.invalid_tool_calls]
    results = [ToolMessage("Rain.", tool_call_id=call["id"] or "") for call in calls]
    history: list[BaseMessage] = [*prompt, first, *results]
    if parameters.get("stored"):
        history = messages_from_dict(json.loads(json.dumps(messages_to_dict(history))))
    return {"first": _view(first), "second": _view(model.invoke(history))}


def agent(task: Task) -> object:
    """Run an agent, with a limit of steps."""
    # Not every environment has it.
    create_agent = import_module("langchain.agents").create_agent
    parameters = task["parameters"]
    schema = Tower if parameters.get("structured") else None
    tools = [TOOLS[name] for name in parameters.get("tools", ())]
    graph = create_agent(construct(task), tools=tools, response_format=schema)
    prompt: Any = {"messages": _prompt(parameters)}
    state = graph.invoke(prompt, {"recursion_limit": parameters["limit"]})
    last = state["messages"][-1]
    results = [
        str(message.text) for message in state["messages"] if message.type == "tool"
    ]
    return {
        "text": str(last.text),
        "results": results,
        "structured": _plain(state.get("structured_response")),
    }


def structured(task: Task) -> object:
    """Return a structured object from each mode."""

    def run_mode(mode: str) -> object:
        llm = construct(task, _arguments_for(task, mode))
        model = llm.with_structured_output(Tower)
        prompt = task["parameters"]["prompt"]
        match mode:
            case "call":
                return _plain(model.invoke(prompt))
            case "acall":
                return _plain(run(model.ainvoke(prompt)))
            case _:
                return _plain([None, *model.stream(prompt)][-1])

    return run_modes(task["parameters"]["modes"], run_mode)


def _plain(value: object) -> object:
    return value.model_dump() if isinstance(value, BaseModel) else value


def unchanged(task: Task) -> object:
    """Make a call before and after ``with_structured_output``."""
    llm = construct(task)
    llm.invoke("Hi")
    llm.with_structured_output(Tower)
    llm.invoke("Hi")
    return None


# --- Properties of the object -----------------------------------------------------


def secrets(task: Task) -> object:
    """Return all texts that describe the object."""
    llm = construct(task)
    return {
        "repr": repr(llm),
        "str": str(llm),
        "dumps": dumps(llm),
        "model_dump_json": _text_or_empty(llm.model_dump_json),
    }


def _text_or_empty(dump: Callable[[], object]) -> str:
    try:
        return str(dump())
    except Exception:  # noqa: BLE001 - a client that cannot be dumped leaks nothing
        return ""


def cache_keys(task: Task) -> object:
    """Return the cache keys of the model, and with each of the other arguments."""
    arguments = task["arguments"]
    keys: dict[str, str] = {}
    for name, value in [("", None), *task["parameters"]["others"].items()]:
        if name and name not in arguments:
            continue
        changed = {**arguments, name: value} if name else arguments
        model = construct({**task, "arguments": changed})
        keys[name] = model._get_llm_string()  # noqa: SLF001 - LangChain's cache uses it
    return keys


def without_key(task: Task) -> object:
    """Make a call without a key, with another vendor's key in the environment."""
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
    "without_key": without_key,
}

if __name__ == "__main__":
    serve(ACTIONS)
