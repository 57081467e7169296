"""Generated tool calls: when, with which arguments, and after which results."""

import json
from typing import Any

from tests.emulator.helpers import OpenAIClient

QUESTION = "What is the weather in New York for 3 days?"


def called_functions(
    client: OpenAIClient, prompt: str, **options: Any
) -> list[tuple[str, Any]]:
    response = client.send(prompt, **options)
    choice = response.json()["choices"][0]
    tool_calls = choice["message"].get("tool_calls", [])
    assert choice["finish_reason"] == ("tool_calls" if tool_calls else "stop")
    functions = [call["function"] for call in tool_calls]
    return [(f["name"], json.loads(f["arguments"])) for f in functions]


def tool(name: str, description: str = "") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description}}


def test_the_tool_that_fits_the_question_is_called(
    client: OpenAIClient, weather_tool: dict[str, Any]
) -> None:
    arguments = {"city": "New York", "days": 3}
    tools = [tool("send_mail"), weather_tool]
    assert called_functions(client, QUESTION, tools=tools) == [
        ("get_weather", arguments)
    ]


def test_other_questions_call_no_tool(
    client: OpenAIClient, weather_tool: dict[str, Any]
) -> None:
    assert called_functions(client, "Who wrote Faust?", tools=[weather_tool]) == []
    assert (
        called_functions(client, QUESTION, tools=[weather_tool], tool_choice="none")
        == []
    )


def test_a_forced_tool_is_called_for_any_question(
    client: OpenAIClient, weather_tool: dict[str, Any]
) -> None:
    choice = {"type": "function", "function": {"name": "ping"}}
    tools = [weather_tool, tool("ping")]
    assert called_functions(client, QUESTION, tools=tools, tool_choice=choice) == [
        ("ping", {})
    ]


def test_parallel_calls_are_made_only_if_allowed(
    client: OpenAIClient, weather_tool: dict[str, Any]
) -> None:
    tools = [weather_tool, tool("weather_map", "Draw the weather")]
    options = {"tools": tools, "parallel_tool_calls": True}
    assert [name for name, _ in called_functions(client, QUESTION, **options)] == [
        "get_weather",
        "weather_map",
    ]
    assert len(called_functions(client, QUESTION, tools=tools)) == 1


def test_a_tool_call_can_have_reasoning(
    client: OpenAIClient, weather_tool: dict[str, Any]
) -> None:
    message = client.message(QUESTION, tools=[weather_tool], enable_thinking=True)
    assert "get_weather" in message["reasoning_content"]
    assert message["content"] == ""
    (call,) = message["tool_calls"]
    assert call.keys() == {"function", "id", "index", "type"}
    assert call["id"].startswith("call_")


def test_the_answer_contains_the_tool_result(
    client: OpenAIClient, weather_tool: dict[str, Any]
) -> None:
    prompt: list[dict[str, Any]] = [{"role": "user", "content": QUESTION}]
    message = client.message(prompt, tools=[weather_tool])
    prompt += [
        message,
        {
            "role": "tool",
            "tool_call_id": message["tool_calls"][0]["id"],
            "content": "Sunny, 25 degrees",
        },
    ]
    answer = client.message(prompt, tools=[weather_tool])
    assert "Sunny, 25 degrees" in answer["content"]
    assert "tool_calls" not in answer


def test_streamed_arguments_make_the_same_call(
    client: OpenAIClient, weather_tool: dict[str, Any]
) -> None:
    deltas = client.deltas(QUESTION, tools=[weather_tool])
    pieces = [call for delta in deltas for call in delta.get("tool_calls", ())]
    text = "".join(piece["function"]["arguments"] for piece in pieces)
    assert json.loads(text) == {"city": "New York", "days": 3}
    assert [piece["id"] for piece in pieces[1:]] == [""] * (len(pieces) - 1)
