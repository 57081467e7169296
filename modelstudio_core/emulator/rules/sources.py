"""Where each rule comes from: the title of its source, and the day it was read.

"recorded" is an exchange with the service itself. "The emulator's own" marks what no
source states, such as the answer to a path that the emulator does not serve.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

__all__ = ["OWN", "SOURCES", "Source", "sourced"]

_Function = TypeVar("_Function", bound=Callable[..., object])
OWN: Final = "The emulator's own"


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a rule.

    Attributes:
        title: The titles of the pages, or "recorded", with ``;`` between them.
        checked: The day on which they were read.
    """

    title: str
    checked: date


# The qualified name of a function that refuses requests → its source.
SOURCES: Final[dict[str, Source]] = {}


def sourced(title: str, checked: str) -> Callable[[_Function], _Function]:
    """Register the source of the rule that a function holds.

    Args:
        title: The titles of the pages, or "recorded", with ``;`` between them.
        checked: The day on which they were read, as ``2026-09-15``.

    Example:
        >>> @sourced("Error codes", "2026-09-15")
        ... def _check_nothing() -> None: ...
    """
    source = Source(title, date.fromisoformat(checked))

    def register(function: _Function) -> _Function:
        SOURCES[f"{function.__module__}.{function.__qualname__}"] = source
        return function

    return register
