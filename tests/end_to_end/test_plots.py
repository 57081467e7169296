"""The plots of the pages: written with the page, and of the same numbers.

Nothing is measured. matplotlib draws where its environment exists.
"""

import json
import re
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import batches, plot, report, retrieval
from benchmarks.environments import HOME, ROOT
from benchmarks.plot import Panel, bars, line
from benchmarks.retrieval_clients import CLIENTS
from tests.faults import document

DOCS = ROOT / "docs"
MATPLOTLIB = HOME / "plot" / "bin" / "python"
PICTURE = re.compile(r"!\[(.+)\]\((.+\.svg)\)")
PANELS = [
    bars("cost", "µs", {"ModelStudio": 1.25, "other": 1234.5}, ["ModelStudio"]),
    line("memory", "MiB", {0.5: 10.0, 1.0: 12.0}, "seconds"),
]


def texts(picture: str) -> list[str]:
    """Return the texts of a picture, in the order of the file."""
    root = ET.fromstring(picture)  # noqa: S314 - our own file
    found = root.iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()).strip() for text in found]


def numbers(panels: Sequence[Panel]) -> set[str]:
    """Return the numbers beside the bars."""
    return {
        f"{value:,.{panel['digits']}f}"
        for panel in panels
        for value in panel["bars"].values()
    }


# --- Drawing ----------------------------------------------------------------------


def test_drawing_runs_where_matplotlib_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs: list[tuple[Sequence[object], dict[str, Any]]] = []
    monkeypatch.setattr(plot, "interpreter", lambda name: f"python of {name}")
    monkeypatch.setattr(
        subprocess, "run", lambda command, **kwargs: runs.append((command, kwargs))
    )
    plot.draw(PANELS, tmp_path / "plot.svg")
    ((command, kwargs),) = runs
    path = str(tmp_path / "plot.svg")
    assert command == ["python of plot", "-m", "benchmarks.plot", path]
    assert json.loads(kwargs["input"])[0]["bars"] == PANELS[0]["bars"]
    assert kwargs["check"]


@pytest.mark.skipif(
    not MATPLOTLIB.exists(), reason="the first plot makes the environment of matplotlib"
)
def test_same_numbers_give_the_same_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(plot, "interpreter", lambda _: MATPLOTLIB)
    paths = [tmp_path / "1.svg", tmp_path / "2.svg"]
    for path in paths:
        plot.draw(PANELS, path)
    first, second = (path.read_text(encoding="utf-8") for path in paths)
    assert first == second
    wanted = {"cost", "µs", "ModelStudio", "other", "1", "1,234"}
    assert wanted | {"memory", "MiB", "seconds"} <= set(texts(first))
    # Black on white, on a dark page too.
    assert "fill: #ffffff" in first
    assert first.count("#1f6f8b") == 2


# --- The writers ------------------------------------------------------------------

Drawn = list[tuple[list[Panel], Path]]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """Replace the drawing, and record what is to be drawn."""
    found: Drawn = []
    for module in (batches, document, report, retrieval):
        monkeypatch.setattr(
            module, "draw", lambda panels, path: found.append((panels, path))
        )
    return found


def test_retrieval_writes_its_page_and_a_plot_of_the_same_numbers(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @contextmanager
    def server(*_: float) -> Generator[str]:
        yield "http://127.0.0.1:1"

    cpu = {name: 1.25 + number for number, name in enumerate(CLIENTS)}
    seconds = {"ModelStudioEmbeddings": 13.5, "ModelStudioEmbedding": 14.25}
    monkeypatch.setattr(retrieval, "_server", server)
    monkeypatch.setattr(retrieval, "_cpu", lambda *_: cpu)
    monkeypatch.setattr(retrieval, "_memory", lambda _: (166, 164))
    monkeypatch.setattr(retrieval, "_wall_times", lambda _: (12.5, seconds))
    monkeypatch.setattr(retrieval, "_PAGE", tmp_path / "page.md")
    retrieval.main([])
    assert drawn == []
    assert not (tmp_path / "page.md").exists()
    retrieval.main(["--write"])
    ((panels, path),) = drawn
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert path == DOCS / "benchmarks_retrieval.svg"
    assert [name for _, name in PICTURE.findall(page)] == [path.name]
    embedding, ranking, wall = (panel["bars"] for panel in panels)
    assert embedding | ranking == cpu
    assert wall == {"ideal": 12.5, **seconds}
    assert panels[1]["highlighted"] == ["ModelStudioRerank, 100 documents"]
    assert numbers(panels) <= set(re.findall(r"\d+\.\d\d", page))


def test_batches_write_their_page_and_a_plot_of_the_same_numbers(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = {name for target in batches.TARGETS for name in (target.base, target.name)}
    results = {
        name: {"seconds": 0.5 + number / 8, "megabytes": 1.0}
        for number, name in enumerate(sorted(names))
    }
    monkeypatch.setattr(batches, "measure", lambda *_: results)
    monkeypatch.setattr(batches, "_PAGE", tmp_path / "page.md")
    monkeypatch.setattr(sys, "argv", ["batches", "--write"])
    batches.main()
    ((panels, path),) = drawn
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert path == DOCS / "benchmarks_batches.svg"
    assert [name for _, name in PICTURE.findall(page)] == [path.name]
    assert {name for panel in panels for name in panel["bars"]} == names
    assert "write with json" not in panels[0]["highlighted"]
    for panel in panels:
        for name, value in panel["bars"].items():
            assert f"\n| {name} | {value:.1f} | " in page


def test_streams_are_drawn_with_their_page(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    samples = {"stream, one event per write": {"httpx loop": {"cpu": [39e-6]}}}
    monkeypatch.setattr(report, "_PAGE", tmp_path / "page.md")
    monkeypatch.setattr(report, "_page", lambda *_: iter(["# Benchmarks"]))
    report.write({"samples": samples})  # type: ignore[typeddict-item] # what is drawn
    ((panels, path),) = drawn
    assert path == DOCS / "benchmarks.svg"
    assert [panel["bars"] for panel in panels] == [{"httpx loop": pytest.approx(39)}]


def test_reliability_is_drawn_with_its_tables(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(document.DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(document, "DOCUMENT", page)
    document.main()
    assert drawn == [([*document.panels()], DOCS / "reliability.svg")]


# --- The pictures of the pages ----------------------------------------------------


@pytest.mark.parametrize(
    "name", ["benchmarks", "benchmarks_batches", "benchmarks_retrieval", "reliability"]
)
def test_picture_has_the_numbers_of_its_page(name: str) -> None:
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    ((alternative, file),) = PICTURE.findall(page)
    assert alternative.strip()
    assert file == f"{name}.svg"
    shown = texts((DOCS / file).read_text(encoding="utf-8"))
    if name == "reliability":
        panels = [*document.panels()]
        wanted = numbers(panels).union(*(panel["bars"] for panel in panels))
        assert {panel["title"] for panel in panels} | wanted <= set(shown)
        return
    digits = {"benchmarks": 0, "benchmarks_batches": 1, "benchmarks_retrieval": 2}[name]
    # What a page measures has its unit in the cell or in the head of the table.
    start = page.index("\n## Streams") if name == "benchmarks" else 0
    table = page[start : page.index("![")]
    row = re.compile(r"^\| ([^|]+) \| ([\d.]+)(?: ms| s| µs[^|]*)? \|", re.MULTILINE)
    rows = row.findall(table)
    assert len(rows) > 8
    # A bar's value may be rounded more than that of the table.
    margins = (-0.05, 0, 0.05) if digits == 0 else (0,)
    for client, value in rows:
        assert client in shown
        wanted = {f"{float(value) + margin:,.{digits}f}" for margin in margins}
        assert wanted & {*shown}, client
