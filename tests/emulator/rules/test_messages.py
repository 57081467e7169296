"""Rules for the messages of a chat request."""

from typing import Any

import pytest

from tests.emulator.helpers import OpenAIClient

ALGO = "<400> InternalError.Algo.InvalidParameter: "
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
TEXT = {"type": "text", "text": "What is this?"}


def tool_messages(arguments: str = "{}", **more: Any) -> list[dict[str, Any]]:
    function = {"name": "get_weather", "arguments": arguments}
    call = {"id": "call_1", "type": "function", "function": function}
    return [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [call], **more},
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"},
    ]


def test_an_image_for_a_text_model_is_refused(client: OpenAIClient) -> None:
    prompt = [{"role": "user", "content": [TEXT, IMAGE]}]
    for model in ("deepseek-v4-pro", "qwen3.7-max"):
        assert client.error(prompt, model=model) == (
            400,
            (
                f"{ALGO}The provided messages input is invalid. The error info is"
                " [Unexpected item type in content.]"
            ),
        )
    assert client.message(prompt, model="qwen3-vl-plus")["content"]


def test_a_list_of_parts_for_a_text_model_needs_a_context_cache(
    client: OpenAIClient,
) -> None:
    prompt = [{"role": "user", "content": [TEXT]}]
    assert client.error(prompt, model="qwen3-32b") == (
        400,
        f"{ALGO}input content must be a string.",
    )
    assert client.message(prompt, model="qwen3.7-max")["content"]


def test_a_tool_result_without_its_call_is_refused(client: OpenAIClient) -> None:
    text = (
        f'{ALGO}messages with role "tool" must be a response to a preceeding message'
        ' with "tool_calls".'
    )
    first, call, result = tool_messages()
    for prompt in (
        [first, result],
        [first, call, result | {"tool_call_id": "call_2"}],
        [first, call, result, result],
    ):
        assert client.error(prompt) == (400, text)


def test_a_tool_call_without_its_result_is_refused(client: OpenAIClient) -> None:
    first, call, _ = tool_messages()
    for prompt in ([first, call], [first, call, first]):
        status, message = client.error(prompt)
        assert status == 400
        assert message.endswith("did not have response messages: message[2].role")


@pytest.mark.parametrize("arguments", ["", '{"city":', None])
def test_arguments_that_are_not_json_are_refused(
    client: OpenAIClient, arguments: Any
) -> None:
    assert client.error(tool_messages(arguments)) == (
        400,
        (
            f'{ALGO}The "function.arguments" parameter of the code model must be'
            " in JSON format."
        ),
    )


def test_deepseek_v4_needs_its_reasoning_in_tool_turns(client: OpenAIClient) -> None:
    options = {"model": "deepseek-v4-pro", "enable_thinking": True}
    assert client.error(tool_messages(), **options) == (
        400,
        (
            f"{ALGO}The `reasoning_content` in the thinking mode must be passed back"
            " to the API."
        ),
    )
    assert client.message(tool_messages(reasoning_content=""), **options)["content"]
    assert client.message(tool_messages(), model="qwen3.7-max")["content"]


def test_messages_must_end_with_the_user_or_a_tool(client: OpenAIClient) -> None:
    assistant = {"role": "assistant", "content": "It is"}
    error = (500, "<500> InternalError.Algo: list index out of range")
    assert client.error([{"role": "user", "content": "Hi"}, assistant]) == error
    assert client.error([{"role": "system", "content": "Hi"}]) == error


def test_partial_mode_works_only_without_thinking(client: OpenAIClient) -> None:
    prefix = {"role": "assistant", "content": "It is", "partial": True}
    prompt = [{"role": "user", "content": "Hi"}, prefix]
    assert client.message(prompt)["content"]
    assert client.error(prompt, enable_thinking=True) == (
        400,
        f"{ALGO}Partial mode is not supported when enable_thinking is true",
    )
    assert client.error(prompt, model="deepseek-v4-pro")[0] == 400
