"""``ChatModelStudio``: chat models of Model Studio as a LangChain chat model."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import replace
from typing import Any, ClassVar, Self, cast

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import LanguageModelInput, ModelProfile
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import BaseModel, model_validator
from typing_extensions import override

from langchain_modelstudio._chat.answers import to_message
from langchain_modelstudio._chat.blocks import PROVIDER
from langchain_modelstudio._chat.chunks import to_chunk
from langchain_modelstudio._chat.messages import from_messages
from langchain_modelstudio._chat.profile import to_profile
from langchain_modelstudio._chat.structured import (
    CALL_IS_CHECKED,
    StructuredOutputMethod,
    structured_output,
)
from langchain_modelstudio._chat.tools import Schema, Tool, to_response_format, to_tools
from langchain_modelstudio.errors import langchain_errors
from modelstudio_core import __version__
from modelstudio_core.catalog import resolve_model
from modelstudio_core.chat import calls
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.chat.calls import ChatCall
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.options import OPTION_NAMES
from modelstudio_core.chat.plan import MODEL_ARGUMENTS, takes_json_schema
from modelstudio_core.endpoints import API_KEY_VARIABLE
from modelstudio_core.errors import ConfigurationError

__all__ = ["ChatModelStudio"]

# About so many bytes of UTF-8 make a token, in English and in Chinese alike.
_BYTES_PER_TOKEN = 4


class ChatModelStudio(ChatArguments, BaseChatModel):
    """A chat model of Alibaba Cloud Model Studio.

    The answer's text is ``message.content``; what the model thought before it is
    ``message.additional_kwargs["reasoning_content"]``, and a reasoning block in
    ``message.content_blocks``. Every chat argument can be given per call as well.

    Args:
        model: The model id, such as ``"deepseek-v4-pro"`` or ``"qwen3.7-plus"``.
        api_key: The API key; if None, ``DASHSCOPE_API_KEY``.
        region: A region id or an alias; if None, that of ``mode``, else Singapore.
        mode: The deployment mode; if None, the region's default.
        workspace: The workspace id; some regions need it.
        protocol: ``"openai"`` or ``"dashscope"``; both give the same answers.
        base_url: An address of one's own.
        timeout: Seconds of silence to bear, or ``(connect, read)``.
        max_retries: How often a failed request is sent again, at most.
        enable_thinking: Whether to think; None is the model's own default.
        stream_usage: Whether streams end with their token counts.
        **arguments: The other chat arguments, see ``ChatArguments``, and what
            ``BaseChatModel`` takes.

    Raises:
        ConfigurationError: An argument is unknown or wrong, or the key is missing.

    Example:
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     llm = ChatModelStudio(
        ...         model="deepseek-v4-pro",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     message = llm.invoke("Who are you?")
        >>> bool(message.content and message.additional_kwargs["reasoning_content"])
        True
    """

    argument_aliases: ClassVar[Mapping[str, str]] = {
        "model_name": "model",
        "stop_sequences": "stop",
        "dashscope_api_key": "api_key",
    }

    streaming: bool = False
    """Whether ``invoke`` streams underneath, so that callbacks see tokens."""

    stream_usage: bool = True
    """Whether streams end with their token counts."""

    # --- What LangChain asks of a model ---------------------------------------------

    @property
    @override
    def _llm_type(self) -> str:
        return "modelstudio-chat"

    @property
    def model_name(self) -> str:
        """The model id, as it is asked for."""
        return self.model

    @property
    @override
    def _identifying_params(self) -> dict[str, Any]:
        """All that changes an answer, for traces and caches."""
        resolved = self.resolved
        said = {name: getattr(resolved.options, name) for name in OPTION_NAMES}
        return {
            "model": self.resolved_model,
            "base_url": resolved.connection.base_url,
            "protocol": self.protocol,
            **self.scope_arguments(),
            **{name: value for name, value in said.items() if value is not None},
        }

    @classmethod
    @override
    def is_lc_serializable(cls) -> bool:
        return True

    @property
    @override
    def lc_secrets(self) -> dict[str, str]:
        return {"api_key": API_KEY_VARIABLE}

    @property
    @override
    def lc_attributes(self) -> dict[str, Any]:
        return self.scope_arguments()

    @override
    def _resolve_model_profile(self) -> ModelProfile | None:
        return to_profile(resolve_model(self.resolved_model or self.model))

    @model_validator(mode="after")
    def _set_modelstudio_version(self) -> Self:
        self._add_version("modelstudio-integrations", __version__)
        return self

    @override
    def _get_ls_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> LangSmithParams:
        said = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        said |= {k: v for k, v in kwargs.items() if v is not None and k in said}
        params = LangSmithParams(
            ls_provider=PROVIDER,
            ls_model_name=self._model_sent(kwargs),
            ls_model_type="chat",
        )
        if said["temperature"] is not None:
            params["ls_temperature"] = float(said["temperature"])
        if said["max_tokens"] is not None:
            params["ls_max_tokens"] = int(said["max_tokens"])
        stops = self.stop if stop is None else stop
        if stops:
            params["ls_stop"] = [stops] if isinstance(stops, str) else list(stops)
        return params

    def _model_sent(self, call: Mapping[str, Any]) -> str:
        """Return the id that a call sends, without telling anybody of it."""
        said = {name: call.get(name) for name in MODEL_ARGUMENTS}
        if all(value is None for value in said.values()):
            return self.resolved.model.profile.id
        try:
            return self.resolved.with_model(**said).model.profile.id
        except ConfigurationError:
            # The call itself says what is wrong with it.
            return str(said["model"] or self.model)

    @override
    def get_num_tokens(self, text: str) -> int:
        """Estimate a text's tokens, without a tokenizer and without the network.

        Args:
            text: Any text.

        Returns:
            A quarter of its bytes in UTF-8, rounded up; exact where
            ``custom_get_token_ids`` is given.
        """
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return -(-len(text.encode(errors="replace")) // _BYTES_PER_TOKEN)

    @override
    def get_num_tokens_from_messages(
        self,
        messages: list[BaseMessage],
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool]
        | None = None,
    ) -> int:
        """Estimate a prompt's tokens, its tools included."""
        return count_tokens_approximately(messages, tools=cast("Any", tools))

    # --- Tools and schemas ----------------------------------------------------------

    @override
    def bind_tools(
        self,
        tools: Sequence[Tool],
        *,
        tool_choice: str | Mapping[str, Any] | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Schema | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with tools that it may call.

        Args:
            tools: Functions, Pydantic classes, TypedDicts, ``BaseTool``s, or dicts in
                the shape of OpenAI, Anthropic or JSON schema. An empty list is none.
            tool_choice: ``"auto"``, ``"none"``, ``"any"`` (or ``True``) for any call,
                the name of the one tool to call, or the OpenAI object. What becomes of
                a forced call while the model thinks is ``forced_tool_choice``'s matter.
                An answer without the call that was forced is a ``ToolChoiceError``.
            strict: Whether calls must match the schemas exactly; None says nothing.
            parallel_tool_calls: Whether one answer may hold several calls; None is the
                service's default, which is False.
            response_format: A schema, or OpenAI's object, for answers without a call.
            **kwargs: Chat arguments to bind as well.

        Raises:
            ConfigurationError: A tool cannot be converted, or ``tool_choice`` names
                none of them.

        Example:
            >>> def add(a: int, b: int) -> int:
            ...     "Add two numbers."
            ...     return a + b
            >>> from modelstudio_core.emulator import Emulator
            >>> with Emulator() as studio:
            ...     llm = ChatModelStudio(
            ...         model="qwen3.7-plus",
            ...         base_url=studio.base_url,
            ...         api_key=studio.api_key,
            ...     )
            ...     message = llm.bind_tools([add]).invoke("Add 3 and 4.")
            >>> message.tool_calls[0]["name"]
            'add'
        """
        with langchain_errors():
            choice = _choice(tool_choice)
            bound: dict[str, Any] = {
                "tools": to_tools(tools, choice, strict) or None,
                "tool_choice": choice,
                "parallel_tool_calls": parallel_tool_calls,
            }
            if response_format is not None:
                bound["response_format"] = to_response_format(response_format, strict)
        bound = {name: value for name, value in bound.items() if value is not None}
        return self.bind(**bound, **kwargs)

    @override
    def with_structured_output(
        self,
        schema: Schema | None = None,
        *,
        method: StructuredOutputMethod | None = None,
        include_raw: bool = False,
        strict: bool | None = None,
        tools: Sequence[Tool] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Return what answers in the shape of a schema.

        Args:
            schema: A Pydantic class (2 or 1), a TypedDict, a JSON schema with a title,
                or an OpenAI function. Only ``"json_mode"`` does without.
            method: ``"function_calling"`` (a tool that must be called),
                ``"json_schema"`` or ``"json_mode"`` (a JSON object; what the service
                demands of the prompt is added to it). None is ``"json_schema"`` where
                the model is known to take it, thinking as it does, else
                ``"function_calling"``.
            include_raw: Whether to return ``raw``, ``parsed`` and ``parsing_error``.
            strict: Whether the answer must match the schema exactly; None says nothing.
            tools: Tools that may be called first, with ``"json_schema"`` only; the
                answer is then None, and ``include_raw`` has the calls.
            **kwargs: Chat arguments to bind as well.

        Returns:
            What gives an object of a Pydantic class, else a dict. Streamed, it gives
            what has come so far. An answer of another shape, or one that was cut off,
            is an ``OutputParserException``; with ``include_raw``, ``parsing_error``.

        Raises:
            ConfigurationError: An argument is wrong, or two contradict each other.

        Example:
            >>> from pydantic import BaseModel
            >>> from modelstudio_core.emulator import Emulator
            >>> class Joke(BaseModel):
            ...     setup: str
            ...     punchline: str
            >>> with Emulator() as studio:
            ...     llm = ChatModelStudio(
            ...         model="qwen3.7-plus",
            ...         base_url=studio.base_url,
            ...         api_key=studio.api_key,
            ...     )
            ...     joke = llm.with_structured_output(Joke).invoke("Tell me a joke.")
            >>> type(joke).__name__
            'Joke'
        """
        with langchain_errors():
            return structured_output(
                self,
                schema,
                method=method or self._structured_output_method(kwargs),
                include_raw=include_raw,
                strict=strict,
                tools=tools,
                **kwargs,
            )

    def _structured_output_method(
        self, bound: Mapping[str, Any]
    ) -> StructuredOutputMethod:
        known = {k: v for k, v in bound.items() if k in OPTION_NAMES + MODEL_ARGUMENTS}
        chat = self.resolved.with_call(known)
        works = takes_json_schema(chat.options, chat.model)
        return "json_schema" if works else "function_calling"

    # --- Calls ----------------------------------------------------------------------

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with langchain_errors():
            exchange = self._exchange(messages, stop, kwargs, stream=False)
            return _to_result(calls.generate(exchange), exchange)

    @override
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with langchain_errors():
            exchange = self._exchange(messages, stop, kwargs, stream=False)
            return _to_result(await calls.agenerate(exchange), exchange)

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with langchain_errors():
            exchange = self._exchange(messages, stop, kwargs, stream=True)
            with closing(calls.stream(exchange)) as events:
                for event in events:
                    chunk = to_chunk(event, exchange.plan)
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with langchain_errors():
            exchange = self._exchange(messages, stop, kwargs, stream=True)
            async with aclosing(calls.astream(exchange)) as events:
                async for event in events:
                    chunk = to_chunk(event, exchange.plan)
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk

    def _exchange(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        call: dict[str, Any],
        *,
        stream: bool,
    ) -> ChatCall:
        # LangChain's own switches: they chose the method that runs now.
        said = {k: v for k, v in call.items() if k not in {"stream", "stream_usage"}}
        if stop is not None:
            said["stop"] = stop
        checked = bool(said.pop(CALL_IS_CHECKED, False))
        _convert(said)
        usage = call.get("stream_usage")
        exchange = self._prepare_call(
            from_messages(messages),
            said,
            stream=stream,
            include_usage=self.stream_usage if usage is None else bool(usage),
        )
        return _demanding(exchange, call=not checked)


def _demanding(exchange: ChatCall, *, call: bool) -> ChatCall:
    """Make an answer without the call that was forced an error, or no error.

    ``create_agent`` asks again for ever where its schema is not called.
    """
    plan = exchange.plan
    forced = plan.options.tool_choice not in (None, "auto", "none")
    if plan.call_required == call or not (plan.call_required or forced):
        return exchange
    return replace(exchange, plan=replace(plan, call_required=call))


def _convert(call: dict[str, Any]) -> None:
    """Convert what a call says of tools and formats, as ``bind_tools`` does."""
    tools, response_format = call.get("tools"), call.get("response_format")
    if isinstance(tools, list | tuple):
        given = cast("Sequence[Tool]", tools)
        if not all(map(_is_openai_tool, given)):
            call["tools"] = to_tools(given)
    if isinstance(call.get("tool_choice"), bool):
        call["tool_choice"] = _choice(call["tool_choice"])
    if isinstance(response_format, type) or (
        isinstance(response_format, dict) and _NAMED & response_format.keys()
    ):
        call["response_format"] = to_response_format(cast("Schema", response_format))


# A schema has a title or a name, and OpenAI's object has neither.
_NAMED = frozenset({"title", "name", "function"})


def _is_openai_tool(tool: object) -> bool:
    return isinstance(tool, dict) and "function" in tool


def _choice(
    tool_choice: str | Mapping[str, Any] | bool | None,
) -> str | Mapping[str, Any] | None:
    if isinstance(tool_choice, bool):
        return "any" if tool_choice else None
    return tool_choice


def _to_result(completions: list[Completion], exchange: ChatCall) -> ChatResult:
    messages = [to_message(it, exchange.plan) for it in completions]
    if messages:
        # The usage is that of all choices together: it stands on the first.
        for other in messages[1:]:
            other.usage_metadata = None
    return ChatResult(generations=[ChatGeneration(message=it) for it in messages])
