"""The checks with smolagents."""

from typing import Any

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]


def _model(task: Task, name: str = "qwen-plus", **options: Any) -> Any:
    return common.load("smolagents").OpenAIServerModel(
        model_id=name,
        api_base=common.compatible_url(task),
        api_key=common.key(task),
        **options,
    )


def _message(content: Any) -> list[dict[str, Any]]:
    parts: Any = content
    if isinstance(content, str):
        parts = [{"type": "text", "text": content}]
    return [{"role": "user", "content": parts}]


def plain(task: Task) -> object:
    """Return the text and the token counts of an answer."""
    message = _model(task, flatten_messages_as_text=True).generate(
        _message(common.TALL)
    )
    usage = message.token_usage
    return {"text": message.content, "usage": [usage.input_tokens, usage.output_tokens]}


def stream(task: Task) -> object:
    """Return the pieces of a streamed answer."""
    model = _model(task, flatten_messages_as_text=True)
    return [delta.content for delta in model.generate_stream(_message(common.TALL))]


def tools(task: Task) -> object:
    """Run an agent that must call a tool each turn; it must end."""
    smolagents = common.load("smolagents")
    agent = smolagents.ToolCallingAgent(
        tools=[smolagents.tool(common.get_weather)],
        model=_model(task, "qwen3-vl-flash"),
        max_steps=5,
        verbosity_level=0,
    )
    answer = agent.run(common.QUESTION)
    calls = [call for step in agent.memory.steps for call in _calls(step)]
    return {"arguments": calls[0].arguments, "text": str(answer)}


def _calls(step: Any) -> list[Any]:
    return list(getattr(step, "tool_calls", None) or [])


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    return _model(task, "qwen3-vl-flash").generate(_message(common.IMAGE_PARTS)).content


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(_model(task, common.UNKNOWN).generate(_message(common.TALL)))


ACTIONS = {
    "plain": plain,
    "stream": stream,
    "tools": tools,
    "image": image,
    "error": error,
}

if __name__ == "__main__":
    serve(ACTIONS)
