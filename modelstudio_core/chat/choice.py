"""The state of one choice of a response, from which its parser makes events."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from uuid import uuid4

from modelstudio_core.chat.events import (
    AudioDelta,
    ContentParts,
    Event,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.speech import Base64Joiner
from modelstudio_core.redaction import without_surrogates

__all__ = ["Choice", "flatten", "to_integer", "to_string"]

_SOUND: Final = frozenset({"data", "transcript"})


class Choice:
    """The state of one choice of a response.

    Attributes:
        reason: The finish reason; None until it has come.
        logprobs: The log probabilities so far.
        has_text: Whether a part of the answer's text has come.
        has_transcript: Whether a part of a transcript has come that is the text.
    """

    __slots__ = (
        "_calls",
        "_joiner",
        "_numbers",
        "_numbers_by_id",
        "_parts",
        "_received",
        "_seen",
        "_sent_fields",
        "has_text",
        "has_transcript",
        "logprobs",
        "reason",
    )

    def __init__(self) -> None:
        """Create the state of a choice of which nothing has come."""
        self.reason: str | None = None
        self.logprobs: list[dict[str, Any]] = []
        self.has_text = False
        self.has_transcript = False
        # The number of the call by its index in the response, and by its id; each
        # call's id and name.
        self._numbers: dict[int, int] = {}
        self._numbers_by_id: dict[str, int] = {}
        self._calls: list[list[str]] = []
        # Of a cumulative stream: the length and the pieces of the text so far, by what
        # it is.
        self._received: dict[str, tuple[int, list[str]]] = {}
        self._joiner: Base64Joiner | None = None
        self._sent_fields: dict[str, Any] = {}
        self._parts: dict[str, list[Any]] = {}
        self._seen: set[tuple[str, str]] = set()

    @property
    def has_calls(self) -> bool:
        """Whether a part of a tool call has come."""
        return bool(self._calls)

    @property
    def is_answered(self) -> bool:
        """Whether it is complete if a stream says that it has ended.

        Some gateways end text without a finish reason; a call could be cut off.
        """
        has_text = self.has_text or self.has_transcript
        return self.reason is not None or (has_text and not self._calls)

    def last_events(self, index: int, request_id: str | None) -> list[Event]:
        """Return the events to add when the response has ended.

        Args:
            index: The number of the choice.
            request_id: What the ids of calls without one contain; None for a random
                text.
        """
        events = self._missing_ids(index, request_id) if self._calls else []
        if self._joiner and (data := self._joiner.close()):
            events.append(AudioDelta(data, choice=index))
        if self._parts:
            parts = {
                name: values if len(values) > 1 else values[0]
                for name, values in self._parts.items()
            }
            events.append(ContentParts(parts, index))
        return events

    # --- Cumulative streams -------------------------------------------------------

    def remove_repetition(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return a message of a cumulative stream with only what is new in it.

        Args:
            message: The message, which repeats the text, the reasoning and the
                arguments of the messages before it.
        """
        changed = dict(message)
        for name in ("content", "reasoning_content", "reasoning"):
            value = message.get(name)
            if isinstance(value, str):
                changed[name] = self._new_in(name, value)
            elif isinstance(value, list) and name == "content":
                parts = cast("list[object]", value)
                new = self._new_in("content", flatten(parts))
                changed[name] = [new, *map(_without_text, parts)]
        return changed

    def _new_in(self, name: str, text: str) -> str:
        """Return what a text adds to the one before it; all of it, if not a repetition.

        Args:
            name: What the text is.
            text: The text so far.
        """
        size, pieces = self._received.get(name, (0, []))
        # Joined only where the text may be a repetition, so that the time is linear.
        if size <= len(text) and text.startswith("".join(pieces)):
            self._received[name] = len(text), [text]
            return text[size:]
        pieces.append(text)
        self._received[name] = size + len(text), pieces
        return text

    # --- Content that is no string ------------------------------------------------

    def add_parts(self, content: object, index: int) -> list[Event]:
        """Return the events of content that is a list of parts.

        Args:
            content: The parts, each a string, ``{"text": …}``, ``{"audio": …}`` or a
                part of another kind, which ``last_events`` returns.
            index: The number of the choice.
        """
        events: list[Event] = []
        if text := flatten(content):
            self.has_text = True
            events.append(TextDelta(text, index))
        for part in cast("list[str | dict[str, Any]]", content):
            # Nearly every part of a stream has text and nothing else.
            if isinstance(part, str) or (len(part) == 1 and "text" in part):
                continue
            for name, value in _other_values(part):
                if name == "audio":
                    events.extend(self.add_audio(value, index))
                    continue
                # The chunks of a stream may repeat a part.
                key = name, json.dumps(value, sort_keys=True)
                if key not in self._seen:
                    self._seen.add(key)
                    self._parts.setdefault(name, []).append(value)
        return events

    def add_audio(self, audio: object, index: int) -> list[Event]:
        """Return the events of a part of the sound.

        The words are text, unless the service sends them as text too.

        Args:
            audio: The object of the service, or its data or URL alone.
            index: The number of the choice.

        Raises:
            ValueError: The data is not base64.
        """
        if isinstance(audio, str):
            audio = {"url" if "://" in audio[:16] else "data": audio}
        if not isinstance(audio, dict):
            raise TypeError
        fields = cast("dict[str, Any]", audio)
        transcript = to_string(fields.get("transcript") or "")
        data = to_string(fields.get("data") or "")
        if data:
            self._joiner = self._joiner or Base64Joiner()
            data = self._joiner.add(data)
        others = {
            name: value
            for name, value in fields.items()
            if name not in _SOUND
            and name not in self._sent_fields
            and value not in (None, "")
        }
        self._sent_fields |= others
        events: list[Event] = []
        if transcript and not self.has_text:
            self.has_transcript = True
            events.append(TextDelta(transcript, index))
        if data or transcript or others:
            events.append(AudioDelta(data, transcript, others, index))
        return events

    # --- Tool calls ---------------------------------------------------------------

    def add_calls(
        self, calls: Sequence[dict[str, Any]], choice: int, *, cumulative: bool = False
    ) -> list[ToolCallDelta]:
        """Return the events of the deltas of tool calls in one chunk.

        In recorded streams the later deltas of a call have ``id: ""`` or the same id
        again, ``name: ""`` or no name, and ``arguments: null``; a chunk may have deltas
        of several calls.

        Args:
            calls: The ``tool_calls`` of a message or of a delta.
            choice: The number of the choice.
            cumulative: Whether the arguments repeat those before them.
        """
        deltas = [
            self._add_call(position, call, choice)
            for position, call in enumerate(calls)
        ]
        if cumulative:
            for delta in deltas:
                name = f"call {delta.index}"
                delta.arguments = self._new_in(name, delta.arguments)
        return deltas

    def _add_call(
        self, position: int, call: dict[str, Any], choice: int
    ) -> ToolCallDelta:
        function: dict[str, Any] = call.get("function") or {}
        call_id = to_string(call.get("id") or "")
        name = to_string(function.get("name") or "")
        number = self._number_of(call.get("index"), position, call_id, name)
        state = self._calls[number]
        new_id, new_name = not state[0] and call_id, not state[1] and name
        if new_id:
            state[0] = call_id
            self._numbers_by_id.setdefault(call_id, number)
        if new_name:
            state[1] = name
        return ToolCallDelta(
            index=number,
            id=without_surrogates(call_id) if new_id else None,
            name=without_surrogates(name) if new_name else None,
            arguments=_arguments_text(function.get("arguments")),
            choice=choice,
        )

    def _number_of(
        self, index: int | None, position: int, call_id: str, name: str
    ) -> int:
        """Return the number of the call that a delta belongs to, or of a new call.

        The same index with another id is another call. A delta with a new index that
        has neither an id nor a name continues the last call.
        """
        key = position if index is None else index
        number = self._numbers.get(key)
        if number is not None and (
            not call_id or self._calls[number][0] in {"", call_id}
        ):
            return number
        other: int | None = None
        if call_id and (number is not None or index is None or not name):
            other = self._numbers_by_id.get(call_id)
        elif not call_id and not name and self._calls:
            other = len(self._calls) - 1
        if other is None:
            other = len(self._calls)
            self._calls.append(["", ""])
        self._numbers[key] = other
        return other

    def _missing_ids(self, choice: int, request_id: str | None) -> list[Event]:
        """Return events with a new id for each call that the service sent none for."""
        prefix = f"call_{request_id or uuid4().hex}"
        return [
            ToolCallDelta(number, f"{prefix}_{number}", None, "", choice)
            for number, state in enumerate(self._calls)
            if not state[0]
        ]


def flatten(content: object) -> str:
    """Return the text of content, which is a string or a list of parts.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError
    parts = cast("list[str | dict[str, Any]]", content)
    if len(parts) == 1 and isinstance(part := parts[0], dict):
        return str(part.get("text") or "")
    return "".join(
        part if isinstance(part, str) else str(part.get("text") or "") for part in parts
    )


def _without_text(part: object) -> dict[str, Any]:
    if not isinstance(part, dict):
        return {}
    values = cast("dict[str, Any]", part)
    return {name: value for name, value in values.items() if name != "text"}


def _other_values(part: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the values of a part that are not text, by the service's own name.

    Native parts have one key for each value. Those of the OpenAI form have a ``type``,
    and their value under its name.
    """
    kind = part.get("type")
    others = {
        name: value
        for name, value in part.items()
        if name not in {"text", "type"} and value not in (None, "", [], {})
    }
    if not isinstance(kind, str) or kind in {"text", *others} or len(others) != 1:
        return list(others.items())
    return [(kind, *others.values())]


# --- Values that must have a type -------------------------------------------------


def to_string(value: object) -> str:
    """Return a value that must be a string.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, str):
        raise TypeError
    return value


def to_integer(value: object) -> int:
    """Return a value that must be an integer.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, int):
        raise TypeError
    return int(value)


def _arguments_text(arguments: object) -> str:
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False)
