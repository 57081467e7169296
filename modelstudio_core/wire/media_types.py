"""MIME types of media: from the first bytes, from a name, and the names of formats."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

__all__ = [
    "ANY_BYTES",
    "HEAD_BYTES",
    "MEDIA_KINDS",
    "NO_BASE64",
    "USUAL_TYPE",
    "MediaKind",
    "audio_format",
    "bare_base64_type",
    "base64_problem",
    "base64_start",
    "is_cut_base64",
    "kind_of",
    "mime_type_of_base64",
    "mime_type_of_bytes",
    "mime_type_of_format",
    "mime_type_of_name",
    "normalize_mime_type",
    "split_url",
]

MediaKind = Literal["image", "video", "audio", "pdf"]
MEDIA_KINDS: Final[tuple[MediaKind, ...]] = ("image", "video", "audio", "pdf")

# The MIME type that says nothing about the bytes.
ANY_BYTES: Final = "application/octet-stream"
_PDF: Final = "application/pdf"
# How many bytes of a file, and characters of its base64, show the type.
HEAD_BYTES: Final = 48
_HEAD_CHARACTERS: Final = 64
# What a file is sent as whose type is not known.
USUAL_TYPE: Final[Mapping[MediaKind, str]] = {
    "image": "image/png",
    "video": "video/mp4",
    "audio": "audio/wav",
    "pdf": _PDF,
}
# How much of the two ends of base64 text is looked at: more than a line of an e-mail.
_END_CHARACTERS: Final = 80
# The first and the last characters of base64 text, next to each other.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_SPACE: Final = re.compile(r"\s")
NO_BASE64: Final = "has characters that base64 does not have"
# How long the beginning of a `data:` URL before its data may be.
_MAX_HEAD: Final = 200
# Shorter text that begins like base64 of a file may be a path.
_SHORTEST_BASE64: Final = 32
_TYPE_OF_SUFFIX: Final[Mapping[str, str]] = {
    "3gp": "audio/3gpp",
    "3gpp": "audio/3gpp",
    "aac": "audio/aac",
    "amr": "audio/amr",
    "avi": "video/x-msvideo",
    "bmp": "image/bmp",
    "csv": "text/csv",
    "flac": "audio/flac",
    "flv": "video/x-flv",
    "gif": "image/gif",
    "heic": "image/heic",
    "htm": "text/html",
    "html": "text/html",
    "ico": "image/x-icon",
    "jpe": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "md": "text/markdown",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "mpga": "audio/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/opus",
    "pdf": _PDF,
    "png": "image/png",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "wmv": "video/x-ms-wmv",
    "xml": "application/xml",
}
_TYPE_OF_NAME: Final[Mapping[str, str]] = {
    "application/x-pdf": _PDF,
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-ms-bmp": "image/bmp",
    "image/x-png": "image/png",
}
_SIGNATURES: Final = (
    (rb"\x89PNG\r\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"GIF8", "image/gif"),
    (rb"BM.{4}\0{4}", "image/bmp"),
    (rb"II\*\0|MM\0\*", "image/tiff"),
    (rb"\0\0\x01\0", "image/x-icon"),
    (rb"RIFF.{4}WEBP", "image/webp"),
    (rb"RIFF.{4}WAVE", "audio/wav"),
    (rb"RIFF.{4}AVI ", "video/x-msvideo"),
    (rb".{4}ftyp(hei[cxms]|hevc|mif1|msf1)", "image/heic"),
    (rb".{4}ftypM4A", "audio/mp4"),
    (rb".{4}ftypqt", "video/quicktime"),
    # A container of video and of audio: the suffix of audio files is .3gp too.
    (rb".{4}ftyp3g", "audio/3gpp"),
    (rb".{4}ftyp", "video/mp4"),
    (rb"\x1aE\xdf\xa3.*?webm", "video/webm"),
    (rb"\x1aE\xdf\xa3", "video/x-matroska"),
    (rb"FLV\x01", "video/x-flv"),
    (rb"\x30\x26\xb2\x75", "video/x-ms-wmv"),
    (rb"\0\0\x01[\xb3\xba]", "video/mpeg"),
    (rb"%PDF-", _PDF),
    (rb"#!AMR", "audio/amr"),
    (rb"OggS", "audio/ogg"),
    (rb"fLaC", "audio/flac"),
    # The two bits of the layer are 00 in AAC and never in MP3.
    (rb"\xff[\xf0\xf1\xf8\xf9]", "audio/aac"),
    (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "audio/mpeg"),
    (rb"\s*(<\?xml[^>]*>\s*)?<svg", "image/svg+xml"),
)
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.DOTALL), mime_type) for pattern, mime_type in _SIGNATURES
)
# Names of audio formats that differ from the second part of the MIME type.
_FORMAT_OF_TYPE: Final[Mapping[str, str]] = {
    "3gpp": "3gp",
    "aacp": "aac",
    "mpeg": "mp3",
    "mpeg-3": "mp3",
    "mpeg3": "mp3",
    "mpga": "mp3",
    "pn-wav": "wav",
    "vnd.wave": "wav",
    "wave": "wav",
    "m4a": "m4a",
    "mp4": "m4a",
}
_KIND_OF_CONTAINER: Final = {"video/mp4", "video/webm", "audio/3gpp", "audio/ogg"}


def normalize_mime_type(mime_type: str) -> str:
    """Return a MIME type in lower case, without parameters, by its usual name.

    Example:
        >>> normalize_mime_type("image/JPG")
        'image/jpeg'
    """
    name = mime_type.partition(";")[0].strip().lower()
    return _TYPE_OF_NAME.get(name, name)


def kind_of(mime_type: str) -> MediaKind | None:
    """Return the kind of media of a MIME type, None for another one.

    Example:
        >>> kind_of("application/pdf"), kind_of("text/plain")
        ('pdf', None)
    """
    name = normalize_mime_type(mime_type)
    if name == _PDF:
        return "pdf"
    family = name.partition("/")[0]
    return next((kind for kind in MEDIA_KINDS if kind == family), None)


def mime_type_of_bytes(head: bytes, kind: MediaKind | None = None) -> str | None:
    r"""Return the MIME type that the first bytes of a file show, else None.

    Args:
        head: The first bytes, of which there may be more than are needed.
        kind: What the file is expected to be: some containers hold video or audio.

    Example:
        >>> mime_type_of_bytes(b"%PDF-1.7\n")
        'application/pdf'
    """
    head = head[:HEAD_BYTES]
    for pattern, mime_type in _PATTERNS:
        if pattern.match(head):
            if kind in {"video", "audio"} and mime_type in _KIND_OF_CONTAINER:
                return f"{kind}/{mime_type.partition('/')[2]}"
            return mime_type
    return None


def mime_type_of_base64(text: str, kind: MediaKind | None = None) -> str | None:
    """Return the MIME type that the beginning of base64 text shows, else None.

    Args:
        text: The base64 text of a file.
        kind: What the file is expected to be.

    Example:
        >>> mime_type_of_base64("iVBORw0KGgo=")
        'image/png'
    """
    head = text[:_HEAD_CHARACTERS].rstrip("=")
    try:
        decoded = base64.b64decode(head[: len(head) // 4 * 4])
    except (binascii.Error, ValueError):
        return None
    return mime_type_of_bytes(decoded, kind)


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL, which are empty if it has no valid host.

    Args:
        url: A URL that somebody else wrote.

    Example:
        >>> split_url("https://[bad/a.png").path
        ''
    """
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def base64_problem(text: str, start: int = 0) -> str | None:
    """Return why a text is no base64, None if nothing is seen.

    Only the first and the last characters are looked at: the text may have megabytes.

    Args:
        text: The text.
        start: Where the base64 text begins in it.

    Example:
        >>> base64_problem("iVBORw0KGgo=")
        >>> base64_problem("not base64!!")
        'has characters that base64 does not have'
    """
    ends = _ends_of(text, start)
    if ends.startswith(("b'", 'b"')):
        return (
            "begins with b', as str() of bytes does: make it with"
            " base64.b64encode(data).decode()"
        )
    if not ends.strip():
        return "is empty"
    return None if _BASE64.fullmatch(ends) else NO_BASE64


def is_cut_base64(text: str, start: int = 0) -> bool:
    """Return whether base64 text without line breaks lacks some of its characters.

    Their number is a multiple of four.

    Args:
        text: The text.
        start: Where the base64 text begins in it.

    Example:
        >>> is_cut_base64("iVBORw0KGgo="), is_cut_base64("iVBORw0KGgo")
        (False, True)
    """
    return (len(text) - start) % 4 != 0 and not _SPACE.search(_ends_of(text, start))


def _ends_of(text: str, start: int) -> str:
    middle = start + _END_CHARACTERS
    return text[start:middle] + text[max(middle, len(text) - _END_CHARACTERS) :]


def base64_start(url: str) -> int | None:
    """Return where the base64 text of a ``data:`` URL begins; None if it has none.

    Args:
        url: The URL.

    Example:
        >>> base64_start("data:image/png;base64,iVBORw0KGgo=")
        22
        >>> base64_start("data:,text")
    """
    head, comma, _ = url[:_MAX_HEAD].partition(",")
    is_base64 = comma and head.lower().endswith(";base64")
    return len(head) + 1 if is_base64 else None


def bare_base64_type(text: str, kind: MediaKind) -> str | None:
    """Return the MIME type of a text that is base64 of a kind of media and no path.

    Args:
        text: Base64 text without a prefix, or the path of a file.
        kind: What the file is expected to be.

    Example:
        >>> bare_base64_type("iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB", "image")
        'image/png'
        >>> bare_base64_type("photo.png", "image")
    """
    if len(text) < _SHORTEST_BASE64 or base64_problem(text) or is_cut_base64(text):
        return None
    found = mime_type_of_base64(text, kind)
    return found if found and kind_of(found) == kind else None


def mime_type_of_format(name: str, kind: MediaKind) -> str:
    """Return the MIME type of a format that a block names, such as ``"png"``.

    Args:
        name: The name of the format.
        kind: What the file is; ``"pdf"`` for any document.

    Example:
        >>> mime_type_of_format("mp4", "audio"), mime_type_of_format("docx", "pdf")
        ('audio/mp4', 'application/docx')
    """
    name = name.lower()
    found = _TYPE_OF_SUFFIX.get(name)
    if found and (kind == "pdf" or kind_of(found) == kind):
        return found
    return f"{'application' if kind == 'pdf' else kind}/{name}"


def mime_type_of_name(name: str) -> str | None:
    """Return the MIME type that the suffix of a file's name or URL shows, else None.

    Example:
        >>> mime_type_of_name("https://example.com/a.mp3?x=1")
        'audio/mpeg'
    """
    path = split_url(name).path or name
    _, dot, suffix = path.rpartition(".")
    return _TYPE_OF_SUFFIX.get(suffix.lower()) if dot else None


def audio_format(mime_type: str) -> str:
    """Return the name of an audio format in a request, from its MIME type.

    Example:
        >>> audio_format("audio/mpeg"), audio_format("audio/x-wav")
        ('mp3', 'wav')
    """
    name = normalize_mime_type(mime_type).rpartition("/")[2].removeprefix("x-")
    return _FORMAT_OF_TYPE.get(name, name)
