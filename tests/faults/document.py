"""The parts of ``docs/reliability.md`` that are made: of the table, and of the figures.

``python -m tests.faults.document`` writes them anew.
"""

import json
import re
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.faults.soak import FIGURES, LEFT, OK
from tests.faults.table import LANGCHAIN, TABLE, Outcome

__all__ = ["DOCUMENT", "rewritten"]

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
_PART: Final = re.compile(r"(<!-- (\w+): made[^>]*-->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(text: str) -> str:
    """Return the document with its made parts as they should be."""
    parts = {"faults": _faults, "classes": _classes, "soak": _soak}
    return _PART.sub(lambda it: f"{it[1]}\n{parts[it[2]]()}\n\n{it[3]}", text)


def _faults() -> str:
    lines = [
        "| what happens | whole answer | stream |",
        "|---|---|---|",
        *(
            f"| {row.told} | {_say(row.whole)} | {_say(row.outcome(stream=True))} |"
            for row in TABLE
        ),
    ]
    return "\n".join(lines)


def _say(outcome: Outcome) -> str:
    if outcome.error is None:
        return "the answer"
    said = f"`{outcome.error.__name__}`"
    if outcome.begun:
        said += ", after what came"
    return f"{said}, tried again" if outcome.tries == "all" else said


def _classes() -> str:
    lines = [
        "| class | in LangChain also | `status_code` |",
        "|---|---|---|",
        *(
            f"| `{ours.__name__}` | `{theirs.__name__}` | {_statuses(ours)} |"
            for ours, theirs in LANGCHAIN.items()
        ),
    ]
    return "\n".join(lines)


def _statuses(cls: type[Exception]) -> str:
    outcomes = (it for row in TABLE for it in (row.whole, row.outcome(stream=True)))
    found = sorted({it.status for it in outcomes if it.error is cls and it.status})
    return ", ".join(map(str, found)) or "`None`"


def _soak() -> str:
    it: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    outcomes: dict[str, int] = it["outcomes"]
    failed = sum(n for name, n in outcomes.items() if name not in {OK, LEFT})
    quarter = len(it["rss"]) // 4
    early = median(it["rss"][quarter : 2 * quarter])
    late = median(it["rss"][-quarter:])
    rows = {
        "streams at once": it["streams"],
        "seconds": f"{it['seconds']:g}",
        "requests that were made to fail": f"{it['requests_failing']:.0%}",
        "streams that ended": it["finished"],
        "… with the right answer": outcomes[OK],
        "… with the right error": failed,
        "… left early": outcomes[LEFT],
        "… otherwise": len(it["wrong"]),
        "file descriptors before, at most, after": _three(it["fds"]),
        "threads before, at most, after": _three(it["threads"]),
        "tasks left": it["tasks"],
        "answers that the server was still sending": it["busy"],
        "memory in the second quarter, in the last": f"{early:g} MiB, {late:g} MiB",
        "seconds of a processor, the server's not counted": it["cpu"],
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def _three(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


if __name__ == "__main__":
    old = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(rewritten(old), encoding="utf-8")
