"""Helpers of these tests: what a prompt becomes on the wire."""

import base64
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest

from tests.support.calls import CALL_STYLES, CallStyle, call
from tests.support.media_server import MediaServer, Sent, serve_media
from tests.support.models import FRAMEWORKS, PROTOCOLS, Protocol, model

__all__ = [
    "AUDIO_BYTES",
    "CASES",
    "EVERY_CALL",
    "JPEG_BYTES",
    "MP4_BYTES",
    "PDF_BYTES",
    "PNG_BYTES",
    "base64_of",
    "chat_through",
    "content_of",
    "sent_by",
]

PNG_BYTES = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(20)
JPEG_BYTES = b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(20)
MP4_BYTES = b"\0\0\0\x20ftypisom" + bytes(40)
AUDIO_BYTES = b"RIFF\x24\0\0\0WAVEfmt " + bytes(40)
PDF_BYTES = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(20)

CASES = pytest.mark.parametrize(
    ("framework", "protocol"), list(product(FRAMEWORKS, PROTOCOLS))
)
EVERY_CALL = pytest.mark.parametrize(
    ("style", "protocol"),
    list(product(CALL_STYLES, PROTOCOLS)),
    ids=str,
)


def base64_of(data: bytes) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(data).decode()


async def chat_through(
    server: MediaServer,
    style: CallStyle,
    protocol: Protocol,
    messages: Sequence[Any],
    **arguments: Any,
) -> None:
    """Send a prompt to a server and read the answer."""
    llm = model(style.framework, server.base_url, protocol, **arguments)
    await call(llm, style, list(messages))


def sent_by(
    framework: str, protocol: Protocol, messages: Sequence[Any], **arguments: Any
) -> Sent:
    """Send a prompt with one call and return the request."""
    with serve_media() as server:
        llm: Any = model(
            "LangChain" if framework == "LangChain" else "LlamaIndex",
            server.base_url,
            protocol,
            **{"model": "qwen3.8-max", **arguments},
        )
        send = llm.invoke if framework == "LangChain" else llm.chat
        send(list(messages))
        return server.chat


def content_of(request: Sent, number: int = -1) -> list[dict[str, Any]]:
    """Return the content parts of a message."""
    content = request.messages[number]["content"]
    assert isinstance(content, list)
    return content
