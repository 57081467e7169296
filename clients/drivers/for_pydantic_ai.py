"""The checks with pydantic-ai."""

from typing import Any

from clients.drivers import common
from comparison.drivers.task import Task, run, serve

__all__ = ["ACTIONS"]


def _agent(task: Task, name: str = "qwen-plus", **options: Any) -> Any:
    provider = common.load("pydantic_ai.providers.alibaba").AlibabaProvider(
        base_url=common.compatible_url(task), api_key=common.key(task)
    )
    model = common.load("pydantic_ai.models.openai").OpenAIChatModel(
        name, provider=provider
    )
    return common.load("pydantic_ai").Agent(model, retries=1, **options)


def plain(task: Task) -> object:
    """Return the text and the token counts of an answer."""
    result = run(_agent(task).run(common.TALL))
    usage: Any = result.usage
    return {"text": result.output, "usage": [usage.input_tokens, usage.output_tokens]}


def stream(task: Task) -> object:
    """Return the pieces of a streamed answer."""

    async def pieces() -> list[str]:
        async with _agent(task).run_stream(common.TALL) as result:
            return [
                text async for text in result.stream_text(delta=True, debounce_by=None)
            ]

    return run(pieces())


def thinking(task: Task) -> object:
    """Return the reasoning and the text of an answer."""
    settings = {"extra_body": {"enable_thinking": True}}
    agent = _agent(task, "qwen3.7-plus", model_settings=settings)
    result = run(agent.run(common.TALL))
    parts = [part for message in result.all_messages() for part in message.parts]
    thoughts = [part.content for part in parts if part.part_kind == "thinking"]
    return {"reasoning": "".join(thoughts), "text": result.output}


def tools(task: Task) -> object:
    """Run a tool, and return its arguments and the answer."""
    called: list[str] = []

    def weather(city: str) -> str:
        """Get the weather of a city."""
        called.append(city)
        return common.get_weather(city)

    result = run(_agent(task, tools=[weather]).run(common.QUESTION))
    return {"arguments": {"city": called[0]}, "text": result.output}


def output_tool(task: Task) -> object:
    """Return an object after a tool was run; the agent must end."""
    agent = _agent(
        task, "qwen3-vl-flash", tools=[common.get_weather], output_type=common.Report
    )
    output: common.Report = run(agent.run(common.QUESTION)).output
    return output.model_dump()


def structured(task: Task) -> object:
    """Return an object that is asked for by an output tool."""
    output: common.Person = run(
        _agent(task, output_type=common.Person).run(common.EXTRACT)
    ).output
    return output.model_dump()


def words(task: Task) -> object:
    """Return an object that is asked for in words."""
    prompted = common.load("pydantic_ai").PromptedOutput(common.Person)
    output: common.Person = run(
        _agent(task, output_type=prompted).run(common.EXTRACT)
    ).output
    return output.model_dump()


def image(task: Task) -> object:
    """Return the answer to a question about an image."""
    picture = common.load("pydantic_ai").ImageUrl(url=common.IMAGE_URL)
    return run(_agent(task, "qwen3-vl-flash").run([picture, common.REX])).output


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(run(_agent(task, common.UNKNOWN).run(common.TALL)))


ACTIONS = {
    "plain": plain,
    "stream": stream,
    "thinking": thinking,
    "tools": tools,
    "agent": output_tool,
    "structured": structured,
    "words": words,
    "image": image,
    "error": error,
}

if __name__ == "__main__":
    serve(ACTIONS)
