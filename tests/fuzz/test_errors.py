"""Any body of an error becomes an ``APIError`` that never shows the key."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelstudio_core.errors import APIError
from modelstudio_core.wire.refusals import ErrorContext
from tests.fuzz.parsing import PARSERS, new_parser, protocols
from tests.fuzz.strategies import json_values, keys, texts, wild_json

_codes = st.one_of(
    st.sampled_from(
        ["Throttling.RateQuota", "insufficient_quota", "Arrearage", "429", "9" * 9]
    ),
    wild_json,
)
_bodies = st.one_of(
    wild_json,
    texts,
    st.builds(
        lambda code, message, kind, inside, request_id: (
            {
                "error": {"code": code, "message": message, "type": kind},
                "id": request_id,
            }
            if inside
            else {"code": code, "message": message, "request_id": request_id}
        ),
        _codes,
        wild_json | st.sampled_from(["<400> x", "<599> x", "free tier", "<999> x"]),
        wild_json,
        st.booleans(),
        wild_json,
    ),
)
_statuses = st.none() | st.integers(0, 999) | st.integers()


def shown(error: APIError) -> str:
    """Return everything that an error shows."""
    parts = [error, error.args, error.body, error.message, error.code]
    parts += [error.request_id, error.fields()]
    return "".join(f"{part!r}{part}" for part in parts)


@given(_statuses, _bodies, keys, protocols, st.none() | texts)
def test_any_body_becomes_an_api_error(
    status: int | None, body: Any, key: str, protocol: str, request_id: str | None
) -> None:
    context = ErrorContext("us-east-1", protocol, "127.0.0.1", (key,))
    error = context.from_payload(status, body, request_id=request_id)
    assert isinstance(error, APIError)
    assert isinstance(error.status_code, int | None)
    assert isinstance(error.is_retryable, bool)
    assert all(
        isinstance(value, str | None) for value in (error.code, error.request_id)
    )
    assert shown(error)


@pytest.mark.parametrize("code", ["²", "9" * 5000])
def test_a_code_of_unusual_digits_is_not_a_status(code: str) -> None:
    context = ErrorContext(None, "openai", "127.0.0.1")
    assert context.from_payload(None, {"code": code}).status_code is None


def _echoes(key: str) -> list[str]:
    """Return the forms in which a service or a proxy repeats a key."""
    return [key, f"Bearer {key}", json.dumps(key), quote(key, safe="")]


_echoing = st.builds(
    lambda before, key, form, after: (key, f"{before}{_echoes(key)[form]}{after}"),
    st.one_of(texts, st.integers(400, 520).map(lambda n: "x" * n)),
    keys.filter(lambda key: "*" not in key),
    st.integers(0, 3),
    texts,
)


@given(_echoing, json_values, st.integers(0, 5), _statuses)
@example(("sk-0123456789abcdef", "x" * 490 + "sk-0123456789abcdef"), None, 0, 400)
def test_a_repeated_key_is_never_shown(
    echo: tuple[str, str], other: Any, place: int, status: int | None
) -> None:
    key, text = echo
    body: Any = [
        text,
        {"message": text, "code": text},
        {"error": {"message": other, "code": text, "type": text}, "id": text},
        {"error": text, text: other},
        {"message": {"a": [text]}, "request_id": text},
        [other, [text, {"b": text}]],
    ][place]
    context = ErrorContext(None, "openai", "127.0.0.1", (key,))
    error = context.from_payload(status, body, request_id=text)
    for form in _echoes(key):
        assert form not in shown(error)
    # Half a key, where the message was cut, must not be shown either.
    assert key[: len(key) // 2 + 4] not in shown(error)


@given(_echoing, st.sampled_from(["error", "code", "message", "choices"]))
def test_a_repeated_key_inside_a_stream_is_never_shown(
    echo: tuple[str, str], name: str
) -> None:
    key, text = echo
    bodies = [
        json.dumps({name: text, "code": "x"}).encode(),
        b"<html>" + text.encode(errors="replace"),
    ]
    for protocol in PARSERS:
        for body in bodies:
            parser = new_parser(protocol, request_id=text, secrets=(key,))
            try:
                parser.feed(b"data:" + body + b"\n\n")
                parser.close()
            except APIError as error:
                assert key not in shown(error)  # noqa: PT017 - the error is the result
                assert key[: len(key) // 2 + 4] not in shown(error)  # noqa: PT017
