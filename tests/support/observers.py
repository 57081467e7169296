"""Observers of LlamaIndex that collect what they are given."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index_instrumentation import get_dispatcher
from typing_extensions import override

__all__ = ["llamaindex_events"]

_T = TypeVar("_T")


@contextmanager
def llamaindex_events(read: Callable[[BaseEvent], _T]) -> Generator[list[_T]]:
    """Collect something of every LlamaIndex event.

    Args:
        read: Takes an event when it happens, and returns what to collect.

    Yields:
        The list that grows with each event.
    """
    collected: list[_T] = []

    class Collector(BaseEventHandler):
        @classmethod
        @override
        def class_name(cls) -> str:
            return "Collector"

        @override
        def handle(self, event: BaseEvent, **kwargs: Any) -> None:
            collected.append(read(event))

    dispatcher, collector = get_dispatcher(), Collector()
    dispatcher.add_event_handler(collector)
    try:
        yield collected
    finally:
        dispatcher.event_handlers.remove(collector)
