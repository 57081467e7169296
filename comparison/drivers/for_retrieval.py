"""Runs one embedding or rerank client, in its own process and environment.

Reads tasks from standard input, one JSON object a line, and writes their outcomes.
"""

import asyncio
import json
import os
import sys
from importlib import import_module
from inspect import isawaitable
from typing import Any

__all__: list[str] = []

_METHODS = {
    "langchain": {"documents": "embed_documents", "query": "embed_query"},
    "llamaindex": {
        "documents": "get_text_embedding_batch",
        "query": "get_query_embedding",
    },
}


def _construct(task: dict[str, Any]) -> Any:
    if task["sdk_url"]:
        sdk: Any = import_module("dashscope")
        sdk.base_http_api_url = task["sdk_url"]
    module, _, name = task["client"].partition(":")
    return getattr(import_module(module), name)(**task["arguments"])


async def _call(task: dict[str, Any], client: Any) -> Any:
    if task["kind"] == "rerank":
        return await _rerank(task, client)
    name = _METHODS[task["framework"]][task["what"]]
    method = getattr(client, f"a{name}" if task["asynchronous"] else name)
    result = method(task["input"])
    return await result if isawaitable(result) else result


async def _rerank(task: dict[str, Any], client: Any) -> list[Any]:
    texts, query = task["input"], task["query"]
    if task["framework"] == "langchain":
        documents = import_module("langchain_core.documents")
        given = [
            documents.Document(page_content=text, id=str(i), metadata={"n": i})
            for i, text in enumerate(texts)
        ]
        found = (
            await client.acompress_documents(given, query)
            if task["asynchronous"]
            else client.compress_documents(given, query)
        )
        return [
            {"id": d.id, "n": d.metadata["n"], "score": d.metadata["relevance_score"]}
            for d in found
        ]
    schema = import_module("llama_index.core.schema")
    nodes = [
        schema.NodeWithScore(
            node=schema.TextNode(text=text, id_=str(i), metadata={"n": i}), score=0.5
        )
        for i, text in enumerate(texts)
    ]
    found = (
        await client.apostprocess_nodes(nodes, query_str=query)
        if task["asynchronous"]
        else client.postprocess_nodes(nodes, query_str=query)
    )
    return [
        {"id": n.node.node_id, "n": n.node.metadata["n"], "score": n.score}
        for n in found
    ]


async def _run(task: dict[str, Any]) -> dict[str, Any]:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    try:
        client = _construct(task)
        counting = asyncio.ensure_future(tick())
        await asyncio.sleep(0)
        value = await _call(task, client)
        counting.cancel()
    except Exception as error:  # noqa: BLE001 - exceptions are outcomes too
        return {"error": type(error).__name__, "message": str(error)[:300]}
    return {"value": value, "ticks": ticks, "repr": repr(client)}


if __name__ == "__main__":
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with output:
        for line in sys.stdin:
            outcome = asyncio.run(_run(json.loads(line)))
            print(json.dumps(outcome, default=str), file=output, flush=True)
