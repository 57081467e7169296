"""Calls in every style: both frameworks, with and without streaming, sync and async."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final

from langchain_core.messages import AIMessage, AIMessageChunk
from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

from tests.support.models import FRAMEWORKS, Framework, Model

__all__ = [
    "ASYNC_STYLES",
    "CALL_STYLES",
    "STREAM_STYLES",
    "CallStyle",
    "Response",
    "Result",
    "add_chunks",
    "call",
    "collect_text",
    "iterate",
]

Response = AIMessage | ChatResponse | CompletionResponse


@dataclass(frozen=True)
class CallStyle:
    """How a model is called.

    Attributes:
        framework: The framework of the model.
        stream: Whether the answer is streamed.
        asynchronous: Whether the asynchronous method is called.
    """

    framework: Framework
    stream: bool = False
    asynchronous: bool = False

    def __str__(self) -> str:
        """Return the id of a parametrized test."""
        kind = "stream" if self.stream else "call"
        return f"{self.framework}-{kind}-{'async' if self.asynchronous else 'sync'}"

    def method(self, prompt: str | Sequence[Any]) -> str:
        """Return the name of the model's method for a text or a list of messages."""
        if self.framework == "LangChain":
            name = "stream" if self.stream else "invoke"
        else:
            name = "complete" if isinstance(prompt, str) else "chat"
            name = f"stream_{name}" if self.stream else name
        return f"a{name}" if self.asynchronous else name


CALL_STYLES: Final = tuple(
    CallStyle(framework, stream=stream, asynchronous=asynchronous)
    for framework in FRAMEWORKS
    for stream in (False, True)
    for asynchronous in (False, True)
)
STREAM_STYLES: Final = tuple(style for style in CALL_STYLES if style.stream)
ASYNC_STYLES: Final = tuple(style for style in CALL_STYLES if style.asynchronous)


async def iterate(
    model: Model, style: CallStyle, prompt: str | Sequence[Any], **options: Any
) -> AsyncIterator[Any]:
    """Call a model and yield its chunks; without streaming, yield its one response."""
    result: Any = getattr(model, style.method(prompt))(prompt, **options)
    if style.asynchronous and isawaitable(result):
        result = await result
    if not style.stream:
        yield result
    elif style.asynchronous:
        async for chunk in result:
            yield chunk
    else:
        for chunk in result:
            yield chunk


async def call(
    model: Model, style: CallStyle, prompt: str | Sequence[Any], **options: Any
) -> Any:
    """Call a model and return the complete response.

    The chunks of a LangChain stream are added up. Of a LlamaIndex stream this is the
    last response, whose text and reasoning must be the sum of the deltas.
    """
    chunks = [chunk async for chunk in iterate(model, style, prompt, **options)]
    if not style.stream:
        return chunks[0]
    if style.framework == "LangChain":
        return add_chunks(chunks)
    last = chunks[-1]
    deltas = "".join(chunk.delta or "" for chunk in chunks)
    if isinstance(last, CompletionResponse):
        assert deltas == last.text
        return last
    assert deltas == (last.message.content or "")
    reasoning = "".join(chunk.additional_kwargs["thinking_delta"] for chunk in chunks)
    assert reasoning == last.message.additional_kwargs.get("reasoning_content", "")
    return last


def add_chunks(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Return the sum of the chunks of a LangChain stream."""
    total, *rest = chunks
    for chunk in rest:
        total += chunk
    return total


@dataclass
class Result:
    """What a call came to.

    Attributes:
        text: The text that was received, also before an error.
        error: The error that ended the call.
    """

    text: str = ""
    error: Exception | None = None


async def collect_text(
    model: Model, style: CallStyle, prompt: str, **options: Any
) -> Result:
    """Call a model and return the text and the error that it came to."""
    result = Result()
    try:
        async for chunk in iterate(model, style, prompt, **options):
            result.text += _text_of(chunk, streamed=style.stream)
    except Exception as error:  # noqa: BLE001 - which error it is, is what is tested
        result.error = error
    return result


def _text_of(chunk: Any, *, streamed: bool) -> str:
    if isinstance(chunk, AIMessage):
        return chunk.text
    if streamed:
        return chunk.delta or ""
    return str(chunk.text)
