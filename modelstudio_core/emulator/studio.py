"""One studio: its key, its script, what it was asked, and how it decides an answer."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from modelstudio_core.emulator.json_values import parse
from modelstudio_core.emulator.model.answers import perform, play
from modelstudio_core.emulator.model.context_cache import ContextCache
from modelstudio_core.emulator.model.query import Ask, Refusal
from modelstudio_core.emulator.protocols.base import Generation, Stamp, Wire
from modelstudio_core.emulator.protocols.faults import break_response, refuse_response
from modelstudio_core.emulator.protocols.steps import Head, Step, paced
from modelstudio_core.emulator.rules.chat import check
from modelstudio_core.emulator.script import Fault, Reply

__all__ = ["RecordedRequest", "Studio"]

_BEARER = "Bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """A request that the emulator received.

    Attributes:
        method: The HTTP method.
        path: The path of the URL.
        headers: The headers, their names in lower case.
        body: The body, parsed; None where there is none or it is not JSON.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: Any = None


@dataclass(slots=True, kw_only=True)
class Studio:
    """What an emulator knows and remembers.

    Attributes:
        api_key: The key that is accepted.
        generation: Which of the recorded shapes is written.
        chunk_delay: Seconds between two events of a stream.
        requests: What was received.
        queue: What is answered next.
        cache: The beginnings of prompts that are kept.
    """

    api_key: str
    generation: Generation
    chunk_delay: float
    requests: list[RecordedRequest] = field(default_factory=list[RecordedRequest])
    queue: deque[Reply | Fault] = field(default_factory=deque[Reply | Fault])
    cache: ContextCache = field(default_factory=ContextCache)
    _seen: Counter[bytes] = field(default_factory=Counter[bytes])

    def record(
        self, method: str, path: str, headers: Mapping[str, str], raw: bytes
    ) -> tuple[RecordedRequest, Stamp]:
        """Remember a request, and make its id: from its body, and how often it came."""
        request = RecordedRequest(
            method=method, path=path, headers=headers, body=parse(raw)
        )
        self.requests.append(request)
        self._seen[raw] += 1
        name = f"{method} {path} {self._seen[raw]} {raw.decode(errors='replace')}"
        return request, Stamp(str(uuid5(NAMESPACE_URL, name)), self.generation)

    def check_key(self, headers: Mapping[str, str]) -> None:
        """Check the key of a request.

        Raises:
            Refusal: There is none, or another (both recorded).
        """
        sent = headers.get("authorization", "")
        key = sent.removeprefix(_BEARER).strip()
        if not sent.startswith(_BEARER) or not key:
            raise Refusal(
                "You didn't provide an API key. You need to provide your API key in an"
                " Authorization header using Bearer auth (i.e. Authorization: Bearer"
                " YOUR_KEY). ",
                status=401,
                code=None,
                native_code="InvalidApiKey",
                native_message="No API-key provided.",
                gateway=True,
            )
        if key != self.api_key:
            raise Refusal(
                "Incorrect API key provided. For details, see:"
                " https://www.alibabacloud.com/help/en/model-studio/error-code"
                "#apikey-error",
                status=401,
                code="invalid_api_key",
                native_code="InvalidApiKey",
                native_message="Invalid API-key provided.",
                gateway=True,
            )

    def chat(self, wire: Wire, request: RecordedRequest, stamp: Stamp) -> list[Step]:
        """Answer a chat request: as scripted, else by the rules and the prompt."""
        item = self.queue[0] if self.queue else None
        ask: Ask | None = None
        try:
            if isinstance(item, Fault):
                self.queue.popleft()
                return self._fault(item, wire, request, stamp)
            self.check_key(request.headers)
            if item is not None:
                self.queue.popleft()
            ask = wire.read(request.body, request.headers)
            if item is None:
                wire.check(ask)
                check(ask)
            return self._answer(ask, item, wire, stamp)
        except Refusal as refusal:
            streams = ask is not None and ask.stream
            return refuse_response(refusal, wire, stamp, stream=streams)

    def _answer(
        self, ask: Ask, reply: Reply | None, wire: Wire, stamp: Stamp
    ) -> list[Step]:
        said = reply or Reply()
        kind = wire.stream_type if ask.stream else wire.whole_type
        headers = {"content-type": said.content_type or kind, **said.headers}
        if said.raw_body is not None:
            return [Head(200, headers), said.raw_body]
        if said.streams_only and not ask.stream:
            raise Refusal(
                "The scripted reply has deltas or raw_chunks, and the request does not"
                " ask for a stream (emulator).",
                status=500,
                code="emulator_script",
                type="emulator_script",
                native_code="EmulatorScript",
            )
        answers = play(ask) if reply is None else perform(ask, reply)
        usage = self.cache.count(ask, answers[0].usage)
        answers = [replace(answer, usage=usage) for answer in answers]
        if ask.stream:
            events = wire.events(ask, answers, stamp, said)
            return [Head(200, headers), *paced(events, self.chunk_delay)]
        body = wire.whole(ask, answers, stamp, said)
        return [Head(200, headers | {"content-length": str(len(body))}), body]

    def _fault(
        self, fault: Fault, wire: Wire, request: RecordedRequest, stamp: Stamp
    ) -> list[Step]:
        if fault.kind == "status":
            return break_response(fault, [], wire, stamp)
        ask = wire.read(request.body, request.headers)
        steps = self._answer(ask, fault.reply, wire, stamp)
        return break_response(fault, steps, wire, stamp)
