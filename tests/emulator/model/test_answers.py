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


NUMBERED = """Cite the passages by their numbers.

[1] Paris is the capital of France.
[2] The tower is 330 metres tall. It was opened in 1889."""


def test_numbered_passages_are_cited_where_the_prompt_asks(
    client: OpenAIClient,
) -> None:
    prompt = [
        {"role": "system", "content": NUMBERED},
        {"role": "user", "content": "How tall is the tower?"},
    ]
    message = client.message(prompt, enable_thinking=True)
    assert message["content"] == "The tower is 330 metres tall [2]."
    assert '"The tower is 330 metres tall."' in message["reasoning_content"]


def test_numbered_passages_of_a_tool_are_cited(client: OpenAIClient) -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "search", "arguments": "{}"},
    }
    prompt = [
        {"role": "system", "content": "Cite passages by number."},
        {"role": "user", "content": "How tall is the tower?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": NUMBERED},
    ]
    answer = client.message(prompt)["content"]
    assert answer == "The tower is 330 metres tall [2]."


def test_a_number_of_a_citation_is_no_value(client: OpenAIClient) -> None:
    schema = {"type": "object", "properties": {"height": {"type": "integer"}}}
    answer = client.message(
        f"{NUMBERED}\n\nReturn JSON. Question: How tall is the tower?",
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "Tower", "schema": schema},
        },
    )
    assert answer["content"] == '{"height":330}'


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
