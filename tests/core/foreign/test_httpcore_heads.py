"""The time limit for the headers of a response: active, falls back, does no harm."""

import time
from types import SimpleNamespace
from typing import Any, Final

import pytest

from modelstudio_core import errors
from modelstudio_core.foreign import httpcore_heads
from modelstudio_core.foreign.fast_path import VARIABLE, FastPath
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.raw_server import answering

BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", PROTOCOLS)
HINT: Final = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
BODY: Final = {
    "openai": b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}',
    "dashscope": b'{"output":{"choices":[{"message":{"content":"Hi"},'
    b'"finish_reason":"stop"}]},"request_id":"r"}',
}


def response(protocol: Protocol) -> bytes:
    """Return a complete response."""
    body = BODY[protocol]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d"
    return head % len(body) + b"\r\n\r\n" + body


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> FastPath:
    """Give each test its own switch: one that goes off stays off."""
    fresh = FastPath("the time limit", is_guard=True)
    monkeypatch.setattr(httpcore_heads, "LIMITED_HEADS", fresh)
    return fresh


def check_timeout(pieces: list[bytes], protocol: Protocol, path: FastPath) -> None:
    """Check that headers without an end take no longer than a read."""
    begin = time.monotonic()
    with answering(pieces, pause=0.05) as url:
        llm = model("LangChain", url, protocol, timeout=(1, 0.3))
        with pytest.raises(errors.APITimeoutError):
            llm.invoke("Hi")
        assert time.monotonic() - begin < 2
    assert path.active


@BOTH_PROTOCOLS
def test_informational_responses_take_no_longer_than_a_read(
    protocol: Protocol, path: FastPath
) -> None:
    check_timeout([HINT] * 100, protocol, path)


@BOTH_PROTOCOLS
@pytest.mark.parametrize("hints", [0, 1, 3])
def test_a_response_after_informational_ones_is_read(
    protocol: Protocol, hints: int
) -> None:
    """Each arrives alone, or together with what follows."""
    for pieces in (
        [HINT] * hints + [response(protocol)],
        [HINT * hints + response(protocol)],
        [HINT * hints + response(protocol)[:20], response(protocol)[20:]],
    ):
        with answering(pieces, pause=0.01) as url:
            llm = model("LangChain", url, protocol, timeout=(1, 2))
            assert llm.invoke("Hi").text == "Hi"


@BOTH_PROTOCOLS
@pytest.mark.parametrize(
    "first",
    [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nx-a: ", b"HTTP/1.1 429 X\r\nx-a: ", HINT],
)
def test_headers_that_come_byte_by_byte_take_no_longer_than_a_read(
    protocol: Protocol, first: bytes, path: FastPath
) -> None:
    check_timeout([first, *[b"0"] * 100], protocol, path)


@BOTH_PROTOCOLS
@pytest.mark.parametrize(
    ("cut", "line_end"), [(1, b"\r\n"), (-1, b"\r\n"), (17, b"\n")]
)
def test_a_body_may_take_longer_than_its_headers(
    protocol: Protocol, cut: int, line_end: bytes
) -> None:
    """However the headers are cut, and where lines end without a carriage return."""
    head, _, body = response(protocol).partition(b"\r\n\r\n")
    head = (head + b"\r\n\r\n").replace(b"\r\n", line_end)
    step = -(-len(body) // 5)
    slowly = [body[at : at + step] for at in range(0, len(body), step)]
    with answering([head[:cut], head[cut:], *slowly], pause=0.25) as url:
        llm = model("LangChain", url, protocol, timeout=(1, 1))
        assert llm.invoke("Hi").text == "Hi"


@BOTH_PROTOCOLS
def test_it_is_a_guard_that_the_variable_leaves_on(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    monkeypatch.setattr(
        httpcore_heads, "LIMITED_HEADS", FastPath("the time limit", is_guard=True)
    )
    test_informational_responses_take_no_longer_than_a_read(
        protocol, httpcore_heads.LIMITED_HEADS
    )


class _Fixed:
    """Has nothing, and nothing can be set."""

    __slots__ = ()


STRANGERS: Final = {
    "no transport": object(),
    "no pool": SimpleNamespace(_transport=object(), _mounts={}),
    "no backend": SimpleNamespace(
        _transport=SimpleNamespace(_pool=_Fixed()), _mounts={}
    ),
    "a mount without a pool": SimpleNamespace(
        _transport=SimpleNamespace(_pool=SimpleNamespace(_network_backend=_Fixed())),
        _mounts={"all://": object()},
    ),
}


@pytest.mark.parametrize("client", STRANGERS.values(), ids=STRANGERS)
def test_without_the_private_parts_it_is_off_and_raises_nothing(
    client: object, path: FastPath, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "modelstudio")
    for _ in range(2):
        httpcore_heads.limit_heads(client)
    assert not path.active
    assert len([r for r in caplog.records if "is off" in r.message]) == 1


@BOTH_PROTOCOLS
def test_calls_work_where_it_is_off(
    protocol: Protocol, path: FastPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_client: Any) -> Any:
        raise AttributeError("no _pool")

    monkeypatch.setattr(httpcore_heads, "_pools_of", fail)
    with answering([HINT, response(protocol)], pause=0.01) as url:
        # Another key than that of the other tests: it has a pool of its own.
        llm = model("LangChain", url, protocol, api_key="sk-another-0123456789")
        assert llm.invoke("Hi").text == "Hi"
    assert not path.active
