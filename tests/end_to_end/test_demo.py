"""``make demo`` without a key runs on the emulator, and says so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTIONS = ("1. Where", "2. LangChain", "3. LlamaIndex", "4. A delisted", "Done")
WIDTH = 88
# Python runs the module ``sitecustomize`` at start-up.
NO_NETWORK = """
import socket

connect = socket.socket.connect

def connect_to_loopback(self, address):
    if self.family != socket.AF_UNIX and not str(address[0]).startswith("127."):
        raise AssertionError(f"the demo called {address}")
    return connect(self, address)

def resolve(host, *args, **kwargs):
    raise AssertionError(f"the demo looked up {host}")

socket.socket.connect = connect_to_loopback
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *args, **kwargs: (
    look_up if host in {"127.0.0.1", "localhost"} else resolve
)(host, *args, **kwargs)
"""


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory,
) -> "subprocess.CompletedProcess[str]":
    """Run the demo once, in an empty home and without a network."""
    home = tmp_path_factory.mktemp("home")
    (home / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    unwanted = ("DASHSCOPE_", "MODELSTUDIO_", "OPENAI_", "PYTHON", "NLTK_", "TIKTOKEN_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    variables = {
        "HOME": str(home),
        "PYTHONPATH": str(home),
        "PYTHONIOENCODING": "utf-8",
    }
    before = os.times()
    done = subprocess.run(
        [sys.executable, "examples/demo.py"],
        cwd=ROOT,
        env=kept | variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    # CPU and not wall-clock time: other tests run at the same time.
    after = os.times()
    used = after.children_user + after.children_system
    assert used - before.children_user - before.children_system < 20
    return done


def test_it_succeeds(demo: "subprocess.CompletedProcess[str]") -> None:
    assert demo.returncode == 0, demo.stderr
    assert "Traceback" not in demo.stderr


def test_it_prints_all_sections_in_order(
    demo: "subprocess.CompletedProcess[str]",
) -> None:
    positions = [demo.stdout.index(f"\n{section}") for section in SECTIONS]
    assert positions == sorted(positions)


def test_it_says_at_both_ends_that_no_model_answers(
    demo: "subprocess.CompletedProcess[str]",
) -> None:
    note = "the answers come from the local emulator and not from a"
    first, last = demo.stdout.split("\n1. Where")[0], demo.stdout.split("\nDone\n")[1]
    assert note in first
    assert note in last


def test_it_shows_where_requests_go(demo: "subprocess.CompletedProcess[str]") -> None:
    part = demo.stdout.split("\n2. LangChain")[0]
    frankfurt = "https://ws-123.eu-central-1.maas.aliyuncs.com/compatible-mode/v1"
    for text in (frankfurt, "Germany (Frankfurt)", "Limited to the EU"):
        assert text in part
    assert re.search(r"base URL +http://127\.0\.0\.1:\d+/compatible-mode/v1\n", part)


def test_langchain_thinks_then_answers(
    demo: "subprocess.CompletedProcess[str]",
) -> None:
    part = demo.stdout.split("\n2. LangChain")[1].split("\n3. LlamaIndex")[0]
    assert re.search(
        r"Reasoning:\nThe user asks.+?\n\nAnswer:\n.+?Germany \(Frankfurt\)",
        part,
        re.DOTALL,
    )
    assert reasoning_tokens(part) > 0


def test_llamaindex_answers_from_the_guide(
    demo: "subprocess.CompletedProcess[str]",
) -> None:
    part = demo.stdout.split("\n3. LlamaIndex")[1].split("\n4. A delisted")[0]
    assert "billed as output tokens" in part
    assert reasoning_tokens(part) > 0


def test_the_user_sees_the_warning(demo: "subprocess.CompletedProcess[str]") -> None:
    seen = r"demo\.py:\d+: ModelDeprecationWarning: deepseek-r1 was delisted on"
    assert re.search(seen, demo.stderr)
    assert "requested model  deepseek-r1\nused model       qwen3.7-max\n" in demo.stdout


def test_it_fits_a_terminal(demo: "subprocess.CompletedProcess[str]") -> None:
    assert "\x1b" not in demo.stdout
    assert [line for line in demo.stdout.splitlines() if len(line) > WIDTH] == []


def reasoning_tokens(part: str) -> int:
    match = re.search(r"tokens: \d+ input, \d+ output \((\d+) reasoning\)", part)
    assert match is not None
    return int(match[1])
