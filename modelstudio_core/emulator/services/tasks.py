"""Tasks: creation, queries, the list, cancellation; image models without tasks."""

import hashlib
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from modelstudio_core.catalog import resolve_model
from modelstudio_core.emulator.json_values import JsonObject, dump
from modelstudio_core.emulator.model.files import SUFFIXES
from modelstudio_core.emulator.model.tasks import (
    LIFETIME,
    parse_stamp,
    status_of,
    write_choices,
    write_list_entry,
    write_output,
    write_usage,
)
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.faults import apply_fault, build_refusal
from modelstudio_core.emulator.protocols.steps import Step, complete_response
from modelstudio_core.emulator.rules.api_key import check_api_key
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.tasks import (
    RESULT_PATH,
    TaskQuery,
    check_addresses,
    check_cancel,
    check_creation,
    check_object,
    check_rate,
    media_profile,
)
from modelstudio_core.emulator.script import Fault, TaskOutcome
from modelstudio_core.emulator.studio import (
    RecordedRequest,
    ResponseContext,
    StoredTask,
    Studio,
)

__all__ = ["TaskService", "result_signature"]

_Answer = Callable[[RecordedRequest, ResponseContext], JsonObject]
_SERVICES: Final = "/services/"
_MAX_TASKS: Final = 10_000
_PAGE_SIZE: Final = 10
_MAX_PAGE_SIZE: Final = 100
_ACCESS_KEY_ID: Final = "LTAI-emulator"


class TaskService:
    """Answers the requests that create, query, list and cancel tasks."""

    def __init__(self, studio: Studio, protocol: ErrorProtocol) -> None:
        """Set where the tasks are kept.

        Args:
            studio: The emulator's state.
            protocol: How errors are written.
        """
        self._studio = studio
        self._protocol = protocol

    def create(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer a POST that creates a task, or that is answered at once."""
        return self._respond(self._create, request, context)

    def show(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``GET /api/v1/tasks/{id}``."""
        return self._respond(self._show, request, context)

    def list_all(
        self, request: RecordedRequest, context: ResponseContext
    ) -> list[Step]:
        """Answer ``GET /api/v1/tasks``."""
        return self._respond(self._list, request, context)

    def cancel(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``POST /api/v1/tasks/{id}/cancel``."""
        return self._respond(self._cancel, request, context)

    def _respond(
        self, answer: _Answer, request: RecordedRequest, context: ResponseContext
    ) -> list[Step]:
        """Answer by the next scripted fault, else by the rules."""
        script, protocol = self._studio.script, self._protocol
        fault = script[0] if script else None
        try:
            if isinstance(fault, Fault):
                script.popleft()
                # What is created by a request whose answer is lost exists.
                is_lost = fault.kind != "status"
                steps = self._write(answer, request, context) if is_lost else []
                return apply_fault(fault, steps, protocol, context)
            check_api_key(request.headers, self._studio.api_key)
            return self._write(answer, request, context)
        except Refusal as refusal:
            return build_refusal(refusal, protocol, context, stream=False)

    def _write(
        self, answer: _Answer, request: RecordedRequest, context: ResponseContext
    ) -> list[Step]:
        body = {"request_id": context.request_id, **answer(request, context)}
        headers = {"content-type": self._protocol.content_type}
        return complete_response(200, headers, dump(body).encode())

    # --- Creation -----------------------------------------------------------------

    def _create(self, request: RecordedRequest, context: ResponseContext) -> JsonObject:
        body = check_object(request.body, "the body")
        model = body.get("model")
        profile = media_profile(
            resolve_model(model if isinstance(model, str) else "", "media")
        )
        query = TaskQuery(
            profile=profile,
            path=request.path.partition(_SERVICES)[2],
            input=check_object(body.get("input"), "input"),
            parameters=check_object(body.get("parameters"), "parameters"),
            is_task=request.headers.get("x-dashscope-async") == "enable",
            resolves_uploads="x-dashscope-ossresourceresolve" in request.headers,
        )
        check_creation(query)
        studio, now = self._studio, self._studio.now()
        check_addresses(query, studio.uploads, studio.results, now)
        task = self._store(query, request.headers.get("host", ""), context, now)
        if query.is_task:
            return {"output": {"task_status": "PENDING", "task_id": task.id}}
        urls = self._urls(task)
        metric = {"FAILED": 0, "SUCCEEDED": len(urls), "TOTAL": task.files}
        output: JsonObject = {**write_choices(urls), "task_metric": metric}
        return {"output": output, "usage": write_usage(task, len(urls))}

    def _store(
        self, query: TaskQuery, host: str, context: ResponseContext, now: float
    ) -> StoredTask:
        studio = self._studio
        outcome = studio.outcomes.popleft() if studio.outcomes else TaskOutcome()
        seconds = studio.task_seconds if outcome.seconds is None else outcome.seconds
        task = StoredTask(
            id=hashlib.sha256(context.request_id.encode()).hexdigest()[:32],
            request_id=context.request_id,
            host=host,
            profile=query.profile,
            input=query.input,
            parameters=query.parameters,
            files=query.number,
            created=now,
            seconds=seconds if query.is_task else 0.0,
            outcome=outcome,
        )
        if query.is_task:
            studio.tasks[task.id] = task
            if len(studio.tasks) > _MAX_TASKS:
                del studio.tasks[next(iter(studio.tasks))]
        kind = next((k for k in SUFFIXES if k in query.profile.outputs), "image")
        for number in range(task.files):
            if number not in outcome.failed:
                path = f"{RESULT_PATH}{task.id}-{number}{SUFFIXES[kind]}"
                studio.results[path] = (task, number)
        while len(studio.results) > _MAX_TASKS:
            del studio.results[next(iter(studio.results))]
        return task

    def _urls(self, task: StoredTask) -> dict[int, str]:
        """Return the signed addresses of the files of a task by their numbers."""
        expires = int(task.ended + LIFETIME)
        urls: dict[int, str] = {}
        for path, (owner, number) in self._studio.results.items():
            if owner is task:
                query = urlencode(
                    {
                        "Expires": expires,
                        "OSSAccessKeyId": _ACCESS_KEY_ID,
                        "Signature": result_signature(path, expires),
                    }
                )
                urls[number] = f"http://{task.host}{path}?{query}"
        return urls

    # --- Tasks --------------------------------------------------------------------

    def _show(self, request: RecordedRequest, context: ResponseContext) -> JsonObject:
        del context
        now = self._studio.now()
        check_rate(self._studio.task_queries, now)
        task_id = request.path.rpartition("/")[2]
        task = self._find(task_id, request)
        if task is None:
            return {"output": {"task_id": task_id, "task_status": "UNKNOWN"}}
        task.queries += 1
        status = status_of(task, now)
        if task.queries <= task.outcome.unknown:
            status = "UNKNOWN"
        urls = self._urls(task) if status == "SUCCEEDED" else {}
        output = write_output(task, status, urls)
        usage = write_usage(task, len(urls)) if status == "SUCCEEDED" else None
        return {"output": output, **({"usage": usage} if usage else {})}

    def _find(self, task_id: str, request: RecordedRequest) -> StoredTask | None:
        """Return a task; None for one of another host, which is not known here."""
        task = self._studio.tasks.get(task_id)
        host = request.headers.get("host", "")
        return task if task is not None and task.host == host else None

    def _cancel(self, request: RecordedRequest, context: ResponseContext) -> JsonObject:
        del context
        now = self._studio.now()
        check_rate(self._studio.task_queries, now)
        task = self._find(request.path.split("/")[-2], request)
        check_cancel("UNKNOWN" if task is None else status_of(task, now))
        if task is not None:
            task.canceled = now
        return {}

    def _list(self, request: RecordedRequest, context: ResponseContext) -> JsonObject:
        del context
        now, query = self._studio.now(), request.query
        check_rate(self._studio.task_queries, now)
        since = parse_stamp(query.get("start_time", "")) or now - LIFETIME
        until = parse_stamp(query.get("end_time", "")) or now
        host = request.headers.get("host", "")
        entries = [
            write_list_entry(task, status_of(task, now), "1000")
            for task in reversed(self._studio.tasks.values())
            if task.host == host and since <= task.created < until + 1
        ]
        wanted = {"status": query.get("status"), "model_name": query.get("model_name")}
        entries = [
            entry
            for entry in entries
            if entry["status"] != "UNKNOWN"
            and all(entry[name] == value for name, value in wanted.items() if value)
        ]
        size = min(_count(query.get("page_size"), _PAGE_SIZE), _MAX_PAGE_SIZE)
        page = _count(query.get("page_no"), 1)
        return {
            "total": len(entries),
            "data": entries[(page - 1) * size : page * size],
            "total_page": -(-len(entries) // size),
            "page_no": page,
            "page_size": size,
        }


def _count(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) else default


def result_signature(path: str, expires: int) -> str:
    """Return the signature in the address of a file.

    Args:
        path: The path of the file.
        expires: When the address expires, in seconds.
    """
    return hashlib.sha256(f"{path} {expires}".encode()).hexdigest()[:28]
