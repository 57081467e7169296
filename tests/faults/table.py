"""What breaks, and what comes of it: ``docs/reliability.md`` is made of this table."""

from dataclasses import dataclass
from typing import Final, Literal

from langchain_core import exceptions as langchain

from modelstudio_core import errors

__all__ = ["TABLE", "Outcome", "Row"]

Tries = Literal["once", "all"]


@dataclass(frozen=True)
class Outcome:
    """What comes of a fault.

    Attributes:
        error: The class of the error; None is the right answer.
        status: Its status.
        tries: Whether it is sent once or ``max_retries + 1`` times.
        begun: Whether the beginning of the answer is handed on before the error.
    """

    error: type[errors.ModelStudioError] | None = None
    status: int | None = None
    tries: Tries = "once"
    begun: bool = False


@dataclass(frozen=True)
class Row:
    """A fault and its outcome, which is that of both protocols.

    Attributes:
        play: What the server plays.
        told: The same in words.
        whole: What comes of it for a whole answer.
        stream: What comes of it for a stream; None: the same.
    """

    play: str
    told: str
    whole: Outcome
    stream: Outcome | None = None

    def outcome(self, *, stream: bool) -> Outcome:
        """Return what comes of it."""
        return self.stream if stream and self.stream else self.whole


# Its parents in LangChain, beside our own class.
LANGCHAIN: Final[dict[type[errors.ModelStudioError], type[Exception]]] = {
    errors.APIConnectionError: langchain.ModelConnectionError,
    errors.APITimeoutError: langchain.ModelTimeoutError,
    errors.IncompleteStreamError: langchain.ModelConnectionError,
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

_LOST: Final = Outcome(errors.APIConnectionError, tries="all")
_SILENT: Final = Outcome(errors.APITimeoutError, tries="all")
_BROKEN: Final = Outcome(errors.IncompleteStreamError, tries="all")
_BROKEN_OFF: Final = Outcome(errors.IncompleteStreamError, begun=True)
_RATE: Final = Outcome(errors.RateLimitError, 429, "all")
_MONEY: Final = Outcome(errors.QuotaExceededError, 429)


def _server(status: int, tries: Tries = "all") -> Outcome:
    return Outcome(errors.InternalServerError, status, tries)


TABLE: Final = (
    # --- The connection
    Row("closed", "The connection is closed before the first byte", _LOST),
    Row("reset", "The connection is reset before the first byte", _LOST),
    Row("half a head", "The connection is closed within the headers", _LOST),
    Row("silence", "Nothing comes for longer than `timeout`", _SILENT),
    # --- Answers that are none
    Row("page", "HTTP 200 with a page of HTML", _BROKEN),
    Row("empty", "HTTP 200 with an empty body", _BROKEN),
    Row(
        "redirect",
        "A redirect, which is never followed",
        Outcome(errors.APIStatusError, 307),
    ),
    # --- Truncation
    Row("cut", "The connection is closed in the midst", _BROKEN, _BROKEN_OFF),
    Row("cut by reset", "The connection is reset in the midst", _BROKEN, _BROKEN_OFF),
    Row(
        "no finish", "The response ends before its finish reason", _BROKEN, _BROKEN_OFF
    ),
    Row("half a frame", "Half a frame of JSON, then the end", _BROKEN, _BROKEN_OFF),
    Row("short body", "Fewer bytes than `content-length` says", _BROKEN, _BROKEN_OFF),
    Row(
        "misshapen event",
        "An event that has no place in an answer",
        _BROKEN,
        _BROKEN_OFF,
    ),
    Row(
        "silence in the midst",
        "Silence for longer than `timeout` in the midst",
        _SILENT,
        Outcome(errors.APITimeoutError, begun=True),
    ),
    Row("left open", "A whole stream whose response never ends", Outcome()),
    # --- Errors of the service
    Row(
        "bad parameter",
        "400, a parameter is wrong",
        Outcome(errors.BadRequestError, 400),
    ),
    Row(
        "overflow",
        "400, the prompt is too long",
        Outcome(errors.ContextOverflowError, 400),
    ),
    Row(
        "moderation",
        "400, content moderation",
        Outcome(errors.ContentFilterError, 400),
    ),
    Row(
        "moderation inside 200",
        "Content moderation, inside HTTP 200",
        Outcome(errors.ContentFilterError, 400),
    ),
    Row(
        "moderation in the midst",
        "Content moderation in the midst of a stream",
        Outcome(errors.ContentFilterError, 400),
        Outcome(errors.ContentFilterError, 400, begun=True),
    ),
    Row(
        "overdue",
        "400 `Arrearage`, the account is overdue",
        Outcome(errors.QuotaExceededError, 400),
    ),
    Row(
        "wrong key",
        "401, the key is refused",
        Outcome(errors.AuthenticationError, 401),
    ),
    Row(
        "denied",
        "403, the key may not do this",
        Outcome(errors.PermissionDeniedError, 403),
    ),
    Row(
        "free tier",
        "403 `AllocationQuota.FreeTierOnly`",
        Outcome(errors.QuotaExceededError, 403),
    ),
    Row("no such model", "404, no such model", Outcome(errors.NotFoundError, 404)),
    Row("request timeout", "408", Outcome(errors.APIStatusError, 408, "all")),
    Row("conflict", "409", Outcome(errors.APIStatusError, 409, "all")),
    Row("rate", "429, too many requests", _RATE),
    Row("burst", "429, the rate grew too fast", _RATE),
    Row("tokens a minute", "429 `insufficient_quota`, too many tokens", _RATE),
    Row(
        "an hour",
        "429 with a `Retry-After` of an hour",
        Outcome(errors.RateLimitError, 429),
    ),
    Row("free quota", "429, the free quota is used up", _MONEY),
    Row("bill", "429, a bill is overdue", _MONEY),
    Row("internal", "500", _server(500)),
    Row("server timeout", "500 `RequestTimeOut`", _server(500)),
    Row("caller fault", "500 for what the caller did wrong", _server(500, "once")),
    Row("not implemented", "501", _server(501, "once")),
    Row("bad gateway", "502 with a page of HTML", _server(502)),
    Row("busy", "503, no capacity", _server(503)),
    Row("busy inside 200", "503, inside HTTP 200", _server(503)),
    Row("gateway timeout", "504 with an empty body", _server(504)),
)
