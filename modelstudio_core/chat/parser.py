"""The base class of the response parsers of both protocols.

A parser belongs to one response and does no I/O: its caller passes the bytes of the
response to it, and it returns events.
"""

import json
import re
import sys
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

from jiter import from_json

from modelstudio_core.chat.choice import Choice, flatten, to_integer, to_string
from modelstudio_core.chat.events import (
    Event,
    Finish,
    Problem,
    ReasoningDelta,
    TextDelta,
    Usage,
)
from modelstudio_core.errors import (
    APIError,
    IncompleteStreamError,
    InvalidResponseError,
)
from modelstudio_core.wire.json_values import (
    LARGE,
    count_of,
    object_of,
    objects_of,
    text_of,
)
from modelstudio_core.wire.metadata import without_secrets
from modelstudio_core.wire.refusals import ErrorContext, too_large_error
from modelstudio_core.wire.sse import EventSplitter

__all__ = ["ANY_FORM", "AnswerForm", "ChatParser"]


# The fields of a message or delta that become events.
_MESSAGE_FIELDS: Final = ("content", "reasoning_content", "reasoning", "tool_calls")
# What models write before a tool call: Qwen and GLM, Qwen-Coder, Kimi, DeepSeek,
# MiniMax. Sources: the chat templates of these models.
_WRITTEN_CALL: Final = re.compile(
    r"<(minimax:)?tool_call>|<function=\w|<\|tool_calls?_(section_)?begin\|>"
    r"|<\uff5ctool\u2581calls?\u2581begin\uff5c>|<\uff5cDSML\uff5c(function|tool)_calls>"
)
# Far more than the service gives, which is 4.
_MAX_CHOICES: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerForm:
    """What to expect of a response, which its plan decides.

    Attributes:
        cumulative: Whether each chunk of a stream repeats what came before it.
        speech: Whether the answer may have sound.
        tools: Whether the model was given tools.
    """

    cumulative: bool = False
    speech: bool = True
    tools: bool = False


ANY_FORM: Final = AnswerForm()


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
        form: AnswerForm = ANY_FORM,
        max_event_bytes: int = sys.maxsize,
    ) -> None:
        """Create the parser of one response.

        Args:
            context: The facts of the request that errors report.
            request_id: The id in the header of the response.
            form: What to expect of the response.
            max_event_bytes: How large one event may be. All bytes of a stream since the
                last event that was returned count: comments, empty events and a line
                without an end.
        """
        self.done = False
        self._speech, self._cumulative = form.speech, form.cumulative
        # All events of an answer, if they must be looked at together in the end.
        self._events: list[Event] | None = [] if form.tools else None
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
        if self._events is not None:
            self._events += events
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
        return self.feed_value(self._context.parse(body, self.request_id))

    def feed_value(self, parsed: object) -> list[Event]:
        """Parse a body that is parsed JSON already; then call ``close``.

        Args:
            parsed: The value. It is not changed.

        Raises:
            APIError: It is an error, or no JSON object.
        """
        events: list[Event] = []
        # One message repeats nothing, and has its sound if it has any.
        self._cumulative, self._speech = False, True
        self._add(parsed, events)
        if not self._choices:
            raise self._refusal(parsed)
        if self._events is not None:
            self._events += events
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
            if self._events is not None:
                self._events += events
        if not self.finished:
            raise self._incomplete()
        self.done = True
        events.extend(self._last_events())
        # Metadata goes into traces: what the service repeats there must not be a key.
        hide = self._context.hide
        self._usage = without_secrets(self._usage, hide)
        self._body = without_secrets(self._body, hide)
        body = self._body or {}
        # Those of the body are without secrets now.
        common = self._common
        others = {name: common[name] for name in common if name not in body}
        common = without_secrets(others, hide) | {
            name: body[name] for name in common if name in body
        }
        usage = self._parse_usage(self._usage) if self._usage else None
        texts = self._texts()
        for index, choice in sorted(self._choices.items()):
            try:
                events.extend(choice.last_events(index, self.request_id))
            except ValueError:
                raise self._unexpected("sound that is not base64", None) from None
            problems = _problems(
                choice, texts[ReasoningDelta, index], texts[TextDelta, index]
            )
            events.append(self._finish(index, choice, usage, common, problems))
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
            parsed = (
                from_json(data)
                if len(data) <= LARGE
                else self._context.parse(data, self.request_id)
            )
        except ValueError:
            if data == self._END:
                self._end()
            if not data or self.done:
                return
            parsed = self._context.parse(data, self.request_id)
        self._add(parsed, events)

    def _end(self) -> None:
        """End the stream at the protocol's own mark, if the answer is complete."""
        choices = self._choices.values()
        if not choices or not all(choice.is_answered for choice in choices):
            raise self._incomplete()
        self.done = True

    def _incomplete(self) -> IncompleteStreamError:
        return self._context.error(
            IncompleteStreamError,
            "The stream ended without a finish reason: the answer is cut off.",
            request_id=self.request_id,
        )

    def _add(self, parsed: object, events: list[Event]) -> None:
        if not isinstance(parsed, dict):
            data = json.dumps(parsed, ensure_ascii=False).encode(errors="replace")
            raise self._context.not_json(data, self.request_id, "a JSON object")
        try:
            self._add_chunk(cast("dict[str, Any]", parsed), events)
        except (AttributeError, KeyError, TypeError, ValueError):
            value = cast("object", parsed)
            raise self._unexpected(str(value)[:200], value) from None

    def _unexpected(self, what: str, body: object) -> InvalidResponseError:
        return self._context.error(
            InvalidResponseError,
            f"The response has an unexpected structure: {what}",
            body=body,
            request_id=self.request_id,
        )

    def _add_choice(  # noqa: C901, PLR0912 - one call less for each chunk of a stream
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
            choice = self._new_choice(to_integer(index))
        if message:
            if self._cumulative:
                message = choice.remove_repetition(message)
            if choice.reason is not None:
                self._refuse_more(message)
            value = message.get("reasoning_content") or message.get("reasoning")
            if value and (text := value if type(value) is str else flatten(value)):
                events.append(ReasoningDelta(text, index))
            if value := message.get("content"):
                if type(value) is str:
                    choice.has_text = True
                    events.append(TextDelta(value, index))
                else:
                    events.extend(choice.add_parts(value, index))
            if calls := message.get("tool_calls"):
                new = choice.add_calls(calls, index, cumulative=self._cumulative)
                events.extend(new)
            if (self._speech or not value) and (audio := message.get("audio")):
                events.extend(choice.add_audio(audio, index))
        # The native protocol sends the string "null" instead of null.
        if (reason := raw.get("finish_reason")) and reason != "null":
            choice.reason = to_string(reason)
            self._has_finish_reason = True
        if raw.get("logprobs"):
            logprobs = object_of(raw, "logprobs")
            choice.logprobs.extend(objects_of(logprobs, "content"))

    def _new_choice(self, index: int) -> Choice:
        if len(self._choices) == _MAX_CHOICES:
            raise ValueError("too many choices")
        choice = self._choices[index] = Choice()
        return choice

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

    def _texts(self) -> defaultdict[tuple[type[Event], int], list[str]]:
        """Return the pieces of the reasoning and of the text of each choice."""
        texts: defaultdict[tuple[type[Event], int], list[str]] = defaultdict(list)
        for event in self._events or ():
            if isinstance(event, ReasoningDelta | TextDelta):
                texts[type(event), event.choice].append(event.text)
        return texts

    def _finish(
        self,
        index: int,
        choice: Choice,
        usage: Usage | None,
        common: Mapping[str, Any],
        problems: tuple[Problem, ...],
    ) -> Finish:
        reason = self._context.redact(choice.reason)
        raw = self._body
        if raw is None:
            choices = [{"index": index, "finish_reason": reason}]
            raw = {**common, "usage": self._usage, "choices": choices}
        return Finish(
            finish_reason=reason,
            raw_finish_reason=reason,
            usage=usage,
            request_id=self.request_id,
            response_id=text_of(common, "id"),
            model=text_of(common, "model"),
            created=count_of(common, "created"),
            logprobs=choice.logprobs or None,
            tool_info=common.get("tool_info"),
            # Each choice has its own.
            raw={**raw},
            choice=index,
            problems=problems,
        )


def _problems(
    choice: Choice, reasoning: Iterable[str], text: Iterable[str]
) -> tuple[Problem, ...]:
    """Return what is odd about a choice, which is complete.

    Args:
        choice: The choice.
        reasoning: The pieces of its reasoning; none if it was given no tools.
        text: The pieces of its text; none if it was given no tools.
    """
    if choice.has_calls:
        return ()
    problems: list[Problem] = []
    if choice.reason == "tool_calls":
        problems.append("tool_call_missing")
    if _WRITTEN_CALL.search("".join(reasoning)):
        problems.append("tool_call_in_reasoning")
    if _WRITTEN_CALL.search("".join(text)):
        problems.append("tool_call_in_content")
    return tuple(problems)
