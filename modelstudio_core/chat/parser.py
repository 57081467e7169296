"""What the response parsers of both protocols have in common.

A parser is pushed, pure and used once: it is fed the bytes of one response as they come
and returns events. What differs between the protocols is in its subclasses.
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
from modelstudio_core.errors import (
    APIError,
    IncompleteStreamError,
    InvalidResponseError,
)
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
    """Turns the bytes of one response into events.

    Feed it the bytes of a stream as they come, or one whole body, then close it. An
    error of the service is raised in its place, after the events before it.

    Attributes:
        done: Whether nothing that follows belongs to the answer: it is complete, or
            an error ended it, which ``close`` raises.
    """

    # The data of the event that ends a stream; None if the protocol has none.
    _END: ClassVar[bytes | None] = None

    def __init__(self, context: ErrorContext, *, request_id: str | None = None) -> None:
        """Start the parser of one response.

        Args:
            context: What errors need to know of the request.
            request_id: The id in the header of the response.
        """
        self.done = False
        self._context = context
        self._header_id = request_id
        self._splitter = EventSplitter()
        self._whole: dict[str, Any] | None = None
        self._usage: dict[str, Any] | None = None
        self._choices: dict[int, Choice] = {}
        self._error: Exception | None = None
        # Whether a choice has a finish reason.
        self._ends = False

    # --- What a protocol implements -----------------------------------------------

    @abstractmethod
    def _parse_event(self, raw: bytes, events: list[Event]) -> None:
        """Parse one server-sent event: the bytes of its lines."""

    @abstractmethod
    def _add_chunk(self, chunk: dict[str, Any], events: list[Event]) -> None:
        """Parse one JSON object: a chunk of a stream, or the whole answer."""

    @abstractmethod
    def _parse_usage(self, raw: Mapping[str, Any]) -> Usage:
        """Parse token counts. A detail may be absent, which is not zero."""

    def _last_events(self) -> list[Event]:
        """Return events of the answer as a whole, which come before its finish."""
        return []

    @property
    @abstractmethod
    def _common(self) -> dict[str, Any]:
        """The fields that the chunks of a stream share, without choices and usage."""

    @property
    @abstractmethod
    def request_id(self) -> str | None:
        """The id to quote to Alibaba Cloud's support."""

    # --- Feeding ------------------------------------------------------------------

    def feed(self, chunk: bytes) -> list[Event]:
        """Parse the next bytes of a stream and return the events that they complete.

        Raises:
            APIError: The service reports an error inside the stream. The events
                before it are returned first, and the next call raises the error.
        """
        if self._error is not None:
            raise self._error
        events: list[Event] = []
        try:
            if (lines := self._splitter.data_lines(chunk)) is not None:
                for data in lines:
                    if self.done:
                        break
                    self._parse_data(data, events)
            else:
                for raw in self._splitter.feed(chunk):
                    if self.done:
                        break
                    self._parse_event(raw, events)
        except Exception as error:
            self._error = error
            self.done = True
            if not events:
                raise
        return events

    def feed_whole(self, body: bytes) -> list[Event]:
        """Parse a body that is one JSON object; then call ``close``.

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
            IncompleteStreamError: The stream ended without a finish reason.
            APIError: The last event is an error.
        """
        if self._error is not None:
            raise self._error
        events: list[Event] = []
        if rest := self._splitter.close():
            self._parse_rest(rest, events)
        if not self.finished:
            raise self._context.error(
                IncompleteStreamError,
                "The stream ended without a finish reason: the answer is cut off.",
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
        """Whether the answer is complete, even if its stream has not ended."""
        if self._error is not None:
            return False
        if self.done:
            return True
        return self._ends and all(c.reason for c in self._choices.values())

    # --- Help for subclasses ------------------------------------------------------

    def _parse_data(self, data: bytes, events: list[Event]) -> None:
        """Parse the data of one event."""
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
        # Outside the ``except``, whose error holds the whole body; and redacted before
        # it is cut, which may be within a key.
        text = self._context.redact(data.decode(errors="replace"))
        raise self._context.error(
            InvalidResponseError,
            f"The response is not JSON. It begins with {text[:80]!r}.",
            body=text[:500],
            request_id=self.request_id,
        )

    def _add(self, parsed: object, events: list[Event]) -> None:
        if not isinstance(parsed, dict):
            raise self._refusal(parsed)
        try:
            self._add_chunk(cast("dict[str, Any]", parsed), events)
        except (AttributeError, KeyError, TypeError):
            value = cast("object", parsed)
            raise self._context.error(
                InvalidResponseError,
                f"The response has an unexpected structure: {str(value)[:200]}",
                body=value,
                request_id=self.request_id,
            ) from None

    def _add_choice(
        self,
        raw: Mapping[str, Any],
        message: Any,
        events: list[Event],
        position: int,
    ) -> None:
        """Parse a choice, whose message is whole or the next delta.

        Args:
            raw: The choice.
            message: Its message or delta, empty for none.
            events: The list to add events to.
            position: Its position in the chunk: its index, if it has none.
        """
        index = raw.get("index")
        if index is None:
            index = position
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[_integer(index)] = Choice()
        if message:
            if choice.reason is not None:
                self._refuse_more(message)
            value = message.get("reasoning_content") or message.get("reasoning")
            if value and (text := value if type(value) is str else flatten(value)):
                events.append(ReasoningDelta(text, index))
            value = message.get("content")
            if value and (text := value if type(value) is str else flatten(value)):
                events.append(TextDelta(text, index))
            if calls := message.get("tool_calls"):
                events.extend(choice.add_calls(calls, index))
        # The native protocol sends the string "null" for none.
        if (reason := raw.get("finish_reason")) and reason != "null":
            choice.reason = _string(reason)
            self._ends = True
        if raw.get("logprobs"):
            logprobs = object_of(raw, "logprobs")
            choice.logprobs.extend(objects_of(logprobs, "content"))

    def _refuse_more(self, message: Mapping[str, Any]) -> None:
        """Raise for a delta after the finish reason."""
        if any(map(message.get, ("content", "reasoning_content", "tool_calls"))):
            raise self._context.error(
                InvalidResponseError,
                "The answer continues after its finish reason: the events are out of"
                " order.",
                request_id=self.request_id,
            )

    def _refusal(self, payload: object, status: int | None = None) -> APIError:
        return self._context.from_payload(status, payload, request_id=self._header_id)

    def _parse_rest(self, rest: bytes, events: list[Event]) -> None:
        """Parse an event without its blank line; half of one means a cut stream."""
        with suppress(InvalidResponseError):
            self._parse_event(rest, events)

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
    """The state of one choice while it is streamed."""

    __slots__ = ("_calls", "_slots", "logprobs", "reason")

    def __init__(self) -> None:
        self.reason: str | None = None
        self.logprobs: list[Any] = []
        # The call that an index of the wire stands for, and each call's id and name.
        self._slots: dict[int, int] = {}
        self._calls: list[list[str]] = []

    def add_calls(
        self, calls: Sequence[Mapping[str, Any]], choice: int
    ) -> list[ToolCallDelta]:
        """Turn deltas of tool calls into events with clean ids and indices.

        Recorded: later deltas have ``id: ""`` or the same id again, ``name: ""`` or
        none, ``arguments: null``; one chunk may hold deltas of several calls.
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
        state = self._calls[slot]
        new_id, new_name = not state[0] and call_id, not state[1] and name
        if new_id:
            state[0] = call_id
        if new_name:
            state[1] = name
        return ToolCallDelta(
            index=slot,
            id=call_id if new_id else None,
            name=name if new_name else None,
            arguments=_arguments_text(function.get("arguments")),
            choice=choice,
        )

    def _slot(self, index: int | None, position: int, call_id: str) -> int:
        """Return the call that a delta belongs to, or a new one.

        An index that comes again with another id is another call.
        """
        key = position if index is None else index
        slot = self._slots.get(key)
        if slot is not None and (not call_id or self._calls[slot][0] in {"", call_id}):
            return slot
        if call_id and (slot is not None or index is None):
            for other, state in enumerate(self._calls):
                if state[0] == call_id:
                    return other
        slot = self._slots[key] = len(self._calls)
        self._calls.append(["", ""])
        return slot

    def unnamed_calls(self, choice: int, response_id: str | None) -> list[Event]:
        """Return an id for each call without one: a history needs it."""
        return [
            ToolCallDelta(
                slot, f"call_{response_id or uuid4().hex}_{slot}", None, "", choice
            )
            for slot, state in enumerate(self._calls)
            if not state[0]
        ]


def flatten(content: object) -> str:
    """Return content as text. Some models answer with a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError
    parts = cast("list[str | Mapping[str, Any]]", content)
    return "".join(
        part if isinstance(part, str) else str(part.get("text") or "") for part in parts
    )


# --- Values that must have their type ---------------------------------------------


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError
    return int(value)


def _arguments_text(arguments: object) -> str:
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False)
