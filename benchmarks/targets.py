"""What must be reached: one line a promise, and how it is judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median
from typing import Any, Final, Literal

from benchmarks.works import LOOP

__all__ = ["TARGETS", "Key", "Samples", "Target", "Verdict", "judge"]

Measure = Literal["cpu", "held", "count", "bytes"]
Samples = Mapping[str, Mapping[str, Mapping[str, list[float]]]]


@dataclass(frozen=True, slots=True)
class Key:
    """Whose samples: of a work and a client."""

    work: str
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One promise.

    Attributes:
        group: The row of the table that it belongs to.
        ours: What is promised of.
        against: What it is divided by; None: it is judged as it is.
        limit: The most that it may be, or the least.
        measure: Which number.
        at_least: Whether the limit is the least.
    """

    group: str
    ours: Key
    limit: float
    against: Key | None = None
    measure: Measure = "cpu"
    at_least: bool = False

    @property
    def what(self) -> str:
        """Say what is measured, in words."""
        told = f"{self.ours.client}: {self.ours.work}"
        if self.against is None:
            return told
        if self.against.client == self.ours.client:
            return f"{told}, against {self.against.work}"
        return f"{told}, against {self.against.client}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise beside what was measured, the worst of several alike."""

    target: Target
    value: float
    of: int = 1

    @property
    def what(self) -> str:
        """Say what was judged, and of how many it is the worst."""
        told = self.target.what
        return told if self.of == 1 else f"{told}: the worst of {self.of}"

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        if self.target.at_least:
            return self.value >= self.target.limit
        return self.value <= self.target.limit

    @property
    def measured(self) -> str:
        """The value, with its unit."""
        return _told(self.value, self.target)

    @property
    def wanted(self) -> str:
        """The limit, with its unit."""
        return _told(self.target.limit, self.target)


def _told(value: float, target: Target) -> str:
    if target.against is not None:
        return f"1/{1 / value:.3g}" if value < _FRACTION else f"{value:.2f} ×"
    match target.measure:
        case "cpu" | "held":
            digits = 0 if value > _HUNDREDTH else 2
            return f"{value * 1000:,.{digits}f} ms"
        case "bytes":
            return f"{value / 1e6:.3g} MB"
        case "count":
            return f"{value:g}"


_HUNDREDTH: Final = 0.01
# Below it a ratio reads better as one over something.
_FRACTION: Final = 0.6


def judge(samples: Samples) -> list[Verdict]:
    """Hold what was measured against the targets; what was not measured is left out.

    Args:
        samples: By work, client and measure.
    """
    verdicts: list[Verdict] = []
    for target in TARGETS:
        value = _value(samples, target)
        if value is not None:
            verdicts.append(Verdict(target, value))
    return [
        verdict
        for (_, measure), alike in groupby(verdicts, _kind)
        for verdict in (_worst([*alike]) if measure == "count" else alike)
    ]


def _kind(verdict: Verdict) -> tuple[str, str]:
    return verdict.target.group, verdict.target.measure


def _worst(alike: list[Verdict]) -> list[Verdict]:
    pick = min if alike[0].target.at_least else max
    worst = pick(alike, key=lambda it: it.value)
    return [replace(worst, of=len(alike))]


def _value(samples: Samples, target: Target) -> float | None:
    ours = _median(samples, target.ours, target.measure)
    if ours is None or target.against is None:
        return ours
    theirs = _median(samples, target.against, target.measure)
    return None if theirs is None else ours / theirs


def _median(samples: Samples, key: Key, measure: str) -> float | None:
    taken: Any = samples.get(key.work, {}).get(key.client, {}).get(measure)
    return median(taken) if taken else None


# --- The promises -----------------------------------------------------------------

_LANGCHAIN: Final = "ChatModelStudio"
_LLAMAINDEX: Final = "ModelStudio"
_BOTH: Final = (_LANGCHAIN, _LLAMAINDEX)
_NATIVE: Final = tuple(f"{name}, native" for name in _BOTH)
# As the service sends; how many events come at once is not ours to promise.
_CUT: Final = "one event a write"
_POOLS: Final = ("new pool", "same pool")


def _against(
    group: str, ours: str, work: str, limits: Mapping[str, float]
) -> Iterator[Target]:
    for client, limit in limits.items():
        against = Key(work, client)
        yield Target(group=group, ours=Key(work, ours), against=against, limit=limit)


def _streams() -> Iterator[Target]:
    yield from _against(
        "LangChain stream, a chunk",
        _LANGCHAIN,
        f"stream, {_CUT}",
        {"ChatOpenAI": 1 / 6, "ChatQwen": 1 / 6, LOOP: 1.5},
    )
    yield from _against(
        "LangChain stream, a chunk, async",
        _LANGCHAIN,
        f"astream, {_CUT}",
        {"ChatQwen": 1 / 10, LOOP: 1},
    )
    yield from _against(
        "LlamaIndex stream, a chunk",
        _LLAMAINDEX,
        f"stream, {_CUT}",
        {"OpenAILike": 1 / 4.5, LOOP: 2},
    )
    yield from _against(
        "LlamaIndex stream, a chunk, async",
        _LLAMAINDEX,
        f"astream, {_CUT}",
        {"OpenAILike": 1 / 6},
    )
    for client in _BOTH:
        yield Target(
            group="A chunk of a long stream",
            ours=Key("stream of 20000", client),
            against=Key("stream of 500", client),
            limit=1.2,
        )


def _native() -> Iterator[Target]:
    works = [f"{kind}, {_CUT}" for kind in ("stream", "astream")]
    for ours, other in zip(_NATIVE, _BOTH, strict=True):
        for work in (*works, "call", "acall"):
            yield from _against("Native protocol", ours, work, {other: 1.2})
    for client in (*_BOTH, *_NATIVE):
        key = Key("500 open at once", client)
        yield Target(
            group="500 streams open at once",
            ours=key,
            limit=500,
            measure="count",
            at_least=True,
        )


def _calls() -> Iterator[Target]:
    for ours, peer in zip(_BOTH, ("ChatOpenAI", "OpenAILike"), strict=True):
        for work in ("call", "acall"):
            yield from _against("A whole call", ours, work, {peer: 0.65})


def _at_once() -> Iterator[Target]:
    for streams, held in ((100, 0.05), (500, 0.5)):
        for pool in _POOLS:
            work = f"{streams} streams, {pool}"
            for client in _BOTH:
                yield from _against("Many at once", client, work, {"ChatQwen": 1 / 7})
            for client in (*_BOTH, *_NATIVE):
                yield Target(
                    group="The loop is held",
                    ours=Key(work, client),
                    limit=held,
                    measure="held",
                )


def _counts() -> Iterator[Target]:
    for client in (*_BOTH, *_NATIVE):
        yield Target(
            group="Blocking calls on the loop",
            ours=Key("blocking calls", client),
            limit=0,
            measure="count",
        )
    for client in (*_BOTH, *_NATIVE):
        for scheme in ("http", "https"):
            for method in ("stream", "astream", "call", "acall"):
                yield Target(
                    group="100 in a row",
                    ours=Key(f"connections, {method}, {scheme}", client),
                    limit=1,
                    measure="count",
                )


def _start() -> Iterator[Target]:
    work = "import and first model"
    for ours, base in zip(_BOTH, ("BaseChatModel", "FunctionCallingLLM"), strict=True):
        yield from _against("Import and first model", ours, work, {base: 1.15})
    for client in (*_BOTH, *_NATIVE):
        key = Key("a further instance", client)
        yield Target(group="A further instance", ours=key, limit=0.001)
        key = Key("500 idle instances", client)
        yield Target(group="500 idle instances", ours=key, limit=5e6, measure="bytes")


TARGETS: Final = (
    *_streams(),
    *_native(),
    *_calls(),
    *_at_once(),
    *_counts(),
    *_start(),
)
