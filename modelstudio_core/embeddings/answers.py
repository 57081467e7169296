"""Answers with embeddings: from JSON to vectors in the order of the rows."""

import math
from array import array
from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from modelstudio_core.embeddings.options import OutputType, ResolvedEmbeddings
from modelstudio_core.embeddings.vectors import HybridVector, SparseVector, Vector
from modelstudio_core.errors import InvalidResponseError
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.wire.json_values import (
    MAX_VALUES,
    count_of,
    number_of,
    object_of,
    objects_of,
)

__all__ = ["input_tokens", "parse_vectors"]

_FLOAT32: Final = "f"
_FLOAT32_BYTES: Final = 4
_MAX_BYTES: Final = _FLOAT32_BYTES * MAX_VALUES
_ONLY_FLOATS: Final = {float}


def parse_vectors(
    answer: JsonAnswer, resolved: ResolvedEmbeddings, count: int, output: OutputType
) -> list[Vector]:
    """Return the vectors of an answer, ordered by the index of their row.

    Args:
        answer: The answer.
        resolved: The resolved arguments of the request.
        count: How many rows the request had.
        output: Which vectors the request asked for.

    Raises:
        InvalidResponseError: A row is missing or repeated, or a vector is not one of
            the requested length.
    """
    reader = _Reader(answer, resolved)
    rows = reader.rows(count)
    if output == "dense":
        return cast("list[Vector]", reader.dense(rows))
    # No comprehension: Python 3.11 makes it a closure, which an error keeps.
    sparse = [*map(reader.sparse, rows)]
    if output == "sparse":
        return cast("list[Vector]", sparse)
    pairs = zip(reader.dense(rows), sparse, strict=True)
    return [HybridVector(*pair) for pair in pairs]


def input_tokens(answer: JsonAnswer) -> int | None:
    """Return the tokens that an answer says its request had."""
    usage = object_of(answer.body, "usage")
    total = count_of(usage, "total_tokens")
    # Some multimodal models report the parts of the input only.
    return count_of(usage, "input_tokens") if total is None else total


class _Reader:
    """Reads one answer; its errors name the answer's request id."""

    def __init__(self, answer: JsonAnswer, resolved: ResolvedEmbeddings) -> None:
        self._answer = answer
        self._resolved = resolved

    def rows(self, count: int) -> list[dict[str, Any]]:
        body = self._answer.body
        found = objects_of(body, "data") or objects_of(
            object_of(body, "output"), "embeddings"
        )
        by_index = {_index_of(row): row for row in found}
        if len(found) != count or by_index.keys() != set(range(count)):
            raise self._error(
                f"The response has embeddings with the indices"
                f" {_listed(map(_index_of, found))}, and the request had {count} rows."
            )
        return [by_index[index] for index in range(count)]

    def dense(self, rows: Iterable[Mapping[str, Any]]) -> list[list[float]]:
        vectors = [*map(self._dense, rows)]
        lengths = {len(vector) for vector in vectors}
        expected = self._resolved.dimensions
        if len(lengths) > 1 or (expected and lengths != {expected}):
            raise self._error(
                f"The response has vectors of length {_listed(lengths)}"
                + (f", and the request asked for {expected}." if expected else ".")
            )
        return vectors

    def _dense(self, row: Mapping[str, Any]) -> list[float]:
        value = row.get("embedding")
        if isinstance(value, str):
            return self._from_base64(value)
        if isinstance(value, list) and value:
            vector = cast("list[float]", value)
            if {*map(type, vector)} == _ONLY_FLOATS and math.isfinite(sum(vector)):
                return vector
            numbers = list(map(number_of, vector))
            if not any(map(math.isnan, numbers)):
                return numbers
        raise self._error("The response has an embedding that is no list of numbers.")

    def _from_base64(self, text: str) -> list[float]:
        try:
            raw = a2b_base64(text)
        except ValueError:
            raw = b""
        if not 0 < len(raw) <= _MAX_BYTES or len(raw) % _FLOAT32_BYTES:
            raise self._error("The response has an embedding of malformed base64.")
        numbers = array(_FLOAT32)
        numbers.frombytes(raw)
        if _IS_BIG_ENDIAN:
            numbers.byteswap()
        return numbers.tolist()

    def sparse(self, row: Mapping[str, Any]) -> SparseVector:
        items = row.get("sparse_embedding")
        weights: dict[int, float] = {}
        if not isinstance(items, list):
            raise self._error("The response has a row without a sparse embedding.")
        for item in cast("list[object]", items):
            index, value = _weight(item)
            if index is None or value is None:
                raise self._error("The response has a malformed sparse embedding.")
            # An index is not documented to be unique, and stores require that: the
            # larger weight counts, as in other learned sparse models.
            weights[index] = max(value, weights.get(index, value))
        return SparseVector.from_weights(weights)

    def _error(self, message: str) -> InvalidResponseError:
        return self._resolved.context.error(
            InvalidResponseError,
            message,
            request_id=self._answer.body.get("request_id") or self._answer.request_id,
        )


_IS_BIG_ENDIAN: Final = array("H", [1]).tobytes() == b"\0\1"


def _index_of(row: Mapping[str, Any]) -> int | None:
    index = count_of(row, "index")
    return count_of(row, "text_index") if index is None else index


def _weight(item: object) -> tuple[int | None, float | None]:
    if not isinstance(item, Mapping):
        return None, None
    fields = cast("Mapping[str, Any]", item)
    index, value = count_of(fields, "index"), number_of(fields.get("value"))
    if index is None or index < 0 or math.isnan(value):
        return None, None
    return index, value


def _listed(values: Iterable[object]) -> str:
    listed = [str(value) for value in values]
    shown = ", ".join(listed[:30])
    return f"{shown}, ..." if len(listed) > 30 else shown or "none"  # noqa: PLR2004 - enough to see the gap
