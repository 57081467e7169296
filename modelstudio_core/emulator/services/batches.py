"""Batches: files of requests that are answered as time goes on.

Their requests are answered by the emulator's own chat and embedding services. Sources:
the official page "OpenAI compatible - Batch" (read 2026-11-27) and recorded batches of
April 2026. The lines of an error file are not recorded: a script chooses their form.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from modelstudio_core.emulator.json_values import JsonObject, dump, is_object, parse
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.openai import CREATED, OpenAIProtocol
from modelstudio_core.emulator.protocols.steps import Head, Step
from modelstudio_core.emulator.rules.batches import (
    TEST_ENDPOINT,
    batch_not_found,
    check_batch_body,
    check_cancellation,
    check_rate,
    find_line_errors,
    parse_lines,
    window_seconds,
)
from modelstudio_core.emulator.rules.files import file_not_found
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import OWN, sourced
from modelstudio_core.emulator.script import BatchScript
from modelstudio_core.emulator.services.chat import ChatService
from modelstudio_core.emulator.services.embeddings import EmbeddingService
from modelstudio_core.emulator.services.files import in_period, page_of, respond
from modelstudio_core.emulator.stored_batches import BatchFile, StoredBatch
from modelstudio_core.emulator.studio import RecordedRequest, ResponseContext, Studio

__all__ = ["BatchService"]

# The list has the batches of the last 30 days (OpenAI compatible - Batch).
_LISTED_SECONDS: Final = 30 * 24 * 3600.0
_MAX_LISTED_FILES: Final = 20
_CREATIONS, _QUERIES, _LISTS = 1000, 1000, 100
_OK: Final = 200
_BAD_ROW: Final = "This row was scripted to fail (emulator)."
_TIMES: Final = (
    "in_progress_at",
    "expires_at",
    "finalizing_at",
    "completed_at",
    "failed_at",
    "expired_at",
    "cancelling_at",
    "cancelled_at",
)
_Respond = Callable[[RecordedRequest, ResponseContext], list[Step]]


class BatchService:
    """Keeps batches, and answers their requests."""

    def __init__(self, studio: Studio, protocol: ErrorProtocol) -> None:
        """Set where the batches are kept.

        Args:
            studio: The emulator's state.
            protocol: How errors are written.
        """
        self._studio = studio
        self._protocol = protocol
        # Replies and faults that are scripted for calls are not for batches.
        self._rows = replace(studio, script=deque(), requests=[])
        openai = OpenAIProtocol()
        embeddings = EmbeddingService(self._rows, openai, "openai")
        self._responders: dict[str, _Respond] = {
            "/v1/chat/completions": ChatService(self._rows, openai).respond,
            "/v1/embeddings": embeddings.respond,
        }
        self._calls: dict[str, deque[float]] = {}

    def create(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``POST /batches``."""
        return respond(self._studio, self._protocol, request, context, self._create)

    def show(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``GET /batches/{id}``."""
        return respond(self._studio, self._protocol, request, context, self._show)

    def list_batches(
        self, request: RecordedRequest, context: ResponseContext
    ) -> list[Step]:
        """Answer ``GET /batches``, newest first."""
        return respond(self._studio, self._protocol, request, context, self._list)

    def cancel(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``POST /batches/{id}/cancel``."""
        return respond(self._studio, self._protocol, request, context, self._cancel)

    def _create(self, request: RecordedRequest, context: ResponseContext) -> JsonObject:
        self._count("create", _CREATIONS)
        body = request.body if is_object(request.body) else {}
        check_batch_body(body)
        file = self._studio.files.get(body["input_file_id"])
        if file is None:
            raise file_not_found(body["input_file_id"])
        lines = parse_lines(file.content, body["endpoint"])
        script = self._studio.batch_script
        now = self._studio.now()
        batch = StoredBatch(
            id=f"batch_{context.request_id}",
            endpoint=body["endpoint"],
            input_file_id=file.id,
            window=body["completion_window"],
            expires=now + window_seconds(body["completion_window"]),
            metadata=body.get("metadata") or {},
            created=int(now),
            script=script.popleft() if script else BatchScript(),
            lines=[line for line in lines if is_object(line)],
            errors=find_line_errors(lines, body["endpoint"]),
        )
        self._studio.batches[batch.id] = batch
        return _write(batch)

    def _show(self, request: RecordedRequest, _: ResponseContext) -> JsonObject:
        self._count("retrieve", _QUERIES)
        return _write(self._find(request))

    def _list(self, request: RecordedRequest, _: ResponseContext) -> JsonObject:
        self._count("list", _LISTS)
        query, oldest = request.query, self._studio.now() - _LISTED_SECONDS
        files = [name for name in query.get("input_file_ids", "").split(",") if name]
        statuses = [name for name in query.get("status", "").split(",") if name]
        name = query.get("ds_name", "")
        found: list[JsonObject] = []
        for batch in reversed(self._studio.batches.values()):
            self._update(batch)
            if (
                batch.created >= oldest
                and in_period(batch.created, query)
                and (not files or batch.input_file_id in files[:_MAX_LISTED_FILES])
                and (not statuses or batch.status in statuses)
                and name in str(batch.metadata.get("ds_name", ""))
            ):
                found.append(_write(batch))
        page, has_more = page_of(found, query)
        return {
            "object": "list",
            # An empty list is null (recorded).
            "data": page or None,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": has_more,
        }

    def _cancel(self, request: RecordedRequest, _: ResponseContext) -> JsonObject:
        self._count("cancel", _QUERIES)
        batch = self._find(request)
        check_cancellation(batch.status)
        batch.status = "cancelling"
        body = _write(batch)
        # The answer does not have the time yet (recorded).
        batch.times["cancelling_at"] = int(self._studio.now())
        return body

    def _find(self, request: RecordedRequest) -> StoredBatch:
        batch_id = request.path.partition("/batches/")[2].partition("/")[0]
        batch = self._studio.batches.get(batch_id)
        if batch is None:
            raise batch_not_found(batch_id)
        self._update(batch)
        return batch

    def _count(self, name: str, limit: int) -> None:
        times = self._calls.setdefault(name, deque(maxlen=limit))
        now = self._studio.now()
        check_rate(times, now, limit)
        times.append(now)

    # --- Time -----------------------------------------------------------------------

    def _update(self, batch: StoredBatch) -> None:
        """Let a batch go on until now."""
        if batch.has_ended:
            return
        now = self._studio.now()
        if batch.errors:
            batch.status = "failed"
            batch.times["failed_at"] = batch.created
            return
        batch.times.setdefault("in_progress_at", batch.created)
        ends = batch.created + batch.script.seconds
        if batch.status == "cancelling":
            cancelled = batch.times["cancelling_at"]
            batch.times["cancelled_at"] = cancelled
            batch.status = "cancelled"
            self._finish(batch, _count_done(batch, cancelled))
        elif now >= min(ends, batch.expires):
            batch.status = "completed" if ends <= batch.expires else "expired"
            name = f"{batch.status}_at"
            batch.times[name] = batch.times["finalizing_at"] = int(min(ends, now))
            self._finish(batch, _count_done(batch, min(ends, batch.expires)))
        else:
            batch.status = "in_progress"
            done = _count_done(batch, now)
            batch.failed = sum(line < done for line in batch.script.bad_lines)
            batch.answered = done - batch.failed

    def _finish(self, batch: StoredBatch, done: int) -> None:
        """Write the files of a batch of which so many lines were answered."""
        answers: list[JsonObject] = []
        errors: list[JsonObject] = []
        for number, line in enumerate(batch.lines):
            if number in batch.script.missing_lines:
                continue
            if number >= done:
                if batch.status == "cancelled" or batch.script.writes_unfinished:
                    errors.append(_unfinished(line, batch.status))
                continue
            result = self._answer(batch, number, line)
            response: object = result["response"]
            failed = not is_object(response) or response["status_code"] != _OK
            (errors if failed else answers).append(result)
        batch.answered = len(answers)
        batch.failed = len(batch.lines) - batch.answered
        batch.output_file_id = self._keep(batch, "output", answers) or None
        batch.error_file_id = (
            self._keep(batch, "errors", errors) or batch.script.no_error_file
        )

    def _keep(
        self, batch: StoredBatch, kind: str, results: Sequence[JsonObject]
    ) -> str:
        """Keep a file of results; the order of lines is not promised."""
        if not results:
            return ""
        ordered = sorted(results, key=lambda result: str(result["id"]))
        content = "".join(f"{dump(result)}\n" for result in ordered).encode()
        digest = hashlib.sha256(f"{batch.id} {kind}".encode()).hexdigest()
        file_id = f"file-batch_output-{digest[:24]}"
        self._studio.files[file_id] = BatchFile(
            id=file_id,
            name=f"{batch.id}_{kind}.jsonl",
            purpose="batch_output",
            content=content,
            created=int(self._studio.now()),
        )
        return file_id

    # --- Rows -------------------------------------------------------------------------

    def _answer(self, batch: StoredBatch, number: int, line: JsonObject) -> JsonObject:
        """Answer the request of a line, as a line of a file of results."""
        name = f"{batch.id} {line['custom_id']}"
        request_id = str(uuid5(NAMESPACE_URL, name))
        if number in batch.script.bad_lines:
            return _bad_row(batch.script, request_id, line)
        if batch.endpoint == TEST_ENDPOINT:
            return _result(request_id, line, _OK, _test_body(request_id))
        if (reply := batch.script.replies.get(number)) is not None:
            self._rows.script.append(reply)
        request = RecordedRequest(
            method="POST",
            path=batch.endpoint,
            headers={"authorization": f"Bearer {self._studio.api_key}"},
            body=line["body"],
        )
        context = ResponseContext(request_id, self._studio.generation)
        steps = self._responders[batch.endpoint](request, context)
        status = next(step.status for step in steps if isinstance(step, Head))
        body = b"".join(step for step in steps if isinstance(step, bytes))
        return _result(request_id, line, status, parse(body))


def _count_done(batch: StoredBatch, time: float) -> int:
    """Return how many lines are done at a time: more and more of them."""
    seconds = batch.script.seconds
    share = (time - batch.created) / seconds if seconds > 0 else 1.0
    return max(0, min(len(batch.lines), int(share * len(batch.lines))))


def _result(request_id: str, line: JsonObject, status: int, body: object) -> JsonObject:
    return {
        "id": request_id,
        "custom_id": line["custom_id"],
        "response": {"status_code": status, "request_id": request_id, "body": body},
        "error": None,
    }


@sourced(f"{OWN} (the lines of an error file are not recorded)", "2026-11-27")
def _bad_row(script: BatchScript, request_id: str, line: JsonObject) -> JsonObject:
    code, message = script.bad_code, _BAD_ROW
    if script.error_form == "response":
        refusal = Refusal(message)
        context = ResponseContext(request_id, "empty")
        body = parse(OpenAIProtocol().write_error(refusal, context))
        return _result(request_id, line, refusal.status, body)
    names = {"code": "code", "error_code": "error_code"}
    message_name = "message" if script.error_form == "code" else "error_message"
    error = {names[script.error_form]: code, message_name: message}
    return _without_response(request_id, line, error)


def _unfinished(line: JsonObject, status: str) -> JsonObject:
    name = str(uuid5(NAMESPACE_URL, f"{status} {line['custom_id']}"))
    error = {
        "code": f"batch_{status}",
        "message": f"This request was not executed: the batch is {status} (emulator).",
    }
    return _without_response(name, line, error)


def _without_response(
    request_id: str, line: JsonObject, error: JsonObject
) -> JsonObject:
    return {
        "id": request_id,
        "custom_id": line["custom_id"],
        "response": None,
        "error": error,
    }


def _test_body(request_id: str) -> JsonObject:
    """Return the answer of the model for tests ("OpenAI compatible - Batch")."""
    message = {"content": "This is a test result."}
    return {
        "created": CREATED,
        "usage": {"completion_tokens": 6, "prompt_tokens": 20, "total_tokens": 26},
        "model": "batch-test-model",
        "id": f"chatcmpl-{request_id}",
        "choices": [{"finish_reason": "stop", "index": 0, "message": message}],
        "object": "chat.completion",
    }


def _write(batch: StoredBatch) -> JsonObject:
    errors = {"object": "list", "data": [*batch.errors]}
    has_counts = batch.status not in {"failed", "validating"}
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": errors if batch.status == "failed" else None,
        "input_file_id": batch.input_file_id,
        "completion_window": batch.window,
        "status": batch.status,
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        "created_at": batch.created,
        **{name: batch.times.get(name) for name in _TIMES},
        "request_counts": {
            "total": len(batch.lines) if has_counts else 0,
            "completed": batch.answered,
            "failed": batch.failed,
        },
        "metadata": dict(batch.metadata),
    }
