"""The indexing of both examples, called in the same way.

A process that indexes imports one framework only: each has a module of its own.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from modelstudio_core.emulator import Emulator

__all__ = [
    "DIMENSIONS",
    "Chunks",
    "Job",
    "count_repetitions",
    "embedded_texts",
    "job_of",
]

# A small vector: local Qdrant and the emulator spend their time on numbers.
DIMENSIONS: Final = 64

# How often each chunk is there: its document and its text.
Chunks = Counter[tuple[str, str]]


class Job(ABC):
    """One framework's example, with an index in a directory.

    Attributes:
        batch: How many units (chunks or documents) are changed together.
    """

    batch: int

    def __init__(
        self, base_url: str, api_key: str, directory: Path, **arguments: Any
    ) -> None:
        """Set where the service and the index are, and arguments of the embeddings."""
        self.directory = directory
        self.service: dict[str, Any] = {
            "base_url": base_url,
            "api_key": api_key,
            "max_retries": 0,
        }
        self.arguments: dict[str, Any] = {
            "dimensions": DIMENSIONS,
            **self.service,
            **arguments,
        }

    @contextmanager
    @abstractmethod
    def open(self, url: str | None = None) -> Generator[Any]:
        """Open the index."""

    @abstractmethod
    def update(self, folder: Path, url: str | None = None) -> Any:
        """Update the index from a folder, in a new opening of it."""

    @abstractmethod
    def expected(self, folder: Path) -> Chunks:
        """Return the chunks of a folder."""

    @abstractmethod
    def search(self, index: Any, query: str, mode: str, count: int) -> list[str]:
        """Return the documents of the best chunks, in the modes dense and hybrid."""

    @abstractmethod
    def search_and_rerank(self, index: Any, query: str, count: int) -> list[str]:
        """Return the documents of the best chunks of a hybrid search, reranked."""

    @abstractmethod
    def stream_answer(self, index: Any, question: str, **arguments: Any) -> Any:
        """Yield the parts of the example's answer, with arguments of the model."""

    @abstractmethod
    def _chunk(self, payload: Any) -> tuple[str, str]:
        """Return a stored chunk's document and text."""

    def stored(self) -> Chunks:
        """Return the chunks in the store."""
        with self.open() as index:
            store = index.store
            if not store.client.collection_exists(store.collection_name):
                return Counter()
            points, after = store.client.scroll(store.collection_name, limit=100_000)
            assert after is None
            return Counter(self._chunk(point.payload) for point in points)


def job_of(framework: str) -> type[Job]:
    """Return the job of a framework."""
    module = import_module(f"tests.rag.{framework.lower()}_job")
    return cast("type[Job]", getattr(module, f"{framework}Job"))


def embedded_texts(studio: Emulator, text_type: str = "document") -> Counter[str]:
    """Return how often the emulator embedded each text."""
    return Counter(
        text
        for request in studio.requests
        if request.path.endswith("/text-embedding")
        and request.body["parameters"]["text_type"] == text_type
        for text in request.body["input"]["texts"]
    )


def count_repetitions(texts: Counter[str]) -> int:
    """Return how many embeddings of texts were paid for again."""
    return sum(count - 1 for count in texts.values())
