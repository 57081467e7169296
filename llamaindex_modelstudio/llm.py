"""``ModelStudio``: chat models of Model Studio as a LlamaIndex LLM."""

# LlamaIndex has no types for its callback decorators, and half of them for its JSON.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from collections.abc import Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, ClassVar

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from pydantic import Field
from typing_extensions import override

from llamaindex_modelstudio._chat.messages import from_messages
from llamaindex_modelstudio._chat.responses import (
    to_completion_response,
    to_delta_response,
    to_response,
)
from llamaindex_modelstudio._chat.streams import chat_stream, completion_stream
from llamaindex_modelstudio._chat.structured import StructuredPrediction
from modelstudio_core.chat import calls
from modelstudio_core.chat.calls import ChatCall
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.plan import ResolvedChat
from modelstudio_core.errors import ConfigurationError

__all__ = ["ModelStudio"]

# For a model that the catalog does not know: what the smallest current ones have. A
# smaller guess would make chat engines cut the history.
_CONTEXT_WINDOW = 128 * 1024


class ModelStudio(StructuredPrediction):
    """A chat model of Alibaba Cloud Model Studio.

    The answer's text is ``response.message.content``; what the model thought before it
    is a ``ThinkingBlock``, and ``message.additional_kwargs["reasoning_content"]``; in
    streams ``response.additional_kwargs["thinking_delta"]``. Every chat argument can
    be given per call as well.

    Args:
        model: The model id, such as ``"deepseek-v4-pro"`` or ``"qwen3.7-plus"``.
        api_key: The API key; if None, ``DASHSCOPE_API_KEY``.
        region: A region id or an alias; if None, that of ``mode``, else Singapore.
        mode: The deployment mode; if None, the region's default.
        workspace: The workspace id; some regions need it.
        protocol: ``"openai"`` or ``"dashscope"``; both give the same answers.
        base_url: An address of one's own; ``api_base`` is the same.
        timeout: Seconds of silence to bear, or ``(connect, read)``.
        max_retries: How often a failed request is sent again, at most.
        enable_thinking: Whether to think; None is the model's own default.
        context_window: Tokens of prompt and answer; if None, the catalog's.
        is_function_calling_model: Whether it calls tools; if None, the catalog's.
        **arguments: The other chat arguments, see ``ChatArguments``, and what
            ``FunctionCallingLLM`` takes.

    Raises:
        ConfigurationError: An argument is unknown or wrong, or the key is missing.

    Example:
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     llm = ModelStudio(
        ...         model="deepseek-v4-pro",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     response = llm.complete("Who are you?")
        >>> bool(response.text and response.additional_kwargs["reasoning_content"])
        True
    """

    argument_aliases: ClassVar[Mapping[str, str]] = {"api_base": "base_url"}

    context_window: int | None = Field(default=None, gt=0)
    """Tokens of prompt and answer together; None: as the catalog says."""

    is_function_calling_model: bool | None = None
    """Whether the model calls tools; None: as the catalog says."""

    @classmethod
    @override
    def class_name(cls) -> str:
        """Return the name that the class is serialized under."""
        return "ModelStudio"

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedChat:
        return _one_answer(super()._decide(arguments))

    @property
    @override
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex wants to know of the model, from the catalog."""
        profile = self.resolved.model.profile
        tools = self.is_function_calling_model
        return LLMMetadata(
            context_window=self.context_window
            or profile.context_window
            or _CONTEXT_WINDOW,
            # Prompts give up this much room: the model's own maximum would leave none.
            num_output=self.max_tokens or self.max_completion_tokens or -1,
            is_chat_model=True,
            is_function_calling_model=(
                profile.tools is not False if tools is None else tools
            ),
            model_name=profile.id,
        )

    @override
    def to_payload(self) -> dict[str, Any]:
        """Return what observers may see: no key, no header."""
        seen = {"model": self.resolved_model, "temperature": self.temperature}
        return {
            **super().to_payload(),
            **{name: value for name, value in seen.items() if value is not None},
        }

    @override
    def to_dict(self, **kwargs: Any) -> dict[str, Any]:
        """Return the arguments, those that the environment decided included."""
        return {**super().to_dict(**kwargs), **self.scope_arguments()}

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Pickle what the environment decided too: a worker's may be another."""
        state = super().__getstate__()
        state["__dict__"] = {**state["__dict__"], **self.scope_arguments()}
        return state

    # --- Calls ----------------------------------------------------------------------

    @llm_chat_callback()
    @override
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a conversation.

        Args:
            messages: The conversation.
            **kwargs: Chat arguments for this call; they win over the constructor's.

        Raises:
            ModelStudioError: An argument is wrong, or there is no whole answer.
        """
        return self._answer(messages, kwargs)

    @llm_completion_callback()
    @override
    def complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """Answer a prompt; see ``chat``."""
        messages = self._to_messages(prompt, formatted=formatted)
        return to_completion_response(self._answer(messages, kwargs))

    @chat_stream
    @override
    def stream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseGen:
        """Answer a conversation piece by piece; see ``chat``."""
        return self._stream_answer(self._exchange(messages, kwargs, stream=True))

    @completion_stream
    @override
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Answer a prompt piece by piece; see ``chat``."""
        messages = self._to_messages(prompt, formatted=formatted)
        exchange = self._exchange(messages, kwargs, stream=True)

        def responses() -> CompletionResponseGen:
            with closing(self._stream_answer(exchange)) as answer:
                for response in answer:
                    yield to_completion_response(response)

        return responses()

    @llm_chat_callback()
    @override
    async def achat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponse:
        """Answer a conversation; see ``chat``."""
        return await self._aanswer(messages, kwargs)

    @llm_completion_callback()
    @override
    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """Answer a prompt; see ``chat``."""
        messages = self._to_messages(prompt, formatted=formatted)
        return to_completion_response(await self._aanswer(messages, kwargs))

    @chat_stream
    @override
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Answer a conversation piece by piece; see ``chat``."""
        return self._astream_answer(self._exchange(messages, kwargs, stream=True))

    @completion_stream
    @override
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Answer a prompt piece by piece; see ``chat``."""
        messages = self._to_messages(prompt, formatted=formatted)
        exchange = self._exchange(messages, kwargs, stream=True)

        async def responses() -> CompletionResponseAsyncGen:
            async with aclosing(self._astream_answer(exchange)) as answer:
                async for response in answer:
                    yield to_completion_response(response)

        return responses()

    # The same without LlamaIndex's callbacks: one of its methods that called another
    # would report, and count, each call twice.

    def _answer(
        self, messages: Sequence[ChatMessage], call: dict[str, Any]
    ) -> ChatResponse:
        exchange = self._exchange(messages, call, stream=False)
        return to_response(calls.generate(exchange)[0], exchange.plan)

    async def _aanswer(
        self, messages: Sequence[ChatMessage], call: dict[str, Any]
    ) -> ChatResponse:
        exchange = self._exchange(messages, call, stream=False)
        return to_response((await calls.agenerate(exchange))[0], exchange.plan)

    def _stream_answer(self, exchange: ChatCall) -> ChatResponseGen:
        so_far = Completion()
        with closing(calls.stream(exchange)) as events:
            for event in events:
                so_far.add(event)
                yield to_delta_response(event, so_far, exchange.plan)

    async def _astream_answer(self, exchange: ChatCall) -> ChatResponseAsyncGen:
        so_far = Completion()
        async with aclosing(calls.astream(exchange)) as events:
            async for event in events:
                so_far.add(event)
                yield to_delta_response(event, so_far, exchange.plan)

    def _to_messages(self, prompt: str, *, formatted: bool) -> list[ChatMessage]:
        to_prompt = self.completion_to_prompt
        text = prompt if formatted or to_prompt is None else to_prompt(prompt)
        return [ChatMessage(role=MessageRole.USER, content=text)]

    def _exchange(
        self, messages: Sequence[ChatMessage], call: dict[str, Any], *, stream: bool
    ) -> ChatCall:
        if (call.get("n") or 1) != 1:
            raise _too_many(call["n"])
        return self._prepare_call(from_messages(messages), call, stream=stream)


def _one_answer(resolved: ResolvedChat) -> ResolvedChat:
    if (resolved.options.n or 1) != 1:
        raise _too_many(resolved.options.n)
    return resolved


def _too_many(n: object) -> ConfigurationError:
    return ConfigurationError(f"n={n} cannot be used: LlamaIndex takes one answer.")
