"""The state of an emulator: its key, its script, its time, and what it received."""

import hashlib
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import NAMESPACE_URL, uuid5

from modelstudio_core.catalog import MediaProfile
from modelstudio_core.emulator.json_values import parse
from modelstudio_core.emulator.script import BatchScript, Fault, Reply, TaskOutcome
from modelstudio_core.emulator.stored_batches import BatchFile, StoredBatch

__all__ = [
    "DEFAULT_MAX_BODY_BYTES",
    "Generation",
    "RecordedRequest",
    "ResponseContext",
    "StoredFile",
    "StoredTask",
    "Studio",
]

Generation = Literal["empty", "null"]

# The repetitions of this many different bodies are counted, the most recent ones.
_MAX_COUNTED_BODIES: Final = 10_000
# The bodies of the kept requests have at most this many bytes together.
_MAX_KEPT_BYTES: Final = 64 * 1024 * 1024
# Far above 20 MB of image in base64, the largest documented content of a message.
DEFAULT_MAX_BODY_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """A request that the emulator received.

    Attributes:
        method: The HTTP method.
        path: The path of the URL.
        headers: The headers, with lower-case names.
        body: The parsed JSON body; None where there is no body, where it is not JSON,
            and where it is too large to be read.
        query: The query of the URL.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ResponseContext:
    """What a response needs besides its content.

    Attributes:
        request_id: The request id, in the header and in the body.
        generation: Which of the recorded shapes is written.
        raw: The bytes of the request's body.
    """

    request_id: str
    generation: Generation
    raw: bytes = field(default=b"", repr=False)

    @property
    def response_id(self) -> str:
        """The id of the answer on the OpenAI-compatible protocol."""
        return f"chatcmpl-{self.request_id}"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the temporary storage; its content is not kept.

    Attributes:
        model: The model that may read it.
        size: The number of its bytes.
        expires: When it is removed.
    """

    model: str
    size: int
    expires: float


@dataclass(slots=True, kw_only=True)
class StoredTask:
    """A task that was created.

    Attributes:
        id: Its id.
        request_id: The id of the request that created it.
        host: The host that the request named; other hosts do not know the task.
        profile: What is known of its model.
        input: The input of the request.
        parameters: The parameters of the request.
        files: How many files it makes.
        created: When it was created.
        seconds: How long it is pending and running.
        outcome: What becomes of it.
        canceled: When it was canceled; None if it was not.
        queries: How often it was queried.
    """

    id: str
    request_id: str
    host: str
    profile: MediaProfile
    input: dict[str, Any]
    parameters: dict[str, Any]
    files: int
    created: float
    seconds: float
    outcome: TaskOutcome
    canceled: float | None = None
    queries: int = 0

    @property
    def ended(self) -> float:
        """When it ends or ended."""
        return self.created + self.seconds if self.canceled is None else self.canceled


@dataclass(slots=True, kw_only=True)
class Studio:
    """The state of an emulator.

    Attributes:
        api_key: The key that is accepted.
        generation: Which of the recorded shapes is written.
        chunk_delay: Seconds between two events of a stream.
        max_requests: How many of the received requests are kept.
        max_body_bytes: The largest body that is read; a larger one is refused.
        requests: The last requests, oldest first.
        script: The replies and faults that the next chat requests are answered with.
        cached_prefixes: The context cache: key of a prompt prefix → when it expires.
        uploads: The temporary storage: key of a file → what is known of it.
        batch_script: How the next batches go on.
        files: The files of batches, by id, oldest first.
        batches: The batches, by id, oldest first.
        task_seconds: How long a task is pending and running.
        outcomes: What becomes of the next tasks.
        tasks: The tasks by their ids, oldest first.
        results: The files of tasks: path → task and number. Calls that are answered at
            once have files too.
        task_queries: When tasks were queried last, for the limit of a second.
        advanced: How many seconds its time is ahead of the machine's.
    """

    api_key: str
    generation: Generation
    chunk_delay: float
    max_requests: int
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    requests: list[RecordedRequest] = field(default_factory=list[RecordedRequest])
    script: deque[Reply | Fault] = field(default_factory=deque[Reply | Fault])
    cached_prefixes: dict[str, float] = field(default_factory=dict[str, float])
    uploads: dict[str, StoredFile] = field(default_factory=dict[str, StoredFile])
    batch_script: deque[BatchScript] = field(default_factory=deque[BatchScript])
    files: dict[str, BatchFile] = field(default_factory=dict[str, BatchFile])
    batches: dict[str, StoredBatch] = field(default_factory=dict[str, StoredBatch])
    task_seconds: float = 0.0
    outcomes: deque[TaskOutcome] = field(default_factory=deque[TaskOutcome])
    tasks: dict[str, StoredTask] = field(default_factory=dict[str, StoredTask])
    results: dict[str, tuple[StoredTask, int]] = field(
        default_factory=dict[str, tuple[StoredTask, int]]
    )
    task_queries: deque[float] = field(default_factory=deque[float])
    advanced: float = 0.0
    _sizes: deque[int] = field(default_factory=deque[int])
    _kept_bytes: int = 0
    _body_counts: dict[str, int] = field(default_factory=dict[str, int])

    def now(self) -> float:
        """Return the time in seconds since 1970, as far as tests have advanced it."""
        return time.time() + self.advanced

    def record(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        raw: bytes,
        query: Mapping[str, str] | None = None,
    ) -> tuple[RecordedRequest, ResponseContext]:
        """Record a request, and derive its id from its body and its repetitions."""
        body = parse(raw)
        request = RecordedRequest(
            method=method, path=path, headers=headers, body=body, query=query or {}
        )
        self._keep(request, 0 if body is None else len(raw))
        digest = hashlib.sha256(raw).hexdigest()
        count = self._count_body(digest)
        request_id = str(uuid5(NAMESPACE_URL, f"{method} {path} {count} {digest}"))
        return request, ResponseContext(request_id, self.generation, raw)

    def _keep(self, request: RecordedRequest, size: int) -> None:
        """Keep a request, and drop the oldest ones beyond the bounds."""
        self.requests.append(request)
        self._sizes.append(size)
        self._kept_bytes += size
        while len(self._sizes) > self.max_requests or self._is_full():
            self._kept_bytes -= self._sizes.popleft()
        del self.requests[: max(len(self.requests) - len(self._sizes), 0)]

    def _is_full(self) -> bool:
        """Return whether more bytes are kept than may be; the last request may."""
        return self._kept_bytes > _MAX_KEPT_BYTES and len(self._sizes) > 1

    def _count_body(self, digest: str) -> int:
        """Return how many requests had this body, this one included."""
        count = self._body_counts.pop(digest, 0) + 1
        self._body_counts[digest] = count
        if len(self._body_counts) > _MAX_COUNTED_BODIES:
            del self._body_counts[next(iter(self._body_counts))]
        return count
