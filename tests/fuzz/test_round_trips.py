"""An answer that is sent back is the same answer, however the message was stored."""

import json
import pickle
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.language_models._utils import _update_message_content_to_blocks
from langchain_core.load import dumpd, dumps, load, loads
from langchain_core.messages import AIMessage, AIMessageChunk, message_to_dict
from langchain_core.messages.utils import messages_from_dict
from llama_index.core.base.llms.types import ChatMessage, ChatResponse

from langchain_modelstudio._chat import messages as langchain
from langchain_modelstudio._chat.answers import to_message
from langchain_modelstudio._chat.chunks import ChunkBuilder
from llamaindex_modelstudio._chat.messages import from_messages
from llamaindex_modelstudio._chat.responses import to_delta_response, to_response
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from tests.fuzz.dialects import Answer, Call, answers, joined
from tests.fuzz.parsing import PLAN, complete
from tests.fuzz.prompts import build_bodies, calls_of, reasoning_of, text_of
from tests.fuzz.strategies import arguments, texts
from tests.support.calls import add_chunks
from tests.support.responses import without_index

pytestmark = pytest.mark.filterwarnings(
    "ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"
)
USAGE = Usage(10, 20, 30, reasoning_tokens=5, cached_tokens=3, cache_creation_tokens=1)


def events_of(answer: Answer, order: list[int] | None = None) -> list[Event]:
    """Return the events of an answer; the pieces of its calls alternate."""
    events: list[Event] = [ReasoningDelta(text) for text in answer.reasoning if text]
    events += [TextDelta(text) for text in answer.text if text]
    for index, call in enumerate(answer.calls):
        events.append(ToolCallDelta(index, call.id, call.name or None, call.pieces[0]))
    rest = [list(call.pieces[1:]) for call in answer.calls]
    for turn in [*(order or ()), *(range(len(rest)) if rest else ())] * 6:
        if rest and rest[turn % len(rest)]:
            piece = rest[turn % len(rest)].pop(0)
            events.append(ToolCallDelta(turn % len(rest), None, None, piece))
    finish = Finish(
        finish_reason=answer.finish_reason,
        raw_finish_reason=answer.finish_reason,
        usage=USAGE,
        request_id="r-1",
        response_id="chatcmpl-1",
        model="m",
        created=1,
        logprobs=None,
        tool_info=None,
        raw={},
    )
    return [*events, finish]


def completed(events: list[Event]) -> Completion:
    return complete(events)[0]


def check(messages: list[Any], expected: Completion) -> None:
    """Check that one message keeps an answer.

    A copy through JSON joins two halves of a surrogate pair that meet.
    """
    (message,) = messages
    assert joined(reasoning_of(message)) == joined(expected.reasoning)
    assert joined(text_of(message)) == joined(expected.text)
    # LangChain keeps calls whose arguments are not JSON separately, in another order.
    assert joined_calls(message) == joined_calls({"tool_calls": expected.tool_calls})
    assert build_bodies(messages)


def joined_calls(message: Any) -> list[str]:
    return sorted(str([*map(joined, call)]) for call in calls_of(message))


# --- LangChain --------------------------------------------------------------------


def as_blocks(message: Any) -> Any:
    """Return a message in the format of LangChain's output version v1."""
    return _update_message_content_to_blocks(message, "v1")


def langchain_copies(message: AIMessage) -> list[Any]:
    allowed: Any = {"allowed_objects": "all"}
    return [
        message,
        load(dumpd(message), **allowed),
        loads(dumps(message), **allowed),
        messages_from_dict([message_to_dict(message)])[0],
        type(message).model_validate(message.model_dump()),
        pickle.loads(pickle.dumps(message)),  # noqa: S301 - pickled here
        as_blocks(message),
        load(dumpd(as_blocks(message)), **allowed),
    ]


@given(answers(arguments | texts))
@example(Answer(["a"], ["b"], [Call("1", "f", ["5"]), Call("2", "g", ["{}"])], "stop"))
def test_a_langchain_message_keeps_the_answer(answer: Answer) -> None:
    completion = completed(events_of(answer))
    for copy in langchain_copies(to_message(completion, PLAN)):
        check(langchain.from_messages([copy]), completion)


# --- LlamaIndex -------------------------------------------------------------------


@given(answers(arguments | texts))
@example(Answer([""], [""], [Call("\ud83e\udd8a", "f", ["{}"])], "stop"))
def test_a_llamaindex_message_keeps_the_answer(answer: Answer) -> None:
    completion = completed(events_of(answer))
    message = to_response(completion, PLAN).message
    copies = [
        message,
        ChatMessage.model_validate(message.model_dump()),
        pickle.loads(pickle.dumps(message)),  # noqa: S301 - pickled here
        # LlamaIndex's memories keep the blocks, but not always additional_kwargs.
        ChatMessage(role=message.role, blocks=message.blocks),
        ChatMessage.model_validate(json.loads(json.dumps(message.model_dump()))),
    ]
    for copy in copies:
        check(from_messages([copy]), completion)


@given(answers(arguments | texts), st.lists(st.integers(0, 2), max_size=6))
def test_llamaindex_deltas_add_up_to_the_message(
    answer: Answer, order: list[int]
) -> None:
    completion = Completion()
    responses: list[ChatResponse] = []
    for event in events_of(answer, order):
        completion.add(event)
        responses.append(to_delta_response(event, completion, PLAN))
        assert (responses[-1].message.content or "") == completion.text
    deltas = [response.delta or "" for response in responses]
    assert "".join(deltas) == "".join(answer.text)
    reasoning = [response.additional_kwargs["thinking_delta"] for response in responses]
    assert "".join(reasoning) == "".join(answer.reasoning)
    check(from_messages([responses[-1].message]), completion)


# --- LangChain's chunks -----------------------------------------------------------


def chunks_of(events: Sequence[Event]) -> list[Any]:
    builder = ChunkBuilder(PLAN)
    chunks = [builder.build(event) for event in events]
    last = [builder.last] if builder.last else []
    return [chunk.message for chunk in (*chunks, *last)]


def total(chunks: list[Any]) -> AIMessageChunk:
    message = add_chunks(chunks)
    assert isinstance(message, AIMessageChunk)
    return message


@given(answers(arguments), st.lists(st.integers(0, 2), max_size=6))
def test_the_sum_of_chunks_is_the_message(answer: Answer, order: list[int]) -> None:
    events = events_of(answer, order)
    expected = to_message(completed(events), PLAN)
    message = total(chunks_of(events))
    assert message.content == expected.content
    assert message.additional_kwargs == expected.additional_kwargs
    assert message.response_metadata == expected.response_metadata
    assert message.usage_metadata == expected.usage_metadata
    assert message.tool_calls == expected.tool_calls
    assert message.invalid_tool_calls == expected.invalid_tool_calls
    assert message.content_blocks == expected.content_blocks
    check(langchain.from_messages([message]), completed(events))


@given(answers(arguments), st.lists(st.integers(0, 2), max_size=6))
def test_the_sum_of_v1_chunks_is_the_message(answer: Answer, order: list[int]) -> None:
    events = events_of(answer, order)
    expected = to_message(completed(events), PLAN)
    message = total([as_blocks(chunk) for chunk in chunks_of(events)])
    assert without_index(message.content_blocks) == without_index(
        expected.content_blocks
    )
    kinds = [block["type"] for block in message.content_blocks]
    assert kinds == [
        *(["reasoning"] if any(answer.reasoning) else []),
        *(["text"] if any(answer.text) else []),
        *(["tool_call"] * len(answer.calls)),
    ]
    assert message.usage_metadata == expected.usage_metadata
    assert message.tool_calls == expected.tool_calls
    check(langchain.from_messages([message]), completed(events))


@given(answers(texts), st.lists(st.integers(0, 2), max_size=6))
def test_the_sum_of_chunks_keeps_invalid_arguments(
    answer: Answer, order: list[int]
) -> None:
    events = events_of(answer, order)
    message = total(chunks_of(events))
    for chunk, call in zip(message.tool_call_chunks, answer.calls, strict=True):
        # Text that LangChain would complete to an object has an invalid end.
        assert joined(chunk["args"] or "").startswith(joined(*call.pieces))
    ids = [chunk["id"] for chunk in message.tool_call_chunks]
    assert ids == [call.id for call in answer.calls]
