"""The endpoint that a saved file names: the state of a task, or the manifest of a run.

Others may have written such a file. What it says about where the API key is sent only
holds if the address is documented, on this machine, or passed by the caller too.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from modelstudio_core.endpoints import (
    Api,
    Endpoint,
    check_mode,
    check_region,
    resolve_endpoint,
)
from modelstudio_core.errors import ConfigurationError

__all__ = ["SCOPE", "saved_endpoint"]

SCOPE: Final = ("region", "mode", "workspace")
_HTTPS: Final = "https://"
# The host and the port of an address, which may be anything.
_HOST: Final = re.compile(r"\w+://(?:[^/?#]*@)?([^/?#@]{1,200})")


def saved_endpoint(
    saved: Mapping[str, Any], options: Mapping[str, Any], *, api: Api, noun: str
) -> Endpoint:
    """Return the endpoint of a saved file, and refuse arguments that contradict it.

    Args:
        saved: What the file says: ``region``, ``mode``, ``workspace`` and ``base_url``,
            the full base URL of the API.
        options: The connection arguments of the caller, by name.
        api: The API of the base URL.
        noun: What was saved: ``"task"`` or ``"run"``.

    Raises:
        ConfigurationError: An argument contradicts the file, or its address is neither
            documented nor loopback and was not passed as ``base_url=``.
    """
    address, given = saved["base_url"] or "", options.get("base_url")
    is_insecure = options.get("allow_insecure_http") is True
    if given is not None:
        endpoint = resolve_endpoint(base_url=given, allow_insecure_http=is_insecure)
        if endpoint.url(api) != address:
            raise _contradiction("base_url", endpoint.host, noun, _host(address))
    endpoint = resolve_endpoint(
        **{name: saved[name] for name in SCOPE},
        base_url=address,
        allow_insecure_http=is_insecure,
    )
    if given is None and not _is_trusted(endpoint, address, api):
        raise ConfigurationError(
            f"The {noun} names {_host(address)!r}, which is not a documented host of"
            " Model Studio. If you trust it, pass the same address as base_url=."
        )
    _check_scope(endpoint, options, noun)
    return endpoint


def _is_trusted(endpoint: Endpoint, address: str, api: Api) -> bool:
    """Return whether an address is loopback, or that of a documented endpoint."""
    is_plain = address.startswith(_HTTPS) and ":" not in endpoint.host
    is_documented = endpoint.is_documented and endpoint.url(api) == address
    return endpoint.is_loopback or (is_documented and is_plain)


def _check_scope(endpoint: Endpoint, options: Mapping[str, Any], noun: str) -> None:
    region, mode = options.get("region"), options.get("mode")
    wanted = {
        "region": None if region is None else check_region(region),
        "mode": None if mode is None else check_mode(mode),
        "workspace": options.get("workspace"),
    }
    for name, value in wanted.items():
        bound = getattr(endpoint, name)
        if value is not None and value != bound:
            raise _contradiction(name, options[name], noun, bound)


def _contradiction(
    name: str, value: object, noun: str, bound: object
) -> ConfigurationError:
    return ConfigurationError(
        f"{name}={value!r:.80} contradicts the {noun}, which is bound to its endpoint"
        f" with {name}={bound!r}: remove {name}=."
    )


def _host(address: str) -> str:
    found = _HOST.match(address)
    return found[1] if found else address[:80]
