"""Histories: reasoning and calls of any origin, and unusual orders of messages."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.load import dumpd, load
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    messages_from_dict,
    messages_to_dict,
    trim_messages,
)
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, Reply, ToolCall
from tests.langchain.support import (
    add,
    both_protocols,
    check_rules,
    messages,
    model,
    parameters,
    v3_is_beta,
)

CALL = {"name": "weather", "args": {"city": "Tromsø"}, "id": "call_a"}
SENT_CALL = {
    "id": "call_a",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Tromsø"}'},
}
REASONING = "A tool. 思"
REPLY = Reply(
    reasoning=REASONING,
    text="Looking.",
    tool_calls=[ToolCall("weather", {"city": "Tromsø"}, id="call_a")],
)
QUESTION = HumanMessage("Rain?")
RESULT = ToolMessage("It rains.", tool_call_id="call_a")


# --- Origin and storage of a message ----------------------------------------------


def streamed(llm: ChatModelStudio) -> AIMessage:
    """Add up the chunks of a stream."""
    return add(llm.stream("Rain?"))


ORIGINS: dict[str, Callable[[ChatModelStudio], AIMessage]] = {
    "invoked": lambda llm: llm.invoke("Rain?"),
    "streamed": streamed,
    "v3": lambda llm: llm.stream_events("Rain?", version="v3").output,
}


def through_serializer(history: list[Any]) -> list[Any]:
    """Serialize and restore as a checkpointer does."""
    serializer = JsonPlusSerializer()
    restored: list[Any] = serializer.loads_typed(serializer.dumps_typed(history))
    return restored


STORAGES: dict[str, Callable[[list[Any]], list[Any]]] = {
    "itself": lambda history: history,
    "pickle": lambda history: pickle.loads(pickle.dumps(history)),  # noqa: S301 - our own
    "dumpd": lambda history: load(dumpd(history), allowed_objects="messages"),
    "dicts": lambda history: messages_from_dict(messages_to_dict(history)),
    "dumped": lambda history: [
        type(message).model_validate(message.model_dump()) for message in history
    ],
    "checkpoint": through_serializer,
    "trimmed": lambda history: trim_messages(
        history, max_tokens=4, token_counter=len, strategy="last"
    ),
    "copies": lambda history: [message.model_copy(deep=True) for message in history],
}


@both_protocols
@v3_is_beta
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("storage", STORAGES)
def test_reasoning_is_sent_back_from_every_origin_and_storage(
    modelstudio_emulator: Emulator,
    origin: str,
    output_version: str,
    storage: str,
    protocol: str,
) -> None:
    llm = model(
        modelstudio_emulator,
        model="deepseek-v4-pro",
        protocol=protocol,
        output_version=output_version,
    )
    modelstudio_emulator.script(REPLY)
    message = ORIGINS[origin](llm)
    llm.invoke(STORAGES[storage]([QUESTION, message, RESULT]))
    _, sent, result = messages(modelstudio_emulator.requests[-1])
    assert sent == {
        "role": "assistant",
        "content": "Looking.",
        "reasoning_content": REASONING,
        "tool_calls": [SENT_CALL],
    }
    assert result["content"] == "It rains."


@both_protocols
@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_langchains_message_history_keeps_reasoning(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    stored = InMemoryChatMessageHistory()
    stored.add_messages([QUESTION])
    llm = model(modelstudio_emulator, model="deepseek-v4-pro", protocol=protocol)
    modelstudio_emulator.script(REPLY)
    stored.add_messages([llm.invoke(stored.messages), RESULT])
    prompt = ChatPromptTemplate.from_messages(
        [("system", "S"), MessagesPlaceholder("history"), ("user", "{q}")]
    )
    chain = RunnableWithMessageHistory(
        prompt | llm,
        lambda _: stored,
        input_messages_key="q",
        history_messages_key="history",
    )
    chain.invoke({"q": "Sure?"}, config={"configurable": {"session_id": "1"}})
    sent = messages(modelstudio_emulator.requests[-1])
    assert [message["role"] for message in sent] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert sent[2]["reasoning_content"] == REASONING
    assert stored.messages[-1].additional_kwargs["reasoning_content"]


# --- Other providers' histories ---------------------------------------------------


def with_call(content: Any = "", **fields: Any) -> AIMessage:
    """Return another provider's message with a tool call."""
    return AIMessage(content=content, tool_calls=[CALL], **fields)


OTHERS: dict[str, tuple[AIMessage, str, str]] = {
    "anthropic": (
        with_call(
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
        with_call(
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
        with_call(
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
        with_call(
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
        with_call(
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
        with_call(
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                {"type": "text", "text": "So."},
            ]
        ),
        "Hm.",
        "So.",
    ),
    "bedrock": (
        with_call(
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
        with_call("So.", additional_kwargs={"reasoning_content": "Hm."}),
        "Hm.",
        "So.",
    ),
    "tags in the text": (
        with_call("<think>Hm.</think>So."),
        "",
        "<think>Hm.</think>So.",
    ),
    "none": (with_call("So."), "", "So."),
}


@both_protocols
@pytest.mark.parametrize("name", ["deepseek-v4-pro", "qwen3.7-plus"])
@pytest.mark.parametrize("other", OTHERS)
def test_another_providers_message_is_converted(
    modelstudio_emulator: Emulator, other: str, name: str, protocol: str
) -> None:
    """The emulator answers by its rules: the history must be valid."""
    message, reasoning, text = OTHERS[other]
    before = message.model_copy(deep=True)
    llm = model(modelstudio_emulator, model=name, protocol=protocol)
    assert llm.invoke([QUESTION, message, RESULT]).text
    _, sent, _ = messages(modelstudio_emulator.requests[0])
    assert sent["content"] == text
    assert sent["tool_calls"] == [SENT_CALL]
    if reasoning or name == "deepseek-v4-pro":
        assert sent["reasoning_content"] == reasoning
    else:
        assert "reasoning_content" not in sent
    assert message == before


# --- Answers without a call -------------------------------------------------------

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
    ("name", "preserve", "is_sent_back"),
    [
        ("qwen3.7-plus", None, False),
        ("qwen3.7-plus", True, True),
        ("qwen3.7-plus", False, False),
        ("deepseek-v4-pro", None, False),
        ("qwen3.8-max", None, True),
        ("qwen3.8-max", False, False),
    ],
)
def test_reasoning_of_other_answers_is_sent_back_where_preserved(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    message: AIMessage,
    name: str,
    preserve: bool | None,
    is_sent_back: bool,
    protocol: str,
) -> None:
    llm = model(modelstudio_emulator, model=name, protocol=protocol)
    llm.invoke([QUESTION, message, HumanMessage("Sure?")], preserve_thinking=preserve)
    (request,) = modelstudio_emulator.requests
    assert parameters(request).get("preserve_thinking") is preserve
    expected = {"role": "assistant", "content": "No."}
    if is_sent_back:
        expected["reasoning_content"] = "Hm."
    assert messages(request)[1] == expected


# --- Unusual orders ---------------------------------------------------------------

IMAGE = "data:image/png;base64,iVBORw0KGgo="
HISTORIES: dict[str, list[BaseMessage]] = {
    "two of each role": [
        SystemMessage("Be brief."),
        SystemMessage("Be kind."),
        HumanMessage("Hello"),
        HumanMessage("there"),
        AIMessage("Hi."),
        AIMessage("Yes?"),
        HumanMessage("Rain?"),
    ],
    "calls in the content": [
        QUESTION,
        AIMessage(
            [
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "call_a", "name": "weather", "input": {}},
            ],
            tool_calls=[{**CALL, "args": {}}],
        ),
        RESULT,
    ],
    "examples with calls": [
        HumanMessage("Rain in Oslo?", name="example_user"),
        AIMessage("", name="example_assistant", tool_calls=[CALL]),
        ToolMessage("It rains.", tool_call_id="call_a"),
        AIMessage("It rains."),
        QUESTION,
    ],
    "a tool that failed": [
        QUESTION,
        AIMessage("", tool_calls=[CALL]),
        ToolMessage("No such city.", tool_call_id="call_a", status="error"),
    ],
    "a tool without a result": [
        QUESTION,
        AIMessage("", tool_calls=[CALL]),
        ToolMessage("", tool_call_id="call_a", artifact={"rows": 5}),
    ],
    "a tool with content blocks": [
        QUESTION,
        AIMessage("", tool_calls=[CALL]),
        ToolMessage(
            [{"type": "text", "text": "It"}, {"type": "text", "text": "rains."}],
            tool_call_id="call_a",
        ),
    ],
    "empty answers": [QUESTION, AIMessage(""), AIMessage([]), HumanMessage("Well?")],
    "a system message at the end": [QUESTION, AIMessage("No."), SystemMessage("Sure?")],
}


@both_protocols
@pytest.mark.parametrize("name", ["deepseek-v4-pro", "qwen3.7-plus", "qwen-max"])
@pytest.mark.parametrize("order", HISTORIES)
def test_an_unusual_history_is_valid(
    modelstudio_emulator: Emulator, order: str, name: str, protocol: str
) -> None:
    """The emulator answers by its rules: the history must be valid."""
    llm = model(modelstudio_emulator, model=name, protocol=protocol)
    assert llm.invoke(HISTORIES[order]).text
    sent = messages(modelstudio_emulator.requests[0])
    assert len(sent) == len(HISTORIES[order])
    if name != "qwen3.7-plus":
        assert all(isinstance(message["content"], str) for message in sent)
    check_rules(modelstudio_emulator)


@both_protocols
def test_an_image_of_a_tool_is_sent_to_a_vision_model(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    result = ToolMessage(
        [
            {"type": "text", "text": "A photo."},
            {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"},
        ],
        tool_call_id="call_a",
    )
    llm = model(modelstudio_emulator, protocol=protocol)
    assert llm.invoke([QUESTION, AIMessage("", tool_calls=[CALL]), result]).text
    *_, sent, shown = messages(modelstudio_emulator.requests[0])
    assert (sent["role"], shown["role"]) == ("tool", "user")
    assert "A photo." in str(sent["content"])
    assert IMAGE in str(shown["content"])
