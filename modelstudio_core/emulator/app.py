"""The HTTP application: routes, headers, and responses that are sent step by step."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, cast

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelstudio_core._version import __version__
from modelstudio_core.emulator.json_values import dump
from modelstudio_core.emulator.model.query import Refusal
from modelstudio_core.emulator.protocols.base import Stamp, Wire
from modelstudio_core.emulator.protocols.dashscope import Native
from modelstudio_core.emulator.protocols.dashscope_request import NativePath
from modelstudio_core.emulator.protocols.faults import refuse_response
from modelstudio_core.emulator.protocols.openai import Compatible, models_body
from modelstudio_core.emulator.protocols.steps import Cut, Head, Pause, Step
from modelstudio_core.emulator.studio import RecordedRequest, Studio

__all__ = ["Abort", "build_app"]

Abort = Callable[[tuple[str, int]], None]
_Responder = Callable[[RecordedRequest, Stamp], list[Step]]

_COMPATIBLE: Final = "/compatible-mode/v1"
_NATIVE: Final = "/api/v1"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_GONE: Final = "http.disconnect"


def build_app(studio: Studio, abort: Abort) -> ASGIApp:
    """Build the application of a studio.

    Args:
        studio: What it answers from.
        abort: Cuts the connection of a client's address.
    """
    compatible = Compatible()

    def models(request: RecordedRequest, stamp: Stamp) -> list[Step]:
        return _models(studio, compatible, request, stamp)

    def route(path: str, respond: _Responder, *methods: str) -> Route:
        return Route(path, partial(_transmit, respond, abort), methods=methods)

    def native(path: NativePath) -> Route:
        chat = partial(studio.chat, Native(path))
        return route(f"{_NATIVE}/services/aigc/{path}/generation", chat, "POST")

    chat = partial(studio.chat, compatible)
    missing = partial(_not_found, compatible)
    missing_native = partial(_not_found, Native("text-generation"))
    app = Starlette(
        routes=[
            route(f"{_COMPATIBLE}/chat/completions", chat, "POST"),
            route(f"{_COMPATIBLE}/models", models, "GET"),
            native("text-generation"),
            native("multimodal-generation"),
            route(f"{_NATIVE}/{{path:path}}", missing_native, *_METHODS),
            route("/{path:path}", missing, *_METHODS),
        ]
    )
    return _Front(app, studio)


def _models(
    studio: Studio, wire: Wire, request: RecordedRequest, stamp: Stamp
) -> list[Step]:
    try:
        studio.check_key(request.headers)
    except Refusal as refusal:
        return refuse_response(refusal, wire, stamp, stream=False)
    body = dump(models_body()).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    return [Head(200, headers), body]


def _not_found(wire: Wire, request: RecordedRequest, stamp: Stamp) -> list[Step]:
    refusal = Refusal(
        f"The emulator does not answer {request.method} {request.path}.",
        status=404,
        code="not_found",
        native_code="NotFound",
        gateway=True,
    )
    return refuse_response(refusal, wire, stamp, stream=False)


async def _transmit(
    respond: _Responder, abort: Abort, request: Request
) -> "_Transmission":
    seen: RecordedRequest = request.state.recorded
    return _Transmission(respond(seen, request.state.stamp), abort)


class _Front:
    """Records each request, and marks each response as the emulator's."""

    def __init__(self, app: ASGIApp, studio: Studio) -> None:
        self._app = app
        self._studio = studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        headers = dict(Headers(scope=scope).items())
        recorded, stamp = self._studio.record(
            scope["method"], scope["path"], headers, body
        )
        scope.setdefault("state", {}).update(recorded=recorded, stamp=stamp)
        await self._app(scope, receive, _marking(send, stamp))


def _marking(send: Send, stamp: Stamp) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-modelstudio-emulator"] = __version__
            headers["x-request-id"] = stamp.request_id
        await send(message)

    return marked


async def _read_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


class _Transmission:
    """A response that goes through its steps, until the client is gone."""

    def __init__(self, steps: Sequence[Step], abort: Abort) -> None:
        self._steps = steps
        self._abort = abort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for step in self._steps:
            match step:
                case Head(status, headers):
                    raw = [(k.encode(), v.encode()) for k, v in headers.items()]
                    start = "http.response.start"
                    await send({"type": start, "status": status, "headers": raw})
                case bytes():
                    await _send_body(send, step, more=True)
                case Pause(seconds):
                    if await _is_gone(receive, seconds):
                        return
                case Cut():
                    self._abort(cast("tuple[str, int]", scope["client"]))
                    await _is_gone(receive, None)
                    return
        await _send_body(send, b"", more=False)


def _send_body(send: Send, body: bytes, *, more: bool) -> Awaitable[None]:
    return send({"type": "http.response.body", "body": body, "more_body": more})


async def _is_gone(receive: Receive, seconds: float | None) -> bool:
    """Wait until the client has gone, or so long; tell which came first."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != _GONE:
                pass
            return True
    return False
