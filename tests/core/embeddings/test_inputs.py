"""Texts of a call: which are refused, and how they become requests."""

from dataclasses import replace
from typing import Any

import pytest

from modelstudio_core.embeddings.inputs import Batch, check_texts, plan_batches
from modelstudio_core.errors import ConfigurationError
from tests.core.embeddings.support import resolve


def costs_of_requests(
    costs: list[int], rows: int, tokens: int | None, named: int | None = None
) -> list[list[int]]:
    """Plan rows of which each is its own cost, and return those of each request."""
    resolved = replace(resolve(), batch_size=rows, tokens_per_request=tokens)
    batches = plan_batches(costs, resolved, named, lambda cost: cost)
    start = 0
    for batch in batches:
        assert batch == Batch(start, costs[start : start + len(batch.rows)])
        start += len(batch.rows)
    assert start == len(costs)
    return [costs[b.start :][: len(b.rows)] for b in batches]


@pytest.mark.parametrize("tokens", [None, 100])
@pytest.mark.parametrize(
    ("count", "limit", "named", "sizes"),
    [
        (0, 3, None, []),
        (1, 3, None, [1]),
        (3, 3, None, [3]),
        (4, 3, None, [3, 1]),
        (7, 3, None, [3, 3, 1]),
        (3, 1, None, [1, 1, 1]),
        (5, 3, 2, [2, 2, 1]),
        (5, 3, 4, [3, 2]),
        (3, 3, 1, [1, 1, 1]),
    ],
)
def test_a_request_has_at_most_so_many_rows(
    count: int, limit: int, named: int | None, sizes: list[int], tokens: int | None
) -> None:
    requests = costs_of_requests([1] * count, limit, tokens, named)
    assert [len(request) for request in requests] == sizes


@pytest.mark.parametrize(
    "requests",
    [
        [[4, 6]],
        [[4, 5], [2]],
        [[10], [1]],
        [[1], [10]],
        # One that is too large for any request is sent alone.
        [[11], [1, 9], [11], [3]],
        # Each request begins with no tokens.
        [[4, 6], [4, 6], [10], [5, 5]],
        [[10], [4, 6], [1]],
        [[3, 3, 3], [3, 3, 3]],
        [[2, 2, 2, 2], [2]],
    ],
)
def test_a_request_has_at_most_so_many_tokens(requests: list[list[int]]) -> None:
    costs = [cost for request in requests for cost in request]
    assert costs_of_requests(costs, 4, 10) == requests


def test_without_a_limit_of_tokens_rows_count_alone() -> None:
    assert costs_of_requests([10**9] * 3, 2, None) == [[10**9] * 2, [10**9]]


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["a", ""], r"queries\[1\] is empty\. Remove it\."),
        ([7], r"queries\[0\] must be a string, got a int"),
        (["a", "b", "c" * 13], r"queries\[2\] is too long: it has 13 characters"),
        ("a", "queries must be a list, got a str"),
    ],
)
def test_the_text_that_cannot_be_embedded_is_named(texts: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        check_texts(texts, 2, "queries")


def test_texts_that_may_fit_are_returned() -> None:
    assert check_texts(iter(["a", "b" * 12]), 2) == ["a", "b" * 12]
    assert check_texts(["c" * 10**5], None) == ["c" * 10**5]
