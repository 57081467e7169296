"""httpx and the standard library's JSON: the least that such a stream can cost."""

import json
from importlib import import_module
from typing import Any, Final

from benchmarks.clients import PROMPT, Client

__all__ = ["httpx_loop"]

_PATH: Final = "/compatible-mode/v1/chat/completions"
_BODY: Final = {
    "model": "qwen3.7-plus",
    "messages": [{"role": "user", "content": PROMPT}],
}
_STREAM_BODY: Final = {
    **_BODY,
    "stream": True,
    "stream_options": {"include_usage": True},
}


class _HttpxLoop:
    def __init__(self, base_url: str) -> None:
        httpx = import_module("httpx")
        options: dict[str, Any] = {
            "timeout": 600,
            "limits": httpx.Limits(max_connections=1000, max_keepalive_connections=100),
        }
        self._url = base_url + _PATH
        self._client = httpx.Client(**options)
        self._async_client = httpx.AsyncClient(**options)

    def stream(self) -> int:
        chunks = 0
        with self._client.stream("POST", self._url, json=_STREAM_BODY) as response:
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    json.loads(line[6:])
                    chunks += 1
        return chunks

    async def astream(self) -> int:
        chunks = 0
        request = self._async_client.stream("POST", self._url, json=_STREAM_BODY)
        async with request as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    json.loads(line[6:])
                    chunks += 1
        return chunks

    def call(self) -> int:
        return _characters(self._client.post(self._url, json=_BODY).json())

    async def acall(self) -> int:
        response = await self._async_client.post(self._url, json=_BODY)
        return _characters(response.json())


def _characters(body: dict[str, Any]) -> int:
    return len(body["choices"][0]["message"]["content"])


def httpx_loop(base_url: str) -> Client:
    """Return the loop over lines."""
    return _HttpxLoop(base_url)
