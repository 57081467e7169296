"""The native DashScope protocol: requests read, answers and errors written.

The shapes are those of exchanges recorded from 2024-02 to 2026-08.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from typing import Any, ClassVar, Final

from modelstudio_core.chat.events import Usage
from modelstudio_core.emulator.json_values import dump
from modelstudio_core.emulator.model.answers import Answer
from modelstudio_core.emulator.model.query import Ask, Refusal
from modelstudio_core.emulator.model.web_search import search_plugin, search_results
from modelstudio_core.emulator.protocols.base import Stamp, prompt_details
from modelstudio_core.emulator.protocols.dashscope_chunks import (
    Piece,
    empty_message,
    pieces_of,
    scripted_pieces,
)
from modelstudio_core.emulator.protocols.dashscope_request import (
    MULTIMODAL,
    NativePath,
    check_native,
    is_incremental,
    read_native,
    searches,
    shows_sources,
    wants_text,
)
from modelstudio_core.emulator.script import Reply

__all__ = ["Native"]

# The string that stands for no finish reason.
_NOT_YET: Final = "null"
_OK: Final = 200

Json = dict[str, Any]


class Native:
    """How requests and answers look on one path of ``/api/v1``."""

    whole_type: ClassVar[str] = "application/json"
    stream_type: ClassVar[str] = "text/event-stream;charset=UTF-8"

    def __init__(self, path: NativePath) -> None:
        """Take the path, which decides the form of contents."""
        self._path: NativePath = path

    def read(self, body: object, headers: Mapping[str, str]) -> Ask:
        """Read a request: what to answer stands in ``input``, how in ``parameters``."""
        return read_native(body, headers)

    def check(self, ask: Ask) -> None:
        """Refuse the wrong path, and forms that do not go together."""
        check_native(ask, self._path)

    def refuses_inside(self, stamp: Stamp) -> bool:
        """Say yes: recorded inside of streams throughout."""
        del stamp
        return True

    def whole(
        self, ask: Ask, answers: Sequence[Answer], stamp: Stamp, reply: Reply
    ) -> bytes:
        """Write an answer that is not a stream."""
        writer = _Writer(ask, self._path, answers, stamp, reply)
        return dump(writer.whole()).encode()

    def events(
        self, ask: Ask, answers: Sequence[Answer], stamp: Stamp, reply: Reply
    ) -> list[bytes]:
        """Write the events of a stream, each with the blank line that ends it."""
        bodies: Sequence[Mapping[str, Any]] | None = reply.raw_chunks
        if bodies is None:
            bodies = _Writer(ask, self._path, answers, stamp, reply).bodies()
        return [_event(n, "result", _OK, body) for n, body in enumerate(bodies, 1)]

    def refused(self, refusal: Refusal, stamp: Stamp) -> bytes:
        """Write the body of a refusal."""
        return dump(_error(refusal, stamp)).encode()

    def error_event(self, refusal: Refusal, stamp: Stamp, number: int) -> bytes:
        """Write an error as an event; its status stands in a comment."""
        return _event(number, "error", refusal.status, _error(refusal, stamp))


class _Writer:
    """Writes the answers to one request."""

    def __init__(
        self,
        ask: Ask,
        path: NativePath,
        answers: Sequence[Answer],
        stamp: Stamp,
        reply: Reply,
    ) -> None:
        self._ask = ask
        self._multimodal = path == MULTIMODAL
        self._text = wants_text(ask, path)
        self._answers = answers
        self._request_id = stamp.request_id
        self._reply = reply
        self._usage = answers[0].usage
        sources = reply.search_results
        if sources is None and shows_sources(ask):
            sources = search_results(ask)
        self._sources = sources

    def whole(self) -> Json:
        choices = [self._whole_choice(i, a) for i, a in enumerate(self._answers)]
        output = choices[0] if self._text else {"choices": choices}
        return self._body(output, self._counts(self._usage), self._sources)

    def bodies(self) -> list[Json]:
        """Make the data of the events; the choices of ``n`` answers take turns."""
        columns = [
            [(index, piece) for piece in self._pieces(answer)]
            for index, answer in enumerate(self._answers[: 1 if self._text else None])
        ]
        cells = [cell for cell in chain.from_iterable(zip_longest(*columns)) if cell]
        usages = self._running([piece for _, piece in cells])
        bodies = [
            self._body(self._output(index, piece), self._counts(usage), [])
            for (index, piece), usage in zip(cells, usages, strict=True)
        ]
        if self._sources is None:
            return bodies
        return [self._search_body(self._sources), *bodies]

    # --- Messages -----------------------------------------------------------------

    def _whole_choice(self, index: int, answer: Answer) -> Json:
        message: Json = {"content": answer.text}
        # Recorded: the multimodal path has the key even where nothing was thought.
        if answer.thinking or self._multimodal:
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
        reason = answer.finish_reason or _NOT_YET
        shaped = self._shape(message)
        if self._text:
            return {"finish_reason": reason, **shaped}
        choice = {"finish_reason": reason, **self._index(index), "message": shaped}
        return choice | _logprobs(answer.logprobs)

    def _pieces(self, answer: Answer) -> list[Piece]:
        deltas, incremental = self._reply.deltas, is_incremental(self._ask)
        if deltas is None:
            return pieces_of(answer, self._shape, incremental=incremental)
        return scripted_pieces(deltas, answer, self._shape, incremental=incremental)

    def _output(self, index: int, piece: Piece) -> Json:
        reason = piece.reason or _NOT_YET
        if self._text:
            return {"finish_reason": reason, **piece.message}
        choice: Json = {
            "message": piece.message,
            **self._index(index),
            "finish_reason": reason,
        }
        return {"choices": [choice | _logprobs(piece.logprobs)]}

    def _shape(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give a message the form that was asked for."""
        text: str = message["content"]
        if self._text:
            return {"text": text}
        if self._multimodal:
            return {**message, "content": [{"text": text}] if text else []}
        return message

    def _index(self, index: int) -> Json:
        """Return the index; recorded only where tools were given."""
        several = len(self._answers) > 1 or bool(self._ask.tools)
        return {"index": index} if several else {}

    # --- What stands around them --------------------------------------------------

    def _body(
        self,
        output: Json,
        usage: Mapping[str, Any],
        sources: Sequence[Mapping[str, Any]] | None,
    ) -> Json:
        body: Json = {"output": output}
        if self._sources is not None:
            info: Json = {"extra_tool_info": [], "search_results": sources}
            body["output"] = {**output, "search_info": info}
        if "usage" not in self._reply.omit:
            body["usage"] = usage
        return {**body, "request_id": self._request_id}

    def _search_body(self, sources: Sequence[Mapping[str, Any]]) -> Json:
        """Make what comes before the first piece: what was found, without usage."""
        nothing = empty_message(self._answers[0])
        output = self._output(0, Piece(message=self._shape(nothing)))
        body = self._body(output, {}, sources)
        body["output"]["search_info"] = {"search_results": sources}
        return body

    def _running(self, pieces: Sequence[Piece]) -> list[Usage]:
        """Count up to each piece; the last one has it all."""
        final, usages, thought, said = self._usage, list[Usage](), 0, 0
        for piece in pieces:
            thought = min(thought + piece.reasoning_tokens, final.reasoning_tokens or 0)
            said = min(said + piece.tokens, final.output_tokens)
            usages.append(
                replace(
                    final,
                    output_tokens=said,
                    total_tokens=final.input_tokens + said,
                    reasoning_tokens=None
                    if final.reasoning_tokens is None
                    else thought,
                )
            )
        return [*usages[:-1], final] if usages else []

    def _counts(self, usage: Usage) -> Mapping[str, Any]:
        if self._reply.usage is not None:
            return self._reply.usage
        counts: Json = {
            "total_tokens": usage.total_tokens,
            "output_tokens": usage.output_tokens,
            "input_tokens": usage.input_tokens,
        }
        if usage.reasoning_tokens is not None:
            reasoning = {"reasoning_tokens": usage.reasoning_tokens}
            counts["output_tokens_details"] = reasoning
        if searches(self._ask) or self._sources is not None:
            counts["plugins"] = search_plugin(self._ask)
        counts["prompt_tokens_details"] = prompt_details(usage)
        return counts


def _logprobs(entries: Sequence[Mapping[str, Any]] | None) -> Json:
    return {"logprobs": {"content": list(entries)}} if entries else {}


def _error(refusal: Refusal, stamp: Stamp) -> Json:
    return {
        "code": refusal.native_code,
        "message": refusal.native_message,
        "request_id": stamp.request_id,
    }


def _event(number: int, kind: str, status: int, data: Mapping[str, Any]) -> bytes:
    lines = f"id:{number}\nevent:{kind}\n:HTTP_STATUS/{status}\ndata:{dump(data)}\n\n"
    return lines.encode()
