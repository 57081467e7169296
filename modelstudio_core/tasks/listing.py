"""The list of the tasks of an account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from typing_extensions import Unpack

from modelstudio_core.catalog import check_model_id
from modelstudio_core.connection_arguments import keys_hidden
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.tasks.options import ConnectionOptions, connect
from modelstudio_core.tasks.status import check_status
from modelstudio_core.tasks.task import Task
from modelstudio_core.tasks.waiting import query_gate
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import afetch, fetch
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.wire.json_values import (
    count_of,
    number_of,
    objects_of,
    text_of,
)
from modelstudio_core.wire.times import is_near, moment_of, write_time

__all__ = ["TaskSummary", "alist_tasks", "list_tasks"]

_PAGE_SIZE: Final = 100
_DEFAULT_LIMIT: Final = 100
_NAMES: Final = frozenset({"status", "model", "since", "until", "limit"})
_Page = tuple[list["TaskSummary"], bool]


@dataclass(frozen=True, kw_only=True)
class TaskSummary:
    """An entry of the list of tasks.

    Attributes:
        id: The id of the task.
        status: Its status.
        model: The model id.
        region: The region id, as the service names it.
        created_at: When it was created.
        started_at: When it began to run.
        ended_at: When it ended.
        request_id: The id of the request that created it.
        raw: The entry as the service answered it.
    """

    id: str
    status: str
    model: str
    region: str | None
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    request_id: str | None
    raw: Mapping[str, Any]
    _connection: Connection = field(repr=False, compare=False)

    def open(self) -> Task:
        """Return the task, bound to the endpoint and the key of the list.

        Nothing is sent. A task whose creation had no answer is found in this way.
        """
        return Task.bind(
            self._connection, self.id, model=self.model, created_at=self.created_at
        )


def list_tasks(
    *,
    status: str | None = None,
    model: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = _DEFAULT_LIMIT,
    **connection: Unpack[ConnectionOptions],
) -> list[TaskSummary]:
    """Return the tasks of the account at an endpoint, in the service's order.

    The service lists the tasks of the last 24 hours, of all keys of the account.

    Args:
        status: Only tasks with this status, such as ``"RUNNING"``, in upper or lower
            case.
        model: Only tasks of this model. It must be given where a policy bounds models.
        since: Only tasks that were created at this time or later.
        until: Only tasks that were created at this time or earlier.
        limit: The most tasks; one request is sent for each 100.
        **connection: The connection arguments.

    Raises:
        ConfigurationError: An argument is invalid.
        APIError: A request failed.

    Example:
        >>> from modelstudio_core import tasks
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     connection = {"base_url": studio.base_url, "api_key": studio.api_key}
        ...     task = tasks.submit(model="wan2.6-t2i", prompt="A", **connection)
        ...     found = tasks.list_tasks(model="wan2.6-t2i", **connection)
        >>> [summary.id for summary in found] == [task.id]
        True
    """
    bound = connect(connection, model, _NAMES)
    with keys_hidden(connection):
        query = _query(status, model, since, until, limit)
    gate, found, number, more = query_gate(bound), list[TaskSummary](), 1, True
    while more and len(found) < limit:
        answer = fetch(bound, _request(query, number, model), bound.context, gate)
        page, more = _parse(answer.body, bound, number)
        found, number = [*found, *page], number + 1
    return found[:limit]


async def alist_tasks(
    *,
    status: str | None = None,
    model: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = _DEFAULT_LIMIT,
    **connection: Unpack[ConnectionOptions],
) -> list[TaskSummary]:
    """Async version of ``list_tasks``."""
    bound = connect(connection, model, _NAMES)
    with keys_hidden(connection):
        query = _query(status, model, since, until, limit)
    gate, found, number, more = query_gate(bound), list[TaskSummary](), 1, True
    while more and len(found) < limit:
        request = _request(query, number, model)
        answer = await afetch(bound, request, bound.context, gate)
        page, more = _parse(answer.body, bound, number)
        found, number = [*found, *page], number + 1
    return found[:limit]


def _query(
    status: object,
    model: object,
    since: datetime | None,
    until: datetime | None,
    limit: object,
) -> dict[str, str]:
    if type(limit) is not int or limit < 1:
        raise ConfigurationError(f"limit must be an integer above 0, got {limit!r}.")
    if model is not None:
        check_model_id(model)
    values = {
        "status": None if status is None else check_status(status),
        "model_name": model,
        "start_time": _stamp("since", since),
        "end_time": _stamp("until", until),
        "page_size": min(limit, _PAGE_SIZE),
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _stamp(name: str, time: object) -> str | None:
    """Return a time as the service reads it."""
    if time is None:
        return None
    if not isinstance(time, datetime) or time.tzinfo is None or not is_near(time):
        raise ConfigurationError(
            f"{name} must be a datetime with a time zone, got {time!r:.80}."
        )
    return write_time(time)


def _request(query: Mapping[str, str], page: int, model: str | None) -> HttpRequest:
    return HttpRequest(
        api="dashscope",
        path="/tasks",
        method="GET",
        query={**query, "page_no": str(page)},
        models=(model,) if model else (),
        is_of_model=True,
    )


def _parse(body: Mapping[str, Any], connection: Connection, number: int) -> _Page:
    """Return the entries of a page, and whether there is another one."""
    entries: Sequence[dict[str, Any]] = objects_of(body, "data")
    page = [_summary(entry, connection) for entry in entries]
    pages = count_of(body, "total_page") or 0
    return page, bool(entries) and number < pages


def _summary(entry: Mapping[str, Any], connection: Connection) -> TaskSummary:
    return TaskSummary(
        id=text_of(entry, "task_id") or "",
        status=text_of(entry, "status") or "UNKNOWN",
        model=text_of(entry, "model_name") or "",
        region=text_of(entry, "region"),
        created_at=_time(entry, "gmt_create"),
        started_at=_time(entry, "start_time"),
        ended_at=_time(entry, "end_time"),
        request_id=text_of(entry, "request_id"),
        raw=entry,
        _connection=connection,
    )


def _time(entry: Mapping[str, Any], name: str) -> datetime | None:
    """Return a time in milliseconds since 1970 (recorded)."""
    return moment_of(number_of(entry.get(name)) / 1000)
