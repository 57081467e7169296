"""Every row of the table, in every call style and over both protocols."""

import logging
from typing import Any

import pytest

from modelstudio_core import errors
from tests.faults.table import LANGCHAIN_ERRORS, TABLE, Outcome, Row
from tests.support.audit import audit_records
from tests.support.calls import CALL_STYLES, CallStyle, Result, collect_text
from tests.support.fault_server import REQUEST_ID, FaultRequest, FaultServer, prompt
from tests.support.models import KEY, PROTOCOLS, Protocol, model

# Seconds; every call of a fault that waits for the timeout takes as long.
SHORT_TIMEOUT = 0.15


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.fault)
@pytest.mark.usefixtures("no_backoff")
async def test_outcome(
    shared_server: FaultServer,
    row: Row,
    style: CallStyle,
    protocol: Protocol,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "modelstudio.audit")
    request_id = f"{row.fault} {style} {protocol}"
    await check_row(shared_server, row, style, protocol, request_id)
    check_records(audit_records(caplog), row, style, protocol)


def check_records(
    records: list[dict[str, Any]], row: Row, style: CallStyle, protocol: Protocol
) -> None:
    """Check that each request has one audit record, with its outcome."""
    outcome = row.outcome(stream=style.stream)
    assert [r["attempt"] for r in records] == ([1, 2] if outcome.retried else [1])
    for record in records:
        assert record["error"] == (outcome.error and outcome.error.__name__)
        assert record["api"] == protocol
        if record["status"] is None:
            assert outcome.error in {errors.APIConnectionError, errors.APITimeoutError}
        elif outcome.status is None or outcome.partial:
            assert record["status"] == 200
        else:
            assert record["status"] in {200, outcome.status}
        assert KEY not in str(record)


async def check_row(
    server: FaultServer, row: Row, style: CallStyle, protocol: Protocol, request_id: str
) -> None:
    """Check the outcome of a fault and the number of requests."""
    llm = model(
        style.framework,
        server.base_url,
        protocol,
        max_retries=1,
        timeout=SHORT_TIMEOUT if row.waits_for_timeout else 10,
    )
    result = await collect_text(llm, style, prompt(request_id, row.fault))
    outcome = row.outcome(stream=style.stream)
    check_result(result, outcome, style, request_id)
    assert server.log.attempts[request_id] == (2 if outcome.retried else 1)


def check_result(
    result: Result, outcome: Outcome, style: CallStyle, request_id: str
) -> None:
    text = FaultRequest("openai", stream=True, id=request_id).text
    error = result.error
    if outcome.error is None:
        assert error is None
        assert result.text == text
        return
    assert isinstance(error, errors.ModelStudioError)
    parents = type(error).__mro__
    core_class = next(cls for cls in parents if cls.__module__ == errors.__name__)
    assert core_class is outcome.error
    if style.framework == "LangChain":
        assert isinstance(error, LANGCHAIN_ERRORS[outcome.error])
    assert error.status_code == outcome.status
    assert bool(result.text) is outcome.partial
    assert text.startswith(result.text)
    if outcome.status or outcome.partial:
        assert error.request_id == REQUEST_ID
