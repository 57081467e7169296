"""A server whose answers never end, are huge, or are odd. It is a process of its own.

``python -m tests.attack.server`` prints its port. The first part of a request's path is
the name of the attack.
"""

import json
import os
import re
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import unquote

# The limits of the client.
IS_FULL: Final = os.environ.get("MODELSTUDIO_ATTACK") == "full"
EVENT_BYTES: Final = 2**24 if IS_FULL else 2**20
RESPONSE_BYTES: Final = 2**28 if IS_FULL else 2**25
_BLOCK: Final = 2**16
_EVENTS: Final = b"content-type: text/event-stream\r\n"
_JSON: Final = b"content-type: application/json\r\n"
_SLOW: Final = 0.02


def bomb(levels: int = 1) -> Iterator[bytes]:
    """Yield a compressed body without an end, a thousand times larger when decoded.

    Args:
        levels: How often it is compressed.
    """
    first, rest = b"", b" " * 2**22
    for _ in range(levels):
        compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        # After a full flush the same bytes can follow again and again.
        first, rest = (
            compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)
            for data in (first + rest, rest)
        )
        rest *= 50
    yield first
    while True:
        yield rest


def wide(size: int) -> Iterator[bytes]:
    """Yield a list of lists with a size in bytes, in large pieces."""
    yield b"["
    for _ in range(size // _BLOCK):
        yield b"[]," * (_BLOCK // 3)
    yield b"[]]"


def repeat(block: bytes) -> Iterator[bytes]:
    """Yield a block in large pieces, without an end."""
    piece = block * max(1, _BLOCK // len(block))
    while True:
        yield piece


def slowly(block: bytes) -> Iterator[bytes]:
    """Yield a block again and again, with a wait."""
    while True:
        yield block
        time.sleep(_SLOW)


def silence() -> Iterator[bytes]:
    """Yield nothing."""
    time.sleep(60)
    yield b""


def event(protocol: str, text: str) -> bytes:
    """Return a complete answer as one server-sent event."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body: object = {"id": "x", "choices": [{**choice, "delta": message}]}
    if protocol == "dashscope":
        body = {"output": {"choices": [choice]}, "request_id": "x"}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def calls(protocol: str, count: int) -> bytes:
    """Return an answer of very many tool calls."""
    function = {"name": "f", "arguments": "{}"}
    tools = [
        {"id": f"c{i}", "type": "function", "function": function} for i in range(count)
    ]
    message = {"role": "assistant", "content": "", "tool_calls": tools}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    body: object = {"id": "x", "choices": [choice]}
    if protocol == "dashscope":
        body = {"output": {"choices": [choice]}, "request_id": "x"}
    return json.dumps(body).encode()


def answer(  # noqa: C901, PLR0912, PLR0915 - one case an attack
    name: str, protocol: str, *, stream: bool
) -> Iterator[bytes]:
    """Yield the bytes of an answer: its head and its body."""
    kind = _EVENTS if stream else _JSON
    gzip = b"content-encoding: gzip\r\n"
    match name:
        case "gzip bomb":
            yield head(200, kind + gzip)
            yield from bomb()
        case "nested gzip bomb":
            yield head(200, kind + b"content-encoding: gzip, gzip\r\n")
            yield from bomb(2)
        case "unknown encoding":
            yield head(200, kind + b"content-encoding: br\r\n")
            yield from repeat(b"\0")
        case "endless answer":
            yield head(200, kind)
            yield b'{"a": "'
            yield from repeat(b"a")
        case "endless line":
            yield head(200, _EVENTS)
            yield b"data: "
            yield from repeat(b"a")
        case "endless comments":
            yield head(200, _EVENTS)
            yield from repeat(b": keep-alive\n\n")
        case "endless empty events":
            yield head(200, _EVENTS)
            yield from repeat(b"data:\n\n")
        case "endless blank lines":
            yield head(200, _EVENTS)
            yield from repeat(b"\n")
        case "endless error":
            yield head(400, _JSON)
            yield from repeat(b"a")
        case "gzip bomb as error":
            yield head(500, _JSON + gzip)
            yield from bomb()
        case "endless headers":
            yield b"HTTP/1.1 200 OK\r\n"
            yield from repeat(b"x-a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
        case "endless trailers":
            yield head(200, kind + b"transfer-encoding: chunked\r\n")
            yield b"1\r\n{\r\n0\r\n"
            yield from repeat(b"x-a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
        case "comments after the answer":
            yield head(200, _EVENTS)
            yield event(protocol, "The answer.")
            yield from repeat(b": keep-alive\n\n")
        case "informational responses" | "informational responses in total":
            yield from slowly(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        case "slow comments":
            yield head(200, _EVENTS)
            yield from slowly(b": keep-alive\n\n")
        case "slow headers" | "slow headers of an error":
            yield b"HTTP/1.1 %d X\r\nx-a: " % (429 if "error" in name else 200)
            yield from slowly(b"a")
        case "slow chunk" | "slow chunk of an error":
            status = 429 if "error" in name else 200
            yield head(status, kind + b"transfer-encoding: chunked\r\n") + b"1;a="
            yield from slowly(b"a")
        case "slow trailers":
            yield head(200, kind + b"transfer-encoding: chunked\r\n")
            yield b"1\r\n{\r\n0\r\nx-a: "
            yield from slowly(b"a")
        case "slow gzip" | "slow gzip of an error":
            yield head(429 if "error" in name else 200, kind + gzip)
            # The name of a file follows, which is no part of what is decoded.
            yield b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"
            yield from slowly(b"a")
        case "silence":
            yield head(200, kind)
            yield from silence()
        case "busy":
            yield head(429, b"retry-after: 30\r\ncontent-length: 2\r\n") + b"{}"
        case "slow error":
            yield head(429, _JSON)
            yield from slowly(b"x")
        case "silent error":
            yield head(429, _JSON)
            yield from silence()
        case "odd Retry-After":
            yield (
                head(
                    429,
                    b"retry-after: Mon, 01 Jan 99999999999 00:00:00 GMT\r\n"
                    b"content-length: 2\r\n",
                )
                + b"{}"
            )
        case "wide JSON":
            # As large as the limits allow: many values, and no end of them is needed.
            size = EVENT_BYTES if stream else RESPONSE_BYTES
            yield head(200, kind) + b"data: " * stream
            yield from wide(size - 2**10)
            yield b"\n\n" * stream
        case "wide JSON as error":
            yield head(400, _JSON)
            yield from wide(2**20 - 2**10)
        case "deep JSON after half a character":
            yield head(200, _JSON) + b'["\\ud83d",' + b"[" * 100_000
        case "deep JSON" | "deep JSON as error":
            status = 400 if "error" in name else 200
            yield head(status, _JSON + b"content-length: 100000\r\n") + b"[" * 100_000
        case "long error" | "markup as error":
            text = b'{"code": "InvalidParameter", "message": "%s"}' % (b"x" * 10**6)
            if name == "markup as error":
                text = b"<html" + b"<title" * 170_000
            yield head(400, _JSON + b"content-length: %d\r\n" % len(text)) + text
        case "many tool calls":
            body = calls(protocol, 300)
            yield head(200, _JSON + b"content-length: %d\r\n" % len(body)) + body
        case _:
            raise ValueError(name)


def head(status: int, headers: bytes) -> bytes:
    """Return the head of a response."""
    return b"HTTP/1.1 %d X\r\nconnection: close\r\n%s\r\n" % (status, headers)


def serve(connection: socket.socket) -> None:
    """Answer one request, until the client leaves."""
    with suppress(OSError), connection:
        connection.settimeout(60)
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(_BLOCK)
        top, _, body = request.partition(b"\r\n\r\n")
        sizes = re.findall(rb"(?i)content-length: (\d+)", top)
        while len(body) < int(sizes[0] if sizes else 0):
            body += connection.recv(_BLOCK)
        path = unquote(top.split()[1].decode())
        protocol = "dashscope" if "/services/" in path else "openai"
        stream = b"x-dashscope-sse" in top.lower() or b'"stream":true' in body.replace(
            b" ", b""
        )
        for piece in answer(path.split("/")[1], protocol, stream=stream):
            connection.sendall(piece)


def main() -> None:
    """Serve until the process is ended."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - its interface
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
