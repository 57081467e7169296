"""Requests: what they are for, where they may go, and how much text they have."""

from typing import Any, Final, Literal

import pytest

from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.requests import (
    HttpRequest,
    check_other_host,
    has_much_text,
)

URL = "https://example.oss-cn-beijing.aliyuncs.com/a.png"


@pytest.mark.parametrize(
    ("method", "url", "purpose"),
    [
        ("GET", None, "service"),
        ("POST", None, "service"),
        ("GET", URL, "result"),
        ("POST", URL, "upload"),
    ],
)
def test_the_purpose_of_a_request(
    method: Literal["GET", "POST"], url: str | None, purpose: str
) -> None:
    request = HttpRequest(api="dashscope", path="/x", method=method, url=url)
    assert request.purpose == purpose


@pytest.mark.parametrize(
    "value",
    ["x" * 10, ["x" * 4, "x" * 6], {"a": "x" * 3, "b": [{"c": "x" * 7}], "d": 5}],
)
def test_much_text_is_more_than_the_limit(value: Any) -> None:
    assert not has_much_text(value, 10)
    assert has_much_text(value, 9)


@pytest.mark.parametrize(
    ("arguments", "needs_model"),
    [
        ({"json": {"input": "a"}}, True),
        ({"json": {}}, True),
        ({}, False),
        ({"method": "GET"}, False),
        ({"method": "GET", "is_of_model": True}, True),
        # What another host gets is no request to a model.
        ({"url": URL, "json": {}}, False),
        ({"url": URL, "method": "GET", "is_of_model": True}, False),
    ],
)
def test_what_needs_a_model_where_a_policy_bounds_models(
    arguments: dict[str, Any], needs_model: bool
) -> None:
    assert HttpRequest(path="/x", **arguments).needs_model is needs_model


@pytest.mark.parametrize(
    ("arguments", "may_have_none"),
    [
        ({}, False),
        ({"method": "GET"}, False),
        ({"method": "DELETE"}, True),
        ({"method": "GET", "url": URL}, True),
        ({"url": URL}, True),
    ],
)
def test_what_may_be_answered_without_a_body(
    arguments: dict[str, Any], may_have_none: bool
) -> None:
    assert HttpRequest(path="/x", **arguments).may_have_no_answer is may_have_none


@pytest.mark.parametrize(
    ("arguments", "models"),
    [
        ({}, ()),
        ({"json": {"model": "a"}, "query": {"model": "b"}, "models": "c"}, "abc"),
        ({"json": {"model": "a"}, "query": {"model": "a"}, "models": "aba"}, "ab"),
        ({"json": {"model": 5}, "models": "a"}, "a"),
    ],
)
def test_the_models_of_a_request_are_named_once(
    arguments: dict[str, Any], models: str
) -> None:
    assert HttpRequest(path="/x", **arguments).model_ids == tuple(models)


def test_a_time_limit_begins_once() -> None:
    request = HttpRequest(path="/x")
    assert request.started(None) is request
    started = request.started(60.0)
    assert started.deadline is not None
    assert started.deadline.seconds == 60.0
    assert started.started(5.0) is started
    assert started.started(None) is started


BEIJING: Final = resolve_endpoint(region="beijing")
GATEWAY: Final = resolve_endpoint(base_url="https://gateway.example.com")
LOCAL: Final = resolve_endpoint(base_url="http://127.0.0.1:8000")
OTHER: Final = "https://example.oss-cn-beijing.aliyuncs.com"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (OTHER, "example.oss-cn-beijing.aliyuncs.com"),
        (f"{OTHER}:8443/a.png?b=c", "example.oss-cn-beijing.aliyuncs.com:8443"),
        (f"{OTHER}:65535?b", "example.oss-cn-beijing.aliyuncs.com:65535"),
    ],
)
def test_the_host_of_a_file_is_named_with_its_port(url: str, host: str) -> None:
    for endpoint in (BEIJING, GATEWAY, LOCAL):
        assert check_other_host(url, endpoint) == host
        assert check_other_host(url, endpoint, upload=True) == host


@pytest.mark.parametrize(
    "rest", [":65536/", ":0000443/", "/a#b", "/a b", "/\\a", "/é", ":/", "a@b/"]
)
def test_a_malformed_address_is_not_sent_to(rest: str) -> None:
    with pytest.raises(ConfigurationError, match="malformed"):
        check_other_host(OTHER + rest, BEIJING)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a", "http://[::1]:1/a"])
def test_a_file_on_this_machine_is_that_of_an_endpoint_on_it(url: str) -> None:
    assert check_other_host(url, LOCAL) == url[len("http://") : -2]
    for endpoint in (BEIJING, GATEWAY):
        with pytest.raises(ConfigurationError, match="not allowed"):
            check_other_host(url, endpoint)


def test_data_are_uploaded_to_the_region_of_the_endpoint() -> None:
    url = "https://example.oss-ap-southeast-1.aliyuncs.com/a"
    assert check_other_host(url, BEIJING)
    assert check_other_host(url, GATEWAY, upload=True)
    with pytest.raises(ConfigurationError, match="stay in the file storage"):
        check_other_host(url, BEIJING, upload=True)
