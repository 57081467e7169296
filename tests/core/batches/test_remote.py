"""Batches and files as the service describes them, also in recorded exchanges."""

import json
from typing import Any

import pytest

from modelstudio_core.batches.remote import (
    RemoteBatch,
    cancel_batch,
    create_batch,
    find_batches,
    retrieve_batch,
)
from modelstudio_core.errors import InvalidResponseError
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.transport.procedures import Fetch
from modelstudio_core.wire.refusals import ErrorContext
from tests.support.recordings import Exchange, batch_exchanges

CONTEXT = ErrorContext("cn-beijing", "openai", "example.com")


def run(procedure: Any, body: dict[str, Any]) -> tuple[Any, Any]:
    """Run a procedure of one request; return the request and the result."""
    step = next(procedure)
    assert isinstance(step, Fetch)
    try:
        procedure.send(JsonAnswer(body, "r-1", {}))
    except StopIteration as stop:
        return step.request, stop.value
    raise AssertionError


@pytest.mark.parametrize("exchange", batch_exchanges())
def test_a_recorded_exchange_is_read(exchange: Exchange) -> None:
    body = json.loads(exchange.body)
    path, _, query = exchange.url.partition("/compatible-mode/v1")[2].partition("?")
    if body["object"] == "list":
        wanted = [batch["id"] for batch in body["data"] or ()]
        file_id = body["data"][0]["input_file_id"] if body["data"] else "hello"
        request, found = run(find_batches(file_id), body)
        assert [batch.id for batch in found] == wanted
        assert request.path == path
        assert "limit" in request.query
        assert request.query["input_file_ids"] == file_id
        assert query
        return
    procedure = cancel_batch if path.endswith("/cancel") else retrieve_batch
    request, batch = run(procedure(CONTEXT, body["id"]), body)
    assert request.path == path
    counts = body["request_counts"]
    assert batch == RemoteBatch(
        id=body["id"],
        status=body["status"],
        input_file_id=body["input_file_id"],
        output_file_id=body["output_file_id"] or None,
        error_file_id=body["error_file_id"] or None,
        total=counts["total"],
        completed=counts["completed"],
        failed=counts["failed"],
        name=body["metadata"]["ds_name"],
        created_at=body["created_at"],
        errors=(body["errors"] or {}).get("data", []),
    )


def test_a_batch_of_another_file_is_not_taken() -> None:
    """If the service ignored the filter, all batches of the account would come."""
    batches = [
        {"id": "batch_1", "status": "completed", "input_file_id": "other"},
        {"id": "batch_2", "status": "validating", "input_file_id": "mine"},
        {"status": "validating", "input_file_id": "mine"},
    ]
    _, found = run(find_batches("mine"), {"object": "list", "data": batches})
    assert [batch.id for batch in found] == ["batch_2"]


def test_an_answer_without_an_id_is_an_error() -> None:
    procedure = create_batch(
        CONTEXT,
        file_id="f",
        endpoint="/v1/embeddings",
        completion_window="24h",
        name="n",
        model="m",
    )
    with pytest.raises(InvalidResponseError, match="no id or no status"):
        run(procedure, {"object": "batch"})


def test_a_creation_is_not_repeatable_and_names_its_model() -> None:
    procedure = create_batch(
        CONTEXT,
        file_id="f",
        endpoint="/v1/embeddings",
        completion_window="48h",
        name="n",
        model="m",
    )
    request, _ = run(procedure, {"id": "batch_1", "status": "validating"})
    assert not request.repeatable
    assert not request.uses_sdk
    assert request.model_ids == ("m",)


def test_empty_ids_of_files_mean_that_there_are_none() -> None:
    batch = RemoteBatch.from_json(
        {"id": "b", "status": "completed", "output_file_id": "", "error_file_id": ""}
    )
    assert batch is not None
    assert (batch.output_file_id, batch.error_file_id) == (None, None)


@pytest.mark.parametrize(
    "raw",
    [
        {"request_counts": None, "errors": None, "metadata": None},
        {"request_counts": {"total": "2"}, "errors": [], "metadata": "x"},
        {"errors": {"data": None}},
    ],
)
def test_odd_fields_are_read_as_absent(raw: dict[str, Any]) -> None:
    batch = RemoteBatch.from_json({"id": "b", "status": "failed", **raw})
    assert batch == RemoteBatch(id="b", status="failed", errors=[])
