"""Known bugs of other integrations: each docstring describes the bug."""

import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

import langchain_modelstudio
from langchain_modelstudio import ChatModelStudio
from langchain_modelstudio._chat.profile import to_profile
from modelstudio_core.catalog import ChatProfile, resolve_model, resolve_model_as
from modelstudio_core.emulator import Emulator, Fault, Reply, ToolCall
from modelstudio_core.errors import (
    AuthenticationError,
    ContextOverflowError,
    ModelStudioError,
    RateLimitError,
)
from tests.langchain.support import (
    add,
    both_protocols,
    messages,
    model,
    never_blocking,
    parameters,
    state,
    v3_is_beta,
    without_index,
)

# --- The four methods -------------------------------------------------------------


async def invoke(llm: Any) -> AIMessage:
    return llm.invoke("Hi")  # type: ignore[no-any-return]


async def ainvoke(llm: Any) -> AIMessage:
    with never_blocking():
        return await llm.ainvoke("Hi")  # type: ignore[no-any-return]


async def stream(llm: Any) -> AIMessage:
    return add(llm.stream("Hi"))


async def astream(llm: Any) -> AIMessage:
    with never_blocking():
        return add([chunk async for chunk in llm.astream("Hi")])


Method = Callable[[Any], Coroutine[Any, Any, AIMessage]]
METHODS: list[Method] = [invoke, ainvoke, stream, astream]
all_methods = pytest.mark.parametrize(
    "method", METHODS, ids=lambda method: method.__name__
)


def call_delta(
    call: int, call_id: str, name: str, arguments: str | None
) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    entry = {"index": call, "id": call_id, "type": "function", "function": function}
    return {"role": "assistant", "content": "", "tool_calls": [entry]}


# --- Content blocks ---------------------------------------------------------------

# Later deltas have an empty id and an empty name, as the service sends them.
FOUR_BLOCKS = Reply(
    deltas=[
        {"role": "assistant", "content": "", "reasoning_content": "Two "},
        {"role": "assistant", "content": "", "reasoning_content": "tools."},
        {"role": "assistant", "content": "Look", "reasoning_content": ""},
        {"role": "assistant", "content": "ing.", "reasoning_content": ""},
        call_delta(0, "call_a", "weather", ""),
        call_delta(0, "", "", '{"city": '),
        call_delta(1, "call_b", "clock", ""),
        call_delta(0, "", "", '"Oslo"}'),
        call_delta(1, "", "", None),
    ],
    finish_reason="tool_calls",
)


@both_protocols
@v3_is_beta
@pytest.mark.parametrize("output_version", ["v0", "v1", "v3"])
def test_reasoning_text_and_two_calls_are_four_blocks(
    modelstudio_emulator: Emulator, output_version: str, protocol: str
) -> None:
    """Others merge reasoning with a call in v1, and lose the call's id in v3."""
    v3 = output_version == "v3"
    llm = model(
        modelstudio_emulator,
        protocol=protocol,
        output_version="v1" if v3 else output_version,
    )
    modelstudio_emulator.script(FOUR_BLOCKS)
    message: AIMessage = (
        llm.stream_events("Hi", version="v3").output
        if v3
        else add(list(llm.stream("Hi")))
    )
    expected = [
        {"type": "reasoning", "reasoning": "Two tools."},
        {"type": "text", "text": "Looking."},
        {
            "type": "tool_call",
            "name": "weather",
            "args": {"city": "Oslo"},
            "id": "call_a",
        },
        {"type": "tool_call", "name": "clock", "args": {}, "id": "call_b"},
    ]
    assert without_index(message.content_blocks) == expected
    assert [call["id"] for call in message.tool_calls] == ["call_a", "call_b"]
    if output_version != "v0":
        assert without_index(message.content) == expected


@both_protocols
@v3_is_beta
@pytest.mark.parametrize("output_version", ["v0", "v1", "v3"])
def test_empty_reasoning_does_not_split_the_text(
    modelstudio_emulator: Emulator, output_version: str, protocol: str
) -> None:
    """Others make a block of empty reasoning, which splits the text in two."""
    deltas = [
        {"role": "assistant", "content": "", "reasoning_content": ""},
        {"role": "assistant", "content": "Hel", "reasoning_content": "Hm."},
        {"role": "assistant", "content": "lo", "reasoning_content": ""},
    ]
    v3 = output_version == "v3"
    llm = model(
        modelstudio_emulator, protocol=protocol, output_version="v1" if v3 else "v0"
    )
    modelstudio_emulator.script(Reply(deltas=deltas, finish_reason="stop"))
    message: AIMessage = (
        llm.stream_events("Hi", version="v3").output
        if v3
        else add(list(llm.stream("Hi")))
    )
    assert without_index(message.content_blocks) == [
        {"type": "reasoning", "reasoning": "Hm."},
        {"type": "text", "text": "Hello"},
    ]


def test_chunks_without_choices_are_ignored(modelstudio_emulator: Emulator) -> None:
    """Others raise IndexError for a chunk without choices."""

    def chunk(*choices: dict[str, Any]) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "choices": list(choices), "usage": None}

    answer = {"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    chunks = [chunk(), chunk(answer), chunk(), chunk(end), chunk()]
    modelstudio_emulator.script(Reply(raw_chunks=chunks))
    assert add(list(model(modelstudio_emulator).stream("Hi"))).text == "Hello"


@both_protocols
@all_methods
async def test_an_answer_without_reasoning_has_no_key_for_it(
    modelstudio_emulator: Emulator, method: Method, protocol: str
) -> None:
    """Others set ``reasoning_content`` to None or an empty string."""
    modelstudio_emulator.script(Reply(text="Hello"))
    message = await method(model(modelstudio_emulator, protocol=protocol))
    assert message.additional_kwargs == {}
    assert [block["type"] for block in message.content_blocks] == ["text"]


@both_protocols
def test_each_of_several_answers_has_its_reasoning(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Others keep the reasoning of the first answer only."""
    modelstudio_emulator.script(Reply(reasoning="Hm.", text="Hello"))
    llm = model(modelstudio_emulator, protocol=protocol, n=2)
    (generations,) = llm.generate([[HumanMessage("Hi")]]).generations
    reasoning = [generation.message.additional_kwargs for generation in generations]  # type: ignore[union-attr]
    assert reasoning == [{"reasoning_content": "Hm."}] * 2


# --- Deltas -----------------------------------------------------------------------


@both_protocols
def test_repeated_deltas_are_kept(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Other integrations drop repeated deltas: "haha 111" becomes "ha 1"."""
    pieces = ["ha", "ha", " 1", "1", "1", " ha"]
    modelstudio_emulator.script(Reply(pieces=pieces))
    llm = model(modelstudio_emulator, protocol=protocol)
    chunks = [chunk.text for chunk in llm.stream("Hi") if chunk.text]
    assert chunks == pieces


@both_protocols
@all_methods
async def test_argument_deltas_are_joined_without_repairs(
    modelstudio_emulator: Emulator, method: Method, protocol: str
) -> None:
    """Others repair each delta that ends in a brace: 3 becomes an empty string."""
    pieces = ['{"x": ', "3}"]
    nested = ['{"a": {"b": 1}', ', "c": "}"}']
    calls = [
        ToolCall("f", id="call_a", pieces=pieces),
        ToolCall("f", id="call_b", pieces=nested),
    ]
    modelstudio_emulator.script(Reply(tool_calls=calls))
    message = await method(model(modelstudio_emulator, protocol=protocol))
    assert [call["args"] for call in message.tool_calls] == [
        {"x": 3},
        {"a": {"b": 1}, "c": "}"},
    ]
    assert message.invalid_tool_calls == []


@both_protocols
@pytest.mark.parametrize("arguments", ["[1]", "3", '{"a": tru', "null"])
@pytest.mark.parametrize(
    "method", [invoke, ainvoke], ids=lambda method: method.__name__
)
async def test_an_invalid_call_is_one_invalid_call(
    modelstudio_emulator: Emulator, arguments: str, method: Method, protocol: str
) -> None:
    """Others return two calls or raise ValidationError, or repair it in sync only."""
    reply = Reply(tool_calls=[ToolCall("f", arguments, id="call_a")])
    modelstudio_emulator.script(reply)
    message = await method(model(modelstudio_emulator, protocol=protocol))
    assert message.tool_calls == []
    (invalid,) = message.invalid_tool_calls
    assert (invalid["id"], invalid["args"]) == ("call_a", arguments)


def test_calls_without_an_index_are_kept(modelstudio_emulator: Emulator) -> None:
    """Others silently drop a call's delta without an index."""
    deltas = [call_delta(0, "call_a", "f", '{"x": '), call_delta(0, "call_a", "", "3}")]
    for delta in deltas:
        del delta["tool_calls"][0]["index"]
    modelstudio_emulator.script(Reply(deltas=deltas, finish_reason="tool_calls"))
    message = add(list(model(modelstudio_emulator).stream("Hi")))
    (call,) = message.tool_calls
    assert (call["id"], call["args"]) == ("call_a", {"x": 3})


@both_protocols
def test_reasoning_is_streamed_with_a_response_format(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Others yield all reasoning in one chunk at the end."""
    reply = Reply(reasoning="One two three four five.", text='{"answer": 42}')
    modelstudio_emulator.script(reply)
    llm = model(modelstudio_emulator, protocol=protocol, enable_thinking=True)
    stream = llm.stream("JSON?", response_format={"type": "json_object"})
    chunks = [chunk for chunk in stream if isinstance(chunk, AIMessageChunk)]
    kinds = [
        "reasoning" if chunk.additional_kwargs else "text"
        for chunk in chunks
        if chunk.additional_kwargs or chunk.text
    ]
    assert kinds.count("reasoning") > 1
    assert kinds == sorted(kinds)
    metadata = add(chunks).response_metadata
    assert metadata["model_provider"] == "modelstudio"
    assert metadata["request_id"]


def test_stream_streams_unless_streaming_is_false(
    modelstudio_emulator: Emulator,
) -> None:
    """Others set ``streaming`` in a validator, so that ``stream`` is ``invoke``."""
    llm = model(modelstudio_emulator)
    assert "streaming" not in llm.model_fields_set
    modelstudio_emulator.script(*[Reply(pieces=["a", "b", "c"])] * 3)
    assert len([chunk for chunk in llm.stream("Hi") if chunk.text]) == 3
    list(model(modelstudio_emulator, streaming=False).stream("Hi"))
    model(modelstudio_emulator, streaming=True).invoke("Hi")
    streams = [request.body["stream"] for request in modelstudio_emulator.requests]
    assert streams == [True, False, True]


# --- Requests and state -----------------------------------------------------------


class Report(BaseModel):
    """A report."""

    city: str


@both_protocols
def test_structured_output_does_not_change_the_model(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Others switch off the thinking of the shared model permanently."""
    llm = model(modelstudio_emulator, protocol=protocol, enable_thinking=True)
    twin = model(modelstudio_emulator, protocol=protocol, enable_thinking=True)
    before = state(llm)
    modelstudio_emulator.script(
        Reply(tool_calls=[ToolCall("Report", {"city": "Oslo"})]), Reply(text="Hello")
    )
    assert llm.with_structured_output(Report).invoke("Hi") == Report(city="Oslo")
    llm.invoke("Hi")
    structured, plain = map(parameters, modelstudio_emulator.requests)
    assert (structured["enable_thinking"], plain["enable_thinking"]) == (False, True)
    assert state(llm) == before
    assert llm == twin


@both_protocols
def test_no_unrequested_parameter_is_sent(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Others always send ``top_p=0.8`` and ``parallel_tool_calls=True``."""
    modelstudio_emulator.script(*[Reply(text="Hello")] * 2)
    llm = model(modelstudio_emulator, protocol=protocol)
    llm.invoke("Hi")
    llm.bind_tools([tool(report)]).invoke("Hi")
    plain, with_tools = map(parameters, modelstudio_emulator.requests)
    assert plain == {"enable_thinking": True}
    assert set(with_tools) == {"enable_thinking", "tools"}


def report(city: str) -> str:
    """Report of a city."""
    return city


@both_protocols
@all_methods
async def test_requested_parameters_are_sent(
    modelstudio_emulator: Emulator, method: Method, protocol: str
) -> None:
    """Others silently ignore ``temperature`` and ``max_tokens``."""
    modelstudio_emulator.script(Reply(text="Hello"))
    options = {"temperature": 0.2, "max_tokens": 9, "seed": 7, "stop": ["x"]}
    await method(model(modelstudio_emulator, protocol=protocol, **options))
    (body,) = map(parameters, modelstudio_emulator.requests)
    assert body == {**options, "enable_thinking": True}


@both_protocols
@all_methods
async def test_a_call_can_set_thinking_arguments(
    modelstudio_emulator: Emulator, method: Method, protocol: str
) -> None:
    """Others raise TypeError for a thinking argument of a call."""
    llm = model(modelstudio_emulator, protocol=protocol)
    for call in (
        {"enable_thinking": False},
        {"thinking_budget": 512},
        {"model": "deepseek-v4-pro", "reasoning_effort": "max"},
    ):
        modelstudio_emulator.script(Reply(text="Hello"))
        await method(llm.bind(**call))
    off, little, other = modelstudio_emulator.requests
    assert parameters(off) == {"enable_thinking": False}
    assert parameters(little) == {"enable_thinking": True, "thinking_budget": 512}
    assert parameters(other) == {"enable_thinking": True, "reasoning_effort": "max"}
    assert other.body["model"] == "deepseek-v4-pro"
    assert messages(other) == [{"role": "user", "content": "Hi"}]


@both_protocols
@all_methods
async def test_an_answer_names_the_model_and_the_request(
    modelstudio_emulator: Emulator, method: Method, protocol: str
) -> None:
    """Others name the configured model and lose the id of an aggregated answer."""
    modelstudio_emulator.script(Reply(text="Hello"))
    llm = model(modelstudio_emulator, protocol=protocol)
    message = await method(llm.bind(model="qwen-plus"))
    assert message.response_metadata["model_name"] == "qwen-plus"
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["request_id"]
    assert message.id


def test_the_provider_has_one_name(modelstudio_emulator: Emulator) -> None:
    """Others use two names, so that reported token counts are ignored."""
    modelstudio_emulator.script(Reply(text="Hello"))
    llm = model(modelstudio_emulator)
    provider = llm.invoke("Hi").response_metadata["model_provider"]
    assert llm._get_ls_params().get("ls_provider") == provider == "modelstudio"


def test_the_version_is_that_of_the_distribution() -> None:
    """Another's ``__version__`` is 1.0.0 in release 0.3.5."""
    installed = version("modelstudio-integrations")
    assert langchain_modelstudio.__version__ == installed
    llm = ChatModelStudio(model="qwen-plus", api_key="k")
    assert llm.metadata is not None
    assert installed in llm.metadata["lc_versions"].values()


def test_a_profile_claims_schemas_with_tools_only_where_known() -> None:
    """Others do, and agents send what the service rejects."""
    for name in ("deepseek-v4-pro", "qwen3.7-plus", "qwen-plus", "glm-5.3"):
        profile: Any = to_profile(resolve_model(name))
        assert profile["structured_output"] is False
    takes_both = replace(
        resolve_model_as(ChatProfile, "qwen3.8-max"),
        id="both",
        structured_output_with_tools=True,
    )
    profile = to_profile(takes_both)
    assert profile["structured_output"] is True
    assert to_profile(resolve_model("a-model-of-tomorrow")) is None


# --- Usage ------------------------------------------------------------------------

COUNTED = {
    "prompt_tokens": 300,
    "completion_tokens": 50,
    "input_tokens": 300,
    "output_tokens": 50,
    "total_tokens": 350,
    "prompt_tokens_details": {
        "cached_tokens": 256,
        "cache_creation_input_tokens": 20,
    },
    "completion_tokens_details": {"reasoning_tokens": 30},
    "output_tokens_details": {"reasoning_tokens": 30},
}


@both_protocols
@all_methods
async def test_usage_is_complete_for_every_method(
    modelstudio_emulator: Emulator, method: Method, protocol: str
) -> None:
    """Others report no usage for streams, and no cached tokens."""
    modelstudio_emulator.script(Reply(reasoning="Hm.", text="Hello", usage=COUNTED))
    message = await method(model(modelstudio_emulator, protocol=protocol))
    assert message.usage_metadata == {
        "input_tokens": 300,
        "output_tokens": 50,
        "total_tokens": 350,
        "input_token_details": {"cache_read": 256, "cache_creation": 20},
        "output_token_details": {"reasoning": 30},
    }


# --- Errors -----------------------------------------------------------------------


class Errors(BaseCallbackHandler):
    """Collects the responses that a tracer receives with errors."""

    def __init__(self) -> None:
        """Create an empty list."""
        self.responses: list[Any] = []

    def on_llm_error(self, *_: Any, **kwargs: Any) -> None:
        """Append a response."""
        self.responses.append(kwargs["response"])


REFUSED: list[tuple[Fault, type[ModelStudioError], bool, str]] = [
    (
        Fault(
            status=400,
            code="invalid_parameter_error",
            message="Range of input length should be [1, 9]",
        ),
        ContextOverflowError,
        False,
        "input length",
    ),
    (
        Fault(status=429, code="limit_requests", message="Too many requests."),
        RateLimitError,
        True,
        "Too many",
    ),
    (
        Fault(status=401, code="invalid_api_key", message="Incorrect API key."),
        AuthenticationError,
        False,
        "us-east-1",
    ),
]


@both_protocols
@all_methods
@pytest.mark.parametrize(("fault", "cls", "retryable", "words"), REFUSED)
async def test_an_error_has_the_request_id_for_users_and_tracers(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    fault: Fault,
    cls: type[ModelStudioError],
    retryable: bool,
    words: str,
    method: Method,
    protocol: str,
) -> None:
    """Others raise KeyError: 'request', and tracers get no request id."""
    modelstudio_emulator.script(fault)
    llm = model(modelstudio_emulator, protocol=protocol, region="virginia")
    errors = Errors()
    with pytest.raises(cls, match=words) as caught:
        await method(llm.with_config(callbacks=[errors]))
    assert caught.value.request_id
    assert caught.value.is_retryable is retryable
    (response,) = errors.responses
    traced: Any = response.generations[0]
    if isinstance(traced, list):
        (traced,) = traced
    metadata = traced.message.response_metadata
    assert metadata["request_id"] == caught.value.request_id
    assert metadata["status_code"] == fault.status


@all_methods
async def test_an_answer_that_is_not_json_is_an_error_of_the_package(
    modelstudio_emulator: Emulator, method: Method
) -> None:
    """Others raise a bare JSONDecodeError from async methods."""
    page = Reply(raw_body=b"<html>Bad gateway</html>", content_type="text/html")
    modelstudio_emulator.script(page)
    with pytest.raises(ModelStudioError) as caught:
        await method(model(modelstudio_emulator))
    assert not isinstance(caught.value, json.JSONDecodeError)


# --- Speed ------------------------------------------------------------------------


@both_protocols
async def test_async_methods_do_not_block_the_event_loop(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Others block the event loop with token counting and client construction."""
    llm = model(modelstudio_emulator, protocol=protocol)
    modelstudio_emulator.script(*[Reply(reasoning="Hm.", text="Hello")] * 5)
    with never_blocking():
        assert (await llm.ainvoke("Hi")).text == "Hello"
        assert len(await llm.abatch(["a", "b"])) == 2
        assert add([chunk async for chunk in llm.astream("Hi")]).text == "Hello"
        events: AsyncIterator[Any] = llm.astream_events("Hi", version="v2")
        kinds = {event["event"] async for event in events}
        assert llm.get_num_tokens("Hello") == 2
    assert "on_chat_model_stream" in kinds
    assert len(modelstudio_emulator.requests) == 5


def test_a_model_is_constructed_in_less_than_a_millisecond() -> None:
    """Others create two HTTP clients and SSL contexts per model, in 36 ms."""

    def seconds() -> float:
        start = time.perf_counter()
        ChatModelStudio(model="qwen3.7-plus", api_key="k")
        return time.perf_counter() - start

    assert min(seconds() for _ in range(50)) < 0.001
