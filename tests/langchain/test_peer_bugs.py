"""What goes wrong with other integrations, one test each; the docstring says what."""

import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.ai import add_ai_message_chunks
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
from tests.langchain.asking import (
    PROTOCOLS,
    messages,
    model,
    never_blocking,
    parameters,
    state,
)

both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
v3_is_beta = pytest.mark.filterwarnings("ignore:.*is in beta")

# --- Four ways of asking ----------------------------------------------------------


async def whole(llm: Any) -> AIMessage:
    return llm.invoke("Hi")  # type: ignore[no-any-return]


async def async_whole(llm: Any) -> AIMessage:
    with never_blocking():
        return await llm.ainvoke("Hi")  # type: ignore[no-any-return]


async def streamed(llm: Any) -> AIMessage:
    return add(list(llm.stream("Hi")))


async def async_streamed(llm: Any) -> AIMessage:
    with never_blocking():
        return add([it async for it in llm.astream("Hi")])


def add(chunks: list[Any]) -> AIMessage:
    first, *rest = chunks
    return add_ai_message_chunks(first, *rest)


Way = Callable[[Any], Coroutine[Any, Any, AIMessage]]
WAYS: list[Way] = [whole, async_whole, streamed, async_streamed]
all_ways = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def without_index(blocks: Any) -> list[dict[str, Any]]:
    return [{k: v for k, v in it.items() if k != "index"} for it in blocks]


def piece(call: int, call_id: str, name: str, arguments: str | None) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    entry = {"index": call, "id": call_id, "type": "function", "function": function}
    return {"role": "assistant", "content": "", "tool_calls": [entry]}


# --- Content blocks ---------------------------------------------------------------

# Later pieces have an empty id and an empty name, as the service sends them.
FOUR_BLOCKS = Reply(
    deltas=[
        {"role": "assistant", "content": "", "reasoning_content": "Two "},
        {"role": "assistant", "content": "", "reasoning_content": "tools."},
        {"role": "assistant", "content": "Look", "reasoning_content": ""},
        {"role": "assistant", "content": "ing.", "reasoning_content": ""},
        piece(0, "call_a", "weather", ""),
        piece(0, "", "", '{"city": '),
        piece(1, "call_b", "clock", ""),
        piece(0, "", "", '"Oslo"}'),
        piece(1, "", "", None),
    ],
    finish_reason="tool_calls",
)


@both_protocols
@v3_is_beta
@pytest.mark.parametrize("output_version", ["v0", "v1", "v3"])
def test_reasoning_text_and_two_calls_are_four_blocks(
    modelstudio_emulator: Emulator, output_version: str, protocol: str
) -> None:
    """Elsewhere v1 merges the reasoning with a call, and v3 loses the call's id."""
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
    wanted = [
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
    assert without_index(message.content_blocks) == wanted
    assert [it["id"] for it in message.tool_calls] == ["call_a", "call_b"]
    if output_version != "v0":
        assert without_index(message.content) == wanted


@both_protocols
@v3_is_beta
@pytest.mark.parametrize("output_version", ["v0", "v1", "v3"])
def test_a_chunk_with_both_and_an_empty_one_split_no_text(
    modelstudio_emulator: Emulator, output_version: str, protocol: str
) -> None:
    """Elsewhere an empty reasoning is a block, and splits the text around it in two."""
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


def test_chunks_without_choices_are_borne(modelstudio_emulator: Emulator) -> None:
    """Elsewhere a chunk whose list of choices is empty is an IndexError."""

    def chunk(*choices: dict[str, Any]) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "choices": list(choices), "usage": None}

    answer = {"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    chunks = [chunk(), chunk(answer), chunk(), chunk(end), chunk()]
    modelstudio_emulator.script(Reply(raw_chunks=chunks))
    assert add(list(model(modelstudio_emulator).stream("Hi"))).text == "Hello"


@both_protocols
@all_ways
async def test_no_reasoning_leaves_no_key(
    modelstudio_emulator: Emulator, way: Way, protocol: str
) -> None:
    """Elsewhere a message keeps ``reasoning_content`` as None or an empty text."""
    modelstudio_emulator.script(Reply(text="Hello"))
    message = await way(model(modelstudio_emulator, protocol=protocol))
    assert message.additional_kwargs == {}
    assert [it["type"] for it in message.content_blocks] == ["text"]


@both_protocols
def test_each_of_several_answers_has_its_reasoning(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Elsewhere only the first of several answers keeps what was thought."""
    modelstudio_emulator.script(Reply(reasoning="Hm.", text="Hello"))
    llm = model(modelstudio_emulator, protocol=protocol, n=2)
    (generations,) = llm.generate([[HumanMessage("Hi")]]).generations
    kept = [it.message.additional_kwargs for it in generations]  # type: ignore[union-attr]
    assert kept == [{"reasoning_content": "Hm."}] * 2


# --- Deltas -----------------------------------------------------------------------


@both_protocols
def test_pieces_that_repeat_are_all_kept(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Elsewhere a piece that was said before is cut out: "haha 111" is "ha 1"."""
    pieces = ["ha", "ha", " 1", "1", "1", " ha"]
    modelstudio_emulator.script(Reply(pieces=pieces))
    llm = model(modelstudio_emulator, protocol=protocol)
    chunks = [it.text for it in llm.stream("Hi") if it.text]
    assert chunks == pieces


@both_protocols
@all_ways
async def test_arguments_in_pieces_are_put_together_unmended(
    modelstudio_emulator: Emulator, way: Way, protocol: str
) -> None:
    """Elsewhere each piece that ends in a brace is mended: 3 becomes an empty text."""
    pieces = ['{"x": ', "3}"]
    nested = ['{"a": {"b": 1}', ', "c": "}"}']
    calls = [
        ToolCall("f", id="call_a", pieces=pieces),
        ToolCall("f", id="call_b", pieces=nested),
    ]
    modelstudio_emulator.script(Reply(tool_calls=calls))
    message = await way(model(modelstudio_emulator, protocol=protocol))
    assert [it["args"] for it in message.tool_calls] == [
        {"x": 3},
        {"a": {"b": 1}, "c": "}"},
    ]
    assert message.invalid_tool_calls == []


@both_protocols
@pytest.mark.parametrize("arguments", ["[1]", "3", '{"a": tru', "null"])
@pytest.mark.parametrize("way", [whole, async_whole], ids=lambda way: way.__name__)
async def test_one_invalid_call_is_one_whatever_it_holds(
    modelstudio_emulator: Emulator, arguments: str, way: Way, protocol: str
) -> None:
    """Elsewhere it becomes two, or a ValidationError, and only in sync is it mended."""
    reply = Reply(tool_calls=[ToolCall("f", arguments, id="call_a")])
    modelstudio_emulator.script(reply)
    message = await way(model(modelstudio_emulator, protocol=protocol))
    assert message.tool_calls == []
    (invalid,) = message.invalid_tool_calls
    assert (invalid["id"], invalid["args"]) == ("call_a", arguments)


def test_calls_without_an_index_are_kept(modelstudio_emulator: Emulator) -> None:
    """Elsewhere a piece of a call that has no index is dropped without a word."""
    deltas = [piece(0, "call_a", "f", '{"x": '), piece(0, "call_a", "", "3}")]
    for delta in deltas:
        del delta["tool_calls"][0]["index"]
    modelstudio_emulator.script(Reply(deltas=deltas, finish_reason="tool_calls"))
    message = add(list(model(modelstudio_emulator).stream("Hi")))
    (call,) = message.tool_calls
    assert (call["id"], call["args"]) == ("call_a", {"x": 3})


@both_protocols
def test_reasoning_streams_live_beside_a_response_format(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Elsewhere a format makes reasoning come in one lump, after everything else."""
    reply = Reply(reasoning="One two three four five.", text='{"answer": 42}')
    modelstudio_emulator.script(reply)
    llm = model(modelstudio_emulator, protocol=protocol, enable_thinking=True)
    stream = llm.stream("JSON?", response_format={"type": "json_object"})
    chunks = [it for it in stream if isinstance(it, AIMessageChunk)]
    kinds = [
        "reasoning" if it.additional_kwargs else "text"
        for it in chunks
        if it.additional_kwargs or it.text
    ]
    assert kinds.count("reasoning") > 1
    assert kinds == sorted(kinds)
    metadata = add(chunks).response_metadata
    assert metadata["model_provider"] == "modelstudio"
    assert metadata["request_id"]


def test_a_stream_streams_unless_told_otherwise(
    modelstudio_emulator: Emulator,
) -> None:
    """Elsewhere a validator sets ``streaming``, and ``stream`` is ``invoke``."""
    llm = model(modelstudio_emulator)
    assert "streaming" not in llm.model_fields_set
    modelstudio_emulator.script(*[Reply(pieces=["a", "b", "c"])] * 3)
    assert len([it for it in llm.stream("Hi") if it.text]) == 3
    list(model(modelstudio_emulator, streaming=False).stream("Hi"))
    model(modelstudio_emulator, streaming=True).invoke("Hi")
    asked = [it.body["stream"] for it in modelstudio_emulator.requests]
    assert asked == [True, False, True]


# --- What is sent, and what is remembered -----------------------------------------


class Report(BaseModel):
    """A report."""

    city: str


@both_protocols
def test_asking_for_a_schema_leaves_the_model_thinking(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Elsewhere it switches the shared model's thinking off for good."""
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
def test_nothing_is_sent_that_nobody_asked_for(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Elsewhere ``top_p=0.8`` and ``parallel_tool_calls=True`` come with each call."""
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
@all_ways
async def test_what_was_asked_for_is_sent(
    modelstudio_emulator: Emulator, way: Way, protocol: str
) -> None:
    """Elsewhere ``temperature`` and ``max_tokens`` are ignored without a word."""
    modelstudio_emulator.script(Reply(text="Hello"))
    asked = {"temperature": 0.2, "max_tokens": 9, "seed": 7, "stop": ["x"]}
    await way(model(modelstudio_emulator, protocol=protocol, **asked))
    (body,) = map(parameters, modelstudio_emulator.requests)
    assert body == {**asked, "enable_thinking": True}


@both_protocols
@all_ways
async def test_a_call_may_say_how_to_think(
    modelstudio_emulator: Emulator, way: Way, protocol: str
) -> None:
    """Elsewhere an argument of thinking in a call is a TypeError."""
    llm = model(modelstudio_emulator, protocol=protocol)
    for call in (
        {"enable_thinking": False},
        {"thinking_budget": 512},
        {"model": "deepseek-v4-pro", "reasoning_effort": "max"},
    ):
        modelstudio_emulator.script(Reply(text="Hello"))
        await way(llm.bind(**call))
    off, little, other = modelstudio_emulator.requests
    assert parameters(off) == {"enable_thinking": False}
    assert parameters(little) == {"enable_thinking": True, "thinking_budget": 512}
    assert parameters(other) == {"enable_thinking": True, "reasoning_effort": "max"}
    assert other.body["model"] == "deepseek-v4-pro"
    assert messages(other) == [{"role": "user", "content": "Hi"}]


@both_protocols
@all_ways
async def test_an_answer_names_the_model_and_the_request(
    modelstudio_emulator: Emulator, way: Way, protocol: str
) -> None:
    """Elsewhere an aggregated answer names the configured model and loses its id."""
    modelstudio_emulator.script(Reply(text="Hello"))
    llm = model(modelstudio_emulator, protocol=protocol)
    message = await way(llm.bind(model="qwen-plus"))
    assert message.response_metadata["model_name"] == "qwen-plus"
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["request_id"]
    assert message.id


def test_the_provider_has_one_name(modelstudio_emulator: Emulator) -> None:
    """Elsewhere traces and messages name two, and reported token counts are ignored."""
    modelstudio_emulator.script(Reply(text="Hello"))
    llm = model(modelstudio_emulator)
    provider = llm.invoke("Hi").response_metadata["model_provider"]
    assert llm._get_ls_params().get("ls_provider") == provider == "modelstudio"


def test_the_version_is_that_of_the_distribution() -> None:
    """Elsewhere ``__version__`` says 1.0.0 in release 0.3.5."""
    installed = version("modelstudio-integrations")
    assert langchain_modelstudio.__version__ == installed
    llm = ChatModelStudio(model="qwen-plus", api_key="k")
    assert llm.metadata is not None
    assert installed in llm.metadata["lc_versions"].values()


def test_no_profile_promises_a_schema_beside_tools_that_is_not_known() -> None:
    """Elsewhere it does, and agents send what the service refuses."""
    for name in ("deepseek-v4-pro", "qwen3.7-plus", "qwen-plus", "glm-5.3"):
        profile: Any = to_profile(resolve_model(name))
        assert profile["structured_output"] is False
    takes_both = replace(
        resolve_model_as(ChatProfile, "qwen-max"),
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
@all_ways
async def test_usage_is_whole_however_one_asks(
    modelstudio_emulator: Emulator, way: Way, protocol: str
) -> None:
    """Elsewhere streams have none, and what the cache saved is nowhere."""
    modelstudio_emulator.script(Reply(reasoning="Hm.", text="Hello", usage=COUNTED))
    message = await way(model(modelstudio_emulator, protocol=protocol))
    assert message.usage_metadata == {
        "input_tokens": 300,
        "output_tokens": 50,
        "total_tokens": 350,
        "input_token_details": {"cache_read": 256, "cache_creation": 20},
        "output_token_details": {"reasoning": 30},
    }


# --- Errors -----------------------------------------------------------------------


class Errors(BaseCallbackHandler):
    """Keeps what a tracer is told of errors."""

    def __init__(self) -> None:
        """Begin with none."""
        self.responses: list[Any] = []

    def on_llm_error(self, *_: Any, **told: Any) -> None:
        """Keep one."""
        self.responses.append(told["response"])


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
@all_ways
@pytest.mark.parametrize(("fault", "cls", "retryable", "words"), REFUSED)
async def test_a_refusal_is_told_with_its_request(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    fault: Fault,
    cls: type[ModelStudioError],
    retryable: bool,
    words: str,
    way: Way,
    protocol: str,
) -> None:
    """Elsewhere it is a KeyError 'request', and tracers never learn its id."""
    modelstudio_emulator.script(fault)
    llm = model(modelstudio_emulator, protocol=protocol, region="virginia")
    errors = Errors()
    with pytest.raises(cls, match=words) as caught:
        await way(llm.with_config(callbacks=[errors]))
    assert caught.value.request_id
    assert caught.value.is_retryable is retryable
    (response,) = errors.responses
    traced: Any = response.generations[0]
    if isinstance(traced, list):
        (traced,) = traced
    metadata = traced.message.response_metadata
    assert metadata["request_id"] == caught.value.request_id
    assert metadata["status_code"] == fault.status


@all_ways
async def test_an_answer_that_is_no_json_is_our_error_in_each_colour(
    modelstudio_emulator: Emulator, way: Way
) -> None:
    """Elsewhere sync alone explains it, and async raises a bare JSONDecodeError."""
    page = Reply(raw_body=b"<html>Bad gateway</html>", content_type="text/html")
    modelstudio_emulator.script(page)
    with pytest.raises(ModelStudioError) as caught:
        await way(model(modelstudio_emulator))
    assert not isinstance(caught.value, json.JSONDecodeError)


# --- Cost -------------------------------------------------------------------------


@both_protocols
async def test_async_paths_do_not_block_the_loop(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    """Elsewhere token counting and clients block the event loop of an async server."""
    llm = model(modelstudio_emulator, protocol=protocol)
    modelstudio_emulator.script(*[Reply(reasoning="Hm.", text="Hello")] * 5)
    with never_blocking():
        assert (await llm.ainvoke("Hi")).text == "Hello"
        assert len(await llm.abatch(["a", "b"])) == 2
        assert add([it async for it in llm.astream("Hi")]).text == "Hello"
        events: AsyncIterator[Any] = llm.astream_events("Hi", version="v2")
        kinds = {it["event"] async for it in events}
        assert llm.get_num_tokens("Hello") == 2
    assert "on_chat_model_stream" in kinds
    assert len(modelstudio_emulator.requests) == 5


def test_a_model_is_made_in_less_than_a_millisecond() -> None:
    """Elsewhere each model makes two HTTP clients and their certificates, in 36 ms."""

    def seconds() -> float:
        begun = time.perf_counter()
        ChatModelStudio(model="qwen3.7-plus", api_key="k")
        return time.perf_counter() - begun

    assert min(seconds() for _ in range(50)) < 0.001
