"""The headers of a response as the core reads them."""

from types import SimpleNamespace
from typing import Any

import pytest

from modelstudio_core.transport.library_responses import read_headers


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        ([], {}),
        ([(b"X-Request-ID", b"r-1")], {"x-request-id": "r-1"}),
        (
            [(b"Vary", b"a"), (b"X-A", b"1"), (b"vary", b"b"), (b"VARY", b"c")],
            {"vary": "a, b, c", "x-a": "1"},
        ),
        ([(b"x-a", "Grüße".encode())], {"x-a": "Grüße"}),
        # All in one coding, as the HTTP libraries read them.
        (
            [(b"x-a", "é".encode()), (b"x-b", b"\xe9")],
            {"x-a": "\xc3\xa9", "x-b": "é"},
        ),
    ],
)
def test_headers_have_names_in_lower_case_and_are_joined(
    raw: list[tuple[bytes, bytes]], headers: dict[str, str]
) -> None:
    response: Any = SimpleNamespace(headers=SimpleNamespace(raw=raw))
    assert read_headers(response) == headers
