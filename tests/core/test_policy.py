"""Policies: what they allow, how they are read, and how two of them combine."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from modelstudio_core.endpoints import Endpoint, resolve_endpoint
from modelstudio_core.errors import ConfigurationError, PolicyError
from modelstudio_core.policy import Policy, check_endpoint, check_request, set_policy

GATEWAY = "https://gateway.example.com"
OSS = "https://bucket.oss-eu-central-1.aliyuncs.com/uploads"


def endpoint(**arguments: Any) -> Endpoint:
    return resolve_endpoint(workspace="ws-1", **arguments)


def refusal(policy: Policy, **arguments: Any) -> str:
    """Return why a policy refuses an endpoint and a model; empty if it does not."""
    set_policy(policy)
    arguments.setdefault("model", "qwen3.7-plus")
    try:
        check_endpoint(endpoint(**arguments), arguments["model"])
    except PolicyError as error:
        return error.message
    return ""


# --- What a policy allows -----------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "arguments"),
    [
        (Policy(), {"region": "singapore"}),
        (Policy(), {"base_url": GATEWAY}),
        (Policy(regions=["frankfurt"]), {"region": "eu-central-1"}),
        (Policy(regions=["Germany (Frankfurt)", "us"]), {"region": "virginia"}),
        (Policy(modes=["eu"]), {"region": "frankfurt", "mode": "eu"}),
        (Policy(modes=["intl"]), {"region": "singapore"}),
        (Policy(modes=["us"]), {"region": "us", "model": "qwen-plus-us"}),
        (Policy(regions=["us"], modes=["global"]), {"region": "us"}),
        (Policy(base_urls=[GATEWAY]), {"base_url": f"{GATEWAY}/api/v1"}),
        (Policy(base_urls=[f"{GATEWAY}:443/"]), {"base_url": GATEWAY}),
        (Policy(base_urls=["HTTPS://Gateway.Example.com"]), {"base_url": GATEWAY}),
        (
            Policy(base_urls=["http://gateway.example.com:80"]),
            {"base_url": "http://gateway.example.com", "allow_insecure_http": True},
        ),
        (
            Policy(base_urls=["https://dashscope.aliyuncs.com"]),
            {"base_url": "https://dashscope.aliyuncs.com"},
        ),
        (Policy(regions=["tokyo"], base_urls=[GATEWAY]), {"base_url": GATEWAY}),
        (Policy(regions=["tokyo"], base_urls=[GATEWAY]), {"region": "tokyo"}),
        (Policy(modes=["eu"], base_urls=[GATEWAY]), {"base_url": GATEWAY}),
        (
            Policy(models=["qwen-*", "deepseek-v4-pro"]),
            {"region": "us", "model": "deepseek-v4-pro"},
        ),
        (Policy(models=["qwen3.?-plus"]), {}),
    ],
)
def test_a_policy_allows(policy: Policy, arguments: dict[str, Any]) -> None:
    assert refusal(policy, **arguments) == ""


@pytest.mark.parametrize(
    ("policy", "arguments", "words"),
    [
        (Policy(regions=["frankfurt"]), {"region": "singapore"}, "Region 'ap-south"),
        (Policy(regions=[]), {"region": "singapore"}, "allowed are none"),
        (Policy(regions=["frankfurt"]), {"base_url": GATEWAY}, "not a documented host"),
        (
            Policy(regions=["frankfurt"]),
            {"base_url": GATEWAY, "region": "frankfurt", "mode": "eu"},
            "gateway.example.com",
        ),
        (
            Policy(regions=["frankfurt"]),
            {"base_url": "http://127.0.0.1:8000", "region": "frankfurt"},
            "http://127.0.0.1:8000",
        ),
        (
            Policy(regions=["frankfurt"]),
            {"base_url": "https://dashscope.aliyuncs.com.example.com"},
            "not a documented host",
        ),
        (Policy(modes=["eu"]), {"region": "frankfurt"}, "is not known"),
        (Policy(modes=["eu"]), {"region": "frankfurt", "mode": "global"}, "'global'"),
        (Policy(modes=["eu", "us"]), {"region": "tokyo"}, "is not known"),
        (Policy(modes=["us"]), {"region": "us"}, "Mode 'global'"),
        (Policy(base_urls=[GATEWAY]), {"region": "singapore"}, "not allowed by set_p"),
        (Policy(base_urls=[GATEWAY]), {"base_url": f"{GATEWAY}:8443"}, ":8443"),
        (
            Policy(base_urls=[GATEWAY]),
            {"base_url": "http://gateway.example.com", "allow_insecure_http": True},
            "http://gateway.example.com",
        ),
        (
            Policy(regions=["frankfurt"], base_urls=["https://dashscope.aliyuncs.com"]),
            {"region": "beijing"},
            "Region 'cn-beijing'",
        ),
        (Policy(models=["qwen-*"]), {}, "Model 'qwen3.7-plus'"),
        (Policy(models=["Qwen3.7-plus"]), {}, "'Qwen3.7-plus'"),
        (Policy(models=[]), {}, "allowed are none"),
    ],
)
def test_a_policy_refuses(
    policy: Policy, arguments: dict[str, Any], words: str
) -> None:
    message = refusal(policy, **arguments)
    assert words in message
    assert "set_policy" in message


def test_a_policy_error_is_a_configuration_error() -> None:
    assert issubclass(PolicyError, ConfigurationError)
    assert not PolicyError("").is_retryable


# --- What is about to be sent -------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "mode"), [("qwen-plus", "global"), ("qwen-plus-us", "us")]
)
def test_in_virginia_the_model_decides_the_mode(model: str, mode: str) -> None:
    """Whatever the endpoint says: a model without the suffix runs anywhere."""
    other = "us" if mode == "global" else "global"
    virginia = endpoint(region="us", mode=other)
    set_policy(Policy(modes=[mode]))
    check_request(virginia, virginia.openai_base_url, [model])
    set_policy(Policy(modes=[other]))
    with pytest.raises(PolicyError, match=f"Mode '{mode}'"):
        check_request(virginia, virginia.openai_base_url, [model])
    with pytest.raises(PolicyError, match="is not known"):
        check_request(virginia, virginia.openai_base_url, ["qwen-plus", "a-us"])


def test_the_url_decides_the_region_and_not_the_endpoint() -> None:
    frankfurt = endpoint(region="frankfurt", mode="eu")
    set_policy(Policy(regions=["frankfurt"], modes=["eu"]))
    with pytest.raises(PolicyError, match="Region 'ap-southeast-1'"):
        check_request(frankfurt, "https://dashscope-intl.aliyuncs.com/api/v1", ["a"])
    set_policy(Policy(modes=["eu"]))
    with pytest.raises(PolicyError, match="Mode 'international'"):
        check_request(frankfurt, "https://dashscope-intl.aliyuncs.com/api/v1", ["a"])
    with pytest.raises(PolicyError, match="is not known"):
        check_request(frankfurt, "https://w.ap-northeast-1.maas.aliyuncs.com/x", ["a"])


def test_each_model_of_a_request_counts() -> None:
    set_policy(Policy(models=["qwen-*"]))
    singapore = endpoint(region="singapore")
    url = singapore.openai_base_url
    check_request(singapore, url, ["qwen-a", "qwen-b"])
    with pytest.raises(PolicyError, match="Model 'deepseek-v4-pro'"):
        check_request(singapore, url, ["qwen-a", "deepseek-v4-pro"])


def test_a_request_without_a_model_is_refused_where_it_needs_one() -> None:
    set_policy(Policy(models=["qwen-*"]))
    singapore = endpoint(region="singapore")
    url = singapore.openai_base_url
    check_request(singapore, url, [], needs_model=False)
    with pytest.raises(PolicyError, match="without a model id"):
        check_request(singapore, url, [])


def test_an_upload_stays_in_the_storage_of_the_region() -> None:
    set_policy(Policy(regions=["frankfurt"], modes=["eu"], models=["qwen-*"]))
    frankfurt = endpoint(region="frankfurt", mode="eu")
    check_request(frankfurt, OSS, [], purpose="upload", needs_model=False)
    for host in ("oss-cn-beijing.aliyuncs.com", "oss-eu-central-1.example.com"):
        with pytest.raises(PolicyError, match="not a documented host"):
            check_request(
                frankfurt, f"https://b.{host}", [], purpose="upload", needs_model=False
            )


def test_a_result_may_be_read_from_any_region_over_https() -> None:
    set_policy(Policy(regions=["frankfurt"]))
    frankfurt = endpoint(region="frankfurt")
    url = "://bucket.oss-cn-shanghai.aliyuncs.com/a.png"
    check_request(frankfurt, f"https{url}", [], purpose="result", needs_model=False)
    with pytest.raises(PolicyError):
        check_request(frankfurt, f"http{url}", [], purpose="result", needs_model=False)


def test_an_endpoint_of_another_process_keeps_its_mode() -> None:
    set_policy(Policy(modes=["eu"]))
    pickled = pickle.dumps(endpoint(region="frankfurt", mode="eu"))
    check_endpoint(pickle.loads(pickled), "qwen-plus")  # noqa: S301 - our own bytes


def test_a_policy_cannot_be_changed() -> None:
    policy = Policy(regions=["frankfurt"])
    with pytest.raises(FrozenInstanceError):
        policy.regions = None  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - what is tested


# --- Invalid policies ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"regions": ["atlantis"]}, "Unknown Policy.regions 'atlantis'"),
        ({"modes": ["europe"]}, "Unknown Policy.modes 'europe'"),
        ({"regions": "frankfurt"}, "Policy.regions must be a list of strings"),
        ({"models": [1]}, "Policy.models must be a list of strings"),
        ({"models": 5}, "Policy.models must be a list of strings"),
        ({"models": [" "]}, "empty model id"),
        ({"base_urls": ["gateway.example.com"]}, "must contain origins"),
        ({"base_urls": ["ftp://gateway.example.com"]}, "must contain origins"),
        ({"base_urls": ["https://"]}, "must contain origins"),
        ({"base_urls": [f"{GATEWAY}/v1"]}, "must contain origins"),
        ({"base_urls": [f"{GATEWAY}?a=b"]}, "must contain origins"),
        ({"base_urls": [f"{GATEWAY}#a"]}, "must contain origins"),
        ({"base_urls": ["https://a:b@gateway.example.com"]}, "must contain origins"),
        ({"base_urls": ["https://[::1"]}, "must contain origins"),
        ({"base_urls": ["https://a.example.com:99999"]}, "must contain origins"),
    ],
)
def test_a_policy_with_a_typo_is_an_error(
    arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(**arguments)
    assert words in caught.value.message


def test_set_policy_takes_a_policy() -> None:
    policy: Any = {"regions": ["frankfurt"]}
    with pytest.raises(PolicyError, match="must be a Policy or None, got a dict"):
        set_policy(policy)


def test_a_later_policy_replaces_an_earlier_one() -> None:
    assert refusal(Policy(regions=["frankfurt"]), region="singapore")
    assert refusal(Policy(regions=["singapore"]), region="singapore") == ""
    set_policy(None)
    check_endpoint(endpoint(region="beijing"), "any")


# --- The environment variables ------------------------------------------------------

SCRIPT = """
import json, os, sys
from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import PolicyError
from modelstudio_core.policy import Policy, check_endpoint, set_policy

os.environ["MODELSTUDIO_ALLOWED_REGIONS"] = "tokyo"
if len(sys.argv) > 1:
    set_policy(Policy(regions=sys.argv[1:]))
outcomes = {}
frankfurt = resolve_endpoint(region="frankfurt", mode="eu", workspace="ws-1")
singapore = resolve_endpoint(region="singapore")
for name, endpoint, model in [
    ("frankfurt qwen-plus", frankfurt, "qwen-plus"),
    ("singapore qwen-plus", singapore, "qwen-plus"),
    ("singapore glm-5.3", singapore, "glm-5.3"),
]:
    try:
        check_endpoint(endpoint, model)
    except PolicyError as error:
        outcomes[name] = error.message
    else:
        outcomes[name] = ""
print(json.dumps(outcomes))
"""


def outcomes(*narrowed: str, **variables: str) -> dict[str, str]:
    """Return the refusal of each endpoint and model in a new process."""
    process = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT, *narrowed],
        env=os.environ | variables,
        capture_output=True,
        check=True,
        text=True,
    )
    result: dict[str, str] = json.loads(process.stdout)
    return result


def test_the_variables_are_read_at_import_and_bound_each_endpoint() -> None:
    result = outcomes(
        MODELSTUDIO_ALLOWED_REGIONS="Frankfurt, singapore,",
        MODELSTUDIO_ALLOWED_MODES="eu,international",
        MODELSTUDIO_ALLOWED_MODELS="qwen-*",
    )
    assert result["frankfurt qwen-plus"] == result["singapore qwen-plus"] == ""
    assert "MODELSTUDIO_ALLOWED_MODELS" in result["singapore glm-5.3"]


def test_set_policy_only_narrows_the_variables() -> None:
    result = outcomes(
        "singapore", "tokyo", MODELSTUDIO_ALLOWED_REGIONS="frankfurt,singapore"
    )
    assert "set_policy" in result["frankfurt qwen-plus"]
    assert result["singapore qwen-plus"] == ""
    result = outcomes("singapore", MODELSTUDIO_ALLOWED_REGIONS="frankfurt")
    assert "set_policy" in result["frankfurt qwen-plus"]
    assert "MODELSTUDIO_ALLOWED_REGIONS" in result["singapore qwen-plus"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REGIONS", "frankfort"),
        ("REGIONS", ""),
        ("REGIONS", " , "),
        ("MODES", "europe"),
        ("MODELS", ""),
        ("BASE_URLS", "gateway.example.com"),
        ("REGION", "frankfurt"),
        ("MODEL", "qwen-*"),
        ("Modes", "eu"),
        ("BASE_URL", "https://gateway.example.com"),
        ("HOSTS", ""),
    ],
)
def test_an_invalid_variable_allows_nothing(variable: str, value: str) -> None:
    name = f"MODELSTUDIO_ALLOWED_{variable}"
    result = outcomes(**{name: value})
    assert set(result) == {
        "frankfurt qwen-plus",
        "singapore qwen-plus",
        "singapore glm-5.3",
    }
    assert all(name in message for message in result.values())


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("MODELSTUDIO_ALLOWED_REGION", "MODELSTUDIO_ALLOWED_REGIONS"),
        ("MODELSTUDIO_ALLOW_MODELS", "MODELSTUDIO_ALLOWED_MODELS"),
        ("MODELSTUDIO_ALLOWED_URLS", "MODELSTUDIO_ALLOWED_BASE_URLS"),
    ],
)
def test_the_error_about_a_misspelt_variable_names_the_nearest(
    variable: str, meant: str
) -> None:
    result = outcomes(**{variable: "qwen-plus", "MODELSTUDIO_FAST_PATH": "1"})
    assert all(f"it is {meant}, perhaps" in message for message in result.values())
