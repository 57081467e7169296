"""Write ``docs/clients.md`` from the results."""

import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from clients.checks import CHECKS, Result
from clients.clients import CLIENTS
from modelstudio_core import __version__

__all__ = ["Column", "format_page"]

Column = Mapping[str, Result]
_MARKS: Final = {"passed": "✓", "failed": "✗", "not offered": ""}
_INTRODUCTION: Final = """\
# Clients of the emulator

Other clients of Model Studio, pointed at this project's
[emulator](testing.md). `make clients` wrote this page: each client runs in
its own process and environment, with a new emulator for each check, and without a
network. It shows that the emulator answers what clients really send. It does not
show that the service answers the same: nothing here was tried there.

| mark | meaning |
|---|---|
| ✓ | the check passed |
| ✗ | it failed; what came is below the table |
| (empty) | the client, or its driver here, has nothing to check |
"""


def format_page(
    columns: Mapping[str, Column], versions: Mapping[str, Mapping[str, str]]
) -> str:
    """Return the page.

    Args:
        columns: The results by the client's name and the check's action.
        versions: The versions by the client's name.
    """
    return "\n".join(
        [
            _INTRODUCTION,
            *_clients(versions),
            *_table(columns),
            *_failures(columns),
            *_expectations(),
        ]
    )


def _clients(versions: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    python = ".".join(platform.python_version_tuple()[:2])
    day = datetime.now(UTC).date().isoformat()
    yield "## The clients\n"
    yield f"{day}, Python {python}, this project {__version__}.\n"
    yield "| client | packages |\n|---|---|"
    for client in CLIENTS:
        packages = ", ".join(f"{k} {v}" for k, v in versions[client.name].items())
        yield f"| {client.name} | {packages} |"
    yield ""


def _table(columns: Mapping[str, Column]) -> Iterator[str]:
    yield "## The checks\n"
    yield f"| client | {' | '.join(check.title for check in CHECKS)} | passed |"
    yield f"|---|{'---|' * len(CHECKS)}---|"
    for name, column in columns.items():
        words = [column[check.action].word for check in CHECKS]
        offered = sum(word != "not offered" for word in words)
        cells = [_MARKS[word] for word in words]
        total = f"{words.count('passed')} of {offered}"
        yield f"| {name} | {' | '.join(cells)} | {total} |"
    results = [result for column in columns.values() for result in column.values()]
    passed = sum(result.word == "passed" for result in results)
    offered = sum(result.word != "not offered" for result in results)
    yield f"\n{passed} of {offered} checks passed.\n"


def _failures(columns: Mapping[str, Column]) -> Iterator[str]:
    titles = {check.action: check.title for check in CHECKS}
    lines = [
        f"- {name}, {titles[action]}: {result.evidence}"
        for name, column in columns.items()
        for action, result in column.items()
        if result.word == "failed"
    ]
    if lines:
        yield "## What failed\n"
        yield from lines
        yield ""


def _expectations() -> Iterator[str]:
    yield "## What is expected\n"
    for check in CHECKS:
        yield f"- **{check.title}**: {check.expected}"
    yield ""
