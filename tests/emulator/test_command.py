"""The command ``python -m modelstudio_core.emulator``."""

import signal
import subprocess
import sys
from collections.abc import Sequence

import httpx
import pytest

from modelstudio_core.emulator.__main__ import build_emulator
from tests.emulator.helpers import CHAT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_a_signal(number: signal.Signals) -> None:
    command: Sequence[str] = [
        *(sys.executable, "-m", "modelstudio_core.emulator", "--port", "0"),
        *("--api-key", "sk-mine", "--generation", "null", "--chunk-delay", "0"),
    ]
    with subprocess.Popen(  # noqa: S603 - the command of this package
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
    assert out.endswith("The emulator has stopped.\n")
    assert (process.returncode, err) == (0, "")


def test_the_command_keeps_one_hundred_requests(http: httpx.Client) -> None:
    with build_emulator(["--port", "0"]) as studio:
        for number in range(101):
            http.get(f"{studio.base_url}/{number}")
        paths = [request.path for request in studio.requests]
    assert paths == [f"/{number}" for number in range(1, 101)]
