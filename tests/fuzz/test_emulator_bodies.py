"""Bodies of which one value is replaced by another: the emulator answers or refuses."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import Emulator

SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "enum": ["x"], "pattern": "a+", "format": "date"},
        "b": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "c": {"anyOf": [{"type": "null"}, {"$ref": "#/x"}]},
    },
    "required": ["a", "b", "c"],
}
IMAGE = {"url": "https://example.com/a.png"}
BODY: dict[str, Any] = {
    "model": "qwen3.7-plus",
    "enable_thinking": False,
    "messages": [
        {"role": "system", "content": "Be brief. Answer in JSON."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is the weather in Oslo?"},
                {"type": "image_url", "image_url": IMAGE, "fps": 2},
            ],
        },
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": "{}"},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "Sunny."},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "weather", "description": "x", "parameters": SCHEMA},
        }
    ],
    "tool_choice": "auto",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": SCHEMA},
    },
    "stream_options": {"include_usage": True},
    "stop": ["zz"],
    "modalities": ["text"],
    "audio": {"voice": "Tina"},
    "ocr_options": {"task": "multi_lan"},
    "search_options": {"enable_source": True},
    "logprobs": True,
    "top_logprobs": 2,
    "n": 1,
    "seed": 1,
    "max_tokens": 50,
    "translation_options": {"source_lang": "English"},
    "tool_stream": True,
    "thinking_budget": 10,
}
VALUES: list[object] = [
    *(None, True, 0, -1, 1e300, 10**30, "", "x"),
    *([], {}, [None], [[]], [{}], ["a"], {"a": None}, {"type": "object"}),
]
Path = tuple[str | int, ...]


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each value in a body."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, child in value.items():
            yield from paths(child, (*path, key))
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield from paths(child, (*path, index))


def replace(path: Path, value: object) -> dict[str, Any]:
    body: Any = json.loads(json.dumps(BODY))
    parent = body
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return body  # type: ignore[no-any-return] # the object that it was made from


def native(body: dict[str, Any]) -> dict[str, Any]:
    messages, model = body.pop("messages", None), body.pop("model", None)
    parameters = {**body, "result_format": "message"}
    return {"model": model, "input": {"messages": messages}, "parameters": parameters}


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with Emulator(max_requests=1) as studio:
        headers = {"authorization": f"Bearer {studio.api_key}"}
        with httpx.Client(
            base_url=studio.base_url, headers=headers, timeout=60
        ) as client:
            yield client


def test_the_body_itself_is_answered(http: httpx.Client) -> None:
    response = http.post("/compatible-mode/v1/chat/completions", json=BODY)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("path", list(paths(BODY)), ids=lambda p: ".".join(map(str, p)))
def test_a_replaced_value_is_read_or_refused(
    http: httpx.Client, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing is logged: the emulator knew what it read."""
    for value in VALUES:
        for body in (replace(path, value), {**replace(path, value), "stream": True}):
            response = http.post("/compatible-mode/v1/chat/completions", json=body)
            assert response.status_code in {200, 400, 404}, (value, response.text)
        url = "/api/v1/services/aigc/multimodal-generation/generation"
        response = http.post(url, json=native(replace(path, value)))
        assert response.status_code in {200, 400, 404}, (value, response.text)
    assert caplog.records == []
