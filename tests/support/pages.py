"""The pages of the documentation: their blocks of code and their tables."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, Final, NamedTuple

__all__ = [
    "DOCS",
    "PAGES",
    "ROOT",
    "Snippet",
    "defined_tests",
    "names",
    "read",
    "run",
    "snippets",
    "table",
]

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = tuple(
    sorted(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md"))
)
_BLOCK = re.compile(
    r"^(?P<mark><!-- not run: (?P<reason>.+?) -->\n)?"
    r"```(?P<language>\w+)\n(?P<code>.*?)^```\n",
    re.MULTILINE | re.DOTALL,
)


class Snippet(NamedTuple):
    """A block of Python: its page, the number of its first line, the output below.

    Attributes:
        page: The path of the page below the repository.
        code: The code.
        line: The number of lines above it.
        output: What it prints, where the page shows that.
        reason: Why it cannot run, where a comment above it says so.
    """

    page: str
    code: str
    line: int
    output: str | None
    reason: str | None


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def snippets(page: str) -> Iterator[Snippet]:
    """Yield the blocks of Python of a page, in order.

    A block that cannot run in a test has the comment ``<!-- not run: reason -->`` on
    the line above it.
    """
    text = read(page)
    blocks = list(_BLOCK.finditer(text))
    for position, block in enumerate(blocks):
        if block["language"] != "python":
            continue
        after = blocks[position + 1] if position + 1 < len(blocks) else None
        output = None
        if after and after["language"] == "text":
            between = text[block.end() : after.start()]
            output = None if between.strip() else after["code"]
        line = text.count("\n", 0, block.start("code"))
        yield Snippet(page, block["code"], line, output, block["reason"])


def run(snippet: Snippet, namespace: dict[str, Any]) -> None:
    """Run a block, with the page's line numbers in tracebacks."""
    source = "\n" * snippet.line + snippet.code
    code = compile(source, str(ROOT / snippet.page), "exec")
    exec(code, namespace)  # noqa: S102 - the page is what is tested


def defined_tests(snippet: Snippet, namespace: dict[str, Any]) -> list[FunctionType]:
    """Return the tests that a block defines, which use the emulator's fixture."""
    defined = re.findall(
        r"^(?:async )?def (test_\w+)\(modelstudio_emulator\)",
        snippet.code,
        re.MULTILINE,
    )
    return [namespace[name] for name in defined]


def table(page: str, *header: str) -> list[list[str]]:
    """Return the cells of the table with this header, without its backticks."""
    text = read(page)
    start = text.index(f"| {' | '.join(header)} |\n")
    lines = text[start:].partition("\n\n")[0].splitlines()[2:]
    return [
        [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        for line in lines
    ]


def names(cell: str) -> list[str]:
    """Return the names of a cell, which commas separate."""
    return [name.strip() for name in cell.split(",") if name.strip()]
