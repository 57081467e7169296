"""The list of tasks: which of them are in it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError, PolicyError
from modelstudio_core.policy import Policy, set_policy
from modelstudio_core.tasks import TaskSummary
from tests.support.http_server import Scripted, serve_http
from tests.support.models import KEY
from tests.support.tasks import IMAGE, STYLES, Style, Tasks

STATUSES = "PENDING, RUNNING, SUSPENDED, SUCCEEDED, FAILED, CANCELED, UNKNOWN"
EACH_STYLE = pytest.mark.parametrize("style", STYLES)


@EACH_STYLE
@pytest.mark.parametrize("status", ["SUCCEEDED", "succeeded", "Succeeded"])
async def test_a_status_may_be_written_in_any_case(
    style: Style, status: str, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    await at.result(task)
    (found,) = await at.list(status=status)
    assert (found.id, found.status) == (task.id, "SUCCEEDED")
    assert await at.list(status="pending") == []
    (query, _) = [
        request.query for request in modelstudio_emulator.requests if request.query
    ]
    assert query["status"] == "SUCCEEDED"


@EACH_STYLE
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"status": "cancelled"},
            f"status must be one of {STATUSES}, got 'cancelled'.",
        ),
        ({"status": ""}, "status must be one of"),
        ({"status": 3}, "status must be one of"),
        ({"model": ""}, "model must be a model's id, got ''."),
        ({"model": f"{IMAGE}\n"}, "strip it."),
        ({"limit": 0}, "limit must be an integer above 0, got 0."),
        ({"since": "today"}, "since must be a datetime with a time zone"),
        (
            {"since": datetime.max.replace(tzinfo=UTC)},
            "since must be a datetime with a time zone",
        ),
        (
            {"until": datetime.min.replace(tzinfo=UTC)},
            "until must be a datetime with a time zone",
        ),
    ],
)
async def test_an_invalid_filter_is_refused_before_a_request(
    style: Style,
    arguments: dict[str, Any],
    message: str,
    modelstudio_emulator: Emulator,
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await Tasks.at(style, modelstudio_emulator).list(**arguments)
    assert message in caught.value.message
    assert modelstudio_emulator.requests == []


@EACH_STYLE
async def test_a_time_that_is_centuries_away_is_none(style: Style) -> None:
    entries = [
        {"task_id": f"t-{number}", "gmt_create": time, "end_time": 1776414394000}
        for number, time in enumerate([10**400, 10**17, -(10**17), 1e300, "1", None])
    ]
    body = json.dumps({"data": entries, "total_page": 10**400}).encode()
    with serve_http(Scripted(body=body)) as server:
        connection = {"api_key": KEY, "base_url": server.base_url}
        found = await Tasks(style, connection).list(limit=len(entries))
    assert [summary.created_at for summary in found] == [None] * len(entries)
    expected = datetime(2026, 4, 17, 8, 26, 34, tzinfo=UTC)
    assert {summary.ended_at for summary in found} == {expected}


# --- What is sent, and what comes back ------------------------------------------------


def page(*entries: Any, **body: Any) -> Scripted:
    return Scripted(body=json.dumps({"data": [*entries], **body}).encode())


def entries(first: int, last: int) -> list[dict[str, Any]]:
    return [{"task_id": f"t-{number}"} for number in range(first, last + 1)]


async def listed(
    style: Style, *pages: Scripted, **arguments: Any
) -> tuple[list[TaskSummary], list[dict[str, str]]]:
    """Return the tasks of a list, and the query of each request for it."""
    with serve_http(*pages) as server:
        at = {"api_key": KEY, "base_url": server.base_url, "max_retries": 0}
        found = await Tasks(style, at).list(**arguments)
    requests = server.received
    assert {(r.method, r.path) for r in requests} == {("GET", "/api/v1/tasks")}
    return found, [request.query for request in requests]


@EACH_STYLE
@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({}, {"page_size": "100"}),
        *(({"limit": n}, {"page_size": str(n)}) for n in (1, 99, 100)),
        ({"limit": 101}, {"page_size": "100"}),
        ({"status": "running"}, {"page_size": "100", "status": "RUNNING"}),
        ({"model": IMAGE}, {"page_size": "100", "model_name": IMAGE}),
        (
            {"since": datetime(2026, 4, 17, 8, 26, 34, tzinfo=UTC)},
            {"page_size": "100", "start_time": "20260417162634"},
        ),
        (
            {"until": datetime(2026, 4, 17, 8, 26, 34, tzinfo=UTC)},
            {"page_size": "100", "end_time": "20260417162634"},
        ),
    ],
    ids=str,
)
async def test_a_filter_is_sent(
    style: Style, arguments: dict[str, Any], query: dict[str, str]
) -> None:
    _, queries = await listed(style, page(), **arguments)
    assert queries == [{**query, "page_no": "1"}]


@EACH_STYLE
@pytest.mark.parametrize(
    ("first", "count"),
    [
        # The list has one page, or no page is said.
        (page(*entries(1, 3), total_page=1), 1),
        (page(*entries(1, 3), total_page=0), 1),
        (page(*entries(1, 3)), 1),
        (page(*entries(1, 3), total_page="2"), 1),
        # A page without a task is the last one, whatever is said.
        (page(total_page=9), 1),
        (page("x", None, total_page=9), 1),
        (page(*entries(1, 3), total_page=2), 2),
    ],
)
async def test_a_list_ends_with_its_last_page(
    style: Style, first: Scripted, count: int
) -> None:
    last = page(*entries(4, 5), total_page=2)
    found, queries = await listed(style, first, last)
    numbers = [query["page_no"] for query in queries]
    assert numbers == [str(number) for number in range(1, count + 1)]
    rows = json.loads(first.body)["data"] + json.loads(last.body)["data"] * (count - 1)
    assert [summary.raw for summary in found] == [
        r for r in rows if isinstance(r, dict)
    ]


@EACH_STYLE
@pytest.mark.parametrize(
    ("limit", "count"), [(1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (7, 3), (100, 3)]
)
async def test_no_more_pages_are_read_than_the_limit_needs(
    style: Style, limit: int, count: int
) -> None:
    pages = [page(*entries(n, n + 2), total_page=3) for n in (1, 4, 7)]
    found, queries = await listed(style, *pages, limit=limit)
    numbers = [query["page_no"] for query in queries]
    assert numbers == ["1", "2", "3"][:count]
    ids = [f"t-{number}" for number in range(1, 10)]
    assert [summary.id for summary in found] == ids[:limit]


@EACH_STYLE
async def test_a_list_where_a_policy_bounds_models_names_one(style: Style) -> None:
    set_policy(Policy(models=["wan*"]))
    _, (query,) = await listed(style, page(), model=IMAGE)
    assert query["model_name"] == IMAGE
    with serve_http(page()) as server:
        at = Tasks(style, {"api_key": KEY, "base_url": server.base_url})
        for arguments in ({}, {"model": "qwen-image"}):
            with pytest.raises(PolicyError):
                await at.list(**arguments)
    assert server.received == []


async def test_an_entry_is_read() -> None:
    entry = {
        "task_id": "t-1",
        "status": "SUCCEEDED",
        "model_name": IMAGE,
        "region": "cn-beijing",
        "gmt_create": 1776414394000,
        "start_time": 1776414395500,
        "end_time": 1776414396000,
        "request_id": "r-1",
    }
    (full, empty), _ = await listed("sync", page(entry, {}))
    created = datetime(2026, 4, 17, 8, 26, 34, tzinfo=UTC)
    assert (full.id, full.status, full.model) == ("t-1", "SUCCEEDED", IMAGE)
    assert (full.region, full.request_id) == ("cn-beijing", "r-1")
    assert full.created_at == created
    assert full.started_at == created + timedelta(seconds=1.5)
    assert full.ended_at == created + timedelta(seconds=2)
    assert full.raw == entry
    task = full.open()
    assert (task.id, task.model, task.created_at) == ("t-1", IMAGE, created)
    assert (task.status, task.done) == ("UNKNOWN", False)
    assert (empty.id, empty.status, empty.model) == ("", "UNKNOWN", "")
    assert (empty.region, empty.request_id) == (None, None)
    assert (empty.created_at, empty.started_at, empty.ended_at) == (None,) * 3
    with pytest.raises(ConfigurationError, match="is not the id of a task"):
        empty.open()
