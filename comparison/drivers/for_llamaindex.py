"""The actions with an LLM of LlamaIndex."""

# LlamaIndex leaves parts of its JSON without types.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ChatResponse,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
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


_PREFIX: Final = {
    "call": "",
    "acall": "a",
    "stream": "stream_",
    "astream": "astream_",
}


# --- Calls ------------------------------------------------------------------------


def answers(task: Task) -> object:
    """Return the response of each mode."""
    return run_modes(task["parameters"]["modes"], lambda mode: _respond(task, mode))


def _respond(task: Task, mode: str) -> dict[str, Any]:
    parameters = task["parameters"]
    more = {**parameters.get("arguments", {}), **_arguments_for(task, mode)}
    llm = construct(task, more)
    responses = _responses(llm, mode, _prompt(parameters), parameters)
    return _view(llm, responses, streamed=mode.endswith("stream"))


def _arguments_for(task: Task, mode: str) -> dict[str, Any]:
    no_more = mode.endswith("call") or task["parameters"].get("defaults")
    return {} if no_more else task["streaming"]


def _prompt(parameters: dict[str, Any]) -> list[ChatMessage]:
    if history := parameters.get("history"):
        return [_turn(turn) for turn in history]
    blocks: list[Any] = [TextBlock(text=parameters.get("prompt", "Hi"))]
    if media := parameters.get("media"):
        blocks.append(_media_block(media))
    return [ChatMessage(blocks=blocks)]


def _media_block(media: dict[str, Any]) -> Any:
    """Return the block of media that are described as LangChain's blocks are."""
    data, mime_type = media.get("base64", "").encode(), media.get("mime_type", "")
    match media["type"]:
        case "image":
            return ImageBlock(image=data, image_mimetype=mime_type)
        case "video":
            return VideoBlock(url=media["url"], fps=media["fps"])
        case "audio":
            return AudioBlock(audio=data, format=mime_type.partition("/")[2])
        case _:
            title = media["filename"]
            return DocumentBlock(data=data, document_mimetype=mime_type, title=title)


def _turn(turn: dict[str, Any]) -> ChatMessage:
    """Return a message of a history."""
    match turn:
        case {"role": "user"}:
            return ChatMessage(role="user", content=turn["content"])
        case {"role": "assistant"}:
            call = ToolCallBlock(
                tool_call_id=turn["call"],
                tool_name="weather",
                tool_kwargs=turn["arguments"],
            )
            return ChatMessage(role="assistant", blocks=[call])
        case _:
            blocks: list[Any] = [TextBlock(text=turn["content"])]
            if "image" in turn:
                blocks.append(ImageBlock(url=turn["image"]))
            names = {"tool_call_id": turn["call"], "name": "weather"}
            return ChatMessage(role="tool", blocks=blocks, additional_kwargs=names)


def _tools(parameters: dict[str, Any]) -> list[FunctionTool]:
    return [
        FunctionTool.from_defaults(TOOLS[name]) for name in parameters.get("tools", ())
    ]


def _responses(
    llm: FunctionCallingLLM,
    mode: str,
    prompt: list[ChatMessage],
    parameters: dict[str, Any],
) -> list[ChatResponse]:
    call = {**parameters.get("call", {}), **parameters.get("bind", {})}
    if "tools" in parameters:
        call |= {"tools": _tools(parameters), "chat_history": prompt}
        returned = getattr(llm, f"{_PREFIX[mode]}chat_with_tools")(**call)
    else:
        returned = getattr(llm, f"{_PREFIX[mode]}chat")(prompt, **call)
    match mode:
        case "call":
            return [returned]
        case "acall":
            return [run(returned)]
        case "stream":
            return _read(llm, returned)
        case _:
            return run(_aread(llm, returned))


def _read(
    llm: FunctionCallingLLM, responses: Iterable[ChatResponse]
) -> list[ChatResponse]:
    result: list[ChatResponse] = []
    for response in responses:
        # As agents do.
        llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
        result.append(response)
    return result


async def _aread(llm: FunctionCallingLLM, stream: Any) -> list[ChatResponse]:
    responses = cast("AsyncIterator[ChatResponse]", await stream)
    return _read(llm, [response async for response in responses])


def _view(
    llm: FunctionCallingLLM, responses: list[ChatResponse], *, streamed: bool = False
) -> dict[str, Any]:
    """Return the parts of a response, wherever its class keeps them."""
    response = responses[-1]
    message, raw = response.message, _raw(response)
    reasoning = "".join(
        b.content or "" for b in message.blocks if isinstance(b, ThinkingBlock)
    )
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    more = response.additional_kwargs
    view = {
        "text": message.content or "",
        "reasoning": reasoning
        or message.additional_kwargs.get("reasoning_content")
        or "",
        "calls": [
            {"id": call.tool_id, "name": call.tool_name, "args": call.tool_kwargs}
            for call in calls
        ],
        "blocks": [_block(block) for block in message.blocks],
        "chunks": len(responses) if streamed else 0,
        "usage": _usage(raw.get("usage")),
        "request_id": more.get("request_id") or raw.get("request_id"),
        "all": json.dumps([message.model_dump(), more, raw], default=str),
    }
    return {**view, **_deltas(responses)} if streamed else view


def _block(block: object) -> list[Any]:
    """Return a block's type and content."""
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
    thinking = [r.additional_kwargs.get("thinking_delta") or "" for r in responses]
    return {
        "deltas": "".join(r.delta or "" for r in responses),
        "thinking_deltas": "".join(thinking),
    }


def _raw(response: ChatResponse) -> dict[str, Any]:
    raw = response.raw
    if isinstance(raw, BaseModel):
        return raw.model_dump()
    return dict(raw) if isinstance(raw, Mapping) else {}


def _usage(counts: object) -> dict[str, Any] | None:
    if not isinstance(counts, Mapping):
        return None
    usage = {**counts}
    output = usage.get("completion_tokens_details") or usage.get(
        "output_tokens_details"
    )
    return {
        "input": usage.get("prompt_tokens", usage.get("input_tokens")),
        "output": usage.get("completion_tokens", usage.get("output_tokens")),
        "reasoning": (output or {}).get("reasoning_tokens"),
        "cached": (usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
    }


def loops(task: Task) -> object:
    """Use one object in two event loops, one after the other."""
    llm = construct(task)
    return [run_in_new_loop(llm.achat(_prompt({}))).message.content for _ in range(2)]


# --- Tools and structured output --------------------------------------------------


def tool_turn(task: Task) -> object:
    """Get a tool call, and send it back with the tool's result."""
    parameters = task["parameters"]
    mode = parameters["modes"][0]
    llm = construct(task, _arguments_for(task, mode))
    prompt, tools = _prompt(parameters), _tools(parameters)
    first = _responses(llm, mode, prompt, parameters)[-1]
    calls = llm.get_tool_calls_from_response(first, error_on_no_tool_call=False)
    # Also those that an agent does not run, because their arguments are invalid.
    blocks = [b for b in first.message.blocks if isinstance(b, ToolCallBlock)]
    names = {call.tool_id: call.tool_name for call in calls}
    names |= {block.tool_call_id or "": block.tool_name for block in blocks}
    results = [
        ChatMessage(
            role="tool",
            content="Rain.",
            additional_kwargs={"tool_call_id": call_id, "name": name},
        )
        for call_id, name in names.items()
    ]
    history = [*prompt, first.message, *results]
    if parameters.get("stored"):
        history = [
            ChatMessage.model_validate_json(message.model_dump_json())
            for message in history
        ]
    # The view before the second request, which may change the message.
    first_view = _view(llm, [first])
    second = llm.chat_with_tools(tools, chat_history=history)
    return {"first": first_view, "second": _view(llm, [second])}


def agent(task: Task) -> object:
    """Run an agent, with a limit of steps."""
    parameters = task["parameters"]
    schema = Tower if parameters.get("structured") else None
    results: list[str] = []
    tools = [
        FunctionTool.from_defaults(_recording(TOOLS[name], results))
        for name in parameters.get("tools", ())
    ]
    agent: Any = FunctionAgent(llm=construct(task), tools=tools, output_cls=schema)

    async def run_agent() -> dict[str, Any]:
        prompt, limit = _prompt(parameters)[0], parameters["limit"]
        output = await agent.run(user_msg=prompt, max_iterations=limit)
        return {
            "text": output.response.content or "",
            "results": results,
            "structured": output.structured_response,
        }

    return run(run_agent())


def _recording(tool: Callable[[str], str], results: list[str]) -> Callable[[str], str]:
    def weather(city: str) -> str:
        results.append(tool(city))
        return results[-1]

    weather.__doc__ = tool.__doc__
    return weather


def structured(task: Task) -> object:
    """Return a structured object from each mode."""

    def run_mode(mode: str) -> object:
        llm = construct(task, _arguments_for(task, mode))
        prompt = PromptTemplate(task["parameters"]["prompt"])
        match mode:
            case "call":
                value = llm.structured_predict(Tower, prompt)
            case "acall":
                value = run(llm.astructured_predict(Tower, prompt))
            case _:
                value = [None, *llm.stream_structured_predict(Tower, prompt)][-1]
        return value.model_dump() if isinstance(value, BaseModel) else value

    return run_modes(task["parameters"]["modes"], run_mode)


# --- Properties of the object -----------------------------------------------------


def secrets(task: Task) -> object:
    """Return all texts that describe the object."""
    llm = construct(task)
    return {
        "repr": repr(llm),
        "str": str(llm),
        "to_dict": json.dumps(llm.to_dict(), default=str),
        "to_json": llm.to_json(),
        "to_payload": json.dumps(llm.to_payload(), default=str),
    }


def without_key(task: Task) -> object:
    """Make a call without a key, with another vendor's key in the environment."""
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
    "without_key": without_key,
}

if __name__ == "__main__":
    serve(ACTIONS)
