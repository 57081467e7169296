"""docs/migrating.md: each row constructs the class and is sent as shown."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from langchain_core.documents import Document
from llama_index.core.llms import ChatMessage
from llama_index.core.schema import NodeWithScore, TextNode

import langchain_modelstudio as langchain
import llamaindex_modelstudio as llamaindex
from modelstudio_core.emulator import Emulator, RecordedRequest
from modelstudio_core.errors import ConfigurationError
from tests.support.models import KEY
from tests.support.pages import read

PAGE = "docs/migrating.md"
TITLE = re.compile(r"^## (.+?) → (\w+)$", re.MULTILINE)
# The class that a table is about, by the title above it, with what it needs.
CLASSES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "ChatTongyi": (langchain.ChatModelStudio, {"model": "qwen-plus"}),
    "ChatQwen": (langchain.ChatModelStudio, {"model": "qwen3.7-plus"}),
    "ChatOpenAI": (langchain.ChatModelStudio, {"model": "qwen3.7-plus"}),
    "ChatDeepSeek": (langchain.ChatModelStudio, {"model": "qwen3.7-plus"}),
    "DashScope": (llamaindex.ModelStudio, {"model": "qwen-plus"}),
    "OpenAILike": (llamaindex.ModelStudio, {"model": "qwen3.7-plus"}),
    "DashScopeEmbeddings": (
        langchain.ModelStudioEmbeddings,
        {"model": "text-embedding-v4"},
    ),
    "DashScopeEmbedding": (
        llamaindex.ModelStudioEmbedding,
        {"model": "text-embedding-v4"},
    ),
    "DashScopeRerank (LangChain)": (
        langchain.ModelStudioRerank,
        {"model": "qwen3-rerank"},
    ),
    "DashScopeRerank (LlamaIndex)": (
        llamaindex.ModelStudioRerank,
        {"model": "qwen3-rerank"},
    ),
}


class Row(NamedTuple):
    """A row of a table, below the name of the class before."""

    title: str
    before: str
    now: str
    sent: str


def rows() -> Iterator[Row]:
    text = read(PAGE)
    for heading in TITLE.finditer(text):
        section = text[heading.end() :].partition("\n## ")[0]
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if line.startswith("| ") and cells[0] != "before":
                before, now, sent = [*cells, ""][:3]
                yield Row(heading[1], before, now, sent.strip("| "))


ROWS = list(rows())
HOSTS = [row for row in ROWS if row.sent.startswith("host")]
KEPT = [row for row in ROWS if row not in HOSTS and not row.now.startswith("remove")]
REMOVED = [row for row in ROWS if row.now.startswith("remove")]


def name(row: Row) -> str:
    """Return the name of a row's test."""
    return f"{row.title}: {row.before} is {row.now}".replace("`", "")


def arguments_of(cell: str, **names: Any) -> dict[str, Any]:
    """Return the arguments that the first code of a cell passes."""
    (code, *_) = re.findall(r"`([^`]+)`", cell)
    arguments: dict[str, Any] = eval(f"dict({code})", names)  # noqa: S307 - our page
    return arguments


def use(model: Any) -> None:
    """Send one request."""
    match model:
        case langchain.ChatModelStudio():
            model.invoke("Hi")
        case llamaindex.ModelStudio():
            model.chat([ChatMessage(content="Hi")])
        case langchain.ModelStudioEmbeddings():
            model.embed_documents(["Hi"])
        case llamaindex.ModelStudioEmbedding():
            model.get_text_embedding("Hi")
        case langchain.ModelStudioRerank():
            model.compress_documents([Document("Hi")], "Hi")
        case _:
            node = NodeWithScore(node=TextNode(text="Hi"), score=0.0)
            model.postprocess_nodes([node], query_str="Hi")


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a body."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    if isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def check_sent(request: RecordedRequest, sent: str) -> None:
    """Check that a request holds what the page says."""
    (code,) = re.findall(r"`([^`]+)`", sent)
    if sent.startswith("header"):
        assert request.headers[code.lower()]
    elif sent.startswith("path"):
        assert request.path == code
    else:
        expected = json.loads(f"{{{code}}}").items()
        assert any(expected <= found.items() for found in objects(request.body))


@pytest.mark.parametrize("row", KEPT, ids=name)
def test_an_argument_is_sent_as_the_page_says(redirected: Emulator, row: Row) -> None:
    cls, needed = CLASSES[row.title]
    passed = arguments_of(row.now, key=redirected.api_key, address=redirected.base_url)
    if {"model", "model_name"} & passed.keys():
        needed = {}
    model = cls(**needed | passed)
    if row.sent:
        use(model)
        check_sent(redirected.requests[-1], row.sent)
    else:
        assert passed == {name: getattr(model, name) for name in passed}


@pytest.mark.parametrize("row", HOSTS, ids=name)
def test_a_region_has_the_host_of_the_address(row: Row) -> None:
    cls, needed = CLASSES[row.title]
    model = cls(**needed | arguments_of(row.now), api_key=KEY)
    assert f"`{model.endpoint.host}`" in row.sent
    assert model.endpoint.host in row.before
    assert model.endpoint.is_documented


@pytest.mark.parametrize("row", REMOVED, ids=name)
def test_an_argument_to_remove_is_an_error(row: Row) -> None:
    cls, needed = CLASSES[row.title]
    passed = arguments_of(row.before)
    with pytest.raises(ConfigurationError, match=r"Unknown argument .*\. [A-Z]\w+ "):
        cls(**needed | passed, api_key=KEY)


def test_the_page_has_all_classes() -> None:
    assert [row.title for row in ROWS] == sorted(
        (row.title for row in ROWS), key=list(CLASSES).index
    )
    assert {row.title for row in ROWS} == set(CLASSES)
    for _, name in TITLE.findall(read(PAGE)):
        assert name in {cls.__name__ for cls, _ in CLASSES.values()}
