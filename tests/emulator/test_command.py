"""The command, the pytest fixture, and life without the extra."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from modelstudio_core.emulator import Emulator, Reply
from tests.emulator.client import CHAT


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_interrupted(number: signal.Signals) -> None:
    command: Sequence[str] = [
        *(sys.executable, "-m", "modelstudio_core.emulator", "--port", "0"),
        *("--api-key", "sk-mine", "--generation", "null", "--chunk-delay", "0"),
    ]
    with subprocess.Popen(  # noqa: S603 - our own code
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        url = next(line.split()[-1] for line in lines if "base URL" in line)
        body = {
            "model": "qwen-plus",
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
        }
        headers = {"authorization": "Bearer sk-mine"}
        response = httpx.post(url + CHAT, json=body, headers=headers)
        process.send_signal(number)
        out, err = process.communicate(timeout=5)
    assert response.status_code == 200
    assert '"role":null' in response.text
    assert out.endswith("The emulator has ended.\n")
    assert (process.returncode, err) == (0, "")


def test_the_fixture_is_a_running_studio(modelstudio_emulator: Emulator) -> None:
    modelstudio_emulator.script(Reply(text="Hello."))
    headers = {"authorization": f"Bearer {modelstudio_emulator.api_key}"}
    body = {"model": "qwen-plus", "messages": []}
    url = modelstudio_emulator.base_url + CHAT
    response = httpx.post(url, json=body, headers=headers)
    assert response.json()["choices"][0]["message"]["content"] == "Hello."


def test_the_plugin_loads_no_server() -> None:
    found = run(
        "import sys, modelstudio_core.pytest_plugin\n"
        "print([m for m in ('starlette', 'uvicorn', 'openai') if m in sys.modules])"
    )
    assert (found.stdout, found.stderr) == ("[]\n", "")


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_how_to_get_it(missing: str) -> None:
    failed = run(
        f"import sys; sys.modules[{missing!r}] = None\nimport modelstudio_core.emulator"
    )
    assert failed.returncode == 1
    assert 'pip install "modelstudio-integrations[emulator]"' in failed.stderr


def test_a_fault_of_our_own_is_not_hidden_behind_the_extra() -> None:
    failed = run(
        "import sys; sys.modules['modelstudio_core.emulator.app'] = None\n"
        "import modelstudio_core.emulator"
    )
    assert "ModuleNotFoundError" in failed.stderr
    assert "pip install" not in failed.stderr


def test_a_whole_run_with_the_fixture_leaves_no_warning(tmp_path: Path) -> None:
    """The user's own pytest, with warnings as errors."""
    test = tmp_path / "test_it.py"
    test.write_text(
        "def test_it(modelstudio_emulator):\n    modelstudio_emulator.script()"
    )
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "pytest", "-q"]
    ours = ["-p", "modelstudio_core.pytest_plugin", str(test)]
    done = subprocess.run(  # noqa: S603 - our own code
        [*command, *ours],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(_root())},
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def _root() -> Path:
    return Path(__file__).parents[2]
