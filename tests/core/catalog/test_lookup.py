"""Finding a profile: exact id, alias, prefix, default; and the nearest served model."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from modelstudio_core.catalog import (
    ChatProfile,
    EmbeddingProfile,
    MediaProfile,
    ModelKind,
    ModelProfile,
    RerankProfile,
    check_model_id,
    lookup,
    model_ids,
    nearest_served,
    resolve_model,
    suggest_served,
)
from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import ConfigurationError


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a table in place in which every step of the lookup shows."""
    entries = (
        ChatProfile(ids=("fam-1",), prefix="fam", source="short prefix"),
        ChatProfile(ids=("fam-x-1",), prefix="fam-x", source="long prefix"),
        ChatProfile(
            ids=("fam-x-exact", "fam-x-other"),
            aliases=("fam-x-alias",),
            source="exact",
        ),
        ChatProfile(ids=("no-prefix",), source="exact only"),
        EmbeddingProfile(
            ids=("fam-x-embed",), prefix="fam-x-embed", source="another kind"
        ),
    )
    _forget()
    monkeypatch.setattr(lookup, "MODELS", entries)
    yield
    _forget()


@pytest.mark.parametrize("name", ["qwen3.7-max", "vendor/model 2", "模型"])
def test_an_id_is_what_can_be_one(name: str) -> None:
    assert check_model_id(name) == name


@pytest.mark.parametrize(
    "value", ["", None, 5, " qwen", "qwen\n", "qwen\t", "qw\0en", "qw\x1ben"]
)
def test_what_cannot_be_an_id_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^image_model must be a model's id"):
        check_model_id(value, "image_model")


def _forget() -> None:
    resolve_model.cache_clear()
    lookup._index.cache_clear()  # pyright: ignore[reportPrivateUsage] - a cache to empty


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("name", "source", "model_id", "matched"),
    [
        ("fam-x-exact", "exact", "fam-x-exact", "exact"),
        ("fam-x-alias", "exact", "fam-x-exact", "alias"),
        ("fam-x-exact-us", "exact", "fam-x-exact-us", "exact"),
        ("fam-x-2", "long prefix", "fam-x-2", "prefix"),
        ("fam-x-2-us", "long prefix", "fam-x-2-us", "prefix"),
        ("fam-x", "long prefix", "fam-x", "prefix"),
        ("fam-x-embed", "another kind", "fam-x-embed", "exact"),
        ("fam-x-embed-2", "another kind", "fam-x-embed-2", "prefix"),
        ("fam-2", "short prefix", "fam-2", "prefix"),
        ("no-prefix", "exact only", "no-prefix", "exact"),
        ("no-prefix-2", "", "no-prefix-2", "default"),
        ("vendor/fam-x-exact", "", "vendor/fam-x-exact", "default"),
        ("FAM-1", "", "FAM-1", "default"),
        ("", "", "", "default"),
    ],
)
def test_exact_then_alias_then_longest_prefix_then_default(
    name: str, source: str, model_id: str, matched: str
) -> None:
    profile = resolve_model(name)
    assert profile.source == source
    assert profile.id == model_id
    assert profile.matched == matched


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("name", ["fam-x-exact", "fam-x-2", "fam-2"])
def test_an_id_of_the_mode_us_is_served_in_virginia_only(name: str) -> None:
    twin, plain = resolve_model(f"{name}-us"), resolve_model(name)
    assert (twin.regions, twin.modes) == (("us-east-1",), ("us",))
    assert (plain.regions, plain.modes) == (None, None)
    assert twin.source == plain.source


def test_unknown_model_is_allowed_everything() -> None:
    profile = resolve_model("a-model-of-tomorrow")
    assert profile == ChatProfile(id="a-model-of-tomorrow")
    assert isinstance(profile, ChatProfile)
    assert not profile.is_known
    assert not profile.exact
    assert profile.thinking is None
    assert profile.refused == frozenset()
    assert profile.tools is None


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("qwen3.8-max-2026-08-01", "qwen3.8-max"),
        ("qwen3.8-flash-2026-08-01", "qwen3.8-flash"),
        ("qwen3.7-plus-2026-07-01", "qwen3.7-plus"),
        ("qwen3.6-flash-2026-07-16", "qwen3.6-flash"),
        ("qwen-plus-2025-07-28", "qwen-plus"),
        ("qwen3-vl-plus-2025-09-23", "qwen3-vl-plus"),
        ("glm-5.2-2026", "glm-5.2"),
        ("MiniMax-M2.7", "MiniMax-M2.5"),
    ],
)
def test_snapshot_has_the_facts_of_its_family(name: str, like: str) -> None:
    profile, family = resolve_model(name), resolve_model(like)
    assert profile.id == name
    assert profile.ids == family.ids
    assert profile.matched == "prefix"


# --- Kinds --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("qwen3.7-plus", "chat"),
        ("qwen3-vl-8b-thinking", "chat"),
        ("qwen3-asr-flash", "chat"),
        ("qwen3-livetranslate-flash", "chat"),
        ("qwen3.7-text-embedding", "embedding"),
        ("qwen3.7-text-embedding-2027-01-01", "embedding"),
        ("qwen3-vl-embedding", "embedding"),
        ("qwen2.5-vl-embedding", "embedding"),
        ("text-embedding-v5", "embedding"),
        ("qwen3-rerank", "rerank"),
        ("qwen3-vl-rerank", "rerank"),
        ("qwen3.7-text-rerank", "rerank"),
        ("text-embedding-async-v2", "media"),
        ("wan2.6-t2i", "media"),
        ("wan2.9-anything", "media"),
        ("qwen-image-9.0", "media"),
        ("qwen-mt-image", "media"),
        ("qwen3-tts-flash-2027-01-01", "media"),
        ("qwen3-omni-flash-realtime", "media"),
        ("qwen3.5-omni-plus-realtime", "media"),
        ("qwen3-asr-flash-filetrans", "media"),
        ("MiniMax/speech-3.0-hd", "media"),
    ],
)
@pytest.mark.parametrize("wanted", [None, "chat", "embedding", "rerank", "media"])
def test_a_name_that_is_known_keeps_its_kind(
    name: str, kind: ModelKind, wanted: ModelKind | None
) -> None:
    profile = resolve_model(name, wanted)
    assert profile.is_known
    assert profile.kind == kind


@pytest.mark.parametrize(
    ("kind", "profile_type"),
    [
        (None, ChatProfile),
        ("chat", ChatProfile),
        ("embedding", EmbeddingProfile),
        ("rerank", RerankProfile),
        ("media", MediaProfile),
    ],
)
def test_an_unknown_name_has_the_kind_that_is_wanted(
    kind: ModelKind | None, profile_type: type[ModelProfile]
) -> None:
    profile = resolve_model("a-model-of-tomorrow", kind)
    assert profile == profile_type(id="a-model-of-tomorrow")


def test_model_ids_are_chat_models_by_default() -> None:
    kinds: tuple[ModelKind, ...] = ("chat", "embedding", "rerank", "media")
    assert model_ids() == model_ids("chat")
    assert model_ids(None) == tuple(name for kind in kinds for name in model_ids(kind))
    for kind in kinds:
        assert {resolve_model(name).kind for name in model_ids(kind)} == {kind}


# Models of other vendors, for which a name here would be a guess.
FOREIGN: Final = ("gpt-4o", "claude-sonnet-4-5", "gemini-2.5-flash", "llama3", "o3")


@pytest.mark.parametrize(
    ("name", "region", "kind", "nearest"),
    [
        ("text-embedding-v4", "singapore", None, "text-embedding-v3"),
        ("text-embedding-v2", "singapore", None, "text-embedding-v3"),
        ("qwen3-rerank", "beijing", None, "qwen3-vl-rerank"),
        ("gte-rerank", "singapore", None, "qwen3-rerank"),
        ("wan2.6-t2i", "singapore", None, "wan2.6-image"),
        ("wan2.6-t2v-x", "singapore", None, "wan2.6-t2v"),
        ("qwen3.7-plus", "beijing", "rerank", "qwen3-vl-rerank"),
        ("qwen3-rerank", "beijing", "chat", "qwen3-max"),
        ("text-embedding-v4", "beijing", "rerank", "gte-rerank-v2"),
        ("embedding-v4", "singapore", "embedding", "text-embedding-v4"),
        ("qwen-reranker", "beijing", "rerank", "qwen3-rerank"),
        ("text-embedding-async-v1", "beijing", None, "text-embedding-async-v2"),
        ("text-embedding-async-v1", "singapore", None, None),
        ("quen3.7-plus", "singapore", None, "qwen3.7-plus"),
        ("qwen", "singapore", None, "qwen-max"),
        *((name, "singapore", None, None) for name in FOREIGN),
        ("gpt-4o", "beijing", "rerank", "gte-rerank-v2"),
    ],
)
def test_the_nearest_served_model_is_of_the_same_kind(
    name: str, region: str, kind: ModelKind | None, nearest: str | None
) -> None:
    endpoint = resolve_endpoint(region=region)
    assert nearest_served(name, endpoint, kind) == nearest


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "offer"),
    [
        (
            "qwen3.7-pluss",
            {"region": "singapore"},
            None,
            "The nearest known model in region ap-southeast-1 is 'qwen3.7-plus'.",
        ),
        (
            "qwen-reranker",
            {"region": "beijing"},
            "rerank",
            "The nearest known rerank model in region cn-beijing is 'qwen3-rerank'.",
        ),
        (
            "qwen3.7-pluss",
            {"base_url": "https://gateway.example.com"},
            None,
            "The nearest known model is 'qwen3.7-plus'.",
        ),
        (
            "gpt-4o",
            {"region": "singapore"},
            None,
            "The command modelstudio models lists the known models.",
        ),
    ],
)
def test_the_nearest_served_model_is_offered(
    name: str, arguments: dict[str, Any], kind: ModelKind | None, offer: str
) -> None:
    endpoint = resolve_endpoint(**arguments)
    assert suggest_served(name, endpoint, kind) == (
        f"The requested model is {name!r}. {offer}"
    )
