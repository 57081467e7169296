"""What a run writes about itself: its manifest, and the state of its parts."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import Field, TypeAdapter, ValidationError

from modelstudio_core.errors import ConfigurationError

__all__ = ["FORMAT", "TERMINAL", "Kind", "Manifest", "PartState", "Step"]

FORMAT: Final = 1
Kind = Literal["chat", "embeddings"]
# The steps of a part. One that ends in "ing" is the intent, which is written first.
Step = Literal["prepared", "uploading", "uploaded", "creating", "created", "collected"]
# Other numbers in a file were not written by this package.
_Count = Annotated[int, Field(ge=1)]
# The statuses in which a batch has ended.
TERMINAL: Final = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a run is: written once, before anything is sent.

    Attributes:
        id: The random id of the run, which is in the names of its batches.
        kind: What its rows are answered with.
        endpoint: The path that its lines are for.
        completion_window: How much time the service has, such as ``"24h"``.
        model: The model id that is sent.
        requested_model: The model id that was asked for.
        region: The region id; None if it is not known.
        mode: The id of the deployment mode.
        workspace: The workspace id.
        base_url: The base URL of the OpenAI-compatible protocol.
        is_documented: Whether that is a documented host.
        parameters: The body of a line without its messages or its input.
        reading: What the answers are read with: facts of the plan of the requests.
        rows: How many rows it has.
        digest: The SHA-256 of all of its lines.
        input_tokens: The estimated tokens of all inputs.
        estimated_by: How they are estimated.
        created_at: When it was written, as text.
        version: The version of this package that wrote it.
    """

    id: str
    kind: Kind
    endpoint: str
    completion_window: str
    model: str
    requested_model: str
    region: str | None
    mode: str | None
    workspace: str | None
    base_url: str
    is_documented: bool
    parameters: Mapping[str, Any]
    reading: Mapping[str, Any]
    rows: _Count
    digest: str
    input_tokens: int
    estimated_by: str
    created_at: str
    version: str
    format: Literal[1] = FORMAT

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read a manifest.

        Args:
            raw: The JSON object.

        Raises:
            ConfigurationError: It is not a manifest of this version.
        """
        return cast("Self", _read(cls, raw, "manifest"))


@dataclass(kw_only=True)
class PartState:
    """How far a part of a run is: a file of lines, and the batch of that file.

    Attributes:
        number: Its number, from 1.
        first: The index of its first row, where its rows follow each other; None for
            the rows of a ``resume``.
        rows: How many rows it has.
        size: The number of bytes of its file.
        sha256: The SHA-256 of its file.
        step: Its last step, or the one that was begun.
        step_time: When that was written, in seconds since 1970.
        file_id: The id of the uploaded file.
        batch_id: The id of the batch.
        status: The last status of the batch.
        answered: How many rows the service has answered, as it says.
        failed: How many rows have failed, as it says.
        output_file_id: The id of the file with answers.
        error_file_id: The id of the file with errors.
        output_bytes: The number of bytes of the file with answers, when it was
            downloaded; None if it is not known.
        error_bytes: That of the file with errors.
        errors: Why the batch failed, as the service says.
        deleted: Whether its files were deleted from the storage of the service.
    """

    number: int
    first: int | None
    rows: _Count
    size: int
    sha256: str
    step: Step = "prepared"
    step_time: float = 0.0
    file_id: str | None = None
    batch_id: str | None = None
    status: str | None = None
    answered: int = 0
    failed: int = 0
    output_file_id: str | None = None
    error_file_id: str | None = None
    output_bytes: int | None = None
    error_bytes: int | None = None
    errors: Sequence[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    deleted: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether its batch has ended."""
        return self.status in TERMINAL

    @property
    def is_created(self) -> bool:
        """Whether it has a batch."""
        return self.batch_id is not None

    @property
    def is_collected(self) -> bool:
        """Whether its results are on disk."""
        return self.step == "collected"

    def to_json(self) -> dict[str, Any]:
        """Return the state as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read a state.

        Args:
            raw: The JSON object.

        Raises:
            ConfigurationError: It is not a state of this version.
        """
        return cast("Self", _read(cls, raw, "state"))


@cache
def _adapter_of(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _read(cls: type[Any], raw: Mapping[str, Any], name: str) -> Any:
    """Create a record if each field has its type."""
    try:
        if raw.keys() <= {field.name for field in fields(cls)}:
            return _adapter_of(cast("Hashable", cls)).validate_python(raw)
    except ValidationError:
        pass
    # Not inside the except block: pydantic's error shows its input.
    raise ConfigurationError(
        f"The {name} of the run cannot be read: it is damaged, or another version of"
        " this package wrote it."
    )
