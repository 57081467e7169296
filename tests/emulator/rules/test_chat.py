"""Rules for the parameters of a chat request."""

from typing import Any

import pytest

from modelstudio_core.errors import NotFoundError
from tests.emulator.helpers import OpenAIClient
from tests.support.calls import CALL_STYLES, call
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model

ALGO = "<400> InternalError.Algo.InvalidParameter: "
JSON_OBJECT = {"response_format": {"type": "json_object"}}
NAMED_TOOL = {"type": "function", "function": {"name": "get_weather"}}

# --- The model --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "bad model",
        "deepseek-v3.2",
        "deepseek-r1",
        "qwen3.7-plsu",
        "qwen3.7-pluss",
        "qwen3.7-plus-",
        "qwen3.7-plus-2026-1-1",
        "qwen3.7-plsu-2026-01-01",
        "deepseek-v5",
        "deepseek-v5-latest",
    ],
)
def test_unknown_and_delisted_models_are_not_found(
    client: OpenAIClient, name: str
) -> None:
    response = client.send(model=name, stream=True)
    assert response.status_code == 404
    assert response.json() == {
        "error": {
            "message": f"The model `{name}` does not exist or you do not have access"
            " to it.",
            "type": "invalid_request_error",
            "param": None,
            "code": "model_not_found",
        },
        "request_id": response.headers["x-request-id"],
    }


@pytest.mark.parametrize(
    "name",
    [
        "qwen3.7-plus",
        "qwen3.7-plus-us",
        "qwen3.7-plus-2031-01-01",
        "qwen3.7-plus-2031-01-01-us",
        "qwen-plus-latest",
        "qwen-plus-0131",
        "qwen-plus-310131",
    ],
)
def test_a_snapshot_of_a_model_of_the_catalog_answers(
    client: OpenAIClient, name: str
) -> None:
    assert client.message(model=name)["content"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_a_misspelt_model_is_a_404_that_names_the_nearest(
    framework: Framework, protocol: Protocol, client: OpenAIClient
) -> None:
    llm = model(framework, client.studio, protocol, model="qwen3.7-plsu")
    for style in [style for style in CALL_STYLES if style.framework == framework]:
        with pytest.raises(NotFoundError, match=r"is 'qwen3\.7-plus'") as caught:
            await call(llm, style, "Hi")
        assert caught.value.status_code == 404


def test_an_image_model_is_not_supported(client: OpenAIClient) -> None:
    response = client.send(model="wan2.6-t2i")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_supported"


# --- Numbers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -0.1}, "Temperature should be in [0.0, 2.0)"),
        ({"temperature": "warm"}, "Temperature should be in [0.0, 2.0)"),
        ({"top_p": 0}, "Range of top_p should be (0.0, 1.0]"),
        ({"top_k": -1}, "Parameter top_k be greater than or equal to 0"),
        ({"repetition_penalty": 0}, "Repetition_penalty should be greater than 0.0"),
        ({"presence_penalty": 2.5}, "Presence_penalty should be in [-2.0, 2.0]"),
        ({"n": 5}, "Range of n should be [1, 4]"),
        ({"n": True}, "Range of n should be [1, 4]"),
        ({"max_tokens": 0}, "Range of max_tokens should be [1, 131072]"),
        ({"max_tokens": 131_073}, "Range of max_tokens should be [1, 131072]"),
        ({"seed": 2**63}, f"Range of seed should be [0, {2**63 - 1}]"),
        (
            {"thinking_budget": 0},
            (
                "The thinking_budget parameter must be a positive integer and not"
                " greater than 262144"
            ),
        ),
        (
            {"model": "qwen3.8-max", "reasoning_effort": "hard"},
            (
                "'reasoning_effort' must be one of: 'none', 'minimal', 'low', 'medium',"
                " 'high', 'xhigh', 'max'"
            ),
        ),
        (
            {"model": "qwen3.8-max", "reasoning_effort": "low", "thinking_budget": 9},
            "'reasoning_effort' and 'thinking_budget' cannot be set simultaneously",
        ),
        (
            {"model": "deepseek-v4-pro", "top_k": 5},
            (
                "The parameter top_k cannot be set for the model deepseek-v4-pro"
                " (emulator)."
            ),
        ),
        (
            {"model": "qwen3-coder-plus", "enable_search": True},
            "This model does not support enable_search.",
        ),
        (
            {"model": "qwen-long", "tools": [NAMED_TOOL]},
            "The tool call is not supported.",
        ),
    ],
)
def test_invalid_parameters_are_refused(
    client: OpenAIClient, options: dict[str, Any], message: str
) -> None:
    assert client.error(**options) == (400, ALGO + message)


def test_a_negative_seed_is_refused_by_the_gateway(client: OpenAIClient) -> None:
    response = client.send(seed=-1)
    assert response.json()["error"]["code"] == "invalid_value"
    assert (
        response.json()["error"]["message"]
        == "-1 is lesser than the minimum of 0 - 'seed'"
    )


def test_a_prompt_longer_than_the_context_window_is_refused(
    client: OpenAIClient,
) -> None:
    status, message = client.error("a " * 70_000, model="qwen3-omni-flash", stream=True)
    assert (status, message) == (
        400,
        f"{ALGO}Range of input length should be [1, 65536]",
    )


# --- Thinking ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("deepseek-v4-pro", True),
        ("qwen3.7-max", True),
        ("qwen-plus", False),
        ("qwen-max", False),
        ("glm-5.3", True),
        ("kimi-k2.6", False),
    ],
)
def test_the_default_of_thinking_is_the_catalogs(
    client: OpenAIClient, model: str, thinks: bool
) -> None:
    message = client.message(model=model, enable_thinking=None)
    assert ("reasoning_content" in message) is thinks


def test_a_reasoning_effort_can_disable_thinking(client: OpenAIClient) -> None:
    message = client.message(
        model="qwen3.8-max", enable_thinking=None, reasoning_effort="none"
    )
    assert "reasoning_content" not in message


def test_thinking_that_cannot_be_changed_is_refused(client: OpenAIClient) -> None:
    assert client.error(model="qwen-max", enable_thinking=True) == (
        400,
        "The model qwen-max does not support enable_thinking.",
    )
    assert client.error(model="glm-5.3", enable_thinking=False) == (
        400,
        "The value of the enable_thinking parameter is restricted to True.",
    )
    assert "reasoning_content" not in client.message(model="qwen-max")
    assert client.message(model="glm-5.3", enable_thinking=True)["reasoning_content"]


def test_models_that_think_only_in_streams_refuse_other_requests(
    client: OpenAIClient,
) -> None:
    status, message = client.error(model="qwen3-32b", enable_thinking=True)
    assert (status, message) == (
        400,
        "parameter.enable_thinking must be set to false for non-streaming calls",
    )
    status, message = client.error(model="qwq-plus", enable_thinking=None)
    assert message.startswith("This model only support stream mode")
    assert client.chunks(model="qwen3-32b", enable_thinking=True)


# --- Tools and response format ----------------------------------------------------


@pytest.mark.parametrize("choice", ["required", NAMED_TOOL])
@pytest.mark.parametrize("stream", [False, True])
def test_a_forced_tool_while_thinking_is_refused(
    client: OpenAIClient, weather_tool: dict[str, Any], choice: object, stream: bool
) -> None:
    error = client.error(
        model="deepseek-v4-pro",
        enable_thinking=None,
        tools=[weather_tool],
        tool_choice=choice,
        stream=stream,
    )
    assert error == (
        400,
        (
            f"{ALGO}The tool_choice parameter does not support being set to required or"
            " object in thinking mode"
        ),
    )


def test_an_unsupported_tool_choice_is_refused(
    client: OpenAIClient, weather_tool: dict[str, Any]
) -> None:
    text = f'{ALGO}tool_choice is one of the strings that should be ["none","auto"]'
    for choice in ("required", "any"):
        assert client.error(tools=[weather_tool], tool_choice=choice) == (400, text)
    message = client.message(
        model="qwen3-vl-plus", tools=[weather_tool], tool_choice="required"
    )
    assert message["tool_calls"]


def test_invalid_tools_are_refused(
    client: OpenAIClient, weather_tool: dict[str, Any]
) -> None:
    for name in ("get weather", "x" * 65):
        tool = {"type": "function", "function": {"name": name}}
        assert client.error(tools=[tool])[0] == 400
    assert client.error(tools=[weather_tool], n=2)[0] == 400
    other = {"type": "function", "function": {"name": "other"}}
    assert client.error(tools=[weather_tool], tool_choice=other)[0] == 400


def test_a_tool_may_be_named_search(client: OpenAIClient) -> None:
    """Recorded: qwen-plus answers; the error-code page says that none may."""
    search = {"type": "function", "function": {"name": "search"}}
    message = client.message("Search for Oslo.", tools=[search], model="qwen-plus")
    assert message["tool_calls"][0]["function"]["name"] == "search"


def test_json_mode_needs_the_word_json_in_the_messages(client: OpenAIClient) -> None:
    assert client.error("Who?", **JSON_OBJECT) == (
        400,
        (
            f"{ALGO}'messages' must contain the word 'json' in some form, to use"
            " 'response_format' of type 'json_object'."
        ),
    )


def test_json_while_thinking_is_as_the_catalog_says(client: OpenAIClient) -> None:
    thinking = {"enable_thinking": True, **JSON_OBJECT}
    assert client.error("JSON, please.", model="qwen-plus", **thinking) == (
        400,
        f"{ALGO}Json mode response is not supported when enable_thinking is true",
    )
    assert client.message("JSON, please.", model="qwen3.8-max", **thinking)["content"]
    assert client.message("JSON, please.", model="deepseek-v4-pro", **thinking)
    assert client.error("JSON.", model="deepseek-v3.2", **JSON_OBJECT)[0] == 404
    assert client.error("JSON.", model="MiniMax-M2.5", **JSON_OBJECT)[0] == 400
