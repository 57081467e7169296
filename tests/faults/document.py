"""Generates the tables in ``docs/reliability.md``: faults, errors and the soak test.

``python -m tests.faults.document`` rewrites them, and draws ``docs/reliability.svg``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.plot import Panel, bars, draw, line
from tests.attack.table import ATTACKS, Attack
from tests.faults.soak import FIGURES, LEFT, OK, PERIOD
from tests.faults.soak_mixed import MIXED_FIGURES
from tests.faults.table import LANGCHAIN_ERRORS, TABLE, Outcome

__all__ = ["DOCUMENT", "PLOT", "main", "panels", "regenerate"]

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
PLOT: Final = DOCUMENT.with_suffix(".svg")
_SECTION: Final = re.compile(
    r"(<!-- (\w+): generated[^>]*-->\n).*?(<!-- end -->)", re.DOTALL
)


def regenerate(text: str) -> str:
    """Return the document with its generated sections up to date."""
    sections = {
        "faults": _faults,
        "errors": _errors,
        "attacks": _attacks,
        "soak": _soak,
        "mixed": _mixed,
    }
    return _SECTION.sub(
        lambda match: f"{match[1]}\n{sections[match[2]]()}\n\n{match[3]}", text
    )


def _table(*rows: Sequence[object]) -> str:
    header, *rest = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([header, f"|{'---|' * len(rows[0])}", *rest])


def _faults() -> str:
    return _table(
        ("what happens", "without streaming", "streaming"),
        *(
            (
                row.description,
                _describe(row.response),
                _describe(row.outcome(stream=True)),
            )
            for row in TABLE
        ),
    )


def _describe(outcome: Outcome) -> str:
    if outcome.error is None:
        return "the answer"
    text = f"`{outcome.error.__name__}`"
    if outcome.partial:
        text += " after partial output"
    return f"{text}, retried" if outcome.retried else text


def _attacks() -> str:
    return _table(
        ("what the other side does", "outcome", "what ends it"),
        *((attack.description, _name(attack), attack.end) for attack in ATTACKS),
    )


def _name(attack: Attack) -> str:
    return "the answer" if attack.error is None else f"`{attack.error.__name__}`"


def _errors() -> str:
    return _table(
        ("class", "LangChain class", "`status_code`"),
        *(
            (f"`{cls.__name__}`", f"`{langchain.__name__}`", _statuses(cls))
            for cls, langchain in LANGCHAIN_ERRORS.items()
        ),
    )


def _statuses(cls: type[Exception]) -> str:
    outcomes = [row.outcome(stream=stream) for row in TABLE for stream in (True, False)]
    statuses = {o.status for o in outcomes if o.error is cls and o.status}
    return ", ".join(map(str, sorted(statuses))) or "`None`"


def _soak() -> str:
    figures = _read(FIGURES)
    outcomes: dict[str, int] = figures["outcomes"]
    failed = sum(n for name, n in outcomes.items() if name not in {OK, LEFT})
    quarter = len(figures["rss"]) // 4
    early = median(figures["rss"][quarter : 2 * quarter])
    late = median(figures["rss"][-quarter:])
    rows = {
        "concurrent streams": figures["streams"],
        "seconds": f"{figures['seconds']:g}",
        "share of requests that the server fails": f"{figures['requests_failing']:.0%}",
        "finished streams": figures["finished"],
        "… with the right answer": outcomes[OK],
        "… with the right error": failed,
        "… closed early by the client": outcomes[LEFT],
        "… with a wrong outcome": len(figures["wrong"]),
        "file descriptors before, at most, after": _join(figures["fds"]),
        "threads before, at most, after": _join(figures["threads"]),
        "asyncio tasks left over": figures["tasks"],
        "responses that the server was still sending": figures["busy"],
        "memory in the second and in the last quarter": (
            f"{early:g} MiB, {late:g} MiB"
        ),
        "CPU seconds, without the server": figures["cpu"],
    }
    return _table(("measure", "value"), *rows.items())


def _mixed() -> str:
    figures = _read(MIXED_FIGURES)
    rows = {
        "seconds": f"{figures['seconds']:g}",
        **_mixed_rows(figures),
        "file descriptors before and after": _join(figures["fds"]),
        "threads before and after": _join(figures["threads"]),
        "responses that the server was still sending": figures["busy"],
    }
    return _table(("measure", "value"), *rows.items())


def _mixed_rows(figures: Mapping[str, Any]) -> dict[str, int]:
    outcomes: dict[str, int] = figures["outcomes"]
    return {
        "complete answers": outcomes["whole"] + outcomes["streamed"],
        "abandoned streams": outcomes["abandoned"],
        "cancelled tasks": outcomes["cancelled"],
        "interrupted calls": outcomes["interrupted"],
        "child processes": outcomes["forks"],
        "answers that are wrong, or of another caller": len(figures["wrong"]),
    }


def _read(path: Path) -> Mapping[str, Any]:
    figures: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures


def _join(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def panels() -> Iterator[Panel]:
    """Yield the charts of the soak: its outcomes, its memory, and its second part."""
    figures = _read(FIGURES)
    outcomes: dict[str, int] = figures["outcomes"]
    title = f"{figures['streams']} streams at once for {figures['seconds']:g} seconds"
    names = {LEFT: "closed early by the client"}
    values = {names.get(name, name): number for name, number in outcomes.items()}
    values["a wrong outcome"] = len(figures["wrong"])
    yield bars(title, "finished streams", values, [OK])
    memory = {PERIOD * number: rss for number, rss in enumerate(figures["rss"], 1)}
    yield line("memory of the process", "MiB", memory, "seconds")
    mixed = _mixed_rows(_read(MIXED_FIGURES))
    yield bars("everything at once in one process", "how many", mixed, [*mixed][:1])


def main() -> None:
    """Rewrite the tables, and draw the plot."""
    text = regenerate(DOCUMENT.read_text(encoding="utf-8"))
    DOCUMENT.write_text(text, encoding="utf-8")
    draw([*panels()], PLOT)


if __name__ == "__main__":
    main()
