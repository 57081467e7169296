"""The text for the terminal, and ``docs/benchmarks.md`` with its plot."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Final

from benchmarks.clients import CLIENTS
from benchmarks.environments import PROJECT, ROOT
from benchmarks.measure import Layers, Results
from benchmarks.plot import Panel, bars, draw, own
from benchmarks.targets import SampleView, Verdict, judge
from benchmarks.workloads import HTTPX_LOOP

__all__ = ["terminal_text", "write"]

_PAGE: Final = ROOT / "docs" / "benchmarks.md"
_PLOT: Final = ROOT / "docs" / "benchmarks.svg"
_MEASURES: Final = {
    "cpu": "CPU",
    "wall": "time",
    "blocked": "loop blocked",
    "blocked_without_gc": "without GC",
    "late": "loop late",
    "longest_gc": "longest GC",
    "count": "",
    "bytes": "",
}
_STREAMS: Final = {
    "stream, one event per write": "sync, one event per write",
    "astream, one event per write": "async, one event per write",
    "stream, 32 events per write": "sync, 32 events per write",
    "astream, 32 events per write": "async, 32 events per write",
}
_CALLS: Final = {"call": "sync", "acall": "async"}
_CONCURRENT: Final = (
    "100 streams, new pool",
    "100 streams, same pool",
    "500 streams, new pool",
    "500 streams, same pool",
)
_MILLISECOND: Final = 1e-3


# --- The terminal -----------------------------------------------------------------


def terminal_text(results: Results) -> str:
    """Return all medians and all verdicts as text.

    Args:
        results: What ``measure`` returned.
    """
    lines = [*_medians(results["samples"]), "", *_verdicts(results["samples"])]
    lines += [f"FAILED {workload}" for workload in results["failures"]]
    return "\n".join(lines)


def _medians(samples: SampleView) -> Iterator[str]:
    for workload, clients in samples.items():
        yield f"\n{workload}"
        for client, measures in clients.items():
            numbers = (_spread(name, values) for name, values in measures.items())
            yield f"  {client:28}{'   '.join(numbers)}"


def _spread(measure: str, values: Sequence[float]) -> str:
    name = _MEASURES[measure]
    return f"{name} {_number(measure, median(values))}".strip() + (
        f" ({_number(measure, min(values))} to {_number(measure, max(values))})"
        if len(values) > 1
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


def _verdicts(samples: SampleView) -> Iterator[str]:
    verdicts = judge(samples)
    for verdict in verdicts:
        mark = "met   " if verdict.met else "MISSED"
        numbers = f"{verdict.measured:>9}  must be {verdict.limit:>18}"
        yield f"{mark} {numbers}  {verdict.description}"
    missed = sum(not verdict.met for verdict in verdicts)
    yield f"\n{len(verdicts) - missed} targets met, {missed} missed."


# --- The page ---------------------------------------------------------------------


def write(results: Results, variants: Sequence[Results] = ()) -> None:
    """Write the page and its plot.

    Args:
        results: What ``measure`` returned.
        variants: Runs of many streams at once with ``freeze`` or another Python.
    """
    _PAGE.write_text("\n".join(_page(results, variants)) + "\n")
    draw([*_panels(results["samples"])], _PLOT)


def _page(results: Results, variants: Sequence[Results]) -> Iterator[str]:
    samples: SampleView = results["samples"]
    yield _HEAD.format(rounds=results["options"]["rounds"], **results["machine"])
    verdicts = judge(samples)
    missed = sum(not verdict.met for verdict in verdicts)
    yield from _section(
        "Targets",
        f"This run met {len(verdicts) - missed} of {len(verdicts)} targets and missed"
        f" {missed}.",
    )
    yield from _targets(verdicts)
    for workload in results["failures"]:
        yield f"\nNot measured, because it failed: {workload}."
    yield from _section("Streams", _ABOUT_STREAMS)
    yield from _by_client(samples, _STREAMS)
    yield "\n![CPU per chunk, by client](benchmarks.svg)"
    yield from _section("Calls", _ABOUT_CALLS)
    yield from _by_client(samples, _CALLS)
    yield from _section("Many streams at once", _ABOUT_CONCURRENT)
    yield from _concurrent(samples)
    yield from _section("Serving many streams", _ABOUT_SERVING)
    if variants:
        yield ""
        yield from _serving([results, *variants])
    yield from _section("Import, construction and memory", _ABOUT_STARTUP)
    yield from _startup(samples)
    if profile := results["profile"]:
        yield from _section("CPU by layer", _ABOUT_PROFILE)
        yield from _profile(profile)
    yield from _section("Versions", "")
    yield from _versions(results["versions"])


def _section(title: str, text: str) -> Iterator[str]:
    yield f"\n## {title}\n"
    if text:
        yield f"{text}\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _targets(verdicts: Sequence[Verdict]) -> Iterator[str]:
    rows = [
        (
            verdict.target.group,
            verdict.description,
            verdict.measured,
            verdict.limit,
            "met" if verdict.met else "**missed**",
        )
        for verdict in verdicts
    ]
    yield from _table(("target", "measurement", "measured", "must be", ""), rows)


def _by_client(samples: SampleView, workloads: Mapping[str, str]) -> Iterator[str]:
    """Yield one row per client: its medians, and the ratio to the httpx loop."""
    present = {key: title for key, title in workloads.items() if key in samples}
    clients = dict.fromkeys(client for key in present for client in samples[key])
    rows = [
        (client, *(_with_ratio(samples[key], client) for key in present))
        for client in clients
    ]
    yield from _table(("client", *present.values()), rows)


def _with_ratio(
    clients: Mapping[str, Mapping[str, Sequence[float]]], client: str
) -> str:
    if client not in clients:
        return ""
    cpu, loop = median(clients[client]["cpu"]), median(clients[HTTPX_LOOP]["cpu"])
    return f"{cpu * 1e6:,.1f} µs ({cpu / loop:.1f} ×)"


def _concurrent(samples: SampleView) -> Iterator[str]:
    shown = ("cpu", "wall", "blocked", "blocked_without_gc", "longest_gc")
    rows = [
        (workload, client, *_cells(measures, shown))
        for workload in _CONCURRENT
        for client, measures in samples.get(workload, {}).items()
    ]
    head = ("streams", "client", *(_MEASURES[measure] for measure in shown))
    yield from _table(head, rows)


def _serving(runs: Sequence[Results]) -> Iterator[str]:
    """Yield a table of this project's clients in runs with different options."""
    shown = ("cpu", "blocked", "longest_gc")
    rows = [
        (
            workload,
            client,
            run["machine"]["date"],
            run["machine"]["python"],
            "yes" if run["options"]["freeze"] else "no",
            *_cells(run["samples"][workload][client], shown),
        )
        for workload in _CONCURRENT
        for client, spec in CLIENTS.items()
        for run in runs
        if spec.environment == PROJECT and client in run["samples"].get(workload, {})
    ]
    measures = (_MEASURES[measure] for measure in shown)
    yield from _table(
        ("streams", "client", "date", "Python", "frozen", *measures), rows
    )


def _cells(
    measures: Mapping[str, Sequence[float]], shown: Sequence[str]
) -> Iterator[str]:
    for measure in shown:
        values = measures.get(measure)
        yield _number(measure, median(values)) if values else ""


def _startup(samples: SampleView) -> Iterator[str]:
    workloads = ("import and first model", "another instance", "500 idle instances")
    rows = [
        (workload, name, *_cells(measures, tuple(measures)))
        for workload in workloads
        for name, measures in samples.get(workload, {}).items()
    ]
    yield from _table(("measurement", "class", "median"), rows)


def _profile(profile: Mapping[str, Layers]) -> Iterator[str]:
    for unit, columns in profile.items():
        layers = next(iter(columns.values()))
        rows = [
            (layer, *(f"{seconds[layer] * 1e6:,.1f}" for seconds in columns.values()))
            for layer in layers
        ]
        yield from _table((f"µs of CPU per {unit}", *columns), rows)
        yield ""


def _versions(versions: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    rows = [
        (client, ", ".join(f"{name} {version}" for name, version in packages.items()))
        for client, packages in versions.items()
    ]
    yield from _table(("client", "packages"), rows)


def _panels(samples: SampleView) -> Iterator[Panel]:
    for workload, title in _STREAMS.items():
        if workload in samples and "one event" in workload:
            values = {
                client: median(measures["cpu"]) * 1e6
                for client, measures in samples[workload].items()
            }
            yield bars(title, "µs of CPU per chunk", values, own(values))


# --- Texts ------------------------------------------------------------------------

_HEAD: Final = """\
# Benchmarks

`python -m benchmarks --write` wrote this page after one run. It compares what \
`ChatModelStudio` and `ModelStudio` cost with other clients that receive the same \
bytes, and with the targets of this package. Absolute figures depend on the machine; \
compare the ratios.

The machine: {processor}; {system}; Python {python}; load {load} at the end of the \
run; {date}. A load above the number of cores means that other processes were running, \
which makes figures less exact.

Every client runs in its own process, after a warm-up; the server is another process \
on loopback. CPU is the CPU time of the client's process, threads included. Clients \
are measured in rotation, each round beginning with another one, and figures are \
medians of {rounds} rounds (fewer for many streams at once). `httpx loop` does the \
least: it reads lines with httpx 0.28 and parses them with the standard library's \
JSON. A stream has 2,000 deltas, half of them reasoning, in the shapes of recorded \
responses.

The service sends one event per write, and each is its own HTTP chunk; here they are \
sent as fast as the client reads. Behind a gateway that buffers, a write has many \
events. The cost of the HTTP library differs much between the two, so both are \
measured."""

_ABOUT_STREAMS: Final = "CPU per chunk, and in parentheses the ratio to `httpx loop`."
_ABOUT_CALLS: Final = (
    "CPU per response of 200 tokens that is not streamed, over an open connection."
)
_ABOUT_CONCURRENT: Final = (
    "Asynchronous streams of 200 deltas, one every 2 ms, all started at once: 0.4 s at"
    ' best. A new pool has to open connections first. "Loop blocked" is the longest'
    " CPU time for which another task, which wants to run every 2 ms, had to wait. That"
    " includes Python's garbage collection, so the next columns show the same without"
    " it, and the longest collection: LangChain keeps every chunk until its stream"
    " ends, and a full collection visits them all, and all that was imported. Blocking"
    " calls are counted separately: in a new process with blockbuster, those of the"
    " first call included."
)
_ABOUT_SERVING: Final = (
    "A server that reads many streams in one event loop should call `gc.collect()` and"
    " `gc.freeze()` once, after start-up and a first request: garbage collection then"
    " skips everything that was imported. That about halves the longest time for which"
    " LangChain streams block the loop; LlamaIndex streams hardly need it. Python 3.13"
    " instead of 3.11 makes no clear difference. `python -m benchmarks --only"
    " '^100 streams' --freeze` measures it, with `--python PATH` on another Python."
)
_ABOUT_STARTUP: Final = (
    "CPU of a new process from its first line on, compared with an empty subclass of"
    " the framework's base class; memory is what 500 more models add to the resident"
    " set."
)
_ABOUT_PROFILE: Final = (
    "Each layer is measured by itself, in rotation: the SDK and its HTTP library"
    " reading the bytes, the core's parser with the same bytes, the core with both, and"
    ' the framework with chunks that exist already. "Adapter" and "core: other" are'
    " differences between these, so a small one may be negative."
)
