"""Error responses of the service, turned into exceptions in one place.

The table of codes is that of the official error-code page and of recorded bodies
(2026-09).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, cast

from modelstudio_core.errors import (
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextOverflowError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
)
from modelstudio_core.secrets import redact

__all__ = ["ErrorContext"]

_T = TypeVar("_T")
_E = TypeVar("_E", bound=APIError)

_QUOTA_CODES = (
    "arrearage",
    "allocationquota.freetieronly",
    "commoditynotpurchased",
    "prepaidbilloverdue",
    "postpaidbilloverdue",
)
_FILTER_CODES = (
    "data_inspection_failed",
    "datainspectionfailed",
    "invalidparameter.datainspection",
    "customroleblocked",
    "faqruleblocked",
    "ipinfringementsuspect",
)
_STATUS_OF_CODE = {
    "invalid_parameter_error": 400,
    "invalidparameter": 400,
    "invalid_value": 400,
    "badrequest": 400,
    "unsupportedoperation": 400,
    "invalidurl": 400,
    "invalidfile": 400,
    **dict.fromkeys(_FILTER_CODES, 400),
    "arrearage": 400,
    "invalid_api_key": 401,
    "invalidapikey": 401,
    "not authorized": 401,
    "access_denied": 403,
    "accessdenied": 403,
    "model.accessdenied": 403,
    "app.accessdenied": 403,
    "workspace.accessdenied": 403,
    "allocationquota.freetieronly": 403,
    "model_not_found": 404,
    "modelnotfound": 404,
    "model_not_supported": 404,
    "workspacenotfound": 404,
    "notfound": 404,
    "conflict": 409,
    "limit_requests": 429,
    "limitrequests": 429,
    "limit_burst_rate": 429,
    "insufficient_quota": 429,
    "throttling": 429,
    "commoditynotpurchased": 429,
    "prepaidbilloverdue": 429,
    "postpaidbilloverdue": 429,
    "internal_error": 500,
    "internalerror": 500,
    "systemerror": 500,
    "modelservicefailed": 500,
    "requesttimeout": 500,
    "responsetimeout": 500,
    "modelservingerror": 503,
    "modelunavailable": 503,
}
_MODEL_CODES = ("model_not_found", "ModelNotFound", "model_not_supported")
_STATUS_OF_TYPE = {"invalid_request_error": 400, "server_error": 500}
_BAD_REQUEST, _SERVER_ERROR = 400, 500
_CLASS_OF_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: BadRequestError,
    429: RateLimitError,
}
# The texts carry numbers and links that change: only their fixed words are matched.
_OVERFLOW = re.compile(r"range of input length|maximum context length", re.IGNORECASE)
_FREE_QUOTA = re.compile(r"free allocated quota|free ?tier", re.IGNORECASE)
_EMBEDDED_STATUS = re.compile(r"\s*<([45]\d{2})>")
_CALLER_FAULT = re.compile(
    r"list index out of range|role must be in|expecting '.' delimiter"
    r"|^\s*<4\d\d>|internalerror\.algo\.invalidparameter",
    re.IGNORECASE,
)
_NO_SUCH_MODEL = re.compile(r"\bmodel\b.{0,200}\bnot (exist|found)", re.IGNORECASE)
_REDIRECTS = range(300, 400)
# What the class of the status does not tell: a server may be busy (408, 409), and it
# will never learn a method or a version of HTTP (501, 505).
_ALWAYS_RETRYABLE, _NEVER_RETRYABLE = {408, 409}, {501, 505}


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """What an error needs to know of the request that it is about.

    Attributes:
        region: The region id, None for an address of one's own.
        protocol: ``"openai"`` or ``"dashscope"``.
        host: The host that was called.
        secrets: What must never be shown, even where the service echoes it.
        other_model: Says which model to ask for where the one that was is not served.
    """

    region: str | None
    protocol: str
    host: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    other_model: Callable[[], str] | None = field(
        default=None, repr=False, compare=False
    )

    def redact(self, value: _T) -> _T:
        """Return the value with every secret in its strings replaced."""
        return redact(value, self.secrets)

    def error(self, cls: type[_E], message: str, **known: Any) -> _E:
        """Make an error that is not about a status, such as a broken connection."""
        shown = {name: self.redact(value) for name, value in known.items()}
        return cls(
            self.redact(message), region=self.region, protocol=self.protocol, **shown
        )

    def from_payload(
        self,
        status: int | None,
        payload: object,
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> APIError:
        """Make the error that a response or an event of a stream describes.

        Args:
            status: The HTTP status, None inside a stream that does not tell it: then
                it follows from the code, from the ``<400>`` that the message carries,
                or from the type.
            payload: The body, parsed where it is JSON, else its text.
            request_id: The id in the response's header; the body's own comes first.
            retry_after: Seconds that the header asked to wait for.
        """
        # Before a long text is cut, which may be in the midst of a secret.
        payload = self.redact(payload)
        told = _Told.read(payload, status)
        real = status or told.status()
        message = told.message
        common: dict[str, Any] = {
            "status_code": real,
            "code": told.code,
            "request_id": told.request_id or request_id or told.response_id,
            "body": payload,
            "retry_after": retry_after,
        }
        if real is None:
            return self.error(APIError, message, **common)
        cls = told.error_class(real)
        if cls is AuthenticationError:
            message += f" {self._key_hint()}"
        if real in _REDIRECTS:
            message += (
                " The service answered with a redirect, which is never followed:"
                " check base_url."
            )
        if self.other_model and told.is_about_the_model(cls):
            message += f" {self.other_model()}"
        retryable = told.is_retryable(cls, real)
        return self.error(cls, message, is_retryable=retryable, **common)

    def _key_hint(self) -> str:
        where = f"region {self.region}" if self.region else self.host
        return (
            f"The key was refused by {where}. API keys belong to one region: use a key"
            " that was created there, or choose the key's own region with region=."
        )


@dataclass(frozen=True, slots=True)
class _Told:
    """What an error's body says, whichever of its shapes it has."""

    message: str
    code: str | None
    kind: str | None
    request_id: str | None
    response_id: str | None

    @classmethod
    def read(cls, payload: object, status: int | None) -> Self:
        if not isinstance(payload, Mapping):
            text = str(payload or "").strip()
            return cls(text[:500] or _no_words(status), None, None, None, None)
        outer = cast("Mapping[str, Any]", payload)
        inner = outer.get("error")
        if isinstance(inner, str):
            inner = {"message": inner}
        error = cast(
            "Mapping[str, Any]", inner if isinstance(inner, Mapping) else outer
        )
        message = error.get("message") or outer.get("message")
        return cls(
            message=str(message or _no_words(status)),
            code=_text(error.get("code")),
            kind=_text(error.get("type")),
            request_id=_text(outer.get("request_id") or error.get("request_id")),
            response_id=_text(
                str(outer.get("id") or error.get("id") or "").removeprefix("chatcmpl-")
            ),
        )

    def status(self) -> int | None:
        """Tell the status that an error inside a stream stands for."""
        if embedded := _EMBEDDED_STATUS.match(self.message):
            return int(embedded.group(1))
        code = (self.code or "").casefold()
        if found := _STATUS_OF_CODE.get(code) or _STATUS_OF_CODE.get(
            code.split(".")[0]
        ):
            return found
        if code.startswith("invalidimage"):
            return _BAD_REQUEST
        if re.fullmatch(r"[1-5]\d\d", code, re.ASCII):
            return int(code)
        return _STATUS_OF_TYPE.get((self.kind or "").casefold())

    def error_class(self, status: int) -> type[APIStatusError]:
        """Choose the class: the cause first, then the status."""
        code = (self.code or "").casefold()
        if code in _QUOTA_CODES or (
            status in {403, 429} and _FREE_QUOTA.search(self.message)
        ):
            return QuotaExceededError
        if code in _FILTER_CODES or "DataInspectionFailed" in self.message:
            return ContentFilterError
        if status == _BAD_REQUEST and _OVERFLOW.search(self.message):
            return ContextOverflowError
        if status >= _SERVER_ERROR:
            return InternalServerError
        return _CLASS_OF_STATUS.get(status, APIStatusError)

    def is_retryable(self, cls: type[APIStatusError], status: int) -> bool:
        """Tell whether the same request may succeed later."""
        if cls is InternalServerError and _CALLER_FAULT.search(
            f"{self.message}\n{self.code}"
        ):
            return False
        if status in _NEVER_RETRYABLE:
            return False
        return cls.is_retryable or (
            status in _ALWAYS_RETRYABLE and cls is APIStatusError
        )

    def is_about_the_model(self, cls: type[APIStatusError]) -> bool:
        """Tell whether another model is what helps; a 404 may be without words."""
        if self.code in _MODEL_CODES or _NO_SUCH_MODEL.search(self.message):
            return issubclass(cls, BadRequestError | NotFoundError)
        return cls is NotFoundError and self.code is None


def _no_words(status: int | None) -> str:
    if status is None:
        return "The service answered with neither an answer nor an error."
    return f"HTTP status {status}"


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None
