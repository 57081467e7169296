"""The comparison: this project keeps every row, and a wrong outcome is not "kept"."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comparison.clients import CLIENTS, OTHER_KEY, Client
from comparison.drivers import for_langchain, for_llamaindex
from comparison.drivers.task import Task, run_task
from comparison.report import format_page
from comparison.runner import judge_scenario, observe, start_client
from comparison.scenario import Scenario
from comparison.scenarios import SCENARIOS
from comparison.scenarios.expected import compare
from comparison.verdict import Observation, Outcome, Verdict
from modelstudio_core.emulator import Emulator, RecordedRequest

PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
ACTIONS = {"langchain": for_langchain.ACTIONS, "llamaindex": for_llamaindex.ACTIONS}
TITLES = {scenario.title: scenario for _, group in SCENARIOS for scenario in group}
CLIENTS_BY_NAME = {client.name: client for client in CLIENTS}
OWN = [client for client in CLIENTS if client.is_own]
ROWS = [
    pytest.param(client, scenario, id=f"{client.name}: {scenario.title}")
    for client in OWN
    for scenario in TITLES.values()
    if client.framework in scenario.frameworks
]


def run_here(task: Task, limit: float) -> Outcome:
    """Run a task in this process, where the classes of this project are installed."""
    del limit
    return run_task(task, ACTIONS[framework_of(task)])


def framework_of(task: Task) -> str:
    return next(client.framework for client in CLIENTS if client.path == task["client"])


@pytest.mark.parametrize(("client", "scenario"), ROWS)
def test_this_project_keeps_each_row(client: Client, scenario: Scenario) -> None:
    verdict = judge_scenario(client, scenario, run_here)
    assert verdict.word == "kept", verdict.evidence


# --- Verdicts that are not "kept" ---------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "received", "word"),
    [
        ("First, then.", "First, then.", "kept"),
        ("First, then.", "", "lost"),
        ("First, then.", "then.", "lost"),
        ("First, then.", "First, then. Then.", "corrupted"),
        ([1, 2], [1], "lost"),
        ([1, 2], [1, 1], "corrupted"),
        ([1, 2], [1, 2, 2], "corrupted"),
        (4, None, "lost"),
        (4, 8, "corrupted"),
    ],
)
def test_a_part_is_lost_and_anything_else_is_corrupted(
    sent: object, received: object, word: str
) -> None:
    assert compare("value", sent, received).word == word


Spoil = Callable[[Observation], Observation]


def answer(change: Mapping[str, Any]) -> Spoil:
    """Change parts of the response of each mode."""

    def spoil(observation: Observation) -> Observation:
        answers = {
            mode: {"value": {**mode_outcome["value"], **change}}
            for mode, mode_outcome in observation.outcome["value"].items()
        }
        return replace(observation, outcome={"value": answers})

    return spoil


def failing(name: str, **more: object) -> Spoil:
    """Let each mode raise an exception."""
    error = {"type": name, "kinds": [name], "message": "It failed.", **more}

    def spoil(observation: Observation) -> Observation:
        answers = {mode: {"error": error} for mode in observation.outcome["value"]}
        return replace(observation, outcome={"value": answers})

    return spoil


def silent(observation: Observation) -> Observation:
    """Let each mode return an empty response instead of an exception."""
    empty = {"value": {"text": "", "all": "", "request_id": None}}
    return replace(
        observation,
        outcome={"value": dict.fromkeys(observation.outcome["value"], empty)},
    )


def value(other: object) -> Spoil:
    """Let the action return another value."""
    return lambda observation: replace(observation, outcome={"value": other})


def request(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Change the bodies of the requests."""

    def spoil(observation: Observation) -> Observation:
        for recorded in observation.requests:
            change(recorded.body)
        return observation

    return spoil


def repeated(observation: Observation) -> Observation:
    return replace(observation, requests=[*observation.requests] * 12)


def with_other_key(observation: Observation) -> Observation:
    headers = {"authorization": f"Bearer {OTHER_KEY}"}
    recorded = RecordedRequest(method="POST", path="/", headers=headers, body={})
    return replace(observation, requests=(recorded,))


def without_reasoning(body: dict[str, Any]) -> None:
    for message in body["messages"]:
        message.pop("reasoning_content", None)


def without_fps(body: dict[str, Any]) -> None:
    for part in body["messages"][0]["content"]:
        part.pop("fps", None)


def without_calls(body: dict[str, Any]) -> None:
    body["messages"] = body["messages"][-1:]


def with_raw_sound(body: dict[str, Any]) -> None:
    for part in body["messages"][0]["content"]:
        if "input_audio" in part:
            data = part["input_audio"]["data"]
            part["input_audio"]["data"] = data.partition(",")[2]


def call(**change: object) -> Spoil:
    sent = {"id": "call_a", "name": "weather", "args": {"city": "Oslo"}}
    return answer({"calls": [{**sent, **change}]})


CHAT, INDEX = "ChatModelStudio", "ModelStudio"
KEY = Emulator().api_key
IS_LOST = [
    (CHAT, "reasoning of a call", answer({"reasoning": ""})),
    (CHAT, "reasoning of a stream", answer({"reasoning": "The user greets."})),
    (INDEX, "reasoning of a stream", answer({"thinking_deltas": ""})),
    (CHAT, "reasoning sent back with a tool result", request(without_reasoning)),
    (INDEX, "reasoning sent back after a stream", request(without_reasoning)),
    (CHAT, "two tool calls in one delta", call()),
    (INDEX, "forced tool while the model thinks", answer({"calls": []})),
    (
        CHAT,
        "content blocks of a stream",
        answer({"blocks": [["reasoning", "Two."], ["text", "Looking."]]}),
    ),
    (CHAT, "structured output of a call", value({"call": {"value": None}})),
    (CHAT, "agent with a response format", value({"structured": None})),
    (CHAT, "usage of a stream", answer({"usage": None})),
    (CHAT, "request id of a stream", answer({"request_id": None, "all": ""})),
    (CHAT, "request id of an error", failing("BadRequestError")),
    (CHAT, "error event in an HTTP 200 stream", silent),
    (CHAT, "stream without a finish reason", silent),
    (INDEX, "HTTP 401", silent),
    (INDEX, "HTTP 401", failing("ValueError")),
    (CHAT, "HTTP 429, too many requests", silent),
    (CHAT, "prompt too long", failing("BadRequestError")),
    (CHAT, "streaming with the default arguments", answer({"chunks": 1})),
    (CHAT, "call arguments", request(lambda body: body.update(max_tokens=100))),
    (
        CHAT,
        "thinking switched off for one call",
        request(lambda body: body.pop("enable_thinking")),
    ),
    (
        CHAT,
        "API key in `repr` and dumps",
        value({"repr": KEY}),
    ),
    (CHAT, "no API key, but `OPENAI_API_KEY`", with_other_key),
    (INDEX, "image input", request(lambda body: body.update(messages=[]))),
    (CHAT, "video input, with `fps`", request(without_fps)),
    (INDEX, "PDF input", request(lambda body: body.update(messages=[]))),
    (INDEX, "a tool call without its result", request(without_calls)),
    (CHAT, "a tool result without its call", request(without_calls)),
    (INDEX, "a tool result without its call", answer({"text": ""})),
    (CHAT, "a tool result behind a later message", request(without_calls)),
    (INDEX, "misspelled constructor argument", value({"call": {"value": {}}})),
]
IS_CORRUPTED = [
    (CHAT, "reasoning of a call", answer({"text": "思考 Hello, wörld."})),
    (CHAT, "two tool calls in one delta", call(args={"city": "OsloLima"})),
    (CHAT, "two tool calls", call(id="")),
    (INDEX, "empty list of tools", request(lambda body: body.update(tools=None))),
    (
        CHAT,
        "usage of a call",
        answer(
            {"usage": dict.fromkeys(("input", "output", "reasoning", "cached"), 84)}
        ),
    ),
    (CHAT, "HTTP 404", repeated),
    (CHAT, "HTTP 429, too many requests", repeated),
    (CHAT, "overdue account (`Arrearage`, 400)", repeated),
    (CHAT, "structured output of a call", value({"call": {"value": {"name": None}}})),
    (CHAT, "sound input", request(with_raw_sound)),
    (CHAT, "cache keys", value({"": "a", "model": "a", "base_url": "b"})),
]


@pytest.mark.parametrize(
    ("name", "title", "spoil", "word"),
    [
        *((*row, "lost") for row in IS_LOST),
        *((*row, "corrupted") for row in IS_CORRUPTED),
        (CHAT, "reasoning of a stream", failing("TypeError"), "error"),
        (CHAT, "PDF input", failing("TypeError"), "error"),
        (INDEX, "a tool result behind a later message", failing("TypeError"), "error"),
        (CHAT, "stream without a finish reason", failing("TypeError"), "error"),
    ],
)
def test_a_wrong_outcome_is_not_kept(
    name: str, title: str, spoil: Spoil, word: str
) -> None:
    scenario = TITLES[title]
    observation = observe(CLIENTS_BY_NAME[name], scenario, run_here)
    assert scenario.judge(observation).word == "kept"
    assert scenario.judge(spoil(observation)).word == word


def test_a_missing_package_is_not_tested() -> None:
    missing = {"type": "ModuleNotFoundError", "message": "No.", "name": "langchain"}
    for scenario in TITLES.values():
        if scenario.action == "agent":
            observation = Observation(CLIENTS_BY_NAME[CHAT], {"error": missing}, ())
            assert scenario.judge(observation).word == "not tested"


def test_what_only_an_option_keeps_is_kept_by_option() -> None:
    client = replace(
        CLIENTS_BY_NAME[CHAT],
        arguments={**CLIENTS_BY_NAME[CHAT].arguments, "stream_usage": False},
        usage={"stream_usage": True},
    )

    def run_with_last_arguments(task: Task, limit: float) -> Outcome:
        more = task["parameters"].pop("arguments", {})
        return run_here({**task, "arguments": {**task["arguments"], **more}}, limit)

    scenario = TITLES["usage of a stream"]
    verdict = judge_scenario(client, scenario, run_with_last_arguments)
    assert verdict.word == "by option"
    assert verdict.evidence == "With `stream_usage=True`; else: no token counts"


# --- Clients that hang or crash -----------------------------------------------------


def task(path: str, arguments: dict[str, Any] | None = None) -> Task:
    return {
        "action": "secrets",
        "client": path,
        "arguments": arguments or {},
        "streaming": {},
        "sdk_url": None,
        "parameters": {},
    }


def test_a_client_that_hangs_or_crashes_is_started_again() -> None:
    with start_client(CLIENTS_BY_NAME[CHAT]) as run:
        printed = run(task("builtins:print", {"end": "not an outcome\n"}), 30)
        hung = run(task("signal:pause"), 0.2)
        crashed = run(task("os:_exit", {"status": 3}), 30)
    kinds = [outcome["error"]["type"] for outcome in (printed, hung, crashed)]
    assert kinds == ["AttributeError", "Timeout", "Crash"]


# --- The page ---------------------------------------------------------------------


def columns(judge: Callable[[Client, str], Verdict]) -> dict[str, dict[str, Verdict]]:
    return {
        client.name: {title: judge(client, title) for title in TITLES}
        for client in CLIENTS
    }


def test_the_page_says_where_another_class_is_better() -> None:
    def judge(client: Client, title: str) -> Verdict:
        worse = client.name == CHAT and title == "HTTP 404"
        return Verdict("lost", "nothing") if worse else Verdict("kept")

    page = format_page(columns(judge), {client.name: {"a": "1"} for client in CLIENTS})
    number = list(TITLES).index("HTTP 404") + 1
    others = "ChatOpenAI, ChatDeepSeek, ChatQwen, ChatTongyi"
    assert f"Kept by others but not by this project: {number} ({others})." in page
    assert (
        f"| {number} | HTTP 404 | **lost** | kept | kept | kept | kept | kept |" in page
    )
    assert "- ChatModelStudio: lost. Nothing." in page


def test_the_committed_page_has_each_row_and_this_project_keeps_them() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for number, (title, scenario) in enumerate(TITLES.items(), 1):
        rows = [line for line in lines if line.startswith(f"| {number} | {title} |")]
        assert len(rows) == len(scenario.frameworks)
        assert all(f"{title} | kept | kept |" in row for row in rows)
