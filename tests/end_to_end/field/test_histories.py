"""Histories that interrupts, trims, hand-overs and other providers leave."""

import json
import logging
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    trim_messages,
)
from langchain_core.messages import (
    ChatMessage as LangChainChatMessage,
)
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ToolCallBlock,
    VideoBlock,
)

from modelstudio_core.chat.history import NO_RESULT
from modelstudio_core.emulator import Emulator, Reply, ToolCall
from modelstudio_core.errors import InternalServerError, ModelStudioWarning
from tests.end_to_end.field.media_support import CASES, EVERY_CALL, sent_by
from tests.support.calls import CallStyle, call
from tests.support.models import PROTOCOLS, Protocol, model

MODEL = "qwen-max"


def conversation(framework: str, *turns: Any) -> list[Any]:
    """Return messages of a framework: texts of the user, calls, and results by id."""
    build = _langchain if framework == "LangChain" else _llamaindex
    return [build(turn) for turn in turns]


def _langchain(turn: Any) -> Any:
    match turn:
        case str():
            return HumanMessage(turn)
        case ("call", *ids):
            calls = [
                {
                    "name": "weather",
                    "args": {"city": "Oslo"},
                    "id": one,
                    "type": "tool_call",
                }
                for one in ids
            ]
            return AIMessage("", tool_calls=calls)
        case _:
            call_id, text = turn
            return ToolMessage(text, tool_call_id=call_id, name="weather")


def _llamaindex(turn: Any) -> Any:
    match turn:
        case str():
            return ChatMessage(role="user", content=turn)
        case ("call", *ids):
            blocks = [
                ToolCallBlock(
                    tool_call_id=one, tool_name="weather", tool_kwargs={"city": "Oslo"}
                )
                for one in ids
            ]
            return ChatMessage(role="assistant", blocks=blocks)
        case _:
            call_id, text = turn
            extra = {"tool_call_id": call_id, "name": "weather"}
            return ChatMessage(role="tool", content=text, additional_kwargs=extra)


def shape(messages: list[dict[str, Any]]) -> list[Any]:
    """Return what matters of the sent messages."""
    shown: list[Any] = []
    for message in messages:
        content = message["content"]
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        if message["role"] == "tool":
            shown.append((message["tool_call_id"], content))
        elif message.get("tool_calls"):
            shown.append(("call", *(one["id"] for one in message["tool_calls"])))
        else:
            shown.append(content)
    return shown


ORPHAN = (
    "Result of the tool 'weather', whose call is not part of this conversation:\n"
    "```\nRain\n```"
)
HISTORIES: dict[str, tuple[list[Any], list[Any]]] = {
    "an interrupt": (
        ["Rain?", ("call", "a"), "Stop."],
        ["Rain?", ("call", "a"), ("a", NO_RESULT), "Stop."],
    ),
    "an interrupt between two calls": (
        ["Rain?", ("call", "a", "b"), ("a", "Rain"), "Stop."],
        ["Rain?", ("call", "a", "b"), ("a", "Rain"), ("b", NO_RESULT), "Stop."],
    ),
    "a trim": ([("a", "Rain"), "And now?"], [ORPHAN, "And now?"]),
    "a hand-over without the call": (
        ["Rain?", ("x", "Rain"), "And now?"],
        ["Rain?", ORPHAN, "And now?"],
    ),
    "a late result": (
        ["Rain?", ("call", "a"), "Well?", ("a", "Rain"), "And now?"],
        ["Rain?", ("call", "a"), ("a", "Rain"), "Well?", "And now?"],
    ),
    "results in another order": (
        ["Rain?", ("call", "a", "b"), ("b", "Sun"), ("a", "Rain"), "So?"],
        ["Rain?", ("call", "a", "b"), ("a", "Rain"), ("b", "Sun"), "So?"],
    ),
    "a result twice": (
        ["Rain?", ("call", "a"), ("a", "Rain"), ("a", "Rain"), "So?"],
        ["Rain?", ("call", "a"), ("a", "Rain"), "So?"],
    ),
    "an empty result": (
        ["Rain?", ("call", "a"), ("a", ""), "So?"],
        ["Rain?", ("call", "a"), ("a", ""), "So?"],
    ),
}


@CASES
@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_is_valid_and_the_same_in_both_frameworks(
    name: str, framework: str, protocol: Protocol
) -> None:
    history, valid = HISTORIES[name]
    messages = conversation(framework, *history)
    for used in (MODEL, "qwen3.8-max"):
        sent = sent_by(framework, protocol, messages, model=used)
        assert shape(sent.messages) == valid


@EVERY_CALL
async def test_the_emulator_accepts_repaired_histories(
    modelstudio_emulator: Emulator,
    style: CallStyle,
    protocol: Protocol,
    caplog: pytest.LogCaptureFixture,
) -> None:
    llm = model(style.framework, modelstudio_emulator, protocol, model=MODEL)
    with caplog.at_level(logging.WARNING, logger="modelstudio"):
        for name in ("an interrupt", "a trim", "a late result", "a result twice"):
            caplog.clear()
            messages = conversation(style.framework, *HISTORIES[name][0])
            assert await call(llm, style, messages)
            is_repaired = name in {"an interrupt", "a trim"}
            assert len(caplog.records) == is_repaired


@EVERY_CALL
async def test_half_a_call_that_was_not_run_is_followed_by_another_turn(
    modelstudio_emulator: Emulator, style: CallStyle, protocol: Protocol
) -> None:
    half = ToolCall("weather", pieces=['{"city": ', '"Os'], id="a")
    modelstudio_emulator.script(
        Reply(text="Let me look.", tool_calls=[half], finish_reason="length"),
        Reply(text="So it is."),
    )
    llm = model(style.framework, modelstudio_emulator, protocol, model=MODEL)
    question, more = conversation(style.framework, "Rain?", "And now?")
    answer = await call(llm, style, [question])
    half_turn = answer if style.framework == "LangChain" else answer.message
    if isinstance(half_turn, AIMessage):
        assert half_turn.tool_calls == []
    else:
        ran = llm.get_tool_calls_from_response(answer, error_on_no_tool_call=False)  # type: ignore[union-attr] # LlamaIndex's
        assert ran == []
    await call(llm, style, [question, half_turn, more])
    body = modelstudio_emulator.requests[-1].body
    sent = body.get("input", body)["messages"]
    assert shape(sent) == ["Rain?", ("call", "a"), ("a", NO_RESULT), "And now?"]
    arguments = json.loads(sent[1]["tool_calls"][0]["function"]["arguments"])
    assert arguments["invalid_arguments"].startswith('{"city": "Os')
    assert "Let me look." in str(sent[1]["content"])


# --- LangChain ----------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_trimmed_conversation_is_valid(protocol: Protocol) -> None:
    turns = ["Rain?", ("call", "a"), ("a", "Rain"), "And now?"]
    messages = conversation("LangChain", *turns)
    trimmed = trim_messages(
        messages, max_tokens=2, token_counter=len, strategy="last", start_on=None
    )
    assert isinstance(trimmed[0], ToolMessage)
    sent = sent_by("LangChain", protocol, trimmed, model=MODEL)
    assert shape(sent.messages) == [ORPHAN, "And now?"]


def test_messages_that_are_removed_are_not_sent() -> None:
    messages = [
        SystemMessage("Be brief.", id="s"),
        HumanMessage("Old", id="a"),
        HumanMessage("New", id="b"),
        RemoveMessage(id="a"),
    ]
    sent = sent_by("LangChain", "openai", messages, model=MODEL)
    assert shape(sent.messages) == ["Be brief.", "New"]
    everything = [*messages, RemoveMessage(id="__remove_all__"), HumanMessage("Hi")]
    sent = sent_by("LangChain", "openai", everything, model=MODEL)
    assert shape(sent.messages) == ["Hi"]


CALL = {"name": "weather", "args": {}, "id": "a", "type": "tool_call"}
OTHERS: dict[str, tuple[list[Any], list[Any]]] = {
    "Anthropic's results in a user's message": (
        [
            HumanMessage("Rain?"),
            AIMessage(
                [{"type": "tool_use", "id": "a", "name": "weather", "input": {}}]
            ),
            HumanMessage(
                [
                    {"type": "tool_result", "tool_use_id": "a", "content": "Rain"},
                    {"type": "text", "text": "So?"},
                ]
            ),
        ],
        ["Rain?", ("call", "a"), ("a", "Rain"), "So?"],
    ),
    "OpenAI's results of the Responses API": (
        [
            HumanMessage("Rain?"),
            AIMessage("", tool_calls=[CALL]),
            HumanMessage(
                [{"type": "function_call_output", "call_id": "a", "output": "Rain"}]
            ),
        ],
        ["Rain?", ("call", "a"), ("a", "Rain")],
    ),
    "OpenAI's functions": (
        [
            HumanMessage("Rain?"),
            AIMessage(
                "",
                additional_kwargs={"function_call": {"name": "f", "arguments": "{}"}},
            ),
            FunctionMessage(content="Rain", name="f"),
            HumanMessage("So?"),
        ],
        ["Rain?", ("call", "call_1_0"), ("call_1_0", "Rain"), "So?"],
    ),
    "a result with an artifact": (
        [
            HumanMessage("Rain?"),
            AIMessage("", tool_calls=[CALL]),
            ToolMessage("Rain", tool_call_id="a", artifact={"rows": [1]}),
            HumanMessage("So?"),
        ],
        ["Rain?", ("call", "a"), ("a", "Rain"), "So?"],
    ),
    "an invalid call": (
        [
            HumanMessage("Rain?"),
            AIMessage(
                "",
                invalid_tool_calls=[
                    {
                        "type": "invalid_tool_call",
                        "id": "a",
                        "name": "weather",
                        "args": '{"city',
                        "error": "cut off",
                    }
                ],
            ),
            HumanMessage("So?"),
        ],
        ["Rain?", ("call", "a"), ("a", NO_RESULT), "So?"],
    ),
    "roles as text": (
        [
            LangChainChatMessage(role="developer", content="Be brief."),
            LangChainChatMessage(role="human", content="Hi"),
            LangChainChatMessage(role="ai", content="Hello"),
            LangChainChatMessage(role="user", content="So?"),
        ],
        ["Be brief.", "Hi", "Hello", "So?"],
    ),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", OTHERS)
def test_another_providers_history_is_valid(name: str, protocol: Protocol) -> None:
    history, valid = OTHERS[name]
    sent = sent_by("LangChain", protocol, history, model=MODEL)
    assert shape(sent.messages) == valid


@pytest.mark.parametrize(
    "block",
    [
        {"type": "web_search_call", "id": "ws_1", "action": {"query": "Oslo rain"}},
        {"type": "server_tool_use", "id": "s_1", "name": "web", "input": "Oslo rain"},
        {
            "type": "web_search_tool_result",
            "content": [{"title": "Oslo rain", "encrypted_content": "SECRET"}],
        },
        {"type": "executable_code", "executable_code": "print('Oslo rain')"},
        {"type": "code_execution_result", "output": "Oslo rain", "signature": "SECRET"},
    ],
)
def test_a_block_of_another_provider_becomes_text(block: dict[str, Any]) -> None:
    answer = AIMessage([{"type": "text", "text": "It rains."}, block])
    history = [HumanMessage("Rain?"), answer, HumanMessage("So?")]
    sent = sent_by("LangChain", "openai", history, model=MODEL)
    text = sent.messages[1]["content"]
    assert text.startswith(f"It rains.\n[{block['type']}: ")
    assert "Oslo rain" in text


MEDIA: dict[str, tuple[dict[str, Any], Any]] = {
    "An image": (
        {"type": "image", "url": "https://x.example/a.png"},
        ImageBlock(url="https://x.example/a.png"),
    ),
    "A video": (
        {"type": "video", "url": "https://x.example/a.mp4"},
        VideoBlock(url="https://x.example/a.mp4"),
    ),
    "Audio": (
        {"type": "audio", "url": "https://x.example/a.mp3"},
        AudioBlock(url="https://x.example/a.mp3"),
    ),
    "A file": (
        {"type": "file", "url": "https://x.example/a.pdf"},
        DocumentBlock(url="https://x.example/a.pdf"),
    ),
}


@CASES
@pytest.mark.parametrize("name", MEDIA)
def test_media_of_a_tool_do_not_end_an_agent_with_a_text_model(
    name: str, framework: str, protocol: Protocol
) -> None:
    block, llamaindex_block = MEDIA[name]
    question, turn = conversation(framework, "Show me.", ("call", "a"))
    result: Any
    if framework == "LangChain":
        text = {"type": "text", "text": "Here."}
        result = ToolMessage([text, block], tool_call_id="a", name="weather")
    else:
        result = ChatMessage(
            role="tool",
            blocks=[TextBlock(text="Here."), llamaindex_block],
            additional_kwargs={"tool_call_id": "a", "name": "weather"},
        )
    with pytest.warns(ModelStudioWarning, match=f"{name} in an earlier message"):
        sent = sent_by(framework, protocol, [question, turn, result], model=MODEL)
    first, call_ids, (call_id, words) = shape(sent.messages)
    assert (first, call_ids, call_id) == ("Show me.", ("call", "a"), "a")
    assert words.startswith("Here.")
    assert f"[{name} was returned and is not shown: {MODEL} supports only" in words


@CASES
def test_an_image_in_a_result_without_its_call_does_not_end_a_conversation(
    framework: str, protocol: Protocol
) -> None:
    url = "https://x.example/a.png"
    messages: list[Any]
    if framework == "LangChain":
        blocks: list[Any] = [{"type": "image", "url": url}]
        messages = [ToolMessage(blocks, tool_call_id="a"), HumanMessage("So?")]
    else:
        messages = [
            ChatMessage(
                role="tool",
                blocks=[ImageBlock(url=url)],
                additional_kwargs={"tool_call_id": "a"},
            ),
            ChatMessage(role="user", content="So?"),
        ]
    with pytest.warns(ModelStudioWarning, match="supports only text"):
        sent = sent_by(framework, protocol, messages, model=MODEL)
    result, question = shape(sent.messages)
    assert "An image was returned and is not shown" in result
    assert question == "So?"


# --- LlamaIndex ---------------------------------------------------------------------


def test_a_result_names_its_call_by_keyword_or_by_block() -> None:
    block = ToolCallBlock(tool_call_id="a", tool_name="weather", tool_kwargs={})
    turn = ChatMessage(role="assistant", blocks=[block])
    by_block = ChatMessage(role="tool", blocks=[block, TextBlock(text="Rain")])
    question = ChatMessage(role="user", content="Rain?")
    sent = sent_by("LlamaIndex", "openai", [question, turn, by_block], model=MODEL)
    assert shape(sent.messages) == ["Rain?", ("call", "a"), ("a", "Rain")]


@EVERY_CALL
async def test_the_error_about_a_history_that_asks_nothing_says_what_to_do(
    modelstudio_emulator: Emulator, style: CallStyle, protocol: Protocol
) -> None:
    """A hand-over ends with the message of an assistant; some models continue it."""
    history: list[Any] = (
        [HumanMessage("Hi"), AIMessage("I transfer you.", name="router")]
        if style.framework == "LangChain"
        else [ChatMessage("Hi"), ChatMessage("I transfer you.", role="assistant")]
    )
    llm = model(style.framework, modelstudio_emulator, protocol, model=MODEL)
    with pytest.raises(InternalServerError, match="end with a message of the user"):
        await call(llm, style, history)
    assert len(modelstudio_emulator.requests) == 1
