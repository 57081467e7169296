"""Joining the events of an answer."""

from typing import assert_never

from modelstudio_core.chat.events import (
    Citation,
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.messages import ToolCall

__all__ = ["Completion"]


class Completion:
    """One choice of an answer, joined from its events.

    Increments are kept in a list and joined when they are read, so that the time for a
    stream is linear in its length.

    Attributes:
        citations: The results of the service's web search.
        finish: The last event; None until it has been added.

    Example:
        >>> completion = Completion()
        >>> for text in ("Hel", "lo"):
        ...     completion.add(TextDelta(text))
        >>> completion.text
        'Hello'
    """

    __slots__ = ("_calls", "_reasoning", "_text", "citations", "finish")

    def __init__(self) -> None:
        """Create an empty answer."""
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._calls: dict[int, _Call] = {}
        self.citations: list[Citation] = []
        self.finish: Finish | None = None

    def add(self, event: Event) -> None:
        """Add the next event of this choice."""
        match event:
            case TextDelta():
                self._text.append(event.text)
            case ReasoningDelta():
                self._reasoning.append(event.text)
            case ToolCallDelta():
                self._calls.setdefault(event.index, _Call()).add(event)
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
