"""Joining the events of an answer."""

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, assert_never, cast

from modelstudio_core.chat.events import (
    AudioDelta,
    Citation,
    Citations,
    ContentParts,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.messages import ToolCall
from modelstudio_core.chat.speech import Speech
from modelstudio_core.wire.json_values import check_values

__all__ = ["Completion", "ParsedCall", "image_urls", "parse_call"]

_T = TypeVar("_T")
# The names of an image in content, in both protocols.
_IMAGE_NAMES = ("image", "image_url")
# Finish reasons after which a call without arguments may be cut off.
_CUT_OFF = ("length", None)


class ParsedCall(NamedTuple):
    """A tool call of an answer, with its arguments parsed.

    Attributes:
        id: The id of the call.
        name: The name of the tool.
        text: The JSON text of the arguments, as the model wrote it.
        arguments: The arguments; None if they are incomplete or no JSON object.
        problem: Why ``arguments`` is None; else empty.
    """

    id: str
    name: str
    text: str
    arguments: dict[str, Any] | None
    problem: str = ""


def parse_call(call: ToolCall, finish_reason: str | None) -> ParsedCall:
    """Parse the arguments of a tool call, which may be cut off.

    Args:
        call: The call.
        finish_reason: The finish reason of the answer.

    Example:
        >>> function = {"name": "search", "arguments": '{"pattern": '}
        >>> call = {"id": "call_1", "type": "function", "function": function}
        >>> parse_call(call, "length").arguments is None
        True
    """
    name, text = call["function"]["name"], call["function"]["arguments"]
    arguments: object = None
    problem = "The arguments are not a JSON object."
    try:
        if text.strip():
            check_values(text)
            # Models write line ends inside strings.
            arguments = json.loads(text, strict=False)
        elif finish_reason in _CUT_OFF:
            problem = "The answer was cut off before the arguments."
        else:
            arguments = {}
    except (ValueError, RecursionError) as error:
        problem = f"The arguments are not valid JSON: {error}"
    if not isinstance(arguments, dict):
        return ParsedCall(call["id"], name, text, None, problem)
    return ParsedCall(call["id"], name, text, cast("dict[str, Any]", arguments))


def image_urls(parts: Mapping[str, object]) -> list[str]:
    """Return the URLs of the images among parts of the content.

    Args:
        parts: The parts by the service's own names.

    Example:
        >>> image_urls({"image": "https://example.com/a.png", "image_hw": [[1, 2]]})
        ['https://example.com/a.png']
    """
    images: list[object] = []
    for name in _IMAGE_NAMES:
        value = parts.get(name)
        images += cast("list[object]", value) if isinstance(value, list) else [value]
    urls = [
        cast("Mapping[str, object]", image).get("url")
        if isinstance(image, Mapping)
        else image
        for image in images
    ]
    return [url for url in urls if isinstance(url, str) and url]


class Completion:
    """One choice of an answer, joined from its events.

    Increments are kept in a list and joined when they are read, so that the time for a
    stream is linear in its length.

    Attributes:
        citations: The results of the service's web search.
        parts: The parts of the content that are neither text nor sound, by the
            service's own names.
        finish: The last event; None until it has been added.

    Example:
        >>> completion = Completion()
        >>> for text in ("Hel", "lo"):
        ...     completion.add(TextDelta(text))
        >>> completion.text
        'Hello'
    """

    __slots__ = (
        "_audio",
        "_calls",
        "_calls_so_far",
        "_reasoning",
        "_text",
        "citations",
        "finish",
        "parts",
    )

    def __init__(self) -> None:
        """Create an empty answer."""
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._calls_so_far: _CallsSoFar | None = None
        self._audio: list[AudioDelta] = []
        self.parts: Mapping[str, Any] = {}
        self.citations: list[Citation] = []
        self.finish: Finish | None = None

    @classmethod
    def of_text(cls, text: str, reasoning: str, finish: Finish) -> "Completion":
        """Return an answer that is complete and has nothing but text.

        Args:
            text: The text.
            reasoning: The reasoning; empty if there is none.
            finish: The last event.
        """
        completion = cls()
        if text:
            completion._text.append(text)
        if reasoning:
            completion._reasoning.append(reasoning)
        completion.finish = finish
        return completion

    def add(self, event: Event) -> None:
        """Add the next event of this choice."""
        match event:
            case TextDelta():
                self._text.append(event.text)
            case ReasoningDelta():
                self._reasoning.append(event.text)
            case ToolCallDelta():
                self._calls.setdefault(event.index, _Call()).add(event)
                if self._calls_so_far is not None:
                    self._calls_so_far.changed.add(event.index)
            case AudioDelta():
                self._audio.append(event)
            case ContentParts():
                self.parts = event.parts
            case Citations():
                self.citations = event.results
            case Finish():
                self.finish = event
            case _:
                assert_never(event)

    @property
    def is_plain(self) -> bool:
        """Whether it has neither tool calls nor citations so far."""
        return not self._calls and not self.citations

    @property
    def reasoning(self) -> str:
        """The reasoning; empty if there is none."""
        if len(self._reasoning) > 1:
            self._reasoning = ["".join(self._reasoning)]
        return self._reasoning[0] if self._reasoning else ""

    @property
    def text(self) -> str:
        """The text of the answer."""
        if len(self._text) > 1:
            self._text = ["".join(self._text)]
        return self._text[0] if self._text else ""

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The tool calls in their order. The dicts are new in each call."""
        return [self._calls[index].to_tool_call() for index in sorted(self._calls)]

    @property
    def parsed_calls(self) -> list[ParsedCall]:
        """The tool calls in their order, with their arguments parsed."""
        reason = self.finish.finish_reason if self.finish else None
        return [parse_call(call, reason) for call in self.tool_calls]

    def calls_so_far(
        self, convert: Callable[[ParsedCall], _T]
    ) -> tuple[list[ToolCall], list[_T]]:
        """Return the tool calls of an answer that goes on, and what they convert to.

        A call is converted again only after it changed: until then the results share
        the objects, so that a stream of many calls takes little more time than one of
        few. Its arguments are parsed only if they may be complete.

        Args:
            convert: A function of a call. It must be the same one each time.

        Returns:
            The calls in their order, and the results. The lists are new in each call.
        """
        if self._calls_so_far is None:
            self._calls_so_far = _CallsSoFar(set(self._calls))
        return self._calls_so_far.update(self._calls, convert)

    @property
    def image_urls(self) -> list[str]:
        """The URLs of the images in the content, which may be ``data:`` URLs."""
        return image_urls(self.parts)

    @property
    def speech(self) -> Speech | None:
        """The sound; None if there is none."""
        if not self._audio:
            return None
        fields: dict[str, Any] = {}
        for event in self._audio:
            fields |= event.fields
        return Speech(
            data="".join(event.data for event in self._audio),
            transcript="".join(event.transcript for event in self._audio),
            fields=fields,
        )


class _Call:
    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []

    def add(self, delta: ToolCallDelta) -> None:
        self.id = self.id or delta.id or ""
        self.name = self.name or delta.name or ""
        self.arguments.append(delta.arguments)

    def to_tool_call(self) -> ToolCall:
        arguments = "".join(self.arguments)
        self.arguments = [arguments]
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": arguments},
        }


class _CallsSoFar:
    """The calls of an answer that goes on, converted."""

    __slots__ = ("_calls", "_indexes", "_results", "changed")

    def __init__(self, changed: set[int]) -> None:
        self.changed = changed
        self._indexes: list[int] = []
        self._calls: list[ToolCall] = []
        self._results: list[Any] = []

    def update(
        self, calls: Mapping[int, _Call], convert: Callable[[ParsedCall], _T]
    ) -> tuple[list[ToolCall], list[_T]]:
        for index in self.changed:
            call = calls[index].to_tool_call()
            place = bisect_left(self._indexes, index)
            replaced = int(self._indexes[place : place + 1] == [index])
            end = place + replaced
            self._indexes[place:end] = [index]
            self._calls[place:end] = [call]
            self._results[place:end] = [convert(_parse_partly(call))]
        self.changed.clear()
        return self._calls.copy(), self._results.copy()


def _parse_partly(call: ToolCall) -> ParsedCall:
    """Parse a call whose arguments may go on. Only an object ends with a brace."""
    name, text = call["function"]["name"], call["function"]["arguments"]
    if text.rstrip().endswith("}"):
        return parse_call(call, None)
    return ParsedCall(call["id"], name, text, None, "The arguments are incomplete.")
