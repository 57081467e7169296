"""Tools: which choice is sent, and what happens to a forced one while thinking."""

import logging
from typing import Any, Final

import pytest

from modelstudio_core.chat import tools
from modelstudio_core.chat.tools import check_tools
from tests.core.support import (
    UNKNOWN_MODEL,
    error_message,
    make_plan,
    named_choice,
    plan_error,
    tool,
)

ONE_TOOL: Final = [tool("weather")]
TWO_TOOLS: Final = [tool("weather"), tool("news")]

# --- The choice -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "tools", "sent"),
    [
        (None, ONE_TOOL, None),
        ("auto", ONE_TOOL, "auto"),
        ("none", ONE_TOOL, "none"),
        ("weather", ONE_TOOL, named_choice("weather")),
        ("news", TWO_TOOLS, named_choice("news")),
        ("any", ONE_TOOL, named_choice("weather")),
        ("required", ONE_TOOL, named_choice("weather")),
        (named_choice("news"), TWO_TOOLS, named_choice("news")),
        ({"type": "function", "name": "news"}, TWO_TOOLS, named_choice("news")),
        ({"type": "tool", "name": "news"}, TWO_TOOLS, named_choice("news")),
        ({"type": "auto"}, TWO_TOOLS, "auto"),
        ({"type": "none"}, TWO_TOOLS, "none"),
        ({"type": "any"}, ONE_TOOL, named_choice("weather")),
    ],
)
def test_tool_choice_while_not_thinking(
    given: str | dict[str, Any] | None, tools: list[dict[str, Any]], sent: object
) -> None:
    plan = make_plan(enable_thinking=False, tools=tools, tool_choice=given)
    assert plan.options.tool_choice == sent
    assert plan.thinking is False
    assert not plan.thinking_disabled
    assert not plan.call_required


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_a_choice_that_forces_no_call_keeps_thinking(choice: str | None) -> None:
    plan = make_plan(tools=ONE_TOOL, tool_choice=choice)
    assert plan.thinking is True
    assert plan.options.tool_choice == choice
    assert not plan.thinking_disabled
    assert not plan.call_forced
    assert not plan.call_required


def test_the_error_for_an_unknown_tool_suggests_the_nearest() -> None:
    message = plan_error(tools=TWO_TOOLS, tool_choice="wether")
    assert "'wether'" in message
    assert "'weather'" in message


@pytest.mark.parametrize(
    "choice",
    [
        *(
            {"type": "function", "function": function}
            for function in (None, "add", {}, {"name": None}, ["add"])
        ),
        {},
        {"type": None},
        {"type": "allowed_tools"},
        {"type": "custom", "name": "add"},
        {"type": "tool", "name": None},
        {"type": "tool"},
        {"type": "function"},
        {"name": "add"},
        # What a dict has beside is not dropped silently.
        {"type": "auto", "disable_parallel_tool_use": True},
        {"type": "tool", "name": "add", "disable_parallel_tool_use": True},
    ],
)
def test_a_choice_without_a_name_is_refused(choice: dict[str, Any]) -> None:
    message = plan_error(tools=[tool("add")], tool_choice=choice)
    assert message.startswith(f"tool_choice={choice!r} names no tool: pass the name")


@pytest.mark.parametrize("tools", [None, []])
def test_a_forced_choice_without_tools_is_refused(tools: object) -> None:
    assert "needs tools" in plan_error(tools=tools, tool_choice="any")


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_an_empty_list_of_tools_is_not_sent(choice: str | None) -> None:
    plan = make_plan(tools=[], tool_choice=choice)
    assert plan.options.tools is None
    assert plan.options.tool_choice is None


def test_a_model_without_tools_refuses_them() -> None:
    assert "deepseek-r1-distill-qwen-7b" in plan_error(
        "deepseek-r1-distill-qwen-7b", tools=ONE_TOOL
    )


@pytest.mark.parametrize("model", ["deepseek-v3.1", "deepseek-v3.2-exp"])
def test_a_model_that_supports_tools_only_without_thinking(model: str) -> None:
    assert make_plan(model, tools=ONE_TOOL).options.tools == ONE_TOOL
    message = plan_error(model, tools=ONE_TOOL, enable_thinking=True)
    assert model in message
    assert "enable_thinking=False" in message


@pytest.mark.parametrize(
    ("choice", "sent"), [("required", "required"), ("any", named_choice("weather"))]
)
def test_required_is_sent_as_it_is_to_a_model_that_accepts_it(
    choice: str, sent: object
) -> None:
    plan = make_plan(
        "qwen3-vl-plus", tools=ONE_TOOL, tool_choice=choice, enable_thinking=False
    )
    assert plan.options.tool_choice == sent
    assert not plan.call_required


@pytest.mark.parametrize(
    ("given", "choice", "sent"),
    [
        # Any call is a call of the only tool.
        (ONE_TOOL, "weather", "required"),
        (ONE_TOOL, named_choice("weather"), "required"),
        (ONE_TOOL, "any", "required"),
        (ONE_TOOL, "required", "required"),
        (TWO_TOOLS, "any", "required"),
        (TWO_TOOLS, "weather", "auto"),
    ],
)
def test_a_model_that_accepts_only_required(
    given: list[dict[str, Any]], choice: object, sent: str
) -> None:
    plan = make_plan("kimi/kimi-k3", tools=given, tool_choice=choice)
    assert plan.options.tool_choice == sent
    assert plan.call_required is (sent == "auto")
    assert plan.call_forced


# --- A forced tool while thinking -------------------------------------------------


@pytest.mark.parametrize("enable_thinking", [None, True])
@pytest.mark.parametrize(
    "choice", ["any", "required", "weather", named_choice("weather")]
)
@pytest.mark.parametrize("model", ["deepseek-v4-pro", "qwen3.7-plus"])
def test_a_forced_tool_disables_thinking_by_default(
    caplog: pytest.LogCaptureFixture,
    model: str,
    choice: object,
    enable_thinking: bool | None,
) -> None:
    tools.log_once.cache_clear()
    with caplog.at_level(logging.INFO, logger="modelstudio"):
        plan, _ = (
            make_plan(
                model,
                tools=ONE_TOOL,
                tool_choice=choice,
                enable_thinking=enable_thinking,
            )
            for _ in range(2)
        )
    assert plan.thinking is False
    assert plan.thinking_disabled
    assert not plan.call_required
    assert plan.options.tool_choice == named_choice("weather")
    assert [r.levelno for r in caplog.records] == [logging.INFO]
    assert model in caplog.text


def test_a_forced_tool_drops_budget_and_effort() -> None:
    plan = make_plan(tools=ONE_TOOL, tool_choice="any", thinking_budget=100)
    assert plan.options.thinking_budget is None
    plan = make_plan(
        "deepseek-v4-pro", tools=ONE_TOOL, tool_choice="any", reasoning_effort="max"
    )
    assert plan.options.reasoning_effort is None


def test_a_forced_tool_with_the_policy_auto() -> None:
    plan = make_plan(tools=ONE_TOOL, tool_choice="any", forced_tool_choice="auto")
    assert plan.thinking is True
    assert not plan.thinking_disabled
    assert plan.call_required
    assert plan.options.tool_choice == "auto"
    assert (
        plan.call_instruction
        == "Answer with a call of the tool 'weather', not in words."
    )
    (notice,) = plan.notices
    assert "tool_choice='auto' is sent" in notice


def test_a_forced_tool_with_the_policy_error() -> None:
    message = plan_error(tools=ONE_TOOL, tool_choice="any", forced_tool_choice="error")
    assert "qwen3.7-plus" in message
    assert "tool_choice='auto'" in message
    assert "enable_thinking=False" in message


@pytest.mark.parametrize("policy", ["disable_thinking", "auto", "error"])
def test_the_policy_does_not_matter_while_not_thinking(policy: str) -> None:
    plan = make_plan(
        tools=ONE_TOOL,
        tool_choice="any",
        forced_tool_choice=policy,
        enable_thinking=False,
    )
    assert plan.options.tool_choice == named_choice("weather")
    assert not plan.thinking_disabled
    assert not plan.call_required


@pytest.mark.parametrize("policy", ["disable_thinking", "auto"])
def test_a_thinking_only_model_always_uses_auto(policy: str) -> None:
    plan = make_plan(
        "qwq-plus", tools=ONE_TOOL, tool_choice="any", forced_tool_choice=policy
    )
    assert plan.thinking is None
    assert not plan.thinking_disabled
    assert plan.call_required
    assert plan.options.tool_choice == "auto"


@pytest.mark.parametrize(
    ("model", "policy", "sent", "thinking", "call_required"),
    [
        # Accepts "required" while it does not think.
        ("qwen3-vl-plus", "disable_thinking", "required", False, False),
        ("qwen3.7-plus", "disable_thinking", "auto", True, True),
        ("qwen3.7-plus", "auto", "auto", True, True),
        ("deepseek-v4-pro", "disable_thinking", "auto", True, True),
        # The catalog does not say whether it accepts "required".
        (UNKNOWN_MODEL, "disable_thinking", "auto", True, True),
    ],
)
def test_any_of_several_tools_while_thinking(
    model: str, policy: str, sent: str, thinking: bool, call_required: bool
) -> None:
    plan = make_plan(
        model,
        tools=TWO_TOOLS,
        tool_choice="any",
        forced_tool_choice=policy,
        enable_thinking=True,
    )
    assert plan.options.tool_choice == sent
    assert plan.thinking is thinking
    assert plan.call_required is call_required


@pytest.mark.parametrize(
    ("model", "sent", "call_required"),
    [
        ("qwen3-vl-plus", "required", False),
        ("qwen3.7-plus", "auto", True),
        ("deepseek-v4-pro", "auto", True),
        (UNKNOWN_MODEL, "auto", True),
    ],
)
def test_any_of_several_tools_while_not_thinking(
    model: str, sent: str, call_required: bool
) -> None:
    plan = make_plan(
        model, tools=TWO_TOOLS, tool_choice="required", enable_thinking=False
    )
    assert plan.options.tool_choice == sent
    assert plan.call_required is call_required
    assert not plan.thinking_disabled


# --- Checks without a model ---------------------------------------------------------


@pytest.mark.parametrize(
    "choice", [None, "auto", "none", "any", "required", "news", named_choice("news")]
)
def test_tools_and_choices_that_are_accepted(choice: object) -> None:
    check_tools(TWO_TOOLS, choice)


@pytest.mark.parametrize("value", [["weather"], [{}], [{"function": {}}], "weather"])
def test_values_that_are_no_tools_are_refused(value: Any) -> None:
    message = error_message(check_tools, value)
    assert message.startswith("tools must be a list of dicts in the OpenAI format")
    assert message.endswith(f"got {value!r}.")


@pytest.mark.parametrize("choice", [True, 5, ["weather"]])
def test_a_choice_of_another_type_is_refused(choice: object) -> None:
    message = error_message(check_tools, TWO_TOOLS, choice)
    assert message == f"tool_choice must be a string or a dict, got {choice!r}."


@pytest.mark.parametrize("choice", ["any", "weather", named_choice("weather")])
def test_a_choice_of_no_tools_is_refused(choice: object) -> None:
    assert error_message(check_tools, [], choice) == (
        f"tool_choice={choice!r} needs tools: pass tools=."
    )


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_no_tools_and_no_forced_choice_are_accepted(choice: object) -> None:
    check_tools([], choice)


def test_the_error_for_a_choice_names_the_nearest_tool() -> None:
    message = error_message(check_tools, TWO_TOOLS, named_choice("wether"))
    assert message == "Unknown tool in tool_choice 'wether'. Did you mean 'weather'?"
