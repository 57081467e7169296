"""Data in a request, as a ``data:`` URL: what is refused, and what is doubted."""

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.user_warnings import warn_once
from modelstudio_core.wire.media_types import (
    NO_BASE64,
    base64_problem,
    base64_start,
    is_cut_base64,
)

__all__ = ["check_base64", "check_data_url"]


def check_base64(text: str, name: str) -> None:
    """Refuse a text that should be base64 and is not.

    Args:
        text: The text.
        name: What it is, in errors.

    Raises:
        ConfigurationError: It is none.
    """
    if problem := base64_problem(text):
        raise ConfigurationError(f"The base64 text of {name} {problem}.")


def check_data_url(url: str, name: str) -> None:
    """Refuse a ``data:`` URL that certainly has no data, and warn of a doubtful one.

    The caller wrote the URL: the service decides what it can decode.

    Args:
        url: The URL; one that is not in base64 is not looked at.
        name: What it is, in errors.

    Raises:
        ConfigurationError: It is empty, or has the form of ``bytes`` in Python.
    """
    start = base64_start(url)
    if start is None:
        return
    problem = base64_problem(url, start)
    if problem is not None and problem != NO_BASE64:
        raise ConfigurationError(f"The base64 text of {name} {problem}.")
    if problem is None and is_cut_base64(url, start):
        problem = "may be incomplete: its length is not a multiple of 4"
    if problem is not None:
        warn_once(f"The base64 text of {name} {problem}. It is sent.", set())
