"""A response as the steps that it is sent in, so that a fault is a step as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Cut", "Head", "Pause", "Step", "paced"]


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
    """Cut the connection; nothing follows."""


Step = Head | Pause | Cut | bytes


def paced(events: Sequence[bytes], delay: float) -> list[Step]:
    """Put a pause before each event but the first."""
    if not delay or not events:
        return list(events)
    pause = Pause(delay)
    return [events[0], *(step for event in events[1:] for step in (pause, event))]
