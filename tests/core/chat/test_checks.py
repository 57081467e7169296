"""Options that a model does not accept are refused before anything is sent."""

from typing import Any

import pytest

from modelstudio_core.catalog import model_ids
from modelstudio_core.chat.checks import check_budget, check_options, resolve_effort
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.endpoints import Protocol
from tests.core.catalog.entries import chat_profile
from tests.core.support import UNKNOWN_MODEL, error_message, make_plan, plan_error, tool
from tests.support.models import PROTOCOLS

VALUES: dict[str, Any] = {
    "temperature": 0.6,
    "top_p": 0.95,
    "top_k": 10,
    "repetition_penalty": 1.0,
    "presence_penalty": 1,
    "max_tokens": 100,
    "thinking_budget": 100,
    "preserve_thinking": True,
    "enable_search": True,
    "search_options": {"forced_search": True},
    "seed": 1,
    "logprobs": True,
    "top_logprobs": 1,
    "n": 1,
}
SAMPLING = [
    *("temperature", "top_p", "top_k", "repetition_penalty"),
    *("presence_penalty", "max_tokens", "thinking_budget"),
]
REFUSED = [
    (model, name)
    for model in model_ids()
    for name in sorted(chat_profile(model).refused)
]


@pytest.mark.parametrize("key", ["model", "messages", "input", "parameters"])
def test_extra_body_cannot_have_keys_that_the_call_sets(key: str) -> None:
    message = plan_error(extra_body={key: "x", "fine": 1})
    assert "extra_body" in message
    assert key in message
    assert "fine" not in message


# --- Parameters that a model refuses ----------------------------------------------


@pytest.mark.parametrize(("model", "name"), REFUSED)
def test_a_parameter_that_the_model_refuses(model: str, name: str) -> None:
    message = plan_error(model, **{name: VALUES[name]})
    assert message.startswith(f"{name} cannot be set for {model}")


def test_the_error_lists_the_parameters_that_can_be_set() -> None:
    assert plan_error("deepseek-v3.2", presence_penalty=1) == (
        "presence_penalty cannot be set for deepseek-v3.2. It takes:"
        " temperature, top_p, max_tokens, max_completion_tokens, thinking_budget,"
        " stop, seed."
    )
    assert plan_error("deepseek-r1", temperature=0.6) == (
        "temperature cannot be set for deepseek-r1. It takes:"
        " max_completion_tokens, stop, seed."
    )


@pytest.mark.parametrize("model", ["deepseek-r1", "deepseek-r1-distill-qwen-7b"])
@pytest.mark.parametrize("name", SAMPLING)
def test_r1_and_the_distilled_models_refuse_every_sampling_parameter(
    model: str, name: str
) -> None:
    assert f"{name} cannot be set for {model}" in plan_error(
        model, **{name: VALUES[name]}
    )


def test_options_are_checked_against_the_replacement_of_a_delisted_model() -> None:
    plan = make_plan("deepseek-r1", deprecated_models="replace", temperature=0.5)
    assert plan.model.profile.id == "qwen3.7-max"
    assert plan.options.temperature == 0.5


@pytest.mark.parametrize("name", VALUES)
def test_an_unknown_model_accepts_every_parameter(name: str) -> None:
    value = VALUES[name]
    plan = make_plan(UNKNOWN_MODEL, **{name: value})
    assert getattr(plan.options, name) == value


def test_an_image_model_is_refused() -> None:
    message = plan_error("wan2.6-t2i")
    assert "wan2.6-t2i" in message
    assert "qwen3.7-plus" in message


def test_sources_of_a_search_need_the_native_protocol() -> None:
    options = {"search_options": {"enable_source": True}, "enable_search": True}
    message = plan_error(**options)
    assert "enable_source" in message
    assert "protocol='dashscope'" in message


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "extra_body",
    [
        {"search_options": {"enable_source": True}, "enable_search": True},
        {"search_options": {"forced_search": True}},
        {"search_options": {"forced_search": True}, "enable_search": False},
    ],
)
def test_search_options_in_the_extra_body_are_sent_as_they_are(
    protocol: Protocol, extra_body: dict[str, Any]
) -> None:
    assert make_plan(protocol=protocol, extra_body=extra_body).notices == ()


@pytest.mark.parametrize(
    ("protocol", "search_options"),
    [("openai", {"enable_source": False}), ("dashscope", {"enable_source": True})],
)
def test_search_options_that_can_be_sent(
    protocol: Protocol, search_options: dict[str, Any]
) -> None:
    for switch in ({"enable_search": True}, {"extra_body": {"enable_search": True}}):
        given: dict[str, Any] = {"search_options": search_options, **switch}
        plan = make_plan(protocol=protocol, **given)
        assert plan.options.search_options == search_options
        assert plan.notices == ()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "options",
    [
        {"search_options": {"forced_search": True}},
        {"search_options": {"forced_search": True}, "enable_search": False},
    ],
)
def test_search_options_need_the_web_search(
    protocol: Protocol, options: dict[str, Any]
) -> None:
    message = plan_error(protocol=protocol, **options)
    assert "pass enable_search=True, or remove search_options=" in message
    notices = make_plan(UNKNOWN_MODEL, protocol=protocol, **options).notices
    assert "no effect without the web search" in str(notices)
    assert make_plan(protocol=protocol, search_options={}).notices == ()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_unknown_search_option_is_a_warning_that_names_the_nearest(
    protocol: Protocol,
) -> None:
    options = {"enable_sourc": True, "search_strategy": "max"}
    for given in (
        {"search_options": options},
        {"extra_body": {"search_options": options}},
    ):
        values: dict[str, Any] = given
        (notice,) = make_plan(protocol=protocol, enable_search=True, **values).notices
        assert notice == (
            "search_options has 'enable_sourc', which is not documented. Did you mean"
            " 'enable_source'? It is sent nevertheless."
        )


def test_several_answers_cannot_be_combined_with_tools() -> None:
    assert make_plan(n=1, tools=[tool("weather")]).options.n == 1
    several: dict[str, Any]
    for several in ({"n": 2}, {"extra_body": {"n": 2}}):
        message = plan_error(tools=[tool("weather")], **several)
        assert "n=2" in message
        assert "tools" in message


# --- Thinking ---------------------------------------------------------------------


@pytest.mark.parametrize("model", ["qwq-plus", "deepseek-r1", "glm-5.3"])
def test_a_thinking_only_model_cannot_disable_thinking(model: str) -> None:
    message = plan_error(model, enable_thinking=False)
    assert model in message
    assert "enable_thinking=False" in message


@pytest.mark.parametrize("model", ["qwen-max", "deepseek-v3"])
def test_a_model_that_never_thinks_cannot_enable_thinking(model: str) -> None:
    message = plan_error(model, enable_thinking=True)
    assert model in message
    assert "enable_thinking=True" in message


# --- Budget and effort ------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "limit"),
    [("qwen3.7-plus", 262_144), ("qwen3.6-flash", 131_072), ("deepseek-v3.2", 32_768)],
)
def test_a_budget_above_the_models_limit_is_refused(model: str, limit: int) -> None:
    plan = make_plan(model, thinking_budget=limit, enable_thinking=True)
    assert plan.options.thinking_budget == limit
    message = plan_error(model, thinking_budget=limit + 1, enable_thinking=True)
    assert "thinking_budget" in message
    assert str(limit) in message
    assert model in message


@pytest.mark.parametrize(
    "model",
    ["deepseek-v4-pro", "deepseek-v4-flash-us", "deepseek-v4-pro-0813"],
)
def test_the_error_for_a_budget_of_deepseek_v4_suggests_the_effort(model: str) -> None:
    message = plan_error(model, thinking_budget=1000)
    assert model in message
    assert "reasoning_effort" in message


@pytest.mark.parametrize("model", ["qwen-max", "deepseek-v3"])
def test_a_budget_for_a_model_that_never_thinks_is_refused(model: str) -> None:
    assert model in plan_error(model, thinking_budget=1000)


def test_budget_and_effort_exclude_each_other_on_qwen38() -> None:
    message = plan_error("qwen3.8-max", thinking_budget=1000, reasoning_effort="low")
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
        (UNKNOWN_MODEL, "low", "low"),
        (UNKNOWN_MODEL, "anything", "anything"),
    ],
)
def test_an_effort_is_sent_in_the_terms_of_the_model(
    model: str, given: str | None, sent: str | None
) -> None:
    assert make_plan(model, reasoning_effort=given).options.reasoning_effort == sent


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
def test_the_error_for_an_unknown_effort_lists_the_nearest_first(
    model: str, effort: str, nearest: str
) -> None:
    message = plan_error(model, reasoning_effort=effort)
    assert message.startswith(f"Unknown reasoning_effort {effort!r} for {model}")
    listed = message.rstrip(".").rpartition("takes ")[2].split(", ")
    assert sorted(listed) == sorted(chat_profile(model).efforts)
    assert listed[0].startswith(nearest)


def test_an_effort_that_is_not_a_string_is_refused() -> None:
    assert "reasoning_effort" in plan_error(
        "deepseek-v4-pro", reasoning_effort=["high"]
    )


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        ("qwen3.7-plus", "Use thinking_budget"),
        ("deepseek-v3.2", "Use thinking_budget"),
        ("deepseek-r1", "Remove it"),
        ("qwen-max", "Remove it"),
    ],
)
def test_an_effort_for_a_model_without_efforts_is_refused(
    model: str, advice: str
) -> None:
    message = plan_error(model, reasoning_effort="high")
    assert f"reasoning_effort cannot be set for {model}" in message
    assert advice in message


@pytest.mark.parametrize(
    "model", ["deepseek-v4-pro", "glm-5.2", "qwen3.8-max", UNKNOWN_MODEL]
)
def test_an_effort_without_thinking_is_refused(model: str) -> None:
    message = plan_error(model, reasoning_effort="high", enable_thinking=False)
    assert "reasoning_effort='high'" in message
    assert model in message


def test_effort_none_disables_thinking_of_qwen38() -> None:
    plan = make_plan("qwen3.8-max", reasoning_effort="none")
    assert plan.thinking is False
    assert plan.options.reasoning_effort is None


def test_effort_none_can_be_combined_with_disabled_thinking() -> None:
    plan = make_plan("qwen3.8-max", reasoning_effort="none", enable_thinking=False)
    assert plan.thinking is False


def test_effort_none_contradicts_enabled_thinking() -> None:
    message = plan_error("qwen3.8-max", reasoning_effort="none", enable_thinking=True)
    assert "reasoning_effort='none'" in message
    assert "enable_thinking=True" in message


@pytest.mark.parametrize("model", ["qwen3.7-plus", UNKNOWN_MODEL])
def test_a_budget_without_thinking_is_refused(model: str) -> None:
    message = plan_error(model, thinking_budget=100, enable_thinking=False)
    assert message == (
        f"thinking_budget=100 has no effect while {model} does not think: pass"
        " enable_thinking=True, or remove thinking_budget=."
    )


def test_a_budget_is_accepted_if_it_is_not_known_whether_the_model_thinks() -> None:
    options = ChatOptions(thinking_budget=100)
    check_budget(options, chat_profile(UNKNOWN_MODEL), thinks=None)
    message = error_message(
        check_budget, options, chat_profile(UNKNOWN_MODEL), thinks=False
    )
    assert message.startswith("thinking_budget=100 has no effect")


def test_an_effort_is_not_refused_if_it_is_not_known_whether_the_model_thinks() -> None:
    options = ChatOptions(reasoning_effort="high")
    profile = chat_profile("deepseek-v4-pro")
    assert resolve_effort(options, profile, thinks=None) == "high"


# --- Values -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "nearest"), [("json", "json_object"), ("schema", "json_schema")]
)
def test_the_error_for_a_response_format_suggests_the_nearest(
    type_: str, nearest: str
) -> None:
    message = plan_error(response_format={"type": type_})
    assert message == (
        f"Unknown response_format type {type_!r}. Did you mean {nearest!r}?"
    )


def test_values_are_checked_before_anything_else() -> None:
    options = ChatOptions(temperature=2, presence_penalty=1)
    message = error_message(
        check_options, options, chat_profile("deepseek-v3.2"), "openai"
    )
    assert message == "temperature must be in [0, 2), got 2."
