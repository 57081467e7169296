"""Reranking: which documents are sent in which request, and which answers count."""

import asyncio
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from modelstudio_core.errors import (
    ConfigurationError,
    InvalidResponseError,
    ModelStudioWarning,
)
from modelstudio_core.rerank import (
    Ranked,
    RerankArguments,
    RerankDocument,
    ResolvedRerank,
)
from tests.core.support import KEY, UNKNOWN_MODEL, error_message
from tests.support.embedding_server import EmbeddingServer, serve_embeddings
from tests.support.http_server import Scripted

URL = "http://127.0.0.1:9"
EACH_WAY = pytest.mark.parametrize("asynchronous", [False, True])


def make(
    base_url: str = URL,
    model: str = "qwen3-rerank",
    class_: type[RerankArguments] = RerankArguments,
    **more: Any,
) -> RerankArguments:
    defaults = {"model": model, "api_key": KEY, "base_url": base_url, "max_retries": 0}
    arguments: dict[str, Any] = defaults | more
    return class_(**arguments)


def rank(
    arguments: RerankArguments,
    documents: Sequence[RerankDocument],
    query: str = "q",
    *,
    asynchronous: bool = False,
    top_n: int | None = None,
) -> list[tuple[int, float]]:
    """Rank documents, and return their positions and scores."""
    found: list[Ranked] = (
        asyncio.run(arguments._arerank(documents, query, top_n))
        if asynchronous
        else arguments._rerank(documents, query, top_n)
    )
    return [(item.index, item.score) for item in found]


def sent(server: EmbeddingServer) -> list[list[Any]]:
    """Return the documents of each request, in the order of their numbers."""
    bodies = [body.get("input", body)["documents"] for body in server.bodies]
    return sorted(bodies, key=json.dumps)


# --- What is sent in one request ----------------------------------------------------


@pytest.mark.parametrize(
    ("top_n", "asked", "wanted"),
    [(None, None, 3), (2, None, 2), (3, None, 3), (9, None, 3), (9, 1, 1), (1, 2, 2)],
)
@EACH_WAY
def test_as_many_results_are_requested_as_are_returned(
    top_n: int | None, asked: int | None, wanted: int, asynchronous: bool
) -> None:
    with serve_embeddings() as server:
        model = make(server.base_url, top_n=top_n)
        found = rank(model, ["ccc", "a", "bb"], asynchronous=asynchronous, top_n=asked)
        assert found == [(1, 0.5), (2, 1 / 3), (0, 0.25)][:wanted]
        assert server.bodies[0]["top_n"] == wanted
        assert model.usage == (3, 1)


@pytest.mark.parametrize(
    ("model", "limit"),
    [("qwen3-rerank", 500), ("qwen3-vl-rerank", 100), (UNKNOWN_MODEL, 500)],
)
@EACH_WAY
def test_a_request_has_as_many_documents_as_the_model_accepts(
    model: str, limit: int, asynchronous: bool
) -> None:
    with serve_embeddings() as server:
        with warnings.catch_warnings(action="error"):
            rank(make(server.base_url, model), ["a"] * limit)
        assert [len(documents) for documents in sent(server)] == [limit]
        server.bodies.clear()
        # The last one is the best of all.
        documents = ["bb"] * limit + ["cc", "a"]
        arguments = make(server.base_url, model, top_n=2)
        words = f"^{limit + 2} documents .* 2 requests are sent"
        with pytest.warns(UserWarning, match=words):
            found = rank(arguments, documents, asynchronous=asynchronous)
        assert found == [(limit + 1, 0.5), (0, 1 / 3)]
        assert sorted(map(len, sent(server))) == [2, limit]
        assert arguments.usage == (limit + 2, 2)


class Small(RerankArguments):
    """A model that accepts three documents and ten tokens in a request."""

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedRerank:
        resolved = super()._decide(arguments)
        profile = replace(resolved.profile, max_request_tokens=10, max_documents=3)
        return replace(resolved, model=replace(resolved.model, profile=profile))


def rank_in_parts(
    documents: Sequence[RerankDocument], query: str
) -> list[list[RerankDocument]]:
    """Rank documents, and return those of each request in the order of the requests."""
    with serve_embeddings() as server:
        model = make(server.base_url, "qwen3-vl-rerank", Small, max_concurrency=1)
        with warnings.catch_warnings(action="ignore"):
            found = rank(model, documents, query)
        assert sorted(index for index, _ in found) == [*range(len(documents))]
        return [body["input"]["documents"] for body in server.bodies]


@pytest.mark.parametrize(
    "requests",
    [
        # With the query, each has its tokens and one more.
        [[4, 4]],
        [[4, 3], [2]],
        [[9], [1]],
        [[1], [9]],
        # One that is too large for any request is sent alone.
        [[10], [1, 7], [99], [1]],
        # Each request begins with no tokens, and no documents.
        [[4, 4], [4, 4], [9], [1, 1, 1]],
        [[9], [4, 3], [1]],
        [[1, 1, 1], [1, 1, 1], [1, 1, 1], [1]],
    ],
)
def test_a_request_has_as_many_tokens_and_documents_as_the_model_accepts(
    requests: list[list[int]],
) -> None:
    """The query counts with each document, because it is scored with each."""
    parts = [["x" * 3 * (tokens - 1) + "y" for tokens in part] for part in requests]
    assert rank_in_parts([text for part in parts for text in part], "ab") == parts


def test_texts_of_mappings_have_tokens_and_media_have_those_of_the_query() -> None:
    text = {"text": "x" * 12}
    image = {"image": "https://x.example/a-picture-with-a-long-name.png"}
    # With the query, a text has 6 tokens, and an image has 2.
    assert rank_in_parts([text, image, image, text], "q") == [
        [text, image, image],
        [text],
    ]


# --- Documents ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        "a",
        {"text": "a"},
        {"image": "https://x.example/a.png"},
        {"video": "https://x.example/a.mp4"},
        {"image": "oss://bucket/a.png"},
    ],
)
def test_a_document_is_sent_as_it_is(document: Any) -> None:
    with serve_embeddings() as server:
        rank(make(server.base_url, "qwen3-vl-rerank"), [document])
        assert sent(server) == [[document]]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "documents[1] must be a text, or a mapping with text, image or video."),
        (
            {"text": "a", "image": "b"},
            "documents[1] must be a text, or a mapping with text, image or video.",
        ),
        (
            {"sound": "a"},
            "documents[1] must be a text, or a mapping with text, image or video.",
        ),
        ({"text": ""}, "documents[1] is empty. Remove it."),
        ({"text": 7}, "documents[1] must be a string, got a int."),
        ({"text": "x" * 48_001}, "documents[1] is too long: it has 48001 characters"),
        ("x" * 48_001, "documents[1] is too long: it has 48001 characters"),
        (7, "documents[1] must be a string, got a int."),
        ({"video": "a.mp4"}, "documents[1]['video'] must be a URL or a data URI."),
        ({"video": None}, "documents[1]['video'] must be a URL or a data URI."),
        ({"image": "file:///a"}, "documents[1]['image'] must be a URL or a data URI."),
    ],
)
def test_the_document_that_cannot_be_ranked_is_named(
    document: Any, problem: str
) -> None:
    message = error_message(rank, make(model="qwen3-vl-rerank"), ["a", document])
    assert message.startswith(problem)


@pytest.mark.parametrize("kind", ["image", "video"])
def test_media_need_a_model_that_ranks_them(kind: str) -> None:
    document = {kind: "https://x.example/a"}
    message = error_message(rank, make(), ["a", document])
    assert message == f"documents[1]: qwen3-rerank does not rank {kind}s."
    with (
        serve_embeddings() as server,
        pytest.warns(ModelStudioWarning, match=f"does not rank {kind}s"),
    ):
        rank(make(server.base_url, "qwen3-rerank-2099-01-01"), [document])
    # Nothing is known of this one.
    with serve_embeddings() as server:
        rank(make(server.base_url, UNKNOWN_MODEL), [document])
        assert sent(server) == [[document]]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "The query is empty. Pass a text."),
        (7, "The query must be a string, got a int."),
        ("x" * 24_001, "The query is too long: it has 24001 characters"),
    ],
)
def test_a_query_that_cannot_be_sent(query: Any, problem: str) -> None:
    assert error_message(rank, make(), ["a"], query).startswith(problem)


@pytest.mark.parametrize("top_n", [0, -1, True, "1"])
def test_the_number_of_results_is_at_least_one(top_n: Any) -> None:
    with pytest.raises(ConfigurationError, match="top_n must be an integer >= 1"):
        rank(make(), ["a"], top_n=top_n)


# --- Answers ------------------------------------------------------------------------


def answer(*rows: tuple[Any, Any], nested: bool = False) -> Scripted:
    results = [{"index": index, "relevance_score": score} for index, score in rows]
    body: dict[str, Any] = {"results": results}
    if nested:
        body = {"output": body}
    body["usage"] = {"total_tokens": 7}
    return Scripted(body=json.dumps(body).encode())


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("rows", "ranked"),
    [
        ([(0, 0.5), (1, 0.25), (2, 0)], [(0, 0.5), (1, 0.25)]),
        ([(2, 0.25), (0, 0.5)], [(0, 0.5), (2, 0.25)]),
        ([(1, 0.5), (0, 0.5), (2, 0.5)], [(0, 0.5), (1, 0.5)]),
        ([(2, 1), (1, -0.5)], [(2, 1.0), (1, -0.5)]),
    ],
)
def test_the_most_relevant_come_first_and_equal_ones_in_their_order(
    rows: list[tuple[int, float]], ranked: list[tuple[int, float]], nested: bool
) -> None:
    with serve_embeddings(answer(*rows, nested=nested)) as server:
        model = make(server.base_url, top_n=2)
        assert rank(model, ["a", "b", "c"]) == ranked
        assert model.usage == (7, 1)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "has 0 results for 0 documents, and the request asked for 2 of 3."),
        ([(0, 0.5)], "has 1 results for 1 documents, and the request asked for 2"),
        ([(0, 0.5), (0, 0.5)], "has 2 results for 1 documents, and"),
        ([(0, 0.5), (1, 0.5), (1, 0.5)], "has 3 results for 2 documents, and"),
        ([(0, 0.5), (3, 0.5)], "has 2 results for 2 documents, and"),
        ([(0, 0.5), (-1, 0.5)], "has 2 results for 2 documents, and"),
        ([(0, 0.5), (None, 0.5)], "has 2 results for 2 documents, and"),
        ([(0, 0.5), (1.0, 0.5)], "has 2 results for 2 documents, and"),
        ([(0, 0.5), (1, "0.5")], "has a relevance score that is not a number."),
        ([(0, None), (1, 0.5)], "has a relevance score that is not a number."),
    ],
)
@EACH_WAY
def test_an_answer_that_is_not_complete_is_an_error(
    rows: list[tuple[Any, Any]], problem: str, asynchronous: bool
) -> None:
    with serve_embeddings(answer(*rows)) as server:
        model = make(server.base_url, top_n=2)
        with pytest.raises(InvalidResponseError) as caught:
            rank(model, ["a", "b", "c"], asynchronous=asynchronous)
    assert problem in caught.value.message
    assert model.usage == (7, 1)


# --- What a search found --------------------------------------------------------------


@pytest.mark.parametrize(
    ("documents", "top_n", "ranked"),
    [
        (["a", "bb"], None, [(0, 0.5), (1, 1 / 3)]),
        (["", "bb", " ", "a"], None, [(3, 0.5), (1, 1 / 3), (0, 0.0), (2, 0.0)]),
        (["", "bb", " ", "a"], 3, [(3, 0.5), (1, 1 / 3), (0, 0.0)]),
        (["", "bb", " ", "a"], 1, [(3, 0.5)]),
        (["\n", "", ""], 2, [(0, 0.0), (1, 0.0)]),
        ([], None, []),
    ],
)
@EACH_WAY
def test_found_documents_without_text_come_last(
    documents: list[str],
    top_n: int | None,
    ranked: list[tuple[int, float]],
    asynchronous: bool,
) -> None:
    with (
        serve_embeddings() as server,
        warnings.catch_warnings(record=True, action="always") as warned,
    ):
        model = make(server.base_url, top_n=top_n)
        found: list[Ranked] = (
            asyncio.run(model._arerank_found(documents, "q"))
            if asynchronous
            else model._rerank_found(documents, "q")
        )
    assert [(item.index, item.score) for item in found] == ranked
    assert len(warned) == (not all(map(str.strip, documents)))


@EACH_WAY
def test_found_media_have_no_text_and_are_sent(asynchronous: bool) -> None:
    documents = [{"text": "a"}, {"image": "https://x.example/a.png"}]
    with serve_embeddings() as server:
        model = make(server.base_url, "qwen3-vl-rerank")
        found: list[Ranked] = (
            asyncio.run(model._arerank_found(documents, "q"))
            if asynchronous
            else model._rerank_found(documents, "q")
        )
        assert sent(server) == [documents]
    assert [item.index for item in found] == [0, 1]
