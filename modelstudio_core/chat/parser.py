"""The base class of the response parsers of both protocols.

A parser belongs to one response and does no I/O: its caller passes the bytes of the
response to it, and it returns events.
"""

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final, cast
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
from modelstudio_core.wire.refusals import ErrorContext, too_large_error
from modelstudio_core.wire.sse import EventSplitter

__all__ = ["ChatParser", "Choice"]


# The fields of a message or delta that become events.
_MESSAGE_FIELDS: Final = ("content", "reasoning_content", "reasoning", "tool_calls")


class ChatParser(ABC):
    """Converts the bytes of one response to events.

    Call ``feed`` with the bytes of a stream as they come, or ``feed_body`` with a body
    that is one JSON object; then call ``close``. An error of the service is raised
    after the events that came before it.

    Attributes:
        done: Whether to ignore the rest of the stream: the answer is complete, or an
            error ended it, which ``close`` raises.
    """

    # The data of the event that ends a stream; None if the protocol has no such event.
    _END: ClassVar[bytes | None] = None

    def __init__(
        self,
        context: ErrorContext,
        *,
        request_id: str | None = None,
        max_event_bytes: int = sys.maxsize,
    ) -> None:
        """Create the parser of one response.

        Args:
            context: The facts of the request that errors report.
            request_id: The id in the header of the response.
            max_event_bytes: How large one event may be. All bytes of a stream since the
                last event that was returned count: comments, empty events and a line
                without an end.
        """
        self.done = False
        self._max_event_bytes = max_event_bytes
        # What is left of the limit before the next event.
        self._room = max_event_bytes
        self._context = context
        self._header_id = request_id
        self._splitter = EventSplitter()
        self._body: dict[str, Any] | None = None
        self._usage: dict[str, Any] | None = None
        self._choices: dict[int, Choice] = {}
        self._error: Exception | None = None
        self._has_finish_reason = False

    # --- What a protocol implements -----------------------------------------------

    @abstractmethod
    def _parse_event(self, raw: bytes, events: list[Event]) -> None:
        """Parse one server-sent event, given as the bytes of its lines."""

    @abstractmethod
    def _add_chunk(self, chunk: dict[str, Any], events: list[Event]) -> None:
        """Parse one JSON object: a chunk of a stream, or a complete body."""

    @abstractmethod
    def _parse_usage(self, raw: Mapping[str, object]) -> Usage:
        """Parse token counts. A detail that is absent is None, not zero."""

    def _last_events(self) -> list[Event]:
        """Return the events to add before the ``Finish`` events."""
        return []

    @property
    @abstractmethod
    def _common(self) -> dict[str, Any]:
        """The fields that the chunks of a stream share, but for choices and usage."""

    @property
    @abstractmethod
    def request_id(self) -> str | None:
        """The id to give to the support of Alibaba Cloud."""

    # --- Feeding ------------------------------------------------------------------

    def feed(self, chunk: bytes) -> list[Event]:
        """Parse the next bytes of a stream.

        Args:
            chunk: The bytes.

        Returns:
            The events that are complete.

        Raises:
            APIError: The service reports an error inside the stream. The events before
                the error are returned first; the next call raises it.
        """
        if self._error is not None:
            raise self._error
        events: list[Event] = []
        self._room -= len(chunk)
        try:
            lines = self._splitter.data_lines(chunk) if self._room >= 0 else None
            if lines is not None:
                for data in lines:
                    if self.done:
                        break
                    self._parse_data(data, events)
            else:
                self._feed_lines(chunk, events)
            if self._room < 0:
                self._check_size(chunk, events)
        except Exception as error:
            self._error = error
            self.done = True
            if not events:
                raise
        if events:
            self._room = self._max_event_bytes
        return events

    def _feed_lines(self, chunk: bytes, events: list[Event]) -> None:
        """Parse bytes that are not complete events of one ``data`` line each."""
        for raw in self._splitter.feed(chunk):
            if self.done:
                break
            self._check_event(len(raw))
            self._parse_event(raw, events)

    def _check_event(self, size: int) -> None:
        if size > self._max_event_bytes:
            raise too_large_error(
                self._context, "max_event_bytes", self._max_event_bytes, self.request_id
            )

    def _check_size(self, chunk: bytes, events: list[Event]) -> None:
        """Raise an error if more than the limit came since the last event."""
        if self.finished:
            # What follows a complete answer is not read.
            self.done = True
        elif events:
            self._check_event(self._splitter.pending_bytes)
        else:
            self._check_event(self._max_event_bytes + len(chunk))

    def feed_body(self, body: bytes) -> list[Event]:
        """Parse a body that is one JSON object; then call ``close``.

        Args:
            body: The complete body.

        Raises:
            APIError: The body is an error, or it is not JSON.
        """
        parsed = self._load(body)
        events: list[Event] = []
        self._add(parsed, events)
        if not self._choices:
            raise self._refusal(parsed)
        self._body = cast("dict[str, Any]", parsed)
        self.done = True
        return events

    def close(self) -> list[Event]:
        """End the response and return its last events, with one ``Finish`` per choice.

        Raises:
            IncompleteStreamError: The stream ended without a finish reason.
            APIError: The service reported an error.
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
            events.extend(choice.missing_ids(index, self.request_id))
            events.append(self._finish(index, choice, usage))
        return events

    @property
    def finished(self) -> bool:
        """Whether the answer is complete, even if the stream has not ended."""
        if self._error is not None:
            return False
        if self.done:
            return True
        return self._has_finish_reason and all(
            choice.reason for choice in self._choices.values()
        )

    # --- For subclasses -----------------------------------------------------------

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
        # After the ``except``: the parser's error contains the complete body.
        raise self._context.not_json(data, self.request_id)

    def _add(self, parsed: object, events: list[Event]) -> None:
        if not isinstance(parsed, dict):
            data = json.dumps(parsed, ensure_ascii=False).encode(errors="replace")
            raise self._context.not_json(data, self.request_id, "a JSON object")
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
        raw: dict[str, Any],
        message: dict[str, Any] | None,
        events: list[Event],
        position: int,
    ) -> None:
        """Parse a choice of a chunk, or of a complete body.

        Args:
            raw: The choice.
            message: Its message or its delta; empty or None if it has none.
            events: The list to add events to.
            position: The position of the choice, which is its index if it has none.
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
            if value and (text := value if type(value) is str else _flatten(value)):
                events.append(ReasoningDelta(text, index))
            value = message.get("content")
            if value and (text := value if type(value) is str else _flatten(value)):
                events.append(TextDelta(text, index))
            if calls := message.get("tool_calls"):
                events.extend(choice.add_calls(calls, index))
        # The native protocol sends the string "null" instead of null.
        if (reason := raw.get("finish_reason")) and reason != "null":
            choice.reason = _string(reason)
            self._has_finish_reason = True
        if raw.get("logprobs"):
            logprobs = object_of(raw, "logprobs")
            choice.logprobs.extend(objects_of(logprobs, "content"))

    def _refuse_more(self, message: Mapping[str, object]) -> None:
        """Raise an error if a delta after the finish reason has content."""
        if any(map(message.get, _MESSAGE_FIELDS)):
            raise self._context.error(
                InvalidResponseError,
                "The answer continues after its finish reason: the events are out of"
                " order.",
                request_id=self.request_id,
            )

    def _refusal(self, payload: object, status: int | None = None) -> APIError:
        return self._context.from_payload(status, payload, request_id=self._header_id)

    def _parse_rest(self, rest: bytes, events: list[Event]) -> None:
        """Parse a last event without its blank line; ignore an incomplete one."""
        with suppress(InvalidResponseError):
            self._parse_event(rest, events)

    def _finish(self, index: int, choice: "Choice", usage: Usage | None) -> Finish:
        common = self._common
        raw = self._body or {
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
    """The state of one choice of a response.

    Attributes:
        reason: The finish reason; None until it has come.
        logprobs: The log probabilities so far.
    """

    __slots__ = ("_calls", "_numbers", "logprobs", "reason")

    def __init__(self) -> None:
        self.reason: str | None = None
        self.logprobs: list[dict[str, Any]] = []
        # The number of the call by its index in the response; each call's id and name.
        self._numbers: dict[int, int] = {}
        self._calls: list[list[str]] = []

    def add_calls(
        self, calls: Sequence[dict[str, Any]], choice: int
    ) -> list[ToolCallDelta]:
        """Return the events of the deltas of tool calls in one chunk.

        In recorded streams the later deltas of a call have ``id: ""`` or the same id
        again, ``name: ""`` or no name, and ``arguments: null``; a chunk may have deltas
        of several calls.

        Args:
            calls: The ``tool_calls`` of a message or of a delta.
            choice: The number of the choice.
        """
        return [
            self._add_call(position, call, choice)
            for position, call in enumerate(calls)
        ]

    def _add_call(
        self, position: int, call: dict[str, Any], choice: int
    ) -> ToolCallDelta:
        function: dict[str, Any] = call.get("function") or {}
        call_id = _string(call.get("id") or "")
        name = _string(function.get("name") or "")
        number = self._number_of(call.get("index"), position, call_id)
        state = self._calls[number]
        new_id, new_name = not state[0] and call_id, not state[1] and name
        if new_id:
            state[0] = call_id
        if new_name:
            state[1] = name
        return ToolCallDelta(
            index=number,
            id=call_id if new_id else None,
            name=name if new_name else None,
            arguments=_arguments_text(function.get("arguments")),
            choice=choice,
        )

    def _number_of(self, index: int | None, position: int, call_id: str) -> int:
        """Return the number of the call that a delta belongs to, or of a new call.

        The same index with another id is another call.
        """
        key = position if index is None else index
        number = self._numbers.get(key)
        if number is not None and (
            not call_id or self._calls[number][0] in {"", call_id}
        ):
            return number
        if call_id and (number is not None or index is None):
            for other, state in enumerate(self._calls):
                if state[0] == call_id:
                    return other
        number = self._numbers[key] = len(self._calls)
        self._calls.append(["", ""])
        return number

    def missing_ids(self, choice: int, request_id: str | None) -> list[Event]:
        """Return events with a new id for each call that the service sent none for.

        Args:
            choice: The number of the choice.
            request_id: What the new ids contain; None for a random text.
        """
        prefix = f"call_{request_id or uuid4().hex}"
        return [
            ToolCallDelta(number, f"{prefix}_{number}", None, "", choice)
            for number, state in enumerate(self._calls)
            if not state[0]
        ]


def _flatten(content: object) -> str:
    """Return content as text. The content of some models is a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError
    parts = cast("list[str | dict[str, Any]]", content)
    return "".join(
        part if isinstance(part, str) else str(part.get("text") or "") for part in parts
    )


# --- Values that must have a type -------------------------------------------------


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
