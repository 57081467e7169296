"""Every recorded embedding and rerank exchange is read, in both frameworks."""

import json
from typing import Any

import pytest

from modelstudio_core.errors import BadRequestError, InvalidResponseError
from tests.support.recordings import Exchange, embedding_exchanges, rerank_exchanges
from tests.support.replay import Replay, replaying
from tests.support.retrieval import (
    STYLES,
    Style,
    embed,
    embed_query,
    embedder,
    rerank,
    reranker,
)

EACH_STYLE = pytest.mark.parametrize("style", STYLES, ids=str)


def serve(exchange: Exchange) -> Any:
    headers = {"content-type": "application/json"}
    return replaying(exchange.status, headers, exchange.body.encode(), times=2)


@EACH_STYLE
@pytest.mark.parametrize("exchange", embedding_exchanges())
async def test_a_recorded_embedding(exchange: Exchange, style: Style) -> None:
    body = json.loads(exchange.body)
    rows = body.get("data") or body["output"]["embeddings"]
    protocol = "openai" if "data" in body else "dashscope"
    arguments = {"model": exchange.request["model"], "protocol": protocol}
    with serve(exchange) as replay:
        model = embedder(style.framework, replay.base_url, **arguments)
        texts = [f"text {i}" for i in range(len(rows))]
        vectors = await embed(model, style, texts)
        assert vectors == [row["embedding"] for row in rows]
        assert all(type(number) is float for number in vectors[0])
        assert await embed_query(model, style, "query") == rows[0]["embedding"]
    total = body["usage"]["total_tokens"]
    assert model.usage == (2 * total, 2)
    check_path(replay, exchange)


@EACH_STYLE
async def test_a_recorded_dimension_that_was_ignored(style: Style) -> None:
    """The service ignored ``dimension`` of v1 and sent 1,536 numbers (recorded)."""
    vector = [0.5] * 1536
    body = {"output": {"embeddings": [{"text_index": 0, "embedding": vector}]}}
    exchange = Exchange("", "", {}, 200, {}, json.dumps(body))
    with serve(exchange) as replay:
        model = embedder(style.framework, replay.base_url, dimensions=512)
        with pytest.raises(InvalidResponseError, match="length 1536"):
            await embed(model, style, ["a"])


@EACH_STYLE
@pytest.mark.parametrize("exchange", rerank_exchanges())
@pytest.mark.filterwarnings("ignore:gte-rerank was delisted")
async def test_a_recorded_ranking(exchange: Exchange, style: Style) -> None:
    sent = exchange.request
    documents = sent["input"]["documents"]
    arguments = {"model": sent["model"], "top_n": sent["parameters"].get("top_n")}
    with serve(exchange) as replay:
        model = reranker(style.framework, replay.base_url, **arguments)
        query = sent["input"]["query"]
        if exchange.status != 200:
            with pytest.raises(BadRequestError, match="Model not exist") as caught:
                await rerank(model, style, documents, query)
            body = json.loads(exchange.body)
            assert caught.value.request_id == body["request_id"]
            assert "nearest known rerank model" in caught.value.message
        else:
            results = json.loads(exchange.body)["output"]["results"]
            found = await rerank(model, style, documents, query)
            assert found == [
                (documents[result["index"]], result["relevance_score"])
                for result in results
            ]
    check_path(replay, exchange)


def check_path(replay: Replay, exchange: Exchange) -> None:
    assert all(exchange.url.endswith(path) for path in replay.paths)
