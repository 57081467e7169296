"""Plays a cassette instead of the service."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from vcr import VCR  # type: ignore[import-untyped]
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

from tests.support.cassettes.files import Files, ReadableYaml
from tests.support.cassettes.scrubbing import scrub_request
from tests.support.internals import without_aiohttp

__all__ = ["KEY", "over_httpx", "player"]

# Any key plays a cassette.
KEY: Final = "sk-of-nobody"


@contextmanager
def over_httpx() -> Generator[None]:
    """Send asynchronous requests over httpx: vcrpy loses aiohttp's headers."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_aiohttp(monkeypatch)
        yield


@contextmanager
def player(path: Path, *, repeats: bool = False) -> Generator[Any]:
    """Answer requests from a cassette, and refuse all other requests.

    A request must match in its method, address, JSON body and the headers that a
    cassette keeps.

    Args:
        path: The cassette.
        repeats: Whether the same request may be sent more than once.

    Yields:
        vcrpy's cassette.
    """
    vcr: Any = VCR(
        record_mode=RecordMode.NONE,
        match_on=("method", "uri", "body", "headers"),
        before_record_request=scrub_request,
        serializer="readable",
    )
    vcr.register_serializer("readable", ReadableYaml)
    vcr.register_persister(Files())
    playing = vcr.use_cassette(str(path), allow_playback_repeats=repeats)
    with over_httpx(), playing as cassette:
        yield cassette
