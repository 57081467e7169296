"""The application: routes, headers and recorded requests."""

import socket
import uuid

import httpx
import pytest

from modelstudio_core import __version__
from modelstudio_core.emulator import Emulator, Reply
from tests.emulator.helpers import CHAT, OpenAIClient
from tests.support.models import PROTOCOLS, Protocol, model

BODY = {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hi"}]}


def test_each_response_has_the_emulator_header_and_a_request_id(
    client: OpenAIClient,
) -> None:
    studio, http = client.studio, client.http
    responses = [
        client.send(),
        client.send(stream=True),
        client.send(model="no-such-model"),
        http.get(studio.base_url + "/compatible-mode/v1/models"),
        http.get(studio.base_url + "/no/such/path"),
        http.get(client.url),
    ]
    for response in responses:
        assert response.headers["x-modelstudio-emulator"] == __version__
        uuid.UUID(response.headers["x-request-id"])


def test_the_response_id_contains_the_request_id(client: OpenAIClient) -> None:
    response = client.send()
    request_id = response.headers["x-request-id"]
    assert response.json()["id"] == f"chatcmpl-{request_id}"


def test_the_same_requests_get_the_same_answers(http: httpx.Client) -> None:
    def answers() -> list[tuple[str, bytes]]:
        with Emulator() as studio:
            client = OpenAIClient(studio, http)
            responses = [client.send("What is it?", stream=s) for s in (False, True)]
            responses.append(client.send("What is it?"))
            return [(r.headers["x-request-id"], r.content) for r in responses]

    first = answers()
    assert first == answers()
    assert len({request_id for request_id, _ in first}) == 3


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_paths_are_404_in_json(client: OpenAIClient, method: str) -> None:
    url = client.studio.base_url
    response = client.http.request(method, url + "/compatible-mode/v1/nothing")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
    response = client.http.request(method, url + "/api/v1/services/nothing")
    assert response.status_code == 404
    assert response.json().keys() == {"code", "message", "request_id"}
    assert response.json()["code"] == "NotFound"


def test_requests_are_recorded(client: OpenAIClient) -> None:
    client.post(BODY, **{"X-Thing": "Yes"})
    client.http.get(client.studio.base_url + "/elsewhere")
    first, second = client.studio.requests
    assert (first.method, first.path, first.body) == ("POST", CHAT, BODY)
    assert first.headers["x-thing"] == "Yes"
    assert (second.method, second.path, second.body) == ("GET", "/elsewhere", None)


def test_a_recorded_request_does_not_show_its_key(client: OpenAIClient) -> None:
    client.send()
    assert client.studio.api_key not in repr(client.studio.requests)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_stream_that_is_left_writes_nothing_to_the_log(
    client: OpenAIClient, caplog: pytest.LogCaptureFixture, protocol: Protocol
) -> None:
    """Event loops log each write to a connection that the client has closed."""
    llm = model("LangChain", client.studio, protocol)
    client.studio.script(*[Reply(pieces=["word "] * 2_000)] * 5)
    for _ in range(5):
        assert next(iter(llm.stream("Hi")))
        client.send()  # answered when the emulator has ended the stream
    assert caplog.records == []


@pytest.mark.parametrize("sent", [b"", b'{"model": "qwen-plus", '])
def test_a_request_whose_client_leaves_before_its_end_is_none(
    client: OpenAIClient, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    studio = client.studio
    url = httpx.URL(studio.base_url)
    head = f"POST {CHAT} HTTP/1.1\r\nhost: {url.host}\r\ncontent-length: 500\r\n\r\n"
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(head.encode() + sent)
    assert client.post(BODY).status_code == 200
    assert [request.body for request in studio.requests] == [BODY]
    assert not caplog.records
