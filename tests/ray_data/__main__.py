"""Run the bulk example on the emulator: kill it, go on, and measure it.

``python -m tests.ray_data`` makes the environment; the checks run inside it.
"""

import subprocess
import sys

from benchmarks.environments import ROOT, interpreter


def main() -> int:
    """Make the environment, and run the checks in it.

    Returns:
        The exit code of the checks.
    """
    python = interpreter("ray")
    command = [str(python), "-m", "tests.ray_data.checks", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - our own command


if __name__ == "__main__":
    sys.exit(main())
