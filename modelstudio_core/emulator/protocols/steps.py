"""The steps in which a response is sent; pauses and cut connections are steps too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Cut", "Head", "Pause", "Step", "add_pauses", "complete_response"]


@dataclass(frozen=True, slots=True)
class Head:
    """Send the status and the headers."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut the connection; this is the last step."""


Step = Head | Pause | Cut | bytes


def complete_response(
    status: int, headers: Mapping[str, str], body: bytes
) -> list[Step]:
    """Build a response whose length is known."""
    return [Head(status, {**headers, "content-length": str(len(body))}), body]


def add_pauses(events: Sequence[bytes], delay: float) -> list[Step]:
    """Put a pause before each event except the first."""
    if not delay or not events:
        return list(events)
    pause = Pause(delay)
    return [events[0], *(step for event in events[1:] for step in (pause, event))]
