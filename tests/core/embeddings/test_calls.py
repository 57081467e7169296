"""Calls for the vectors of texts: requests, smaller requests, and what is kept."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from modelstudio_core.concurrent_arguments import Keep, SharedState
from modelstudio_core.embeddings.calls import (
    Progress,
    TextCall,
    aembed_texts,
    embed_texts,
)
from modelstudio_core.embeddings.options import OutputType, TextType
from modelstudio_core.errors import APIError, BadRequestError, InvalidResponseError
from tests.core.embeddings.support import resolve
from tests.core.support import UNKNOWN_MODEL
from tests.support.embedding_server import EmbeddingServer, error, serve_embeddings
from tests.support.http_server import Scripted

TEXTS = ["x" * (1 + i) for i in range(8)]
LENGTHS = [float(1 + i) for i in range(8)]


def too_many(limit: int, status: int = 400) -> Scripted:
    return error(
        status,
        "InvalidParameter",
        "Value error, batch size is invalid, it should not be larger than"
        f" {limit}.: input.contents",
    )


Embed = Callable[..., list[Any]]


def embed_later(*args: Any) -> list[Any]:
    return asyncio.run(aembed_texts(*args))


EACH_WAY = pytest.mark.parametrize("embed", [embed_texts, embed_later])


def run(
    server: EmbeddingServer,
    embed: Embed,
    texts: list[str],
    shared: SharedState | None = None,
    *,
    text_type: TextType = "document",
    output: OutputType = "dense",
    progress: Progress | None = None,
) -> list[Any]:
    """Embed texts, with one request at a time."""
    resolved = resolve(
        UNKNOWN_MODEL, base_url=server.base_url, batch_size=8, max_concurrency=1
    )
    call = TextCall(texts=texts, text_type=text_type, output=output, progress=progress)
    return embed(resolved, shared or SharedState(1), call)


@pytest.mark.parametrize(
    ("limits", "rows"),
    [
        ([], [8]),
        ([7], [8, 7, 1]),
        ([4], [8, 4, 4]),
        ([1], [8] + [1] * 8),
        # A smaller limit again
        ([5, 2], [8, 5, 2, 2, 1, 3]),
    ],
)
@EACH_WAY
def test_a_request_is_split_by_the_limit_that_the_service_names(
    embed: Embed, limits: list[int], rows: list[int]
) -> None:
    shared = SharedState(1)
    progress: list[int] = []
    with serve_embeddings(*map(too_many, limits)) as server:
        vectors = run(server, embed, TEXTS, shared, progress=progress.append)
        assert [vector[0] for vector in vectors] == LENGTHS
        assert server.rows == rows
        assert sum(progress) == 8
        assert shared.usage == (8, len(rows) - len(limits))
        # The next call has requests of this size from the start.
        server.bodies.clear()
        run(server, embed, TEXTS, shared)
        assert max(server.rows) == min([8, *limits])


@pytest.mark.parametrize("answer", [too_many(0), too_many(8), too_many(9)])
@EACH_WAY
def test_a_limit_that_cannot_be_meant_is_an_error(
    embed: Embed, answer: Scripted
) -> None:
    shared = SharedState(1)
    with (
        serve_embeddings(answer) as server,
        pytest.raises(BadRequestError, match="batch size is invalid") as caught,
    ):
        run(server, embed, TEXTS, shared)
    assert caught.value.__notes__ == ["The request had texts[0] to texts[7]."]
    assert len(server.bodies) == 1
    assert (shared.max_rows, shared.usage) == (None, (0, 0))


@pytest.mark.parametrize(
    ("texts", "answers", "notes"),
    [
        (1, [error(400, "InvalidParameter")], []),
        (1, [too_many(3)], []),
        (2, [error(400, "X")], ["The request had texts[0] to texts[1]."]),
        (10, [None, error(400, "X")], ["The request had texts[8] to texts[9]."]),
        (9, [None, error(400, "X")], []),
        # The part of a request that was split
        (
            8,
            [too_many(3), None, error(400, "X")],
            ["The request had texts[3] to texts[5]."],
        ),
        # Only a request that was wrong is split.
        (8, [too_many(3, 500)], ["The request had texts[0] to texts[7]."]),
        (8, [too_many(3, 429)], ["The request had texts[0] to texts[7]."]),
    ],
)
@EACH_WAY
def test_an_error_names_the_texts_of_a_request_that_had_several(
    embed: Embed, texts: int, answers: list[Scripted | None], notes: list[str]
) -> None:
    with (
        serve_embeddings(*answers) as server,
        pytest.raises(APIError) as caught,
    ):
        run(server, embed, ["x"] * texts)
    assert getattr(caught.value, "__notes__", []) == notes
    assert len(server.bodies) == len(answers)


@EACH_WAY
def test_an_answer_that_is_not_complete_was_paid_for(embed: Embed) -> None:
    body = {"output": {"embeddings": []}, "usage": {"total_tokens": 7}}
    answer = Scripted(body=json.dumps(body).encode())
    shared = SharedState(1)
    progress: list[int] = []
    with (
        serve_embeddings(answer) as server,
        pytest.raises(InvalidResponseError),
    ):
        run(server, embed, ["a"], shared, progress=progress.append)
    assert shared.usage == (7, 1)
    assert progress == []


# --- Sparse vectors that are kept -----------------------------------------------------


def keeping() -> tuple[SharedState, Keep]:
    """Return the state of an object that keeps sparse vectors, and what it keeps."""
    shared = SharedState(1)
    shared.kept = Keep()
    return shared, shared.kept


@EACH_WAY
def test_a_dense_vector_has_its_sparse_one_with_it_if_that_is_kept(
    embed: Embed,
) -> None:
    shared, kept = keeping()
    with serve_embeddings() as server:
        (vector,) = run(server, embed, ["abc"], shared)
        assert vector == [3.0, 1.0, 0.5, 0.5]
        assert list(kept.find("document", ["abc"])) == ["abc"]
        assert server.parameters[-1]["output_type"] == "dense&sparse"
        (vector,) = run(server, embed, ["abc"])
        assert vector == [3.0, 2.0, 0.5, 0.5]
        assert "output_type" not in server.parameters[-1]
        # Who asks for both has both, and nothing is kept.
        (pair,) = run(server, embed, ["b"], shared, output="dense&sparse")
        assert (pair.dense[0], pair.sparse.to_dict()) == (1.0, {2: 1.0, 9: 0.5})
        assert kept.find("document", ["b"]) == {}


@EACH_WAY
def test_only_the_sparse_vectors_that_are_missing_are_requested(embed: Embed) -> None:
    shared, _ = keeping()
    with serve_embeddings() as server:
        run(server, embed, ["a", "bb"], shared)
        texts = ["ccc", "a", "ccc", "a"]
        vectors = run(server, embed, texts, shared, output="sparse")
        assert [vector.to_dict()[2] for vector in vectors] == [3.0, 1.0, 3.0, 1.0]
        assert server.bodies[-1]["input"]["texts"] == ["ccc"]
        # Those of queries are others.
        run(server, embed, ["bb"], shared, output="sparse", text_type="query")
        assert server.bodies[-1]["input"]["texts"] == ["bb"]
        assert len(server.bodies) == 3
        (vector,) = run(server, embed, ["bb"], shared, output="sparse")
        assert vector.to_dict()[2] == 2.0
        assert len(server.bodies) == 3
        # Without keeping, each text is sent as often as it is given.
        run(server, embed, ["bb", "bb"], output="sparse")
        assert server.bodies[-1]["input"]["texts"] == ["bb", "bb"]
