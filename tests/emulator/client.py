"""A client that knows the paths, and reads streams without judging them."""

import json
from typing import Any

import httpx

from modelstudio_core.emulator import Emulator

CHAT = "/compatible-mode/v1/chat/completions"


class Client:
    """One studio and one HTTP client."""

    def __init__(self, studio: Emulator, http: httpx.Client) -> None:
        self.studio = studio
        self.http = http

    @property
    def url(self) -> str:
        return self.studio.base_url + CHAT

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.studio.api_key}"}

    def post(self, body: object, **headers: str) -> httpx.Response:
        return self.http.post(self.url, json=body, headers=self.headers | headers)

    def ask(self, prompt: object = "Hello.", **options: Any) -> httpx.Response:
        """Ask qwen3.7-plus without thinking, unless told otherwise."""
        messages = prompt
        if isinstance(prompt, str):
            messages = [{"role": "user", "content": prompt}]
        body = {"model": "qwen3.7-plus", "enable_thinking": False} | options
        return self.post(body | {"messages": messages})

    def say(self, prompt: object = "Hello.", **options: Any) -> dict[str, Any]:
        """Return the message of a whole answer."""
        response = self.ask(prompt, **options)
        assert response.status_code == 200, response.text
        message: dict[str, Any] = response.json()["choices"][0]["message"]
        return message

    def chunks(self, prompt: object = "Hello.", **options: Any) -> list[Any]:
        """Return the chunks of a stream that ends as it should."""
        response = self.ask(prompt, stream=True, **options)
        assert response.status_code == 200, response.text
        *chunks, done = events(response.text)
        assert done == "[DONE]"
        return [json.loads(chunk) for chunk in chunks]

    def deltas(self, prompt: object = "Hello.", **options: Any) -> list[Any]:
        chunks = self.chunks(prompt, **options)
        return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]

    def refusal(self, prompt: object = "Hello.", **options: Any) -> tuple[int, str]:
        """Return the status and the message of an error."""
        response = self.ask(prompt, **options)
        return response.status_code, response.json()["error"]["message"]


def events(text: str) -> list[str]:
    """Return the data of each event of a stream."""
    assert text.endswith("\n\n")
    parts = text.removesuffix("\n\n").split("\n\n")
    assert all(part.startswith("data: ") and "\n" not in part for part in parts)
    return [part.removeprefix("data: ") for part in parts]
