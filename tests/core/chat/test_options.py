"""The options of a chat plan: their ranges, and those of one call."""

import math
from typing import Any, get_args, get_type_hints

import pytest
from pydantic.fields import FieldInfo

from modelstudio_core.catalog import resolve_deprecated
from modelstudio_core.chat.option_rules import (
    function_name,
    refuse_hosted_tools,
    valid_name,
)
from modelstudio_core.chat.options import (
    OPTION_NAMES,
    RULES,
    ChatOptionArguments,
    ChatOptions,
)
from modelstudio_core.chat.plan import plan_chat
from modelstudio_core.errors import ConfigurationError
from tests.core.support import error_message, make_plan, named_choice, plan_error, tool

# --- Ranges -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0),
        ("temperature", 0.0),
        ("temperature", 1.99),
        ("top_p", 0.001),
        ("top_p", 1),
        ("top_p", 1.0),
        ("top_k", 0),
        ("top_k", 101),
        ("max_tokens", 1),
        ("max_tokens", 1_000_000),
        ("max_completion_tokens", 1),
        ("seed", 0),
        ("seed", 2**31 - 1),
        ("seed", 2**63 - 1),
        ("n", 1),
        ("n", 4),
        ("presence_penalty", -2),
        ("presence_penalty", 2.0),
        ("repetition_penalty", 0.001),
        ("repetition_penalty", 1.5),
        ("top_logprobs", 0),
        ("top_logprobs", 5),
        ("thinking_budget", 1),
        ("thinking_budget", 256 * 1024),
        ("logprobs", True),
        ("parallel_tool_calls", False),
        ("preserve_thinking", True),
        ("enable_search", False),
        ("stop", "END"),
        ("stop", ["a", "b"]),
        ("response_format", {"type": "text"}),
        ("response_format", {"type": "json_object"}),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "x"}}),
        ("search_options", {"forced_search": True}),
        ("extra_body", {"tool_stream": True}),
    ],
)
def test_a_value_at_the_limit_is_accepted_unchanged(name: str, value: Any) -> None:
    needed: dict[str, Any] = {"enable_search": True} if name == "search_options" else {}
    options = make_plan(**{**needed, name: value}).options
    assert getattr(options, name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 2),
        ("temperature", 2.0),
        ("temperature", -0.01),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("temperature", "0.5"),
        ("temperature", True),
        ("top_p", 0),
        ("top_p", 1.001),
        ("top_k", -1),
        ("top_k", 1.0),
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("max_tokens", "10"),
        ("max_completion_tokens", 0),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", 1.0),
        ("n", 0),
        ("n", 5),
        ("n", 2.0),
        ("n", True),
        ("presence_penalty", -2.01),
        ("presence_penalty", 2.01),
        ("repetition_penalty", 0),
        ("repetition_penalty", -1),
        ("repetition_penalty", math.inf),
        ("top_logprobs", -1),
        ("top_logprobs", 6),
        ("top_logprobs", 1.0),
        ("thinking_budget", 0),
        ("thinking_budget", 100.0),
        ("thinking_budget", True),
        ("forced_tool_choice_retries", -1),
        ("forced_tool_choice_retries", 1.0),
        ("logprobs", 1),
        ("parallel_tool_calls", "yes"),
        ("enable_thinking", 1),
        ("preserve_thinking", "true"),
        ("enable_search", 0),
        ("response_format", "json_object"),
        ("response_format", {"type": "xml"}),
        ("response_format", {"type": ["text"]}),
        ("search_options", [1]),
        ("extra_body", "x"),
        ("stop", 5),
        ("reasoning_effort", ["high"]),
        ("forced_tool_choice", "never"),
    ],
)
def test_a_value_out_of_range_is_refused(name: str, value: object) -> None:
    assert name in plan_error(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("temperature", 2, "temperature must be in [0, 2), got 2."),
        ("top_p", 0, "top_p must be in (0, 1], got 0."),
        ("n", 5, "n must be an integer in [1, 4], got 5."),
        ("top_k", -1, "top_k must be an integer >= 0, got -1."),
        ("repetition_penalty", 0, "repetition_penalty must be > 0, got 0."),
        ("presence_penalty", 3, "presence_penalty must be in [-2, 2], got 3."),
        (
            "seed",
            -1,
            "seed must be an integer in [0, 9223372036854775807], got -1.",
        ),
    ],
)
def test_the_error_states_the_range(name: str, value: object, message: str) -> None:
    assert plan_error(**{name: value}) == message


@pytest.mark.parametrize(
    ("name", "value", "is_valid"),
    [
        ("modalities", ["text"], True),
        ("modalities", ("text", "audio"), True),
        ("modalities", [], False),
        ("modalities", "text", False),
        ("modalities", ["text", "video"], False),
        ("modalities", [5], False),
        ("audio", {"voice": "Tina", "format": "wav"}, True),
        ("audio", {"voice": "Tina"}, True),
        ("audio", {"format": "wav", "rate": 24_000}, True),
        ("audio", "Tina", False),
        ("audio", {"voice": 5}, False),
        ("audio", {"voice": "Tina", "format": None}, False),
        ("ocr_options", {"task": "table_parsing"}, True),
        ("ocr_options", {"task": None}, True),
        ("ocr_options", {"task_config": {}}, True),
        ("ocr_options", {"task": "tables"}, False),
        ("ocr_options", "table_parsing", False),
        ("stop", ["a", 5], False),
        ("stop", {"a"}, False),
        ("tools", [], True),
        ("tools", (tool("weather"),), True),
        ("tools", [tool("weather"), "news"], False),
        ("tools", {"weather": tool("weather")}, False),
        ("context_cache", "auto", True),
        ("context_cache", "on", False),
    ],
)
def test_the_values_of_other_options(name: str, value: object, is_valid: bool) -> None:
    assert RULES[name].accepts(value) is is_valid


@pytest.mark.parametrize(
    ("hosted", "advice"),
    [
        ({"type": "web_search_20250305"}, "enable_search=True"),
        ({"type": "web_search_preview"}, "enable_search=True"),
        ({"google_search": {}}, "enable_search=True"),
        ({"type": "code_interpreter", "container": {}}, "enable_code_interpreter=True"),
        ({"codeExecution": {}}, "enable_code_interpreter=True"),
        ({"type": "mcp", "server_url": "u"}, "an MCP adapter"),
    ],
)
def test_a_tool_of_another_service_is_refused_with_advice(
    hosted: dict[str, Any], advice: str
) -> None:
    for tools in ([hosted], (tool("weather"), hosted)):
        message = error_message(refuse_hosted_tools, tools)
        assert message.startswith("tools contains ")
        assert advice in message
        assert plan_error(tools=tools) == message


@pytest.mark.parametrize(
    "tools",
    [[], [{}], [5, "mcp"], "mcp", {"mcp": {}}, [tool("web_search")], [{"type": "x"}]],
)
def test_tools_of_other_forms_get_no_such_advice(tools: object) -> None:
    refuse_hosted_tools(tools)


@pytest.mark.parametrize("name", [None, "", 5])
def test_a_tool_without_a_name_is_refused(name: Any) -> None:
    assert "tools must be" in plan_error(
        tools=[{"type": "function", "function": {"name": name}}]
    )


# --- Options of one call ----------------------------------------------------------


def test_an_option_of_a_call_overrides_the_constructors() -> None:
    base = ChatOptions(temperature=0.5, top_p=0.9, enable_thinking=True)
    assert base.override({"temperature": 0.1, "seed": 7}) == ChatOptions(
        temperature=0.1, top_p=0.9, enable_thinking=True, seed=7
    )
    assert base.temperature == 0.5


def test_none_in_a_call_keeps_the_constructors_value() -> None:
    base = ChatOptions(temperature=0.5)
    assert base.override({"temperature": None}) == base
    assert base.override({}) == base


def test_false_and_zero_in_a_call_are_values() -> None:
    base = ChatOptions(enable_search=True, temperature=0.5)
    assert base.override({"enable_search": False, "temperature": 0}) == ChatOptions(
        enable_search=False, temperature=0
    )


def test_a_call_that_disables_thinking_drops_budget_and_effort() -> None:
    budget = ChatOptions(thinking_budget=100)
    assert budget.override({"enable_thinking": False}) == ChatOptions(
        enable_thinking=False
    )
    effort = ChatOptions(reasoning_effort="high", enable_thinking=True)
    assert effort.override({"enable_thinking": False}) == ChatOptions(
        enable_thinking=False
    )
    assert effort.override({"enable_thinking": True}) == effort


def test_contradicting_options_of_one_call_are_refused() -> None:
    options = ChatOptions().override(
        {"enable_thinking": False, "reasoning_effort": "high"}
    )
    with pytest.raises(ConfigurationError, match="reasoning_effort='high'"):
        plan_chat(options, resolve_deprecated("deepseek-v4-pro"), protocol="openai")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("temprature", "temperature"), ("enable_thinkin", "enable_thinking")],
)
def test_the_error_for_an_unknown_option_suggests_the_nearest(
    name: str, nearest: str
) -> None:
    message = error_message(ChatOptions().override, {name: 1})
    assert message == (
        f"Unknown argument {name!r}. Did you mean {nearest!r}? Parameters that have no"
        " argument go into extra_body."
    )


def test_a_budget_of_a_call_replaces_the_constructors_effort() -> None:
    effort = ChatOptions(reasoning_effort="high")
    budget = effort.override({"thinking_budget": 100})
    assert budget == ChatOptions(thinking_budget=100)
    assert budget.override({"reasoning_effort": "low"}) == ChatOptions(
        reasoning_effort="low"
    )


@pytest.mark.parametrize(
    ("constructor", "extra_body", "left"),
    [
        ({"temperature": 0.5, "seed": 1}, {"temperature": 1}, {"seed": 1}),
        ({"enable_thinking": False}, {"enable_thinking": True}, {}),
        ({"thinking_budget": 9}, {"enable_thinking": False}, {}),
        ({"reasoning_effort": "high"}, {"thinking_budget": 9}, {}),
        ({"search_options": {}, "seed": 1}, {"enable_search": False}, {"seed": 1}),
        ({"seed": 1}, {"unknown": 1}, {"seed": 1}),
        ({"seed": 1, "extra_body": {"top_k": 3}}, {"top_k": 4}, {"seed": 1}),
    ],
)
def test_the_extra_body_of_a_call_wins_over_the_constructor(
    constructor: dict[str, Any], extra_body: dict[str, Any], left: dict[str, Any]
) -> None:
    options = ChatOptions(**constructor).override({"extra_body": extra_body})
    assert options == ChatOptions(**left, extra_body=extra_body)


def test_an_argument_and_the_extra_body_of_one_call_may_not_contradict() -> None:
    call = {"temperature": 1, "extra_body": {"temperature": 0}}
    options = ChatOptions(temperature=0.5).override(call)
    with pytest.raises(ConfigurationError, match="pass one of the two"):
        plan_chat(options, resolve_deprecated("deepseek-v4-pro"), protocol="openai")


# --- The definition of the options --------------------------------------------------


def test_every_option_has_a_rule_and_a_description() -> None:
    assert tuple(RULES) == OPTION_NAMES
    hints = get_type_hints(ChatOptions, include_extras=True)
    for name, annotation in hints.items():
        descriptions = [
            metadata.description
            for metadata in get_args(annotation)
            if isinstance(metadata, FieldInfo)
        ]
        assert len(descriptions) == 1, name
        assert descriptions[0], name


def test_the_constructor_takes_every_option_but_tools() -> None:
    options = get_type_hints(ChatOptions, include_extras=True)
    arguments = get_type_hints(ChatOptionArguments, include_extras=True)
    assert options.keys() - ChatOptionArguments.model_fields.keys() == {
        "tools",
        "tool_choice",
    }
    defaults = ChatOptions()
    for name, field in ChatOptionArguments.model_fields.items():
        assert arguments[name] == options[name], name
        assert field.default == getattr(defaults, name), name
        assert field.description, name


def test_options_that_are_not_sent_under_their_own_name() -> None:
    assert {name for name, rule in RULES.items() if not rule.sent} == {
        "stop",
        "enable_thinking",
        "extra_body",
        "context_cache",
        "forced_tool_choice",
        "forced_tool_choice_retries",
        "local_files",
        "upload_media",
    }


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (tool("weather"), "weather"),
        (named_choice("weather"), "weather"),
        ({"type": "function", "function": {}}, None),
        ({"type": "function", "function": "weather"}, None),
        ({"name": "weather"}, None),
        ("weather", None),
        (None, None),
    ],
)
def test_function_name(value: object, name: str | None) -> None:
    assert function_name(value) == name


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("get_weather-2", "get_weather-2"),
        ("Box[int]", "Box_int_"),
        ("größe.cm", "gr__e_cm"),
        ("a" * 64, "a" * 64),
        ("a" * 65, "a" * 64),
    ],
)
def test_a_name_has_only_what_the_service_accepts(name: str, valid: str) -> None:
    assert valid_name(name) == valid
