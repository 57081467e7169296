"""The audit records that a test made."""

import logging
from typing import Any

import pytest

__all__ = ["audit_records"]


def audit_records(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the facts of the audit records, in their order.

    The level of the logger must be INFO: ``caplog.set_level(logging.INFO,
    "modelstudio.audit")``.
    """
    records = [r for r in caplog.records if r.name == "modelstudio.audit"]
    assert {record.levelno for record in records} <= {logging.INFO}
    return [vars(record)["modelstudio"] for record in records]
