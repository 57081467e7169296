"""Responses of events: with and without validation they are the same."""

import pickle
import time
from collections.abc import Callable, Sequence

import pytest
from llama_index.core.base.llms.types import ChatResponse, TextBlock, ToolCallBlock

from llamaindex_modelstudio._chat.responses import (
    to_delta_response,
    validated_response,
)
from llamaindex_modelstudio._foreign import UNVALIDATED_RESPONSES, construct_response
from modelstudio_core.chat import completion as completions
from modelstudio_core.chat.completion import Completion, ParsedCall
from modelstudio_core.chat.events import (
    Citation,
    Citations,
    Event,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.messages import ToolCall
from modelstudio_core.foreign.pydantic_objects import dump_state
from tests.core.support import make_plan
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


CITATION = Citation(
    index=1, title="A", url="https://example.com/", site_name="E", icon=""
)
CALLS: list[Event] = [
    ReasoningDelta("Hm."),
    ToolCallDelta(1, "b", "g", ""),
    ToolCallDelta(0, "a", "f", '{"a": '),
    ToolCallDelta(1, None, None, "{}"),
    ToolCallDelta(0, None, None, '{"b": 1}'),
    Citations([CITATION]),
    ToolCallDelta(0, None, None, "}"),
    TextDelta("x"),
    ToolCallDelta(0, None, None, " too much"),
]


def responses_of(
    events: Sequence[Event], call: Callable[[Event, Completion], ChatResponse]
) -> list[ChatResponse]:
    """Return the response of each event of an answer."""
    completion = Completion()
    responses: list[ChatResponse] = []
    for event in events:
        completion.add(event)
        responses.append(call(event, completion))
    return responses


def delta_response(event: Event, completion: Completion) -> ChatResponse:
    return to_delta_response(event, completion, make_plan())


def test_responses_with_calls_are_the_same_without_validation() -> None:
    """Each is the one that its events alone would give."""
    assert UNVALIDATED_RESPONSES.active
    responses = responses_of(CALLS, delta_response)
    for number, response in enumerate(responses):
        alone = completion_of(CALLS[: number + 1])
        validated = validated_response(
            alone, response.delta or "", response.additional_kwargs["thinking_delta"]
        )
        assert dump_state(response) == dump_state(validated)


def test_the_calls_of_an_earlier_response_are_not_changed() -> None:
    responses = responses_of(CALLS, delta_response)
    shown = [
        [
            block.tool_kwargs
            for block in response.message.blocks
            if isinstance(block, ToolCallBlock)
        ]
        for response in responses
    ]
    whole = {"a": {"b": 1}}
    assert shown == [
        [],
        [""],
        ['{"a": ', ""],
        ['{"a": ', {}],
        ['{"a": {"b": 1}', {}],
        ['{"a": {"b": 1}', {}],
        [whole, {}],
        [whole, {}],
        ['{"a": {"b": 1}} too much', {}],
    ]
    first, last = responses[2].message, responses[-1].message
    last.additional_kwargs["tool_calls"].clear()
    last.blocks.clear()
    assert len(first.additional_kwargs["tool_calls"]) == 2
    assert len(responses[-2].message.additional_kwargs["tool_calls"]) == 2


def test_calls_that_did_not_change_are_shared() -> None:
    before, after = responses_of(CALLS, delta_response)[-3:-1]
    pairs = zip(before.message.blocks[-2:], after.message.blocks[-2:], strict=True)
    assert all(one is other for one, other in pairs)


def test_a_stream_of_many_calls_takes_little_longer_for_each() -> None:
    """Four times as many calls once took sixteen times as long."""

    def seconds(count: int) -> float:
        events = [ToolCallDelta(n, f"c{n}", "f", '{"a": 1}') for n in range(count)]
        begin = time.process_time()
        completion = Completion()
        for event in events:
            completion.add(event)
            delta_response(event, completion)
        return time.process_time() - begin

    assert min(seconds(2000) for _ in range(2)) < 8 * min(
        seconds(500) for _ in range(3)
    )


def test_one_call_with_many_pieces_is_parsed_where_it_may_be_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[str] = []
    original = completions.parse_call

    def parse(call: ToolCall, reason: str | None) -> ParsedCall:
        parsed.append(call["function"]["arguments"])
        return original(call, reason)

    monkeypatch.setattr(completions, "parse_call", parse)
    pieces = ['{"a": "', *["x"] * 500, '"}']
    events = [ToolCallDelta(0, "c", "f", piece) for piece in pieces]
    last = responses_of(events, delta_response)[-1]
    assert parsed == ["".join(pieces)]
    assert last.message.additional_kwargs["tool_calls"][0]["function"]["arguments"]


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
