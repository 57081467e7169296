"""What an import does without LlamaIndex, or with a broken one."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hide())
try:
    import {module}
except ImportError as error:
    print(type(error).__name__, error)
"""


def import_without(hidden: str, module: str) -> str:
    """Import a module in another process that does not have a package."""
    completed = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT.format(hidden=hidden, module=module)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    return completed.stdout


@pytest.mark.parametrize(
    "module", ["llamaindex_modelstudio", "llamaindex_modelstudio.llm"]
)
@pytest.mark.parametrize("hidden", ["llama_index", "llama_index_instrumentation"])
def test_an_import_without_llamaindex_names_what_to_install(
    module: str, hidden: str
) -> None:
    printed = import_without(hidden, module)
    assert printed.startswith("ImportError ")
    assert 'pip install "modelstudio-integrations[llamaindex]"' in printed


def test_another_missing_module_is_not_hidden() -> None:
    printed = import_without("tenacity", "llamaindex_modelstudio")
    assert printed.startswith("ModuleNotFoundError No module named 'tenacity")
