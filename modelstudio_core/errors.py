"""The exceptions and the warnings of this package.

::

    ModelStudioError
    ├── ConfigurationError          also a ValueError; no request was sent
    │   └── PolicyError
    └── APIError
        ├── APIConnectionError      also a ConnectionError
        │   └── APITimeoutError     also a TimeoutError
        ├── IncompleteStreamError
        │   └── InvalidResponseError
        ├── TaskFailedError
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
    ModelStudioWarning              a UserWarning

Example:
    >>> try:
    ...     raise RateLimitError("Requests rate limit exceeded.", status_code=429)
    ... except APIError as error:
    ...     error.is_retryable, str(error)
    (True, 'Requests rate limit exceeded. (status 429)')
"""

from typing import Any, Final

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
    "ModelStudioWarning",
    "NotFoundError",
    "PermissionDeniedError",
    "PolicyError",
    "QuotaExceededError",
    "RateLimitError",
    "TaskFailedError",
    "ToolChoiceError",
]


# A longer message is cut in its middle: what a server sends may have any length.
_MAX_MESSAGE: Final = 4000
# How much of it is shown from its beginning, and from its end, where the advice is.
_HEAD, _TAIL = 2900, 1000
_MAX_IDENTIFIER: Final = 256


class ModelDeprecationWarning(DeprecationWarning):
    """The requested model is delisted. The message names the model that is used."""


class ModelStudioWarning(UserWarning):
    """A request is sent in another form than asked for, or may be refused."""


class ModelStudioError(Exception):
    """The base class of the errors of this package.

    Attributes:
        message: What happened, and what to do about it, in at most 4,000 characters: of
            a longer one the middle is left out.
        status_code: The HTTP status. For an error inside a stream: the status of the
            error, not the 200 of the stream. None if there is no status.
        code: The service's error code, such as ``data_inspection_failed``.
        request_id: The id to give to the support of Alibaba Cloud.
        region: The region id that was called; None for a custom base URL.
        protocol: ``"openai"`` or ``"dashscope"``.
        body: The body of the response: parsed if it is JSON, else its text.
        retry_after: The seconds to wait, as the service asked; None if it did not ask.
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
        """Create an error. The arguments are the attributes of the class."""
        message = _shorten(message)
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
        """Return all attributes but the message, as arguments of another error."""
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
        """The status, code, region and request id, without those that are None."""
        values = {
            "status": self.status_code,
            "code": self.code,
            "region": self.region,
            "request id": self.request_id,
        }
        return ", ".join(
            f"{name} {str(v)[:_MAX_IDENTIFIER]}"
            for name, v in values.items()
            if v is not None
        )

    def __str__(self) -> str:
        """Return the message, then the identifiers of the request in parentheses."""
        identifiers = self.identifiers
        return f"{self.message} ({identifiers})" if identifiers else self.message

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the error as the arguments of its constructor."""
        return _rebuild, (type(self), self.message, self.fields())


def _shorten(message: str) -> str:
    """Return a message without its middle, if it is long."""
    if len(message) <= _MAX_MESSAGE:
        return message
    left_out = len(message) - _HEAD - _TAIL
    return (
        f"{message[:_HEAD]} [... {left_out:,} characters left out ...]"
        f" {message[-_TAIL:]}"
    )


def _rebuild(
    cls: type[ModelStudioError], message: str, fields: dict[str, Any]
) -> ModelStudioError:
    return cls(message, **fields)


class ConfigurationError(ModelStudioError, ValueError):
    """An argument is invalid, or arguments contradict each other.

    No request was sent.
    """


class PolicyError(ConfigurationError):
    """The policy of the process does not allow a request, or is itself invalid.

    No request was sent, and the same request is never repeated.
    """


class APIError(ModelStudioError):
    """A request failed, or its answer is not complete."""


class APIConnectionError(APIError, ConnectionError):
    """The service could not be reached, or the connection broke.

    Attributes:
        was_sent: Whether the request may have reached the service. False if no
            connection was made, and for a request that creates something if the service
            only answered that there were too many.
    """

    is_retryable = True

    def __init__(self, message: str, *, was_sent: bool = True, **fields: Any) -> None:
        """Create an error.

        Args:
            message: What happened, and what to do about it.
            was_sent: Whether the request may have reached the service.
            **fields: Arguments of ``ModelStudioError``.
        """
        super().__init__(message, **fields)
        self.was_sent = was_sent

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the constructor's arguments."""
        return _rebuild, (
            type(self),
            self.message,
            {**self.fields(), "was_sent": self.was_sent},
        )


class APITimeoutError(APIConnectionError, TimeoutError):
    """The time is over: that of ``timeout``, of ``total_timeout``, or of a wait.

    No connection was made or no data was received within ``timeout``, an answer was not
    complete within ``total_timeout``, or a task or a batch has not ended in the time
    that the caller waits for it.
    """


class IncompleteStreamError(APIError):
    """A stream ended without a finish reason: the answer is cut off."""

    is_retryable = True


class InvalidResponseError(IncompleteStreamError):
    """A response violates the protocol: it is not JSON, or events are out of order."""


class TaskFailedError(APIError):
    """An asynchronous task has no result: it failed, was canceled, or is unknown.

    ``code`` is the service's error code, such as ``DataInspectionFailed``.

    Attributes:
        task_id: The id of the task; empty for one file of a task that succeeded.
        status: ``"FAILED"``, ``"CANCELED"`` or ``"UNKNOWN"``.
    """

    def __init__(
        self, message: str, *, task_id: str = "", status: str = "FAILED", **fields: Any
    ) -> None:
        """Create an error.

        Args:
            message: What happened, and what to do about it.
            task_id: The id of the task.
            status: The status of the task.
            **fields: Arguments of ``ModelStudioError``.
        """
        super().__init__(message, **fields)
        self.task_id = task_id
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the constructor's arguments."""
        return _rebuild, (
            type(self),
            self.message,
            {**self.fields(), "task_id": self.task_id, "status": self.status},
        )


class ToolChoiceError(APIError):
    """A tool call was required, and the model answered without a tool call.

    Attributes:
        message_received: The answer that came instead, as a message of the framework.
    """

    def __init__(
        self, message: str, *, message_received: object = None, **fields: Any
    ) -> None:
        """Create an error.

        Args:
            message: What happened, and what to do about it.
            message_received: The answer that came instead.
            **fields: Arguments of ``ModelStudioError``.
        """
        super().__init__(message, **fields)
        self.message_received = message_received

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the constructor's arguments."""
        return _rebuild, (
            type(self),
            self.message,
            {**self.fields(), "message_received": self.message_received},
        )


class APIStatusError(APIError):
    """The service answered with an error status."""


class BadRequestError(APIStatusError):
    """The request is invalid (400). The same request will fail again."""


class ContextOverflowError(BadRequestError):
    """The prompt is longer than the model's context window."""


class ContentFilterError(BadRequestError):
    """Content moderation blocked the input or the output."""


class AuthenticationError(APIStatusError):
    """The API key was refused (401). API keys belong to one region."""


class PermissionDeniedError(APIStatusError):
    """The API key is valid, but it has no permission for the request (403)."""


class NotFoundError(APIStatusError):
    """The model, workspace or path does not exist (404)."""


class RateLimitError(APIStatusError):
    """Too many requests or tokens in a short time (429)."""

    is_retryable = True


class QuotaExceededError(APIStatusError):
    """The balance or the free quota of the account is used up.

    The same request will fail until the account is topped up.
    """


class InternalServerError(APIStatusError):
    """The service failed (5xx)."""

    is_retryable = True
