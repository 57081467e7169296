"""The audit record of each HTTP request.

``logging.getLogger("modelstudio.audit")`` gets one INFO record for each HTTP request,
retries included, when its answer has ended or failed. The facts are a dict in
``record.modelstudio``. It contains no key, no query string and no content.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

from modelstudio_core.endpoints import Endpoint, is_storage_of_region
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.requests import HttpRequest

__all__ = ["AuditRecord", "begin_record", "tokens_of"]

# Our names, and those of the protocols.
_TOKENS: Final = {
    "input_tokens": ("input_tokens", "prompt_tokens"),
    "output_tokens": ("output_tokens", "completion_tokens"),
    "total_tokens": ("total_tokens",),
}
_PLACES: Final = ("data_location", "inference_scope")
_logger: Final = logging.getLogger("modelstudio.audit")


class AuditRecord:
    """The record of one HTTP request, which is written once, at its end."""

    __slots__ = ("_begin", "_facts", "request_id", "status", "tokens")

    def __init__(self, facts: dict[str, object]) -> None:
        """Begin a record.

        Args:
            facts: What is known before the request is sent, without secrets.
        """
        self._facts = facts
        self._begin = perf_counter()
        self.status: int | None = None
        self.request_id: str | None = None
        self.tokens: dict[str, int] | None = None

    def write(self, error: BaseException | None) -> None:
        """Write the record.

        Args:
            error: What ended the request; None for a complete answer.
        """
        status = getattr(error, "status_code", None)
        facts = self._facts | {
            "duration": round(perf_counter() - self._begin, 6),
            "request_id": self.request_id or getattr(error, "request_id", None),
            "status": self.status if self.status is not None else status,
            "error": type(error).__name__ if error is not None else None,
            "tokens": self.tokens,
        }
        _logger.info(
            "%(method)s %(host)s%(path)s %(model)s: status %(status)s, error %(error)s,"
            " %(duration).3f s",
            facts,
            extra={"modelstudio": facts},
        )


def begin_record(
    connection: Connection, request: HttpRequest, attempt: int
) -> AuditRecord | None:
    """Begin the record of a request.

    Args:
        connection: How to reach the service.
        request: The request that is about to be sent.
        attempt: Its number: 1 for the first one, 2 for the first retry.

    Returns:
        The record; None if no handler wants it.
    """
    if not _logger.isEnabledFor(logging.INFO):
        return None
    return AuditRecord(connection.context.redact(_facts(connection, request, attempt)))


def tokens_of(usage: Mapping[str, object]) -> dict[str, int] | None:
    """Return the token counts of a ``usage`` object of the service.

    Args:
        usage: The object, of either protocol.

    Example:
        >>> tokens_of({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
        {'input_tokens': 3, 'output_tokens': 4, 'total_tokens': 7}
    """
    counts = {
        name: next((n for key in keys if type(n := usage.get(key)) is int), None)
        for name, keys in _TOKENS.items()
    }
    return {name: n for name, n in counts.items() if n is not None} or None


def _facts(
    connection: Connection, request: HttpRequest, attempt: int
) -> dict[str, object]:
    endpoint = connection.endpoint
    url = urlsplit(request.url_at(endpoint))
    models = request.model_ids
    return {
        "time": datetime.now(UTC).isoformat(),
        "attempt": attempt,
        "method": request.method,
        "host": url.netloc,
        **_scope(endpoint, request, url.netloc),
        "api": request.api if request.url is None else None,
        "path": url.path,
        "model": models[0] if len(models) == 1 else [*models] or None,
        "requested_model": request.requested_model,
    }


def _scope(endpoint: Endpoint, request: HttpRequest, host: str) -> dict[str, object]:
    """Return where a request goes. Of another host only its region may be known."""
    if request.url is None:
        names = ("region", "mode", "mode_declared", "workspace", *_PLACES)
        return {name: getattr(endpoint, name) for name in names}
    is_near = is_storage_of_region(host, endpoint.region or "")
    return {
        "region": endpoint.region if is_near else None,
        "mode": None,
        "mode_declared": False,
        "workspace": None,
        "data_location": endpoint.data_location if is_near else None,
        "inference_scope": None,
    }
