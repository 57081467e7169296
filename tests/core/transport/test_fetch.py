"""Whole JSON answers and files, whatever the service, the method and the host."""

import asyncio
import errno
import gzip
import io
import json
import math
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import IO, Any, ClassVar, cast

import pytest

from modelstudio_core import errors
from modelstudio_core.endpoints import Api
from modelstudio_core.transport import fetch as fetch_module
from modelstudio_core.transport import sdks, send
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import (
    JsonAnswer,
    adownload,
    afetch,
    download,
    fetch,
)
from modelstudio_core.transport.gate import Gate
from modelstudio_core.transport.pace import PacedGate
from modelstudio_core.transport.pools import http_library
from modelstudio_core.transport.requests import HttpRequest, Upload
from tests.core.transport.support import KEY, SYNC_AND_ASYNC, call, connection_to
from tests.support.http_server import HttpServer, Received, Scripted, serve_http

ANSWER = {"data": [1, 2], "text": "Grüße"}
OK = Scripted(body=json.dumps(ANSWER).encode(), headers={"x-request-id": "r-1"})
REFUSED = Scripted(
    status=400,
    body=b'{"code":"InvalidParameter","message":"No such dimension."}',
    headers={"x-request-id": "r-2"},
)
SECRET_HEADER = "gateway-token-0123456789"
PATHS: list[tuple[Api, str]] = [
    ("openai", "/compatible-mode/v1"),
    ("dashscope", "/api/v1"),
    ("rerank", "/compatible-api/v1"),
]


async def fetched(
    connection: Connection,
    request: HttpRequest,
    gate: Gate | None = None,
    *,
    is_async: bool,
) -> JsonAnswer:
    context = connection.context
    return await call(
        is_async,
        lambda: fetch(connection, request, context, gate),
        lambda: afetch(connection, request, context, gate),
    )


async def downloaded(
    connection: Connection,
    request: HttpRequest,
    to: Path,
    *,
    is_async: bool,
    **limits: int,
) -> None:
    context = connection.context
    await call(
        is_async,
        lambda: download(connection, request, to, context, **limits),
        lambda: adownload(connection, request, to, context, **limits),
    )


# --- What is sent -----------------------------------------------------------------


@SYNC_AND_ASYNC
@pytest.mark.parametrize(("api", "prefix"), PATHS)
async def test_a_json_body_goes_to_the_base_path_of_its_api(
    is_async: bool, api: Api, prefix: str
) -> None:
    request = HttpRequest(
        api=api, path="/things", json={"a": "é"}, headers={"X-A": "1"}
    )
    with serve_http(OK) as server:
        answer = await fetched(
            connection_to(server.base_url, workspace="ws-1"), request, is_async=is_async
        )
    received = server.only
    assert (received.method, received.path) == ("POST", f"{prefix}/things")
    assert json.loads(received.body) == {"a": "é"}
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["x-a"] == "1"
    assert received.headers["x-dashscope-workspace"] == "ws-1"
    assert received.headers["user-agent"].startswith("modelstudio-integrations/")
    assert answer.body == ANSWER
    assert answer.request_id == "r-1"
    assert answer.headers["x-request-id"] == "r-1"


@SYNC_AND_ASYNC
@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(("api", "prefix"), PATHS)
async def test_other_methods_have_a_query_and_no_body(
    is_async: bool, method: Any, api: Api, prefix: str
) -> None:
    request = HttpRequest(
        api=api, path="/tasks/1", method=method, query={"page": "2", "q": "a b&c"}
    )
    with serve_http(OK) as server:
        await fetched(connection_to(server.base_url), request, is_async=is_async)
    received = server.only
    assert (received.method, received.path) == (method, f"{prefix}/tasks/1")
    assert received.query == {"page": "2", "q": "a b&c"}
    assert received.body == b""
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert "content-type" not in received.headers


def form_parts(received: Received) -> list[Message]:
    head = f"content-type: {received.headers['content-type']}\r\n\r\n".encode()
    parsed = BytesParser().parsebytes(head + received.body)
    return cast("list[Message]", parsed.get_payload())


@SYNC_AND_ASYNC
async def test_files_are_a_multipart_form(is_async: bool) -> None:
    request = HttpRequest(
        path="/files",
        files=[
            Upload(name="purpose", content=b"batch"),
            Upload(
                name="file",
                content=b'{"a": 1}\n',
                filename="rows.jsonl",
                content_type="application/jsonl",
            ),
        ],
    )
    with serve_http(OK) as server:
        await fetched(connection_to(server.base_url), request, is_async=is_async)
    purpose, file = form_parts(server.only)
    assert purpose.get_payload() == "batch"
    assert purpose.get_filename() is None
    assert file.get_filename() == "rows.jsonl"
    assert file.get_content_type() == "application/jsonl"
    assert file.get_payload() == '{"a": 1}\n'


@SYNC_AND_ASYNC
async def test_the_native_protocol_needs_no_sdk(
    is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "HAS_DASHSCOPE", False)
    monkeypatch.setattr(sdks, "make_sdk_client", None)
    request = HttpRequest(api="dashscope", path="/things", json={"a": 1})
    with serve_http(OK) as server:
        answer = await fetched(
            connection_to(server.base_url, "dashscope"), request, is_async=is_async
        )
    assert server.only.path == "/api/v1/things"
    assert answer.body == ANSWER


# --- Another host -----------------------------------------------------------------


@SYNC_AND_ASYNC
@pytest.mark.parametrize("own_client", [False, True])
async def test_another_host_gets_nothing_of_the_users(
    is_async: bool, own_client: bool
) -> None:
    """Neither the key, nor the workspace, nor what the user's own client adds."""
    http = http_library()
    options: dict[str, Any] = {
        "headers": {"Authorization": "Bearer other", "X-Gateway": SECRET_HEADER},
        "cookies": {"session": SECRET_HEADER},
        "auth": ("user", SECRET_HEADER),
        "params": {"token": SECRET_HEADER},
        "follow_redirects": True,
    }
    with (
        serve_http(OK) as service,
        serve_http(OK) as other,
        http.Client(**options) as client,
    ):
        async with http.AsyncClient(**options) as async_client:
            connection = connection_to(
                service.base_url,
                workspace="ws-1",
                default_headers=(("X-Tenant", SECRET_HEADER),),
                http_client=client if own_client else None,
                http_async_client=async_client if own_client else None,
            )
            request = HttpRequest(
                method="GET", url=f"{other.base_url}/result.json", query={"a": "1"}
            )
            await fetched(connection, request, is_async=is_async)
    assert service.received == []
    received = other.only
    assert received.path == "/result.json"
    assert received.query == {"a": "1"}
    assert {"authorization", "cookie", "x-dashscope-workspace"}.isdisjoint(
        received.headers
    )
    sent = str(received)
    assert KEY not in sent
    assert SECRET_HEADER not in sent
    assert "ws-1" not in sent


@SYNC_AND_ASYNC
async def test_an_answer_that_repeats_the_key_is_fetched_without_it(
    is_async: bool,
) -> None:
    """Tasks, files and batches show what they answer, and save it."""
    body = {
        "request_id": KEY,
        "output": {"task_id": KEY, "results": [{"message": f"Bad {KEY}"}], KEY: 1},
        "usage": {"plan": [KEY]},
        "data": [{"embedding": [0.5], "text": "a", "index": 0}],
    }
    scripted = Scripted(body=json.dumps(body).encode())
    with serve_http(scripted) as server:
        request = HttpRequest(path="/tasks", json={})
        connection = connection_to(server.base_url)
        answer = await fetched(connection, request, is_async=is_async)
    assert KEY not in repr(answer)
    assert answer.body["output"]["results"] == [{"message": "Bad **********"}]
    assert answer.body["data"] == body["data"]


@SYNC_AND_ASYNC
async def test_lone_surrogates_in_an_answer_are_replaced(is_async: bool) -> None:
    """Its ids and addresses are sent back, and written to files."""
    body = {"id": "a\ud83d", "data": {"signature": "\ud83d", "\ud83d": ["\ude00"]}}
    with serve_http(Scripted(body=json.dumps(body).encode())) as server:
        connection = connection_to(server.base_url)
        request = HttpRequest(path="/files", json={})
        answer = await fetched(connection, request, is_async=is_async)
    data = {"signature": "\ufffd", "\ufffd": ["\ufffd"]}
    assert answer.body == {"id": "a\ufffd", "data": data}


@SYNC_AND_ASYNC
async def test_a_signed_address_is_sent_as_it_is(is_async: bool) -> None:
    target = "/a%2Fb/%E4%BD%A0.png?Expires=1&Signature=x%2By%2Fz%3D&q=a%20b"
    with serve_http(OK) as other:
        request = HttpRequest(method="GET", url=f"{other.base_url}{target}")
        await fetched(connection_to(other.base_url), request, is_async=is_async)
    assert other.only.target == target


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/?Signature=secret-signature",
        "http://bucket.oss-cn-beijing.aliyuncs.com/?Signature=secret-signature",
        "https://aliyuncs.com.evil.example/?Signature=secret-signature",
        "https://evilaliyuncs.com/?Signature=secret-signature",
        "ftp://bucket.oss-cn-beijing.aliyuncs.com/?Signature=secret-signature",
        "file:///etc/passwd?Signature=secret-signature",
        "https://user:pass@bucket.oss-cn-beijing.aliyuncs.com/?Signature=secret-signature",
        "https://[::1?Signature=secret-signature",
        "https://evil.com\\.aliyuncs.com/?Signature=secret-signature",
        "https://evil.com\uff0f.aliyuncs.com/?Signature=secret-signature",
        "https://a.aliyuncs.com/\n?Signature=secret-signature",
        "https://a.aliyuncs.com:99999/?Signature=secret-signature",
        "https://a.aliyuncs.com:abc/?Signature=secret-signature",
        "ftp://127.0.0.1/?Signature=secret-signature",
        "",
    ],
)
async def test_a_host_that_is_not_the_clouds_is_refused(
    is_async: bool, url: str
) -> None:
    request = HttpRequest(method="GET", url=url)
    with serve_http(OK) as server, pytest.raises(errors.ConfigurationError) as caught:
        await fetched(connection_to(server.base_url), request, is_async=is_async)
    assert server.received == []
    assert "secret-signature" not in str(caught.value)


@SYNC_AND_ASYNC
async def test_a_query_is_added_to_that_of_a_signed_address(is_async: bool) -> None:
    with serve_http(OK) as other:
        url = f"{other.base_url}/a?Signature=x%2By"
        request = HttpRequest(method="GET", url=url, query={"part": "1 2"})
        await fetched(connection_to(other.base_url), request, is_async=is_async)
    assert other.only.target == "/a?Signature=x%2By&part=1+2"


@SYNC_AND_ASYNC
@pytest.mark.parametrize("status", [200, 204])
async def test_an_upload_needs_no_answer(is_async: bool, status: int) -> None:
    with serve_http(Scripted(status=status, body=b"")) as other:
        request = HttpRequest(
            url=f"{other.base_url}/bucket", files=[Upload(name="key", content=b"a")]
        )
        answer = await fetched(
            connection_to(other.base_url), request, is_async=is_async
        )
    assert answer.body == {}
    assert len(other.received) == 1


@SYNC_AND_ASYNC
async def test_the_error_of_another_host_names_it_and_not_the_key(
    is_async: bool,
) -> None:
    with serve_http(Scripted(status=401, body=b"denied")) as other:
        request = HttpRequest(method="GET", url=f"{other.base_url}/a")
        with pytest.raises(errors.AuthenticationError) as caught:
            await fetched(connection_to(other.base_url), request, is_async=is_async)
    assert caught.value.message == "denied"
    host = other.base_url.removeprefix("http://")
    connection = connection_to("http://127.0.0.1:9")
    with pytest.raises(errors.APIConnectionError, match=f"{host} cannot be reached"):
        await fetched(connection, request, is_async=is_async)


@SYNC_AND_ASYNC
async def test_the_service_does_not_send_requests_to_this_machine(
    is_async: bool,
) -> None:
    """An address in a response of the real service must not reach loopback."""
    connection = connection_to("https://dashscope.aliyuncs.com")
    with serve_http(OK) as local:
        request = HttpRequest(method="GET", url=local.base_url)
        with pytest.raises(errors.ConfigurationError):
            await fetched(connection, request, is_async=is_async)
    assert local.received == []


# --- Answers ----------------------------------------------------------------------


@SYNC_AND_ASYNC
@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"a"', b"null", b'{"a":'])
async def test_an_answer_that_is_no_json_object(is_async: bool, body: bytes) -> None:
    request = HttpRequest(path="/things", json={})
    scripted = Scripted(body=body, headers={"x-request-id": "r-3"})
    with (
        serve_http(scripted) as server,
        pytest.raises(errors.InvalidResponseError) as caught,
    ):
        await fetched(connection_to(server.base_url), request, is_async=is_async)
    assert caught.value.request_id == "r-3"
    assert caught.value.body == body.decode()


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("status", "may_be_empty"), [(200, False), (201, False), (204, True), (206, False)]
)
async def test_an_empty_answer_is_one_only_if_its_status_says_so(
    is_async: bool, status: int, may_be_empty: bool
) -> None:
    request = HttpRequest(path="/things", json={})
    with serve_http(Scripted(status=status, body=b"")) as server:
        connection = connection_to(server.base_url)
        if may_be_empty:
            answer = await fetched(connection, request, is_async=is_async)
            assert answer.body == {}
            return
        with pytest.raises(errors.InvalidResponseError):
            await fetched(connection, request, is_async=is_async)


@SYNC_AND_ASYNC
@pytest.mark.parametrize("number", [math.nan, math.inf])
async def test_a_number_that_json_does_not_have_is_not_sent(
    is_async: bool, number: float
) -> None:
    request = HttpRequest(api="rerank", path="/reranks", json={"top_n": number})
    with serve_http(OK) as server, pytest.raises(ValueError, match="JSON"):
        await fetched(connection_to(server.base_url), request, is_async=is_async)
    assert server.received == []


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Slow down.", "code": "limit_requests"}},
        {"code": "Throttling.RateQuota", "message": "Slow down.", "request_id": "r"},
    ],
)
async def test_an_error_inside_http_200(is_async: bool, body: dict[str, Any]) -> None:
    request = HttpRequest(path="/things", json={})
    with (
        serve_http(Scripted(body=json.dumps(body).encode())) as server,
        pytest.raises(errors.RateLimitError) as caught,
    ):
        await fetched(connection_to(server.base_url), request, is_async=is_async)
    assert caught.value.status_code == 429


@SYNC_AND_ASYNC
@pytest.mark.parametrize(("api", "prefix"), PATHS)
async def test_a_refusal_is_the_error_of_its_status(
    is_async: bool, api: Api, prefix: str
) -> None:
    request = HttpRequest(api=api, path="/things", json={})
    with serve_http(REFUSED) as server, pytest.raises(errors.BadRequestError) as caught:
        await fetched(connection_to(server.base_url), request, is_async=is_async)
    assert server.only.path == f"{prefix}/things"
    assert caught.value.message == "No such dimension."
    assert caught.value.code == "InvalidParameter"
    assert caught.value.request_id == "r-2"
    assert caught.value.__context__ is None


@SYNC_AND_ASYNC
@pytest.mark.parametrize(("api", "prefix"), PATHS)
async def test_a_redirect_is_not_followed(
    is_async: bool, api: Api, prefix: str
) -> None:
    with serve_http(OK) as other:
        redirect = Scripted(status=307, headers={"location": other.base_url})
        with serve_http(redirect) as server:
            request = HttpRequest(api=api, path="/things", json={})
            with pytest.raises(errors.APIStatusError) as caught:
                await fetched(
                    connection_to(server.base_url), request, is_async=is_async
                )
        assert server.only.path == f"{prefix}/things"
    assert other.received == []
    assert caught.value.status_code == 307


@SYNC_AND_ASYNC
async def test_a_key_that_the_service_repeats_is_hidden(is_async: bool) -> None:
    body = json.dumps({"code": "InvalidParameter", "message": f"Bad {KEY}"}).encode()
    request = HttpRequest(method="GET", path="/things")
    with (
        serve_http(Scripted(status=400, body=body)) as server,
        pytest.raises(errors.BadRequestError) as caught,
    ):
        await fetched(connection_to(server.base_url), request, is_async=is_async)
    assert KEY not in f"{caught.value} {caught.value.body}"


# --- Repetition -------------------------------------------------------------------


BUSY = Scripted(status=503, body=b'{"code":"ModelServingError","message":"Busy."}')
LIMITED = Scripted(status=429, body=b'{"code":"Throttling","message":"Slow down."}')
HUNG_UP = Scripted(hang_up=True)
CUT = Scripted(missing_bytes=10)


async def try_three_times(
    server: HttpServer, *, repeatable: bool, is_async: bool
) -> JsonAnswer:
    connection = connection_to(server.base_url, max_retries=2, read_timeout=0.5)
    request = HttpRequest(
        api="dashscope", path="/create", json={"a": 1}, repeatable=repeatable
    )
    return await fetched(connection, request, is_async=is_async)


@SYNC_AND_ASYNC
@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("failure", [BUSY, LIMITED, HUNG_UP, CUT])
async def test_a_failed_request_is_repeated(is_async: bool, failure: Scripted) -> None:
    with serve_http(failure, failure, OK) as server:
        answer = await try_three_times(server, repeatable=True, is_async=is_async)
    assert answer.body == ANSWER
    assert len(server.received) == 3
    assert len({request.body for request in server.received}) == 1


@SYNC_AND_ASYNC
@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("failure", [BUSY, HUNG_UP, CUT])
async def test_what_may_have_been_created_is_not_created_again(
    is_async: bool, failure: Scripted
) -> None:
    with serve_http(failure, OK) as server, pytest.raises(errors.APIError):
        await try_three_times(server, repeatable=False, is_async=is_async)
    assert len(server.received) == 1


@SYNC_AND_ASYNC
@pytest.mark.usefixtures("no_backoff")
async def test_a_request_that_was_not_accepted_is_repeated(is_async: bool) -> None:
    with serve_http(LIMITED, LIMITED, OK) as server:
        answer = await try_three_times(server, repeatable=False, is_async=is_async)
    assert answer.body == ANSWER
    assert len(server.received) == 3


@SYNC_AND_ASYNC
@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("api", [api for api, _ in PATHS])
async def test_a_connection_that_was_not_made_created_nothing(
    is_async: bool, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "modelstudio")
    with serve_http() as server:
        base_url = server.base_url
    connection = connection_to(base_url, max_retries=2)
    request = HttpRequest(api=api, path="/create", json={}, repeatable=False)
    with pytest.raises(errors.APIConnectionError) as caught:
        await fetched(connection, request, is_async=is_async)
    assert not caught.value.was_sent
    assert len([r for r in caplog.records if " retry " in r.message]) == 2


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@SYNC_AND_ASYNC
@pytest.mark.usefixtures("no_backoff")
async def test_a_code_that_is_text_is_not_logged(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "modelstudio")
    body = b'{"code":"my secret prompt is long","message":"Busy."}'
    with serve_http(Scripted(status=503, body=body), OK) as server:
        await try_three_times(server, repeatable=True, is_async=is_async)
    (record,) = [r for r in caplog.records if r.name == "modelstudio"]
    assert "secret" not in record.message
    assert "InternalServerError: status 503" in record.message


async def test_aiohttp_does_not_repeat_a_request_by_itself() -> None:
    """It would, for methods that are idempotent; there is one retry loop."""
    with serve_http(OK, HUNG_UP) as server:
        connection = connection_to(server.base_url)
        for method in ("GET", "DELETE"):
            server.responses[:] = [OK, HUNG_UP]
            request = HttpRequest(method=method, path="/things")  # pyright: ignore[reportArgumentType] - one of both
            await fetched(connection, request, is_async=True)
            with pytest.raises(errors.APIConnectionError):
                await fetched(connection, request, is_async=True)
    assert [r.method for r in server.received] == ["GET"] * 2 + ["DELETE"] * 2


# --- Files ------------------------------------------------------------------------


@SYNC_AND_ASYNC
async def test_a_file_is_written_when_it_is_whole(
    is_async: bool, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 9000
    to = tmp_path / "image.png"
    to.write_bytes(b"before")
    with serve_http(Scripted(body=content)) as other:
        request = HttpRequest(method="GET", url=f"{other.base_url}/image.png")
        await downloaded(connection_to(other.base_url), request, to, is_async=is_async)
    assert to.read_bytes() == content
    assert "authorization" not in other.only.headers
    assert names_in(tmp_path) == ["image.png"]


@SYNC_AND_ASYNC
async def test_a_compressed_file_is_decoded(is_async: bool, tmp_path: Path) -> None:
    scripted = Scripted(
        body=gzip.compress(b"text"), headers={"content-encoding": "gzip"}
    )
    with serve_http(scripted) as server:
        request = HttpRequest(method="GET", path="/files/1/content")
        to = tmp_path / "rows.jsonl"
        await downloaded(connection_to(server.base_url), request, to, is_async=is_async)
    assert to.read_bytes() == b"text"


@SYNC_AND_ASYNC
@pytest.mark.usefixtures("no_backoff")
async def test_a_download_that_breaks_off_begins_again(
    is_async: bool, tmp_path: Path
) -> None:
    cut = Scripted(body=b"half", missing_bytes=4)
    to = tmp_path / "file"
    with serve_http(cut, Scripted(body=b"complete")) as server:
        connection = connection_to(server.base_url, max_retries=1)
        request = HttpRequest(method="GET", path="/files/1/content")
        await downloaded(connection, request, to, is_async=is_async)
    assert to.read_bytes() == b"complete"
    assert len(server.received) == 2


@SYNC_AND_ASYNC
async def test_two_downloads_to_one_path_do_not_mix(
    is_async: bool, tmp_path: Path
) -> None:
    to = tmp_path / "file"
    contents = [bytes([number]) * 3_000_000 for number in range(4)]
    with serve_http(*map(Scripted, [200] * 4, contents)) as server:
        connection = connection_to(server.base_url)
        request = HttpRequest(method="GET", path="/files/1/content")
        if is_async:
            await asyncio.gather(
                *(downloaded(connection, request, to, is_async=True) for _ in contents)
            )
        else:
            with ThreadPoolExecutor() as threads:
                arguments = (connection, request, to, connection.context)
                runs = [threads.submit(download, *arguments) for _ in contents]
            assert [run.result() for run in runs] == [None] * 4
    assert to.read_bytes() in contents
    assert names_in(tmp_path) == ["file"]


@SYNC_AND_ASYNC
async def test_a_download_that_fails_leaves_what_was_there(
    is_async: bool, tmp_path: Path
) -> None:
    to = tmp_path / "file"
    to.write_bytes(b"before")
    with serve_http(Scripted(body=b"half", missing_bytes=4)) as server:
        request = HttpRequest(method="GET", path="/files/1/content")
        with pytest.raises(errors.IncompleteStreamError):
            await downloaded(
                connection_to(server.base_url), request, to, is_async=is_async
            )
    assert to.read_bytes() == b"before"
    assert names_in(tmp_path) == ["file"]


@SYNC_AND_ASYNC
@pytest.mark.parametrize("encoded", [False, True], ids=["", "gzip"])
async def test_a_download_has_a_largest_size(
    is_async: bool, encoded: bool, tmp_path: Path
) -> None:
    to, content = tmp_path / "film.mp4", b"0" * 100_000
    body = gzip.compress(content) if encoded else content
    headers = {"content-encoding": "gzip"} if encoded else {}
    request = HttpRequest(method="GET", path="/files/1/content")
    with serve_http(Scripted(body=body, headers=headers)) as server:
        connection = connection_to(server.base_url, max_retries=1)
        with pytest.raises(errors.InvalidResponseError, match="max_bytes=99,999 ") as e:
            await downloaded(
                connection, request, to, is_async=is_async, max_bytes=99_999
            )
        assert not e.value.is_retryable
        assert names_in(tmp_path) == []
        await downloaded(connection, request, to, is_async=is_async, max_bytes=100_000)
        assert to.read_bytes() == content
        # Not again after the first: what comes next would be as large.
        assert len(server.received) == 2


@SYNC_AND_ASYNC
async def test_a_download_that_is_announced_as_too_large_is_not_read(
    is_async: bool, tmp_path: Path
) -> None:
    to = tmp_path / "film.mp4"
    request = HttpRequest(method="GET", path="/files/1/content")
    announced = Scripted(body=b"0" * 1000, missing_bytes=2**40)
    with (
        serve_http(announced) as server,
        pytest.raises(errors.InvalidResponseError, match="max_bytes=34,359,738,368 "),
    ):
        await downloaded(connection_to(server.base_url), request, to, is_async=is_async)
    assert names_in(tmp_path) == []


@SYNC_AND_ASYNC
async def test_the_error_of_a_download_has_its_code_if_it_is_too_large(
    is_async: bool, tmp_path: Path
) -> None:
    body = b'{"code": "InvalidParameter", "message": "' + b"x" * 2**21 + b'"}'
    request = HttpRequest(method="GET", path="/files/1/content")
    with (
        serve_http(Scripted(status=400, body=body)) as server,
        pytest.raises(errors.InvalidResponseError, match="max_error_bytes") as caught,
    ):
        await downloaded(
            connection_to(server.base_url), request, tmp_path / "a", is_async=is_async
        )
    assert caught.value.code == "InvalidParameter"
    assert caught.value.status_code == 400
    assert len(str(caught.value)) < 1000


class FullDisk(io.FileIO):
    """A file on a disk without room: it exists, and nothing can be written to it."""

    def write(self, _data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def _full_disk(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    def open_part(path: Path) -> IO[bytes]:
        return io.BufferedWriter(FullDisk(f"{path}.1.part", "w"))

    monkeypatch.setattr(fetch_module, "_open_part", open_part)


@SYNC_AND_ASYNC
@pytest.mark.usefixtures("_full_disk")
@pytest.mark.parametrize("size", [100, 3_000_000], ids=["at its end", "on the way"])
async def test_a_download_to_a_full_disk_leaves_no_file(
    is_async: bool, size: int, tmp_path: Path
) -> None:
    request = HttpRequest(method="GET", path="/files/1/content")
    with serve_http(Scripted(body=b"0" * size)) as server:
        connection = connection_to(server.base_url)
        with pytest.raises(OSError, match="No space left") as caught:
            await downloaded(connection, request, tmp_path / "a", is_async=is_async)
    assert caught.value.__context__ is None
    assert names_in(tmp_path) == []


@SYNC_AND_ASYNC
@pytest.mark.usefixtures("_full_disk", "no_backoff")
async def test_a_download_that_breaks_off_on_a_full_disk_leaves_no_file(
    is_async: bool, tmp_path: Path
) -> None:
    """Closing the file writes what is left, and fails: the first error is raised."""
    cut = Scripted(body=b"half", missing_bytes=4)
    request = HttpRequest(method="GET", path="/files/1/content")
    with serve_http(*[cut] * 2) as server:
        connection = connection_to(server.base_url, max_retries=1)
        with pytest.raises(errors.IncompleteStreamError):
            await downloaded(connection, request, tmp_path / "a", is_async=is_async)
    assert names_in(tmp_path) == []
    assert len(server.received) == 2


@SYNC_AND_ASYNC
async def test_a_download_that_cannot_replace_what_is_there_leaves_no_file(
    is_async: bool, tmp_path: Path
) -> None:
    to = tmp_path / "folder"
    to.mkdir()
    request = HttpRequest(method="GET", path="/files/1/content")
    with serve_http(Scripted(body=b"text")) as server:
        connection = connection_to(server.base_url)
        with pytest.raises(OSError, match="folder"):
            await downloaded(connection, request, to, is_async=is_async)
    assert names_in(tmp_path) == ["folder"]


@pytest.mark.parametrize("name", ["_open_part", "_replace"])
async def test_a_download_that_is_cancelled_while_a_thread_works_leaves_no_half(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the thread opens is removed, and what it replaces is complete."""
    done, may_return = threading.Event(), threading.Event()
    original = getattr(fetch_module, name)

    def work(*arguments: Any) -> Any:
        result = original(*arguments)
        done.set()
        may_return.wait(5)
        return result

    monkeypatch.setattr(fetch_module, name, work)
    request = HttpRequest(method="GET", path="/files/1/content")
    with serve_http(Scripted(body=b"text")) as server:
        connection = connection_to(server.base_url)
        run = adownload(connection, request, tmp_path / "a", connection.context)
        task = asyncio.create_task(run)
        assert await asyncio.to_thread(done.wait, 5)
        task.cancel()
        await asyncio.sleep(0)
        may_return.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert names_in(tmp_path) == {"_open_part": [], "_replace": ["a"]}[name]


async def test_small_pieces_are_written_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each write is done in a thread: but what waits for it must not grow."""
    monkeypatch.setattr(fetch_module, "_WRITE_BYTES", 8)

    class Response:
        async def chunks(self, *, max_bytes: int) -> AsyncIterator[bytes]:
            assert max_bytes == 99
            for piece in (b"abcd", b"efgh", b"ijk", b"lmnopqrst", b"u"):
                yield piece

    class File:
        written: ClassVar[list[bytes]] = []

        def write(self, data: bytes) -> None:
            self.written.append(data)

    await fetch_module._write(cast("Any", Response()), cast("Any", File()), 99)
    assert File.written == [b"abcdefgh", b"ijklmnopqrst", b"u"]


# --- The log ----------------------------------------------------------------------


@SYNC_AND_ASYNC
@pytest.mark.usefixtures("no_backoff")
async def test_the_log_says_what_happens_and_no_content(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "modelstudio")
    quoting = Scripted(
        status=429, body=b'{"code":"Throttling","message":"my secret prompt"}'
    )
    with serve_http(quoting, OK) as server:
        connection = connection_to(server.base_url, max_retries=1)
        request = HttpRequest(
            api="dashscope", path="/create", json={"prompt": "my secret prompt"}
        )
        await fetched(connection, request, is_async=is_async)
    records = [r for r in caplog.records if r.name == "modelstudio"]
    url = f"{server.base_url}/api/v1/create"
    assert [r.message for r in records if r.levelname == "DEBUG"] == [
        f"POST {url}",
        f"POST {url}",
    ]
    (repetition,) = [r.message for r in records if r.levelname == "INFO"]
    assert "RateLimitError: status 429, code Throttling" in repetition
    assert "retry 1 of 1" in repetition
    logged = " ".join(record.message for record in records)
    assert "secret prompt" not in logged
    assert KEY not in logged


@SYNC_AND_ASYNC
async def test_no_log_has_a_signature(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither our own nor those of the libraries below."""
    caplog.set_level("DEBUG")
    with serve_http(OK) as other:
        request = HttpRequest(method="GET", url=f"{other.base_url}/a?Signature=secret")
        await fetched(connection_to(other.base_url), request, is_async=is_async)
    assert "secret" not in caplog.text
    assert f"GET {other.base_url}/a" in caplog.text


def test_what_holds_the_key_of_a_request_does_not_show_it() -> None:
    request = HttpRequest(api="dashscope", path="/things", method="GET", api_key=KEY)
    answer = JsonAnswer({}, "r-1", {}, KEY)
    assert (request.api_key, answer.api_key) == (KEY, KEY)
    assert KEY not in repr((request, answer))


# --- Waiting for other requests ---------------------------------------------------


@SYNC_AND_ASYNC
@pytest.mark.parametrize("kind", [Gate, PacedGate])
@pytest.mark.parametrize("waits_for", ["place", "pause"])
async def test_a_request_waits_for_others_no_longer_than_its_time(
    is_async: bool, kind: type[Gate], waits_for: str
) -> None:
    gate = kind(1)
    request = HttpRequest(api="dashscope", path="/things", method="GET")
    begin = time.monotonic()
    with serve_http(OK) as server:
        connection = connection_to(server.base_url)
        connection = replace(connection, total_timeout=0.2, max_retries=5)
        if waits_for == "place":
            gate.enter()
        else:
            gate.pause(30)
        with pytest.raises(errors.APITimeoutError, match="not sent") as caught:
            await fetched(connection, request, gate, is_async=is_async)
        if waits_for == "place":
            gate.leave()
        assert server.received == []
    assert time.monotonic() - begin < 10
    assert not caught.value.was_sent
    assert "total_timeout=0.2" in caught.value.message
