"""When the played model calls a tool, with what, and what it makes of the result."""

import json
from typing import Any

from tests.emulator.client import Client

QUESTION = "What is the weather in New York for 3 days?"


def calls(client: Client, prompt: str, **options: Any) -> list[tuple[str, Any]]:
    response = client.ask(prompt, **options)
    choice = response.json()["choices"][0]
    found = choice["message"].get("tool_calls", [])
    assert choice["finish_reason"] == ("tool_calls" if found else "stop")
    functions = [call["function"] for call in found]
    return [(f["name"], json.loads(f["arguments"])) for f in functions]


def named(name: str, description: str = "") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description}}


def test_a_tool_that_the_question_is_about_is_called(
    client: Client, weather: dict[str, Any]
) -> None:
    arguments = {"city": "New York", "days": 3}
    tools = [named("send_mail"), weather]
    assert calls(client, QUESTION, tools=tools) == [("get_weather", arguments)]


def test_other_questions_call_nothing(client: Client, weather: dict[str, Any]) -> None:
    assert calls(client, "Who wrote Faust?", tools=[weather]) == []
    assert calls(client, QUESTION, tools=[weather], tool_choice="none") == []


def test_a_named_tool_is_called_whatever_was_asked(
    client: Client, weather: dict[str, Any]
) -> None:
    choice = {"type": "function", "function": {"name": "ping"}}
    tools = [weather, named("ping")]
    assert calls(client, QUESTION, tools=tools, tool_choice=choice) == [("ping", {})]


def test_parallel_calls_come_only_if_allowed(
    client: Client, weather: dict[str, Any]
) -> None:
    tools = [weather, named("weather_map", "Draw the weather")]
    asked = {"tools": tools, "parallel_tool_calls": True}
    assert [name for name, _ in calls(client, QUESTION, **asked)] == [
        "get_weather",
        "weather_map",
    ]
    assert len(calls(client, QUESTION, tools=tools)) == 1


def test_it_thinks_before_it_calls(client: Client, weather: dict[str, Any]) -> None:
    message = client.say(QUESTION, tools=[weather], enable_thinking=True)
    assert "get_weather" in message["reasoning_content"]
    assert message["content"] == ""
    (call,) = message["tool_calls"]
    assert call.keys() == {"function", "id", "index", "type"}
    assert call["id"].startswith("call_")


def test_the_answer_holds_the_result(client: Client, weather: dict[str, Any]) -> None:
    prompt: list[dict[str, Any]] = [{"role": "user", "content": QUESTION}]
    message = client.say(prompt, tools=[weather])
    prompt += [
        message,
        {
            "role": "tool",
            "tool_call_id": message["tool_calls"][0]["id"],
            "content": "Sunny, 25 degrees",
        },
    ]
    again = client.say(prompt, tools=[weather])
    assert "Sunny, 25 degrees" in again["content"]
    assert "tool_calls" not in again


def test_streamed_arguments_make_the_same_call(
    client: Client, weather: dict[str, Any]
) -> None:
    deltas = client.deltas(QUESTION, tools=[weather])
    pieces = [call for delta in deltas for call in delta.get("tool_calls", ())]
    text = "".join(piece["function"]["arguments"] for piece in pieces)
    assert json.loads(text) == {"city": "New York", "days": 3}
    assert [piece["id"] for piece in pieces[1:]] == [""] * (len(pieces) - 1)
