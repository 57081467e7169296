"""What is measured: the workloads, their clients and their number of rounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.responses import DELTAS

__all__ = [
    "CONCURRENT",
    "HTTPX_LOOP",
    "OPEN_STREAMS",
    "WORKLOADS",
    "ConcurrentWorkload",
    "Workload",
    "select_clients",
]

HTTPX_LOOP: Final = "httpx loop"
_PROJECT: Final = (
    "ChatModelStudio",
    "ChatModelStudio, dashscope",
    "ModelStudio",
    "ModelStudio, dashscope",
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
# Events per write where many arrive together: a buffering gateway, or a slow reader.
_BATCH: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Requests one after another, made by each client in rotation.

    Attributes:
        method: A method of ``benchmarks.worker.Worker``.
        deltas: The number of deltas of a response.
        batch: Events per write.
        times: Requests per round.
        per_chunk: Whether the result is CPU per delta, else it is CPU per request.
        rounds: The largest number of rounds.
        clients: The clients that take part. None: all of them.
        quick: Whether it is part of the quick run.
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
    def units(self) -> int:
        """The number that a round's CPU time is divided by."""
        return self.times * (self.deltas if self.per_chunk else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrentWorkload:
    """Asynchronous streams at once, with a new connection pool and then the same.

    Attributes:
        streams: The number of streams.
        clients: The clients that take part.
        rounds: The largest number of rounds.
        quick: Whether it is part of the quick run.
        deltas: The number of deltas of a stream.
        pace: Milliseconds between deltas.
    """

    streams: int
    clients: tuple[str, ...]
    rounds: int = 1
    quick: bool = True
    deltas: int = 200
    pace: float = 2


def _streams(batch: int) -> Mapping[str, Workload]:
    name = "one event per write" if batch == 1 else f"{batch} events per write"
    return {
        f"{method}, {name}": Workload(method=method, batch=batch, quick=batch == 1)
        for method in ("stream", "astream")
    }


def _stream_of(deltas: int, times: int) -> Workload:
    return Workload(
        method="stream",
        deltas=deltas,
        times=times,
        batch=_BATCH,
        clients=_PROJECT,
        quick=False,
    )


def _calls(method: str) -> Workload:
    return Workload(method=method, deltas=DELTAS // 10, times=20, per_chunk=False)


WORKLOADS: Final[Mapping[str, Workload]] = {
    **_streams(1),
    **_streams(_BATCH),
    "stream of 500": _stream_of(500, 8),
    "stream of 20000": _stream_of(20_000, 1),
    "call": _calls("call"),
    "acall": _calls("acall"),
}

CONCURRENT: Final[Mapping[str, ConcurrentWorkload]] = {
    "100 streams": ConcurrentWorkload(
        streams=100,
        clients=(HTTPX_LOOP, *_PROJECT, "ChatQwen"),
        rounds=3,
    ),
    # ChatQwen needs half a minute of CPU for these.
    "500 streams": ConcurrentWorkload(
        streams=500, clients=(*_PROJECT, "ChatQwen"), rounds=2, quick=False
    ),
}

# So slow that no stream ends before the last one has begun.
OPEN_STREAMS: Final = ConcurrentWorkload(
    streams=500, clients=_PROJECT, deltas=40, pace=250
)


def select_clients(clients: tuple[str, ...] | None, *, quick: bool) -> tuple[str, ...]:
    """Return the clients that take part in a run.

    Args:
        clients: The clients of a workload. None: all of them.
        quick: Whether only the most important peers take part.
    """
    selected = clients or (HTTPX_LOOP, *_PROJECT, *_PEERS)
    if not quick:
        return selected
    return tuple(
        name for name in selected if name not in _PEERS or name in _QUICK_PEERS
    )
