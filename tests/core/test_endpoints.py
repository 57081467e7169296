"""Endpoints: regions, deployment modes, workspaces and custom base URLs."""

import traceback
from functools import partial
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import pytest

from modelstudio_core.endpoints import (
    APIS,
    Api,
    Endpoint,
    api_key_from_environment,
    batch_chat_endpoint,
    check_protocol,
    check_region,
    describe_key,
    documented_regions,
    inference_scope_of,
    is_cloud_host,
    is_loopback,
    is_plan_key,
    is_storage_of_region,
    mode_of_request,
    name_region,
    refused_key_hint,
    regions_of_mode,
    resolve_endpoint,
)
from modelstudio_core.errors import ConfigurationError
from tests.core.support import error_message

HEADER = "X-DashScope-WorkSpace"


class Row(NamedTuple):
    """One row of the documented table of regions."""

    region: str
    location: str
    shared_host: str | None
    workspace_host: str
    in_header: bool
    modes: tuple[str, ...]
    default_mode: str | None
    scope: str
    names: tuple[str, ...]


# The names are the aliases, then the spellings of the two official pages.
ROWS = (
    Row(
        region="ap-southeast-1",
        location="Singapore",
        shared_host="dashscope-intl.aliyuncs.com",
        workspace_host="ws-123.ap-southeast-1.maas.aliyuncs.com",
        in_header=False,
        modes=("international",),
        default_mode="international",
        scope="Global dynamic scheduling (excluding the Chinese Mainland)",
        names=("singapore", "intl", "sg", "Singapore"),
    ),
    Row(
        region="us-east-1",
        location="US (Virginia)",
        shared_host="dashscope-us.aliyuncs.com",
        workspace_host="dashscope-us.aliyuncs.com",
        in_header=True,
        modes=("global", "us"),
        default_mode="global",
        scope="Global dynamic scheduling",
        names=("virginia", "us-virginia", "us", "US (Virginia)", "Virginia"),
    ),
    Row(
        region="cn-beijing",
        location="China (Beijing)",
        shared_host="dashscope.aliyuncs.com",
        workspace_host="ws-123.cn-beijing.maas.aliyuncs.com",
        in_header=False,
        modes=("chinese-mainland",),
        default_mode="chinese-mainland",
        scope="Limited to the Chinese Mainland",
        names=("beijing", "china", "cn", "China (Beijing)", "Beijing"),
    ),
    Row(
        region="cn-hongkong",
        location="Hong Kong (China)",
        shared_host="cn-hongkong.dashscope.aliyuncs.com",
        workspace_host="cn-hongkong.dashscope.aliyuncs.com",
        in_header=True,
        modes=("hong-kong",),
        default_mode="hong-kong",
        scope="Limited to Hong Kong (China)",
        names=(
            "hongkong",
            "hong-kong",
            "hk",
            "Hong Kong (China)",
            "China (Hong Kong)",
            "Hong Kong",
        ),
    ),
    Row(
        region="eu-central-1",
        location="Germany (Frankfurt)",
        shared_host=None,
        workspace_host="ws-123.eu-central-1.maas.aliyuncs.com",
        in_header=False,
        modes=("eu", "global"),
        default_mode=None,
        scope="EU or global, as the workspace was created",
        names=("frankfurt", "germany", "de", "Germany (Frankfurt)", "Frankfurt"),
    ),
    Row(
        region="ap-northeast-1",
        location="Japan (Tokyo)",
        shared_host=None,
        workspace_host="ws-123.ap-northeast-1.maas.aliyuncs.com",
        in_header=False,
        modes=(),
        default_mode=None,
        scope="not documented",
        names=("tokyo", "japan", "jp", "Japan (Tokyo)", "Tokyo"),
    ),
)
REGIONS = {row.region: row for row in ROWS}
SHARED = [row for row in ROWS if row.shared_host]
WORKSPACE_ONLY = [row for row in ROWS if not row.shared_host]
LISTED = {f"{row.region} ({row.names[0]})" for row in ROWS}

SCOPES = {
    "global": "Global dynamic scheduling",
    "international": "Global dynamic scheduling (excluding the Chinese Mainland)",
    "us": "Limited to the United States",
    "chinese-mainland": "Limited to the Chinese Mainland",
    "hong-kong": "Limited to Hong Kong (China)",
    "eu": "Limited to the EU",
}
MODE_NAMES = [
    ("global", "global"),
    ("Global", "global"),
    ("international", "international"),
    ("International", "international"),
    ("intl", "international"),
    ("us", "us"),
    ("US", "us"),
    ("united-states", "us"),
    ("United States", "us"),
    ("chinese-mainland", "chinese-mainland"),
    ("Chinese Mainland", "chinese-mainland"),
    ("Chinese mainland", "chinese-mainland"),
    ("mainland", "chinese-mainland"),
    ("china", "chinese-mainland"),
    ("cn", "chinese-mainland"),
    ("hong-kong", "hong-kong"),
    ("hongkong", "hong-kong"),
    ("hk", "hong-kong"),
    ("Hong Kong (China)", "hong-kong"),
    ("eu", "eu"),
    ("EU", "eu"),
    ("european-union", "eu"),
    ("European Union", "eu"),
]
BOUND = [(row.region, mode) for row in ROWS for mode in row.modes]
UNBOUND = [
    (row.region, mode) for row in ROWS for mode in SCOPES if mode not in row.modes
]


# Takes the arguments of ``resolve_endpoint`` and returns the message of its error.
endpoint_error = partial(error_message, resolve_endpoint)


def region_of(mode: str) -> str:
    """Return a region that a mode is bound to."""
    return next(row.region for row in ROWS if mode in row.modes)


# --- The table ----------------------------------------------------------------------


@pytest.mark.parametrize("row", SHARED, ids=lambda row: row.region)
def test_region_without_a_workspace(row: Row) -> None:
    assert resolve_endpoint(region=row.region) == Endpoint(
        region=row.region,
        mode=row.default_mode,
        workspace=None,
        openai_base_url=f"https://{row.shared_host}/compatible-mode/v1",
        dashscope_base_url=f"https://{row.shared_host}/api/v1",
        headers={},
        data_location=row.location,
        inference_scope=row.scope,
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.region)
def test_region_with_a_workspace(row: Row) -> None:
    assert resolve_endpoint(region=row.region, workspace="ws-123") == Endpoint(
        region=row.region,
        mode=row.default_mode,
        workspace="ws-123",
        openai_base_url=f"https://{row.workspace_host}/compatible-mode/v1",
        dashscope_base_url=f"https://{row.workspace_host}/api/v1",
        headers={HEADER: "ws-123"} if row.in_header else {},
        data_location=row.location,
        inference_scope=row.scope,
    )


@pytest.mark.parametrize("row", WORKSPACE_ONLY, ids=lambda row: row.region)
def test_the_error_for_a_missing_workspace_says_where_to_find_it(row: Row) -> None:
    message = endpoint_error(region=row.region)
    assert row.region in message
    assert row.location in message
    assert "DASHSCOPE_WORKSPACE_ID" in message
    assert "workspace=" in message
    assert "console" in message


@pytest.mark.parametrize(
    ("name", "region"),
    [(name, row.region) for row in ROWS for name in (row.region, *row.names)],
)
def test_every_name_of_a_region(name: str, region: str) -> None:
    assert resolve_endpoint(region=name, workspace="ws-123").region == region


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("FRANKFURT", "eu-central-1"),
        ("  frankfurt ", "eu-central-1"),
        ("EU-CENTRAL-1", "eu-central-1"),
        ("eu_central_1", "eu-central-1"),
        ("eu central 1", "eu-central-1"),
        ("hong_kong", "cn-hongkong"),
        ("HONG KONG", "cn-hongkong"),
        ("hong kong china", "cn-hongkong"),
        ("Us_Virginia", "us-east-1"),
        ("germany frankfurt", "eu-central-1"),
        ("GERMANY(FRANKFURT)", "eu-central-1"),
    ],
)
def test_region_names_ignore_case_parentheses_and_separators(
    name: str, region: str
) -> None:
    assert resolve_endpoint(region=name, workspace="ws-123").region == region


def test_the_default_region_is_singapore() -> None:
    endpoint = resolve_endpoint()
    assert endpoint.region == "ap-southeast-1"
    assert endpoint.mode == "international"
    assert endpoint.host == "dashscope-intl.aliyuncs.com"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("singapor", "ap-southeast-1 (singapore)"),
        ("frankfort", "eu-central-1 (frankfurt)"),
        ("us-east-2", "us-east-1 (virginia)"),
        ("tokio", "ap-northeast-1 (tokyo)"),
        ("cn-beijin", "cn-beijing (beijing)"),
        ("Hong Kong SAR", "cn-hongkong (hongkong)"),
    ],
)
def test_the_error_for_an_unknown_region_lists_the_nearest_first(
    name: str, first: str
) -> None:
    message = endpoint_error(region=name)
    assert repr(name) in message
    listed = message.rstrip(".").rpartition(": ")[2].split(", ")
    assert listed[0] == first
    assert set(listed) == LISTED
    assert len(listed) == len(LISTED)


@pytest.mark.parametrize("region", ["", 1, b"singapore"])
def test_a_region_that_is_not_a_name_is_refused(region: object) -> None:
    assert repr(region) in endpoint_error(region=region)


# --- Modes --------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "mode"), MODE_NAMES)
def test_every_name_of_a_mode(name: str, mode: str) -> None:
    endpoint = resolve_endpoint(region=region_of(mode), mode=name, workspace="ws-123")
    assert endpoint.mode == mode
    assert endpoint.inference_scope == SCOPES[mode]


@pytest.mark.parametrize(
    ("mode", "region"),
    [
        ("international", "ap-southeast-1"),
        ("us", "us-east-1"),
        ("chinese-mainland", "cn-beijing"),
        ("hong-kong", "cn-hongkong"),
        ("eu", "eu-central-1"),
    ],
)
def test_a_mode_alone_chooses_its_region(mode: str, region: str) -> None:
    endpoint = resolve_endpoint(mode=mode, workspace="ws-123")
    assert (endpoint.region, endpoint.mode) == (region, mode)


def test_the_error_for_global_alone_names_both_of_its_regions() -> None:
    message = endpoint_error(mode="global", workspace="ws-123")
    assert "us-east-1" in message
    assert "eu-central-1" in message
    assert "region=" in message


@pytest.mark.parametrize(("region", "mode"), BOUND)
def test_a_region_and_a_mode_that_is_bound_to_it(region: str, mode: str) -> None:
    endpoint = resolve_endpoint(region=region, mode=mode, workspace="ws-123")
    assert (endpoint.region, endpoint.mode) == (region, mode)
    assert endpoint.data_location == REGIONS[region].location
    assert endpoint.inference_scope == SCOPES[mode]


@pytest.mark.parametrize(("region", "mode"), UNBOUND)
def test_the_error_for_an_unbound_mode_lists_the_alternatives(
    region: str, mode: str
) -> None:
    message = endpoint_error(region=region, mode=mode, workspace="ws-123")
    of_region = ", ".join(REGIONS[region].modes) or "none documented"
    of_mode = ", ".join(row.region for row in ROWS if mode in row.modes)
    assert f"Modes of {region}: {of_region}." in message
    assert f"Regions of mode {mode}: {of_mode}." in message


def test_eu_and_global_share_the_host_of_frankfurt() -> None:
    eu = resolve_endpoint(region="frankfurt", mode="eu", workspace="ws-123")
    other = resolve_endpoint(region="frankfurt", mode="global", workspace="ws-123")
    assert eu.openai_base_url == other.openai_base_url
    assert eu.inference_scope == "Limited to the EU"
    assert other.inference_scope == "Global dynamic scheduling"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("globl", "global"),
        ("europe", "eu"),
        ("usa", "us"),
        ("mainlnd", "chinese-mainland"),
    ],
)
def test_the_error_for_an_unknown_mode_lists_the_nearest_first(
    name: str, first: str
) -> None:
    message = endpoint_error(mode=name)
    assert repr(name) in message
    listed = message.rstrip(".").rpartition(": ")[2].split(", ")
    assert listed[0] == first
    assert sorted(listed) == sorted(SCOPES)


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        (None, "global"),
        ("deepseek-v4-pro", "global"),
        ("deepseek-v4-pro-us", "us"),
        ("a-model-of-tomorrow-us", "us"),
        ("us", "global"),
    ],
)
def test_in_virginia_the_model_chooses_the_mode(model: str | None, mode: str) -> None:
    assert resolve_endpoint(region="us", model=model).mode == mode


def test_a_us_model_does_not_choose_the_region() -> None:
    endpoint = resolve_endpoint(model="deepseek-v4-pro-us")
    assert (endpoint.region, endpoint.mode) == ("ap-southeast-1", "international")


def test_an_explicit_mode_overrides_that_of_the_model() -> None:
    assert resolve_endpoint(region="us", mode="global", model="x-us").mode == "global"


# --- The environment ----------------------------------------------------------------


def test_region_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "Hong Kong (China)")
    assert resolve_endpoint().region == "cn-hongkong"


def test_an_explicit_region_overrides_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "nowhere")
    assert resolve_endpoint(region="cn").region == "cn-beijing"


def test_the_variable_decides_between_the_regions_of_a_mode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "frankfurt")
    endpoint = resolve_endpoint(mode="global", workspace="ws-123")
    assert (endpoint.region, endpoint.mode) == ("eu-central-1", "global")


def test_a_variable_that_contradicts_the_mode_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "beijing")
    message = endpoint_error(mode="us")
    assert "DASHSCOPE_REGION" in message
    assert "'beijing'" in message
    assert "mode='us'" in message
    assert "us-east-1" in message


@pytest.mark.parametrize("mode", [None, "us"])
def test_the_error_for_an_unknown_region_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, mode: str | None
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "singapor")
    message = endpoint_error(mode=mode)
    assert "DASHSCOPE_REGION 'singapor'" in message
    assert "ap-southeast-1 (singapore)" in message


def test_an_empty_variable_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "")
    monkeypatch.setenv("DASHSCOPE_WORKSPACE_ID", "")
    monkeypatch.setenv("DASHSCOPE_WORKSPACE", "")
    endpoint = resolve_endpoint()
    assert (endpoint.region, endpoint.workspace) == ("ap-southeast-1", None)


@pytest.mark.parametrize(
    ("variables", "given", "workspace"),
    [
        ({"DASHSCOPE_WORKSPACE_ID": "ws-a"}, None, "ws-a"),
        ({"DASHSCOPE_WORKSPACE": "ws-b"}, None, "ws-b"),
        (
            {"DASHSCOPE_WORKSPACE_ID": "ws-a", "DASHSCOPE_WORKSPACE": "ws-b"},
            None,
            "ws-a",
        ),
        ({"DASHSCOPE_WORKSPACE_ID": "", "DASHSCOPE_WORKSPACE": "ws-b"}, None, "ws-b"),
        ({"DASHSCOPE_WORKSPACE_ID": "ws-a"}, "ws-c", "ws-c"),
        ({"DASHSCOPE_WORKSPACE_ID": "not one"}, "ws-c", "ws-c"),
    ],
)
def test_workspace_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    given: str | None,
    workspace: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    endpoint = resolve_endpoint(region="frankfurt", workspace=given)
    assert endpoint.workspace == workspace
    assert endpoint.host == f"{workspace}.eu-central-1.maas.aliyuncs.com"


# --- Workspaces ---------------------------------------------------------------------

NOT_WORKSPACES = [
    "",
    "ws-123\n",
    "ws-123\r\nX-Evil: 1",
    "ws\r",
    "\nws",
    "ws 123",
    " ws-123",
    "ws/123",
    "evil.example.com/",
    "user@evil",
    "evil.example.com",
    "ws.",
    ".ws",
    "ws:443",
    "ws?x",
    "ws#x",
    "ws%2e",
    "ws\\x",
    "ws\x00",
    "ws\t",
    "-ws",
    "_ws",
    "{WorkspaceId}",
    "ws-\uff11\uff12\uff13",  # full-width digits
    "w\u0455-123",  # Cyrillic letter dze
    "ws\u2024evil",  # one dot leader
    "ws\u3002evil",  # ideographic full stop
    "ws\uff0eevil",  # full-width full stop
    "ws\u2010123",  # a hyphen that is not "-"
    "\u0661\u0662",  # Arabic-Indic digits
    "w\u017f",  # long s, which case-folds to "s"
    "x" * 64,
]


@pytest.mark.parametrize("workspace", NOT_WORKSPACES)
@pytest.mark.parametrize("region", ["frankfurt", "virginia"])
def test_a_workspace_that_is_not_a_dns_label_is_refused(
    region: str, workspace: str
) -> None:
    message = endpoint_error(region=region, workspace=workspace)
    assert message.startswith(f"workspace {workspace!r} is not a workspace id")


@pytest.mark.parametrize(
    "workspace", [w for w in NOT_WORKSPACES if w and "\x00" not in w]
)
@pytest.mark.parametrize("variable", ["DASHSCOPE_WORKSPACE_ID", "DASHSCOPE_WORKSPACE"])
def test_a_workspace_of_the_environment_must_be_a_dns_label(
    monkeypatch: pytest.MonkeyPatch, variable: str, workspace: str
) -> None:
    monkeypatch.setenv(variable, workspace)
    assert endpoint_error().startswith(
        f"{variable} {workspace!r} is not a workspace id"
    )


@pytest.mark.parametrize("workspace", [1, b"ws-123", ["ws-123"]])
def test_a_workspace_that_is_not_a_string_is_refused(workspace: object) -> None:
    assert repr(workspace) in endpoint_error(region="de", workspace=workspace)


@pytest.mark.parametrize("workspace", ["w", "1", "x" * 63, "WS_1-a", "llm-0aZ"])
def test_a_workspace_that_is_a_dns_label(workspace: str) -> None:
    endpoint = resolve_endpoint(region="de", workspace=workspace)
    assert endpoint.host == f"{workspace}.eu-central-1.maas.aliyuncs.com"


# --- A custom base URL --------------------------------------------------------------

GATEWAY = "https://gateway.example.com"


@pytest.mark.parametrize(
    ("base_url", "openai", "dashscope"),
    [
        (GATEWAY, f"{GATEWAY}/compatible-mode/v1", f"{GATEWAY}/api/v1"),
        (f"{GATEWAY}/", f"{GATEWAY}/compatible-mode/v1", f"{GATEWAY}/api/v1"),
        (
            f"{GATEWAY}/compatible-mode/v1",
            f"{GATEWAY}/compatible-mode/v1",
            f"{GATEWAY}/api/v1",
        ),
        (
            f"{GATEWAY}/compatible-mode/v1/",
            f"{GATEWAY}/compatible-mode/v1",
            f"{GATEWAY}/api/v1",
        ),
        (f"{GATEWAY}/api/v1", f"{GATEWAY}/compatible-mode/v1", f"{GATEWAY}/api/v1"),
        (f"{GATEWAY}/api/v1/", f"{GATEWAY}/compatible-mode/v1", f"{GATEWAY}/api/v1"),
        (
            f"{GATEWAY}/compatible-api/v1",
            f"{GATEWAY}/compatible-mode/v1",
            f"{GATEWAY}/api/v1",
        ),
        (
            f"{GATEWAY}/compatible-api/v1/",
            f"{GATEWAY}/compatible-mode/v1",
            f"{GATEWAY}/api/v1",
        ),
        (
            f"{GATEWAY}/a/b/api/v1",
            f"{GATEWAY}/a/b/compatible-mode/v1",
            f"{GATEWAY}/a/b/api/v1",
        ),
        (
            f"{GATEWAY}/ms/compatible-mode/v1",
            f"{GATEWAY}/ms/compatible-mode/v1",
            f"{GATEWAY}/ms/api/v1",
        ),
        (f"{GATEWAY}/v1", f"{GATEWAY}/v1", f"{GATEWAY}/v1"),
        (f"{GATEWAY}/myapi/v1", f"{GATEWAY}/myapi/v1", f"{GATEWAY}/myapi/v1"),
        (f"{GATEWAY}/api/v1/chat", f"{GATEWAY}/api/v1/chat", f"{GATEWAY}/api/v1/chat"),
        (f"{GATEWAY}/api/v2", f"{GATEWAY}/api/v2", f"{GATEWAY}/api/v2"),
        (
            f"{GATEWAY}:8443",
            f"{GATEWAY}:8443/compatible-mode/v1",
            f"{GATEWAY}:8443/api/v1",
        ),
    ],
)
def test_base_urls_that_follow_from_a_custom_one(
    base_url: str, openai: str, dashscope: str
) -> None:
    endpoint = resolve_endpoint(base_url=base_url)
    assert endpoint.openai_base_url == openai
    assert endpoint.dashscope_base_url == dashscope


@pytest.mark.parametrize(
    ("base_url", "region", "workspace", "mode"),
    [
        (
            "https://dashscope-intl.aliyuncs.com",
            "ap-southeast-1",
            None,
            "international",
        ),
        ("https://dashscope-us.aliyuncs.com/api/v1", "us-east-1", None, "global"),
        ("https://dashscope.aliyuncs.com:443", "cn-beijing", None, "chinese-mainland"),
        ("https://DashScope.AliyunCS.com", "cn-beijing", None, "chinese-mainland"),
        (
            "https://cn-hongkong.dashscope.aliyuncs.com/compatible-mode/v1",
            "cn-hongkong",
            None,
            "hong-kong",
        ),
        (
            "https://ws-9.ap-southeast-1.maas.aliyuncs.com",
            "ap-southeast-1",
            "ws-9",
            "international",
        ),
        (
            "https://ws-9.cn-beijing.maas.aliyuncs.com/api/v1",
            "cn-beijing",
            "ws-9",
            "chinese-mainland",
        ),
        (
            "https://ws-9.eu-central-1.maas.aliyuncs.com/compatible-mode/v1/",
            "eu-central-1",
            "ws-9",
            None,
        ),
        (
            "https://ws-9.ap-northeast-1.maas.aliyuncs.com",
            "ap-northeast-1",
            "ws-9",
            None,
        ),
    ],
)
def test_a_documented_host_sets_region_and_workspace(
    base_url: str, region: str, workspace: str | None, mode: str | None
) -> None:
    endpoint = resolve_endpoint(base_url=base_url)
    assert (endpoint.region, endpoint.workspace, endpoint.mode) == (
        region,
        workspace,
        mode,
    )
    assert endpoint.data_location == REGIONS[region].location
    assert endpoint.inference_scope == REGIONS[region].scope
    assert endpoint.headers == {}
    assert endpoint.host == urlsplit(base_url).netloc
    assert endpoint.openai_base_url == f"https://{endpoint.host}/compatible-mode/v1"
    assert endpoint.dashscope_base_url == f"https://{endpoint.host}/api/v1"


def test_a_documented_host_overrides_the_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "singapore")
    monkeypatch.setenv("DASHSCOPE_WORKSPACE_ID", "ws-env")
    endpoint = resolve_endpoint(base_url="https://ws-9.eu-central-1.maas.aliyuncs.com")
    assert (endpoint.region, endpoint.workspace) == ("eu-central-1", "ws-9")


@pytest.mark.parametrize(
    ("region", "mode"), [("frankfurt", None), (None, "eu"), ("eu-central-1", "global")]
)
def test_a_documented_host_with_matching_arguments(
    region: str | None, mode: str | None
) -> None:
    endpoint = resolve_endpoint(
        base_url="https://ws-9.eu-central-1.maas.aliyuncs.com",
        region=region,
        mode=mode,
        workspace="ws-9",
    )
    assert (endpoint.region, endpoint.mode) == ("eu-central-1", mode)


def test_a_documented_host_contradicts_another_region() -> None:
    message = endpoint_error(
        base_url="https://dashscope-us.aliyuncs.com", region="singapore"
    )
    assert "us-east-1" in message
    assert "ap-southeast-1" in message


def test_a_documented_host_contradicts_another_mode() -> None:
    message = endpoint_error(base_url="https://dashscope-us.aliyuncs.com", mode="eu")
    assert "us-east-1" in message
    assert "mode='eu'" in message


def test_a_documented_host_contradicts_another_workspace() -> None:
    message = endpoint_error(
        base_url="https://ws-9.eu-central-1.maas.aliyuncs.com", workspace="ws-1"
    )
    assert "'ws-9'" in message
    assert "'ws-1'" in message


def test_at_the_host_of_virginia_the_model_chooses_the_mode() -> None:
    url = "https://dashscope-us.aliyuncs.com/compatible-mode/v1"
    assert resolve_endpoint(base_url=url, model="deepseek-v4-pro-us").mode == "us"
    assert resolve_endpoint(base_url=url, model="deepseek-v4-pro").mode == "global"


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:8000",
        "https://gateway.example.com",
        "https://dashscope.aliyuncs.com.example.com",
        "https://dashscope-us.aliyuncs.com.evil",
        "https://xdashscope.aliyuncs.com",
        "https://a.b.eu-central-1.maas.aliyuncs.com",
        "https://eu-central-1.maas.aliyuncs.com",
        "https://ws-9.eu-west-1.maas.aliyuncs.com",
        "https://token-plan.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1",
    ],
)
def test_other_hosts_have_no_region(
    monkeypatch: pytest.MonkeyPatch, base_url: str
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "singapore")
    monkeypatch.setenv("DASHSCOPE_WORKSPACE_ID", "ws-env")
    endpoint = resolve_endpoint(base_url=base_url, model="deepseek-v4-pro-us")
    assert endpoint.region is None
    assert endpoint.mode is None
    assert endpoint.workspace is None
    assert endpoint.data_location is None
    assert endpoint.inference_scope is None
    assert endpoint.headers == {}


def test_another_host_with_every_argument() -> None:
    endpoint = resolve_endpoint(
        base_url=GATEWAY, region="frankfurt", mode="eu", workspace="ws-1"
    )
    assert endpoint == Endpoint(
        region="eu-central-1",
        mode="eu",
        workspace="ws-1",
        openai_base_url=f"{GATEWAY}/compatible-mode/v1",
        dashscope_base_url=f"{GATEWAY}/api/v1",
        headers={HEADER: "ws-1"},
        data_location="Germany (Frankfurt), as declared",
        inference_scope="Limited to the EU, as declared",
    )
    assert not endpoint.is_documented
    assert endpoint.mode_declared


def test_another_host_needs_no_workspace() -> None:
    endpoint = resolve_endpoint(base_url=GATEWAY, region="tokyo")
    assert (endpoint.region, endpoint.workspace) == ("ap-northeast-1", None)
    assert endpoint.headers == {}


def test_another_host_with_a_mode_only() -> None:
    endpoint = resolve_endpoint(base_url=GATEWAY, mode="us")
    assert (endpoint.region, endpoint.mode) == (None, "us")
    assert endpoint.inference_scope == "Limited to the United States, as declared"
    assert endpoint.data_location is None


def test_another_host_with_an_unbound_region_and_mode() -> None:
    message = endpoint_error(base_url=GATEWAY, region="tokyo", mode="eu")
    assert "none documented" in message


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1",
        "http://127.0.0.1:8000",
        "http://127.255.0.9:1",
        "http://localhost:8000",
        "http://LOCALHOST:8000",
        "http://[::1]",
        "http://[::1]:8000",
        "http://[0:0:0:0:0:0:0:1]:8000",
    ],
)
def test_plain_http_to_loopback(base_url: str) -> None:
    endpoint = resolve_endpoint(base_url=base_url)
    assert endpoint.openai_base_url == f"{base_url}/compatible-mode/v1"
    assert endpoint.dashscope_base_url == f"{base_url}/api/v1"


@pytest.mark.parametrize(
    "base_url",
    [
        "http://gateway.example.com",
        "http://dashscope-intl.aliyuncs.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1:8000",
        "http://[2001:db8::1]:8000",
        "HTTP://gateway.example.com",
    ],
)
def test_plain_http_to_other_hosts_must_be_allowed(base_url: str) -> None:
    assert "allow_insecure_http=True" in endpoint_error(base_url=base_url)
    endpoint = resolve_endpoint(base_url=base_url, allow_insecure_http=True)
    assert endpoint.openai_base_url == (
        f"{base_url}/compatible-mode/v1".replace("HTTP:", "http:")
    )


@pytest.mark.parametrize(
    "base_url",
    [
        "https://user:hunter2-secret@gateway.example.com",
        "https://hunter2-secret@gateway.example.com",
        "https://:hunter2-secret@dashscope.aliyuncs.com/api/v1",
        "http://user:hunter2-secret@127.0.0.1:8000",
        "https://user:hunter2-secret@gateway.example.com:port",
        "https://user:hunter2-secret@[::1",
        "ftp://user:hunter2-secret@gateway.example.com",
        "user:hunter2-secret@gateway.example.com",
        "https://gateway.example.com?key=hunter2-secret",
        "https://gateway.example.com#hunter2-secret",
        " https://user:hunter2-secret@gateway.example.com",
    ],
)
def test_secrets_in_a_base_url_are_refused_and_not_shown(base_url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_endpoint(base_url=base_url, allow_insecure_http=True)
    assert "base_url" in caught.value.message
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "hunter2-secret" not in shown


def test_the_placeholder_of_the_official_pages_is_explained() -> None:
    base_url = "https://{WorkspaceId}.eu-central-1.maas.aliyuncs.com/api/v1"
    with pytest.raises(ConfigurationError, match="placeholder: replace it with your"):
        resolve_endpoint(base_url=base_url)


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "gateway.example.com",
        "//gateway.example.com",
        "https://",
        "https:///api/v1",
        "ftp://gateway.example.com",
        "file:///etc/passwd",
        "https://gateway.example.com:99999",
        "https://gateway.example.com:x",
        "https://gate way.example.com",
        "https://gateway.example.com\r\nX: 1",
        "https://gateway.example.com/a b",
        "https://gateway.example.com\n",
        " https://gateway.example.com",
        "https://dashscope.aliyuncs.com.",
        "https://dash\u0455cope.aliyuncs.com",
        "https://gateway\\.example.com",
        "https://[::1",
        8000,
        b"https://gateway.example.com",
    ],
)
def test_a_value_that_is_no_url_is_refused(base_url: object) -> None:
    assert "base_url" in endpoint_error(base_url=base_url)


@pytest.mark.parametrize("blank", ["\n", "\r", "\t"])
def test_a_base_url_with_whitespace_is_refused(blank: str) -> None:
    assert "base_url" in endpoint_error(
        base_url=f"https://gateway{blank}.example.com/v1"
    )


@pytest.mark.parametrize("workspace", ["a.b", "ws\r\nX: 1", ""])
def test_a_workspace_with_a_base_url_is_checked(workspace: str) -> None:
    assert "is not a workspace id" in endpoint_error(
        base_url=GATEWAY, workspace=workspace
    )


# --- The endpoint -------------------------------------------------------------------


def test_base_url_of_a_protocol() -> None:
    endpoint = resolve_endpoint(region="cn")
    assert endpoint.base_url("openai") == endpoint.openai_base_url
    assert endpoint.base_url("dashscope") == endpoint.dashscope_base_url


@pytest.mark.parametrize("name", ["dashscop", "grpc", None])
def test_the_error_for_an_unknown_protocol_names_both(name: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'openai'.*'dashscope'.*got"):
        check_protocol(name)


def test_an_endpoint_is_immutable() -> None:
    endpoint = resolve_endpoint()
    with pytest.raises(AttributeError):
        endpoint.region = "us-east-1"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - what is tested


def test_equal_endpoints() -> None:
    one = resolve_endpoint(region="virginia", workspace="ws-1")
    other = resolve_endpoint(region="US (Virginia)", workspace="ws-1")
    assert one == other
    assert hash(one) == hash(other)


def test_an_endpoint_that_was_chosen_is_equal_to_the_default_one() -> None:
    """So that they share their connections."""
    chosen, default = resolve_endpoint(region="singapore"), resolve_endpoint()
    assert (chosen.is_default, default.is_default) == (False, True)
    assert chosen == default


def test_an_endpoint_that_nothing_resolved_is_not_documented() -> None:
    url = "https://dashscope.aliyuncs.com"
    endpoint = Endpoint("cn-beijing", None, None, url, url)
    assert not endpoint.is_documented
    assert not endpoint.is_default


# --- The URLs of the APIs -----------------------------------------------------------

URL_PATHS: dict[Api, str] = {
    "openai": "/compatible-mode/v1",
    "dashscope": "/api/v1",
    "rerank": "/compatible-api/v1",
}


def test_every_api_has_a_path() -> None:
    assert set(URL_PATHS) == set(APIS)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.region)
def test_url_of_each_api(row: Row, api: Api) -> None:
    endpoint = resolve_endpoint(region=row.region, workspace="ws-123")
    assert endpoint.url(api) == f"https://{row.workspace_host}{URL_PATHS[api]}"
    if row.shared_host:
        shared = resolve_endpoint(region=row.region).url(api)
        assert shared == f"https://{row.shared_host}{URL_PATHS[api]}"


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("suffix", ["", *URL_PATHS.values()])
@pytest.mark.parametrize("prefix", ["", "/proxy", "/a/b"])
@pytest.mark.parametrize("end", ["", "/", "//"])
def test_a_known_suffix_of_a_custom_base_url_is_replaced(
    api: Api, suffix: str, prefix: str, end: str
) -> None:
    endpoint = resolve_endpoint(base_url=f"{GATEWAY}{prefix}{suffix}{end}")
    if prefix and not suffix:
        assert endpoint.url(api) == f"{GATEWAY}{prefix}"
    else:
        assert endpoint.url(api) == f"{GATEWAY}{prefix}{URL_PATHS[api]}"


@pytest.mark.parametrize(
    ("path", "openai_path"),
    [
        ("/chat/completions", "/compatible-mode/v1"),
        ("/compatible-mode/v1/chat/completions", "/compatible-mode/v1"),
        ("/compatible-mode/v1/chat/completions/", "/compatible-mode/v1"),
        ("/compatible-mode/v1/embeddings", "/compatible-mode/v1"),
        ("/compatible-api/v1/reranks", "/compatible-mode/v1"),
        ("/api/v1/services/aigc/text-generation/generation", "/compatible-mode/v1"),
        ("/services/rerank/text-rerank/text-rerank", "/compatible-mode/v1"),
        # Of a gateway.
        ("/services/qwen/v1", "/services/qwen/v1"),
        ("/services/qwen/compatible-mode/v1", "/services/qwen/compatible-mode/v1"),
        ("/proxy/compatible-mode/v1/models", "/proxy/compatible-mode/v1"),
        ("/v1/chat/completions", "/v1"),
        ("/v1/completions", "/v1"),
        ("/models", "/models"),
        ("/embeddings", "/embeddings"),
    ],
)
def test_the_path_of_one_api_in_a_custom_base_url_is_left_out(
    path: str, openai_path: str
) -> None:
    endpoint = resolve_endpoint(base_url=f"{GATEWAY}{path}")
    assert endpoint.openai_base_url == f"{GATEWAY}{openai_path}"


@pytest.mark.parametrize(
    "path",
    [
        "/a//b",
        "//a",
        "/a/../b",
        "/..",
        "/a/./b",
        "/.",
        "/a%0d%0aX-Evil:%201",
        "/a%0",
        "/a%",
        "/a%zz",
        "/%2e%2e/b",
        "/a%2Fb",
        "/a%5cb",
        "/a%252e",
        "/a%00",
        "/a%7f",
    ],
)
def test_an_odd_path_of_a_custom_base_url_is_refused(path: str) -> None:
    message = error_message(resolve_endpoint, base_url=f"{GATEWAY}{path}")
    assert message.startswith("base_url must have a plain path")


@pytest.mark.parametrize(
    "path", ["/a.b/v1", "/..a/v1", "/a..b", "/caf%C3%A9/v1", "/~u"]
)
def test_a_plain_path_with_odd_characters_is_kept(path: str) -> None:
    assert resolve_endpoint(base_url=GATEWAY + path).openai_base_url == GATEWAY + path


KEY_LIKE: Final = "sk-0123456789abcdefghij"


@pytest.mark.parametrize(
    "workspace", ["token-plan", "Token-Plan", "sk-0123456789abcdef"]
)
def test_a_name_that_is_no_workspace_is_refused(workspace: str) -> None:
    message = error_message(resolve_endpoint, region="singapore", workspace=workspace)
    assert "is not a workspace id" in message
    assert "0123456789abcdef" not in message


@pytest.mark.parametrize("name", ["region", "mode", "workspace"])
@pytest.mark.parametrize(
    "value", [KEY_LIKE, f"{KEY_LIKE}!", f" {KEY_LIKE}", [KEY_LIKE]]
)
def test_an_error_does_not_repeat_a_key_in_the_place_of_a_name(
    name: str, value: object
) -> None:
    arguments: dict[str, Any] = {"region": "singapore", name: value}
    message = error_message(resolve_endpoint, **arguments)
    assert "0123456789" not in message


def test_an_error_shows_the_beginning_of_a_long_value() -> None:
    assert len(error_message(resolve_endpoint, region="x" * 10_000)) < 1000


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("path", ["/v1", "/api/v2", "/xcompatible-api/v1", "/api/v1/x"])
def test_another_path_of_a_custom_base_url_is_kept(api: Api, path: str) -> None:
    assert resolve_endpoint(base_url=GATEWAY + path).url(api) == GATEWAY + path


def test_unknown_protocols_have_no_base_url() -> None:
    endpoint = resolve_endpoint()
    with pytest.raises(ConfigurationError, match="protocol must be"):
        endpoint.base_url("rerank")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what is tested


# --- Hosts --------------------------------------------------------------------------

LOOK_ALIKES = [
    "https://dashscope.aliyuncs.com.example.com",
    "https://dashscope-us.aliyuncs.com.evil",
    "https://xdashscope.aliyuncs.com",
    "https://dashscope-intl-aliyuncs.com",
    "https://a.b.eu-central-1.maas.aliyuncs.com",
    "https://eu-central-1.maas.aliyuncs.com",
    "https://ws-9.eu-west-1.maas.aliyuncs.com",
    "https://ws-9.eu-central-1.maas.aliyuncs.com.example.com",
    "https://token-plan.ap-southeast-1.maas.aliyuncs.com",
    "https://gateway.example.com",
    "http://127.0.0.1:8000",
    "http://[::1]:8000",
    "http://localhost",
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.region)
def test_hosts_of_the_service_are_documented(row: Row) -> None:
    endpoint = resolve_endpoint(region=row.region, workspace="ws-123")
    assert endpoint.is_documented
    if row.shared_host:
        assert resolve_endpoint(region=row.region).is_documented


@pytest.mark.parametrize(
    "base_url",
    [
        "https://dashscope.aliyuncs.com",
        "https://DashScope-US.aliyuncs.com:443/api/v1",
        "https://ws-9.eu-central-1.maas.aliyuncs.com/compatible-mode/v1",
    ],
)
def test_a_custom_base_url_can_be_documented(base_url: str) -> None:
    assert resolve_endpoint(base_url=base_url).is_documented


@pytest.mark.parametrize("base_url", LOOK_ALIKES)
def test_other_hosts_are_not_documented(base_url: str) -> None:
    """A region that is passed describes the gateway, and does not change its host."""
    assert not resolve_endpoint(base_url=base_url).is_documented
    endpoint = resolve_endpoint(base_url=base_url, region="us", workspace="ws-1")
    assert not endpoint.is_documented


@pytest.mark.parametrize(
    ("host", "is_cloud"),
    [
        *((row.shared_host, True) for row in SHARED),
        *((row.workspace_host, True) for row in ROWS if not row.in_header),
        ("bucket.oss-ap-southeast-1.aliyuncs.com", True),
        ("Bucket.OSS-cn-beijing.AliyunCS.com", True),
        ("aliyuncs.com", False),
        ("xaliyuncs.com", False),
        ("aliyuncs.com.example.com", False),
        ("dashscope.aliyuncs.com.example.com", False),
        ("gateway.example.com", False),
        ("127.0.0.1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_is_cloud_host(host: str, is_cloud: bool) -> None:
    assert is_cloud_host(host) is is_cloud


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("0:0:0:0:0:0:0:1", True),
        ("10.0.0.1", False),
        ("2001:db8::1", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("", False),
    ],
)
def test_is_loopback(host: str, is_local: bool) -> None:
    assert is_loopback(host) is is_local


def test_endpoints_know_whether_they_are_local() -> None:
    assert resolve_endpoint(base_url="http://127.0.0.1:8000").is_loopback
    assert resolve_endpoint(base_url="http://LOCALHOST").is_loopback
    assert not resolve_endpoint().is_loopback
    assert not resolve_endpoint(base_url=GATEWAY).is_loopback


def test_the_host_has_its_port() -> None:
    assert resolve_endpoint(base_url=f"{GATEWAY}:8443").host == (
        "gateway.example.com:8443"
    )
    assert resolve_endpoint().host == "dashscope-intl.aliyuncs.com"


# --- Names that others need ---------------------------------------------------------


@pytest.mark.parametrize("mode", SCOPES)
def test_regions_of_a_mode(mode: str) -> None:
    assert list(regions_of_mode(mode)) == [
        row.region for row in ROWS if mode in row.modes
    ]


@pytest.mark.parametrize(("value", "key"), [(None, None), ("", None), ("sk-1", "sk-1")])
def test_the_key_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str | None, key: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("DASHSCOPE_API_KEY", value)
    assert api_key_from_environment() == key


@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
def test_check_protocol(protocol: str) -> None:
    assert check_protocol(protocol) == protocol


# --- Keys that a host refused ---------------------------------------------------------

CODING: Final = "https://coding.dashscope.aliyuncs.com/v1"
TOKEN_PLAN: Final = "https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1"


@pytest.mark.parametrize(
    ("arguments", "plan_key", "words"),
    [
        ({}, False, "No region was given, so Singapore was used."),
        ({"region": "us"}, False, "refused by region us-east-1. API keys belong to"),
        (
            {"base_url": "https://a.example:84"},
            False,
            "refused by a.example:84. API keys belong to one region",
        ),
        ({"base_url": "https://token-plan-x.example"}, False, "belong to one region"),
        ({"region": "us"}, True, f"base_url='{CODING}' for a Coding Plan"),
        ({}, True, "token-plan.<region>.maas.aliyuncs.com/compatible-mode/v1"),
        ({"base_url": CODING}, True, "a key of a plan (sk-sp-...)"),
        ({"base_url": CODING}, False, "only keys of its plan"),
        ({"base_url": TOKEN_PLAN}, False, "only keys of its plan"),
        (
            {"base_url": "https://maas.qwencloudapi.com"},
            False,
            "belongs to Qwen Cloud, which has keys of its own",
        ),
    ],
)
def test_the_hint_for_a_refused_key(
    arguments: dict[str, Any], plan_key: bool, words: str
) -> None:
    endpoint = resolve_endpoint(**arguments)
    hint = refused_key_hint(endpoint, plan_key=plan_key)
    assert words in hint
    was_chosen = bool(arguments) or plan_key
    assert ("so Singapore was used" in hint) is not was_chosen


@pytest.mark.parametrize(
    ("name", "value"), [("DASHSCOPE_REGION", "us"), ("DASHSCOPE_MODE", "us")]
)
def test_a_variable_chooses_a_region(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert resolve_endpoint().is_default
    monkeypatch.setenv(name, value)
    assert not resolve_endpoint().is_default


def test_a_key_of_a_plan() -> None:
    assert is_plan_key("sk-sp-0123456789")
    assert not is_plan_key("sk-0123456789")


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("sk-0123456789", "ordinary (sk-...)"),
        ("sk-sp-0123456789", "of a Coding Plan or a Token Plan (sk-sp-...)"),
        ("st-0123456789", "temporary (st-...): it expires"),
        ("0123456789", "not in the form of a Model Studio key (sk-...)"),
        ("xsk-0123456789", "not in the form of a Model Studio key (sk-...)"),
    ],
)
def test_the_beginning_of_a_key_says_its_kind(key: str, kind: str) -> None:
    assert describe_key(key) == kind


# --- What is documented -------------------------------------------------------------


def test_the_documented_regions() -> None:
    infos = documented_regions()
    assert [info.region for info in infos] == [row.region for row in ROWS]
    for info, row in zip(infos, ROWS, strict=True):
        assert info.data_location == row.location
        assert (info.modes, info.default_mode) == (row.modes, row.default_mode)
        assert info.host == row.shared_host
        assert info.workspace_host.format(workspace="ws-123") == row.workspace_host
        assert {check_region(alias) for alias in info.aliases} == {row.region}
        assert inference_scope_of(row.region, row.default_mode) == row.scope


@pytest.mark.parametrize(
    ("region", "mode", "scope"),
    [
        ("us-east-1", "us", "Limited to the United States"),
        ("us-east-1", "global", "Global dynamic scheduling"),
        ("eu-central-1", None, "EU or global, as the workspace was created"),
        ("ap-northeast-1", None, "not documented"),
        ("us-east-1", None, None),
    ],
)
def test_where_inference_runs(region: str, mode: str | None, scope: str | None) -> None:
    assert inference_scope_of(region, mode) == scope


@pytest.mark.parametrize(
    ("region", "declared", "model", "mode"),
    [
        ("ap-southeast-1", None, "qwen-plus", "international"),
        ("ap-southeast-1", "global", None, "international"),
        ("us-east-1", "us", "qwen-plus", "global"),
        ("us-east-1", "global", "qwen-plus-us", "us"),
        ("us-east-1", "us", None, "us"),
        ("us-east-1", "eu", None, None),
        ("us-east-1", None, None, None),
        ("eu-central-1", "eu", "qwen-plus-us", "eu"),
        ("eu-central-1", "global", None, "global"),
        ("eu-central-1", "us", "qwen-plus", None),
        ("eu-central-1", None, "qwen-plus", None),
        ("ap-northeast-1", None, "qwen-plus", None),
        ("ap-northeast-1", "global", "qwen-plus", None),
    ],
)
def test_the_mode_of_a_request(
    region: str, declared: str | None, model: str | None, mode: str | None
) -> None:
    assert mode_of_request(region, declared, model) == mode


def test_a_region_is_named_with_an_alias_if_it_is_known() -> None:
    assert name_region("cn-beijing") == "cn-beijing (beijing)"
    assert name_region("eu-west-9") == "eu-west-9"


# --- Batch Chat -----------------------------------------------------------------------


def test_batch_chat_has_a_host_of_its_own() -> None:
    ordinary = resolve_endpoint(region="beijing")
    endpoint = batch_chat_endpoint(ordinary)
    assert endpoint.host == "batch.dashscope.aliyuncs.com"
    assert endpoint.url("openai").endswith("/compatible-mode/v1")
    assert endpoint.url("dashscope") == ordinary.url("dashscope")
    assert (endpoint.region, endpoint.is_documented) == ("cn-beijing", True)


@pytest.mark.parametrize("arguments", [{}, {"region": "beijing", "workspace": "ws-1"}])
def test_batch_chat_keeps_a_gateway(arguments: dict[str, Any]) -> None:
    endpoint = resolve_endpoint(base_url=GATEWAY, **arguments)
    assert batch_chat_endpoint(endpoint) is endpoint


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {},
            "region cn-beijing (beijing) only, and not in ap-southeast-1 (singapore)",
        ),
        ({"region": "us"}, "not in us-east-1 (virginia): pass region='beijing'"),
        ({"base_url": GATEWAY, "region": "us"}, "not in us-east-1 (virginia)"),
        (
            {"region": "beijing", "workspace": "ws-1"},
            "remove workspace= and DASHSCOPE_WORKSPACE_ID, or batch_chat=.",
        ),
    ],
)
def test_batch_chat_is_in_beijing_without_workspaces(
    arguments: dict[str, Any], words: str
) -> None:
    endpoint = resolve_endpoint(**arguments)
    assert words in error_message(batch_chat_endpoint, endpoint)


# --- The variable for the mode, and hints -------------------------------------------


@pytest.mark.parametrize(
    ("value", "arguments", "expected"),
    [
        ("eu", {"workspace": "ws-1"}, ("eu-central-1", "eu")),
        ("EU", {"region": "frankfurt", "workspace": "ws-1"}, ("eu-central-1", "eu")),
        ("us", {"region": "virginia"}, ("us-east-1", "us")),
        ("us", {"region": "virginia", "mode": "global"}, ("us-east-1", "global")),
        ("us", {"mode": "intl"}, ("ap-southeast-1", "international")),
        ("hk", {}, ("cn-hongkong", "hong-kong")),
        ("", {}, ("ap-southeast-1", "international")),
        ("us", {"base_url": "https://dashscope-us.aliyuncs.com"}, ("us-east-1", "us")),
        ("us", {"base_url": GATEWAY}, (None, None)),
        ("us", {"base_url": GATEWAY, "region": "singapore"}, ("ap-southeast-1", None)),
    ],
)
def test_the_variable_for_the_mode(
    monkeypatch: pytest.MonkeyPatch,
    value: str,
    arguments: dict[str, Any],
    expected: tuple[str | None, str | None],
) -> None:
    monkeypatch.setenv("DASHSCOPE_MODE", value)
    endpoint = resolve_endpoint(**arguments)
    assert (endpoint.region, endpoint.mode) == expected


@pytest.mark.parametrize(
    ("value", "arguments", "words"),
    [
        ("eu", {"region": "singapore"}, "DASHSCOPE_MODE='eu' is not bound to region="),
        (
            "eu",
            {"base_url": "https://dashscope.aliyuncs.com"},
            "DASHSCOPE_MODE='eu' is not bound to region='cn-beijing'",
        ),
        ("global", {}, "DASHSCOPE_MODE='global' is bound to more than one region"),
        ("europe", {}, "Unknown DASHSCOPE_MODE 'europe'"),
    ],
)
def test_the_variable_for_the_mode_contradicts(
    monkeypatch: pytest.MonkeyPatch,
    value: str,
    arguments: dict[str, Any],
    words: str,
) -> None:
    monkeypatch.setenv("DASHSCOPE_MODE", value)
    assert words in endpoint_error(**arguments)


def test_both_variables_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The region's variable decides where the mode's leaves a choice."""
    monkeypatch.setenv("DASHSCOPE_MODE", "global")
    monkeypatch.setenv("DASHSCOPE_REGION", "virginia")
    assert resolve_endpoint().region == "us-east-1"
    monkeypatch.setenv("DASHSCOPE_REGION", "singapore")
    assert "DASHSCOPE_REGION='singapore' contradicts DASHSCOPE_MODE='global'" in (
        endpoint_error()
    )


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"region": "eu"}, "pass mode='eu'"),
        ({"region": "European Union"}, "pass mode='eu'"),
        ({"region": "global"}, "pass mode='global'"),
        ({"mode": "singapore"}, "pass region='ap-southeast-1'"),
        ({"mode": "frankfurt"}, "pass region='eu-central-1'"),
    ],
)
def test_a_mode_as_a_region_has_a_hint(arguments: dict[str, Any], hint: str) -> None:
    assert hint in endpoint_error(**arguments)


@pytest.mark.parametrize(
    ("arguments", "declared"),
    [
        ({"region": "frankfurt", "mode": "eu", "workspace": "ws-1"}, True),
        ({"region": "frankfurt", "workspace": "ws-1"}, False),
        ({"region": "tokyo", "workspace": "ws-1"}, False),
        ({"region": "singapore"}, False),
        ({"region": "virginia", "mode": "us"}, False),
        ({"base_url": GATEWAY, "region": "singapore", "mode": "intl"}, True),
        ({"base_url": GATEWAY}, False),
    ],
)
def test_a_mode_that_nothing_checks_is_declared(
    arguments: dict[str, Any], declared: bool
) -> None:
    assert resolve_endpoint(**arguments).mode_declared is declared


@pytest.mark.parametrize(
    ("host", "region", "expected"),
    [
        ("bucket.oss-cn-beijing.aliyuncs.com", "cn-beijing", True),
        ("oss-cn-beijing.aliyuncs.com", "cn-beijing", True),
        ("b.oss-cn-beijing-internal.aliyuncs.com", "cn-beijing", True),
        ("B.OSS-CN-Beijing.AliyunCS.com", "cn-beijing", True),
        ("bucket.oss-cn-beijing.aliyuncs.com", "ap-southeast-1", False),
        ("bucket.oss-cn-beijing2.aliyuncs.com", "cn-beijing", False),
        ("xoss-cn-beijing.aliyuncs.com", "cn-beijing", False),
        ("oss-cn-beijing.aliyuncs.com.example.com", "cn-beijing", False),
        ("oss-cn-beijingxaliyuncs.com", "cn-beijing", False),
        ("bucket.oss-accelerate.aliyuncs.com", "cn-beijing", False),
    ],
)
def test_is_storage_of_region(host: str, region: str, expected: bool) -> None:
    assert is_storage_of_region(host, region) is expected
