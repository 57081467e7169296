"""The checks with the openai SDK, versions 2 and 3."""

from typing import Any

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]


def _client(task: Task) -> Any:
    return common.load("openai").OpenAI(
        base_url=common.compatible_url(task), api_key=common.key(task), max_retries=0
    )


def _ask(task: Task, content: object = common.TALL, **options: Any) -> Any:
    options = {"model": "qwen-plus", **options}
    messages = options.pop("messages", [{"role": "user", "content": content}])
    return _client(task).chat.completions.create(messages=messages, **options)


def plain(task: Task) -> object:
    """Return the text and the token counts of an answer."""
    response = _ask(task)
    usage = [response.usage.prompt_tokens, response.usage.completion_tokens]
    return {"text": response.choices[0].message.content, "usage": usage}


def stream(task: Task) -> object:
    """Return the pieces of a streamed answer."""
    chunks = _ask(task, stream=True)
    return [c.choices[0].delta.content for c in chunks if c.choices]


def thinking(task: Task) -> object:
    """Return the reasoning and the text of an answer."""
    thinks = {"enable_thinking": True}
    response = _ask(task, model="qwen3.7-plus", extra_body=thinks)
    message = response.choices[0].message
    return {"reasoning": message.reasoning_content, "text": message.content}


def tools(task: Task) -> object:
    """Run a tool, and return its arguments and the answer."""
    tool = [common.TOOL]
    return common.run_tool(lambda messages: _ask(task, messages=messages, tools=tool))


def structured(task: Task) -> object:
    """Return an object that is asked for by a schema."""
    response = _client(task).chat.completions.parse(
        model="qwen3.7-plus",
        messages=[{"role": "user", "content": common.EXTRACT}],
        response_format=common.Person,
        extra_body={"enable_thinking": False},
    )
    person: common.Person = response.choices[0].message.parsed
    return person.model_dump()


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    return (
        _ask(task, common.IMAGE_PARTS, model="qwen3-vl-flash")
        .choices[0]
        .message.content
    )


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(_ask(task, model=common.UNKNOWN))


def models(task: Task) -> object:
    """Return the id of a model that is looked up."""
    client = _client(task)
    assert len(client.models.list().data) > 100  # noqa: PLR2004, S101 - a check
    return client.models.retrieve("qwen-plus").id


ACTIONS = {
    "plain": plain,
    "stream": stream,
    "thinking": thinking,
    "tools": tools,
    "structured": structured,
    "image": image,
    "error": error,
    "models": models,
}

if __name__ == "__main__":
    serve(ACTIONS)
