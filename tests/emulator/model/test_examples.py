"""JSON in the text of a prompt, and what is not quite JSON."""

import pytest

from modelstudio_core.emulator.model.examples import (
    find_examples,
    remove_examples,
    schema_of,
    unescape,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, "b": [true, null, -2.5]}', {"a": 1, "b": [True, None, -2.5]}),
        ("{a: 1,}", {"a": 1}),
        ('[{choice: 1, reason: "why"}, ...]', [{"choice": 1, "reason": "why"}]),
        ('{"a": string // the name\n}', {"a": "string"}),
        ("{'a': 'b c'}", {"a": "b c"}),
        ('{"a": <the name of it>}', {"a": "<the name of it>"}),
    ],
)
def test_what_is_read(text: str, value: object) -> None:
    (example,) = find_examples(f"Here it is:\n```json\n{text}\n```")
    assert example.value == value
    assert example.label == "Here it is:"


@pytest.mark.parametrize("text", ["", "{", "[1", "{}", "a } b", "{" * 9_000, '{"a": {'])
def test_what_is_no_json(text: str) -> None:
    assert find_examples(text) == []


def test_a_text_without_its_examples() -> None:
    assert remove_examples('Like {"a": [1]} or {"b": 2}.') == "Like  or ."


def test_doubled_braces() -> None:
    assert unescape('{{"a": {{"b": 1}}}}') == '{"a": {"b": 1}}'
    assert unescape('{"a": {"b": 1}}') == '{"a": {"b": 1}}'


def test_the_schema_of_an_example() -> None:
    schema = schema_of({"n": 1, "x": 0.5, "on": True, "names": ["string"], "none": []})
    kinds = {name: value["type"] for name, value in schema["properties"].items()}
    assert kinds == {
        "n": "integer",
        "x": "number",
        "on": "boolean",
        "names": "array",
        "none": "array",
    }
