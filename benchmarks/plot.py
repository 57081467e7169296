"""Draw the streams' costs; run by the interpreter that has matplotlib."""

import json
import sys
from importlib import import_module
from typing import Any, Final

__all__ = ["main"]

_OURS: Final = "#1f6f8b"
_OTHERS: Final = "#b8b8b8"


def main() -> None:
    """Read bars on standard input, draw them to the file that is named."""
    panels = json.load(sys.stdin)
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


def _draw(axis: Any, panel: dict[str, Any]) -> None:
    names = list(reversed(panel["bars"]))
    values = [panel["bars"][name] for name in names]
    colours = [_OURS if "ModelStudio" in name else _OTHERS for name in names]
    bars = axis.barh(names, values, color=colours)
    axis.bar_label(bars, fmt="%.0f", padding=3)
    axis.set_title(panel["title"], fontsize=10)
    axis.set_xlabel("µs of CPU a chunk")
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.12)


if __name__ == "__main__":
    main()
