"""``examples/web``: a page that streams, and whose end ends the request upstream."""

import http.client
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, Fault
from tests.documentation.example_files import load_example
from tests.support.fault_server import FaultServer, prompt
from tests.support.models import KEY
from tests.support.web_server import serve_app


@contextmanager
def request(
    address: str, method: str, path: str, body: object = None
) -> Generator[http.client.HTTPResponse]:
    """Yield a response with its body unread, and close its connection."""
    host, port = urlsplit(address).hostname or "", urlsplit(address).port
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body), headers)
        with connection.getresponse() as response:
            yield response
    finally:
        connection.close()


def ask(address: str, question: str) -> list[Any]:
    """Return the events of an answer."""
    with request(address, "POST", "/ask", {"question": question}) as response:
        return [json.loads(line) for line in response.read().splitlines()]


def app_on(emulator: Emulator, example: dict[str, Any]) -> Any:
    model = example["make_model"](
        base_url=emulator.base_url, api_key=emulator.api_key, max_retries=0
    )
    return example["make_app"](model)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return load_example("web/app.py", monkeypatch)


def test_reasoning_comes_before_the_answer_and_its_citations(
    modelstudio_emulator: Emulator, example: dict[str, Any]
) -> None:
    with serve_app(app_on(modelstudio_emulator, example)) as address:
        answered = ask(address, "The tower is red. What is red?")
    kinds = [event["kind"] for event in answered]
    assert list(dict.fromkeys(kinds)) == [
        "reasoning",
        "answer",
        "citation",
        "usage",
        "end",
    ]
    text = "".join(event["text"] for event in answered if event["kind"] == "answer")
    assert text == "The tower is red."
    assert all(event["url"] for event in answered if event["kind"] == "citation")


def test_an_error_is_an_event(
    modelstudio_emulator: Emulator, example: dict[str, Any]
) -> None:
    modelstudio_emulator.script(Fault(status=403, code="access_denied"))
    with serve_app(app_on(modelstudio_emulator, example)) as address:
        (event,) = ask(address, "Hi")
    assert event["kind"] == "error"
    assert "403" in event["text"]
    assert modelstudio_emulator.api_key not in event["text"]


@pytest.mark.parametrize("question", ["", "x" * 4001])
def test_a_question_of_no_or_too_many_characters_is_refused(
    modelstudio_emulator: Emulator, example: dict[str, Any], question: str
) -> None:
    with (
        serve_app(app_on(modelstudio_emulator, example)) as address,
        request(address, "POST", "/ask", {"question": question}) as response,
    ):
        assert response.status == 422
    assert not modelstudio_emulator.requests


def test_a_browser_that_leaves_ends_the_request_to_the_service(
    example: dict[str, Any],
) -> None:
    slow = prompt("slow", pieces=1000, pause=0.02)
    with FaultServer() as server:
        model = ChatModelStudio(
            model="qwen3.7-plus", base_url=server.base_url, api_key=KEY
        )
        with serve_app(example["make_app"](model)) as address:
            with request(address, "POST", "/ask", {"question": slow}) as response:
                assert json.loads(response.readline())["text"]
            deadline = time.monotonic() + 5
            while server.log.abandoned != ["slow"] and time.monotonic() < deadline:
                time.sleep(0.01)
    assert server.log.abandoned == ["slow"]


def test_the_page_is_served(
    modelstudio_emulator: Emulator, example: dict[str, Any]
) -> None:
    with (
        serve_app(app_on(modelstudio_emulator, example)) as address,
        request(address, "GET", "/") as response,
    ):
        page = response.read().decode()
    assert "<title>Ask Model Studio</title>" in page
    # Nothing is loaded from another host.
    assert "src=" not in page
    assert "@import" not in page
