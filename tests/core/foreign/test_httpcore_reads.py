"""A time limit for all reads of a response, on the stream below it."""

import time
from typing import Any

import pytest

from modelstudio_core.foreign import httpcore_reads
from modelstudio_core.foreign.fast_path import FastPath
from modelstudio_core.foreign.httpcore_reads import ReadLimit


class Stream:
    """A network stream that records the time limit of each read."""

    def __init__(self) -> None:
        self.limits: list[float | None] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.limits.append(timeout)
        return b"x" * max_bytes


class Response:
    """A response over a network stream."""

    def __init__(self, stream: object, version: str = "HTTP/1.1") -> None:
        self.extensions = {"network_stream": stream}
        self.http_version = version


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> FastPath:
    """Give each test its own switch: one that goes off stays off."""
    fresh = FastPath("the time limit", is_guard=True)
    monkeypatch.setattr(httpcore_reads, "LIMITED_READS", fresh)
    return fresh


def test_each_read_has_what_is_left_or_its_own_limit_if_that_is_less() -> None:
    stream = Stream()
    reads = ReadLimit(Response(stream))
    assert reads.set(60.0)
    assert stream.read(3) == b"xxx"
    stream.read(1, 90.0)
    stream.read(1, 2.0)
    first, second, third = stream.limits
    assert first is not None
    assert second is not None
    assert 50 < second <= first <= 60
    assert third == 2.0


def test_a_short_limit_is_time_to_read() -> None:
    stream = Stream()
    reads = ReadLimit(Response(stream))
    assert reads.set(0.5)
    assert stream.read(3) == b"xxx"
    (limit,) = stream.limits
    assert limit is not None
    assert 0 < limit <= 0.5


def test_a_limit_is_not_raised_by_a_later_one() -> None:
    stream = Stream()
    reads = ReadLimit(Response(stream))
    for seconds in (60.0, 10.0, 30.0):
        assert reads.set(seconds)
    stream.read(1)
    (limit,) = stream.limits
    assert limit is not None
    assert 5 < limit <= 10


def test_nothing_is_read_when_the_time_is_over() -> None:
    stream = Stream()
    reads = ReadLimit(Response(stream))
    assert reads.set(0.0)
    time.sleep(0.001)
    with pytest.raises(TimeoutError):
        stream.read(1)
    assert stream.limits == []


def test_without_the_limit_the_stream_is_as_before() -> None:
    stream = Stream()
    reads = ReadLimit(Response(stream))
    reads.remove()
    assert reads.set(60.0)
    reads.remove()
    reads.remove()
    assert vars(stream) == {"limits": []}
    stream.read(1)
    assert stream.limits == [None]
    assert reads.set(60.0)
    stream.read(1)
    assert stream.limits[1] is not None


def test_what_another_request_put_in_its_place_is_left() -> None:
    stream: Any = Stream()
    reads = ReadLimit(Response(stream))
    assert reads.set(60.0)
    stream.read = other = object()
    reads.remove()
    assert stream.read is other


@pytest.mark.parametrize(
    ("stream", "version"),
    [(Stream(), "HTTP/2"), (None, "HTTP/1.1")],
    ids=["shared by several responses", "unknown"],
)
def test_a_stream_that_cannot_be_limited_is_left(
    stream: Any, version: str, path: FastPath
) -> None:
    reads = ReadLimit(Response(stream, version))
    assert not reads.set(60.0)
    reads.remove()
    assert path.active
    assert stream is None or vars(stream) == {"limits": []}


def test_it_is_not_set_where_it_is_off(path: FastPath) -> None:
    path.switch_off("a test")
    stream = Stream()
    assert not ReadLimit(Response(stream)).set(60.0)
    assert vars(stream) == {"limits": []}


def test_a_stream_of_another_version_switches_it_off(path: FastPath) -> None:
    class Other:
        pass

    assert not ReadLimit(Response(Other())).set(60.0)
    assert not path.active
