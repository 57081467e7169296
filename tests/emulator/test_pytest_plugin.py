"""The fixture ``modelstudio_emulator``."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

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


def run_pytest(folder: Path, body: str) -> str:
    """Run a test of a user that has the fixture, with warnings as errors."""
    test = folder / "test_fixture.py"
    test.write_text(
        "from modelstudio_core.emulator import Fault, Reply\n"
        f"def test_fixture(modelstudio_emulator):\n    {body}"
    )
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "pytest", "-q"]
    arguments = ["-p", "modelstudio_core.pytest_plugin", str(test)]
    process = subprocess.run(  # noqa: S603 - the pytest of this environment
        [*command, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(_root())},
    )
    return process.stdout + process.stderr


def test_a_test_run_with_the_fixture_has_no_warnings(tmp_path: Path) -> None:
    assert "1 passed" in run_pytest(tmp_path, "modelstudio_emulator.script()")


@pytest.mark.parametrize("item", ["Reply(text='Hello.')", "Fault(status=503)"])
def test_scripted_answers_that_are_left_fail_the_test(
    tmp_path: Path, item: str
) -> None:
    output = run_pytest(tmp_path, f"modelstudio_emulator.script({item})")
    assert "1 passed, 1 error" in output
    assert "1 scripted answers were not used, the first is" in output
    assert "Traceback" not in output


def _root() -> Path:
    return Path(__file__).parents[2]
