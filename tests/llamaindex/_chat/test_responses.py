"""Responses of events: with and without validation they are the same."""

import pickle
from collections.abc import Sequence

import pytest
from llama_index.core.base.llms.types import ChatResponse, TextBlock

from llamaindex_modelstudio._chat.responses import (
    to_delta_response,
    validated_response,
)
from llamaindex_modelstudio._foreign import UNVALIDATED_RESPONSES, construct_response
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Event, ReasoningDelta, TextDelta, ToolCallDelta
from modelstudio_core.foreign.pydantic_objects import dump_state
from tests.llamaindex.support import replay_llm

EVENTS: list[Sequence[Event]] = [
    [],
    [ReasoningDelta("Hm.")],
    [TextDelta("x")],
    [ReasoningDelta("Hm."), TextDelta("One "), TextDelta("two \N{SNOWMAN}")],
]


def completion_of(events: Sequence[Event]) -> Completion:
    completion = Completion()
    for event in events:
        completion.add(event)
    return completion


def unvalidated_response(events: Sequence[Event]) -> ChatResponse:
    completion = completion_of(events)
    return construct_response(completion.reasoning, completion.text, "x", "y")


@pytest.mark.parametrize("events", EVENTS)
def test_responses_are_the_same_without_validation(events: Sequence[Event]) -> None:
    validated = validated_response(completion_of(events), "x", "y")
    unvalidated = unvalidated_response(events)
    assert unvalidated == validated
    assert dump_state(unvalidated) == dump_state(validated)
    assert repr(unvalidated) == repr(validated)
    assert unvalidated.model_dump() == validated.model_dump()
    assert unvalidated.model_dump(exclude_unset=True) == validated.model_dump(
        exclude_unset=True
    )
    restored = pickle.loads(pickle.dumps(unvalidated))  # noqa: S301 - our own pickle
    assert restored == validated
    assert ChatResponse.model_validate(unvalidated.model_dump()) == validated


def test_unvalidated_responses_share_no_state() -> None:
    first, second = unvalidated_response(EVENTS[3]), unvalidated_response(EVENTS[3])
    first.message.blocks.append(TextBlock(text="more"))
    first.message.additional_kwargs["mark"] = 1
    first.additional_kwargs["mark"] = 1
    assert second == validated_response(completion_of(EVENTS[3]), "x", "y")


def test_tool_calls_are_validated() -> None:
    event = ToolCallDelta(0, "id", "f", "{}")
    completion = completion_of([event])
    plan = replay_llm().resolved.plan(stream=True)
    response = to_delta_response(event, completion, plan)
    assert response == validated_response(completion, "", "")
    assert completion_of(EVENTS[3]).is_plain
    assert not completion.is_plain


@pytest.mark.parametrize("active", [True, False])
def test_events_convert_with_and_without_the_fast_path(
    monkeypatch: pytest.MonkeyPatch, active: bool
) -> None:
    monkeypatch.setattr(UNVALIDATED_RESPONSES, "active", active)
    event = TextDelta("x")
    completion = completion_of([ReasoningDelta("Hm."), event])
    plan = replay_llm().resolved.plan(stream=True)
    response = to_delta_response(event, completion, plan)
    assert response == validated_response(completion, "x", "")
