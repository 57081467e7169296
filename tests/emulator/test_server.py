"""The server: how it starts, ends, and what each of its responses carries."""

import asyncio
import logging
import socket
import threading
import time
import uuid

import httpx
import openai
import pytest

from modelstudio_core import __version__
from modelstudio_core.catalog import resolve_model
from modelstudio_core.emulator import Emulator, Fault, Reply
from tests.emulator.client import CHAT, Client

BODY = {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hi"}]}


def test_every_response_says_that_it_is_an_emulator(client: Client) -> None:
    studio, http = client.studio, client.http
    responses = [
        client.ask(),
        client.ask(stream=True),
        client.ask(model="no-such-model"),
        http.get(studio.base_url + "/compatible-mode/v1/models"),
        http.get(studio.base_url + "/no/such/path"),
        http.get(client.url),
    ]
    for response in responses:
        assert response.headers["x-modelstudio-emulator"] == __version__
        uuid.UUID(response.headers["x-request-id"])


def test_the_answers_id_is_made_of_the_request_id(client: Client) -> None:
    response = client.ask()
    request_id = response.headers["x-request-id"]
    assert response.json()["id"] == f"chatcmpl-{request_id}"


def test_the_same_requests_get_the_same_answers(http: httpx.Client) -> None:
    def answers() -> list[tuple[str, bytes]]:
        with Emulator() as studio:
            client = Client(studio, http)
            responses = [client.ask("What is it?", stream=s) for s in (False, True)]
            responses.append(client.ask("What is it?"))
            return [(r.headers["x-request-id"], r.content) for r in responses]

    first = answers()
    assert first == answers()
    assert len({request_id for request_id, _ in first}) == 3


def test_models_lists_what_is_served(client: Client) -> None:
    url = client.studio.base_url + "/compatible-mode/v1/models"
    body = client.http.get(url, headers=client.headers).json()
    ids = [model["id"] for model in body["data"]]
    assert body["object"] == "list"
    assert (body["first_id"], body["last_id"]) == (ids[0], ids[-1])
    assert body["has_more"] is False
    assert "deepseek-v4-pro" in ids
    assert not any(resolve_model(name).delisted for name in ids)
    assert set(body["data"][0]) == {"id", "object", "created", "owned_by"}
    assert client.http.get(url).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_other_paths_are_not_found_in_json(client: Client, method: str) -> None:
    url = client.studio.base_url
    response = client.http.request(method, url + "/compatible-mode/v1/nothing")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
    response = client.http.request(method, url + "/api/v1/services/nothing")
    assert response.status_code == 404
    assert response.json().keys() == {"code", "message", "request_id"}
    assert response.json()["code"] == "NotFound"


def test_requests_are_recorded(client: Client) -> None:
    client.post(BODY, **{"X-Thing": "Yes"})
    client.http.get(client.studio.base_url + "/elsewhere")
    first, second = client.studio.requests
    assert (first.method, first.path, first.body) == ("POST", CHAT, BODY)
    assert first.headers["x-thing"] == "Yes"
    assert (second.method, second.path, second.body) == ("GET", "/elsewhere", None)


def test_a_recorded_request_does_not_show_its_key(client: Client) -> None:
    client.ask()
    assert client.studio.api_key not in repr(client.studio.requests)


def test_the_port_and_the_key_can_be_chosen(http: httpx.Client) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Emulator(port=port, api_key="sk-mine") as studio:
        assert studio.base_url == f"http://127.0.0.1:{port}"
        headers = {"authorization": "Bearer sk-mine"}
        response = http.post(studio.base_url + CHAT, json=BODY, headers=headers)
    assert response.status_code == 200


def test_a_taken_port_is_an_error() -> None:
    with Emulator() as studio:
        port = int(studio.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Emulator(port=port).__enter__()


def test_it_can_be_entered_again_but_not_twice(http: httpx.Client) -> None:
    studio = Emulator()
    for _ in range(2):
        with studio:
            assert http.get(studio.base_url).status_code == 404
            with pytest.raises(RuntimeError, match="running already"):
                studio.__enter__()
    with pytest.raises(RuntimeError, match="not running"):
        _ = studio.base_url


def test_an_unknown_generation_is_an_error() -> None:
    with pytest.raises(ValueError, match="'empty' or 'null'"):
        Emulator(generation="new")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - the point


def test_it_ends_at_once_with_connections_open(http: httpx.Client) -> None:
    """A kept connection, a silent one and a long stream are all cut."""
    before = threading.active_count()
    with Emulator(chunk_delay=0.05) as studio:
        client = Client(studio, http)
        client.ask()
        studio.script(Reply(pieces=["x"] * 10_000), Fault.silence(60))
        url, body = client.url, BODY | {"stream": True}
        request = http.build_request("POST", url, json=body, headers=client.headers)
        stream = http.send(request, stream=True)
        next(stream.iter_raw())
        silent = threading.Thread(target=_expect_a_cut, args=(client,))
        silent.start()
        while len(studio.requests) < 3:
            time.sleep(0.005)
        began = time.monotonic()
    assert time.monotonic() - began < 0.4
    silent.join()
    stream.close()
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        http.get(url)


def _expect_a_cut(client: Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.ask()


def test_it_logs_nothing(caplog: pytest.LogCaptureFixture, http: httpx.Client) -> None:
    caplog.set_level(logging.DEBUG)
    with Emulator() as studio:
        studio.script(Fault.cut(), Fault.cut(after=1), Fault.short_body(3))
        for _ in range(3):
            with pytest.raises(httpx.RemoteProtocolError):
                Client(studio, http).ask(stream=True)
    assert [r.getMessage() for r in caplog.records if "uvicorn" in r.name] == []


async def test_it_serves_asynchronous_code_and_many_at_once() -> None:
    with Emulator() as studio:
        async with openai.AsyncOpenAI(
            base_url=studio.base_url + "/compatible-mode/v1", api_key=studio.api_key
        ) as llm:

            async def ask(number: int) -> str | None:
                completion = await llm.chat.completions.create(
                    model="qwen-plus",
                    messages=[
                        {"role": "system", "content": f"Room {number} is free."},
                        {"role": "user", "content": "Which room is free?"},
                    ],
                )
                return completion.choices[0].message.content

            answers = await asyncio.gather(*map(ask, range(20)))
    assert answers == [f"Room {number} is free." for number in range(20)]


def test_the_openai_client_reads_its_streams(client: Client) -> None:
    with openai.OpenAI(
        base_url=client.studio.base_url + "/compatible-mode/v1",
        api_key=client.studio.api_key,
    ) as llm:
        stream = llm.chat.completions.create(
            model="qwen3.7-plus",
            messages=[{"role": "user", "content": "Rust is a language. What is Rust?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    said = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(said) == "Rust is a language."
    assert chunks[-1].usage is not None
