"""Every example runs on the emulator, and shows what its page says."""

import re
from pathlib import Path

import pytest

from modelstudio_core.policy import set_policy
from tests.documentation.example_files import EXAMPLES, run_example
from tests.llamaindex.support import IGNORE_AGENT_WARNINGS
from tests.support.pages import read

Output = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


def test_the_chain_streams_its_reasoning_before_its_answer(
    capsys: Output, monkeypatch: Patch
) -> None:
    run_example("chain.py", monkeypatch, "The tower is red. What is red?")
    printed = capsys.readouterr().out
    assert re.search(
        r"Reasoning\nThe user asks: .+\n\nAnswer\nThe tower is red\.\n\n"
        r"\d+ tokens in, \d+ out, [1-9]\d* of them reasoning",
        printed,
    )
    assert "\x1b" not in printed


def test_the_agent_shows_each_step(capsys: Output, monkeypatch: Patch) -> None:
    run_example("agent.py", monkeypatch)
    steps = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert steps == [
        "Reasoning",
        "Call",
        "get_weather returned",
        "Reasoning",
        "Answer",
    ]


def test_a_conversation_goes_on_from_its_file(
    capsys: Output, monkeypatch: Patch, empty_folder: Path
) -> None:
    run_example("agent_sqlite.py", monkeypatch, "What is the weather in Oslo?")
    first = capsys.readouterr().out
    assert "call  get_weather({'city': 'Oslo'})" in first
    assert (empty_folder / "conversations.sqlite").is_file()
    run_example("agent_sqlite.py", monkeypatch, "And in Rome?")
    assert capsys.readouterr().out.startswith(first + "    human  And in Rome?\n")


@IGNORE_AGENT_WARNINGS
def test_the_workflow_combines_the_answers(capsys: Output, monkeypatch: Patch) -> None:
    run_example("workflow.py", monkeypatch)
    assert re.fullmatch(
        r"The lighthouse of Lindau is 36 metres tall\.\n"
        r"The lighthouse was built in 1856\.\n"
        r"\([1-9]\d* pieces of reasoning\)\n",
        capsys.readouterr().out,
    )


@IGNORE_AGENT_WARNINGS
def test_both_agents_call_the_tool_of_the_server(
    capfd: pytest.CaptureFixture[str], monkeypatch: Patch
) -> None:
    pytest.importorskip("langchain_mcp_adapters")
    pytest.importorskip("llama_index.tools.mcp")
    run_example("mcp_tools.py", monkeypatch)
    langchain, llamaindex = capfd.readouterr().out.splitlines()
    assert langchain.startswith("LangChain: ")
    assert "Brooklyn Bridge: 84 metres." in langchain
    assert llamaindex.startswith("LlamaIndex: ")
    assert "Brooklyn Bridge: 84 metres." in llamaindex


@IGNORE_AGENT_WARNINGS
def test_everything_at_once_stays_in_its_policy(
    capsys: Output, monkeypatch: Patch
) -> None:
    run_example("everything.py", monkeypatch)
    set_policy(None)
    refused, langchain, llamaindex, audit = capsys.readouterr().out.split("\n\n")
    assert refused.startswith("Refused: Model 'qwen-max' is not allowed")
    for framework, part in (("LangChain", langchain), ("LlamaIndex", llamaindex)):
        lines = part.splitlines()
        assert lines[0] == framework
        assert lines[2].startswith("John Roebling designed the Brooklyn Bridge [1].")
        assert re.fullmatch(r"PNG: \d+ bytes", lines[3])
        assert re.fullmatch(r"WAV: [\d,]+ bytes", lines[4])
    rows = [line.split() for line in audit.splitlines()[2:]]
    assert {status for status, *_ in rows} == {"200"}
    # The same requests in both frameworks: what is not a model's is a file.
    models = [model for _, model, *_ in rows]
    half = len(models) // 2
    assert sorted(models[:half]) == sorted(models[half:])
    assert set(models) == {
        "-",
        "deepseek-v4-pro",
        "qwen3-rerank",
        "qwen3-vl-plus",
        "qwen3.5-omni-plus",
        "text-embedding-v4",
        "wan2.6-t2i",
    }


def test_the_page_has_every_example() -> None:
    listed = set(re.findall(r"`python examples/(\S+\.py)`", read("docs/examples.md")))
    assert listed == {
        path.relative_to(EXAMPLES).as_posix()
        for path in EXAMPLES.rglob("*.py")
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
        and path.name != "mcp_server.py"
    }
