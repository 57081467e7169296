"""Connections: what makes two of them share their HTTP clients, and what they show."""

import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.api_keys import ApiKeyFunction
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
        {"limiter": object()},
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
    of_the_user: Any = ["client-0123", "client-0124", "limiter-0123"]
    client, async_client, limiter = of_the_user
    connection = replace(
        CONNECTION,
        http_client=client,
        http_async_client=async_client,
        limiter=limiter,
    )
    shown = repr(connection)
    assert KEY not in shown
    assert "secret-0123" not in shown
    for name in of_the_user:
        assert name not in shown
    assert "127.0.0.1" in shown
    assert {KEY, "secret-0123"} <= set(CONNECTION.secrets)


def test_accounts_are_told_apart_without_showing_them() -> None:
    account = CONNECTION.account
    assert account == replace(CONNECTION, max_retries=9).account
    assert account != replace(CONNECTION, api_key="sk-another-0123456789").account
    assert account != replace(CONNECTION, default_headers=()).account
    assert KEY[:8] not in account


PLAN_KEY = "sk-sp-0123456789abcdef"


def test_a_key_that_is_a_string_is_every_key_of_the_connection() -> None:
    assert CONNECTION.ask_key() == CONNECTION.last_key == KEY
    assert CONNECTION.key_of(None) == CONNECTION.key_of("another") == KEY
    account = CONNECTION.account
    assert CONNECTION.account_of(None) == CONNECTION.account_of("another") == account
    assert CONNECTION.quota_holder == account
    assert set(CONNECTION.secrets) == {KEY, "secret-0123"}


async def test_a_function_is_asked_for_the_key_of_a_connection() -> None:
    keys = iter(["sk-first-0123456789", "sk-second-0123456789", PLAN_KEY])
    function = ApiKeyFunction(lambda: next(keys))
    connection = replace(CONNECTION, api_key=function)
    assert connection.secrets == ("secret-0123",)
    # Not asked again where any key will do.
    assert connection.last_key == connection.last_key == "sk-first-0123456789"
    assert connection.ask_key() == connection.last_key == "sk-second-0123456789"
    assert await connection.aaccount() == connection.account_of(PLAN_KEY)
    assert connection.last_key == PLAN_KEY
    assert connection.quota_holder is function
    assert connection.key_of(None) is None
    assert connection.key_of("sk-first-0123456789") == "sk-first-0123456789"
    assert connection.account_of(None) != connection.account_of(PLAN_KEY)
    first = replace(CONNECTION, api_key="sk-first-0123456789")
    assert connection.account_of("sk-first-0123456789") == first.account
    assert {*connection.secrets} == {
        "sk-first-0123456789",
        "sk-second-0123456789",
        PLAN_KEY,
        "secret-0123",
    }


async def test_a_function_that_is_slow_does_not_block_the_loop() -> None:
    threads: list[threading.Thread] = []

    def ask() -> str:
        threads.append(threading.current_thread())
        return KEY

    connection = replace(CONNECTION, api_key=ApiKeyFunction(ask))
    assert await connection.aaccount() == await CONNECTION.aaccount()
    assert connection.account == CONNECTION.account
    assert [it is threading.current_thread() for it in threads] == [False, True]


def test_a_refused_key_is_explained_by_the_key_that_was_sent() -> None:
    keys = iter([PLAN_KEY])
    function = ApiKeyFunction(lambda: next(keys))
    connection = replace(CONNECTION, api_key=function)
    of_a_plan = "is of a Coding Plan"
    assert of_a_plan not in connection.explain_refused_key(None)
    function.ask()
    assert of_a_plan in connection.explain_refused_key(None)
    assert of_a_plan not in connection.explain_refused_key(KEY)
    assert of_a_plan not in CONNECTION.explain_refused_key(PLAN_KEY)
    fixed = replace(CONNECTION, api_key=PLAN_KEY)
    assert of_a_plan in fixed.explain_refused_key(None)


def test_errors_of_a_connection_show_no_key_that_a_function_returned() -> None:
    function = ApiKeyFunction(lambda: KEY)
    connection = replace(CONNECTION, api_key=function)
    context = connection.context
    assert context.redact(f"{KEY} secret-0123") == f"{KEY} **********"
    function.ask()
    assert context.redact(f"{KEY} secret-0123") == "********** **********"
    assert (context.host, context.protocol) == ("127.0.0.1:9", "openai")
    other = replace(connection, protocol="dashscope")
    assert other.base_url == "http://127.0.0.1:9/api/v1"
    assert connection.base_url == "http://127.0.0.1:9/compatible-mode/v1"


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
