"""Error responses of the service, converted to exceptions.

Sources of the codes: the official error-code page and recorded bodies (2026-09).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar, cast

from modelstudio_core.errors import (
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextOverflowError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
)
from modelstudio_core.secrets import redact

__all__ = ["ErrorContext", "is_refusal", "too_large_error"]

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
# How much of a body that is not JSON is looked at for an error message.
_MAX_SHOWN = 8192
_CLASS_OF_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: BadRequestError,
    429: RateLimitError,
}
# Only words that do not change: the messages also contain numbers and links.
_OVERFLOW = re.compile(r"range of input length|maximum context length", re.IGNORECASE)
_FREE_QUOTA = re.compile(r"free allocated quota|free ?tier", re.IGNORECASE)
_EMBEDDED_STATUS = re.compile(r"\s*<([45]\d{2})>")
_INVALID_REQUEST = re.compile(
    r"list index out of range|role must be in|expecting '.' delimiter"
    r"|^\s*<4\d\d>|internalerror\.algo\.invalidparameter",
    re.IGNORECASE,
)
_NO_SUCH_MODEL = re.compile(r"\bmodel\b.{0,200}\bnot (exist|found)", re.IGNORECASE)
_REDIRECTS = range(300, 400)
# Exceptions to the rule of the class: 408 and 409 are temporary; 501 and 505 are not,
# because a server that does not support a method or an HTTP version never will.
_ALWAYS_RETRYABLE, _NEVER_RETRYABLE = {408, 409}, {501, 505}


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """The facts of a request that its errors report; it creates those errors.

    Attributes:
        region: The region id; None for a custom base URL.
        protocol: ``"openai"`` or ``"dashscope"``.
        host: The host that is called.
        secrets: Strings that no error may show, even if the service repeats them.
        suggest_model: Returns a sentence that names another model. It is added to
            errors about a model that is not served.
        is_service: Whether the host is the service's, to which the key is sent.

    Example:
        >>> context = ErrorContext("ap-southeast-1", "openai", "example.com")
        >>> context.from_payload(429, {"error": {"message": "Too many requests."}})
        RateLimitError('Too many requests.')
    """

    region: str | None
    protocol: str
    host: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    suggest_model: Callable[[], str] | None = field(
        default=None, repr=False, compare=False
    )
    is_service: bool = True

    def for_other_host(self, host: str) -> Self:
        """Return the context of a request to another host than the service's."""
        return replace(self, host=host, suggest_model=None, is_service=False)

    def redact(self, value: _T) -> _T:
        """Return a copy of a value, with the secrets in its strings replaced."""
        return redact(value, self.secrets)

    def error(self, cls: type[_E], message: str, **fields: object) -> _E:
        """Create an error that has no response, such as that of a broken connection.

        Args:
            cls: The class of the error.
            message: What happened, and what to do about it.
            **fields: Other arguments of the class, such as ``request_id``.

        Returns:
            The error, with the region and the protocol, and without secrets.
        """
        arguments: dict[str, Any] = {
            name: self.redact(value) for name, value in fields.items()
        }
        return cls(
            self.redact(message),
            region=self.region,
            protocol=self.protocol,
            **arguments,
        )

    def not_json(
        self, data: bytes, request_id: str | None, expected: str = "JSON"
    ) -> InvalidResponseError:
        """Create the error for a body that is not JSON.

        Args:
            data: The body. The error has its beginning, without secrets.
            request_id: The id in the header.
            expected: What the body should be.
        """
        # Cut once more after the keys are hidden: this cut may be inside one.
        text = self.redact(data[:_MAX_SHOWN].decode(errors="replace"))
        return self.error(
            InvalidResponseError,
            f"The response is not {expected}. It begins with {text[:80]!r}.",
            body=text[:500],
            request_id=request_id,
        )

    def from_payload(
        self,
        status: int | None,
        payload: object,
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> APIError:
        """Create the error that a response, or an event of a stream, describes.

        Args:
            status: The HTTP status. None for an event of a stream without a status:
                then it is read from a ``<400>`` at the start of the message, from the
                code, or from the type.
            payload: The body: parsed if it is JSON, else its text.
            request_id: The id in the header. An id in the body has precedence.
            retry_after: The seconds to wait, from the header.

        Returns:
            The error, of the class that fits its code and its status.
        """
        # Before a long text is cut: the cut could be inside a secret.
        payload = self.redact(payload)
        body = _ErrorBody.parse(payload, status)
        real_status = status or body.status()
        message = body.message
        fields: dict[str, Any] = {
            "status_code": real_status,
            "code": body.code,
            "request_id": body.request_id or request_id or body.response_id,
            "body": payload,
            "retry_after": retry_after,
        }
        if real_status is None:
            return self.error(APIError, message, **fields)
        cls = body.error_class(real_status)
        if cls is AuthenticationError and self.is_service:
            message += f" {self._key_hint()}"
        if real_status in _REDIRECTS and self.is_service:
            message += (
                " The service answered with a redirect. Redirects are never followed:"
                " check base_url."
            )
        if self.suggest_model and body.is_about_the_model(cls):
            message += f" {self.suggest_model()}"
        retryable = body.is_retryable(cls, real_status)
        return self.error(cls, message, is_retryable=retryable, **fields)

    def _key_hint(self) -> str:
        where = f"region {self.region}" if self.region else self.host
        return (
            f"The API key was refused by {where}. API keys belong to one region: use a"
            " key that was created there, or pass the region of the key as region=."
        )


def too_large_error(
    context: ErrorContext,
    argument: str,
    limit: int,
    request_id: str | None,
    **fields: object,
) -> InvalidResponseError:
    """Create the error for a body or an event that is larger than its limit.

    Args:
        context: The facts of the request.
        argument: The argument of the constructor that sets the limit.
        limit: Its value.
        request_id: The id in the header.
        **fields: Other fields of the error.
    """
    return context.error(
        InvalidResponseError,
        f"The response is larger than {argument}={limit:,} allows, and was not read"
        f" further. Raise {argument}= if such responses are expected.",
        request_id=request_id,
        is_retryable=False,
        **fields,
    )


def is_refusal(body: Mapping[str, object]) -> bool:
    """Return whether the JSON body of a response with a success status is an error.

    An error of the OpenAI protocol has ``error``. One of the native protocol has
    ``code`` and ``message``, and no result.

    Example:
        >>> is_refusal({"code": "InvalidParameter", "message": "Bad size."})
        True
    """
    if isinstance(body.get("error"), Mapping):
        return True
    results = ("output", "data", "results", "choices")
    return bool(body.get("code") and body.get("message")) and all(
        body.get(name) in (None, {}, "") for name in results
    )


@dataclass(frozen=True, slots=True)
class _ErrorBody:
    """The fields of an error, read from any form of its body."""

    message: str
    code: str | None
    kind: str | None
    request_id: str | None
    response_id: str | None

    @classmethod
    def parse(cls, payload: object, status: int | None) -> Self:
        if not isinstance(payload, Mapping):
            text = str(payload or "").strip()
            return cls(text[:500] or _default_message(status), None, None, None, None)
        outer = cast("Mapping[str, object]", payload)
        inner = outer.get("error")
        if isinstance(inner, str):
            inner = {"message": inner}
        error = cast(
            "Mapping[str, object]", inner if isinstance(inner, Mapping) else outer
        )
        message = error.get("message") or outer.get("message")
        return cls(
            message=str(message or _default_message(status)),
            code=_text(error.get("code")),
            kind=_text(error.get("type")),
            request_id=_text(outer.get("request_id") or error.get("request_id")),
            response_id=_text(
                str(outer.get("id") or error.get("id") or "").removeprefix("chatcmpl-")
            ),
        )

    def status(self) -> int | None:
        """Return the HTTP status that fits an error without one."""
        if embedded := _EMBEDDED_STATUS.match(self.message):
            return int(embedded.group(1))
        code = (self.code or "").casefold()
        status = _STATUS_OF_CODE.get(code) or _STATUS_OF_CODE.get(code.split(".")[0])
        if status:
            return status
        if code.startswith("invalidimage"):
            return _BAD_REQUEST
        if re.fullmatch(r"[1-5]\d\d", code, re.ASCII):
            return int(code)
        return _STATUS_OF_TYPE.get((self.kind or "").casefold())

    def error_class(self, status: int) -> type[APIStatusError]:
        """Return the class that fits the code or the message, else the status."""
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
        """Return whether the same request may succeed later."""
        if cls is InternalServerError and _INVALID_REQUEST.search(
            f"{self.message}\n{self.code}"
        ):
            return False
        if status in _NEVER_RETRYABLE:
            return False
        return cls.is_retryable or (
            status in _ALWAYS_RETRYABLE and cls is APIStatusError
        )

    def is_about_the_model(self, cls: type[APIStatusError]) -> bool:
        """Return whether the error is about the model. A 404 may have no message."""
        if self.code in _MODEL_CODES or _NO_SUCH_MODEL.search(self.message):
            return issubclass(cls, BadRequestError | NotFoundError)
        return cls is NotFoundError and self.code is None


def _default_message(status: int | None) -> str:
    if status is None:
        return "The response contains neither an answer nor an error message."
    return f"HTTP status {status}"


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None
