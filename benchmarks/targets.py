"""The performance targets of this package, and whether a run met them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median
from typing import Final, Literal

from benchmarks.workloads import HTTPX_LOOP

__all__ = ["TARGETS", "Key", "SampleView", "Target", "Verdict", "judge"]

Measure = Literal["cpu", "blocked", "count", "bytes"]
SampleView = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]


@dataclass(frozen=True, slots=True)
class Key:
    """The samples of one client in one workload."""

    workload: str
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target.

    Attributes:
        group: Its row in the table.
        measured: The samples that it is about.
        limit: The largest value that meets it, or the smallest.
        relative_to: The samples to divide by. None: the value is judged by itself.
        measure: Which number of the samples.
        at_least: Whether ``limit`` is the smallest value.
    """

    group: str
    measured: Key
    limit: float
    relative_to: Key | None = None
    measure: Measure = "cpu"
    at_least: bool = False

    @property
    def description(self) -> str:
        """What is measured, in words."""
        text = f"{self.measured.client}: {self.measured.workload}"
        if self.relative_to is None:
            return text
        if self.relative_to.client == self.measured.client:
            return f"{text}, relative to {self.relative_to.workload}"
        return f"{text}, relative to {self.relative_to.client}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target and the value that was measured.

    Attributes:
        target: The target.
        value: The value.
        similar: The number of similar targets of which this is the worst.
    """

    target: Target
    value: float
    similar: int = 1

    @property
    def description(self) -> str:
        """What is measured, in words."""
        text = self.target.description
        return text if self.similar == 1 else f"{text}: the worst of {self.similar}"

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        if self.target.at_least:
            return self.value >= self.target.limit
        return self.value <= self.target.limit

    @property
    def measured(self) -> str:
        """The value with its unit."""
        return _format(self.value, self.target)

    @property
    def limit(self) -> str:
        """The limit with its unit, and its direction."""
        bound = "at least" if self.target.at_least else "at most"
        return f"{bound} {_format(self.target.limit, self.target)}"


# Below this, a ratio is written as 1/x.
_FRACTION: Final = 0.6
_TEN_MILLISECONDS: Final = 0.01


def _format(value: float, target: Target) -> str:
    if target.relative_to is not None:
        return f"1/{1 / value:.3g}" if value < _FRACTION else f"{value:.2f} ×"
    match target.measure:
        case "cpu" | "blocked":
            digits = 0 if value > _TEN_MILLISECONDS else 2
            return f"{value * 1000:,.{digits}f} ms"
        case "bytes":
            return f"{value / 1e6:.3g} MB"
        case "count":
            return f"{value:g}"


def judge(samples: SampleView) -> list[Verdict]:
    """Return the verdicts on all targets that were measured.

    Args:
        samples: By workload, client and measure.
    """
    verdicts: list[Verdict] = []
    for target in TARGETS:
        value = _value(samples, target)
        if value is not None:
            verdicts.append(Verdict(target, value))
    return [
        verdict
        for (_, measure), similar in groupby(verdicts, _kind)
        for verdict in (_worst([*similar]) if measure == "count" else similar)
    ]


def _kind(verdict: Verdict) -> tuple[str, str]:
    return verdict.target.group, verdict.target.measure


def _worst(verdicts: Sequence[Verdict]) -> list[Verdict]:
    pick = min if verdicts[0].target.at_least else max
    worst = pick(verdicts, key=lambda verdict: verdict.value)
    return [replace(worst, similar=len(verdicts))]


def _value(samples: SampleView, target: Target) -> float | None:
    value = _median(samples, target.measured, target.measure)
    if value is None or target.relative_to is None:
        return value
    divisor = _median(samples, target.relative_to, target.measure)
    return None if divisor is None else value / divisor


def _median(samples: SampleView, key: Key, measure: str) -> float | None:
    values = samples.get(key.workload, {}).get(key.client, {}).get(measure)
    return median(values) if values else None


# --- The targets ------------------------------------------------------------------

_LANGCHAIN: Final = "ChatModelStudio"
_LLAMAINDEX: Final = "ModelStudio"
_OPENAI: Final = (_LANGCHAIN, _LLAMAINDEX)
_DASHSCOPE: Final = tuple(f"{name}, dashscope" for name in _OPENAI)
_ALL: Final = (*_OPENAI, *_DASHSCOPE)
# As the service sends. There are no targets for writes of many events: how many arrive
# together is not up to a client.
_ONE_EVENT: Final = "one event per write"
_POOLS: Final = ("new pool", "same pool")


def _relative(
    group: str, client: str, workload: str, limits: Mapping[str, float]
) -> Iterator[Target]:
    for peer, limit in limits.items():
        yield Target(
            group=group,
            measured=Key(workload, client),
            relative_to=Key(workload, peer),
            limit=limit,
        )


def _streams() -> Iterator[Target]:
    yield from _relative(
        "LangChain stream, per chunk",
        _LANGCHAIN,
        f"stream, {_ONE_EVENT}",
        {"ChatOpenAI": 1 / 6, "ChatQwen": 1 / 6, HTTPX_LOOP: 1.5},
    )
    yield from _relative(
        "LangChain stream, per chunk, async",
        _LANGCHAIN,
        f"astream, {_ONE_EVENT}",
        {"ChatQwen": 1 / 10, HTTPX_LOOP: 1},
    )
    yield from _relative(
        "LlamaIndex stream, per chunk",
        _LLAMAINDEX,
        f"stream, {_ONE_EVENT}",
        {"OpenAILike": 1 / 4.5, HTTPX_LOOP: 2},
    )
    yield from _relative(
        "LlamaIndex stream, per chunk, async",
        _LLAMAINDEX,
        f"astream, {_ONE_EVENT}",
        {"OpenAILike": 1 / 6},
    )
    for client in _OPENAI:
        yield Target(
            group="Long stream, per chunk",
            measured=Key("stream of 20000", client),
            relative_to=Key("stream of 500", client),
            limit=1.2,
        )


def _dashscope() -> Iterator[Target]:
    workloads = [f"{method}, {_ONE_EVENT}" for method in ("stream", "astream")]
    for client, other in zip(_DASHSCOPE, _OPENAI, strict=True):
        for workload in (*workloads, "call", "acall"):
            yield from _relative("DashScope protocol", client, workload, {other: 1.2})
    for client in _ALL:
        yield Target(
            group="500 open streams",
            measured=Key("500 open streams", client),
            limit=500,
            measure="count",
            at_least=True,
        )


def _calls() -> Iterator[Target]:
    for client, peer in zip(_OPENAI, ("ChatOpenAI", "OpenAILike"), strict=True):
        for workload in ("call", "acall"):
            yield from _relative("Call", client, workload, {peer: 0.65})


def _concurrent() -> Iterator[Target]:
    for streams, blocked in ((100, 0.05), (500, 0.5)):
        for pool in _POOLS:
            workload = f"{streams} streams, {pool}"
            for client in _OPENAI:
                limits = {"ChatQwen": 1 / 7}
                yield from _relative("Many streams", client, workload, limits)
            for client in _ALL:
                yield Target(
                    group="Event loop blocked",
                    measured=Key(workload, client),
                    limit=blocked,
                    measure="blocked",
                )


def _counts() -> Iterator[Target]:
    for client in _ALL:
        yield Target(
            group="Blocking calls on the event loop",
            measured=Key("blocking calls", client),
            limit=0,
            measure="count",
        )
    for client in _ALL:
        for scheme in ("http", "https"):
            for method in ("stream", "astream", "call", "acall"):
                yield Target(
                    group="Connections of 100 requests",
                    measured=Key(f"connections, {method}, {scheme}", client),
                    limit=1,
                    measure="count",
                )


def _startup() -> Iterator[Target]:
    workload, bases = "import and first model", ("BaseChatModel", "FunctionCallingLLM")
    for client, base in zip(_OPENAI, bases, strict=True):
        yield from _relative("Import and first model", client, workload, {base: 1.15})
    for client in _ALL:
        key = Key("another instance", client)
        yield Target(group="Another instance", measured=key, limit=0.001)
        key = Key("500 idle instances", client)
        yield Target(
            group="500 idle instances", measured=key, limit=5e6, measure="bytes"
        )


TARGETS: Final = (
    *_streams(),
    *_dashscope(),
    *_calls(),
    *_concurrent(),
    *_counts(),
    *_startup(),
)
