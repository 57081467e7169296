"""A client of the native protocol that reads streams without judging them."""

import json
from typing import Any

import httpx

from modelstudio_core.emulator import Emulator

TEXT = "text-generation"
MULTIMODAL = "multimodal-generation"


class Native:
    """One studio and one HTTP client."""

    def __init__(self, studio: Emulator, http: httpx.Client) -> None:
        self.studio = studio
        self.http = http

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.studio.api_key}"}

    def url(self, path: str = TEXT) -> str:
        return f"{self.studio.base_url}/api/v1/services/aigc/{path}/generation"

    def post(self, body: object, path: str = TEXT, **headers: str) -> httpx.Response:
        sent = self.headers | headers
        return self.http.post(self.url(path), json=body, headers=sent)

    def ask(
        self,
        prompt: object = "Hello.",
        *,
        model: str = "qwen-plus",
        path: str = TEXT,
        stream: bool = False,
        **parameters: Any,
    ) -> httpx.Response:
        """Ask for messages, incremental ones, unless told otherwise."""
        messages = prompt
        if isinstance(prompt, str):
            messages = [{"role": "user", "content": prompt}]
        asked = {"result_format": "message", "incremental_output": stream} | parameters
        body = {"model": model, "input": {"messages": messages}, "parameters": asked}
        return self.post(
            body, path, **({"X-DashScope-SSE": "enable"} if stream else {})
        )

    def say(self, prompt: object = "Hello.", **options: Any) -> dict[str, Any]:
        """Return the output of a whole answer."""
        response = self.ask(prompt, **options)
        assert response.status_code == 200, response.text
        output: dict[str, Any] = response.json()["output"]
        return output

    def bodies(self, prompt: object = "Hello.", **options: Any) -> list[Any]:
        """Return the data of the events of a stream."""
        response = self.ask(prompt, stream=True, **options)
        assert response.status_code == 200, response.text
        found = events(response.text)
        assert {kind for kind, _, _ in found} <= {"result"}
        assert {status for _, status, _ in found} <= {200}
        return [data for _, _, data in found]

    def choices(self, prompt: object = "Hello.", **options: Any) -> list[Any]:
        bodies = self.bodies(prompt, **options)
        return [choice for body in bodies for choice in body["output"]["choices"]]

    def messages(self, prompt: object = "Hello.", **options: Any) -> list[Any]:
        return [choice["message"] for choice in self.choices(prompt, **options)]

    def refusal(
        self, prompt: object = "Hello.", **options: Any
    ) -> tuple[int, str, str]:
        """Return the status, the code and the message of an error."""
        response = self.ask(prompt, **options)
        error = response.json()
        assert error.keys() == {"code", "message", "request_id"}
        assert error["request_id"] == response.headers["x-request-id"]
        return response.status_code, error["code"], error["message"]


def events(text: str) -> list[tuple[str, int, Any]]:
    """Return the kind, the status and the data of each event of a stream."""
    if not text:
        return []
    assert text.endswith("\n\n")
    found: list[tuple[str, int, Any]] = []
    for number, event in enumerate(text.removesuffix("\n\n").split("\n\n"), 1):
        named, kind, status, data = event.split("\n")
        assert named == f"id:{number}"
        found.append(
            (
                kind.removeprefix("event:"),
                int(status.removeprefix(":HTTP_STATUS/")),
                json.loads(data.removeprefix("data:")),
            )
        )
    return found
