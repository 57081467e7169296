"""What is measured, by whom, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.answers import DELTAS

__all__ = ["CONCURRENT", "LOOP", "OPEN", "WORKS", "Concurrent", "Work", "chosen"]

LOOP: Final = "httpx loop"
_OURS: Final = (
    "ChatModelStudio",
    "ChatModelStudio, native",
    "ModelStudio",
    "ModelStudio, native",
)
_PEERS: Final = (
    "ChatOpenAI",
    "ChatDeepSeek",
    "ChatQwen",
    "ChatTongyi",
    "OpenAILike",
    "DeepSeek",
    "DashScope",
)
_QUICK_PEERS: Final = ("ChatOpenAI", "ChatQwen", "OpenAILike")
# Events a write, where many come at once: a gateway that buffers, or a slow reader.
_MANY: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of work that every client does in turns.

    Attributes:
        method: A method of ``benchmarks.worker.Worker``.
        deltas: How many deltas an answer has.
        batch: Events a write.
        times: Answers a round.
        per_chunk: Whether the result is told a delta, else it is told an answer.
        rounds: How often, at most.
        clients: Who does it; None: everybody.
        quick: Whether the quick run has it.
    """

    method: str
    deltas: int = DELTAS
    batch: int = 1
    times: int = 1
    per_chunk: bool = True
    rounds: int = 9
    clients: tuple[str, ...] | None = None
    quick: bool = True

    @property
    def pieces(self) -> int:
        """What a round's CPU is divided by."""
        return self.times * (self.deltas if self.per_chunk else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrent:
    """Many asynchronous streams at once, with a new pool and then with the same.

    Attributes:
        streams: How many.
        clients: Who reads them.
        rounds: How often, at most.
        pace: Milliseconds a delta.
        quick: Whether the quick run has it.
    """

    streams: int
    clients: tuple[str, ...]
    rounds: int = 1
    quick: bool = True
    deltas: int = 200
    pace: float = 2


def _streams(batch: int) -> Mapping[str, Work]:
    name = "one event a write" if batch == 1 else f"{batch} events a write"
    return {
        f"{method}, {name}": Work(method=method, batch=batch, quick=batch == 1)
        for method in ("stream", "astream")
    }


def _length(deltas: int, times: int) -> Work:
    return Work(
        method="stream",
        deltas=deltas,
        times=times,
        batch=_MANY,
        clients=_OURS,
        quick=False,
    )


def _calls(method: str) -> Work:
    return Work(method=method, deltas=DELTAS // 10, times=20, per_chunk=False)


WORKS: Final[dict[str, Work]] = {
    **_streams(1),
    **_streams(_MANY),
    "stream of 500": _length(500, 8),
    "stream of 20000": _length(20_000, 1),
    "call": _calls("call"),
    "acall": _calls("acall"),
}

CONCURRENT: Final[dict[str, Concurrent]] = {
    "100 streams": Concurrent(
        streams=100,
        clients=(LOOP, *_OURS, "ChatQwen"),
        rounds=3,
    ),
    # So many cost ChatQwen half a minute of CPU.
    "500 streams": Concurrent(
        streams=500, clients=(*_OURS, "ChatQwen"), rounds=2, quick=False
    ),
}

# Long enough that none ends before the last one has begun.
OPEN: Final = Concurrent(streams=500, clients=_OURS, deltas=40, pace=250)


def chosen(clients: tuple[str, ...] | None, *, quick: bool) -> tuple[str, ...]:
    """Return who takes part.

    Args:
        clients: Those of a work; None: everybody.
        quick: Whether only the most important peers do.
    """
    everybody = clients or (LOOP, *_OURS, *_PEERS)
    if not quick:
        return everybody
    return tuple(it for it in everybody if it not in _PEERS or it in _QUICK_PEERS)
