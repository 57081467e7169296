"""The command ``modelstudio``, which the extra ``cli`` installs.

``main`` is its entry point. The modules of the single commands import what they need
when they run, so that ``modelstudio --help`` starts fast.
"""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

__all__ = ["main"]

_USAGE: Final = 2
_NEEDED: Final = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line without the name of the command; None is that of the
            process.

    Returns:
        The exit code: 0 done, 1 other, 2 usage or configuration, 3 key refused, 4 wrong
        region or mode, 5 model missing or not granted, 6 network, 7 quota or balance.
    """
    if any(find_spec(name) is None for name in _NEEDED):
        sys.stderr.write(
            "The command modelstudio needs typer and rich. Install them:"
            ' pip install "modelstudio-integrations[cli]".\n'
        )
        return _USAGE
    from modelstudio_core.cli.application import run

    return run(sys.argv[1:] if arguments is None else arguments)
