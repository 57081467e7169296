"""Error responses of the service, converted to exceptions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar, overload
from urllib.parse import unquote

from jiter import from_json

from modelstudio_core.errors import (
    APIError,
    AuthenticationError,
    InvalidResponseError,
)
from modelstudio_core.redaction import Redactor
from modelstudio_core.secrets import redact_with, redactor_of
from modelstudio_core.wire.error_bodies import MAX_SHOWN, ErrorBody
from modelstudio_core.wire.json_values import (
    MAX_ERROR_VALUES,
    ExcessiveJsonError,
    check_values,
    load,
    shortened,
)

__all__ = ["ErrorContext", "is_refusal", "too_large_error", "too_large_refusal"]

_T = TypeVar("_T")
_E = TypeVar("_E", bound=APIError)

# "Tool names are not allowed to be [search]" (page "Error codes"). Some models accept
# the name (recorded: qwen-plus).
_TOOL_NAME = re.compile(r"Tool names? (?:are|is) not allowed")
# The service fails so where a conversation has nothing to answer (page "Error codes";
# public report, 2026-05). It does not say why.
_NO_QUESTION = re.compile(r"list index out of range$")
_REDIRECTS = range(300, 400)
# A file or a batch that an address names.
_NAMED_IN_PATH = re.compile(r"/(files|batches)/([^/?]+)(?:/[a-z]+)?$")
_NOUNS = {"files": "file", "batches": "batch"}


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
        text = self.redact(data[:MAX_SHOWN].decode(errors="replace"))
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
        body = ErrorBody.read(payload, status)
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
        if _NO_QUESTION.search(message):
            message += (
                ". The service fails so if the last message is the assistant's, or if"
                " there is none of the user: end with a message of the user or the"
                " result of a tool, or mark the last one with partial=True, where the"
                " model supports it, to have it continued."
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
    body = ErrorBody.read(payload, status)
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
