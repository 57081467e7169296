"""Answer questions about a folder of documents, with LlamaIndex and Qdrant.

    python examples/rag_llamaindex.py
    python examples/rag_llamaindex.py ~/notes --ask "When does the lease end?"

The first run splits the Markdown and text files of the folder, embeds the chunks and
stores them; later runs embed only what changed. A question searches by dense and sparse
vectors, the best chunks are reranked, and a thinking model answers from them and cites
them by number. Without ``DASHSCOPE_API_KEY`` all answers come from the local emulator,
which is not a model.
"""

# The frameworks leave some of their dicts without types.
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false

import argparse
import json
import os
import re
import sys
import uuid
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.response.schema import StreamingResponse
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
)
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.schema import BaseNode
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores.types import VectorStoreQueryMode
from llama_index.vector_stores.qdrant import QdrantVectorStore
from llama_index_instrumentation import get_dispatcher
from pydantic import Field
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ApiException
from tqdm import tqdm
from typing_extensions import override

from llamaindex_modelstudio import ModelStudio, ModelStudioEmbedding, ModelStudioRerank
from llamaindex_modelstudio.sparse import sparse_doc_fn, sparse_query_fn
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ModelStudioError

MODEL: Final = os.environ.get("MODELSTUDIO_MODEL") or "deepseek-v4-pro"
DOCUMENTS: Final = Path(__file__).parent / "documents"
QUESTION: Final = "Why is the blood of an octopus blue?"
# Documents that are embedded, stored and recorded together.
BATCH: Final = 100
CANDIDATES: Final = 20
PASSAGES: Final = 4
# What is printed without a traceback. A folder of Qdrant that another process uses is a
# RuntimeError, and a server that does not answer an ApiException.
ERRORS: Final = (ModelStudioError, ApiException, OSError, RuntimeError, ValueError)

Part = tuple[Literal["reasoning", "answer", "passage", "tokens"], str]


# --- Indexing -------------------------------------------------------------------------


def read_documents(folder: Path) -> list[Document]:
    """Read the text files of a folder; the id of a document is its file's name."""
    documents: list[Document] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in {".md", ".txt"} and path.is_file():
            source = path.relative_to(folder).as_posix()
            text = read_text(path)
            if text.strip():
                documents.append(
                    Document(text=text, id_=source, metadata={"source": source})
                )
    # An index follows its folder: an empty one would delete all of it.
    if not documents:
        raise FileNotFoundError(f"There are no .md or .txt files in {folder}.")
    return documents


def read_text(path: Path) -> str:
    """Read a file, and name it in the error if it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text.") from error


def chunk_id(position: int, document: BaseNode) -> str:
    """Return an id that follows from a document's id and a chunk's position."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{document.node_id} {position}"))


def make_splitter() -> SentenceSplitter:
    """Return what splits documents into chunks."""
    return SentenceSplitter(chunk_size=256, chunk_overlap=0, id_func=chunk_id)


@dataclass(frozen=True)
class Index:
    """A collection of Qdrant, and the record of the documents that are in it."""

    store: QdrantVectorStore
    embed_model: ModelStudioEmbedding
    documents: SimpleDocumentStore
    record: Path

    @property
    def journal(self) -> Path:
        """The file that names the documents that are being changed."""
        return self.record.with_suffix(".journal")

    @contextmanager
    def changing(self, ids: Sequence[str]) -> Generator[None]:
        """Name the documents in the journal while they change, then save the record."""
        replace_file(self.journal, json.dumps(ids))
        yield
        unfinished = self.record.with_suffix(".unfinished")
        self.documents.persist(str(unfinished))
        unfinished.replace(self.record)
        self.journal.unlink()

    def remove(self, ids: Sequence[str]) -> None:
        """Delete documents from the store and the record."""
        with self.changing(ids):
            for document_id in ids:
                self.store.delete(document_id)
                self.documents.delete_document(document_id, raise_error=False)

    def repair(self) -> None:
        """Remove the documents that a killed run was changing: they are new again."""
        if self.journal.exists():
            ids = json.loads(self.journal.read_text(encoding="utf-8"))
            exists = self.store.client.collection_exists(self.store.collection_name)
            self.remove(ids if exists else [])

    def update(
        self, documents: Sequence[Document], batch: int = BATCH
    ) -> dict[str, int]:
        """Embed and store what changed, and delete documents that are gone."""
        self.repair()
        recorded = {*self.documents.get_all_document_hashes().values()}
        gone = sorted(recorded - {document.node_id for document in documents})
        if gone:
            self.remove(gone)
        changed = [d for d in documents if self._is_changed(d)]
        pipeline = IngestionPipeline(
            transformations=[make_splitter(), self.embed_model],
            vector_store=self.store,
            docstore=self.documents,
            docstore_strategy=DocstoreStrategy.UPSERTS,
            disable_cache=True,
        )
        unchanged = len(documents) - len(changed)
        with tqdm(total=len(documents), desc="Indexing", unit="document") as bar:
            bar.update(unchanged)
            for start in range(0, len(changed), batch):
                some = changed[start : start + batch]
                with self.changing([document.node_id for document in some]):
                    pipeline.run(documents=some, store_doc_text=False)
                bar.update(len(some))
        return {"changed": len(changed), "unchanged": unchanged, "deleted": len(gone)}

    def _is_changed(self, document: Document) -> bool:
        return self.documents.get_document_hash(document.node_id) != document.hash


def replace_file(path: Path, text: str) -> None:
    """Write a file in one step: a killed run leaves the old one or the new one."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def index_name(folder: Path, place: str) -> str:
    """Return a name for the index of a folder; each folder has an index of its own."""
    path = folder.resolve()
    readable = re.sub(r"[^0-9A-Za-z]+", "-", f"{place}-{path.name}")
    return f"{readable}-{uuid.uuid5(uuid.NAMESPACE_URL, path.as_uri()).hex[:8]}"


@contextmanager
def open_index(
    embed_model: ModelStudioEmbedding,
    directory: Path,
    url: str | None = None,
    name: str = "documents",
) -> Generator[Index]:
    """Open the index in a directory, or on a Qdrant server with its record there.

    Each model and dimension has a collection of its own.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = f"llamaindex-{name}-{embed_model.cache_namespace}"
    record = directory / f"{re.sub(r'[^0-9A-Za-z]+', '-', url or 'local')}-{name}.json"
    client = (
        QdrantClient(url=url, api_key=os.environ.get("QDRANT_API_KEY"))
        if url
        else QdrantClient(path=str(directory / "qdrant"))
    )
    try:
        store = QdrantVectorStore(
            name,
            client=client,
            enable_hybrid=True,
            sparse_doc_fn=sparse_doc_fn(embed_model),
            sparse_query_fn=sparse_query_fn(embed_model),
            # A folder has no index of payloads, and warns.
            index_doc_id=bool(url),
        )
        documents = (
            SimpleDocumentStore.from_persist_path(str(record))
            if record.exists() and client.collection_exists(name)
            else SimpleDocumentStore()
        )
        yield Index(store, embed_model, documents, record)
    finally:
        client.close()


# --- Answering ------------------------------------------------------------------------


class Observer(BaseEventHandler):
    """Receives the reasoning and the token counts of answers from LlamaIndex."""

    reasoning: deque[str] = Field(default_factory=deque[str])
    tokens: Counter[str] = Field(default_factory=Counter[str])

    @override
    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        if isinstance(event, LLMChatInProgressEvent):
            extra = cast("dict[str, Any]", event.response.additional_kwargs)
            self.reasoning.append(extra.get("thinking_delta") or "")
        if isinstance(event, LLMChatEndEvent) and event.response is not None:
            counts = cast("dict[str, Any]", event.response.additional_kwargs)
            names = ("prompt_tokens", "completion_tokens", "reasoning_tokens")
            self.tokens.update({name: counts.get(name) or 0 for name in names})

    def count_tokens(self) -> str:
        """Return the token counts as a text."""
        tokens = self.tokens
        counts = (
            f"{tokens['prompt_tokens']} input, {tokens['completion_tokens']} output"
        )
        return f"{counts} ({tokens['reasoning_tokens']} reasoning)"


@contextmanager
def observe() -> Generator[Observer]:
    """Yield an observer of all answers of LlamaIndex in this process."""
    observer, dispatcher = Observer(), get_dispatcher()
    dispatcher.add_event_handler(observer)
    try:
        yield observer
    finally:
        dispatcher.event_handlers.remove(observer)


def make_engine(
    index: Index, reranker: ModelStudioRerank, llm: ModelStudio
) -> CitationQueryEngine:
    """Return an engine that searches, reranks, and answers with citations."""
    vectors = VectorStoreIndex.from_vector_store(
        index.store, embed_model=index.embed_model
    )
    retriever = vectors.as_retriever(
        vector_store_query_mode=VectorStoreQueryMode.HYBRID,
        similarity_top_k=CANDIDATES,
        sparse_top_k=CANDIDATES,
        hybrid_top_k=CANDIDATES,
    )
    return CitationQueryEngine.from_args(
        vectors,
        llm=llm,
        retriever=retriever,
        node_postprocessors=[reranker],
        streaming=True,
    )


def stream_answer(question: str, engine: CitationQueryEngine) -> Iterator[Part]:
    """Yield the reasoning, the answer, the passages that it cites, and the tokens."""
    with observe() as observer:
        response = engine.query(question)
        if not isinstance(response, StreamingResponse):
            yield "answer", str(response)
            return
        answer = ""
        for text in response.response_gen or ():
            while observer.reasoning:
                yield "reasoning", observer.reasoning.popleft()
            answer += text
            yield "answer", text
        passages = response.source_nodes
        for number in cited_numbers(answer, len(passages)):
            yield "passage", f"[{number}] {passages[number - 1].metadata['source']}"
        yield "tokens", observer.count_tokens()


def cited_numbers(answer: str, count: int) -> list[int]:
    """Return the numbers of the passages that an answer cites, in their order."""
    numbers = {int(number) for number in re.findall(r"\[(\d{1,4})\]", answer)}
    return sorted(number for number in numbers if 1 <= number <= count)


# --- The command ----------------------------------------------------------------------


def show(parts: Iterator[Part]) -> None:
    """Print an answer while it is received, each kind of part under its own heading."""
    headings = {"reasoning": "Reasoning:", "answer": "Answer:", "tokens": "Tokens:"}
    shown: str | None = None
    for kind, text in parts:
        if text and kind != shown:
            print(f"\n\n{headings.get(kind, 'Cited:')}")
            shown = kind
        print(text, end="\n" if kind == "passage" else "", flush=True)
    print()


@contextmanager
def connect() -> Generator[tuple[dict[str, Any], str]]:
    """Yield the arguments of the service or the emulator, and its name."""
    if os.environ.get("DASHSCOPE_API_KEY"):
        yield {}, "service"
        return
    print("DASHSCOPE_API_KEY is not set: the local emulator answers, not a model.")
    with Emulator() as studio:
        yield {"base_url": studio.base_url, "api_key": studio.api_key}, "emulator"


def run(options: argparse.Namespace) -> None:
    """Update the index and answer the question."""
    documents = read_documents(options.folder)
    with connect() as (connection, place):
        embed_model = ModelStudioEmbedding(
            model="text-embedding-v4", dimensions=1024, **connection
        )
        reranker = ModelStudioRerank(model="qwen3-rerank", top_n=PASSAGES, **connection)
        llm = ModelStudio(model=MODEL, enable_thinking=True, **connection)
        name = index_name(options.folder, place)
        directory = options.directory / name
        with open_index(embed_model, directory, options.url, name) as index:
            result = index.update(documents)
            print(
                f"Documents: {result['changed']} new or changed,"
                f" {result['unchanged']} unchanged, {result['deleted']} deleted."
                f" Tokens embedded: {embed_model.usage.input_tokens}."
            )
            show(stream_answer(options.ask, make_engine(index, reranker, llm)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and print an error of its input or of the service."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DOCUMENTS)
    parser.add_argument("--ask", default=QUESTION, help="the question")
    parser.add_argument("--url", help="a Qdrant server, else the index is in a folder")
    parser.add_argument(
        "--directory", type=Path, default=Path(".rag/llamaindex"), help="of the index"
    )
    try:
        run(parser.parse_args(arguments))
    except ERRORS as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
