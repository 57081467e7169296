"""The server that all clients are measured against, in its own process.

The URL says what is sent: ``/{tag}/{deltas}/{pace}/{batch}/`` and then the service's
own path. ``pace`` is the number of milliseconds between deltas; with 0 they are sent as
fast as the client reads. ``batch`` is the number of events per write. Requests are
counted by ``tag``: ``GET /counts/{tag}`` returns the counts.
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

from benchmarks import responses

_HOST = "127.0.0.1"
_ROUTE = "/{tag}/{deltas}/{pace}/{batch}/{path:.*}"


@dataclass
class _Counts:
    connections: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    open: int = 0
    most_open: int = 0


_counts: defaultdict[str, _Counts] = defaultdict(_Counts)


async def _handle(request: web.Request) -> web.StreamResponse:
    counts = _counts[request.match_info["tag"]]
    if request.transport is not None:
        counts.connections.add(request.transport.get_extra_info("peername"))
    counts.open += 1
    counts.most_open = max(counts.open, counts.most_open)
    try:
        return await _respond(request)
    finally:
        counts.open -= 1


async def _respond(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    deltas = int(request.match_info["deltas"])
    dashscope = "/api/v1/" in request.path
    if dashscope:
        streams = request.headers.get("X-DashScope-SSE") == "enable"
    else:
        streams = bool(body.get("stream"))
    if not streams:
        make_body = responses.dashscope_body if dashscope else responses.openai_body
        return web.Response(
            body=make_body(deltas), content_type="application/json", headers=_headers()
        )
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream;charset=UTF-8", **_headers()}
    )
    await response.prepare(request)
    make_events = responses.dashscope_stream if dashscope else responses.openai_stream
    pace, batch = float(request.match_info["pace"]), int(request.match_info["batch"])
    if pace:
        await _send_paced(response, make_events(deltas), pace / 1000)
    else:
        await _send(response, make_events(deltas), batch)
    await response.write_eof()
    return response


def _headers() -> dict[str, str]:
    return {"x-request-id": responses.REQUEST_ID}


async def _send(
    response: web.StreamResponse, events: Sequence[bytes], batch: int
) -> None:
    for start in range(0, len(events), batch):
        await response.write(b"".join(events[start : start + batch]))


async def _send_paced(
    response: web.StreamResponse, events: Sequence[bytes], pace: float
) -> None:
    """Send one event per write; when late, all that are due in one, as networks do."""
    clock = asyncio.get_running_loop().time
    start, sent = clock(), 0
    while sent < len(events):
        due = min(int((clock() - start) / pace) + 1, len(events))
        await response.write(b"".join(events[sent:due]))
        sent = due
        await asyncio.sleep(start + sent * pace - clock())


async def _pop_counts(request: web.Request) -> web.Response:
    counts = _counts.pop(request.match_info["tag"], _Counts())
    return web.json_response(
        {"connections": len(counts.connections), "most_open": counts.most_open}
    )


async def _serve(folder: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate: Any = authority.issue_cert(_HOST, "localhost")
    certificate.configure_cert(context)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    app = web.Application()
    app.router.add_get("/counts/{tag}", _pop_counts)
    app.router.add_post(_ROUTE, _handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    plain = web.TCPSite(runner, _HOST, 0, backlog=1024)
    secure = web.TCPSite(runner, _HOST, 0, backlog=1024, ssl_context=context)
    for site in (plain, secure):
        await site.start()
    ports = [address[1] for address in runner.addresses]
    addresses = {"http": ports[0], "https": ports[1], "ca_file": str(ca_file)}
    sys.stdout.write(json.dumps(addresses) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


def main() -> None:
    """Write the ports to standard output, and serve until standard input ends."""
    with TemporaryDirectory() as folder:
        asyncio.run(_serve(Path(folder)))


if __name__ == "__main__":
    main()
