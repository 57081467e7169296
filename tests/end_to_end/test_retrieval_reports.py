"""What public reports say goes wrong with other clients, where no other test has it.

The others are in ``test_embeddings.py``, ``test_rerank.py``, ``test_hybrid_search.py``
and ``test_multimodal_embeddings.py``.
"""

import asyncio

import pytest

from modelstudio_core.errors import APIConnectionError, InvalidResponseError
from tests.support.embedding_server import serve_embeddings
from tests.support.http_server import Scripted
from tests.support.models import FRAMEWORKS, Framework
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


@EACH_STYLE
async def test_a_dropped_connection_is_no_malformed_answer(style: Style) -> None:
    """Public report, 2026: it was returned as a response without an output."""
    with serve_embeddings(*[Scripted(hang_up=True)] * 2) as server:
        model = reranker(style.framework, server.base_url)
        with pytest.raises(APIConnectionError) as caught:
            await embed(embedder(style.framework, server.base_url), style, ["a"])
        assert not isinstance(caught.value, InvalidResponseError)
        with pytest.raises(APIConnectionError):
            await rerank(model, style, ["a"], "q")


@EACH_STYLE
async def test_an_answer_that_is_no_json(style: Style) -> None:
    """Public report, 2025: a gateway's page became "'NoneType' has no attribute"."""
    page = Scripted(body=b"<html>Bad gateway</html>")
    with serve_embeddings(page, page) as server:
        model = reranker(style.framework, server.base_url)
        with pytest.raises(InvalidResponseError, match="Bad gateway"):
            await embed(embedder(style.framework, server.base_url), style, ["a"])
        with pytest.raises(InvalidResponseError, match="Bad gateway"):
            await rerank(model, style, ["a"], "q")


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_two_tenants_do_not_share_an_address(framework: Framework) -> None:
    """Public reports, 2026: a global base URL was changed under other tenants."""
    style = Style(framework, asynchronous=True)
    with serve_embeddings() as one, serve_embeddings() as two:
        models = [embedder(framework, server.base_url) for server in (one, two)]
        await asyncio.gather(*(embed(model, style, ["a"] * 30) for model in models))
        assert len(one.bodies) == len(two.bodies) == 3


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_an_index_and_its_queries_have_one_dimension(
    framework: Framework,
) -> None:
    """Public reports, 2025: an index was built with another one than its queries."""
    with serve_embeddings() as server:
        server.dimension = 512
        model = embedder(framework, server.base_url, dimensions=512)
        for asynchronous in (False, True):
            style = Style(framework, asynchronous)
            (document,) = await embed(model, style, ["a"])
            assert len(document) == len(await embed_query(model, style, "a")) == 512
    assert [parameters["dimension"] for parameters in server.parameters] == [512] * 4
