"""What real clients send to the emulator, and what they must get back."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from langchain_core.output_parsers import PydanticOutputParser as LangChainParser
from llama_index.core.output_parsers import PydanticOutputParser as LlamaIndexParser
from llama_index.core.output_parsers.selection import SelectionOutputParser
from llama_index.core.question_gen.output_parser import SubQuestionOutputParser
from llama_index.core.question_gen.prompts import EXAMPLES, PREFIX, SUFFIX
from llama_index.core.selectors.prompts import (
    DEFAULT_MULTI_SELECT_PROMPT_TMPL,
    DEFAULT_SINGLE_SELECT_PROMPT_TMPL,
)
from pydantic import BaseModel

from modelstudio_core.catalog import resolve_model
from modelstudio_core.emulator import Emulator
from tests.emulator.helpers import MULTIMODAL, TEXT, DashScopeClient, OpenAIClient
from tests.support.recordings import (
    Exchange,
    chat_exchanges,
    native_exchanges,
)

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
FINAL = {
    "type": "function",
    "function": {
        "name": "final_result",
        "description": "The final response which ends this conversation",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "weather": {"type": "string"}},
            "required": ["city", "weather"],
        },
    },
}
# A model that accepts tool_choice="required" (recorded).
REQUIRES = "qwen3-vl-flash"
QUESTION = "What is the weather in Oslo?"


@pytest.fixture
def client() -> Iterator[OpenAIClient]:
    with Emulator() as studio, httpx.Client(timeout=60) as http:
        yield OpenAIClient(studio, http)


@pytest.fixture
def dashscope(client: OpenAIClient) -> DashScopeClient:
    return DashScopeClient(client.studio, client.http)


def user(content: object) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


# --- Never a plain-text 500 -----------------------------------------------------------


def tool(**function: object) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": function}]}


def parameters(schema: object) -> dict[str, Any]:
    return tool(name="get_weather", description="weather", parameters=schema)


def json_schema(value: object) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": value}}


REFUSED: dict[str, dict[str, Any]] = {
    "a tool without a name": tool(description="weather"),
    "a tool with a null name": tool(name=None),
    "a tool without a function": {"tools": [{"type": "function"}]},
    "a tool that is a text": {"tools": ["get_weather"]},
    "tools that are an object": {"tools": {"name": "get_weather"}},
    "json_schema: null": json_schema(None),
    "json_schema: a text": json_schema("x"),
    "json_schema: a list": json_schema([1]),
    "schema: a text": json_schema({"name": "x", "schema": "x"}),
    "response_format: a text": {"response_format": "json_object"},
    "type: a list": {"response_format": {"type": ["json_object"]}},
    "a role that is a list": {"messages": [{"role": ["user"], "content": "Hi"}]},
    "content that is a number": {"messages": user(5)},
    "a part that is a number": {"messages": user([5])},
    "a text that is a number": {"messages": user([{"type": "text", "text": 5}])},
    "messages of messages": {"messages": [user("Hi")]},
    "tool_calls that are a text": {
        "messages": [*user("Hi"), {"role": "assistant", "tool_calls": "x"}]
    },
    "a call without a function": {
        "messages": [*user("Hi"), {"role": "assistant", "tool_calls": [{"id": "1"}]}]
    },
    "an id that is an object": {
        "messages": [*user("Hi"), {"role": "tool", "tool_call_id": {}}]
    },
    "stream: a text": {"stream": "yes"},
    "enable_thinking: a text": {"enable_thinking": "yes"},
    "temperature: an object": {"temperature": {}},
    "n: a text": {"n": "2"},
    "max_tokens: a list": {"max_tokens": [1]},
    "stop: an object": {"stop": {}},
    "tool_choice: a number": {**tool(name="x"), "tool_choice": 5},
    "tool_choice without a function": {**tool(name="x"), "tool_choice": {}},
    "modalities: a number": {"modalities": 5},
    "modalities of objects": {"modalities": [{}]},
    "audio: a text": {"audio": "wav"},
    "ocr_options: a list": {"ocr_options": [1]},
}
ANSWERED: dict[str, dict[str, Any]] = {
    "parameters as a list": parameters(
        [{"name": "city", "type": "string", "required": True}]
    ),
    "parameters: null": parameters(None),
    "items as a list": parameters(
        {"properties": {"a": {"type": "array", "items": [{"type": "string"}]}}}
    ),
    "boolean subschemas": parameters({"properties": {"a": True, "b": False}}),
    "minimum: null": parameters(
        {"properties": {"a": {"type": "integer", "minimum": None}}}
    ),
    "properties: null": parameters({"type": "object", "properties": None}),
    "required: true": parameters({"properties": {"a": {"required": True}}}),
    "enum: null": parameters({"properties": {"a": {"enum": None}}}),
    "anyOf of null": parameters({"properties": {"a": {"anyOf": [None, {}]}}}),
    "a type that is an object": parameters({"properties": {"a": {"type": {}}}}),
    "a reference to nothing": parameters({"properties": {"a": {"$ref": "#/x/y"}}}),
    "a reference that is a number": parameters({"properties": {"a": {"$ref": 5}}}),
    "a pattern that is none": parameters({"properties": {"a": {"pattern": "(["}}}),
    "a description that is null": tool(name="x", description=None),
    "an endless recursion": parameters(
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"]}
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_body_that_cannot_be_read_is_a_400(
    client: OpenAIClient, dashscope: DashScopeClient, name: str
) -> None:
    options = dict(REFUSED[name])
    response = client.send(options.pop("messages", QUESTION), **options)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["type"] == "invalid_request_error"
    if "stream" in options:
        return
    options = dict(REFUSED[name])
    prompt = options.pop("messages", QUESTION)
    native = dashscope.send(prompt, **options)
    assert native.status_code == 400, native.text
    assert native.json().keys() == {"code", "message", "request_id"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ANSWERED)
def test_odd_schemas_of_tools_are_answered(
    client: OpenAIClient, name: str, stream: bool
) -> None:
    response = client.send(QUESTION, stream=stream, **ANSWERED[name])
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"model":' * 5_000,
        b'{"model": "qwen-plus", "messages": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"model": "qwen-plus", "messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"model": "qwen-plus", "temperature": NaN, "messages": []}',
        b'{"model": "qwen-plus", "seed": ' + b"9" * 5_000 + b"}",
    ],
    ids=range(13),
)
@pytest.mark.parametrize("path", ["openai", "dashscope"])
def test_bytes_that_are_no_request_are_a_400(
    client: OpenAIClient, dashscope: DashScopeClient, body: bytes, path: str
) -> None:
    url = client.url if path == "openai" else dashscope.url(TEXT)
    response = client.http.post(url, content=body, headers=client.headers)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.json()
    assert client.studio.requests[-1].body in (None, [], 5, "text")


def test_a_body_that_is_too_large_is_refused_and_not_kept() -> None:
    with Emulator(max_body_bytes=1_000) as studio, httpx.Client() as http:
        client = OpenAIClient(studio, http)
        response = client.send("a" * 1_000)
        assert response.status_code == 400
        assert response.json()["error"]["message"] == "Payload Too Large"
        native = DashScopeClient(studio, http).error("a" * 1_000)
        assert native[:2] == (400, "BadRequest.TooLarge")
        assert [request.body for request in studio.requests] == [None, None]
        assert client.send("a" * 500).status_code == 200


def test_what_is_kept_is_bounded() -> None:
    """By number, and by the bytes of all bodies together."""
    with Emulator(max_requests=3) as studio, httpx.Client() as http:
        client = OpenAIClient(studio, http)
        for number in range(5):
            client.send(str(number))
        kept = [request.body["messages"][0]["content"] for request in studio.requests]
        assert kept == ["2", "3", "4"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "minItems": 10_000_000},
        {"type": "object", "minProperties": 10_000_000},
        {"type": "string", "minLength": 1_000_000_000},
    ],
)
def test_huge_instances_do_not_block(
    client: OpenAIClient, schema: dict[str, Any]
) -> None:
    started = time.monotonic()
    options = json_schema({"name": "x", "schema": schema})
    assert client.send(QUESTION, **options).status_code == 200
    # 90 seconds before; the machine of a test may be busy.
    assert time.monotonic() - started < 30


# --- Loops of agents end --------------------------------------------------------------


def run_agent(
    client: OpenAIClient, tools: list[dict[str, Any]], **options: Any
) -> list[str]:
    """Run an agent until it is answered in words, or for ten turns."""
    messages, called = user(QUESTION), list[str]()
    for _ in range(10):
        message = client.message(messages, tools=tools, **options)
        messages.append(message)
        calls = message.get("tool_calls") or []
        if not calls:
            return called
        for call in calls:
            called.append(call["function"]["name"])
            content = "It is sunny in Oslo."
            messages.append(
                {"role": "tool", "tool_call_id": call["id"], "content": content}
            )
    raise AssertionError("the agent does not end")


@pytest.mark.parametrize("choice", ["required", "auto", None])
def test_an_agent_ends(client: OpenAIClient, choice: str | None) -> None:
    options = {} if choice is None else {"tool_choice": choice, "model": REQUIRES}
    assert run_agent(client, [WEATHER], **options) == ["get_weather"]


@pytest.mark.parametrize("tools", [[WEATHER, FINAL], [FINAL, WEATHER]])
def test_an_agent_with_an_output_tool_ends_with_it(
    client: OpenAIClient, tools: list[dict[str, Any]]
) -> None:
    called = run_agent(client, tools, tool_choice="required", model=REQUIRES)
    assert called == ["get_weather", "final_result"]


def test_a_sentence_asks_for_the_output_tool(client: OpenAIClient) -> None:
    """Where ``required`` is not accepted, a system message asks for the call."""
    system = "Give the final answer by calling the tool final_result."
    messages = [{"role": "system", "content": system}, *user(QUESTION)]
    for name in ("get_weather", "final_result"):
        message = client.message(messages, tools=[WEATHER, FINAL])
        (call,) = message["tool_calls"]
        assert call["function"]["name"] == name
        result = {"role": "tool", "tool_call_id": call["id"], "content": "Sunny."}
        messages += [message, result]
    assert json.loads(call["function"]["arguments"]) == {
        "city": "Oslo",
        "weather": "Sunny.",
    }
    assert "tool_calls" not in client.message(messages, tools=[WEATHER, FINAL])


# --- Recorded answers are not refused -------------------------------------------------


@pytest.mark.parametrize("exchange", chat_exchanges())
def test_a_recorded_answer_is_not_refused(
    client: OpenAIClient, exchange: Exchange
) -> None:
    repeat(client, exchange)


@pytest.mark.parametrize("exchange", native_exchanges())
def test_a_recorded_answer_of_the_dashscope_protocol_is_not_refused(
    client: OpenAIClient, exchange: Exchange
) -> None:
    repeat(client, exchange)


def repeat(client: OpenAIClient, exchange: Exchange) -> None:
    """The models of the recordings that are not delisted since then."""
    request = exchange.request
    is_native = "/api/v1/" in exchange.url
    prompt: dict[str, Any] = request.get("input", {}) if is_native else request
    has_prompt = bool(prompt.keys() & {"messages", "prompt"})
    if exchange.status != 200 or not has_prompt:
        pytest.skip("refused, or recorded without its request")
    if resolve_model(request["model"]).delisted:
        pytest.skip("no longer served")
    headers = dict(client.headers)
    if exchange.streamed:
        headers["X-DashScope-SSE"] = "enable"
    url = client.studio.base_url + urlsplit(exchange.url).path
    response = client.http.post(url, json=exchange.request, headers=headers)
    assert response.status_code == 200, response.text
    assert "event:error" not in response.text, response.text


# --- Tool results ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "result",
    [
        {"role": "tool", "name": "get_weather", "content": "Sunny."},
        {"role": "tool", "id": "call_1", "content": "Sunny."},
        {"role": "tool", "content": "Sunny."},
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny."},
        {"role": "tool", "tool_call_id": None, "id": "x", "content": "Sunny."},
    ],
)
def test_a_tool_result_needs_no_tool_call_id(
    client: OpenAIClient, dashscope: DashScopeClient, result: dict[str, Any]
) -> None:
    function = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    call = {"id": "call_1", "type": "function", "function": function}
    assistant = {"role": "assistant", "content": "", "tool_calls": [call]}
    messages = [*user(QUESTION), assistant, result]
    assert "Sunny." in client.message(messages, tools=[WEATHER])["content"]
    output = dashscope.output(messages, tools=[WEATHER])
    assert "Sunny." in output["choices"][0]["message"]["content"]


def test_a_result_of_no_call_is_refused(client: OpenAIClient) -> None:
    for result in ({"tool_call_id": "x"}, {"name": "get_weather"}, {}):
        messages = [*user("Hi"), {"role": "tool", "content": "Sunny.", **result}]
        assert client.error(messages)[0] == 400


# --- JSON that is asked for in words --------------------------------------------------


class Person(BaseModel):
    name: str
    age: int


def unescape(prompt: str) -> str:
    """Undo the doubled braces of a template that LlamaIndex still formats."""
    return prompt.replace("{{", "{").replace("}}", "}")


JASON = "Extract: Jason is 25 years old."
MD_JSON = (
    "As a genius expert, your task is to understand the content and provide the parsed"
    " objects in json that match the following json_schema:\n\n"
    f"{json.dumps(Person.model_json_schema(), indent=2)}\n\n"
    "Make sure to return an instance of the JSON, not the schema itself"
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "prompt",
    [
        user(
            "Answer the user query.\n"
            f"{LangChainParser(pydantic_object=Person).get_format_instructions()}\n"
            f"{JASON}"
        ),
        user(unescape(LlamaIndexParser(Person).format(JASON))),
        [
            {"role": "system", "content": MD_JSON},
            *user(
                f"{JASON}\n\nReturn the correct JSON response within a ```json"
                " codeblock. not the JSON_SCHEMA"
            ),
        ],
        user(f'{JASON} Answer in JSON of this format: {{"name": string, "age": int}}'),
    ],
    ids=["LangChain", "LlamaIndex", "instructor", "example"],
)
def test_a_schema_in_the_prompt_is_followed(
    client: OpenAIClient, prompt: list[dict[str, Any]], stream: bool
) -> None:
    if stream:
        deltas = client.deltas(prompt)
        content = "".join(delta.get("content") or "" for delta in deltas)
    else:
        content = client.message(prompt)["content"]
    parser: LangChainParser[Person] = LangChainParser(pydantic_object=Person)
    assert parser.parse(content) == Person(name="Jason", age=25)


@pytest.mark.parametrize(
    "template", [DEFAULT_SINGLE_SELECT_PROMPT_TMPL, DEFAULT_MULTI_SELECT_PROMPT_TMPL]
)
def test_a_selector_gets_the_choice_that_fits(
    client: OpenAIClient, template: str
) -> None:
    prompt = template.format(
        num_choices=2,
        max_outputs=2,
        context_list="(1) Useful for meals\n\n(2) Useful for the weather of cities",
        query_str=QUESTION,
    )
    parser = SelectionOutputParser()
    content = client.message(unescape(parser.format(prompt)))["content"]
    (answer,) = parser.parse(content).parsed_output
    assert answer.choice == 2
    assert answer.reason


def test_a_question_generator_gets_questions_for_its_tools(
    client: OpenAIClient,
) -> None:
    tools = json.dumps({"meals": "about food", "weather": "the weather of cities"})
    suffix = SUFFIX.replace("{tools_str}", tools).replace("{query_str}", QUESTION)
    content = client.message(PREFIX + EXAMPLES + suffix)["content"]
    (question,) = SubQuestionOutputParser().parse(content).parsed_output
    assert (question.sub_question, question.tool_name) == (QUESTION, "weather")


def test_words_about_json_are_answered_in_words(client: OpenAIClient) -> None:
    for prompt in (
        "JSON is a format for data. Which format is it?",
        'The file has {"a": 1}. Describe the json file.',
        (
            'Context information is below.\n{"a": 1}\nAs JSON format: [Billing](b.md)\n'
            "Answer the query.\nQuery: What is json?"
        ),
        'Thought: hm\nAction Input: {"input": "x"} in a valid JSON format. Hello?',
    ):
        assert not client.message(prompt)["content"].startswith(("{", "[", "```"))


# --- Asked for and played -------------------------------------------------------------


def test_log_probabilities(client: OpenAIClient, dashscope: DashScopeClient) -> None:
    text = "The tower has 330 m. How tall is the tower?"
    options = {"logprobs": True, "top_logprobs": 2, "model": "qwen-plus"}
    choice = client.send(text, **options).json()["choices"][0]
    entries = choice["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == choice["message"]["content"]
    for entry in entries:
        assert bytes(entry["bytes"]).decode() == entry["token"]
        assert [len(entry["top_logprobs"]), entry["logprob"] <= 0] == [2, True]
    streamed = [
        entry
        for chunk in client.chunks(text, **options)
        for choice in chunk["choices"]
        for entry in (choice["logprobs"] or {}).get("content", [])
    ]
    assert streamed == entries
    native = dashscope.output(text, **options)["choices"][0]
    assert native["logprobs"]["content"] == entries
    chunks = dashscope.choices(text, **options)
    assert [e for c in chunks for e in c.get("logprobs", {}).get("content", [])] == (
        entries
    )
    assert "logprobs" not in client.send(text).json()["choices"][0]


def test_the_code_interpreter(client: OpenAIClient, dashscope: DashScopeClient) -> None:
    options: dict[str, Any] = {
        "model": "qwen3-max-preview",
        "enable_thinking": True,
        "enable_code_interpreter": True,
    }
    chunks = dashscope.chunks("What is 123 to the power of 21?", **options)
    info = [chunk["output"].get("tool_info") for chunk in chunks]
    first = next(i for i, entry in enumerate(info) if entry)
    assert 0 < first < len(info)
    code = {"code_interpreter": {"code": "123**21"}, "type": "code_interpreter"}
    assert info == [None] * first + [[code]] * (len(info) - first)
    assert chunks[-1]["usage"]["plugins"] == {"code_interpreter": {"count": 1}}
    assert "plugins" not in chunks[0]["usage"]
    text = "".join(c["output"]["choices"][0]["message"]["content"] for c in chunks)
    assert str(123**21) in text
    assert client.error("What is 2 + 2?", **options)[0] == 400
    assert client.deltas("What is 2 + 2?", **options)


@pytest.mark.parametrize(
    ("model", "cut"), [("deepseek-v4-pro", True), ("qwen3.7-plus", False)]
)
def test_max_tokens_counts_the_thinking_of_some_models(
    client: OpenAIClient, model: str, cut: bool
) -> None:
    text = "The tower has 330 m. How tall is the tower?"
    options = {"model": model, "enable_thinking": True, "max_tokens": 12}
    body = client.send(text, **options).json()
    choice, usage = body["choices"][0], body["usage"]
    thought = usage["completion_tokens_details"]["reasoning_tokens"]
    assert (thought == 12, choice["message"]["content"] == "") == (cut, cut)
    assert choice["finish_reason"] == ("length" if cut else "stop")


SPEECH = {"modalities": ["text", "audio"], "audio": {"voice": "Tina", "format": "wav"}}
OMNI = "qwen3-omni-flash"
TALL = "The tower has 330 m. How tall is the tower?"


def test_speech(client: OpenAIClient) -> None:
    chunks = client.chunks(
        TALL, model=OMNI, stream_options={"include_usage": True}, **SPEECH
    )
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    sounds = [delta["audio"] for delta in deltas if delta.get("audio")]
    assert "".join(sound.get("transcript", "") for sound in sounds) == (
        "The tower has 330 m."
    )
    assert len({sound["id"] for sound in sounds}) == 1
    pcm = b"".join(base64.b64decode(sound.get("data", "")) for sound in sounds)
    samples = memoryview(pcm).cast("h").tolist()
    assert 0.2 < len(samples) / 24_000 < 5
    assert 1_000 < max(samples) < 32_767
    details = chunks[-1]["usage"]["completion_tokens_details"]
    assert details["audio_tokens"] > 0


def test_speech_on_the_dashscope_protocol(dashscope: DashScopeClient) -> None:
    options: dict[str, Any] = {"model": OMNI, "path": MULTIMODAL, **SPEECH}
    messages = dashscope.messages(user([{"text": TALL}]), **options)
    parts = [part for message in messages for part in message["content"]]
    assert "".join(part.get("text", "") for part in parts) == "The tower has 330 m."
    sounds = [part["audio"] for part in parts if "audio" in part]
    assert all(base64.b64decode(sound["data"]) for sound in sounds)
    assert dashscope.chunks(user([{"text": TALL}]), **options)[-1]["usage"][
        "output_tokens_details"
    ]["audio_tokens"]


def test_speech_is_refused_where_it_cannot_be(client: OpenAIClient) -> None:
    assert client.error(TALL, model="qwen-plus", **SPEECH)[0] == 400
    assert client.error(TALL, model=OMNI, **SPEECH)[0] == 400  # no stream
    wrong = {**SPEECH, "audio": {"voice": "Tina", "format": "mp3"}}
    assert client.error(TALL, model=OMNI, stream=True, **wrong)[0] == 400


def test_cumulative_streams(client: OpenAIClient, dashscope: DashScopeClient) -> None:
    options: dict[str, Any] = {
        "model": "qwen-mt-plus",
        "translation_options": {"source_lang": "English", "target_lang": "Chinese"},
    }
    prompt = "The tower has 330 m and it is tall."
    body = {"messages": user(prompt), "stream": True, **options}
    response = client.post(body)
    events = response.text.split("\n\n")[:-2]
    texts = [
        json.loads(event.removeprefix("data: "))["choices"][0]["delta"]["content"]
        for event in events
    ]
    assert texts == sorted(texts, key=len)
    assert texts[-1] == prompt
    native = [m["content"] for m in dashscope.messages(prompt, **options)]
    assert native[-1] == prompt
    assert all(later.startswith(text) for text, later in pairwise(native))


IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
VIDEO = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}


def test_what_stands_beside_a_part(client: OpenAIClient) -> None:
    image = {**IMAGE, "min_pixels": 65_536, "max_pixels": 2_621_440}
    video = {**VIDEO, "fps": 2, "max_frames": 80, "total_pixels": 819_200_000}
    assert client.send(user([image, video])).status_code == 200
    wrong = [
        {**IMAGE, "min_pixels": "65536"},
        {**IMAGE, "max_pixels": -1},
        {**IMAGE, "enable_rotate": "yes"},
        {**VIDEO, "fps": "2"},
        {**VIDEO, "fps": 100},
        {**VIDEO, "fps": True},
    ]
    for part in wrong:
        assert client.error(user([part]))[0] == 400, part


def test_parts_beside_keys_on_the_dashscope_protocol(
    dashscope: DashScopeClient,
) -> None:
    options: dict[str, Any] = {"model": "qwen3.7-plus", "path": MULTIMODAL}
    image: dict[str, Any] = {"image": "https://example.com/a.png"}
    good = user([{**image, "min_pixels": 65_536}, {"text": "What?"}])
    assert dashscope.send(good, **options).status_code == 200
    assert dashscope.error(user([{**image, "fps": "2"}]), **options)[0] == 400


@pytest.mark.parametrize(
    "url", ["file:///etc/hosts", "/a.png", "a.png", "oss://a/b", ""]
)
def test_an_address_that_the_service_cannot_read(
    client: OpenAIClient, url: str
) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    assert client.error(user([part]))[0] == 400


def test_the_tokens_of_each_kind(
    client: OpenAIClient, dashscope: DashScopeClient
) -> None:
    text = {"type": "text", "text": "What?"}
    usage = client.send(user([IMAGE, VIDEO, text])).json()["usage"]
    details = usage["prompt_tokens_details"]
    kinds = [details[f"{kind}_tokens"] for kind in ("image", "text", "video")]
    assert sum(kinds) == usage["prompt_tokens"]
    parts = [{"image": "https://example.com/a.png"}, {"text": "What?"}]
    native = dashscope.send(user(parts), model="qwen3.7-plus", path=MULTIMODAL).json()
    assert native["usage"]["image_tokens"] == 256
    assert native["usage"]["input_tokens_details"]["image_tokens"] == 256


def test_text_in_images(dashscope: DashScopeClient) -> None:
    image = user([{"image": "https://example.com/a.png"}])
    options: dict[str, Any] = {"model": "qwen-vl-ocr-latest", "path": MULTIMODAL}
    task: dict[str, Any] = {"task": "advanced_recognition"}
    (choice,) = dashscope.output(image, ocr_options=task, **options)["choices"]
    text, result = choice["message"]["content"]
    words = result["ocr_result"]["words_info"]
    assert {*words[0]} == {"location", "rotate_rect", "text"}
    assert words[0]["text"] in text["text"]
    schema = {"result_schema": {"date": "the date", "bill": {"code": "a code"}}}
    task = {"task": "key_information_extraction", "task_config": schema}
    (choice,) = dashscope.output(image, ocr_options=task, **options)["choices"]
    _, result = choice["message"]["content"]
    assert result["ocr_result"]["kv_result"].keys() == {"date", "bill"}
    assert dashscope.error(image, ocr_options={"task": "x"}, **options)[0] == 400


def test_partial_mode_continues(client: OpenAIClient) -> None:
    messages = [
        *user(TALL),
        {"role": "assistant", "content": "The tower", "partial": True},
    ]
    content = client.message(messages, model="qwen3-coder-plus")["content"]
    assert content == "has 330 m."


def test_arguments_with_arrays_arrive_in_one_piece(client: OpenAIClient) -> None:
    cities = {"type": "array", "items": {"type": "string"}}
    options = parameters({"properties": {"cities": cities}})

    def pieces(**more: Any) -> list[str]:
        deltas = client.deltas(QUESTION, **options, **more)
        entries = [e for delta in deltas for e in delta.get("tool_calls", ())]
        return [
            e["function"]["arguments"] for e in entries if e["function"]["arguments"]
        ]

    assert pieces() == ['{"cities": ["Oslo"]}']
    assert len(pieces(tool_stream=True)) > 1


# --- Endpoints ------------------------------------------------------------------------


def test_models(client: OpenAIClient) -> None:
    get, base, headers = client.http.get, client.studio.base_url, client.headers
    url = f"{base}/compatible-mode/v1/models"
    assert get(f"{url}/qwen-plus", headers=headers).json()["id"] == "qwen-plus"
    assert get(f"{url}/ZHIPU/GLM-5.3", headers=headers).json()["id"] == "ZHIPU/GLM-5.3"
    missing = get(f"{url}/no-such-model", headers=headers)
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "model_not_found"
    assert get(f"{url}/qwen-plus").status_code == 401
    url = f"{base}/api/v1/models"
    page = get(url, params={"page_no": 2, "page_size": 5}, headers=headers).json()
    assert len(page["output"]["models"]) == 5
    assert page["output"]["total"] > 100
    one = get(url, params={"model": "qwen-plus"}, headers=headers).json()["output"]
    assert [entry["model"] for entry in one["models"]] == ["qwen-plus"]
    odd = {"page_no": "-1", "page_size": "x" * 500}
    assert get(url, params=odd, headers=headers).status_code == 200


def test_many_clients_at_once(client: OpenAIClient) -> None:
    """Odd bodies do not disturb the answers of others."""

    async def run() -> list[int]:
        body = {"model": "qwen-plus", "messages": user("Hi")}
        odd = {**body, "tools": [{"type": "function"}]}
        async with httpx.AsyncClient(headers=client.headers, timeout=60) as http:
            answers = [http.post(client.url, json=b) for b in [body, odd] * 25]
            return [response.status_code for response in await asyncio.gather(*answers)]

    assert asyncio.run(run()) == [200, 400] * 25
