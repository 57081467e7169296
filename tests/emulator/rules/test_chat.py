"""What is refused, and in which words."""

from typing import Any

import pytest

from tests.emulator.client import Client, events

ALGO = "<400> InternalError.Algo.InvalidParameter: "
JSON_OBJECT = {"response_format": {"type": "json_object"}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}


def test_a_missing_key_is_refused_by_the_gateway(client: Client) -> None:
    response = client.http.post(client.url, json={})
    body = response.json()
    assert response.status_code == 401
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["error"].pop("message").startswith("You didn't provide an API key. ")
    assert body["error"] == {
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    assert "id" not in body


@pytest.mark.parametrize("stream", [False, True])
def test_another_key_is_refused_by_the_gateway(older: Client, stream: bool) -> None:
    """Recorded as JSON for streams too, in both generations."""
    headers = {"authorization": "Bearer sk-another"}
    response = older.http.post(older.url, json={"stream": stream}, headers=headers)
    assert response.status_code == 401
    assert response.json() == {
        "error": {
            "message": "Incorrect API key provided. For details, see:"
            " https://www.alibabacloud.com/help/en/model-studio/error-code#apikey-error",
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_api_key",
        },
        "request_id": response.headers["x-request-id"],
    }


@pytest.mark.parametrize("model", ["bad model", "deepseek-v3.2", "deepseek-r1"])
def test_models_that_are_not_there_are_not_found(client: Client, model: str) -> None:
    response = client.ask(model=model, stream=True)
    assert response.status_code == 404
    assert response.json() == {
        "error": {
            "message": f"The model `{model}` does not exist or you do not have access"
            " to it.",
            "type": "invalid_request_error",
            "param": None,
            "code": "model_not_found",
        },
        "request_id": response.headers["x-request-id"],
    }


def test_a_model_that_does_not_chat_is_not_supported(client: Client) -> None:
    response = client.ask(model="wan2.6-t2i")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_supported"


def test_a_models_refusal_carries_both_ids(client: Client) -> None:
    response = client.ask(temperature=2.0, stream=True)
    request_id = response.headers["x-request-id"]
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "error": {
            "message": f"{ALGO}Temperature should be in [0.0, 2.0)",
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_parameter_error",
        },
        "id": f"chatcmpl-{request_id}",
        "request_id": request_id,
    }


def test_the_older_generation_refuses_streams_inside_of_them(older: Client) -> None:
    response = older.ask(temperature=2.0, stream=True)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream;charset=utf-8"
    (event,) = events(response.text)
    assert event.startswith('{"error":{"message":"<400> InternalError.Algo.')
    assert event.endswith(f'"id":"chatcmpl-{response.headers["x-request-id"]}"}}')
    assert older.refusal(temperature=2.0)[0] == 400


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
            {"model": "qwen-long", "tools": [{"type": "function"}]},
            "The tool call is not supported.",
        ),
    ],
)
def test_parameters_are_refused(
    client: Client, options: dict[str, Any], message: str
) -> None:
    assert client.refusal(**options) == (400, ALGO + message)


def test_a_negative_seed_is_refused_by_the_schema(client: Client) -> None:
    response = client.ask(seed=-1)
    assert response.json()["error"]["code"] == "invalid_value"
    assert (
        response.json()["error"]["message"]
        == "-1 is lesser than the minimum of 0 - 'seed'"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": []}, "you must provide a model parameter."),
        ({"model": "qwen-plus", "messages": []}, "[] is too short - 'messages'"),
        (
            {"model": "qwen-plus", "messages": "Hi"},
            "messages must be an array of objects - 'messages'",
        ),
        ([], "We could not parse the JSON body of your request."),
        (
            {"model": "qwen-plus", "messages": [{"role": "developer"}]},
            (
                "developer is not one of ['system', 'assistant', 'user', 'tool'] -"
                " 'messages.role'"
            ),
        ),
    ],
)
def test_broken_bodies_are_refused(client: Client, body: object, message: str) -> None:
    response = client.post(body)
    assert response.status_code == 400
    assert response.json()["error"]["message"] == message


def test_a_prompt_longer_than_the_window_is_refused(client: Client) -> None:
    status, message = client.refusal(
        "a " * 70_000, model="qwen3-omni-flash", stream=True
    )
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
def test_thinking_begins_as_the_catalog_says(
    client: Client, model: str, thinks: bool
) -> None:
    message = client.say(model=model, enable_thinking=None)
    assert ("reasoning_content" in message) is thinks


def test_an_effort_can_switch_thinking_off(client: Client) -> None:
    message = client.say(
        model="qwen3.8-max", enable_thinking=None, reasoning_effort="none"
    )
    assert "reasoning_content" not in message


def test_thinking_that_cannot_be_switched_is_refused(client: Client) -> None:
    assert client.refusal(model="qwen-max", enable_thinking=True) == (
        400,
        "The model qwen-max does not support enable_thinking.",
    )
    assert client.refusal(model="glm-5.3", enable_thinking=False) == (
        400,
        "The value of the enable_thinking parameter is restricted to True.",
    )
    assert "reasoning_content" not in client.say(model="qwen-max")
    assert client.say(model="glm-5.3", enable_thinking=True)["reasoning_content"]


def test_models_that_think_only_in_streams_say_so(client: Client) -> None:
    status, message = client.refusal(model="qwen3-32b", enable_thinking=True)
    assert (status, message) == (
        400,
        "parameter.enable_thinking must be set to false for non-streaming calls",
    )
    status, message = client.refusal(model="qwq-plus", enable_thinking=None)
    assert message.startswith("This model only support stream mode")
    assert client.chunks(model="qwen3-32b", enable_thinking=True)


# --- Tools and the form of the answer ----------------------------------------------


@pytest.mark.parametrize("choice", ["required", NAMED])
@pytest.mark.parametrize("stream", [False, True])
def test_a_forced_tool_while_thinking_is_refused(
    client: Client, weather: dict[str, Any], choice: object, stream: bool
) -> None:
    refused = client.refusal(
        model="deepseek-v4-pro",
        enable_thinking=None,
        tools=[weather],
        tool_choice=choice,
        stream=stream,
    )
    assert refused == (
        400,
        (
            f"{ALGO}The tool_choice parameter does not support being set to required or"
            " object in thinking mode"
        ),
    )


def test_a_forced_choice_that_the_model_does_not_take_is_refused(
    client: Client, weather: dict[str, Any]
) -> None:
    text = f'{ALGO}tool_choice is one of the strings that should be ["none","auto"]'
    for choice in ("required", "any"):
        assert client.refusal(tools=[weather], tool_choice=choice) == (400, text)
    called = client.say(model="qwen3-vl-plus", tools=[weather], tool_choice="required")
    assert called["tool_calls"]


def test_tools_that_cannot_be_called_are_refused(
    client: Client, weather: dict[str, Any]
) -> None:
    search = {"type": "function", "function": {"name": "search"}}
    assert client.refusal(tools=[search]) == (
        400,
        f"{ALGO}Tool names are not allowed to be [search]",
    )
    assert client.refusal(tools=[weather], n=2)[0] == 400
    other = {"type": "function", "function": {"name": "other"}}
    assert client.refusal(tools=[weather], tool_choice=other)[0] == 400


def test_json_must_be_asked_for_in_words(client: Client) -> None:
    assert client.refusal("Who?", **JSON_OBJECT) == (
        400,
        (
            f"{ALGO}'messages' must contain the word 'json' in some form, to use"
            " 'response_format' of type 'json_object'."
        ),
    )


def test_json_while_thinking_is_as_the_catalog_says(client: Client) -> None:
    thinking = {"enable_thinking": True, **JSON_OBJECT}
    assert client.refusal("JSON, please.", model="qwen-plus", **thinking) == (
        400,
        f"{ALGO}Json mode response is not supported when enable_thinking is true",
    )
    assert client.say("JSON, please.", model="qwen3.8-max", **thinking)["content"]
    assert client.refusal("JSON.", model="deepseek-v4-pro", **JSON_OBJECT)[0] == 400


# --- Messages ----------------------------------------------------------------------

IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
TEXT = {"type": "text", "text": "What is this?"}


def turn(arguments: str = "{}", **more: Any) -> list[dict[str, Any]]:
    function = {"name": "get_weather", "arguments": arguments}
    call = {"id": "call_1", "type": "function", "function": function}
    return [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [call], **more},
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"},
    ]


def test_an_image_for_a_model_of_text_is_refused(client: Client) -> None:
    prompt = [{"role": "user", "content": [TEXT, IMAGE]}]
    for model in ("deepseek-v4-pro", "qwen3.7-max"):
        assert client.refusal(prompt, model=model) == (
            400,
            (
                f"{ALGO}The provided messages input is invalid. The error info is"
                " [Unexpected item type in content.]"
            ),
        )
    assert client.say(prompt, model="qwen3-vl-plus")["content"]


def test_a_list_for_a_model_of_text_is_for_its_cache_only(client: Client) -> None:
    prompt = [{"role": "user", "content": [TEXT]}]
    assert client.refusal(prompt, model="qwen3-32b") == (
        400,
        f"{ALGO}input content must be a string.",
    )
    assert client.say(prompt, model="qwen3.7-max")["content"]


def test_a_result_without_its_call_is_refused(client: Client) -> None:
    text = (
        f'{ALGO}messages with role "tool" must be a response to a preceeding message'
        ' with "tool_calls".'
    )
    first, called, result = turn()
    for prompt in (
        [first, result],
        [first, called, result | {"tool_call_id": "call_2"}],
        [first, called, result, result],
    ):
        assert client.refusal(prompt) == (400, text)


def test_a_call_without_its_result_is_refused(client: Client) -> None:
    first, called, _ = turn()
    for prompt in ([first, called], [first, called, first]):
        status, message = client.refusal(prompt)
        assert status == 400
        assert message.endswith("did not have response messages: message[2].role")


@pytest.mark.parametrize("arguments", ["", '{"city":', None])
def test_arguments_that_are_not_json_are_refused(
    client: Client, arguments: Any
) -> None:
    assert client.refusal(turn(arguments)) == (
        400,
        (
            f'{ALGO}The "function.arguments" parameter of the code model must be'
            " in JSON format."
        ),
    )


def test_deepseek_v4_wants_its_reasoning_back(client: Client) -> None:
    asked = {"model": "deepseek-v4-pro", "enable_thinking": True}
    assert client.refusal(turn(), **asked) == (
        400,
        (
            f"{ALGO}The `reasoning_content` in the thinking mode must be passed back"
            " to the API."
        ),
    )
    assert client.say(turn(reasoning_content=""), **asked)["content"]
    assert client.say(turn(), model="qwen3.7-max")["content"]


def test_a_prompt_ends_with_the_user_or_a_tool(client: Client) -> None:
    said = {"role": "assistant", "content": "It is"}
    failed = (500, "<500> InternalError.Algo: list index out of range")
    assert client.refusal([{"role": "user", "content": "Hi"}, said]) == failed
    assert client.refusal([{"role": "system", "content": "Hi"}]) == failed


def test_a_prefix_is_continued_without_thinking_only(client: Client) -> None:
    prefix = {"role": "assistant", "content": "It is", "partial": True}
    prompt = [{"role": "user", "content": "Hi"}, prefix]
    assert client.say(prompt)["content"]
    assert client.refusal(prompt, enable_thinking=True) == (
        400,
        f"{ALGO}Partial mode is not supported when enable_thinking is true",
    )
    assert client.refusal(prompt, model="deepseek-v4-pro")[0] == 400
