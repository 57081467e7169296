"""Connections: what makes two of them share their HTTP clients, and what they show."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.transport.clients import sync_client
from modelstudio_core.transport.connection import DEFAULT_MAX_DOWNLOAD_BYTES
from tests.core.transport.support import KEY, connection_to

CONNECTION = connection_to(
    "http://127.0.0.1:9", default_headers=(("X-Key", "secret-0123"),)
)


@pytest.mark.parametrize(
    "limits",
    [
        {"total_timeout": 1.0},
        {"max_error_bytes": 1},
        {"max_event_bytes": 1},
        {"max_response_bytes": 1},
    ],
    ids=lambda limits: next(iter(limits)),
)
def test_limits_of_an_answer_change_no_client(limits: dict[str, Any]) -> None:
    other = replace(CONNECTION, **limits)
    assert other == CONNECTION
    assert hash(other) == hash(CONNECTION)
    assert sync_client(other, None)[0] is sync_client(CONNECTION, None)[0]


@pytest.mark.parametrize(
    "changed",
    [
        {"api_key": "sk-another-0123456789"},
        {"protocol": "dashscope"},
        {"connect_timeout": 1.0},
        {"read_timeout": 1.0},
        {"max_retries": 9},
        {"default_headers": ()},
        {"http_client": object()},
        {"http_async_client": object()},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_a_client_is_made_of_tells_connections_apart(
    changed: dict[str, Any],
) -> None:
    assert replace(CONNECTION, **changed) != CONNECTION


def test_a_connection_shows_no_secret() -> None:
    shown = repr(replace(CONNECTION, http_client="client-0123"))
    assert KEY not in shown
    assert "secret-0123" not in shown
    assert "client-0123" not in shown
    assert "127.0.0.1" in shown
    assert {KEY, "secret-0123"} <= set(CONNECTION.secrets)


def test_accounts_are_told_apart_without_showing_them() -> None:
    account = CONNECTION.account
    assert account == replace(CONNECTION, max_retries=9).account
    assert account != replace(CONNECTION, api_key="sk-another-0123456789").account
    assert account != replace(CONNECTION, default_headers=()).account
    assert KEY[:8] not in account


def test_the_default_limits_are_those_of_the_documentation() -> None:
    page = Path(__file__).parents[3] / "docs" / "reliability.md"
    rows = re.findall(
        r"^\| `(max_\w+)` \| (\d+) MiB", page.read_text("utf-8"), re.MULTILINE
    )
    assert dict(rows).keys() == {
        "max_error_bytes",
        "max_event_bytes",
        "max_response_bytes",
    }
    for name, mebibytes in rows:
        assert getattr(CONNECTION, name) == int(mebibytes) * 2**20
    assert "may have\n32 GiB" in page.read_text("utf-8")
    assert DEFAULT_MAX_DOWNLOAD_BYTES == 32 * 2**30
