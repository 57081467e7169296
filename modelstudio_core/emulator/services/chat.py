"""The chat service: scripted replies and faults, else rules and generated answers."""

from dataclasses import replace

from modelstudio_core.emulator.model.answers import (
    build_answers,
    build_scripted_answers,
)
from modelstudio_core.emulator.model.context_cache import ContextCache
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.protocols.base import ChatProtocol
from modelstudio_core.emulator.protocols.faults import apply_fault, build_refusal
from modelstudio_core.emulator.protocols.steps import (
    Head,
    Step,
    add_pauses,
    complete_response,
)
from modelstudio_core.emulator.rules.api_key import check_api_key
from modelstudio_core.emulator.rules.chat import check_chat
from modelstudio_core.emulator.rules.file_ids import read_files
from modelstudio_core.emulator.rules.parts import check_uploads
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import OWN, sourced
from modelstudio_core.emulator.script import Fault, Reply
from modelstudio_core.emulator.studio import RecordedRequest, ResponseContext, Studio

__all__ = ["ChatService"]


class ChatService:
    """Answers chat requests on one protocol."""

    def __init__(self, studio: Studio, protocol: ChatProtocol) -> None:
        """Set what the answers come from.

        Args:
            studio: The emulator's state.
            protocol: How requests are parsed and answers written.
        """
        self._studio = studio
        self._protocol = protocol
        self._cache = ContextCache(studio.cached_prefixes, studio.now)

    def respond(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer a request by the script, else by the rules and the prompt."""
        script, protocol = self._studio.script, self._protocol
        item = script[0] if script else None
        query: ChatQuery | None = None
        try:
            if isinstance(item, Fault):
                script.popleft()
                return self._fail(item, request, context)
            check_api_key(request.headers, self._studio.api_key)
            if item is not None:
                script.popleft()
            query = protocol.parse(request.body, request.headers)
            if item is None:
                protocol.check(query)
                check_chat(query)
                check_uploads(query, self._studio.uploads, self._studio.now())
                query = read_files(query, self._studio.files)
            return self._answer(query, item, context)
        except Refusal as refusal:
            stream = query is not None and query.stream
            return build_refusal(refusal, protocol, context, stream=stream)

    @sourced(OWN, "2026-11-27")
    def _answer(
        self, query: ChatQuery, scripted: Reply | None, context: ResponseContext
    ) -> list[Step]:
        reply, protocol = scripted or Reply(), self._protocol
        default = (
            protocol.stream_content_type if query.stream else protocol.content_type
        )
        headers = {"content-type": reply.content_type or default, **reply.headers}
        if reply.raw_body is not None:
            return [Head(200, headers), reply.raw_body]
        if reply.streams_only and not query.stream:
            raise Refusal(
                "The scripted reply has deltas or raw_chunks, and the request does not"
                " ask for a stream (emulator).",
                status=500,
                code="emulator_script",
                type="emulator_script",
                dashscope_code="EmulatorScript",
            )
        if scripted is None:
            answers = build_answers(query)
        else:
            answers = build_scripted_answers(query, reply)
        usage = self._cache.count(query, answers[0].usage)
        answers = [replace(answer, usage=usage) for answer in answers]
        if query.stream:
            events = protocol.write_events(query, answers, context, reply)
            return [Head(200, headers), *add_pauses(events, self._studio.chunk_delay)]
        body = protocol.write_answer(query, answers, context, reply)
        return complete_response(200, headers, body)

    def _fail(
        self, fault: Fault, request: RecordedRequest, context: ResponseContext
    ) -> list[Step]:
        if fault.kind == "status":
            return apply_fault(fault, [], self._protocol, context)
        query = self._protocol.parse(request.body, request.headers)
        steps = self._answer(query, fault.reply, context)
        return apply_fault(fault, steps, self._protocol, context)
