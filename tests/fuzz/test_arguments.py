"""Any argument is accepted or refused, and no error shows the key."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.endpoints import Endpoint, resolve_endpoint
from modelstudio_core.errors import ConfigurationError
from tests.fuzz.strategies import keys, names, texts, values

pytestmark = pytest.mark.filterwarnings(
    "ignore::modelstudio_core.errors.ModelDeprecationWarning"
)
# An integer that does not fit into a float.
HUGE = 10**400
CLASSES: tuple[Any, ...] = (ChatModelStudio, ModelStudio)
NAMES = sorted({*ChatArguments.model_fields} - {"api_key"})
_models = st.sampled_from(
    [
        "qwen3.7-plus",
        "qwen3.8-max",
        "deepseek-v4-pro",
        "deepseek-v4-pro-us",
        "deepseek-r1",
        "deepseek-r1-distill-qwen-7b",
        "qwen3-max",
        "a-model-of-tomorrow",
    ]
)
# Values that are valid for some argument, so that the other arguments are checked.
_likely = st.sampled_from(
    [True, False, 0, 1, 4, 0.5, "high", "low", "", "us", "eu", "ws-1", ["a"], "openai"]
)
_OBJECTS: list[Any] = [
    {"type": "json_object"},
    {"type": []},
    {"type": {}},
    {"deepseek-r1": 5},
    {"deepseek-r1": "deepseek-r1"},
    {"a": "b"},
    {5: "b"},
]
_objects = st.sampled_from(_OBJECTS).map(dict)


def _fits(value: object) -> bool:
    return not isinstance(value, int) or value < HUGE


def construct(cls: Any, arguments: dict[str, Any]) -> Any:
    """Return the model, or everything that the error shows."""
    try:
        return cls(**arguments)
    except ConfigurationError as error:
        assert error.__cause__ is None  # noqa: PT017 - pydantic's error would show the input
        return f"{error} {error!r} {error.args} {error.fields()} {error.__context__}"


@given(
    st.sampled_from(CLASSES),
    _models,
    st.dictionaries(
        st.sampled_from(NAMES),
        values.filter(_fits) | _likely | _objects,
        min_size=1,
        max_size=3,
    ),
    keys,
)
def test_any_argument_is_accepted_or_refused(
    cls: Any, model: str, arguments: dict[str, Any], key: str
) -> None:
    result = construct(cls, {"model": model, "api_key": key, **arguments})
    assume(key not in repr(arguments))
    assert key not in (result if isinstance(result, str) else f"{result!r}{result}")


@pytest.mark.parametrize(
    "name",
    [
        "top_k",
        "max_tokens",
        "thinking_budget",
        "timeout",
    ],
)
@pytest.mark.parametrize("cls", CLASSES)
def test_a_number_of_any_size_is_accepted_or_refused(cls: Any, name: str) -> None:
    arguments = {"model": "qwen3.7-plus", "api_key": "sk-12345678", name: HUGE}
    assert construct(cls, arguments)


@given(st.sampled_from(CLASSES), names, values)
def test_an_unknown_argument_is_refused_by_its_name(
    cls: Any, name: str, value: Any
) -> None:
    arguments = {"model", "api_key", *cls.model_fields, *cls.argument_aliases}
    assume(name not in arguments)
    result = construct(
        cls, {"model": "qwen3.7-plus", "api_key": "sk-12345678", name: value}
    )
    assert isinstance(result, str)
    assert repr(name) in result


def _misplaced(key: str) -> list[dict[str, Any]]:
    """Return arguments with the key in a wrong place or format."""
    return [
        {"api_key": f"{key}\n"},
        {"api_key": f" {key}"},
        {"api_key": f"{key}é"},
        {"api_key": [key]},
        {"api_key": {"key": key}},
        {"api_key": key.encode()},
        {"api_key": key, "default_headers": {"Authorization": f"Bearer {key}\n"}},
        {"api_key": key, "default_headers": [("Authorization", key)]},
        {"api_key": key, "default_headers": key},
        {"api_key": key, "base_url": f"https://user:{key}@example.com"},
        {"api_key": key, "base_url": f"https://example.com/?key={key}"},
        {"api_key": key, "base_url": f"https://example.com/#{key}"},
        {"api_key": key, "base_url": f"https://example.com/ {key}"},
        {"api_key": key, "temperature": 9},
        {"api_key": key, "http_client": key},
        {"api_key": key, "metadata": 5, "callback_manager": 5},
    ]


@given(
    st.sampled_from(CLASSES),
    st.from_regex(r"sk-[A-Za-z0-9]{16,40}", fullmatch=True),
    st.integers(0, len(_misplaced("")) - 1),
)
def test_a_misplaced_key_is_not_shown(cls: Any, key: str, case: int) -> None:
    result = construct(cls, {"model": "qwen3.7-plus", **_misplaced(key)[case]})
    assert isinstance(result, str)
    assert key not in result


# --- Endpoints --------------------------------------------------------------------

_HOSTS = (
    "dashscope.aliyuncs.com",
    "dashscope-intl.aliyuncs.com",
    "dashscope-us.aliyuncs.com",
    "cn-hongkong.dashscope.aliyuncs.com",
)
_REGIONS = (
    "ap-southeast-1",
    "us-east-1",
    "cn-beijing",
    "cn-hongkong",
    "eu-central-1",
    "ap-northeast-1",
)
_odd = st.one_of(
    texts,
    st.sampled_from(
        [*_REGIONS, "us", "eu", "global", "frankfurt", "\uff35\uff33", "u\u0455"]
    ),
    st.sampled_from(
        ["ws-1", "ws-1.evil.com/", "ws\r\nX: y", "ws-1\n", "ws@x", "\uff57s-1"]
    ),
    st.sampled_from(
        ["\u017fingapore", "SINGAPORE", "hong_kong (china)", "\ufb01", "\u0130ntl"]
    ),
)
_url_parts = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(
                    "https://",
                    "http://",
                    "//",
                    "/",
                    "\\",
                    "@",
                    ":",
                    "?",
                    "#",
                    "%2f",
                    "..",
                ),
                *("example.com", "127.0.0.1", "[::1]", "localhost", ":443", ":99999"),
                *(
                    "\r\n",
                    "\t",
                    "\x00",
                    "\u3002",
                    "\uff0e",
                    "é",
                    "/compatible-mode/v1",
                    "/api/v1",
                ),
                *_HOSTS,
                "ws-1.eu-central-1.maas.aliyuncs.com",
                "evil.com",
            ]
        ),
        texts,
    ),
    max_size=5,
).map("".join)


def documented(host: str, workspace: str | None) -> bool:
    if host in _HOSTS:
        return True
    return any(host == f"{workspace}.{region}.maas.aliyuncs.com" for region in _REGIONS)


def check_sendable(endpoint: Endpoint) -> None:
    for text in (
        endpoint.openai_base_url,
        endpoint.dashscope_base_url,
        *(part for pair in endpoint.headers.items() for part in pair),
    ):
        assert text.isascii()
        assert text.isprintable()
        assert " " not in text


_maybe_odd = st.none() | _odd


_names = st.none() | st.sampled_from([*_REGIONS, "us", "eu", "global"]) | _odd


@given(_names, _names, _maybe_odd, _maybe_odd)
@example("singapore", None, "ws-1.evil.com/", None)
@example("singapore", None, "ws-1\n", None)
@example("us", None, "ws\r\nX: y", None)
@example("eu-central-1", None, "ws@x", None)
def test_region_mode_and_workspace_lead_to_a_documented_host_or_are_refused(
    region: str | None, mode: str | None, workspace: str | None, model: str | None
) -> None:
    try:
        endpoint = resolve_endpoint(
            region=region, mode=mode, workspace=workspace, model=model
        )
    except ConfigurationError as error:
        assert str(error)  # noqa: PT017 - printing it must work
        return
    check_sendable(endpoint)
    for address in (endpoint.openai_base_url, endpoint.dashscope_base_url):
        url = urlsplit(address)
        assert url.scheme == "https"
        assert documented(url.netloc, endpoint.workspace)
    assert endpoint.openai_base_url.endswith(f"{endpoint.host}/compatible-mode/v1")
    assert endpoint.dashscope_base_url.endswith(f"{endpoint.host}/api/v1")


@given(_url_parts, _maybe_odd, _maybe_odd, st.booleans())
@example("https://dashscope-us.aliyuncs.com@evil.com", None, None, False)
@example("https://evil.com\\@dashscope-us.aliyuncs.com", None, None, False)
@example("https://dashscope-us.aliyuncs.com.", "us", None, False)
@example("https://DASHSCOPE-US.aliyuncs.com:443/", "tokyo", None, False)
def test_a_base_url_keeps_its_host_or_is_refused(
    base_url: str, region: str | None, workspace: str | None, insecure: bool
) -> None:
    try:
        endpoint = resolve_endpoint(
            base_url=base_url,
            region=region,
            workspace=workspace,
            allow_insecure_http=insecure,
        )
    except ConfigurationError as error:
        assert str(error)  # noqa: PT017 - printing it must work
        return
    check_sendable(endpoint)
    given_url = urlsplit(base_url)
    for address in (endpoint.openai_base_url, endpoint.dashscope_base_url):
        url = urlsplit(address)
        assert (url.scheme, url.netloc) == (given_url.scheme, given_url.netloc)
        assert url.netloc == base_url.split("/")[2]
        assert url.scheme == "https" or insecure or endpoint.is_loopback
        assert not url.query
        assert not url.fragment


@given(st.sampled_from(CLASSES), values, values, values, values)
def test_values_of_any_type_lead_to_an_endpoint_or_are_refused(
    cls: Any, region: Any, mode: Any, workspace: Any, base_url: Any
) -> None:
    result = construct(
        cls,
        {
            "model": "qwen3.7-plus",
            "api_key": "sk-12345678",
            "region": region,
            "mode": mode,
            "workspace": workspace,
            "base_url": base_url,
        },
    )
    if not isinstance(result, str):
        check_sendable(result.endpoint)
