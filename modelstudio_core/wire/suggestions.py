"""Suggestions for misspelled names."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.secrets import hide_keys

__all__ = ["is_similar", "nearest", "suggest", "unknown_name"]

# "kimi" is 0.73 like "kimi-k3", "gemini-2.5-flash" 0.69 like "qwen3.5-flash".
_SIMILAR: Final = 0.7
# How many valid names an error lists where none is similar.
_MAX_NAMES: Final = 10


def nearest(name: str, candidates: Iterable[str]) -> list[str]:
    """Return the candidates, the most similar to a name first.

    Args:
        name: The name, in any case.
        candidates: The names to compare it with.

    Example:
        >>> nearest("regoin", ["model", "region", "timeout"])
        ['region', 'timeout', 'model']
    """
    folded = name.casefold()
    return sorted(
        candidates,
        key=lambda candidate: (
            -SequenceMatcher(None, folded, candidate.casefold()).ratio(),
            candidate,
        ),
    )


def is_similar(name: str, candidate: str) -> bool:
    """Return whether a name may be a misspelled candidate, or the beginning of one.

    Args:
        name: The name, in any case.
        candidate: The name that it may stand for.

    Example:
        >>> is_similar("regoin", "region"), is_similar("host", "region")
        (True, False)
    """
    folded, other = name.casefold(), candidate.casefold()
    if folded and other.startswith(folded):
        return True
    return SequenceMatcher(None, folded, other).ratio() >= _SIMILAR


def suggest(name: str, candidates: Iterable[str]) -> str:
    """Return a sentence with the name that was meant, or with those that there are.

    Args:
        name: The unknown name.
        candidates: The valid names.

    Example:
        >>> suggest("regoin", ["model", "region"])
        " Did you mean 'region'?"
        >>> suggest("x", ["model", "region"])
        " Known: 'model', 'region'."
    """
    ordered = nearest(name, candidates)
    if ordered and is_similar(name, ordered[0]):
        return f" Did you mean {ordered[0]!r}?"
    listed = ", ".join(map(repr, sorted(ordered[:_MAX_NAMES])))
    return f" Known: {listed}." if listed else ""


def unknown_name(
    kind: str, name: str, candidates: Iterable[str], *, owner: str | None = None
) -> ConfigurationError:
    """Return the error for an unknown name, with the most similar valid name or names.

    Args:
        kind: What the name stands for, such as ``"argument"``.
        name: The unknown name.
        candidates: The valid names.
        owner: The class or function that has the valid names.

    Example:
        >>> unknown_name("argument", "regoin", ["model", "region"]).message
        "Unknown argument 'regoin'. Did you mean 'region'?"
    """
    hint = suggest(name, candidates)
    of_owner = f" of {owner}" if owner else ""
    # A key may have been passed in its place.
    return ConfigurationError(hide_keys(f"Unknown {kind} {name!r}{of_owner}.{hint}"))
