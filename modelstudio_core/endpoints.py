"""Where a request goes: region × mode × workspace → ``Endpoint``.

This is the only file that spells a host of the service or one of its environment
variables. A region is where the service is reached and where data is stored, a
deployment mode is where inference runs, and each mode is bound to certain regions.
Sources: the official pages "Regions and deployment modes" and "DeepSeek" (read
2026-09).
"""

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, assert_never, get_args
from urllib.parse import SplitResult, urlsplit

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import nearest

__all__ = ["Api", "Endpoint", "Protocol", "resolve_endpoint"]

Protocol = Literal["openai", "dashscope"]
PROTOCOLS: Final[tuple[Protocol, ...]] = get_args(Protocol)
# A base path of the service. A protocol has one of the same name.
Api = Literal["openai", "dashscope", "rerank"]
APIS: Final[tuple[Api, ...]] = get_args(Api)

API_KEY_VARIABLE: Final = "DASHSCOPE_API_KEY"
REGION_VARIABLE: Final = "DASHSCOPE_REGION"
WORKSPACE_VARIABLES: Final = ("DASHSCOPE_WORKSPACE_ID", "DASHSCOPE_WORKSPACE")

_PATHS: Final[dict[Api, str]] = {
    "openai": "/compatible-mode/v1",
    "dashscope": "/api/v1",
    "rerank": "/compatible-api/v1",
}
# Every host of Alibaba Cloud, its file storage included, is below this domain.
_CLOUD_DOMAIN = "aliyuncs.com"
_WORKSPACE_DOMAIN = f"maas.{_CLOUD_DOMAIN}"
_WORKSPACE_HEADER = "X-DashScope-WorkSpace"
# It becomes a DNS label, so nothing else may pass.
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
# A label before a region's domain that is a service of its own, not a workspace.
_RESERVED_LABELS = frozenset({"token-plan"})
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_US_SUFFIX = "-us"


class _Mode(NamedTuple):
    aliases: tuple[str, ...]
    scope: str


class _Region(NamedTuple):
    aliases: tuple[str, ...]
    location: str
    shared_host: str | None
    modes: tuple[str, ...]
    default_mode: str | None
    # Where no mode is chosen: what is known of where inference runs.
    undecided_scope: str | None = None
    # A workspace goes into a header where the seeds know no workspace host.
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
        undecided_scope="EU or global, as the workspace was created",
    ),
    "ap-northeast-1": _Region(
        aliases=("tokyo", "japan", "jp", "japan-tokyo"),
        location="Japan (Tokyo)",
        shared_host=None,
        modes=(),
        default_mode=None,
        undecided_scope="not documented",
    ),
}
DEFAULT_REGION: Final = "ap-southeast-1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go, where data is stored, and where inference runs.

    Attributes:
        region: The region id; None for a custom base URL.
        mode: The deployment mode's id; None where it is not known.
        workspace: The workspace id; None for the account's default one.
        openai_base_url: The full base URL of the OpenAI-compatible protocol.
        dashscope_base_url: The full base URL of the native DashScope protocol.
        headers: Headers to send with each request: empty, or the workspace's header.
        data_location: Where data is stored, in the words of the documentation.
        inference_scope: Where inference runs, in the words of the documentation.
        rerank_base_url: The full base URL of the rerank API in the OpenAI style.

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

    def base_url(self, protocol: Protocol) -> str:
        """Return the base URL of a protocol, ``"openai"`` or ``"dashscope"``.

        Raises:
            ConfigurationError: The protocol is not one of the two.
        """
        return self.url(check_protocol(protocol))

    def url(self, api: Api) -> str:
        """Return the base URL of an API: ``"openai"``, ``"dashscope"`` or ``"rerank"``.

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
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(urlsplit(self.openai_base_url).hostname or "")

    @property
    def host(self) -> str:
        """The host that every API is reached on, with its port if it has one."""
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
    """Decide where requests go. Nothing is sent, and no scope is ever widened.

    Args:
        region: A region id or an alias such as ``"frankfurt"``. If None: the one that
            ``mode`` is bound to, else ``DASHSCOPE_REGION``, else ``ap-southeast-1``.
        mode: A deployment mode or an alias. If None: the region's default.
        workspace: A workspace id. If None: ``DASHSCOPE_WORKSPACE_ID``, else
            ``DASHSCOPE_WORKSPACE``.
        base_url: An address that overrides the one that region, mode and workspace
            give. With it the environment's region and workspace do not count.
        model: The model id: in US (Virginia) without a mode, one that ends in ``-us``
            means mode ``us``.
        allow_insecure_http: Whether plain ``http`` may go to other than loopback.

    Returns:
        The endpoint, the same for both protocols.

    Raises:
        ConfigurationError: A name is unknown, names contradict each other, a workspace
            is missing or malformed, or the address is not one to send a key to.

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
    region_id = region_id or _choose_region(mode_id)
    mode_id = _choose_mode(region_id, mode_id, model)
    if workspace is None:
        workspace = _workspace_from_environment()
    return _documented(region_id, mode_id, workspace)


def api_key_from_environment() -> str | None:
    """Return the API key of the environment, None where there is none."""
    return os.environ.get(API_KEY_VARIABLE) or None


def check_protocol(protocol: str) -> Protocol:
    """Return the protocol, or raise ``ConfigurationError`` for an unknown one."""
    for known in PROTOCOLS:
        if protocol == known:
            return known
    raise ConfigurationError(
        f"protocol must be 'openai' (OpenAI compatible) or 'dashscope' (native), got"
        f" {protocol!r}."
    )


def is_documented(endpoint: Endpoint) -> bool:
    """Return whether an endpoint is a host of Model Studio itself."""
    return _documented_host(endpoint.host)[0] is not None


def is_cloud_host(host: str) -> bool:
    """Return whether a host belongs to Alibaba Cloud, its file storage included."""
    return host.casefold().endswith(f".{_CLOUD_DOMAIN}")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def regions_of_mode(mode: str) -> tuple[str, ...]:
    """Return the ids of the regions that a deployment mode is bound to."""
    return tuple(name for name, known in _REGIONS.items() if mode in known.modes)


# --- Names ------------------------------------------------------------------------


def _normalize(name: str) -> str:
    return re.sub(r"[-_\s]+", "-", re.sub(r"[()]", " ", name).strip().casefold())


def _find(name: object, table: Mapping[str, _Region] | Mapping[str, _Mode]) -> str:
    """Return the id that a name or an alias stands for, or an empty string."""
    if not isinstance(name, str):
        return ""
    asked = _normalize(name)
    for known, entry in table.items():
        if asked == known or asked in entry.aliases:
            return known
    return ""


def _region_id(name: str, source: str) -> str:
    if found := _find(name, _REGIONS):
        return found
    words = {
        word: known for known, it in _REGIONS.items() for word in (known, *it.aliases)
    }
    near = dict.fromkeys(words[word] for word in nearest(_normalize(str(name)), words))
    listed = ", ".join(f"{known} ({_REGIONS[known].aliases[0]})" for known in near)
    raise ConfigurationError(f"Unknown {source} {name!r}. Regions: {listed}.")


def _mode_id(name: str) -> str:
    if found := _find(name, _MODES):
        return found
    words = {
        word: known for known, it in _MODES.items() for word in (known, *it.aliases)
    }
    near = dict.fromkeys(words[word] for word in nearest(_normalize(str(name)), words))
    listed = ", ".join(near)
    raise ConfigurationError(f"Unknown mode {name!r}. Deployment modes: {listed}.")


def _check_workspace(workspace: object, source: str) -> str:
    if isinstance(workspace, str) and _WORKSPACE.fullmatch(workspace):
        return workspace
    raise ConfigurationError(
        f"{source} {workspace!r} is not a workspace id: it is up to 63 letters, digits,"
        " '-' and '_', and begins with a letter or a digit, such as 'ws-123'."
    )


def _workspace_from_environment() -> str | None:
    for variable in WORKSPACE_VARIABLES:
        if value := os.environ.get(variable):
            return _check_workspace(value, variable)
    return None


# --- Decisions --------------------------------------------------------------------


def _choose_region(mode: str | None) -> str:
    value = os.environ.get(REGION_VARIABLE)
    wanted = _region_id(value, REGION_VARIABLE) if value else None
    if mode is None:
        return wanted or DEFAULT_REGION
    bound = regions_of_mode(mode)
    if wanted is None and len(bound) > 1:
        raise ConfigurationError(
            f"mode={mode!r} is bound to more than one region: choose with"
            f" region={' or region='.join(map(repr, bound))}."
        )
    if wanted is not None and wanted not in bound:
        raise ConfigurationError(
            f"{REGION_VARIABLE}={value!r} contradicts mode={mode!r}, which is bound to"
            f" {_join(bound)}: pass region=, or change the variable."
        )
    return wanted or next(iter(bound))


def _choose_mode(region: str, mode: str | None, model: str | None) -> str | None:
    known = _REGIONS[region]
    if mode is None:
        if "us" in known.modes and (model or "").endswith(_US_SUFFIX):
            return "us"
        return known.default_mode
    if mode not in known.modes:
        raise ConfigurationError(
            f"mode={mode!r} is not bound to region={region!r}. Modes of {region}:"
            f" {_join(known.modes) or 'none documented'}. Regions of mode {mode}:"
            f" {_join(regions_of_mode(mode))}."
        )
    return mode


def _documented(region: str, mode: str | None, workspace: str | None) -> Endpoint:
    known = _REGIONS[region]
    if known.shared_host and (workspace is None or known.workspace_in_header):
        headers = {} if workspace is None else {_WORKSPACE_HEADER: workspace}
        return _endpoint(
            f"https://{known.shared_host}", region, mode, workspace, headers
        )
    if workspace is None:
        raise ConfigurationError(
            f"Region {region} ({known.location}) needs a workspace: pass workspace= or"
            f" set {WORKSPACE_VARIABLES[0]}. The id stands in the Model Studio console:"
            f" switch to {known.location} and click the icon in the upper-right corner."
        )
    origin = f"https://{workspace}.{region}.{_WORKSPACE_DOMAIN}"
    return _endpoint(origin, region, mode, workspace, {})


def _endpoint(  # noqa: PLR0917 - the fields of Endpoint
    origin: str,
    region: str | None,
    mode: str | None,
    workspace: str | None,
    headers: Mapping[str, str],
    paths: Mapping[Api, str] = _PATHS,
) -> Endpoint:
    known = _REGIONS[region] if region else None
    scope = _MODES[mode].scope if mode else known.undecided_scope if known else None
    return Endpoint(
        region=region,
        mode=mode,
        workspace=workspace,
        openai_base_url=origin + paths["openai"],
        dashscope_base_url=origin + paths["dashscope"],
        headers=headers,
        data_location=known.location if known else None,
        inference_scope=scope,
        rerank_base_url=origin + paths["rerank"],
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
    url = _split(base_url, allow_insecure_http)
    found_region, found_workspace = _documented_host(url.netloc)
    if found_region is None:
        if region is not None and mode is not None:
            _choose_mode(region, mode, model)
    else:
        if region is not None and region != found_region:
            raise ConfigurationError(
                f"base_url is a host of region {found_region}, which contradicts"
                f" region={region!r}: drop one of the two."
            )
        region = found_region
        mode = _choose_mode(region, mode, model)
    if found_workspace is not None:
        if workspace not in {None, found_workspace}:
            raise ConfigurationError(
                f"base_url is the host of workspace {found_workspace!r}, which"
                f" contradicts workspace={workspace!r}: drop one of the two."
            )
        workspace, headers = found_workspace, dict[str, str]()
    else:
        headers = {} if workspace is None else {_WORKSPACE_HEADER: workspace}
    origin = f"{url.scheme}://{url.netloc}"
    return _endpoint(origin, region, mode, workspace, headers, _paths(url.path))


def _split(base_url: str, allow_insecure_http: bool) -> SplitResult:
    """Take an address apart; what is said of a bad one never repeats it whole."""
    wanted = "such as 'https://gateway.example.com' or 'http://127.0.0.1:8000'."
    if not isinstance(base_url, str) or re.search(r"\s", base_url):
        raise ConfigurationError(f"base_url must be a string without blanks, {wanted}")
    try:
        url = urlsplit(base_url)
        port = url.port
    except ValueError:
        raise ConfigurationError(f"base_url is not an address, {wanted}") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ConfigurationError(f"base_url must be an http(s) address, {wanted}")
    if "@" in url.netloc or url.query or url.fragment:
        raise ConfigurationError(
            "base_url must hold no user, password, query or fragment: pass the key as"
            " api_key= and anything else as default_headers=."
        )
    bare = url.netloc if port is None else url.netloc[: url.netloc.rindex(":")]
    if not _HOST.fullmatch(bare.rstrip(":")) or not re.fullmatch(
        r"[A-Za-z0-9._~%/+@:-]*", url.path
    ):
        raise ConfigurationError(
            f"base_url has characters that no address has, {wanted}"
        )
    if url.scheme == "http" and not (allow_insecure_http or is_loopback(url.hostname)):
        raise ConfigurationError(
            f"base_url is plain http to {url.hostname}, which would show the key to the"
            " network: use https, or say allow_insecure_http=True."
        )
    return url


def _documented_host(netloc: str) -> tuple[str | None, str | None]:
    """Return the region and the workspace that a host stands for, or two Nones."""
    host = netloc.partition(":")[0]
    for region, known in _REGIONS.items():
        if known.shared_host == host.casefold():
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
    path = path.rstrip("/")
    if not path:
        return _PATHS
    for suffix in _PATHS.values():
        if path.endswith(suffix):
            prefix = path.removesuffix(suffix)
            return {api: prefix + tail for api, tail in _PATHS.items()}
    return dict.fromkeys(APIS, path)


def _join(names: Iterable[str]) -> str:
    return ", ".join(names)
