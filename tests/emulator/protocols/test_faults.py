"""Faults: each goes wrong in the way that it says."""

import json
import time

import httpx
import pytest

from modelstudio_core.emulator import Fault, Reply
from tests.emulator.client import Client, events

BODY = {"model": "qwen-plus", "messages": [], "stream": True}
SAID = Reply(pieces=["a", "b", "c"])


def broken(client: Client, fault: Fault, *, stream: bool = True) -> bytes:
    """Return what came before the connection broke."""
    client.studio.script(fault)
    body = BODY | {"stream": stream}
    got: list[bytes] = []
    with client.http.stream("POST", client.url, json=body) as response:
        chunks = response.iter_raw()
        with pytest.raises(httpx.RemoteProtocolError):
            got.extend(chunks)
    return b"".join(got)


def test_a_status_has_the_body_of_a_refusal(client: Client) -> None:
    """Whatever the key, and before any rule."""
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


def test_a_status_alone_is_an_internal_error(client: Client) -> None:
    client.studio.script(Fault(), Fault(status=400, code="Arrearage", type="Arrearage"))
    response = client.ask()
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert response.json()["error"]["type"] == "internal_error"
    assert client.ask().json()["error"]["type"] == "Arrearage"


def test_a_body_need_not_be_json(client: Client) -> None:
    page = "<html>Bad Gateway</html>"
    client.studio.script(Fault(status=502, body=page))
    response = client.ask()
    assert (response.status_code, response.text) == (502, page)
    assert response.headers["content-type"] == "text/html"


def test_a_redirect_points_elsewhere(client: Client) -> None:
    client.studio.script(Fault.redirect("https://example.com/x", status=308))
    response = client.ask()
    assert response.status_code == 308
    assert response.headers["location"] == "https://example.com/x"


@pytest.mark.parametrize("after", [0, 2])
def test_an_error_can_come_inside_a_stream(client: Client, after: int) -> None:
    client.studio.script(Fault.in_stream(after=after, reply=SAID))
    response = client.ask(stream=True)
    assert response.status_code == 200
    *before, error = events(response.text)
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


def test_an_error_can_come_inside_a_whole_answer(client: Client) -> None:
    client.studio.script(Fault.in_stream(code="internal_error", message="No."))
    response = client.ask()
    assert response.status_code == 200
    assert response.json()["error"]["code"] == "internal_error"


@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_can_be_cut_before_anything(client: Client, stream: bool) -> None:
    client.studio.script(Fault.cut())
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        client.ask(stream=stream)


def test_a_connection_can_be_cut_between_events(client: Client) -> None:
    got = broken(client, Fault.cut(after=2, reply=SAID))
    first, second = events(got.decode())
    assert '"role":"assistant"' in first
    assert '"content":"a"' in second


def test_a_connection_can_be_cut_within_an_event(client: Client) -> None:
    got = broken(client, Fault.cut(after=1, within=True, reply=SAID)).decode()
    whole, half = got.split("\n\n")
    assert json.loads(whole.removeprefix("data: "))
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(half.removeprefix("data: "))


def test_a_whole_answer_can_be_cut(client: Client) -> None:
    assert broken(client, Fault.cut(after=0), stream=False) == b""
    half = broken(client, Fault.cut(after=0, within=True), stream=False)
    assert half.startswith(b'{"choices":')


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_can_be_shorter_than_it_says(client: Client, stream: bool) -> None:
    got = broken(client, Fault.short_body(5, reply=Reply(text="x")), stream=stream)
    assert not got.endswith((b"}", b"\n"))


def test_silence_before_the_first_byte_ends(client: Client) -> None:
    client.studio.script(Fault.silence(0.1, reply=SAID))
    began = time.monotonic()
    assert client.say()["content"] == "abc"
    assert time.monotonic() - began >= 0.1


def test_silence_before_the_first_byte_outlasts_a_timeout(client: Client) -> None:
    client.studio.script(Fault.silence(30))
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(client.url, json=BODY, timeout=0.1)


@pytest.mark.parametrize("after", [0, 2])
def test_silence_in_a_stream_outlasts_a_timeout(client: Client, after: int) -> None:
    client.studio.script(Fault.silence(30, after=after, reply=SAID))
    got: list[bytes] = []
    with client.http.stream("POST", client.url, json=BODY, timeout=0.1) as response:
        chunks = response.iter_raw()
        with pytest.raises(httpx.ReadTimeout):
            got.extend(chunks)
    assert b"".join(got).count(b"\n\n") == after


def test_the_studio_answers_on_after_faults(client: Client) -> None:
    client.studio.script(Fault.silence(30), Fault.cut())
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(client.url, json=BODY, timeout=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        client.ask()
    assert client.say()["content"]


def test_a_fault_of_an_answer_needs_a_request(client: Client) -> None:
    client.studio.script(Fault.in_stream())
    assert client.http.post(client.url, content=b"nothing").status_code == 400
