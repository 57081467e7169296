"""The ASGI application: routes, headers, and responses that are sent step by step."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, cast

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelstudio_core._version import __version__
from modelstudio_core.catalog import (
    MEDIA_FORMS,
    MULTIMODAL_EMBEDDING_PATH,
    SYNC_MEDIA_PATH,
    NativePath,
    model_ids,
    resolve_model,
)
from modelstudio_core.emulator.json_values import is_object
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.dashscope import DashScopeProtocol
from modelstudio_core.emulator.protocols.faults import build_refusal
from modelstudio_core.emulator.protocols.openai import OpenAIProtocol
from modelstudio_core.emulator.protocols.steps import Cut, Head, Pause, Step
from modelstudio_core.emulator.rules.files import MAX_BATCH_FILE_BYTES
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import OWN, sourced
from modelstudio_core.emulator.rules.tasks import RESULT_PATH
from modelstudio_core.emulator.services.batches import BatchService
from modelstudio_core.emulator.services.chat import ChatService
from modelstudio_core.emulator.services.embeddings import EmbeddingService
from modelstudio_core.emulator.services.files import FileService
from modelstudio_core.emulator.services.models import ModelService
from modelstudio_core.emulator.services.rerank import RerankService
from modelstudio_core.emulator.services.storage import (
    MAX_UPLOAD_BYTES,
    UPLOAD_PATH,
    StorageService,
)
from modelstudio_core.emulator.services.task_files import ResultService
from modelstudio_core.emulator.services.tasks import TaskService
from modelstudio_core.emulator.studio import RecordedRequest, ResponseContext, Studio

__all__ = ["Abort", "build_app"]

Abort = Callable[[tuple[str, int]], None]
_Responder = Callable[[RecordedRequest, ResponseContext], list[Step]]

_OPENAI: Final = "/compatible-mode/v1"
_FILES: Final = f"{_OPENAI}/files"
_BATCHES: Final = f"{_OPENAI}/batches"
_DASHSCOPE: Final = "/api/v1"
_RERANK: Final = "/compatible-api/v1"
_SERVICES: Final = f"{_DASHSCOPE}/services"
_TEXT_EMBEDDING: Final = "embeddings/text-embedding/text-embedding"
_TEXT_RERANK: Final = "rerank/text-rerank/text-rerank"
# The paths that accept a larger body than the emulator's limit.
_UPLOADS: Final = {
    UPLOAD_PATH: MAX_UPLOAD_BYTES,
    _FILES: MAX_BATCH_FILE_BYTES + 64 * 1024,
}
_TEXT_GENERATION: Final = "aigc/text-generation/generation"
_TASK_LIST: Final = f"{_DASHSCOPE}/tasks"
# The paths that only create tasks.
_TASKS: Final = sorted(
    {
        *(resolve_model(name).native_path or "" for name in model_ids("media")),
        *MEDIA_FORMS,
    }
    - {"", SYNC_MEDIA_PATH, _TEXT_EMBEDDING}
)
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_DISCONNECT: Final = "http.disconnect"
_OPENAI_ERRORS: Final = OpenAIProtocol()
_DASHSCOPE_ERRORS: Final = DashScopeProtocol("text-generation")
_LOGGER: Final = logging.getLogger("modelstudio.emulator")


def build_app(studio: Studio, abort: Abort) -> ASGIApp:
    """Build the application of an emulator.

    Args:
        studio: The emulator's state.
        abort: Cuts the connection of a client, which is given as host and port.
    """

    def route(path: str, respond: _Responder, *methods: str) -> Route:
        return Route(path, partial(_endpoint, respond, abort), methods=methods)

    def dashscope_chat(path: NativePath) -> _Responder:
        return ChatService(studio, DashScopeProtocol(path)).respond

    tasks = TaskService(studio, _DASHSCOPE_ERRORS)
    results = ResultService(studio, _DASHSCOPE_ERRORS)
    openai, dashscope = OpenAIProtocol(), _DASHSCOPE_ERRORS
    chat = ChatService(studio, openai)
    models = ModelService(studio, openai, dashscope)
    storage = StorageService(studio, dashscope)
    embeddings = EmbeddingService(studio, openai, "openai")
    texts = EmbeddingService(studio, dashscope, "text")
    contents = EmbeddingService(studio, dashscope, "multimodal")
    files = FileService(studio, openai)
    batches = BatchService(studio, openai)
    flat_rerank = RerankService(studio, dashscope, flat=True)
    rerank = RerankService(studio, dashscope, flat=False)
    app = Starlette(
        routes=[
            route(f"{_OPENAI}/chat/completions", chat.respond, "POST"),
            route(f"{_OPENAI}/models", models.list_openai, "GET"),
            route(f"{_OPENAI}/models/{{id:path}}", models.show_openai, "GET"),
            route(_FILES, files.upload, "POST"),
            route(_FILES, files.list_files, "GET"),
            route(f"{_FILES}/{{id}}", files.show, "GET"),
            route(f"{_FILES}/{{id}}", files.delete, "DELETE"),
            route(f"{_FILES}/{{id}}/content", files.content, "GET"),
            route(_BATCHES, batches.create, "POST"),
            route(_BATCHES, batches.list_batches, "GET"),
            route(f"{_BATCHES}/{{id}}", batches.show, "GET"),
            route(f"{_BATCHES}/{{id}}/cancel", batches.cancel, "POST"),
            route(f"{_OPENAI}/embeddings", embeddings.respond, "POST"),
            route(
                f"{_SERVICES}/{_TEXT_EMBEDDING}",
                partial(_respond_by_kind, tasks.create, texts.respond),
                "POST",
            ),
            route(f"{_SERVICES}/{MULTIMODAL_EMBEDDING_PATH}", contents.respond, "POST"),
            route(f"{_RERANK}/reranks", flat_rerank.respond, "POST"),
            route(f"{_SERVICES}/{_TEXT_RERANK}", rerank.respond, "POST"),
            route(
                f"{_SERVICES}/{_TEXT_GENERATION}",
                dashscope_chat("text-generation"),
                "POST",
            ),
            route(
                f"{_SERVICES}/{SYNC_MEDIA_PATH}",
                partial(
                    _respond_by_kind,
                    tasks.create,
                    dashscope_chat("multimodal-generation"),
                ),
                "POST",
            ),
            *(route(f"{_SERVICES}/{path}", tasks.create, "POST") for path in _TASKS),
            *(
                route(url, tasks.list_all, "GET")
                for url in (_TASK_LIST, f"{_TASK_LIST}/")
            ),
            route(f"{_TASK_LIST}/{{id}}", tasks.show, "GET"),
            route(f"{_TASK_LIST}/{{id}}/cancel", tasks.cancel, "POST"),
            route(f"{RESULT_PATH}{{name}}", results.respond, "GET"),
            route(f"{_DASHSCOPE}/models", models.list_dashscope, "GET"),
            route(f"{_DASHSCOPE}/uploads", storage.respond, "GET"),
            route(UPLOAD_PATH, storage.receive, "POST"),
            route("/{path:path}", _not_found, *_METHODS),
        ]
    )
    return _RecordingMiddleware(app, studio)


def _respond_by_kind(
    media: _Responder,
    other: _Responder,
    request: RecordedRequest,
    context: ResponseContext,
) -> list[Step]:
    """Answer a request to a path that models of two kinds share."""
    body = request.body
    model = body.get("model") if is_object(body) else None
    profile = resolve_model(model if isinstance(model, str) else "")
    return (media if profile.kind == "media" else other)(request, context)


@sourced(OWN, "2026-11-27")
def _not_found(request: RecordedRequest, context: ResponseContext) -> list[Step]:
    refusal = Refusal(
        f"The emulator does not answer {request.method} {request.path}.",
        status=404,
        code="not_found",
        dashscope_code="NotFound",
        gateway=True,
    )
    return _refuse(refusal, request, context)


def _refuse(
    refusal: Refusal, request: RecordedRequest, context: ResponseContext
) -> list[Step]:
    """Write a refusal as the protocol that the path belongs to."""
    native = request.path.startswith(f"{_DASHSCOPE}/")
    protocol: ErrorProtocol = _DASHSCOPE_ERRORS if native else _OPENAI_ERRORS
    return build_refusal(refusal, protocol, context, stream=False)


async def _endpoint(
    respond: _Responder, abort: Abort, request: Request
) -> "_StepResponse":
    recorded: RecordedRequest = request.state.recorded
    context: ResponseContext = request.state.context
    if request.state.too_large:
        return _StepResponse(_refuse(_too_large(), recorded, context), abort)
    return _StepResponse(_respond(respond, recorded, context), abort)


def _respond(
    respond: _Responder, request: RecordedRequest, context: ResponseContext
) -> list[Step]:
    """Answer a request; what the emulator cannot read is a refusal of the service."""
    try:
        return respond(request, context)
    except Exception:
        _LOGGER.exception("The emulator could not read a request to %s", request.path)
        return _refuse(_unreadable(), request, context)


@sourced("Error codes", "2026-09-15")
def _too_large() -> Refusal:
    return Refusal(
        "Payload Too Large",
        code=None,
        dashscope_code="BadRequest.TooLarge",
        gateway=True,
    )


@sourced("Error codes", "2026-09-15")
def _unreadable() -> Refusal:
    return Refusal(
        "The request is invalid (emulator: its log says why).",
        code="invalid_value",
        gateway=True,
    )


class _RecordingMiddleware:
    """Records each request, and marks each response as the emulator's."""

    def __init__(self, app: ASGIApp, studio: Studio) -> None:
        self._app = app
        self._studio = studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._studio.max_body_bytes
        if most := _UPLOADS.get(scope["path"]):
            limit = max(limit, most)
        try:
            body = await _read_body(receive, limit)
        except ClientDisconnect:  # it sent a part of a request, which asks for nothing
            return
        recorded, context = self._studio.record(
            scope["method"],
            scope["path"],
            dict(Headers(scope=scope).items()),
            body or b"",
            dict(QueryParams(scope["query_string"])),
        )
        state = scope.setdefault("state", {})
        state.update(recorded=recorded, context=context, too_large=body is None)
        await self._app(scope, receive, _add_headers(send, context))


def _add_headers(send: Send, context: ResponseContext) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-modelstudio-emulator"] = __version__
            headers["x-request-id"] = context.request_id
        await send(message)

    return send_with_headers


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Read a body; None for one that is too large, of which nothing is kept.

    Raises:
        ClientDisconnect: The client disconnected before the end of the body.
    """
    pieces, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == _DISCONNECT:
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
        else:
            pieces.clear()
        more = message.get("more_body", False)
    return b"".join(pieces) if size <= limit else None


class _StepResponse:
    """A response that is sent step by step, until the client disconnects."""

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
                    # Writes go on without a pause, and asyncio logs a warning for each
                    # that follows a failed one: let the event loop close the
                    # connection, after which nothing is written.
                    await asyncio.sleep(0)
                case Pause(seconds):
                    if await _is_disconnected(receive, seconds):
                        return
                case Cut():
                    self._abort(cast("tuple[str, int]", scope["client"]))
                    await _is_disconnected(receive, None)
                    return
        await _send_body(send, b"", more=False)


def _send_body(send: Send, body: bytes, *, more: bool) -> Awaitable[None]:
    return send({"type": "http.response.body", "body": body, "more_body": more})


async def _is_disconnected(receive: Receive, seconds: float | None) -> bool:
    """Wait some seconds; return early, with True, when the client disconnects."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != _DISCONNECT:
                pass
            return True
    return False
