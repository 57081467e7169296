"""Shared helpers: HTTP clients of both protocols, and prompts that have passages."""

import json
import subprocess
import sys
from typing import Any

import httpx

from modelstudio_core.emulator import Emulator

CHAT = "/compatible-mode/v1/chat/completions"
TEXT = "text-generation"
MULTIMODAL = "multimodal-generation"

Event = tuple[str, int, dict[str, Any]]

# Prompts as the templates of both frameworks write them.
PASSAGES = (
    "The Eiffel Tower is 330 metres tall. It was opened in 1889.\n"
    "Paris is the capital of France. The Louvre is a museum."
)
LLAMAINDEX = (
    "Context information is below.\n---------------------\nfile_path: paris.txt\n\n"
    f"{PASSAGES}\n---------------------\nGiven the context information and not prior"
    " knowledge, answer the query.\nQuery: How tall is the Eiffel Tower?\nAnswer: "
)
LANGCHAIN = (
    "Answer the question based only on the following context:\n"
    f"{PASSAGES}\n\nQuestion: How tall is the Eiffel Tower?"
)
TALL = "The Eiffel Tower is 330 metres tall."


class OpenAIClient:
    """A client of the OpenAI-compatible protocol."""

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

    def send(self, prompt: object = "Hello.", **options: Any) -> httpx.Response:
        """Send a request, by default to qwen3.7-plus without thinking."""
        messages = prompt
        if isinstance(prompt, str):
            messages = [{"role": "user", "content": prompt}]
        body = {"model": "qwen3.7-plus", "enable_thinking": False} | options
        return self.post(body | {"messages": messages})

    def message(self, prompt: object = "Hello.", **options: Any) -> dict[str, Any]:
        """Return the message of an answer that is not a stream."""
        response = self.send(prompt, **options)
        assert response.status_code == 200, response.text
        message: dict[str, Any] = response.json()["choices"][0]["message"]
        return message

    def chunks(self, prompt: object = "Hello.", **options: Any) -> list[dict[str, Any]]:
        """Return the chunks of a stream that ends with ``[DONE]``."""
        response = self.send(prompt, stream=True, **options)
        assert response.status_code == 200, response.text
        *chunks, done = openai_events(response.text)
        assert done == "[DONE]"
        return [json.loads(chunk) for chunk in chunks]

    def deltas(self, prompt: object = "Hello.", **options: Any) -> list[dict[str, Any]]:
        """Return the deltas of a stream."""
        chunks = self.chunks(prompt, **options)
        return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]

    def error(self, prompt: object = "Hello.", **options: Any) -> tuple[int, str]:
        """Return the status and the message of an error."""
        response = self.send(prompt, **options)
        return response.status_code, response.json()["error"]["message"]


class DashScopeClient:
    """A client of the DashScope protocol."""

    def __init__(self, studio: Emulator, http: httpx.Client) -> None:
        self.studio = studio
        self.http = http

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.studio.api_key}"}

    def url(self, path: str = TEXT) -> str:
        return f"{self.studio.base_url}/api/v1/services/aigc/{path}/generation"

    def post(self, body: object, path: str = TEXT, **headers: str) -> httpx.Response:
        return self.http.post(self.url(path), json=body, headers=self.headers | headers)

    def send(
        self,
        prompt: object = "Hello.",
        *,
        model: str = "qwen-plus",
        path: str = TEXT,
        stream: bool = False,
        **parameters: Any,
    ) -> httpx.Response:
        """Send a request, by default for messages and for an incremental stream."""
        messages = prompt
        if isinstance(prompt, str):
            messages = [{"role": "user", "content": prompt}]
        defaults = {"result_format": "message", "incremental_output": stream}
        body = {
            "model": model,
            "input": {"messages": messages},
            "parameters": defaults | parameters,
        }
        headers = {"X-DashScope-SSE": "enable"} if stream else {}
        return self.post(body, path, **headers)

    def output(self, prompt: object = "Hello.", **options: Any) -> dict[str, Any]:
        """Return the output of an answer that is not a stream."""
        response = self.send(prompt, **options)
        assert response.status_code == 200, response.text
        output: dict[str, Any] = response.json()["output"]
        return output

    def chunks(self, prompt: object = "Hello.", **options: Any) -> list[dict[str, Any]]:
        """Return the data of the events of a stream."""
        response = self.send(prompt, stream=True, **options)
        assert response.status_code == 200, response.text
        events = dashscope_events(response.text)
        assert {kind for kind, _, _ in events} <= {"result"}
        assert {status for _, status, _ in events} <= {200}
        return [data for _, _, data in events]

    def choices(
        self, prompt: object = "Hello.", **options: Any
    ) -> list[dict[str, Any]]:
        """Return the choices of all chunks of a stream."""
        chunks = self.chunks(prompt, **options)
        return [choice for chunk in chunks for choice in chunk["output"]["choices"]]

    def messages(
        self, prompt: object = "Hello.", **options: Any
    ) -> list[dict[str, Any]]:
        """Return the messages of all chunks of a stream."""
        return [choice["message"] for choice in self.choices(prompt, **options)]

    def error(self, prompt: object = "Hello.", **options: Any) -> tuple[int, str, str]:
        """Return the status, the code and the message of an error."""
        response = self.send(prompt, **options)
        error = response.json()
        assert error.keys() == {"code", "message", "request_id"}
        assert error["request_id"] == response.headers["x-request-id"]
        return response.status_code, error["code"], error["message"]


def openai_events(text: str) -> list[str]:
    """Return the data of each event of an OpenAI-compatible stream."""
    assert text.endswith("\n\n")
    events = text.removesuffix("\n\n").split("\n\n")
    assert all(event.startswith("data: ") and "\n" not in event for event in events)
    return [event.removeprefix("data: ") for event in events]


def dashscope_events(text: str) -> list[Event]:
    """Return the kind, the status and the data of each event of a DashScope stream."""
    if not text:
        return []
    assert text.endswith("\n\n")
    events: list[Event] = []
    for number, event in enumerate(text.removesuffix("\n\n").split("\n\n"), 1):
        event_id, kind, status, data = event.split("\n")
        assert event_id == f"id:{number}"
        events.append(
            (
                kind.removeprefix("event:"),
                int(status.removeprefix(":HTTP_STATUS/")),
                json.loads(data.removeprefix("data:")),
            )
        )
    return events


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a new process."""
    return subprocess.run(  # noqa: S603 - the code of a test
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
