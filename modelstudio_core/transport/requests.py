"""An HTTP request, before it is sent, and where it may go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from modelstudio_core.endpoints import Api, Endpoint, is_cloud_host, is_loopback
from modelstudio_core.errors import ConfigurationError

__all__ = ["HttpRequest", "Upload", "check_other_host", "has_much_text"]

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One part of a multipart body.

    Attributes:
        name: The name of the form field.
        content: Its bytes.
        filename: The name of the file; None for a plain field.
        content_type: The media type; None to leave it out.
    """

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """An HTTP request below a base URL of the service, or to another host.

    Attributes:
        api: The base path that ``path`` is below; no choice of an SDK.
        path: The path below it, such as ``"/chat/completions"``.
        method: The HTTP method.
        url: An absolute address on another host (an upload, a result), which takes
            the place of ``api`` and ``path``. It is sent without the key, without
            the user's headers and without the workspace's header.
        query: Parameters of the query string.
        headers: Headers besides those of the connection.
        json: The body, sent as JSON.
        files: The body, sent as a multipart form.
        repeatable: Whether a failed request may always be repeated. False for a
            request that creates something that is paid for: it is repeated only
            where nothing can have been created, which is without a connection and
            after a 429, never after a 5xx, a lost connection or a time-out.
    """

    api: Api = "openai"
    path: str = ""
    method: Method = "POST"
    url: str | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    json: Mapping[str, Any] | None = None
    files: Sequence[Upload] = ()
    repeatable: bool = True


def check_other_host(url: str, endpoint: Endpoint) -> None:
    """Decide whether a request may go to another host than the endpoint's.

    Uploads and results live in the file storage of Alibaba Cloud, below its domain;
    for an endpoint on this machine they live there too.

    Args:
        url: An absolute address.
        endpoint: The endpoint that the request belongs to.

    Raises:
        ConfigurationError: The address is not one to send a request to. The error
            names its host only: the query of a signed address is a secret.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" and is_cloud_host(host):
        return
    if endpoint.is_loopback and is_loopback(host):
        return
    raise ConfigurationError(
        f"The address on host {host!r} is not used: files are sent to and fetched from"
        " hosts of Alibaba Cloud only, over https."
    )


def has_much_text(value: object, limit: int) -> bool:
    """Return whether a JSON value has more than ``limit`` characters of text."""
    return _characters_left(value, limit) < 0


def _characters_left(value: object, left: int) -> int:
    match value:
        case str():
            return left - len(value)
        case Mapping():
            parts = [*cast("Mapping[str, object]", value).values()]
        case list() | tuple():
            parts = [*cast("list[object]", value)]
        case _:
            return left
    for part in parts:
        left = _characters_left(part, left)
        if left < 0:
            break
    return left
