"""Reranking in both frameworks, synchronously and asynchronously."""

import base64
import json
import pickle
from inspect import isawaitable
from typing import Any

import pytest
from langchain_core.documents import Document
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.instrumentation.events.rerank import (
    ReRankEndEvent,
    ReRankStartEvent,
)
from llama_index.core.schema import ImageNode, NodeWithScore, TextNode

from langchain_modelstudio import ModelStudioRerank as LangChainRerank
from langchain_modelstudio.errors import RateLimitError as LangChainRateLimitError
from llamaindex_modelstudio import ModelStudioRerank as LlamaIndexRerank
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import (
    BadRequestError,
    ConfigurationError,
    InvalidResponseError,
    ModelDeprecationWarning,
    ModelStudioWarning,
    RateLimitError,
)
from tests.end_to_end.field.media_support import PNG_BYTES
from tests.support.embedding_server import error, serve_embeddings
from tests.support.http_server import Scripted
from tests.support.models import FRAMEWORKS, KEY, Framework
from tests.support.observers import llamaindex_events
from tests.support.retrieval import STYLES, Style, rerank, reranker

EACH_STYLE = pytest.mark.parametrize("style", STYLES, ids=str)
EACH_FRAMEWORK = pytest.mark.parametrize("framework", FRAMEWORKS)
FLAT = "/compatible-api/v1/reranks"
NATIVE = "/api/v1/services/rerank/text-rerank/text-rerank"
URL = "http://127.0.0.1:9"


# --- Arguments of other types -------------------------------------------------------


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        (
            ["a"],
            r"(documents|nodes)\[0\] must be a (Document|NodeWithScore), got a str",
        ),
        (7, r"(documents|nodes) must be a list, got a int"),
        ("a", r"(documents|nodes) must be a list, got a str"),
        ({"a": 1}, r"(documents|nodes) must be a list, got a dict"),
    ],
)
@EACH_STYLE
async def test_what_is_no_document_is_refused_before_it_is_paid_for(
    style: Style, documents: Any, words: str
) -> None:
    with serve_embeddings() as server:
        model: Any = reranker(style.framework, server.base_url)
        name = "compress_documents"
        arguments: dict[str, Any] = {"documents": documents, "query": "q"}
        if style.framework == "LlamaIndex":
            name = "postprocess_nodes"
            arguments = {"nodes": documents, "query_str": "q"}
        method = getattr(model, f"a{name}" if style.asynchronous else name)
        with pytest.raises(ConfigurationError, match=words):
            await result if isawaitable(result := method(**arguments)) else None
        if documents != ["a"]:
            rank = model.arerank if style.asynchronous else model.rerank
            with pytest.raises(ConfigurationError, match="documents must be a list"):
                await result if isawaitable(result := rank(documents, "q")) else None
        assert server.bodies == []


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_langchain_reranks_documents_of_a_generator(asynchronous: bool) -> None:
    with serve_embeddings() as server:
        model: Any = reranker("LangChain", server.base_url)
        documents = (Document(text) for text in ("abc", "a"))
        found = (
            await model.acompress_documents(documents, "q")
            if asynchronous
            else model.compress_documents(documents, "q")
        )
    assert [document.page_content for document in found] == ["a", "abc"]


@pytest.mark.parametrize("query", [7, ["q"], {}])
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_query_of_llamaindex_that_is_no_text(
    query: Any, asynchronous: bool
) -> None:
    model: Any = reranker("LlamaIndex", URL)
    nodes = [NodeWithScore(node=TextNode(text="a"))]

    async def called(*args: Any, **arguments: Any) -> None:
        if asynchronous:
            await model.apostprocess_nodes(*args, **arguments)
        else:
            model.postprocess_nodes(*args, **arguments)

    for arguments in ({"query_str": query}, {"query_bundle": query}):
        with pytest.raises(ConfigurationError, match="query must be a string"):
            await called(nodes, **arguments)


# --- What is sent -----------------------------------------------------------------


@EACH_STYLE
async def test_the_flat_request(style: Style) -> None:
    with serve_embeddings() as server:
        model = reranker(style.framework, server.base_url, instruct="I", top_n=1)
        assert await rerank(model, style, ["abc", "a"], "q") == [("a", 0.5)]
    assert server.paths == [FLAT]
    assert server.bodies == [
        {
            "model": "qwen3-rerank",
            "query": "q",
            "documents": ["abc", "a"],
            "top_n": 1,
            "instruct": "I",
        }
    ]
    assert model.usage == (2, 1)


@pytest.mark.parametrize(
    "model_id", ["qwen3.7-text-rerank", "gte-rerank-v2", "a-model-of-tomorrow"]
)
@EACH_STYLE
async def test_the_nested_request(style: Style, model_id: str) -> None:
    with serve_embeddings() as server:
        model = reranker(style.framework, server.base_url, model=model_id)
        found = await rerank(model, style, ["abc", "a"], "q")
    assert found == [("a", 0.5), ("abc", 0.25)]
    assert server.paths == [NATIVE]
    assert server.bodies == [
        {
            "model": model_id,
            "input": {"query": "q", "documents": ["abc", "a"]},
            "parameters": {"top_n": 2},
        }
    ]


@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
@EACH_STYLE
async def test_the_protocol_changes_nothing(style: Style, protocol: str) -> None:
    with serve_embeddings() as server:
        model = reranker(style.framework, server.base_url, protocol=protocol)
        await rerank(model, style, ["a"], "q")
    assert server.paths == [FLAT]


@EACH_STYLE
async def test_nothing_is_sent_for_no_documents(style: Style) -> None:
    with serve_embeddings() as server:
        model = reranker(style.framework, server.base_url)
        assert await rerank(model, style, [], "q") == []
        assert server.bodies == []


@EACH_STYLE
async def test_more_documents_than_a_request_has(style: Style) -> None:
    texts = ["x" * (1 + i % 700) for i in range(1100)]
    with serve_embeddings() as server:
        model = reranker(style.framework, server.base_url, top_n=5)
        with pytest.warns(UserWarning, match="only roughly comparable"):
            found = await rerank(model, style, texts, "q")
        sizes = [len(body["documents"]) for body in server.bodies]
    assert [len(text) for text, _ in found] == [1, 1, 2, 2, 3]
    assert sum(sizes) == 1100
    assert max(sizes) <= 500


@EACH_STYLE
async def test_more_tokens_than_a_request_has(style: Style) -> None:
    with serve_embeddings() as server:
        model = reranker(style.framework, server.base_url, model="gte-rerank-v2")
        with pytest.warns(UserWarning, match="2 requests are sent"):
            await rerank(model, style, ["word " * 2000] * 12, "q")
    # 30,000 tokens a request, of which each document has about 3,300.
    assert sorted(len(b["input"]["documents"]) for b in server.bodies) == [4, 8]


# --- What is returned -------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_langchain_documents_keep_what_they_have(asynchronous: bool) -> None:
    documents = [
        Document(page_content="abc", id="1", metadata={"source": "x"}),
        Document(page_content="a", id="2", metadata={"relevance_score": 7}),
    ]
    before = [document.model_copy(deep=True) for document in documents]
    with serve_embeddings() as server:
        model = reranker("LangChain", server.base_url)
        assert isinstance(model, LangChainRerank)
        found = (
            await model.acompress_documents(documents, "q")
            if asynchronous
            else model.compress_documents(documents, "q")
        )
        results = (
            await model.arerank(documents, "q", top_n=1)
            if asynchronous
            else model.rerank(documents, "q", top_n=1)
        )
    assert documents == before
    assert [document.id for document in found] == ["2", "1"]
    assert [document.metadata for document in found] == [
        {"relevance_score": 0.5},
        {"source": "x", "relevance_score": 0.25},
    ]
    assert results == [{"index": 1, "relevance_score": 0.5}]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_llamaindex_nodes_are_ranked_by_their_text_for_embeddings(
    asynchronous: bool,
) -> None:
    nodes = [
        NodeWithScore(
            node=TextNode(
                text="abc",
                id_="1",
                metadata={"title": "T", "secret": "S"},
                excluded_embed_metadata_keys=["secret"],
            ),
            score=0.9,
        ),
        NodeWithScore(node=TextNode(text="a", id_="2"), score=0.1),
    ]
    handler = LlamaDebugHandler(print_trace_on_end=False)
    with (
        serve_embeddings() as server,
        llamaindex_events(lambda event: event) as events,
    ):
        model = reranker(
            "LlamaIndex",
            server.base_url,
            callback_manager=CallbackManager([handler]),
        )
        assert isinstance(model, LlamaIndexRerank)
        found = (
            await model.apostprocess_nodes(nodes, query_str="q")
            if asynchronous
            else model.postprocess_nodes(nodes, query_str="q")
        )
    assert server.bodies[0]["documents"] == ["title: T\n\nabc", "a"]
    assert [(node.node.node_id, node.score) for node in found] == [
        ("2", 0.5),
        ("1", 1 / 14),
    ]
    assert [node.score for node in nodes] == [0.9, 0.1]
    begin, end = events
    assert isinstance(begin, ReRankStartEvent)
    assert (begin.query, begin.top_n, begin.model_name) == ("q", 2, "qwen3-rerank")
    assert isinstance(end, ReRankEndEvent)
    assert [node.node.node_id for node in end.nodes] == ["2", "1"]
    assert len(handler.get_event_pairs(CBEventType.RERANKING)) == 1


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_no_nodes_have_both_events_too(asynchronous: bool) -> None:
    style = Style("LlamaIndex", asynchronous)
    with llamaindex_events(type) as events:
        assert await rerank(reranker("LlamaIndex", URL), style, [], "q") == []
    assert events == [ReRankStartEvent, ReRankEndEvent]


async def test_llamaindex_texts_can_be_ranked_directly() -> None:
    with serve_embeddings() as server:
        model = reranker("LlamaIndex", server.base_url)
        assert isinstance(model, LlamaIndexRerank)
        expected = [{"index": 1, "relevance_score": 0.5}]
        assert model.rerank(["abc", "a"], "q", top_n=1) == expected
        assert await model.arerank(["abc", "a"], "q", top_n=1) == expected


@EACH_STYLE
async def test_either_shape_of_an_answer_is_read(style: Style) -> None:
    results = [{"index": 0, "relevance_score": 1}]
    nested = json.dumps({"output": {"results": results}}).encode()
    with serve_embeddings(Scripted(body=nested)) as server:
        model = reranker(style.framework, server.base_url)
        assert await rerank(model, style, ["a"], "q") == [("a", 1.0)]


# --- Documents without text -------------------------------------------------------


@EACH_STYLE
async def test_found_documents_without_text_come_last_and_are_not_sent(
    style: Style,
) -> None:
    found: list[list[Any]] = []
    with serve_embeddings() as server:
        for top_n in (None, 2, 3):
            model = reranker(style.framework, server.base_url, top_n=top_n)
            with pytest.warns(  # noqa: PT031 - the second call does not warn again
                ModelStudioWarning, match="without text"
            ) as warned:
                found.append(await rerank(model, style, ["", "abc", " \n", "a"], "q"))
                found.append(await rerank(model, style, ["", "a"], "q"))
            assert len(warned) == 1
    assert [body["documents"] for body in server.bodies] == [["abc", "a"], ["a"]] * 3
    ranked = [("a", 0.5), ("abc", 0.25), ("", 0.0), (" \n", 0.0)]
    assert [found[0], found[2], found[4]] == [ranked, ranked[:2], ranked[:3]]
    assert [found[1], found[3], found[5]] == [[("a", 0.5), ("", 0.0)]] * 3


@EACH_STYLE
async def test_no_request_is_made_where_no_found_document_has_text(
    style: Style,
) -> None:
    with serve_embeddings() as server:
        model = reranker(style.framework, server.base_url, top_n=1)
        with pytest.warns(ModelStudioWarning, match="without text"):
            assert await rerank(model, style, ["", " "], "q") == [("", 0.0)]
    assert server.bodies == []


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_multimodal_model_ranks_the_image_of_a_node_without_text(
    asynchronous: bool,
) -> None:
    data = base64.b64encode(PNG_BYTES).decode()
    url = "https://x.example/a.png"
    images = [
        ImageNode(image_url=url, metadata={"file": "a.png"}),
        ImageNode(image=data),
        ImageNode(image=f"data:image/png;base64,{data}"),
        ImageNode(image="aGVsbG8gd29ybGQ=", image_mimetype="image/heic"),
        ImageNode(text="A fox.", image_url=url),
        ImageNode(image_path="/nothing/here.png"),
    ]
    nodes = [NodeWithScore(node=node) for node in images]
    sent: list[Any] = []
    for name in ("qwen3-vl-rerank", "qwen3-rerank"):
        with serve_embeddings() as server:
            model: Any = reranker("LlamaIndex", server.base_url, model=name)
            with pytest.warns(ModelStudioWarning, match="without text"):
                found = (
                    await model.apostprocess_nodes(nodes, query_str="q")
                    if asynchronous
                    else model.postprocess_nodes(nodes, query_str="q")
                )
        assert len(found) == len(nodes)
        assert found[-1].node is images[-1]
        (body,) = server.bodies
        sent.append(body.get("input", body)["documents"])
    of_data = {"image": f"data:image/png;base64,{data}"}
    assert sent == [
        [
            {"image": url},
            of_data,
            of_data,
            {"image": "data:image/heic;base64,aGVsbG8gd29ybGQ="},
            "A fox.",
        ],
        ["file: a.png", "A fox."],
    ]


def test_a_node_with_another_file_than_an_image_has_no_text() -> None:
    pdf = ImageNode(image=base64.b64encode(b"%PDF-1.7\n").decode())
    nodes = [NodeWithScore(node=node) for node in (pdf, TextNode(text="A"))]
    with serve_embeddings() as server:
        model: Any = reranker("LlamaIndex", server.base_url, model="qwen3-vl-rerank")
        with pytest.warns(ModelStudioWarning, match="without text"):
            model.postprocess_nodes(nodes, query_str="q")
    (body,) = server.bodies
    assert body.get("input", body)["documents"] == ["A"]


@EACH_STYLE
async def test_base64_text_of_an_image_is_sent_as_a_data_url(style: Style) -> None:
    data = base64.b64encode(PNG_BYTES).decode()
    with serve_embeddings() as server:
        model: Any = reranker(style.framework, server.base_url, model="qwen3-vl-rerank")
        documents = [{"image": data}, {"image": "https://x.example/a.png"}]
        if style.asynchronous:
            await model.arerank(documents, "q")
        else:
            model.rerank(documents, "q")
    (body,) = server.bodies
    assert body.get("input", body)["documents"] == [
        {"image": f"data:image/png;base64,{data}"},
        {"image": "https://x.example/a.png"},
    ]


# --- What is refused --------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "query", "words"),
    [
        (["a"], "", "query is empty"),
        ([""], "", "query is empty"),
        (["a", "b" * 24_001], "q", r"documents\[1\] is too long"),
    ],
)
@EACH_STYLE
async def test_texts_that_cannot_be_ranked(
    style: Style, texts: list[str], query: str, words: str
) -> None:
    with serve_embeddings() as server:
        model = reranker(style.framework, server.base_url)
        with pytest.raises(ConfigurationError, match=words):
            await rerank(model, style, texts, query)
        assert server.bodies == []


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ("abc", "documents must be a list, got a str"),
        ([None], r"documents\[0\] must be a string"),
        (["a", ""], r"documents\[1\] is empty"),
        ([{"text": "a", "image": "b"}], r"documents\[0\] must be a text, or a mapping"),
        ([{"image": "https://x.example/a.png"}], "does not rank images"),
    ],
)
@EACH_FRAMEWORK
def test_documents_that_cannot_be_ranked(
    framework: Framework, documents: Any, words: str
) -> None:
    model = reranker(framework, URL)
    with pytest.raises(ConfigurationError, match=words):
        model.rerank(documents, "q")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("photo.png", r"documents\[0\]\['image'\] must be a URL or a data URI"),
        ("", "must be a URL or a data URI"),
        (b"x", "must be a URL or a data URI"),
        ("data:image/png;base64,", r"documents\[0\]\['image'\] is empty"),
        (f"data:image/png;base64,{base64.b64encode(PNG_BYTES)!r}", "begins with b'"),
    ],
)
@EACH_FRAMEWORK
def test_images_that_cannot_be_ranked(
    framework: Framework, image: Any, words: str
) -> None:
    model = reranker(framework, URL, model="qwen3-vl-rerank")
    with pytest.raises(ConfigurationError, match=words):
        model.rerank([{"image": image}], "q")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"top_n": 0}, "top_n must be an integer >= 1"),
        ({"top_n": "3"}, "top_n must be an integer"),
        ({"instruct": ""}, "instruct must be a string that is not empty"),
        ({"model": "gte-rerank-v2", "instruct": "x"}, "does not support instruct"),
        ({"model": "qwen3.7-plus"}, "cannot rerank documents.*ChatModelStudio"),
        ({"model": "text-embedding-v4"}, "cannot rerank.*ModelStudioEmbeddings"),
        ({"return_documents": True}, "Unknown argument 'return_documents'"),
    ],
)
@EACH_FRAMEWORK
def test_invalid_arguments(
    framework: Framework, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        reranker(framework, URL, **arguments)


@EACH_FRAMEWORK
def test_a_delisted_model_is_sent_with_a_warning(framework: Framework) -> None:
    with pytest.warns(ModelDeprecationWarning, match=r"2026-05-30: use qwen3-rerank"):
        model = reranker(framework, URL, model="gte-rerank")
    assert model.resolved_model == "gte-rerank"


def test_nodes_without_a_query_are_an_error() -> None:
    model = reranker("LlamaIndex", URL)
    assert isinstance(model, LlamaIndexRerank)
    nodes = [NodeWithScore(node=TextNode(text="a"))]
    with pytest.raises(ConfigurationError, match="query_str="):
        model.postprocess_nodes(nodes)


# --- Failures ---------------------------------------------------------------------


def results(*pairs: tuple[Any, Any]) -> Scripted:
    rows = [{"index": index, "relevance_score": score} for index, score in pairs]
    return Scripted(body=json.dumps({"results": rows, "request_id": "r-9"}).encode())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (results(), "0 results for 0 documents"),
        (results((0, 0.5)), "1 results for 1 documents, and the request asked for 2"),
        (results((0, 0.5), (0, 0.4)), "2 results for 1 documents"),
        (results((0, 0.5), (2, 0.4)), "asked for 2 of 2"),
        (results((0, 0.5), (None, 0.4)), "asked for 2 of 2"),
        (results((0, 0.5), (1, None)), "a relevance score that is not a number"),
        (results((0, 0.5), (1, 10**400)), "a relevance score that is not a number"),
        (results((0, 0.5), (1, "0.4")), "a relevance score that is not a number"),
    ],
)
@EACH_STYLE
async def test_answers_that_are_not_complete(
    style: Style, answer: Scripted, words: str
) -> None:
    with serve_embeddings(answer) as server:
        model = reranker(style.framework, server.base_url)
        with pytest.raises(InvalidResponseError, match=words) as caught:
            await rerank(model, style, ["a", "b"], "q")
    assert caught.value.request_id == "r-9"


@EACH_STYLE
async def test_errors_have_the_message_of_the_service(style: Style) -> None:
    busy = error(429, "Throttling.RateQuota", "Requests rate limit exceeded.")
    with serve_embeddings(busy) as server:
        model = reranker(style.framework, server.base_url)
        with pytest.raises(RateLimitError, match="rate limit exceeded") as caught:
            await rerank(model, style, ["a"], "q")
    assert caught.value.code == "Throttling.RateQuota"
    if style.framework == "LangChain":
        assert isinstance(caught.value, LangChainRateLimitError)


@EACH_STYLE
async def test_a_failed_request_is_repeated(style: Style) -> None:
    with serve_embeddings(Scripted(hang_up=True)) as server:
        model = reranker(style.framework, server.base_url, max_retries=1)
        assert await rerank(model, style, ["a"], "q") == [("a", 0.5)]
    assert len(server.bodies) == 2
    assert model.usage == (1, 1)


# --- The object -------------------------------------------------------------------


@EACH_FRAMEWORK
def test_a_pickle_and_a_copy(framework: Framework) -> None:
    model = reranker(framework, URL, top_n=3, instruct="I")
    for other in (
        pickle.loads(pickle.dumps(model)),  # noqa: S301 - made here
        model.model_copy(update={"top_n": 3}),
    ):
        assert (other.top_n, other.instruct, other.usage) == (3, "I", (0, 0))
    assert KEY not in repr(model)
    assert model.resolved.connection.read_timeout == 60.0


def test_a_llamaindex_dump_loads_again() -> None:
    model = reranker("LlamaIndex", URL, top_n=3)
    assert isinstance(model, LlamaIndexRerank)
    dump = model.to_dict()
    assert KEY not in str(dump)
    assert LlamaIndexRerank.from_dict(dump, api_key=KEY).top_n == 3


# --- With the emulator ------------------------------------------------------------


@pytest.mark.parametrize(
    "model_id", ["qwen3-rerank", "qwen3.7-text-rerank", "gte-rerank-v2"]
)
@EACH_STYLE
async def test_the_emulator_ranks_by_common_words(
    style: Style, model_id: str, modelstudio_emulator: Emulator
) -> None:
    model = reranker(style.framework, modelstudio_emulator, model=model_id)
    texts = ["A blue car.", "Two red foxes.", "Nothing."]
    (best, score), *others = await rerank(model, style, texts, "red fox")
    assert best == "Two red foxes."
    assert all(score > other for _, other in others)


@EACH_FRAMEWORK
def test_images_can_be_ranked(
    framework: Framework, modelstudio_emulator: Emulator
) -> None:
    model = reranker(framework, modelstudio_emulator, model="qwen3-vl-rerank")
    documents: list[Any] = [
        "A blue car.",
        {"image": "https://x.example/red-fox.png"},
        {"text": "Nothing."},
    ]
    best = model.rerank(documents, "red fox")[0]
    assert best["index"] == 1
    with pytest.raises(BadRequestError):
        model.rerank([{"image": "https://x.example/a.png"}] * 41, "red fox")
