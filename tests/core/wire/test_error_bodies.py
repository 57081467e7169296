"""Errors are read from any form of their bodies."""

import time
from typing import Any

import pytest

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
