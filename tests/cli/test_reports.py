"""What every command prints: its result, its errors, and what else there is to say."""

import logging
import warnings
from typing import Any

import pytest

from modelstudio_core.cli.reports import (
    Output,
    OutputOptions,
    printable,
    reporting,
)
from modelstudio_core.cli.wording import joined_sentences
from modelstudio_core.emulator import Emulator, Fault, Reply
from modelstudio_core.endpoints import resolve_endpoint
from tests.cli.conftest import KEY, Run


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x00", "\\x00"),
        ("\x08", "\\x08"),
        ("\x0b", "\\x0b"),
        ("\r", "\\x0d"),
        ("\x1f", "\\x1f"),
        ("\x7f", "\\x7f"),
        ("\x80", "\\x80"),
        ("\x9f", "\\x9f"),
        ("\t", "\t"),
        ("\n", "\n"),
        (" ", " "),
        ("~", "~"),
        ("\xa0", "\xa0"),
        ("模", "模"),
    ],
)
def test_control_characters_are_escaped_and_others_are_not(
    character: str, shown: str
) -> None:
    assert printable(f"a{character}b{character}") == f"a{shown}b{shown}"


@pytest.mark.parametrize("end", ".!?:)")
def test_a_sentence_that_has_an_end_gets_no_other(end: str) -> None:
    assert joined_sentences("", f"One{end}", "", "two", "") == f"One{end} two."


def test_a_long_line_is_not_broken(
    run: Run, studio: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = run("endpoints", "--region", "tokyo").out
    monkeypatch.setenv("COLUMNS", "20")
    assert run("endpoints", "--region", "tokyo").out == listed
    text = "An answer that is longer than the line of the terminal."
    studio.script(Reply(text=text, reasoning=text))
    ran = run("chat", "Hi", "--base-url", studio.base_url)
    assert ran.out == f"{text}\n"
    lines = ran.err.splitlines()
    assert lines[:2] == [text, ""]
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("model", "arguments", "elsewhere"),
    [
        ("qwen3-rerank", {"region": "us"}, "cn-beijing, ap-southeast-1"),
        ("qwen3-rerank", {"region": "singapore"}, ""),
        ("qwen3-rerank", {"region": "beijing"}, ""),
        ("qwen-plus", {"region": "us"}, ""),
        ("a-model-of-tomorrow", {"region": "us"}, ""),
        (
            "qwen3-rerank",
            {"region": "us", "base_url": "https://gateway.example.com"},
            "",
        ),
    ],
)
def test_a_model_of_other_regions_is_kept_in_mind(
    model: str, arguments: dict[str, Any], elsewhere: str
) -> None:
    output = Output(OutputOptions())
    output.expect_model(model, resolve_endpoint(**arguments))
    assert output.served_elsewhere == elsewhere


# --- Errors ---------------------------------------------------------------------------


def test_an_error_in_json_has_the_facts_of_the_answer(
    run: Run, studio: Emulator
) -> None:
    studio.script(Fault(status=400, code="invalid_value", message="Bad ß."))
    ran = run("chat", "Hi", "--base-url", studio.base_url, "--json")
    assert ran.code == 1
    request_id = ran.json["error"]["request_id"]
    assert ran.json == {
        "error": {
            "class": "BadRequestError",
            "message": "Bad ß. (status 400, code invalid_value, request id"
            f" {request_id})",
            "advice": "",
            "status_code": 400,
            "code": "invalid_value",
            "request_id": request_id,
            "region": None,
        },
        "exit_code": 1,
    }
    assert "Bad ß." in ran.out


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (
            FileNotFoundError(2, "No such file or directory", "rows.jsonl"),
            1,
            "No such file or directory: rows.jsonl.",
        ),
        (OSError(28, "No space left on device"), 1, "No space left on device."),
        (OSError("something"), 1, "something."),
        (ImportError("Install langchain-core."), 2, "Install langchain-core."),
        (
            KeyError(f"no {KEY}"),
            1,
            (
                "KeyError: 'no **********'. This may be an error of the command: run"
                " it again with --verbose."
            ),
        ),
    ],
)
def test_an_error_of_the_machine_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, text: str
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("modelstudio_core.endpoints.documented_regions", fail)
    ran = run("endpoints")
    assert (ran.code, ran.out, ran.err) == (code, "", f"Error: {text}\n")
    ran = run("endpoints", "--json")
    assert (ran.json["exit_code"], ran.err) == (code, f"Error: {text}\n")
    assert ran.json["error"] == {
        "class": type(error).__name__,
        "message": text,
        "advice": "",
        "status_code": None,
        "code": None,
        "request_id": None,
        "region": None,
    }


# --- Warnings and the log -------------------------------------------------------------


@pytest.mark.parametrize("verbose", [False, True])
def test_the_log_is_shown_if_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], verbose: bool
) -> None:
    logger = logging.getLogger("modelstudio")
    before = (logger.level, [*logger.handlers])
    with reporting(OutputOptions(verbose=verbose)):
        logger.info("a retry")
        logger.debug("a detail")
    assert (logger.level, logger.handlers) == before
    logger.info("afterwards")
    assert capsys.readouterr() == ("", "modelstudio: a retry\n" if verbose else "")


def test_a_warning_is_a_line_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    from modelstudio_core.errors import ModelDeprecationWarning, ModelStudioWarning

    with reporting(OutputOptions()):
        for _ in range(2):
            warnings.warn("One\x1b.", ModelStudioWarning, stacklevel=1)
            warnings.warn("Two.", ModelDeprecationWarning, stacklevel=1)
    assert capsys.readouterr() == ("", "Warning: One\\x1b.\nWarning: Two.\n" * 2)
