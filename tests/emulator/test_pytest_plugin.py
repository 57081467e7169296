"""The fixture ``modelstudio_emulator``."""

import subprocess
import sys
from pathlib import Path

import httpx

from modelstudio_core.emulator import Emulator, Reply
from tests.emulator.helpers import CHAT, run_python


def test_the_fixture_is_a_running_emulator(modelstudio_emulator: Emulator) -> None:
    modelstudio_emulator.script(Reply(text="Hello."))
    headers = {"authorization": f"Bearer {modelstudio_emulator.api_key}"}
    body = {"model": "qwen-plus", "messages": []}
    url = modelstudio_emulator.base_url + CHAT
    response = httpx.post(url, json=body, headers=headers)
    assert response.json()["choices"][0]["message"]["content"] == "Hello."


def test_the_plugin_imports_no_server() -> None:
    process = run_python(
        "import sys, modelstudio_core.pytest_plugin\n"
        "print([m for m in ('starlette', 'uvicorn', 'openai') if m in sys.modules])"
    )
    assert (process.stdout, process.stderr) == ("[]\n", "")


def test_a_test_run_with_the_fixture_has_no_warnings(tmp_path: Path) -> None:
    """A user's pytest run, with warnings as errors."""
    test = tmp_path / "test_fixture.py"
    test.write_text(
        "def test_fixture(modelstudio_emulator):\n    modelstudio_emulator.script()"
    )
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "pytest", "-q"]
    arguments = ["-p", "modelstudio_core.pytest_plugin", str(test)]
    process = subprocess.run(  # noqa: S603 - the pytest of this environment
        [*command, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(_root())},
    )
    assert "1 passed" in process.stdout, process.stdout + process.stderr


def _root() -> Path:
    return Path(__file__).parents[2]
