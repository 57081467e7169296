"""A running studio, and a client for it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import Emulator
from tests.emulator.client import Client
from tests.emulator.native_client import Native


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """One for all: making one loads certificates, which takes longer than a test."""
    with httpx.Client(timeout=5) as client:
        yield client


@pytest.fixture
def client(http: httpx.Client) -> Iterator[Client]:
    with Emulator() as studio:
        yield Client(studio, http)


@pytest.fixture
def older(http: httpx.Client) -> Iterator[Client]:
    with Emulator(generation="null") as studio:
        yield Client(studio, http)


@pytest.fixture
def native(client: Client) -> Native:
    return Native(client.studio, client.http)


@pytest.fixture
def weather() -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather of a city",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "days": {"type": "integer", "minimum": 1},
                },
                "required": ["city", "days"],
            },
        },
    }
