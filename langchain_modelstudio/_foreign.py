"""Touches of LangChain's private parts: fast paths, and its tables of providers."""

import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final, NoReturn, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk

from langchain_modelstudio._provider import PROVIDER
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.foreign.fast_path import FastPath
from modelstudio_core.foreign.pydantic_objects import construct, dump_state

__all__ = ["new_chunk", "new_message", "register"]


def new_chunk(content: str, additional_kwargs: dict[str, Any]) -> ChatGenerationChunk:
    """Create a chunk of text or reasoning.

    Pydantic's validation of a chunk takes longer than everything else between the
    socket and the caller, so it is skipped where the result is the same.

    Args:
        content: The text.
        additional_kwargs: The message's ``additional_kwargs``. The chunk keeps the
            dict.
    """
    if fast_chunks.active:
        try:
            return unvalidated_chunk(content, additional_kwargs)
        except Exception as error:  # noqa: BLE001 - private parts may raise anything
            fast_chunks.switch_off(error)
    return validated_chunk(content, additional_kwargs)


def validated_chunk(
    content: str, additional_kwargs: dict[str, Any]
) -> ChatGenerationChunk:
    """Create a chunk with LangChain's own constructors."""
    fields: dict[str, Any] = {"response_metadata": {"model_provider": PROVIDER}}
    if additional_kwargs:
        fields["additional_kwargs"] = additional_kwargs
    return ChatGenerationChunk(message=AIMessageChunk(content=content, **fields))


def unvalidated_chunk(
    content: str, additional_kwargs: dict[str, Any]
) -> ChatGenerationChunk:
    """Create a chunk with the same state as ``validated_chunk``, without validation."""
    fields_set = {"content", "response_metadata"}
    if additional_kwargs:
        fields_set.add("additional_kwargs")
    fields: dict[str, Any] = {
        "content": content,
        "additional_kwargs": additional_kwargs,
        "response_metadata": {"model_provider": PROVIDER},
        "type": "AIMessageChunk",
        "name": None,
        "id": None,
        "tool_calls": [],
        "invalid_tool_calls": [],
        "usage_metadata": None,
        "tool_call_chunks": [],
        "chunk_position": None,
    }
    fields = {
        # The same as TextAccessor(content), with one function call less.
        "text": _new_str(_Text, content),
        "generation_info": None,
        "type": "ChatGenerationChunk",
        "message": construct(AIMessageChunk, fields, fields_set, {}),
    }
    return construct(ChatGenerationChunk, fields, {"text", "message"})


def same_chunks() -> bool:
    """Return whether both functions create the same objects."""
    samples: list[tuple[str, dict[str, Any]]] = [
        ("x", {}),
        ("", {}),
        ("", {"reasoning_content": "x"}),
    ]
    return all(
        dump_state(validated_chunk(content, {**extra}))
        == dump_state(unvalidated_chunk(content, {**extra}))
        for content, extra in samples
    )


_new_str: Final = str.__new__
_Text: Final = type(validated_chunk("x", {}).text)
fast_chunks: Final = FastPath("LangChain's message chunks", probe=same_chunks)


# --- Whole messages -------------------------------------------------------------------


def new_message(
    content: str,
    additional_kwargs: dict[str, Any],
    response_metadata: dict[str, Any],
    usage_metadata: UsageMetadata | None,
) -> AIMessage:
    """Create the message of a complete answer without tool calls.

    For the rows of large batches validation takes longer than reading them.

    Args:
        content: The text.
        additional_kwargs: The message's ``additional_kwargs``, which it keeps.
        response_metadata: Its metadata, which it keeps.
        usage_metadata: The token counts.
    """
    if fast_messages.active:
        try:
            return unvalidated_message(
                content, additional_kwargs, response_metadata, usage_metadata
            )
        except Exception as error:  # noqa: BLE001 - private parts may raise anything
            fast_messages.switch_off(error)
    return validated_message(
        content, additional_kwargs, response_metadata, usage_metadata
    )


def validated_message(
    content: str,
    additional_kwargs: dict[str, Any],
    response_metadata: dict[str, Any],
    usage_metadata: UsageMetadata | None,
) -> AIMessage:
    """Create a message with LangChain's own constructor."""
    return AIMessage(
        content=content,
        additional_kwargs=additional_kwargs,
        response_metadata=response_metadata,
        tool_calls=[],
        invalid_tool_calls=[],
        usage_metadata=usage_metadata,
    )


_MESSAGE_FIELDS: Final = frozenset(
    {
        "content",
        "additional_kwargs",
        "response_metadata",
        "tool_calls",
        "invalid_tool_calls",
        "usage_metadata",
    }
)


def unvalidated_message(
    content: str,
    additional_kwargs: dict[str, Any],
    response_metadata: dict[str, Any],
    usage_metadata: UsageMetadata | None,
) -> AIMessage:
    """Create a message with the same state, without validation."""
    fields: dict[str, Any] = {
        "content": content,
        "additional_kwargs": additional_kwargs,
        "response_metadata": response_metadata,
        "type": "ai",
        "name": None,
        "id": None,
        "tool_calls": [],
        "invalid_tool_calls": [],
        "usage_metadata": usage_metadata,
    }
    return construct(AIMessage, fields, {*_MESSAGE_FIELDS}, {})


def same_messages() -> bool:
    """Return whether both functions create the same objects."""
    usage = UsageMetadata(
        input_tokens=1,
        output_tokens=2,
        total_tokens=3,
        output_token_details={"reasoning": 1},
    )
    metadata = {"model_provider": PROVIDER, "id": "x", "token_usage": {"a": 1}}
    samples: list[tuple[str, dict[str, Any], dict[str, Any], UsageMetadata | None]] = [
        ("x", {}, metadata, usage),
        ("", {"reasoning_content": "y"}, {}, None),
    ]
    return all(
        dump_state(validated_message(content, {**extra}, {**values}, counts))
        == dump_state(unvalidated_message(content, {**extra}, {**values}, counts))
        for content, extra, values, counts in samples
    )


fast_messages: Final = FastPath("LangChain's whole messages", probe=same_messages)


# --- Providers --------------------------------------------------------------------

_PACKAGE: Final = "langchain_modelstudio"
# By the function that is extended: its module, our class, and an example of a model.
_FUNCTIONS: Final = {
    "init_chat_model": ("chat_models", "ChatModelStudio", "deepseek-v4-pro"),
    "init_embeddings": ("embeddings", "ModelStudioEmbeddings", "text-embedding-v4"),
}
_ENTRY_LENGTH: Final = 3


def register() -> None:
    """Make ``init_chat_model`` and ``init_embeddings`` accept ``"modelstudio:..."``.

    So do agents and middlewares that accept such a string. LangChain has no public way
    to add a provider, so its tables are changed, in ``langchain`` and, where it is
    installed, in ``langchain_classic``. No entry is replaced, and a second call changes
    nothing. Call it before ``init_embeddings`` of ``langchain_classic`` is imported.

    Raises:
        ImportError: ``langchain`` is not installed.
        ConfigurationError: The installed LangChain has other tables. The message shows
            the class to use instead.

    Example:
        >>> from langchain.chat_models import init_chat_model
        >>> from langchain_modelstudio import register
        >>> register()
        >>> llm = init_chat_model("modelstudio:deepseek-v4-pro", api_key="sk-...")
        >>> type(llm).__name__
        'ChatModelStudio'
    """
    packages = {
        "langchain": _add_to_table,
        "langchain_classic": _add_to_functions,
    }
    installed = [name for name in packages if find_spec(name) is not None]
    if not installed:
        raise ImportError(
            "register() extends langchain, which is not installed. Run:"
            ' pip install "modelstudio-integrations[agents]"',
            name="langchain",
        )
    for package in installed:
        for function in _FUNCTIONS:
            try:
                packages[package](package, function)
            except (ImportError, AttributeError, TypeError):
                _refuse(package, function)


def _refuse(package: str, function: str) -> NoReturn:
    _, cls, model = _FUNCTIONS[function]
    raise ConfigurationError(
        f"{function} of {package} {version(package.replace('_', '-'))} cannot be"
        f" extended: its table of providers has changed. Use {cls}(model={model!r})"
        f" from {_PACKAGE} instead."
    ) from None


def _add_to_table(package: str, function: str) -> None:
    """Add an entry (module, class, creator) to the table of a function.

    Raises:
        ImportError: There is no such module.
        AttributeError: There is no such table.
        TypeError: The table has another form.
    """
    folder, cls, _ = _FUNCTIONS[function]
    found: object = import_module(f"{package}.{folder}.base")._BUILTIN_PROVIDERS  # noqa: SLF001 - there is no public one
    table = cast("dict[str, object]", found)
    if not isinstance(found, dict) or not all(map(_is_entry, table.values())):
        raise TypeError
    table.setdefault(PROVIDER, (_PACKAGE, cls, _create))


def _is_entry(entry: object) -> bool:
    parts = cast("tuple[object, ...]", entry)
    if not isinstance(entry, tuple) or len(parts) != _ENTRY_LENGTH:
        return False
    module, cls, creator = parts
    return isinstance(module, str) and isinstance(cls, str) and callable(creator)


def _create(cls: Callable[..., object], **arguments: Any) -> object:
    return cls(**arguments)


def _add_to_functions(package: str, function: str) -> None:
    """Wrap the function that has a branch for each provider.

    Raises:
        ImportError: There is no such module.
        AttributeError: There is no such function.
        TypeError: The list of providers has another form.
    """
    folder, cls, _ = _FUNCTIONS[function]
    module = import_module(f"{package}.{folder}.base")
    providers = module._SUPPORTED_PROVIDERS  # noqa: SLF001 - there is no public one
    if PROVIDER in providers:
        return
    wrap = _wrap_chat if function == "init_chat_model" else _wrap_embeddings
    name, wrapper = wrap(module, cls)
    original = getattr(module, name)
    match providers:
        case set():
            cast("set[str]", providers).add(PROVIDER)
        case dict():
            cast("dict[str, str]", providers)[PROVIDER] = _PACKAGE
        case _:
            raise TypeError
    for holder in (module, sys.modules[f"{package}.{folder}"]):
        # Not getattr: these packages import others for names that they do not have.
        if vars(holder).get(name) is original:
            setattr(holder, name, wrapper)


def _wrap_chat(module: ModuleType, cls: str) -> tuple[str, Callable[..., object]]:
    original = module._init_chat_model_helper  # noqa: SLF001 - there is no public one
    parse = module._parse_model  # noqa: SLF001 - the same

    @wraps(original)
    def create(
        model: str, *, model_provider: str | None = None, **arguments: Any
    ) -> object:
        name, provider = parse(model, model_provider)
        if provider == PROVIDER:
            return getattr(import_module(_PACKAGE), cls)(model=name, **arguments)
        return original(model, model_provider=model_provider, **arguments)

    return "_init_chat_model_helper", create


def _wrap_embeddings(module: ModuleType, cls: str) -> tuple[str, Callable[..., object]]:
    original = module.init_embeddings
    parse = module._infer_model_and_provider  # noqa: SLF001 - there is no public one

    @wraps(original)
    def create(model: str, *, provider: str | None = None, **arguments: Any) -> object:
        found, name = parse(model, provider=provider) if model else (provider, model)
        if found == PROVIDER:
            return getattr(import_module(_PACKAGE), cls)(model=name, **arguments)
        return original(model, provider=provider, **arguments)

    return "init_embeddings", create
