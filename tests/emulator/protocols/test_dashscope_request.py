"""How requests of the DashScope protocol are parsed."""

from typing import Any

import pytest

from tests.emulator.helpers import MULTIMODAL, DashScopeClient

HELLO = {"messages": [{"role": "user", "content": "Hello."}]}


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
def test_invalid_bodies_are_refused(
    dashscope: DashScopeClient, body: object, code: str
) -> None:
    response = dashscope.post(body)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_messages_take_precedence_over_a_prompt(dashscope: DashScopeClient) -> None:
    """Recorded: an empty list of messages too."""
    chat_input = {"prompt": "Hi", "messages": []}
    response = dashscope.post(
        {"model": "qwen-max", "input": chat_input, "parameters": {}}
    )
    assert response.status_code == 400
    assert response.json()["message"] == (
        "Role must be user or assistant and Content length must be greater than 0"
    )


def test_parts_of_the_other_protocol_are_refused(dashscope: DashScopeClient) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    options: dict[str, Any] = {"model": "qwen3.7-plus", "path": MULTIMODAL}
    for part in (image, "text", {"audio": "https://example.com/a.wav"}):
        prompt = [{"role": "user", "content": [part]}]
        status, code, message = dashscope.error(prompt, **options)
        assert (status, code) == (400, "InvalidParameter")
        assert message.endswith("[Unexpected item type in content.]")


def test_asynchronous_tasks_are_refused(dashscope: DashScopeClient) -> None:
    body = {"model": "qwen-plus", "input": HELLO}
    response = dashscope.post(body, **{"X-DashScope-Async": "enable"})
    assert (response.status_code, response.json()["code"]) == (403, "AccessDenied")


def test_parts_need_no_type(dashscope: DashScopeClient) -> None:
    options: dict[str, Any] = {"model": "qwen3.7-plus", "path": MULTIMODAL}
    media = [
        {"image": "https://example.com/a.png"},
        {"video": ["https://example.com/b.png"] * 4},
    ]
    text = [{"text": "The dog is Rex. Which dog is it?"}]
    prompt = [{"role": "user", "content": [*media, *text]}]
    (choice,) = dashscope.output(prompt, **options)["choices"]
    assert choice["message"]["content"] == [{"text": "The dog is Rex."}]


def test_token_ids_in_stop_are_ignored(dashscope: DashScopeClient) -> None:
    output = dashscope.output("It has 37 rooms. How many rooms?", stop=[[37]])
    assert output["choices"][0]["message"]["content"] == "It has 37 rooms."


def test_requests_are_recorded(dashscope: DashScopeClient) -> None:
    dashscope.send("Hi", model="qwen-plus", stream=True)
    (request,) = dashscope.studio.requests
    assert request.path == "/api/v1/services/aigc/text-generation/generation"
    assert request.headers["x-dashscope-sse"] == "enable"
    assert request.body["input"] == {"messages": [{"role": "user", "content": "Hi"}]}
