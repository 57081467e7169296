"""Plans: what a request sends."""

import copy
import logging
from typing import Any, Final

import pytest

from modelstudio_core.catalog import resolve_deprecated
from modelstudio_core.chat import tools
from modelstudio_core.chat.arguments import resolve_chat
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.plan import (
    plan_chat,
    plan_partial,
    supports_json_schema,
)
from tests.core.support import (
    KEY,
    UNKNOWN_MODEL,
    error_message,
    make_plan,
    plan_error,
    tool,
)

ONE_TOOL: Final = [tool("weather")]
TWO_TOOLS: Final = [tool("weather"), tool("news")]

# --- Thinking ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "requested", "sent"),
    [
        ("deepseek-v4-pro", None, True),
        ("deepseek-v4-flash-us", None, True),
        ("qwen3.7-plus", None, True),
        ("qwen3.7-plus", True, True),
        ("qwen3.7-plus", False, False),
        ("qwen-plus", None, False),
        ("qwen-plus", True, True),
        ("qwen-plus", False, False),
        ("deepseek-v3.2", None, False),
        ("qwq-plus", None, None),
        ("qwq-plus", True, None),
        ("deepseek-r1", None, None),
        ("qwen-max", None, None),
        ("qwen-max", False, None),
        ("deepseek-v3", None, None),
        (UNKNOWN_MODEL, None, None),
        (UNKNOWN_MODEL, True, True),
        (UNKNOWN_MODEL, False, False),
    ],
)
def test_what_enable_thinking_sends(
    model: str, requested: bool | None, sent: bool | None
) -> None:
    assert make_plan(model, enable_thinking=requested).thinking is sent


@pytest.mark.parametrize(
    ("requested", "given", "sent"),
    [
        ("deepseek-r1", None, True),
        ("deepseek-r1", False, False),
        ("deepseek-v3.2", None, False),
        ("deepseek-v3.2", True, True),
        ("deepseek-v3", None, False),
        ("deepseek-v3", True, True),
        ("deepseek-r1-distill-qwen-7b", None, True),
    ],
)
def test_a_replacement_thinks_if_the_delisted_model_did(
    requested: str, given: bool | None, sent: bool
) -> None:
    plan = make_plan(requested, deprecated_models="replace", enable_thinking=given)
    assert plan.thinking is sent


@pytest.mark.parametrize(
    ("model", "value", "kept"),
    [
        ("qwen3.8-max", None, True),
        ("qwen3.8-max", False, False),
        ("qwen3.7-plus", None, False),
        ("qwen3.7-plus", True, True),
        (UNKNOWN_MODEL, None, False),
    ],
)
def test_whether_reasoning_of_earlier_turns_is_sent_back(
    model: str, value: bool | None, kept: bool
) -> None:
    assert make_plan(model, preserve_thinking=value).preserve_thinking is kept


# --- Streams ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options", "streamed"),
    [
        ("qwen3-32b", {}, True),
        ("qwen3-32b", {"enable_thinking": True}, True),
        ("qwen3-32b", {"enable_thinking": False}, False),
        ("qwen3-32b", {"tools": ONE_TOOL, "tool_choice": "any"}, False),
        ("qwq-plus", {}, True),
        ("qwen3.7-plus", {}, False),
        ("deepseek-v4-pro", {}, False),
        (UNKNOWN_MODEL, {"enable_thinking": True}, False),
    ],
)
def test_a_model_that_thinks_only_in_streams_is_streamed(
    model: str, options: dict[str, Any], streamed: bool
) -> None:
    assert make_plan(model, **options).stream is streamed
    assert make_plan(model, stream=True, **options).stream is True


def test_a_model_that_answers_only_as_a_stream_is_streamed() -> None:
    assert make_plan("qwen3-omni-flash").stream
    assert not make_plan("qwen3-omni-flash", n=2).stream
    assert not make_plan("qwen3-omni-flash", extra_body={"n": 2}).stream
    assert not make_plan("qwen-plus").stream


def test_several_answers_cannot_be_streamed() -> None:
    assert make_plan(n=1, stream=True).options.n == 1
    assert "n=2" in plan_error(n=2, stream=True)
    assert "n=2" in plan_error(extra_body={"n": 2}, stream=True)


def test_planning_does_not_change_the_options() -> None:
    options = ChatOptions(
        reasoning_effort="low", tools=TWO_TOOLS, tool_choice="any", enable_thinking=True
    )
    before = copy.deepcopy(options)
    plan_chat(options, resolve_deprecated("deepseek-v4-pro"), protocol="openai")
    assert options == before


# --- The code interpreter ---------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "enable_thinking", "sent"),
    [
        ("qwen-plus", None, True),
        ("qwen-plus", True, True),
        ("qwen3.7-plus", None, True),
        ("qwq-plus", None, None),
        # It is left to the service where thinking cannot be switched.
        ("qwen-max", None, None),
        ("qwen-max", False, None),
        (UNKNOWN_MODEL, None, None),
        (UNKNOWN_MODEL, True, True),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_the_code_interpreter_thinks_where_that_can_be_switched(
    model: str, enable_thinking: bool | None, sent: bool | None, inside: bool
) -> None:
    code: dict[str, Any] = {"enable_code_interpreter": True}
    options: dict[str, Any] = {"extra_body": code} if inside else code
    plan = make_plan(model, enable_thinking=enable_thinking, **options)
    assert plan.thinking is sent
    assert plan.stream


@pytest.mark.parametrize("model", ["qwen-plus", "qwen3.7-plus", UNKNOWN_MODEL])
def test_the_code_interpreter_without_thinking_is_refused(model: str) -> None:
    assert plan_error(model, enable_code_interpreter=True, enable_thinking=False) == (
        "enable_code_interpreter works with thinking only: remove"
        " enable_thinking=False."
    )


# --- Partial mode -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options", "thinking"),
    [
        ("qwen3.7-plus", {}, False),
        ("qwen3.7-plus", {"enable_thinking": False}, False),
        ("qwen-plus", {}, False),
        ("qwen-max", {}, None),
        (UNKNOWN_MODEL, {}, None),
        (UNKNOWN_MODEL, {"enable_thinking": False}, False),
        # A forced call has disabled thinking already.
        ("qwen3.7-plus", {"tools": ONE_TOOL, "tool_choice": "any"}, False),
    ],
)
def test_partial_mode_does_not_think(
    model: str, options: dict[str, Any], thinking: bool | None
) -> None:
    before = make_plan(model, **options)
    plan = plan_partial(before)
    assert plan.thinking is thinking
    assert plan.notices == before.notices
    assert (plan.thinking_disabled == "partial") is (before.thinking is True)


@pytest.mark.parametrize("model", ["qwen3.7-plus", "qwen-plus", UNKNOWN_MODEL])
@pytest.mark.parametrize(
    "options",
    [
        {"enable_thinking": True},
        {"thinking_budget": 100},
        {"thinking_budget": 100, "enable_thinking": True},
    ],
)
def test_partial_mode_with_thinking_that_was_asked_for_is_refused(
    model: str, options: dict[str, Any]
) -> None:
    name = [*options][-1]
    if "enable_thinking" not in options and model == "qwen-plus":
        options = {**options, "enable_thinking": True}
        name = "enable_thinking"
    for given in (options, {"extra_body": options}):
        values: dict[str, Any] = given
        assert error_message(plan_partial, make_plan(model, **values)) == (
            "Partial mode works without thinking only: remove partial from the last"
            f" message, or {name}."
        )


# --- Where a request goes -----------------------------------------------------------


@pytest.mark.parametrize(
    ("connection", "scope"),
    [
        ({"region": "us"}, {"region": "us-east-1", "mode": "global"}),
        ({"base_url": "http://127.0.0.1:9"}, {}),
    ],
)
def test_the_region_and_the_mode_are_known_as_far_as_the_endpoint_is(
    connection: dict[str, Any], scope: dict[str, str]
) -> None:
    resolved = resolve_chat({"model": "qwen-max", "api_key": KEY, **connection})
    assert resolved.plan(stream=False).scope == scope
    assert make_plan("qwen-max").scope == {}


# --- The response format ------------------------------------------------------------

JSON_OBJECT: Final = {"type": "json_object"}
JSON_SCHEMA: Final = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}


@pytest.mark.parametrize(
    ("model", "options", "disables"),
    [
        ("qwen3.7-plus", {"response_format": JSON_SCHEMA}, True),
        ("qwen3.7-plus", {"response_format": JSON_OBJECT}, False),
        ("qwen3.7-plus", {"response_format": {"type": "text"}}, False),
        ("glm-5.2", {"response_format": JSON_OBJECT}, True),
        # A format that the model never accepts is sent: the service refuses it.
        ("glm-5.2", {"response_format": JSON_SCHEMA}, False),
        # Thinking that was asked for is not disabled.
        (
            "qwen3.7-plus",
            {"response_format": JSON_SCHEMA, "enable_thinking": True},
            False,
        ),
        (
            "qwen3.7-plus",
            {"response_format": JSON_SCHEMA, "thinking_budget": 100},
            False,
        ),
        ("glm-5.2", {"response_format": JSON_OBJECT, "reasoning_effort": "max"}, False),
        # There is nothing to disable, or it cannot be disabled.
        ("qwen-plus", {"response_format": JSON_OBJECT}, False),
        ("glm-5.3", {"response_format": JSON_OBJECT}, False),
        (UNKNOWN_MODEL, {"response_format": JSON_SCHEMA}, False),
    ],
)
def test_a_response_format_disables_thinking_that_is_only_a_default(
    model: str, options: dict[str, Any], disables: bool
) -> None:
    default = make_plan(
        model, **{k: v for k, v in options.items() if k != "response_format"}
    )
    for plan in (make_plan(model, **options), make_plan(model, extra_body=options)):
        assert plan.thinking_disabled == ("response_format" if disables else "")
        assert plan.thinking is (False if disables else default.thinking)
        assert plan.response_format == options["response_format"]["type"]


def test_disabling_thinking_for_a_response_format_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tools.log_once.cache_clear()
    with caplog.at_level(logging.INFO, logger="modelstudio"):
        for _ in range(2):
            make_plan(response_format=JSON_SCHEMA)
    [record] = caplog.records
    assert record.getMessage() == (
        "qwen3.7-plus does not support response_format json_schema while it thinks:"
        " thinking is disabled for such requests."
    )


@pytest.mark.parametrize(
    ("model", "enable_thinking", "expected"),
    [
        ("qwen3.7-plus", None, False),
        ("qwen3.7-plus", True, False),
        ("qwen3.7-plus", False, True),
        ("qwen3.8-max", None, True),
        ("qwen3.8-flash", True, True),
        ("qwen-max", None, False),
        ("qwen-plus", False, False),
        ("deepseek-v4.1-flash", False, False),
        ("glm-5.2", False, False),
        (UNKNOWN_MODEL, None, False),
    ],
)
def test_supports_json_schema(
    model: str, enable_thinking: bool | None, expected: bool
) -> None:
    options = ChatOptions(enable_thinking=enable_thinking)
    assert supports_json_schema(options, resolve_deprecated(model)) is expected


# --- Parameters ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, {}),
        ({"temperature": 0, "enable_search": False}, "the same"),
        ({"stop": ("a", "b")}, {"stop": ["a", "b"]}),
        ({"stop": "a"}, {"stop": "a"}),
        ({"stop": ""}, {}),
        ({"parallel_tool_calls": True}, {}),
        ({"parallel_tool_calls": True, "tools": ONE_TOOL}, "the same"),
        (
            {"parallel_tool_calls": True, "extra_body": {"tools": ONE_TOOL}},
            {"parallel_tool_calls": True},
        ),
        ({"extra_body": {"a": 1}}, {}),
        ({"forced_tool_choice": "auto"}, {}),
        ({"enable_thinking": True}, {"enable_thinking": True}),
    ],
)
def test_parameters(options: dict[str, Any], parameters: object) -> None:
    plan = make_plan(UNKNOWN_MODEL, **options)
    assert plan.parameters() == (options if parameters == "the same" else parameters)


def test_an_amount_of_thinking_in_extra_body_is_not_sent_without_thinking() -> None:
    extra_body = {"thinking_budget": 100, "enable_thinking": True, "a": 1}
    options: dict[str, Any] = {"tools": ONE_TOOL, "tool_choice": "weather"}
    plan = make_plan("qwen3.7-plus", extra_body=extra_body, **options)
    assert plan.thinking_disabled == "tool_choice"
    assert plan.extra_body() == {"a": 1}
    assert make_plan("qwen3.7-plus", extra_body=extra_body).extra_body() == extra_body


def test_extra_body_is_a_copy() -> None:
    extra_body = {"a": {"b": [1]}}
    copied = make_plan(extra_body=extra_body).extra_body()
    assert copied == extra_body
    copied["a"]["b"].append(2)
    assert extra_body == {"a": {"b": [1]}}
    assert make_plan().extra_body() == {}


def test_parameters_that_json_does_not_have_are_refused() -> None:
    plan = make_plan(response_format={"type": "text", "a": {1, 2}})
    message = error_message(plan.parameters)
    assert message.startswith(
        "response_format holds a set, which JSON cannot represent"
    )
    plan = make_plan(extra_body={"a": float("nan")})
    assert error_message(plan.extra_body).startswith("extra_body holds a float")
