"""The exceptions that ``ChatModelStudio`` raises.

Each class derives from the class of the same name in ``modelstudio_core.errors`` and
from LangChain's ``ModelError`` or the subclass of it that is named on the right.
LangChain's retry middleware reads ``is_retryable`` from them.

::

    ModelStudioError                    ModelError
    ├── ConfigurationError              ModelInvalidRequestError; also a ValueError
    │   └── PolicyError
    └── APIError
        ├── APIConnectionError          ModelConnectionError; also a ConnectionError
        │   └── APITimeoutError         ModelTimeoutError; also a TimeoutError
        ├── IncompleteStreamError       ModelConnectionError
        │   └── InvalidResponseError
        ├── TaskFailedError             also LangChain's ToolException
        ├── ToolChoiceError
        └── APIStatusError
            ├── BadRequestError         ModelInvalidRequestError
            │   ├── ContextOverflowError    ContextOverflowError
            │   └── ContentFilterError
            ├── AuthenticationError     ModelAuthenticationError
            ├── PermissionDeniedError   ModelPermissionDeniedError
            ├── NotFoundError           ModelNotFoundError
            ├── RateLimitError          ModelRateLimitError
            ├── QuotaExceededError      ModelPermissionDeniedError
            └── InternalServerError     ModelAPIError

A constructor raises ``modelstudio_core.errors.ConfigurationError`` itself: no model has
been called yet. All attributes (``status_code``, ``code``, ``request_id``, ...) are
documented in ``modelstudio_core.errors.ModelStudioError``.

Example:
    >>> from langchain_core.exceptions import ModelRateLimitError
    >>> from langchain_modelstudio import ChatModelStudio
    >>> from langchain_modelstudio.errors import RateLimitError
    >>> from modelstudio_core.emulator import Emulator, Fault
    >>> with Emulator() as studio:
    ...     llm = ChatModelStudio(
    ...         model="qwen3.7-plus",
    ...         base_url=studio.base_url,
    ...         api_key=studio.api_key,
    ...         max_retries=0,
    ...     )
    ...     studio.script(*[Fault(status=429, code="limit_requests")] * 2)
    ...     try:
    ...         llm.invoke("Hello")
    ...     except RateLimitError as error:
    ...         print(error.status_code, error.code)
    ...     try:
    ...         llm.invoke("Hello")
    ...     except ModelRateLimitError as error:
    ...         print(error.is_retryable)
    429 limit_requests
    True
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, cast

from langchain_core import exceptions as langchain
from langchain_core.tools import ToolException

from modelstudio_core import errors as core

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
    "ModelStudioError",
    "NotFoundError",
    "PermissionDeniedError",
    "PolicyError",
    "QuotaExceededError",
    "RateLimitError",
    "TaskFailedError",
    "ToolChoiceError",
]


class ModelStudioError(core.ModelStudioError, langchain.ModelError):
    """Base class of all exceptions in this module."""


class ConfigurationError(
    ModelStudioError, core.ConfigurationError, langchain.ModelInvalidRequestError
):
    """An argument of a call is invalid. No request was sent."""


class PolicyError(ConfigurationError, core.PolicyError):
    """The policy of the process does not allow a call. No request was sent."""


class _Response:
    """The part of an HTTP response that LangChain's tracers read."""

    def __init__(self, error: core.APIError) -> None:
        self.status_code = error.status_code
        self.headers = {"x-request-id": error.request_id or ""}
        self._body = error.body

    def json(self) -> object:
        return self._body


class APIError(ModelStudioError, core.APIError):
    """A request was sent, but no complete answer was received."""

    @property
    def response(self) -> _Response:
        """The response's status, body and request id, for LangChain's tracers."""
        return _Response(self)


class APIConnectionError(
    APIError, core.APIConnectionError, langchain.ModelConnectionError
):
    """The service could not be reached, or the connection was lost."""


class APITimeoutError(
    APIConnectionError, core.APITimeoutError, langchain.ModelTimeoutError
):
    """No data was received within ``timeout``."""


class IncompleteStreamError(
    APIError, core.IncompleteStreamError, langchain.ModelConnectionError
):
    """A stream ended before its finish reason."""


class InvalidResponseError(IncompleteStreamError, core.InvalidResponseError):
    """A response is not what the protocol allows: no JSON, or events out of order."""


class TaskFailedError(APIError, core.TaskFailedError, ToolException):
    """A task has no result. ``handle_tool_error`` of a tool handles it."""


class ToolChoiceError(APIError, core.ToolChoiceError):
    """A tool call was required, and the model answered without one."""


class APIStatusError(APIError, core.APIStatusError):
    """The service rejected a request."""


class BadRequestError(
    APIStatusError, core.BadRequestError, langchain.ModelInvalidRequestError
):
    """The request is invalid (400)."""


class ContextOverflowError(
    BadRequestError, core.ContextOverflowError, langchain.ContextOverflowError
):
    """The prompt is longer than the model's context window."""


class ContentFilterError(BadRequestError, core.ContentFilterError):
    """Content moderation blocked the input or the output."""


class AuthenticationError(
    APIStatusError, core.AuthenticationError, langchain.ModelAuthenticationError
):
    """The API key was rejected (401). A key belongs to one region."""


class PermissionDeniedError(
    APIStatusError, core.PermissionDeniedError, langchain.ModelPermissionDeniedError
):
    """The API key is valid but does not permit this request (403)."""


class NotFoundError(APIStatusError, core.NotFoundError, langchain.ModelNotFoundError):
    """The model, workspace or path does not exist (404)."""


class RateLimitError(
    APIStatusError, core.RateLimitError, langchain.ModelRateLimitError
):
    """Too many requests or tokens in a short time (429): wait and try again."""


class QuotaExceededError(
    APIStatusError, core.QuotaExceededError, langchain.ModelPermissionDeniedError
):
    """The balance or a free quota is used up: waiting does not help."""


class InternalServerError(
    APIStatusError, core.InternalServerError, langchain.ModelAPIError
):
    """The service failed (5xx)."""


class OtherAPIError(APIError, langchain.ModelAPIError):
    """An error of the service without a status."""


class OtherStatusError(APIStatusError, langchain.ModelAPIError):
    """A status that has no class of its own, such as 409."""


# From a class of the core to the class of the same name in this module. Where the core
# raises a base class itself, it is LangChain's ModelAPIError as well.
_TWINS: Final[dict[type[core.ModelStudioError], type[ModelStudioError]]] = {
    **{getattr(core, name): globals()[name] for name in __all__},
    core.APIError: OtherAPIError,
    core.APIStatusError: OtherStatusError,
}


@contextmanager
def langchain_errors() -> Generator[None]:
    """Raise the core's errors as this module's classes, with the same cause.

    An error whose own class has no twin here is raised as its nearest base class that
    has one.
    """
    try:
        yield
    except ModelStudioError:
        raise
    except core.ModelStudioError as error:
        twin = to_langchain_error(error)
        raise twin.with_traceback(error.__traceback__) from error.__cause__


def to_langchain_error(error: core.ModelStudioError) -> ModelStudioError:
    """Return the twin of an error of the core.

    Args:
        error: The error. One of this module is returned as it is.
    """
    if isinstance(error, ModelStudioError):
        return error
    classes = cast("tuple[type[core.ModelStudioError], ...]", type(error).__mro__)
    base = next(cls for cls in classes if cls in _TWINS)
    twin = _TWINS[base](error.message, **base.fields(error))
    vars(twin).update(vars(error))
    return twin
