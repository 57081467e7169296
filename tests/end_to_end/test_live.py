"""``make live``, with an emulator in the place of the service."""

import io
import sys
from pathlib import Path

import pytest

from modelstudio_core.emulator import Emulator, Reply
from tests.live import Outcome, differences, main, scenarios


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, modelstudio_emulator: Emulator) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", modelstudio_emulator.api_key)


def test_an_emulator_does_not_differ_from_the_emulator(
    modelstudio_emulator: Emulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = tmp_path / "live.md"
    url = modelstudio_emulator.base_url
    assert main(["--base-url", url, "--yes", "--report", str(report)]) == 0
    out = capsys.readouterr().out
    text = report.read_text()
    assert modelstudio_emulator.api_key not in out + text
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    assert [row for row in rows if not row.endswith("| nothing |")] == []
    assert "Used: " in text
    paths = {request.path for request in modelstudio_emulator.requests}
    assert any("chat/completions" in path for path in paths)
    assert any("aigc" in path for path in paths)
    assert any("rerank" in path for path in paths)
    assert any("embeddings" in path for path in paths)


def test_what_differs_is_written_down(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    # The first chat requests are those with the wrong key and the wrong model.
    modelstudio_emulator.script(Reply(text="Hi."), Reply(text="Hi."))
    report = tmp_path / "live.md"
    url = modelstudio_emulator.base_url
    assert main(["--base-url", url, "--yes", "--report", str(report)]) == 0
    text = report.read_text()
    assert "| wrong model | error: None, with the emulator" in text


def test_the_cost_is_said_before_anything_is_sent(
    modelstudio_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    report = tmp_path / "live.md"
    url = modelstudio_emulator.base_url
    assert main(["--base-url", url, "--report", str(report)]) == 2
    out = capsys.readouterr().out
    assert "input tokens and" in out
    assert "does not know them" in out
    assert "Pass --yes to go on" in out
    assert modelstudio_emulator.requests == []
    assert not report.exists()


def test_without_a_key_nothing_is_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DASHSCOPE_API_KEY")
    assert main(["--yes"]) == 2
    assert "DASHSCOPE_API_KEY" in capsys.readouterr().out


def test_both_protocols_and_each_kind_of_call_are_in_it() -> None:
    names = set(scenarios())
    assert {"list of models", "wrong key", "embeddings", "reranking"} <= names
    assert {"plain, openai", "plain, dashscope", "thinking_stream, openai"} <= names


def test_differences_name_both_sides() -> None:
    found = differences(Outcome({"a": 1, "b": 2}), Outcome({"a": 1, "b": 3, "c": 4}))
    assert found == ["b: 3, with the emulator 2", "c: 4, with the emulator None"]
