"""The interfaces of a protocol: errors for any service, and chat."""

import base64
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Protocol

from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.model.answers import Answer
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.sound import Speech
from modelstudio_core.emulator.model.tokens import Usage
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.script import Reply
from modelstudio_core.emulator.studio import ResponseContext

__all__ = [
    "ChatProtocol",
    "ErrorProtocol",
    "write_prompt_details",
    "write_sound",
    "write_speech",
]

# 2026-09-01, an hour after the answer: answers do not depend on the current date.
_SOUND_EXPIRES: Final = 1_788_224_400


class ErrorProtocol(Protocol):
    """How a protocol writes errors, for any service.

    Attributes:
        content_type: The content type of a complete answer and of an error.
        stream_content_type: The content type of a stream.
    """

    content_type: ClassVar[str]
    stream_content_type: ClassVar[str]

    def refuses_in_stream(self, context: ResponseContext) -> bool:
        """Return whether a model's refusal of a stream is an event of the stream."""
        ...

    def write_error(self, refusal: Refusal, context: ResponseContext) -> bytes:
        """Write the body of an error response."""
        ...

    def write_error_event(
        self, refusal: Refusal, context: ResponseContext, number: int
    ) -> bytes:
        """Write an error as the event of a stream that has this number."""
        ...


class ChatProtocol(ErrorProtocol, Protocol):
    """How a protocol reads chat requests and writes their answers."""

    def parse(self, body: object, headers: Mapping[str, str]) -> ChatQuery:
        """Parse a request.

        Args:
            body: The JSON body.
            headers: The headers, with lower-case names.

        Raises:
            Refusal: The body lacks what each request has.
        """
        ...

    def check(self, query: ChatQuery) -> None:
        """Check the rules that only this protocol has.

        Raises:
            Refusal: A rule is violated.
        """
        ...

    def write_answer(
        self,
        query: ChatQuery,
        answers: Sequence[Answer],
        context: ResponseContext,
        reply: Reply,
    ) -> bytes:
        """Write the body of a response that is not a stream."""
        ...

    def write_events(
        self,
        query: ChatQuery,
        answers: Sequence[Answer],
        context: ResponseContext,
        reply: Reply,
    ) -> list[bytes]:
        """Write the events of a stream."""
        ...


def write_prompt_details(usage: Usage) -> JsonObject:
    """Write the ``prompt_tokens_details``, which both protocols share."""
    details: JsonObject = {"cached_tokens": usage.cached_tokens, **usage.input_details}
    created = usage.cache_creation_tokens
    if created is None:
        return details
    return {
        "cache_creation": {"ephemeral_5m_input_tokens": created},
        "cache_creation_input_tokens": created,
        "cache_type": "ephemeral",
        **details,
    }


def write_sound(speech: Speech, sound: bytes) -> JsonObject:
    """Write a part of the sound of an answer."""
    data = base64.b64encode(sound).decode()
    return {"data": data, "expires_at": _SOUND_EXPIRES, "id": speech.id}


def write_speech(speech: Speech) -> JsonObject:
    """Write the whole sound of an answer, and its text."""
    sound = b"".join(sound for _, sound in speech.pieces)
    transcript = "".join(text for text, _ in speech.pieces)
    return {**write_sound(speech, sound), "transcript": transcript}
