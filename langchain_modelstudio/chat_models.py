"""``ChatModelStudio``: the chat models of Model Studio as a LangChain chat model."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self, cast

from langchain_core.caches import BaseCache
from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import LanguageModelInput, ModelProfile
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import (
    ChatGenerationChunk,
    ChatResult,
    LLMResult,
)
from langchain_core.prompt_values import ChatPromptValue, PromptValue
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import BaseModel, model_validator
from typing_extensions import override

from langchain_modelstudio._chat.answers import (
    combine_llm_outputs,
    to_message,
    to_result,
)
from langchain_modelstudio._chat.blocks import register_blocks
from langchain_modelstudio._chat.chunks import ChunkBuilder
from langchain_modelstudio._chat.image_types import add_image_types, lacks_image_type
from langchain_modelstudio._chat.messages import from_messages
from langchain_modelstudio._chat.profile import to_profile
from langchain_modelstudio._chat.structured import (
    CALL_IS_CHECKED,
    JSON_SCHEMA,
    StructuredOutputMethod,
    structured_output,
)
from langchain_modelstudio._chat.tools import (
    Schema,
    Tool,
    to_options,
    to_response_format,
    to_tool_choice,
    to_tools,
)
from langchain_modelstudio._provider import PROVIDER
from langchain_modelstudio.errors import langchain_errors
from modelstudio_core import __version__
from modelstudio_core.arguments import Resolved
from modelstudio_core.catalog import resolve_model
from modelstudio_core.chat import calls
from modelstudio_core.chat.arguments import BATCH_TEXT, ChatArguments
from modelstudio_core.chat.calls import ChatCall
from modelstudio_core.chat.forced_calls import converted_answer
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.options import OPTION_NAMES
from modelstudio_core.chat.plan import supports_json_schema
from modelstudio_core.chat.resolved import MODEL_ARGUMENTS
from modelstudio_core.connection_arguments import replace_aliases
from modelstudio_core.endpoints import API_KEY_VARIABLE
from modelstudio_core.errors import APIError, ConfigurationError

__all__ = ["ChatModelStudio"]

register_blocks()

# A rough average of English and Chinese text.
_UTF8_BYTES_PER_TOKEN = 4
# The account of an async call that is about to look into a cache of answers.
_account: ContextVar[str | None] = ContextVar("_account", default=None)


class ChatModelStudio(ChatArguments, BaseChatModel):
    """A chat model of Alibaba Cloud Model Studio.

    The answer's text is ``message.content``. The model's reasoning is
    ``message.additional_kwargs["reasoning_content"]``, and a reasoning block in
    ``message.content_blocks``.

    The arguments from ``temperature`` to ``replacements``, and ``model``, can also be
    given per call, as in ``llm.invoke(prompt, temperature=0)``. The exceptions are in
    ``langchain_modelstudio.errors``.

    Args:
        model (str): Model id, such as ``"deepseek-v4-pro"`` or ``"qwen3.7-plus"``.
            ``model_name`` is an alias.
        api_key (SecretStr | str | Callable | None = None): API key, or a function that
            returns it before each request. Default: ``DASHSCOPE_API_KEY``.
            ``dashscope_api_key`` is an alias.
        region (str | None = None): Region id or alias. Default: the region of ``mode``,
            else ``DASHSCOPE_REGION``, else ``"ap-southeast-1"`` (Singapore).
        mode (str | None = None): Deployment mode, which decides where inference runs.
            Default: ``DASHSCOPE_MODE`` if ``region`` is not given, else the default of
            the region.
        workspace (str | None = None): Workspace id, which some regions require.
            Default: ``DASHSCOPE_WORKSPACE_ID``, else ``DASHSCOPE_WORKSPACE``.
        protocol (str = "openai"): ``"openai"`` (OpenAI compatible) or ``"dashscope"``
            (native).
        base_url (str | None = None): Custom base URL, such as that of a gateway,
            instead of the one of region, mode and workspace.
        allow_insecure_http (bool = False): Whether ``http://`` is allowed for hosts
            other than loopback.
        timeout (float | tuple | None = 600.0): Seconds without data after which a
            request fails, or ``(connect, read)``. With one number, connecting may take
            10 seconds. None is no limit.
        total_timeout (float | None = None): Seconds for a whole answer, with retries,
            waits and streaming. None is no limit. It is an argument of each call, too.
        max_error_bytes (int = 1048576): Largest body of an error in bytes, decoded.
        max_event_bytes (int = 16777216): Largest event of a stream in bytes.
        max_response_bytes (int = 268435456): Largest answer in bytes, decoded.
        max_retries (int = 2): How often a failed request is repeated.
        default_headers (Mapping[str, SecretStr | str] | None = None): Headers that are
            sent with each request.
        http_client (httpx.Client | None = None): HTTP client for synchronous calls;
            with openai 3, an ``httpx2.Client``.
        http_async_client (httpx.AsyncClient | None = None): HTTP client for
            asynchronous calls; with openai 3, an ``httpx2.AsyncClient``.
        limiter (RateLimit | None = None): Limit of requests and tokens a minute, a
            ``modelstudio_core.limits.RateLimit``. Each HTTP request to a model waits
            for it, retries included.
        temperature (float | None = None): Sampling temperature in [0, 2).
        top_p (float | None = None): Nucleus sampling probability in (0, 1].
        top_k (int | None = None): Number of candidate tokens for sampling; above 100,
            no limit.
        max_tokens (int | None = None): Limit of tokens in the answer; for most models,
            reasoning is not counted.
        max_completion_tokens (int | None = None): Limit of tokens in reasoning and
            answer together.
        stop (str | list[str] | None = None): Texts that end the answer; they do not end
            reasoning. ``stop_sequences`` is an alias.
        seed (int | None = None): Random seed in [0, 2**63 - 1], for more similar
            answers.
        n (int | None = None): Number of answers, 1 to 4; not for streams or with tools.
        presence_penalty (float | None = None): Penalty in [-2, 2] for tokens that
            occurred before.
        repetition_penalty (float | None = None): Penalty above 0 for repeated text; 1
            is none.
        logprobs (bool | None = None): Whether log probabilities are returned.
        top_logprobs (int | None = None): Number of candidates with log probabilities
            for each token, 0 to 5.
        parallel_tool_calls (bool | None = None): Whether one answer may have several
            tool calls.
        response_format (dict | None = None): Format of the answer:
            ``{"type": "json_object"}``, or a ``json_schema`` in the format of the
            OpenAI API.
        enable_thinking (bool | None = None): Whether the model thinks before it
            answers. Default: the model's own.
        thinking_budget (int | None = None): Limit of tokens in the reasoning.
        reasoning_effort (str | None = None): Amount of reasoning, such as ``"high"``,
            for models that support it.
        preserve_thinking (bool | None = None): Whether the reasoning of earlier answers
            is sent back.
        enable_search (bool | None = None): Whether the service may search the web.
        search_options (dict | None = None): Options of the web search.
        modalities (list[str] | None = None): ``["text", "audio"]`` makes a Qwen-Omni
            model speak.
        audio (dict | None = None): Voice and format of the speech, as in
            ``{"voice": "Tina", "format": "wav"}``.
        translation_options (dict | None = None): Languages and terms of a Qwen-MT
            model, as in ``{"source_lang": "auto", "target_lang": "English"}``.
        tool_stream (bool | None = None): Whether the arguments of tool calls are
            streamed in pieces. Default: only for GLM models, which need it.
        enable_code_interpreter (bool | None = None): Whether the service may run code.
        vl_high_resolution_images (bool | None = None): Whether images are seen in their
            highest resolution.
        ocr_options (dict | None = None): Task of a Qwen-OCR model, as in
            ``{"task": "table_parsing"}``.
        context_cache (str | None = None): ``"auto"`` marks the system message, the
            last message and the end of the turn before for the explicit cache.
        extra_body (dict | None = None): Parameters of the request that have no argument
            here, sent unchanged.
        local_files (bool = False): Whether addresses in messages may be files on this
            machine.
        upload_media (bool = False): Whether local files that are too large for a
            request are uploaded to the temporary storage of Model Studio, which is on
            another host.
        forced_tool_choice (str = "disable_thinking"): What happens where a tool is
            forced while the model thinks: ``"disable_thinking"`` for the request,
            ``"auto"`` sends that instead and raises ``ToolChoiceError`` if no call
            comes, ``"error"`` raises before anything is sent.
        forced_tool_choice_retries (int = 0): How often to ask again, each time at its
            price, where a forced tool call did not come.
        deprecated_models (str = "replace"): For a delisted model: ``"replace"`` it,
            ``"keep"`` it, or raise an ``"error"``.
        replacements (dict[str, str] | None = None): Replacements for delisted models,
            by model id; others are the recommended ones.
        batch_chat (bool = False): Whether calls are made at half the price and answered
            within an hour, in China (Beijing) without a workspace only: on their own
            host, with ``timeout=3600``, without streams.
        streaming (bool = False): Whether ``invoke`` streams, so that callbacks see
            tokens.
        stream_usage (bool = True): Whether streams end with the token counts.
        resolved_model (str | None = None): Read only: the model id that is sent.
        cache (BaseCache | bool | None = None): LangChain's cache of answers.
        rate_limiter (BaseRateLimiter | None = None): LangChain's limiter of calls.
        disable_streaming (bool | str = False): Whether ``stream`` calls ``invoke``;
            with ``"tool_calling"`` only for calls with tools.
        output_version (str | None = None): With ``"v1"``, ``message.content`` has
            standard content blocks. Default: ``LC_OUTPUT_VERSION``.
        profile (ModelProfile | None = None): Capabilities of the model. Default: from
            the catalog.
        custom_get_token_ids (Callable | None = None): Tokenizer for token counts.
        name (str | None = None): Name of the runnable in traces.
        callbacks (Callbacks = None): Callbacks of every run.
        tags (list[str] | None = None): Tags of every run.
        metadata (dict | None = None): Metadata of every run.
        verbose (bool = False): Whether LangChain prints the answers.

    Raises:
        ConfigurationError: An argument is unknown or invalid, or the API key is
            missing.

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
    """Whether ``invoke`` streams, so that callbacks see tokens."""

    stream_usage: bool = True
    """Whether streams end with the token counts."""

    # --- Identity and profile -------------------------------------------------------

    @property
    @override
    def _llm_type(self) -> str:
        return "modelstudio-chat"

    @property
    def model_name(self) -> str:
        """The requested model id: another name of ``model``."""
        return self.model

    @property
    @override
    def _identifying_params(self) -> dict[str, Any]:
        """Everything that changes an answer, for traces and caches."""
        resolved = self.resolved
        options = {name: getattr(resolved.options, name) for name in OPTION_NAMES}
        return {
            "model": self.resolved_model,
            "base_url": resolved.connection.base_url,
            "protocol": self.protocol,
            **self.scope_arguments(),
            **{name: value for name, value in options.items() if value is not None},
        }

    @override
    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """Return the part of a cache's key that is not the prompt.

        Accounts that share a cache must not get each other's answers.
        """
        text = super()._get_llm_string(stop=stop, **kwargs)
        # Once: what runs later in this context may be the call of another account.
        account = _account.get()
        _account.set(None)
        return f"{text}---{account or self.resolved.connection.account}"

    @override
    async def _agenerate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        """Ask for the account of the cache's key in a thread: a function may wait."""
        cache = self.cache if isinstance(self.cache, BaseCache) else get_llm_cache()
        if cache is not None and self.cache is not False:
            _account.set(await self.resolved.connection.aaccount())
        return await super()._agenerate_with_cache(*args, **kwargs)

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

    @classmethod
    @override
    def _current_arguments(
        cls, arguments: dict[str, Any], resolved: Resolved
    ) -> dict[str, Any]:
        """Drop the catalog's profile of the model before, as configurable fields pass.

        Args:
            arguments: What was passed to the constructor.
            resolved: What it resolves to.
        """
        before, profile = arguments.get("resolved_model"), arguments.get("profile")
        if not before or before == resolved.model.profile.id or profile is None:
            return arguments
        if profile != to_profile(resolve_model(before)):
            return arguments
        return {k: v for k, v in arguments.items() if k != "profile"}

    @override
    def _after_resolving(self, before: Resolved | None) -> None:
        """Update ``profile`` for a new model, unless the user passed a profile.

        Args:
            before: The resolution that is replaced; None at construction, where
                LangChain sets the profile.
        """
        model = self.resolved.model.profile
        if before is None or before.model.profile == model:
            return
        if self.profile == to_profile(before.model.profile):
            self.profile = to_profile(model)

    @model_validator(mode="after")
    def _set_modelstudio_version(self) -> Self:
        """Add this package to ``lc_versions``, which LangChain shows in traces."""
        metadata = self.metadata or {}
        versions = metadata.get("lc_versions", {})
        if isinstance(versions, Mapping):
            versions = cast("Mapping[str, str]", versions)
            versions = {**versions, "modelstudio-integrations": __version__}
            self.metadata = {**metadata, "lc_versions": versions}
        return self

    @override
    def _get_ls_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> LangSmithParams:
        options = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        options |= {k: v for k, v in kwargs.items() if k in options and v is not None}
        params = LangSmithParams(
            ls_provider=PROVIDER,
            ls_model_name=self._sent_model(kwargs),
            ls_model_type="chat",
        )
        # A value of another type is refused where the call is planned.
        if isinstance(temperature := options["temperature"], int | float):
            params["ls_temperature"] = temperature
        if isinstance(max_tokens := options["max_tokens"], int):
            params["ls_max_tokens"] = max_tokens
        texts = self.stop if stop is None else stop
        if texts:
            params["ls_stop"] = (
                [*texts] if isinstance(texts, list | tuple) else [str(texts)]
            )
        return params

    def _sent_model(self, arguments: dict[str, Any]) -> str:
        """Return the model id that a call sends, without a deprecation warning."""
        try:
            renamed = replace_aliases(type(self), arguments)
            selection = {name: renamed.get(name) for name in MODEL_ARGUMENTS}
            if all(value is None for value in selection.values()):
                return self.resolved.model.profile.id
            return self.resolved.with_model(**selection).model.profile.id
        except ConfigurationError:
            # The call itself raises this error.
            return str(arguments.get("model") or self.model)

    @override
    def get_num_tokens(self, text: str) -> int:
        """Estimate the number of tokens of a text, without a tokenizer or the network.

        Args:
            text: Any text.

        Returns:
            A quarter of the text's bytes in UTF-8, rounded up. With
            ``custom_get_token_ids``, the number of its tokens.
        """
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return -(-len(text.encode(errors="replace")) // _UTF8_BYTES_PER_TOKEN)

    @override
    def get_num_tokens_from_messages(
        self,
        messages: list[BaseMessage],
        tools: Sequence[dict[str, Any] | type | Callable[..., object] | BaseTool]
        | None = None,
    ) -> int:
        """Estimate the number of tokens of a prompt and its tools.

        Args:
            messages: The messages of the prompt.
            tools: The tools of the request, in any form that ``bind_tools`` accepts.

        Returns:
            LangChain's approximation, without a tokenizer or the network.
        """
        typed_tools = cast("list[BaseTool | dict[str, Any]] | None", tools)
        return count_tokens_approximately(messages, tools=typed_tools)

    # --- Tools and schemas ----------------------------------------------------------

    @override
    def bind_tools(
        self,
        tools: Sequence[Tool],
        *,
        tool_choice: str | Mapping[str, object] | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Schema | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with tools that it may call.

        Args:
            tools: Functions, Pydantic classes, TypedDicts, ``BaseTool`` objects, or
                dicts in the form of OpenAI, Anthropic or JSON schema. An empty list
                binds no tools.
            tool_choice: ``"auto"``, ``"none"``, ``"any"`` (or True) for at least one
                call, the name of the tool to call, or a dict of OpenAI's or Anthropic's
                that means one of these. For a forced call with thinking see
                ``forced_tool_choice`` of the constructor. An answer without the forced
                call raises ``ToolChoiceError``.
            strict: Whether the arguments must match the schemas exactly; None sends
                nothing.
            parallel_tool_calls: Whether an answer may contain several calls; None is
                the service's default, which is False.
            response_format: A schema or OpenAI's object for answers without a call.
            **kwargs: Other chat arguments to bind.

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
            choice = to_tool_choice(tool_choice)
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
        """Return a runnable whose answers match a schema.

        Args:
            schema: A Pydantic class (2 or 1), a TypedDict, a JSON schema with a title,
                or an OpenAI function. It is optional for ``"json_mode"`` only.
            method: ``"function_calling"`` (a forced tool call), ``"json_schema"`` or
                ``"json_mode"`` (a JSON object; the instruction that the service
                requires is added to the prompt). None is ``"json_schema"`` if the model
                is known to support it with the current thinking, else
                ``"function_calling"``.
            include_raw: Whether to return ``raw``, ``parsed`` and ``parsing_error``.
            strict: Whether the answer must match the schema exactly; None sends
                nothing.
            tools: Tools that the model may call first, with ``"json_schema"`` only. The
                parsed answer is None then; ``include_raw`` returns the calls.
            **kwargs: Other chat arguments to bind.

        Returns:
            A runnable that returns an object of a Pydantic class, else a dict. A stream
            yields partial answers. An answer that does not match or was cut off raises
            ``OutputParserException``; with ``include_raw`` it is the ``parsing_error``.

        Raises:
            ConfigurationError: An argument is invalid, or two contradict each other.

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
        self, bound: dict[str, Any]
    ) -> StructuredOutputMethod:
        names = OPTION_NAMES + MODEL_ARGUMENTS
        arguments = replace_aliases(type(self), bound)
        options = {name: value for name, value in arguments.items() if name in names}
        chat = self.resolved.with_call(options)
        supported = supports_json_schema(chat.options, chat.model)
        return "json_schema" if supported else "function_calling"

    # --- Calls ----------------------------------------------------------------------

    @override
    def _combine_llm_outputs(
        self, llm_outputs: list[dict[str, Any] | None]
    ) -> dict[str, Any]:
        return combine_llm_outputs(llm_outputs)

    @override
    def _convert_input(self, model_input: LanguageModelInput) -> PromptValue:
        prompt = super()._convert_input(model_input)
        messages = prompt.messages if isinstance(prompt, ChatPromptValue) else ()
        if not any(map(lacks_image_type, messages)):
            return prompt
        return ChatPromptValue(messages=add_image_types(messages))

    @override
    def generate(
        self, messages: list[list[BaseMessage]], *args: Any, **kwargs: Any
    ) -> LLMResult:
        prompts = [add_image_types(prompt) for prompt in messages]
        return super().generate(prompts, *args, **kwargs)

    @override
    async def agenerate(
        self, messages: list[list[BaseMessage]], *args: Any, **kwargs: Any
    ) -> LLMResult:
        prompts = [add_image_types(prompt) for prompt in messages]
        return await super().agenerate(prompts, *args, **kwargs)

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with langchain_errors():
            call = self._to_call(messages, stop, kwargs, stream=False)
            with converted_answer(partial(to_message, plan=call.plan)):
                return to_result(calls.generate(call), call.plan)

    @override
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with langchain_errors():
            call = self._to_call(messages, stop, kwargs, stream=False)
            with converted_answer(partial(to_message, plan=call.plan)):
                return to_result(await calls.agenerate(call), call.plan)

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with langchain_errors():
            call = self._to_call(messages, stop, kwargs, stream=True)
        builder = ChunkBuilder(call.plan)
        with (
            langchain_errors(),
            converted_answer(partial(to_message, plan=call.plan)),
            closing(calls.stream(call)) as events,
        ):
            try:
                for event in events:
                    chunk = builder.build(event)
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
            except APIError:
                if last := builder.build_interrupted():
                    yield last
                raise
            if last := builder.last:
                yield last

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with langchain_errors():
            call = self._to_call(messages, stop, kwargs, stream=True)
        builder = ChunkBuilder(call.plan)
        with langchain_errors(), converted_answer(partial(to_message, plan=call.plan)):
            async with aclosing(calls.astream(call)) as events:
                try:
                    async for event in events:
                        chunk = builder.build(event)
                        if run_manager:
                            await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                        yield chunk
                except APIError:
                    if last := builder.build_interrupted():
                        yield last
                    raise
                if last := builder.last:
                    yield last

    @override
    def plan_batch(self, arguments: Mapping[str, object]) -> ChatCall:
        """Return a call with the arguments that all rows of a batch share.

        Args:
            arguments: The arguments of a call, such as those that ``bind_tools`` binds.

        Raises:
            ConfigurationError: An argument is invalid, or the model does not support
                it.
        """
        message = HumanMessage(BATCH_TEXT)
        return self._to_call([message], None, dict(arguments), stream=False)

    @override
    def batch_messages(self, item: object) -> Sequence[Message]:
        """Convert the input of a row of a batch to messages.

        Args:
            item: The input: what ``invoke`` takes.

        Raises:
            ConfigurationError: It is something else.
        """
        if isinstance(item, str):
            return [{"role": "user", "content": item}]
        try:
            prompt = self._convert_input(cast("LanguageModelInput", item))
        except (NotImplementedError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"it must be a string, messages or a prompt value ({error})"
            ) from None
        return from_messages(prompt.to_messages())

    def _to_call(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        arguments: dict[str, Any],
        *,
        stream: bool,
    ) -> ChatCall:
        options = to_options(arguments)
        if stop is not None:
            options["stop"] = stop
        # LangChain has already chosen the method by this argument.
        options.pop("stream", None)
        include_usage = options.pop("stream_usage", None)
        call_is_checked = bool(options.pop(CALL_IS_CHECKED, False))
        json_schema = options.pop(JSON_SCHEMA, None)
        call = self._prepare_call(
            from_messages(messages),
            options,
            stream=stream,
            include_usage=bool(
                self.stream_usage if include_usage is None else include_usage
            ),
            json_schema=json_schema,
        )
        return _require_tool_call(call, required=not call_is_checked)


def _require_tool_call(call: ChatCall, *, required: bool) -> ChatCall:
    """Set whether an answer without the forced tool call is an error.

    ``create_agent`` repeats its request without end if its schema is not called.
    """
    plan = call.plan
    forced = plan.options.tool_choice not in (None, "auto", "none")
    if plan.call_required == required or not (plan.call_required or forced):
        return call
    return replace(call, plan=replace(plan, call_required=required))
