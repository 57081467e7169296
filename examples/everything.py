"""Everything at once: an agent that searches, sees, draws, cites and speaks.

    python examples/everything.py

A policy bounds what the process may send. In each framework an agent searches documents
(embeddings, then a reranker), looks at a picture, draws another one as a task, and
answers with citations; a model reads the answer aloud. At the end the audit log lists
every request. Without ``DASHSCOPE_API_KEY`` the emulator answers, as it is scripted
here: it is not a model.
"""

# The frameworks leave some of their types open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import asyncio
import base64
import logging
import os
import struct
import tempfile
import zlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from langchain.agents import create_agent
from langchain_core.documents import Document as Text
from langchain_core.messages import HumanMessage
from langchain_core.vectorstores import InMemoryVectorStore
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from typing_extensions import override

import langchain_modelstudio as langchain
import llamaindex_modelstudio as llamaindex
from modelstudio_core.emulator import Emulator, Reply, ToolCall
from modelstudio_core.errors import PolicyError
from modelstudio_core.policy import Policy, set_policy

CHAT: Final = "deepseek-v4-pro"
VISION: Final = "qwen3-vl-plus"
SPEECH: Final = "qwen3.5-omni-plus"
DRAWING: Final = "wan2.6-t2i"
EMBEDDINGS: Final = "text-embedding-v4"
RERANKER: Final = "qwen3-rerank"
MODELS: Final = (CHAT, VISION, SPEECH, DRAWING, EMBEDDINGS, RERANKER)
FACTS: Final = (
    "The Forth Bridge opened in 1890.",
    "The Eiffel Tower is 330 metres tall.",
    "The Brooklyn Bridge was designed by John Roebling.",
)
QUESTION: Final = (
    "Who designed the Brooklyn Bridge? Search the documents, look at the picture, draw"
    " the bridge, and cite the documents by their numbers."
)
INSTRUCTION: Final = "Use the tools, and cite documents by their numbers, such as [1]."
ANSWER: Final = "John Roebling designed the Brooklyn Bridge [1]. The drawing is red."


# --- Policy and audit -----------------------------------------------------------------


class Records(logging.Handler):
    """Keeps the records of the audit log."""

    def __init__(self) -> None:
        """Begin without records."""
        super().__init__(logging.INFO)
        self.facts: list[dict[str, Any]] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.facts.append(vars(record)["modelstudio"])


@contextmanager
def audited() -> Generator[Records]:
    """Keep what the audit log gets."""
    logger, records = logging.getLogger("modelstudio.audit"), Records()
    level = logger.level
    logger.addHandler(records)
    logger.setLevel(logging.INFO)
    try:
        yield records
    finally:
        logger.removeHandler(records)
        logger.setLevel(level)


def show_audit(records: Records) -> None:
    """Print a line for each request."""
    print("\nAudit log\n---------")
    for facts in records.facts:
        where = facts["region"] or facts["host"]
        print(
            f"{facts['status']}  {facts['model'] or '-':<18} {where:<15}"
            f" {facts['method']:<4} {facts['path']}"
        )


def show_refusal(service: dict[str, Any]) -> None:
    """Show that the policy refuses another model before anything is sent."""
    try:
        langchain.ChatModelStudio(model="qwen-max", **service)
    except PolicyError as error:
        print(f"Refused: {error}")


# --- What both agents use -------------------------------------------------------------


def make_picture() -> bytes:
    """Return a red picture of 32 by 32 points, as PNG."""

    def part(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    header = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)
    rows = (b"\x00" + b"\xc0\x30\x20" * 32) * 32
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(part(*one) for one in parts)


def numbered(texts: Sequence[str]) -> str:
    """Return texts with the numbers that an answer cites."""
    return "\n".join(f"[{number}] {text}" for number, text in enumerate(texts, 1))


def script_agent(studio: Emulator | None) -> None:
    """Script what the emulator answers to the agent, and to its look at the picture."""
    if studio is None:
        return
    query, subject = {"query": "Who designed the bridge?"}, {"prompt": "A red bridge"}
    studio.script(
        Reply(reasoning="Search.", tool_calls=[ToolCall("search_documents", query)]),
        Reply(reasoning="Look.", tool_calls=[ToolCall("look_at_picture")]),
        Reply(text="The picture is red."),
        Reply(reasoning="Draw.", tool_calls=[ToolCall("generate_image", subject)]),
        Reply(reasoning="All is there.", text=ANSWER),
    )


def show(framework: str, answer: str, spoken: bytes, folder: Path) -> None:
    """Save the speech; print the answer, and the files that came with it."""
    sound = folder / "answer.wav"
    sound.write_bytes(spoken)
    print(f"\n{framework}\n{'-' * len(framework)}\n{answer}")
    for path in (*sorted(folder.glob("*.png")), sound):
        print(f"{path.suffix[1:].upper()}: {path.stat().st_size:,} bytes")


# --- LangChain ------------------------------------------------------------------------


def ask_with_langchain(service: dict[str, Any], folder: Path) -> None:
    """Run the agent of LangChain."""
    store = InMemoryVectorStore.from_documents(
        [Text(page_content=fact) for fact in FACTS],
        langchain.ModelStudioEmbeddings(model=EMBEDDINGS, **service),
    )
    reranker = langchain.ModelStudioRerank(model=RERANKER, top_n=1, **service)
    vision = langchain.ChatModelStudio(model=VISION, **service)
    picture = base64.b64encode(make_picture()).decode()

    def search_documents(query: str) -> str:
        """Search the documents."""
        found = reranker.compress_documents(store.similarity_search(query, k=3), query)
        return numbered([text.page_content for text in found])

    def look_at_picture() -> str:
        """Describe the picture."""
        image = {"type": "image", "base64": picture, "mime_type": "image/png"}
        question = {"type": "text", "text": "What is in the picture?"}
        return vision.invoke([HumanMessage([question, image])]).text

    draw = langchain.ModelStudioImageGeneration(
        model=DRAWING, directory=folder, **service
    )
    agent: Any = create_agent(
        langchain.ChatModelStudio(model=CHAT, **service),
        [search_documents, look_at_picture, draw],
        system_prompt=INSTRUCTION,
    )
    answer = agent.invoke({"messages": [("user", QUESTION)]})["messages"][-1].text
    speaker = langchain.ChatModelStudio(
        model=SPEECH,
        modalities=["text", "audio"],
        audio={"voice": "Tina", "format": "wav"},
        **service,
    )
    spoken = speaker.invoke(f"Read this aloud: {answer}")
    block = next(one for one in spoken.content_blocks if one["type"] == "audio")
    show("LangChain", answer, base64.b64decode(block.get("base64", "")), folder)


# --- LlamaIndex -----------------------------------------------------------------------


async def ask_with_llamaindex(service: dict[str, Any], folder: Path) -> None:
    """Run the agent of LlamaIndex."""
    index = VectorStoreIndex.from_documents(
        [Document(text=fact) for fact in FACTS],
        embed_model=llamaindex.ModelStudioEmbedding(model=EMBEDDINGS, **service),
    )
    reranker = llamaindex.ModelStudioRerank(model=RERANKER, top_n=1, **service)
    vision = llamaindex.ModelStudio(model=VISION, **service)

    async def search_documents(query: str) -> str:
        """Search the documents."""
        nodes = await index.as_retriever(similarity_top_k=3).aretrieve(query)
        found = await reranker.apostprocess_nodes(nodes, query_str=query)
        return numbered([node.text for node in found])

    async def look_at_picture() -> str:
        """Describe the picture."""
        image = ImageBlock(image=make_picture(), image_mimetype="image/png")
        blocks = [TextBlock(text="What is in the picture?"), image]
        response = await vision.achat([ChatMessage(blocks=blocks)])
        return response.message.content or ""

    drawing = llamaindex.ModelStudioToolSpec(
        image_model=DRAWING, directory=folder, **service
    )
    agent = FunctionAgent(
        llm=llamaindex.ModelStudio(model=CHAT, **service),
        tools=[search_documents, look_at_picture, *drawing.to_tool_list()],
        system_prompt=INSTRUCTION,
    )
    # Its type is that of an older signature.
    run: Any = agent.run(user_msg=QUESTION)  # pyright: ignore[reportDeprecated]
    answer = str(await run)
    speaker = llamaindex.ModelStudio(
        model=SPEECH,
        modalities=["text", "audio"],
        audio={"voice": "Tina", "format": "wav"},
        **service,
    )
    spoken = await speaker.achat([ChatMessage(content=f"Read this aloud: {answer}")])
    block = next(one for one in spoken.message.blocks if one.block_type == "audio")
    show("LlamaIndex", answer, block.resolve_audio().read(), folder)


@contextmanager
def open_service() -> Generator[tuple[dict[str, Any], Emulator | None]]:
    """Set the policy; yield the arguments of every class, and the emulator."""
    if os.environ.get("DASHSCOPE_API_KEY"):
        set_policy(Policy(models=MODELS))
        yield {}, None
        return
    with Emulator() as studio:
        set_policy(Policy(models=MODELS, base_urls=[studio.base_url]))
        yield {"base_url": studio.base_url, "api_key": studio.api_key}, studio


def main() -> None:
    """Run both agents, and print what they sent."""
    with open_service() as (service, studio), audited() as records:
        show_refusal(service)
        with tempfile.TemporaryDirectory() as folder:
            script_agent(studio)
            ask_with_langchain(service, Path(folder))
        with tempfile.TemporaryDirectory() as folder:
            script_agent(studio)
            asyncio.run(ask_with_llamaindex(service, Path(folder)))
        show_audit(records)


if __name__ == "__main__":
    main()
