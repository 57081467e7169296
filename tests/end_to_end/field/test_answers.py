"""Answers as the service, its models and gateways really send them.

The shapes are of official pages, of recordings, and of public reports until November
2026; the bytes are made here.
"""

import base64
import io
import json
import wave
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, cast

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk, LLMResult
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ImageBlock,
    TextBlock,
    ToolCallBlock,
)
from typing_extensions import override

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import IncompleteStreamError, InvalidResponseError
from tests.end_to_end.field.support import (
    REQUEST_ID,
    TOOL,
    answering,
    ask,
    body_of,
)
from tests.llamaindex.support import IGNORE_AGENT_WARNINGS
from tests.support.answers import JSON, STREAM
from tests.support.calls import CALL_STYLES, STREAM_STYLES, CallStyle, add_chunks, call
from tests.support.internals import no_backoff
from tests.support.models import KEY, PROTOCOLS, model
from tests.support.recordings import (
    Exchange,
    chat_exchanges,
    expected_native_answer,
    native_exchanges,
)
from tests.support.replay import replaying
from tests.support.responses import summarize

EACH_PROTOCOL: Final = pytest.mark.parametrize("protocol", PROTOCOLS)
EACH_STYLE: Final = pytest.mark.parametrize("style", CALL_STYLES, ids=str)
EACH_STREAM: Final = pytest.mark.parametrize("style", STREAM_STYLES, ids=str)


def call_delta(arguments: str | None, *, name: str | None = "find", **more: Any) -> Any:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    entry = {"index": 0, "id": "call_a" if name else "", "type": "function"}
    return {"content": "", "tool_calls": [{**entry, "function": function, **more}]}


# --- Metadata -------------------------------------------------------------------------

# A lone surrogate, which JSON can spell and UTF-8 cannot represent.
SURROGATE: Final = "\ud83d"


def broken_body(protocol: Protocol, *, stream: bool) -> Any:
    """Return an answer with a lone surrogate in everything but its text."""
    message = {"role": "assistant", "content": "Hi"}
    name = "delta" if stream and protocol == "openai" else "message"
    choice = {"index": 0, name: message, "finish_reason": f"stop{SURROGATE}"}
    common = {
        "usage": {"prompt_tokens": 1, "plan": SURROGATE, SURROGATE: [SURROGATE]},
        SURROGATE: {"a": SURROGATE},
        "request_id": f"r{SURROGATE}",
    }
    if protocol == "openai":
        return {"id": SURROGATE, "model": SURROGATE, "choices": [choice], **common}
    return {"output": {"choices": [choice]}, **common}


@EACH_PROTOCOL
@EACH_STYLE
async def test_a_lone_surrogate_in_metadata_is_replaced(
    style: CallStyle, protocol: Protocol
) -> None:
    data = json.dumps(broken_body(protocol, stream=style.stream))
    body = (STREAM, f"data: {data}\n\n") if style.stream else (JSON, data)
    async with answering((body[0], body[1].encode())) as replay:
        response = await ask(replay, style, protocol)
    assert summarize(response).text == "Hi"
    assert summarize(response).request_id == "r\ufffd"
    # In UTF-8, as callbacks, traces and stores write it.
    assert "\ufffd" in response.model_dump_json()


@EACH_PROTOCOL
@EACH_STYLE
async def test_a_lone_surrogate_in_the_id_or_name_of_a_call_is_replaced(
    style: CallStyle, protocol: Protocol
) -> None:
    function = {"name": f"find{SURROGATE}", "arguments": "{}"}
    tool_call = {
        "index": 0,
        "id": f"c{SURROGATE}",
        "type": "function",
        "function": function,
    }
    deltas = [{"role": "assistant", "content": "", "tool_calls": [tool_call]}]
    body = body_of(protocol, deltas, "tool_calls", stream=style.stream)
    async with answering(body) as replay:
        response = await ask(replay, style, protocol, tools=[TOOL])
    message = response if style.framework == "LangChain" else response.message
    written = message.model_dump_json()
    assert "c\ufffd" in written
    assert "find\ufffd" in written


BAD_URL: Final = "http://["


@pytest.mark.parametrize("protocol", PROTOCOLS)
@EACH_STYLE
async def test_what_no_framework_can_hold_does_not_end_an_answer(
    style: CallStyle, protocol: Protocol
) -> None:
    """Malformed addresses, and numbers with thousands of digits."""
    text = [{"text": "Hi"}, {"image": BAD_URL}]
    message = {"role": "assistant", "content": text, "audio": {"url": BAD_URL}}
    name = "delta" if style.stream and protocol == "openai" else "message"
    top: dict[str, Any] = {"token": "Hi", "logprob": -(10**4200), "bytes": [10**4200]}
    logprobs = {"content": [top, {**top, "top_logprobs": [top]}]}
    reason = {"finish_reason": "stop", "logprobs": logprobs}
    choice: dict[str, Any] = {"index": 0, name: message, **reason}
    answer: dict[str, Any] = {"output": {"choices": [choice]}, "request_id": "r"}
    if protocol == "openai":
        answer = {"id": "r", "choices": [choice]}
    data = json.dumps(answer).encode()
    body = (STREAM, b"data: " + data + b"\n\n") if style.stream else (JSON, data)
    async with answering(body) as replay:
        response = await ask(replay, style, protocol)
    assert summarize(response).text == "Hi"
    assert BAD_URL in repr(response)


# --- Truncation -----------------------------------------------------------------------

CUT_STREAMS: Final[Mapping[str, list[Any]]] = {
    "nothing": [{"role": "assistant", "content": ""}],
    "half a call": [call_delta('{"pattern": ')],
    "a call before its arguments": [call_delta("")],
    "reasoning alone": [{"content": "", "reasoning_content": "Hm."}],
    "text and a call": [{"content": "I will look."}, call_delta("{}")],
}


@EACH_PROTOCOL
@EACH_STREAM
@pytest.mark.parametrize("name", CUT_STREAMS)
async def test_a_stream_without_a_finish_reason_is_cut_off(
    style: CallStyle, protocol: Protocol, name: str
) -> None:
    body = body_of(protocol, CUT_STREAMS[name], None, stream=True)
    async with answering(body) as replay:
        with pytest.raises(IncompleteStreamError):
            await ask(replay, style, protocol, tools=[TOOL])


@EACH_STREAM
async def test_done_after_text_is_the_end_of_some_gateways(style: CallStyle) -> None:
    deltas = [{"content": "Hel"}, {"content": "lo"}]
    async with answering(body_of("openai", deltas, None, stream=True)) as replay:
        answer = summarize(await ask(replay, style, "openai"))
    assert (answer.text, answer.finish_reason) == ("Hello", None)


@EACH_STREAM
async def test_an_empty_stream_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, style: CallStyle
) -> None:
    no_backoff(monkeypatch)
    body = (STREAM, b"data: [DONE]\n\n")
    async with answering(body, times=3) as replay:
        with pytest.raises(IncompleteStreamError):
            await ask(replay, style, "openai", max_retries=2)
    assert len(replay.requests) == 3


HALF_CALLS: Final = ("", " ", "{", '{"pattern": ', '{"pattern": "*.', '{"a": "b\\', "[")


@EACH_PROTOCOL
@EACH_STYLE
@pytest.mark.parametrize("arguments", HALF_CALLS)
async def test_half_a_call_is_never_a_call(
    style: CallStyle, protocol: Protocol, arguments: str
) -> None:
    """``max_tokens`` ends an answer within a call: the finish reason is ``length``."""
    deltas = [call_delta(arguments)]
    body = body_of(protocol, deltas, "length", stream=style.stream)
    async with answering(body) as replay:
        answer = await ask(replay, style, protocol, tools=[TOOL])
    if isinstance(answer, AIMessage):
        assert answer.tool_calls == []
        [invalid] = answer.invalid_tool_calls
        assert (invalid["name"], invalid["id"]) == ("find", "call_a")
        assert (invalid["args"] or "").startswith(arguments)
        kinds = [block["type"] for block in answer.content_blocks]
        assert kinds == ["invalid_tool_call"]
    else:
        [block] = answer.message.blocks
        assert isinstance(block, ToolCallBlock)
        assert block.tool_kwargs == arguments
        llm = model("LlamaIndex", replay.base_url)
        assert llm.get_tool_calls_from_response(answer, False) == []
        with pytest.raises(ValueError, match="'find' are cut off or invalid"):
            llm.get_tool_calls_from_response(answer)


@EACH_PROTOCOL
@pytest.mark.parametrize("version", ["v0", "v1"])
async def test_half_a_call_is_no_call_in_any_output_version(
    protocol: Protocol, version: str
) -> None:
    deltas = [call_delta('{"pat'), call_delta('tern": "*', name=None)]
    body = body_of(protocol, deltas, "length", stream=True)
    async with answering(body) as replay:
        llm = model("LangChain", replay.base_url, protocol, output_version=version)
        message = add_chunks([chunk async for chunk in llm.astream("Hi")])
    assert message.tool_calls == []
    assert len(message.invalid_tool_calls) == 1


@EACH_PROTOCOL
async def test_the_chunks_before_a_lost_connection_have_no_call(
    protocol: Protocol,
) -> None:
    body = body_of(protocol, [call_delta('{"pattern": ')], None, stream=True)
    chunks: list[Any] = []

    async def read(llm: Any) -> None:
        async for chunk in llm.astream("Hi"):
            chunks.append(chunk)  # noqa: PERF401 - kept when the stream raises

    async with answering(body) as replay:
        with pytest.raises(IncompleteStreamError):
            await read(model("LangChain", replay.base_url, protocol))
    assert add_chunks(chunks).tool_calls == []


@EACH_PROTOCOL
@pytest.mark.parametrize("stream", [True, False])
def test_an_agent_does_not_run_half_a_call(protocol: Protocol, stream: bool) -> None:
    ran: list[str] = []

    def find(pattern: str = "*") -> str:
        """Find files."""
        ran.append(pattern)
        return "none"

    body = body_of(protocol, [call_delta('{"pattern": ')], "length", stream=stream)
    headers, content = body
    with replaying(200, headers, content) as replay:
        llm = model("LangChain", replay.base_url, protocol, streaming=stream)
        agent: Any = create_agent(llm, [find])
        result = agent.invoke({"messages": [HumanMessage("Hi")]})
    assert ran == []
    assert result["messages"][-1].invalid_tool_calls


@IGNORE_AGENT_WARNINGS
@EACH_PROTOCOL
@pytest.mark.parametrize("stream", [True, False])
async def test_a_llamaindex_agent_does_not_run_half_a_call(
    protocol: Protocol, stream: bool
) -> None:
    ran: list[str] = []

    def find(pattern: str = "*") -> str:
        """Find files."""
        ran.append(pattern)
        return "none"

    deltas = [{**call_delta('{"pattern": '), "content": "I will look."}]
    async with answering(body_of(protocol, deltas, "length", stream=stream)) as replay:
        llm = model("LlamaIndex", replay.base_url, protocol)
        agent: Any = FunctionAgent(llm=llm, tools=[find], streaming=stream)
        await agent.run(user_msg="Hi")
    assert ran == []


@EACH_PROTOCOL
@EACH_STYLE
async def test_a_complete_call_is_a_call(style: CallStyle, protocol: Protocol) -> None:
    """Also without arguments, and with a line end inside a string."""
    for arguments, parsed in (("", {}), ("{}", {}), ('{"a": "b\nc"}', {"a": "b\nc"})):
        deltas = [call_delta(arguments)]
        body = body_of(protocol, deltas, "tool_calls", stream=style.stream)
        async with answering(body) as replay:
            answer = await ask(replay, style, protocol, tools=[TOOL])
        assert summarize(answer).calls == [("call_a", "find", parsed)]


# --- Cumulative streams ---------------------------------------------------------------

REPEATING: Final = ["I", "I did", "I did not", "I did not laugh."]


@EACH_PROTOCOL
@EACH_STREAM
@pytest.mark.parametrize("model_id", ["qwen-mt-plus", "qwen-mt-turbo"])
async def test_a_cumulative_stream_is_its_last_text(
    style: CallStyle, protocol: Protocol, model_id: str
) -> None:
    deltas = [{"content": text} for text in REPEATING]
    async with answering(body_of(protocol, deltas, "stop", stream=True)) as replay:
        answer = summarize(await ask(replay, style, protocol, model=model_id))
    assert answer.text == "I did not laugh."


@EACH_PROTOCOL
@EACH_STREAM
@pytest.mark.parametrize("model_id", ["qwen-plus", "qwen-mt-flash", "a-new-model"])
async def test_pieces_that_repeat_are_kept_for_other_models(
    style: CallStyle, protocol: Protocol, model_id: str
) -> None:
    deltas = [{"content": text} for text in ("ha", "ha", "haha")]
    async with answering(body_of(protocol, deltas, "stop", stream=True)) as replay:
        answer = summarize(await ask(replay, style, protocol, model=model_id))
    assert answer.text == "hahahaha"


@EACH_STREAM
async def test_everything_of_a_cumulative_native_stream_is_subtracted(
    style: CallStyle,
) -> None:
    """As with ``incremental_output: false``, which ``extra_body`` can ask for."""
    arguments = ['{"pattern"', '{"pattern": "*"}']
    deltas: list[Any] = [
        {"content": [], "reasoning_content": "Hm"},
        {"content": [], "reasoning_content": "Hm, so"},
        {"content": [{"text": "Loo"}], "reasoning_content": "Hm, so"},
        {"content": [{"text": "Look"}], "reasoning_content": "Hm, so"},
        *(
            {
                **call_delta(part),
                "content": [{"text": "Look"}],
                "reasoning_content": "Hm, so",
            }
            for part in arguments
        ),
    ]
    body = body_of("dashscope", deltas, "tool_calls", stream=True)
    async with answering(body) as replay:
        answer = summarize(
            await ask(
                replay,
                style,
                "dashscope",
                tools=[TOOL],
                extra_body={"incremental_output": False},
            )
        )
    assert (answer.reasoning, answer.text) == ("Hm, so", "Look")
    assert answer.calls == [("call_a", "find", {"pattern": "*"})]


@EACH_STYLE
@pytest.mark.parametrize("exchange", native_exchanges(cumulative=True))
async def test_a_recorded_cumulative_stream(
    exchange: Exchange, style: CallStyle
) -> None:
    last = json.loads(exchange.body.rstrip().rpartition("data:")[2])["output"]
    with replaying(exchange.status, exchange.headers, exchange.body.encode()) as replay:
        answer = await ask(replay, style, "dashscope", model="qwen-mt-plus")
    assert summarize(answer).text == last["text"]


# --- Speech ---------------------------------------------------------------------------

PCM: Final = bytes(range(256)) * 20 + b"\x01"
WORDS: Final = ["Hello", " there", "."]
OMNI: Final = "qwen3.5-omni-plus"


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def padded_parts() -> list[str]:
    """Return the sound in parts of which each is padded on its own."""
    sizes = [0, 1, 3, 8, 1000, 1001, len(PCM)]
    return [encode(PCM[start:end]) for start, end in pairwise(sizes)]


def cut_parts() -> list[str]:
    """Return the sound in parts that end anywhere in its base64 text."""
    text = encode(PCM)
    return [text[:1], text[1:7], text[7:1000], text[1000:]]


def speech_deltas(protocol: Protocol, parts: list[str]) -> list[dict[str, Any]]:
    audio: list[dict[str, Any]] = [
        {"id": "audio_1", "data": parts[0], "transcript": WORDS[0]},
        *({"data": part} for part in parts[1:]),
        *({"id": "audio_1", "transcript": word} for word in WORDS[1:]),
        {"id": "audio_1", "expires_at": 1780239678},
    ]
    if protocol == "openai":
        return [{"content": None, "audio": part} for part in audio]
    return [{"content": [{"audio": part}]} for part in audio]


def check_wave(content: bytes) -> None:
    """Check that a sound is a WAV file of the samples, without half a sample."""
    with wave.open(io.BytesIO(content)) as file:
        assert file.getparams()[:3] == (1, 2, 24_000)
        assert file.readframes(file.getnframes()) == PCM[:-1]


def check_speech(answer: Any) -> None:
    """Check the sound and the words of an answer of either framework."""
    assert summarize_text(answer) == "Hello there."
    if isinstance(answer, AIMessage):
        audio = answer.additional_kwargs["audio"]
        assert base64.b64decode(audio["data"]) == PCM
        others = {name: value for name, value in audio.items() if name != "data"}
        assert others == {
            "id": "audio_1",
            "transcript": "Hello there.",
            "expires_at": 1780239678,
        }
        kinds = [block["type"] for block in answer.content_blocks]
        assert kinds == ["text", "audio"]
        block = cast("dict[str, Any]", answer.content_blocks[1])
        assert (block["mime_type"], block["id"]) == ("audio/wav", "audio_1")
        assert block["extras"]["transcript"] == "Hello there."
        check_wave(base64.b64decode(block["base64"]))
        return
    [text, sound] = answer.message.blocks
    assert isinstance(text, TextBlock)
    assert isinstance(sound, AudioBlock)
    assert sound.format == "wav"
    check_wave(cast("bytes", sound.resolve_audio().read()))
    assert answer.message.additional_kwargs["audio"]["id"] == "audio_1"


def summarize_text(answer: Any) -> str:
    return answer.text if isinstance(answer, AIMessage) else answer.message.content


@EACH_PROTOCOL
@EACH_STYLE
@pytest.mark.parametrize("parts", [padded_parts(), cut_parts()], ids=["padded", "cut"])
async def test_speech(style: CallStyle, protocol: Protocol, parts: list[str]) -> None:
    """The model answers only as a stream, also where the caller does not stream."""
    body = body_of(protocol, speech_deltas(protocol, parts), "stop", stream=True)
    extra = {"modalities": ["text", "audio"], "audio": {"voice": "Tina"}}
    async with answering(body) as replay:
        answer = await ask(replay, style, protocol, model=OMNI, extra_body=extra)
    check_speech(answer)


@EACH_PROTOCOL
@EACH_STYLE
async def test_speech_in_one_body(style: CallStyle, protocol: Protocol) -> None:
    audio = {
        "id": "audio_1",
        "data": encode(PCM),
        "transcript": "Hello there.",
        "expires_at": 1780239678,
    }
    message: dict[str, Any] = (
        {"content": None, "audio": audio}
        if protocol == "openai"
        else {"content": [{"audio": audio}]}
    )
    async with answering(body_of(protocol, [message], "stop", stream=False)) as replay:
        check_speech(await ask(replay, style, protocol))


@EACH_PROTOCOL
async def test_the_parts_of_speech_are_pcm(protocol: Protocol) -> None:
    deltas = speech_deltas(protocol, padded_parts())
    body = body_of(protocol, deltas, "stop", stream=True)
    async with answering(body) as replay:
        llm = model("LangChain", replay.base_url, protocol, model=OMNI)
        chunks = [chunk async for chunk in llm.astream("Hi")]
    blocks = [block for chunk in chunks[:-1] for block in chunk.content_blocks]
    sounds = [
        cast("dict[str, Any]", block) for block in blocks if block["type"] == "audio"
    ]
    parts = [block["base64"] for block in sounds if "base64" in block]
    assert b"".join(map(base64.b64decode, parts)) == PCM
    assert sounds[0]["mime_type"] == "audio/pcm"
    async with answering(body) as replay:
        index = model("LlamaIndex", replay.base_url, protocol, model=OMNI)
        stream = await index.astream_chat([ChatMessage(role="user", content="Hi")])
        deltas = [r.additional_kwargs.get("audio_delta", "") async for r in stream]
    assert b"".join(base64.b64decode(str(delta)) for delta in deltas) == PCM


@EACH_PROTOCOL
async def test_speech_in_the_sum_of_v1_chunks(protocol: Protocol) -> None:
    deltas = speech_deltas(protocol, cut_parts())
    async with answering(body_of(protocol, deltas, "stop", stream=True)) as replay:
        llm = model("LangChain", replay.base_url, protocol, output_version="v1")
        message = add_chunks([chunk async for chunk in llm.astream("Hi")])
    [text, sound] = message.content_blocks
    assert text["type"] == "text"
    block = cast("dict[str, Any]", sound)
    assert (block["type"], block["mime_type"]) == ("audio", "audio/pcm")
    assert base64.b64decode(block["base64"]) == PCM


class PartsModel(GenericFakeChatModel):
    """A chat model of LangChain's own that streams a sound in two parts."""

    messages: Iterator[AIMessage | str] = iter(())

    @override
    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for part in ("AAEC", "AwQF"):
            block = {"type": "audio", "base64": part, "index": 0}
            message = AIMessageChunk(
                content=[block], response_metadata={"output_version": "v1"}
            )
            yield ChatGenerationChunk(message=message)


@pytest.mark.filterwarnings("ignore:.*in beta")
def test_langchain_keeps_the_last_part_of_media_in_version_3_of_its_events() -> None:
    """Where this fails, LangChain joins the parts: then docs/guide.md is to change."""
    stream: Any = PartsModel().stream_events("Hi", version="v3")
    [block] = stream.output.content_blocks
    assert block["base64"] == "AwQF"
    [joined] = add_chunks(list(PartsModel().stream("Hi"))).content_blocks
    assert joined.get("base64") == "AAECAwQF"


@EACH_PROTOCOL
@pytest.mark.filterwarnings("ignore:.*in beta")
async def test_speech_is_complete_beside_the_blocks_of_version_3(
    protocol: Protocol,
) -> None:
    deltas = speech_deltas(protocol, cut_parts())
    body = body_of(protocol, deltas, "stop", stream=True)
    async with answering(body, times=2) as replay:
        llm: Any = model("LangChain", replay.base_url, protocol, model=OMNI)
        messages = [llm.stream_events("Hi", version="v3").output]
        stream = await llm.astream_events("Hi", version="v3")
        messages.append(await stream.output)
    for message in messages:
        audio = message.additional_kwargs["audio"]
        assert base64.b64decode(audio["data"]) == PCM
        assert audio["transcript"] == message.text == "Hello there."


@EACH_PROTOCOL
@EACH_STREAM
async def test_words_that_come_as_text_too_are_not_repeated(
    style: CallStyle, protocol: Protocol
) -> None:
    deltas: list[Any] = [
        {"content": word, "audio": {"transcript": word}} for word in WORDS
    ]
    if protocol == "dashscope":
        deltas = [
            {"content": [{"text": word}, {"audio": {"transcript": word}}]}
            for word in WORDS
        ]
    async with answering(body_of(protocol, deltas, "stop", stream=True)) as replay:
        answer = await ask(replay, style, protocol, model=OMNI)
    assert summarize_text(answer) == "Hello there."


@EACH_PROTOCOL
@EACH_STYLE
async def test_speech_that_is_a_url(style: CallStyle, protocol: Protocol) -> None:
    url = "https://example.com/a.wav"
    message: dict[str, Any] = {"content": [{"audio": url}]}
    if protocol == "openai":
        message = {"content": "", "audio": {"url": url, "transcript": ""}}
    body = body_of(protocol, [message], "stop", stream=style.stream)
    async with answering(body) as replay:
        answer = await ask(replay, style, protocol, model=OMNI)
    if isinstance(answer, AIMessage):
        assert answer.content_blocks == [{"type": "audio", "url": url}]
    else:
        sound = answer.message.blocks[-1]
        assert isinstance(sound, AudioBlock)
        assert str(sound.url) == url


@EACH_STREAM
async def test_sound_that_is_not_base64_is_an_error(style: CallStyle) -> None:
    deltas = [{"audio": {"data": "not base64 !"}}]
    async with answering(body_of("openai", deltas, "stop", stream=True)) as replay:
        with pytest.raises(InvalidResponseError):
            await ask(replay, style, "openai", model=OMNI)


@EACH_PROTOCOL
@EACH_STYLE
async def test_the_words_stand_for_the_sound_when_it_is_sent_back(
    style: CallStyle, protocol: Protocol
) -> None:
    deltas = speech_deltas(protocol, padded_parts())
    body = body_of(protocol, deltas, "stop", stream=True)
    async with answering(body, times=2) as replay:
        llm = model(style.framework, replay.base_url, protocol, model=OMNI)
        history: dict[str, Any] = {
            "LangChain": HumanMessage("Hi"),
            "LlamaIndex": ChatMessage(role="user", content="Hi"),
        }
        first = history[style.framework]
        answer = await call(llm, style, [first])
        message = answer if isinstance(answer, AIMessage) else answer.message
        await call(llm, style, [first, message, first])
    request = replay.requests[1]
    sent = request["messages" if protocol == "openai" else "input"]
    sent = sent if protocol == "openai" else sent["messages"]
    content = "Hello there." if protocol == "openai" else [{"text": "Hello there."}]
    assert sent[1] == {"role": "assistant", "content": content}


async def test_a_v1_message_with_sound_is_sent_back_as_its_words() -> None:
    blocks: list[Any] = [
        {"type": "text", "text": "Hello there."},
        {"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"},
    ]
    alone = [{**blocks[1], "extras": {"transcript": "Hello there."}}]
    for content in (blocks, alone):
        body = body_of("openai", [{"content": "Hi"}], "stop", stream=False)
        async with answering(body) as replay:
            llm = model("LangChain", replay.base_url)
            await llm.ainvoke(["Hi", AIMessage(cast("Any", content)), "And?"])
        sent = replay.requests[0]["messages"][1]["content"]
        assert sent in ("Hello there.", [{"type": "text", "text": "Hello there."}])


# --- Other parts of the content -------------------------------------------------------

IMAGE: Final = "https://example.com/a.png"
OCR: Final = {"words_info": [{"text": "DAY", "location": [1, 2]}]}
PARTS: Final[Mapping[str, tuple[list[Any], dict[str, Any]]]] = {
    "image": ([{"image": IMAGE}], {"image": IMAGE}),
    "images": (
        [{"image": IMAGE}, {"image": f"{IMAGE}?2"}],
        {"image": [IMAGE, f"{IMAGE}?2"]},
    ),
    "ocr": ([{"ocr_result": OCR, "text": "DAY"}], {"ocr_result": OCR}),
    "size": ([{"text": "DAY"}, {"image_hw": [[10, 20]]}], {"image_hw": [[10, 20]]}),
    "unknown": ([{"text": "DAY"}, {"box": {"x": 1}}], {"box": {"x": 1}}),
    "typed": (
        [{"type": "image_url", "image_url": {"url": IMAGE}}],
        {"image_url": {"url": IMAGE}},
    ),
}


@EACH_PROTOCOL
@EACH_STYLE
@pytest.mark.parametrize("name", PARTS)
async def test_no_part_of_the_content_is_dropped(
    style: CallStyle, protocol: Protocol, name: str
) -> None:
    parts, expected = PARTS[name]
    deltas = [{"content": parts}]
    body = body_of(protocol, deltas, "stop", stream=style.stream)
    async with answering(body) as replay:
        answer = await ask(replay, style, protocol, model="qwen-vl-ocr")
    message: Any = answer if isinstance(answer, AIMessage) else answer.message
    assert message.additional_kwargs == expected
    images = [IMAGE] if name in {"image", "typed"} else expected.get("image", [])
    if isinstance(answer, AIMessage):
        shown = [b for b in answer.content_blocks if b["type"] == "image"]
        assert shown == [{"type": "image", "url": url} for url in images]
    else:
        shown_blocks = [b for b in message.blocks if isinstance(b, ImageBlock)]
        assert [str(block.url) for block in shown_blocks] == images


def multimodal_exchanges() -> list[Any]:
    """Return the recorded chats about images, text in images and sound."""
    return [
        each
        for each in native_exchanges()
        if each.values[0] is None or "/multimodal-generation/" in each.values[0].url
    ]


def other_parts_of(exchange: Exchange) -> dict[str, Any]:
    """Return the parts of a recorded answer that are neither text nor media."""
    lines = (
        exchange.body.splitlines() if exchange.streamed else [f"data:{exchange.body}"]
    )
    events = [json.loads(line[5:]) for line in lines if line.startswith("data:")]
    contents = [event["output"]["choices"][0]["message"]["content"] for event in events]
    parts = [part for content in contents for part in content]
    return {k: v for part in parts for k, v in part.items() if k != "text"}


@EACH_STYLE
@pytest.mark.parametrize("exchange", multimodal_exchanges())
async def test_a_recorded_multimodal_answer_is_complete_in_every_style(
    exchange: Exchange, style: CallStyle
) -> None:
    expected = expected_native_answer(exchange)
    headers, body = STREAM if exchange.streamed else JSON, exchange.body.encode()
    with replaying(exchange.status, headers, body) as replay:
        name = exchange.request["model"]
        answer = await ask(replay, style, "dashscope", model=name)
        assert replay.paths[0].endswith("/multimodal-generation/generation")
        assert replay.requests[0]["model"] == name
    summary = summarize(answer)
    assert summary.text == expected.text
    assert summary.finish_reason == expected.finish_reason
    assert summary.request_id == expected.request_id
    assert expected.usage is not None
    assert summary.input_tokens == expected.usage["input_tokens"]
    assert summary.output_tokens == expected.usage["output_tokens"]
    raw = answer.response_metadata if isinstance(answer, AIMessage) else answer.raw
    name = "token_usage" if isinstance(answer, AIMessage) else "usage"
    assert raw[name] == expected.usage
    message = answer if isinstance(answer, AIMessage) else answer.message
    others = {k: message.additional_kwargs.get(k) for k in other_parts_of(exchange)}
    assert others == other_parts_of(exchange)


# --- Calls that are none --------------------------------------------------------------


@EACH_PROTOCOL
@EACH_STYLE
async def test_a_finish_reason_of_calls_without_a_call_warns(
    style: CallStyle, protocol: Protocol
) -> None:
    deltas = [{"content": "I will look."}]
    body = body_of(protocol, deltas, "tool_calls", stream=style.stream)
    async with answering(body) as replay:
        with pytest.warns(RuntimeWarning, match=REQUEST_ID):
            answer = await ask(replay, style, protocol)
    assert metadata_of(answer)["tool_call_missing"] is True
    assert summarize_text(answer) == "I will look."


WRITTEN_CALLS: Final = (
    '<tool_call>\n{"name": "find", "arguments": {}}\n</tool_call>',
    "<tool_call>find\n<arg_key>pattern</arg_key>",
    "<function=find>\n<parameter=pattern>*</parameter>",
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.find:0",
)


@EACH_PROTOCOL
@EACH_STYLE
@pytest.mark.parametrize("place", ["reasoning", "content"])
@pytest.mark.parametrize("text", WRITTEN_CALLS)
async def test_a_call_that_is_written_as_text_warns(
    style: CallStyle, protocol: Protocol, place: str, text: str
) -> None:
    name = {"reasoning": "reasoning_content", "content": "content"}[place]
    pieces = [f"Now. {text[:5]}", text[5:]] if style.stream else [f"Now. {text}"]
    deltas = [{name: piece} for piece in pieces]
    body = body_of(protocol, deltas, "stop", stream=style.stream)
    async with answering(body) as replay:
        with pytest.warns(RuntimeWarning, match=f"as text .* {REQUEST_ID}"):
            answer = await ask(replay, style, protocol, tools=[TOOL])
    assert metadata_of(answer)[f"tool_call_in_{place}"] is True
    summary = summarize(answer)
    kept = summary.reasoning if place == "reasoning" else summary.text
    assert kept == f"Now. {text}"


@EACH_PROTOCOL
@EACH_STYLE
async def test_such_text_is_no_call_without_tools_or_beside_a_call(
    style: CallStyle, protocol: Protocol
) -> None:
    """A text about tool calls is an ordinary text. Warnings are errors here."""
    plain: list[Any] = [{"content": WRITTEN_CALLS[0]}]
    body = body_of(protocol, plain, "stop", stream=style.stream)
    async with answering(body) as replay:
        await ask(replay, style, protocol)
    deltas = [{**call_delta("{}"), "reasoning_content": WRITTEN_CALLS[0]}]
    body = body_of(protocol, deltas, "tool_calls", stream=style.stream)
    async with answering(body) as replay:
        answer = await ask(replay, style, protocol, tools=[TOOL])
    assert len(summarize(answer).calls) == 1


def metadata_of(answer: Any) -> Mapping[str, Any]:
    if isinstance(answer, AIMessage):
        return answer.response_metadata
    return cast("Mapping[str, Any]", answer.additional_kwargs)


@EACH_PROTOCOL
@EACH_STREAM
async def test_a_call_whose_index_changes_is_one_call(
    style: CallStyle, protocol: Protocol
) -> None:
    deltas = [
        call_delta('{"pattern"', index=1),
        call_delta(': "*', index=0, name=None),
        call_delta('"}', index=0, name=None),
    ]
    body = body_of(protocol, deltas, "tool_calls", stream=True)
    async with answering(body) as replay:
        answer = summarize(await ask(replay, style, protocol, tools=[TOOL]))
    assert answer.calls == [("call_a", "find", {"pattern": "*"})]


# --- Usage ----------------------------------------------------------------------------

USAGES: Final[Mapping[Protocol, Mapping[str, Any]]] = {
    "openai": {
        "prompt_tokens": 900,
        "completion_tokens": 50,
        "total_tokens": 950,
        "prompt_tokens_details": {
            "text_tokens": 100,
            "audio_tokens": 300,
            "image_tokens": 310,
            "video_tokens": 190,
            "cached_tokens": 20,
            "cache_creation_input_tokens": 40,
            "cache_creation": {"ephemeral_5m_input_tokens": 40},
        },
        "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 30},
        "x_tools": {"pdf_page_parser": {"count": 12}, "search": {"count": 1}},
    },
    "dashscope": {
        "input_tokens": 900,
        "output_tokens": 50,
        "total_tokens": 950,
        "audio_tokens": 300,
        "input_tokens_details": {"text": 100, "image_tokens": 310, "video": 190},
        "output_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 30},
        "prompt_tokens_details": {
            "cached_tokens": 20,
            "cache_creation": {"ephemeral_5m_input_tokens": 40},
        },
        "plugins": {
            "pdf_page_parser": {"count": 12},
            "search": {"count": 1, "strategy": "turbo"},
        },
    },
}


@EACH_PROTOCOL
@EACH_STYLE
async def test_all_counts_are_kept(style: CallStyle, protocol: Protocol) -> None:
    usage = USAGES[protocol]
    deltas = [{"content": "Hi"}]
    body = body_of(protocol, deltas, "stop", stream=style.stream, usage=usage)
    async with answering(body) as replay:
        answer = await ask(replay, style, protocol)
    tools = {"pdf_page_parser": 12, "search": 1}
    assert metadata_of(answer)["tool_usage"] == tools
    if isinstance(answer, AIMessage):
        assert answer.usage_metadata == {
            "input_tokens": 900,
            "output_tokens": 50,
            "total_tokens": 950,
            "input_token_details": {
                "cache_read": 20,
                "cache_creation": 40,
                "audio": 300,
                "image": 310,
                "video": 190,
            },
            "output_token_details": {"reasoning": 5, "audio": 30},
        }
        assert answer.response_metadata["token_usage"] == usage
        return
    counts = {
        "prompt_tokens": 900,
        "completion_tokens": 50,
        "total_tokens": 950,
        "reasoning_tokens": 5,
        "cached_tokens": 20,
        "cache_creation_tokens": 40,
        "input_audio_tokens": 300,
        "input_image_tokens": 310,
        "input_video_tokens": 190,
        "output_audio_tokens": 30,
    }
    kept = {name: answer.additional_kwargs[name] for name in counts}
    assert kept == counts
    assert answer.raw["usage"] == usage


async def check_recorded_counts(exchange: Exchange, protocol: Protocol) -> None:
    bodies = [line for line in exchange.body.splitlines() if '"usage"' in line]
    usages = [
        json.loads(line.removeprefix("data:"))["usage"]
        for line in bodies
        if line.startswith(("{", "data:"))
    ]
    usages = [usage for usage in usages if usage]
    if exchange.status != 200 or not usages:
        pytest.skip("an exchange without token counts")
    style = CallStyle("LangChain", stream=exchange.streamed)
    with replaying(exchange.status, exchange.headers, exchange.body.encode()) as replay:
        llm = model("LangChain", replay.base_url, protocol, model="a-new-model")
        message = await call(llm, style, [("user", "Hi")])
    assert message.response_metadata["token_usage"] == usages[-1]


@pytest.mark.parametrize("exchange", chat_exchanges())
async def test_recorded_counts_are_kept(exchange: Exchange) -> None:
    await check_recorded_counts(exchange, "openai")


@pytest.mark.parametrize("exchange", native_exchanges())
async def test_recorded_native_counts_are_kept(exchange: Exchange) -> None:
    await check_recorded_counts(exchange, "dashscope")


# --- For the tools around a model -----------------------------------------------------


class Collector(BaseCallbackHandler):
    """Keeps the results that LangChain reports."""

    def __init__(self) -> None:
        self.results: list[LLMResult] = []

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        self.results.append(response)


@EACH_PROTOCOL
@pytest.mark.parametrize("stream", [False, True])
def test_tracers_find_ids_reasons_and_counts(protocol: Protocol, stream: bool) -> None:
    usage = USAGES[protocol]
    deltas = [{"content": "Hi"}]
    headers, content = body_of(protocol, deltas, "stop", stream=stream, usage=usage)
    collector = Collector()
    with replaying(200, headers, content) as replay:
        llm = ChatModelStudio(
            model="qwen-plus",
            base_url=replay.base_url,
            api_key=KEY,
            protocol=protocol,
            callbacks=[collector],
        )
        if stream:
            list(llm.stream("Hi"))
        else:
            llm.invoke("Hi")
    [result] = collector.results
    answer_id = f"chatcmpl-{REQUEST_ID}" if protocol == "openai" else REQUEST_ID
    info = {"finish_reason": "stop", "model_name": "qwen-plus", "id": answer_id}
    generation = result.generations[0][0]
    assert generation.generation_info == info
    message = cast("Any", generation).message
    assert message.response_metadata["id"] == answer_id
    created = message.response_metadata.get("created")
    assert created == (1780236078 if protocol == "openai" else None)
    if not stream:
        assert result.llm_output is not None
        assert {k: v for k, v in result.llm_output.items() if k != "type"} == {
            "model_name": "qwen-plus",
            "id": answer_id,
            "token_usage": {
                "prompt_tokens": 900,
                "completion_tokens": 50,
                "total_tokens": 950,
            },
        }


@EACH_PROTOCOL
def test_the_counts_of_several_prompts_are_added(protocol: Protocol) -> None:
    deltas = [{"content": "Hi"}]
    usage = USAGES[protocol]
    headers, content = body_of(protocol, deltas, "stop", stream=False, usage=usage)
    with replaying(200, headers, content, times=2) as replay:
        llm = model("LangChain", replay.base_url, protocol)
        result = llm.generate([[HumanMessage("Hi")], [HumanMessage("Hi")]])
    assert result.llm_output == {
        "model_name": "qwen-plus",
        "token_usage": {
            "prompt_tokens": 1800,
            "completion_tokens": 100,
            "total_tokens": 1900,
        },
    }


@EACH_STYLE
async def test_a_whole_answer_without_a_finish_reason_warns(style: CallStyle) -> None:
    body = body_of("openai", [{"content": "Hel"}], None, stream=False)
    assert body[0] is JSON
    async with answering(body) as replay:
        with pytest.warns(RuntimeWarning, match="without a finish reason"):
            answer = summarize(await ask(replay, style, "openai"))
    assert (answer.text, answer.finish_reason) == ("Hel", None)
