"""``ModelStudio``: a LlamaIndex LLM for Model Studio's chat models."""

# LlamaIndex does not type its callback decorators and some of its methods.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from collections.abc import Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, ClassVar, cast

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
    to_message,
    to_response,
)
from llamaindex_modelstudio._chat.streams import chat_stream, completion_stream
from llamaindex_modelstudio._chat.structured import StructuredPrediction
from llamaindex_modelstudio._component import ScopedComponent
from modelstudio_core.chat import calls
from modelstudio_core.chat.arguments import BATCH_TEXT
from modelstudio_core.chat.calls import ChatCall
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.forced_calls import converted_answer
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.options import answer_count
from modelstudio_core.chat.resolved import ResolvedChat
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.secrets import hide_keys

__all__ = ["ModelStudio"]

# For a model that is not in the catalog: the smallest context window of the current
# models. A smaller value would make chat engines truncate the history.
_DEFAULT_CONTEXT_WINDOW = 128 * 1024


class ModelStudio(ScopedComponent, StructuredPrediction):
    """A chat model of Alibaba Cloud Model Studio.

    The text of an answer is ``response.message.content``. The reasoning before it is a
    ``ThinkingBlock`` in ``response.message.blocks`` and the text in
    ``response.message.additional_kwargs["reasoning_content"]``; in a stream, each
    response has the new reasoning in ``response.additional_kwargs["thinking_delta"]``.
    Token counts, ``request_id`` and ``finish_reason`` are in
    ``response.additional_kwargs``, and the answer as the service sent it is
    ``response.raw``. ``llm.resolved_model`` is the model id that is sent, and
    ``llm.endpoint`` tells where requests go.

    All arguments are keywords, and only ``model`` is required. Where the default is
    None, nothing is sent and the service's default applies, unless the argument says
    otherwise. The arguments of the model and of the answer can also be given to each
    call, where they override the constructor's, as can ``tools`` and ``tool_choice``.

    Args:
        model (str): Model id, such as ``"deepseek-v4-pro"`` or ``"qwen3.7-plus"``.
            ``model_name`` is an alias.
        deprecated_models (str = "replace"): For a delisted model: ``"replace"`` it,
            ``"keep"`` it, or raise an ``"error"``.
        replacements (dict[str, str] | None = None): Replacements for delisted models,
            by model id; others are the recommended ones.
        api_key (SecretStr | str | Callable | None = None): API key, or a function that
            returns it before each request. Default: ``DASHSCOPE_API_KEY``.
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
            instead of the one of region, mode and workspace. ``api_base`` is an alias.
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
            reasoning.
        seed (int | None = None): Random seed in [0, 2**63 - 1], for more similar
            answers.
        n (int | None = None): Number of answers; a LlamaIndex response holds one, so 1
            or None.
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
        forced_tool_choice (str = "disable_thinking"): What happens where a tool is
            forced while the model thinks: ``"disable_thinking"`` for the request,
            ``"auto"`` sends that instead and raises ``ToolChoiceError`` if no call
            comes, ``"error"`` raises before anything is sent.
        forced_tool_choice_retries (int = 0): How often to ask again, each time at its
            price, where a forced tool call did not come.
        tool_stream (bool | None = None): Whether the arguments of tool calls are
            streamed in pieces. Default: only for GLM models, which need it.
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
        enable_code_interpreter (bool | None = None): Whether the service may run code.
        vl_high_resolution_images (bool | None = None): Whether images are seen in their
            highest resolution.
        ocr_options (dict | None = None): Task of a Qwen-OCR model, as in
            ``{"task": "table_parsing"}``.
        context_cache (str | None = None): ``"auto"`` marks the system message, the last
            message and the end of the turn before for the explicit cache.
        extra_body (dict | None = None): Parameters of the request that have no argument
            here, sent unchanged.
        local_files (bool = False): Whether addresses in messages may be files on this
            machine.
        upload_media (bool = False): Whether local files that are too large for a
            request are uploaded to the temporary storage of Model Studio, which is on
            another host.
        batch_chat (bool = False): Whether calls are made at half the price and answered
            within an hour, in China (Beijing) without a workspace only: on their own
            host, with ``timeout=3600``, without streams.

        context_window (int | None = None): Tokens of prompt and answer together, for
            LlamaIndex's prompt helpers. Default: from the catalog.
        is_function_calling_model (bool | None = None): Whether the model supports
            tools. Default: from the catalog.
        system_prompt (str | None = None): System prompt of ``predict``, structured
            prediction and LlamaIndex's programs; ``chat`` and ``complete`` do not add
            it.
        callback_manager (CallbackManager | None = None): Receives LlamaIndex's
            callbacks.
        rate_limiter (RateLimiter | None = None): LlamaIndex's limiter of calls.
        completion_to_prompt (Callable[[str], str] | None = None): Converts the prompt
            of ``complete``.
        messages_to_prompt (Callable | None = None): Converts messages to a prompt,
            where LlamaIndex needs text.
        output_parser (BaseOutputParser | None = None): Parser for the answers of
            ``predict``.
        pydantic_program_mode (PydanticProgramMode = "default"): How
            ``structured_predict`` requests an object; see there.
        query_wrapper_prompt (BasePromptTemplate | None = None): Template around the
            prompts of ``predict``.
        resolved_model (str | None = None): Read only: the model id that is sent.

    Raises:
        ConfigurationError: An argument is unknown or invalid, or the API key is
            missing.

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

    argument_aliases: ClassVar[Mapping[str, str]] = {
        "api_base": "base_url",
        "model_name": "model",
    }

    context_window: int | None = Field(default=None, gt=0)
    """Tokens of prompt and answer together; if None, from the catalog."""

    is_function_calling_model: bool | None = None
    """Whether the model supports tools; if None, from the catalog."""

    @classmethod
    @override
    def class_name(cls) -> str:
        """Return the name of the class in serialized data."""
        return "ModelStudio"

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedChat:
        resolved = super()._decide(arguments)
        _check_n(answer_count(resolved.options))
        return resolved

    @property
    def model_name(self) -> str:
        """The requested model id: another name of ``model``."""
        return self.model

    @property
    @override
    def metadata(self) -> LLMMetadata:
        """The properties of the model for LlamaIndex, from the catalog."""
        profile = self.resolved.model.profile
        tools = self.is_function_calling_model
        return LLMMetadata(
            context_window=self.context_window
            or profile.context_window
            or _DEFAULT_CONTEXT_WINDOW,
            # LlamaIndex reserves this many tokens of the context window: the model's
            # own maximum would leave none for the prompt.
            num_output=self.max_tokens or self.max_completion_tokens or -1,
            is_chat_model=True,
            is_function_calling_model=(
                profile.tools is not False if tools is None else tools
            ),
            model_name=profile.id,
        )

    @override
    def to_payload(self) -> dict[str, Any]:
        """Return the data of the model in LlamaIndex's events; no key, no headers."""
        values = {"model": self.resolved_model, "temperature": self.temperature}
        return {
            **super().to_payload(),
            **{name: value for name, value in values.items() if value is not None},
        }

    # --- Calls ----------------------------------------------------------------------

    @llm_chat_callback()
    @override
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a conversation.

        Args:
            messages: The conversation.
            **kwargs: Chat arguments for this call; they override the constructor's.

        Returns:
            The answer.

        Raises:
            ConfigurationError: An argument or a message is invalid; nothing was sent.
            APIError: The request failed, or the answer is incomplete.
        """
        return self._chat_response(messages, kwargs)

    @llm_completion_callback()
    @override
    def complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """Answer a prompt.

        Args:
            prompt: The prompt.
            formatted: Whether the prompt is sent without ``completion_to_prompt``.
            **kwargs: Chat arguments for this call; they override the constructor's.

        Returns:
            The answer; its reasoning is in ``additional_kwargs``.

        Raises:
            ConfigurationError: An argument is invalid; nothing was sent.
            APIError: The request failed, or the answer is incomplete.
        """
        messages = self._to_messages(prompt, formatted=formatted)
        return to_completion_response(self._chat_response(messages, kwargs))

    @chat_stream
    @override
    def stream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseGen:
        """Stream the answer to a conversation.

        Each response has the answer so far, and in ``delta`` the new text. The last one
        has the token counts and ``raw``. Closing the generator closes the connection.

        Args:
            messages: The conversation.
            **kwargs: Chat arguments for this call; they override the constructor's.

        Returns:
            The responses.

        Raises:
            ConfigurationError: An argument or a message is invalid; nothing was sent.
            APIError: The request failed, or the answer is incomplete.

        Example:
            >>> from llama_index.core.llms import ChatMessage
            >>> from modelstudio_core.emulator import Emulator
            >>> with Emulator() as studio:
            ...     llm = ModelStudio(
            ...         model="deepseek-v4-pro",
            ...         base_url=studio.base_url,
            ...         api_key=studio.api_key,
            ...     )
            ...     message = ChatMessage("The sky is blue. What is blue?")
            ...     responses = list(llm.stream_chat([message]))
            >>> responses[0].additional_kwargs["thinking_delta"] != ""
            True
            >>> "".join(response.delta for response in responses)
            'The sky is blue.'
        """
        return self._stream_responses(self._chat_call(messages, kwargs, stream=True))

    @completion_stream
    @override
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Stream the answer to a prompt.

        Args:
            prompt: The prompt.
            formatted: Whether the prompt is sent without ``completion_to_prompt``.
            **kwargs: Chat arguments for this call; they override the constructor's.

        Returns:
            The responses, each with the answer so far.

        Raises:
            ConfigurationError: An argument is invalid; nothing was sent.
            APIError: The request failed, or the answer is incomplete.
        """
        messages = self._to_messages(prompt, formatted=formatted)
        call = self._chat_call(messages, kwargs, stream=True)

        def responses() -> CompletionResponseGen:
            with closing(self._stream_responses(call)) as stream:
                for response in stream:
                    yield to_completion_response(response)

        return responses()

    @llm_chat_callback()
    @override
    async def achat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponse:
        """Async version of ``chat``."""
        return await self._achat_response(messages, kwargs)

    @llm_completion_callback()
    @override
    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """Async version of ``complete``."""
        messages = self._to_messages(prompt, formatted=formatted)
        return to_completion_response(await self._achat_response(messages, kwargs))

    @chat_stream
    @override
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Async version of ``stream_chat``."""
        return self._astream_responses(self._chat_call(messages, kwargs, stream=True))

    @completion_stream
    @override
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Async version of ``stream_complete``."""
        messages = self._to_messages(prompt, formatted=formatted)
        call = self._chat_call(messages, kwargs, stream=True)

        async def responses() -> CompletionResponseAsyncGen:
            async with aclosing(self._astream_responses(call)) as stream:
                async for response in stream:
                    yield to_completion_response(response)

        return responses()

    @override
    def plan_batch(self, arguments: Mapping[str, object]) -> ChatCall:
        """Return a call with the arguments that all rows of a batch share.

        Args:
            arguments: The arguments of a call, such as ``tools``.

        Raises:
            ConfigurationError: An argument is invalid, or the model does not support
                it.
        """
        message = ChatMessage(role=MessageRole.USER, content=BATCH_TEXT)
        return self._chat_call([message], dict(arguments), stream=False)

    @override
    def batch_messages(self, item: object) -> Sequence[Message]:
        """Convert the input of a row of a batch to messages.

        Args:
            item: The input: what ``complete`` or ``chat`` takes, or one message.

        Raises:
            ConfigurationError: It is something else.
        """
        name = type(item).__name__
        if isinstance(item, str):
            to_prompt = self.completion_to_prompt
            text = item if to_prompt is None else to_prompt(item)
            return [{"role": "user", "content": text}]
        if isinstance(item, ChatMessage):
            return from_messages([item])
        if isinstance(item, list | tuple):
            messages = cast("Sequence[ChatMessage]", item)
            if all(isinstance(message, ChatMessage) for message in messages):
                return from_messages(messages)
        raise ConfigurationError(
            f"it must be a string, a ChatMessage or a list of them, got a {name}."
        )

    # Without callbacks: a reported method that calls another reported method would
    # report, and count, each call twice.

    def _chat_response(
        self, messages: Sequence[ChatMessage], arguments: dict[str, Any]
    ) -> ChatResponse:
        call = self._chat_call(messages, arguments, stream=False)
        with converted_answer(to_message):
            return to_response(calls.generate(call)[0], call.plan)

    async def _achat_response(
        self, messages: Sequence[ChatMessage], arguments: dict[str, Any]
    ) -> ChatResponse:
        call = self._chat_call(messages, arguments, stream=False)
        with converted_answer(to_message):
            return to_response((await calls.agenerate(call))[0], call.plan)

    def _stream_responses(self, call: ChatCall) -> ChatResponseGen:
        completion = Completion()
        with converted_answer(to_message), closing(calls.stream(call)) as events:
            for event in events:
                completion.add(event)
                yield to_delta_response(event, completion, call.plan)

    async def _astream_responses(self, call: ChatCall) -> ChatResponseAsyncGen:
        completion = Completion()
        with converted_answer(to_message):
            async with aclosing(calls.astream(call)) as events:
                async for event in events:
                    completion.add(event)
                    yield to_delta_response(event, completion, call.plan)

    def _to_messages(self, prompt: str, *, formatted: bool) -> list[ChatMessage]:
        to_prompt = self.completion_to_prompt
        text = prompt if formatted or to_prompt is None else to_prompt(prompt)
        return [ChatMessage(role=MessageRole.USER, content=_checked_prompt(text))]

    def _chat_call(
        self,
        messages: Sequence[ChatMessage],
        arguments: dict[str, Any],
        *,
        stream: bool,
    ) -> ChatCall:
        _check_n(arguments.get("n"))
        call = self._prepare_call(from_messages(messages), arguments, stream=stream)
        _check_n(answer_count(call.plan.options))
        return call


def _checked_prompt(prompt: object) -> str:
    if not isinstance(prompt, str):
        name = type(prompt).__name__
        raise ConfigurationError(
            f"prompt must be a string, got a {name}: pass messages to chat."
        )
    return prompt


def _check_n(n: object) -> None:
    if (n or 1) != 1:
        raise ConfigurationError(
            f"n must be 1 or None, got {hide_keys(repr(n))}:"
            " a LlamaIndex response holds one answer."
        )
