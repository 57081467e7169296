"""The bodies of errors in any of their forms, and what they mean.

Sources of the codes: the official error-code page and recorded bodies (2026-09).
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self, cast

from modelstudio_core.errors import (
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
from modelstudio_core.wire.json_values import load
from modelstudio_core.wire.sse import EventSplitter, field_of

__all__ = ["MAX_SHOWN", "ErrorBody", "names_no_model"]

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
_MODEL_CODES = ("model_not_found", "ModelNotFound", "model_not_supported")
_STATUS_OF_TYPE = {"invalid_request_error": 400, "server_error": 500}
_BAD_REQUEST, _SERVER_ERROR = 400, 500
# How much of a message, or of a body that is not JSON, is looked at: a server may send
# a text that the expressions below cannot search quickly; and how many of its events.
MAX_SHOWN = 8192
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
# Each character is looked at once: none of the parts can match what ends it.
_TITLE = re.compile(r"<(?:title|h1)[^<>]*>([^<]+)", re.IGNORECASE)
_MAX_TITLE = 200
# What the texts begin with that are server-sent events.
_EVENT = re.compile(r"\s*(data|id|event|retry)?:")
_MAX_NESTING = 4
# One of these shows that a JSON object in a text is an error.
_ERROR_FIELDS = ("error", "code", "message")
_NOT_FOUND = 404
# Exceptions to the rule of the class: 408 and 409 are temporary; 501 and 505 are not,
# because a server that does not support a method or an HTTP version never will.
_ALWAYS_RETRYABLE, _NEVER_RETRYABLE = {408, 409}, {501, 505}


@dataclass(frozen=True, slots=True)
class ErrorBody:
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
        return replace(body, message=body.message[:MAX_SHOWN])

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
        is_named = names_no_model(self.code, self.message)
        return is_named and issubclass(cls, BadRequestError | NotFoundError)

    def is_wrong_path(self, status: int) -> bool:
        """Return whether a 404 may mean the address instead of what it names."""
        code = (self.code or "").casefold()
        return status == _NOT_FOUND and code not in _NAMED_CODES


def names_no_model(code: str | None, message: str) -> bool:
    """Return whether an error says that a model does not exist.

    Args:
        code: The code of the error.
        message: Its message.

    Example:
        >>> names_no_model("InvalidParameter", "Model not exist.")
        True
    """
    return code in _MODEL_CODES or _NO_SUCH_MODEL.search(message) is not None


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
    text = text[:MAX_SHOWN]
    titles = _TITLE.finditer(text) if _HTML.match(text) else ()
    title = next((title for match in titles if (title := match[1].strip())), "")
    return title[:_MAX_TITLE] or text[:500] or _default_message(status)


def _default_message(status: int | None) -> str:
    if status is None:
        return "The response contains neither an answer nor an error message."
    return f"HTTP status {status}"


def _text(value: object) -> str | None:
    return str(value)[:_MAX_ID] if value not in (None, "") else None
