"""The checks with LLMs of LlamaIndex: OpenAILike and DashScope."""

import json
from typing import Any

from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]


def _model(task: Task, name: str = "qwen-plus", **options: Any) -> Any:
    if task["client"] == "OpenAILike":
        return common.load("llama_index.llms.openai_like").OpenAILike(
            model=name,
            api_base=common.compatible_url(task),
            api_key=common.key(task),
            is_chat_model=True,
            is_function_calling_model=True,
            max_retries=0,
            **options,
        )
    common.load("dashscope").base_http_api_url = common.native_url(task)
    model = common.load("llama_index.llms.dashscope").DashScope
    return model(model_name=name, api_key=common.key(task), **options)


def plain(task: Task) -> object:
    """Return the text and the token counts of an answer."""
    response = _model(task).chat([ChatMessage(common.TALL)])
    usage: Any = dict(response.raw)["usage"]
    if task["client"] == "OpenAILike":
        counts = [usage.prompt_tokens, usage.completion_tokens]
    else:
        counts = [usage["input_tokens"], usage["output_tokens"]]
    return {"text": response.message.content, "usage": counts}


def stream(task: Task) -> object:
    """Return the pieces of a streamed answer."""
    return [r.delta for r in _model(task).stream_chat([ChatMessage(common.TALL)])]


def tools(task: Task) -> object:
    """Run a tool, and return its arguments and the answer."""
    llm, tool = _model(task), FunctionTool.from_defaults(common.get_weather)
    messages = [ChatMessage(common.QUESTION)]
    response = llm.chat_with_tools([tool], chat_history=messages)
    (call,) = llm.get_tool_calls_from_response(response)
    result = ChatMessage(
        role="tool",
        content=str(tool(**call.tool_kwargs)),
        additional_kwargs={"tool_call_id": call.tool_id, "name": call.tool_name},
    )
    history = [*messages, response.message, result]
    answer = llm.chat_with_tools([tool], chat_history=history)
    return {"arguments": call.tool_kwargs, "text": answer.message.content}


def structured(task: Task) -> object:
    """Return an object that is asked for by a tool or a schema."""
    response = (
        _model(task)
        .as_structured_llm(common.Person)
        .chat([ChatMessage(common.EXTRACT)])
    )
    return json.loads(response.message.content)


def words(task: Task) -> object:
    """Return an object that is asked for in words, by an output parser."""
    program: Any = common.load("llama_index.core.program").LLMTextCompletionProgram
    program = program.from_defaults(
        output_cls=common.Person, prompt_template_str=common.EXTRACT, llm=_model(task)
    )
    return program().model_dump()


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    blocks = [ImageBlock(url=common.IMAGE_URL), TextBlock(text=common.REX)]
    message = ChatMessage(role="user", blocks=blocks)
    return _model(task, "qwen3-vl-flash").chat([message]).message.content


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(_model(task, common.UNKNOWN).chat([ChatMessage(common.TALL)]))


ACTIONS = {
    "plain": plain,
    "stream": stream,
    "tools": tools,
    "structured": structured,
    "words": words,
    "image": image,
    "error": error,
}

if __name__ == "__main__":
    serve(ACTIONS)
