"""What an answer about a task says: its status, its files, its text."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from modelstudio_core.errors import InvalidResponseError
from modelstudio_core.tasks.answers import (
    count_files,
    find_files,
    find_text,
    parse_task,
)
from modelstudio_core.transport.fetch import JsonAnswer
from tests.core.support import CONTEXT

END = datetime(2026, 4, 17, 16, 26, 34, tzinfo=timezone(timedelta(hours=8)))
LAST = datetime(2026, 4, 18, 8, 26, 34, tzinfo=UTC)
REFUSED = {"code": "DataInspectionFailed", "message": "It was refused."}


def good(number: int) -> dict[str, Any]:
    return {"url": f"https://a.com/{number}"}


def choice(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"message": {"content": [*parts]}}


def found(output: dict[str, Any]) -> list[str | None]:
    """Return the addresses of the files, None for each that failed."""
    files = find_files({"output": output}, END)
    assert [file.error is None for file in files] == [
        file.url is not None for file in files
    ]
    return [file.url and file.url.removeprefix("https://a.com/") for file in files]


# --- The status -----------------------------------------------------------------------


def answer_of(output: dict[str, Any], **body: Any) -> JsonAnswer:
    return JsonAnswer({"output": output, **body}, "r-header", {})


def test_a_creation_without_a_status_is_pending() -> None:
    seen = parse_task(answer_of({"task_id": "t-1"}), CONTEXT)
    assert (seen.id, seen.status, seen.request_id) == ("t-1", "PENDING", "r-header")
    assert (seen.code, seen.message, seen.ended_at) == (None, None, None)


def test_an_answer_says_how_and_when_a_task_ended() -> None:
    output = {"task_id": "t-1", "task_status": "FAILED", **REFUSED}
    output["end_time"] = "2026-04-17 16:26:34.000"
    seen = parse_task(answer_of(output, request_id="r-body"), CONTEXT)
    assert (seen.status, seen.request_id) == ("FAILED", "r-body")
    assert (seen.code, seen.message) == (REFUSED["code"], REFUSED["message"])
    assert seen.ended_at == END
    assert seen.body["output"] == output


@pytest.mark.parametrize(
    "output",
    [
        {},
        {"task_status": "PENDING"},
        {"task_id": "t-1", "submit_time": "2026-04-17 16:26:34"},
        {"task_id": "t-1", "task_status": ""},
        {"task_id": "t-1/../x", "task_status": "PENDING"},
        {"task_id": "t" * 129, "task_status": "PENDING"},
        {"task_id": "t-1\n", "task_status": "PENDING"},
    ],
    ids=str,
)
def test_an_answer_without_an_id_or_a_status_is_invalid(output: dict[str, Any]) -> None:
    with pytest.raises(
        InvalidResponseError, match="no valid id or no status"
    ) as caught:
        parse_task(answer_of(output, request_id="r-body"), CONTEXT)
    assert not caught.value.is_retryable
    assert caught.value.request_id == "r-body"


# --- Files ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({}, []),
        ({"results": [good(1), good(2)]}, ["1", "2"]),
        ({"results": [good(1), REFUSED, good(2)]}, ["1", None, "2"]),
        ({"results": [{"code": "x"}, {"message": "x"}, {"x": "y"}, {}]}, [None] * 2),
        ({"results": [{**REFUSED, **good(1)}]}, ["1"]),
        ({"results": [{"transcription_url": "https://a.com/t", **good(1)}]}, ["t"]),
        ({"result": {"transcription_url": "https://a.com/t"}}, ["t"]),
        ({"result": good(1)}, ["1"]),
        ({"result": REFUSED}, [None]),
        ({"results": [good(1)], "result": good(2), **good(3)}, ["1", "2", "3"]),
        ({"image_url": "https://a.com/i"}, ["i"]),
        ({"video_url": "https://a.com/v"}, ["v"]),
        (
            {
                "choices": [
                    choice({"text": "A"}, {"image": "https://a.com/i"}),
                    choice({"video": "https://a.com/v"}, {"audio": "https://a.com/a"}),
                ],
                "results": [good(1)],
            },
            ["i", "v", "a", "1"],
        ),
    ],
    ids=str,
)
def test_the_files_are_found_in_their_order(
    output: dict[str, Any], expected: list[str | None]
) -> None:
    assert found(output) == expected


@pytest.mark.parametrize("name", ["task_metrics", "task_metric"])
@pytest.mark.parametrize(
    ("results", "failed", "expected"),
    [
        ([good(1)], None, ["1"]),
        ([good(1)], 0, ["1"]),
        ([good(1)], -1, ["1"]),
        ([good(1)], 2, ["1", None, None]),
        ([good(1), REFUSED], 0, ["1", None]),
        ([good(1), REFUSED], 1, ["1", None]),
        ([good(1), REFUSED], 3, ["1", None, None, None]),
        ([REFUSED, REFUSED], 1, [None, None]),
        ([REFUSED, REFUSED], 2, [None, None]),
        ([REFUSED, REFUSED], 3, [None, None, None]),
    ],
)
def test_files_that_are_only_counted_as_failed_are_added(
    name: str, results: list[Any], failed: int | None, expected: list[str | None]
) -> None:
    assert found({"results": results, name: {"FAILED": failed}}) == expected


def test_a_file_that_failed_says_why() -> None:
    output = {"results": [REFUSED], "task_metrics": {"FAILED": 2}}
    (refused, counted) = find_files({"output": output}, END)
    assert refused.error is not None
    assert refused.error.code == REFUSED["code"]
    assert refused.error.message == REFUSED["message"]
    assert refused.error.body == refused.raw == REFUSED
    assert counted.error is not None
    assert "does not say why" in counted.error.message
    assert (refused.expires_at, counted.expires_at) == (None, None)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(-1, 0), (0, 0), (1, 1), (999, 999), (1000, 1000), (1001, 1000), ("1", 0)],
)
def test_a_task_has_at_most_1000_files(count: object, expected: int) -> None:
    assert count_files({"FAILED": count}, "FAILED") == expected
    assert count_files({}, "FAILED") == 0


@pytest.mark.parametrize(
    ("query", "expires"),
    [
        ("", LAST),
        ("?x=1&Signature=a", LAST),
        ("?Expires=", LAST),
        ("?Expires=soon", LAST),
        ("?Expires=-1", LAST),
        # 75 minutes after the end, and nine digits: in 2001.
        ("?x=1&Expires=1776418894", END + timedelta(minutes=75)),
        ("?Expires=999999999", datetime(2001, 9, 9, 1, 46, 39, tzinfo=UTC)),
        # Later than 24 hours after the end.
        ("?Expires=1776500795", LAST),
        ("?Expires=9999999999", LAST),
        ("?Expires=99999999999", LAST),
        (f"?Expires={'9' * 5000}", LAST),
    ],
)
def test_an_address_works_for_24_hours_or_as_long_as_its_signature(
    query: str, expires: datetime
) -> None:
    (file,) = find_files({"output": {"url": f"https://a.com/x{query}"}}, END)
    assert file.expires_at is not None
    assert (file.expires_at, file.expires_at.tzinfo) == (expires, UTC)


# --- Text -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({}, ""),
        ({"text": "A"}, "A"),
        ({"text": "A", "choices": [choice({"text": "B"})]}, "A\nB"),
        ({"choices": [{"message": {"content": "A"}}]}, "A"),
        (
            {
                "choices": [
                    choice({"text": "A"}, {"image": "x"}, {"text": "B"}),
                    choice({"text": "C"}),
                ]
            },
            "A\nB\nC",
        ),
    ],
)
def test_the_text_is_found_in_its_order(output: dict[str, Any], text: str) -> None:
    assert find_text({"output": output}) == text
