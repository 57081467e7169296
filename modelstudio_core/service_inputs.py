"""Checks of inputs that several services share."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, cast

from modelstudio_core.catalog import ModelKind, ModelProfile, suggest_served
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse_or_warn
from modelstudio_core.redaction import without_surrogates
from modelstudio_core.transport.connection import Connection
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "check_instruct",
    "check_seconds",
    "check_text",
    "list_of",
    "service_context",
]

# No tokenizer makes tokens of more characters on average from real text.
_MAX_CHARACTERS_PER_TOKEN: Final = 6
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
