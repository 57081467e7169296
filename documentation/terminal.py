"""The picture of a terminal: a real run of an example, as SVG."""

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

__all__ = ["COMMAND", "PICTURE", "draw"]

ROOT: Final = Path(__file__).parents[1]
PICTURE: Final = ROOT / "docs" / "terminal.svg"
COMMAND: Final = "python examples/chain.py"
_COLUMNS: Final = 88
# The picture is shown by pages that load nothing from another host.
_REMOVED: Final = re.compile(r"\s*@font-face \{.*?\}\n|\s*<!--.*?-->", re.DOTALL)


def draw() -> str:
    """Run the example on the emulator, and return its output as SVG."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DASHSCOPE_", "MODELSTUDIO_"))
    }
    done = subprocess.run(  # noqa: S603 - the command above
        [sys.executable, *COMMAND.split()[1:]],
        cwd=ROOT,
        env=variables | {"FORCE_COLOR": "1", "COLUMNS": str(_COLUMNS)},
        check=True,
        capture_output=True,
        text=True,
    )
    console = Console(
        record=True,
        width=_COLUMNS,
        file=StringIO(),
        force_terminal=True,
        legacy_windows=False,
    )
    console.print(Text(f"$ {COMMAND}", style="bold"))
    console.print(Text.from_ansi(done.stdout))
    drawn = console.export_svg(title="modelstudio-integrations", unique_id="terminal")
    lines = (line.rstrip() for line in _REMOVED.sub("\n", drawn).splitlines())
    return "\n".join(lines) + "\n"
