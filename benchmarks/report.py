"""Tables for the terminal, and the page in the documentation with its plot."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Final

from benchmarks.environments import ROOT, interpreter
from benchmarks.targets import Samples, Verdict, judge
from benchmarks.works import LOOP

__all__ = ["told", "write"]

_PAGE: Final = ROOT / "docs" / "benchmarks.md"
_PLOT: Final = ROOT / "docs" / "benchmarks.svg"
_MEASURES: Final = {
    "cpu": "CPU",
    "wall": "time",
    "held": "loop held",
    "held_aside": "collections aside",
    "late": "loop late",
    "collected": "longest collection",
    "count": "",
    "bytes": "",
}
_STREAMS: Final = {
    "stream, one event a write": "sync, one event a write",
    "astream, one event a write": "async, one event a write",
    "stream, 32 events a write": "sync, 32 events a write",
    "astream, 32 events a write": "async, 32 events a write",
}
_CALLS: Final = {"call": "sync", "acall": "async"}
_MANY: Final = (
    "100 streams, new pool",
    "100 streams, same pool",
    "500 streams, new pool",
    "500 streams, same pool",
)
_MILLISECOND: Final = 1e-3


# --- The terminal -----------------------------------------------------------------


def told(results: Mapping[str, Any]) -> str:
    """Return all medians and all verdicts as text.

    Args:
        results: What ``measure`` returned.
    """
    lines = [*_medians(results["samples"]), "", *_verdicts(results["samples"])]
    lines += [f"FAILED {work}" for work in results["failures"]]
    return "\n".join(lines)


def _medians(samples: Samples) -> Iterator[str]:
    for work, clients in samples.items():
        yield f"\n{work}"
        for client, measured in clients.items():
            numbers = (_spread(name, taken) for name, taken in measured.items())
            yield f"  {client:26}{'   '.join(numbers)}"


def _spread(measure: str, taken: Sequence[float]) -> str:
    name = _MEASURES[measure]
    return f"{name} {_number(measure, median(taken))}".strip() + (
        f" ({_number(measure, min(taken))} to {_number(measure, max(taken))})"
        if len(taken) > 1
        else ""
    )


def _number(measure: str, value: float) -> str:
    if measure == "count":
        return f"{value:g}"
    if measure == "bytes":
        return f"{value / 1e6:.2f} MB"
    if value < _MILLISECOND:
        return f"{value * 1e6:.1f} µs"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


def _verdicts(samples: Samples) -> Iterator[str]:
    verdicts = judge(samples)
    for it in verdicts:
        mark = "met   " if it.met else "MISSED"
        yield f"{mark} {it.measured:>9}  must be {_limit(it):>18}  {it.what}"
    missed = sum(not it.met for it in verdicts)
    yield f"\n{len(verdicts) - missed} targets met, {missed} missed."


def _limit(verdict: Verdict) -> str:
    bound = "at least" if verdict.target.at_least else "at most"
    return f"{bound} {verdict.wanted}"


# --- The page ---------------------------------------------------------------------


def write(results: Mapping[str, Any]) -> None:
    """Write the page and its plot.

    Args:
        results: What ``measure`` returned.
    """
    _PAGE.write_text("\n".join(_page(results)) + "\n")
    _draw(results["samples"])


def _page(results: Mapping[str, Any]) -> Iterator[str]:
    samples: Samples = results["samples"]
    machine = results["machine"]
    yield _HEAD.format(rounds=results["rounds"], **machine)
    verdicts = judge(samples)
    missed = sum(not it.met for it in verdicts)
    yield from _section(
        "Targets",
        f"Of {len(verdicts)} targets {len(verdicts) - missed} were met and {missed}"
        " missed in this run.",
    )
    yield from _targets(verdicts)
    for work in results["failures"]:
        yield f"\nNot measured, because it failed: {work}."
    yield from _section("Streams", _ON_STREAMS)
    yield from _by_client(samples, _STREAMS)
    yield "\n![CPU a chunk, by client](benchmarks.svg)"
    yield from _section("Whole calls", _ON_CALLS)
    yield from _by_client(samples, _CALLS)
    yield from _section("Many streams at once", _ON_MANY)
    yield from _many(samples)
    yield from _section("Import, construction and memory", _ON_START)
    yield from _start(samples)
    if profile := results.get("profile"):
        yield from _section("Where the time goes", _ON_PROFILE)
        yield from _profile(profile)
    yield from _section("Versions", "")
    yield from _versions(results["versions"])


def _section(title: str, words: str) -> Iterator[str]:
    yield f"\n## {title}\n"
    if words:
        yield f"{words}\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _targets(verdicts: Sequence[Verdict]) -> Iterator[str]:
    rows = [
        (
            it.target.group,
            it.what,
            it.measured,
            _limit(it),
            "met" if it.met else "**missed**",
        )
        for it in verdicts
    ]
    yield from _table(("work", "measured of", "measured", "must be", ""), rows)


def _by_client(samples: Samples, works: Mapping[str, str]) -> Iterator[str]:
    """Yield a row a client: its median, and beside it that of the bare loop's."""
    present = {work: title for work, title in works.items() if work in samples}
    clients = dict.fromkeys(it for work in present for it in samples[work])
    rows = [
        (client, *(_beside(samples[work], client) for work in present))
        for client in clients
    ]
    yield from _table(("client", *present.values()), rows)


def _beside(work: Mapping[str, Mapping[str, list[float]]], client: str) -> str:
    if client not in work:
        return ""
    own, loop = median(work[client]["cpu"]), median(work[LOOP]["cpu"])
    return f"{own * 1e6:,.1f} µs ({own / loop:.1f} ×)"


def _many(samples: Samples) -> Iterator[str]:
    shown = ("cpu", "wall", "held", "held_aside", "collected")
    rows = [
        (
            work,
            client,
            *(
                _number(it, median(measured[it])) if it in measured else ""
                for it in shown
            ),
        )
        for work in _MANY
        for client, measured in samples.get(work, {}).items()
    ]
    head = ("streams", "client", *(_MEASURES[it] for it in shown))
    yield from _table(head, rows)


def _start(samples: Samples) -> Iterator[str]:
    works = ("import and first model", "a further instance", "500 idle instances")
    rows = [
        (work, client, *(_number(it, median(taken)) for it, taken in measured.items()))
        for work in works
        for client, measured in samples.get(work, {}).items()
    ]
    yield from _table(("what", "of", "median"), rows)


def _profile(profile: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    for what, columns in profile.items():
        layers = next(iter(columns.values()))
        rows = [
            (layer, *(f"{parts[layer] * 1e6:,.1f}" for parts in columns.values()))
            for layer in layers
        ]
        yield from _table((f"µs of CPU, {what}", *columns), rows)
        yield ""


def _versions(versions: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    rows = [
        (client, ", ".join(f"{name} {it}" for name, it in packages.items()))
        for client, packages in versions.items()
    ]
    yield from _table(("client", "packages"), rows)


def _draw(samples: Samples) -> None:
    panels = [
        {
            "title": title,
            "bars": {
                client: median(measured["cpu"]) * 1e6
                for client, measured in samples[work].items()
            },
        }
        for work, title in _STREAMS.items()
        if work in samples and "one event" in work
    ]
    subprocess.run(  # noqa: S603 - our own command
        [interpreter("plot"), "-m", "benchmarks.plot", str(_PLOT)],
        cwd=ROOT,
        input=json.dumps(panels),
        text=True,
        check=True,
    )


# --- Words ------------------------------------------------------------------------

_HEAD: Final = """\
# Benchmarks

This page is written by `python -m benchmarks --write` and says what one run measured: \
what `ChatModelStudio` and `ModelStudio` cost beside other clients that are given the \
same bytes, and beside the targets of this package. Absolute figures belong to the \
machine; compare the ratios.

The machine: {processor}; {system}; Python {python}; load {load} at the end of the \
run; {date}. A load above the number of cores means that others worked on the machine, \
which blurs figures.

Every client is a warm process of its own, and the server another one, on loopback. \
What is told is the CPU time of the client's process, its threads included. Clients \
take turns, each round beginning with another one, and figures are medians of {rounds} \
rounds (fewer for many streams at once). `httpx loop` is the same work with httpx 0.28 \
and the standard library's JSON and nothing else: it reads lines and parses them. \
A stream has 2,000 deltas, half of them reasoning, in the shapes that the service was \
recorded to send.

A service sends one event a write, and each is an HTTP chunk of its own; here they \
come as fast as they are read. Behind a gateway that buffers, a write holds many. What \
the HTTP library costs differs so much between the two that both are measured."""

_ON_STREAMS: Final = (
    "CPU a chunk, and in parentheses how many times that of the bare loop."
)
_ON_CALLS: Final = "CPU of one whole answer of 200 tokens, the connection being open."
_ON_MANY: Final = (
    "Asynchronous streams of 200 deltas, one every 2 ms, all begun at once: 0.4 s at"
    " best. A new pool has to connect first. The loop is held for the longest CPU time"
    " between two turns of another task that wants to run every 2 ms. That includes"
    " Python's garbage collections, so what is left without them, and the longest one,"
    " stand beside it: LangChain keeps every chunk until its stream ends, and a full"
    " collection looks at them all, and at all that was imported. Blocking calls are"
    " counted apart: in a fresh process under blockbuster, from the first call on."
)
_ON_START: Final = (
    "CPU of a fresh process from its first line on, with an empty subclass of the"
    " framework's base class for comparison; memory is what 500 more models add to the"
    " resident set."
)
_ON_PROFILE: Final = (
    "Measured alone and in turns: the SDK with its HTTP library reading the"
    " bytes, the core parsing the same bytes, the core as a whole, and the framework"
    " handing on chunks that are ready. The adapter, and the rest of the core, are what"
    " is left between them, so a small one may come out below zero."
)
