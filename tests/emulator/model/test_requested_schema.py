"""JSON mode: the keys that the prompt asks for."""

import json

import pytest

from tests.emulator.helpers import PASSAGES, TALL, OpenAIClient


def test_json_mode_answers_with_an_object(client: OpenAIClient) -> None:
    prompt = f"{PASSAGES}\nAnswer in JSON.\nQuestion: How tall is the Eiffel Tower?"
    answer = client.message(prompt, response_format={"type": "json_object"})["content"]
    assert json.loads(answer) == {"answer": TALL}


@pytest.mark.parametrize(
    "instruction",
    [
        "Return a JSON with 'height' and 'name' keys.",
        'As JSON, the fields are "height" and `name`. It rains.',
        'Match the JSON {"properties": {"height": {}, "name": {}}}, not {"a": {}}.',
        '{broken JSON: {"properties": {"height": {}, "name": {}}, "required": []}}',
    ],
)
def test_json_mode_has_the_requested_keys(
    client: OpenAIClient, instruction: str
) -> None:
    prompt = f"{PASSAGES}\n{instruction}\nQuestion: How tall is the Eiffel Tower?"
    answer = client.message(prompt, response_format={"type": "json_object"})["content"]
    assert set(json.loads(answer)) == {"height", "name"}
