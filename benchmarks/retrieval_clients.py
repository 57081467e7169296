"""The clients of embeddings and rankings, each run in a process of its own.

A client's library is imported when it is run: other environments load this file too.
"""

import base64
import json
import sys
import time
from array import array
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

__all__ = ["CLIENTS", "DOCUMENTS", "ROWS"]

ROWS: Final = 10
DOCUMENTS: Final = 100
_REQUESTS: Final = 100
_WARM_UP: Final = 20
_TEXTS: Final = [f"This is text number {i} of a request." for i in range(ROWS)]
_PASSAGES: Final = [f"This is passage number {i}." for i in range(DOCUMENTS)]
_MODEL: Final = "text-embedding-v4"
_KEY: Final = "sk-nobody"


def _own(module: str, name: str, **arguments: Any) -> Any:
    return getattr(import_module(module), name)(
        **{"model": _MODEL, "api_key": _KEY, **arguments}
    )


def _langchain(url: str, **arguments: Any) -> Callable[[], Any]:
    model = _own(
        "langchain_modelstudio", "ModelStudioEmbeddings", base_url=url, **arguments
    )
    return lambda: model.embed_documents(_TEXTS)


def _llamaindex(url: str, **arguments: Any) -> Callable[[], Any]:
    model = _own(
        "llamaindex_modelstudio", "ModelStudioEmbedding", base_url=url, **arguments
    )
    return lambda: model.get_text_embedding_batch(_TEXTS)


def _rerank(url: str) -> Callable[[], Any]:
    model = _own(
        "langchain_modelstudio", "ModelStudioRerank", base_url=url, model="qwen3-rerank"
    )
    return lambda: model.rerank(_PASSAGES, "number")


def _openai(url: str, **model_kwargs: Any) -> Callable[[], Any]:
    model = import_module("langchain_openai").OpenAIEmbeddings(
        model=_MODEL,
        base_url=f"{url}/compatible-mode/v1",
        api_key=_KEY,
        check_embedding_ctx_length=False,
        model_kwargs=model_kwargs,
    )
    return lambda: model.embed_documents(_TEXTS)


def _httpx(url: str, path: str, body: Any, read: Callable[[Any], Any]) -> Any:
    client = import_module("httpx").Client()
    headers = {"authorization": f"Bearer {_KEY}"}

    def post() -> Any:
        response = client.post(url + path, json=body, headers=headers)
        return read(json.loads(response.content))

    return post


def _httpx_embeddings(url: str, encoding: str) -> Callable[[], Any]:
    body = {"model": _MODEL, "input": _TEXTS, "encoding_format": encoding}
    path = "/compatible-mode/v1/embeddings"
    read = _read_base64 if encoding == "base64" else _read_floats
    post: Callable[[], Any] = _httpx(url, path, body, read)
    return post


def _read_floats(body: Any) -> Any:
    return [row["embedding"] for row in body["data"]]


def _read_base64(body: Any) -> Any:
    vectors: list[list[float]] = []
    for row in body["data"]:
        numbers = array("f")
        numbers.frombytes(base64.b64decode(row["embedding"]))
        vectors.append(numbers.tolist())
    return vectors


def _httpx_rerank(url: str) -> Callable[[], Any]:
    body = {"model": "qwen3-rerank", "query": "number", "documents": _PASSAGES}
    read = _read_results
    post: Callable[[], Any] = _httpx(url, "/compatible-api/v1/reranks", body, read)
    return post


def _read_results(body: Any) -> Any:
    return body["results"]


_FLOATS: Final = {"OpenAIEmbeddings, floats": 0.1, "httpx, floats": 0.5}
_BASE64: Final = {"OpenAIEmbeddings, base64": 0.5, "httpx, base64": 1.2}

# By the name of the workload: the client, and the targets relative to others.
CLIENTS: Final[Mapping[str, tuple[str, Mapping[str, float]]]] = {
    "ModelStudioEmbeddings, native": ("own", _FLOATS),
    "ModelStudioEmbeddings, compatible": ("own", _FLOATS),
    "ModelStudioEmbeddings, base64 answers": ("own", _BASE64),
    "ModelStudioEmbedding, native": ("own", {}),
    "OpenAIEmbeddings, floats": ("OpenAIEmbeddings", {}),
    "OpenAIEmbeddings, base64": ("OpenAIEmbeddings", {}),
    "httpx, floats": ("httpx", {}),
    "httpx, base64": ("httpx", {}),
    "ModelStudioRerank, 100 documents": ("own", {"httpx, 100 documents": 1.5}),
    "httpx, 100 documents": ("httpx", {}),
}

_MAKE: Final[Mapping[str, Callable[[str], Callable[[], Any]]]] = {
    "ModelStudioEmbeddings, native": _langchain,
    "ModelStudioEmbeddings, compatible": lambda url: _langchain(url, protocol="openai"),
    # The path makes the server answer with base64, as some gateways do.
    "ModelStudioEmbeddings, base64 answers": lambda url: _langchain(
        f"{url}/base64", protocol="openai"
    ),
    "ModelStudioEmbedding, native": _llamaindex,
    "OpenAIEmbeddings, floats": lambda url: _openai(url, encoding_format="float"),
    "OpenAIEmbeddings, base64": _openai,
    "httpx, floats": lambda url: _httpx_embeddings(url, "float"),
    "httpx, base64": lambda url: _httpx_embeddings(url, "base64"),
    "ModelStudioRerank, 100 documents": _rerank,
    "httpx, 100 documents": _httpx_rerank,
}


def _measure(name: str, url: str) -> float:
    """Return the seconds of CPU of one request."""
    call = _MAKE[name](url)
    for _ in range(_WARM_UP):
        call()
    rows = call()
    expected = DOCUMENTS if "documents" in name else ROWS
    if len(rows) != expected:
        raise ValueError(f"{name} received {len(rows)} of {expected} rows.")
    begin = time.process_time()
    for _ in range(_REQUESTS):
        call()
    return (time.process_time() - begin) / _REQUESTS


if __name__ == "__main__":
    print(json.dumps(_measure(*sys.argv[1:3])))  # noqa: T201 - for the parent process
