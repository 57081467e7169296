"""JSON schema mode: the answer fits the schema."""

import json
import time
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel, Field

from modelstudio_core.emulator.model.schema_values import build_value
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
    content = client.message(response_format=response_format)["content"]
    assert json.loads(content) == {"next": {}}


# --- Values that pydantic accepts -----------------------------------------------------


class Tree(BaseModel):
    name: str
    children: list["Tree"]
    parent: Optional["Tree"] = None


class Chain(BaseModel):
    next: "Chain | None"


class Expression(BaseModel):
    left: "int | Expression"


class Measured(BaseModel):
    code: str = Field(pattern=r"^[A-Z]{3}-\d{4}$")
    word: Annotated[str, Field(min_length=3, max_length=5)]
    pair: tuple[int, str]
    none: Annotated[list[str], Field(max_length=0)]
    several: Annotated[list[int], Field(min_length=3, max_length=4)]
    unique: Annotated[set[Literal["a", "b", "c"]], Field(min_length=3)]
    numbers: Annotated[set[int], Field(min_length=3)]
    step: Annotated[float, Field(multiple_of=0.5, gt=0.2, le=9)]
    even: Annotated[int, Field(multiple_of=2, ge=3)]
    inside: Annotated[float, Field(gt=0, lt=0.5)]
    day: date
    moment: datetime
    wait: timedelta
    uid: UUID
    link: AnyUrl
    address: IPv4Address
    scores: dict[str, int]
    some: Annotated[dict[str, int], Field(min_length=2)]
    either: int | str
    maybe: int | None


@pytest.mark.parametrize("model", [Tree, Chain, Expression, Measured])
@pytest.mark.parametrize("text", ["", "In 2026 Ann pays 3.75 euros.", "-7 or 1e99"])
def test_pydantic_accepts_the_values(model: type[BaseModel], text: str) -> None:
    model.model_validate_json(json.dumps(build_value(model.model_json_schema(), text)))


def test_recursive_lists_end_empty() -> None:
    value = build_value(Tree.model_json_schema(), "Ann")
    assert value == {"name": "Ann", "children": [{"name": "Ann", "children": []}]}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "array", "maxItems": 0}, []),
        ({"type": "array", "maxItems": 0, "items": {"type": "string"}}, []),
        ({"prefixItems": [{"const": 1}, {"const": 2}], "items": False}, [1, 2]),
        ({"items": [{"const": 1}, {"const": 2}]}, [1, 2]),
        ({"type": "array", "contains": {"const": 4}}, [4]),
        ({"type": "array", "items": True}, ["x"]),
        ({"type": "object", "properties": {"a": True}}, {"a": "x"}),
        ({"type": "object", "properties": {"a": None}}, {"a": "x"}),
        ({"type": "object", "properties": None, "required": None}, {}),
        ({"type": "object", "required": ["a", 4]}, {"a": "x"}),
        ({"type": "integer", "minimum": None, "maximum": "9"}, 1),
        ({"type": "integer", "minimum": 2.5}, 3),
        ({"type": "number", "maximum": -1}, -1),
        ({"type": ["null", "integer"]}, 1),
        ({"type": "unknown"}, "x"),
        ({"type": "string", "maxLength": 0}, ""),
        ({"type": "string", "pattern": "(unclosed"}, "x"),
        ({"type": "string", "pattern": "^(a|b)+$", "minLength": 3}, "aaa"),
        ({"enum": []}, "x"),
        ({"anyOf": [{"type": "null"}, {"const": 5}]}, 5),
        ({"$ref": "#/none"}, "x"),
        ({"$ref": "elsewhere.json"}, "x"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 6}}}, 6),
        ({"$ref": "#"}, "x"),
        (True, "x"),
        (None, "x"),
        ([], "x"),
    ],
)
def test_odd_schemas_have_values(schema: object, value: object) -> None:
    assert build_value(schema, "x") == value


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "minItems": 10_000_000},
        {"type": "array", "minItems": 1e300, "items": {"type": "array", "minItems": 9}},
        {"type": "object", "minProperties": 10_000_000},
        {"type": "string", "minLength": 10_000_000},
        {"type": "string", "pattern": "((a{1000}){1000}){1000}"},
        {"type": "string", "pattern": "(" * 5_000},
        {"type": "number", "multipleOf": 1e-300, "minimum": 1e300},
        {
            "type": "object",
            "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}},
            "required": ["a", "b"],
        },
    ],
)
def test_values_are_bounded(schema: dict[str, Any]) -> None:
    # Without a bound they would take minutes.
    started = time.process_time()
    assert len(json.dumps(build_value(schema, "x"))) < 100_000
    assert time.process_time() - started < 10


# --- Values from the text -------------------------------------------------------------

REPORT = "It is sunny in Oslo and the wind is weak. There are 21 degrees for 3 days."


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("city", "string", "Oslo"),
        ("wind", "string", "weak"),
        ("weather", "string", REPORT),
        ("weather_summary", "string", REPORT),
        ("temperature", "number", 21),
        ("temperature_celsius", "integer", 21),
        ("days", "integer", 3),
        ("numDays", "integer", 3),
    ],
)
def test_a_value_fits_the_name_of_its_field(
    name: str, kind: str, value: object
) -> None:
    schema = {"type": "object", "properties": {name: {"type": kind}}}
    assert build_value(schema, REPORT) == {name: value}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Write to ann@example.com about it.", "email", "ann@example.com"),
        ("See https://example.org/a, please.", "url", "https://example.org/a"),
        ("From 2026-03-01 on.", "start_date", "2026-03-01"),
        ("Give it in Celsius for Rome.", "unit", "Celsius"),
        ("The name is Ann Lee. She sings.", "name", "Ann Lee"),
        ("Capital: Paris\nPeople: many", "capital", "Paris"),
    ],
)
def test_a_text_field_gets_what_looks_like_it(text: str, name: str, value: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"}}}
    assert build_value(schema, text) == {name: value}


def test_an_option_is_the_one_that_the_text_names() -> None:
    schema = {"enum": ["negative", "very_positive", "positive"]}
    assert build_value(schema, "A positive review.") == "positive"
    assert build_value(schema, "A review.") == "negative"
