"""The list of tasks: which of them are in it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError
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
