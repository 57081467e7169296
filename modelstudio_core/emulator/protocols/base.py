"""What a protocol must be able to write: the emulator asks for nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from modelstudio_core.chat.events import Usage
from modelstudio_core.emulator.model.answers import Answer
from modelstudio_core.emulator.model.query import Ask, Refusal
from modelstudio_core.emulator.script import Reply

__all__ = ["Generation", "Stamp", "Wire", "prompt_details"]

Generation = Literal["empty", "null"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What one response carries besides its answer.

    Attributes:
        request_id: The id of the request, in the header and in the body.
        generation: Which of the recorded shapes is written.
    """

    request_id: str
    generation: Generation

    @property
    def response_id(self) -> str:
        """The answer's id on the OpenAI-compatible protocol."""
        return f"chatcmpl-{self.request_id}"


class Wire(Protocol):
    """One protocol.

    Attributes:
        whole_type: The content type of a whole answer and of a refusal.
        stream_type: The content type of a stream.
    """

    whole_type: ClassVar[str]
    stream_type: ClassVar[str]

    def read(self, body: object, headers: Mapping[str, str]) -> Ask:
        """Read a request, flat or not, or raise ``Refusal``."""
        ...

    def check(self, ask: Ask) -> None:
        """Check what this protocol alone asks for, or raise ``Refusal``."""
        ...

    def refuses_inside(self, stamp: Stamp) -> bool:
        """Tell whether a model's refusal of a stream is an event of it."""
        ...

    def whole(
        self, ask: Ask, answers: Sequence[Answer], stamp: Stamp, reply: Reply
    ) -> bytes:
        """Write an answer that is not a stream."""
        ...

    def events(
        self, ask: Ask, answers: Sequence[Answer], stamp: Stamp, reply: Reply
    ) -> list[bytes]:
        """Write the events of a stream."""
        ...

    def refused(self, refusal: Refusal, stamp: Stamp) -> bytes:
        """Write the body of a refusal."""
        ...

    def error_event(self, refusal: Refusal, stamp: Stamp, number: int) -> bytes:
        """Write an error as an event of a stream, the one of this number."""
        ...


def prompt_details(usage: Usage) -> dict[str, Any]:
    """Write what the context cache had of a prompt: the same on both protocols."""
    details: dict[str, Any] = {"cached_tokens": usage.cached_tokens}
    created = usage.cache_creation_tokens
    if created is None:
        return details
    return {
        "cache_creation": {"ephemeral_5m_input_tokens": created},
        "cache_creation_input_tokens": created,
        "cache_type": "ephemeral",
        **details,
    }
