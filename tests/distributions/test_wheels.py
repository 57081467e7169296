"""The wheels and the sdist, built and installed in a clean environment.

Everything but the installed packages is that of the development environment, which the
new one sees behind its own packages: nothing is downloaded.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any, Final
from venv import EnvBuilder

import pytest

from modelstudio_core import __version__

ROOT: Final = Path(__file__).parents[2]
THIN: Final = {
    "langchain-modelstudio": (None, "langchain"),
    "llama-index-llms-modelstudio": ("llama_index.llms.modelstudio", "llamaindex"),
    "llama-index-embeddings-modelstudio": (
        "llama_index.embeddings.modelstudio",
        "llamaindex",
    ),
    "llama-index-postprocessor-modelstudio-rerank": (
        "llama_index.postprocessor.modelstudio_rerank",
        "llamaindex",
    ),
}
PACKAGES: Final = (
    "modelstudio_core",
    "langchain_modelstudio",
    "llamaindex_modelstudio",
)


@dataclass(frozen=True)
class Wheel:
    """A built wheel."""

    path: Path
    names: frozenset[str]
    metadata: Message


@dataclass(frozen=True)
class Built:
    """What was built: the sdist, the wheel of it, and the thin wheels by name."""

    sdist: Path
    wheel: Wheel
    thin: dict[str, Wheel]


def build(folder: Path, target: str, to: Path) -> Path:
    """Build a folder that has a pyproject.toml, and return the file."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(to)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    before = set(to.glob("*"))
    subprocess.run(  # noqa: S603 - our own build backend
        command, cwd=folder, check=True, capture_output=True, env=environment
    )
    (path,) = set(to.glob("*")) - before
    return path


def read_wheel(path: Path) -> Wheel:
    with zipfile.ZipFile(path) as archive:
        names = frozenset(archive.namelist())
        metadata = next(name for name in names if name.endswith("/METADATA"))
        text = archive.read(metadata).decode()
    return Wheel(path, names, Parser().parsestr(text))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dist")
    sdist = build(ROOT, "sdist", folder)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    wheels = folder / "wheels"
    wheels.mkdir()
    wheel = read_wheel(build(source, "wheel", wheels))
    thin = {
        name: read_wheel(build(ROOT / "distributions" / name, "wheel", wheels))
        for name in THIN
    }
    return Built(sdist, wheel, thin)


@pytest.fixture(scope="module")
def python(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of a new environment in which all wheels are installed."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    EnvBuilder(with_pip=False, symlinks=True).create(folder)
    python = folder / "bin" / "python"
    wheels = [built.wheel, *built.thin.values()]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    command += ["--quiet", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run(  # noqa: S603 - pip
        [*command, *(str(wheel.path) for wheel in wheels)],
        check=True,
        capture_output=True,
    )
    packages = next((folder / "lib").glob("python*/site-packages"))
    # Behind the packages of the environment, and without the .pth files in it.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python: Path, code: str) -> Any:
    """Run code in the new environment, and return the JSON value that it prints."""
    ran = subprocess.run(  # noqa: S603 - the code of a test
        [python, "-I", "-c", code], check=True, capture_output=True, text=True
    )
    return json.loads(ran.stdout)


# --- What is in them ------------------------------------------------------------------


def test_the_wheel_has_the_three_packages_and_nothing_else(built: Built) -> None:
    roots = {name.partition("/")[0] for name in built.wheel.names}
    assert roots == {*PACKAGES, f"modelstudio_integrations-{__version__}.dist-info"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= built.wheel.names
    sources = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    assert sources <= built.wheel.names
    assert f"modelstudio_integrations-{__version__}.dist-info/licenses/LICENSE" in (
        built.wheel.names
    )


def test_the_sdist_has_the_packages_and_the_documentation(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "CHANGELOG.md", "LICENSE", "docs/guide.md"} <= names
    roots = {name.partition("/")[0] for name in names}
    assert {"tests", "cassettes", "benchmarks", ".ci"} & roots == set()


def test_the_metadata_is_what_people_search_for(built: Built) -> None:
    metadata = built.wheel.metadata
    assert metadata["Version"] == __version__
    keywords = set(metadata["Keywords"].split(","))
    assert {"qwen", "dashscope", "tongyi", "bailian", "langchain"} <= keywords
    assert {"llama-index", "model-studio", "qwen-cloud", "deepseek"} <= keywords
    extras = set(metadata.get_all("Provides-Extra") or [])
    assert extras >= {"langchain", "agents", "llamaindex", "cli", "emulator", "all"}


def test_all_has_every_extra_but_ray_and_llm() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    (named,) = extras["all"]
    found = re.findall(r"[\w-]+", named.partition("[")[2])
    # Ray is large, and for clusters; llm is a command of others.
    assert set(found) == set(extras) - {"all", "ray", "llm"}


@pytest.mark.parametrize("name", THIN)
def test_a_thin_distribution_depends_on_the_same_version(
    built: Built, name: str
) -> None:
    wheel, (module, extra) = built.thin[name], THIN[name]
    assert wheel.metadata["Name"] == name
    assert wheel.metadata["Version"] == __version__
    required = f"modelstudio-integrations[{extra}]=={__version__}"
    assert wheel.metadata.get_all("Requires-Dist") == [required]
    assert {"qwen", "dashscope"} <= set(wheel.metadata["Keywords"].split(","))
    modules = {n for n in wheel.names if ".dist-info/" not in n}
    if module is None:
        assert modules == set()
    else:
        folder = module.replace(".", "/")
        assert modules == {f"{folder}/__init__.py", f"{folder}/py.typed"}


def test_every_thin_distribution_is_tested() -> None:
    folders = {path.parent.name for path in ROOT.glob("distributions/*/pyproject.toml")}
    assert folders == set(THIN)


# --- What is installed ----------------------------------------------------------------


def test_the_installed_packages_are_those_of_the_wheel(python: Path) -> None:
    names = ", ".join(PACKAGES)
    found = run(
        python,
        f"import json, {names}\n"
        f"print(json.dumps([[m.__file__, m.__version__] for m in ({names})]))",
    )
    for file, version in found:
        assert Path(file).is_relative_to(python.parents[1])
        assert version == __version__


def test_the_thin_modules_export_the_same_classes(python: Path) -> None:
    code = """
import importlib, json, llamaindex_modelstudio as package
found = {}
for name in NAMES:
    module = importlib.import_module(name)
    assert all(getattr(module, n) is getattr(package, n) for n in module.__all__)
    found[name] = [module.__file__, *module.__all__]
print(json.dumps(found))
"""
    names = [module for module, _ in THIN.values() if module]
    found = run(python, code.replace("NAMES", repr(names)))
    assert all(Path(f).is_relative_to(python.parents[1]) for f, *_ in found.values())
    exported = sorted(name for _, *classes in found.values() for name in classes)
    assert exported == [
        "ModelStudio",
        "ModelStudioEmbedding",
        "ModelStudioMultiModalEmbedding",
        "ModelStudioRerank",
    ]


def test_the_command_is_installed(python: Path) -> None:
    command = python.parent / "modelstudio"
    ran = subprocess.run(  # noqa: S603 - the installed command
        [command, "--version"], check=True, capture_output=True, text=True
    )
    assert ran.stdout == f"{__version__}\n"


def test_the_pytest_fixture_is_installed(python: Path) -> None:
    code = (
        "import json\nfrom importlib.metadata import distribution\n"
        "points = distribution('modelstudio-integrations').entry_points\n"
        "print(json.dumps([[p.group, p.load().__name__] for p in points]))"
    )
    assert ["pytest11", "modelstudio_core.pytest_plugin"] in run(python, code)


def test_llama_index_is_not_found_without_it(built: Built) -> None:
    """Other packages take ``find_spec("llama_index")`` for LlamaIndex itself."""
    assert not any(name.startswith("llama_index/") for name in built.wheel.names)


@pytest.mark.parametrize(
    ("package", "framework", "extra"),
    [
        ("langchain_modelstudio", "langchain_core", "langchain"),
        ("llamaindex_modelstudio", "llama_index", "llamaindex"),
    ],
)
def test_an_adapter_without_its_framework_says_what_to_install(
    python: Path, package: str, framework: str, extra: str
) -> None:
    code = f"""
import json, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {framework!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
try:
    import {package}
except ImportError as error:
    print(json.dumps(str(error)))
"""
    text = run(python, code)
    assert "not installed" in text
    assert f'pip install "modelstudio-integrations[{extra}]"' in text
