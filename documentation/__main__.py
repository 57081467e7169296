"""Build the site and check it: ``python -m documentation``."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from documentation import catalog_page, terminal
from documentation.checks import find_problems

ROOT: Final = Path(__file__).parents[1]
SITE: Final = ROOT / "build" / "site"


def build() -> bool:
    """Build the site with Zensical, which fails at its first broken link."""
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run(  # noqa: S603 - the command above
        command, cwd=ROOT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
    return done.returncode == 0


def check() -> bool:
    """Print the problems of the built site."""
    problems = list(find_problems(SITE))
    for problem in problems:
        print(problem, file=sys.stderr)
    return not problems


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m documentation", description=__doc__
    )
    parser.add_argument("--pages", action="store_true", help="write docs/models.md")
    parser.add_argument(
        "--terminal", action="store_true", help="write docs/terminal.svg"
    )
    arguments = parser.parse_args()
    if arguments.pages:
        catalog_page.PAGE.write_text(catalog_page.format_page(), encoding="utf-8")
    if arguments.terminal:
        terminal.PICTURE.write_text(terminal.draw(), encoding="utf-8")
    if arguments.pages or arguments.terminal:
        return 0
    if not (build() and check()):
        return 1
    print(f"The site is in {SITE.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
