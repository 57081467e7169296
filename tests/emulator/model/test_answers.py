"""What the played model says: sentences of the prompt, JSON, and no more than asked."""

import json
from typing import Any

import pytest

from modelstudio_core.emulator.model.passages import best_sentences, find_question
from tests.emulator.client import Client

PASSAGES = (
    "The Eiffel Tower is 330 metres tall. It was opened in 1889.\n"
    "Paris is the capital of France. The Louvre is a museum."
)
LLAMAINDEX = (
    "Context information is below.\n---------------------\nfile_path: paris.txt\n\n"
    f"{PASSAGES}\n---------------------\nGiven the context information and not prior"
    " knowledge, answer the query.\nQuery: How tall is the Eiffel Tower?\nAnswer: "
)
LANGCHAIN = (
    "Answer the question based only on the following context:\n"
    f"{PASSAGES}\n\nQuestion: How tall is the Eiffel Tower?"
)
TALL = "The Eiffel Tower is 330 metres tall."


@pytest.mark.parametrize("prompt", [LLAMAINDEX, LANGCHAIN])
def test_it_answers_with_the_passage_that_fits(client: Client, prompt: str) -> None:
    assert client.say(prompt)["content"] == TALL


def test_passages_may_stand_in_the_system_message(client: Client) -> None:
    prompt = [
        {"role": "system", "content": f"You are a helpful guide. {PASSAGES}"},
        {"role": "user", "content": "What is the capital of France?"},
    ]
    assert client.say(prompt)["content"] == "Paris is the capital of France."


def test_it_remembers_the_conversation(client: Client) -> None:
    prompt = [
        {"role": "user", "content": "My favourite colour is teal."},
        {"role": "assistant", "content": "Noted."},
        {"role": "user", "content": "What is my favourite colour?"},
    ]
    assert client.say(prompt)["content"] == "My favourite colour is teal."


def test_it_reads_chinese(client: Client) -> None:
    prompt = "已知信息:\n西湖位于杭州市。杭州是浙江省的省会。\n问题:浙江省的省会是哪里?"
    assert client.say(prompt)["content"] == "杭州是浙江省的省会。"


def test_it_reads_parts_beside_an_image(client: Client) -> None:
    content = [
        {"type": "text", "text": PASSAGES + "\nQuestion: When was it opened?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    said = client.say([{"role": "user", "content": content}], model="qwen3-vl-plus")
    assert said["content"] == "It was opened in 1889."


def test_without_a_passage_it_says_what_it_is(client: Client) -> None:
    said = client.say("Tell me a joke.", model="qwen-max")["content"]
    assert "emulator" in said
    assert "qwen-max" in said


def test_it_thinks_about_what_was_asked(client: Client) -> None:
    message = client.say(LANGCHAIN, enable_thinking=True)
    assert "How tall is the Eiffel Tower?" in message["reasoning_content"]
    assert TALL in message["reasoning_content"]
    assert message["content"] == TALL


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Hello there", "Hello there"),
        ("It rains. Why? Tell me.", "Why?"),
        ("x\n" * 200 + "Summarise all of it", "Summarise all of it"),
        ("The original query is as follows: Who?\nWe have more.", "Who?"),
    ],
)
def test_the_question_is_found(text: str, question: str) -> None:
    assert find_question(text) == question


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("How long do I have to return an item?", "You have 30 days for returns."),
        ("Which cities are cheap?", "A cheap city is Porto."),
        ("What are the prices?", "The price is 5 euros."),
        ("Where is the question mark?", "Question marks stand at the end."),
    ],
)
def test_passages_are_not_taken_for_instructions(question: str, passage: str) -> None:
    noise = "You are a helpful assistant. Answer the question with care. It rains."
    assert best_sentences(question, [noise, passage]) == [passage]


def test_at_most_three_sentences_are_chosen() -> None:
    texts = [" ".join(f"Cats have {n} lives." for n in range(9))]
    assert len(best_sentences("How many lives have cats?", texts)) == 3
    assert best_sentences("?", texts) == []


# --- Limits ------------------------------------------------------------------------


def test_a_stop_text_cuts_the_answer_only(client: Client) -> None:
    response = client.ask(LANGCHAIN, stop=["metres"], enable_thinking=True)
    choice = response.json()["choices"][0]
    assert choice["message"]["content"] == "The Eiffel Tower is 330 "
    assert "metres" in choice["message"]["reasoning_content"]
    assert choice["finish_reason"] == "stop"
    assert client.say(LANGCHAIN, stop=" is")["content"] == "The Eiffel Tower"


def test_max_tokens_cuts_the_answer_only(client: Client) -> None:
    body = client.ask(LANGCHAIN, max_tokens=3, enable_thinking=True).json()
    choice, details = body["choices"][0], body["usage"]["completion_tokens_details"]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == "The Eiffel Tower"
    assert body["usage"]["completion_tokens"] == details["reasoning_tokens"] + 3


def test_max_completion_tokens_counts_thinking_too(client: Client) -> None:
    asked: dict[str, Any] = {"enable_thinking": True, "max_completion_tokens": 5}
    body = client.ask(LANGCHAIN, **asked).json()
    choice = body["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == ""
    assert body["usage"]["completion_tokens"] == 5
    assert body["usage"]["completion_tokens_details"] == {"reasoning_tokens": 5}


def test_a_budget_ends_the_thinking_and_not_the_answer(client: Client) -> None:
    body = client.ask(LANGCHAIN, enable_thinking=True, thinking_budget=4).json()
    assert body["usage"]["completion_tokens_details"] == {"reasoning_tokens": 4}
    assert body["choices"][0]["message"]["content"] == TALL
    assert body["choices"][0]["finish_reason"] == "stop"


def test_several_answers_are_counted_together(client: Client) -> None:
    one, two = client.ask("Why?").json(), client.ask("Why?", n=2).json()
    assert [choice["index"] for choice in two["choices"]] == [0, 1]
    tokens = one["usage"]["completion_tokens"]
    assert two["usage"]["completion_tokens"] == 2 * tokens
    assert two["usage"]["prompt_tokens"] == one["usage"]["prompt_tokens"]
    assert "completion_tokens_details" not in one["usage"]


# --- JSON --------------------------------------------------------------------------


def test_json_mode_answers_with_an_object(client: Client) -> None:
    prompt = f"{PASSAGES}\nAnswer in JSON.\nQuestion: How tall is the Eiffel Tower?"
    said = client.say(prompt, response_format={"type": "json_object"})["content"]
    assert json.loads(said) == {"answer": TALL}


@pytest.mark.parametrize(
    "form",
    [
        "Return a JSON with 'height' and 'name' keys.",
        'As JSON, the fields are "height" and `name`. It rains.',
        'Match the JSON {"properties": {"height": {}, "name": {}}}, not {"a": {}}.',
        '{broken JSON: {"properties": {"height": {}, "name": {}}, "required": []}}',
    ],
)
def test_json_mode_has_the_keys_that_are_named(client: Client, form: str) -> None:
    prompt = f"{PASSAGES}\n{form}\nQuestion: How tall is the Eiffel Tower?"
    said = client.say(prompt, response_format={"type": "json_object"})["content"]
    assert set(json.loads(said)) == {"height", "name"}


def test_a_schema_is_filled(client: Client) -> None:
    schema = {
        "type": "object",
        "$defs": {"Place": {"type": "object", "properties": {"city": {}}}},
        "properties": {
            "answer": {"type": "string"},
            "count": {"type": "integer", "minimum": 3},
            "ratio": {"type": "number", "exclusiveMaximum": 1},
            "kind": {"enum": ["tower", "museum"]},
            "sure": {"type": "boolean"},
            "note": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 4}]},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            "place": {"$ref": "#/$defs/Place"},
            "day": {"type": "string", "format": "date"},
            "none": {"type": ["null"]},
            "fixed": {"const": 7},
            "both": {
                "allOf": [
                    {"type": "object", "properties": {"a": {"type": "boolean"}}},
                    {"properties": {"b": {"const": 1}}},
                ]
            },
        },
    }
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    said = json.loads(client.say(LANGCHAIN, response_format=form)["content"])
    assert said["answer"] == TALL
    assert said["count"] >= 3
    assert said["ratio"] < 1
    assert (said["kind"], said["sure"], said["none"]) == ("tower", True, None)
    assert len(said["note"]) <= 4
    assert len(said["tags"]) == 2
    assert set(said["place"]) == {"city"}
    assert (said["day"], said["fixed"]) == ("2026-01-01", 7)
    assert said["both"] == {"a": True, "b": 1}


def test_a_schema_that_contains_itself_ends(client: Client) -> None:
    schema = {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {"next": {"$ref": "#/$defs/Node"}},
            }
        },
    }
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert json.loads(client.say(response_format=form)["content"])["next"]
