"""Hiding API keys and private headers in errors and in logs."""

import json
import logging
import re
import weakref
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeVar, cast
from urllib.parse import quote

__all__ = ["hide_in_logs", "redact", "secrets_of"]

_T = TypeVar("_T")
_PLACEHOLDER: Final = "**********"
# A shorter string may be an ordinary word, such as "test".
_MIN_LENGTH: Final = 8
# No body of the service is nested as deeply.
_MAX_DEPTH: Final = 64
# Headers whose values are public. Any other may be the key of a gateway.
_PUBLIC_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "content-type",
        "http-referer",
        "origin",
        "referer",
        "user-agent",
        "x-title",
    }
)


def secrets_of(key: str, headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the secrets of a connection, for ``redact``.

    Args:
        key: The API key.
        headers: The names and values of the user's headers. The values may be keys too.

    Example:
        >>> secrets_of("sk-0123456789", [("Accept", "application/json")])
        ('sk-0123456789',)
    """
    private = [v for name, v in headers if name.casefold() not in _PUBLIC_HEADERS]
    # Of "Bearer sk-…" an error message may quote the second word alone.
    words = [key, *private, *(word for value in private for word in value.split())]
    return tuple(dict.fromkeys(word for word in words if len(word) >= _MIN_LENGTH))


def redact(value: _T, secrets: Iterable[str], *, depth: int = 0) -> _T:
    """Return a copy of a value, with the secrets in its strings replaced.

    The beginning of a secret is replaced too, because the service may have cut a text.

    Args:
        value: A string, or JSON-like lists and dicts; any other value is returned.
        secrets: The secrets. One of less than 8 characters is ignored.
        depth: How deeply the value is nested. A list or dict below 64 levels is
            replaced.

    Example:
        >>> redact({"message": "Bad key sk-0123456789."}, ["sk-0123456789"])
        {'message': 'Bad key **********.'}
    """
    if isinstance(value, str):
        text: str = value
        for secret in secrets:
            if len(secret) >= _MIN_LENGTH:
                for form in _forms(secret):
                    text = _mask(text, form)
        return cast("_T", text)
    if depth > _MAX_DEPTH:
        return cast("_T", _PLACEHOLDER if isinstance(value, Mapping | list) else value)
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        redacted = {
            redact(k, secrets, depth=depth + 1): redact(v, secrets, depth=depth + 1)
            for k, v in items
        }
        return cast("_T", redacted)
    if isinstance(value, list):
        parts = cast("list[object]", value)
        return cast("_T", [redact(v, secrets, depth=depth + 1) for v in parts])
    return value


@lru_cache(maxsize=64)
def _forms(secret: str) -> frozenset[str]:
    """Return a secret as it is written in text, in JSON and in a URL."""
    return frozenset({secret, json.dumps(secret)[1:-1], quote(secret, safe="")})


def _mask(text: str, secret: str) -> str:
    """Replace each occurrence of a secret, or of at least its first third."""
    head = secret[: max(_MIN_LENGTH, len(secret) // 3)]
    start = text.find(head)
    while start >= 0:
        candidate = text[start : start + len(secret)]
        pairs = enumerate(zip(secret, candidate, strict=False))
        end = start + next((at for at, (a, b) in pairs if a != b), len(candidate))
        text = text[:start] + _PLACEHOLDER + text[end:]
        start = text.find(head, start + len(_PLACEHOLDER))
    return text


# --- Logs -------------------------------------------------------------------------

# These libraries log the headers of responses; those of HTTP/2 also log the headers
# of requests.
_LOGGERS: Final = (
    "aiohttp.client",
    "aiohttp.internal",
    "dashscope.v2.transport",
    "hpack.hpack",
    "hpack.table",
    "httpx",
    "httpx2",
    "openai",
    "openai._base_client",
    *(
        f"{library}.{part}"
        for library in ("httpcore", "httpcore2")
        for part in ("connection", "http11", "http2", "proxy", "socks")
    ),
)


# The parameters of a signed address of the file storage, which is a key to one file.
_SIGNATURE: Final = re.compile(
    r"\b((?:x-oss-)?(?:signature|security-token|credential)|ossaccesskeyid)=[^&\s\"']+",
    re.IGNORECASE,
)


def _hide(text: str, secrets: Iterable[str]) -> str:
    return _SIGNATURE.sub(rf"\1={_PLACEHOLDER}", redact(text, secrets))


class _Filter(logging.Filter):
    """Hides the secrets of the existing clients, and signatures, in log records."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets_by_client: dict[int, tuple[str, ...]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        # A copy, made in one step: a client may be collected during the iteration.
        groups = self.secrets_by_client.copy().values()
        secrets = {secret for group in groups for secret in group}
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            # The record cannot be formatted: the handler reports that.
            return True
        if (redacted := _hide(text, secrets)) != text:
            record.msg, record.args = redacted, None
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            if (redacted := _hide(text, secrets)) != text:
                record.exc_info, record.exc_text = None, redacted
        return True


_filter: Final = _Filter()


def hide_in_logs(client: object, secrets: tuple[str, ...]) -> None:
    """Hide secrets in the logs of the HTTP libraries and of the SDKs.

    Args:
        client: The client that uses the secrets. They are hidden until it is collected.
        secrets: What to hide.
    """
    by_client = _filter.secrets_by_client
    by_client[id(client)] = secrets
    # Not at exit: the secrets are hidden in what is logged at exit too.
    weakref.finalize(client, by_client.pop, id(client), None).atexit = False
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)
