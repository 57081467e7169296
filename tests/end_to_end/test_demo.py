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
        # The progress bar is drawn at each step, however fast they are.
        "TQDM_MININTERVAL": "0",
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
    assert used - before.children_user - before.children_system < 30
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


@pytest.mark.parametrize("section", [1, 2], ids=["langchain", "llamaindex"])
def test_each_framework_indexes_once_and_answers_with_citations(
    demo: "subprocess.CompletedProcess[str]", section: int
) -> None:
    part = part_of(demo, section)
    assert re.search(r"first run: 39 \w+ indexed, [1-9]\d+ tokens embedded\n", part)
    assert "second run: 39 unchanged, 0 tokens embedded\n" in part
    fact, document = (
        (r"John\s+Roebling\s+designed.+?\[1\]", "structures/brooklyn-bridge.md"),
        (r"hemocyanin,\s+carries.+?\[1\]", "nature/octopus.md"),
    )[section - 1]
    assert re.search(
        rf"\n\nReasoning:\nThe user asks.+?\n\nAnswer:\n.+?{fact}\."
        rf"\n\nCited:\n\[1\] {document}\n",
        part,
        re.DOTALL,
    )


@pytest.mark.parametrize("section", [1, 2], ids=["langchain", "llamaindex"])
def test_each_framework_counts_tokens_as_the_page_shows(
    demo: "subprocess.CompletedProcess[str]", section: int
) -> None:
    """The table of docs/rag.md is that of a run of the demo."""
    part = part_of(demo, section)
    found = re.search(
        r"first run: \d+ \w+ indexed, (\d+) tokens embedded\n"
        r"second run: \d+ unchanged, (\d+) tokens embedded\n.+"
        r"\ntokens: (\d+) input, (\d+) output \((\d+) reasoning\)\n"
        r"tokens of embeddings: (\d+); of reranking: (\d+)\n",
        part,
        re.DOTALL,
    )
    assert found is not None
    first, second, given, output, reasoning, embedded, reranked = map(
        int, found.groups()
    )
    assert 0 < reasoning < output
    page = (ROOT / "docs" / "rag.md").read_text(encoding="utf-8")
    table = page.split("\n## What it costs\n")[1]
    rows = re.findall(r"^\| .+ \| (\d+) \| (\d+) \|$", table, re.MULTILINE)
    shown = [int(row[section - 1]) for row in rows]
    assert shown == [first, second, embedded - first, reranked, given, output]


def test_a_progress_bar_is_shown_while_indexing(
    demo: "subprocess.CompletedProcess[str]",
) -> None:
    for unit in ("chunk", "document"):
        shown = re.findall(rf"Indexing: +(\d+)%.+?{unit}", demo.stderr)
        assert {"0", "26", "51", "100"} <= {*shown}


def test_the_user_sees_the_warning(demo: "subprocess.CompletedProcess[str]") -> None:
    seen = r"demo\.py:\d+: ModelDeprecationWarning: deepseek-r1 was delisted on"
    assert re.search(seen, demo.stderr)
    assert "requested model  deepseek-r1\nused model       qwen3.7-max\n" in demo.stdout


def test_it_fits_a_terminal(demo: "subprocess.CompletedProcess[str]") -> None:
    assert "\x1b" not in demo.stdout
    assert [line for line in demo.stdout.splitlines() if len(line) > WIDTH] == []


def part_of(demo: "subprocess.CompletedProcess[str]", section: int) -> str:
    """Return the output of a section, by its position."""
    output = demo.stdout.split(f"\n{SECTIONS[section]}")[1]
    return output.split(f"\n{SECTIONS[section + 1]}")[0]
