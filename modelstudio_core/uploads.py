"""Local files as addresses in a request: inlined, or in the temporary storage.

A small file becomes a ``data:`` URL. A larger one is uploaded, if the caller allows it,
to storage of Alibaba Cloud on another host, and becomes an ``oss://`` URL. Source: the
official page "Upload local files to get temporary URLs" (2026): such a URL is valid for
48 hours, for the model and the account that it was made for.
"""

import asyncio
import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from modelstudio_core.errors import (
    APIStatusError,
    ConfigurationError,
    InvalidResponseError,
)
from modelstudio_core.fork_locks import ForkLock
from modelstudio_core.local_files import (
    TEMPORARY,
    FileContent,
    LocalFile,
    inspect_file,
    read_data_url,
    read_text,
)
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.deadlines import Deadline
from modelstudio_core.transport.fetch import JsonAnswer, afetch, fetch
from modelstudio_core.transport.request_keys import awith_key, with_key
from modelstudio_core.transport.requests import HttpRequest, Upload
from modelstudio_core.wire.json_values import count_of, object_of, text_of
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "MAX_INLINE_BYTES",
    "RESOLVE_HEADERS",
    "addresses_in",
    "aload_files",
    "load_files",
    "oss_headers",
]

# Every request that contains an address of the temporary storage needs this header.
RESOLVE_HEADERS: Final[Mapping[str, str]] = {"X-DashScope-OssResourceResolve": "enable"}
# The service's error for base64 text names 10,485,760 characters (vision guide, 2026).
_MAX_INLINE_CHARACTERS: Final = 10_485_760
_MAX_HEADER_CHARACTERS: Final = 64
MAX_INLINE_BYTES: Final = (_MAX_INLINE_CHARACTERS - _MAX_HEADER_CHARACTERS) // 4 * 3
_MEGABYTE: Final = 2**20
# Well below the 48 hours: a request may wait before it is read.
_REUSE_SECONDS: Final = 40 * 3600
_MAX_KEPT: Final = 256
_CONFLICT: Final = 409

# By the account, the model and the file: when it ends, and the address.
_Kept = dict[tuple[str, str, tuple[int, ...]], tuple[float, str]]
_uploaded: Final[WeakKeyDictionary[Connection, _Kept]] = WeakKeyDictionary()
_lock: Final = ForkLock()


def addresses_in(value: object) -> Iterator[str | LocalFile]:
    """Yield the local files and the addresses of the temporary storage in a value.

    Args:
        value: A body, or a part of one.
    """
    match value:
        case LocalFile():
            yield value
        case str():
            if value[: len(TEMPORARY)].lower() == TEMPORARY:
                yield value
        case Mapping():
            for item in cast("Mapping[str, object]", value).values():
                yield from addresses_in(item)
        case list() | tuple():
            for item in cast("list[object]", value):
                yield from addresses_in(item)
        case _:
            pass


def oss_headers(value: object) -> Mapping[str, str]:
    """Return the header for addresses of the temporary storage, if there are any.

    Args:
        value: A body, or a part of one.
    """
    is_stored = any(isinstance(address, str) for address in addresses_in(value))
    return RESOLVE_HEADERS if is_stored else {}


def load_files(
    files: Collection[LocalFile],
    connection: Connection,
    context: ErrorContext,
    *,
    model: str,
    upload: bool,
    inline_bytes: Mapping[str, int],
    deadline: Deadline | None = None,
) -> dict[LocalFile, str]:
    """Return what a request contains for each file.

    All files are checked before the first is sent anywhere.

    Args:
        files: The files of the request.
        connection: How to reach the service.
        context: The facts of the request that errors report.
        model: The model that the request is for.
        upload: Whether files that are too large for the request may be uploaded.
        inline_bytes: The largest file of each kind that the request may contain, where
            that is not ``MAX_INLINE_BYTES``.
        deadline: When the uploads must be complete; None for that of each request.

    Returns:
        A ``data:`` URL or an ``oss://`` URL for each file; the text of a text file.

    Raises:
        ConfigurationError: A file cannot be read, is not what the message says, or is
            too large.
        APIError: An upload failed.
    """
    limits = {file: inline_bytes.get(file.kind, MAX_INLINE_BYTES) for file in files}
    contents = {file: _check(file, limits[file], upload=upload) for file in files}
    loaded: dict[LocalFile, str] = {}
    for file, content in contents.items():
        text = _read(file, content, limits[file])
        if text is None:
            text = _upload(connection, context, model, content, deadline)
        loaded[file] = text
    return loaded


async def aload_files(
    files: Collection[LocalFile],
    connection: Connection,
    context: ErrorContext,
    *,
    model: str,
    upload: bool,
    inline_bytes: Mapping[str, int],
    deadline: Deadline | None = None,
) -> dict[LocalFile, str]:
    """Async version of ``load_files``: files are read in a thread."""
    limits = {file: inline_bytes.get(file.kind, MAX_INLINE_BYTES) for file in files}
    contents = {
        file: await asyncio.to_thread(_check, file, limit, upload=upload)
        for file, limit in limits.items()
    }
    loaded: dict[LocalFile, str] = {}
    for file, content in contents.items():
        text = await asyncio.to_thread(_read, file, content, limits[file])
        if text is None:
            text = await _aupload(connection, context, model, content, deadline)
        loaded[file] = text
    return loaded


# --- Files ------------------------------------------------------------------------


def _check(file: LocalFile, limit: int, *, upload: bool) -> FileContent:
    content = inspect_file(file)
    if content.size <= limit or (upload and file.kind != "text"):
        return content
    size = f"{str(file.path)!r} has {content.size / _MEGABYTE:.1f} MB"
    if file.kind == "text":
        raise ConfigurationError(
            f"{size}, and a text file may have {limit / _MEGABYTE:.1f} MB."
        )
    raise ConfigurationError(
        f"{size}, and a request may contain {file.kind} files of at most"
        f" {limit / _MEGABYTE:.1f} MB. Pass upload_media=True to send it to the"
        " temporary storage of Model Studio, which is on another host, or pass a public"
        " URL."
    )


def _read(file: LocalFile, content: FileContent, limit: int) -> str | None:
    """Return the text or the ``data:`` URL of a file; None for one to upload."""
    if file.kind == "text":
        return read_text(content)
    return read_data_url(content) if content.size <= limit else None


# --- Uploads ----------------------------------------------------------------------


def _upload(
    connection: Connection,
    context: ErrorContext,
    model: str,
    content: FileContent,
    deadline: Deadline | None,
) -> str:
    policy_request = _policy_request(connection, model, deadline)
    request_key = with_key(connection, policy_request, context).api_key
    if kept := _find(connection, request_key, model, content):
        return kept
    policy = fetch(connection, policy_request, context)
    request, address = _upload_request(policy, content, context)
    request = replace(request, deadline=deadline)
    try:
        fetch(connection, request, context)
    except APIStatusError as error:
        _raise_unless_repeated(error)
    return _keep(connection, policy.api_key, model, content, address)


async def _aupload(
    connection: Connection,
    context: ErrorContext,
    model: str,
    content: FileContent,
    deadline: Deadline | None,
) -> str:
    policy_request = _policy_request(connection, model, deadline)
    request_key = (await awith_key(connection, policy_request, context)).api_key
    if kept := _find(connection, request_key, model, content):
        return kept
    policy = await afetch(connection, policy_request, context)
    request, address = _upload_request(policy, content, context)
    request = replace(request, deadline=deadline)
    try:
        await afetch(connection, request, context)
    except APIStatusError as error:
        _raise_unless_repeated(error)
    return _keep(connection, policy.api_key, model, content, address)


def _policy_request(
    connection: Connection, model: str, deadline: Deadline | None
) -> HttpRequest:
    request = HttpRequest(
        api="dashscope",
        path="/uploads",
        method="GET",
        query={"action": "getPolicy", "model": model},
        deadline=deadline,
    )
    return request.started(connection.total_timeout)


def _upload_request(
    answer: JsonAnswer, content: FileContent, context: ErrorContext
) -> tuple[HttpRequest, str]:
    """Return the request that uploads a file, and the address that the file gets."""
    policy = object_of(answer.body, "data")
    host = _field(policy, "upload_host", answer, context)
    folder = _field(policy, "upload_dir", answer, context).strip("/")
    limit = count_of(policy, "max_file_size_mb")
    if limit is not None and content.size > limit * _MEGABYTE:
        raise ConfigurationError(
            f"{str(content.path)!r} has {content.size / _MEGABYTE:.1f} MB, and the"
            f" temporary storage accepts {limit} MB for this model: pass a public URL."
        )
    # Not the name of the file, which would tell about this machine.
    suffix = PurePosixPath(content.path.name).suffix
    key = f"{folder}/{secrets.token_hex(16)}{suffix if suffix.isascii() else ''}"
    fields = {
        "OSSAccessKeyId": _field(policy, "oss_access_key_id", answer, context),
        "Signature": _field(policy, "signature", answer, context),
        "policy": _field(policy, "policy", answer, context),
        "x-oss-object-acl": text_of(policy, "x_oss_object_acl") or "private",
        "x-oss-forbid-overwrite": text_of(policy, "x_oss_forbid_overwrite") or "true",
        "key": key,
        "success_action_status": "200",
    }
    parts = [
        Upload(name=name, content=value.encode()) for name, value in fields.items()
    ]
    file = Upload(
        name="file",
        content=content,
        filename=key.rpartition("/")[2],
        content_type=content.mime_type or None,
    )
    # The storage ignores fields behind the file.
    return HttpRequest(url=host, files=[*parts, file]), f"{TEMPORARY}{key}"


def _field(
    policy: Mapping[str, Any], name: str, answer: JsonAnswer, context: ErrorContext
) -> str:
    value = text_of(policy, name)
    if value is None:
        raise context.error(
            InvalidResponseError,
            f"The answer to a request for an upload lacks {name!r}.",
            request_id=answer.request_id,
        )
    return value


def _raise_unless_repeated(error: APIStatusError) -> None:
    """Raise an error, unless a repeated upload found its own file.

    The name of the file is new and random, so no other upload can have made it.
    """
    if error.status_code != _CONFLICT:
        raise error


# --- Uploads that can be used again -----------------------------------------------


def _find(
    connection: Connection, request_key: str | None, model: str, content: FileContent
) -> str | None:
    """Return the address of a file that the account has uploaded before."""
    account = connection.account_of(request_key)
    with _lock:
        kept = _uploaded.get(connection, {}).get((account, model, content.identity))
    return kept[1] if kept and time.time() < kept[0] else None


def _keep(
    connection: Connection,
    request_key: str | None,
    model: str,
    content: FileContent,
    address: str,
) -> str:
    account, expires = connection.account_of(request_key), time.time() + _REUSE_SECONDS
    with _lock:
        kept = _uploaded.setdefault(connection, {})
        while len(kept) >= _MAX_KEPT:
            del kept[next(iter(kept))]
        kept[account, model, content.identity] = (expires, address)
    return address
