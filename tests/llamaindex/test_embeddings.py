"""What is LlamaIndex's own about embeddings and reranking."""

import copy
import json
import pickle
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.instrumentation.events.embedding import (
    EmbeddingEndEvent,
    EmbeddingStartEvent,
)
from llama_index.core.schema import TextNode
from llama_index.core.storage.kvstore import SimpleKVStore

from llamaindex_modelstudio import ModelStudioEmbedding, ModelStudioRerank
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError
from tests.support.embedding_server import EmbeddingServer, serve_embeddings
from tests.support.models import KEY
from tests.support.observers import llamaindex_events

URL = "http://127.0.0.1:9"


def make(server: EmbeddingServer | str, **arguments: Any) -> ModelStudioEmbedding:
    base_url = server if isinstance(server, str) else server.base_url
    defaults: dict[str, Any] = {
        "model": "text-embedding-v4",
        "base_url": base_url,
        "api_key": KEY,
        "max_retries": 0,
    }
    return ModelStudioEmbedding(**defaults | arguments)


# --- Two names of the model -------------------------------------------------------


def test_either_name_of_the_model_may_be_given() -> None:
    for name in ("model", "model_name"):
        arguments: dict[str, Any] = {name: "text-embedding-v3"}
        model = ModelStudioEmbedding(**arguments, api_key=KEY)
        assert model.model == model.model_name == "text-embedding-v3"
    both: dict[str, Any] = {"model": "a", "model_name": "a"}
    assert ModelStudioEmbedding(**both, api_key=KEY).model == "a"
    with pytest.raises(ConfigurationError, match="model and model_name"):
        make(URL, model_name="text-embedding-v3")


def test_both_names_follow_an_assignment_and_a_copy() -> None:
    model = make(URL)
    model.model_name = "text-embedding-v3"
    assert (model.model, model.resolved_model) == ("text-embedding-v3",) * 2
    model.model = "text-embedding-v2"
    assert model.model_name == "text-embedding-v2"
    for name in ("model", "model_name"):
        copied = model.model_copy(update={name: "text-embedding-v4"})
        assert copied.model == copied.model_name == "text-embedding-v4"


def test_a_dump_loads_again() -> None:
    model = make(URL, dimensions=256, instruct="I", batch_size=5, region="singapore")
    for dump in (model.to_dict(), json.loads(model.to_json())):
        assert dump["model"] == dump["model_name"] == "text-embedding-v4"
        assert (dump["dimensions"], dump["instruct"]) == (256, "I")
        assert KEY not in str(dump)
        loaded = ModelStudioEmbedding.from_dict(dump, api_key=KEY)
        assert loaded.to_dict() == model.to_dict()
        assert loaded.endpoint.region == "ap-southeast-1"
    payload = model.to_payload()
    assert payload["model_name"] == "text-embedding-v4"
    assert KEY not in str(payload)


# --- Batches ----------------------------------------------------------------------


def test_a_batch_of_the_framework_is_several_requests() -> None:
    assert make(URL).embed_batch_size == 40
    assert make(URL, max_concurrency=1000).embed_batch_size == 2048
    assert make(URL, model="qwen3.7-text-embedding").embed_batch_size == 80
    assert make(URL, embed_batch_size=7).embed_batch_size == 7
    model = make(URL)
    model.max_concurrency = 2
    assert model.embed_batch_size == 20
    assert pickle.loads(pickle.dumps(model)).embed_batch_size == 20  # noqa: S301 - made here


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_smaller_batch_makes_smaller_requests(asynchronous: bool) -> None:
    with serve_embeddings() as server:
        model = make(server, embed_batch_size=4)
        texts = ["a"] * 10
        if asynchronous:
            await model.aget_text_embedding_batch(texts)
        else:
            model.get_text_embedding_batch(texts)
    assert sorted(server.rows) == [2, 4, 4]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("texts", "error"),
    [
        ("red fox", "texts must be a list, got a str"),
        (["a"] * 45 + [""], r"texts\[45\] is empty"),
        (["a"] * 81 + [None], r"texts\[81\] must be a string"),
    ],
)
async def test_all_texts_are_checked_before_any_is_sent(
    asynchronous: bool, texts: Any, error: str
) -> None:
    async def embed(model: ModelStudioEmbedding) -> None:
        if asynchronous:
            await model.aget_text_embedding_batch(texts)
        else:
            model.get_text_embedding_batch(texts)

    with (
        serve_embeddings() as server,
        pytest.raises(ConfigurationError, match=error),
    ):
        await embed(make(server))
    assert server.rows == []


@pytest.mark.parametrize("workers", [None, 1, 8])
async def test_requests_are_bounded_whatever_num_workers_is(
    workers: int | None,
) -> None:
    with serve_embeddings() as server:
        server.delay = 0.02
        model = make(server, max_concurrency=3, num_workers=workers, embed_batch_size=5)
        await model.aget_text_embedding_batch(["a"] * 100)
    assert server.most_at_once == 3


# --- The cache --------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_query_does_not_get_the_cached_vector_of_a_document(
    asynchronous: bool,
) -> None:
    with serve_embeddings() as server:
        model = make(server, embeddings_cache=SimpleKVStore())
        for _ in range(2):
            if asynchronous:
                await model.aget_text_embedding("a")
                await model.aget_query_embedding("a")
                await model.aget_text_embedding_batch(["a", "b"])
            else:
                model.get_text_embedding("a")
                model.get_query_embedding("a")
                model.get_text_embedding_batch(["a", "b"])
    sent = [(b["parameters"]["text_type"], b["input"]["texts"]) for b in server.bodies]
    assert sent == [("document", ["a"]), ("query", ["a"]), ("document", ["b"])]


def test_models_that_share_a_store_do_not_share_vectors() -> None:
    store = SimpleKVStore()
    with serve_embeddings() as server:
        make(server, embeddings_cache=store).get_text_embedding("a")
        server.dimension = 256
        other = make(server, embeddings_cache=store, dimensions=256)
        assert len(other.get_text_embedding("a")) == 256
        assert len(other.get_text_embedding("a")) == 256
        assert len(server.bodies) == 2
        server.dimension = 512
        for changed in (other.model_copy(update={"dimensions": 512}), other):
            changed.dimensions = 512
            assert len(changed.get_text_embedding("a")) == 512
        assert len(server.bodies) == 3


def test_a_cache_that_is_assigned_is_kept_apart_too() -> None:
    with serve_embeddings() as server:
        model = make(server)
        model.embeddings_cache = SimpleKVStore()
        model.get_text_embedding("a")
        model.get_query_embedding("a")
        copied = copy.copy(model)
        copied.get_query_embedding("a")
        assert len(server.bodies) == 2
        assert list(model.embeddings_cache.get_all("embeddings")) == ["a"]
        assert model.embeddings_cache.delete("a", "embeddings")
        model.get_text_embedding("a")
        assert len(server.bodies) == 3
        assert "embeddings_cache" not in model.to_dict()


# --- Events -----------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_events_and_token_counts(asynchronous: bool) -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    with (
        serve_embeddings() as server,
        llamaindex_events(lambda event: event) as events,
    ):
        model = make(server, callback_manager=CallbackManager([counter]))
        texts = ["one two", "three"]
        if asynchronous:
            await model.aget_text_embedding_batch(texts)
        else:
            model.get_text_embedding_batch(texts)
    begin, end = events
    assert isinstance(begin, EmbeddingStartEvent)
    assert begin.model_dict["model_name"] == "text-embedding-v4"
    assert isinstance(end, EmbeddingEndEvent)
    assert (end.chunks, len(end.embeddings)) == (texts, 2)
    assert counter.total_embedding_token_count == 3


# --- In an index ------------------------------------------------------------------


async def test_an_index_and_a_reranker(modelstudio_emulator: Emulator) -> None:
    place: dict[str, Any] = {
        "base_url": modelstudio_emulator.base_url,
        "api_key": modelstudio_emulator.api_key,
    }
    texts = ["A red fox.", "A red car.", "A blue sky.", "A fox den."]
    index = VectorStoreIndex(
        [TextNode(text=text) for text in texts],
        embed_model=ModelStudioEmbedding(model="text-embedding-v4", **place),
    )
    found = await index.as_retriever(similarity_top_k=3).aretrieve("red fox den")
    assert "A blue sky." not in [node.text for node in found]
    reranker = ModelStudioRerank(model="qwen3-rerank", top_n=1, **place)
    (best,) = await reranker.apostprocess_nodes(found, query_str="fox den")
    assert best.text == "A fox den."


def test_an_ingestion_pipeline_embeds_again_only_what_changed(
    modelstudio_emulator: Emulator,
) -> None:
    place: dict[str, Any] = {
        "base_url": modelstudio_emulator.base_url,
        "api_key": modelstudio_emulator.api_key,
    }
    nodes = [TextNode(text="A fox.", id_="1"), TextNode(text="A car.", id_="2")]
    model = ModelStudioEmbedding(model="text-embedding-v4", dimensions=64, **place)
    pipeline = IngestionPipeline(transformations=[model])
    pipeline.run(nodes=nodes)
    # Another object with the same arguments has the same key.
    pipeline.transformations = [model.model_copy()]
    pipeline.run(nodes=nodes)
    assert len(modelstudio_emulator.requests) == 1
    pipeline.transformations = [model.model_copy(update={"dimensions": 128})]
    found = pipeline.run(nodes=nodes)
    assert len(modelstudio_emulator.requests) == 2
    assert [len(node.embedding or []) for node in found] == [128, 128]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("model", ["a"], "model must be a model's id"),
        ("model_name", {}, "model must be a model's id"),
        ("embeddings_cache", 5, "embeddings_cache must be a BaseKVStore.*got a int"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: Any, words: str) -> None:
    arguments: dict[str, Any] = {"api_key": KEY}
    if "model" not in name:
        arguments["model"] = "text-embedding-v4"
    with pytest.raises(ConfigurationError, match=words):
        ModelStudioEmbedding(**arguments, **{name: value})
    embed_model = ModelStudioEmbedding(model="text-embedding-v4", api_key=KEY)
    with pytest.raises(ConfigurationError, match=words):
        setattr(embed_model, name, value)
    with pytest.raises(ConfigurationError, match=words):
        embed_model.model_copy(update={name: value})
