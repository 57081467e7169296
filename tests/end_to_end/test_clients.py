"""What other clients get from the emulator: the checks, and the page about them."""

from pathlib import Path
from typing import Any

import pytest

from clients.checks import CHECKS, Result, judge
from clients.clients import CLIENTS
from clients.drivers import for_openai
from clients.report import format_page
from comparison.drivers.task import Task, run_task
from modelstudio_core.emulator import Emulator

ROOT = Path(__file__).parents[2]
CHECKS_BY_ACTION = {check.action: check for check in CHECKS}
RIGHT: dict[str, object] = {
    "plain": {"text": "It has 330 m.", "usage": [9, 5]},
    "stream": ["It has ", None, "330 m."],
    "thinking": {"reasoning": "Hm.", "text": "330"},
    "tools": {"arguments": {"city": "Oslo"}, "text": "It is sunny."},
    "agent": {"city": "Oslo", "degrees": 21},
    "structured": {"name": "Jason", "age": 25},
    "json": {"name": "Jason", "age": 25},
    "words": {"name": "Jason", "age": 25},
    "image": "The dog is Rex.",
    "file": "The dog is Rex.",
    "models": "qwen-plus",
}
WRONG: dict[str, list[object]] = {
    "plain": [
        {"text": "It is tall.", "usage": [9, 5]},
        {"text": "330", "usage": [0, 5]},
    ],
    "stream": [["It has 330 m."], ["It ", "is tall."], []],
    "thinking": [{"reasoning": "", "text": "330"}, {"reasoning": "330", "text": ""}],
    "tools": [{"arguments": {}, "text": "sunny"}, {"arguments": {"city": "Oslo"}}],
    "agent": [{"city": "Rome", "degrees": 21}],
    "structured": [{"name": "Jason", "age": "25"}, None],
    "json": [{}],
    "words": ["Jason"],
    "image": ["A dog.", None],
    "file": [None],
    "models": [None],
}


@pytest.mark.parametrize("action", RIGHT)
def test_what_a_check_passes_and_fails(action: str) -> None:
    check = CHECKS_BY_ACTION[action]
    assert judge(check, {"value": RIGHT[action]}, {}) == Result("passed")
    for value in WRONG[action]:
        assert judge(check, {"value": value}, {}).word == "failed"
    error = {"type": "ValueError", "kinds": [], "message": "no"}
    assert judge(check, {"error": error}, {}).evidence == "`ValueError`: no"


def test_the_check_of_a_refusal_wants_an_exception() -> None:
    check = CHECKS_BY_ACTION["error"]
    error = {"type": "NotFoundError", "kinds": [], "message": "x does not exist"}
    assert judge(check, {"error": error}, {}).word == "passed"
    assert judge(check, {"error": {**error, "message": "no"}}, {}).word == "failed"
    note = judge(check, {"value": "x does not exist"}, {"error": "(It returns.)"})
    assert note == Result("failed", "no exception (It returns.)")


def test_each_check_is_in_a_table_above() -> None:
    assert RIGHT.keys() | {"error"} == CHECKS_BY_ACTION.keys()


@pytest.mark.parametrize("action", sorted(for_openai.ACTIONS))
def test_the_openai_sdk_of_this_environment_passes(action: str) -> None:
    with Emulator() as studio:
        task: Task = {
            "action": action,
            "client": "openai",
            "arguments": {"origin": studio.base_url, "key": studio.api_key},
            "streaming": {},
            "sdk_url": None,
            "parameters": {},
        }
        outcome = run_task(task, for_openai.ACTIONS)
    assert judge(CHECKS_BY_ACTION[action], outcome, {}) == Result("passed")


def test_the_page_has_a_row_for_each_client() -> None:
    results: dict[str, Any] = {
        client.name: {check.action: Result("passed") for check in CHECKS}
        for client in CLIENTS
    }
    results["DSPy"] = {**results["DSPy"], "plain": Result("failed", "`null` (A note.)")}
    page = format_page(results, {client.name: {"x": "1"} for client in CLIENTS})
    assert page.count("| x 1 |") == len(CLIENTS) >= 10
    assert "- DSPy, a plain answer: `null` (A note.)" in page
    total = len(CLIENTS) * len(CHECKS)
    assert f"{total - 1} of {total} checks passed." in page


def test_the_written_page_is_of_these_clients_and_checks() -> None:
    page = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    for client in CLIENTS:
        assert f"| {client.name} |" in page
    for check in CHECKS:
        assert check.title in page
