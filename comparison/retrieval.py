"""Compare embedding and rerank clients: ``python -m comparison.retrieval``.

The result is the end of docs/comparison.md, from its heading "Embeddings" on.
"""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from benchmarks.environments import ROOT, interpreter, start_python
from comparison.verdict import Verdict
from modelstudio_core.emulator import Emulator, Fault, RecordedRequest

__all__ = ["main", "update"]

_PAGE: Final = ROOT / "docs" / "comparison.md"
_HEADING: Final = "## Embeddings\n"
Kind = Literal["embeddings", "rerank"]


@dataclass(frozen=True, kw_only=True)
class Client:
    """A client and how it is constructed. ``{url}`` and ``{key}`` are filled in."""

    name: str
    kind: Kind
    framework: Literal["langchain", "llamaindex"]
    path: str
    environment: str = "modelstudio"
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dimensions: Mapping[str, Any] | None = None
    uses_sdk: bool = False


_OWN: Final = {"base_url": "{url}", "api_key": "{key}"}
_V4: Final = {"model": "text-embedding-v4"}
_DIMENSIONS: Final = {"dimensions": 256}
_RERANK: Final = {"model": "gte-rerank-v2"}
CLIENTS: Final = (
    Client(
        name="ModelStudioEmbeddings",
        kind="embeddings",
        framework="langchain",
        path="langchain_modelstudio:ModelStudioEmbeddings",
        arguments={**_OWN, **_V4},
        dimensions=_DIMENSIONS,
    ),
    Client(
        name="ModelStudioEmbedding",
        kind="embeddings",
        framework="llamaindex",
        path="llamaindex_modelstudio:ModelStudioEmbedding",
        arguments={**_OWN, **_V4},
        dimensions=_DIMENSIONS,
    ),
    Client(
        name="DashScopeEmbeddings",
        kind="embeddings",
        framework="langchain",
        path="langchain_community.embeddings:DashScopeEmbeddings",
        environment="langchain-tongyi",
        arguments={**_V4, "dashscope_api_key": "{key}"},
        uses_sdk=True,
    ),
    Client(
        name="OpenAIEmbeddings",
        kind="embeddings",
        framework="langchain",
        path="langchain_openai:OpenAIEmbeddings",
        environment="langchain-openai",
        arguments={
            **_V4,
            "base_url": "{url}/compatible-mode/v1",
            "api_key": "{key}",
            "check_embedding_ctx_length": False,
        },
        dimensions=_DIMENSIONS,
    ),
    Client(
        name="DashScopeEmbedding (LlamaIndex)",
        kind="embeddings",
        framework="llamaindex",
        path="llama_index.embeddings.dashscope:DashScopeEmbedding",
        environment="llama-index-dashscope-retrieval",
        arguments={"model_name": "text-embedding-v4", "api_key": "{key}"},
        uses_sdk=True,
    ),
    Client(
        name="ModelStudioRerank (LangChain)",
        kind="rerank",
        framework="langchain",
        path="langchain_modelstudio:ModelStudioRerank",
        arguments={**_OWN, **_RERANK},
    ),
    Client(
        name="ModelStudioRerank (LlamaIndex)",
        kind="rerank",
        framework="llamaindex",
        path="llamaindex_modelstudio:ModelStudioRerank",
        arguments={**_OWN, **_RERANK},
    ),
    Client(
        name="DashScopeRerank (LangChain)",
        kind="rerank",
        framework="langchain",
        path="langchain_community.document_compressors.dashscope_rerank:DashScopeRerank",
        environment="langchain-tongyi",
        arguments={**_RERANK, "dashscope_api_key": "{key}"},
        uses_sdk=True,
    ),
    Client(
        name="DashScopeRerank (LlamaIndex)",
        kind="rerank",
        framework="llamaindex",
        path="llama_index.postprocessor.dashscope_rerank:DashScopeRerank",
        environment="llama-index-dashscope-retrieval",
        arguments={**_RERANK, "api_key": "{key}"},
        uses_sdk=True,
    ),
)

# --- Scenarios --------------------------------------------------------------------

Outcome = Mapping[str, Any]
Judge = Callable[[Outcome, Sequence[RecordedRequest]], Verdict]
_KEPT: Final = Verdict("kept")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One row of a table."""

    title: str
    kind: Kind
    judge: Judge
    input: Sequence[str] | str = ()
    what: str = "documents"
    query: str = "red fox"
    asynchronous: bool = False
    script: Sequence[Fault] = ()
    dimensions: bool = False


def _value(judge: Callable[[Any, Sequence[RecordedRequest]], Verdict]) -> Judge:
    def judge_outcome(outcome: Outcome, requests: Sequence[RecordedRequest]) -> Verdict:
        if "error" in outcome:
            return Verdict("error", _shown(outcome))
        return judge(outcome["value"], requests)

    return judge_outcome


def _shown(outcome: Outcome) -> str:
    text = " ".join(outcome["message"].split())[:100].replace("|", "\\|")
    return f"`{outcome['error']}`: {text}"


def _all_texts(value: Any, _: Sequence[RecordedRequest]) -> Verdict:
    if len(value) == len(_TEXTS) and all(value):
        return _KEPT
    return Verdict("lost", f"{len(value)} of {len(_TEXTS)} vectors")


def _text_types(value: Any, requests: Sequence[RecordedRequest]) -> Verdict:
    del value
    sent = requests[-1].body.get("parameters", {}).get("text_type", "document")
    return _KEPT if sent == "query" else Verdict("lost", "sent as a document")


def _length(value: Any, _: Sequence[RecordedRequest]) -> Verdict:
    found = len(value[0])
    return _KEPT if found == 256 else Verdict("lost", f"{found} numbers")  # noqa: PLR2004 - what was asked for


def _order(value: Any, _: Sequence[RecordedRequest]) -> Verdict:
    numbers = [vector[0] for vector in value]
    return _KEPT if numbers == [0.0, 1.0] else Verdict("corrupted", "as they came")


def _refused(outcome: Outcome, _: Sequence[RecordedRequest]) -> Verdict:
    if "error" in outcome:
        return _KEPT
    return Verdict("lost", f"no exception, {len(outcome['value'])} of 2 vectors")


def _named_row(outcome: Outcome, requests: Sequence[RecordedRequest]) -> Verdict:
    if "error" not in outcome:
        return Verdict("lost", "no exception")
    if "1" in outcome["message"] and not requests:
        return _KEPT
    return Verdict("error", f"after {len(requests)} requests: {_shown(outcome)}")


def _message(outcome: Outcome, _: Sequence[RecordedRequest]) -> Verdict:
    if "error" not in outcome:
        return Verdict("lost", "no exception")
    if "Access denied by the test" in outcome["message"]:
        return _KEPT
    return Verdict("lost", _shown(outcome))


def _once(value: Any, requests: Sequence[RecordedRequest]) -> Verdict:
    del value
    sent = [text for request in requests[1:] for text in _rows(request.body)]
    extra = len(sent) - len(_TEXTS)
    # The request that was refused was not paid for.
    return _KEPT if extra <= 0 else Verdict("lost", f"{extra} texts paid for twice")


def _rows(body: dict[str, Any]) -> list[str]:
    native: dict[str, list[str]] = body["input"]
    compatible: list[str] = body["input"]
    return native["texts"] if "parameters" in body else compatible


def _free_loop(outcome: Outcome, _: Sequence[RecordedRequest]) -> Verdict:
    if "error" in outcome:
        return Verdict("error", _shown(outcome))
    ticks = outcome["ticks"]
    return _KEPT if ticks >= 10 else Verdict("lost", "the event loop was blocked")  # noqa: PLR2004 - of 30


def _hidden_key(outcome: Outcome, _: Sequence[RecordedRequest]) -> Verdict:
    if "error" in outcome:
        return Verdict("error", _shown(outcome))
    return Verdict("lost", "in `repr`") if _KEY in outcome["repr"] else _KEPT


def _ranking(value: Any, _: Sequence[RecordedRequest]) -> Verdict:
    numbers = [item["n"] for item in value]
    ids = [item["id"] for item in value]
    if numbers[:1] != [1]:
        return Verdict("corrupted", f"order {numbers}")
    return _KEPT if ids[0] == "1" else Verdict("lost", "the document's id")


def _all_ranked(value: Any, _: Sequence[RecordedRequest]) -> Verdict:
    found = len(value)
    return _KEPT if found == len(_MANY) else Verdict("lost", f"{found} of {len(_MANY)}")


def _sent_model(value: Any, requests: Sequence[RecordedRequest]) -> Verdict:
    del value
    sent = requests[-1].body["model"]
    wanted = _RERANK["model"]
    return _KEPT if sent == wanted else Verdict("corrupted", f"sent {sent}")


def _nothing(value: Any, requests: Sequence[RecordedRequest]) -> Verdict:
    if not value and not requests:
        return _KEPT
    return Verdict("lost", f"{len(requests)} requests")


def _body(*vectors: tuple[int, list[float]]) -> Fault:
    native = [{"text_index": i, "embedding": v} for i, v in vectors]
    compatible = [{"index": i, "embedding": v} for i, v in vectors]
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    body = {
        "output": {"embeddings": native},
        "data": compatible,
        "object": "list",
        "model": "text-embedding-v4",
        "usage": usage,
        "request_id": "r",
    }
    return Fault(status=200, body=json.dumps(body), content_type="application/json")


_KEY: Final = "sk-of-the-comparison"
_TEXTS: Final = [f"Text number {i}." for i in range(35)]
_RANKED: Final = ["A blue car.", "A red fox.", "Nothing."]
_MANY: Final = [f"Document {i} about a fox." for i in range(20)]
_DENIED: Final = Fault(
    status=403, code="access_denied", message="Access denied by the test."
)
_BUSY: Final = Fault(status=429, code="limit_requests", headers={"Retry-After": "0"})

_EMBEDDING_ROWS: Final = (
    Scenario(
        title="35 texts", kind="embeddings", input=_TEXTS, judge=_value(_all_texts)
    ),
    Scenario(
        title="35 texts, asynchronously",
        kind="embeddings",
        input=_TEXTS,
        asynchronous=True,
        judge=_value(_all_texts),
    ),
    Scenario(
        title="a query is sent as a query",
        kind="embeddings",
        what="query",
        input="red fox",
        judge=_value(_text_types),
    ),
    Scenario(
        title="256 dimensions",
        kind="embeddings",
        input=["a"],
        dimensions=True,
        judge=_value(_length),
    ),
    Scenario(
        title="an answer in another order",
        kind="embeddings",
        input=["a", "b"],
        script=[_body((1, [1.0, 0.5]), (0, [0.0, 0.5]))],
        judge=_value(_order),
    ),
    Scenario(
        title="an answer that lacks a row is an error",
        kind="embeddings",
        input=["a", "b"],
        script=[_body((0, [0.0, 0.5]))],
        judge=_refused,
    ),
    Scenario(
        title="an empty text is named before anything is sent",
        kind="embeddings",
        input=["a", "", "b"],
        judge=_named_row,
    ),
    Scenario(
        title="a 429, and no text is paid for twice",
        kind="embeddings",
        input=_TEXTS,
        script=[_BUSY],
        judge=_value(_once),
    ),
    Scenario(
        title="the service's message of an error",
        kind="embeddings",
        input=["a"],
        script=[_DENIED] * 8,
        judge=_message,
    ),
    Scenario(
        title="an asynchronous call leaves the event loop free",
        kind="embeddings",
        input=["a"],
        asynchronous=True,
        script=[Fault.silence(0.3)],
        judge=_free_loop,
    ),
    Scenario(
        title="the key is not in `repr`",
        kind="embeddings",
        input=["a"],
        judge=_hidden_key,
    ),
)
_RERANK_ROWS: Final = (
    Scenario(
        title="the best document, with its id and metadata",
        kind="rerank",
        input=_RANKED,
        judge=_value(_ranking),
    ),
    Scenario(
        title="all documents by default",
        kind="rerank",
        input=_MANY,
        judge=_value(_all_ranked),
    ),
    Scenario(
        title="the model that was asked for",
        kind="rerank",
        input=_RANKED,
        judge=_value(_sent_model),
    ),
    Scenario(
        title="no documents need no request",
        kind="rerank",
        judge=_value(_nothing),
    ),
    Scenario(
        title="the service's message of an error",
        kind="rerank",
        input=_RANKED,
        script=[_DENIED] * 8,
        judge=_message,
    ),
    Scenario(
        title="an asynchronous call leaves the event loop free",
        kind="rerank",
        input=_RANKED,
        asynchronous=True,
        script=[Fault.silence(0.3)],
        judge=_free_loop,
    ),
    Scenario(
        title="the key is not in `repr`",
        kind="rerank",
        input=_RANKED,
        judge=_hidden_key,
    ),
)

# --- Running ----------------------------------------------------------------------


def _verdicts(client: Client, rows: Sequence[Scenario]) -> dict[str, Verdict]:
    """Return the verdicts on a client, by the titles of the rows."""
    try:
        python = interpreter(client.environment)
    except subprocess.CalledProcessError:
        verdict = Verdict("not tested", "It could not be installed.")
        return {row.title: verdict for row in rows}
    module = "comparison.drivers.for_retrieval"
    with start_python(python, "-m", module, log="comparison-retrieval") as process:
        verdicts = {row.title: _judge(client, row, process) for row in rows}
        process.kill()
    return verdicts


def _judge(
    client: Client, scenario: Scenario, process: subprocess.Popen[str]
) -> Verdict:
    if scenario.dimensions and client.dimensions is None:
        return Verdict("lost", "no such argument")
    with Emulator(api_key=_KEY) as studio:
        studio.script(*scenario.script)
        more = client.dimensions if scenario.dimensions else None
        task = {
            "client": client.path,
            "kind": client.kind,
            "framework": client.framework,
            "arguments": {
                name: _filled(value, studio.base_url)
                for name, value in {**client.arguments, **(more or {})}.items()
            },
            "sdk_url": f"{studio.base_url}/api/v1" if client.uses_sdk else None,
            "what": scenario.what,
            "input": scenario.input,
            "query": scenario.query,
            "asynchronous": scenario.asynchronous,
        }
        return scenario.judge(_run(process, task), list(studio.requests))


def _filled(value: object, url: str) -> object:
    return value.format(url=url, key=_KEY) if isinstance(value, str) else value


def _run(process: subprocess.Popen[str], task: Mapping[str, Any]) -> Outcome:
    if process.stdin is None or process.stdout is None:
        raise TypeError("The process has no pipes.")
    process.stdin.write(json.dumps(task) + "\n")
    process.stdin.flush()
    outcome: Outcome = json.loads(process.stdout.readline())
    return outcome


def update() -> int:
    """Compare the clients, and write the end of the page.

    Returns:
        1 if a class of this project does not keep a row, else 0.
    """
    tables = [
        ("Embeddings", "embeddings", _EMBEDDING_ROWS),
        ("Reranking", "rerank", _RERANK_ROWS),
    ]
    text, failed = "", 0
    for title, kind, rows in tables:
        clients = [client for client in CLIENTS if client.kind == kind]
        with ThreadPoolExecutor(2) as pool:
            columns = [*pool.map(_verdicts, clients, [rows] * len(clients))]
        verdicts = {
            (client.name, title): verdict
            for client, column in zip(clients, columns, strict=True)
            for title, verdict in column.items()
        }
        own = [c.name for c in clients if c.environment == "modelstudio"]
        failed += sum(verdicts[n, r.title].word != "kept" for n in own for r in rows)
        text += _table(title, clients, rows, verdicts)
    page = _PAGE.read_text(encoding="utf-8").partition(_HEADING)[0]
    _PAGE.write_text(page.rstrip() + "\n\n" + text.rstrip() + "\n", encoding="utf-8")
    return int(failed > 0)


_INTRODUCTION: Final = """\
`python -m comparison.retrieval` wrote this section. The server is the emulator. The
clients of others are those of langchain-community 0.4.2, langchain-openai 1.7.3 with a
base URL, and LlamaIndex's own packages for DashScope, 0.6.0, each with its defaults:
`OpenAIEmbeddings` would split as the model needs with `chunk_size=10`.
"""


def _table(
    title: str,
    clients: Sequence[Client],
    rows: Sequence[Scenario],
    verdicts: Mapping[tuple[str, str], Verdict],
) -> str:
    lines = [
        f"## {title}\n",
        _INTRODUCTION,
        f"|  | {' | '.join(client.name for client in clients)} |",
        f"| --- |{' --- |' * len(clients)}",
    ]
    notes: list[str] = []
    for row in rows:
        cells = [verdicts[client.name, row.title] for client in clients]
        lines.append(f"| {row.title} | {' | '.join(cell.word for cell in cells)} |")
        notes += [
            f"- {client.name}, {row.title}: {cell.evidence}"
            for client, cell in zip(clients, cells, strict=True)
            if cell.evidence
        ]
    return "\n".join([*lines, "", *notes, "", ""])


def main() -> int:
    """Update the page."""
    return update()


if __name__ == "__main__":
    raise SystemExit(main())
