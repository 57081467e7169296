"""What embeddings and reranking share: counts, usage, and values that are kept."""

import copy
import os
import pickle
from typing import Any

import pytest

from modelstudio_core.concurrent_arguments import (
    ConcurrentArguments,
    Keep,
    SharedState,
    Usage,
    check_count,
)
from modelstudio_core.rerank import RerankArguments
from tests.core.support import KEY, error_message


def make_arguments(**arguments: Any) -> ConcurrentArguments:
    return RerankArguments(
        model="qwen3-rerank", api_key=KEY, base_url="http://127.0.0.1:9", **arguments
    )


@pytest.mark.parametrize("value", [None, 1, 2, 10**9])
def test_a_count_is_an_integer_from_one(value: int | None) -> None:
    assert check_count({"top_n": value}, "top_n") == value
    assert check_count({"other": 0}, "top_n") is None


@pytest.mark.parametrize("value", [0, -1, True, False, 1.0, "1", [1]])
def test_another_count_is_refused(value: object) -> None:
    message = error_message(check_count, {"top_n": value}, "top_n")
    assert message == f"top_n must be an integer >= 1, got {value!r}."


def test_answers_are_counted_with_and_without_tokens() -> None:
    shared = SharedState(1)
    assert shared.usage == Usage(0, 0) == Usage()
    for tokens in (7, None, 0, 5):
        shared.count(tokens)
    assert shared.usage == Usage(input_tokens=12, requests=4)


@pytest.mark.parametrize("difference", [-1, 1])
def test_another_process_begins_with_no_usage(difference: int) -> None:
    model = make_arguments()
    first = model._shared_now()
    first.count(7)
    assert model._shared_now() is first
    assert model.usage == (7, 1)
    first.process = os.getpid() + difference
    assert model.usage == (0, 0)
    second = model._shared_now()
    assert second is not first
    assert model._shared_now() is second
    assert second.process == os.getpid()


def test_another_limit_of_requests_at_once_keeps_the_usage() -> None:
    model = make_arguments()
    shared = model._shared_now()
    shared.count(7)
    gate = shared.gate
    assert gate.limit == 4
    model.max_concurrency = 4
    assert shared.gate is gate
    for limit in (2, 9):
        model.max_concurrency = limit
        assert shared.gate.limit == limit
    assert model.usage == (7, 1)


def test_the_state_of_an_object_is_no_part_of_its_value() -> None:
    model, other = make_arguments(), make_arguments()
    model._shared_now().count(7)
    assert model == other
    other._shared_now()
    assert model == other
    assert SharedState(1) != 7
    for copied in (
        copy.copy(model),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),  # noqa: S301 - made here
    ):
        assert copied == model
        assert copied.usage == (0, 0)
    assert model.usage == (7, 1)


# --- Values that are kept -------------------------------------------------------------


def test_a_value_is_kept_for_its_kind_until_it_is_removed() -> None:
    kept = Keep()
    kept.put("query", ["a", "b"], [1.5, 2.5])
    kept.put("document", ["a"], [3.5])
    assert kept.find("query", ["c", "b", "a", "b"]) == {"b": 2.5, "a": 1.5}
    assert kept.find("document", ["a", "b"]) == {"a": 3.5}
    kept.remove("query", kept.find("query", ["a"]))
    assert kept.find("query", ["a", "b"]) == {"b": 2.5}
    assert kept.find("document", ["a"]) == {"a": 3.5}
    # What was removed meanwhile is no error.
    kept.remove("query", {"a": 1.5, "b": 2.5})
    assert kept.find("query", ["a", "b"]) == {}


@pytest.mark.parametrize("more", [0, 1, 2])
def test_the_last_4096_values_are_kept(more: int) -> None:
    kept = Keep()
    texts = [str(number) for number in range(4096 + more)]
    for text in texts[:5]:
        kept.put("query", [text], [text])
    kept.put("query", texts[5:], texts[5:])
    assert list(kept.find("query", texts)) == texts[more:]


def test_a_value_that_is_put_again_is_among_the_last() -> None:
    kept = Keep()
    texts = [str(number) for number in range(4096)]
    kept.put("query", texts, texts)
    kept.put("query", ["0"], ["again"])
    kept.put("query", ["new", "newer"], [1, 2])
    found = kept.find("query", [*texts, "new", "newer"])
    assert found == {
        "0": "again",
        **{text: text for text in texts[3:]},
        "new": 1,
        "newer": 2,
    }
