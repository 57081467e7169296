"""A running emulator, and clients of both protocols."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import Emulator
from tests.emulator.helpers import DashScopeClient, OpenAIClient


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """An HTTP client for all tests: creating one loads certificates, which is slow."""
    with httpx.Client(timeout=5) as client:
        yield client


@pytest.fixture
def client(http: httpx.Client) -> Iterator[OpenAIClient]:
    with Emulator() as studio:
        yield OpenAIClient(studio, http)


@pytest.fixture
def null_client(http: httpx.Client) -> Iterator[OpenAIClient]:
    """A client of an emulator of generation ``null``."""
    with Emulator(generation="null") as studio:
        yield OpenAIClient(studio, http)


@pytest.fixture
def dashscope(client: OpenAIClient) -> DashScopeClient:
    """A DashScope client of the same emulator as ``client``."""
    return DashScopeClient(client.studio, client.http)


@pytest.fixture
def weather_tool() -> dict[str, Any]:
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
