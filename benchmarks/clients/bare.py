"""The least that reading such a stream can cost with httpx and json."""

import json
from importlib import import_module
from typing import Any, Final

from benchmarks.clients import PROMPT, Client

__all__ = ["loop"]

_PATH: Final = "/compatible-mode/v1/chat/completions"
_BODY: Final = {
    "model": "qwen3.7-plus",
    "messages": [{"role": "user", "content": PROMPT}],
}
_STREAM: Final = {
    **_BODY,
    "stream": True,
    "stream_options": {"include_usage": True},
}


class _Loop:
    def __init__(self, base: str) -> None:
        httpx = import_module("httpx")
        options: dict[str, Any] = {
            "timeout": 600,
            "limits": httpx.Limits(max_connections=1000, max_keepalive_connections=100),
        }
        self._url = base + _PATH
        self._client = httpx.Client(**options)
        self._async_client = httpx.AsyncClient(**options)

    def stream(self) -> int:
        pieces = 0
        with self._client.stream("POST", self._url, json=_STREAM) as response:
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    json.loads(line[6:])
                    pieces += 1
        return pieces

    async def astream(self) -> int:
        pieces = 0
        asked = self._async_client.stream("POST", self._url, json=_STREAM)
        async with asked as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    json.loads(line[6:])
                    pieces += 1
        return pieces

    def call(self) -> int:
        return len(self._client.post(self._url, json=_BODY).json()["choices"])

    async def acall(self) -> int:
        response = await self._async_client.post(self._url, json=_BODY)
        return len(response.json()["choices"])


def loop(base: str) -> Client:
    """Return the loop."""
    return _Loop(base)
