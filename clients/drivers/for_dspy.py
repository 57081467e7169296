"""The checks with DSPy."""

from typing import Any

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]


def _model(task: Task, name: str = "qwen-plus", **options: Any) -> Any:
    return common.load("dspy").LM(
        f"openai/{name}",
        api_base=common.compatible_url(task),
        api_key=common.key(task),
        cache=False,
        num_retries=0,
        **options,
    )


def plain(task: Task) -> object:
    """Return the text and the token counts of an answer."""
    model = _model(task)
    (text,) = model(common.TALL)
    usage = dict(model.history[-1]["usage"])
    counts = [usage["prompt_tokens"], usage["completion_tokens"]]
    return {"text": _text(text), "usage": counts}


def _text(output: Any) -> str:
    """Return the text of an output, which is a text or has one."""
    return output if isinstance(output, str) else str(output["text"])


def words(task: Task) -> object:
    """Return the fields of a signature, by the adapter that asks for JSON."""
    dspy = common.load("dspy")
    with dspy.context(lm=_model(task), adapter=dspy.JSONAdapter()):
        answer = dspy.Predict("text -> name: str, age: int")(text=common.EXTRACT)
    return {"name": answer.name, "age": answer.age}


def tools(task: Task) -> object:
    """Run an agent with a tool; its steps are asked for as JSON."""
    dspy, called = common.load("dspy"), list[str]()

    def weather(city: str) -> str:
        """Get the weather of a city."""
        called.append(city)
        return common.get_weather(city)

    with dspy.context(lm=_model(task), adapter=dspy.JSONAdapter()):
        answer = dspy.ReAct("question -> answer", tools=[weather], max_iters=3)(
            question=common.QUESTION
        )
    return {"arguments": {"city": called[0]}, "text": answer.answer}


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    messages = [{"role": "user", "content": common.IMAGE_PARTS}]
    return _text(_model(task, "qwen3-vl-flash")(messages=messages)[0])


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(_model(task, common.UNKNOWN)(common.TALL))


ACTIONS = {
    "plain": plain,
    "words": words,
    "tools": tools,
    "image": image,
    "error": error,
}

if __name__ == "__main__":
    serve(ACTIONS)
