"""Texts, images and video to embed: each item becomes one vector.

An item is a text, or a mapping with ``text``, ``image`` and ``video``, several of which
are fused into one vector where the model can do that.
"""

import base64
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from modelstudio_core.embeddings.inputs import Batch
from modelstudio_core.embeddings.options import ResolvedEmbeddings
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.service_inputs import check_text, list_of, refuse_or_warn

__all__ = ["Content", "ContentItem", "Image", "check_contents", "plan_contents"]


class BinaryFile(Protocol):
    """An open binary file, such as ``BytesIO``."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the bytes of the file."""
        ...


# A URL (http, https, oss, data or file), a path, the bytes of a file, or an open file.
Image = str | Path | bytes | BinaryFile
ContentItem = str | Mapping[str, Any]

_KINDS: Final = ("text", "image", "video", "multi_images")
_REMOTE: Final = ("http://", "https://", "oss://")
_MEGABYTE: Final = 2**20
# The first bytes of the formats that the models accept.
_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n", "image/png"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"GIF8", "image/gif"),
    (b"\0\0\1\0", "image/x-icon"),
)


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
    if isinstance(value, str) and value.startswith((*_REMOTE, "data:")):
        return value
    data, mime_type = _read(value, name)
    limit = resolved.profile.max_image_megabytes
    if limit is not None and len(data) > limit * _MEGABYTE:
        refuse_or_warn(
            resolved.profile,
            f"{name} is an image of {len(data) / _MEGABYTE:.1f} MB, and"
            f" {resolved.profile.id} accepts {limit} MB. Make it smaller, or pass its"
            " URL.",
        )
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"


def _read(value: object, name: str) -> tuple[bytes, str]:
    path: Path | None = None
    match value:
        case bytes() | bytearray() | memoryview():
            data = bytes(cast("bytes", value))
        case str() if value:
            path = _path_of(value)
            data = _read_file(path, name)
        case Path():
            path = value
            data = _read_file(path, name)
        case _ if callable(read := getattr(value, "read", None)):
            # The file may have been read before, as LlamaIndex's images are.
            if callable(seek := getattr(value, "seek", None)):
                seek(0)
            data = cast("bytes", read())
        case _:
            raise ConfigurationError(
                f"{name} must be the URL, the path or the bytes of an image, got a"
                f" {type(value).__name__}."
            )
    return data, _mime_type(data, path, name)


def _path_of(text: str) -> Path:
    if text.startswith("file:"):
        return Path(url2pathname(unquote(urlsplit(text).path)))
    return Path(text)


def _read_file(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except ValueError:
        reason = "it is not a path"
    raise ConfigurationError(f"{name} cannot be read: {reason}.")


def _mime_type(data: bytes, path: Path | None, name: str) -> str:
    for signature, mime_type in _SIGNATURES:
        if data.startswith(signature):
            return mime_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    guessed = mimetypes.guess_type(path.name)[0] if path else None
    if guessed and guessed.startswith("image/") and data:
        return guessed
    raise ConfigurationError(f"{name} is not an image of a format that is known.")
