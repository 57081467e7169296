"""Opening a run: the connection that its manifest and the caller agree on."""

from collections.abc import Mapping
from typing import Any, Final

from modelstudio_core.batches.records import Manifest
from modelstudio_core.connection_arguments import (
    ConnectionArguments,
    canonical_arguments,
)
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.endpoints import check_mode, check_region, resolve_endpoint
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.connection import Connection

__all__ = ["connection_of"]

# What the manifest of a run and a connection must agree on.
_SCOPE: Final = ("region", "mode", "workspace", "base_url")


def connection_of(manifest: Manifest, given: Mapping[str, Any]) -> Connection:
    """Return the connection of a run, and refuse arguments that contradict it.

    A manifest is a file that others may have written: an address in it that is neither
    documented nor on this machine is only used if the caller passes the same one.

    Args:
        manifest: The manifest of the run.
        given: Arguments of the connection.

    Raises:
        ConfigurationError: An argument is invalid or contradicts the run, or the base
            URL must be passed.
    """
    arguments = canonical_arguments(ConnectionArguments, given, owner="BatchRun.open")
    arguments.pop("protocol", None)
    scope = {name: arguments.pop(name, None) for name in _SCOPE}
    saved = {name: getattr(manifest, name) for name in _SCOPE}
    insecure = {"allow_insecure_http": arguments.get("allow_insecure_http", False)}
    endpoint = resolve_endpoint(**saved, **insecure)
    base_url = scope["base_url"]
    is_trusted = endpoint.is_documented or endpoint.is_loopback
    if base_url is None and not is_trusted:
        raise ConfigurationError(
            f"The run is for {endpoint.host}, which is no documented host of Model"
            " Studio: pass the same address as base_url= if the API key may be sent"
            " there."
        )
    wanted = {
        "region": scope["region"] and check_region(scope["region"]),
        "mode": scope["mode"] and check_mode(scope["mode"]),
        "workspace": scope["workspace"],
        "openai_base_url": base_url
        and resolve_endpoint(base_url=base_url, **insecure).openai_base_url,
    }
    for name, value in wanted.items():
        if value is not None and value != (found := getattr(endpoint, name)):
            raise ConfigurationError(
                f"{name.removeprefix('openai_')}={value!r} contradicts the run, whose"
                f" {name.removeprefix('openai_')} is {found!r}: remove it, or prepare"
                " another run."
            )
    return resolve_connection({**arguments, **saved})
