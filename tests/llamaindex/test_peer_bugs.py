"""What breaks elsewhere: each test names the defect of another integration."""

# LlamaIndex has half of the types for its agents.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import json
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel

from llamaindex_modelstudio import ModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Emulator, Fault, Reply, ToolCall
from tests.llamaindex.bench import Bench

pytestmark = pytest.mark.filterwarnings(
    "ignore::pydantic.warnings.PydanticDeprecatedSince20",
    "ignore::pydantic.warnings.PydanticDeprecatedSince211",
)
HI = [ChatMessage(role=MessageRole.USER, content="Hi")]


def note(text: str) -> str:
    """Take a note."""
    return f"<{text}>"


class Place(BaseModel):
    city: str
    country: str = "Norway"


def visit(place: Place, days: int) -> str:
    """Plan a visit."""
    return f"{days} days in {Place.model_validate(place).city}"


NOTE = FunctionTool.from_defaults(note)
VISIT = FunctionTool.from_defaults(visit)


def texts(llm: ModelStudio, response: Any) -> list[tuple[str, Any]]:
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    return [(it.tool_id, it.tool_kwargs) for it in calls]


async def stream(llm: ModelStudio, colour: str, tools: Any = (), **kwargs: Any) -> Any:
    """Stream an answer, in either colour."""
    asked: dict[str, Any] = {"allow_parallel_tool_calls": True, **kwargs}
    if colour == "sync":
        return list(llm.stream_chat_with_tools(tools, "Hi", **asked))
    responses = await llm.astream_chat_with_tools(tools, "Hi", **asked)
    return [it async for it in responses]


COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])


# --- Arguments of calls in pieces -------------------------------------------------


async def test_half_of_the_arguments_do_not_end_an_agent(bench: Bench) -> None:
    """``DashScope`` parses each piece as JSON, and its agents die of the first."""
    pieces = ['{"te', 'xt": "a', ' \\"b', '\\""', "}"]
    bench.script(
        Reply(tool_calls=[ToolCall("note", id="call_a", pieces=pieces)]),
        Reply(text="Noted."),
    )
    agent: Any = FunctionAgent(tools=[NOTE], llm=bench.llm())
    kept = ChatMemoryBuffer.from_defaults(tokenizer_fn=str.split, token_limit=9999)
    handler = agent.run(user_msg="Hi", memory=kept)
    partial = [
        call.tool_kwargs
        async for event in handler.stream_events()
        if isinstance(event, AgentStream)
        for call in event.tool_calls
    ]
    assert str(await handler) == "Noted."
    assert {} in partial
    assert partial[-1] == {"text": 'a "b"'}
    assert bench.messages[1][-1]["content"] == '<a "b">'


@COLOURS
async def test_blanks_between_pieces_are_kept(bench: Bench, colour: str) -> None:
    """``DashScope`` strips each piece: "hello", " world " gives "helloworld"."""
    pieces = ['{"text": "hello', " world ", "again", '\\n  "}']
    bench.script(Reply(tool_calls=[ToolCall("note", id="a", pieces=pieces)]))
    llm = bench.llm()
    responses = await stream(llm, colour, [NOTE])
    assert texts(llm, responses[-1]) == [("a", {"text": "hello world again\n  "})]


def delta(*calls: tuple[int, str | None, str | None, str | None]) -> dict[str, Any]:
    """Return a delta: index, id, name and a piece of arguments each."""
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "index": index,
                "id": call_id,
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
            for index, call_id, name, arguments in calls
        ],
    }


ONE, TWO = '{"text": "1"}', '{"text": "2"}'
BOTH = [("a", {"text": "1"}), ("b", {"text": "2"})]


@COLOURS
@pytest.mark.parametrize(
    "deltas",
    [
        [delta((0, "a", "note", ONE), (1, "b", "note", TWO))],
        [
            delta((0, "a", "note", "")),
            delta((1, "b", "note", "")),
            delta((0, "", None, ONE[:6])),
            delta((1, "", None, TWO)),
            delta((0, "", None, ONE[6:])),
        ],
        [
            delta((0, "a", "note", ONE[:6])),
            delta((0, "a", "note", ONE[6:])),
            delta((1, "b", "note", TWO[:6])),
            delta((1, "b", "note", TWO[6:])),
        ],
        [delta((0, "a", "note", ONE)), delta((0, "b", "note", TWO))],
    ],
    ids=["two in one", "interleaved", "repeated", "one index"],
)
async def test_two_calls_are_two_calls(bench: Bench, colour: str, deltas: Any) -> None:
    """``OpenAI`` loses the second of two, breaks interleaved ones, and doubles ids."""
    bench.script(Reply(deltas=deltas))
    llm = bench.llm()
    responses = await stream(llm, colour, [NOTE])
    assert texts(llm, responses[-1]) == BOTH
    kept = responses[-1].message.additional_kwargs["tool_calls"]
    assert [it["function"]["name"] for it in kept] == ["note", "note"]


@COLOURS
async def test_equal_calls_are_not_one(bench: Bench, colour: str) -> None:
    """``Ollama`` drops a call that has the name and arguments of another."""
    calls = [ToolCall("note", ONE, id="a"), ToolCall("note", ONE, id="b")]
    bench.script(Reply(tool_calls=calls))
    llm = bench.llm()
    responses = await stream(llm, colour, [NOTE])
    assert [it for it, _ in texts(llm, responses[-1])] == ["a", "b"]


@COLOURS
async def test_the_first_piece_of_reasoning_is_not_lost(
    bench: Bench, colour: str
) -> None:
    """``OpenAI``'s async streams skip a first chunk that has no content."""
    deltas = [
        {"role": "assistant", "content": None, "reasoning_content": "First "},
        {"content": None, "reasoning_content": "second."},
        {"content": "Hi.", "reasoning_content": None},
    ]
    bench.script(Reply(deltas=deltas))
    responses = await stream(bench.llm(), colour)
    thinking = [it.additional_kwargs["thinking_delta"] for it in responses]
    assert thinking[:2] == ["First ", "second."]
    assert [it.delta for it in responses[:3]] == ["", "", "Hi."]


@COLOURS
async def test_a_stream_of_null_content_does_not_end_in_a_type_error(
    colour: str,
) -> None:
    """``DashScope`` adds None to a text while the model thinks."""
    with Emulator(generation="null") as studio:
        bench = Bench(studio, "openai")
        bench.script(Reply(reasoning="Hm.", text="Hi."))
        responses = await stream(bench.llm(), colour)
    assert responses[-1].message.content == "Hi."
    assert responses[-1].message.additional_kwargs["reasoning_content"] == "Hm."


# --- What is sent -----------------------------------------------------------------


def test_the_schema_of_a_nested_argument_is_whole(bench: Bench) -> None:
    """``DashScope`` drops ``$defs`` and puts ``required`` beside the parameters."""
    bench.script(
        Reply(tool_calls=[ToolCall("visit", {"place": {"city": "Oslo"}, "days": 2})])
    )
    response = bench.llm().predict_and_call([VISIT], "Plan a visit.")
    assert str(response) == "2 days in Oslo"
    (tool,) = bench.asks[0].tools
    assert set(tool["function"]) == {"name", "description", "parameters"}
    parameters = tool["function"]["parameters"]
    assert parameters["required"] == ["place", "days"]
    assert parameters["$defs"]["Place"]["required"] == ["city"]


async def test_options_of_every_call_are_sent(bench: Bench) -> None:
    """``DashScope.stream_complete`` nests them under ``kwargs``."""
    llm = bench.llm()
    asked: dict[str, Any] = {"temperature": 0.77, "thinking_budget": None}
    llm.chat(HI, **asked)
    llm.complete("Hi", **asked)
    list(llm.stream_chat(HI, **asked))
    list(llm.stream_complete("Hi", **asked))
    await llm.achat(HI, **asked)
    await llm.acomplete("Hi", **asked)
    [it async for it in await llm.astream_chat(HI, **asked)]
    [it async for it in await llm.astream_complete("Hi", **asked)]
    assert bench.sent(lambda it: it.body["temperature"]) == [0.77] * 8
    assert not any("kwargs" in it.body for it in bench.asks)


def test_nothing_is_sent_that_nobody_asked_for(bench: Bench) -> None:
    """Others send null tools and choices, ``strict``, a seed, or 256 tokens at most."""
    llm = bench.llm("qwen3.7-plus")
    llm.chat_with_tools([], "Hi")
    llm.chat_with_tools([NOTE], "Hi")
    bare, tooled = (set(it.body) for it in bench.asks)
    assert tooled - bare == {"tools"}
    sent = json.dumps([dict(it.body) for it in bench.asks])
    for name in ("null", "strict", "additionalProperties", "seed", "max_tokens"):
        assert name not in sent


def test_arguments_of_the_framework_are_kept_and_used(bench: Bench) -> None:
    """``DashScope`` loses all that it does not name itself, ``system_prompt`` first."""
    bench.script(Reply(text="Hi."))
    llm = bench.llm(
        "qwen3.7-plus",
        system_prompt="Be brief.",
        repetition_penalty=1.5,
        pydantic_program_mode="llm",
        completion_to_prompt=str.upper,
    )
    assert llm.pydantic_program_mode is PydanticProgramMode.LLM
    assert llm.predict(PromptTemplate("Say {it}."), it="hi") == "Hi."
    llm.complete("hi")
    assert bench.messages[0][0] == {"role": "system", "content": "Be brief."}
    assert bench.messages[1] == [{"role": "user", "content": "HI"}]
    assert bench.asks[0].body["repetition_penalty"] == 1.5


def test_an_empty_list_of_calls_is_not_sent(bench: Bench) -> None:
    """Qwen refuses an assistant turn with ``tool_calls: []``."""
    turn = ChatMessage(
        role="assistant", content="Hi.", additional_kwargs={"tool_calls": []}
    )
    bench.llm().chat([*HI, turn, *HI])
    assert bench.messages[0][1] == {"role": "assistant", "content": "Hi."}


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "DEEPSEEK_API_KEY"])
def test_no_other_vendors_key_is_sent(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """``OpenAILike`` without a key sends the one of OpenAI to any host."""
    monkeypatch.setenv(variable, "sk-of-another-vendor")
    with pytest.raises(errors.ConfigurationError, match="DASHSCOPE_API_KEY"):
        ModelStudio(model="deepseek-v4-pro")


def test_the_key_of_the_environment_is_sent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``DashScope()`` is a validation error with the variable set."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", bench.studio.api_key)
    bench.llm(api_key=None).chat(HI)
    assert bench.studio.api_key in bench.studio.requests[0].headers["authorization"]


# --- What comes back --------------------------------------------------------------


async def each_way(llm: ModelStudio, way: str) -> None:
    """Ask in one of the ways that LlamaIndex has."""
    asked: list[Any] = ["Hi" if "complete" in way else HI]
    if "tools" in way or "predict" in way:
        asked = [[NOTE], "Hi"]
    result = getattr(llm, way)(*asked)
    if way.startswith("a"):
        result = await result
    if "astream" in way:
        [it async for it in result]
    elif "stream" in way:
        list(result)


WAYS = [
    f"{colour}{way}"
    for colour in ("", "a")
    for way in (
        "chat",
        "complete",
        "stream_chat",
        "stream_complete",
        "chat_with_tools",
        "stream_chat_with_tools",
        "predict_and_call",
    )
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, errors.BadRequestError), (429, errors.RateLimitError)],
)
async def test_an_error_is_not_an_empty_answer(
    bench: Bench, way: str, status: int, kind: type[errors.APIStatusError]
) -> None:
    """``DashScope`` makes an empty message of every HTTP error."""
    bench.script(Fault(status=status, code="x", message="No."))
    with pytest.raises(kind, match=r"No\.") as caught:
        await each_way(bench.llm(), way)
    assert caught.value.status_code == status
    assert len(bench.asks) == 1


@COLOURS
async def test_raw_is_a_plain_dict_and_the_message_is_small(
    bench: Bench, colour: str
) -> None:
    """An SDK's object raises ``KeyError``; a big message costs in each prompt."""
    calls = [ToolCall("note", ONE, id="a")]
    bench.script(Reply(reasoning="Hm.", text="Hi.", tool_calls=calls))
    last = (await stream(bench.llm(), colour, [NOTE]))[-1]
    assert type(last.raw) is dict
    assert not hasattr(last.raw, "__pydantic_validator__")
    assert set(last.message.additional_kwargs) == {"reasoning_content", "tool_calls"}
    assert all(type(it) is dict for it in last.message.additional_kwargs["tool_calls"])


async def test_calls_are_found_in_whole_answers_and_in_streams(bench: Bench) -> None:
    """``DashScope`` drops them from sync streams; ``OpenAILike`` knows no model."""
    bench.script(*[Reply(tool_calls=[ToolCall("note", ONE, id="a")])] * 4)
    llm = bench.llm()
    assert llm.metadata.is_function_calling_model
    found = [
        llm.chat_with_tools([NOTE], "Hi"),
        await llm.achat_with_tools([NOTE], "Hi"),
        (await stream(llm, "sync", [NOTE]))[-1],
        (await stream(llm, "async", [NOTE]))[-1],
    ]
    assert [texts(llm, it) for it in found] == [[("a", {"text": "1"})]] * 4


@COLOURS
async def test_a_second_call_is_dropped_from_streams_too(
    bench: Bench, colour: str
) -> None:
    """LlamaIndex validates whole answers only; a second call then is "Invalid"."""
    calls = [ToolCall("note", ONE, id="a"), ToolCall("note", ONE, id="a")]
    bench.script(Reply(tool_calls=calls), Reply(tool_calls=calls))
    llm = bench.llm(parallel_tool_calls=True)
    responses = await stream(llm, colour, [NOTE], allow_parallel_tool_calls=False)
    assert all(len(texts(llm, it)) <= 1 for it in responses)
    assert len(responses[-1].message.additional_kwargs["tool_calls"]) == 1
    one = llm.predict_and_call([NOTE], "Hi")
    assert str(one) == "<1>"
    assert bench.sent(lambda it: it.body["parallel_tool_calls"]) == [False, False]
