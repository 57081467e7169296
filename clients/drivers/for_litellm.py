"""The checks with LiteLLM."""

import json
from typing import Any

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]


def _ask(task: Task, content: object = common.TALL, **options: Any) -> Any:
    model = options.pop("model", "qwen-plus")
    messages = options.pop("messages", [{"role": "user", "content": content}])
    return common.load("litellm").completion(
        model=f"dashscope/{model}",
        api_base=common.compatible_url(task),
        api_key=common.key(task),
        messages=messages,
        num_retries=0,
        **options,
    )


def _text(response: Any) -> Any:
    return response.choices[0].message.content


def plain(task: Task) -> object:
    """Return the text and the token counts of an answer."""
    response = _ask(task)
    usage = [response.usage.prompt_tokens, response.usage.completion_tokens]
    return {"text": _text(response), "usage": usage}


def stream(task: Task) -> object:
    """Return the pieces of a streamed answer."""
    return [c.choices[0].delta.content for c in _ask(task, stream=True) if c.choices]


def thinking(task: Task) -> object:
    """Return the reasoning and the text of an answer."""
    thinks = {"enable_thinking": True}
    message = _ask(task, model="qwen3.7-plus", extra_body=thinks).choices[0].message
    return {"reasoning": message.reasoning_content, "text": message.content}


def tools(task: Task) -> object:
    """Run a tool, and return its arguments and the answer."""
    tool = [common.TOOL]
    return common.run_tool(lambda messages: _ask(task, messages=messages, tools=tool))


def structured(task: Task) -> object:
    """Return an object that is asked for by a schema."""
    form = {
        "type": "json_schema",
        "json_schema": {"name": "Person", "schema": common.Person.model_json_schema()},
    }
    thinks = {"enable_thinking": False}
    options = {"model": "qwen3.7-plus", "extra_body": thinks}
    return json.loads(
        _text(_ask(task, common.EXTRACT, response_format=form, **options))
    )


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    return _text(_ask(task, common.IMAGE_PARTS, model="qwen3-vl-flash"))


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(_ask(task, model=common.UNKNOWN))


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
