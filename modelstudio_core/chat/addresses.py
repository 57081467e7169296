"""Local files in a request that is built, and what replaces them before it is sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from modelstudio_core.chat.messages import join_text
from modelstudio_core.local_files import TEMPORARY, LocalFile
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.uploads import RESOLVE_HEADERS, addresses_in

__all__ = ["prepare_addresses", "replace_files"]


def prepare_addresses(request: HttpRequest) -> tuple[HttpRequest, frozenset[LocalFile]]:
    """Return a request with the headers that its addresses need, and its local files.

    Args:
        request: The request, with local files in the place of addresses.
    """
    found = set(addresses_in(request.json))
    files = frozenset(item for item in found if isinstance(item, LocalFile))
    if len(files) < len(found):
        request = _with_header(request)
    return request, files


def replace_files(
    request: HttpRequest, contents: Mapping[LocalFile, str]
) -> HttpRequest:
    """Return a request with the contents or the addresses of its local files.

    Args:
        request: The request.
        contents: What replaces each file.
    """
    body = cast("dict[str, Any]", _replaced(request.json, contents))
    replaced = replace(request, json=body)
    is_uploaded = any(content.startswith(TEMPORARY) for content in contents.values())
    return _with_header(replaced) if is_uploaded else replaced


def _with_header(request: HttpRequest) -> HttpRequest:
    return replace(request, headers={**request.headers, **RESOLVE_HEADERS})


def _replaced(value: object, contents: Mapping[LocalFile, str]) -> object:
    match value:
        case LocalFile():
            return contents[value]
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            replaced = {name: _replaced(item, contents) for name, item in items}
            return _adapted(replaced)
        case list():
            return [_replaced(item, contents) for item in cast("list[object]", value)]
        case _:
            return value


def _adapted(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object of the body in the form that its new contents need.

    A PDF is inlined under another key than its address. Content of text parts alone is
    sent as one string, also if the text was in a file.
    """
    data, content = value.get("file_data"), value.get("content")
    if isinstance(data, str) and data.startswith(TEMPORARY):
        inline = {"file_data", "filename", "file_format"}
        others = {name: item for name, item in value.items() if name not in inline}
        return {"file_url": data, **others}
    if isinstance(content, list):
        parts = cast("list[dict[str, Any]]", content)
        if all(part.get("type") == "text" for part in parts):
            return {**value, "content": join_text(cast("Any", parts))}
    return value
