"""The OpenAI-compatible protocol: requests read, answers and errors written.

The shapes are those of recorded exchanges: generation ``null`` of February 2026,
generation ``empty`` of May to August 2026.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any, ClassVar, Final

from modelstudio_core.catalog import known_models, resolve_model
from modelstudio_core.chat.events import Usage
from modelstudio_core.emulator.json_values import dump, is_object
from modelstudio_core.emulator.model.answers import Answer
from modelstudio_core.emulator.model.query import Ask, Refusal
from modelstudio_core.emulator.protocols.base import Stamp, prompt_details
from modelstudio_core.emulator.protocols.openai_deltas import deltas_of, last_delta
from modelstudio_core.emulator.script import Reply

__all__ = ["Compatible", "models_body"]

# The first of September 2026: answers do not depend on the day.
_CREATED: Final = 1_788_220_800

Json = dict[str, Any]


class Compatible:
    """How requests and answers look on ``/compatible-mode/v1``."""

    whole_type: ClassVar[str] = "application/json"
    stream_type: ClassVar[str] = "text/event-stream;charset=utf-8"

    def read(self, body: object, headers: Mapping[str, str]) -> Ask:
        """Read a request; its body is flat already."""
        del headers
        if not is_object(body):
            raise Refusal(
                "We could not parse the JSON body of your request.",
                code=None,
                gateway=True,
            )
        return Ask.read(body)

    def check(self, ask: Ask) -> None:
        """Refuse nothing: the rules of both protocols are all that it has."""

    def refuses_inside(self, stamp: Stamp) -> bool:
        """Say what was recorded: yes 2026-02 to 2026-04, no in 2026-08."""
        return stamp.generation == "null"

    def whole(
        self, ask: Ask, answers: Sequence[Answer], stamp: Stamp, reply: Reply
    ) -> bytes:
        """Write an answer that is not a stream."""
        choices = [_whole_choice(i, a, stamp) for i, a in enumerate(answers)]
        body: Json = {
            "choices": choices,
            "created": _CREATED,
            "id": stamp.response_id,
            "model": ask.model,
            "object": "chat.completion",
        }
        if stamp.generation == "null":
            body["system_fingerprint"] = None
        if "usage" not in reply.omit:
            body["usage"] = reply.usage or _usage(answers[0].usage)
        return dump(body).encode()

    def events(
        self, ask: Ask, answers: Sequence[Answer], stamp: Stamp, reply: Reply
    ) -> list[bytes]:
        """Write the events of a stream, each with the blank line that ends it."""
        chunks = reply.raw_chunks
        if chunks is None:
            chunks = _chunks(ask, answers, stamp, reply)
        events = [_event(dump(chunk)) for chunk in chunks]
        return events if "done" in reply.omit else [*events, _event("[DONE]")]

    def refused(self, refusal: Refusal, stamp: Stamp) -> bytes:
        """Write the body of a refusal."""
        error: Json = {"error": _error(refusal)}
        if not refusal.gateway:
            error["id"] = stamp.response_id
        error["request_id"] = stamp.request_id
        return dump(error).encode()

    def error_event(self, refusal: Refusal, stamp: Stamp, number: int) -> bytes:
        """Write an error as an event of a stream (recorded 2026-02 to 2026-04)."""
        del number
        return _event(dump({"error": _error(refusal), "id": stamp.response_id}))


def models_body() -> Json:
    """Return the list of the models that are served."""
    served = [name for name in known_models() if not resolve_model(name).delisted]
    data = [
        {"id": name, "object": "model", "created": _CREATED, "owned_by": "system"}
        for name in served
    ]
    return {
        "object": "list",
        "data": data,
        "first_id": served[0],
        "last_id": served[-1],
        "has_more": False,
    }


def _whole_choice(index: int, answer: Answer, stamp: Stamp) -> Json:
    message: Json = {"content": answer.text}
    if answer.thinking:
        message["reasoning_content"] = answer.reasoning
    message["role"] = "assistant"
    if answer.calls:
        message["tool_calls"] = [
            {
                "function": {"arguments": call.arguments, "name": call.name},
                "id": call.id,
                "index": position,
                "type": "function",
            }
            for position, call in enumerate(answer.calls)
        ]
    choice: Json = {
        "finish_reason": answer.finish_reason,
        "index": index,
        "message": message,
    }
    if stamp.generation == "null" or answer.logprobs:
        choice["logprobs"] = _logprobs(answer)
    return choice


# --- Streams ----------------------------------------------------------------------


def _chunks(
    ask: Ask, answers: Sequence[Answer], stamp: Stamp, reply: Reply
) -> list[Json]:
    """Make the chunks of a stream; the choices of ``n`` answers take turns."""
    columns = [
        _stream_choices(index, answer, stamp, reply)
        for index, answer in enumerate(answers)
    ]
    rows = chain.from_iterable(zip_longest(*columns))
    chunks = [_chunk(ask, stamp, [choice]) for choice in rows if choice]
    if ask.includes_usage and "usage" not in reply.omit:
        usage = reply.usage or _usage(answers[0].usage)
        chunks.append(_chunk(ask, stamp, [], usage))
    return chunks


def _chunk(
    ask: Ask,
    stamp: Stamp,
    choices: list[Json],
    usage: Mapping[str, Any] | None = None,
) -> Json:
    return {
        "model": ask.model,
        "id": stamp.response_id,
        "choices": choices,
        "created": _CREATED,
        "object": "chat.completion.chunk",
        "usage": usage,
    }


def _stream_choices(
    index: int, answer: Answer, stamp: Stamp, reply: Reply
) -> list[Json]:
    deltas = reply.deltas
    if deltas is None:
        deltas = deltas_of(answer, stamp.generation)
    choices = [_choice(index, delta, None, stamp) for delta in deltas]
    if stamp.generation == "null" and choices:
        choices[0] = {"logprobs": None, **choices[0]}
    if answer.logprobs:
        said = next((c for c in choices if c["delta"].get("content")), choices[-1])
        said["logprobs"] = _logprobs(answer)
    if answer.finish_reason is not None:
        end = last_delta(answer, stamp.generation)
        choices.append(_choice(index, end, answer.finish_reason, stamp))
    return choices


def _choice(
    index: int, delta: Mapping[str, Any], reason: str | None, stamp: Stamp
) -> Json:
    choice: Json = {"delta": delta, "index": index}
    if stamp.generation == "empty":
        return {**choice, "finish_reason": reason, "logprobs": None}
    return choice if reason is None else {**choice, "finish_reason": reason}


# --- Parts ------------------------------------------------------------------------


def _usage(usage: Usage) -> Json:
    counts: Json = {
        "total_tokens": usage.total_tokens,
        "completion_tokens": usage.output_tokens,
        "prompt_tokens": usage.input_tokens,
    }
    if usage.reasoning_tokens is not None:
        counts["completion_tokens_details"] = {
            "reasoning_tokens": usage.reasoning_tokens
        }
    counts["prompt_tokens_details"] = prompt_details(usage)
    return counts


def _logprobs(answer: Answer) -> Json | None:
    return {"content": list(answer.logprobs)} if answer.logprobs else None


def _error(refusal: Refusal) -> Json:
    return {
        "message": refusal.message,
        "type": refusal.type,
        "param": None,
        "code": refusal.code,
    }


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()
