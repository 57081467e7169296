"""Requests: what they are for, and how much text they have."""

from typing import Any, Literal

import pytest

from modelstudio_core.transport.requests import HttpRequest, has_much_text

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
