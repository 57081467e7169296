"""The files that tasks made, at signed addresses that work for 24 hours."""

from typing import Final

from modelstudio_core.emulator.json_values import is_array
from modelstudio_core.emulator.model.files import SUFFIXES, build_file
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.faults import apply_fault
from modelstudio_core.emulator.protocols.steps import Step, complete_response
from modelstudio_core.emulator.rules.storage import StorageRefusal
from modelstudio_core.emulator.rules.task_files import check_result
from modelstudio_core.emulator.script import Fault
from modelstudio_core.emulator.services.tasks import result_signature
from modelstudio_core.emulator.studio import (
    RecordedRequest,
    ResponseContext,
    StoredTask,
    Studio,
)

__all__ = ["ResultService"]

_OK: Final = 200
_CONTENT_TYPES: Final = {
    "image": "image/png",
    "video": "video/mp4",
    "text": "application/json",
    "embedding": "application/x-ndjson",
}


class ResultService:
    """Sends the files of tasks, as the file storage does."""

    def __init__(self, studio: Studio, protocol: ErrorProtocol) -> None:
        """Set where the files are.

        Args:
            studio: The emulator's state.
            protocol: How scripted faults are written.
        """
        self._studio = studio
        self._protocol = protocol

    def respond(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``GET /task-results/{file}``."""
        script = self._studio.script
        fault = script[0] if script else None
        if isinstance(fault, Fault):
            script.popleft()
            steps = [] if fault.kind == "status" else self._send(request, context)
            return apply_fault(fault, steps, self._protocol, context)
        return self._send(request, context)

    def _send(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        try:
            task, number = check_result(
                request,
                self._studio.results.get(request.path),
                self._studio.now(),
                result_signature,
            )
        except StorageRefusal as refusal:
            headers = {"content-type": "application/xml"}
            body = refusal.write(context.request_id)
            return complete_response(refusal.status, headers, body)
        kind = next((k for k in SUFFIXES if k in task.profile.outputs), "image")
        seed = f"{task.id} {number} {task.input}"
        data = build_file(kind, seed, task.parameters, _source(task, number))
        return complete_response(_OK, {"content-type": _CONTENT_TYPES[kind]}, data)


def _source(task: StoredTask, number: int) -> str:
    """Return the file of a request that a file was made of."""
    files = task.input.get("file_urls")
    if is_array(files):
        return str(files[number])
    return str(task.input.get("file_url") or task.input.get("url") or "")
