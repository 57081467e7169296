"""The checks with instructor, whose one thing is structured output."""

from typing import Any

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]


def _extract(
    task: Task, mode: str, content: Any = common.EXTRACT, **options: Any
) -> Any:
    instructor = common.load("instructor")
    client = instructor.from_openai(
        common.load("openai").OpenAI(
            base_url=common.compatible_url(task),
            api_key=common.key(task),
            max_retries=0,
        ),
        mode=getattr(instructor.Mode, mode),
    )
    options = {"model": "qwen-plus", "max_retries": 1, **options}
    return client.chat.completions.create(
        messages=[{"role": "user", "content": content}],
        response_model=common.Person,
        **options,
    )


def structured(task: Task) -> object:
    """Return an object that is asked for by a tool."""
    return _extract(task, "TOOLS").model_dump()


def json_mode(task: Task) -> object:
    """Return an object that is asked for by JSON mode, with a schema in the prompt."""
    return _extract(task, "JSON").model_dump()


def words(task: Task) -> object:
    """Return an object that is asked for in words."""
    return _extract(task, "MD_JSON").model_dump()


def image(task: Task) -> object:
    """Return an object that is asked for with an image."""
    parts = [
        {"type": "image_url", "image_url": {"url": common.IMAGE_URL}},
        {"type": "text", "text": "The dog is Rex, 25 years old. Extract it."},
    ]
    return _extract(task, "TOOLS", parts, model="qwen3-vl-flash").name


def error(task: Task) -> object:
    """Ask a model that does not exist."""
    return str(_extract(task, "TOOLS", model=common.UNKNOWN))


ACTIONS = {
    "structured": structured,
    "json": json_mode,
    "words": words,
    "image": image,
    "error": error,
}

if __name__ == "__main__":
    serve(ACTIONS)
