"""The OpenAI-compatible protocol of Model Studio.

Every parameter that OpenAI does not have is a key at the top of the body. The shapes
of answers are those of exchanges recorded from 2024 to August 2026.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from uuid import uuid4

from jiter import from_json

from modelstudio_core.errors import ErrorContext, IncompleteStreamError
from modelstudio_core.events import (
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from modelstudio_core.messages import Message, prepare_messages
from modelstudio_core.options import ChatRequest
from modelstudio_core.wire.sse import EventSplitter, field_of

__all__ = ["PATH", "Parser", "build_request"]

PATH: Final = "/chat/completions"

_DONE: Final = b"[DONE]"
_PREFIX: Final = b"data: "
# Options that are sent under their own name. The rest has rules of its own.
_PLAIN: Final = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "n",
    "presence_penalty",
    "repetition_penalty",
    "logprobs",
    "top_logprobs",
    "parallel_tool_calls",
    "response_format",
    "thinking_budget",
    "reasoning_effort",
    "preserve_thinking",
    "enable_search",
    "search_options",
    "tools",
    "tool_choice",
)


def build_request(
    request: ChatRequest, messages: Sequence[Message], *, include_usage: bool = True
) -> dict[str, Any]:
    """Build the body of a request.

    Args:
        request: What was decided, see ``plan_request``.
        messages: The prompt.
        include_usage: Whether a stream ends with its token counts.

    Returns:
        The body, ready for JSON.

    Raises:
        ConfigurationError: The messages hold what the model does not take.
    """
    options = request.options
    body: dict[str, Any] = {
        "model": request.model.profile.id,
        "messages": prepare_messages(
            messages,
            request.model.profile,
            preserve_thinking=request.preserve_thinking,
        ),
    }
    for name in _PLAIN:
        value = getattr(options, name)
        if value is not None:
            body[name] = value
    if options.stop:
        stop = options.stop
        body["stop"] = stop if isinstance(stop, str) else list(stop)
    if request.thinking is not None:
        body["enable_thinking"] = request.thinking
    if not options.tools:
        body.pop("parallel_tool_calls", None)
    body["stream"] = request.stream
    if request.stream and include_usage:
        body["stream_options"] = {"include_usage": True}
    return body | dict(options.extra_body or {})


class Parser:
    r"""Turn the bytes of one response into events. Pushed, pure and used once.

    Feed it the bytes of a stream as they come, or one whole body, then close it. An
    error of the service raises where it stands, after the events before it.

    Example:
        >>> parser = Parser(ErrorContext(None, "openai", "127.0.0.1"))
        >>> parser.feed(b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n')
        [TextDelta(text='Hi', choice=0)]
    """

    def __init__(self, context: ErrorContext, *, request_id: str | None = None) -> None:
        """Begin a response.

        Args:
            context: What errors need to know of the request.
            request_id: The id in the response's header.
        """
        self.done = False
        self._context = context
        self._request_id = request_id
        self._splitter = EventSplitter()
        self._common: dict[str, Any] = {}
        self._whole: dict[str, Any] | None = None
        self._usage: dict[str, Any] | None = None
        self._choices: dict[int, _Choice] = {}
        self._error: Exception | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes of a stream and return the events that they complete.

        Raises:
            APIError: The service reports an error inside the stream. What came before
                it is returned first, and the error raised by the next call.
        """
        if self._error is not None:
            raise self._error
        events: list[Event] = []
        for raw in self._splitter.feed(chunk):
            try:
                self._take(raw, events)
            except Exception as error:
                if not events:
                    raise
                self._error = error
                break
        return events

    def feed_whole(self, body: bytes) -> list[Event]:
        """Take a body that is one JSON object; then close.

        Raises:
            APIError: The body is an error, or is not JSON.
        """
        try:
            parsed = _load(body)
        except ValueError:
            text = body[:500].decode(errors="replace")
            raise self._context.error(
                IncompleteStreamError,
                f"The answer is not JSON: it begins with {text[:80]!r}.",
                body=text,
                request_id=self._request_id,
            ) from None
        events: list[Event] = []
        self._add(parsed, events)
        if not self._choices:
            raise self._context.from_payload(None, parsed, request_id=self._request_id)
        self._whole = cast("dict[str, Any]", parsed)
        self.done = True
        return events

    def close(self) -> list[Event]:
        """End the response and return its ``Finish`` events.

        Raises:
            IncompleteStreamError: Neither a finish reason nor the closing ``[DONE]``
                was seen.
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
        usage = parse_usage(self._usage) if self._usage else None
        for index, choice in sorted((self._choices or {0: _Choice()}).items()):
            events.extend(choice.unnamed_calls(index, self._common.get("id")))
            events.append(self._finish(index, choice, usage))
        return events

    @property
    def finished(self) -> bool:
        """Whether a finish reason or ``[DONE]`` was seen: the answer is whole."""
        if self.done:
            return True
        return bool(self._choices) and all(c.reason for c in self._choices.values())

    @property
    def request_id(self) -> str | None:
        """The header's id, else the one that the answer's own id is made of."""
        if self._request_id:
            return self._request_id
        own = self._common.get("request_id") or self._common.get("id")
        return str(own).removeprefix("chatcmpl-") if own else None

    def _take(self, raw: bytes, events: list[Event]) -> None:
        if raw.startswith(_PREFIX) and b"\n" not in raw:
            data = raw[len(_PREFIX) :]
        else:
            data = field_of(raw, b"data")
        if not data:
            return
        if data == _DONE:
            self.done = True
            return
        try:
            parsed = _load(data)
        except ValueError:
            raise self._context.error(
                IncompleteStreamError,
                f"An event of the stream is not JSON: {data[:80]!r}.",
                body=data[:500].decode(errors="replace"),
                request_id=self.request_id,
            ) from None
        self._add(parsed, events)

    def _take_rest(self, rest: bytes, events: list[Event]) -> None:
        """Take an event without its blank line; half of one is a cut, not an event."""
        try:
            self._take(rest, events)
        except IncompleteStreamError:
            if not self.finished:
                raise

    def _add(self, parsed: object, events: list[Event]) -> None:
        try:
            self._add_chunk(parsed, events)
        except (AttributeError, KeyError, TypeError):
            raise self._context.error(
                IncompleteStreamError,
                f"An answer has a shape that is not known: {str(parsed)[:200]}",
                body=parsed,
                request_id=self.request_id,
            ) from None

    def _add_chunk(self, parsed: object, events: list[Event]) -> None:
        if not isinstance(parsed, dict):
            raise self._context.from_payload(None, parsed, request_id=self._request_id)
        chunk = cast("dict[str, Any]", parsed)
        if chunk.get("error"):
            raise self._context.from_payload(None, chunk, request_id=self._request_id)
        choices = chunk.get("choices")
        if choices is None and chunk.get("code"):
            raise self._context.from_payload(None, chunk, request_id=self._request_id)
        if not self._common:
            self._common = {k: v for k, v in chunk.items() if k != "choices"}
        if usage := chunk.get("usage"):
            self._usage = usage
        for choice in choices or ():
            self._add_choice(choice, events)

    def _add_choice(self, raw: dict[str, Any], events: list[Event]) -> None:
        index = raw.get("index") or 0
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
        delta = raw.get("delta") or raw.get("message")
        if delta:
            if text := delta.get("reasoning_content") or delta.get("reasoning"):
                events.append(ReasoningDelta(text, index))
            if text := delta.get("content"):
                events.append(TextDelta(_flatten(text), index))
            if calls := delta.get("tool_calls"):
                events.extend(choice.add_calls(calls, index))
        if reason := raw.get("finish_reason"):
            choice.reason = reason
        if logprobs := raw.get("logprobs"):
            choice.logprobs.extend(logprobs.get("content") or ())

    def _finish(self, index: int, choice: "_Choice", usage: Usage | None) -> Finish:
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
            response_id=common.get("id"),
            model=common.get("model"),
            created=common.get("created"),
            logprobs=choice.logprobs or None,
            raw=raw,
            choice=index,
        )


class _Choice:
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
        call_id, name = call.get("id") or "", function.get("name") or ""
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

    def unnamed_calls(self, choice: int, response_id: object) -> list[Event]:
        """Give an id to each call that came without one: histories need it."""
        return [
            ToolCallDelta(
                slot, f"call_{response_id or uuid4().hex}_{slot}", None, "", choice
            )
            for slot, known in enumerate(self._calls)
            if not known[0]
        ]


def parse_usage(raw: Mapping[str, Any]) -> Usage:
    """Read token counts; each detail may be absent, and absent is not zero."""
    inputs: Mapping[str, Any] = raw.get("prompt_tokens_details") or {}
    outputs: Mapping[str, Any] = raw.get("completion_tokens_details") or {}
    input_tokens = raw.get("prompt_tokens") or 0
    output_tokens = raw.get("completion_tokens") or 0
    created = inputs.get("cache_creation_input_tokens")
    if created is None:
        created = raw.get("cache_creation_input_tokens")
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=raw.get("total_tokens") or input_tokens + output_tokens,
        reasoning_tokens=outputs.get("reasoning_tokens"),
        cached_tokens=inputs.get("cached_tokens"),
        cache_creation_tokens=created,
        raw=raw,
    )


def _flatten(content: object) -> str:
    """Return content as text; a list of parts is what some models answer with."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = cast("list[Mapping[str, Any]]", content)
        return "".join(str(part.get("text") or "") for part in parts)
    return str(content)


def _as_text(arguments: object) -> str:
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False)


def _load(data: bytes) -> object:
    """Parse JSON; the slower parser takes half a surrogate pair, the fast one not."""
    try:
        return from_json(data)
    except ValueError:
        return json.loads(data)
