"""The outcome of every fault; ``docs/reliability.md`` is generated from this table."""

from dataclasses import dataclass
from typing import Final

from langchain_core import exceptions as langchain

from modelstudio_core import errors

__all__ = ["LANGCHAIN_ERRORS", "TABLE", "Outcome", "Row"]


@dataclass(frozen=True)
class Outcome:
    """What a call comes to.

    Attributes:
        error: The class of the error; None is the right answer.
        status: The ``status_code`` of the error.
        retried: Whether the request is sent ``max_retries + 1`` times, or once.
        partial: Whether a part of the answer is delivered before the error.
    """

    error: type[errors.ModelStudioError] | None = None
    status: int | None = None
    retried: bool = False
    partial: bool = False


@dataclass(frozen=True)
class Row:
    """A fault and its outcome, which is the same for both protocols.

    Attributes:
        fault: The name of the fault, as the fault server has it.
        description: What happens, for the documentation.
        response: The outcome of a call without streaming.
        stream: The outcome of a stream; None: the same.
    """

    fault: str
    description: str
    response: Outcome
    stream: Outcome | None = None

    def outcome(self, *, stream: bool) -> Outcome:
        """Return the outcome of a call with or without streaming."""
        return self.stream if stream and self.stream else self.response

    @property
    def waits_for_timeout(self) -> bool:
        """Whether the fault ends only when the model's ``timeout`` is over."""
        return self.fault in {"silent", "silent midway", "never ends"}


# The LangChain error that each of our classes is also an instance of.
LANGCHAIN_ERRORS: Final[dict[type[errors.ModelStudioError], type[Exception]]] = {
    errors.APIConnectionError: langchain.ModelConnectionError,
    errors.APITimeoutError: langchain.ModelTimeoutError,
    errors.IncompleteStreamError: langchain.ModelConnectionError,
    errors.InvalidResponseError: langchain.ModelConnectionError,
    errors.APIStatusError: langchain.ModelAPIError,
    errors.BadRequestError: langchain.ModelInvalidRequestError,
    errors.ContextOverflowError: langchain.ContextOverflowError,
    errors.ContentFilterError: langchain.ModelInvalidRequestError,
    errors.AuthenticationError: langchain.ModelAuthenticationError,
    errors.PermissionDeniedError: langchain.ModelPermissionDeniedError,
    errors.NotFoundError: langchain.ModelNotFoundError,
    errors.RateLimitError: langchain.ModelRateLimitError,
    errors.QuotaExceededError: langchain.ModelPermissionDeniedError,
    errors.InternalServerError: langchain.ModelAPIError,
}

_UNREACHED: Final = Outcome(errors.APIConnectionError, retried=True)
_TIMEOUT: Final = Outcome(errors.APITimeoutError, retried=True)
_INCOMPLETE: Final = Outcome(errors.IncompleteStreamError, retried=True)
_PARTIAL: Final = Outcome(errors.IncompleteStreamError, partial=True)
_INVALID: Final = Outcome(errors.InvalidResponseError, retried=True)
_FILTERED: Final = Outcome(errors.ContentFilterError, 400)
_RATE_LIMITED: Final = Outcome(errors.RateLimitError, 429, retried=True)
_NO_QUOTA: Final = Outcome(errors.QuotaExceededError, 429)


def _server_error(status: int, *, retried: bool = True) -> Outcome:
    return Outcome(errors.InternalServerError, status, retried=retried)


TABLE: Final = (
    # --- The connection
    Row("closed", "The connection is closed before the first byte", _UNREACHED),
    Row("reset", "The connection is reset before the first byte", _UNREACHED),
    Row("closed in headers", "The connection is closed within the headers", _UNREACHED),
    Row("silent", "No byte arrives for longer than `timeout`", _TIMEOUT),
    # --- Responses that are no answer
    Row("html", "HTTP 200 with an HTML page", _INVALID, _INCOMPLETE),
    Row("empty", "HTTP 200 with an empty body", _INVALID, _INCOMPLETE),
    Row(
        "redirect",
        "A redirect (redirects are never followed)",
        Outcome(errors.APIStatusError, 307),
    ),
    # --- Incomplete answers
    Row(
        "closed midway",
        "The connection is closed in the middle of the answer",
        _INCOMPLETE,
        _PARTIAL,
    ),
    Row(
        "reset midway",
        "The connection is reset in the middle of the answer",
        _INCOMPLETE,
        _PARTIAL,
    ),
    Row(
        "no finish reason",
        "The response ends without a finish reason",
        _INVALID,
        _PARTIAL,
    ),
    Row(
        "half an event",
        "The response ends in the middle of an event",
        _INVALID,
        _PARTIAL,
    ),
    Row("short body", "Fewer bytes than `content-length`", _INCOMPLETE, _PARTIAL),
    Row(
        "malformed event",
        "An event whose JSON has values of wrong types",
        _INVALID,
        Outcome(errors.InvalidResponseError, partial=True),
    ),
    Row(
        "silent midway",
        "No byte arrives for longer than `timeout` in the middle of the answer",
        _TIMEOUT,
        Outcome(errors.APITimeoutError, partial=True),
    ),
    Row("never ends", "A complete answer whose response never ends", Outcome()),
    # --- Errors of the service
    Row(
        "bad parameter",
        "400, invalid parameter",
        Outcome(errors.BadRequestError, 400),
    ),
    Row(
        "prompt too long",
        "400, prompt too long",
        Outcome(errors.ContextOverflowError, 400),
    ),
    Row("moderation", "400, content moderation", _FILTERED),
    Row("moderation inside 200", "Content moderation, inside HTTP 200", _FILTERED),
    Row(
        "moderation midway",
        "Content moderation in the middle of a stream",
        _FILTERED,
        Outcome(errors.ContentFilterError, 400, partial=True),
    ),
    Row(
        "account overdue",
        "400 `Arrearage`, overdue account",
        Outcome(errors.QuotaExceededError, 400),
    ),
    Row(
        "wrong key",
        "401, invalid API key",
        Outcome(errors.AuthenticationError, 401),
    ),
    Row(
        "permission denied",
        "403, the key lacks the permission",
        Outcome(errors.PermissionDeniedError, 403),
    ),
    Row(
        "free tier only",
        "403 `AllocationQuota.FreeTierOnly`",
        Outcome(errors.QuotaExceededError, 403),
    ),
    Row("unknown model", "404, unknown model", Outcome(errors.NotFoundError, 404)),
    Row("request timeout", "408", Outcome(errors.APIStatusError, 408, retried=True)),
    Row("conflict", "409", Outcome(errors.APIStatusError, 409, retried=True)),
    Row("rate limit", "429, too many requests", _RATE_LIMITED),
    Row("burst rate limit", "429, the request rate rose too fast", _RATE_LIMITED),
    Row("token rate limit", "429 `insufficient_quota`, too many tokens", _RATE_LIMITED),
    Row(
        "retry after an hour",
        "429 with a `Retry-After` of an hour",
        Outcome(errors.RateLimitError, 429),
    ),
    Row("free quota exhausted", "429, the free quota is used up", _NO_QUOTA),
    Row("bill overdue", "429, overdue bill", _NO_QUOTA),
    Row("internal error", "500", _server_error(500)),
    Row("server timeout", "500 `RequestTimeOut`", _server_error(500)),
    Row(
        "500 for a bad request",
        "500 caused by the request itself",
        _server_error(500, retried=False),
    ),
    Row("not implemented", "501", _server_error(501, retried=False)),
    Row("bad gateway", "502 with an HTML page", _server_error(502)),
    Row("busy", "503, no capacity", _server_error(503)),
    Row("busy inside 200", "503, inside HTTP 200", _server_error(503)),
    Row("gateway timeout", "504 with an empty body", _server_error(504)),
)
