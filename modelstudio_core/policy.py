"""What an organisation allows: regions, deployment modes, models and base URLs.

Two policies bound every request of this package in this process: that of the
environment variables, which are read once, when this module is imported, and that of
``set_policy``. Both must allow a request, so that ``set_policy`` can only narrow what
the variables allow. A policy is not a sandbox: other HTTP clients in the process,
proxies, DNS and the settings of the workspace are outside it.

Example:
    >>> set_policy(Policy(regions=["frankfurt"], modes=["eu"]))
    >>> from langchain_modelstudio import ChatModelStudio
    >>> try:
    ...     ChatModelStudio(model="qwen3.7-plus", region="singapore", api_key="sk-...")
    ... except PolicyError as error:
    ...     print(str(error).partition(":")[0])
    Region 'ap-southeast-1' is not allowed by set_policy
    >>> set_policy(None)
"""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple, cast
from urllib.parse import urlsplit

from modelstudio_core.endpoints import (
    ALLOWED_BASE_URLS_VARIABLE,
    ALLOWED_MODELS_VARIABLE,
    ALLOWED_MODES_VARIABLE,
    ALLOWED_REGIONS_VARIABLE,
    Endpoint,
    check_mode,
    check_region,
    documented_host,
    is_storage_of_region,
    mode_of_request,
)
from modelstudio_core.errors import ConfigurationError, PolicyError
from modelstudio_core.secrets import hide_keys
from modelstudio_core.wire.suggestions import nearest

__all__ = [
    "Policy",
    "Purpose",
    "check_endpoint",
    "check_request",
    "has_policy",
    "set_policy",
]

# A request to the service; an upload to, or a result of, the file storage.
Purpose = Literal["service", "upload", "result"]

_VARIABLES: Final = {
    "regions": ALLOWED_REGIONS_VARIABLE,
    "modes": ALLOWED_MODES_VARIABLE,
    "models": ALLOWED_MODELS_VARIABLE,
    "base_urls": ALLOWED_BASE_URLS_VARIABLE,
}
# What begins like this is meant as a bound, and the other half of the name is misspelt.
_PREFIX: Final = "MODELSTUDIO_ALLOW"
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What requests may do. Each field is a collection, or None for no bound.

    Attributes:
        regions: The regions that may be called: ids or aliases. A ``region=`` that was
            only declared for a host that is not documented does not count.
        modes: The deployment modes that may be used: ids or aliases. A mode that is not
            known, as in Tokyo or in Frankfurt without ``mode=``, is not allowed.
        models: The model ids that may be sent, as globs such as ``"qwen3.7-*"``. Upper
            and lower case are distinguished.
        base_urls: Origins such as ``"https://gateway.example.com"`` that may be called
            although they are not hosts of the service. If neither regions nor modes are
            bounded, nothing else may be called.

    Raises:
        PolicyError: A region, a mode or an origin is invalid, or a field is not a
            collection of strings.

    Example:
        >>> Policy(regions=["frankfurt"], modes=["eu"]).regions
        ('eu-central-1',)
    """

    regions: Collection[str] | None = None
    modes: Collection[str] | None = None
    models: Collection[str] | None = None
    base_urls: Collection[str] | None = None

    def __post_init__(self) -> None:
        """Replace aliases by ids, and origins by their normal form."""
        for field in fields(self):
            values = getattr(self, field.name)
            if values is not None:
                normal = _normalize(field.name, values, f"Policy.{field.name}")
                object.__setattr__(self, field.name, normal)

    @property
    def bounds_addresses(self) -> bool:
        """Whether it bounds the hosts that may be called."""
        bounds = (self.regions, self.modes, self.base_urls)
        return any(bound is not None for bound in bounds)


class _Target(NamedTuple):
    """What a request would reach.

    Attributes:
        origin: The origin of the URL, in its normal form.
        region: The region of a documented host; None for any other host.
        mode: The deployment mode in which a documented host would run the model; None
            if it is not known.
    """

    origin: str
    region: str | None
    mode: str | None


class _Bound(NamedTuple):
    """A policy and, by its fields, where it is from, for errors."""

    policy: Policy
    sources: Mapping[str, str]


# --- The policies of the process --------------------------------------------------


def _read_environment(environment: Mapping[str, str]) -> Policy:
    """Return the policy of the environment variables.

    Raises:
        PolicyError: A variable is empty or contains an unknown name, or the name of a
            variable is misspelt, so that it would bound nothing.
    """
    for variable in environment:
        if variable.startswith(_PREFIX) and variable not in _VARIABLES.values():
            (nearest_one, *_) = nearest(variable, _VARIABLES.values())
            raise PolicyError(
                f"{variable} is set, and there is no such variable, so nothing is"
                f" allowed: it is {nearest_one}, perhaps."
            )
    bounds: dict[str, tuple[str, ...]] = {}
    for name, variable in _VARIABLES.items():
        text = environment.get(variable)
        if text is None:
            continue
        values = [value.strip() for value in text.split(",")]
        bounds[name] = _normalize(name, [v for v in values if v], variable)
        if not bounds[name]:
            raise PolicyError(
                f"{variable} is set and empty, so nothing is allowed: list what is"
                " allowed, separated by commas, or unset it."
            )
    return Policy(**bounds)


class _Process:
    """The policies of this process.

    Attributes:
        bounds: The policies that bound something.
        problem: Why the environment variables are invalid; empty if they are valid.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.problem = ""
        self._environment: Policy | None = None
        try:
            self._environment = _read_environment(environment)
        except PolicyError as error:
            self.problem = error.message
        self.bounds: tuple[_Bound, ...] = ()
        self.narrow(None)

    def narrow(self, policy: Policy | None) -> None:
        bounds = (
            _Bound(self._environment or Policy(), _VARIABLES),
            _Bound(policy or Policy(), dict.fromkeys(_VARIABLES, "set_policy")),
        )
        self.bounds = tuple(bound for bound in bounds if bound.policy != Policy())


def set_policy(policy: Policy | None) -> None:
    """Bound the requests of this process, in addition to the environment variables.

    A later call replaces the policy of an earlier one. The variables stay in force.
    Existing objects are bounded too: each request is checked before it is sent. Other
    processes are not reached; workers need the variables.

    Args:
        policy: What is allowed; None to remove the policy of an earlier call.

    Raises:
        PolicyError: ``policy`` is not a ``Policy``.

    Example:
        >>> set_policy(Policy(models=["qwen3.7-*"]))
        >>> set_policy(None)
    """
    if policy is not None and not isinstance(policy, Policy):
        raise PolicyError(
            f"policy must be a Policy or None, got a {type(policy).__name__}."
        )
    _process.narrow(policy)


# --- Checks -----------------------------------------------------------------------


def has_policy() -> bool:
    """Return whether a policy bounds requests, be it an invalid one.

    Without, ``check_request`` allows every request.
    """
    return bool(_process.bounds or _process.problem)


def check_endpoint(endpoint: Endpoint, model: str) -> None:
    """Check that requests to an endpoint are allowed.

    Args:
        endpoint: Where requests would go.
        model: The model id that would be sent; empty if it is not known.

    Raises:
        PolicyError: The policy of the process does not allow them, or is invalid.
    """
    if has_policy():
        models = [model] if model else []
        check_request(endpoint, endpoint.openai_base_url, models)


def check_request(
    endpoint: Endpoint,
    url: str,
    models: Collection[str],
    *,
    purpose: Purpose = "service",
    needs_model: bool = True,
) -> None:
    """Check that a request is allowed, from what is about to be sent.

    Args:
        endpoint: The endpoint that the request belongs to.
        url: The absolute URL of the request.
        models: The model ids that the request contains.
        purpose: ``"service"`` for a request to the service. An ``"upload"`` may go to
            the file storage of the endpoint's region, a ``"result"`` may be read from
            that of any region.
        needs_model: Whether a request without a model id is refused where models are
            bounded.

    Raises:
        PolicyError: The policy of the process does not allow it, or is invalid.
    """
    if not has_policy():
        return
    if _process.problem:
        raise PolicyError(f"The policy is invalid. {_process.problem}")
    target = _target(endpoint, url, models, purpose)
    for policy, sources in _process.bounds:
        if purpose != "result" or not target.origin.startswith("https:"):
            _check_address(policy, sources, target)
        if models or needs_model:
            _check_models(policy, sources, models)


def _target(
    endpoint: Endpoint, url: str, models: Collection[str], purpose: Purpose
) -> _Target:
    host = urlsplit(url).netloc
    region = documented_host(host)[0]
    if purpose == "upload" and endpoint.is_documented:
        has_storage = is_storage_of_region(host, endpoint.region or "")
        region = endpoint.region if has_storage else None
    mode = None
    if region is not None:
        declared = endpoint.mode if region == endpoint.region else None
        modes = {
            mode_of_request(region, declared, model) for model in models or (None,)
        }
        mode = modes.pop() if len(modes) == 1 else None
    return _Target(_origin(url), region, mode)


def _check_address(policy: Policy, sources: Mapping[str, str], target: _Target) -> None:
    if not policy.bounds_addresses:
        return
    is_listed = target.origin in (policy.base_urls or ())
    if target.region is None:
        if is_listed:
            return
        bounds = [name for name in _VARIABLES if getattr(policy, name) is not None]
        raise PolicyError(
            f"{target.origin} is not a documented host of Model Studio, and"
            f" {_join(sources[name] for name in bounds)} does not allow it: use a"
            f" region, or allow its origin with {ALLOWED_BASE_URLS_VARIABLE} or"
            " Policy(base_urls=...)."
        )
    if policy.regions is None and policy.modes is None and not is_listed:
        raise PolicyError(
            f"{target.origin} is not allowed by {sources['base_urls']}:"
            f" {_list(policy.base_urls)}."
        )
    if policy.regions is not None and target.region not in policy.regions:
        raise PolicyError(
            f"Region {target.region!r} is not allowed by {sources['regions']}: allowed"
            f" are {_list(policy.regions)}."
        )
    if policy.modes is not None and target.mode is None:
        raise PolicyError(
            f"The deployment mode of region {target.region!r} is not known, and"
            f" {sources['modes']} allows {_list(policy.modes)} only: pass mode=, or"
            " choose a region whose mode is known."
        )
    if policy.modes is not None and target.mode not in policy.modes:
        raise PolicyError(
            f"Mode {target.mode!r} is not allowed by {sources['modes']}: allowed are"
            f" {_list(policy.modes)}."
        )


def _check_models(
    policy: Policy, sources: Mapping[str, str], models: Collection[str]
) -> None:
    if policy.models is None:
        return
    if not models:
        raise PolicyError(
            "A request without a model id is not allowed where models are bounded by"
            f" {sources['models']}: pass model=."
        )
    for model in models:
        if not any(fnmatchcase(model, glob) for glob in policy.models):
            raise PolicyError(
                f"Model {model!r} is not allowed by {sources['models']}: allowed are"
                f" {_list(policy.models)}."
            )


def _join(sources: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(sources))


def _list(values: Collection[str] | None) -> str:
    return ", ".join(map(repr, values or ())) or "none"


# --- Names ------------------------------------------------------------------------


def _normalize(name: str, values: object, source: str) -> tuple[str, ...]:
    """Return the values of a bound in their normal form.

    Args:
        name: The field of ``Policy``.
        values: Its values.
        source: The field or the variable, for errors.

    Raises:
        PolicyError: A value is invalid.
    """
    if not isinstance(values, Collection) or isinstance(values, str | bytes):
        raise _no_strings(source, values)
    names = [*cast("Collection[object]", values)]
    if not all(isinstance(value, str) for value in names):
        raise _no_strings(source, names)
    try:
        normal = [_NORMAL_FORMS[name](str(value), source) for value in names]
    except ConfigurationError as error:
        raise PolicyError(error.message) from None
    return tuple(dict.fromkeys(normal))


def _no_strings(source: str, values: object) -> PolicyError:
    shown = hide_keys(repr(values))
    return PolicyError(f"{source} must be a list of strings, got {shown}.")


def _check_glob(value: str, source: str) -> str:
    if not value.strip():
        raise PolicyError(f"{source} must not contain an empty model id.")
    return value


def _check_origin(value: str, source: str) -> str:
    """Return an origin in its normal form. The error does not contain the value."""
    try:
        parts = urlsplit(value)
        origin = _origin(value)
    except ValueError:
        parts, origin = urlsplit(""), ""
    rest = (parts.path.removeprefix("/"), parts.query, parts.fragment, parts.username)
    if parts.scheme not in _PORTS or not parts.hostname or any(rest):
        raise PolicyError(
            f"{source} must contain origins, such as 'https://gateway.example.com' or"
            " 'http://127.0.0.1:8000', without a path."
        )
    return origin


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL; the port only if it is not the default."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    port = "" if parts.port in {None, _PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


_NORMAL_FORMS: Final[Mapping[str, Callable[[str, str], str]]] = {
    "regions": check_region,
    "modes": check_mode,
    "models": _check_glob,
    "base_urls": _check_origin,
}

# Last, because it needs all of the above.
_process: Final = _Process(os.environ)
