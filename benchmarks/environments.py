"""The environments that peers run in, each made when it is first asked for."""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["ENVIRONMENTS", "HOME", "OURS", "ROOT", "interpreter", "packages"]

ROOT: Final = Path(__file__).resolve().parent.parent
OURS: Final = "ours"
HOME: Final = ROOT / ".benchmarks"

_LANGCHAIN: Final = ("langchain-core==1.7.2", "pydantic==2.14.3")
_LLAMAINDEX: Final = ("llama-index-core==0.14.25", "pydantic==2.14.3")

# By name: what to install. "ours" is the interpreter that runs the benchmarks.
ENVIRONMENTS: Final[dict[str, tuple[str, ...]]] = {
    OURS: (),
    "bare": ("httpx==0.28.1",),
    "langchain-openai": (
        *_LANGCHAIN,
        "langchain-openai==1.7.3",
        "langchain-deepseek==1.1.1",
        "langchain-qwq==0.3.5",
        "openai==3.54.0",
    ),
    "langchain-tongyi": (
        *_LANGCHAIN,
        "langchain-community==0.4.2",
        "langchain==1.4.7",
        "dashscope==2.0.2",
    ),
    "llama-index-openai": (
        *_LLAMAINDEX,
        "llama-index-llms-openai-like==0.8.1",
        "llama-index-llms-deepseek==0.4.1",
        "openai==2.54.0",
    ),
    "llama-index-dashscope": (
        *_LLAMAINDEX,
        "llama-index-llms-dashscope==0.7.0",
        "dashscope==1.22.2",
    ),
    "server": ("aiohttp==3.14.5", "trustme==1.2.1"),
    "tools": ("blockbuster==1.5.29", "pyinstrument==5.1.3"),
    "plot": ("matplotlib==3.11.2",),
}


def interpreter(name: str) -> Path:
    """Return the Python of an environment; it is made if it is not there.

    Args:
        name: A key of ``ENVIRONMENTS``.

    Raises:
        subprocess.CalledProcessError: A requirement could not be installed.
    """
    if name == OURS:
        return Path(sys.executable)
    requirements = ENVIRONMENTS[name]
    home = HOME / name
    python = home / "bin" / "python"
    stamp, wanted = home / "made-from.txt", "\n".join((sys.version, *requirements))
    with _locked(name):
        if not stamp.exists() or stamp.read_text() != wanted:
            sys.stderr.write(f"benchmarks: making the environment {name} …\n")
            shutil.rmtree(home, ignore_errors=True)
            for command in _commands(home, python, requirements):
                subprocess.run(command, check=True)  # noqa: S603 - our own commands
            stamp.write_text(wanted)
    return python


def packages(name: str) -> Path:
    """Return where an environment's packages are, to be put on another's path.

    Args:
        name: A key of ``ENVIRONMENTS``.
    """
    home = interpreter(name).parent.parent
    return next(home.glob("lib/python*/site-packages"))


def _commands(
    home: Path, python: Path, requirements: tuple[str, ...]
) -> Iterator[list[str]]:
    uv = shutil.which("uv")
    if uv:
        yield [uv, "venv", "--quiet", "--python", sys.executable, str(home)]
        install = [uv, "pip", "install", "--python", str(python)]
    else:
        yield [sys.executable, "-m", "venv", str(home)]
        install = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    yield [*install, "--quiet", *requirements]


@contextmanager
def _locked(name: str) -> Generator[None]:
    """Let one process at a time make an environment."""
    HOME.mkdir(exist_ok=True)
    with (HOME / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
