"""Where requests go: region, deployment mode and workspace → ``Endpoint``.

The region decides which host is called and where data is stored, the deployment mode
where inference runs; a mode is bound to certain regions. Only this file contains hosts
of the service and names of its environment variables. Sources: the official pages
"Regions and deployment modes" and "DeepSeek" (read 2026-09).

Example:
    >>> resolve_endpoint(region="singapore").openai_base_url
    'https://dashscope-intl.aliyuncs.com/compatible-mode/v1'
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple, assert_never, get_args
from urllib.parse import SplitResult, urlsplit

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.secrets import hide_keys, is_key
from modelstudio_core.wire.suggestions import nearest

__all__ = [
    "ALLOWED_BASE_URLS_VARIABLE",
    "ALLOWED_MODELS_VARIABLE",
    "ALLOWED_MODES_VARIABLE",
    "ALLOWED_REGIONS_VARIABLE",
    "API_KEY_VARIABLE",
    "MODE_VARIABLE",
    "REGION_VARIABLE",
    "WORKSPACE_VARIABLES",
    "Api",
    "Endpoint",
    "Protocol",
    "RegionId",
    "RegionInfo",
    "api_key_from_environment",
    "batch_chat_endpoint",
    "check_mode",
    "check_protocol",
    "check_region",
    "describe_key",
    "documented_host",
    "documented_regions",
    "inference_scope_of",
    "is_cloud_host",
    "is_loopback",
    "is_plan_key",
    "is_storage_of_region",
    "mode_of_request",
    "name_region",
    "refused_key_hint",
    "resolve_endpoint",
]

Protocol = Literal["openai", "dashscope"]
# The ids, which type checkers and editors offer; aliases are strings too.
RegionId = Literal[
    "ap-southeast-1",
    "us-east-1",
    "cn-beijing",
    "cn-hongkong",
    "eu-central-1",
    "ap-northeast-1",
]
ModeId = Literal["global", "international", "us", "chinese-mainland", "hong-kong", "eu"]
PROTOCOLS: Final[tuple[Protocol, ...]] = get_args(Protocol)
# A base path of the service. Each protocol has one, of the same name.
Api = Literal["openai", "dashscope", "rerank"]
APIS: Final[tuple[Api, ...]] = get_args(Api)

API_KEY_VARIABLE: Final = "DASHSCOPE_API_KEY"
REGION_VARIABLE: Final = "DASHSCOPE_REGION"
MODE_VARIABLE: Final = "DASHSCOPE_MODE"
WORKSPACE_VARIABLES: Final = ("DASHSCOPE_WORKSPACE_ID", "DASHSCOPE_WORKSPACE")
ALLOWED_REGIONS_VARIABLE: Final = "MODELSTUDIO_ALLOWED_REGIONS"
ALLOWED_MODES_VARIABLE: Final = "MODELSTUDIO_ALLOWED_MODES"
ALLOWED_MODELS_VARIABLE: Final = "MODELSTUDIO_ALLOWED_MODELS"
ALLOWED_BASE_URLS_VARIABLE: Final = "MODELSTUDIO_ALLOWED_BASE_URLS"

_PATHS: Final[dict[Api, str]] = {
    "openai": "/compatible-mode/v1",
    "dashscope": "/api/v1",
    "rerank": "/compatible-api/v1",
}
# The domain of all hosts of Alibaba Cloud, including its file storage.
_CLOUD_DOMAIN = "aliyuncs.com"
_WORKSPACE_DOMAIN = f"maas.{_CLOUD_DOMAIN}"
WORKSPACE_HEADER: Final = "X-DashScope-WorkSpace"
# A workspace id becomes a DNS label of the host.
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
# DNS labels in the place of a workspace id that are not workspaces.
_RESERVED_LABELS = frozenset({"token-plan"})
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_US_SUFFIX = "-us"
# How much of an invalid value an error shows.
_MAX_SHOWN: Final = 200
# The paths of single APIs below a base URL: users copy them from examples.
_API_PATH = re.compile(
    r"/(chat/completions|services/(aigc|audio|embeddings|rerank)/.+"
    r"|(?<=/v1/)(completions|embeddings|reranks|models))$"
)
# What a server or a proxy between could read as another path.
_AMBIGUOUS_PATH = re.compile(
    r"//|(^|/)\.{1,2}(/|$)|%(?![0-9A-Fa-f]{2})|%[01][0-9A-Fa-f]|%(2[EeFf]|5[Cc]|7[Ff]|25)"
)
# Batch Chat has a host of its own in one region, without workspaces. Source: the
# official page "OpenAI compatible - Batch Chat" (read 2026-11-27).
_BATCH_CHAT_HOST = f"batch.dashscope.{_CLOUD_DOMAIN}"
BATCH_CHAT_REGION: Final = "cn-beijing"
# Hosts that sell plans, whose keys begin with sk-sp- and are refused elsewhere.
# Sources: the official pages on the Coding Plan and the Token Plan (2026-09).
_PLAN_KEY = "sk-sp-"
_ORDINARY_KEY, _TEMPORARY_KEY = "sk-", "st-"
_CODING_HOST = f"coding.dashscope.{_CLOUD_DOMAIN}"
_TOKEN_PLAN_LABEL = "token-plan"  # noqa: S105 - the label of a host
# Other sites of the same service, with their own keys. Their regions and scopes are
# not documented. Source: the documentation of Qwen Cloud (2026-09).
_OTHER_SITES = {
    "maas.qwencloudapi.com": "Qwen Cloud",
    "maas.qianwenaiapi.com": "Qianwen AI Platform",
}


class _Mode(NamedTuple):
    aliases: tuple[str, ...]
    scope: str


class _Region(NamedTuple):
    aliases: tuple[str, ...]
    location: str
    shared_host: str | None
    modes: tuple[str, ...]
    default_mode: str | None
    # Where inference runs if no mode is chosen.
    scope_without_mode: str | None = None
    # True if no host per workspace is documented: a header then names the workspace.
    workspace_in_header: bool = False


_MODES: Final[dict[str, _Mode]] = {
    "global": _Mode((), "Global dynamic scheduling"),
    "international": _Mode(
        ("intl",), "Global dynamic scheduling (excluding the Chinese Mainland)"
    ),
    "us": _Mode(("united-states",), "Limited to the United States"),
    "chinese-mainland": _Mode(
        ("mainland", "china", "cn"), "Limited to the Chinese Mainland"
    ),
    "hong-kong": _Mode(
        ("hongkong", "hk", "hong-kong-china"), "Limited to Hong Kong (China)"
    ),
    "eu": _Mode(("european-union",), "Limited to the EU"),
}

_REGIONS: Final[dict[str, _Region]] = {
    "ap-southeast-1": _Region(
        aliases=("singapore", "intl", "sg"),
        location="Singapore",
        shared_host="dashscope-intl.aliyuncs.com",
        modes=("international",),
        default_mode="international",
    ),
    "us-east-1": _Region(
        aliases=("virginia", "us-virginia", "us"),
        location="US (Virginia)",
        shared_host="dashscope-us.aliyuncs.com",
        modes=("global", "us"),
        default_mode="global",
        workspace_in_header=True,
    ),
    "cn-beijing": _Region(
        aliases=("beijing", "china", "cn", "china-beijing"),
        location="China (Beijing)",
        shared_host="dashscope.aliyuncs.com",
        modes=("chinese-mainland",),
        default_mode="chinese-mainland",
    ),
    "cn-hongkong": _Region(
        aliases=("hongkong", "hong-kong", "hk", "hong-kong-china", "china-hong-kong"),
        location="Hong Kong (China)",
        shared_host="cn-hongkong.dashscope.aliyuncs.com",
        modes=("hong-kong",),
        default_mode="hong-kong",
        workspace_in_header=True,
    ),
    "eu-central-1": _Region(
        aliases=("frankfurt", "germany", "de", "germany-frankfurt"),
        location="Germany (Frankfurt)",
        shared_host=None,
        modes=("eu", "global"),
        default_mode=None,
        scope_without_mode="EU or global, as the workspace was created",
    ),
    "ap-northeast-1": _Region(
        aliases=("tokyo", "japan", "jp", "japan-tokyo"),
        location="Japan (Tokyo)",
        shared_host=None,
        modes=(),
        default_mode=None,
        scope_without_mode="not documented",
    ),
}
DEFAULT_REGION: Final = "ap-southeast-1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go, where data is stored and where inference runs.

    Attributes:
        region: The region id; None for a custom base URL without ``region``. It is only
            declared if the endpoint is not documented.
        mode: The id of the deployment mode; None if it is not known.
        workspace: The workspace id; None for the default workspace of the account.
        openai_base_url: The full base URL of the OpenAI-compatible protocol.
        dashscope_base_url: The full base URL of the native DashScope protocol.
        headers: Headers to send with each request: the workspace's header, or none.
        data_location: Where data is stored, as the official documentation says; None if
            it is not known. It ends in ``", as declared"`` if the endpoint is not
            documented.
        inference_scope: Where inference runs, as the official documentation says; None
            if it is not known. It ends in ``", as declared"`` if the endpoint is not
            documented.
        rerank_base_url: The full base URL of the OpenAI-compatible rerank API.
        is_documented: Whether the host is one that the official documentation assigns
            to ``region``. False for any other host, such as a gateway: ``region`` and
            ``mode`` then are what the caller declared, and nothing checks them.
        is_default: Whether nothing was given that decides where requests go: neither a
            region nor a mode, and no environment variable.

    Example:
        >>> endpoint = resolve_endpoint(region="frankfurt", workspace="ws-123")
        >>> endpoint.openai_base_url
        'https://ws-123.eu-central-1.maas.aliyuncs.com/compatible-mode/v1'
    """

    region: str | None
    mode: str | None
    workspace: str | None
    openai_base_url: str
    dashscope_base_url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    data_location: str | None = None
    inference_scope: str | None = None
    rerank_base_url: str = field(default="", compare=False)
    is_documented: bool = field(default=False, compare=False)
    is_default: bool = field(default=False, compare=False)

    def base_url(self, protocol: Protocol) -> str:
        """Return the full base URL of a protocol.

        Args:
            protocol: ``"openai"`` or ``"dashscope"``.

        Raises:
            ConfigurationError: The protocol is unknown.

        Example:
            >>> resolve_endpoint(region="singapore").base_url("dashscope")
            'https://dashscope-intl.aliyuncs.com/api/v1'
        """
        return self.url(check_protocol(protocol))

    def url(self, api: Api) -> str:
        """Return the full base URL of an API.

        Args:
            api: ``"openai"``, ``"dashscope"`` or ``"rerank"``.

        Example:
            >>> resolve_endpoint(region="singapore").url("rerank")
            'https://dashscope-intl.aliyuncs.com/compatible-api/v1'
        """
        match api:
            case "openai":
                return self.openai_base_url
            case "dashscope":
                return self.dashscope_base_url
            case "rerank":
                return self.rerank_base_url
            case _:
                assert_never(api)

    @property
    def mode_declared(self) -> bool:
        """Whether the mode is what the caller declared, and cannot be checked.

        Frankfurt's modes share one host, and the workspace was created for one of them.
        On a host that is not documented every mode is declared.
        """
        if self.mode is None:
            return False
        return not self.is_documented or has_undecided_mode(self.region)

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine."""
        return is_loopback(urlsplit(self.openai_base_url).hostname or "")

    @property
    def host(self) -> str:
        """The host of all base URLs, with the port if there is one."""
        return urlsplit(self.openai_base_url).netloc


def resolve_endpoint(
    *,
    region: str | None = None,
    mode: str | None = None,
    workspace: str | None = None,
    base_url: str | None = None,
    model: str | None = None,
    allow_insecure_http: bool = False,
) -> Endpoint:
    """Return the endpoint for a region, a deployment mode and a workspace.

    No request is sent. The result never allows more places than the arguments do.

    Args:
        region: A region id, or an alias such as ``"frankfurt"``. If None: the region
            that ``mode`` is bound to, else ``DASHSCOPE_REGION``, else
            ``ap-southeast-1``.
        mode: The id or an alias of a deployment mode. If None: ``DASHSCOPE_MODE``, else
            the region's default.
        workspace: A workspace id. If None: ``DASHSCOPE_WORKSPACE_ID``, else
            ``DASHSCOPE_WORKSPACE``.
        base_url: A custom base URL instead of the region's. With it, the environment
            variables for the region and the workspace are ignored, and the one for the
            mode too if the host is not documented.
        model: The model id. In US (Virginia) without a mode, an id that ends in ``-us``
            selects the mode ``us``.
        allow_insecure_http: Whether ``base_url`` may be plain ``http`` for a host other
            than loopback.

    Returns:
        The endpoint, with the base URLs of all APIs.

    Raises:
        ConfigurationError: A name is unknown, names contradict each other, a workspace
            is missing or invalid, or ``base_url`` is invalid.

    Example:
        >>> resolve_endpoint(mode="us").dashscope_base_url
        'https://dashscope-us.aliyuncs.com/api/v1'
    """
    region_id = None if region is None else _region_id(region, "region")
    mode_id = None if mode is None else _mode_id(mode)
    if workspace is not None:
        _check_workspace(workspace, "workspace")
    if base_url is not None:
        return _custom_base_url(
            base_url, region_id, mode_id, workspace, model, allow_insecure_http
        )
    variables = (os.environ.get(REGION_VARIABLE), os.environ.get(MODE_VARIABLE))
    is_default = not any((region_id, mode_id, *variables))
    if region_id is None:
        region_id = _choose_region(mode_id)
    mode_id = _choose_mode(region_id, mode_id, model)
    if workspace is None:
        workspace = _workspace_from_environment()
    endpoint = _documented_endpoint(region_id, mode_id, workspace)
    return replace(endpoint, is_default=True) if is_default else endpoint


def batch_chat_endpoint(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint of Batch Chat in place of the one of ordinary chat.

    Args:
        endpoint: The endpoint of the arguments. A custom base URL is kept.

    Raises:
        ConfigurationError: The region has no Batch Chat, or there is a workspace.

    Example:
        >>> batch_chat_endpoint(resolve_endpoint(region="beijing")).openai_base_url
        'https://batch.dashscope.aliyuncs.com/compatible-mode/v1'
    """
    if endpoint.region not in {None, BATCH_CHAT_REGION}:
        raise ConfigurationError(
            f"batch_chat=True is possible in region {name_region(BATCH_CHAT_REGION)}"
            f" only, and not in {name_region(str(endpoint.region))}: pass"
            " region='beijing' if the data may be stored there, or remove batch_chat=."
        )
    if not endpoint.is_documented:
        return endpoint
    if endpoint.workspace is not None:
        raise ConfigurationError(
            "batch_chat=True has no host for workspaces: remove workspace= and"
            f" {WORKSPACE_VARIABLES[0]}, or batch_chat=."
        )
    base_url = f"https://{_BATCH_CHAT_HOST}{_PATHS['openai']}"
    return replace(endpoint, openai_base_url=base_url)


def api_key_from_environment() -> str | None:
    """Return the value of ``DASHSCOPE_API_KEY``, or None if it is not set."""
    return os.environ.get(API_KEY_VARIABLE) or None


def check_protocol(protocol: str) -> Protocol:
    """Return a protocol if it is valid.

    Raises:
        ConfigurationError: The protocol is unknown.
    """
    for candidate in PROTOCOLS:
        if protocol == candidate:
            return candidate
    raise ConfigurationError(
        f"protocol must be 'openai' (OpenAI compatible) or 'dashscope' (native), got"
        f" {_shown(protocol)}."
    )


def check_region(region: object, source: str = "region") -> str:
    """Return the id of a region.

    Args:
        region: The id or an alias.
        source: The argument or the variable that it is from, for the error.

    Raises:
        ConfigurationError: The region is unknown.

    Example:
        >>> check_region("Frankfurt")
        'eu-central-1'
    """
    return _region_id(region, source)


def check_mode(mode: object, source: str = "mode") -> str:
    """Return the id of a deployment mode.

    Args:
        mode: The id or an alias.
        source: The argument or the variable that it is from, for the error.

    Raises:
        ConfigurationError: The mode is unknown.
    """
    return _mode_id(mode, source)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionInfo:
    """A documented region of the service.

    Attributes:
        region: The region id.
        aliases: Other names that are accepted.
        data_location: Where data is stored.
        modes: The deployment modes, the default one first if there is one.
        default_mode: The mode where none is given; None: it is not known.
        host: The host without a workspace; None: a workspace is required.
        workspace_host: The host with a workspace, with ``{workspace}`` in the place of
            its id; the same as ``host`` where a header names the workspace.
    """

    region: str
    aliases: tuple[str, ...]
    data_location: str
    modes: tuple[str, ...]
    default_mode: str | None
    host: str | None
    workspace_host: str


def documented_regions() -> tuple[RegionInfo, ...]:
    """Return the documented regions of the service.

    Example:
        >>> [info.region for info in documented_regions() if info.host is None]
        ['eu-central-1', 'ap-northeast-1']
    """
    return tuple(
        RegionInfo(
            region=region,
            aliases=facts.aliases,
            data_location=facts.location,
            modes=facts.modes,
            default_mode=facts.default_mode,
            host=facts.shared_host,
            workspace_host=facts.shared_host
            if facts.shared_host and facts.workspace_in_header
            else f"{{workspace}}.{region}.{_WORKSPACE_DOMAIN}",
        )
        for region, facts in _REGIONS.items()
    )


def inference_scope_of(region: str, mode: str | None) -> str | None:
    """Return where inference runs, as the documentation says.

    Args:
        region: The region id.
        mode: A mode of the region; None for none.

    Example:
        >>> inference_scope_of("eu-central-1", "eu")
        'Limited to the EU'
    """
    return _MODES[mode].scope if mode else _REGIONS[region].scope_without_mode


def describe_key(api_key: str) -> str:
    """Return what kind of API key it is, from its first characters alone.

    Args:
        api_key: The key.

    Example:
        >>> describe_key("sk-sp-0123456789")
        'of a Coding Plan or a Token Plan (sk-sp-...)'
    """
    if is_plan_key(api_key):
        return f"of a Coding Plan or a Token Plan ({_PLAN_KEY}...)"
    if api_key.startswith(_TEMPORARY_KEY):
        return f"temporary ({_TEMPORARY_KEY}...): it expires"
    if api_key.startswith(_ORDINARY_KEY):
        return f"ordinary ({_ORDINARY_KEY}...)"
    return "not in the form of a Model Studio key (sk-...)"


def is_plan_key(api_key: str) -> bool:
    """Return whether an API key is of a Coding Plan or a Token Plan."""
    return api_key.startswith(_PLAN_KEY)


def refused_key_hint(endpoint: Endpoint, *, plan_key: bool) -> str:
    """Return what to do about an API key that a host refused.

    Args:
        endpoint: Where the request went.
        plan_key: Whether the key is of a Coding Plan or a Token Plan.

    Example:
        >>> hint = refused_key_hint(resolve_endpoint(region="tokyo", workspace="w"),
        ...     plan_key=False)
        >>> hint[:49]
        'The API key was refused by region ap-northeast-1.'
    """
    host = endpoint.host.partition(":")[0].casefold()
    where = f"region {endpoint.region}" if endpoint.region else endpoint.host
    refused = f"The API key was refused by {where}."
    is_plan_host = host == _CODING_HOST or host.startswith(f"{_TOKEN_PLAN_LABEL}.")
    site = next(
        (name for end, name in _OTHER_SITES.items() if host.endswith(end)), None
    )
    if is_plan_host and plan_key:
        return (
            f"{refused} It is a key of a plan ({_PLAN_KEY}...), which is bound to one"
            f" host: {_PLAN_HOSTS}"
        )
    if is_plan_host:
        return (
            f"{refused} This host accepts only keys of its plan, which begin with"
            f" {_PLAN_KEY}: use such a key, or remove base_url=."
        )
    if plan_key:
        return (
            f"{refused} A key that begins with {_PLAN_KEY} is of a Coding Plan or a"
            f" Token Plan, which have hosts of their own: {_PLAN_HOSTS}"
        )
    if site:
        return f"{refused} It belongs to {site}, which has keys of its own."
    if endpoint.is_default:
        refused += " No region was given, so Singapore was used."
    return (
        f"{refused} API keys belong to one region: use a key that was created there, or"
        " pass the region of the key as region=."
    )


_PLAN_HOSTS = (
    f"pass base_url='https://{_CODING_HOST}/v1' for a Coding Plan, or"
    f" base_url='https://{_TOKEN_PLAN_LABEL}.<region>.{_WORKSPACE_DOMAIN}"
    f"{_PATHS['openai']}', with the region of the plan, for a Token Plan."
)


def is_cloud_host(host: str) -> bool:
    """Return whether a host belongs to Alibaba Cloud, including its file storage."""
    return host.casefold().endswith(f".{_CLOUD_DOMAIN}")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_storage_of_region(host: str, region: str) -> bool:
    """Return whether a host is the file storage (OSS) of a region.

    Args:
        host: The host, such as ``"bucket.oss-cn-beijing.aliyuncs.com"``.
        region: The region id.
    """
    storage = re.escape(f"oss-{region}") + r"(-internal)?\." + re.escape(_CLOUD_DOMAIN)
    return bool(re.search(rf"(^|\.){storage}$", host, re.IGNORECASE))


def has_undecided_mode(region: str | None) -> bool:
    """Return whether several modes of a region share one host and all its models."""
    facts = _REGIONS.get(region or "")
    return bool(facts and len(facts.modes) > 1 and facts.default_mode is None)


def mode_of_request(region: str, declared: str | None, model: str | None) -> str | None:
    """Return the deployment mode in which a request to a documented host runs.

    Args:
        region: The region of the host.
        declared: The mode of the endpoint, which decides where the host and the model
            do not.
        model: The model id that is sent; None for a request without one.

    Returns:
        The mode; None if it is not known.
    """
    modes = _REGIONS[region].modes
    if len(modes) == 1:
        return modes[0]
    if "us" in modes and model is not None:
        return "us" if model.endswith(_US_SUFFIX) else "global"
    return declared if declared in modes else None


def name_region(region: str) -> str:
    """Return a region id with its first alias, for errors.

    Example:
        >>> name_region("cn-beijing")
        'cn-beijing (beijing)'
    """
    facts = _REGIONS.get(region)
    return f"{region} ({facts.aliases[0]})" if facts else region


def regions_of_mode(mode: str) -> tuple[str, ...]:
    """Return the ids of the regions that a deployment mode is bound to."""
    return tuple(name for name, region in _REGIONS.items() if mode in region.modes)


def _shown(value: object) -> str:
    """Return a value for an error: cut off, and without a key."""
    return hide_keys(repr(value))[:_MAX_SHOWN]


# --- Names ------------------------------------------------------------------------


def _normalize(name: str) -> str:
    return re.sub(r"[-_\s]+", "-", re.sub(r"[()]", " ", name).strip().casefold())


def _ids_by_name(table: Mapping[str, _Region] | Mapping[str, _Mode]) -> dict[str, str]:
    """Return the ids by all their names: the ids themselves and the aliases."""
    return {
        name: entry_id
        for entry_id, entry in table.items()
        for name in (entry_id, *entry.aliases)
    }


_REGION_IDS: Final = _ids_by_name(_REGIONS)
_MODE_IDS: Final = _ids_by_name(_MODES)


def _similar_ids(name: object, ids: Mapping[str, str]) -> list[str]:
    """Return all ids, the one with the most similar name first."""
    names = nearest(_normalize(str(name)), ids)
    return list(dict.fromkeys(ids[similar] for similar in names))


def _region_id(name: object, source: str) -> str:
    """Return the id of a region; ``source`` is the argument or variable it is from."""
    region = _REGION_IDS.get(_normalize(name)) if isinstance(name, str) else None
    if region is not None:
        return region
    regions = ", ".join(
        f"{similar} ({_REGIONS[similar].aliases[0]})"
        for similar in _similar_ids(name, _REGION_IDS)
    )
    mode = _MODE_IDS.get(_normalize(name)) if isinstance(name, str) else None
    hint = f" {name!r} is a deployment mode: pass mode={mode!r}." if mode else ""
    raise ConfigurationError(
        f"Unknown {source} {_shown(name)}.{hint} Regions: {regions}."
    )


def _mode_id(name: object, source: str = "mode") -> str:
    mode = _MODE_IDS.get(_normalize(name)) if isinstance(name, str) else None
    if mode is not None:
        return mode
    modes = ", ".join(_similar_ids(name, _MODE_IDS))
    region = _REGION_IDS.get(_normalize(name)) if isinstance(name, str) else None
    hint = f" {name!r} is a region: pass region={region!r}." if region else ""
    raise ConfigurationError(
        f"Unknown {source} {_shown(name)}.{hint} Deployment modes: {modes}."
    )


def _check_workspace(workspace: object, source: str) -> str:
    if (
        isinstance(workspace, str)
        and _WORKSPACE.fullmatch(workspace)
        and workspace.casefold() not in _RESERVED_LABELS
        and not is_key(workspace)
    ):
        return workspace
    raise ConfigurationError(
        f"{source} {_shown(workspace)} is not a workspace id: use up to 63 letters,"
        " digits, '-' and '_', the first a letter or a digit, such as 'ws-123'."
    )


def _workspace_from_environment() -> str | None:
    for variable in WORKSPACE_VARIABLES:
        if value := os.environ.get(variable):
            return _check_workspace(value, variable)
    return None


# --- Decisions --------------------------------------------------------------------


def _mode_from_environment() -> str | None:
    value = os.environ.get(MODE_VARIABLE)
    return _mode_id(value, MODE_VARIABLE) if value else None


def _choose_region(mode: str | None) -> str:
    """Return the region of the environment, of the mode, or the default one."""
    name = f"mode={mode!r}"
    if mode is None:
        mode = _mode_from_environment()
        name = f"{MODE_VARIABLE}={mode!r}"
    value = os.environ.get(REGION_VARIABLE)
    region = _region_id(value, REGION_VARIABLE) if value else None
    if mode is None:
        return region or DEFAULT_REGION
    regions = regions_of_mode(mode)
    if region is None and len(regions) > 1:
        raise ConfigurationError(
            f"{name} is bound to more than one region: choose with"
            f" region={' or region='.join(map(repr, regions))}."
        )
    if region is not None and region not in regions:
        raise ConfigurationError(
            f"{REGION_VARIABLE}={value!r} contradicts {name}, which is bound to"
            f" {', '.join(regions)}: pass region=, or change the variable."
        )
    return region or next(iter(regions))


def _choose_mode(region: str, mode: str | None, model: str | None) -> str | None:
    """Return the given mode if the region has it, else the default of the region."""
    facts = _REGIONS[region]
    name = f"mode={mode!r}"
    advice = ""
    if mode is None:
        # Also if the region is given: the variable asks for a scope, too.
        mode = _mode_from_environment()
        name = f"{MODE_VARIABLE}={mode!r}"
        advice = " Pass mode=, or change the variable."
    if mode is None:
        if "us" in facts.modes and (model or "").endswith(_US_SUFFIX):
            return "us"
        return facts.default_mode
    if mode not in facts.modes:
        raise ConfigurationError(
            f"{name} is not bound to region={region!r}. Modes of {region}:"
            f" {', '.join(facts.modes) or 'none documented'}. Regions of mode {mode}:"
            f" {', '.join(regions_of_mode(mode))}.{advice}"
        )
    return mode


def _documented_endpoint(
    region: str, mode: str | None, workspace: str | None
) -> Endpoint:
    facts = _REGIONS[region]
    if facts.shared_host and (workspace is None or facts.workspace_in_header):
        headers = _workspace_headers(workspace)
        return _endpoint(
            f"https://{facts.shared_host}", region, mode, workspace, headers
        )
    if workspace is None:
        raise ConfigurationError(
            f"Region {region} ({facts.location}) needs a workspace: pass workspace= or"
            f" set {WORKSPACE_VARIABLES[0]}. The id is shown in the Model Studio"
            f" console: switch to {facts.location} and click the icon in the"
            " upper-right corner."
        )
    origin = f"https://{workspace}.{region}.{_WORKSPACE_DOMAIN}"
    return _endpoint(origin, region, mode, workspace, {})


def _workspace_headers(workspace: str | None) -> dict[str, str]:
    return {} if workspace is None else {WORKSPACE_HEADER: workspace}


def _endpoint(  # noqa: PLR0917 - the fields of Endpoint
    origin: str,
    region: str | None,
    mode: str | None,
    workspace: str | None,
    headers: Mapping[str, str],
    paths: Mapping[Api, str] = _PATHS,
) -> Endpoint:
    facts = _REGIONS[region] if region else None
    location = facts.location if facts else None
    scope = _MODES[mode].scope if mode else facts.scope_without_mode if facts else None
    is_documented = documented_host(urlsplit(origin).netloc)[0] is not None
    if not is_documented:
        location = location and f"{location}, as declared"
        scope = f"{_MODES[mode].scope}, as declared" if mode else None
    return Endpoint(
        region=region,
        mode=mode,
        workspace=workspace,
        openai_base_url=origin + paths["openai"],
        dashscope_base_url=origin + paths["dashscope"],
        headers=headers,
        data_location=location,
        inference_scope=scope,
        rerank_base_url=origin + paths["rerank"],
        is_documented=is_documented,
    )


# --- A custom base URL ------------------------------------------------------------


def _custom_base_url(  # noqa: PLR0917 - the six arguments of resolve_endpoint
    base_url: str,
    region: str | None,
    mode: str | None,
    workspace: str | None,
    model: str | None,
    allow_insecure_http: bool,
) -> Endpoint:
    url = _parse_base_url(base_url, allow_insecure_http)
    host_region, host_workspace = documented_host(url.netloc)
    if host_region is not None and region not in {None, host_region}:
        raise ConfigurationError(
            f"base_url is a host of region {host_region}, which contradicts"
            f" region={region!r}: remove one of the two."
        )
    region = host_region or region
    if region is not None and (host_region is not None or mode is not None):
        mode = _choose_mode(region, mode, model)
    if host_workspace is not None and workspace not in {None, host_workspace}:
        raise ConfigurationError(
            f"base_url is the host of workspace {host_workspace!r}, which contradicts"
            f" workspace={workspace!r}: remove one of the two."
        )
    # The host already names the workspace.
    headers = {} if host_workspace else _workspace_headers(workspace)
    workspace = host_workspace or workspace
    origin = f"{url.scheme}://{url.netloc}"
    return _endpoint(origin, region, mode, workspace, headers, _paths(url.path))


def _parse_base_url(base_url: object, allow_insecure_http: bool) -> SplitResult:
    """Return the parts of a base URL. The errors never contain it: it may be a key."""
    example = "such as 'https://gateway.example.com' or 'http://127.0.0.1:8000'."
    if not isinstance(base_url, str) or re.search(r"\s", base_url):
        raise ConfigurationError(f"base_url must be a string without spaces, {example}")
    try:
        url = urlsplit(base_url)
        port = url.port
    except ValueError:
        raise ConfigurationError(f"base_url must be a valid URL, {example}") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ConfigurationError(f"base_url must be an http or https URL, {example}")
    if "@" in url.netloc or url.query or url.fragment:
        raise ConfigurationError(
            "base_url must not contain a user name, password, query or fragment. Pass"
            " the key as api_key=, and other values as default_headers=."
        )
    bare = url.netloc if port is None else url.netloc[: url.netloc.rindex(":")]
    if not _HOST.fullmatch(bare.rstrip(":")) or not re.fullmatch(
        r"[A-Za-z0-9._~%/+@:-]*", url.path
    ):
        if "{" in url.netloc:
            raise ConfigurationError(
                "base_url contains a placeholder: replace it with your workspace id, or"
                " pass region= and workspace= instead of base_url=."
            )
        raise ConfigurationError(
            f"base_url contains characters that are not valid in a URL. Use a URL"
            f" {example}"
        )
    if _AMBIGUOUS_PATH.search(url.path.rstrip("/")):
        raise ConfigurationError(
            "base_url must have a plain path: without '//', '.' and '..', and without"
            f" percent-encoded dots, slashes and control characters, {example}"
        )
    if url.scheme == "http" and not (allow_insecure_http or is_loopback(url.hostname)):
        raise ConfigurationError(
            f"base_url must be https for host {url.hostname}: over http the API key is"
            " sent unencrypted. Use https, or pass allow_insecure_http=True."
        )
    return url


def documented_host(netloc: str) -> tuple[str | None, str | None]:
    """Return the region and the workspace of a documented host, else two Nones.

    Args:
        netloc: The host, and the port if there is one.
    """
    host = netloc.partition(":")[0]
    if host.casefold() == _BATCH_CHAT_HOST:
        return BATCH_CHAT_REGION, None
    for region, facts in _REGIONS.items():
        if facts.shared_host == host.casefold():
            return region, None
        domain = f".{region}.{_WORKSPACE_DOMAIN}"
        label = host[: -len(domain)]
        if (
            host.casefold().endswith(domain)
            and _WORKSPACE.fullmatch(label)
            and label.casefold() not in _RESERVED_LABELS
        ):
            return region, label
    return None, None


def _paths(path: str) -> Mapping[Api, str]:
    """Return the path of each API below the path of a custom base URL.

    If it ends in a documented path, each API gets its documented path in that place.
    Any other path is used unchanged for every API.
    """
    path = _API_PATH.sub("", path.rstrip("/"))
    if not path:
        return _PATHS
    for suffix in _PATHS.values():
        if path.endswith(suffix):
            prefix = path.removesuffix(suffix)
            return {api: prefix + tail for api, tail in _PATHS.items()}
    return dict.fromkeys(APIS, path)
