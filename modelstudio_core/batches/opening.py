"""Opening a run: the connection that its manifest and the caller agree on."""

from collections.abc import Mapping
from typing import Any

from modelstudio_core.batches.records import Manifest
from modelstudio_core.connection_arguments import (
    ConnectionArguments,
    canonical_arguments,
)
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.saved_endpoints import SCOPE, saved_endpoint
from modelstudio_core.transport.connection import Connection

__all__ = ["connection_of"]


def connection_of(manifest: Manifest, given: Mapping[str, Any]) -> Connection:
    """Return the connection of a run, and refuse arguments that contradict it.

    Args:
        manifest: The manifest of the run.
        given: Arguments of the connection.

    Raises:
        ConfigurationError: An argument is invalid or contradicts the run, or the base
            URL must be passed.
    """
    arguments = canonical_arguments(ConnectionArguments, given, owner="BatchRun.open")
    arguments.pop("protocol", None)
    saved = {name: getattr(manifest, name) for name in (*SCOPE, "base_url")}
    saved_endpoint(saved, arguments, api="openai", noun="run")
    return resolve_connection({**arguments, **saved})
