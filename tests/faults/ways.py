"""The eight ways to ask: two frameworks, whole or streamed, sync or async."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from tests.faults.wire import Protocol

__all__ = ["KEY", "WAYS", "Answer", "Way", "ask", "model"]

Framework = Literal["LangChain", "LlamaIndex"]
KEY: Final = "sk-0123456789abcdefghijklmnopqrstuv"
Model = ChatModelStudio | ModelStudio


@dataclass(frozen=True)
class Way:
    """A way to ask."""

    framework: Framework
    stream: bool
    colour: Literal["sync", "async"]

    def __str__(self) -> str:
        """Name it as a test does."""
        return f"{self.framework}-{'stream' if self.stream else 'whole'}-{self.colour}"


WAYS: Final = tuple(
    Way(framework, stream, colour)
    for framework in ("LangChain", "LlamaIndex")
    for stream in (False, True)
    for colour in ("sync", "async")
)


@dataclass
class Answer:
    """What came: text, and the error that ended it."""

    text: str = ""
    error: Exception | None = None


def model(
    framework: Framework, base_url: str, protocol: Protocol, **arguments: Any
) -> Model:
    """Make a model of a framework; it tries twice."""
    given: dict[str, Any] = {
        "model": "qwen-plus",
        "base_url": base_url,
        "api_key": KEY,
        "protocol": protocol,
        "max_retries": 1,
    }
    cls: Callable[..., Model] = (
        ChatModelStudio if framework == "LangChain" else ModelStudio
    )
    return cls(**given | arguments)


async def ask(llm: Model, way: Way, prompt: str) -> Answer:
    """Ask in one of the ways, and keep what came before an error."""
    answer = Answer()
    try:
        if isinstance(llm, ChatModelStudio):
            await _ask_langchain(llm, way, prompt, answer)
        else:
            await _ask_llamaindex(llm, way, prompt, answer)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        answer.error = error
    return answer


async def _ask_langchain(
    llm: ChatModelStudio, way: Way, prompt: str, answer: Answer
) -> None:
    match way.stream, way.colour:
        case False, "sync":
            answer.text = llm.invoke(prompt).text
        case False, _:
            answer.text = (await llm.ainvoke(prompt)).text
        case True, "sync":
            for chunk in llm.stream(prompt):
                answer.text += chunk.text
        case _:
            async for chunk in llm.astream(prompt):
                answer.text += chunk.text


async def _ask_llamaindex(
    llm: ModelStudio, way: Way, prompt: str, answer: Answer
) -> None:
    match way.stream, way.colour:
        case False, "sync":
            answer.text = llm.complete(prompt).text
        case False, _:
            answer.text = (await llm.acomplete(prompt)).text
        case True, "sync":
            for response in llm.stream_complete(prompt):
                answer.text += response.delta or ""
        case _:
            async for response in await llm.astream_complete(prompt):
                answer.text += response.delta or ""
