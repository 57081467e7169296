"""The checks with Qwen-Agent, on both protocols."""

import json
from typing import Any

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]


def _model(task: Task, name: str = "qwen-plus", **options: Any) -> Any:
    common.load("dashscope").base_http_api_url = common.native_url(task)
    config: dict[str, Any] = {"model": name, "api_key": common.key(task), **options}
    config.setdefault("model_type", "qwen_dashscope")
    if config["model_type"] == "oai":
        config["model_server"] = common.compatible_url(task)
    config["generate_cfg"] = {"max_retries": 0, **config.get("generate_cfg", {})}
    return common.load("qwen_agent.llm").get_chat_model(config)


def _user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


def plain(task: Task) -> object:
    """Return the text of an answer; the client has no token counts."""
    *_, (message,) = _model(task).chat(_user(common.TALL), stream=True)
    return {"text": message["content"], "usage": None}


def stream(task: Task) -> object:
    """Return the pieces of a streamed answer."""
    pieces = _model(task).chat(_user(common.TALL), stream=True, delta_stream=False)
    texts = [messages[-1]["content"] for messages in pieces]
    return [
        later[len(text) :] for text, later in zip(["", *texts], texts, strict=False)
    ]


def thinking(task: Task) -> object:
    """Return the reasoning and the text of an answer."""
    model = _model(
        task,
        "qwen3.7-plus",
        model_type="oai",
        generate_cfg={"extra_body": {"enable_thinking": True}},
    )
    (message,) = model.chat(_user(common.TALL), stream=False)
    return {"reasoning": message["reasoning_content"], "text": message["content"]}


def tools(task: Task) -> object:
    """Run a tool with the service's own tool calls."""
    model = _model(task, generate_cfg={"use_raw_api": True})
    messages, functions = _user(common.QUESTION), [common.TOOL["function"]]
    *_, responses = model.chat(messages, functions=functions, stream=True)
    call = responses[-1]["function_call"]
    arguments = json.loads(call["arguments"])
    result = {
        "role": "function",
        "name": call["name"],
        "content": common.get_weather(**arguments),
        "extra": responses[-1].get("extra"),
    }
    history = [*messages, *responses, result]
    *_, answers = model.chat(history, functions=functions, stream=True)
    return {"arguments": arguments, "text": answers[-1]["content"]}


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    model = _model(task, "qwen-vl-max", model_type="qwenvl_dashscope")
    *_, responses = model.chat(
        _user([{"image": common.IMAGE_URL}, {"text": common.REX}])
    )
    content = responses[-1]["content"]
    return content if isinstance(content, str) else content[0]["text"]


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(list(_model(task, common.UNKNOWN).chat(_user(common.TALL), stream=True)))


ACTIONS = {
    "plain": plain,
    "stream": stream,
    "thinking": thinking,
    "tools": tools,
    "image": image,
    "error": error,
}

if __name__ == "__main__":
    serve(ACTIONS)
