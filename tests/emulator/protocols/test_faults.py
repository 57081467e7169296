"""Faults: each kind fails as documented."""

import json
import time

import httpx
import pytest

from modelstudio_core.emulator import Fault, Reply
from tests.emulator.helpers import OpenAIClient, openai_events

BODY = {"model": "qwen-plus", "messages": [], "stream": True}
REPLY = Reply(pieces=["a", "b", "c"])


def read_until_broken(
    client: OpenAIClient, fault: Fault, *, stream: bool = True
) -> bytes:
    """Return the bytes that are received before the connection breaks."""
    client.studio.script(fault)
    body = BODY | {"stream": stream}
    received: list[bytes] = []
    with client.http.stream("POST", client.url, json=body) as response:
        chunks = response.iter_raw()
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(chunks)
    return b"".join(received)


def test_a_status_has_the_body_of_a_refusal(client: OpenAIClient) -> None:
    """For any key, and without a check of the rules."""
    fault = Fault(
        status=429,
        code="limit_requests",
        message="You exceeded your current requests list.",
        headers={"Retry-After": "2"},
    )
    client.studio.script(fault)
    response = client.http.post(client.url, content=b"nothing")
    request_id = response.headers["x-request-id"]
    assert response.status_code == 429
    assert response.headers["retry-after"] == "2"
    assert response.json() == {
        "error": {
            "message": "You exceeded your current requests list.",
            "type": "invalid_request_error",
            "param": None,
            "code": "limit_requests",
        },
        "id": f"chatcmpl-{request_id}",
        "request_id": request_id,
    }


def test_the_default_fault_is_an_internal_error(client: OpenAIClient) -> None:
    client.studio.script(Fault(), Fault(status=400, code="Arrearage", type="Arrearage"))
    response = client.send()
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert response.json()["error"]["type"] == "internal_error"
    assert client.send().json()["error"]["type"] == "Arrearage"


def test_a_body_need_not_be_json(client: OpenAIClient) -> None:
    page = "<html>Bad Gateway</html>"
    client.studio.script(Fault(status=502, body=page))
    response = client.send()
    assert (response.status_code, response.text) == (502, page)
    assert response.headers["content-type"] == "text/html"


def test_a_redirect_has_a_location(client: OpenAIClient) -> None:
    client.studio.script(Fault.redirect("https://example.com/x", status=308))
    response = client.send()
    assert response.status_code == 308
    assert response.headers["location"] == "https://example.com/x"


@pytest.mark.parametrize("after", [0, 2])
def test_an_error_inside_a_stream_ends_the_stream(
    client: OpenAIClient, after: int
) -> None:
    client.studio.script(Fault.in_stream(after=after, reply=REPLY))
    response = client.send(stream=True)
    assert response.status_code == 200
    *before, error = openai_events(response.text)
    assert len(before) == after
    assert json.loads(error) == {
        "error": {
            "message": "<400> InternalError.Algo.DataInspectionFailed: Output data may"
            " contain inappropriate content.",
            "type": "data_inspection_failed",
            "param": None,
            "code": "data_inspection_failed",
        },
        "id": f"chatcmpl-{response.headers['x-request-id']}",
    }


def test_an_error_inside_a_complete_answer_is_its_body(client: OpenAIClient) -> None:
    client.studio.script(Fault.in_stream(code="internal_error", message="No."))
    response = client.send()
    assert response.status_code == 200
    assert response.json()["error"]["code"] == "internal_error"


@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_can_be_cut_before_the_first_byte(
    client: OpenAIClient, stream: bool
) -> None:
    client.studio.script(Fault.cut())
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        client.send(stream=stream)


def test_a_connection_can_be_cut_between_events(client: OpenAIClient) -> None:
    received = read_until_broken(client, Fault.cut(after=2, reply=REPLY))
    first, second = openai_events(received.decode())
    assert '"role":"assistant"' in first
    assert '"content":"a"' in second


def test_a_connection_can_be_cut_within_an_event(client: OpenAIClient) -> None:
    received = read_until_broken(
        client, Fault.cut(after=1, within=True, reply=REPLY)
    ).decode()
    event, half = received.split("\n\n")
    assert json.loads(event.removeprefix("data: "))
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(half.removeprefix("data: "))


def test_a_complete_answer_can_be_cut(client: OpenAIClient) -> None:
    assert read_until_broken(client, Fault.cut(after=0), stream=False) == b""
    half = read_until_broken(client, Fault.cut(after=0, within=True), stream=False)
    assert half.startswith(b'{"choices":')


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_can_be_shorter_than_its_content_length(
    client: OpenAIClient, stream: bool
) -> None:
    received = read_until_broken(
        client, Fault.short_body(5, reply=Reply(text="x")), stream=stream
    )
    assert not received.endswith((b"}", b"\n"))


def test_silence_before_the_first_byte_ends(client: OpenAIClient) -> None:
    client.studio.script(Fault.silence(0.1, reply=REPLY))
    start = time.monotonic()
    assert client.message()["content"] == "abc"
    assert time.monotonic() - start >= 0.1


def test_silence_before_the_first_byte_outlasts_a_timeout(client: OpenAIClient) -> None:
    client.studio.script(Fault.silence(30))
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(client.url, json=BODY, timeout=0.1)


@pytest.mark.parametrize("after", [0, 2])
def test_silence_in_a_stream_outlasts_a_timeout(
    client: OpenAIClient, after: int
) -> None:
    client.studio.script(Fault.silence(30, after=after, reply=REPLY))
    received: list[bytes] = []
    with client.http.stream("POST", client.url, json=BODY, timeout=0.1) as response:
        chunks = response.iter_raw()
        with pytest.raises(httpx.ReadTimeout):
            received.extend(chunks)
    assert b"".join(received).count(b"\n\n") == after


def test_the_emulator_answers_after_faults(client: OpenAIClient) -> None:
    client.studio.script(Fault.silence(30), Fault.cut())
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(client.url, json=BODY, timeout=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        client.send()
    assert client.message()["content"]


def test_a_fault_inside_an_answer_needs_a_valid_request(client: OpenAIClient) -> None:
    client.studio.script(Fault.in_stream())
    assert client.http.post(client.url, content=b"nothing").status_code == 400
