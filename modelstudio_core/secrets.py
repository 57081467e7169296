"""Hiding API keys and private headers in errors and in logs."""

import hashlib
import hmac
import json
import logging
import os
import re
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Final, TypeVar, cast, overload

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.redaction import MIN_LENGTH, PLACEHOLDER, Redactor

__all__ = [
    "digest_of",
    "hide_in_error",
    "hide_in_logs",
    "hide_keys",
    "holds_key",
    "is_key",
    "is_private_header",
    "redact",
    "redact_with",
    "redactor_of",
    "secrets_of",
    "sign",
]

_T = TypeVar("_T")
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
# Headers whose values surely are private.
_PRIVATE_HEADER: Final = re.compile(
    r"authorization|cookie|secret|token$|(?:api|access|subscription)[-_]?key$",
    re.IGNORECASE,
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
    return tuple(dict.fromkeys(word for word in words if len(word) >= MIN_LENGTH))


def is_private_header(name: str) -> bool:
    """Return whether the value of a header is a key or a token, by its name.

    Example:
        >>> is_private_header("X-Api-Key"), is_private_header("X-Trace-Id")
        (True, False)
    """
    return _PRIVATE_HEADER.search(name) is not None


def digest_of(key: str, headers: Iterable[tuple[str, str]]) -> str:
    """Return a text that tells accounts apart and from which no key can be computed.

    Args:
        key: The API key. It is the key of the digest too, so that a short header cannot
            be guessed from the digest.
        headers: The names and values of the user's headers.

    Example:
        >>> digest_of("sk-0123456789", []) == digest_of("sk-0123456780", [])
        False
    """
    pairs = sorted((name.casefold(), value) for name, value in headers)
    text = json.dumps(pairs).encode()
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()[:32]


def sign(key: str, text: str) -> str:
    """Return a signature that only somebody with the key can make.

    Args:
        key: The API key. It cannot be computed from the signature.
        text: The text to sign.

    Example:
        >>> sign("sk-0123456789", "a") == sign("sk-0123456780", "a")
        False
    """
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


@overload
def redact(value: str, secrets: Iterable[str], *, depth: int = 0) -> str: ...
@overload
def redact(value: _T, secrets: Iterable[str], *, depth: int = 0) -> _T: ...
def redact(value: object, secrets: Iterable[str], *, depth: int = 0) -> object:
    """Return a copy of a value, with the secrets in its strings replaced.

    Any 12 characters of a secret in a row are hidden, and its first ones if there are 8
    or more and they are a third of it: a text may have been cut. Upper and lower case
    are the same; line breaks in a secret are ignored; and so are base64, hex and the
    escapes of JSON, Python, HTML and URLs.

    Args:
        value: A string, or JSON-like lists and dicts; any other value is returned.
        secrets: The secrets. One of less than 8 characters is ignored.
        depth: How deeply the value is nested. A list or dict below 64 levels is
            replaced.

    Example:
        >>> redact({"message": "Bad key sk-0123456789."}, ["sk-0123456789"])
        {'message': 'Bad key **********.'}
    """
    return redact_with(redactor_of(tuple(secrets)), value, depth=depth)


@overload
def redact_with(redactor: Redactor, value: str, *, depth: int = 0) -> str: ...
@overload
def redact_with(redactor: Redactor, value: _T, *, depth: int = 0) -> _T: ...
def redact_with(redactor: Redactor, value: object, *, depth: int = 0) -> object:
    """Return a copy of a value, with the secrets of a redactor replaced.

    Args:
        redactor: Knows the secrets.
        value: As for ``redact``.
        depth: As for ``redact``.
    """
    if isinstance(value, str):
        return redactor.redact(value)
    return value if value is None else _redact(value, redactor.redact, depth)


@lru_cache(maxsize=64)
def redactor_of(secrets: tuple[str, ...]) -> Redactor:
    """Return the redactor of some secrets. It is shared: nothing may be added to it."""
    return Redactor(secrets)


def _redact(value: _T, hide: Callable[[str], str], depth: int) -> _T:
    if isinstance(value, str):
        return cast("_T", hide(value))
    if depth > _MAX_DEPTH:
        is_container = isinstance(value, Mapping | list | tuple)
        return cast("_T", PLACEHOLDER if is_container else value)
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        redacted = {
            _redact(k, hide, depth + 1): _redact(v, hide, depth + 1) for k, v in items
        }
        return cast("_T", redacted)
    if isinstance(value, list | tuple):
        parts = [_redact(v, hide, depth + 1) for v in cast("list[object]", value)]
        return cast("_T", parts if isinstance(value, list) else tuple(parts))
    return value


# What the keys of Model Studio look like, and those of other services.
_KEY: Final = re.compile(r"\bsk-[A-Za-z0-9_.-]{12,}")


def is_key(value: str) -> bool:
    """Return whether a value looks like an API key.

    Example:
        >>> is_key("sk-0123456789abcdef")
        True
    """
    return _KEY.fullmatch(value) is not None


def holds_key(text: str) -> bool:
    """Return whether a part of a text looks like an API key.

    Example:
        >>> holds_key("--region=sk-0123456789abcdef")
        True
    """
    return _KEY.search(text) is not None


def hide_keys(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text about an argument without secrets, and without what looks like one.

    A key may have been passed as another argument, in place of a region for example.

    Args:
        text: The text.
        secrets: Known secrets.

    Example:
        >>> hide_keys("Unknown region 'sk-0123456789abcdef'.")
        "Unknown region '**********'."
    """
    return _KEY.sub(PLACEHOLDER, redact(text, secrets))


def hide_in_error(error: ConfigurationError, secrets: Iterable[str]) -> None:
    """Remove keys from the message of an error: it repeats the values of arguments.

    Args:
        error: The error, which is changed.
        secrets: The keys that are known. What looks like a key is removed too.
    """
    error.message = hide_keys(error.message, secrets)
    error.args = (error.message,)


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
    "modelstudio",
    "modelstudio.audit",
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
# The attributes of every record. Others are from ``extra=``.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class _Filter(logging.Filter):
    """Hides the secrets of the existing clients, and signatures, in log records."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self._redactor = Redactor()
        # A finalizer may run at any time, also while the lock is held: it only appends.
        self._changes: deque[tuple[Callable[[str], None], str]] = deque()

    def add(self, secrets: Iterable[str]) -> None:
        """Hide secrets from now on."""
        self._changes.extend((self._redactor.add, secret) for secret in secrets)

    def remove(self, secrets: Iterable[str]) -> None:
        """Undo one ``add``."""
        self._changes.extend((self._redactor.remove, secret) for secret in secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        # Logging must never raise into a call.
        with suppress(Exception):
            self._redact(record)
        return True

    def _redact(self, record: logging.LogRecord) -> None:
        while self._changes:
            with self.lock, suppress(IndexError):
                change, secret = self._changes.popleft()
                change(secret)
        for name, value in vars(record).items():
            if name not in _STANDARD:
                setattr(record, name, _redact(value, self._hide, 0))
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            if (redacted := self._hide(text)) != text:
                record.exc_info, record.exc_text = None, redacted
        if record.stack_info:
            record.stack_info = self._hide(record.stack_info)
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments may raise anything
            # The handler reports that, and shows the arguments.
            self._redact_parts(record)
            return
        if (redacted := self._hide(text)) != text:
            record.msg, record.args = redacted, None

    def _redact_parts(self, record: logging.LogRecord) -> None:
        record.msg = self._hide(str(record.msg))
        if isinstance(record.args, tuple):
            record.args = tuple(_redact([*record.args], self._hide, 0))
        else:
            record.args = _redact(record.args, self._hide, 0)

    def _hide(self, text: str) -> str:
        return _SIGNATURE.sub(rf"\1={PLACEHOLDER}", self._redactor.redact(text))


_filter: Final = _Filter()


def _renew_lock() -> None:
    """Make a new lock in a child process: another thread may have held the old one."""
    _filter.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def hide_in_logs(client: object, secrets: tuple[str, ...]) -> None:
    """Hide secrets in the logs of the HTTP libraries and of the SDKs.

    Args:
        client: The client that uses the secrets. They are hidden until it is collected.
        secrets: What to hide.
    """
    _filter.add(secrets)
    # Not at exit: the secrets are hidden in what is logged at exit too.
    weakref.finalize(client, _filter.remove, secrets).atexit = False
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)
