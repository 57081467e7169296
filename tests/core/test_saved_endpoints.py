"""A saved file sends the key only where it was, or where the caller says."""

import json
from typing import Any, get_args

import pytest

from modelstudio_core.endpoints import Api, Endpoint, resolve_endpoint
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.saved_endpoints import saved_endpoint
from tests.core.support import error_message

GATEWAY = "https://gateway.example.com"
PLACES: list[dict[str, Any]] = [
    {},
    {"region": "us-virginia", "mode": "global"},
    {"region": "us-virginia", "mode": "us", "workspace": "ws-1"},
    {"region": "frankfurt", "workspace": "ws-1"},
    {"base_url": "http://127.0.0.1:8000"},
    {"base_url": "https://localhost:8443/api/v1"},
]


def saved(place: Endpoint, api: Api = "dashscope") -> dict[str, Any]:
    return {
        "region": place.region,
        "mode": place.mode,
        "workspace": place.workspace,
        "base_url": place.url(api),
    }


def resolved(state: dict[str, Any], **options: Any) -> Endpoint:
    # As it is read from a file.
    read = json.loads(json.dumps(state))
    return saved_endpoint(read, options, api="dashscope", noun="task")


def refusal(state: dict[str, Any], **options: Any) -> str:
    return error_message(resolved, state, **options)


@pytest.mark.parametrize("api", get_args(Api))
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_documented_place_and_this_machine_need_no_argument(
    place: dict[str, Any], api: Api
) -> None:
    endpoint = resolve_endpoint(**place)
    assert saved_endpoint(saved(endpoint, api), {}, api=api, noun="run") == endpoint


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"{GATEWAY}/api/v1", "gateway.example.com"),
        ("https://gateway.example.com:8443/api/v1", "gateway.example.com:8443"),
        # Nearly that of a documented place.
        (
            "https://dashscope-intl.aliyuncs.com:8443/api/v1",
            "dashscope-intl.aliyuncs.com:8443",
        ),
        (
            "https://dashscope-intl.aliyuncs.com:443/api/v1",
            "dashscope-intl.aliyuncs.com:443",
        ),
        ("https://dashscope-intl.aliyuncs.com", "dashscope-intl.aliyuncs.com"),
        (
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            "dashscope-intl.aliyuncs.com",
        ),
    ],
)
def test_another_address_must_be_passed(address: str, shown: str) -> None:
    state = {**saved(resolve_endpoint()), "base_url": address}
    with pytest.raises(ConfigurationError) as caught:
        resolved(state)
    assert caught.value.message == (
        f"The task names {shown!r}, which is not a documented host of Model Studio. If"
        " you trust it, pass the same address as base_url=."
    )


def test_plain_http_is_for_this_machine_alone() -> None:
    state = saved(resolve_endpoint())
    state["base_url"] = state["base_url"].replace("https://", "http://")
    for options in ({}, {"allow_insecure_http": "yes"}, {"allow_insecure_http": 1}):
        assert "allow_insecure_http=True" in refusal(state, **options)
    # Nobody but the caller lets the key go over plain http.
    assert "pass the same address" in refusal(state, allow_insecure_http=True)
    given = {"base_url": state["base_url"], "allow_insecure_http": True}
    assert resolved(state, **given).dashscope_base_url == state["base_url"]


@pytest.mark.parametrize("given", [GATEWAY, f"{GATEWAY}/", f"{GATEWAY}/api/v1"])
def test_an_address_that_is_passed_too_is_trusted(given: str) -> None:
    state = saved(resolve_endpoint(base_url=GATEWAY, region="beijing"))
    endpoint = resolved(state, base_url=given)
    assert endpoint.dashscope_base_url == f"{GATEWAY}/api/v1"
    assert endpoint.region == "cn-beijing"


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("https://other.example.com", "other.example.com"),
        ("https://gateway.example.com:8443", "gateway.example.com:8443"),
        (f"{GATEWAY}/team/api/v1", "gateway.example.com"),
        ("https://dashscope-intl.aliyuncs.com", "dashscope-intl.aliyuncs.com"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
    ],
)
def test_another_address_than_the_saved_one_is_refused(given: str, host: str) -> None:
    state = saved(resolve_endpoint(base_url=GATEWAY))
    assert refusal(state, base_url=given) == (
        f"base_url={host!r} contradicts the task, which is bound to its endpoint with"
        " base_url='gateway.example.com': remove base_url=."
    )


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:secret@a.com/b", "a.com"),
        ("https://user@x:secret@a.com:1/b", "a.com:1"),
        ("https://a.com?b=secret", "a.com"),
        (f"https://{'a' * 300}.com/", "a" * 200),
        ("nothing", "nothing"),
        ("n" * 300, "n" * 80),
        (None, ""),
    ],
)
def test_an_error_shows_the_host_of_a_saved_address_alone(
    address: str | None, shown: str
) -> None:
    state = {**saved(resolve_endpoint()), "base_url": address}
    message = refusal(state, base_url=GATEWAY)
    assert f"with base_url={shown!r}: remove base_url=." in message
    assert "secret" not in message


VIRGINIA: dict[str, Any] = {
    "region": "us-east-1",
    "mode": "global",
    "workspace": "ws-1",
}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"region": None, "mode": None, "workspace": None},
        {"region": "us-east-1"},
        {"region": "US (Virginia)"},
        {"mode": "Global"},
        {"workspace": "ws-1"},
        VIRGINIA,
    ],
    ids=str,
)
def test_arguments_may_repeat_what_was_saved(options: dict[str, Any]) -> None:
    endpoint = resolve_endpoint(**VIRGINIA)
    assert resolved(saved(endpoint), **options) == endpoint


@pytest.mark.parametrize(
    ("options", "name", "given", "bound"),
    [
        ({"region": "beijing"}, "region", "beijing", "us-east-1"),
        ({"mode": "us"}, "mode", "us", "global"),
        ({"workspace": "ws-2"}, "workspace", "ws-2", "ws-1"),
        ({"workspace": ""}, "workspace", "", "ws-1"),
        ({**VIRGINIA, "workspace": "ws-2"}, "workspace", "ws-2", "ws-1"),
    ],
    ids=str,
)
def test_an_argument_that_contradicts_what_was_saved_is_refused(
    options: dict[str, Any], name: str, given: str, bound: str
) -> None:
    assert refusal(saved(resolve_endpoint(**VIRGINIA)), **options) == (
        f"{name}={given!r} contradicts the task, which is bound to its endpoint with"
        f" {name}={bound!r}: remove {name}=."
    )


@pytest.mark.parametrize(
    "options",
    [{"region": "us-virginia"}, {"mode": "global"}, {"workspace": "ws-1"}],
    ids=str,
)
def test_an_argument_cannot_add_what_was_not_saved(options: dict[str, Any]) -> None:
    state = saved(resolve_endpoint(base_url="http://127.0.0.1:8000"))
    assert resolved(state).region is None
    assert "contradicts the task" in refusal(state, **options)


@pytest.mark.parametrize("name", ["region", "mode"])
def test_a_place_that_is_none_is_an_error_of_its_own(name: str) -> None:
    assert "mars" in refusal(saved(resolve_endpoint()), **{name: "mars"})
    assert "contradicts" not in refusal(saved(resolve_endpoint()), **{name: "mars"})
