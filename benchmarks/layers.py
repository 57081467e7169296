"""The layers of this project's models, each of which can be measured by itself.

The frameworks are imported when a model is made, not with this module.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from benchmarks import responses
from benchmarks.clients import PROMPT

__all__ = ["ADAPTERS", "ModelCalls", "ModelLayers"]

ADAPTERS: Final = ("ChatModelStudio", "ModelStudio")
_ARGUMENTS: Final[Mapping[str, Any]] = {
    "model": "qwen3.7-plus",
    "api_key": "sk-benchmark",
}


class ModelCalls:
    """The calls of a chat model of LangChain."""

    def __init__(self, llm: Any) -> None:
        """Keep the model."""
        self.llm = llm

    def stream(self) -> Iterator[object]:
        """Yield the chunks of a stream."""
        yield from self.llm.stream(PROMPT)

    async def astream(self) -> AsyncIterator[object]:
        """Async version of ``stream``."""
        async for chunk in self.llm.astream(PROMPT):
            yield chunk

    def call(self) -> object:
        """Return a message that was not streamed."""
        return self.llm.invoke(PROMPT)

    async def acall(self) -> object:
        """Async version of ``call``."""
        return await self.llm.ainvoke(PROMPT)


class _LLMCalls(ModelCalls):
    """The calls of an LLM of LlamaIndex."""

    def __init__(self, llm: Any) -> None:
        super().__init__(llm)
        message: Any = import_module("llama_index.core.llms").ChatMessage
        self._prompt = [message(role="user", content=PROMPT)]

    def stream(self) -> Iterator[object]:
        yield from self.llm.stream_chat(self._prompt)

    async def astream(self) -> AsyncIterator[object]:
        async for response in await self.llm.astream_chat(self._prompt):
            yield response

    def call(self) -> object:
        return self.llm.chat(self._prompt)

    async def acall(self) -> object:
        return await self.llm.achat(self._prompt)


class ModelLayers:
    """A model, and the layers below it.

    Attributes:
        model: The model.
        framework: A model of the same framework that returns the same chunks without
            any work: what is left is the cost of the framework.
    """

    def __init__(self, adapter: str, base_url: str, batch: int) -> None:
        """Make the layers.

        Args:
            adapter: One of ``ADAPTERS``.
            base_url: The URL in front of ``/compatible-mode/v1``.
            batch: Events per write.
        """
        url = f"{base_url}/compatible-mode/v1"
        make = _langchain if adapter == "ChatModelStudio" else _llamaindex
        self.model, self.framework = make(url)
        events = responses.openai_stream(responses.DELTAS)
        starts = range(0, len(events), batch)
        self._writes = [b"".join(events[start : start + batch]) for start in starts]
        self._calls: Any = import_module("modelstudio_core.chat.calls")
        self._send: Any = import_module("modelstudio_core.transport.send")

    # --- The transport: bytes and nothing else --------------------------------------

    def http(self) -> Iterator[object]:
        """Yield the bytes of a stream."""
        response = self._send.send(*self._request(stream=True))
        yield from response.chunks()
        response.close()

    async def ahttp(self) -> AsyncIterator[object]:
        """Async version of ``http``."""
        response = await self._send.asend(*self._request(stream=True))
        async for chunk in response.chunks():
            yield chunk
        await response.aclose()

    def http_call(self) -> object:
        """Return the bytes of a response that is not streamed."""
        response = self._send.send(*self._request(stream=False))
        body = response.read()
        response.close()
        return body

    async def ahttp_call(self) -> object:
        """Async version of ``http_call``."""
        response = await self._send.asend(*self._request(stream=False))
        body = await response.read()
        await response.aclose()
        return body

    # --- The core -------------------------------------------------------------------

    def parse(self) -> Iterator[object]:
        """Yield the events of bytes that are in memory."""
        context = self.model.llm.resolved.connection.context
        parser: Any = import_module("modelstudio_core.chat.openai").Parser(context)
        for chunk in self._writes:
            yield from parser.feed(chunk)
        yield from parser.close()

    def core(self) -> Iterator[object]:
        """Yield the events of a stream."""
        yield from self._calls.stream(self._call(stream=True))

    async def acore(self) -> AsyncIterator[object]:
        """Async version of ``core``."""
        async for event in self._calls.astream(self._call(stream=True)):
            yield event

    def core_call(self) -> object:
        """Return a completion that was not streamed."""
        return self._calls.generate(self._call(stream=False))

    async def acore_call(self) -> object:
        """Async version of ``core_call``."""
        return await self._calls.agenerate(self._call(stream=False))

    def _call(self, *, stream: bool) -> Any:
        prompt = [{"role": "user", "content": PROMPT}]
        chat = self.model.llm.resolved
        return self._calls.prepare_call(chat, prompt, {}, stream=stream)

    def _request(self, *, stream: bool) -> tuple[object, object, object]:
        call = self._call(stream=stream)
        return call.connection, call.request, call.context


# --- Frameworks -------------------------------------------------------------------


def _langchain(url: str) -> tuple[ModelCalls, ModelCalls]:
    outputs: Any = import_module("langchain_core.outputs")
    chat_models: Any = import_module("langchain_core.language_models.chat_models")
    model: Any = import_module("langchain_modelstudio").ChatModelStudio
    calls = ModelCalls(model(base_url=url, **_ARGUMENTS))
    chunks = [outputs.ChatGenerationChunk(message=chunk) for chunk in calls.stream()]

    def stream(*_: object, **__: object) -> Iterator[object]:
        yield from chunks

    async def astream(*_: object, **__: object) -> AsyncIterator[object]:
        for chunk in chunks:
            yield chunk

    def generate(*_: object, **__: object) -> object:
        return outputs.ChatResult(generations=[chunks[-1]])

    async def agenerate(*_: object, **__: object) -> object:
        return generate()

    attributes = {
        "_stream": stream,
        "_astream": astream,
        "_generate": generate,
        "_agenerate": agenerate,
        "_llm_type": property(lambda _: "fixed"),
    }
    return calls, ModelCalls(_fixed_model(chat_models.BaseChatModel, attributes))


def _llamaindex(url: str) -> tuple[ModelCalls, ModelCalls]:
    callbacks: Any = import_module("llama_index.core.llms.callbacks")
    function_calling: Any = import_module("llama_index.core.llms.function_calling")
    llm: Any = import_module("llamaindex_modelstudio").ModelStudio
    calls = _LLMCalls(llm(base_url=url, **_ARGUMENTS))
    chunks = list(calls.stream())

    def stream_chat(*_: object, **__: object) -> Iterator[object]:
        yield from chunks

    async def astream_chat(*_: object, **__: object) -> AsyncIterator[object]:
        async def stream() -> AsyncIterator[object]:
            for response in chunks:
                yield response

        return stream()

    def chat(*_: object, **__: object) -> object:
        return chunks[-1]

    async def achat(*_: object, **__: object) -> object:
        return chunks[-1]

    base: Any = function_calling.FunctionCallingLLM
    observe: Any = callbacks.llm_chat_callback()
    methods = (stream_chat, astream_chat, chat, achat)
    attributes = {
        **dict.fromkeys(base.__abstractmethods__, chat),
        **{method.__name__: observe(method) for method in methods},
        "metadata": property(lambda _: calls.llm.metadata),
    }
    return calls, _LLMCalls(_fixed_model(base, attributes))


def _fixed_model(base: Any, attributes: Mapping[str, Any]) -> Any:
    return type("FixedModel", (base,), {**attributes, "__module__": __name__})()
