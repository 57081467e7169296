"""The OpenAI-compatible protocol.

The shapes are those of recorded exchanges: generation ``null`` of February 2026,
generation ``empty`` of May to August 2026.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from typing import ClassVar, Final

from modelstudio_core.emulator.json_values import JsonObject, dump, is_object
from modelstudio_core.emulator.model.answers import Answer
from modelstudio_core.emulator.model.logprobs import split_logprobs
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.tokens import Usage
from modelstudio_core.emulator.protocols.base import write_prompt_details, write_speech
from modelstudio_core.emulator.protocols.chat_query import parse_flat_body
from modelstudio_core.emulator.protocols.openai_deltas import (
    accumulate_deltas,
    build_deltas,
    build_last_delta,
)
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import sourced
from modelstudio_core.emulator.script import Reply
from modelstudio_core.emulator.studio import ResponseContext

__all__ = ["CREATED", "OpenAIProtocol"]

# 2026-09-01: answers do not depend on the current date.
CREATED: Final = 1_788_220_800


class OpenAIProtocol:
    """Requests and answers of ``/compatible-mode/v1``.

    Attributes:
        content_type: The content type of a complete answer and of an error.
        stream_content_type: The content type of a stream.
    """

    content_type: ClassVar[str] = "application/json"
    stream_content_type: ClassVar[str] = "text/event-stream;charset=utf-8"

    @sourced("public report, 2026-04", "2026-11-27")
    def parse(self, body: object, headers: Mapping[str, str]) -> ChatQuery:
        """Parse a request; its body is flat already."""
        if not is_object(body):
            raise Refusal(
                "We could not parse the JSON body of your request.",
                code=None,
                gateway=True,
            )
        return parse_flat_body(body, headers)

    def check(self, query: ChatQuery) -> None:
        """Accept each request: this protocol has no rules besides the common ones."""

    def refuses_in_stream(self, context: ResponseContext) -> bool:
        """Return what was recorded: True 2026-02 to 2026-04, False in 2026-08."""
        return context.generation == "null"

    def write_answer(
        self,
        query: ChatQuery,
        answers: Sequence[Answer],
        context: ResponseContext,
        reply: Reply,
    ) -> bytes:
        """Write the body of a response that is not a stream."""
        choices = [_choice(i, answer, context) for i, answer in enumerate(answers)]
        body: JsonObject = {
            "choices": choices,
            "created": CREATED,
            "id": context.response_id,
            "model": query.model,
            "object": "chat.completion",
        }
        if context.generation == "null":
            body["system_fingerprint"] = None
        if "usage" not in reply.omit:
            body["usage"] = reply.usage or _usage(query, answers[0].usage)
        return dump(body).encode()

    def write_events(
        self,
        query: ChatQuery,
        answers: Sequence[Answer],
        context: ResponseContext,
        reply: Reply,
    ) -> list[bytes]:
        """Write the events of a stream, each with the blank line that ends it."""
        chunks = reply.raw_chunks
        if chunks is None:
            chunks = _chunks(query, answers, context, reply)
        events = [_event(dump(chunk)) for chunk in chunks]
        return events if "done" in reply.omit else [*events, _event("[DONE]")]

    def write_error(self, refusal: Refusal, context: ResponseContext) -> bytes:
        """Write the body of an error response."""
        body: JsonObject = {"error": _error(refusal)}
        if not refusal.gateway:
            body["id"] = context.response_id
        body["request_id"] = context.request_id
        return dump(body).encode()

    def write_error_event(
        self, refusal: Refusal, context: ResponseContext, number: int
    ) -> bytes:
        """Write an error as an event of a stream (recorded 2026-02 to 2026-04)."""
        del number
        return _event(dump({"error": _error(refusal), "id": context.response_id}))


def _choice(index: int, answer: Answer, context: ResponseContext) -> JsonObject:
    message: JsonObject = {"content": answer.text}
    if answer.speech is not None:
        message["audio"] = write_speech(answer.speech)
    if answer.thinking:
        message["reasoning_content"] = answer.reasoning
    message["role"] = "assistant"
    if answer.tool_calls:
        message["tool_calls"] = [
            {
                "function": {"arguments": call.arguments, "name": call.name},
                "id": call.id,
                "index": position,
                "type": "function",
            }
            for position, call in enumerate(answer.tool_calls)
        ]
    choice: JsonObject = {
        "finish_reason": answer.finish_reason,
        "index": index,
        "message": message,
    }
    if context.generation == "null" or answer.logprobs:
        choice["logprobs"] = _logprobs(answer.logprobs)
    return choice


# --- Streams ----------------------------------------------------------------------


def _chunks(
    query: ChatQuery,
    answers: Sequence[Answer],
    context: ResponseContext,
    reply: Reply,
) -> list[JsonObject]:
    """Build the chunks of a stream; the choices of ``n`` answers alternate."""
    columns = [
        _stream_choices(query, index, answer, context, reply)
        for index, answer in enumerate(answers)
    ]
    choices = chain.from_iterable(zip_longest(*columns))
    chunks = [_chunk(query, context, [choice]) for choice in choices if choice]
    if query.includes_usage and "usage" not in reply.omit:
        usage = reply.usage or _usage(query, answers[0].usage)
        chunks.append(_chunk(query, context, [], usage))
    return chunks


def _chunk(
    query: ChatQuery,
    context: ResponseContext,
    choices: list[JsonObject],
    usage: Mapping[str, object] | None = None,
) -> JsonObject:
    return {
        "model": query.model,
        "id": context.response_id,
        "choices": choices,
        "created": CREATED,
        "object": "chat.completion.chunk",
        "usage": usage,
    }


def _stream_choices(
    query: ChatQuery, index: int, answer: Answer, context: ResponseContext, reply: Reply
) -> list[JsonObject]:
    deltas: Sequence[Mapping[str, object]] | None = reply.deltas
    last = build_last_delta(answer, context.generation)
    if deltas is None:
        built = build_deltas(answer, context.generation)
        if query.profile.streams_cumulatively:
            *built, last = accumulate_deltas([*built, last])
        deltas = built
    choices = [_stream_choice(index, delta, None, context) for delta in deltas]
    if context.generation == "null" and choices:
        choices[0] = {"logprobs": None, **choices[0]}
    if answer.logprobs:
        with_text = [c for c in choices if c["delta"].get("content")] or choices[-1:]
        texts = [str(choice["delta"].get("content")) for choice in with_text]
        split = split_logprobs(answer.logprobs, texts)
        for choice, entries in zip(with_text, split, strict=True):
            choice["logprobs"] = _logprobs(entries)
    if answer.finish_reason is not None:
        choices.append(_stream_choice(index, last, answer.finish_reason, context))
    return choices


def _stream_choice(
    index: int,
    delta: Mapping[str, object],
    finish_reason: str | None,
    context: ResponseContext,
) -> JsonObject:
    choice: JsonObject = {"delta": delta, "index": index}
    if context.generation == "empty":
        return {**choice, "finish_reason": finish_reason, "logprobs": None}
    if finish_reason is None:
        return choice
    return {**choice, "finish_reason": finish_reason}


# --- Parts ------------------------------------------------------------------------


def _usage(query: ChatQuery, usage: Usage) -> JsonObject:
    counts: JsonObject = {
        "total_tokens": usage.total_tokens,
        "completion_tokens": usage.output_tokens,
        "prompt_tokens": usage.input_tokens,
    }
    if usage.output_details:
        counts["completion_tokens_details"] = usage.output_details
    counts["prompt_tokens_details"] = write_prompt_details(usage)
    if usage.pages and query.body.get("include_tool_usage"):
        counts["x_tools"] = {"pdf_page_parser": {"count": usage.pages}}
    return counts


def _logprobs(entries: Sequence[Mapping[str, object]] | None) -> JsonObject | None:
    return {"content": list(entries)} if entries else None


def _error(refusal: Refusal) -> JsonObject:
    return {
        "message": refusal.message,
        "type": refusal.type,
        "param": None,
        "code": refusal.code,
    }


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()
