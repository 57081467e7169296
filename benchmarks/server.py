"""The server that all clients are measured against, in a process of its own.

An address says what is served: ``/{tag}/{deltas}/{pace}/{batch}/`` before the service's
own path. The pace is in milliseconds a delta; zero is as fast as the client reads. A
batch is how many events one write holds. The tag names who asks: ``GET /seen/{tag}``
tells how many connections it opened.
"""

import asyncio
import json
import ssl
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trustme
from aiohttp import web

from benchmarks import answers

_HOST = "127.0.0.1"
_ROUTE = "/{tag}/{deltas}/{pace}/{batch}/{path:.*}"


@dataclass
class _Seen:
    """What a tag did."""

    connections: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    requests: int = 0
    open: int = 0
    most_open: int = 0


_seen: defaultdict[str, _Seen] = defaultdict(_Seen)


async def _answer(request: web.Request) -> web.StreamResponse:
    seen = _seen[request.match_info["tag"]]
    if request.transport is not None:
        seen.connections.add(request.transport.get_extra_info("peername"))
    seen.requests += 1
    seen.open += 1
    seen.most_open = max(seen.open, seen.most_open)
    try:
        return await _reply(request)
    finally:
        seen.open -= 1


async def _reply(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    deltas = int(request.match_info["deltas"])
    native = "/api/v1/" in request.path
    if native:
        streams = request.headers.get("X-DashScope-SSE") == "enable"
    else:
        streams = bool(body.get("stream"))
    if not streams:
        told = answers.native_whole(deltas) if native else answers.whole(deltas)
        return web.Response(
            body=told, content_type="application/json", headers=_headers()
        )
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream;charset=UTF-8", **_headers()}
    )
    await response.prepare(request)
    events = answers.native_stream(deltas) if native else answers.stream(deltas)
    pace, batch = float(request.match_info["pace"]), int(request.match_info["batch"])
    if pace:
        await _send_paced(response, events, pace / 1000)
    else:
        await _send(response, events, batch)
    await response.write_eof()
    return response


def _headers() -> dict[str, str]:
    return {"x-request-id": answers.REQUEST_ID}


async def _send(
    response: web.StreamResponse, events: Sequence[bytes], batch: int
) -> None:
    for start in range(0, len(events), batch):
        await response.write(b"".join(events[start : start + batch]))


async def _send_paced(
    response: web.StreamResponse, events: Sequence[bytes], pace: float
) -> None:
    """Send an event a write; when late, what is due together, as a network does."""
    clock = asyncio.get_running_loop().time
    begun, sent = clock(), 0
    while sent < len(events):
        due = min(int((clock() - begun) / pace) + 1, len(events))
        await response.write(b"".join(events[sent:due]))
        sent = due
        await asyncio.sleep(begun + sent * pace - clock())


async def _tell(request: web.Request) -> web.Response:
    seen = _seen.pop(request.match_info["tag"], _Seen())
    told = {
        "connections": len(seen.connections),
        "requests": seen.requests,
        "most_open": seen.most_open,
    }
    return web.json_response(told)


async def _serve(folder: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate: Any = authority.issue_cert(_HOST, "localhost")
    certificate.configure_cert(context)
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    app = web.Application()
    app.router.add_get("/seen/{tag}", _tell)
    app.router.add_post(_ROUTE, _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    plain = web.TCPSite(runner, _HOST, 0, backlog=1024)
    secure = web.TCPSite(runner, _HOST, 0, backlog=1024, ssl_context=context)
    for site in (plain, secure):
        await site.start()
    ports = [address[1] for address in runner.addresses]
    told = {"http": ports[0], "https": ports[1], "bundle": str(bundle)}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    # Until the one who started it goes away.
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


def main() -> None:
    """Serve until standard input ends; the ports are told on standard output."""
    with TemporaryDirectory() as folder:
        asyncio.run(_serve(Path(folder)))


if __name__ == "__main__":
    main()
