"""Draw the CPU time of streams. Runs in the environment that has matplotlib."""

import json
import sys
from importlib import import_module
from typing import Any, Final, TypedDict

__all__ = ["Panel", "main"]

_PROJECT: Final = "#1f6f8b"
_PEERS: Final = "#b8b8b8"


class Panel(TypedDict):
    """One chart: the microseconds per chunk of each client."""

    title: str
    bars: dict[str, float]


def main() -> None:
    """Read panels from standard input, and draw them to the file of the argument."""
    panels: list[Panel] = json.load(sys.stdin)
    pyplot: Any = import_module("matplotlib.pyplot")
    # The same numbers must give the same file.
    pyplot.rcParams.update(
        {"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9}
    )
    figure, axes = pyplot.subplots(1, len(panels), figsize=(10, 4), sharey=True)
    for axis, panel in zip(axes, panels, strict=True):
        _draw(axis, panel)
    figure.tight_layout()
    figure.savefig(sys.argv[1], metadata={"Date": None})


def _draw(axis: Any, panel: Panel) -> None:
    names = list(reversed(panel["bars"]))
    values = [panel["bars"][name] for name in names]
    colors = [_PROJECT if "ModelStudio" in name else _PEERS for name in names]
    bars = axis.barh(names, values, color=colors)
    axis.bar_label(bars, fmt="%.0f", padding=3)
    axis.set_title(panel["title"], fontsize=10)
    axis.set_xlabel("µs of CPU per chunk")
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.12)


if __name__ == "__main__":
    main()
