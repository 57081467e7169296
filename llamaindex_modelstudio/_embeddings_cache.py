"""A cache of vectors whose keys hold what changes a vector besides its text.

LlamaIndex looks a text up in ``embeddings_cache`` by the text alone (0.14.25): a query
would get the vector of a document, and another model that of this one.
"""

# LlamaIndex does not type the dicts of its stores.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from llama_index.core.storage.kvstore.types import DEFAULT_COLLECTION, BaseKVStore
from typing_extensions import override

__all__ = ["NamespacedStore", "embedding_a_query"]

_text_type: ContextVar[str] = ContextVar("text_type", default="document")


@contextmanager
def embedding_a_query() -> Generator[None]:
    """Use the keys of queries; outside of it, those of documents are used."""
    token = _text_type.set("query")
    try:
        yield
    finally:
        _text_type.reset(token)


class NamespacedStore(BaseKVStore):
    """A view of a store that has the vectors of one configuration.

    Attributes:
        store: The user's store.
        namespace: The beginning of its keys.
    """

    def __init__(self, store: BaseKVStore, namespace: str) -> None:
        """Create a view. The arguments are the attributes of the class."""
        self.store: BaseKVStore = store
        if isinstance(store, NamespacedStore):
            self.store = store.store
        self.namespace = namespace

    def _prefix(self) -> str:
        return f"{self.namespace}/{_text_type.get()}/"

    @override
    def put(
        self, key: str, val: dict[str, Any], collection: str = DEFAULT_COLLECTION
    ) -> None:
        self.store.put(self._prefix() + key, val, collection)

    @override
    async def aput(
        self, key: str, val: dict[str, Any], collection: str = DEFAULT_COLLECTION
    ) -> None:
        await self.store.aput(self._prefix() + key, val, collection)

    @override
    def get(
        self, key: str, collection: str = DEFAULT_COLLECTION
    ) -> dict[str, Any] | None:
        return self.store.get(self._prefix() + key, collection)

    @override
    async def aget(
        self, key: str, collection: str = DEFAULT_COLLECTION
    ) -> dict[str, Any] | None:
        return await self.store.aget(self._prefix() + key, collection)

    @override
    def get_all(
        self, collection: str = DEFAULT_COLLECTION
    ) -> dict[str, dict[str, Any]]:
        return self._visible(self.store.get_all(collection))

    @override
    async def aget_all(
        self, collection: str = DEFAULT_COLLECTION
    ) -> dict[str, dict[str, Any]]:
        return self._visible(await self.store.aget_all(collection))

    @override
    def delete(self, key: str, collection: str = DEFAULT_COLLECTION) -> bool:
        return self.store.delete(self._prefix() + key, collection)

    @override
    async def adelete(self, key: str, collection: str = DEFAULT_COLLECTION) -> bool:
        return await self.store.adelete(self._prefix() + key, collection)

    def _visible(self, values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        prefix = self._prefix()
        return {
            key.removeprefix(prefix): value
            for key, value in values.items()
            if key.startswith(prefix)
        }
