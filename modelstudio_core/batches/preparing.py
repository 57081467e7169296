"""Preparing a run: its lines and its manifest, or the run that is there already."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import NamedTuple, cast

from modelstudio_core._version import __version__
from modelstudio_core.batches.directory import RunDirectory
from modelstudio_core.batches.line_files import digest_lines, limits_of, write_parts
from modelstudio_core.batches.lines import (
    ESTIMATED_BY,
    ChatLines,
    EmbeddingLines,
    LineBuilder,
    build_lines,
)
from modelstudio_core.batches.records import Manifest
from modelstudio_core.batches.support import check_batch_support, endpoint_of
from modelstudio_core.catalog import ModelProfile
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.embeddings.arguments import EmbeddingArguments
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.connection import Connection

__all__ = [
    "Request",
    "check_arguments",
    "check_inputs",
    "plan_chat",
    "plan_embeddings",
    "write_run",
]


class Request(NamedTuple):
    """What the lines of a run share.

    Attributes:
        lines: Builds the bodies of the lines.
        connection: How to reach the service.
        requested: The model id that was asked for.
        profile: The model that is sent.
    """

    lines: LineBuilder
    connection: Connection
    requested: str
    profile: ModelProfile


def plan_chat(model: ChatArguments, arguments: Mapping[str, object]) -> Request:
    """Return what the lines for a chat model share.

    Args:
        model: The model.
        arguments: The arguments of a call.

    Raises:
        ConfigurationError: An argument is invalid, or the region or the model has no
            batch inference.
    """
    if model.batch_chat:
        raise ConfigurationError(
            "batch_chat=True is for calls, which are answered at once at the same"
            " price: pass a model without it to a run."
        )
    if model.protocol != "openai":
        # The lines are for the OpenAI-compatible protocol, whatever calls speak.
        model = model.model_copy(update={"protocol": "openai"})
    call = model.plan_batch(arguments)
    used = call.plan.model
    check_batch_support(call.connection.endpoint, used.profile, "chat")
    lines = ChatLines(call, model.batch_messages)
    return Request(lines, call.connection, used.requested, used.profile)


def plan_embeddings(
    model: EmbeddingArguments, arguments: Mapping[str, object]
) -> Request:
    """Return what the lines for an embedding model share.

    Args:
        model: The model.
        arguments: The arguments of a call: there must be none.

    Raises:
        ConfigurationError: There is an argument, or the region or the model has no
            batch inference.
    """
    if arguments:
        raise ConfigurationError(
            f"{next(iter(arguments))} is not an argument of an embedding call: pass it"
            " to the constructor of the model."
        )
    resolved = model.resolved
    connection = replace(resolved.connection, protocol="openai")
    check_batch_support(connection.endpoint, resolved.profile, "embedding")
    lines = EmbeddingLines(resolved)
    return Request(lines, connection, resolved.model.requested, resolved.profile)


def check_arguments(
    bound: Mapping[str, object], arguments: object
) -> Mapping[str, object]:
    """Return the arguments of a call for all rows.

    Args:
        bound: Those that are bound to the model.
        arguments: The argument, whose values have precedence.

    Raises:
        ConfigurationError: They are no mapping, or one of them is not in a line.
    """
    if arguments is not None and not isinstance(arguments, Mapping):
        raise ConfigurationError(
            "arguments must be a mapping of names and values, got a"
            f" {type(arguments).__name__}."
        )
    given = {**bound, **cast("Mapping[str, object]", arguments or {})}
    if "total_timeout" in given:
        raise ConfigurationError(
            "total_timeout is for calls, and a batch has a completion_window=: remove"
            " it from the arguments of the rows."
        )
    if given.get("stream"):
        raise ConfigurationError(
            "stream=True is for calls, and a batch has no streams: remove it from the"
            " arguments of the rows."
        )
    return given


def check_inputs(inputs: object) -> Iterable[object]:
    """Return the inputs of the rows.

    Args:
        inputs: The argument.

    Raises:
        ConfigurationError: It is one input, or no iterable.
    """
    name = type(inputs).__name__
    if isinstance(inputs, Iterable) and not isinstance(inputs, str | bytes | Mapping):
        return cast("Iterable[object]", inputs)
    raise ConfigurationError(
        f"inputs must be a list or another iterable of inputs, got a {name}."
    )


def write_run(
    place: RunDirectory, request: Request, inputs: Iterable[object], window: str
) -> Manifest:
    """Write the lines and the manifest of a run, or return that of the same run.

    Args:
        place: The directory of the run.
        request: What the lines share.
        inputs: The inputs of the rows, which are read once.
        window: The completion window.

    Raises:
        ConfigurationError: An input is invalid or contains the API key, or the
            directory holds another run.
    """
    builder, model = request.lines, request.profile.id
    endpoint = endpoint_of(model, request.profile.kind)
    connection = request.connection
    # First: a function that returns the key may be called now.
    key = connection.last_key
    lines = build_lines(builder, inputs, endpoint, key, connection.secrets)
    place.create()
    with place.locked():
        if place.has_run:
            manifest = place.read_manifest()
            _check_same(manifest, lines, request, place)
            return manifest
        place.remove_parts()
        written = write_parts(place, lines, limits_of(model))
        if not written.parts:
            raise ConfigurationError("inputs is empty: there is nothing to send.")
        scope = connection.endpoint
        manifest = Manifest(
            id=f"run-{token_hex(8)}",
            kind=builder.kind,
            endpoint=endpoint,
            completion_window=window,
            model=model,
            requested_model=request.requested,
            region=scope.region,
            mode=scope.mode,
            workspace=scope.workspace,
            base_url=scope.openai_base_url,
            is_documented=scope.is_documented,
            parameters=builder.parameters,
            reading=builder.reading,
            rows=written.rows,
            digest=written.digest,
            input_tokens=builder.input_tokens,
            estimated_by=ESTIMATED_BY,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            version=__version__,
        )
        place.write_parts(written.parts)
        # Last: from now on there is a run.
        place.write_manifest(manifest)
        return manifest


def _check_same(
    manifest: Manifest, lines: Iterable[bytes], request: Request, place: RunDirectory
) -> None:
    """Check that a directory holds the run that is prepared, without writing.

    Raises:
        ConfigurationError: It holds another one. The error says what differs.
    """
    endpoint = request.connection.endpoint
    differences = [
        name
        for name, old, new in (
            ("model", manifest.model, request.profile.id),
            ("endpoint", manifest.base_url, endpoint.openai_base_url),
            ("workspace", manifest.workspace, endpoint.workspace),
        )
        if old != new
    ]
    if not differences and digest_lines(lines) != (manifest.digest, manifest.rows):
        differences = ["inputs or the arguments of the model"]
    if differences:
        raise ConfigurationError(
            f"{str(place.path)!r} holds another run, which differs in the"
            f" {' and the '.join(differences)}. Choose another directory, or open"
            " this one with BatchRun.open."
        )
