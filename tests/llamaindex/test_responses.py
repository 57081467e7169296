"""The fast way of making a stream's responses makes what the ordinary way makes."""

import pickle
from collections.abc import Sequence
from importlib import reload

import pytest
from llama_index.core.base.llms import types
from llama_index.core.base.llms.types import ChatResponse, TextBlock

from llamaindex_modelstudio._chat import responses as _responses
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Event, ReasoningDelta, TextDelta, ToolCallDelta
from modelstudio_core.foreign.pydantic_objects import dump_state

SAMPLES: list[Sequence[Event]] = [
    [],
    [ReasoningDelta("Hm.")],
    [TextDelta("x")],
    [ReasoningDelta("Hm."), TextDelta("One "), TextDelta("two \N{SNOWMAN}")],
]


def so_far(events: Sequence[Event]) -> Completion:
    completion = Completion()
    for event in events:
        completion.add(event)
    return completion


def test_the_installed_llamaindex_takes_the_fast_way() -> None:
    """A class that has changed would fall back in silence, and be slow."""
    assert _responses.agrees()
    assert _responses._make is _responses.unvalidated


@pytest.mark.parametrize("events", SAMPLES)
def test_both_ways_make_the_same(events: Sequence[Event]) -> None:
    ordinary = _responses.validated(so_far(events), "x", "y")
    fast = _responses.unvalidated(so_far(events), "x", "y")
    assert fast == ordinary
    assert dump_state(fast) == dump_state(ordinary)
    assert repr(fast) == repr(ordinary)
    assert fast.model_dump() == ordinary.model_dump()
    assert fast.model_dump(exclude_unset=True) == ordinary.model_dump(
        exclude_unset=True
    )
    assert pickle.loads(pickle.dumps(fast)) == ordinary  # noqa: S301 - our own pickle
    assert ChatResponse.model_validate(fast.model_dump()) == ordinary


def test_responses_share_nothing() -> None:
    completion = so_far(SAMPLES[3])
    first = _responses.unvalidated(completion, "x", "")
    second = _responses.unvalidated(completion, "x", "")
    first.message.blocks.append(TextBlock(text="more"))
    first.message.additional_kwargs["mark"] = 1
    first.additional_kwargs["mark"] = 1
    assert second == _responses.validated(completion, "x", "")


def test_calls_take_the_ordinary_way() -> None:
    assert so_far(SAMPLES[3]).is_plain
    assert not so_far([ToolCallDelta(0, "id", "f", "{}")]).is_plain


def test_a_class_that_has_changed_takes_the_ordinary_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A field that a later LlamaIndex adds must not be missing from our responses."""

    class Later(TextBlock):
        added: str = "new"

    with monkeypatch.context() as patched:
        patched.setattr(types, "TextBlock", Later)
        later = reload(_responses)
        way, ordinary = later._make, later.validated
        made = way(so_far(SAMPLES[3]), "x", "")
    reload(_responses)
    assert way is ordinary
    assert isinstance(made.message.blocks[1], Later)
