"""A local Model Studio: a real HTTP server that needs no account and no network.

It speaks the OpenAI-compatible and the native DashScope protocol, follows the catalog
and the documented rules, answers deterministically from the text of the prompt, and can
be scripted with exact replies and faults. Each of its responses says in the header
``x-modelstudio-emulator`` what it is.

Example:
    >>> from modelstudio_core.emulator import Emulator, Fault, Reply
    >>> with Emulator() as studio:
    ...     studio.script(Reply(text="Hello."), Fault(status=503))
    ...     # ... call studio.base_url with studio.api_key
"""

from modelstudio_core.emulator.script import Fault, Reply, ToolCall
from modelstudio_core.emulator.studio import RecordedRequest

try:
    from modelstudio_core.emulator.server import Emulator
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"starlette", "uvicorn"}:
        raise
    raise ImportError(
        "The local Model Studio needs starlette and uvicorn:"
        ' pip install "modelstudio-integrations[emulator]".'
    ) from error

__all__ = ["Emulator", "Fault", "RecordedRequest", "Reply", "ToolCall"]
