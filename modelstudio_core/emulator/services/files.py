"""Files: uploads, and the results of batches, on the OpenAI-compatible protocol.

Sources: the official pages "OpenAI compatible - File" and "OpenAI compatible - Batch"
(read 2026-11-27).
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, dump
from modelstudio_core.emulator.multipart import parse_form
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.faults import apply_fault, build_refusal
from modelstudio_core.emulator.protocols.steps import Step, complete_response
from modelstudio_core.emulator.rules.api_key import check_api_key
from modelstudio_core.emulator.rules.files import (
    EXTRACT,
    check_content,
    check_file_form,
    check_page_size,
    check_storage,
    file_not_found,
)
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.script import Fault
from modelstudio_core.emulator.stored_batches import BatchFile
from modelstudio_core.emulator.studio import RecordedRequest, ResponseContext, Studio

__all__ = ["FileService", "in_period", "page_of", "respond"]

_JSON: Final = {"content-type": "application/json;charset=UTF-8"}
# The times of filters are those of Beijing: a recorded filter fits no other zone.
_BEIJING: Final = timezone(timedelta(hours=8))
_ID_PREFIX: Final[Mapping[str, str]] = {"batch": "file-batch-", EXTRACT: "file-fe-"}
_Answer = Callable[[RecordedRequest, ResponseContext], JsonObject | bytes]


def respond(
    studio: Studio,
    protocol: ErrorProtocol,
    request: RecordedRequest,
    context: ResponseContext,
    answer: _Answer,
) -> list[Step]:
    """Answer a request about files or batches by a scripted fault, else by the rules.

    Args:
        studio: The emulator's state.
        protocol: How errors are written.
        request: The request.
        context: The ids of the response.
        answer: Builds the body, JSON or bytes; raises a refusal.
    """
    fault = studio.script[0] if studio.script else None
    try:
        if isinstance(fault, Fault):
            studio.script.popleft()
            is_answered = fault.kind != "status"
            steps = _written(answer(request, context)) if is_answered else []
            return apply_fault(fault, steps, protocol, context)
        check_api_key(request.headers, studio.api_key)
        return _written(answer(request, context))
    except Refusal as refusal:
        return build_refusal(refusal, protocol, context, stream=False)


def _written(body: JsonObject | bytes) -> list[Step]:
    if isinstance(body, bytes):
        headers = {"content-type": "application/octet-stream"}
        return complete_response(200, headers, body)
    return complete_response(200, _JSON, dump(body).encode())


class FileService:
    """Keeps the files of batches, and those that models read."""

    def __init__(self, studio: Studio, protocol: ErrorProtocol) -> None:
        """Set where the files are kept.

        Args:
            studio: The emulator's state.
            protocol: How errors are written.
        """
        self._studio = studio
        self._protocol = protocol

    def upload(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``POST /files``."""
        return respond(self._studio, self._protocol, request, context, self._upload)

    def list_files(
        self, request: RecordedRequest, context: ResponseContext
    ) -> list[Step]:
        """Answer ``GET /files``, newest first."""
        return respond(self._studio, self._protocol, request, context, self._list)

    def show(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``GET /files/{id}``."""
        return respond(self._studio, self._protocol, request, context, self._show)

    def content(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``GET /files/{id}/content``."""
        return respond(self._studio, self._protocol, request, context, self._content)

    def delete(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``DELETE /files/{id}``."""
        return respond(self._studio, self._protocol, request, context, self._delete)

    def _upload(self, request: RecordedRequest, context: ResponseContext) -> JsonObject:
        fields = parse_form(context.raw, request.headers.get("content-type", ""))
        purpose, file = check_file_form(fields)
        files = self._studio.files
        size = sum(len(stored.content) for stored in files.values())
        check_storage(len(files) + 1, size + len(file.value))
        digest = hashlib.sha256(context.request_id.encode()).hexdigest()
        stored = BatchFile(
            id=f"{_ID_PREFIX[purpose]}{digest[:24]}",
            name=file.filename or "",
            purpose=purpose,
            content=file.value,
            created=int(self._studio.now()),
        )
        files[stored.id] = stored
        return _write(stored)

    def _list(self, request: RecordedRequest, _: ResponseContext) -> JsonObject:
        query = request.query
        found = [
            _write(file)
            for file in reversed(self._studio.files.values())
            if in_period(file.created, query)
            and query.get("purpose") in {None, file.purpose}
        ]
        page, has_more = page_of(found, query)
        return {"object": "list", "data": page, "has_more": has_more}

    def _show(self, request: RecordedRequest, _: ResponseContext) -> JsonObject:
        return _write(self._find(request))

    def _content(self, request: RecordedRequest, _: ResponseContext) -> bytes:
        file = self._find(request)
        check_content(file.id)
        return file.content

    def _delete(self, request: RecordedRequest, _: ResponseContext) -> JsonObject:
        file = self._find(request)
        del self._studio.files[file.id]
        return {"object": "file", "deleted": True, "id": file.id}

    def _find(self, request: RecordedRequest) -> BatchFile:
        file_id = request.path.partition("/files/")[2].partition("/")[0]
        file = self._studio.files.get(file_id)
        if file is None:
            raise file_not_found(file_id)
        return file


def _write(file: BatchFile) -> JsonObject:
    return {
        "id": file.id,
        "object": "file",
        "bytes": len(file.content),
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
        "created_at": file.created,
    }


def in_period(created: float, query: Mapping[str, str]) -> bool:
    """Return whether something was created between the two times of a query.

    Args:
        created: When it was created, in seconds since 1970.
        query: The query, with ``create_after`` and ``create_before``.
    """
    after, before = (_time(query.get(f"create_{name}")) for name in ("after", "before"))
    return (after is None or created >= after) and (before is None or created <= before)


def _time(text: str | None) -> float | None:
    if not text:
        return None
    try:
        time = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=_BEIJING)
    except ValueError:
        return None
    return time.timestamp()


def page_of(
    found: list[JsonObject], query: Mapping[str, str]
) -> tuple[list[JsonObject], bool]:
    """Return a page of a list, and whether there are others after it.

    Args:
        found: All objects, in their order.
        query: The query, with ``after`` and ``limit``.
    """
    limit = check_page_size(query.get("limit"))
    ids = [item["id"] for item in found]
    after = query.get("after")
    start = ids.index(after) + 1 if after in ids else 0
    return found[start : start + limit], len(found) > start + limit
