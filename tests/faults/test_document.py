"""The document says what the tests test."""

import re

from tests.faults.document import DOCUMENT, rewritten
from tests.faults.plays import PLAYS, REFUSALS
from tests.faults.table import LANGCHAIN, TABLE


def test_the_document_agrees_with_the_table() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(re.findall("<!-- end -->", text)) == 3
    assert rewritten(text) == text, "run python -m tests.faults.document"


def test_every_fault_has_a_row_and_every_error_a_parent() -> None:
    played = {row.play for row in TABLE}
    assert len(played) == len(TABLE)
    echoes = {"echo", "echo in a page", "echo in garbage"}
    assert played == {*PLAYS, *REFUSALS} - echoes - {"ok"}
    outcomes = [it for row in TABLE for it in (row.whole, row.stream) if it]
    assert {it.error for it in outcomes if it.error} == {*LANGCHAIN}
