"""What is LangChain's own about embeddings and reranking."""

import io
from contextlib import redirect_stderr
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_modelstudio import ModelStudioEmbeddings, ModelStudioRerank
from langchain_modelstudio import errors as langchain_errors
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError
from tests.support.embedding_server import error, serve_embeddings
from tests.support.models import KEY

URL = "http://127.0.0.1:9"


def test_names_of_other_integrations_are_accepted() -> None:
    arguments: dict[str, Any] = {
        "model_name": "text-embedding-v4",
        "chunk_size": 5,
        "dashscope_api_key": KEY,
    }
    embeddings = ModelStudioEmbeddings(**arguments)
    assert embeddings.model == embeddings.model_name == "text-embedding-v4"
    assert embeddings.batch_size == 5
    names: dict[str, Any] = {"model_name": "qwen3-rerank", "dashscope_api_key": KEY}
    reranker = ModelStudioRerank(**names)
    assert reranker.model_name == "qwen3-rerank"


def test_a_model_is_named_once() -> None:
    both: dict[str, Any] = {"model": "a", "model_name": "a", "api_key": KEY}
    with pytest.raises(ConfigurationError, match="same argument"):
        ModelStudioEmbeddings(**both)


def test_errors_are_those_of_langchain_too() -> None:
    with serve_embeddings(error(429, "Throttling.RateQuota")) as server:
        embeddings = ModelStudioEmbeddings(
            model="text-embedding-v4",
            base_url=server.base_url,
            api_key=KEY,
            max_retries=0,
        )
        with pytest.raises(ModelRateLimitError) as caught:
            embeddings.embed_query("a")
        assert isinstance(caught.value, langchain_errors.RateLimitError)
        with pytest.raises(langchain_errors.ConfigurationError):
            embeddings.embed_documents([""])


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_progress_bar_counts_texts(asynchronous: bool) -> None:
    shown = io.StringIO()
    with serve_embeddings() as server, redirect_stderr(shown):
        embeddings = ModelStudioEmbeddings(
            model="text-embedding-v4",
            base_url=server.base_url,
            api_key=KEY,
            show_progress_bar=True,
        )
        if asynchronous:
            await embeddings.aembed_documents(["a"] * 25)
        else:
            embeddings.embed_documents(["a"] * 25)
    assert "25/25" in shown.getvalue()


async def test_a_progress_bar_of_a_generator_has_no_total() -> None:
    shown = io.StringIO()
    with serve_embeddings() as server, redirect_stderr(shown):
        embeddings: Any = ModelStudioEmbeddings(
            model="text-embedding-v4",
            base_url=server.base_url,
            api_key=KEY,
            show_progress_bar=True,
        )
        assert len(embeddings.embed_documents(c for c in "abc")) == 3
        assert len(await embeddings.aembed_documents(c for c in "abc")) == 3
        with pytest.raises(ConfigurationError, match="texts must be a list, got a int"):
            embeddings.embed_documents(7)
    assert "3it" in shown.getvalue()


def test_no_progress_bar_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    with serve_embeddings() as server:
        ModelStudioEmbeddings(
            model="text-embedding-v4", base_url=server.base_url, api_key=KEY
        ).embed_documents(["a"])
    assert capsys.readouterr() == ("", "")


async def test_a_retriever_and_a_reranker(modelstudio_emulator: Emulator) -> None:
    place: dict[str, Any] = {
        "base_url": modelstudio_emulator.base_url,
        "api_key": modelstudio_emulator.api_key,
    }
    store = InMemoryVectorStore(
        ModelStudioEmbeddings(model="text-embedding-v4", **place)
    )
    texts = ["A red fox.", "A red car.", "A blue sky.", "A fox den."]
    await store.aadd_texts(texts)
    found = await store.as_retriever(search_kwargs={"k": 3}).ainvoke("red fox den")
    assert "A blue sky." not in [document.page_content for document in found]
    reranker = ModelStudioRerank(model="qwen3-rerank", top_n=1, **place)
    (best,) = await reranker.acompress_documents(found, "fox den")
    assert isinstance(best, Document)
    assert best.page_content == "A fox den."
