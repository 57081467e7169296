"""Answer questions about a folder of documents, in LangChain and in LlamaIndex.

Run it with ``python examples/demo.py``. It runs the jobs of ``rag_langchain.py`` and
``rag_llamaindex.py`` beside it. Without ``DASHSCOPE_API_KEY`` it uses the local
emulator, which is not a model: it answers with sentences from the prompt. With a key it
uses the service, with the region, mode and workspace of the other ``DASHSCOPE_*``
variables and the model of ``MODELSTUDIO_MODEL``; this has not been tested yet.
"""

import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import rag_langchain
import rag_llamaindex
from langchain_modelstudio import (
    ChatModelStudio,
    ModelStudioEmbeddings,
)
from langchain_modelstudio import ModelStudioRerank as LangChainRerank
from llamaindex_modelstudio import ModelStudio, ModelStudioEmbedding
from llamaindex_modelstudio import ModelStudioRerank as LlamaIndexRerank
from modelstudio_core.emulator import Emulator
from modelstudio_core.endpoints import Endpoint, resolve_endpoint
from modelstudio_core.errors import ModelStudioError

DOCUMENTS: Final = rag_langchain.DOCUMENTS
MODEL: Final = rag_langchain.MODEL
EMBEDDINGS: Final = "text-embedding-v4"
RERANK: Final = "qwen3-rerank"
WIDTH: Final = 88
COLORS: Final = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
# Small batches, so that the progress bar moves.
BATCH: Final = 10
HEADINGS: Final = {"reasoning": "Reasoning:", "answer": "Answer:", "passage": "Cited:"}


class Writer:
    """Print a text while it is received, with line breaks between words."""

    def __init__(self, *, dim: bool = False) -> None:
        """Start at the left margin, in a dim color for text that is not the answer."""
        self._style = "\x1b[2m{}\x1b[0m" if dim and COLORS else "{}"
        self._column = 0
        self._word = ""

    def write(self, text: str) -> None:
        """Print the complete words, and keep the last one until it is complete."""
        for character in text:
            if not character.isspace():
                self._word += character
                continue
            self._print_word()
            if character == "\n":
                print(flush=True)
                self._column = 0

    def _print_word(self) -> None:
        if not self._word:
            return
        fits = self._column + 1 + len(self._word) <= WIDTH
        gap = "" if not self._column else " " if fits else "\n"
        print(gap + self._style.format(self._word), end="", flush=True)
        self._column = len(self._word) + (self._column + 1 if gap == " " else 0)
        self._word = ""


def show_heading(text: str) -> None:
    """Print the heading of a section."""
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def show_tokens(text: str, embedded: int, reranked: int) -> None:
    """Print the token counts of an answer, and of what comes before it."""
    print(f"\ntokens: {text}")
    print(f"tokens of embeddings: {embedded}; of reranking: {reranked}")


def show_indexed(what: str, tokens: int) -> None:
    """Print what was indexed."""
    print(f"first run: {what} indexed, {tokens} tokens embedded", flush=True)


def show_repeated(unchanged: int, tokens: int) -> None:
    """Print what a second run did."""
    print(f"second run: {unchanged} unchanged, {tokens} tokens embedded", flush=True)


def show_endpoint(title: str, endpoint: Endpoint) -> None:
    """Print where requests go, where data is stored and where inference runs."""
    print(title)
    print(f"  base URL         {endpoint.openai_base_url}")
    print(f"  region           {endpoint.region or 'unknown'}")
    print(f"  mode             {endpoint.mode or 'unknown'}")
    print(f"  data location    {endpoint.data_location or 'unknown'}")
    print(f"  inference scope  {endpoint.inference_scope or 'unknown'}")


def show_answer(parts: Iterator[rag_langchain.Part]) -> str:
    """Print the reasoning, the answer and its passages; return the token counts."""
    reasoning, answer = Writer(dim=True), Writer()
    tokens = ""
    shown: str | None = None
    for kind, text in parts:
        if kind == "tokens":
            tokens = text
        elif text and kind != shown:
            if shown != "passage":
                (reasoning if shown == "reasoning" else answer).write("\n")
            print(HEADINGS[kind] if shown is None else f"\n{HEADINGS[kind]}")
            shown = kind
        if kind == "reasoning":
            reasoning.write(text)
        elif kind != "tokens":
            answer.write(f"{text}\n" if kind == "passage" else text)
    return tokens


def ask_with_langchain(model: ChatModelStudio, connection: dict[str, Any]) -> None:
    """Index the documents twice, and answer from them in LangChain."""
    embeddings = ModelStudioEmbeddings(model=EMBEDDINGS, dimensions=1024, **connection)
    reranker = LangChainRerank(model=RERANK, top_n=rag_langchain.PASSAGES, **connection)
    chunks = rag_langchain.read_chunks(DOCUMENTS)
    with (
        tempfile.TemporaryDirectory() as directory,
        rag_langchain.open_index(embeddings, Path(directory)) as index,
    ):
        first = index.update(chunks, BATCH)
        show_indexed(f"{first['num_added']} chunks", embeddings.usage.input_tokens)
        before = embeddings.usage.input_tokens
        again = index.update(chunks, BATCH)
        show_repeated(again["num_skipped"], embeddings.usage.input_tokens - before)
        retriever = rag_langchain.make_retriever(index, reranker)
        tokens = show_answer(
            rag_langchain.stream_answer(rag_langchain.QUESTION, retriever, model)
        )
    show_tokens(tokens, embeddings.usage.input_tokens, reranker.usage.input_tokens)


def ask_with_llamaindex(llm: ModelStudio, connection: dict[str, Any]) -> None:
    """Index the documents twice, and answer from them in LlamaIndex."""
    embed_model = ModelStudioEmbedding(model=EMBEDDINGS, dimensions=1024, **connection)
    reranker = LlamaIndexRerank(
        model=RERANK, top_n=rag_llamaindex.PASSAGES, **connection
    )
    documents = rag_llamaindex.read_documents(DOCUMENTS)
    with (
        tempfile.TemporaryDirectory() as directory,
        rag_llamaindex.open_index(embed_model, Path(directory)) as index,
    ):
        first = index.update(documents, BATCH)
        show_indexed(f"{first['changed']} documents", embed_model.usage.input_tokens)
        before = embed_model.usage.input_tokens
        again = index.update(documents, BATCH)
        show_repeated(again["unchanged"], embed_model.usage.input_tokens - before)
        engine = rag_llamaindex.make_engine(index, reranker, llm)
        tokens = show_answer(
            rag_llamaindex.stream_answer(rag_llamaindex.QUESTION, engine)
        )
    show_tokens(tokens, embed_model.usage.input_tokens, reranker.usage.input_tokens)


def ask_a_delisted_model(model: ChatModelStudio) -> None:
    """Call a delisted model: a warning names the replacement, which answers."""
    message = model.invoke("Which is greater, 9.9 or 9.11?", model="deepseek-r1")
    used = message.response_metadata["model_name"]
    requested = message.response_metadata.get("requested_model", used)
    print(f"\nrequested model  {requested}\nused model       {used}")


@contextmanager
def open_connection() -> Generator[tuple[dict[str, Any], str]]:
    """Yield the connection arguments of the service or the emulator, and a note."""
    if os.environ.get("DASHSCOPE_API_KEY"):
        yield {}, "The answers come from the service. This has not been tested yet."
        return
    with Emulator() as studio:
        note = (
            "DASHSCOPE_API_KEY is not set: the answers come from the local emulator and"
            " not from a model. It answers with sentences from the prompt."
        )
        yield {"base_url": studio.base_url, "api_key": studio.api_key}, note


def run(connection: dict[str, Any]) -> None:
    """Run all parts of the demo."""
    model = ChatModelStudio(model=MODEL, enable_thinking=True, **connection)
    llm = ModelStudio(model=MODEL, enable_thinking=True, **connection)

    show_heading("1. Where requests go")
    frankfurt = resolve_endpoint(region="frankfurt", mode="eu", workspace="ws-123")
    show_endpoint("Germany (Frankfurt) in European Union mode:", frankfurt)
    show_endpoint("\nThis demo:", model.endpoint)
    show_heading(f"2. LangChain, {MODEL}: {rag_langchain.QUESTION}")
    ask_with_langchain(model, connection)
    show_heading(f"3. LlamaIndex, {MODEL}: {rag_llamaindex.QUESTION}")
    ask_with_llamaindex(llm, connection)
    show_heading("4. A delisted model: deepseek-r1")
    ask_a_delisted_model(model)


def main() -> int:
    """Run the demo on the service or the emulator, and print which one it is."""
    with open_connection() as (connection, note):
        Writer().write(f"{note}\n")
        try:
            run(connection)
        except ModelStudioError as error:
            print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
            return 1
        show_heading("Done")
        Writer().write(f"{note}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
