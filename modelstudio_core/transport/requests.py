"""HTTP requests before they are sent, and the hosts that are allowed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Self, cast

from modelstudio_core.endpoints import (
    Api,
    Endpoint,
    is_cloud_host,
    is_loopback,
    is_storage_of_region,
)
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.local_files import FileContent
from modelstudio_core.policy import Purpose
from modelstudio_core.transport.deadlines import Deadline

__all__ = ["HttpRequest", "Upload", "check_other_host", "has_much_text"]

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One part of a multipart body.

    Attributes:
        name: The name of the form field.
        content: The bytes of the field, or a file that is read while it is sent.
        filename: The name of the file; None for a plain field.
        content_type: The media type; None to leave it out.
    """

    name: str
    content: bytes | FileContent
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """An HTTP request to the service, or to another host.

    Attributes:
        api: The base URL that ``path`` is appended to. It does not select an SDK.
        path: The path, such as ``"/chat/completions"``.
        method: The HTTP method.
        url: An absolute URL on another host, such as that of an upload or of a result,
            instead of ``api`` and ``path``. The request is then sent without the key,
            the user's headers and the workspace's header.
        query: Parameters of the query string.
        headers: Headers in addition to those of the connection.
        json: The body, sent as JSON.
        files: The body, sent as a multipart form.
        uses_sdk: Whether the SDK of the API sends it, if there is one. Without, it is
            sent by the HTTP client below the SDK, which needs less CPU time.
        requested_model: The model that the user asked for, if another one is sent.
        models: The model ids that the request contains in other places than the field
            ``model`` of its body or of its query, such as the lines of a file.
        is_of_model: Whether it is about what a model makes, although it has no body: it
            is refused without a model id where a policy bounds models.
        repeatable: Whether a failed request may always be repeated. False for a
            request that creates something that must be paid for: it is only repeated
            if nothing can have been created, that is without a connection and after a
            429, but not after a 5xx, a lost connection or a timeout.
        deadline: When the answer must be complete, set by ``started``; None for never.
        api_key: The key that the user's function returned for it, which is among its
            headers; None if no function was asked.

    Example:
        >>> HttpRequest(path="/models", method="GET").api
        'openai'
    """

    api: Api = "openai"
    path: str = ""
    method: Method = "POST"
    url: str | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    json: Mapping[str, object] | None = None
    files: Sequence[Upload] = ()
    uses_sdk: bool = True
    requested_model: str | None = None
    models: Sequence[str] = ()
    is_of_model: bool = False
    repeatable: bool = True
    deadline: Deadline | None = field(default=None, compare=False, repr=False)
    api_key: str | None = field(default=None, compare=False, repr=False)

    def started(self, total_timeout: float | None) -> Self:
        """Return the request with a deadline that begins now, unless it has one.

        Args:
            total_timeout: The seconds for the answer; None for no deadline.
        """
        if total_timeout is None or self.deadline is not None:
            return self
        return replace(self, deadline=Deadline(total_timeout))

    @property
    def may_have_no_answer(self) -> bool:
        """Whether a response without a body is an answer: to a DELETE or an upload."""
        return self.method == "DELETE" or self.url is not None

    def url_at(self, endpoint: Endpoint) -> str:
        """Return the absolute URL, without ``query``.

        Args:
            endpoint: The endpoint to which the request is sent.
        """
        return self.url or endpoint.url(self.api) + self.path

    @property
    def model_ids(self) -> tuple[str, ...]:
        """All model ids that the request contains."""
        named = ((self.json or {}).get("model"), self.query.get("model"))
        ids = [name for name in named if isinstance(name, str)]
        return tuple(dict.fromkeys([*ids, *self.models]))

    @property
    def needs_model(self) -> bool:
        """Whether it must contain a model id where a policy bounds models."""
        return self.url is None and (self.is_of_model or self.json is not None)

    @property
    def purpose(self) -> Purpose:
        """Whether it is for the service, or for a file of the file storage."""
        if self.url is None:
            return "service"
        return "result" if self.method == "GET" else "upload"


# The rest is any printable ASCII without a backslash and a fragment.
_OTHER_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(:(?P<port>[0-9]{1,5}))?"
    r"([/?][!\"$-\[\]-~]*)?"
)
_MAX_PORT: Final = 65535


def check_other_host(url: str, endpoint: Endpoint, *, upload: bool = False) -> str:
    """Check that a request may be sent to a host other than the endpoint's.

    Uploads and results are in the file storage of Alibaba Cloud. For an endpoint on
    this machine they may be on this machine too. Data is only uploaded to the file
    storage of the endpoint's region.

    Args:
        url: An absolute URL.
        endpoint: The endpoint that the request belongs to.
        upload: Whether data is sent to the host.

    Returns:
        The host, with its port if it has one.

    Raises:
        ConfigurationError: The host is not allowed, or the URL has a user name, a
            fragment or characters that no URL has. The message contains at most the
            host, because the query of a signed URL is a secret.
    """
    parts = _OTHER_URL.fullmatch(url)
    if parts is None or int(parts["port"] or 0) > _MAX_PORT:
        raise ConfigurationError(
            "A URL of a file is malformed: it must be an http or https URL without a"
            " user name and a fragment."
        )
    host = parts["host"]
    is_allowed = parts["scheme"] == "https" and is_cloud_host(host)
    is_local = endpoint.is_loopback and is_loopback(host.strip("[]"))
    if not (is_allowed or is_local):
        raise ConfigurationError(
            f"A URL on host {host!r} is not allowed: files must be on a host of Alibaba"
            " Cloud, with https."
        )
    region = endpoint.region if endpoint.is_documented else None
    if upload and region is not None and not is_storage_of_region(host, region):
        raise ConfigurationError(
            f"An upload to host {host!r} is not allowed: data of region {region} must"
            " stay in the file storage of that region."
        )
    return f"{host}:{parts['port']}" if parts["port"] else host


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
