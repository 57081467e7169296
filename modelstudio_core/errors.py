"""The exceptions of this package, in one tree.

::

    ModelStudioError
    ├── ConfigurationError          also a ValueError; nothing was sent
    └── APIError
        ├── APIConnectionError      also a ConnectionError
        │   └── APITimeoutError     also a TimeoutError
        ├── IncompleteStreamError
        │   └── InvalidResponseError
        ├── ToolChoiceError
        └── APIStatusError
            ├── BadRequestError
            │   ├── ContextOverflowError
            │   └── ContentFilterError
            ├── AuthenticationError
            ├── PermissionDeniedError
            ├── NotFoundError
            ├── RateLimitError
            ├── QuotaExceededError
            └── InternalServerError

    ModelDeprecationWarning         a DeprecationWarning
"""

from typing import Any

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ContentFilterError",
    "ContextOverflowError",
    "IncompleteStreamError",
    "InternalServerError",
    "InvalidResponseError",
    "ModelDeprecationWarning",
    "ModelStudioError",
    "NotFoundError",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RateLimitError",
    "ToolChoiceError",
]


class ModelDeprecationWarning(DeprecationWarning):
    """The requested model is delisted; the message names the model that is used."""


class ModelStudioError(Exception):
    """The base of every error of this package.

    Attributes:
        message: What happened, and what to do about it.
        status_code: The HTTP status. For an error inside a stream it is the status
            of the error, not the 200 of the stream; None where there is none.
        code: The service's own code, such as ``data_inspection_failed``.
        request_id: The id to quote to Alibaba Cloud's support.
        region: The region id that was called; None for a custom base URL.
        protocol: ``"openai"`` or ``"dashscope"``.
        body: The body of the response: parsed if it is JSON, else its text.
        retry_after: Seconds that the service asked to wait; None if it did not.
        is_retryable: Whether the same request may succeed later.
    """

    is_retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        region: str | None = None,
        protocol: str | None = None,
        body: object = None,
        retry_after: float | None = None,
        is_retryable: bool | None = None,
    ) -> None:
        """Make an error; everything but the message is optional."""
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.code = code
        self.request_id = request_id
        self.region = region
        self.protocol = protocol
        self.body = body
        self.retry_after = retry_after
        if is_retryable is not None:
            self.is_retryable = is_retryable

    def fields(self) -> dict[str, Any]:
        """Return everything but the message, as keyword arguments of another error."""
        return {
            "status_code": self.status_code,
            "code": self.code,
            "request_id": self.request_id,
            "region": self.region,
            "protocol": self.protocol,
            "body": self.body,
            "retry_after": self.retry_after,
            "is_retryable": self.is_retryable,
        }

    @property
    def identifiers(self) -> str:
        """Status, code, region and request id, as far as there are any."""
        values = {
            "status": self.status_code,
            "code": self.code,
            "region": self.region,
            "request id": self.request_id,
        }
        return ", ".join(f"{name} {v}" for name, v in values.items() if v is not None)

    def __str__(self) -> str:
        """Return the message, then what identifies the request."""
        identifiers = self.identifiers
        return f"{self.message} ({identifiers})" if identifiers else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the constructor's arguments."""
        return _rebuild, (type(self), self.message, self.fields())


def _rebuild(
    cls: type[ModelStudioError], message: str, fields: dict[str, Any]
) -> ModelStudioError:
    return cls(message, **fields)


class ConfigurationError(ModelStudioError, ValueError):
    """An argument is invalid, or arguments contradict each other. Nothing was sent."""


class APIError(ModelStudioError):
    """A request was sent and there is no whole answer."""


class APIConnectionError(APIError, ConnectionError):
    """The service could not be reached, or the connection broke.

    Attributes:
        was_sent: Whether the request may have reached the service. False where no
            connection was made.
    """

    is_retryable = True
    was_sent: bool = True


class APITimeoutError(APIConnectionError, TimeoutError):
    """Nothing was received for ``timeout`` seconds."""


class IncompleteStreamError(APIError):
    """A stream ended without a finish reason: the answer is cut off."""

    is_retryable = True


class InvalidResponseError(IncompleteStreamError):
    """A response is not what the protocol allows: no JSON, or events out of order."""


class ToolChoiceError(APIError):
    """A tool call was required, and the model answered without one."""


class APIStatusError(APIError):
    """The service answered with an error status."""


class BadRequestError(APIStatusError):
    """The request is invalid (400). Repeating it does not help."""


class ContextOverflowError(BadRequestError):
    """The prompt is longer than the model's context window."""


class ContentFilterError(BadRequestError):
    """Content moderation blocked the input or the output."""


class AuthenticationError(APIStatusError):
    """The API key was refused (401). API keys belong to one region."""


class PermissionDeniedError(APIStatusError):
    """The API key is valid but has no permission for this (403)."""


class NotFoundError(APIStatusError):
    """The model, workspace or path does not exist (404)."""


class RateLimitError(APIStatusError):
    """Too many requests or tokens in a short time (429)."""

    is_retryable = True


class QuotaExceededError(APIStatusError):
    """The account is out of money or free quota. Waiting does not help."""


class InternalServerError(APIStatusError):
    """The service failed (5xx)."""

    is_retryable = True
