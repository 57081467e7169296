"""The comparison: our own column is kept throughout, and its verdicts can be others."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comparison.clients import CLIENTS, OTHER_KEY, Client
from comparison.drivers import for_langchain, for_llamaindex
from comparison.drivers.task import Task, answer
from comparison.report import write
from comparison.runner import Driver, judge, look
from comparison.scenario import Scenario
from comparison.scenarios import SCENARIOS
from comparison.scenarios.expected import compare
from comparison.verdict import Outcome, Seen, Verdict
from modelstudio_core.emulator import Emulator, RecordedRequest

PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
ACTIONS = {"langchain": for_langchain.ACTIONS, "llamaindex": for_llamaindex.ACTIONS}
EVERY = {scenario.title: scenario for _, group in SCENARIOS for scenario in group}
NAMED = {client.name: client for client in CLIENTS}
OURS = [client for client in CLIENTS if client.is_ours]
ROWS = [
    pytest.param(client, scenario, id=f"{client.name}: {scenario.title}")
    for client in OURS
    for scenario in EVERY.values()
    if client.framework in scenario.frameworks
]


def drive(task: Task, limit: float) -> Outcome:
    """Do a task in this process: our classes are installed here."""
    del limit
    return answer(task, ACTIONS[framework_of(task)])


def framework_of(task: Task) -> str:
    return next(it.framework for it in CLIENTS if it.path == task["client"])


@pytest.mark.parametrize(("client", "scenario"), ROWS)
def test_ours_keep_each_row(client: Client, scenario: Scenario) -> None:
    verdict = judge(client, scenario, drive)
    assert verdict.word == "kept", verdict.evidence


# --- Verdicts that are not "kept" ---------------------------------------------------


@pytest.mark.parametrize(
    ("want", "got", "word"),
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
    want: object, got: object, word: str
) -> None:
    assert compare("it", want, got).word == word


Spoil = Callable[[Seen], Seen]


def outcome(change: Mapping[str, Any]) -> Spoil:
    """Change something in the answer of each mode."""

    def spoil(seen: Seen) -> Seen:
        answers = {
            mode: {"value": {**it["value"], **change}}
            for mode, it in seen.outcome["value"].items()
        }
        return replace(seen, outcome={"value": answers})

    return spoil


def failing(name: str, **more: object) -> Spoil:
    """Let each mode raise something."""
    error = {"type": name, "kinds": [name], "message": "It failed.", **more}

    def spoil(seen: Seen) -> Seen:
        answers = {mode: {"error": error} for mode in seen.outcome["value"]}
        return replace(seen, outcome={"value": answers})

    return spoil


def silent(seen: Seen) -> Seen:
    """Let each mode return an empty answer in place of an exception."""
    empty = {"value": {"text": "", "all": "", "request_id": None}}
    return replace(seen, outcome={"value": dict.fromkeys(seen.outcome["value"], empty)})


def value(got: object) -> Spoil:
    """Return something else from the action."""
    return lambda seen: replace(seen, outcome={"value": got})


def sent(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Change the bodies of the requests."""

    def spoil(seen: Seen) -> Seen:
        for request in seen.requests:
            change(request.body)
        return seen

    return spoil


def repeated(seen: Seen) -> Seen:
    return replace(seen, requests=[*seen.requests] * 12)


def keyed(seen: Seen) -> Seen:
    headers = {"authorization": f"Bearer {OTHER_KEY}"}
    request = RecordedRequest(method="POST", path="/", headers=headers, body={})
    return replace(seen, requests=(request,))


def without_reasoning(body: dict[str, Any]) -> None:
    for message in body["messages"]:
        message.pop("reasoning_content", None)


def call(**change: object) -> Spoil:
    right = {"id": "call_a", "name": "weather", "args": {"city": "Oslo"}}
    return outcome({"calls": [{**right, **change}]})


CHAT, INDEX = "ChatModelStudio", "ModelStudio"
KEY = Emulator().api_key
IS_LOST = [
    (CHAT, "reasoning of a whole answer", outcome({"reasoning": ""})),
    (CHAT, "reasoning of a stream", outcome({"reasoning": "The user greets."})),
    (INDEX, "reasoning of a stream", outcome({"thinking_deltas": ""})),
    (CHAT, "reasoning sent back on a tool turn", sent(without_reasoning)),
    (INDEX, "reasoning sent back after a stream", sent(without_reasoning)),
    (CHAT, "two calls in one delta", call()),
    (INDEX, "a forced tool while the model thinks", outcome({"calls": []})),
    (
        CHAT,
        "blocks: reasoning, text and two calls, streamed",
        outcome({"blocks": [["reasoning", "Two."], ["text", "Looking."]]}),
    ),
    (CHAT, "structured output, whole", value({"whole": {"value": None}})),
    (CHAT, "an agent with a response format", value({"structured": None})),
    (CHAT, "usage of a stream", outcome({"usage": None})),
    (CHAT, "request id of a stream", outcome({"request_id": None, "all": ""})),
    (CHAT, "request id of an error", failing("BadRequestError")),
    (CHAT, "an error inside an HTTP 200 stream", silent),
    (CHAT, "a stream that ends without an end", silent),
    (INDEX, "HTTP 401", silent),
    (INDEX, "HTTP 401", failing("ValueError")),
    (CHAT, "HTTP 429, too many requests", silent),
    (CHAT, "a prompt that is too long", failing("BadRequestError")),
    (CHAT, "`stream` streams", outcome({"chunks": 1})),
    (CHAT, "arguments of one call", sent(lambda it: it.update(max_tokens=100))),
    (CHAT, "thinking for one call", sent(lambda it: it.pop("enable_thinking"))),
    (
        CHAT,
        "the key in `repr` and dumps",
        value({"repr": KEY}),
    ),
    (CHAT, "no key given, `OPENAI_API_KEY` set", keyed),
    (INDEX, "an image", sent(lambda it: it.update(messages=[]))),
    (INDEX, "a misspelt argument of the constructor", value({"whole": {"value": {}}})),
]
IS_CORRUPTED = [
    (CHAT, "reasoning of a whole answer", outcome({"text": "思考 Hello, wörld."})),
    (CHAT, "two calls in one delta", call(args={"city": "OsloLima"})),
    (CHAT, "two calls, whole", call(id="")),
    (INDEX, "an empty list of tools", sent(lambda it: it.update(tools=None))),
    (
        CHAT,
        "usage of a whole answer",
        outcome(
            {"usage": dict.fromkeys(("input", "output", "reasoning", "cached"), 84)}
        ),
    ),
    (CHAT, "HTTP 404", repeated),
    (CHAT, "HTTP 429, too many requests", repeated),
    (CHAT, "an overdue account (`Arrearage`, 400)", repeated),
    (CHAT, "structured output, whole", value({"whole": {"value": {"name": None}}})),
    (CHAT, "cache keys", value({"": "a", "model": "a", "base_url": "b"})),
]


@pytest.mark.parametrize(
    ("name", "title", "spoil", "word"),
    [
        *((*row, "lost") for row in IS_LOST),
        *((*row, "corrupted") for row in IS_CORRUPTED),
        (CHAT, "reasoning of a stream", failing("TypeError"), "error"),
        (CHAT, "a stream that ends without an end", failing("TypeError"), "error"),
    ],
)
def test_a_wrong_outcome_gets_the_verdict_that_it_deserves(
    name: str, title: str, spoil: Spoil, word: str
) -> None:
    scenario = EVERY[title]
    seen = look(NAMED[name], scenario, drive, {})
    assert scenario.judge(seen).word == "kept"
    assert scenario.judge(spoil(seen)).word == word


def test_a_missing_package_is_no_ones_fault() -> None:
    missing = {"type": "ModuleNotFoundError", "message": "No.", "name": "langchain"}
    for scenario in EVERY.values():
        if scenario.action == "agent":
            seen = Seen(NAMED[CHAT], {"error": missing}, ())
            assert scenario.judge(seen).word == "not tried"


def test_what_an_option_keeps_is_kept_by_option() -> None:
    client = replace(
        NAMED[CHAT],
        arguments={**NAMED[CHAT].arguments, "stream_usage": False},
        usage={"stream_usage": True},
    )

    def overriding(task: Task, limit: float) -> Outcome:
        more = task["parameters"].pop("arguments", {})
        return drive({**task, "arguments": {**task["arguments"], **more}}, limit)

    verdict = judge(client, EVERY["usage of a stream"], overriding)
    assert verdict.word == "by option"
    assert verdict.evidence == "With `stream_usage=True`; else: no token counts"


# --- Clients that misbehave ---------------------------------------------------------


def task(path: str, arguments: dict[str, Any] | None = None) -> Task:
    return {
        "action": "secrets",
        "client": path,
        "arguments": arguments or {},
        "streaming": {},
        "sdk_address": None,
        "parameters": {},
    }


def test_a_client_that_hangs_or_breaks_down_is_started_again() -> None:
    with Driver(NAMED[CHAT]) as driver:
        printing = driver(task("builtins:print", {"end": "not an outcome\n"}), 30)
        hung = driver(task("signal:pause"), 0.2)
        broken = driver(task("os:_exit", {"status": 3}), 30)
    kinds = [it["error"]["type"] for it in (printing, hung, broken)]
    assert kinds == ["AttributeError", "Timeout", "Crash"]


# --- The page ---------------------------------------------------------------------


def columns(word: Callable[[Client, str], Verdict]) -> dict[str, dict[str, Verdict]]:
    return {it.name: {title: word(it, title) for title in EVERY} for it in CLIENTS}


def test_the_page_says_where_another_is_better() -> None:
    def one(client: Client, title: str) -> Verdict:
        worse = client.name == CHAT and title == "HTTP 404"
        return Verdict("lost", "nothing") if worse else Verdict("kept")

    page = write(columns(one), {client.name: {"a": "1"} for client in CLIENTS})
    number = list(EVERY).index("HTTP 404") + 1
    others = "ChatOpenAI, ChatDeepSeek, ChatQwen, ChatTongyi"
    assert f"Kept by another and not by ours: {number} ({others})." in page
    assert (
        f"| {number} | HTTP 404 | **lost** | kept | kept | kept | kept | kept |" in page
    )
    assert "- ChatModelStudio: lost. Nothing." in page


def test_the_page_that_is_kept_has_each_row_and_ours_keep_them() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for number, (title, scenario) in enumerate(EVERY.items(), 1):
        rows = [line for line in lines if line.startswith(f"| {number} | {title} |")]
        assert len(rows) == len(scenario.frameworks)
        assert all(f"{title} | kept | kept |" in row for row in rows)
