"""The exit codes of the command, and what to do about each kind of failure."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, NamedTuple, TypeGuard

from modelstudio_core.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    IncompleteStreamError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
)
from modelstudio_core.wire.error_bodies import names_no_model

__all__ = ["ExitCode", "Failure", "describe_failure", "is_missing"]

# What waiting for a task or a batch in vain ends with: the network is not the reason.
_GOES_ON: Final = "It goes on"
# What a proxy or a gateway between answers with if it does not reach the service.
_GATEWAY_STATUSES: Final = (502, 503, 504)
_REDIRECTS: Final = range(300, 400)


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    OTHER = 1
    USAGE = 2
    KEY = 3
    REGION = 4
    MODEL = 5
    NETWORK = 6
    QUOTA = 7


class Failure(NamedTuple):
    """How a command failed.

    Attributes:
        code: The exit code.
        advice: A sentence that says what to do; empty if the error says it.
    """

    code: ExitCode
    advice: str = ""


_KEY = Failure(
    ExitCode.KEY,
    "Check where the key was created: 'modelstudio doctor --try-regions' asks the other"
    " regions, and shows them the key.",
)
_WORKSPACE = Failure(
    ExitCode.REGION,
    "A workspace belongs to one region: check --workspace and --region in the console.",
)
_GATEWAY = Failure(
    ExitCode.NETWORK,
    "Something between here and the service answered instead of it: check --base-url,"
    " the proxy or the gateway.",
)
_NO_PATH = Failure(
    ExitCode.USAGE, "Check the path of --base-url: the host has no such address."
)
_NO_MODEL = Failure(ExitCode.MODEL, "See what there is: 'modelstudio models --live'.")
_OTHER = Failure(ExitCode.OTHER)
# The first class that fits decides.
_FAILURES: Final[tuple[tuple[type[BaseException], Failure], ...]] = (
    (ConfigurationError, Failure(ExitCode.USAGE)),
    (ImportError, Failure(ExitCode.USAGE)),
    (AuthenticationError, _KEY),
    (
        PermissionDeniedError,
        Failure(
            ExitCode.MODEL,
            "The key is valid. Grant its workspace access to the model in the Model"
            " Studio console, or use a key of another workspace.",
        ),
    ),
    (
        QuotaExceededError,
        Failure(
            ExitCode.QUOTA,
            "The key is valid. Top up the account, or switch off 'free quota only' in"
            " the console.",
        ),
    ),
    (
        RateLimitError,
        Failure(
            ExitCode.QUOTA,
            "The key is valid. Wait a minute and try again, or ask for a higher rate"
            " limit in the console.",
        ),
    ),
    (
        APIConnectionError,
        Failure(
            ExitCode.NETWORK,
            "Check the network, the proxy variables and firewalls between here and the"
            " host.",
        ),
    ),
    (InvalidResponseError, _GATEWAY),
    (
        IncompleteStreamError,
        Failure(
            ExitCode.NETWORK,
            "The connection broke: try again, and look at proxies between here and the"
            " host.",
        ),
    ),
    (
        InternalServerError,
        Failure(
            ExitCode.OTHER,
            "The service failed: try again later, and give the request id to the"
            " support of Alibaba Cloud if it goes on.",
        ),
    ),
)


def describe_failure(error: BaseException, *, served_elsewhere: str = "") -> Failure:
    """Return the exit code of an error and what to do.

    Args:
        error: The error.
        served_elsewhere: The regions that serve the model, if the region that was
            called is not one of them.

    Example:
        >>> describe_failure(RateLimitError("Too many requests.")).code
        <ExitCode.QUOTA: 7>
    """
    if isinstance(error, APIStatusError):
        if (error.code or "").casefold().startswith("workspace"):
            return _WORKSPACE
        if _is_of_gateway(error):
            return _GATEWAY
    if isinstance(error, APITimeoutError) and _GOES_ON in error.message:
        return Failure(ExitCode.NETWORK)
    if is_missing(error):
        return _describe_missing(error, served_elsewhere)
    return next((f for cls, f in _FAILURES if isinstance(error, cls)), _OTHER)


def is_missing(error: BaseException) -> TypeGuard[APIStatusError]:
    """Return whether what was asked for does not exist: some services say it with 400.

    Args:
        error: The error.

    Example:
        >>> is_missing(BadRequestError("Model not exist."))
        True
    """
    if isinstance(error, BadRequestError):
        return names_no_model(error.code, error.message)
    return isinstance(error, NotFoundError)


def _describe_missing(error: APIStatusError, served_elsewhere: str) -> Failure:
    if "model" not in f"{error.code} {error.message}".casefold():
        return _NO_PATH
    if served_elsewhere:
        return Failure(
            ExitCode.REGION,
            f"The catalog has the model in {served_elsewhere}: pass --region with a key"
            " of that region.",
        )
    return _NO_MODEL


def _is_of_gateway(error: APIStatusError) -> bool:
    """Return whether a response was not written by the service.

    Each error of the service is a JSON object with a code or a request id.
    """
    if error.status_code in _REDIRECTS:
        return True
    has_names = error.code is not None or error.request_id is not None
    is_of_service = isinstance(error.body, Mapping) and has_names
    return error.status_code in _GATEWAY_STATUSES and not is_of_service
