"""Batches as the service knows them: requests, and what its answers say.

Sources: the official page "OpenAI compatible - Batch" (read 2026-11-27) and recorded
exchanges of April 2026.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from modelstudio_core.errors import ConfigurationError, InvalidResponseError
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.transport.procedures import Fetch, Procedure
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.wire.json_values import (
    count_of,
    object_of,
    objects_of,
    text_of,
)
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "RemoteBatch",
    "cancel_batch",
    "check_completion_window",
    "create_batch",
    "find_batches",
    "retrieve_batch",
]

_PATH: Final = "/batches"
_WINDOW: Final = re.compile(r"([0-9]{1,4})([hd])")
_HOURS: Final = {"h": 1, "d": 24}
_MIN_HOURS, _MAX_HOURS = 24, 336


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteBatch:
    """A batch as the service describes it.

    Attributes:
        id: Its id.
        status: ``validating``, ``failed``, ``in_progress``, ``finalizing``,
            ``completed``, ``expired``, ``cancelling`` or ``cancelled``.
        input_file_id: The file with its requests.
        output_file_id: The file with answers; None if there is none.
        error_file_id: The file with errors; None if there is none.
        total: How many requests it has; 0 before they are counted.
        completed: How many of them were answered.
        failed: How many of them failed.
        name: The name that it was created with.
        created_at: When it was created, in seconds since 1970.
        errors: Why its validation failed: ``code``, ``message``, ``param``, ``line``.
    """

    id: str
    status: str
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    total: int = 0
    completed: int = 0
    failed: int = 0
    name: str | None = None
    created_at: int | None = None
    errors: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> "RemoteBatch | None":
        """Read a batch of an answer; None if it has no id or no status.

        Args:
            raw: The object that the service sent. An id of a file that is an empty text
                means that there is no such file.
        """
        batch_id, status = text_of(raw, "id"), text_of(raw, "status")
        if batch_id is None or status is None:
            return None
        counts = object_of(raw, "request_counts")
        return cls(
            id=batch_id,
            status=status,
            input_file_id=text_of(raw, "input_file_id"),
            output_file_id=text_of(raw, "output_file_id"),
            error_file_id=text_of(raw, "error_file_id"),
            total=count_of(counts, "total") or 0,
            completed=count_of(counts, "completed") or 0,
            failed=count_of(counts, "failed") or 0,
            name=text_of(object_of(raw, "metadata"), "ds_name"),
            created_at=count_of(raw, "created_at"),
            errors=objects_of(object_of(raw, "errors"), "data"),
        )


def check_completion_window(value: object) -> str:
    """Return a completion window if it is valid.

    Args:
        value: The argument.

    Raises:
        ConfigurationError: It is not a number of hours or days, such as ``"24h"`` or
            ``"14d"``, from 24 hours to 14 days.
    """
    match = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    hours = int(match[1]) * _HOURS[match[2]] if match else 0
    if not _MIN_HOURS <= hours <= _MAX_HOURS:
        raise ConfigurationError(
            "completion_window must be a number of hours or days from '24h' to '336h'"
            f" ('14d'), got {value!r}."
        )
    return str(value)


def create_batch(
    context: ErrorContext,
    *,
    file_id: str,
    endpoint: str,
    completion_window: str,
    name: str,
    model: str,
) -> Procedure[RemoteBatch]:
    """Create a batch. The request is only repeated if it surely was not taken.

    Args:
        context: The facts of the request that errors report.
        file_id: The uploaded file.
        endpoint: The path that its lines are for.
        completion_window: How much time the service has.
        name: The name of the batch, at most 100 characters.
        model: The model of its lines, for the policy of the process.

    Raises:
        APIError: The service refused it, or it is not certain that it was created.
    """
    body = {
        "input_file_id": file_id,
        "endpoint": endpoint,
        "completion_window": completion_window,
        "metadata": {"ds_name": name},
    }
    # Not by the openai SDK, which would repeat it.
    answer = yield Fetch(
        HttpRequest(
            path=_PATH, json=body, models=[model], uses_sdk=False, repeatable=False
        )
    )
    return _batch_in(answer, context)


def find_batches(file_id: str) -> Procedure[list[RemoteBatch]]:
    """Find the batches of an uploaded file, among those of the last 30 days.

    Args:
        file_id: The uploaded file.

    Raises:
        APIError: The request failed.
    """
    query = {"input_file_ids": file_id, "limit": "100"}
    answer = yield Fetch(HttpRequest(path=_PATH, method="GET", query=query))
    found = map(RemoteBatch.from_json, objects_of(answer.body, "data"))
    return [b for b in found if b is not None and b.input_file_id == file_id]


def retrieve_batch(context: ErrorContext, batch_id: str) -> Procedure[RemoteBatch]:
    """Return what the service says of a batch.

    Args:
        context: The facts of the request that errors report.
        batch_id: Its id.

    Raises:
        APIError: There is no such batch, or the request failed.
    """
    answer = yield Fetch(HttpRequest(path=_path_of(batch_id), method="GET"))
    return _batch_in(answer, context)


def cancel_batch(context: ErrorContext, batch_id: str) -> Procedure[RemoteBatch]:
    """Cancel a batch. What is answered already stays, and is paid for.

    Args:
        context: The facts of the request that errors report.
        batch_id: Its id.

    Raises:
        APIError: It has ended, or the request failed.
    """
    answer = yield Fetch(HttpRequest(path=f"{_path_of(batch_id)}/cancel"))
    return _batch_in(answer, context)


def _path_of(batch_id: str) -> str:
    return f"{_PATH}/{quote(batch_id, safe='')}"


def _batch_in(answer: JsonAnswer, context: ErrorContext) -> RemoteBatch:
    batch = RemoteBatch.from_json(answer.body)
    if batch is None:
        raise context.error(
            InvalidResponseError,
            "The answer to a request about a batch has no id or no status.",
            request_id=answer.request_id,
        )
    return batch
