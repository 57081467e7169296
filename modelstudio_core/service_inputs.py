"""Checks and estimates of inputs that several services share."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, cast

from modelstudio_core.catalog import ModelKind, ModelProfile, suggest_served
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.local_files import TEMPORARY
from modelstudio_core.transport.connection import Connection
from modelstudio_core.uploads import RESOLVE_HEADERS
from modelstudio_core.user_warnings import warn_once
from modelstudio_core.wire.json_values import without_surrogates
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "check_instruct",
    "check_seconds",
    "check_text",
    "estimate_tokens",
    "list_of",
    "oss_headers",
    "refuse_or_warn",
    "service_context",
]

# No tokenizer makes tokens of more characters on average from real text.
_MAX_CHARACTERS_PER_TOKEN: Final = 6
# English has 4 to 5 bytes a token, Chinese 3 to 5 in UTF-8: rather too many tokens are
# estimated than too few.
_BYTES_PER_TOKEN: Final = 3
# A longer wait, of 30 years, is none that the clocks of all systems can count.
_LONGEST_WAIT: Final = 1e9


def list_of(value: object, name: str) -> list[object]:
    """Return the items of an argument that must be a list or another iterable.

    Args:
        value: The argument.
        name: Its name.

    Raises:
        ConfigurationError: It is one string or mapping, or no iterable. A string would
            otherwise be read letter by letter.
    """
    if _is_single(value) or not isinstance(value, Iterable):
        raise ConfigurationError(
            f"{name} must be a list, got a {type(value).__name__}."
        )
    return list(cast("Iterable[object]", value))


def _is_single(value: object) -> bool:
    return isinstance(value, str | bytes | Mapping)


def check_text(
    text: object, max_tokens: int | None, name: str, if_empty: str = "Remove it."
) -> str:
    """Return a text that can be sent. Lone surrogates are replaced.

    Args:
        text: The text.
        max_tokens: The most tokens of the text; None for no limit.
        name: What the text is called in errors, which do not repeat it.
        if_empty: What to do about an empty text.

    Raises:
        ConfigurationError: It is empty, no string, or surely too long.
    """
    if not isinstance(text, str):
        raise ConfigurationError(
            f"{name} must be a string, got a {type(text).__name__}."
        )
    if not text:
        raise ConfigurationError(f"{name} is empty. {if_empty}")
    if max_tokens and len(text) > max_tokens * _MAX_CHARACTERS_PER_TOKEN:
        raise ConfigurationError(
            f"{name} is too long: it has {len(text)} characters, and the model accepts"
            f" {max_tokens} tokens. Split it."
        )
    return without_surrogates(text)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text, rather too many than too few.

    Example:
        >>> estimate_tokens("How tall is the tower?")
        8
    """
    size = len(text) if text.isascii() else len(text.encode())
    return size // _BYTES_PER_TOKEN + 1


def refuse_or_warn(profile: ModelProfile, message: str) -> None:
    """Raise an error about an exact model, and warn about one that matched by prefix.

    Args:
        profile: The model whose facts are contradicted.
        message: What is wrong.

    Raises:
        ConfigurationError: The fact is stated for this very id.
    """
    if profile.exact:
        raise ConfigurationError(message)
    warn_once(f"{message} It is sent nevertheless.", set())


def check_instruct(
    value: object, profile: ModelProfile, *, supported: bool | None
) -> str | None:
    """Return the argument ``instruct`` if it is valid.

    Args:
        value: The argument.
        profile: The model.
        supported: Whether the model has such a parameter; None if it is not known.

    Raises:
        ConfigurationError: It is not a text, or the model does not support it.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(
            "instruct must be a string that is not empty, or None."
        )
    if supported is False:
        refuse_or_warn(
            profile, f"{profile.id} does not support instruct. Remove instruct=."
        )
    return without_surrogates(value)


def oss_headers(value: object) -> dict[str, str]:
    """Return the header for URLs of the service's temporary storage, if there are any.

    Args:
        value: A part of the body.
    """
    if _has_oss_url(value):
        return dict(RESOLVE_HEADERS)
    return {}


def _has_oss_url(value: object) -> bool:
    match value:
        case str():
            return value[: len(TEMPORARY)].lower() == TEMPORARY
        case Mapping():
            return any(map(_has_oss_url, cast("Mapping[str, object]", value).values()))
        case list() | tuple():
            return any(map(_has_oss_url, cast("list[object]", value)))
        case _:
            return False


def service_context(
    connection: Connection, profile: ModelProfile, kind: ModelKind
) -> ErrorContext:
    """Return the facts of a request that errors report, with a model to suggest.

    Args:
        connection: How to reach the service.
        profile: The model that is sent.
        kind: The kind of model that the service needs.
    """
    suggest_model = partial(suggest_served, profile.id, connection.endpoint, kind)
    return replace(connection.context, suggest_model=suggest_model)


def check_seconds(name: str, value: float | None) -> float | None:
    """Return an argument that must be a number of seconds, or None.

    Args:
        name: The name of the argument.
        value: The argument.

    Raises:
        ConfigurationError: It is not a number, or it is negative or infinite.
    """
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (0 <= value <= sys.float_info.max)
    ):
        raise ConfigurationError(
            f"{name} must be a number of seconds >= 0, or None, got {value!r:.80}."
        )
    return float(min(value, _LONGEST_WAIT))
