"""Error responses of the service, converted to exceptions.

Sources of the codes: the official error-code page and recorded bodies (2026-09).
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar, cast, overload
from urllib.parse import unquote

from jiter import from_json

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
from modelstudio_core.redaction import Redactor
from modelstudio_core.secrets import redact_with, redactor_of
from modelstudio_core.wire.json_values import (
    MAX_ERROR_VALUES,
    ExcessiveJsonError,
    check_values,
    load,
    shortened,
)
from modelstudio_core.wire.sse import EventSplitter, field_of

__all__ = ["ErrorContext", "is_refusal", "too_large_error", "too_large_refusal"]

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
# Codes of a 404 that say what does not exist.
_NAMED_CODES = ("workspacenotfound",)
# A file or a batch that an address names.
_NAMED_IN_PATH = re.compile(r"/(files|batches)/([^/?]+)(?:/[a-z]+)?$")
_NOUNS = {"files": "file", "batches": "batch"}
_MODEL_CODES = ("model_not_found", "ModelNotFound", "model_not_supported")
_STATUS_OF_TYPE = {"invalid_request_error": 400, "server_error": 500}
_BAD_REQUEST, _SERVER_ERROR = 400, 500
# How much of a message, or of a body that is not JSON, is looked at: a server may send
# a text that the expressions below cannot search quickly; and how many of its events.
_MAX_SHOWN = 8192
_MAX_EVENTS = 8
# A longer code or id is none.
_MAX_ID = 256
_CLASS_OF_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: BadRequestError,
    429: RateLimitError,
}
# Only words that do not change: the messages also contain numbers and links.
# "Tool names are not allowed to be [search]" (page "Error codes"). Some models accept
# the name (recorded: qwen-plus).
_TOOL_NAME = re.compile(r"Tool names? (?:are|is) not allowed")
_OVERFLOW = re.compile(r"range of input length|maximum context length", re.IGNORECASE)
_FREE_QUOTA = re.compile(r"free allocated quota|free ?tier", re.IGNORECASE)
_EMBEDDED_STATUS = re.compile(r"\s*<([45]\d{2})>")
_INVALID_REQUEST = re.compile(
    r"list index out of range|role must be in|expecting '.' delimiter"
    r"|^\s*<4\d\d>|internalerror\.algo\.invalidparameter",
    re.IGNORECASE,
)
# Not a path such as /model/x.
_NO_SUCH_MODEL = re.compile(
    r"(?<![/\w.-])model\b(?!/).{0,200}\bnot (exist|found)", re.IGNORECASE
)
# The texts of codes that gateways drop.
_ARREARS = re.compile(
    r"account is in good standing|overdue.payment|arrearage|in arrears|\u6b20\u8d39",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"datainspectionfailed|data_inspection_failed|contain inappropriate content",
    re.IGNORECASE,
)
_HTML = re.compile(r"\s*<(!doctype|html|head|body|center|h1)\b", re.IGNORECASE)
_TITLE = re.compile(
    r"<(title|h1)[^>]*>\s*(.{1,200}?)\s*</\1>", re.IGNORECASE | re.DOTALL
)
# What the texts begin with that are server-sent events.
_EVENT = re.compile(r"\s*(data|id|event|retry)?:")
_MAX_NESTING = 4
# One of these shows that a JSON object in a text is an error.
_ERROR_FIELDS = ("error", "code", "message")
_NOT_FOUND = 404
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
        later_secrets: Hides secrets that are not known yet; None if there are none.
        suggest_model: Returns a sentence that names another model. It is added to
            errors about a model that is not served.
        key_hint: Returns what to do about a key that was refused.
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
    key_hint: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    is_service: bool = True
    later_secrets: Redactor | None = field(default=None, repr=False, compare=False)

    def for_other_host(self, host: str) -> Self:
        """Return the context of a request to another host than the service's."""
        return replace(self, host=host, suggest_model=None, is_service=False)

    @overload
    def redact(self, value: str) -> str: ...
    @overload
    def redact(self, value: _T) -> _T: ...
    def redact(self, value: object) -> object:
        """Return a copy of a value, with the secrets in its strings replaced."""
        if self.later_secrets is not None:
            value = redact_with(self.later_secrets, value)
        return redact_with(redactor_of(self.secrets), value)

    @property
    def hide(self) -> Callable[[str], str]:
        """What replaces the secrets in a text, in less time than ``redact``."""
        if self.later_secrets is not None:
            return self.redact
        return redactor_of(self.secrets).redact

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
            name: self.redact(shortened(value)) for name, value in fields.items()
        }
        return cls(
            self.redact(message),
            region=self.region,
            protocol=self.protocol,
            **arguments,
        )

    def parse(
        self, data: bytes, request_id: str | None, expected: str = "JSON"
    ) -> object:
        """Parse JSON of a response.

        Args:
            data: The body, or the data of an event.
            request_id: The id in the header.
            expected: What it should be, for the error.

        Raises:
            InvalidResponseError: It is not JSON, or of a size that none of the
                service's answers has.
        """
        try:
            return load(data)
        except ExcessiveJsonError as error:
            # Not inside the except block: the parser's error may contain the body.
            failure = self.not_json(
                data,
                request_id,
                f"one of the service, and was not parsed: {error}. Check base_url, and"
                " what is between here and the service",
            )
            failure.is_retryable = False
        except ValueError:
            failure = self.not_json(data, request_id, expected)
        raise failure

    def not_json(
        self, data: bytes, request_id: str | None, expected: str = "JSON"
    ) -> InvalidResponseError:
        """Create the error for a body that is not JSON.

        Args:
            data: The body, or its beginning. The error has a part of it, without
                secrets.
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
        url: str | None = None,
    ) -> APIError:
        """Create the error that a response, or an event of a stream, describes.

        Args:
            status: The HTTP status. None for an event of a stream without a status:
                then it is read from a ``<400>`` at the start of the message, from the
                code, or from the type.
            payload: The body: parsed if it is JSON, else its text.
            request_id: The id in the header. An id in the body has precedence.
            retry_after: The seconds to wait, from the header.
            url: The address of the request, without its query.

        Returns:
            The error, of the class that fits its code and its status.
        """
        # Before a long text is cut: the cut could be inside a secret.
        payload = self.redact(shortened(payload))
        body = _ErrorBody.read(payload, status)
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
        if cls is AuthenticationError and self.is_service and self.key_hint:
            message += f" {self.key_hint()}"
        if _TOOL_NAME.search(message):
            message += (
                " This model keeps the name for a tool of its own: rename the tool."
            )
        if real_status in _REDIRECTS and self.is_service:
            message += (
                " The service answered with a redirect. Redirects are never followed:"
                " check base_url."
            )
        if body.is_about_the_model(cls):
            message += f" {self.suggest_model()}" if self.suggest_model else ""
        elif url and self.is_service and body.is_wrong_path(real_status):
            message += f" {_explain_missing(url)}"
        retryable = body.is_retryable(cls, real_status)
        return self.error(cls, message, is_retryable=retryable, **fields)


def _explain_missing(url: str) -> str:
    """Explain a 404: what an address names may not exist, or the address itself."""
    if url.endswith("/batches"):
        return (
            "Either the file of the batch does not exist (it was deleted, or belongs"
            f" to another account, workspace or region), or the address {url} does"
            " not: then check base_url."
        )
    if (match := _NAMED_IN_PATH.search(url)) is None:
        return (
            f"The address {url} does not exist: its path may be wrong. Check base_url."
        )
    kind, name = match.groups()
    noun = _NOUNS[kind]
    return (
        f"There is no {noun} {unquote(name)} at {url[: match.start()]}: it was deleted,"
        " or it belongs to another account, workspace or region."
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
        argument: The argument that sets the limit.
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


def too_large_refusal(
    context: ErrorContext,
    head: bytes,
    limit: int,
    *,
    status: int,
    request_id: str | None,
    retry_after: float | None,
) -> InvalidResponseError:
    """Create the error for the body of an error that is larger than its limit.

    Args:
        context: The facts of the request.
        head: What was read of the body. The code of the service may be in it.
        limit: The value of ``max_error_bytes``.
        status: The HTTP status.
        request_id: The id in the header.
        retry_after: The seconds to wait, from the header.
    """
    try:
        check_values(head, MAX_ERROR_VALUES)
        payload = from_json(head, partial_mode="trailing-strings")
    except ValueError:
        payload = head.decode(errors="replace")
    payload = context.redact(payload)
    body = _ErrorBody.read(payload, status)
    return too_large_error(
        context,
        "max_error_bytes",
        limit,
        body.request_id or request_id or body.response_id,
        status_code=status,
        code=body.code,
        body=payload,
        retry_after=retry_after,
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
    def read(cls, payload: object, status: int | None) -> Self:
        """Read an error from its body, with a message of a limited length.

        Args:
            payload: The body: parsed if it is JSON, else its text.
            status: The HTTP status, for a body without a message.
        """
        body = cls.parse(payload, status)
        return replace(body, message=body.message[:_MAX_SHOWN])

    @classmethod
    def parse(cls, payload: object, status: int | None, *, depth: int = 0) -> Self:
        """Read an error from its body.

        Gateways put the body of the service into a text, or into the message of an
        error of their own, as JSON or as a server-sent event: the innermost is read.

        Args:
            payload: The body: parsed if it is JSON, else its text.
            status: The HTTP status, for a body without a message.
            depth: How deeply the body is nested.
        """
        inner = _error_inside(payload)
        if isinstance(payload, Mapping):
            outer = cls._parse_object(cast("Mapping[str, object]", payload), status)
        else:
            text = str(payload or "").strip()
            outer = cls(_readable(text, status), None, None, None, None)
        inner = inner or _error_inside(outer.message)
        if inner is None or depth == _MAX_NESTING:
            return outer
        nested = cls.parse(inner, status, depth=depth + 1)
        return replace(
            nested,
            code=nested.code or outer.code,
            kind=nested.kind or outer.kind,
            request_id=nested.request_id or outer.request_id,
            response_id=nested.response_id or outer.response_id,
        )

    @classmethod
    def _parse_object(cls, outer: Mapping[str, object], status: int | None) -> Self:
        inner = outer.get("error")
        if isinstance(inner, str):
            inner = {"message": inner}
        error = cast(
            "Mapping[str, object]", inner if isinstance(inner, Mapping) else outer
        )
        texts = (error.get("message"), outer.get("message"), error.get("detail"))
        message = next((text for text in texts if text), None)
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
        if code.startswith("invalidimage") or self._is_in_arrears or self._is_filtered:
            return _BAD_REQUEST
        if re.fullmatch(r"[1-5]\d\d", code, re.ASCII):
            return int(code)
        return _STATUS_OF_TYPE.get((self.kind or "").casefold())

    @property
    def _is_in_arrears(self) -> bool:
        code = (self.code or "").casefold()
        return code in _QUOTA_CODES or bool(_ARREARS.search(self.message))

    @property
    def _is_filtered(self) -> bool:
        code = (self.code or "").casefold()
        return code in _FILTER_CODES or bool(_FILTERED.search(self.message))

    def error_class(self, status: int) -> type[APIStatusError]:
        """Return the class that fits the code or the message, else the status."""
        if self._is_in_arrears or (
            status in {403, 429} and _FREE_QUOTA.search(self.message)
        ):
            return QuotaExceededError
        if self._is_filtered:
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
        """Return whether the service says that it does not serve the model."""
        is_named = self.code in _MODEL_CODES or _NO_SUCH_MODEL.search(self.message)
        return bool(is_named) and issubclass(cls, BadRequestError | NotFoundError)

    def is_wrong_path(self, status: int) -> bool:
        """Return whether a 404 may mean the address instead of what it names."""
        code = (self.code or "").casefold()
        return status == _NOT_FOUND and code not in _NAMED_CODES


def _error_inside(value: object) -> Mapping[str, object] | None:
    """Return the error in another error, or in a text; None if there is none."""
    if isinstance(value, Mapping):
        error = cast("Mapping[str, object]", value).get("error")
        if not isinstance(error, Mapping):
            return None
        fields = cast("Mapping[str, object]", error)
        return fields if isinstance(fields.get("error"), Mapping) else None
    if not isinstance(value, str):
        return None
    for text in (value, *_event_data(value)):
        if text.lstrip().startswith("{"):
            with suppress(ValueError):
                parsed = cast("dict[str, object]", load(text.encode()))
                if not parsed.keys().isdisjoint(_ERROR_FIELDS):
                    return parsed
    return None


def _event_data(text: str) -> list[str]:
    """Return the data of the server-sent events in a text."""
    if not _EVENT.match(text):
        return []
    splitter = EventSplitter()
    events = [*splitter.feed(text.strip().encode()), splitter.close()]
    return [field_of(event, b"data").decode() for event in events[:_MAX_EVENTS]]


def _readable(text: str, status: int | None) -> str:
    """Return the text of a body that is not JSON; of a page in HTML, its title."""
    text = text[:_MAX_SHOWN]
    title = _TITLE.search(text) if _HTML.match(text) else None
    return title.group(2) if title else text[:500] or _default_message(status)


def _default_message(status: int | None) -> str:
    if status is None:
        return "The response contains neither an answer nor an error message."
    return f"HTTP status {status}"


def _text(value: object) -> str | None:
    return str(value)[:_MAX_ID] if value not in (None, "") else None
