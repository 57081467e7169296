"""Texts, images and video to embed: each item becomes one vector.

An item is a text, or a mapping with ``text``, ``image`` and ``video``, several of which
are fused into one vector where the model can do that.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast

from modelstudio_core.embeddings.inputs import Batch
from modelstudio_core.embeddings.options import ResolvedEmbeddings
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse_or_warn
from modelstudio_core.inline_data import check_data_url
from modelstudio_core.local_files import (
    LocalFile,
    inspect_file,
    parse_local,
    read_data_url,
)
from modelstudio_core.service_inputs import check_text, list_of
from modelstudio_core.wire.media_types import (
    bare_base64_type,
    kind_of,
    mime_type_of_bytes,
)

__all__ = ["Content", "ContentItem", "Image", "check_contents", "plan_contents"]


class BinaryFile(Protocol):
    """An open binary file, such as ``BytesIO``."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the bytes of the file."""
        ...


# A URL (http, https, oss, data or file), a path, the bytes of a file, or an open file.
Image = str | Path | bytes | BinaryFile
ContentItem = str | Mapping[str, Any]

_T = TypeVar("_T")

_KINDS: Final = ("text", "image", "video", "multi_images")
_REMOTE: Final = ("http://", "https://", "oss://")
_SENT: Final = (*_REMOTE, "data:")
_MEGABYTE: Final = 2**20
_UNKNOWN: Final = "{name} is not an image of a format that is known."


@dataclass(frozen=True, slots=True)
class Content:
    """An item as it is sent.

    Attributes:
        objects: The content objects of the request's body.
        fused: Whether the request has only this item, and one vector for all objects.
        images: How many images it has.
        videos: How many videos it has.
    """

    objects: Sequence[Mapping[str, object]]
    fused: bool
    images: int
    videos: int


def check_contents(contents: object, resolved: ResolvedEmbeddings) -> list[Content]:
    """Return the items of a call as they are sent. Local images are read.

    Args:
        contents: A list of items.
        resolved: The resolved arguments.

    Raises:
        ConfigurationError: An item has a form or a size that the model does not accept,
            or a file cannot be read. The error names the item.
    """
    return [
        _check_item(item, resolved, f"contents[{index}]")
        for index, item in enumerate(list_of(contents, "contents"))
    ]


def plan_contents(
    contents: Sequence[Content], resolved: ResolvedEmbeddings
) -> list[Batch]:
    """Split items into batches, each of which one request can hold.

    Args:
        contents: The items of a call.
        resolved: The resolved arguments, with the limits.
    """
    batches: list[Batch] = []
    start = 0
    for end in range(1, len(contents) + 1):
        if end == len(contents) or not _fits(contents[start : end + 1], resolved):
            batches.append(Batch(start, contents[start:end]))
            start = end
    return batches


def _fits(contents: Sequence[Content], resolved: ResolvedEmbeddings) -> bool:
    profile = resolved.profile
    images = sum(content.images for content in contents)
    videos = sum(content.videos for content in contents)
    return (
        not any(content.fused for content in contents)
        and len(contents) <= resolved.batch_size
        and images <= (profile.max_images or images)
        and videos <= (profile.max_videos or videos)
    )


def _check_item(item: object, resolved: ResolvedEmbeddings, name: str) -> Content:
    fields: Mapping[str, object] = (
        {"text": item}
        if isinstance(item, str)
        else cast("Mapping[str, object]", item if isinstance(item, Mapping) else {})
    )
    if not fields or not fields.keys() <= {*_KINDS}:
        raise ConfigurationError(
            f"{name} must be a text, or a mapping with {', '.join(_KINDS[:3])} or"
            " several of them, and nothing else."
        )
    parts = [
        part
        for key, value in fields.items()
        for part in _parts(key, value, resolved, f"{name}[{key!r}]")
    ]
    images = sum(_count_images(part) for part in parts)
    videos = sum("video" in part for part in parts)
    profile = resolved.profile
    match profile.fusion:
        case "always":
            return Content(parts, True, images, videos)
        case "parameter" if len(parts) > 1:
            return Content(parts, True, images, videos)
        case "never" if len(parts) > 1:
            refuse_or_warn(
                profile,
                f"{name} has {len(parts)} parts, and {profile.id} does not make one"
                " vector of several: pass them as separate items.",
            )
        case _:
            pass
    return Content([_merged(parts)], False, images, videos)


def _merged(parts: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {key: value for part in parts for key, value in part.items()}


def _count_images(part: Mapping[str, object]) -> int:
    images = part.get("multi_images")
    return len(cast("list[object]", images)) if images else int("image" in part)


def _parts(
    kind: str, value: object, resolved: ResolvedEmbeddings, name: str
) -> list[dict[str, object]]:
    """Return one field of an item as content objects of the request."""
    profile = resolved.profile
    match kind:
        case "text":
            return [{"text": check_text(value, profile.max_row_tokens, name)}]
        case "video":
            return [{"video": _check_video(value, name)}]
        case _ if isinstance(value, list | tuple):
            given = cast("Sequence[object]", value)
            images = [to_image_url(image, resolved, name) for image in given]
            if len(images) == 1:
                return [{"image": images[0]}]
            limit = profile.max_image_list
            if not images or (limit is not None and len(images) > limit):
                refuse_or_warn(
                    profile,
                    f"{name} has {len(images)} images, and {profile.id} accepts"
                    f" {limit or 1} in one item.",
                )
            return [{"multi_images": images}]
        case _:
            return [{"image": to_image_url(value, resolved, name)}]


def _check_video(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.startswith(_REMOTE):
        raise ConfigurationError(
            f"{name} must be the http, https or oss URL of a video: the service does"
            " not accept the bytes of one."
        )
    return value


# --- Images -----------------------------------------------------------------------


def to_image_url(value: object, resolved: ResolvedEmbeddings, name: str) -> str:
    """Return an image as it is sent: a URL, or a data URI of a file that is read.

    Args:
        value: A URL, a path, the bytes of a file or an open file.
        resolved: The resolved arguments, with the largest size.
        name: What the image is called in errors.

    Raises:
        ConfigurationError: It is no image, it cannot be read, or it is too large.
    """
    if isinstance(value, str) and value[:8].lower().startswith(_SENT):
        check_data_url(value, name)
        return value
    if isinstance(value, str) and (mime_type := bare_base64_type(value, "image")):
        return f"data:{mime_type};base64,{value}"
    file = _file_of(value, name)
    if file is None:
        data = _bytes_of(value, name)
        _check_size(len(data), resolved, name)
        return f"data:{_mime_type(data, name)};base64,{base64.b64encode(data).decode()}"
    content = _checked(lambda: inspect_file(file), name)
    if not content.mime_type:
        raise ConfigurationError(_UNKNOWN.format(name=name))
    _check_size(content.size, resolved, name)
    return _checked(lambda: read_data_url(content), name)


def _file_of(value: object, name: str) -> LocalFile | None:
    """Return the file that a path names; None for a value that is no path."""
    match value:
        case str() if value:
            path = _checked(lambda: parse_local(value, "image"), name).path
        case Path():
            path = value
        case _:
            return None
    return LocalFile(path, "image", is_explicit=True)


def _bytes_of(value: object, name: str) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(cast("bytes", value))
    if callable(read := getattr(value, "read", None)):
        # The file may have been read before, as LlamaIndex's images are.
        if callable(seek := getattr(value, "seek", None)):
            seek(0)
        return cast("bytes", read())
    raise ConfigurationError(
        f"{name} must be the URL, the path or the bytes of an image, got a"
        f" {type(value).__name__}."
    )


def _mime_type(data: bytes, name: str) -> str:
    found = mime_type_of_bytes(data, "image")
    if found is None or kind_of(found) != "image":
        raise ConfigurationError(_UNKNOWN.format(name=name))
    return found


def _check_size(size: int, resolved: ResolvedEmbeddings, name: str) -> None:
    limit = resolved.profile.max_image_megabytes
    if limit is not None and size > limit * _MEGABYTE:
        refuse_or_warn(
            resolved.profile,
            f"{name} is an image of {size / _MEGABYTE:.1f} MB, and"
            f" {resolved.profile.id} accepts {limit} MB. Make it smaller, or pass its"
            " URL.",
        )


def _checked(read: Callable[[], _T], name: str) -> _T:
    """Call a function that reads a file; its error names the item."""
    try:
        return read()
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error.message}") from None
