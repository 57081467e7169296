"""Clients of the openai and dashscope SDKs over a pool of ours."""

from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Final

import dashscope.v2.transport
import httpx
import openai
import pytest

from modelstudio_core.transport import sdks
from modelstudio_core.transport.pools import http_library
from modelstudio_core.transport.relays import ErrorStatusError
from modelstudio_core.transport.sdks import HAS_DASHSCOPE, make_sdk_client
from tests.core.support import KEY, error_message, make_connection

HEADERS: Final = {"Authorization": f"Bearer {KEY}", "X-A": "b"}
sdk_http: Any = http_library()


def make_client(sdk: Any, pool: Any, **arguments: Any) -> Any:
    """Make a synchronous client of an SDK."""
    return make_sdk_client(
        sdk, make_connection(**arguments), pool, HEADERS, is_async=False
    )


def over(client: Any) -> object:
    """Return the pool below the HTTP client of an SDK."""
    return client._client._over


# --- openai -------------------------------------------------------------------------


def test_a_client_of_the_openai_sdk() -> None:
    with sdk_http.Client() as pool:
        client = make_client("openai", pool, timeout=(1, 2))
        assert issubclass(type(client), openai.OpenAI)
        assert over(client) is pool
        assert str(client.base_url) == "http://127.0.0.1:9/compatible-mode/v1/"
        assert client.api_key == KEY
        assert client.max_retries == 0
        assert (client.timeout.connect, client.timeout.read) == (1, 2)


async def test_an_async_client_of_the_openai_sdk() -> None:
    async with sdk_http.AsyncClient() as pool:
        client = make_sdk_client(
            "openai", make_connection(), pool, HEADERS, is_async=True
        )
        assert isinstance(client, openai.AsyncOpenAI)
        assert over(client) is pool


def test_the_time_limits_are_of_the_library_of_the_pool() -> None:
    with sdk_http.Client() as pool:
        assert isinstance(make_client("openai", pool).timeout, sdk_http.Timeout)


def test_only_our_headers_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Custom: c")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://example.com")
    monkeypatch.setenv("OPENAI_API_KEY", "another-key-0123456789")
    with sdk_http.Client() as pool:
        client = make_client("openai", pool)
        assert client.default_headers == {
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            **HEADERS,
        }
        assert client.base_url.host == "127.0.0.1"
        assert client.api_key == KEY


def test_clients_have_headers_of_their_own() -> None:
    with sdk_http.Client() as pool:
        first = make_client("openai", pool)
        second = make_sdk_client(
            "openai", make_connection(), pool, {"X-A": "c"}, is_async=False
        )
    assert (first.default_headers["X-A"], second.default_headers["X-A"]) == ("b", "c")


# --- dashscope ----------------------------------------------------------------------


# What the SDK's own client reads, and fails over.
DASHSCOPE_VARIABLES: Final = {
    "DASHSCOPE_API_KEY": "another-key-0123456789",
    "DASHSCOPE_HTTP_BASE_URL": "https://example.com/api/v1",
    "DASHSCOPE_WORKSPACE": "ws-1",
    "DASHSCOPE_REGION": "nowhere",
    "DASHSCOPE_PROTOCOL": "none",
    "DASHSCOPE_TIMEOUT": "30s",
    "DASHSCOPE_MAX_RETRIES": "many",
    "DASHSCOPE_HTTP_MAX_CONNECTIONS": "x",
    "DASHSCOPE_HTTP_MAX_KEEPALIVE_CONNECTIONS": "x",
    "DASHSCOPE_HTTP_KEEPALIVE_EXPIRY": "x",
}


def test_a_client_of_the_dashscope_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in DASHSCOPE_VARIABLES.items():
        monkeypatch.setenv(name, value)
    with httpx.Client() as pool:
        client = make_client("dashscope", pool, protocol="dashscope", timeout=5)
        assert isinstance(client, dashscope.v2.transport.SyncTransport)
        assert over(client) is pool


async def test_an_async_client_of_the_dashscope_sdk() -> None:
    async with httpx.AsyncClient() as pool:
        client = make_sdk_client(
            "dashscope", make_connection(), pool, HEADERS, is_async=True
        )
        assert isinstance(client, dashscope.v2.transport.AsyncTransport)


@pytest.mark.parametrize("sdk", ["openai", "dashscope"])
def test_no_sdk_follows_a_redirect_over_a_pool_that_does(sdk: Any) -> None:
    pool = sdk_http.Client(
        follow_redirects=True,
        transport=sdk_http.MockTransport(
            lambda _: sdk_http.Response(307, headers={"location": "https://other.com"})
        ),
    )
    with pool:
        client = make_client(sdk, pool)
        relay = client._client
        with pytest.raises(ErrorStatusError) as caught:
            relay.send(relay.build_request("POST", "http://127.0.0.1:9"))
    assert caught.value.response.status_code == 307


def test_an_sdk_that_cannot_make_a_client_is_an_error_of_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**_arguments: Any) -> None:
        raise ValueError(f"odd version, {KEY}")

    monkeypatch.setattr(sdks, "_dashscope_classes", lambda: (fail, fail))
    with sdk_http.Client() as pool:
        message = error_message(make_client, "dashscope", pool)
    assert "dashscope SDK cannot be created: ValueError: odd version" in message
    assert KEY not in message


def test_the_dashscope_sdk_is_installed() -> None:
    assert HAS_DASHSCOPE


@pytest.mark.parametrize(
    ("folders", "has_it"),
    [([], False), (["v1"], False), (["v1", "v2"], True)],
    ids=["empty", "version 1", "version 2"],
)
def test_version_2_of_the_dashscope_sdk_is_found_by_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folders: list[str], has_it: bool
) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir()
    spec = ModuleSpec("dashscope", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(sdks, "find_spec", lambda _name: spec)
    assert sdks._has_dashscope() is has_it


def test_a_missing_dashscope_sdk_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdks, "find_spec", lambda _name: None)
    assert not sdks._has_dashscope()
