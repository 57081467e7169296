"""The times of the service: those of Beijing in texts, else since 1970.

The bodies of the service are data of another party: a time that is centuries away is
none, since it cannot be calculated with.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

__all__ = ["is_near", "moment_of", "read_time", "write_time"]

# The times in an answer are those of Beijing, without a zone (recorded).
_BEIJING: Final = timezone(timedelta(hours=8))
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


def is_near(time: datetime) -> bool:
    """Return whether a time is in a year that can be calculated with."""
    return _FIRST_YEAR <= time.year <= _LAST_YEAR


def moment_of(seconds: float) -> datetime | None:
    """Return a time in seconds since 1970; None if it is centuries away.

    Args:
        seconds: The seconds. They may be infinite or NaN.

    Example:
        >>> moment_of(1776414394), moment_of(1e300)
        (datetime.datetime(2026, 4, 17, 8, 26, 34, tzinfo=datetime.timezone.utc), None)
    """
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return time if is_near(time) else None


def read_time(value: object) -> datetime | None:
    """Return a time such as ``2024-03-01 17:38:55.565``; some have no fraction.

    Args:
        value: A field of an answer.

    Example:
        >>> read_time("2024-03-01 17:38:55").isoformat()
        '2024-03-01T17:38:55+08:00'
    """
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if time is None or not is_near(time):
        return None
    return time if time.tzinfo else time.replace(tzinfo=_BEIJING)


def write_time(time: datetime) -> str:
    """Return a time in the form of the filters of lists: ``YYYYMMDDhhmmss``.

    Args:
        time: A time with a zone, which ``is_near``.

    Example:
        >>> write_time(datetime(2026, 4, 17, 8, 26, 34, tzinfo=UTC))
        '20260417162634'
    """
    return time.astimezone(_BEIJING).strftime("%Y%m%d%H%M%S")
