"""What must never be shown, even where the service echoes it."""

import json
import logging
import weakref
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

__all__ = ["hide_in_logs", "redact", "secrets_of"]

_T = TypeVar("_T")
_STARS: Final = "**********"
# A shorter one is a word of the language, such as "test".
_SHORTEST: Final = 8
# No body of the service is nested as deep.
_DEEPEST: Final = 64
# Headers whose values everybody may read. Any other may be a gateway's key.
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
    """Return what a connection must not show.

    Args:
        key: The API key.
        headers: The user's own headers, whose values may be keys as well.
    """
    private = [v for name, v in headers if name.casefold() not in _PUBLIC_HEADERS]
    # "Bearer sk-…": its second word alone is what would be echoed.
    words = [key, *private, *(word for value in private for word in value.split())]
    return tuple(dict.fromkeys(word for word in words if len(word) >= _SHORTEST))


def redact(value: _T, secrets: Iterable[str], *, depth: int = 0) -> _T:
    """Return a value with every secret in its strings replaced.

    A beginning of a secret is replaced too: a text may have been cut in its midst.
    """
    if isinstance(value, str):
        text: str = value
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                for form in _forms(secret):
                    text = _without(text, form)
        return cast("_T", text)
    if depth > _DEEPEST:
        return cast("_T", _STARS if isinstance(value, Mapping | list) else value)
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        shown = {
            redact(k, secrets, depth=depth + 1): redact(v, secrets, depth=depth + 1)
            for k, v in items
        }
        return cast("_T", shown)
    if isinstance(value, list):
        parts = cast("list[Any]", value)
        return cast("_T", [redact(v, secrets, depth=depth + 1) for v in parts])
    return value


@lru_cache(maxsize=64)
def _forms(secret: str) -> frozenset[str]:
    """Return a secret as it stands in text, in JSON and in an address."""
    return frozenset({secret, json.dumps(secret)[1:-1], quote(secret, safe="")})


def _without(text: str, secret: str) -> str:
    head = secret[: max(_SHORTEST, len(secret) // 3)]
    start = text.find(head)
    while start >= 0:
        found = text[start : start + len(secret)]
        pairs = enumerate(zip(secret, found, strict=False))
        end = start + next((at for at, (a, b) in pairs if a != b), len(found))
        text = text[:start] + _STARS + text[end:]
        start = text.find(head, start + len(_STARS))
    return text


# --- Logs -------------------------------------------------------------------------

# The libraries below log the headers of responses, and HTTP/2 those of requests.
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


class _Filter(logging.Filter):
    """Hides the secrets of the clients that are alive."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[int, tuple[str, ...]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        # A copy, which nothing interrupts: a client may be collected meanwhile.
        held = self.held.copy().values()
        secrets = {secret for of_one in held for secret in of_one}
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            # A record that cannot be written: the handler says so.
            return True
        if (shown := redact(text, secrets)) != text:
            record.msg, record.args = shown, None
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            if (shown := redact(text, secrets)) != text:
                record.exc_info, record.exc_text = None, shown
        return True


_filter: Final = _Filter()


def hide_in_logs(client: object, secrets: tuple[str, ...]) -> None:
    """Hide secrets in what the libraries below log, for as long as a client lives."""
    _filter.held[id(client)] = secrets
    # Not at exit: what is logged while the interpreter ends is hidden as well.
    weakref.finalize(client, _filter.held.pop, id(client), None).atexit = False
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)
