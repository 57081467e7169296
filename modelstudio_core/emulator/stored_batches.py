"""The files and the batches that an emulator keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.script import BatchScript

__all__ = ["BatchFile", "BatchStatus", "StoredBatch"]

BatchStatus = Literal[
    "validating",
    "failed",
    "in_progress",
    "finalizing",
    "completed",
    "expired",
    "cancelling",
    "cancelled",
]


@dataclass(frozen=True, slots=True)
class BatchFile:
    """An uploaded file, or one with results.

    Attributes:
        id: Its id.
        name: Its name.
        purpose: What it is for.
        content: Its bytes.
        created: When it was created, in seconds since 1970.
    """

    id: str
    name: str
    purpose: str
    content: bytes = field(repr=False)
    created: int


@dataclass(slots=True, kw_only=True)
class StoredBatch:
    """A batch.

    Attributes:
        id: Its id.
        endpoint: The path that its requests are for.
        input_file_id: The file with its requests.
        window: How it was asked to be completed, such as ``"24h"``.
        expires: When that time is over, in seconds since 1970.
        metadata: What the client sent with it.
        created: When it was created.
        script: How it goes on.
        lines: Its requests.
        status: Its status.
        errors: Why its validation failed.
        output_file_id: The file with the answers.
        error_file_id: The file with the errors.
        times: The times of its steps, by the name of the field.
        answered: How many requests have been answered, and must be paid for.
        failed: How many requests have failed, or have not been run.
    """

    id: str
    endpoint: str
    input_file_id: str
    window: str
    expires: float
    metadata: Mapping[str, object]
    created: int
    script: BatchScript
    lines: Sequence[JsonObject] = field(default=(), repr=False)
    status: BatchStatus = "validating"
    errors: Sequence[JsonObject] = ()
    output_file_id: str | None = None
    error_file_id: str | None = None
    times: dict[str, int] = field(default_factory=dict[str, int])
    answered: int = 0
    failed: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether its status does not change any more."""
        return self.status in {"completed", "failed", "expired", "cancelled"}
