"""The fast way of making chunks makes what the ordinary way makes."""

import pickle
from collections.abc import Callable
from importlib import reload
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_modelstudio._chat import chunks as _chunks
from modelstudio_core.foreign.pydantic_objects import dump_state

SAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("x", {}),
    ("", {}),
    ("", {"reasoning_content": "Hm."}),
    ("\N{SNOWMAN}", {"reasoning_content": "\N{SNOWMAN}"}),
]
Make = Callable[[str, dict[str, Any]], ChatGenerationChunk]


def test_the_installed_langchain_takes_the_fast_way() -> None:
    """A class that has changed would fall back in silence, and be slow."""
    assert _chunks.agrees()
    assert _chunks._make is _chunks.unvalidated


@pytest.mark.parametrize(("text", "extra"), SAMPLES)
def test_both_ways_make_the_same(text: str, extra: dict[str, Any]) -> None:
    ordinary = _chunks.validated(text, {**extra})
    fast = _chunks.unvalidated(text, {**extra})
    assert fast == ordinary
    assert dump_state(fast) == dump_state(ordinary)
    assert repr(fast) == repr(ordinary)
    assert dumpd(fast) == dumpd(ordinary)
    assert fast.model_dump(exclude_unset=True) == ordinary.model_dump(
        exclude_unset=True
    )
    assert pickle.loads(pickle.dumps(fast)) == ordinary  # noqa: S301 - our own pickle


@pytest.mark.parametrize("make", [_chunks.validated, _chunks.unvalidated])
def test_chunks_add_up_and_share_nothing(make: Make) -> None:
    first, second = make("One ", {}), make("two", {})
    total = first + second
    assert total.text == "One two"
    assert isinstance(total.message, AIMessageChunk)
    first.message.response_metadata["mark"] = 1
    first.message.additional_kwargs["mark"] = 1
    assert isinstance(first.message, AIMessageChunk)
    first.message.tool_call_chunks.append({"name": "f"})  # type: ignore[typeddict-item] # only whether lists are shared matters
    fresh = make("One ", {})
    assert isinstance(fresh.message, AIMessageChunk)
    assert fresh.message.response_metadata == {"model_provider": "modelstudio"}
    assert fresh.message.additional_kwargs == {}
    assert fresh.message.tool_call_chunks == []


def test_a_class_that_has_changed_takes_the_ordinary_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A field that a later LangChain adds must not be missing from our chunks."""

    class Later(AIMessageChunk):
        added: str = "new"

    from langchain_core import messages

    with monkeypatch.context() as patched:
        patched.setattr(messages, "AIMessageChunk", Later)
        later = reload(_chunks)
        way, ordinary = later._make, later.validated
        made = way("x", {}).message
    reload(_chunks)
    assert way is ordinary
    assert isinstance(made, Later)
    assert made.added == "new"
