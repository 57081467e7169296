"""``docs/reliability.md`` agrees with the table of faults."""

import re

from tests.faults.document import DOCUMENT, regenerate
from tests.faults.table import LANGCHAIN_ERRORS, TABLE
from tests.support.fault_server.faults import ERROR_RESPONSES, FAULTS


def test_the_document_is_up_to_date() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(re.findall("<!-- end -->", text)) == 5
    assert regenerate(text) == text, "run python -m tests.faults.document"


def test_every_fault_has_a_row_and_every_error_a_langchain_class() -> None:
    names = {row.fault for row in TABLE}
    assert len(names) == len(TABLE)
    tested_elsewhere = {"ok", "echo", "echo in HTML", "echo in status line"}
    assert names == {*FAULTS, *ERROR_RESPONSES} - tested_elsewhere
    outcomes = [
        outcome for row in TABLE for outcome in (row.response, row.stream) if outcome
    ]
    errors = {outcome.error for outcome in outcomes if outcome.error}
    assert errors == {*LANGCHAIN_ERRORS}
