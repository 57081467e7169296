"""The checks with AgentScope."""

import json
from typing import Any

from clients.drivers import common
from comparison.drivers.task import Task, run, serve

__all__ = ["ACTIONS"]


def _model(task: Task, name: str = "qwen-plus", **options: Any) -> Any:
    credential = common.load("agentscope.credential").DashScopeCredential(
        api_key=common.key(task), base_url=common.compatible_url(task)
    )
    model = common.load("agentscope.model").DashScopeChatModel
    parameters = model.Parameters(**options.pop("parameters", {}))
    options = {"stream": False, "max_retries": 0, **options}
    return model(credential, name, parameters=parameters, **options)


def _user(content: Any) -> Any:
    return common.load("agentscope.message").UserMsg(name="user", content=content)


def _ask(model: Any, messages: list[Any], **options: Any) -> Any:
    async def ask() -> Any:
        return await model(messages, **options)

    return run(ask())


def _text(response: Any, kind: str = "text") -> str:
    blocks = [block for block in response.content if block.type == kind]
    return "".join(getattr(block, kind) for block in blocks)


def plain(task: Task) -> object:
    """Return the text and the token counts of an answer."""
    response = _ask(_model(task), [_user(common.TALL)])
    usage = [response.usage.input_tokens, response.usage.output_tokens]
    return {"text": _text(response), "usage": usage}


def stream(task: Task) -> object:
    """Return the pieces of a streamed answer."""

    async def pieces() -> list[str]:
        chunks = await _model(task, stream=True)([_user(common.TALL)])
        return [_text(chunk) async for chunk in chunks if not chunk.is_last]

    return run(pieces())


def thinking(task: Task) -> object:
    """Return the reasoning and the text of an answer."""
    model = _model(task, "qwen3.7-plus", parameters={"thinking_enable": True})
    response = _ask(model, [_user(common.TALL)])
    return {"reasoning": _text(response, "thinking"), "text": _text(response)}


def tools(task: Task) -> object:
    """Run a tool, and return its arguments and the answer."""
    message = common.load("agentscope.message")
    model = _model(task)
    response = _ask(model, [_user(common.QUESTION)], tools=[common.TOOL])
    (call,) = [block for block in response.content if block.type == "tool_call"]
    arguments = json.loads(call.input)
    result = message.ToolResultBlock(
        id=call.id, name=call.name, output=common.get_weather(**arguments)
    )
    turn = message.AssistantMsg(name="assistant", content=[call, result])
    answer = _ask(model, [_user(common.QUESTION), turn], tools=[common.TOOL])
    return {"arguments": arguments, "text": _text(answer)}


def structured(task: Task) -> object:
    """Return an object that is asked for by a tool."""
    model = _model(task)

    async def ask() -> Any:
        return await model.generate_structured_output(
            [_user(common.EXTRACT)], common.Person
        )

    return run(ask()).content


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    message = common.load("agentscope.message")
    source = message.URLSource(url=common.IMAGE_URL, media_type="image/png")
    blocks = [message.DataBlock(source=source), message.TextBlock(text=common.REX)]
    return _text(_ask(_model(task, "qwen3-vl-flash"), [_user(blocks)]))


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(_ask(_model(task, common.UNKNOWN), [_user(common.TALL)]))


ACTIONS = {
    "plain": plain,
    "stream": stream,
    "thinking": thinking,
    "tools": tools,
    "structured": structured,
    "image": image,
    "error": error,
}

if __name__ == "__main__":
    serve(ACTIONS)
