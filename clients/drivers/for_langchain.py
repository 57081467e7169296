"""The checks with chat models of LangChain: ChatQwen and ChatTongyi."""

from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import PydanticOutputParser
from langchain_core.tools import tool

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]


def _model(task: Task, name: str = "qwen-plus", **options: Any) -> Any:
    if task["client"] == "ChatQwen":
        return common.load("langchain_qwq").ChatQwen(
            model=name,
            base_url=common.compatible_url(task),
            api_key=common.key(task),
            **options,
        )
    common.load("dashscope").base_http_api_url = common.native_url(task)
    model = common.load("langchain_community.chat_models.tongyi").ChatTongyi
    return model(model=name, api_key=common.key(task), max_retries=1, **options)


def plain(task: Task) -> object:
    """Return the text and the token counts of an answer."""
    message = _model(task).invoke(common.TALL)
    metadata: dict[str, Any] = message.response_metadata
    usage: dict[str, Any] = message.usage_metadata or metadata["token_usage"]
    counts = [usage["input_tokens"], usage["output_tokens"]]
    return {"text": message.content, "usage": counts}


def stream(task: Task) -> object:
    """Return the pieces of a streamed answer."""
    more: dict[str, Any] = {}
    if task["client"] == "ChatTongyi":
        more["streaming"] = True
    return [chunk.content for chunk in _model(task, **more).stream(common.TALL)]


def thinking(task: Task) -> object:
    """Return the reasoning and the text of an answer."""
    if task["client"] == "ChatQwen":
        message = _model(task, "qwen3.7-plus", enable_thinking=True).invoke(common.TALL)
    else:
        options = {"enable_thinking": True, "incremental_output": True}
        model = _model(task, streaming=True, model_kwargs=options)
        message = model.invoke(common.TALL)
    return {
        "reasoning": message.additional_kwargs.get("reasoning_content"),
        "text": message.content,
    }


def tools(task: Task) -> object:
    """Run a tool, and return its arguments and the answer."""
    weather = tool(common.get_weather)
    model = _model(task).bind_tools([weather])
    messages: list[Any] = [HumanMessage(common.QUESTION)]
    message = model.invoke(messages)
    (call,) = message.tool_calls
    answer = model.invoke([*messages, message, weather.invoke(call)])
    return {"arguments": call["args"], "text": answer.content}


def structured(task: Task) -> object:
    """Return an object that is asked for by a tool."""
    model = _model(task).with_structured_output(common.Person)
    person: common.Person = model.invoke(common.EXTRACT)
    return person.model_dump()


def words(task: Task) -> object:
    """Return an object that is asked for in words, by an output parser."""
    parser: PydanticOutputParser[common.Person] = PydanticOutputParser(
        pydantic_object=common.Person
    )
    prompt = f"{common.EXTRACT}\n{parser.get_format_instructions()}"
    return (_model(task) | parser).invoke(prompt).model_dump()


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    if task["client"] == "ChatQwen":
        picture: Any = {"type": "image_url", "image_url": {"url": common.IMAGE_URL}}
        message = HumanMessage([picture, {"type": "text", "text": common.REX}])
        return _model(task, "qwen3-vl-flash").invoke([message]).content
    parts: list[str | dict[Any, Any]] = [
        {"image": common.IMAGE_URL},
        {"text": common.REX},
    ]
    answer = _model(task, "qwen-vl-max").invoke([HumanMessage(parts)])
    return answer.content[0]["text"]


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(_model(task, common.UNKNOWN).invoke(common.TALL))


ACTIONS = {
    "plain": plain,
    "stream": stream,
    "thinking": thinking,
    "tools": tools,
    "structured": structured,
    "words": words,
    "image": image,
    "error": error,
}

if __name__ == "__main__":
    serve(ACTIONS)
