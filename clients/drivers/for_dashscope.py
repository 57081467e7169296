"""The checks with the dashscope SDK, versions 1 and 2."""

import json
from typing import Any

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]


def _ask(task: Task, content: object = common.TALL, **options: Any) -> Any:
    sdk = common.load("dashscope")
    sdk.base_http_api_url = common.native_url(task)
    service = options.pop("service", sdk.Generation)
    options = {"model": "qwen-plus", "result_format": "message", **options}
    messages = options.pop("messages", [{"role": "user", "content": content}])
    response = service.call(api_key=common.key(task), messages=messages, **options)
    return response if options.get("stream") else _checked(response)


def _checked(response: Any) -> Any:
    """Return a response; the SDK raises no exception for a refusal."""
    if response.status_code != 200:  # noqa: PLR2004 - the HTTP status
        raise RuntimeError(f"{response.status_code} {response.code} {response.message}")
    return response


def _message(response: Any) -> Any:
    return response.output.choices[0].message


def plain(task: Task) -> object:
    """Return the text and the token counts of an answer."""
    response = _ask(task)
    usage = [response.usage.input_tokens, response.usage.output_tokens]
    return {"text": _message(response).content, "usage": usage}


def stream(task: Task) -> object:
    """Return the pieces of a streamed answer."""
    responses = _ask(task, stream=True, incremental_output=True)
    return [_message(_checked(response)).content for response in responses]


def thinking(task: Task) -> object:
    """Return the reasoning and the text of an answer."""
    message = _message(_ask(task, model="deepseek-v4-pro", enable_thinking=True))
    return {"reasoning": message.reasoning_content, "text": message.content}


def tools(task: Task) -> object:
    """Run a tool, and return its arguments and the answer, as the samples do."""
    messages: list[Any] = [{"role": "user", "content": common.QUESTION}]
    message = _message(_ask(task, messages=messages, tools=[common.TOOL]))
    (call,) = message.tool_calls
    arguments = json.loads(call["function"]["arguments"])
    # The samples of the documentation send no tool_call_id.
    result = {
        "role": "tool",
        "name": "get_weather",
        "content": common.get_weather(**arguments),
    }
    answer = _ask(task, messages=[*messages, message, result], tools=[common.TOOL])
    return {"arguments": arguments, "text": _message(answer).content}


def structured(task: Task) -> object:
    """Return an object that is asked for by the names of its keys."""
    prompt = f"{common.EXTRACT} Return JSON with the keys 'name' and 'age'."
    form = {"type": "json_object"}
    value = json.loads(_message(_ask(task, prompt, response_format=form)).content)
    return {**value, "age": int(value["age"])}


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    service = common.load("dashscope").MultiModalConversation
    parts = [{"image": common.IMAGE_URL}, {"text": common.REX}]
    response = _ask(task, parts, service=service, model="qwen3-vl-flash")
    return _message(response).content[0]["text"]


def file(task: Task) -> object:
    """Return the answer to a question about a local file, which the SDK uploads."""
    import tempfile  # noqa: PLC0415 - only this check needs it
    from pathlib import Path  # noqa: PLC0415 - as above

    service = common.load("dashscope").MultiModalConversation
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dog.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
        parts = [{"image": f"file://{path}"}, {"text": common.REX}]
        response = _ask(task, parts, service=service, model="qwen3-vl-flash")
    return _message(response).content[0]["text"]


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(_ask(task, model=common.UNKNOWN))


def models(task: Task) -> object:
    """Return the id of a model that is looked up."""
    sdk = common.load("dashscope")
    sdk.base_http_api_url = common.native_url(task)
    return _checked(sdk.Models.get("qwen-plus", api_key=common.key(task))).output[
        "model"
    ]


ACTIONS = {
    "plain": plain,
    "stream": stream,
    "thinking": thinking,
    "tools": tools,
    "structured": structured,
    "image": image,
    "file": file,
    "error": error,
    "models": models,
}

if __name__ == "__main__":
    serve(ACTIONS)
