"""Errors are read from any form of their bodies."""

import json
import time
from typing import Any

import pytest

from modelstudio_core.errors import (
    APIStatusError,
    BadRequestError,
    ContentFilterError,
    ContextOverflowError,
    InternalServerError,
    PermissionDeniedError,
    QuotaExceededError,
)
from modelstudio_core.wire.error_bodies import ErrorBody


def message_of(body: object) -> str:
    return ErrorBody.read(body, 502).message


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<html><title>Bad Gateway</title><h1>Other</h1></html>", "Bad Gateway"),
        ("<HTML><TITLE lang='en'>\n 502\tBad \n</TITLE>", "502\tBad"),
        ("<!DOCTYPE html><title></title><h1> Down </h1>", "Down"),
        ("<html><title> \n </title><h1>Down</h1>", "Down"),
        ("<html><h1>Down <b>now</b></h1>", "Down"),
        ("<html><title>Never closed", "Never closed"),
        (f"<html><title>{'x' * 300}</title>", "x" * 200),
        ("<html><p>No title</p>", "<html><p>No title</p>"),
        ("No page: <title>x</title>", "No page: <title>x</title>"),
        ("<title>No page</title>", "<title>No page</title>"),
        ("", "HTTP status 502"),
    ],
)
def test_the_title_of_a_page_is_its_message(page: str, message: str) -> None:
    assert message_of(page) == message


@pytest.mark.parametrize(("depth", "read"), [(0, 0), (3, 3), (4, 4), (5, 4), (90, 4)])
def test_errors_in_errors_are_read_to_a_depth(depth: int, read: int) -> None:
    body: dict[str, Any] = {"message": f"level {depth}"}
    for level in reversed(range(depth)):
        body = {"message": f"level {level}", "error": body}
    assert message_of({"error": body}) == f"level {read}"


INNER = '{"code": "InvalidParameter", "message": "Bad."}'


@pytest.mark.parametrize(
    "text",
    [
        INNER,
        f" \n{INNER} ",
        f"data: {INNER}",
        f"data:{INNER}\n\n",
        f"id:1\nevent:error\n:HTTP_STATUS/400\ndata:{INNER}\n\n",
        f"event: error\ndata: {INNER}",
        f"retry: 1\ndata: {INNER}",
        f": a comment\n\ndata: {{}}\n\ndata: {INNER}\n\n",
        f"data: [1]\n\ndata: x\n\ndata: {INNER}\n\n",
        '{"error": {"message": "Bad.", "code": "InvalidParameter"}}',
        '{"message": "Bad.", "code": "InvalidParameter", "other": 1}',
        '{"error": {"error": {"message": "Bad.", "code": "InvalidParameter"}}}',
    ],
)
def test_an_error_in_a_text_is_read(text: str) -> None:
    """A gateway sends it with another content type, or in an error of its own."""
    for payload in (text, {"message": text}, {"error": {"message": text, "code": "y"}}):
        body = ErrorBody.read(payload, 400)
        assert (body.message, body.code) == ("Bad.", "InvalidParameter")


@pytest.mark.parametrize(
    "text",
    [
        f"x {INNER}",
        f"datum: {INNER}",
        f"x\ndata: {INNER}",
        '{"other": 1}',
        '{"message": "Bad."',
        '["error"]',
        '"error"',
        "{}",
        "data: []",
        "data: x\n\ndata: {}",
    ],
)
def test_a_text_that_is_no_error_is_the_message(text: str) -> None:
    assert message_of(text) == text
    body = ErrorBody.read({"error": {"message": text, "code": "y"}}, 400)
    assert (body.message, body.code) == (text, "y")


def test_what_only_the_outer_error_has_is_kept() -> None:
    inner = json.dumps({"message": "Bad.", "code": "c", "request_id": "r", "id": "i"})
    outer = {"message": inner, "code": "C", "type": "T", "id": "I", "request_id": "R"}
    assert ErrorBody.read(outer, 400) == ErrorBody("Bad.", "c", "T", "r", "i")
    outer["message"] = json.dumps({"message": "Bad.", "type": "t"})
    assert ErrorBody.read(outer, 400) == ErrorBody("Bad.", "C", "t", "R", "I")


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ModelNotFound", 404, True),
        ("NotFound", 404, True),
        (None, 404, True),
        ("WorkspaceNotFound", 404, False),
        ("ModelNotFound", 400, False),
        (None, 403, False),
    ],
)
def test_only_a_404_may_mean_the_address(
    code: str | None, status: int, expected: bool
) -> None:
    assert ErrorBody("x", code, None, None, None).is_wrong_path(status) is expected


@pytest.mark.parametrize(
    ("message", "status", "cls"),
    [
        ("Free allocated quota exceeded.", 403, QuotaExceededError),
        ("The free tier is used up.", 429, QuotaExceededError),
        ("The freetier is used up.", 429, QuotaExceededError),
        ("Free allocated quota exceeded.", 400, BadRequestError),
        ("Free allocated quota exceeded.", 500, InternalServerError),
        ("The account is in arrears.", 400, QuotaExceededError),
        ("The account is in arrears.", 500, QuotaExceededError),
        ("\u60a8\u7684\u8d26\u53f7\u5df2\u6b20\u8d39", 403, QuotaExceededError),
        ("Check that your account is in good standing.", 400, QuotaExceededError),
        ("It may contain inappropriate content.", 400, ContentFilterError),
        ("It may contain inappropriate content.", 500, ContentFilterError),
        ("data_inspection_failed", 403, ContentFilterError),
        ("Range of input length should be [1, 2]", 400, ContextOverflowError),
        ("Range of input length should be [1, 2]", 500, InternalServerError),
        ("Range of input length should be [1, 2]", 403, PermissionDeniedError),
        ("maximum context length", 422, BadRequestError),
        ("x", 422, BadRequestError),
        ("x", 499, APIStatusError),
        ("x", 500, InternalServerError),
        ("x", 402, APIStatusError),
    ],
)
def test_the_class_of_an_error_without_a_code(
    message: str, status: int, cls: type[APIStatusError]
) -> None:
    assert ErrorBody(message, None, None, None, None).error_class(status) is cls


def test_a_long_message_is_read_in_part() -> None:
    body = ErrorBody.read({"message": "x" * 8190 + "in arrears"}, 400)
    assert body.message == "x" * 8190 + "in"
    assert body.error_class(400) is BadRequestError


@pytest.mark.parametrize(
    "page",
    [
        "<html><title>" + " " * 8000 + "x",
        "<html>" + "<title" * 100 + ">" + " " * 7000,
        "<html>" + "<title >" * 1000,
        "<html>" + "<title> \n" * 900,
        " " * 8000 + "<html",
        "data:" * 1600,
        "model" * 1600,
        "model " * 1300,
        "<4" * 4000,
    ],
)
def test_a_hostile_page_takes_no_time(page: str) -> None:
    """5,000 characters once took minutes."""
    begin = time.process_time()
    for _ in range(10):
        assert message_of(page)
    assert time.process_time() - begin < 5
