"""Answers about tasks: the status, the files of a result, the entries of a list.

Where a result has its files depends on the model and its version, and the pages do not
always agree with the service: each form is looked for. Recorded: ``output.results`` and
``output.choices``, a missing ``task_metrics`` (2024-02 to 2026-06).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from modelstudio_core.errors import InvalidResponseError, TaskFailedError
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.wire.json_values import (
    count_of,
    object_of,
    objects_of,
    text_of,
)
from modelstudio_core.wire.media_types import split_url
from modelstudio_core.wire.refusals import ErrorContext
from modelstudio_core.wire.times import moment_of, read_time

__all__ = [
    "LIFETIME",
    "TASK_ID",
    "Observation",
    "TaskFile",
    "count_files",
    "find_files",
    "find_text",
    "parse_task",
]

# How long a result can be fetched, and a finished task queried (Manage asynchronous
# tasks, 2026-03-15).
LIFETIME: Final = timedelta(hours=24)
# What can be in an address; the service sends UUIDs.
TASK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
# A task has a file for each of its inputs or images, 100 at most.
_MAX_FILES: Final = 1000
_URL_FIELDS: Final = ("image_url", "video_url", "url")
_CONTENT_FIELDS: Final = ("image", "video", "audio")


@dataclass(frozen=True, slots=True)
class TaskFile:
    """One file of a result, or the error in its place.

    Attributes:
        url: The address, from which it can be fetched without a key; None if it failed.
        expires_at: When the address stops working.
        error: Why there is no file; None if there is one.
        raw: What the service answered about it, such as the rewritten prompt, or the
            address of the recording that was transcribed.
    """

    url: str | None
    expires_at: datetime | None
    error: TaskFailedError | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What an answer says about a task.

    Attributes:
        id: The id of the task.
        status: Its status.
        code: The code of its failure.
        message: The message of its failure.
        ended_at: When it ended.
        request_id: The id of the request.
        body: The body of the answer.
    """

    id: str
    status: str
    code: str | None
    message: str | None
    ended_at: datetime | None
    request_id: str | None
    body: Mapping[str, Any]


def parse_task(answer: JsonAnswer, context: ErrorContext) -> Observation:
    """Read the answer to the creation of a task, or to a query.

    Args:
        answer: The answer.
        context: The facts of the request that errors report.

    Raises:
        InvalidResponseError: It has no status, or no id that can be in an address.
    """
    output = object_of(answer.body, "output")
    task_id = text_of(output, "task_id") or ""
    # The page on regions shows a creation that is answered without a status.
    status = text_of(output, "task_status") or ("PENDING" if len(output) == 1 else None)
    request_id = text_of(answer.body, "request_id") or answer.request_id
    if not TASK_ID.fullmatch(task_id) or status is None:
        raise context.error(
            InvalidResponseError,
            "The answer about a task has no valid id or no status.",
            request_id=request_id,
            body=answer.body,
            is_retryable=False,
        )
    return Observation(
        id=task_id,
        status=status,
        code=text_of(output, "code"),
        message=text_of(output, "message"),
        ended_at=read_time(output.get("end_time")),
        request_id=request_id,
        body=answer.body,
    )


# --- Files ------------------------------------------------------------------------


def find_files(body: Mapping[str, Any], ended_at: datetime) -> tuple[TaskFile, ...]:
    """Return the files of a result, in their order, with those that failed.

    Args:
        body: The body of the answer.
        ended_at: When the task ended.
    """
    output = object_of(body, "output")
    files = [_file(raw, url, ended_at) for raw, url in _entries(output)]
    # Of choices only the good ones are sent.
    metrics = object_of(output, "task_metrics") or object_of(output, "task_metric")
    failed = count_files(metrics, "FAILED") - sum(f.url is None for f in files)
    files += [_file(metrics, None, ended_at)] * max(0, failed)
    return tuple(files)


def count_files(metrics: Mapping[str, Any], name: str) -> int:
    """Return how many files of a task there are of a kind, at most 1,000.

    Args:
        metrics: The metrics of an answer.
        name: The name of the count.
    """
    return min(max(0, count_of(metrics, name) or 0), _MAX_FILES)


def _entries(
    output: Mapping[str, Any],
) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    """Yield what the service says of each file, and its address."""
    for choice in objects_of(output, "choices"):
        for part in objects_of(object_of(choice, "message"), "content"):
            for name in _CONTENT_FIELDS:
                if address := text_of(part, name):
                    yield part, address
    results = [*objects_of(output, "results"), object_of(output, "result")]
    for result in filter(None, results):
        if address := text_of(result, "transcription_url") or text_of(result, "url"):
            yield result, address
        elif text_of(result, "code") or text_of(result, "message"):
            yield result, None
    for name in _URL_FIELDS:
        if address := text_of(output, name):
            yield output, address


def _file(raw: Mapping[str, Any], url: str | None, ended_at: datetime) -> TaskFile:
    if url is not None:
        return TaskFile(url, _expiry(url, ended_at), None, raw)
    code, message = text_of(raw, "code"), text_of(raw, "message")
    error = TaskFailedError(
        message or "The service did not make this file, and does not say why.",
        code=code,
        body=dict(raw),
    )
    return TaskFile(None, None, error, raw)


def _expiry(url: str, ended_at: datetime) -> datetime:
    """Return when a URL stops working: after 24 hours, or earlier by its signature."""
    expires = ended_at + LIFETIME
    signed = parse_qs(split_url(url).query).get("Expires", [""])[0]
    if signed.isdecimal() and len(signed) <= len("9999999999"):
        expires = min(expires, moment_of(int(signed)) or expires)
    return expires.astimezone(UTC)


def find_text(body: Mapping[str, Any]) -> str:
    """Return the text of a result: of a recognition, or between images.

    Args:
        body: The body of the answer.
    """
    output = object_of(body, "output")
    texts = [text_of(output, "text")]
    for choice in objects_of(output, "choices"):
        message = object_of(choice, "message")
        texts.append(text_of(message, "content"))
        texts += [text_of(part, "text") for part in objects_of(message, "content")]
    return "\n".join(filter(None, texts))
