"""Inference stays in the deployment mode that was requested."""

import pytest

from modelstudio_core.catalog import check_scope, model_ids
from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import ConfigurationError

US_IDS = [m for m in model_ids() if m.endswith("-us")]


def scope_refusal(model: str, **where: str) -> str:
    """Return the error message for a model outside its mode."""
    endpoint = resolve_endpoint(**where)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - strings only
    with pytest.raises(ConfigurationError) as caught:
        check_scope(model, endpoint)
    return caught.value.message


@pytest.mark.parametrize("model", ["deepseek-v4-pro", "qwen3.7-plus", "qwen-plus"])
def test_mode_us_names_the_us_twin(model: str) -> None:
    message = scope_refusal(model, mode="us")
    assert "us-east-1" in message
    assert repr(model) in message
    assert f"use '{model}-us'" in message


@pytest.mark.parametrize("model", ["qwen3.8-max", "a-model-of-tomorrow"])
def test_mode_us_names_all_us_models_where_there_is_no_twin(model: str) -> None:
    message = scope_refusal(model, mode="us")
    assert "us-east-1" in message
    for name in US_IDS:
        assert name in message
    assert f"{model}-us" not in message


@pytest.mark.parametrize("model", ["deepseek-v4-pro-us", "a-model-of-tomorrow-us"])
@pytest.mark.parametrize(
    "where",
    [
        {"region": "singapore"},
        {"region": "beijing"},
        {"region": "hongkong"},
        {"region": "virginia", "mode": "global"},
        {"region": "frankfurt", "mode": "eu", "workspace": "ws-1"},
        {"region": "frankfurt", "mode": "global", "workspace": "ws-1"},
        {"region": "frankfurt", "workspace": "ws-1"},
        {"region": "tokyo", "workspace": "ws-1"},
        {"base_url": "https://ws-1.eu-central-1.maas.aliyuncs.com"},
        {"base_url": "https://gateway.example.com", "mode": "eu"},
    ],
    ids=str,
)
def test_us_model_anywhere_else_is_refused(model: str, where: dict[str, str]) -> None:
    message = scope_refusal(model, **where)
    assert "us-east-1" in message
    assert repr(model) in message
    assert "None" not in message


def test_the_error_for_a_us_model_elsewhere_names_the_worldwide_id() -> None:
    message = scope_refusal("deepseek-v4-pro-us", region="singapore")
    assert "'deepseek-v4-pro'" in message


@pytest.mark.parametrize(
    ("model", "where"),
    [
        ("deepseek-v4-pro-us", {"mode": "us"}),
        ("a-model-of-tomorrow-us", {"mode": "us"}),
        ("deepseek-v4-pro", {"region": "virginia"}),
        ("deepseek-v4-pro", {"region": "singapore"}),
        ("deepseek-v4-pro", {"region": "frankfurt", "workspace": "ws-1"}),
        ("deepseek-v4-pro", {"region": "tokyo", "workspace": "ws-1"}),
        ("deepseek-v4-pro-us", {"base_url": "http://127.0.0.1:8000"}),
        ("deepseek-v4-pro", {"base_url": "http://127.0.0.1:8000"}),
        (
            "deepseek-v4-pro-us",
            {"base_url": "http://127.0.0.1:8000", "region": "frankfurt"},
        ),
        ("deepseek-v4-pro-us", {"base_url": "http://127.0.0.1:8000", "mode": "us"}),
    ],
)
def test_model_in_its_own_scope(model: str, where: dict[str, str]) -> None:
    endpoint = resolve_endpoint(**where)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - strings only
    check_scope(model, endpoint)


def test_other_host_in_mode_us_still_keeps_the_scope() -> None:
    message = scope_refusal(
        "deepseek-v4-pro", base_url="http://127.0.0.1:8000", mode="us"
    )
    assert "'deepseek-v4-pro-us'" in message
