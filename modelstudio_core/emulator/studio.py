"""The state of an emulator: its key, its script, and the requests it received."""

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import NAMESPACE_URL, uuid5

from modelstudio_core.emulator.json_values import parse
from modelstudio_core.emulator.script import Fault, Reply

__all__ = ["Generation", "RecordedRequest", "ResponseContext", "Studio"]

Generation = Literal["empty", "null"]

# The repetitions of this many different bodies are counted, the most recent ones.
_MAX_COUNTED_BODIES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """A request that the emulator received.

    Attributes:
        method: The HTTP method.
        path: The path of the URL.
        headers: The headers, with lower-case names.
        body: The parsed JSON body; None where there is no body or it is not JSON.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: Any = None


@dataclass(frozen=True, slots=True)
class ResponseContext:
    """What a response needs besides its content.

    Attributes:
        request_id: The request id, in the header and in the body.
        generation: Which of the recorded shapes is written.
    """

    request_id: str
    generation: Generation

    @property
    def response_id(self) -> str:
        """The id of the answer on the OpenAI-compatible protocol."""
        return f"chatcmpl-{self.request_id}"


@dataclass(slots=True, kw_only=True)
class Studio:
    """The state of an emulator.

    Attributes:
        api_key: The key that is accepted.
        generation: Which of the recorded shapes is written.
        chunk_delay: Seconds between two events of a stream.
        max_requests: How many of the received requests are kept.
        requests: The last requests, oldest first.
        script: The replies and faults that the next chat requests are answered with.
        cached_prefixes: The context cache: key of a prompt prefix → when it expires.
    """

    api_key: str
    generation: Generation
    chunk_delay: float
    max_requests: int
    requests: list[RecordedRequest] = field(default_factory=list[RecordedRequest])
    script: deque[Reply | Fault] = field(default_factory=deque[Reply | Fault])
    cached_prefixes: dict[str, float] = field(default_factory=dict[str, float])
    _body_counts: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def record(
        self, method: str, path: str, headers: Mapping[str, str], raw: bytes
    ) -> tuple[RecordedRequest, ResponseContext]:
        """Record a request, and derive its id from its body and its repetitions."""
        request = RecordedRequest(
            method=method, path=path, headers=headers, body=parse(raw)
        )
        self.requests.append(request)
        del self.requests[: max(len(self.requests) - self.max_requests, 0)]
        count = self._count_body(raw)
        name = f"{method} {path} {count} {raw.decode(errors='replace')}"
        request_id = str(uuid5(NAMESPACE_URL, name))
        return request, ResponseContext(request_id, self.generation)

    def _count_body(self, raw: bytes) -> int:
        """Return how many requests had this body, this one included."""
        digest = hashlib.sha256(raw).digest()
        count = self._body_counts.pop(digest, 0) + 1
        self._body_counts[digest] = count
        if len(self._body_counts) > _MAX_COUNTED_BODIES:
            del self._body_counts[next(iter(self._body_counts))]
        return count
