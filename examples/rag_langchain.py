"""Answer questions about a folder of documents, with LangChain and Qdrant.

    python examples/rag_langchain.py
    python examples/rag_langchain.py ~/notes --ask "When does the lease end?"

The first run splits the Markdown and text files of the folder, embeds the chunks and
stores them; later runs embed only what changed. A question searches by dense and sparse
vectors, the best chunks are reranked, and a thinking model answers from them and cites
them by number. Without ``DASHSCOPE_API_KEY`` all answers come from the local emulator,
which is not a model.
"""

# The frameworks leave some of their dicts without types.
# pyright: reportUnknownMemberType=false

import argparse
import json
import os
import re
import sys
import uuid
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from langchain_classic.indexes import SQLRecordManager
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.documents import Document
from langchain_core.indexing import IndexingResult
from langchain_core.indexing import index as index_documents
from langchain_core.messages.ai import UsageMetadata
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_qdrant import QdrantVectorStore, RetrievalMode
from langchain_text_splitters import MarkdownTextSplitter
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException
from tqdm import tqdm

from langchain_modelstudio import (
    ChatModelStudio,
    ModelStudioEmbeddings,
    ModelStudioRerank,
)
from langchain_modelstudio.sparse import QdrantSparseEmbeddings
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ModelStudioError

MODEL: Final = os.environ.get("MODELSTUDIO_MODEL") or "deepseek-v4-pro"
DOCUMENTS: Final = Path(__file__).parent / "documents"
QUESTION: Final = "Who designed the Brooklyn Bridge?"
# Chunks that are embedded, stored and recorded together: four requests at once.
BATCH: Final = 40
CANDIDATES: Final = 20
PASSAGES: Final = 4
INSTRUCTION: Final = """\
Answer the question from the numbered passages only. Cite the passage of each statement
by its number, such as [1]. If no passage answers the question, write that.

{passages}"""
PROMPT: Final = ChatPromptTemplate.from_messages(
    [("system", INSTRUCTION), ("human", "{question}")]
)
# What is printed without a traceback. A folder of Qdrant that another process uses is a
# RuntimeError, and a server that does not answer an ApiException.
ERRORS: Final = (ModelStudioError, ApiException, OSError, RuntimeError, ValueError)

Part = tuple[Literal["reasoning", "answer", "passage", "tokens"], str]


# --- Indexing -------------------------------------------------------------------------


def read_chunks(folder: Path) -> list[Document]:
    """Split the text files of a folder; a chunk has its file and its position."""
    splitter = MarkdownTextSplitter(chunk_size=1000, chunk_overlap=0)
    chunks: list[Document] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in {".md", ".txt"} and path.is_file():
            source = path.relative_to(folder).as_posix()
            parts = splitter.split_text(read_text(path))
            chunks += [
                Document(part, metadata={"source": source, "position": position})
                for position, part in enumerate(parts)
            ]
    # An index follows its folder: an empty one would delete all of it.
    if not chunks:
        raise FileNotFoundError(f"There are no .md or .txt files in {folder}.")
    return chunks


def read_text(path: Path) -> str:
    """Read a file, and name it in the error if it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text.") from error


def chunk_id(chunk: Document) -> str:
    """Return an id that follows from a chunk's text, file and position."""
    value = json.dumps([chunk.metadata, chunk.page_content], sort_keys=True)
    return str(uuid.uuid5(uuid.NAMESPACE_OID, value))


@dataclass(frozen=True)
class Index:
    """A collection of Qdrant, and the record of what is in it."""

    store: QdrantVectorStore
    records: SQLRecordManager

    def stored_ids(self) -> Iterator[str]:
        """Yield the ids of all chunks in the store."""
        offset: Any = None
        while True:
            points, offset = self.store.client.scroll(
                self.store.collection_name,
                limit=1000,
                offset=offset,
                with_payload=False,
            )
            yield from (str(point.id) for point in points)
            if offset is None:
                return

    def repair(self) -> None:
        """Make store and record agree, after a run that was killed between the two."""
        stored, recorded = {*self.stored_ids()}, {*self.records.list_keys()}
        unrecorded: list[str | int] = [*(stored - recorded)]
        if unrecorded:
            self.store.delete(unrecorded)
        missing = [*(recorded - stored)]
        for start in range(0, len(missing), 1000):
            self.records.delete_keys(missing[start : start + 1000])

    def update(self, chunks: Sequence[Document], batch: int = BATCH) -> IndexingResult:
        """Embed and store new chunks, and delete those that are no longer there."""
        self.repair()
        with tqdm(total=len(chunks), desc="Indexing", unit="chunk") as bar:

            def progress() -> Iterator[Document]:
                """Yield the chunks; a batch is stored when the next one begins."""
                for position, chunk in enumerate(chunks):
                    bar.update(batch if position and position % batch == 0 else 0)
                    yield chunk

            result = index_documents(
                progress(),
                self.records,
                self.store,
                batch_size=batch,
                cleanup="full",
                source_id_key="source",
                key_encoder=chunk_id,
            )
            bar.update(len(chunks) - bar.n)
        return result


def index_name(folder: Path, place: str) -> str:
    """Return a name for the index of a folder; each folder has an index of its own."""
    path = folder.resolve()
    readable = re.sub(r"[^0-9A-Za-z]+", "-", f"{place}-{path.name}")
    return f"{readable}-{uuid.uuid5(uuid.NAMESPACE_URL, path.as_uri()).hex[:8]}"


@contextmanager
def open_index(
    embeddings: ModelStudioEmbeddings,
    directory: Path,
    url: str | None = None,
    name: str = "documents",
) -> Generator[Index]:
    """Open the index in a directory, or on a Qdrant server with its record there.

    Each model and dimension has a collection of its own.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = f"langchain-{name}-{embeddings.cache_namespace}"
    records = SQLRecordManager(
        f"{url or 'local'}/{name}", db_url=f"sqlite:///{directory / 'records.sqlite'}"
    )
    client = (
        QdrantClient(url=url, api_key=os.environ.get("QDRANT_API_KEY"))
        if url
        else QdrantClient(path=str(directory / "qdrant"))
    )
    try:
        records.create_schema()
        if not client.collection_exists(name):
            client.create_collection(
                name,
                vectors_config=models.VectorParams(
                    size=embeddings.dimensions or 1024, distance=models.Distance.COSINE
                ),
                sparse_vectors_config={"sparse": models.SparseVectorParams()},
            )
        store = QdrantVectorStore(
            client,
            name,
            embeddings,
            sparse_embedding=QdrantSparseEmbeddings(embeddings),
            sparse_vector_name="sparse",
            retrieval_mode=RetrievalMode.HYBRID,
            # The check embeds a text each time.
            validate_collection_config=False,
        )
        yield Index(store, records)
    finally:
        client.close()
        records.engine.dispose()


# --- Answering ------------------------------------------------------------------------


def make_retriever(index: Index, reranker: ModelStudioRerank) -> BaseRetriever:
    """Return a hybrid search whose best chunks are reranked."""
    return ContextualCompressionRetriever(
        base_retriever=index.store.as_retriever(search_kwargs={"k": CANDIDATES}),
        base_compressor=reranker,
    )


def stream_answer(
    question: str, retriever: BaseRetriever, model: ChatModelStudio
) -> Iterator[Part]:
    """Yield the reasoning, the answer, the passages that it cites, and the tokens."""
    passages = retriever.invoke(question)
    numbered = "\n\n".join(
        f"[{number}] {passage.page_content}"
        for number, passage in enumerate(passages, start=1)
    )
    prompt = PROMPT.invoke({"passages": numbered, "question": question})
    answer, tokens = "", ""
    for chunk in model.stream(prompt):
        yield "reasoning", chunk.additional_kwargs.get("reasoning_content", "")
        yield "answer", chunk.text
        answer += chunk.text
        tokens = count_tokens(chunk.usage_metadata) or tokens
    for number in cited_numbers(answer, len(passages)):
        yield "passage", f"[{number}] {passages[number - 1].metadata['source']}"
    yield "tokens", tokens


def count_tokens(usage: UsageMetadata | None) -> str:
    """Return the token counts of a chunk as a text, for the chunk that has them."""
    if usage is None:
        return ""
    reasoning = usage.get("output_token_details", {}).get("reasoning", 0)
    counts = f"{usage['input_tokens']} input, {usage['output_tokens']} output"
    return f"{counts} ({reasoning} reasoning)"


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
    chunks = read_chunks(options.folder)
    with connect() as (connection, place):
        embeddings = ModelStudioEmbeddings(
            model="text-embedding-v4", dimensions=1024, **connection
        )
        reranker = ModelStudioRerank(model="qwen3-rerank", top_n=PASSAGES, **connection)
        model = ChatModelStudio(model=MODEL, enable_thinking=True, **connection)
        name = index_name(options.folder, place)
        directory = options.directory / name
        with open_index(embeddings, directory, options.url, name) as index:
            result = index.update(chunks)
            print(
                f"Chunks: {result['num_added']} new, {result['num_skipped']} unchanged,"
                f" {result['num_deleted']} deleted."
                f" Tokens embedded: {embeddings.usage.input_tokens}."
            )
            show(stream_answer(options.ask, make_retriever(index, reranker), model))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and print an error of its input or of the service."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DOCUMENTS)
    parser.add_argument("--ask", default=QUESTION, help="the question")
    parser.add_argument("--url", help="a Qdrant server, else the index is in a folder")
    parser.add_argument(
        "--directory", type=Path, default=Path(".rag/langchain"), help="of the index"
    )
    try:
        run(parser.parse_args(arguments))
    except ERRORS as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
