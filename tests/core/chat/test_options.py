"""What may be asked of a model, and what is sent for it."""

import logging
import math
from typing import Any

import pytest

from modelstudio_core.catalog import known_models, resolve_deprecated
from modelstudio_core.chat import tools
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.plan import ChatPlan, plan_chat
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import ConfigurationError
from tests.core.catalog.entries import chat_profile

UNKNOWN = "a-model-of-tomorrow"


def tool(name: str) -> dict[str, Any]:
    """Return a tool in the OpenAI shape."""
    return {"type": "function", "function": {"name": name, "parameters": {}}}


def named(name: str) -> dict[str, Any]:
    """Return the choice of a tool by its name."""
    return {"type": "function", "function": {"name": name}}


ONE = [tool("weather")]
TWO = [tool("weather"), tool("news")]


def plan(
    model: str = "qwen3.7-plus",
    /,
    *,
    protocol: Protocol = "openai",
    stream: bool = False,
    **options: Any,
) -> ChatPlan:
    """Plan a request to a model, a delisted one under its own name."""
    return plan_chat(
        ChatOptions(**options),
        resolve_deprecated(model, deprecated_models="keep"),
        protocol=protocol,
        stream=stream,
    )


def refusal(model: str = "qwen3.7-plus", /, **options: Any) -> str:
    """Return the words with which options are refused."""
    with pytest.raises(ConfigurationError) as caught:
        plan(model, **options)
    return caught.value.message


# --- Ranges -------------------------------------------------------------------------


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
def test_value_at_the_edge_is_kept_as_it_is(name: str, value: Any) -> None:
    assert getattr(plan(**{name: value}).options, name) == value


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
        ("n", True),
        ("presence_penalty", -2.01),
        ("presence_penalty", 2.01),
        ("repetition_penalty", 0),
        ("repetition_penalty", -1),
        ("repetition_penalty", math.inf),
        ("top_logprobs", -1),
        ("top_logprobs", 6),
        ("thinking_budget", 0),
        ("thinking_budget", True),
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
def test_value_out_of_its_range_is_refused_by_name(name: str, value: object) -> None:
    assert name in refusal(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("temperature", 2, "temperature must be in [0, 2), got 2."),
        ("top_p", 0, "top_p must be in (0, 1], got 0."),
        ("n", 5, "n must be an integer in [1, 4], got 5."),
        ("top_k", -1, "top_k must be an integer >= 0, got -1."),
        (
            "seed",
            -1,
            "seed must be an integer in [0, 9223372036854775807], got -1.",
        ),
    ],
)
def test_range_is_told_exactly(name: str, value: object, words: str) -> None:
    assert refusal(**{name: value}) == words


@pytest.mark.parametrize(
    "key", ["model", "messages", "stream", "stream_options", "input", "parameters"]
)
def test_extra_body_cannot_take_the_place_of_the_call(key: str) -> None:
    message = refusal(extra_body={key: "x", "fine": 1})
    assert "extra_body" in message
    assert key in message
    assert "fine" not in message


# --- What a model does not take -----------------------------------------------------

VALUES: dict[str, Any] = {
    "temperature": 0.6,
    "top_p": 0.95,
    "top_k": 10,
    "repetition_penalty": 1.0,
    "presence_penalty": 1,
    "max_tokens": 100,
    "thinking_budget": 100,
}
REFUSED = [
    (model, name)
    for model in known_models()
    for name in sorted(chat_profile(model).refused)
]


@pytest.mark.parametrize(("model", "name"), REFUSED)
def test_parameter_that_cannot_be_set(model: str, name: str) -> None:
    message = refusal(model, **{name: VALUES[name]})
    assert message.startswith(f"{name} cannot be set for {model}")


def test_refusal_says_what_can_be_set() -> None:
    assert refusal("deepseek-v3.2", presence_penalty=1) == (
        "presence_penalty cannot be set for deepseek-v3.2. It takes:"
        " temperature, top_p, max_tokens, max_completion_tokens, thinking_budget,"
        " stop, seed."
    )
    assert refusal("deepseek-r1", temperature=0.6) == (
        "temperature cannot be set for deepseek-r1. It takes:"
        " max_completion_tokens, stop, seed."
    )


@pytest.mark.parametrize("model", ["deepseek-r1", "deepseek-r1-distill-qwen-7b"])
@pytest.mark.parametrize("name", VALUES)
def test_r1_and_the_distilled_models_take_nothing(model: str, name: str) -> None:
    assert f"{name} cannot be set for {model}" in refusal(model, **{name: VALUES[name]})


def test_arguments_are_checked_against_the_model_that_is_used() -> None:
    request = plan_chat(
        ChatOptions(temperature=0.5),
        resolve_deprecated("deepseek-r1"),
        protocol="openai",
    )
    assert request.model.profile.id == "qwen3.7-max"
    assert request.options.temperature == 0.5


@pytest.mark.parametrize("name", VALUES)
def test_unknown_model_takes_everything(name: str) -> None:
    assert getattr(plan(UNKNOWN, **{name: VALUES[name]}).options, name) == VALUES[name]


def test_image_model_does_not_chat() -> None:
    message = refusal("wan2.6-t2i")
    assert "wan2.6-t2i" in message
    assert "qwen3.7-plus" in message


def test_sources_of_a_search_need_the_native_protocol() -> None:
    message = refusal(search_options={"enable_source": True})
    assert "enable_source" in message
    assert "protocol='dashscope'" in message


@pytest.mark.parametrize(
    ("protocol", "search_options"),
    [("openai", {"enable_source": False}), ("dashscope", {"enable_source": True})],
)
def test_search_options_that_can_be_sent(
    protocol: Protocol, search_options: dict[str, Any]
) -> None:
    request = plan(protocol=protocol, search_options=search_options)
    assert request.options.search_options == search_options


# --- Thinking -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
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
        (UNKNOWN, None, None),
        (UNKNOWN, True, True),
        (UNKNOWN, False, False),
    ],
)
def test_what_is_sent_for_thinking(
    model: str, asked: bool | None, sent: bool | None
) -> None:
    assert plan(model, enable_thinking=asked).thinking is sent


@pytest.mark.parametrize("model", ["qwq-plus", "deepseek-r1", "glm-5.3"])
def test_thinking_only_model_cannot_stop(model: str) -> None:
    message = refusal(model, enable_thinking=False)
    assert model in message
    assert "enable_thinking=False" in message


@pytest.mark.parametrize("model", ["qwen-max", "deepseek-v3"])
def test_model_that_never_thinks_cannot_begin(model: str) -> None:
    message = refusal(model, enable_thinking=True)
    assert model in message
    assert "enable_thinking=True" in message


@pytest.mark.parametrize(
    ("asked", "given", "sent"),
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
def test_replacement_thinks_as_the_delisted_model_did(
    asked: str, given: bool | None, sent: bool
) -> None:
    request = plan_chat(
        ChatOptions(enable_thinking=given),
        resolve_deprecated(asked),
        protocol="openai",
    )
    assert request.thinking is sent


@pytest.mark.parametrize(
    ("model", "options", "streamed"),
    [
        ("qwen3-32b", {}, True),
        ("qwen3-32b", {"enable_thinking": True}, True),
        ("qwen3-32b", {"enable_thinking": False}, False),
        ("qwen3-32b", {"tools": ONE, "tool_choice": "any"}, False),
        ("qwq-plus", {}, True),
        ("qwen3.7-plus", {}, False),
        ("deepseek-v4-pro", {}, False),
        (UNKNOWN, {"enable_thinking": True}, False),
    ],
)
def test_model_that_thinks_only_in_streams_is_streamed(
    model: str, options: dict[str, Any], streamed: bool
) -> None:
    assert plan(model, **options).stream is streamed
    assert plan(model, stream=True, **options).stream is True


@pytest.mark.parametrize(
    ("model", "said", "kept"),
    [
        ("qwen3.8-max", None, True),
        ("qwen3.8-max", False, False),
        ("qwen3.7-plus", None, False),
        ("qwen3.7-plus", True, True),
        (UNKNOWN, None, False),
    ],
)
def test_reasoning_of_earlier_turns(model: str, said: bool | None, kept: bool) -> None:
    assert plan(model, preserve_thinking=said).preserve_thinking is kept


# --- Budget and effort --------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "most"),
    [("qwen3.7-plus", 262_144), ("qwen3.6-flash", 131_072), ("deepseek-v3.2", 32_768)],
)
def test_budget_ends_where_the_models_does(model: str, most: int) -> None:
    on: dict[str, Any] = {"enable_thinking": True}
    assert plan(model, thinking_budget=most, **on).options.thinking_budget == most
    message = refusal(model, thinking_budget=most + 1, **on)
    assert "thinking_budget" in message
    assert str(most) in message
    assert model in message


@pytest.mark.parametrize(
    "model",
    ["deepseek-v4-pro", "deepseek-v4-flash-us", "deepseek-v4-pro-0813"],
)
def test_budget_of_deepseek_v4_points_to_the_effort(model: str) -> None:
    message = refusal(model, thinking_budget=1000)
    assert model in message
    assert "reasoning_effort" in message


@pytest.mark.parametrize("model", ["qwen-max", "deepseek-v3"])
def test_budget_of_a_model_that_never_thinks(model: str) -> None:
    assert model in refusal(model, thinking_budget=1000)


def test_budget_and_effort_exclude_each_other_on_qwen38() -> None:
    message = refusal("qwen3.8-max", thinking_budget=1000, reasoning_effort="low")
    assert "thinking_budget" in message
    assert "reasoning_effort" in message
    assert "qwen3.8-max" in message


@pytest.mark.parametrize(
    ("model", "given", "sent"),
    [
        *(
            (model, given, sent)
            for model in (
                "deepseek-v4-pro",
                "deepseek-v4-flash",
                "deepseek-v4-pro-us",
                "deepseek-v4-flash-us",
                "glm-5.2",
            )
            for given, sent in (
                (None, None),
                ("low", "high"),
                ("medium", "high"),
                ("high", "high"),
                ("xhigh", "max"),
                ("max", "max"),
            )
        ),
        *(
            (model, given, sent)
            for model in ("deepseek-v4-pro-0813", "deepseek-v4-flash-0731")
            for given, sent in (
                ("low", "low"),
                ("medium", "high"),
                ("high", "high"),
                ("xhigh", "high"),
                ("max", "max"),
            )
        ),
        ("deepseek-v4.1-flash", "minimal", "low"),
        ("deepseek-v4.1-flash", "ultra", "max"),
        ("qwen3.8-max", "minimal", "low"),
        ("qwen3.8-max", "low", "low"),
        ("qwen3.8-max", "medium", "medium"),
        ("qwen3.8-max", "high", "xhigh"),
        ("qwen3.8-flash", "xhigh", "xhigh"),
        ("qwen3.8-flash", "max", "xhigh"),
        (UNKNOWN, "low", "low"),
        (UNKNOWN, "anything", "anything"),
    ],
)
def test_effort_is_sent_in_the_models_words(
    model: str, given: str | None, sent: str | None
) -> None:
    assert plan(model, reasoning_effort=given).options.reasoning_effort == sent


@pytest.mark.parametrize(
    ("model", "effort", "nearest"),
    [
        ("deepseek-v4-pro", "hgih", "high"),
        ("deepseek-v4-pro", "minimal", ""),
        ("deepseek-v4-pro", "none", ""),
        ("deepseek-v4-pro", "HIGH", "high"),
        ("qwen3.8-max", "mediun", "medium"),
        ("qwen3.8-max", "off", ""),
    ],
)
def test_unknown_effort_is_refused(model: str, effort: str, nearest: str) -> None:
    message = refusal(model, reasoning_effort=effort)
    assert message.startswith(f"Unknown reasoning_effort {effort!r} for {model}")
    listed = message.rstrip(".").rpartition("takes ")[2].split(", ")
    assert sorted(listed) == sorted(chat_profile(model).efforts)
    assert listed[0].startswith(nearest)


def test_effort_that_is_not_text_is_refused() -> None:
    assert "reasoning_effort" in refusal("deepseek-v4-pro", reasoning_effort=["high"])


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        ("qwen3.7-plus", "Use thinking_budget"),
        ("deepseek-v3.2", "Use thinking_budget"),
        ("deepseek-r1", "Remove it"),
        ("qwen-max", "Remove it"),
    ],
)
def test_effort_of_a_model_without_one(model: str, advice: str) -> None:
    message = refusal(model, reasoning_effort="high")
    assert f"reasoning_effort cannot be set for {model}" in message
    assert advice in message


@pytest.mark.parametrize(
    "model", ["deepseek-v4-pro", "glm-5.2", "qwen3.8-max", UNKNOWN]
)
def test_effort_while_thinking_is_off_is_refused(model: str) -> None:
    message = refusal(model, reasoning_effort="high", enable_thinking=False)
    assert "reasoning_effort='high'" in message
    assert model in message


def test_effort_none_switches_qwen38_off() -> None:
    request = plan("qwen3.8-max", reasoning_effort="none")
    assert request.thinking is False
    assert request.options.reasoning_effort is None


def test_effort_none_agrees_with_thinking_off() -> None:
    request = plan("qwen3.8-max", reasoning_effort="none", enable_thinking=False)
    assert request.thinking is False


def test_effort_none_against_thinking_on_is_refused() -> None:
    message = refusal("qwen3.8-max", reasoning_effort="none", enable_thinking=True)
    assert "reasoning_effort='none'" in message
    assert "enable_thinking=True" in message


# --- Several answers ----------------------------------------------------------------


def test_several_answers_cannot_be_streamed() -> None:
    assert plan(n=1, stream=True).options.n == 1
    assert "n=2" in refusal(n=2, stream=True)


def test_several_answers_cannot_call_tools() -> None:
    assert plan(n=1, tools=ONE).options.n == 1
    message = refusal(n=2, tools=ONE)
    assert "n=2" in message
    assert "tools" in message


# --- Tools --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "tools", "sent"),
    [
        (None, ONE, None),
        ("auto", ONE, "auto"),
        ("none", ONE, "none"),
        ("weather", ONE, named("weather")),
        ("news", TWO, named("news")),
        ("any", ONE, named("weather")),
        ("required", ONE, named("weather")),
        (named("news"), TWO, named("news")),
    ],
)
def test_tool_choice_while_not_thinking(
    given: str | dict[str, Any] | None, tools: list[dict[str, Any]], sent: object
) -> None:
    request = plan(enable_thinking=False, tools=tools, tool_choice=given)
    assert request.options.tool_choice == sent
    assert request.thinking is False
    assert not request.thinking_disabled
    assert not request.call_required


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_choice_that_forces_nothing_leaves_thinking_on(choice: str | None) -> None:
    request = plan(tools=ONE, tool_choice=choice)
    assert request.thinking is True
    assert request.options.tool_choice == choice
    assert not request.thinking_disabled
    assert not request.call_required


@pytest.mark.parametrize("said", [None, True])
@pytest.mark.parametrize("choice", ["any", "required", "weather", named("weather")])
@pytest.mark.parametrize("model", ["deepseek-v4-pro", "qwen3.7-plus"])
def test_forced_tool_switches_thinking_off_by_default(
    caplog: pytest.LogCaptureFixture, model: str, choice: object, said: bool | None
) -> None:
    tools.log_once.cache_clear()
    with caplog.at_level(logging.INFO, logger="modelstudio"):
        request = plan(model, tools=ONE, tool_choice=choice, enable_thinking=said)
        plan(model, tools=ONE, tool_choice=choice, enable_thinking=said)
    assert request.thinking is False
    assert request.thinking_disabled
    assert not request.call_required
    assert request.options.tool_choice == named("weather")
    assert [r.levelno for r in caplog.records] == [logging.INFO]
    assert model in caplog.text


def test_forced_tool_takes_the_depth_of_thinking_away_too() -> None:
    deep = plan(tools=ONE, tool_choice="any", thinking_budget=100)
    assert deep.options.thinking_budget is None
    hard = plan("deepseek-v4-pro", tools=ONE, tool_choice="any", reasoning_effort="max")
    assert hard.options.reasoning_effort is None


def test_forced_tool_in_the_way_of_auto() -> None:
    request = plan(tools=ONE, tool_choice="any", forced_tool_choice="auto")
    assert request.thinking is True
    assert not request.thinking_disabled
    assert request.call_required
    assert request.options.tool_choice == "auto"
    assert "tool_choice='auto' is sent" in request.notice


def test_forced_tool_in_the_way_of_error() -> None:
    message = refusal(tools=ONE, tool_choice="any", forced_tool_choice="error")
    assert "qwen3.7-plus" in message
    assert "tool_choice='auto'" in message
    assert "enable_thinking=False" in message


@pytest.mark.parametrize("policy", ["disable_thinking", "auto", "error"])
def test_policy_does_not_matter_while_not_thinking(policy: str) -> None:
    request = plan(
        tools=ONE,
        tool_choice="any",
        forced_tool_choice=policy,
        enable_thinking=False,
    )
    assert request.options.tool_choice == named("weather")
    assert not request.thinking_disabled
    assert not request.call_required


@pytest.mark.parametrize("policy", ["disable_thinking", "auto"])
def test_thinking_only_model_takes_the_way_of_auto(policy: str) -> None:
    request = plan("qwq-plus", tools=ONE, tool_choice="any", forced_tool_choice=policy)
    assert request.thinking is None
    assert not request.thinking_disabled
    assert request.call_required
    assert request.options.tool_choice == "auto"


@pytest.mark.parametrize(
    ("model", "policy", "sent", "thinking", "demanded"),
    [
        # It takes "required", while it does not think.
        ("qwen3-vl-plus", "disable_thinking", "required", False, False),
        ("qwen3.7-plus", "disable_thinking", "auto", True, True),
        ("qwen3.7-plus", "auto", "auto", True, True),
        ("deepseek-v4-pro", "disable_thinking", "auto", True, True),
        # The catalog does not say that it takes it.
        (UNKNOWN, "disable_thinking", "auto", True, True),
    ],
)
def test_one_of_several_tools_while_thinking(
    model: str, policy: str, sent: str, thinking: bool, demanded: bool
) -> None:
    request = plan(
        model,
        tools=TWO,
        tool_choice="any",
        forced_tool_choice=policy,
        enable_thinking=True,
    )
    assert request.options.tool_choice == sent
    assert request.thinking is thinking
    assert request.call_required is demanded


@pytest.mark.parametrize(
    ("model", "sent", "demanded"),
    [
        ("qwen3-vl-plus", "required", False),
        ("qwen3.7-plus", "auto", True),
        ("deepseek-v4-pro", "auto", True),
        (UNKNOWN, "auto", True),
    ],
)
def test_one_of_several_tools_while_not_thinking(
    model: str, sent: str, demanded: bool
) -> None:
    request = plan(model, tools=TWO, tool_choice="required", enable_thinking=False)
    assert request.options.tool_choice == sent
    assert request.call_required is demanded
    assert not request.thinking_disabled


def test_tool_that_is_not_there_names_the_nearest() -> None:
    message = refusal(tools=TWO, tool_choice="wether")
    assert "'wether'" in message
    assert "'weather'" in message


@pytest.mark.parametrize("tools", [None, []])
def test_forced_choice_without_tools_is_refused(tools: object) -> None:
    assert "needs tools" in refusal(tools=tools, tool_choice="any")


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_no_tools_are_not_sent(choice: str | None) -> None:
    request = plan(tools=[], tool_choice=choice)
    assert request.options.tools is None
    assert request.options.tool_choice is None


def test_model_without_tools() -> None:
    assert "deepseek-r1-distill-qwen-7b" in refusal(
        "deepseek-r1-distill-qwen-7b", tools=ONE
    )


@pytest.mark.parametrize("model", ["deepseek-v3.1", "deepseek-v3.2-exp"])
def test_model_with_tools_only_while_not_thinking(model: str) -> None:
    assert plan(model, tools=ONE).options.tools == ONE
    message = refusal(model, tools=ONE, enable_thinking=True)
    assert model in message
    assert "enable_thinking=False" in message


# --- One call over the constructor --------------------------------------------------


def test_call_wins_over_the_constructor() -> None:
    base = ChatOptions(temperature=0.5, top_p=0.9, enable_thinking=True)
    assert base.override({"temperature": 0.1, "seed": 7}) == ChatOptions(
        temperature=0.1, top_p=0.9, enable_thinking=True, seed=7
    )
    assert base.temperature == 0.5


def test_none_in_a_call_leaves_the_constructors_word() -> None:
    base = ChatOptions(temperature=0.5)
    assert base.override({"temperature": None}) == base
    assert base.override({}) == base


def test_false_and_zero_in_a_call_are_words() -> None:
    base = ChatOptions(enable_search=True, temperature=0.5)
    assert base.override({"enable_search": False, "temperature": 0}) == ChatOptions(
        enable_search=False, temperature=0
    )


def test_call_that_switches_thinking_off_sets_its_depth_aside() -> None:
    budget = ChatOptions(thinking_budget=100)
    assert budget.override({"enable_thinking": False}) == ChatOptions(
        enable_thinking=False
    )
    effort = ChatOptions(reasoning_effort="high", enable_thinking=True)
    assert effort.override({"enable_thinking": False}) == ChatOptions(
        enable_thinking=False
    )
    assert effort.override({"enable_thinking": True}) == effort


def test_call_that_contradicts_itself_is_still_refused() -> None:
    options = ChatOptions().override(
        {"enable_thinking": False, "reasoning_effort": "high"}
    )
    with pytest.raises(ConfigurationError, match="reasoning_effort='high'"):
        plan_chat(options, resolve_deprecated("deepseek-v4-pro"), protocol="openai")


@pytest.mark.parametrize(
    ("name", "near"),
    [("temprature", "temperature"), ("enable_thinkin", "enable_thinking")],
)
def test_unknown_option_of_a_call_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ChatOptions().override({name: 1})
    assert caught.value.message == f"Unknown argument {name!r}. Did you mean {near!r}?"


def test_options_are_not_changed_by_planning() -> None:
    options = ChatOptions(
        reasoning_effort="low", tools=TWO, tool_choice="any", enable_thinking=True
    )
    same = ChatOptions(
        reasoning_effort="low", tools=TWO, tool_choice="any", enable_thinking=True
    )
    plan_chat(options, resolve_deprecated("deepseek-v4-pro"), protocol="openai")
    assert options == same


def test_a_model_that_answers_only_as_a_stream_is_streamed_underneath() -> None:
    assert plan("qwen3-omni-flash").stream
    assert not plan("qwen3-omni-flash", n=2).stream
    assert not plan("qwen-plus").stream


@pytest.mark.parametrize("function", [None, "add", {}, {"name": None}, ["add"]])
def test_a_choice_without_a_name_is_refused(function: Any) -> None:
    choice = {"type": "function", "function": function}
    assert "Unknown tool" in refusal(tools=[tool("add")], tool_choice=choice)


@pytest.mark.parametrize("name", [None, "", 5])
def test_a_tool_without_a_name_is_refused(name: Any) -> None:
    assert "tools must be" in refusal(
        tools=[{"type": "function", "function": {"name": name}}]
    )
