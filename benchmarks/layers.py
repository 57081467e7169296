"""The layers of a model, each of which can do its part of an answer alone.

Models are made here in our own environment; the names are looked up when they are
needed, so that importing this file loads neither framework.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from benchmarks import answers
from benchmarks.clients import PROMPT

__all__ = ["ADAPTERS", "Asked", "Subject"]

ADAPTERS: Final = ("ChatModelStudio", "ModelStudio")
_ARGUMENTS: Final[Mapping[str, Any]] = {
    "model": "qwen3.7-plus",
    "api_key": "sk-benchmark",
}


class Asked:
    """A chat class of LangChain, asked in LangChain's way."""

    def __init__(self, llm: Any) -> None:
        """Ask this one."""
        self.llm = llm

    def stream(self) -> Iterator[object]:
        """Yield what a stream gives."""
        yield from self.llm.stream(PROMPT)

    async def astream(self) -> AsyncIterator[object]:
        """Do as ``stream``."""
        async for chunk in self.llm.astream(PROMPT):
            yield chunk

    def call(self) -> object:
        """Return a whole answer."""
        return self.llm.invoke(PROMPT)

    async def acall(self) -> object:
        """Do as ``call``."""
        return await self.llm.ainvoke(PROMPT)


class _AskedChat(Asked):
    """A chat class of LlamaIndex, asked in LlamaIndex's way."""

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


class Subject:
    """One model, and what is below it.

    Attributes:
        model: The whole of it.
        ready: A model of the same framework that hands on the same chunks, ready made.
    """

    def __init__(self, adapter: str, base: str, batch: int) -> None:
        """Make the layers.

        Args:
            adapter: One of ``ADAPTERS``.
            base: The address of the answers.
            batch: Events a write.
        """
        address = f"{base}/compatible-mode/v1"
        make = _langchain if adapter == "ChatModelStudio" else _llamaindex
        self.model, self.ready = make(address)
        events = answers.stream(answers.DELTAS)
        starts = range(0, len(events), batch)
        self._bytes = [b"".join(events[it : it + batch]) for it in starts]
        self._core: Any = import_module("modelstudio_core.chat.calls")
        self._transport: Any = import_module("modelstudio_core.transport.send")

    # --- The only I/O: bytes and nothing else ---------------------------------------

    def http(self) -> Iterator[object]:
        """Yield the bytes of a stream."""
        reply = self._transport.send(*self._exchange(stream=True).call)
        yield from reply.chunks()
        reply.close()

    async def ahttp(self) -> AsyncIterator[object]:
        """Do as ``http``."""
        reply = await self._transport.asend(*self._exchange(stream=True).call)
        async for chunk in reply.chunks():
            yield chunk
        await reply.aclose()

    def http_call(self) -> object:
        """Return the bytes of a whole answer."""
        reply = self._transport.send(*self._exchange(stream=False).call)
        body = reply.read()
        reply.close()
        return body

    async def ahttp_call(self) -> object:
        """Do as ``http_call``."""
        reply = await self._transport.asend(*self._exchange(stream=False).call)
        body = await reply.read()
        await reply.aclose()
        return body

    # --- The core -------------------------------------------------------------------

    def parse(self) -> Iterator[object]:
        """Yield the events of bytes that are there already."""
        context = self.model.llm.resolved.connection.context
        parser: Any = import_module("modelstudio_core.chat.openai").Parser(context)
        for chunk in self._bytes:
            yield from parser.feed(chunk)
        yield from parser.close()

    def _exchange(self, *, stream: bool) -> Any:
        prompt = [{"role": "user", "content": PROMPT}]
        chat = self.model.llm.resolved
        return self._core.prepare_call(chat, prompt, {}, stream=stream)

    def core(self) -> Iterator[object]:
        """Yield the events of a stream."""
        yield from self._core.stream(self._exchange(stream=True))

    async def acore(self) -> AsyncIterator[object]:
        """Do as ``core``."""
        async for event in self._core.astream(self._exchange(stream=True)):
            yield event

    def core_call(self) -> object:
        """Return a whole answer."""
        return self._core.generate(self._exchange(stream=False))

    async def acore_call(self) -> object:
        """Do as ``core_call``."""
        return await self._core.agenerate(self._exchange(stream=False))


# --- Frameworks -------------------------------------------------------------------


def _langchain(address: str) -> tuple[Asked, Asked]:
    outputs: Any = import_module("langchain_core.outputs")
    chat_models: Any = import_module("langchain_core.language_models.chat_models")
    model: Any = import_module("langchain_modelstudio").ChatModelStudio
    ours = Asked(model(base_url=address, **_ARGUMENTS))
    ready = [outputs.ChatGenerationChunk(message=it) for it in ours.stream()]

    def stream(*_: object, **__: object) -> Iterator[object]:
        yield from ready

    async def astream(*_: object, **__: object) -> AsyncIterator[object]:
        for chunk in ready:
            yield chunk

    def generate(*_: object, **__: object) -> object:
        return outputs.ChatResult(generations=[ready[-1]])

    async def agenerate(*_: object, **__: object) -> object:
        return generate()

    said = {"_stream": stream, "_astream": astream}
    said |= {"_generate": generate, "_agenerate": agenerate}
    base: Any = chat_models.BaseChatModel
    return ours, Asked(_made(base, {**said, "_llm_type": property(lambda _: "ready")}))


def _llamaindex(address: str) -> tuple[Asked, Asked]:
    callbacks: Any = import_module("llama_index.core.llms.callbacks")
    calling: Any = import_module("llama_index.core.llms.function_calling")
    llm: Any = import_module("llamaindex_modelstudio").ModelStudio
    ours = _AskedChat(llm(base_url=address, **_ARGUMENTS))
    ready = list(ours.stream())

    def stream_chat(*_: object, **__: object) -> Iterator[object]:
        yield from ready

    async def astream_chat(*_: object, **__: object) -> AsyncIterator[object]:
        async def responses() -> AsyncIterator[object]:
            for response in ready:
                yield response

        return responses()

    def chat(*_: object, **__: object) -> object:
        return ready[-1]

    async def achat(*_: object, **__: object) -> object:
        return ready[-1]

    base: Any = calling.FunctionCallingLLM
    methods = (stream_chat, astream_chat, chat, achat)
    watched = {it.__name__: callbacks.llm_chat_callback()(it) for it in methods}
    demanded = dict.fromkeys(base.__abstractmethods__, chat)
    metadata = property(lambda _: ours.llm.metadata)
    return ours, _AskedChat(_made(base, {**demanded, **watched, "metadata": metadata}))


def _made(base: Any, body: Mapping[str, Any]) -> Any:
    return type("Ready", (base,), {**body, "__module__": __name__})()
