"""What the classes share that send several requests at once and count their tokens."""

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple, Self

from pydantic import Field, PrivateAttr
from typing_extensions import override

from modelstudio_core.arguments import Resolved, ServiceArguments
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.fork_locks import ForkLock
from modelstudio_core.transport.gate import Gate

__all__ = [
    "CONCURRENT_TIMEOUT",
    "DEFAULT_CONCURRENCY",
    "ConcurrentArguments",
    "Keep",
    "SharedState",
    "Usage",
    "check_count",
]

# A request that hangs without an error was reported for an embedding model (public
# report, 2026); an answer takes about 0.1 s.
CONCURRENT_TIMEOUT: Final = 60.0
DEFAULT_CONCURRENCY: Final = 4
_MAX_KEPT: Final = 4096
_creating: Final = ForkLock()


class Usage(NamedTuple):
    """What the requests of an object used since it was constructed.

    Attributes:
        input_tokens: The tokens of their inputs.
        requests: How many requests were answered.
    """

    input_tokens: int = 0
    requests: int = 0


class Keep:
    """Values that are kept by key until they are removed, the last 4,096 of them."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._values: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, kind: str, texts: Sequence[str], values: Sequence[object]) -> None:
        """Keep the values of texts.

        Args:
            kind: What the texts are, which is a part of the keys.
            texts: The texts.
            values: The value of each text.
        """
        with self._lock:
            for text, value in zip(texts, values, strict=True):
                self._values[kind, text] = value
                self._values.move_to_end((kind, text))
            while len(self._values) > _MAX_KEPT:
                self._values.popitem(last=False)

    def find(self, kind: str, texts: Sequence[str]) -> dict[str, Any]:
        """Return the values of those texts that have one.

        Args:
            kind: What the texts are.
            texts: The texts.
        """
        with self._lock:
            return {
                text: self._values[kind, text]
                for text in dict.fromkeys(texts)
                if (kind, text) in self._values
            }

    def remove(self, kind: str, found: Mapping[str, object]) -> None:
        """Keep values no longer, but for those that were put again since.

        Args:
            kind: What the texts are.
            found: The values that ``find`` returned, by their texts.
        """
        with self._lock:
            for text, value in found.items():
                if self._values.get((kind, text)) is value:
                    del self._values[kind, text]


class SharedState:
    """What all calls of one object share. A copy of the object has its own.

    Attributes:
        gate: The limit of its requests.
        kept: The sparse vectors that are kept; None if they are not.
        max_rows: The limit of rows that an error of the service named.
    """

    def __init__(self, limit: int) -> None:
        """Begin with no usage.

        Args:
            limit: How many requests may be sent at once.
        """
        self.gate = Gate(limit)
        self.kept: Keep | None = None
        self.max_rows: int | None = None
        self.process = os.getpid()
        self._usage = Usage()
        self._lock = threading.Lock()

    @property
    def usage(self) -> Usage:
        """What the requests used so far."""
        return self._usage

    def count(self, input_tokens: int | None) -> None:
        """Count an answered request and its tokens."""
        with self._lock:
            tokens, requests = self._usage
            self._usage = Usage(tokens + (input_tokens or 0), requests + 1)

    # It is not a part of the object's value: objects with the same arguments are equal,
    # and a pickle or a deep copy does not contain it.

    @override
    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, SharedState)

    __hash__ = None  # type: ignore[assignment] # equal to others whatever it holds

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return _no_state, ()


def _no_state() -> None:
    """Return what a pickle has instead of the state."""


class ConcurrentArguments(ServiceArguments):
    """The arguments of a class that sends several requests at once."""

    argument_names: ClassVar[frozenset[str]] = frozenset()

    timeout: float | tuple[float | None, float | None] | None = Field(
        default=CONCURRENT_TIMEOUT,
        description="Seconds to wait for the next bytes, or a pair (connect, read). A"
        " number leaves 10 s to connect. None: no limit.",
    )
    max_concurrency: int = Field(
        default=DEFAULT_CONCURRENCY,
        description="How many requests of this object are sent at once at most, over"
        " all threads and tasks that use it.",
    )

    _shared: SharedState | None = PrivateAttr(default=None)

    @property
    def usage(self) -> Usage:
        """The input tokens and requests since construction. A copy begins at 0."""
        return self._shared_now().usage

    def __copy__(self) -> Self:
        """Return a copy, which counts its own usage."""
        copied = super().__copy__()
        copied._shared = None  # noqa: SLF001 - a copy of this very class
        return copied

    @override
    def _after_resolving(self, before: Resolved | None) -> None:
        super()._after_resolving(before)
        shared = self._shared
        if shared is not None and shared.gate.limit != self.max_concurrency:
            shared.gate = Gate(self.max_concurrency)

    def _shared_now(self) -> SharedState:
        """Return the state; a forked process has its own."""
        shared = self._shared
        if shared is None or shared.process != os.getpid():
            with _creating:
                shared = self._shared
                if shared is None or shared.process != os.getpid():
                    shared = self._shared = SharedState(self.max_concurrency)
        return shared


def check_count(arguments: Mapping[str, Any], name: str) -> int | None:
    """Return an argument that must be an integer above 0, or None.

    Args:
        arguments: The arguments by name.
        name: The name of the argument.

    Raises:
        ConfigurationError: It is not an integer above 0.
    """
    value = arguments.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{name} must be an integer >= 1, got {value!r}.")
    return value
