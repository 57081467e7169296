"""What the native protocol refuses, and how each refusal arrives."""

from typing import Any

import pytest

from tests.emulator.native_client import MULTIMODAL, TEXT, Native, events

ALGO = "<400> InternalError.Algo.InvalidParameter: "
THINKING_IS_A_MESSAGE = (
    'The result_format parameter must be "message" when enable_thinking is true'
)
HELLO = {"messages": [{"role": "user", "content": "Hello."}]}


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("qwen3.7-plus", TEXT),
        ("qwen-plus", MULTIMODAL),
        ("deepseek-v4-pro", MULTIMODAL),
        ("qwen3-vl-plus", TEXT),
        ("wan2.6-t2i", TEXT),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_path_is_the_models(
    native: Native, model: str, path: str, stream: bool
) -> None:
    refused = native.refusal(model=model, path=path, stream=stream)
    assert refused == (400, "InvalidParameter", "url error, please check url!")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "No API-key provided."),
        ({"authorization": "Bearer sk-another"}, "Invalid API-key provided."),
    ],
)
def test_a_key_is_refused_in_plain_json(
    native: Native, headers: dict[str, str], message: str
) -> None:
    """Recorded for a stream."""
    sent = headers | {"X-DashScope-SSE": "enable"}
    response = native.http.post(native.url(), json={}, headers=sent)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "code": "InvalidApiKey",
        "message": message,
        "request_id": response.headers["x-request-id"],
    }


@pytest.mark.parametrize("stream", [False, True])
def test_models_that_are_not_there_are_not_found(native: Native, stream: bool) -> None:
    status, code, _ = native.refusal(model="deepseek-r1", stream=stream)
    assert (status, code) == (404, "ModelNotFound")


def test_a_refused_stream_says_its_status_in_a_comment(native: Native) -> None:
    response = native.ask(temperature=2.0, stream=True)
    own = response.headers["x-request-id"]
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream;charset=UTF-8"
    assert response.text == (
        "id:1\nevent:error\n:HTTP_STATUS/400\n"
        'data:{"code":"InvalidParameter",'
        f'"message":"{ALGO}Temperature should be in [0.0, 2.0)",'
        f'"request_id":"{own}"}}\n\n'
    )


def test_a_failure_in_a_stream_is_a_500(native: Native) -> None:
    said = {"role": "assistant", "content": "Yes"}
    response = native.ask([{"role": "user", "content": "Hi"}, said], stream=True)
    ((kind, status, data),) = events(response.text)
    assert (kind, status) == ("error", 500)
    assert data["code"] == "InternalError.Algo"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            {"temperature": -1},
            "InvalidParameter",
            f"{ALGO}Temperature should be in [0.0, 2.0)",
        ),
        (
            {"seed": -1},
            "InvalidParameter",
            f"{ALGO}Range of seed should be [0, {2**63 - 1}]",
        ),
        (
            {"model": "qwen-max", "enable_thinking": True},
            "InvalidParameter.NotSupportEnableThinking",
            "The model qwen-max does not support enable_thinking.",
        ),
        (
            {"enable_thinking": True, "result_format": "text"},
            "InvalidParameter",
            THINKING_IS_A_MESSAGE,
        ),
        (
            {"enable_thinking": True, "result_format": None},
            "InvalidParameter",
            THINKING_IS_A_MESSAGE,
        ),
        (
            {"tools": [{"type": "function"}], "result_format": "text"},
            "InvalidParameter",
            (
                f'{ALGO}The result_format parameter must be "message" when tools are'
                " given (emulator)."
            ),
        ),
        (
            {"response_format": {"type": "json_object"}},
            "InvalidParameter",
            (
                f"{ALGO}'messages' must contain the word 'json' in some form, to use"
                " 'response_format' of type 'json_object'."
            ),
        ),
    ],
)
def test_parameters_are_refused(
    native: Native, options: dict[str, Any], code: str, message: str
) -> None:
    assert native.refusal(**options) == (400, code, message)


def test_thoughts_stream_in_pieces_only(native: Native) -> None:
    asked: dict[str, Any] = {"enable_thinking": True}
    for incremental in (False, None):
        response = native.ask(stream=True, incremental_output=incremental, **asked)
        ((kind, status, data),) = events(response.text)
        assert (kind, status) == ("error", 400)
        assert data["code"] == "InvalidParameter"
        assert data["message"] == (
            'The incremental_output parameter must be "true" when enable_thinking is'
            " true"
        )
    assert native.say(incremental_output=False, **asked)
    assert native.bodies(**asked)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "BadRequest.IllegalInput"),
        ({"input": HELLO}, "BadRequest.EmptyModel"),
        ({"model": "qwen-plus"}, "BadRequest.EmptyInput"),
        ({"model": "qwen-plus", "input": {}}, "BadRequest.EmptyInput"),
        (
            {"model": "qwen-plus", "input": HELLO, "parameters": [1]},
            "BadRequest.IllegalInput",
        ),
        ({"model": "qwen-plus", "input": {"messages": "Hi"}}, "InvalidParameter"),
        ({"model": "qwen-plus", "input": {"messages": ["Hi"]}}, "InvalidParameter"),
    ],
)
def test_broken_bodies_are_refused(native: Native, body: object, code: str) -> None:
    response = native.post(body)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_messages_win_over_a_prompt_even_if_there_are_none(native: Native) -> None:
    """Recorded."""
    asked = {"prompt": "Hi", "messages": []}
    response = native.post({"model": "qwen-max", "input": asked, "parameters": {}})
    assert response.status_code == 400
    assert response.json()["message"] == (
        "Role must be user or assistant and Content length must be greater than 0"
    )


def test_typed_parts_belong_to_the_other_protocol(native: Native) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    asked: dict[str, Any] = {"model": "qwen3.7-plus", "path": MULTIMODAL}
    for part in (image, "text", {"audio": "https://example.com/a.wav"}):
        prompt = [{"role": "user", "content": [part]}]
        status, code, message = native.refusal(prompt, **asked)
        assert (status, code) == (400, "InvalidParameter")
        assert message.endswith("[Unexpected item type in content.]")


def test_a_task_cannot_be_made_of_a_chat(native: Native) -> None:
    body = {"model": "qwen-plus", "input": HELLO}
    response = native.post(body, **{"X-DashScope-Async": "enable"})
    assert (response.status_code, response.json()["code"]) == (403, "AccessDenied")
