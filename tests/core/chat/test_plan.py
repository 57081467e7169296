"""Plans: what a request sends, and what a constructor resolves to."""

import copy
from typing import Any, Final

import pytest

from modelstudio_core.catalog import resolve_deprecated
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.plan import plan_chat
from tests.core.support import UNKNOWN_MODEL, make_plan, plan_error, tool

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
    assert not make_plan("qwen-plus").stream


def test_several_answers_cannot_be_streamed() -> None:
    assert make_plan(n=1, stream=True).options.n == 1
    assert "n=2" in plan_error(n=2, stream=True)


def test_planning_does_not_change_the_options() -> None:
    options = ChatOptions(
        reasoning_effort="low", tools=TWO_TOOLS, tool_choice="any", enable_thinking=True
    )
    before = copy.deepcopy(options)
    plan_chat(options, resolve_deprecated("deepseek-v4-pro"), protocol="openai")
    assert options == before
