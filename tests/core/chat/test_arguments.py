"""The constructor of a chat model, without a framework around it."""

import warnings
from typing import Any, Final

import pytest

from modelstudio_core.chat import arguments as chat_arguments
from modelstudio_core.chat.arguments import ChatArguments, resolve_chat
from modelstudio_core.chat.options import ChatOptionArguments
from modelstudio_core.connection_arguments import ConnectionArguments
from modelstudio_core.errors import ConfigurationError, ModelDeprecationWarning
from tests.core.support import HI, KEY, UNKNOWN_MODEL, error_message, tool

REQUIRED: Final[dict[str, Any]] = {"model": "qwen-max", "api_key": KEY}


class Chat(ChatArguments):
    """A chat model of no framework."""


def make_chat(**arguments: Any) -> Chat:
    """Make a chat model with a key."""
    return Chat(**REQUIRED | arguments)


# --- Resolving ----------------------------------------------------------------------


def test_the_defaults() -> None:
    resolved = resolve_chat(REQUIRED)
    assert resolved.model.profile.id == "qwen-max"
    assert resolved.connection.protocol == "openai"
    assert resolved.connection.endpoint.region == "ap-southeast-1"
    assert resolved.deprecated_models == "replace"
    assert resolved.replacements is None
    assert resolved.plan(stream=False).parameters() == {}


def test_none_means_the_default() -> None:
    names = {*ChatOptionArguments.model_fields, "deprecated_models", "replacements"}
    assert resolve_chat({**dict.fromkeys(names), **REQUIRED}) == resolve_chat(REQUIRED)


@pytest.mark.parametrize("arguments", [{}, {"model": None}])
def test_a_missing_model(arguments: dict[str, Any]) -> None:
    message = error_message(resolve_chat, {"api_key": KEY, **arguments})
    assert message.startswith("model is missing: pass a model id")


@pytest.mark.parametrize("model", ["", 5, b"qwen-max", ["qwen-max"]])
def test_a_model_that_is_no_id(model: object) -> None:
    message = error_message(resolve_chat, {"api_key": KEY, "model": model})
    assert message == f"model must be a model's id, got {model!r}."


def test_options_are_copied() -> None:
    extra_body: dict[str, Any] = {"a": []}
    replacements = {"deepseek-r1": "qwen3.7-flash"}
    resolved = resolve_chat(
        {**REQUIRED, "extra_body": extra_body, "replacements": replacements}
    )
    extra_body["a"].append(1)
    replacements.clear()
    assert resolved.options.extra_body == {"a": []}
    assert resolved.replacements == {"deepseek-r1": "qwen3.7-flash"}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"temperature": 3}, "temperature must be in [0, 2), got 3."),
        ({"model": "deepseek-v4-pro", "temperature": 3}, "temperature"),
        ({"enable_thinking": True}, "qwen-max does not support thinking"),
        ({"model": "qwen-plus-us"}, "runs in mode 'us'"),
        ({"model": "deepseek-r1", "deprecated_models": "error"}, "was delisted"),
        ({"deprecated_models": "replce"}, "'replace'"),
        ({"replacements": ["deepseek-r1"]}, "replacements must be a dict"),
        ({"protocol": "grpc"}, "protocol must be 'openai'"),
        ({"region": "singapor"}, "ap-southeast-1 (singapore)"),
        ({"search_options": {"enable_source": True}}, "protocol='dashscope'"),
    ],
)
def test_invalid_arguments_are_refused_by_the_constructor(
    arguments: dict[str, Any], part: str
) -> None:
    assert part in error_message(resolve_chat, {**REQUIRED, **arguments})


def test_what_only_a_stream_refuses_is_not_refused_by_the_constructor() -> None:
    resolved = resolve_chat({**REQUIRED, "n": 2})
    assert resolved.plan(stream=False).options.n == 2
    assert "n=2" in error_message(resolved.plan, stream=True)


def test_the_native_protocol_needs_its_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_arguments, "HAS_DASHSCOPE", False)
    assert resolve_chat(REQUIRED).connection.protocol == "openai"
    message = error_message(resolve_chat, {**REQUIRED, "protocol": "dashscope"})
    assert 'pip install "modelstudio-integrations[dashscope]"' in message


def test_the_model_chooses_the_mode_in_virginia() -> None:
    resolved = resolve_chat({**REQUIRED, "model": "qwen-plus-us", "region": "us"})
    assert resolved.connection.endpoint.mode == "us"


# --- The constructor ----------------------------------------------------------------


def test_every_field_but_the_resolved_model_is_an_argument() -> None:
    assert ChatArguments.argument_names == {
        *ConnectionArguments.model_fields,
        *ChatOptionArguments.model_fields,
        "model",
        "batch_chat",
        "deprecated_models",
        "replacements",
    }
    assert set(ChatArguments.model_fields) - ChatArguments.argument_names == {
        "resolved_model"
    }


def test_resolved() -> None:
    chat = make_chat(temperature=0.5)
    assert chat.resolved.options.temperature == 0.5
    assert chat.resolved.connection.api_key == KEY
    assert chat.resolved is chat.resolved
    assert chat.resolved_model == "qwen-max"


def test_a_delisted_model_warns_once() -> None:
    with pytest.warns(ModelDeprecationWarning, match="qwen3.7-max is used") as caught:
        chat = make_chat(model="deepseek-r1")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert (chat.model, chat.resolved_model) == ("deepseek-r1", "qwen3.7-max")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Chat(model="deepseek-r1", api_key=KEY, resolved_model="qwen3.7-max")


def test_an_option_can_be_assigned() -> None:
    chat = make_chat(temperature=0.5)
    chat.temperature = 0.1
    assert chat.resolved.options.temperature == 0.1
    with pytest.raises(ConfigurationError, match="temperature must be"):
        chat.temperature = 2
    assert (chat.temperature, chat.resolved.options.temperature) == (0.1, 0.1)


@pytest.mark.parametrize("name", ["tools", "tool_choice"])
def test_tools_are_no_arguments_of_the_constructor(name: str) -> None:
    message = error_message(make_chat, **{name: [tool("weather")]})
    assert message.startswith(f"Unknown argument '{name}' of Chat.")


# --- Calls --------------------------------------------------------------------------


def test_a_call_has_the_options_of_the_constructor() -> None:
    call = make_chat(temperature=0.5)._prepare_call(HI, {"seed": 7}, stream=False)
    body = call.request.json
    assert body is not None
    assert (body["temperature"], body["seed"], body["messages"]) == (0.5, 7, HI)


@pytest.mark.parametrize("include_usage", [True, False])
def test_a_call_with_and_without_usage(include_usage: bool) -> None:
    call = make_chat()._prepare_call(HI, {}, stream=True, include_usage=include_usage)
    assert call.request.json is not None
    assert ("stream_options" in call.request.json) is include_usage


def test_a_stream_has_usage_by_default() -> None:
    call = make_chat()._prepare_call(HI, {}, stream=True)
    assert call.request.json is not None
    assert call.request.json["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    "name", sorted(set(ConnectionArguments.model_fields) - {"total_timeout"})
)
def test_connection_arguments_are_no_arguments_of_a_call(name: str) -> None:
    message = error_message(make_chat()._prepare_call, HI, {name: None}, stream=False)
    assert message == (
        f"{name} is an argument of the constructor, not of a call: pass it to the"
        " constructor."
    )


def test_a_call_has_a_time_limit_of_its_own() -> None:
    chat = make_chat(total_timeout=60)
    assert chat._prepare_call(HI, {}, stream=False).connection.total_timeout == 60
    for seconds in (5, None):
        call = chat._prepare_call(HI, {"total_timeout": seconds}, stream=True)
        assert call.connection.total_timeout == seconds
        assert call.connection == chat.resolved.connection
    assert chat.resolved.connection.total_timeout == 60
    for wrong in (0, -1, "soon", True, 10**9):
        arguments = {"total_timeout": wrong}
        message = error_message(chat._prepare_call, HI, arguments, stream=False)
        assert message.startswith("total_timeout must be a number of seconds")


def test_the_error_for_an_unknown_argument_of_a_call_suggests_the_nearest() -> None:
    chat = make_chat(model=UNKNOWN_MODEL)
    message = error_message(chat._prepare_call, HI, {"temprature": 1}, stream=False)
    assert message == (
        "Unknown argument 'temprature'. Did you mean 'temperature'? Parameters that"
        " have no argument go into extra_body."
    )
