"""Generated answers: text, reasoning, limits and usage."""

from typing import Any

import pytest

from tests.emulator.helpers import LANGCHAIN, LLAMAINDEX, PASSAGES, TALL, OpenAIClient


@pytest.mark.parametrize("prompt", [LLAMAINDEX, LANGCHAIN])
def test_the_answer_is_the_passage_that_fits(client: OpenAIClient, prompt: str) -> None:
    assert client.message(prompt)["content"] == TALL


def test_a_passage_may_be_in_the_system_message(client: OpenAIClient) -> None:
    prompt = [
        {"role": "system", "content": f"You are a helpful guide. {PASSAGES}"},
        {"role": "user", "content": "What is the capital of France?"},
    ]
    assert client.message(prompt)["content"] == "Paris is the capital of France."


def test_a_passage_may_be_in_earlier_messages(client: OpenAIClient) -> None:
    prompt = [
        {"role": "user", "content": "My favourite colour is teal."},
        {"role": "assistant", "content": "Noted."},
        {"role": "user", "content": "What is my favourite colour?"},
    ]
    assert client.message(prompt)["content"] == "My favourite colour is teal."


def test_chinese_is_understood(client: OpenAIClient) -> None:
    prompt = "已知信息:\n西湖位于杭州市。杭州是浙江省的省会。\n问题:浙江省的省会是哪里?"
    assert client.message(prompt)["content"] == "杭州是浙江省的省会。"


def test_text_parts_next_to_an_image_are_read(client: OpenAIClient) -> None:
    content = [
        {"type": "text", "text": PASSAGES + "\nQuestion: When was it opened?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    answer = client.message(
        [{"role": "user", "content": content}], model="qwen3-vl-plus"
    )
    assert answer["content"] == "It was opened in 1889."


def test_without_a_passage_the_answer_names_emulator_and_model(
    client: OpenAIClient,
) -> None:
    answer = client.message("Tell me a joke.", model="qwen-max")["content"]
    assert "emulator" in answer
    assert "qwen-max" in answer


def test_the_reasoning_has_question_and_passage(client: OpenAIClient) -> None:
    message = client.message(LANGCHAIN, enable_thinking=True)
    assert "How tall is the Eiffel Tower?" in message["reasoning_content"]
    assert TALL in message["reasoning_content"]
    assert message["content"] == TALL


# --- Limits -----------------------------------------------------------------------


def test_a_stop_text_truncates_the_text_only(client: OpenAIClient) -> None:
    response = client.send(LANGCHAIN, stop=["metres"], enable_thinking=True)
    choice = response.json()["choices"][0]
    assert choice["message"]["content"] == "The Eiffel Tower is 330 "
    assert "metres" in choice["message"]["reasoning_content"]
    assert choice["finish_reason"] == "stop"
    assert client.message(LANGCHAIN, stop=" is")["content"] == "The Eiffel Tower"


def test_max_tokens_truncates_the_text_only(client: OpenAIClient) -> None:
    body = client.send(LANGCHAIN, max_tokens=3, enable_thinking=True).json()
    choice, details = body["choices"][0], body["usage"]["completion_tokens_details"]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == "The Eiffel Tower"
    assert body["usage"]["completion_tokens"] == details["reasoning_tokens"] + 3


def test_max_completion_tokens_includes_reasoning(client: OpenAIClient) -> None:
    options: dict[str, Any] = {"enable_thinking": True, "max_completion_tokens": 5}
    body = client.send(LANGCHAIN, **options).json()
    choice = body["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == ""
    assert body["usage"]["completion_tokens"] == 5
    assert body["usage"]["completion_tokens_details"] == {"reasoning_tokens": 5}


def test_a_thinking_budget_truncates_the_reasoning_only(client: OpenAIClient) -> None:
    body = client.send(LANGCHAIN, enable_thinking=True, thinking_budget=4).json()
    assert body["usage"]["completion_tokens_details"] == {"reasoning_tokens": 4}
    assert body["choices"][0]["message"]["content"] == TALL
    assert body["choices"][0]["finish_reason"] == "stop"


def test_usage_counts_all_choices(client: OpenAIClient) -> None:
    one, two = client.send("Why?").json(), client.send("Why?", n=2).json()
    assert [choice["index"] for choice in two["choices"]] == [0, 1]
    tokens = one["usage"]["completion_tokens"]
    assert two["usage"]["completion_tokens"] == 2 * tokens
    assert two["usage"]["prompt_tokens"] == one["usage"]["prompt_tokens"]
    assert "completion_tokens_details" not in one["usage"]
