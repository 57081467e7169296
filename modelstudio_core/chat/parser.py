"""What the parsers of both protocols have in common.

A parser is pushed, pure and used once. It takes the bytes of one response as they come
and returns events; what is the protocol's own stands in its subclass.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, cast
from uuid import uuid4

from jiter import from_json

from modelstudio_core.chat.events import (
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from modelstudio_core.errors import APIError, IncompleteStreamError
from modelstudio_core.wire.json_values import (
    count_of,
    load,
    object_of,
    objects_of,
    text_of,
)
from modelstudio_core.wire.refusals import ErrorContext
from modelstudio_core.wire.sse import EventSplitter

__all__ = ["ChatParser", "Choice"]


class ChatParser(ABC):
    """Turn the bytes of one response into events.

    Feed it the bytes of a stream as they come, or one whole body, then close it. An
    error of the service raises where it stands, after the events before it.

    Attributes:
        done: Nothing that follows belongs to the answer: it is whole, or an error ended
            it, which ``close`` raises.
    """

    # The data of the event that ends a stream, where the protocol has one.
    _END: ClassVar[bytes | None] = None

    def __init__(self, context: ErrorContext, *, request_id: str | None = None) -> None:
        """Begin a response.

        Args:
            context: What errors need to know of the request.
            request_id: The id in the response's header.
        """
        self.done = False
        self._context = context
        self._header_id = request_id
        self._splitter = EventSplitter()
        self._whole: dict[str, Any] | None = None
        self._usage: dict[str, Any] | None = None
        self._choices: dict[int, Choice] = {}
        self._error: Exception | None = None
        # Whether a choice has its finish reason.
        self._ends = False

    # --- What a protocol says of its own ------------------------------------------

    @abstractmethod
    def _take(self, raw: bytes, events: list[Event]) -> None:
        """Take one event of a stream, the bytes of its lines."""

    @abstractmethod
    def _add_chunk(self, chunk: dict[str, Any], events: list[Event]) -> None:
        """Take one JSON object: a chunk of a stream, or the whole answer."""

    @abstractmethod
    def _parse_usage(self, raw: Mapping[str, Any]) -> Usage:
        """Read token counts; each detail may be absent, and absent is not zero."""

    def _last_events(self) -> list[Event]:
        """Return what belongs to the answer as a whole: it comes before the finish."""
        return []

    @property
    @abstractmethod
    def _common(self) -> dict[str, Any]:
        """What the chunks of a stream have in common, beside choices and usage."""

    @property
    @abstractmethod
    def request_id(self) -> str | None:
        """The id to quote to Alibaba Cloud's support."""

    # --- The way of a response ----------------------------------------------------

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes of a stream and return the events that they complete.

        Raises:
            APIError: The service reports an error inside the stream. What came before
                it is returned first, and the error raised by the next call.
        """
        if self._error is not None:
            raise self._error
        events: list[Event] = []
        try:
            if (lone := self._splitter.lone_data(chunk)) is not None:
                for data in lone:
                    if self.done:
                        break
                    self._take_data(data, events)
            else:
                for raw in self._splitter.feed(chunk):
                    if self.done:
                        break
                    self._take(raw, events)
        except Exception as error:
            self._error = error
            self.done = True
            if not events:
                raise
        return events

    def feed_whole(self, body: bytes) -> list[Event]:
        """Take a body that is one JSON object; then close.

        Raises:
            APIError: The body is an error, or is not JSON.
        """
        parsed = self._load(body)
        events: list[Event] = []
        self._add(parsed, events)
        if not self._choices:
            raise self._refusal(parsed)
        self._whole = cast("dict[str, Any]", parsed)
        self.done = True
        return events

    def close(self) -> list[Event]:
        """End the response and return its ``Finish`` events.

        Raises:
            IncompleteStreamError: The stream ended before its finish.
            APIError: The last event is an error.
        """
        if self._error is not None:
            raise self._error
        events: list[Event] = []
        if rest := self._splitter.close():
            self._take_rest(rest, events)
        if not self.finished:
            raise self._context.error(
                IncompleteStreamError,
                "The stream ended before its finish reason: the answer is cut off.",
                request_id=self.request_id,
            )
        self.done = True
        events.extend(self._last_events())
        usage = self._parse_usage(self._usage) if self._usage else None
        for index, choice in sorted((self._choices or {0: Choice()}).items()):
            events.extend(choice.unnamed_calls(index, self.request_id))
            events.append(self._finish(index, choice, usage))
        return events

    @property
    def finished(self) -> bool:
        """Whether the answer is whole, though its stream may not have ended."""
        if self._error is not None:
            return False
        if self.done:
            return True
        return self._ends and all(c.reason for c in self._choices.values())

    # --- Help for subclasses ------------------------------------------------------

    def _take_data(self, data: bytes, events: list[Event]) -> None:
        """Take the data of one event."""
        try:
            parsed = from_json(data)
        except ValueError:
            if data == self._END:
                self.done = True
            if not data or self.done:
                return
            parsed = self._load(data)
        self._add(parsed, events)

    def _load(self, data: bytes) -> object:
        with suppress(ValueError):
            return load(data)
        # Outside the ``except``, whose error holds the whole body; and hidden before it
        # is cut, which may be in the midst of a key.
        said = self._context.redact(data.decode(errors="replace"))
        raise self._context.error(
            IncompleteStreamError,
            f"The answer is not JSON: it begins with {said[:80]!r}.",
            body=said[:500],
            request_id=self.request_id,
        )

    def _add(self, parsed: object, events: list[Event]) -> None:
        if not isinstance(parsed, dict):
            raise self._refusal(parsed)
        try:
            self._add_chunk(cast("dict[str, Any]", parsed), events)
        except (AttributeError, KeyError, TypeError):
            seen = cast("object", parsed)
            raise self._context.error(
                IncompleteStreamError,
                f"An answer has a shape that is not known: {str(seen)[:200]}",
                body=seen,
                request_id=self.request_id,
            ) from None

    def _add_choice(
        self, raw: Mapping[str, Any], message: Any, events: list[Event]
    ) -> None:
        """Take a choice, whose message is whole or the next piece."""
        index = raw.get("index") or 0
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[_whole_number(index)] = Choice()
        if message:
            if choice.reason is not None:
                self._check_over(message)
            said = message.get("reasoning_content") or message.get("reasoning")
            if said and (text := said if type(said) is str else flatten(said)):
                events.append(ReasoningDelta(text, index))
            said = message.get("content")
            if said and (text := said if type(said) is str else flatten(said)):
                events.append(TextDelta(text, index))
            if calls := message.get("tool_calls"):
                events.extend(choice.add_calls(calls, index))
        # The native protocol has a string for none.
        if (reason := raw.get("finish_reason")) and reason != "null":
            choice.reason = _string(reason)
            self._ends = True
        if raw.get("logprobs"):
            logprobs = object_of(raw, "logprobs")
            choice.logprobs.extend(objects_of(logprobs, "content"))

    def _check_over(self, message: Mapping[str, Any]) -> None:
        """Raise for a piece that comes after the end."""
        if any(map(message.get, ("content", "reasoning_content", "tool_calls"))):
            raise self._context.error(
                IncompleteStreamError,
                "The answer went on after its finish reason: its events are out of"
                " order.",
                request_id=self.request_id,
            )

    def _refusal(self, payload: object, status: int | None = None) -> APIError:
        return self._context.from_payload(status, payload, request_id=self._header_id)

    def _take_rest(self, rest: bytes, events: list[Event]) -> None:
        """Take an event without its blank line; half of one is a cut, not an event."""
        try:
            self._take(rest, events)
        except IncompleteStreamError:
            if not self.finished:
                raise

    def _finish(self, index: int, choice: "Choice", usage: Usage | None) -> Finish:
        common = self._common
        raw = self._whole or {
            **common,
            "usage": self._usage,
            "choices": [{"index": index, "finish_reason": choice.reason}],
        }
        return Finish(
            finish_reason=choice.reason,
            raw_finish_reason=choice.reason,
            usage=usage,
            request_id=self.request_id,
            response_id=text_of(common, "id"),
            model=text_of(common, "model"),
            created=count_of(common, "created"),
            logprobs=choice.logprobs or None,
            tool_info=common.get("tool_info"),
            raw=raw,
            choice=index,
        )


class Choice:
    """What is remembered of one choice while it streams."""

    __slots__ = ("_calls", "_slots", "logprobs", "reason")

    def __init__(self) -> None:
        self.reason: str | None = None
        self.logprobs: list[Any] = []
        # Which call an index of the wire means now, and each call's id and name.
        self._slots: dict[int, int] = {}
        self._calls: list[list[str]] = []

    def add_calls(
        self, calls: Sequence[Mapping[str, Any]], choice: int
    ) -> list[ToolCallDelta]:
        """Turn deltas of tool calls into events with clean ids and indices.

        Recorded: later pieces carry ``id: ""`` or the same id again, ``name: ""`` or
        none, ``arguments: null``; one delta may hold pieces of several calls.
        """
        return [
            self._add_call(position, call, choice)
            for position, call in enumerate(calls)
        ]

    def _add_call(
        self, position: int, call: Mapping[str, Any], choice: int
    ) -> ToolCallDelta:
        function: Mapping[str, Any] = call.get("function") or {}
        call_id = _string(call.get("id") or "")
        name = _string(function.get("name") or "")
        slot = self._slot(call.get("index"), position, call_id)
        known = self._calls[slot]
        new_id, new_name = not known[0] and call_id, not known[1] and name
        if new_id:
            known[0] = call_id
        if new_name:
            known[1] = name
        return ToolCallDelta(
            index=slot,
            id=call_id if new_id else None,
            name=name if new_name else None,
            arguments=_as_text(function.get("arguments")),
            choice=choice,
        )

    def _slot(self, index: int | None, position: int, call_id: str) -> int:
        """Find the call that a piece belongs to, or begin a new one.

        An index that comes again with another id is another call.
        """
        key = position if index is None else index
        slot = self._slots.get(key)
        if slot is not None and (not call_id or self._calls[slot][0] in {"", call_id}):
            return slot
        if call_id and (slot is not None or index is None):
            for known_slot, known in enumerate(self._calls):
                if known[0] == call_id:
                    return known_slot
        slot = self._slots[key] = len(self._calls)
        self._calls.append(["", ""])
        return slot

    def unnamed_calls(self, choice: int, response_id: str | None) -> list[Event]:
        """Give an id to each call that came without one: histories need it."""
        return [
            ToolCallDelta(
                slot, f"call_{response_id or uuid4().hex}_{slot}", None, "", choice
            )
            for slot, known in enumerate(self._calls)
            if not known[0]
        ]


def flatten(content: object) -> str:
    """Return content as text; a list of parts is what some models answer with."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError
    parts = cast("list[str | Mapping[str, Any]]", content)
    return "".join(
        part if isinstance(part, str) else str(part.get("text") or "") for part in parts
    )


# --- What the answer stands on must be right; what is said besides may be missing ---


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole_number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError
    return int(value)


def _as_text(arguments: object) -> str:
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False)
