"""The plugin for the command ``llm``: the chat models of the catalog.

``llm`` loads this module for each of its commands. It imports the catalog when models
are listed, and the rest when one is called.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import llm
from llm.parts import (
    AttachmentPart,
    ReasoningPart,
    StreamEvent,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from typing_extensions import override

from modelstudio_core.endpoints import API_KEY_VARIABLE
from modelstudio_core.errors import ModelStudioError

if TYPE_CHECKING:
    from llm.models import AsyncConversation, Conversation
    from llm.parts import Message as LlmMessage

    from modelstudio_core.catalog import ChatProfile
    from modelstudio_core.chat.calls import ChatCall
    from modelstudio_core.chat.completion import Completion
    from modelstudio_core.chat.events import Event, Usage
    from modelstudio_core.chat.messages import (
        AssistantMessage,
        Message,
        Part,
        ToolCall,
        ToolMessage,
    )

__all__ = ["AsyncModelStudioChat", "ModelStudioChat", "register_models"]

_PREFIX: Final = "modelstudio/"
_KEY_NAME: Final = "dashscope"
# The arguments of the core that are options here. Those of an object, such as
# ``search_options``, are JSON on a command line.
_CHAT_OPTIONS: Final = (
    *("temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens"),
    *("stop", "seed", "presence_penalty", "repetition_penalty"),
    *("enable_thinking", "thinking_budget", "reasoning_effort", "preserve_thinking"),
    *("enable_search", "search_options", "enable_code_interpreter"),
    *("parallel_tool_calls", "response_format", "translation_options", "ocr_options"),
    *("vl_high_resolution_images", "context_cache", "extra_body", "upload_media"),
)
_CONNECTION_OPTIONS: Final = (
    *("region", "mode", "workspace", "protocol", "base_url", "allow_insecure_http"),
    *("timeout", "total_timeout", "max_retries"),
)
_OBJECTS: Final = (
    *("search_options", "response_format", "translation_options", "ocr_options"),
    "extra_body",
)
# Where the catalog has no list of formats.
_USUAL_FORMATS: Final = ("jpeg", "png", "webp")


@llm.hookimpl
def register_models(register: Callable[..., None]) -> None:
    """Register the chat models of the catalog, without those that are delisted.

    Args:
        register: The function of ``llm`` that takes a model and its async version.

    Example:
        >>> names = []
        >>> register_models(lambda model, _: names.append(model.model_id))
        >>> "modelstudio/qwen3.7-plus" in names
        True
    """
    from modelstudio_core.catalog import model_ids

    for name in model_ids("chat"):
        if _profile(name).delisted is None:
            register(ModelStudioChat(name), AsyncModelStudioChat(name))


def _profile(name: str) -> "ChatProfile":
    from modelstudio_core.catalog import resolve_model

    return cast("ChatProfile", resolve_model(name, "chat"))


@cache
def _options() -> type[llm.Options]:
    """Return the class of the options. Types and descriptions are the core's.

    Valid values are checked by the core when the model is called.
    """
    from pydantic import Field, Json, create_model

    from modelstudio_core.chat.options import ChatOptionArguments
    from modelstudio_core.connection_arguments import ConnectionArguments

    fields: dict[str, Any] = {}
    for group, names in (
        (ChatOptionArguments, _CHAT_OPTIONS),
        (ConnectionArguments, _CONNECTION_OPTIONS),
    ):
        for name in names:
            info = group.model_fields[name]
            kind = cast("Any", info.annotation) | None
            if name in _OBJECTS:
                kind = kind | Json[dict[str, Any]]
            fields[name] = (kind, Field(default=None, description=info.description))
    return create_model("Options", __base__=llm.Options, **fields)


def _image_types(profile: "ChatProfile") -> set[str]:
    """Return the MIME types of the images that a model accepts."""
    if "image" not in profile.inputs:
        return set()
    limits = profile.media.get("image")
    return {f"image/{n}" for n in (limits and limits.formats) or _USUAL_FORMATS}


class _Shared:
    """What a model and its async version share."""

    needs_key: str | None = _KEY_NAME
    key_env_var: str | None = API_KEY_VARIABLE
    can_stream = True
    attachment_types: set[str] | frozenset[str]

    def __init__(self, name: str) -> None:
        """Create a model of the command.

        Args:
            name: The model id, without the prefix of this plugin.
        """
        profile = _profile(name)
        self.name = name
        self.model_id = f"{_PREFIX}{name}"
        self.attachment_types = _image_types(profile)
        self.supports_schema = "json_schema" in (profile.structured_output or ())
        self.supports_tools = profile.tools is not False

    # For type checkers it is the class that llm's models define inside. A list of the
    # models does not need it.
    if not TYPE_CHECKING:

        @property
        def Options(self) -> type[llm.Options]:  # noqa: N802 - llm's name
            """The class of the options."""
            return _options()

    def __str__(self) -> str:
        """Return what ``llm models`` shows."""
        return f"Model Studio: {self.model_id}"


class ModelStudioChat(_Shared, llm.KeyModel):
    """A chat model of Model Studio, for the command ``llm``.

    Example:
        >>> from modelstudio_core.emulator import Emulator, Reply
        >>> with Emulator() as studio:
        ...     studio.script(Reply(text="Blue.", reasoning="The sky."))
        ...     response = ModelStudioChat("qwen3.7-plus").prompt(
        ...         "Which colour?", key=studio.api_key, base_url=studio.base_url
        ...     )
        ...     response.text()
        'Blue.'
    """

    @override
    def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,
        response: llm.Response,
        conversation: "Conversation | None" = None,
        key: str | None = None,
    ) -> Iterator[str | StreamEvent]:
        """Answer a prompt, with one request.

        Args:
            prompt: The prompt, with the conversation before it.
            stream: Whether the answer is yielded as it comes.
            response: Gets the tool calls, the usage and the metadata.
            conversation: Not used: the prompt contains it.
            key: The API key.

        Raises:
            llm.ModelError: The core refused the request, or there was no answer.
        """
        from modelstudio_core.chat.calls import generate
        from modelstudio_core.chat.calls import stream as stream_events

        with _errors_shown():
            turn = _Turn(self.name, prompt, key, stream=stream)
            if stream:
                with closing(stream_events(turn.call)) as events:
                    for event in events:
                        yield from turn.add(event)
            else:
                yield from turn.add_all(generate(turn.call))
            yield from turn.end(response)


class AsyncModelStudioChat(_Shared, llm.AsyncKeyModel):
    """Async version of ``ModelStudioChat``."""

    @override
    async def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,
        response: llm.AsyncResponse,
        conversation: "AsyncConversation | None" = None,
        key: str | None = None,
    ) -> AsyncGenerator[str | StreamEvent, None]:
        """Async version of ``ModelStudioChat.execute``."""
        from modelstudio_core.chat.calls import agenerate, astream

        with _errors_shown():
            turn = _Turn(self.name, prompt, key, stream=stream)
            if stream:
                async with aclosing(astream(turn.call)) as events:
                    async for event in events:
                        for part in turn.add(event):
                            yield part
            else:
                for part in turn.add_all(await agenerate(turn.call)):
                    yield part
            for part in turn.end(response):
                yield part


@contextmanager
def _errors_shown() -> Generator[None]:
    """Raise the core's errors as one that the command shows."""
    try:
        yield
    except ModelStudioError as error:
        raise llm.ModelError(str(error)) from error


class _TakesUsage(Protocol):
    """A response of ``llm``, with the types that it leaves open."""

    def set_usage(
        self,
        *,
        input: int,  # noqa: A002 - llm's name
        output: int,
        details: dict[str, int] | None,
    ) -> None: ...


class _Turn:
    """One prompt, and the answer so far."""

    def __init__(
        self, name: str, prompt: llm.Prompt, key: str | None, *, stream: bool
    ) -> None:
        from modelstudio_core.chat.arguments import ChatArguments
        from modelstudio_core.chat.calls import prepare_call
        from modelstudio_core.chat.completion import Completion

        options = prompt.options.model_dump(exclude_none=True)
        arguments = ChatArguments(model=name, api_key=key, **options)
        self.call: ChatCall = prepare_call(
            arguments.resolved,
            _messages(prompt.messages),
            _call_arguments(prompt),
            stream=stream,
        )
        self._completion: Completion = Completion()

    def add(self, event: "Event") -> Iterator[StreamEvent]:
        """Add an event of a stream, and yield its text."""
        from modelstudio_core.chat.events import ReasoningDelta, TextDelta

        self._completion.add(event)
        match event:
            case ReasoningDelta(text=str(text)) if text:
                yield StreamEvent(type="reasoning", chunk=text)
            case TextDelta(text=str(text)) if text:
                yield StreamEvent(type="text", chunk=text)
            case _:
                pass

    def add_all(self, completions: "list[Completion]") -> Iterator[StreamEvent]:
        """Add a complete answer, and yield its texts."""
        self._completion = completion = completions[0]
        if completion.reasoning:
            yield StreamEvent(type="reasoning", chunk=completion.reasoning)
        if completion.text:
            yield StreamEvent(type="text", chunk=completion.text)

    def end(self, response: llm.Response | llm.AsyncResponse) -> Iterator[StreamEvent]:
        """Give a response what is known at the end, and yield the tool calls.

        Raises:
            llm.ModelError: A tool call is cut off, or its arguments are no JSON object.
        """
        completion = self._completion
        response.response_json = _metadata(self.call, completion)
        finish = completion.finish
        if finish and finish.usage:
            usage = finish.usage
            cast("_TakesUsage", response).set_usage(
                input=usage.input_tokens,
                output=usage.output_tokens,
                details=_details(usage),
            )
        sent = self.call.plan.model.profile.id
        response.set_resolved_model((finish and finish.model) or sent)
        for call in completion.parsed_calls:
            if call.arguments is None:
                raise llm.ModelError(
                    f"The model's call of the tool {call.name!r} cannot be made:"
                    f" {call.problem}"
                )
            response.add_tool_call(llm.ToolCall(call.name, call.arguments, call.id))
            for kind, text in (
                ("tool_call_name", call.name),
                ("tool_call_args", call.text),
            ):
                yield StreamEvent(type=kind, chunk=text, tool_call_id=call.id)


def _metadata(call: "ChatCall", completion: "Completion") -> dict[str, Any]:
    """Return what is logged of an answer, beside its text and its reasoning."""
    finish = completion.finish
    values = {
        "request_id": finish and finish.request_id,
        "response_id": finish and finish.response_id,
        "finish_reason": finish and finish.finish_reason,
        "model": call.plan.model.profile.id,
        "citations": completion.citations,
        "parts": completion.parts,
        "logprobs": finish and finish.logprobs,
        **call.plan.scope,
    }
    return {name: value for name, value in values.items() if value}


def _details(usage: "Usage") -> dict[str, int] | None:
    values = {
        "reasoning_tokens": usage.reasoning_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_creation_tokens": usage.cache_creation_tokens,
    }
    return {name: value for name, value in values.items() if value} or None


# --- What is sent -----------------------------------------------------------------


def _call_arguments(prompt: llm.Prompt) -> Mapping[str, object]:
    """Return the tools and the schema of a prompt as arguments of the core."""
    arguments: dict[str, object] = {}
    schema = cast("dict[str, Any] | None", prompt.schema)  # pyright: ignore[reportUnknownMemberType]
    tools = [tool for tool in prompt.tools if isinstance(tool, llm.Tool)]
    if tools:
        arguments["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description or "",
                    "parameters": cast("Any", tool).input_schema,
                },
            }
            for tool in tools
        ]
    if schema:
        arguments["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": schema},
        }
    return arguments


def _messages(messages: "list[LlmMessage]") -> "list[Message]":
    """Convert the messages of a prompt.

    A system prompt that a conversation repeats is sent once.
    """
    converted: list[Message] = []
    system: str | None = None
    for message in messages:
        match message.role:
            case "system":
                if (text := _text(message)) != system:
                    system = text
                    converted.append({"role": "system", "content": text})
            case "assistant":
                converted.append(_assistant_message(message))
            case "tool":
                converted += map(_tool_message, _results(message))
            case _:
                converted.append({"role": "user", "content": _content(message)})
    return converted


def _results(message: "LlmMessage") -> list[ToolResultPart]:
    return [part for part in message.parts if isinstance(part, ToolResultPart)]


def _tool_message(part: ToolResultPart) -> "ToolMessage":
    return {
        "role": "tool",
        "tool_call_id": part.tool_call_id or "",
        "content": part.output,
    }


def _text(message: "LlmMessage") -> str:
    return "".join(part.text for part in message.parts if isinstance(part, TextPart))


def _content(message: "LlmMessage") -> "str | list[Part]":
    """Return the text of a user's message, followed by the images."""
    text = _text(message)
    images = [
        _image(part.attachment)
        for part in message.parts
        if isinstance(part, AttachmentPart) and part.attachment
    ]
    if not images:
        return text
    return [{"type": "text", "text": text}, *images] if text else images


def _image(attachment: llm.Attachment) -> "Part":
    """Return an image; the core reads a file when it is sent."""
    from modelstudio_core.chat.media import data_url, image_part
    from modelstudio_core.local_files import LocalFile

    if attachment.url:
        return image_part(attachment.url)
    if attachment.path and not attachment.content:
        path = Path(attachment.path)
        return image_part(LocalFile(path, "image", attachment.type, is_explicit=True))
    return image_part(data_url(attachment.content or b"", attachment.type, "image"))


def _assistant_message(message: "LlmMessage") -> "AssistantMessage":
    from modelstudio_core.chat.messages import arguments_text

    reasoning = "".join(
        part.text for part in message.parts if isinstance(part, ReasoningPart)
    )
    calls: list[ToolCall] = [
        {
            "id": part.tool_call_id or "",
            "type": "function",
            "function": {
                "name": part.name,
                "arguments": arguments_text(part.name, part.arguments),
            },
        }
        for part in message.parts
        if isinstance(part, ToolCallPart) and not part.server_executed
    ]
    converted: AssistantMessage = {"role": "assistant", "content": _text(message)}
    if reasoning:
        converted["reasoning_content"] = reasoning
    if calls:
        converted["tool_calls"] = calls
    return converted
