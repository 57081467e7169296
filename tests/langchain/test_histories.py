"""Reasoning that goes back to the model, from wherever a history kept it."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.load import dumpd, load
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    messages_from_dict,
    messages_to_dict,
    trim_messages,
)
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, Reply, ToolCall
from tests.langchain.asking import PROTOCOLS, check_legal, messages, model, parameters

both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
v3_is_beta = pytest.mark.filterwarnings("ignore:.*is in beta")

CALL = {"name": "weather", "args": {"city": "Tromsø"}, "id": "call_a"}
SENT_CALL = {
    "id": "call_a",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Tromsø"}'},
}
THOUGHT = "A tool. 思"
TURN = Reply(
    reasoning=THOUGHT,
    text="Looking.",
    tool_calls=[ToolCall("weather", {"city": "Tromsø"}, id="call_a")],
)
ASKED = HumanMessage("Rain?")
TOLD = ToolMessage("It rains.", tool_call_id="call_a")


# --- How a message was made, and what happened to it ------------------------------


def streamed(llm: ChatModelStudio) -> AIMessage:
    """Add the chunks of a stream."""
    first, *rest = [it for it in llm.stream("Rain?") if isinstance(it, AIMessageChunk)]
    return add_ai_message_chunks(first, *rest)


MAKERS: dict[str, Callable[[ChatModelStudio], AIMessage]] = {
    "whole": lambda llm: llm.invoke("Rain?"),
    "streamed": streamed,
    "v3": lambda llm: llm.stream_events("Rain?", version="v3").output,
}


def through_serializer(history: list[Any]) -> list[Any]:
    """Do what a checkpointer does."""
    serializer = JsonPlusSerializer()
    found: list[Any] = serializer.loads_typed(serializer.dumps_typed(history))
    return found


KEEPERS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "itself": lambda history: history,
    "pickle": lambda history: pickle.loads(pickle.dumps(history)),  # noqa: S301 - our own
    "dumpd": lambda history: load(dumpd(history), allowed_objects="messages"),
    "dicts": lambda history: messages_from_dict(messages_to_dict(history)),
    "dumped": lambda history: [
        type(it).model_validate(it.model_dump()) for it in history
    ],
    "checkpoint": through_serializer,
    "trimmed": lambda history: trim_messages(
        history, max_tokens=4, token_counter=len, strategy="last"
    ),
    "copies": lambda history: [it.model_copy(deep=True) for it in history],
}


@both_protocols
@v3_is_beta
@pytest.mark.parametrize("made", MAKERS)
@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("kept", KEEPERS)
def test_reasoning_goes_back_however_it_was_kept(
    modelstudio_emulator: Emulator,
    made: str,
    output_version: str,
    kept: str,
    protocol: str,
) -> None:
    llm = model(
        modelstudio_emulator,
        model="deepseek-v4-pro",
        protocol=protocol,
        output_version=output_version,
    )
    modelstudio_emulator.script(TURN)
    turn = MAKERS[made](llm)
    llm.invoke(KEEPERS[kept]([ASKED, turn, TOLD]))
    _, sent, told = messages(modelstudio_emulator.requests[-1])
    assert sent == {
        "role": "assistant",
        "content": "Looking.",
        "reasoning_content": THOUGHT,
        "tool_calls": [SENT_CALL],
    }
    assert told["content"] == "It rains."


@both_protocols
@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_a_history_of_langchains_own_keeps_reasoning(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    kept = InMemoryChatMessageHistory()
    kept.add_messages([ASKED])
    llm = model(modelstudio_emulator, model="deepseek-v4-pro", protocol=protocol)
    modelstudio_emulator.script(TURN)
    kept.add_messages([llm.invoke(kept.messages), TOLD])
    prompt = ChatPromptTemplate.from_messages(
        [("system", "S"), MessagesPlaceholder("history"), ("user", "{q}")]
    )
    chain = RunnableWithMessageHistory(
        prompt | llm,
        lambda _: kept,
        input_messages_key="q",
        history_messages_key="history",
    )
    chain.invoke({"q": "Sure?"}, config={"configurable": {"session_id": "1"}})
    sent = messages(modelstudio_emulator.requests[-1])
    assert [it["role"] for it in sent] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert sent[2]["reasoning_content"] == THOUGHT
    assert kept.messages[-1].additional_kwargs["reasoning_content"]


# --- Other providers' histories ---------------------------------------------------


def turn(content: Any = "", **fields: Any) -> AIMessage:
    """Return a tool turn as another provider leaves it."""
    return AIMessage(content=content, tool_calls=[CALL], **fields)


OTHERS: dict[str, tuple[AIMessage, str, str]] = {
    "anthropic": (
        turn(
            [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "So."},
                {
                    "type": "tool_use",
                    "id": "call_a",
                    "name": "weather",
                    "input": {"city": "Tromsø"},
                },
            ],
            response_metadata={"model_provider": "anthropic"},
        ),
        "Hm.",
        "So.",
    ),
    "anthropic in v1": (
        turn(
            [
                {"type": "reasoning", "reasoning": "Hm.", "extras": {"signature": "s"}},
                {
                    "type": "non_standard",
                    "value": {"type": "redacted_thinking", "data": "x"},
                },
                {"type": "text", "text": "So."},
                {"type": "tool_call", **CALL},
            ],
            response_metadata={"output_version": "v1"},
        ),
        "Hm.",
        "So.",
    ),
    "openai responses": (
        turn(
            [
                {
                    "type": "reasoning",
                    "id": "rs_1",
                    "summary": [
                        {"type": "summary_text", "text": "Hm."},
                        {"type": "summary_text", "text": "Ah."},
                    ],
                    "encrypted_content": "x",
                },
                {"type": "text", "text": "So.", "annotations": []},
                {
                    "type": "function_call",
                    "call_id": "call_a",
                    "id": "fc_1",
                    "name": "weather",
                    "arguments": '{"city": "Tromsø"}',
                },
            ],
            response_metadata={"model_provider": "openai"},
        ),
        "Hm.\n\nAh.",
        "So.",
    ),
    "openai responses in v0": (
        turn(
            "So.",
            additional_kwargs={
                "reasoning": {
                    "id": "rs_1",
                    "type": "reasoning",
                    "summary": [{"type": "summary_text", "text": "Hm."}],
                }
            },
        ),
        "Hm.",
        "So.",
    ),
    "gemini": (
        turn(
            [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "text", "text": "So.", "extras": {"signature": "s"}},
            ],
            response_metadata={"model_provider": "google_genai"},
        ),
        "Hm.",
        "So.",
    ),
    "mistral": (
        turn(
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                {"type": "text", "text": "So."},
            ]
        ),
        "Hm.",
        "So.",
    ),
    "bedrock": (
        turn(
            [
                {
                    "type": "reasoning_content",
                    "reasoning_content": {"text": "Hm.", "signature": "s"},
                },
                {"type": "text", "text": "So."},
            ]
        ),
        "Hm.",
        "So.",
    ),
    "deepseek": (
        turn("So.", additional_kwargs={"reasoning_content": "Hm."}),
        "Hm.",
        "So.",
    ),
    "tags in the text": (
        turn("<think>Hm.</think>So."),
        "",
        "<think>Hm.</think>So.",
    ),
    "none": (turn("So."), "", "So."),
}


@both_protocols
@pytest.mark.parametrize("name", ["deepseek-v4-pro", "qwen3.7-plus"])
@pytest.mark.parametrize("other", OTHERS)
def test_another_providers_turn_goes_on_here(
    modelstudio_emulator: Emulator, other: str, name: str, protocol: str
) -> None:
    """Nobody scripts the answer: the rules of the service hold for the history."""
    message, reasoning, text = OTHERS[other]
    before = message.model_copy(deep=True)
    llm = model(modelstudio_emulator, model=name, protocol=protocol)
    assert llm.invoke([ASKED, message, TOLD]).text
    _, sent, _ = messages(modelstudio_emulator.requests[0])
    assert sent["content"] == text
    assert sent["tool_calls"] == [SENT_CALL]
    if reasoning or name == "deepseek-v4-pro":
        assert sent["reasoning_content"] == reasoning
    else:
        assert "reasoning_content" not in sent
    assert message == before


# --- Turns without a call ---------------------------------------------------------

PLAIN: list[AIMessage] = [
    AIMessage("No.", additional_kwargs={"reasoning_content": "Hm."}),
    AIMessage(
        [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "No."}],
        response_metadata={"output_version": "v1"},
    ),
    AIMessage(
        [
            {"type": "thinking", "thinking": "Hm.", "signature": "s"},
            {"type": "text", "text": "No."},
        ]
    ),
]


@both_protocols
@pytest.mark.parametrize("message", PLAIN)
@pytest.mark.parametrize(
    ("name", "asked", "goes_back"),
    [
        ("qwen3.7-plus", None, False),
        ("qwen3.7-plus", True, True),
        ("qwen3.7-plus", False, False),
        ("deepseek-v4-pro", None, False),
        ("qwen3.8-max", None, True),
        ("qwen3.8-max", False, False),
    ],
)
def test_reasoning_of_a_plain_turn_goes_back_where_it_is_preserved(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    message: AIMessage,
    name: str,
    asked: bool | None,
    goes_back: bool,
    protocol: str,
) -> None:
    llm = model(modelstudio_emulator, model=name, protocol=protocol)
    llm.invoke([ASKED, message, HumanMessage("Sure?")], preserve_thinking=asked)
    (request,) = modelstudio_emulator.requests
    assert parameters(request).get("preserve_thinking") is asked
    expected = {"role": "assistant", "content": "No."}
    if goes_back:
        expected["reasoning_content"] = "Hm."
    assert messages(request)[1] == expected


# --- Awkward shapes ---------------------------------------------------------------

IMAGE = "data:image/png;base64,iVBORw0KGgo="
SHAPES: dict[str, list[BaseMessage]] = {
    "each twice": [
        SystemMessage("Be brief."),
        SystemMessage("Be kind."),
        HumanMessage("Hello"),
        HumanMessage("there"),
        AIMessage("Hi."),
        AIMessage("Yes?"),
        HumanMessage("Rain?"),
    ],
    "calls in the content": [
        ASKED,
        AIMessage(
            [
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "call_a", "name": "weather", "input": {}},
            ],
            tool_calls=[{**CALL, "args": {}}],
        ),
        TOLD,
    ],
    "examples with calls": [
        HumanMessage("Rain in Oslo?", name="example_user"),
        AIMessage("", name="example_assistant", tool_calls=[CALL]),
        ToolMessage("It rains.", tool_call_id="call_a"),
        AIMessage("It rains."),
        ASKED,
    ],
    "a tool that failed": [
        ASKED,
        AIMessage("", tool_calls=[CALL]),
        ToolMessage("No such city.", tool_call_id="call_a", status="error"),
    ],
    "a tool that said nothing": [
        ASKED,
        AIMessage("", tool_calls=[CALL]),
        ToolMessage("", tool_call_id="call_a", artifact={"rows": 5}),
    ],
    "a tool that answered in blocks": [
        ASKED,
        AIMessage("", tool_calls=[CALL]),
        ToolMessage(
            [{"type": "text", "text": "It"}, {"type": "text", "text": "rains."}],
            tool_call_id="call_a",
        ),
    ],
    "nothing said": [ASKED, AIMessage(""), AIMessage([]), HumanMessage("Well?")],
    "the system at the end": [ASKED, AIMessage("No."), SystemMessage("Sure?")],
}


@both_protocols
@pytest.mark.parametrize("name", ["deepseek-v4-pro", "qwen3.7-plus", "qwen-max"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_awkward_history_is_legal(
    modelstudio_emulator: Emulator, shape: str, name: str, protocol: str
) -> None:
    """Nobody scripts the answer: the rules of the service hold for the history."""
    llm = model(modelstudio_emulator, model=name, protocol=protocol)
    assert llm.invoke(SHAPES[shape]).text
    sent = messages(modelstudio_emulator.requests[0])
    assert len(sent) == len(SHAPES[shape])
    if name != "qwen3.7-plus":
        assert all(isinstance(it["content"], str) for it in sent)
    check_legal(modelstudio_emulator)


@both_protocols
def test_an_image_of_a_tool_reaches_a_model_that_sees(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    told = ToolMessage(
        [
            {"type": "text", "text": "A photo."},
            {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"},
        ],
        tool_call_id="call_a",
    )
    llm = model(modelstudio_emulator, protocol=protocol)
    assert llm.invoke([ASKED, AIMessage("", tool_calls=[CALL]), told]).text
    *_, sent = messages(modelstudio_emulator.requests[0])
    assert sent["role"] == "tool"
    assert IMAGE in str(sent["content"])
