"""Runs of batches on the emulator: what is sent, and what the rows hold."""

import json
import os
import pickle
import stat
from collections.abc import Callable
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.batches import BatchRun
from modelstudio_core.batches.directory import RunDirectory
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.emulator import BatchScript, Emulator, Fault, Reply
from modelstudio_core.errors import (
    APIError,
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    InvalidResponseError,
    ModelStudioWarning,
    RateLimitError,
    ToolChoiceError,
)
from modelstudio_core.transport.procedures import _do
from tests.support.batches import (
    chat,
    embeddings,
    finish,
    lines_of,
    prompts,
    settle_at_once,
    small_parts,
)

Run = BatchRun[Any]
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "weather", "description": "x", "parameters": {}},
}


def sent(studio: Emulator) -> list[str]:
    return [
        f"{request.method} {request.path.removeprefix('/compatible-mode/v1')}"
        for request in studio.requests
    ]


# --- The usual course -----------------------------------------------------------------


def output_of(run: Run, studio: Emulator, path: Path) -> Path:
    """Run a batch to its end, and return the file with its answers."""
    run.submit()
    finish(studio, run)
    return path / "part-0001.output.jsonl"


@pytest.mark.parametrize("is_async", [False, True])
async def test_rows_hold_text_reasoning_and_usage_in_the_order_of_the_inputs(
    is_async: bool, studio: Emulator, path: Path
) -> None:
    llm = chat(studio, model="qwen3.7-plus", enable_thinking=True)
    run: Run = BatchRun.prepare(llm, prompts(5), directory=path)
    assert (run.status, studio.requests) == ("prepared", [])
    if is_async:
        await run.asubmit()
        await run.arefresh()
        studio.advance(60)
        await run.acollect()
    else:
        run.submit()
        run.refresh()
        studio.advance(60)
        run.collect()
    rows = list(run.results())
    assert [row.index for row in rows] == [0, 1, 2, 3, 4]
    assert {row.status for row in rows} == {"done"}
    for row in rows:
        assert row.message is not None
        assert f"number {row.index}" in row.message.reasoning
        assert row.message.text
        assert row.usage is not None
        assert row.usage.reasoning_tokens
        assert row.finish_reason == "stop"
        assert row.request_id
        assert row.raw is not None
        assert row.raw["id"] == f"chatcmpl-{row.request_id}"
    batch = run.batch_ids[0]
    output = next(f for f in studio._studio.batches.values()).output_file_id
    assert sent(studio) == [
        "POST /files",
        "POST /batches",
        f"GET /batches/{batch}",
        f"GET /batches/{batch}",
        f"GET /files/{output}/content",
    ]
    created = studio.requests[1].body
    assert created["endpoint"] == "/v1/chat/completions"
    assert created["completion_window"] == "24h"
    assert created["metadata"] == {"ds_name": f"{run.id}-0001"}


def test_a_line_is_the_request_of_a_call(studio: Emulator, path: Path) -> None:
    """The same model and arguments, without the stream that a batch has not."""
    arguments: dict[str, Any] = {"temperature": 0.2, "extra_body": {"x": [1, "ü"]}}
    llm = chat(studio, model="qwen3.7-plus", **arguments)
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Größe? 😀"},
    ]
    BatchRun.prepare(llm, [messages], directory=path)
    (line,) = map(json.loads, lines_of(path / "part-0001.jsonl"))
    call = llm._prepare_call(messages, {}, stream=False)  # type: ignore[arg-type]
    body = dict(call.request.json or {})
    assert body.pop("stream") is False
    assert line["body"] == body
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
    assert line["custom_id"].startswith("0000000000-")


@pytest.mark.parametrize("is_read", [False, True])
@pytest.mark.parametrize(
    "duplicate",
    [copy, lambda row: pickle.loads(pickle.dumps(row))],  # noqa: S301
)
def test_a_pickled_row_has_the_answer_and_no_key(
    is_read: bool, duplicate: Callable[[Any], Any], studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(1), directory=path)
    run.submit()
    finish(studio, run)
    (row,) = run.results()
    if is_read:
        assert row.message is not None
    assert studio.api_key.encode() not in pickle.dumps(row)
    other = duplicate(row)
    assert row.message is not None
    assert other.message.text == row.message.text != ""
    assert (other.usage, other.status) == (row.usage, "done")


def test_embeddings_have_a_vector_a_row(studio: Emulator, path: Path) -> None:
    model = embeddings(studio, dimensions=64)
    run: Run = BatchRun.prepare(model, ["A red fox.", "A car."], directory=path)
    run.submit()
    finish(studio, run)
    rows = list(run.results())
    assert [len(row.embedding or ()) for row in rows] == [64, 64]
    assert rows[0].embedding == model._embed(["A red fox."], "document")[0]
    usage = rows[0].usage
    assert usage is not None
    assert usage.input_tokens == usage.total_tokens > 0
    assert usage.output_tokens == 0
    assert rows[0].message is None
    (first, _) = map(json.loads, lines_of(path / "part-0001.jsonl"))
    assert first["url"] == "/v1/embeddings"
    assert first["body"] == {
        "model": "text-embedding-v4",
        "encoding_format": "float",
        "dimensions": 64,
        "input": "A red fox.",
    }


def test_the_usage_of_an_embedding_is_not_known_where_the_service_does_not_say_it(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(embeddings(studio), ["A red fox."], directory=path)
    output = output_of(run, studio, path)
    (row,) = run.results()
    assert row.usage is not None
    line = json.loads(output.read_text())
    del line["response"]["body"]["usage"]
    output.write_text(json.dumps(line))
    (other,) = run.results()
    assert other.usage is None
    assert other.embedding == row.embedding != []


def test_the_native_protocol_of_a_model_does_not_matter(
    studio: Emulator, path: Path
) -> None:
    llm = chat(studio, protocol="dashscope")
    run: Run = BatchRun.prepare(llm, ["Hi"], directory=path)
    run.submit()
    finish(studio, run)
    assert run.count_rows() == {"done": 1}
    assert all("/compatible-mode/" in request.path for request in studio.requests)


def test_the_free_model_for_tests_has_its_own_endpoint(
    studio: Emulator, path: Path
) -> None:
    llm = chat(studio, model="batch-test-model")
    run: Run = BatchRun.prepare(llm, ["Hi"], directory=path)
    run.submit()
    assert studio.requests[1].body["endpoint"] == "/v1/chat/ds-test"
    finish(studio, run)
    (row,) = run.results()
    assert row.message is not None
    assert row.message.text == "This is a test result."


def test_parts_are_bounded_by_lines(
    studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch, 2)
    run: Run = BatchRun.prepare(chat(studio), iter(prompts(5)), directory=path)
    sizes = [len(lines_of(path / f"part-000{number}.jsonl")) for number in (1, 2, 3)]
    assert sizes == [2, 2, 1]
    run.submit()
    assert len(run.batch_ids) == 3
    finish(studio, run)
    assert [row.index for row in run.results()] == [*range(5)]
    assert run.progress == {"rows": 5, "answered": 5, "failed": 0}


def test_the_tokens_are_estimated_before_anything_is_sent(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), ["word " * 300] * 3, directory=path)
    assert studio.requests == []
    assert 1200 < run.estimated_tokens < 3000
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["input_tokens"] == run.estimated_tokens
    assert "a third of the bytes" in manifest["estimated_by"]


# --- What goes wrong ------------------------------------------------------------------


@pytest.mark.parametrize("form", ["code", "error_code", "response"])
def test_an_error_line_is_read_in_each_form(
    form: Any, studio: Emulator, path: Path
) -> None:
    studio.script_batches(BatchScript(bad_lines={1}, error_form=form))
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    finish(studio, run)
    rows = list(run.results())
    assert [row.status for row in rows] == ["done", "error", "done"]
    error = rows[1].error
    assert type(error) is BadRequestError
    assert error.message == "This row was scripted to fail (emulator)."
    assert error.request_id == rows[1].request_id
    assert not error.is_retryable
    assert run.resume(errors=True) == 0


def test_three_percent_of_bad_rows(studio: Emulator, path: Path) -> None:
    bad = {7, 33, 71}
    studio.script_batches(BatchScript(bad_lines=bad))
    run: Run = BatchRun.prepare(chat(studio), prompts(100), directory=path)
    run.submit()
    finish(studio, run)
    assert run.count_rows() == {"done": 97, "error": 3}
    assert {row.index for row in run.results() if row.status == "error"} == bad


def test_an_empty_id_of_an_error_file_means_that_there_is_none(
    studio: Emulator, path: Path
) -> None:
    studio.script_batches(BatchScript(no_error_file=""))
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    run.submit()
    finish(studio, run)
    assert run.count_rows() == {"done": 2}
    assert sum("/content" in text for text in sent(studio)) == 1


def test_rows_in_neither_file_are_missing_and_sent_again(
    studio: Emulator, path: Path
) -> None:
    studio.script_batches(BatchScript(missing_lines={0, 2}))
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    with pytest.warns(ModelStudioWarning, match="results of 1 rows of 3"):
        finish(studio, run)
    rows = list(run.results())
    assert [row.status for row in rows] == ["missing", "done", "missing"]
    assert "has no result" in str(rows[0].error)
    assert run.resume() == 2
    assert run.status == "running"
    statuses = [row.status for row in run.results()]
    assert statuses == ["pending", "done", "pending"]
    finish(studio, run)
    assert run.count_rows() == {"done": 3}
    ids = [json.loads(line)["custom_id"] for line in lines_of(path / "part-0002.jsonl")]
    assert [custom_id[:10] for custom_id in ids] == ["0000000000", "0000000002"]
    assert run.resume() == 0
    assert len(studio.batches) == 2


@pytest.mark.filterwarnings("ignore:.*The files of part")
@pytest.mark.parametrize("writes_unfinished", [False, True])
def test_an_expired_batch_keeps_what_it_answered(
    writes_unfinished: bool, studio: Emulator, path: Path
) -> None:
    """Rows that were not run are missing, whether the error file names them or not."""
    script = BatchScript(seconds=2 * 86400, writes_unfinished=writes_unfinished)
    studio.script_batches(script)
    run: Run = BatchRun.prepare(chat(studio), prompts(4), directory=path)
    run.submit()
    studio.advance(86401)
    run.collect()
    statuses = [row.status for row in run.results()]
    assert statuses == ["done", "done", "missing", "missing"]
    assert run.resume() == 2
    finish(studio, run)
    assert run.count_rows() == {"done": 4}
    assert sum(batch.answered for batch in studio.batches) == 4


@pytest.mark.filterwarnings("ignore:.*The files of part")
@pytest.mark.parametrize("code", ["batch_expired", "batch_canceled", "another", None])
def test_a_row_of_an_expired_batch_without_a_status_was_not_run(
    code: str | None, studio: Emulator, path: Path
) -> None:
    """The id of its line is hidden if it contains the key."""
    studio.script_batches(BatchScript(seconds=2 * 86400, writes_unfinished=True))
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    run.submit()
    studio.advance(86401)
    run.collect()
    errors = path / "part-0001.errors.jsonl"
    line = json.loads(errors.read_text())
    line["error"]["code"] = code
    errors.write_text(json.dumps({**line, "id": studio.api_key}))
    _, row = run.results()
    assert (row.status, row.request_id) == ("missing", "**********")
    assert studio.api_key not in str(row.error)


def test_a_cancelled_batch_keeps_what_it_answered(studio: Emulator, path: Path) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(4), directory=path)
    run.submit()
    studio.advance(10)
    run.cancel()
    assert run.status == "cancelling"
    run.collect(poll_interval=0)
    assert run.count_rows() == {"done": 2, "missing": 2}
    assert run.resume() == 2
    finish(studio, run)
    assert run.count_rows() == {"done": 4}
    assert sum(batch.answered for batch in studio.batches) == 4
    run.cancel()
    assert run.status == "collected"


def test_only_batches_that_have_not_ended_are_cancelled(
    studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch, 1)
    studio.script_batches(*(BatchScript(seconds=each) for each in (10, 1000, 1000)))
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    assert run.progress == {"rows": 3, "answered": 0, "failed": 0}
    run.submit()
    studio.advance(20)
    run.cancel()
    paths = [request.path for request in studio.requests]
    cancelled = [path.split("/")[-2] for path in paths if path.endswith("/cancel")]
    assert cancelled == [batch.id for batch in studio.batches[1:]]
    assert len(cancelled) == 2


def test_a_batch_that_fails_at_once_says_why(
    studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line that the service names has the error; the others are sent again."""
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    rules = "modelstudio_core.emulator.services.batches.find_line_errors"
    error = {"code": "model_not_found", "message": "No.", "param": "x", "line": 2}
    with monkeypatch.context() as broken:
        broken.setattr(rules, lambda *_: [error])
        run.submit()
    finish(studio, run)
    rows = list(run.results())
    assert [row.status for row in rows] == ["missing", "error", "missing"]
    assert "No." in str(rows[1].error)
    assert "is failed (No.)" in str(rows[0].error)
    assert run.resume() == 2
    finish(studio, run)
    assert run.count_rows() == {"done": 2, "error": 1}


def test_errors_that_may_be_temporary_are_sent_again_if_asked(
    studio: Emulator, path: Path
) -> None:
    studio.script_batches(BatchScript(bad_lines={0}, bad_code="InternalError"))
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    run.submit()
    finish(studio, run)
    (first, _) = run.results()
    assert type(first.error) is InternalServerError
    assert run.resume() == 0
    assert run.resume(errors=True) == 1
    finish(studio, run)
    assert run.count_rows() == {"done": 2}


def test_a_forced_call_that_did_not_come_is_an_error_of_its_row(
    studio: Emulator, path: Path
) -> None:
    studio.script_batches(BatchScript(replies={0: Reply(text="No.")}))
    arguments = {
        "tools": [WEATHER],
        "tool_choice": "weather",
        "forced_tool_choice": "auto",
    }
    llm = chat(studio, enable_thinking=True)
    inputs = ["Hi", "Weather?"]
    with pytest.warns(ModelStudioWarning, match="cannot be forced"):
        run: Run = BatchRun.prepare(llm, inputs, path, arguments=arguments)
    run.submit()
    finish(studio, run)
    first, _ = run.results()
    assert first.status == "error"
    assert isinstance(first.error, ToolChoiceError)
    assert first.error.message_received.text == "No."  # type: ignore[attr-defined]


def test_an_answer_that_cannot_be_read_is_an_error_of_its_row(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    output = output_of(run, studio, path)
    lines = lines_of(output)
    broken = json.loads(lines[0])
    broken["response"]["body"] = {"choices": [{"message": 3}]}
    lines[0] = json.dumps(broken).encode()
    output.write_bytes(b"\n".join([*lines, b"", b"garbage", b""]))
    rows = list(run.results())
    (bad,) = [row for row in rows if row.status == "error"]
    assert isinstance(bad.error, InvalidResponseError)
    assert bad.index == int(broken["custom_id"][:10])
    assert sum(row.status == "done" for row in rows) == 2


@pytest.mark.parametrize("with_id", [True, False])
def test_a_key_in_place_of_an_id_is_hidden(
    with_id: bool, studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(1), directory=path)
    output = output_of(run, studio, path)
    line = json.loads(output.read_text())
    key = studio.api_key
    line["response"]["request_id"] = key if with_id else 3
    line["response"]["body"]["id"] = f"chatcmpl-{key}"
    output.write_text(json.dumps(line))
    (row,) = run.results()
    assert row.message is not None
    assert row.finish_reason == "stop"
    end = row.message.finish
    for shown in (row.request_id, end.request_id, end.response_id):
        assert key not in str(shown)
    assert row.request_id == ("**********" if with_id else None)
    assert end.request_id == "**********"


@pytest.mark.parametrize(
    "places",
    [
        ["model"],
        ["object"],
        ["finish_reason"],
        ["usage"],
        ["finish_reason", "model", "object"],
    ],
)
def test_a_key_in_the_metadata_of_a_row_is_hidden(
    places: list[str], studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(1), directory=path)
    output = output_of(run, studio, path)
    line = json.loads(output.read_text())
    body = line["response"]["body"]
    parts = {"finish_reason": body["choices"][0], "usage": body["usage"]}
    for place in places:
        parts.get(place, body)[place] = f"x-{studio.api_key}"
    output.write_text(json.dumps(line))
    (row,) = run.results()
    assert row.message is not None
    end = row.message.finish
    shown = [row.finish_reason, row.usage, row.raw, end]
    assert studio.api_key not in str(shown)
    assert "x-**********" in str(shown)


def test_results_are_found_whatever_their_lines_begin_with(
    studio: Emulator, path: Path
) -> None:
    """The custom id is looked for where it was in the line before first."""
    run: Run = BatchRun.prepare(chat(studio), prompts(6), directory=path)
    output = output_of(run, studio, path)
    expected = [row.raw for row in run.results()]
    lines: list[str] = []
    for number, text in enumerate(output.read_text().splitlines()):
        line: dict[str, Any] = json.loads(text)
        custom_id = line.pop("custom_id")
        quoted = f'"custom_id": "{custom_id}"'
        changed = {"id": "x" * number, "custom_id": custom_id, **line}
        if number % 3 == 1:
            changed = {"note": quoted, **line, "custom_id": custom_id}
        lines.append(json.dumps(changed, indent=None if number % 2 else 0))
    output.write_text("\n".join(line.replace("\n", " ") for line in lines))
    assert [row.raw for row in run.results()] == expected


def test_a_poll_that_fails_does_not_end_the_wait(studio: Emulator, path: Path) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(1), directory=path)
    run.submit()
    studio.script(Fault(status=503), Fault(status=429, code="limit_requests"))
    finish(studio, run)
    assert run.status == "collected"


def test_a_submission_that_is_refused_can_be_made_again(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(1), directory=path)
    studio.script(Fault(status=429, code="limit_requests"))
    with pytest.raises(RateLimitError):
        run.submit()
    run.submit()
    uploads = [text for text in sent(studio) if text == "POST /files"]
    assert (len(uploads), len(studio.batches)) == (2, 1)


@pytest.mark.parametrize("status", [408, 409, 500, 503])
def test_a_creation_whose_end_is_unknown_is_looked_for_and_not_repeated(
    status: int, studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_at_once(monkeypatch)
    other = path.with_name("other")
    BatchRun.prepare(chat(studio), prompts(1), directory=other).submit()
    run: Run = BatchRun.prepare(chat(studio, max_retries=3), prompts(2), directory=path)
    with pytest.raises(APIStatusError):
        _submit_with_fault_at_creation(studio, run, Fault(status=status))
    assert sent(studio)[-2:] == ["POST /batches", "GET /batches"]
    run.submit()
    assert len(studio.batches) == 2


@pytest.mark.parametrize("status", [400, 403])
def test_a_creation_that_is_refused_is_not_looked_for(
    status: int, studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio, max_retries=3), prompts(2), directory=path)
    with pytest.raises(APIStatusError):
        _submit_with_fault_at_creation(studio, run, Fault(status=status))
    assert sent(studio)[-1] == "POST /batches"
    run.submit()
    assert sent(studio)[-1] == "POST /batches"
    assert len(studio.batches) == 1


def test_a_creation_that_had_no_time_for_a_retry_is_not_looked_for(
    studio: Emulator, path: Path
) -> None:
    llm = chat(studio, max_retries=3, total_timeout=2)
    run: Run = BatchRun.prepare(llm, prompts(2), directory=path)
    fault = Fault(status=429, code="limit_requests", headers={"Retry-After": "5"})
    with pytest.raises(APITimeoutError, match="No time is left"):
        _submit_with_fault_at_creation(studio, run, fault)
    assert sent(studio)[-1] == "POST /batches"
    run.submit()
    assert sent(studio)[-1] == "POST /batches"
    assert len(studio.batches) == 1


def _submit_with_fault_at_creation(studio: Emulator, run: Run, fault: Fault) -> None:
    """Let the upload pass, and the next request fail."""
    procedure = run._progress.submit()
    with_upload = _do(run._connection, run._context, next(procedure))
    creation = procedure.send(with_upload)
    studio.script(fault)
    try:
        _do(run._connection, run._context, creation)
    except APIError as error:
        search = procedure.throw(error)
        procedure.send(_do(run._connection, run._context, search))


def test_a_time_limit_names_the_batch_which_goes_on(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(1), directory=path)
    run.submit()
    with pytest.raises(APITimeoutError, match=run.batch_ids[0]) as caught:
        run.collect(timeout=0.05, poll_interval=0.01)
    assert isinstance(caught.value, TimeoutError)
    finish(studio, run)
    assert run.count_rows() == {"done": 1}
    assert not caught.value.is_retryable


@pytest.mark.parametrize(
    ("answered", "failed", "counted"), [(1, 0, 1), (3, 0, 3), (0, 1, 1), (3, 3, 6)]
)
def test_a_count_of_the_service_that_is_not_that_of_the_rows_is_named(
    answered: int, failed: int, counted: int, studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    run.submit()
    finish(studio, run)
    (part,) = run._progress.parts
    assert run._read([part]).problems == []
    part.answered, part.failed = answered, failed
    text = f"Part 1 has 2 rows, and the service counts {counted}."
    assert run._read([part]).problems == [(1, text)]


@pytest.mark.parametrize(("answered", "failed"), [(2, 0), (1, 1), (0, 2), (0, 0)])
def test_a_count_of_the_service_that_adds_up_is_no_problem(
    answered: int, failed: int, studio: Emulator, path: Path
) -> None:
    """It is 0 where the service does not count."""
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    run.submit()
    finish(studio, run)
    (part,) = run._progress.parts
    part.answered, part.failed = answered, failed
    assert run._read([part]).problems == []


def test_a_result_of_a_row_that_was_not_sent_again_does_not_replace_its_own(
    studio: Emulator, path: Path
) -> None:
    studio.script_batches(BatchScript(missing_lines={1}))
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    with pytest.warns(ModelStudioWarning, match="results of 2 rows of 3"):
        finish(studio, run)
    run.resume()
    finish(studio, run)
    before = [row.raw for row in run.results()]
    lines = lines_of(path / "part-0001.output.jsonl")
    # They come in any order.
    (first,) = (line for line in lines if b"0000000000-" in line)
    stray = json.loads(first)
    stray["response"]["body"]["choices"][0]["message"]["content"] = "Another."
    output = path / "part-0002.output.jsonl"
    output.write_bytes(output.read_bytes() + json.dumps(stray).encode() + b"\n")
    assert [row.raw for row in run.results()] == before
    text = "part-0002.output.jsonl has 1 lines that belong to no row of the part."
    assert run._read(run._progress.parts).problems[1:] == [(2, text)]


def test_progress_is_written_to_standard_error(
    studio: Emulator, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    run.submit()
    finish(studio, run, progress=True)
    assert "collected, 2 of 2 rows answered, 0 failed" in capsys.readouterr().err


def test_remote_files_are_deleted_if_asked(studio: Emulator, path: Path) -> None:
    studio.script_batches(BatchScript(bad_lines={0}))
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    run.submit()
    finish(studio, run, delete_remote=True)
    assert studio._studio.files == {}
    run.collect(delete_remote=True)
    assert sum(text.startswith("DELETE") for text in sent(studio)) == 3
    assert run.count_rows() == {"done": 1, "error": 1}


def test_collect_needs_a_submitted_run(studio: Emulator, path: Path) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(1), directory=path)
    with pytest.raises(ConfigurationError, match=r"call submit\(\) first"):
        run.collect()


# --- The directory --------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_owner_can_read_a_run_and_the_key_is_nowhere(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    run.submit()
    finish(studio, run)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    files = [entry for entry in path.iterdir() if entry.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert (path / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert all(studio.api_key.encode() not in file.read_bytes() for file in files)
    assert studio.api_key not in repr(run)


def test_the_same_run_is_opened_and_another_one_refused(
    studio: Emulator, path: Path
) -> None:
    first: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    first.submit()
    again: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    assert (again.id, again.batch_ids) == (first.id, first.batch_ids)
    others: dict[str, Any] = {
        "inputs": (chat(studio), prompts(4)),
        "arguments": (chat(studio, temperature=0), prompts(3)),
        "model": (chat(studio, model="qwen-flash"), prompts(3)),
    }
    for word, (model, inputs) in others.items():
        with pytest.raises(ConfigurationError, match=word):
            BatchRun.prepare(model, inputs, directory=path)
    with Emulator() as other, pytest.raises(ConfigurationError, match="endpoint"):
        BatchRun.prepare(chat(other), prompts(3), directory=path)


def test_a_run_of_another_workspace_is_another_one(path: Path) -> None:
    address = "https://gateway.example.com"
    BatchRun.prepare(chat_in(base_url=address, workspace="ws-1"), ["Hi"], path)
    BatchRun.prepare(chat_in(base_url=address, workspace="ws-1"), ["Hi"], path)
    with pytest.raises(ConfigurationError, match="differs in the workspace"):
        BatchRun.prepare(chat_in(base_url=address, workspace="ws-2"), ["Hi"], path)
    with pytest.raises(ConfigurationError, match="in the model and the workspace"):
        BatchRun.prepare(
            ChatArguments(
                model="qwen-flash",
                base_url=address,
                workspace="ws-2",
                api_key="sk-0123456789",
            ),
            ["Hi"],
            path,
        )


def test_a_directory_with_other_files_is_refused(
    studio: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"'notes\.txt'"):
        BatchRun.prepare(chat(studio), ["Hi"], directory=tmp_path)
    file = tmp_path / "notes.txt"
    with pytest.raises(ConfigurationError, match="cannot be used"):
        BatchRun.prepare(chat(studio), ["Hi"], directory=file)


def test_a_run_is_used_by_one_process_at_a_time(studio: Emulator, path: Path) -> None:
    run: Run = BatchRun.prepare(chat(studio), ["Hi"], directory=path)
    with RunDirectory(path).locked():
        for step in (run.submit, run.refresh, run.cancel, run.resume):
            with pytest.raises(ConfigurationError, match="is in use"):
                step()
    run.submit()
    assert len(studio.batches) == 1


def test_what_is_on_disk_is_read_without_a_lock(studio: Emulator, path: Path) -> None:
    run: Run = BatchRun.prepare(chat(studio), ["Hi"], directory=path)
    with RunDirectory(path).locked():
        opened: Run = BatchRun.open(path, api_key=studio.api_key)
        assert opened.status == "prepared"
        assert [row.status for row in opened.results()] == ["pending"]
    assert repr(opened) == repr(run)


def test_rows_are_read_as_another_process_left_them(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), ["Hi"], directory=path)
    run.submit()
    other: Run = BatchRun.open(path, api_key=studio.api_key)
    finish(studio, other)
    assert run.count_rows() == {"done": 1}


def test_a_damaged_state_is_an_error(studio: Emulator, path: Path) -> None:
    BatchRun.prepare(chat(studio), ["Hi"], directory=path)
    for name, text in (
        ("state.json", '{"parts": [{"number": 1}]}'),
        ("manifest.json", "{"),
        ("manifest.json", '{"unknown": 1}'),
    ):
        saved = (path / name).read_bytes()
        (path / name).write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"damaged|another version"):
            BatchRun.open(path, api_key=studio.api_key)
        (path / name).write_bytes(saved)


# --- Opening --------------------------------------------------------------------------


def test_an_argument_that_contradicts_the_run_is_an_error(path: Path) -> None:
    llm = chat_in(region="singapore")
    BatchRun.prepare(llm, ["Hi"], directory=path)
    key = {"api_key": "sk-0123456789"}
    run: Run = BatchRun.open(path, region="singapore", **key)
    assert run.region == "ap-southeast-1"
    for wrong in (
        {"region": "beijing"},
        {"mode": "global"},
        {"workspace": "ws-1"},
        {"base_url": "https://dashscope.aliyuncs.com"},
    ):
        with pytest.raises(ConfigurationError, match="contradicts"):
            BatchRun.open(path, **key, **wrong)


def chat_in(**arguments: Any) -> Any:
    return ChatArguments(model="qwen-plus", api_key="sk-0123456789", **arguments)


def test_an_address_in_a_manifest_is_not_trusted(path: Path) -> None:
    """The key is sent to a host that is not documented only if the caller names it."""
    address = "https://gateway.example.com"
    BatchRun.prepare(chat_in(base_url=address), ["Hi"], directory=path)
    key = {"api_key": "sk-0123456789"}
    with pytest.raises(ConfigurationError, match="pass the same address as base_url="):
        BatchRun.open(path, **key)
    with pytest.raises(ConfigurationError, match="contradicts"):
        BatchRun.open(path, base_url="https://other.example.com", **key)
    assert BatchRun.open(path, base_url=address, **key).status == "prepared"


@pytest.mark.parametrize(
    "address",
    [
        "https://dashscope-intl.aliyuncs.com:8443/compatible-mode/v1",
        "http://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "https://dashscope-intl.aliyuncs.com.evil.example/compatible-mode/v1",
        "https://user@dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "https://[bad/compatible-mode/v1",
        "",
    ],
)
def test_only_the_documented_address_of_a_host_is_trusted(
    path: Path, address: str
) -> None:
    """As in the state of a task."""
    BatchRun.prepare(chat_in(region="singapore"), ["Hi"], directory=path)
    manifest = path / "manifest.json"
    changed = {**json.loads(manifest.read_text()), "base_url": address}
    manifest.write_text(json.dumps(changed))
    key = {"api_key": "sk-0123456789"}
    with pytest.raises(ConfigurationError):
        BatchRun.open(path, **key)
    with pytest.raises(ConfigurationError, match="bound to its endpoint"):
        BatchRun.open(path, base_url="https://dashscope-intl.aliyuncs.com", **key)


def test_the_environment_does_not_move_a_run(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BatchRun.prepare(
        chat_in(region="beijing", workspace="ws-1"), ["Hi"], directory=path
    )
    monkeypatch.setenv("DASHSCOPE_REGION", "singapore")
    monkeypatch.setenv("DASHSCOPE_WORKSPACE_ID", "ws-2")
    run: Run = BatchRun.open(path, api_key="sk-0123456789")
    endpoint = run._connection.endpoint
    assert (endpoint.region, endpoint.workspace) == ("cn-beijing", "ws-1")
    assert endpoint.host == "ws-1.cn-beijing.maas.aliyuncs.com"


def test_an_unknown_directory_or_argument_is_an_error(
    tmp_path: Path, studio: Emulator
) -> None:
    with pytest.raises(ConfigurationError, match="holds no run"):
        BatchRun.open(tmp_path / "nothing")
    BatchRun.prepare(chat(studio), ["Hi"], directory=tmp_path / "run")
    text = "'api_kex' of BatchRun.open. Did you mean 'api_key'"
    with pytest.raises(ConfigurationError, match=text):
        BatchRun.open(tmp_path / "run", api_kex="x")


# --- Arguments of another type --------------------------------------------------------


@pytest.mark.parametrize("wrong", [5, None, b"x", "a\0b"])
def test_a_directory_that_is_no_path(wrong: Any, studio: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="directory must be the path"):
        BatchRun.prepare(chat(studio), ["Hi"], directory=wrong)
    with pytest.raises(ConfigurationError, match="directory must be the path"):
        BatchRun.open(wrong, api_key=studio.api_key)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ("x", "must be a mapping"),
        ({"total_timeout": 5}, "completion_window="),
        ({"stream": True}, "a batch has no streams: remove it"),
    ],
)
def test_arguments_that_no_line_has(
    wrong: Any, text: str, studio: Emulator, path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=text):
        BatchRun.prepare(chat(studio), ["Hi"], directory=path, arguments=wrong)
    assert not path.exists()


@pytest.mark.parametrize("wrong", ["5", float("nan"), float("inf"), -1, True])
@pytest.mark.parametrize("name", ["timeout", "poll_interval"])
async def test_a_wait_that_is_no_time(
    name: str, wrong: Any, studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), ["Hi"], directory=path)
    with pytest.raises(ConfigurationError, match=f"{name} must be a number of seconds"):
        run.collect(**{name: wrong})
    with pytest.raises(ConfigurationError, match=f"{name} must be a number of seconds"):
        await run.acollect(**{name: wrong})


@pytest.mark.parametrize("duplicate", [copy, deepcopy, pickle.dumps])
def test_a_run_is_not_copied_but_opened(
    duplicate: Callable[[object], object], studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), ["Hi"], directory=path)
    with pytest.raises(ConfigurationError, match=r"with BatchRun.open\("):
        duplicate(run)
