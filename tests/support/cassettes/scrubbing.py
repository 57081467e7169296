"""Removes secrets and changing values from recorded exchanges."""

import re
from typing import Any, Final

from tests.support.cassettes.places import WORKSPACE

__all__ = ["number_uuids", "scrub_request", "scrub_response"]

# All other headers are dropped: cookies, dates, servers, sessions, accounts.
_REQUEST_HEADERS: Final = (
    "accept",
    "authorization",
    "content-type",
    "user-agent",
    "x-dashscope-sse",
    "x-dashscope-workspace",
)
_RESPONSE_HEADERS: Final = (
    "content-type",
    "retry-after",
    "x-modelstudio-emulator",
    "x-request-id",
)
_VERSION: Final = re.compile(r"/\d[^\s;/]*")
# Keys, real workspaces and account ids, wherever the service repeats them.
_SECRETS: Final = (
    (re.compile(rb"\bsk-[\w-]{6,}"), b"REDACTED"),
    (re.compile(rb"\b(llm|ws)-[a-z0-9]{8,}\b"), WORKSPACE.encode()),
    (re.compile(rb"(?<![\w.-])\d{16}(?![\w.-])"), b"0"),
)
_UUID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _scrub(text: bytes) -> bytes:
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def scrub_request(request: Any) -> Any:
    """Remove secrets, and everything that differs between two recordings."""
    kept = {k.lower(): v for k, v in request.headers.items()}
    kept = {name: kept[name] for name in _REQUEST_HEADERS if name in kept}
    if "authorization" in kept:
        kept["authorization"] = "Bearer REDACTED"
    if "user-agent" in kept:
        kept["user-agent"] = _VERSION.sub("/VERSION", kept["user-agent"])
    request.headers = kept
    request.body = number_uuids(_scrub(request.body))
    return request


def number_uuids(body: bytes) -> bytes:
    """Replace UUIDs, which differ in every recording, by their order."""
    for number, uuid in enumerate(dict.fromkeys(_UUID.findall(body)), 1):
        body = body.replace(uuid, b"uuid-%d" % number)
    return body


def scrub_response(response: Any) -> Any:
    """Remove secrets and unneeded headers."""
    kept = {k.lower(): v for k, v in response["headers"].items()}
    response["headers"] = {
        name: kept[name] for name in _RESPONSE_HEADERS if name in kept
    }
    response["body"]["string"] = _scrub(response["body"]["string"])
    return response
