"""A local Model Studio: an HTTP server that needs no account and no network.

It speaks the OpenAI-compatible and the DashScope protocol, follows the catalog and the
documented rules, builds deterministic answers from the text of the prompt, and can be
scripted with exact replies and faults. The header ``x-modelstudio-emulator`` marks each
of its responses.

Imports between its modules go in one direction::

    server     runs uvicorn in a thread; the class Emulator
    app        HTTP routes; sends a response step by step
    services   one module for each service: decides the answer to a request
    protocols  parse requests; write answers, errors and faults
    rules      what the service refuses
    model      how the deterministic answer is made
    studio     the state of an emulator: key, script, recorded requests, batches
    script     replies, faults, and how batches go on
    json_values

Example:
    >>> from modelstudio_core.emulator import Emulator, Fault, Reply
    >>> with Emulator() as studio:
    ...     studio.script(Reply(text="Hello."), Fault(status=503))
    ...     # ... call studio.base_url with studio.api_key
"""

from modelstudio_core.emulator.script import (
    BatchScript,
    Fault,
    Reply,
    TaskOutcome,
    ToolCall,
)
from modelstudio_core.emulator.stored_batches import StoredBatch
from modelstudio_core.emulator.studio import RecordedRequest

try:
    from modelstudio_core.emulator.server import Emulator
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"starlette", "uvicorn"}:
        raise
    raise ImportError(
        "The emulator needs starlette and uvicorn. Install them:"
        ' pip install "modelstudio-integrations[emulator]".'
    ) from error

__all__ = [
    "BatchScript",
    "Emulator",
    "Fault",
    "RecordedRequest",
    "Reply",
    "StoredBatch",
    "TaskOutcome",
    "ToolCall",
]
