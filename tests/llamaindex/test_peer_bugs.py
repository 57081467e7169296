"""Defects of other integrations, which this one must not have."""

# LlamaIndex types only some attributes of its agents.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import json
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel

from llamaindex_modelstudio import ModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Emulator, Fault, Reply, ToolCall
from tests.llamaindex.support import (
    HI,
    IGNORE_AGENT_WARNINGS,
    SYNC_AND_ASYNC,
    EmulatedService,
    chat_memory,
)

pytestmark = IGNORE_AGENT_WARNINGS


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


def tool_calls(llm: ModelStudio, response: Any) -> list[tuple[str, Any]]:
    """Return the ids and arguments of the tool calls in a response."""
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    return [(call.tool_id, call.tool_kwargs) for call in calls]


async def stream(
    llm: ModelStudio, tools: Any = (), *, is_async: bool, **kwargs: Any
) -> Any:
    """Return the responses of a stream."""
    arguments: dict[str, Any] = {"allow_parallel_tool_calls": True, **kwargs}
    if is_async:
        responses = await llm.astream_chat_with_tools(tools, "Hi", **arguments)
        return [response async for response in responses]
    return list(llm.stream_chat_with_tools(tools, "Hi", **arguments))


# --- Streamed tool calls ----------------------------------------------------------


async def test_partial_tool_arguments_do_not_break_an_agent(
    service: EmulatedService,
) -> None:
    """``DashScope`` parses each delta as JSON, and its agents fail at the first one."""
    pieces = ['{"te', 'xt": "a', ' \\"b', '\\""', "}"]
    service.script(
        Reply(tool_calls=[ToolCall("note", id="call_a", pieces=pieces)]),
        Reply(text="Noted."),
    )
    agent: Any = FunctionAgent(tools=[NOTE], llm=service.llm())
    handler = agent.run(user_msg="Hi", memory=chat_memory())
    partial = [
        call.tool_kwargs
        async for event in handler.stream_events()
        if isinstance(event, AgentStream)
        for call in event.tool_calls
    ]
    assert str(await handler) == "Noted."
    assert {} in partial
    assert partial[-1] == {"text": 'a "b"'}
    assert service.messages[1][-1]["content"] == '<a "b">'


@SYNC_AND_ASYNC
async def test_spaces_between_deltas_are_kept(
    service: EmulatedService, is_async: bool
) -> None:
    """``DashScope`` strips each delta: "hello", " world " become "helloworld"."""
    pieces = ['{"text": "hello', " world ", "again", '\\n  "}']
    service.script(Reply(tool_calls=[ToolCall("note", id="a", pieces=pieces)]))
    llm = service.llm()
    responses = await stream(llm, [NOTE], is_async=is_async)
    assert tool_calls(llm, responses[-1]) == [("a", {"text": "hello world again\n  "})]


def delta(*calls: tuple[int, str | None, str | None, str | None]) -> dict[str, Any]:
    """Return a delta with tool calls: index, id, name and arguments."""
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


@SYNC_AND_ASYNC
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
async def test_two_tool_calls_are_kept_apart(
    service: EmulatedService, is_async: bool, deltas: Any
) -> None:
    """``OpenAI`` loses one of two, breaks interleaved ones, and repeats ids."""
    service.script(Reply(deltas=deltas))
    llm = service.llm()
    responses = await stream(llm, [NOTE], is_async=is_async)
    assert tool_calls(llm, responses[-1]) == BOTH
    calls = responses[-1].message.additional_kwargs["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["note", "note"]


@SYNC_AND_ASYNC
async def test_identical_tool_calls_are_kept_apart(
    service: EmulatedService, is_async: bool
) -> None:
    """``Ollama`` drops a call that has the name and arguments of another."""
    calls = [ToolCall("note", ONE, id="a"), ToolCall("note", ONE, id="b")]
    service.script(Reply(tool_calls=calls))
    llm = service.llm()
    responses = await stream(llm, [NOTE], is_async=is_async)
    assert [call_id for call_id, _ in tool_calls(llm, responses[-1])] == ["a", "b"]


@SYNC_AND_ASYNC
async def test_the_first_delta_of_reasoning_is_kept(
    service: EmulatedService, is_async: bool
) -> None:
    """``OpenAI`` skips a first chunk without content in async streams."""
    deltas = [
        {"role": "assistant", "content": None, "reasoning_content": "First "},
        {"content": None, "reasoning_content": "second."},
        {"content": "Hi.", "reasoning_content": None},
    ]
    service.script(Reply(deltas=deltas))
    responses = await stream(service.llm(), is_async=is_async)
    thinking = [response.additional_kwargs["thinking_delta"] for response in responses]
    assert thinking[:2] == ["First ", "second."]
    assert [response.delta for response in responses[:3]] == ["", "", "Hi."]


@SYNC_AND_ASYNC
async def test_null_content_in_a_stream_is_no_error(
    is_async: bool,
) -> None:
    """``DashScope`` adds None to a text while the model thinks."""
    with Emulator(generation="null") as emulator:
        service = EmulatedService(emulator, "openai")
        service.script(Reply(reasoning="Hm.", text="Hi."))
        responses = await stream(service.llm(), is_async=is_async)
    assert responses[-1].message.content == "Hi."
    assert responses[-1].message.additional_kwargs["reasoning_content"] == "Hm."


# --- Requests ---------------------------------------------------------------------


def test_the_schema_of_a_nested_argument_is_complete(service: EmulatedService) -> None:
    """``DashScope`` drops ``$defs`` and puts ``required`` beside the parameters."""
    service.script(
        Reply(tool_calls=[ToolCall("visit", {"place": {"city": "Oslo"}, "days": 2})])
    )
    response = service.llm().predict_and_call([VISIT], "Plan a visit.")
    assert str(response) == "2 days in Oslo"
    (tool,) = service.requests[0].tools
    assert set(tool["function"]) == {"name", "description", "parameters"}
    parameters = tool["function"]["parameters"]
    assert parameters["required"] == ["place", "days"]
    assert parameters["$defs"]["Place"]["required"] == ["city"]


async def test_arguments_of_each_call_are_sent(service: EmulatedService) -> None:
    """``DashScope.stream_complete`` nests them under ``kwargs``."""
    llm = service.llm()
    arguments: dict[str, Any] = {"temperature": 0.77, "thinking_budget": None}
    llm.chat(HI, **arguments)
    llm.complete("Hi", **arguments)
    list(llm.stream_chat(HI, **arguments))
    list(llm.stream_complete("Hi", **arguments))
    await llm.achat(HI, **arguments)
    await llm.acomplete("Hi", **arguments)
    [response async for response in await llm.astream_chat(HI, **arguments)]
    [response async for response in await llm.astream_complete("Hi", **arguments)]
    assert service.values(lambda request: request.body["temperature"]) == [0.77] * 8
    assert not any("kwargs" in request.body for request in service.requests)


def test_only_given_arguments_are_sent(service: EmulatedService) -> None:
    """Others send null for tools, ``strict``, a seed, or a limit of 256 tokens."""
    llm = service.llm("qwen3.7-plus")
    llm.chat_with_tools([], "Hi")
    llm.chat_with_tools([NOTE], "Hi")
    without, with_tools = (set(request.body) for request in service.requests)
    assert with_tools - without == {"tools"}
    sent = json.dumps([dict(request.body) for request in service.requests])
    for name in ("null", "strict", "additionalProperties", "seed", "max_tokens"):
        assert name not in sent


def test_arguments_of_llamaindex_are_used(service: EmulatedService) -> None:
    """``DashScope`` drops LlamaIndex's arguments, such as ``system_prompt``."""
    service.script(Reply(text="Hi."))
    llm = service.llm(
        "qwen3.7-plus",
        system_prompt="Be brief.",
        repetition_penalty=1.5,
        pydantic_program_mode="llm",
        completion_to_prompt=str.upper,
    )
    assert llm.pydantic_program_mode is PydanticProgramMode.LLM
    assert llm.predict(PromptTemplate("Say {word}."), word="hi") == "Hi."
    llm.complete("hi")
    assert service.messages[0][0] == {"role": "system", "content": "Be brief."}
    assert service.messages[1] == [{"role": "user", "content": "HI"}]
    assert service.requests[0].body["repetition_penalty"] == 1.5


def test_an_empty_list_of_tool_calls_is_not_sent(service: EmulatedService) -> None:
    """Qwen models refuse an assistant message with ``tool_calls: []``."""
    turn = ChatMessage(
        role="assistant", content="Hi.", additional_kwargs={"tool_calls": []}
    )
    service.llm().chat([*HI, turn, *HI])
    assert service.messages[0][1] == {"role": "assistant", "content": "Hi."}


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "DEEPSEEK_API_KEY"])
def test_the_key_of_another_vendor_is_not_used(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """``OpenAILike`` without a key sends the key of OpenAI to any host."""
    monkeypatch.setenv(variable, "sk-of-another-vendor")
    with pytest.raises(errors.ConfigurationError, match="DASHSCOPE_API_KEY"):
        ModelStudio(model="deepseek-v4-pro")


def test_the_key_from_the_environment_is_sent(
    service: EmulatedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``DashScope()`` raises a validation error with the variable set."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", service.emulator.api_key)
    service.llm(api_key=None).chat(HI)
    assert (
        service.emulator.api_key
        in service.emulator.requests[0].headers["authorization"]
    )


# --- Responses --------------------------------------------------------------------


METHODS = [
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in (
        "chat",
        "complete",
        "stream_chat",
        "stream_complete",
        "chat_with_tools",
        "stream_chat_with_tools",
        "predict_and_call",
    )
]


async def call(llm: ModelStudio, method: str) -> None:
    """Call a method and read its stream to the end."""
    arguments: list[Any] = ["Hi" if "complete" in method else HI]
    if "tools" in method or "predict" in method:
        arguments = [[NOTE], "Hi"]
    result = getattr(llm, method)(*arguments)
    if method.startswith("a"):
        result = await result
    if "astream" in method:
        [response async for response in result]
    elif "stream" in method:
        list(result)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, errors.BadRequestError), (429, errors.RateLimitError)],
)
async def test_an_http_error_is_raised(
    service: EmulatedService,
    method: str,
    status: int,
    kind: type[errors.APIStatusError],
) -> None:
    """``DashScope`` returns an empty message after an HTTP error."""
    service.script(Fault(status=status, code="x", message="No."))
    with pytest.raises(kind, match=r"No\.") as caught:
        await call(service.llm(), method)
    assert caught.value.status_code == status
    assert len(service.requests) == 1


@SYNC_AND_ASYNC
async def test_raw_is_a_dict_and_the_message_is_small(
    service: EmulatedService, is_async: bool
) -> None:
    """An object of an SDK raises ``KeyError``; a large message fills each prompt."""
    calls = [ToolCall("note", ONE, id="a")]
    service.script(Reply(reasoning="Hm.", text="Hi.", tool_calls=calls))
    last = (await stream(service.llm(), [NOTE], is_async=is_async))[-1]
    assert type(last.raw) is dict
    assert not hasattr(last.raw, "__pydantic_validator__")
    assert set(last.message.additional_kwargs) == {"reasoning_content", "tool_calls"}
    assert all(
        type(call) is dict for call in last.message.additional_kwargs["tool_calls"]
    )


async def test_tool_calls_are_found_in_responses_and_in_streams(
    service: EmulatedService,
) -> None:
    """``DashScope`` drops them in sync streams; ``OpenAILike`` has no model facts."""
    service.script(*[Reply(tool_calls=[ToolCall("note", ONE, id="a")])] * 4)
    llm = service.llm()
    assert llm.metadata.is_function_calling_model
    responses = [
        llm.chat_with_tools([NOTE], "Hi"),
        await llm.achat_with_tools([NOTE], "Hi"),
        (await stream(llm, [NOTE], is_async=False))[-1],
        (await stream(llm, [NOTE], is_async=True))[-1],
    ]
    assert [tool_calls(llm, response) for response in responses] == [
        [("a", {"text": "1"})]
    ] * 4


@SYNC_AND_ASYNC
async def test_a_second_tool_call_is_removed_from_streams(
    service: EmulatedService, is_async: bool
) -> None:
    """LlamaIndex validates complete responses only."""
    calls = [ToolCall("note", ONE, id="a"), ToolCall("note", ONE, id="a")]
    service.script(Reply(tool_calls=calls), Reply(tool_calls=calls))
    llm = service.llm(parallel_tool_calls=True)
    responses = await stream(
        llm, [NOTE], is_async=is_async, allow_parallel_tool_calls=False
    )
    assert all(len(tool_calls(llm, response)) <= 1 for response in responses)
    assert len(responses[-1].message.additional_kwargs["tool_calls"]) == 1
    output = llm.predict_and_call([NOTE], "Hi")
    assert str(output) == "<1>"
    assert service.values(lambda request: request.body["parallel_tool_calls"]) == [
        False,
        False,
    ]
