"""JSON schema mode: the answer fits the schema."""

import json

from tests.emulator.helpers import LANGCHAIN, TALL, OpenAIClient


def test_the_answer_fits_the_schema(client: OpenAIClient) -> None:
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
    response_format = {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": schema},
    }
    value = json.loads(
        client.message(LANGCHAIN, response_format=response_format)["content"]
    )
    assert value["answer"] == TALL
    assert value["count"] >= 3
    assert value["ratio"] < 1
    assert (value["kind"], value["sure"], value["none"]) == ("tower", True, None)
    assert len(value["note"]) <= 4
    assert len(value["tags"]) == 2
    assert set(value["place"]) == {"city"}
    assert (value["day"], value["fixed"]) == ("2026-01-01", 7)
    assert value["both"] == {"a": True, "b": 1}


def test_a_recursive_schema_ends(client: OpenAIClient) -> None:
    schema = {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {"next": {"$ref": "#/$defs/Node"}},
            }
        },
    }
    response_format = {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": schema},
    }
    assert json.loads(client.message(response_format=response_format)["content"])[
        "next"
    ]
