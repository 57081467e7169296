"""Everything that can go wrong, in one tree.

::

    ModelStudioError
    ├── ConfigurationError          also a ValueError; nothing was sent
    └── APIError
        ├── APIConnectionError      also a ConnectionError
        │   └── APITimeoutError     also a TimeoutError
        ├── IncompleteStreamError
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
    "ModelDeprecationWarning",
    "ModelStudioError",
    "NotFoundError",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RateLimitError",
    "ToolChoiceError",
]


class ModelDeprecationWarning(DeprecationWarning):
    """A model that was asked for is delisted, and another one answers for it."""


class ModelStudioError(Exception):
    """The base of every error of this package.

    Attributes:
        message: What happened, and what to do about it.
        status_code: The HTTP status; for an error inside a stream the status that the
            service gave it, not the 200 of the stream. None where there is none.
        code: The service's own code, such as ``data_inspection_failed``.
        request_id: The id to quote to Alibaba Cloud's support.
        region: The region id that was called, None for an address of one's own.
        protocol: ``"openai"`` or ``"dashscope"``.
        body: The response's body: parsed where it is JSON, else its text.
        retry_after: Seconds that the service asked to wait for, where it did.
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
        """Take what is known of the failure; all but the message may be missing."""
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
        """Return all but the message, as keyword arguments for another error."""
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

    def __str__(self) -> str:
        """Show the message, then what identifies the request."""
        known = {
            "status": self.status_code,
            "code": self.code,
            "region": self.region,
            "request id": self.request_id,
        }
        detail = ", ".join(f"{k} {v}" for k, v in known.items() if v is not None)
        return f"{self.message} ({detail})" if detail else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the constructor's arguments."""
        return _rebuild, (type(self), self.message, self.fields())


def _rebuild(
    cls: type[ModelStudioError], message: str, fields: dict[str, Any]
) -> ModelStudioError:
    return cls(message, **fields)


class ConfigurationError(ModelStudioError, ValueError):
    """An argument is wrong, or arguments contradict each other; nothing was sent."""


class APIError(ModelStudioError):
    """A request was sent and did not bring an answer."""


class APIConnectionError(APIError, ConnectionError):
    """The service could not be reached, or the connection broke."""

    is_retryable = True


class APITimeoutError(APIConnectionError, TimeoutError):
    """Nothing came for as long as ``timeout`` allows."""


class IncompleteStreamError(APIError):
    """A stream ended before its finish: what arrived is not the whole answer."""

    is_retryable = True


class ToolChoiceError(APIError):
    """A tool was required, and the model answered without calling one."""


class APIStatusError(APIError):
    """The service refused a request."""


class BadRequestError(APIStatusError):
    """The request is wrong (400): sending it again will not help."""


class ContextOverflowError(BadRequestError):
    """The prompt is longer than the model's context window."""


class ContentFilterError(BadRequestError):
    """The input or the output was blocked by content moderation."""


class AuthenticationError(APIStatusError):
    """The key was refused (401). Keys belong to one region."""


class PermissionDeniedError(APIStatusError):
    """The key is good, but may not do this (403)."""


class NotFoundError(APIStatusError):
    """No such model, workspace or path (404)."""


class RateLimitError(APIStatusError):
    """Too many requests or tokens at once (429): wait and try again."""

    is_retryable = True


class QuotaExceededError(APIStatusError):
    """Money or a free quota has run out: waiting does not help."""


class InternalServerError(APIStatusError):
    """The service failed (5xx)."""

    is_retryable = True
