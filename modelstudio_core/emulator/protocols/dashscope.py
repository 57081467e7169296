"""The DashScope protocol.

The shapes are those of exchanges recorded from 2024-02 to 2026-08.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from typing import ClassVar, Final

from modelstudio_core.catalog import NativePath
from modelstudio_core.emulator.json_values import JsonObject, dump
from modelstudio_core.emulator.model.answers import Answer
from modelstudio_core.emulator.model.dashscope_form import (
    MULTIMODAL,
    is_incremental,
    is_text_format,
)
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.tokens import Usage
from modelstudio_core.emulator.model.web_search import (
    build_search_results,
    build_search_usage,
    has_search,
    has_sources,
)
from modelstudio_core.emulator.protocols.base import write_prompt_details, write_speech
from modelstudio_core.emulator.protocols.dashscope_chunks import (
    ChoiceChunk,
    build_chunks,
    build_empty_message,
    build_scripted_chunks,
)
from modelstudio_core.emulator.protocols.dashscope_request import parse_dashscope_chat
from modelstudio_core.emulator.rules.dashscope import check_dashscope_chat
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.script import Reply
from modelstudio_core.emulator.studio import ResponseContext

__all__ = ["DashScopeProtocol"]

# The string that the protocol sends where there is no finish reason yet.
_NO_FINISH_REASON: Final = "null"
_OK: Final = 200
# What a message on the multimodal path has as a part of its content.
_PARTS: Final = ("audio", "ocr_result")


class DashScopeProtocol:
    """Requests and answers of one path of ``/api/v1``.

    Attributes:
        content_type: The content type of a complete answer and of an error.
        stream_content_type: The content type of a stream.
    """

    content_type: ClassVar[str] = "application/json"
    stream_content_type: ClassVar[str] = "text/event-stream;charset=UTF-8"

    def __init__(self, path: NativePath) -> None:
        """Set the path, which decides the form of a message's content."""
        self._path: NativePath = path

    def parse(self, body: object, headers: Mapping[str, str]) -> ChatQuery:
        """Parse a request: ``input`` has the messages, ``parameters`` the options."""
        return parse_dashscope_chat(body, headers)

    def check(self, query: ChatQuery) -> None:
        """Check the path, the roles and the form of the answer."""
        check_dashscope_chat(query, self._path)

    def refuses_in_stream(self, context: ResponseContext) -> bool:
        """Return True: each recorded refusal of a stream is an event of it."""
        del context
        return True

    def write_answer(
        self,
        query: ChatQuery,
        answers: Sequence[Answer],
        context: ResponseContext,
        reply: Reply,
    ) -> bytes:
        """Write the body of a response that is not a stream."""
        writer = _Writer(query, self._path, answers, context, reply)
        return dump(writer.complete_body()).encode()

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
            chunks = _Writer(query, self._path, answers, context, reply).chunks()
        return [_event(n, "result", _OK, chunk) for n, chunk in enumerate(chunks, 1)]

    def write_error(self, refusal: Refusal, context: ResponseContext) -> bytes:
        """Write the body of an error response."""
        return dump(_error(refusal, context)).encode()

    def write_error_event(
        self, refusal: Refusal, context: ResponseContext, number: int
    ) -> bytes:
        """Write an error as an event; a comment of the event has the status."""
        return _event(number, "error", refusal.status, _error(refusal, context))


class _Writer:
    """Writes the answers to one request."""

    def __init__(
        self,
        query: ChatQuery,
        path: NativePath,
        answers: Sequence[Answer],
        context: ResponseContext,
        reply: Reply,
    ) -> None:
        self._query = query
        self._multimodal = path == MULTIMODAL
        self._text_format = is_text_format(query, path)
        self._answers = answers
        self._request_id = context.request_id
        self._reply = reply
        self._usage = answers[0].usage
        self._sources: Sequence[Mapping[str, object]] | None = reply.search_results
        if self._sources is None and has_sources(query):
            self._sources = build_search_results(query)

    def complete_body(self) -> JsonObject:
        choices = [self._choice(i, answer) for i, answer in enumerate(self._answers)]
        output = choices[0] if self._text_format else {"choices": choices}
        output |= self._tool_info(self._usage)
        return self._body(output, self._counts(self._usage), self._sources)

    def chunks(self) -> list[JsonObject]:
        """Build the data of the events; the choices of ``n`` answers alternate."""
        columns = [
            [(index, chunk) for chunk in self._choice_chunks(answer)]
            for index, answer in enumerate(
                self._answers[: 1 if self._text_format else None]
            )
        ]
        cells = [cell for cell in chain.from_iterable(zip_longest(*columns)) if cell]
        usages = self._running_usages([chunk for _, chunk in cells])
        bodies = [
            self._body(
                self._output(index, chunk) | self._tool_info(usage),
                self._counts(usage),
                [],
            )
            for (index, chunk), usage in zip(cells, usages, strict=True)
        ]
        if self._sources is None:
            return bodies
        return [self._search_body(self._sources), *bodies]

    def _tool_info(self, usage: Usage) -> JsonObject:
        code = self._answers[0].code
        if not usage.runs or code is None:
            return {}
        entry = {"code_interpreter": {"code": code}, "type": "code_interpreter"}
        return {"tool_info": [entry]}

    # --- Messages -----------------------------------------------------------------

    def _choice(self, index: int, answer: Answer) -> JsonObject:
        message: JsonObject = {"content": answer.text}
        # Recorded: on the multimodal path the key exists without thinking too.
        if answer.thinking or self._multimodal:
            message["reasoning_content"] = answer.reasoning
        if answer.speech is not None and self._multimodal:
            message["audio"] = write_speech(answer.speech)
        if answer.ocr_result is not None and self._multimodal:
            message["ocr_result"] = answer.ocr_result
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
        reason = answer.finish_reason or _NO_FINISH_REASON
        shaped = self._shape(message)
        if self._text_format:
            return {"finish_reason": reason, **shaped}
        choice = {"finish_reason": reason, **self._index(index), "message": shaped}
        return choice | _logprobs(answer.logprobs)

    def _choice_chunks(self, answer: Answer) -> list[ChoiceChunk]:
        deltas, incremental = self._reply.deltas, is_incremental(self._query)
        if deltas is None:
            return build_chunks(answer, self._shape, incremental=incremental)
        return build_scripted_chunks(
            deltas, answer, self._shape, incremental=incremental
        )

    def _output(self, index: int, chunk: ChoiceChunk) -> JsonObject:
        reason = chunk.finish_reason or _NO_FINISH_REASON
        if self._text_format:
            return {"finish_reason": reason, **chunk.message}
        choice: JsonObject = {
            "message": chunk.message,
            **self._index(index),
            "finish_reason": reason,
        }
        return {"choices": [choice | _logprobs(chunk.logprobs)]}

    def _shape(self, message: JsonObject) -> JsonObject:
        """Give a message the form that the request asks for."""
        text: str = message["content"]
        if self._text_format:
            return {"text": text}
        if not self._multimodal:
            return message
        parts: list[JsonObject] = [{"text": text}] if text else []
        parts += [{key: message[key]} for key in _PARTS if key in message]
        rest = {key: value for key, value in message.items() if key not in _PARTS}
        return {**rest, "content": parts}

    def _index(self, index: int) -> JsonObject:
        """Return the index, which is recorded only where tools were given."""
        has_index = len(self._answers) > 1 or bool(self._query.tools)
        return {"index": index} if has_index else {}

    # --- Bodies and usage ---------------------------------------------------------

    def _body(
        self,
        output: JsonObject,
        usage: Mapping[str, object],
        sources: Sequence[Mapping[str, object]] | None,
    ) -> JsonObject:
        body: JsonObject = {"output": output}
        if self._sources is not None:
            info: JsonObject = {"extra_tool_info": [], "search_results": sources}
            body["output"] = {**output, "search_info": info}
        if "usage" not in self._reply.omit:
            body["usage"] = usage
        return {**body, "request_id": self._request_id}

    def _search_body(self, sources: Sequence[Mapping[str, object]]) -> JsonObject:
        """Build the first event of a search: the results, without content or usage."""
        message = build_empty_message(self._answers[0])
        output = self._output(0, ChoiceChunk(message=self._shape(message)))
        body = self._body(output, {}, sources)
        body["output"]["search_info"] = {"search_results": sources}
        return body

    def _running_usages(self, chunks: Sequence[ChoiceChunk]) -> list[Usage]:
        """Count the tokens up to each chunk; the last one has all tokens."""
        final, usages, reasoning, output = self._usage, list[Usage](), 0, 0
        runs, thinks = 0, final.reasoning_tokens is not None
        for chunk in chunks:
            # Recorded: the code is in the events that follow the reasoning.
            runs = runs or (0 if chunk.new_reasoning_tokens else final.runs)
            output = min(output + chunk.new_tokens, final.output_tokens)
            reasoning += chunk.new_reasoning_tokens
            reasoning = min(reasoning, final.reasoning_tokens or 0)
            usages.append(
                replace(
                    final,
                    output_tokens=output,
                    reasoning_tokens=None if not thinks else reasoning,
                    runs=runs,
                )
            )
        return [*usages[:-1], final] if usages else []

    def _counts(self, usage: Usage) -> Mapping[str, object]:
        if self._reply.usage is not None:
            return self._reply.usage
        counts: JsonObject = {
            "total_tokens": usage.total_tokens,
            "output_tokens": usage.output_tokens,
            "input_tokens": usage.input_tokens,
        }
        if usage.output_details:
            counts["output_tokens_details"] = usage.output_details
        if usage.input_details:
            media = usage.media_tokens
            counts |= {f"{kind}_tokens": media[kind] for kind in sorted(media)}
            counts["input_tokens_details"] = usage.input_details
        if plugins := self._plugins(usage):
            counts["plugins"] = plugins
        counts["prompt_tokens_details"] = write_prompt_details(usage)
        return counts

    def _plugins(self, usage: Usage) -> JsonObject:
        plugins: JsonObject = {}
        if has_search(self._query) or self._sources is not None:
            plugins |= build_search_usage(self._query)
        if usage.runs:
            plugins["code_interpreter"] = {"count": usage.runs}
        if usage.pages:
            plugins["pdf_page_parser"] = {"count": usage.pages}
        return plugins


def _logprobs(entries: Sequence[Mapping[str, object]] | None) -> JsonObject:
    return {"logprobs": {"content": list(entries)}} if entries else {}


def _error(refusal: Refusal, context: ResponseContext) -> JsonObject:
    return {
        "code": refusal.dashscope_code,
        "message": refusal.dashscope_message,
        "request_id": context.request_id,
    }


def _event(number: int, kind: str, status: int, data: Mapping[str, object]) -> bytes:
    lines = f"id:{number}\nevent:{kind}\n:HTTP_STATUS/{status}\ndata:{dump(data)}\n\n"
    return lines.encode()
