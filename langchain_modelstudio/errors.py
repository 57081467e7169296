"""Our errors as LangChain's: each is both, so that its retry logic knows what to do."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from langchain_core import exceptions as langchain

from modelstudio_core import errors as core

__all__ = ["langchain_errors"]


class _Response:
    """What LangChain's tracers read of an error's response."""

    def __init__(self, error: core.ModelStudioError) -> None:
        self.status_code = error.status_code
        self.headers = {"x-request-id": error.request_id or ""}
        self._body = error.body

    def json(self) -> object:
        return self._body


class _Traced:
    """Show the tracer the body, the status and the request id."""

    @property
    def response(self: Any) -> _Response:
        return _Response(self)


class ConfigurationError(core.ConfigurationError, langchain.ModelInvalidRequestError):
    """An argument of a call is wrong; nothing was sent."""


class APIConnectionError(core.APIConnectionError, langchain.ModelConnectionError):
    """The service could not be reached, or the connection broke."""


class APITimeoutError(core.APITimeoutError, langchain.ModelTimeoutError):
    """Nothing came for as long as ``timeout`` allows."""


class IncompleteStreamError(
    _Traced, core.IncompleteStreamError, langchain.ModelConnectionError
):
    """A stream ended before its finish."""


class ToolChoiceError(core.ToolChoiceError, langchain.ModelError):
    """A tool was required, and the model answered without calling one."""


class APIStatusError(_Traced, core.APIStatusError, langchain.ModelAPIError):
    """The service refused a request."""


class APIError(_Traced, core.APIError, langchain.ModelAPIError):
    """A request was sent and did not bring an answer."""


class BadRequestError(
    _Traced, core.BadRequestError, langchain.ModelInvalidRequestError
):
    """The request is wrong."""


class ContextOverflowError(
    _Traced, core.ContextOverflowError, langchain.ContextOverflowError
):
    """The prompt is longer than the model's context window."""


class ContentFilterError(
    _Traced, core.ContentFilterError, langchain.ModelInvalidRequestError
):
    """The input or the output was blocked by content moderation."""


class AuthenticationError(
    _Traced, core.AuthenticationError, langchain.ModelAuthenticationError
):
    """The key was refused."""


class PermissionDeniedError(
    _Traced, core.PermissionDeniedError, langchain.ModelPermissionDeniedError
):
    """The key is good, but may not do this."""


class NotFoundError(_Traced, core.NotFoundError, langchain.ModelNotFoundError):
    """No such model, workspace or path."""


class RateLimitError(_Traced, core.RateLimitError, langchain.ModelRateLimitError):
    """Too many requests or tokens at once."""


class QuotaExceededError(
    _Traced, core.QuotaExceededError, langchain.ModelPermissionDeniedError
):
    """Money or a free quota has run out."""


class InternalServerError(_Traced, core.InternalServerError, langchain.ModelAPIError):
    """The service failed."""


_CLASSES: Final[dict[type[core.ModelStudioError], type[core.ModelStudioError]]] = {
    cls.__bases__[-2]: cls
    for cls in (
        ConfigurationError,
        APIConnectionError,
        APITimeoutError,
        IncompleteStreamError,
        ToolChoiceError,
        APIStatusError,
        APIError,
        BadRequestError,
        ContextOverflowError,
        ContentFilterError,
        AuthenticationError,
        PermissionDeniedError,
        NotFoundError,
        RateLimitError,
        QuotaExceededError,
        InternalServerError,
    )
}


@contextmanager
def langchain_errors() -> Generator[None]:
    """Raise our errors as the classes of this file, with the same cause."""
    try:
        yield
    except core.ModelStudioError as error:
        cls = _CLASSES.get(type(error))
        if cls is None:
            raise
        twin = cls(error.message, **error.fields())
        raise twin.with_traceback(error.__traceback__) from error.__cause__
