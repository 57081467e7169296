"""The parsers of both protocols, and what comes out of them."""

from collections.abc import Iterable
from typing import Any, Final

from hypothesis import strategies as st

from modelstudio_core.catalog import resolve_deprecated
from modelstudio_core.chat import dashscope, openai
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Event
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.plan import plan_chat
from modelstudio_core.errors import APIError
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["PARSERS", "PLAN", "complete", "new_parser", "parse", "protocols"]

PARSERS: Final[dict[str, Any]] = {
    "openai": openai.Parser,
    "dashscope": dashscope.Parser,
}
PLAN: Final = plan_chat(
    ChatOptions(), resolve_deprecated("qwen3.7-plus"), protocol="openai", stream=True
)
protocols: Final = st.sampled_from([*PARSERS])


def new_parser(
    protocol: str, *, request_id: str | None = None, secrets: tuple[str, ...] = ()
) -> Any:
    """Return a parser for one response."""
    context = ErrorContext(None, protocol, "127.0.0.1", secrets)
    return PARSERS[protocol](context, request_id=request_id)


def parse(
    protocol: str, pieces: Iterable[bytes], *, complete_body: bool = False
) -> tuple[list[Event], APIError | None]:
    """Return the events of a response and the ``APIError`` that ends it.

    Args:
        protocol: The protocol of the response.
        pieces: The bytes of a stream, or one body of a response without streaming.
        complete_body: Whether it is such a body.
    """
    parser = new_parser(protocol, request_id="r-1")
    feed = parser.feed_body if complete_body else parser.feed
    events: list[Event] = []
    try:
        for piece in pieces:
            events += feed(piece)
        events += parser.close()
    except APIError as error:
        return events, error
    return events, None


def complete(events: Iterable[Event]) -> dict[int, Completion]:
    """Return the completion of each choice."""
    completions: dict[int, Completion] = {}
    for event in events:
        completions.setdefault(event.choice, Completion()).add(event)
    return completions
