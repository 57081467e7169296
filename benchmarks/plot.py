"""Draw the plots of the pages, from the results that their tables are made of.

``draw`` starts this module in the environment that has matplotlib.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypedDict

from benchmarks.environments import ROOT, interpreter

__all__ = ["Panel", "bars", "draw", "line", "main", "own"]

_PROJECT: Final = "#1f6f8b"
_PEERS: Final = "#b8b8b8"
# Inches. As wide as the text of a phone's page can show without tiny letters.
_WIDTH: Final = 5.6
_BAR: Final = 0.24
_AROUND: Final = 0.85


class Panel(TypedDict):
    """One chart: bars with names, or a line of values.

    Attributes:
        title: What is shown.
        label: What the values are, with their unit.
        digits: How many digits a bar's value has after the point.
        bars: The values by name, from the top. Empty: there is a line.
        highlighted: The names of the bars that are this project's.
        line: The values of a line at the places of ``steps``.
        steps: The places of the values of ``line``.
        steps_label: What the places are, with their unit.
    """

    title: str
    label: str
    digits: int
    bars: dict[str, float]
    highlighted: list[str]
    line: list[float]
    steps: list[float]
    steps_label: str


# --- In the process that has the results ----------------------------------------------


def bars(
    title: str,
    label: str,
    values: Mapping[str, float],
    highlighted: Sequence[str],
    *,
    digits: int = 0,
) -> Panel:
    """Return a chart of bars.

    Args:
        title: What is shown.
        label: What the values are, with their unit.
        values: The values by name, from the top.
        highlighted: The names that are this project's.
        digits: How many digits a value has after the point.
    """
    return Panel(
        title=title,
        label=label,
        digits=digits,
        bars=dict(values),
        highlighted=list(highlighted),
        line=[],
        steps=[],
        steps_label="",
    )


def line(
    title: str, label: str, values: Mapping[float, float], steps_label: str
) -> Panel:
    """Return a chart of values that follow each other.

    Args:
        title: What is shown.
        label: What the values are, with their unit.
        values: The values by their places.
        steps_label: What the places are, with their unit.
    """
    panel = bars(title, label, {}, ())
    panel["line"], panel["steps"] = [*values.values()], [*values]
    panel["steps_label"] = steps_label
    return panel


def own(names: Mapping[str, float]) -> list[str]:
    """Return the names that are this project's classes."""
    return [name for name in names if "ModelStudio" in name]


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Draw charts, one below the other, as an SVG.

    Args:
        panels: The charts, from the top.
        path: The file, which is replaced.

    Raises:
        subprocess.CalledProcessError: The environment with matplotlib could not be
            made, or matplotlib failed.
    """
    subprocess.run(  # noqa: S603 - this module
        [interpreter("plot"), "-m", "benchmarks.plot", str(path)],
        cwd=ROOT,
        input=json.dumps(panels),
        text=True,
        check=True,
    )


# --- In the process that has matplotlib -----------------------------------------------


def main() -> None:
    """Read panels from standard input, and draw them to the file of the argument."""
    panels: list[Panel] = json.load(sys.stdin)
    pyplot: Any = import_module("matplotlib.pyplot")
    # The same numbers must give the same file.
    pyplot.rcParams.update(
        {"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9}
    )
    heights = [_AROUND + _BAR * (len(panel["bars"]) or 6) for panel in panels]
    figure, rows = pyplot.subplots(
        len(panels),
        1,
        figsize=(_WIDTH, sum(heights)),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
    )
    for (axis,), panel in zip(rows, panels, strict=True):
        _draw(axis, panel)
    figure.savefig(sys.argv[1], metadata={"Date": None})


def _draw(axis: Any, panel: Panel) -> None:
    axis.set_title(panel["title"], fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    if panel["bars"]:
        _draw_bars(axis, panel)
    else:
        _draw_line(axis, panel)


def _draw_bars(axis: Any, panel: Panel) -> None:
    names = list(reversed(panel["bars"]))
    values = [panel["bars"][name] for name in names]
    colors = [_PROJECT if name in panel["highlighted"] else _PEERS for name in names]
    drawn = axis.barh(names, values, color=colors)
    axis.bar_label(drawn, fmt=f"{{:,.{panel['digits']}f}}", padding=3)
    axis.set_xlabel(panel["label"])
    axis.margins(x=0.18)
    axis.locator_params(axis="x", nbins=5)


def _draw_line(axis: Any, panel: Panel) -> None:
    axis.plot(panel["steps"], panel["line"], color=_PROJECT)
    axis.set_ylim(0, 1.15 * max(panel["line"]))
    axis.set_xlabel(panel["steps_label"])
    axis.set_ylabel(panel["label"])


if __name__ == "__main__":
    main()
