"""What a constructor resolves to, and what a call makes of it."""

from dataclasses import replace
from typing import Any

from modelstudio_core.catalog import resolve_deprecated
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.resolved import ResolvedChat
from tests.core.support import KEY, error_message, make_connection


def make_chat(model: str = "qwen3.7-plus", **options: Any) -> ResolvedChat:
    """Return the resolved arguments of a chat model in Virginia."""
    return ResolvedChat(
        connection=make_connection(base_url=None, region="us"),
        model=resolve_deprecated(model),
        options=ChatOptions(**options),
        deprecated_models="error",
        replacements={"deepseek-r1": "qwen3.7-flash"},
    )


def test_a_plan_is_kept_for_each_way_to_call() -> None:
    chat = make_chat(temperature=0.5)
    assert chat.plan(stream=False) is chat.plan(stream=False)
    assert chat.plan(stream=True) is chat.plan(stream=True)
    assert [chat.plan(stream=stream).stream for stream in (False, True)] == [
        False,
        True,
    ]
    assert chat.plan(stream=True).options.temperature == 0.5


def test_the_plan_of_the_native_protocol_accepts_its_options() -> None:
    chat = make_chat(enable_search=True, search_options={"enable_source": True})
    assert "enable_source" in error_message(chat.plan, stream=False)
    native = replace(chat, connection=make_connection(protocol="dashscope"))
    assert native.plan(stream=False).options == chat.options


def test_another_model_is_resolved_as_in_the_constructor() -> None:
    chat = make_chat()
    other = chat.with_model("qwen3.6-plus")
    assert other.model.profile.id == "qwen3.6-plus"
    assert (other.connection, other.options) == (chat.connection, chat.options)
    assert "was delisted" in error_message(chat.with_model, "deepseek-r1")
    assert "runs in mode 'us'" in error_message(chat.with_model, "qwen-plus-us")
    replaced = chat.with_model("deepseek-r1", "replace")
    assert replaced.model.profile.id == "qwen3.7-flash"
    replaced = chat.with_model("deepseek-r1", "replace", {})
    assert replaced.model.profile.id == "qwen3.7-max"


def test_a_policy_alone_resolves_the_same_model_again() -> None:
    chat = replace(make_chat("deepseek-r1"), replacements=None)
    assert chat.model.profile.id == "qwen3.7-max"
    assert chat.with_model(deprecated_models="keep").model.profile.id == "deepseek-r1"


def test_arguments_of_a_call() -> None:
    chat = make_chat(temperature=0.5)
    called = chat.with_call({"model": "qwen3.6-plus", "top_p": 0.9, "seed": None})
    assert called.model.profile.id == "qwen3.6-plus"
    assert called.options == ChatOptions(temperature=0.5, top_p=0.9)
    assert chat.with_call({"model": None, "seed": 7}).model is chat.model
    assert chat.plan(stream=False) is not called.plan(stream=False)


def test_the_context_suggests_a_model_that_the_region_serves() -> None:
    context = make_chat("qwen3.7-pluss").context
    assert (context.region, context.protocol) == ("us-east-1", "openai")
    assert context.secrets == (KEY,)
    assert context.suggest_model is not None
    assert context.suggest_model() == (
        "The requested model is 'qwen3.7-pluss'. The nearest known model in region"
        " us-east-1 is 'qwen3.7-plus'."
    )


def test_the_context_offers_nothing_for_a_model_of_another_vendor() -> None:
    context = make_chat("gpt-4o").context
    assert context.suggest_model is not None
    assert context.suggest_model() == (
        "The requested model is 'gpt-4o'. The command modelstudio models lists the"
        " known models."
    )


def test_the_context_of_a_custom_base_url_names_no_region() -> None:
    chat = replace(make_chat("qwen3.7-pluss"), connection=make_connection())
    assert chat.context.suggest_model is not None
    assert "The nearest known model is 'qwen3.7-plus'." in chat.context.suggest_model()
