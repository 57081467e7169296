"""Delisted models, and what replaces them."""

from datetime import date
from typing import Any

import pytest

from modelstudio_core.catalog import (
    RerankProfile,
    model_ids,
    resolve_deprecated,
    resolve_model,
    resolve_service_model,
)
from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import ConfigurationError
from tests.core.catalog.entries import chat_profile

REPLACED = {
    "deepseek-r1": ("qwen3.7-max", True),
    "deepseek-r1-0528": ("qwen3.7-max", True),
    "deepseek-v3.2": ("qwen3.7-plus", False),
    "deepseek-v3.2-exp": ("qwen3.7-plus", False),
    "deepseek-v3.1": ("qwen3.7-plus", False),
    "deepseek-v3": ("qwen3.7-plus", False),
    "deepseek-r1-distill-qwen-7b": ("qwen3.6-flash", True),
    "deepseek-r1-distill-qwen-14b": ("qwen3.6-flash", True),
    "deepseek-r1-distill-qwen-32b": ("qwen3.6-flash", True),
}


@pytest.mark.parametrize(
    ("requested", "used", "thinking"),
    [(requested, used, thinking) for requested, (used, thinking) in REPLACED.items()],
)
def test_delisted_model_is_replaced(requested: str, used: str, thinking: bool) -> None:
    resolved = resolve_deprecated(requested)
    assert resolved.requested == requested
    assert resolved.profile == resolve_model(used)
    assert resolved.default_thinking is thinking
    assert resolved.replaced
    assert resolved.warning == ""
    assert resolved.notice.startswith(
        f"{requested} was delisted on 2026-07-09: {used} is used instead."
    )
    for argument in ("model=", "replacements=", "'keep'", "'error'"):
        assert argument in resolved.notice


def test_exactly_nine_chat_models_are_delisted() -> None:
    delisted = {m for m in model_ids() if resolve_model(m).delisted is not None}
    assert delisted == set(REPLACED)
    assert {resolve_model(m).delisted for m in delisted} == {date(2026, 7, 9)}


@pytest.mark.parametrize("requested", REPLACED)
def test_mode_us_replaces_with_the_us_id(requested: str) -> None:
    resolved = resolve_deprecated(requested, mode="us")
    assert resolved.profile.id == f"{REPLACED[requested][0]}-us"
    assert resolved.profile.id in model_ids()
    assert resolved.default_thinking is REPLACED[requested][1]


@pytest.mark.parametrize(
    "model",
    sorted(
        {
            *(m for m in model_ids() if m not in REPLACED),
            *(f"siliconflow/{m}" for m in REPLACED),
            *(f"{m}-2026-01-01" for m in REPLACED),
            "deepseek-r1-distill-llama-8b",
            "deepseek-r1-distill-llama-70b",
            "deepseek-r1-distill-qwen-1.5b",
            "deepseek-r1-distill-qwen",
            "deepseek-v3-1226",
            "DeepSeek-R1",
            "deepseek-r1 ",
            "vanchin/deepseek-r1",
            "a-model-of-tomorrow",
        }
    ),
)
@pytest.mark.parametrize("mode", [None, "us"])
def test_no_other_model_is_replaced(model: str, mode: str | None) -> None:
    resolved = resolve_deprecated(model, mode=mode, deprecated_models="error")
    assert resolved.profile.id == model
    assert resolved.notice == ""
    assert not resolved.replaced
    assert resolved.default_thinking is chat_profile(model).default_thinking


@pytest.mark.parametrize("requested", REPLACED)
def test_keep_warns_and_sends_the_requested_id(requested: str) -> None:
    resolved = resolve_deprecated(requested, deprecated_models="keep")
    assert resolved.profile.id == requested
    assert not resolved.replaced
    assert resolved.default_thinking is chat_profile(requested).default_thinking
    for word in (requested, REPLACED[requested][0], "2026-07-09", "'keep'"):
        assert word in resolved.notice


@pytest.mark.parametrize("requested", REPLACED)
def test_error_names_the_replacement(requested: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_deprecated(requested, deprecated_models="error")
    for word in (requested, REPLACED[requested][0], "2026-07-09", "'replace'"):
        assert word in caught.value.message


@pytest.mark.parametrize(
    ("requested", "mode", "replacements", "used", "thinking"),
    [
        (
            "deepseek-r1",
            None,
            {"deepseek-r1": "deepseek-v4-pro"},
            "deepseek-v4-pro",
            True,
        ),
        (
            "deepseek-v3",
            None,
            {"deepseek-v3": "deepseek-v4-pro"},
            "deepseek-v4-pro",
            False,
        ),
        (
            "deepseek-v3",
            None,
            {"deepseek-r1": "deepseek-v4-pro"},
            "qwen3.7-plus",
            False,
        ),
        (
            "deepseek-r1",
            "us",
            {"deepseek-r1": "deepseek-v4-pro"},
            "deepseek-v4-pro-us",
            True,
        ),
        (
            "deepseek-r1",
            "us",
            {"deepseek-r1": "deepseek-v4-pro-us"},
            "deepseek-v4-pro-us",
            True,
        ),
        ("deepseek-r1", None, {"deepseek-r1": "qwen-max"}, "qwen-max", None),
        ("deepseek-r1", None, {"deepseek-r1": "my/own"}, "my/own", None),
        ("qwen-plus", None, {"deepseek-r1": "qwen-max"}, "qwen-plus", False),
    ],
)
def test_replacements_override_the_table(
    requested: str,
    mode: str | None,
    replacements: dict[str, str],
    used: str,
    thinking: bool | None,
) -> None:
    resolved = resolve_deprecated(requested, mode=mode, replacements=replacements)
    assert resolved.profile.id == used
    assert resolved.default_thinking is thinking


@pytest.mark.parametrize(
    ("replacements", "words"),
    [
        ({"deepseek-r2": "qwen-max"}, ["'deepseek-r2'", "Did you mean 'deepseek-r1'"]),
        ({"gpt-4": "qwen-max"}, ["'gpt-4'", "Known: 'deepseek-r1', "]),
        ({"deepseek-r1": ""}, ["'deepseek-r1'", "must be a model's id"]),
        ({"deepseek-r1": None}, ["'deepseek-r1'", "must be a model's id"]),
        ({"deepseek-r1": "deepseek-v3"}, ["'deepseek-v3'", "delisted itself"]),
    ],
)
def test_invalid_replacements_are_refused(
    replacements: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_deprecated("qwen-plus", replacements=replacements)
    for word in words:
        assert word in caught.value.message


# --- Services other than chat ---------------------------------------------------------


def test_a_delisted_model_of_another_service_is_sent_with_a_notice() -> None:
    endpoint = resolve_endpoint(region="singapore")
    model = resolve_service_model(RerankProfile, "gte-rerank", endpoint)
    assert model.notice == "gte-rerank was delisted on 2026-05-30: use qwen3-rerank."
    assert (model.requested, model.profile.id) == ("gte-rerank", "gte-rerank")
    assert not model.replaced
    listed = resolve_service_model(RerankProfile, "qwen3-rerank", endpoint)
    assert (listed.notice, listed.warning, listed.replaced) == ("", "", False)


def test_a_delisted_model_may_have_no_replacement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolved = RerankProfile(
        id="old-rerank", matched="exact", source="x", delisted=date(2026, 1, 2)
    )
    monkeypatch.setattr(
        "modelstudio_core.catalog.deprecation.resolve_model_as", lambda *_: resolved
    )
    endpoint = resolve_endpoint(region="singapore")
    model = resolve_service_model(RerankProfile, "old-rerank", endpoint)
    assert model.notice == "old-rerank was delisted on 2026-01-02."
