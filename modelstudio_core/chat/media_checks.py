"""Which media a model takes, how much of them, and which addresses are allowed."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from modelstudio_core.catalog import ChatProfile, MediaLimits
from modelstudio_core.chat.media import (
    addresses_of,
    data_type,
    is_data_url,
    map_addresses,
)
from modelstudio_core.chat.messages import Address, Part
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse_or_warn
from modelstudio_core.inline_data import check_data_url
from modelstudio_core.local_files import TEMPORARY, LocalFile, is_local, parse_local
from modelstudio_core.user_warnings import warn_once
from modelstudio_core.wire.media_types import (
    USUAL_TYPE,
    MediaKind,
    audio_format,
    bare_base64_type,
    base64_start,
    kind_of,
    normalize_mime_type,
)

__all__ = [
    "InputKind",
    "check_input",
    "check_parts",
    "has_local_address",
    "inline_limits",
    "input_of",
    "with_addresses",
]

InputKind = Literal["image", "video", "audio", "pdf", "file_id"]
_KIND_OF_PART: Final[Mapping[str, MediaKind]] = {
    "image_url": "image",
    "video_url": "video",
    "video": "video",
    "input_audio": "audio",
    "file": "pdf",
}
_NOUNS: Final[Mapping[str, str]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "pdf": "PDF",
    "file_id": "file id",
}
# A model to use instead, by the kind of input that a model does not support.
_MODEL_FOR_INPUT: Final[Mapping[str, str]] = {
    "image": "a Qwen-VL model such as 'qwen3-vl-plus', or 'qwen3.7-plus'",
    "video": "a Qwen-VL model such as 'qwen3-vl-plus', or 'qwen3.7-plus'",
    "audio": "a Qwen-Omni model such as 'qwen3.5-omni-plus'",
    "pdf": "'qwen3.8-max' or 'qwen3.8-flash'",
    "file_id": "'qwen-long' or 'qwen-doc-turbo'",
}
_DATA: Final = "data:"
_SENT_ADDRESSES: Final = ("http://", "https://", TEMPORARY)
_MEGABYTE: Final = 2**20
_SHOWN: Final = 200


def input_of(part: Part) -> InputKind | None:
    """Return the kind of input that a part is; None for text.

    Args:
        part: The part.
    """
    if part["type"] == "file" and "file_id" in part["file"]:
        return "file_id"
    return _KIND_OF_PART.get(part["type"])


# --- Addresses --------------------------------------------------------------------


def has_local_address(part: Part) -> bool:
    """Return whether a part has an address that needs ``local_files=True``.

    Args:
        part: The part.
    """
    kind = _kind_of_addresses(part)
    return kind is not None and any(
        isinstance(address, str) and _is_path(address, kind)
        for address in addresses_of(part)
    )


def with_addresses(part: Part, *, local_files: bool) -> Part:
    """Return a part whose local addresses are files, and whose data are ``data:`` URLs.

    Args:
        part: The part.
        local_files: Whether local addresses are allowed.

    Raises:
        ConfigurationError: An address is not allowed, or data are certainly broken.
    """
    kind = _kind_of_addresses(part)
    if kind is None:
        return part
    is_typed = part["type"] == "input_audio" and "format" in part["input_audio"]
    return map_addresses(part, lambda a: _checked(a, kind, local_files, is_typed))


def _kind_of_addresses(part: Part) -> MediaKind | None:
    """Return the kind of what a part's addresses name: frames of a video are images."""
    return "image" if part["type"] == "video" else _KIND_OF_PART.get(part["type"])


def _is_path(address: str, kind: MediaKind) -> bool:
    return is_local(address) and bare_base64_type(address, kind) is None


def _checked(
    address: Address, kind: MediaKind, local_files: bool, is_typed: bool
) -> Address:
    if isinstance(address, LocalFile):
        return address
    lowered = address[:8].lower()
    if lowered.startswith(_SENT_ADDRESSES):
        return address
    if lowered.startswith(_DATA):
        check_data_url(address, f"the {_NOUNS[kind]}")
        return address if is_typed else _typed(address, kind)
    if not address:
        raise ConfigurationError(f"The address of the {_NOUNS[kind]} is empty.")
    shown = repr(address[:_SHOWN])
    if not is_local(address):
        raise ConfigurationError(
            f"The address of the {_NOUNS[kind]} must be an http, https, data or oss"
            f" URL, got {shown}."
        )
    if mime_type := bare_base64_type(address, kind):
        return f"data:{mime_type};base64,{address}"
    if not local_files:
        raise ConfigurationError(
            f"The address {shown} is a local file, and messages may come from other"
            " people: pass local_files=True to the model if messages may name such"
            " files."
        )
    return parse_local(address, kind)


def _typed(url: str, kind: MediaKind) -> str:
    """Return a ``data:`` URL with a MIME type; with the usual one if none is shown.

    Raises:
        ConfigurationError: Its first bytes show that it is something else.
    """
    head = url[:_SHOWN]
    if base64_start(url) is None or data_type(head, kind=kind) is not None:
        return url
    noun = _NOUNS[kind]
    if shown := data_type(head):
        raise ConfigurationError(
            f"The {noun} is not a file of that kind: its first bytes show {shown}. If"
            " it is one, pass its MIME type."
        )
    usual = USUAL_TYPE[kind]
    warn_once(
        f"The {noun} has no MIME type, and its first bytes show none: it is sent as"
        f" {usual}. Pass its MIME type.",
        set(),
    )
    return f"{_DATA}{usual}{url[head.find(';') :]}"


# --- Limits -----------------------------------------------------------------------


def inline_limits(profile: ChatProfile) -> dict[str, int]:
    """Return how many bytes of a file may be inlined in a request, by kind of media.

    Args:
        profile: The model that is used. A kind without a limit is missing.
    """
    limits: dict[str, int] = {}
    for kind, limit in profile.media.items():
        if limit.inline is False:
            limits[kind] = 0
        elif limit.max_inline_megabytes is not None:
            limits[kind] = limit.max_inline_megabytes * _MEGABYTE
        elif limit.max_encoded_megabytes is not None:
            limits[kind] = limit.max_encoded_megabytes * _MEGABYTE // 4 * 3
    return limits


def check_parts(parts: Sequence[Part], profile: ChatProfile) -> None:
    """Refuse inputs that the model does not support, or that are over a limit.

    What is known of the model's family only is a warning.

    Args:
        parts: The parts of one message.
        profile: The model that is used.

    Raises:
        ConfigurationError: An input is refused.
    """
    counts: dict[tuple[MediaKind, bool], int] = {}
    for part in parts:
        kind = _KIND_OF_PART.get(part["type"])
        if kind is None:
            continue
        check_input(kind, profile)
        addresses = addresses_of(part)
        if not addresses:
            raise ConfigurationError("A video must have frames, got an empty list.")
        limits = profile.media.get(kind)
        if limits is None:
            continue
        kind_of_data = kind
        if part["type"] == "video":
            _check_frames(len(addresses), limits, profile)
            if images := profile.media.get("image"):
                kind_of_data, limits = "image", images
        inline = [url for url in addresses if isinstance(url, str) and is_data_url(url)]
        for url in inline:
            _check_data(url, kind_of_data, limits, profile)
        counts[kind, bool(inline)] = counts.get((kind, bool(inline)), 0) + 1
    for (kind, is_inline), count in counts.items():
        limits = profile.media[kind]
        limit = limits.max_inline_count if is_inline else limits.max_count
        if limit is not None and count > limit:
            how = "as base64" if is_inline else "as URLs"
            refuse_or_warn(
                profile,
                f"A message may contain at most {limit} {_NOUNS[kind]} inputs {how},"
                f" got {count}.",
            )


def check_input(kind: InputKind, profile: ChatProfile) -> None:
    """Refuse a kind of input that the model does not support.

    Args:
        kind: The kind of input.
        profile: The model that is used.

    Raises:
        ConfigurationError: The model does not support it.
    """
    if kind in profile.inputs or not profile.is_known:
        return
    supported = ", ".join(sorted(profile.inputs))
    refuse_or_warn(
        profile,
        f"{profile.id} does not support {_NOUNS[kind]} input, only {supported}. Use"
        f" {_MODEL_FOR_INPUT[kind]}.",
    )


def _check_frames(count: int, limits: MediaLimits, profile: ChatProfile) -> None:
    if limits.frames is None:
        return
    fewest, most = limits.frames
    if not fewest <= count <= most:
        refuse_or_warn(
            profile,
            f"A video for {profile.id} must have {fewest} to {most} frames, got"
            f" {count}.",
        )


def _check_data(
    url: str, kind: MediaKind, limits: MediaLimits, profile: ChatProfile
) -> None:
    """Check the size and the format of a ``data:`` URL."""
    head, _, data = url.partition(",")
    noun = _NOUNS[kind]
    if limits.inline is False:
        refuse_or_warn(
            profile, f"{profile.id} accepts {noun} input as a public URL only."
        )
    encoded, raw = limits.max_encoded_megabytes, limits.max_inline_megabytes
    if encoded is not None and len(data) > encoded * _MEGABYTE:
        refuse_or_warn(
            profile,
            f"The base64 text of {noun} input may have {encoded} MB for {profile.id},"
            f" got {len(data) / _MEGABYTE:.1f} MB.",
        )
    size = len(data) // 4 * 3 - data[-2:].count("=")
    if raw is not None and size > raw * _MEGABYTE:
        refuse_or_warn(
            profile,
            f"{noun} input may have {raw} MB as base64 for {profile.id}, got"
            f" {size / _MEGABYTE:.1f} MB.",
        )
    mime_type = normalize_mime_type(head[5:])
    is_listed = audio_format(mime_type) in set(map(audio_format, limits.formats))
    if limits.formats and kind_of(mime_type) == kind and not is_listed:
        formats = ", ".join(sorted(limits.formats))
        refuse_or_warn(
            profile,
            f"{profile.id} does not support {mime_type}. It supports {formats}.",
        )
