"""Answers with embeddings: which are accepted, and what they become."""

import base64
from array import array
from typing import Any

import pytest

from modelstudio_core.embeddings.answers import input_tokens, parse_vectors
from modelstudio_core.embeddings.options import OutputType
from modelstudio_core.embeddings.vectors import HybridVector, SparseVector, Vector
from modelstudio_core.errors import InvalidResponseError
from modelstudio_core.transport.fetch import JsonAnswer
from tests.core.embeddings.support import resolve

VECTOR = [0.5, 0.25]
ITEMS = [{"index": 9, "value": 0.5}, {"index": 2, "value": 0.25}]
SPARSE = SparseVector([2, 9], [0.25, 0.5])


def answer(body: dict[str, Any], request_id: str | None = "r-header") -> JsonAnswer:
    return JsonAnswer(body, request_id, {})


def parse(
    *rows: dict[str, Any],
    count: int | None = None,
    output: OutputType = "dense",
    dimensions: int | None = None,
) -> list[Vector]:
    """Parse an answer of the native protocol with these rows."""
    body = {"output": {"embeddings": rows and [*rows]}, "request_id": "r-body"}
    count = len(rows) if count is None else count
    return parse_vectors(answer(body), resolve(dimensions=dimensions), count, output)


def dense(embedding: object) -> Vector:
    (vector,) = parse({"index": 0, "embedding": embedding})
    return vector


# --- Rows ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["index", "text_index"])
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_vectors_have_the_order_of_their_rows(name: str, order: list[int]) -> None:
    rows = [{name: i, "embedding": [float(i), 0.5]} for i in order]
    expected = [[0.0, 0.5], [1.0, 0.5], [2.0, 0.5]]
    assert parse(*rows) == expected
    compatible = answer({"data": rows})
    assert parse_vectors(compatible, resolve(), 3, "dense") == expected


@pytest.mark.parametrize(
    ("indices", "count", "shown"),
    [
        ([], 1, "none"),
        ([0], 2, "0"),
        ([1], 1, "1"),
        ([0, 1], 1, "0, 1"),
        ([0, 0], 2, "0, 0"),
        ([0, 0], 1, "0, 0"),
        ([0, 2], 2, "0, 2"),
        ([-1, 0], 2, "-1, 0"),
        ([1, 2], 2, "1, 2"),
        ([0, None], 2, "0, None"),
        ([0, "1"], 2, "0, None"),
        ([0, True], 2, "0, None"),
        ([*range(30)], 31, ", ".join(map(str, range(30)))),
        ([*range(31)], 32, ", ".join(map(str, range(30))) + ", ..."),
    ],
)
def test_each_row_must_have_one_vector(
    indices: list[Any], count: int, shown: str
) -> None:
    rows = [{"index": index, "embedding": VECTOR} for index in indices]
    words = f"with the indices {shown}, and the request had {count} rows."
    with pytest.raises(InvalidResponseError) as caught:
        parse(*rows, count=count)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("body", "request_id"),
    [({"request_id": "r-body"}, "r-body"), ({}, "r-header"), ({"id": "x"}, "r-header")],
)
def test_an_error_has_the_id_of_the_request(
    body: dict[str, Any], request_id: str
) -> None:
    with pytest.raises(InvalidResponseError) as caught:
        parse_vectors(answer(body), resolve(), 1, "dense")
    assert caught.value.request_id == request_id


# --- Dense vectors ------------------------------------------------------------------


def base64_of(count: int) -> str:
    return base64.b64encode(array("f", [0.5] * count).tobytes()).decode()


@pytest.mark.parametrize(
    ("embedding", "vector"),
    [
        (VECTOR, VECTOR),
        ([1, 0.5], [1.0, 0.5]),
        ([0, 1, -2], [0.0, 1.0, -2.0]),
        # The sum of these is not a number that a float can be.
        ([1e308, 1e308], [1e308, 1e308]),
        (base64_of(3), [0.5] * 3),
        (base64_of(1), [0.5]),
    ],
)
def test_a_vector_is_a_list_of_floats(embedding: Any, vector: list[float]) -> None:
    found = dense(embedding)
    assert found == vector
    assert isinstance(found, list)
    assert {type(number) for number in found} == {float}


@pytest.mark.parametrize(
    "embedding",
    [
        [],
        None,
        {},
        0.5,
        [None],
        ["0.5"],
        [True, 0.5],
        [0.5, [0.5]],
        [0.5, float("nan")],
        [float("inf"), 0.5],
        [float("inf"), float("-inf")],
        [10**400],
    ],
)
def test_what_is_no_list_of_numbers_is_refused(embedding: Any) -> None:
    with pytest.raises(InvalidResponseError, match="that is no list of numbers"):
        dense(embedding)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!!!!",
        "AAA",
        # 1, 3 and 5 bytes
        "AA==",
        "AAAA",
        "AAAAAAA=",
    ],
)
def test_malformed_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidResponseError, match="malformed base64"):
        dense(text)


@pytest.mark.parametrize(
    ("lengths", "dimensions", "problem"),
    [
        ([64, 64], 64, None),
        ([2, 2], None, None),
        ([2], 64, "vectors of length 2, and the request asked for 64."),
        ([64, 2], 64, ", and the request asked for 64."),
        ([2, 2], 64, "vectors of length 2, and the request asked for 64."),
        ([2, 3], None, "vectors of length 2, 3."),
    ],
)
def test_all_vectors_have_the_length_that_was_asked_for(
    lengths: list[int], dimensions: int | None, problem: str | None
) -> None:
    rows = [
        {"index": index, "embedding": [0.5] * length}
        for index, length in enumerate(lengths)
    ]
    if problem is None:
        assert len(parse(*rows, dimensions=dimensions)) == len(lengths)
        return
    with pytest.raises(InvalidResponseError) as caught:
        parse(*rows, dimensions=dimensions)
    assert problem in caught.value.message


# --- Sparse vectors -----------------------------------------------------------------


def test_sparse_and_hybrid_vectors_are_those_of_their_rows() -> None:
    one = {"index": 1, "embedding": VECTOR, "sparse_embedding": ITEMS}
    two = {"index": 0, "embedding": [1.0, 2.0], "sparse_embedding": []}
    empty = SparseVector([], [])
    assert parse(one, two, output="sparse") == [empty, SPARSE]
    assert parse(one, two, output="dense&sparse") == [
        HybridVector([1.0, 2.0], empty),
        HybridVector(VECTOR, SPARSE),
    ]


@pytest.mark.parametrize(
    ("items", "weights"),
    [
        ([{"index": 0, "value": 0}], {0: 0.0}),
        ([{"index": 0, "value": -0.5}], {0: -0.5}),
        ([{"index": 3, "value": 0.25}, {"index": 3, "value": 0.5}], {3: 0.5}),
        ([{"index": 3, "value": 0.5}, {"index": 3, "value": 0.25}], {3: 0.5}),
        ([{"index": 3, "value": -0.5}, {"index": 3, "value": -0.25}], {3: -0.25}),
    ],
)
def test_the_larger_weight_of_an_index_counts(
    items: list[Any], weights: dict[int, float]
) -> None:
    (vector,) = parse({"index": 0, "sparse_embedding": items}, output="sparse")
    assert isinstance(vector, SparseVector)
    assert vector.to_dict() == weights


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (None, "a row without a sparse embedding"),
        ({}, "a row without a sparse embedding"),
        (["x"], "a malformed sparse embedding"),
        ([{"index": -1, "value": 0.5}], "a malformed sparse embedding"),
        ([{"index": 1.0, "value": 0.5}], "a malformed sparse embedding"),
        ([{"value": 0.5}], "a malformed sparse embedding"),
        ([{"index": 1}], "a malformed sparse embedding"),
        ([*ITEMS, {"index": 1, "value": "0.5"}], "a malformed sparse embedding"),
        ([{"index": 1, "value": 10**400}, *ITEMS], "a malformed sparse embedding"),
    ],
)
@pytest.mark.parametrize("output", ["sparse", "dense&sparse"])
def test_a_malformed_sparse_vector_is_refused(
    items: Any, words: str, output: OutputType
) -> None:
    row = {"index": 0, "embedding": VECTOR, "sparse_embedding": items}
    with pytest.raises(InvalidResponseError, match=words):
        parse(row, output=output)


# --- Tokens -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"total_tokens": 7, "input_tokens": 5}, 7),
        ({"total_tokens": 0, "input_tokens": 5}, 0),
        ({"input_tokens": 5}, 5),
        ({"total_tokens": "7", "input_tokens": 5}, 5),
        ({}, None),
        (None, None),
    ],
)
def test_the_tokens_of_a_request(usage: object, tokens: int | None) -> None:
    assert input_tokens(answer({"usage": usage})) == tokens
