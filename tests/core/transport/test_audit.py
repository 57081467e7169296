"""The audit record of each HTTP request: when it is written, and what it says."""

import asyncio
import gc
import json
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from modelstudio_core.emulator import Emulator, Fault, Reply
from modelstudio_core.errors import APIError, IncompleteStreamError, ModelStudioError
from modelstudio_core.transport.audit import tokens_of
from modelstudio_core.transport.fetch import afetch, download, fetch
from modelstudio_core.transport.requests import HttpRequest, Upload
from tests.core.support import KEY, make_connection
from tests.support.audit import audit_records
from tests.support.calls import CALL_STYLES, STREAM_STYLES, CallStyle, call, iterate
from tests.support.http_server import HttpServer, Scripted, serve_http
from tests.support.models import PROTOCOLS, Protocol, model

EACH_STYLE = pytest.mark.parametrize("style", CALL_STYLES, ids=str)
EACH_STREAM = pytest.mark.parametrize("style", STREAM_STYLES, ids=str)
EACH_PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
SECRET_PROMPT: Final = "the secret recipe"
NAMES: Final = {
    "time",
    "duration",
    "attempt",
    "method",
    "host",
    "region",
    "mode",
    "mode_declared",
    "workspace",
    "data_location",
    "inference_scope",
    "api",
    "path",
    "model",
    "requested_model",
    "request_id",
    "status",
    "error",
    "tokens",
}


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "modelstudio.audit")
    return caplog


def only(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Return the one record, which holds neither the key nor content."""
    (record,) = audit_records(caplog)
    assert set(record) == NAMES
    json.dumps(record)
    for secret in (KEY, SECRET_PROMPT):
        assert secret not in caplog.text
        assert secret not in str(record)
    return record


# --- Chat ---------------------------------------------------------------------------


@EACH_STYLE
@EACH_PROTOCOL
async def test_the_record_of_an_answer(
    style: CallStyle,
    protocol: Protocol,
    modelstudio_emulator: Emulator,
    records: pytest.LogCaptureFixture,
) -> None:
    modelstudio_emulator.script(Reply(text="Hi", reasoning="Hm"))
    llm = model(
        style.framework,
        modelstudio_emulator,
        protocol,
        model="deepseek-r1",
        deprecated_models="replace",
        region="frankfurt",
        mode="eu",
        workspace="ws-1",
    )
    before, clock = datetime.now(UTC), time.monotonic()
    await call(llm, style, SECRET_PROMPT)
    taken = time.monotonic() - clock
    record = only(records)
    assert record["model"] == "qwen3.7-max"
    assert record["requested_model"] == "deepseek-r1"
    assert record["host"] == llm.endpoint.host
    assert record["api"] == protocol
    assert record["path"].startswith(
        "/compatible-mode/v1/chat" if protocol == "openai" else "/api/v1/services"
    )
    assert (record["region"], record["mode"]) == ("eu-central-1", "eu")
    assert record["mode_declared"] is True
    assert record["data_location"] == "Germany (Frankfurt), as declared"
    assert record["inference_scope"] == "Limited to the EU, as declared"
    assert record["workspace"] == "ws-1"
    assert (record["method"], record["status"], record["error"]) == ("POST", 200, None)
    assert record["attempt"] == 1
    assert record["request_id"]
    tokens = record["tokens"]
    assert tokens["input_tokens"] + tokens["output_tokens"] == tokens["total_tokens"]
    begin = datetime.fromisoformat(record["time"])
    assert before <= begin <= datetime.now(UTC)
    assert 0 < record["duration"] <= taken


test_the_record_of_an_answer = pytest.mark.filterwarnings(
    "ignore::modelstudio_core.errors.ModelDeprecationWarning"
)(test_the_record_of_an_answer)


@EACH_STREAM
@EACH_PROTOCOL
async def test_a_stream_is_recorded_at_its_end(
    style: CallStyle,
    protocol: Protocol,
    modelstudio_emulator: Emulator,
    records: pytest.LogCaptureFixture,
) -> None:
    modelstudio_emulator.script(Reply(text="one two three four"))
    llm = model(style.framework, modelstudio_emulator, protocol)
    chunks = iterate(llm, style, SECRET_PROMPT)
    await anext(chunks)
    assert audit_records(records) == []
    assert [chunk async for chunk in chunks]
    assert only(records)["error"] is None


@EACH_STREAM
async def test_a_stream_that_is_given_up_says_so(
    style: CallStyle,
    modelstudio_emulator: Emulator,
    records: pytest.LogCaptureFixture,
) -> None:
    modelstudio_emulator.script(Reply(text="one two three four five six seven"))
    llm = model(style.framework, modelstudio_emulator)
    chunks = iterate(llm, style, SECRET_PROMPT)
    await anext(chunks)
    assert audit_records(records) == []
    del chunks
    # The loop closes a generator of the framework that is not referenced any more.
    for _ in range(50):
        gc.collect()
        await asyncio.sleep(0.01)
        if audit_records(records):
            break
    record = only(records)
    assert record["error"] in {"GeneratorExit", "CancelledError"}
    assert record["status"] == 200


@pytest.mark.usefixtures("no_backoff")
@EACH_STYLE
@EACH_PROTOCOL
async def test_each_try_has_a_record(
    style: CallStyle,
    protocol: Protocol,
    modelstudio_emulator: Emulator,
    records: pytest.LogCaptureFixture,
) -> None:
    modelstudio_emulator.script(
        Fault(status=500, code="internal_error"),
        Fault(status=429, code="limit_requests"),
        Reply(text="Hi"),
    )
    llm = model(style.framework, modelstudio_emulator, protocol, max_retries=2)
    await call(llm, style, SECRET_PROMPT)
    found = audit_records(records)
    assert [r["attempt"] for r in found] == [1, 2, 3]
    assert [r["status"] for r in found] == [500, 429, 200]
    assert [r["error"] for r in found] == [
        "InternalServerError",
        "RateLimitError",
        None,
    ]
    assert all(r["request_id"] for r in found)


@EACH_STYLE
async def test_a_request_without_an_answer_has_a_record(
    style: CallStyle, records: pytest.LogCaptureFixture
) -> None:
    llm = model(style.framework, "http://127.0.0.1:9")
    with suppress(ModelStudioError):
        await call(llm, style, SECRET_PROMPT)
    record = only(records)
    assert (record["status"], record["error"]) == (None, "APIConnectionError")
    assert (record["tokens"], record["request_id"]) == (None, None)


async def test_a_cancelled_call_has_a_record(
    modelstudio_emulator: Emulator, records: pytest.LogCaptureFixture
) -> None:
    modelstudio_emulator.script(Fault.silence(seconds=5))
    llm = model("LangChain", modelstudio_emulator)
    begin = time.monotonic()
    with suppress(TimeoutError):
        await asyncio.wait_for(llm.ainvoke(SECRET_PROMPT), 0.5)
    record = only(records)
    assert record["error"] == "CancelledError"
    assert 0.2 < record["duration"] <= time.monotonic() - begin


def test_without_a_handler_there_is_no_record(
    modelstudio_emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    model("LangChain", modelstudio_emulator).invoke("Hi")
    assert audit_records(caplog) == []


# --- JSON and files -----------------------------------------------------------------


@pytest.fixture
def server() -> Any:
    with serve_http(
        Scripted(body=b'{"request_id": "r-1", "usage": {"total_tokens": 7}}')
    ) as s:
        yield s


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_the_record_of_a_json_answer(
    server: HttpServer, records: pytest.LogCaptureFixture, is_async: bool
) -> None:
    connection = make_connection(base_url=server.base_url)
    request = HttpRequest(
        api="rerank",
        path="/reranks",
        json={"model": "qwen3-rerank", "query": SECRET_PROMPT},
        query={"token": KEY},
    )
    if is_async:
        await afetch(connection, request, connection.context)
    else:
        fetch(connection, request, connection.context)
    record = only(records)
    assert (record["api"], record["path"]) == ("rerank", "/compatible-api/v1/reranks")
    assert (record["model"], record["requested_model"]) == ("qwen3-rerank", None)
    assert (record["request_id"], record["tokens"]) == ("r-1", {"total_tokens": 7})
    assert (record["region"], record["mode_declared"]) == (None, False)


def test_the_record_of_another_host(
    server: HttpServer, records: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Nothing of the query of a signed URL, and no scope that was not asked."""
    connection = make_connection(base_url="http://127.0.0.1:9", region="singapore")
    url = f"{server.base_url}/files/a.png?Signature={SECRET_PROMPT.replace(' ', '')}"
    download(
        connection,
        HttpRequest(url=url, method="GET"),
        tmp_path / "a.png",
        connection.context,
    )
    record = only(records)
    assert "Signature" not in records.text
    assert (record["method"], record["path"]) == ("GET", "/files/a.png")
    assert (record["api"], record["model"], record["tokens"]) == (None, None, None)
    assert (record["region"], record["mode"], record["workspace"]) == (None, None, None)
    assert (record["data_location"], record["inference_scope"]) == (None, None)


def test_the_models_of_a_file_are_recorded(
    server: HttpServer, records: pytest.LogCaptureFixture
) -> None:
    connection = make_connection(base_url=server.base_url)
    request = HttpRequest(
        path="/files",
        files=[Upload(name="file", content=SECRET_PROMPT.encode())],
        models=["qwen-plus", "qwen-max"],
    )
    fetch(connection, request, connection.context)
    assert only(records)["model"] == ["qwen-plus", "qwen-max"]


def test_a_body_that_is_not_json_is_recorded_as_a_failure(
    records: pytest.LogCaptureFixture,
) -> None:
    with serve_http(Scripted(body=b"<html>")) as other:
        connection = make_connection(base_url=other.base_url, max_retries=0)
        with pytest.raises(IncompleteStreamError):
            fetch(connection, HttpRequest(path="/x", json={}), connection.context)
    record = only(records)
    assert (record["status"], record["error"]) == (200, "InvalidResponseError")


def test_a_key_in_the_path_is_hidden(
    server: HttpServer, records: pytest.LogCaptureFixture
) -> None:
    connection = make_connection(base_url=f"{server.base_url}/{KEY}/v1")
    with suppress(APIError):
        fetch(connection, HttpRequest(path="/x", json={}), connection.context)
    assert only(records)["path"] == "/**********/v1/x"


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({}, None),
        ({"input_tokens": "7"}, None),
        ({"input_tokens": True}, None),
        (
            {"input_tokens": 1, "output_tokens": 2},
            {"input_tokens": 1, "output_tokens": 2},
        ),
        ({"total_tokens": 3, "image_count": 1}, {"total_tokens": 3}),
    ],
)
def test_tokens_of(usage: dict[str, Any], tokens: dict[str, int] | None) -> None:
    assert tokens_of(usage) == tokens
