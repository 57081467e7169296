"""Embeddings in both frameworks, synchronously and asynchronously."""

import asyncio
import copy
import json
import pickle
import re
import threading
import time
from typing import Any

import pytest

from modelstudio_core.concurrent_arguments import Keep
from modelstudio_core.emulator import Emulator, Fault
from modelstudio_core.errors import (
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    InvalidResponseError,
    RateLimitError,
)
from tests.support.embedding_server import error, serve_embeddings
from tests.support.http_server import Scripted
from tests.support.models import FRAMEWORKS, KEY, PROTOCOLS, Framework, Protocol
from tests.support.retrieval import (
    STYLES,
    Style,
    call,
    embed,
    embed_query,
    embedder,
    sparse,
)

EACH_STYLE = pytest.mark.parametrize("style", STYLES, ids=str)
EACH_PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
EACH_FRAMEWORK = pytest.mark.parametrize("framework", FRAMEWORKS)
NATIVE = "/api/v1/services/embeddings/text-embedding/text-embedding"
TOO_MANY = (
    "<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it"
    " should not be larger than 3.: input.contents"
)


def numbered(count: int) -> list[str]:
    return ["x" * (1 + i) for i in range(count)]


# --- What is sent -----------------------------------------------------------------


@EACH_STYLE
async def test_the_native_request(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url, dimensions=256, instruct="I")
        server.dimension = 256
        await embed(model, style, ["a", "bb"])
        await embed_query(model, style, "q")
    assert server.paths == [NATIVE, NATIVE]
    assert server.bodies == [
        {
            "model": "text-embedding-v4",
            "input": {"texts": ["a", "bb"]},
            "parameters": {"text_type": "document", "dimension": 256},
        },
        {
            "model": "text-embedding-v4",
            "input": {"texts": ["q"]},
            "parameters": {"text_type": "query", "dimension": 256, "instruct": "I"},
        },
    ]


@EACH_STYLE
async def test_the_compatible_request(style: Style) -> None:
    with serve_embeddings() as server:
        server.dimension = 256
        model = embedder(
            style.framework, server.base_url, protocol="openai", dimensions=256
        )
        await embed(model, style, ["a", "bb"])
        await embed_query(model, style, "q")
    common = {
        "model": "text-embedding-v4",
        "dimensions": 256,
        "encoding_format": "float",
    }
    assert server.paths == ["/compatible-mode/v1/embeddings"] * 2
    assert server.bodies == [
        {**common, "input": ["a", "bb"]},
        {**common, "input": ["q"]},
    ]


@EACH_PROTOCOL
@EACH_STYLE
async def test_any_number_of_texts_in_their_order(
    style: Style, protocol: Protocol
) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url, protocol=protocol)
        vectors = await embed(model, style, numbered(93))
    assert [vector[0] for vector in vectors] == [float(1 + i) for i in range(93)]
    assert all(type(number) is float for vector in vectors for number in vector)
    assert sorted(server.rows) == [3] + [10] * 9
    assert model.usage == (93, 10)


@EACH_STYLE
async def test_base64_answers_are_read_too(style: Style) -> None:
    with serve_embeddings() as server:
        server.base64 = True
        model = embedder(style.framework, server.base_url, protocol="openai")
        assert await embed(model, style, ["abc"]) == [[3.0, 1.0, 0.5, 0.5]]


@pytest.mark.parametrize(
    ("model_id", "rows"),
    [
        ("text-embedding-v1", 25),
        ("text-embedding-v2", 25),
        ("text-embedding-v3", 10),
        ("text-embedding-v4", 10),
        ("qwen3.7-text-embedding", 20),
        ("qwen3.7-text-embedding-flash", 20),
        ("text-embedding-v9", 10),
        ("a-model-of-tomorrow", 10),
        ("qwen3-vl-embedding", 20),
        ("qwen2.5-vl-embedding", 1),
        ("qwen2.5-vl-embedding-2099-01-01", 1),
    ],
)
@EACH_FRAMEWORK
def test_the_rows_of_a_request_are_those_of_the_model(
    framework: Framework, model_id: str, rows: int
) -> None:
    model = embedder(framework, "http://127.0.0.1:9", model=model_id)
    assert model.resolved.batch_size == rows


@EACH_STYLE
async def test_a_request_is_full_at_its_tokens(style: Style) -> None:
    texts = ["word " * 600] * 6
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url, tokens_per_request=2100)
        await embed(model, style, texts)
        assert sorted(server.rows) == [2, 2, 2]
        model = embedder(style.framework, server.base_url)
        server.bodies.clear()
        await embed(model, style, [*texts, "x" * 40_000])
    # 8,192 estimated tokens; a text that is longer than that is sent alone.
    assert sorted(server.rows) == [1, 6]


@EACH_STYLE
async def test_nothing_is_sent_for_no_texts(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url)
        assert await embed(model, style, []) == []
        assert await sparse(model, style, []) == []
        assert server.bodies == []


@EACH_STYLE
async def test_lone_surrogates_are_replaced(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url)
        await embed(model, style, ["a\ud83d"])
    assert server.bodies[0]["input"]["texts"] == ["a\ufffd"]


# --- What is refused before anything is sent --------------------------------------


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ("abc", "texts must be a list, got a str"),
        (["a", ""], r"texts\[1\] is empty"),
        (["a", None], r"texts\[1\] must be a string, got a NoneType"),
        ([[15339, 1917]], r"texts\[0\] must be a string, got a list"),
        (["a", "b" * 49_153], r"texts\[1\] is too long"),
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_texts_that_cannot_be_embedded(
    texts: Any, words: str, asynchronous: bool
) -> None:
    style = Style("LangChain", asynchronous)
    with serve_embeddings() as server:
        model = embedder("LangChain", server.base_url)
        with pytest.raises(ConfigurationError, match=words) as caught:
            await embed(model, style, texts)
        assert "bbbb" not in str(caught.value)
        assert server.bodies == []


@EACH_STYLE
async def test_an_empty_text_and_an_empty_query(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url)
        with pytest.raises(ConfigurationError, match=r"texts\[1\] is empty"):
            await embed(model, style, ["a", "", "b"])
        with pytest.raises(ConfigurationError, match=r"query is empty\. Pass a text\."):
            await embed_query(model, style, "")
        assert server.bodies == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dimensions": 1000}, "must be one of 2048, 1536, 1024"),
        ({"dimensions": 0}, "dimensions must be an integer >= 1, got 0"),
        ({"dimensions": "256"}, "dimensions must be an integer"),
        ({"model": "text-embedding-v2", "dimensions": 512}, "must be 1536, got 512"),
        ({"batch_size": 11}, "batch_size must be at most 10"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
        ({"max_concurrency": 0}, "max_concurrency must be an integer >= 1"),
        ({"instruct": " "}, "instruct must be a string that is not empty"),
        ({"instruct": "x", "protocol": "openai"}, "protocol='dashscope'"),
        ({"model": "text-embedding-v3", "instruct": "x"}, "does not support instruct"),
        (
            {"model": "qwen3.7-plus"},
            "cannot embed texts.*ChatModelStudio",
        ),
        ({"model": "qwen3-rerank"}, "cannot embed.*ModelStudioRerank"),
        ({"model": "text-embedding-async-v2"}, "embeds files and cannot embed texts"),
        ({"model": "qwen3-vl-embedding", "protocol": "openai"}, "protocol='dashscope'"),
        ({"dimension": 3}, "Unknown argument 'dimension'.*'dimensions'"),
        ({"timeout": -1}, "timeout must be"),
    ],
)
@EACH_FRAMEWORK
def test_invalid_arguments(
    framework: Framework, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        embedder(framework, "http://127.0.0.1:9", **arguments)
    assert KEY not in str(caught.value)


@EACH_FRAMEWORK
def test_limits_of_a_family_are_warnings(framework: Framework) -> None:
    with pytest.warns(UserWarning, match="at most 20"):
        model = embedder(
            framework,
            "http://127.0.0.1:9",
            model="qwen3.7-text-embedding-2027-01-01",
            batch_size=64,
        )
    assert model.resolved.batch_size == 64


@EACH_FRAMEWORK
def test_a_missing_model_and_key(
    framework: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    cls: Any = type(embedder(framework, "http://127.0.0.1:9"))
    with pytest.raises(ConfigurationError, match="DASHSCOPE_API_KEY"):
        cls(model="text-embedding-v4")
    with pytest.raises(ConfigurationError, match="text-embedding-v4"):
        cls(api_key=KEY)


# --- Several requests at once -----------------------------------------------------


@EACH_STYLE
async def test_requests_at_once_are_bounded(style: Style) -> None:
    with serve_embeddings() as server:
        server.delay = 0.15
        model = embedder(style.framework, server.base_url, max_concurrency=3)
        begin = time.monotonic()
        await embed(model, style, numbered(90))
        seconds = time.monotonic() - begin
    assert server.most_at_once == 3
    assert 3 * 0.15 <= seconds < 9 * 0.15


@EACH_FRAMEWORK
async def test_the_bound_is_that_of_the_object(framework: Framework) -> None:
    """Several calls share it, in threads and on the event loop, whatever they are."""
    with serve_embeddings() as server:
        server.delay = 0.02
        model = embedder(framework, server.base_url, max_concurrency=2)
        calls = [
            asyncio.to_thread(_embed_sync, framework, model, numbered(30))
            for _ in range(3)
        ]
        tasks = [
            embed(model, Style(framework, asynchronous=True), numbered(30))
            for _ in range(3)
        ]
        await asyncio.gather(*calls, *tasks)
    assert server.most_at_once == 2
    assert model.usage.requests == 18


def _embed_sync(framework: Framework, model: Any, texts: list[str]) -> None:
    if framework == "LangChain":
        model.embed_documents(texts)
    else:
        model.get_text_embedding_batch(texts)


@EACH_FRAMEWORK
async def test_a_synchronous_call_on_a_busy_loop_does_not_deadlock(
    framework: Framework,
) -> None:
    with serve_embeddings() as server:
        server.delay = 0.05
        model = embedder(framework, server.base_url, max_concurrency=1)
        style = Style(framework, asynchronous=True)
        task = asyncio.ensure_future(embed(model, style, numbered(30)))
        await asyncio.sleep(0.02)
        _embed_sync(framework, model, numbered(30))
        await task
    assert model.usage.requests == 6


@EACH_STYLE
async def test_a_failed_request_is_repeated_alone(style: Style) -> None:
    with serve_embeddings(None, Scripted(hang_up=True), None) as server:
        model = embedder(style.framework, server.base_url, max_retries=2)
        vectors = await embed(model, style, numbered(40))
    assert [vector[0] for vector in vectors] == [float(1 + i) for i in range(40)]
    assert len(server.bodies) == 5
    assert set(server.sent.values()) == {1}
    assert model.usage == (40, 4)


@EACH_STYLE
async def test_after_a_429_all_requests_wait(style: Style) -> None:
    busy = error(429, "Throttling.RateQuota", retry_after="0.3")
    with serve_embeddings(busy) as server:
        server.delay = 0.02
        model = embedder(
            style.framework, server.base_url, max_concurrency=2, max_retries=1
        )
        await embed(model, style, numbered(100))
    times = [seconds - server.times[0] for seconds in server.times]
    # The two that were under way, and then nothing for the time that was asked for.
    assert sum(seconds < 0.25 for seconds in times) <= 3
    assert set(server.sent.values()) == {1}
    assert len(server.bodies) == 11


@EACH_STYLE
async def test_no_request_is_repeated_that_cannot_succeed(style: Style) -> None:
    with serve_embeddings(error(400, "InvalidParameter", "No.")) as server:
        model = embedder(style.framework, server.base_url, max_retries=3)
        with pytest.raises(BadRequestError, match="No") as caught:
            await embed(model, style, ["a", "b"])
    assert len(server.bodies) == 1
    assert caught.value.request_id == "r-1"
    assert caught.value.__notes__ == ["The request had texts[0] to texts[1]."]


@EACH_STYLE
async def test_a_call_that_cannot_succeed_ends_early(style: Style) -> None:
    answers = [None, error(400, "InvalidParameter"), *[None] * 60]
    with serve_embeddings(*answers) as server:
        server.delay = 0.02
        model = embedder(style.framework, server.base_url, max_concurrency=2)
        with pytest.raises(BadRequestError):
            await embed(model, style, numbered(100))
        assert len(server.bodies) < 6


@EACH_STYLE
async def test_batches_are_split_by_the_limit_that_the_service_names(
    style: Style,
) -> None:
    with serve_embeddings(error(400, "InvalidParameter", TOO_MANY)) as server:
        model = embedder(
            style.framework,
            server.base_url,
            model="a-model-of-tomorrow",
            max_concurrency=1,
            batch_size=8,
        )
        vectors = await embed(model, style, numbered(8))
        assert [vector[0] for vector in vectors] == [float(1 + i) for i in range(8)]
        assert server.rows == [8, 3, 3, 2]
        await embed(model, style, numbered(8))
    assert server.rows == [8, 3, 3, 2, 3, 3, 2]


@EACH_STYLE
async def test_a_silent_service_is_a_timeout(style: Style) -> None:
    with serve_embeddings() as server:
        server.delay = 0.5
        model = embedder(style.framework, server.base_url, timeout=0.1)
        with pytest.raises(APITimeoutError):
            await embed(model, style, ["a"])


@EACH_FRAMEWORK
def test_the_time_limit_is_a_minute(framework: Framework) -> None:
    model = embedder(framework, "http://127.0.0.1:9")
    assert model.resolved.connection.read_timeout == 60.0
    assert model.resolved.connection.protocol == "dashscope"


@EACH_FRAMEWORK
async def test_a_cancelled_call_sends_nothing_more(framework: Framework) -> None:
    with serve_embeddings() as server:
        server.delay = 0.5
        model = embedder(framework, server.base_url, max_concurrency=2)
        style = Style(framework, asynchronous=True)
        task = asyncio.ensure_future(embed(model, style, numbered(100)))
        while len(server.bodies) < 2:  # noqa: ASYNC110 - another thread's list
            await asyncio.sleep(0.001)
        task.cancel()
        server.delay = 0.0
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.1)
        assert len(server.bodies) == 2
        # The places of the cancelled requests are free again.
        async with asyncio.timeout(5):
            await embed(model, style, ["a"])


@EACH_STYLE
async def test_equal_texts_have_a_vector_each(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url)
        vectors = await embed(model, style, ["same", "other", "same"])
    assert [vector[0] for vector in vectors] == [4.0, 5.0, 4.0]


# --- Answers that are not complete ------------------------------------------------


def rows(*rows: dict[str, Any]) -> Scripted:
    body = {"output": {"embeddings": rows}, "usage": {}, "request_id": "r-9"}
    return Scripted(body=json.dumps(body).encode())


ONE = {"text_index": 0, "embedding": [0.5, 0.25]}
TWO = {"text_index": 1, "embedding": [0.5, 0.25]}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (rows(), "indices none, and the request had 2 rows"),
        (rows(ONE), "indices 0, and the request had 2"),
        (rows(ONE, ONE), "indices 0, 0, and"),
        (rows(ONE, {**TWO, "text_index": 2}), "indices 0, 2, and"),
        (rows(ONE, {"embedding": [0.5, 0.25]}), "indices 0, None, and"),
        (rows(ONE, {**TWO, "embedding": [0.5]}), "vectors of length"),
        (rows(ONE, {**TWO, "embedding": []}), "no list of numbers"),
        (rows(ONE, {**TWO, "embedding": None}), "no list of numbers"),
        (rows(ONE, {**TWO, "embedding": [0.5, None]}), "no list of numbers"),
        (rows(ONE, {**TWO, "embedding": [0.5, float("nan")]}), "no list of numbers"),
        (rows(ONE, {**TWO, "embedding": [0.5, 10**400]}), "no list of numbers"),
        (rows(ONE, {**TWO, "embedding": "!!"}), "malformed base64"),
        (rows(ONE, {**TWO, "embedding": "AAAA" * 2**22}), "malformed base64"),
    ],
)
@EACH_STYLE
async def test_answers_that_are_not_complete(
    style: Style, answer: Scripted, words: str
) -> None:
    with serve_embeddings(answer) as server:
        model = embedder(style.framework, server.base_url)
        with pytest.raises(InvalidResponseError, match=words) as caught:
            await embed(model, style, ["a", "b"])
    assert caught.value.request_id == "r-9"


@EACH_STYLE
async def test_integers_become_floats(style: Style) -> None:
    with serve_embeddings(rows({"text_index": 0, "embedding": [1, 0.5]})) as server:
        model = embedder(style.framework, server.base_url)
        ((one, half),) = await embed(model, style, ["a"])
    assert (type(one), one, half) == (float, 1.0, 0.5)


@EACH_STYLE
async def test_a_dimension_that_was_ignored_is_noticed(style: Style) -> None:
    with serve_embeddings(rows(ONE)) as server:
        model = embedder(style.framework, server.base_url, dimensions=256)
        with pytest.raises(InvalidResponseError, match=r"length 2.*asked for 256"):
            await embed(model, style, ["a"])


@EACH_STYLE
async def test_an_error_inside_a_success_is_an_error(style: Style) -> None:
    body = b'{"code":"Throttling.RateQuota","message":"Slow down.","request_id":"x"}'
    with serve_embeddings(Scripted(body=body)) as server:
        model = embedder(style.framework, server.base_url)
        with pytest.raises(RateLimitError, match="Slow down"):
            await embed(model, style, ["a"])


# --- Sparse and hybrid vectors ----------------------------------------------------


@EACH_STYLE
async def test_sparse_and_hybrid_vectors(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url)
        (vector,) = await sparse(model, style, ["abc"])
        assert vector.to_dict() == {2: 3.0, 9: 0.5}
        query = await call(model, "sparse query", style, "ab")
        assert list(query.indices) == [2, 9]
        (pair,) = await call(model, "hybrid documents", style, ["abcd"])
        assert (pair.dense[0], pair.sparse.to_dict()) == (4.0, {2: 4.0, 9: 0.5})
        pair = await call(model, "hybrid query", style, "abcde")
        assert (pair.dense[0], pair.sparse.to_dict()) == (5.0, {2: 5.0, 9: 0.5})
    assert server.parameters == [
        {"text_type": "document", "output_type": "sparse"},
        {"text_type": "query", "output_type": "sparse"},
        {"text_type": "document", "output_type": "dense&sparse"},
        {"text_type": "query", "output_type": "dense&sparse"},
    ]


@EACH_STYLE
async def test_repeated_indices_are_merged(style: Style) -> None:
    items = [
        {"index": 7, "value": 0.25, "token": "a"},
        {"index": 3, "value": 1, "token": "b"},
        {"index": 7, "value": 0.75, "token": "a"},
    ]
    answer = rows({"text_index": 0, "sparse_embedding": items})
    with serve_embeddings(answer) as server:
        model = embedder(style.framework, server.base_url)
        (vector,) = await sparse(model, style, ["a"])
    assert (list(vector.indices), list(vector.values)) == ([3, 7], [1.0, 0.75])


@pytest.mark.parametrize(
    "items", [None, [{"index": -1, "value": 0.5}], [{"index": 1}], ["x"]]
)
@EACH_STYLE
async def test_malformed_sparse_vectors(style: Style, items: Any) -> None:
    answer = rows({"text_index": 0, "sparse_embedding": items})
    with serve_embeddings(answer) as server:
        model = embedder(style.framework, server.base_url)
        with pytest.raises(InvalidResponseError, match="sparse embedding"):
            await sparse(model, style, ["a"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"protocol": "openai"}, "protocol='dashscope'"),
        ({"model": "text-embedding-v2"}, "no sparse vectors"),
    ],
)
@EACH_STYLE
async def test_where_there_are_no_sparse_vectors(
    style: Style, arguments: dict[str, Any], words: str
) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url, **arguments)
        with pytest.raises(ConfigurationError, match=words):
            await sparse(model, style, ["a"])
        with pytest.raises(ConfigurationError, match=words):
            model.keep_sparse_vectors()
        assert server.bodies == []


@EACH_STYLE
async def test_sparse_vectors_that_are_kept_are_paid_for_once(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url)
        model.keep_sparse_vectors()
        texts = numbered(25)
        await embed(model, style, texts)
        await embed_query(model, style, texts[0])
        vectors = await sparse(model, style, [*texts, texts[0]])
        assert [v.to_dict()[2] for v in vectors] == [*range(1, 26), 1]
        await call(model, "sparse query", style, texts[0])
        assert len(server.bodies) == 4
        # Each was asked for, and is kept no longer.
        await sparse(model, style, texts[:1])
        assert len(server.bodies) == 5
        assert server.parameters[-1]["output_type"] == "sparse"


@EACH_STYLE
async def test_a_sparse_vector_is_kept_if_that_of_another_text_fails(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(style.framework, modelstudio_emulator)
    model.keep_sparse_vectors()
    await embed(model, style, ["a"])
    modelstudio_emulator.script(Fault(status=500))
    with pytest.raises(InternalServerError):
        await sparse(model, style, ["a", "b"])
    await sparse(model, style, ["a", "b"])
    await sparse(model, style, ["a"])
    sent = [r.body["input"]["texts"] for r in modelstudio_emulator.requests]
    assert sent == [["a"], ["b"], ["b"], ["a"]]


def test_a_value_that_was_put_again_is_not_removed() -> None:
    kept = Keep()
    kept.put("query", ["a"], [1.5])
    found = kept.find("query", ["a"])
    kept.put("query", ["a"], [2.5])
    kept.remove("query", found)
    assert kept.find("query", ["a"]) == {"a": 2.5}


@EACH_FRAMEWORK
def test_so_many_sparse_vectors_are_kept(framework: Framework) -> None:
    kept = Keep()
    texts = [str(i) for i in range(5000)]
    kept.put("document", texts, texts)
    found = kept.find("document", texts)
    assert list(found) == texts[-4096:]
    kept.remove("document", found)
    assert kept.find("document", texts) == {}
    assert embedder(framework, "http://127.0.0.1:9").usage == (0, 0)


# --- The object -------------------------------------------------------------------


@EACH_FRAMEWORK
def test_copies_and_pickles_begin_to_count_again(framework: Framework) -> None:
    with serve_embeddings() as server:
        model = embedder(framework, server.base_url, dimensions=256)
        server.dimension = 256
        _embed_sync(framework, model, numbered(5))
        assert model.usage == (5, 1)
        for other in (
            pickle.loads(pickle.dumps(model)),  # noqa: S301 - made here
            copy.copy(model),
            copy.deepcopy(model),
            model.model_copy(),
            model.model_copy(update={"dimensions": 256}),
        ):
            assert other.usage == (0, 0)
            assert other.resolved.dimensions == 256
            _embed_sync(framework, other, ["a"])
            assert other.usage == (1, 1)
        assert model.usage == (5, 1)
        model.max_concurrency = 2
        assert model.usage == (5, 1)


@EACH_FRAMEWORK
def test_equal_arguments_are_equal_objects(framework: Framework) -> None:
    with serve_embeddings() as server:
        model = embedder(framework, server.base_url)
        _embed_sync(framework, model, ["a"])
        assert model == copy.copy(model)


@EACH_FRAMEWORK
def test_an_assignment_is_checked_and_used(framework: Framework) -> None:
    with serve_embeddings() as server:
        model = embedder(framework, server.base_url)
        model.dimensions = 512
        server.dimension = 512
        _embed_sync(framework, model, ["a"])
        assert server.parameters[0]["dimension"] == 512
        with pytest.raises(ConfigurationError, match="must be one of"):
            model.dimensions = 513
        assert model.dimensions == 512
        model.model = "text-embedding-v3"
        assert model.resolved_model == "text-embedding-v3"


@EACH_FRAMEWORK
def test_what_is_shown_has_what_changes_a_vector_and_no_key(
    framework: Framework,
) -> None:
    model = embedder(
        framework, "http://127.0.0.1:9", dimensions=256, instruct="Find code."
    )
    for shown in (repr(model), str(model), str(model.model_dump())):
        assert KEY not in shown
    for part in ("text-embedding-v4", "256", "Find code."):
        assert part in repr(model)


@EACH_FRAMEWORK
def test_the_namespace_of_a_cache_has_what_changes_a_vector(
    framework: Framework,
) -> None:
    variants: list[dict[str, Any]] = [
        {},
        {"dimensions": 256},
        {"model": "text-embedding-v3"},
        {"model": "a/model:tomorrow"},
        {"model": "a-model-tomorrow"},
        {"instruct": "Find code."},
        {"instruct": "Find text."},
        {"protocol": "openai"},
    ]
    names = [
        embedder(framework, "http://127.0.0.1:9", **variant).cache_namespace
        for variant in variants
    ]
    assert len(set(names)) == len(variants)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) for name in names)
    # The model's default is the same as the default said aloud.
    same = embedder(framework, "http://127.0.0.1:9", dimensions=1024)
    assert same.cache_namespace == names[0]


@EACH_FRAMEWORK
def test_a_forked_process_has_its_own_state(framework: Framework) -> None:
    with serve_embeddings() as server:
        model = embedder(framework, server.base_url)
        _embed_sync(framework, model, ["a"])
        state = model._shared_now()
        state.process = -1
        assert model.usage == (0, 0)


@EACH_FRAMEWORK
def test_many_threads_count_every_token(framework: Framework) -> None:
    with serve_embeddings() as server:
        model = embedder(framework, server.base_url)
        threads = [
            threading.Thread(target=_embed_sync, args=(framework, model, numbered(20)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert model.usage == (160, 16)


# --- With the emulator ------------------------------------------------------------


@EACH_PROTOCOL
@EACH_STYLE
async def test_near_texts_have_near_vectors(
    style: Style, protocol: Protocol, modelstudio_emulator: Emulator
) -> None:
    model = embedder(style.framework, modelstudio_emulator, protocol=protocol)
    texts = ["A red fox runs.", "The stock market fell.", "Foxes are red."]
    fox, market, _ = await embed(model, style, texts)
    query = await embed_query(model, style, "red fox")
    near = sum(a * b for a, b in zip(query, fox, strict=True))
    far = sum(a * b for a, b in zip(query, market, strict=True))
    assert near > far + 0.3
    assert sum(a * a for a in fox) == pytest.approx(1.0, abs=1e-4)


@EACH_STYLE
async def test_queries_and_documents_have_different_vectors(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(style.framework, modelstudio_emulator)
    (document,) = await embed(model, style, ["red fox"])
    assert document != await embed_query(model, style, "red fox")


@EACH_STYLE
async def test_an_unknown_model_is_answered_with_the_nearest(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(style.framework, modelstudio_emulator, model="text-embeding-v4")
    with pytest.raises(Exception, match="nearest known embedding model"):
        await embed(model, style, ["a"])


@EACH_STYLE
async def test_a_scripted_fault(style: Style, modelstudio_emulator: Emulator) -> None:
    modelstudio_emulator.script(Fault(status=429, code="limit_requests"))
    model = embedder(style.framework, modelstudio_emulator)
    with pytest.raises(RateLimitError):
        await embed(model, style, ["a"])
    assert len(await embed(model, style, ["a"])) == 1
