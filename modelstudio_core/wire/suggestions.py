"""Unknown names in arguments: the nearest known one is suggested."""

from collections.abc import Iterable
from difflib import SequenceMatcher

from modelstudio_core.errors import ConfigurationError

__all__ = ["nearest", "unknown_name"]


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Order names by likeness to the one that was given, the nearest first."""
    asked = name.casefold()
    return sorted(
        known,
        key=lambda other: (
            -SequenceMatcher(None, asked, other.casefold()).ratio(),
            other,
        ),
    )


def unknown_name(kind: str, name: str, known: Iterable[str]) -> ConfigurationError:
    """Say that a name is not known, and which known one is the nearest.

    Args:
        kind: What the name names, such as ``"argument"``.
        name: What was given.
        known: The names that there are.
    """
    ordered = nearest(name, known)
    hint = f" Did you mean {ordered[0]!r}?" if ordered else ""
    return ConfigurationError(f"Unknown {kind} {name!r}.{hint}")
