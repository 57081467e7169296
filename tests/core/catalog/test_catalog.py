"""What is known of models, and what replaces those that are gone."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import pytest

from modelstudio_core.catalog import (
    ModelProfile,
    check_scope,
    known_models,
    lookup,
    resolve_deprecated,
    resolve_model,
)
from modelstudio_core.catalog.chat_models import MODELS
from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import ConfigurationError

DISTILLED = (
    "deepseek-r1-distill-qwen-7b",
    "deepseek-r1-distill-qwen-14b",
    "deepseek-r1-distill-qwen-32b",
)


# --- The page "DeepSeek": default parameter values ----------------------------------


class Defaults(NamedTuple):
    """A row of the page's table; "-": has no default and cannot be set, "": blank."""

    model: str
    temperature: float | str
    top_p: float | str
    repetition_penalty: float | str
    presence_penalty: float | str
    max_tokens: float | str
    thinking_budget: float | str

    def numbers(self) -> dict[str, float]:
        """Return the columns that hold a number."""
        columns = self._asdict()
        del columns["model"]
        return {k: v for k, v in columns.items() if not isinstance(v, str)}

    def hyphens(self) -> set[str]:
        """Return the columns that hold a hyphen."""
        return {k for k, v in self._asdict().items() if v == "-"}


# fmt: off
DEFAULTS = (
    Defaults("deepseek-v4-pro",      1.0, 1.0,  "-", "-", 393_216, ""),
    Defaults("deepseek-v4-pro-us",   1.0, 1.0,  "-", "-", 393_216, ""),
    Defaults("deepseek-v4-flash",    1.0, 1.0,  "-", "-", 393_216, ""),
    # The page prints deepseek-v4-flash twice; the second follows deepseek-v4-pro-us.
    Defaults("deepseek-v4-flash-us", 1.0, 1.0,  "-", "-", 393_216, ""),
    Defaults("deepseek-v3.2",        1.0, 0.95, "-", "-",  65_536, 32_768),
    Defaults("deepseek-v3.2-exp",    0.6, 0.95, 1.0, "-",  65_536, 32_768),
    Defaults("deepseek-v3.1",        0.6, 0.95, 1.0, "-",  65_536, 32_768),
    Defaults("deepseek-r1",          0.6, 0.95, "-", 1,    16_384, 32_768),
    Defaults("deepseek-r1-0528",     0.6, 0.95, "-", 1,    16_384, 32_768),
    Defaults(DISTILLED[0],           0.6, 0.95, "-", 1,    16_384, 16_384),
    Defaults(DISTILLED[1],           0.6, 0.95, "-", 1,    16_384, 16_384),
    Defaults(DISTILLED[2],           0.6, 0.95, "-", 1,    16_384, 16_384),
    Defaults("deepseek-v3",          0.7, 0.6,  "-", "-",  16_384, "-"),
)
# fmt: on
# "do not support setting these parameter values"
SETS_NOTHING = ("deepseek-r1", "deepseek-r1-0528", *DISTILLED)
TABLE = set(Defaults._fields) - {"model"}


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.model)
def test_defaults_are_those_of_the_page(row: Defaults) -> None:
    assert dict(resolve_model(row.model).defaults) == row.numbers()


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.model)
def test_a_hyphen_cannot_be_set_and_the_rest_can(row: Defaults) -> None:
    refused = resolve_model(row.model).refused & TABLE
    if row.model in SETS_NOTHING:
        assert refused == TABLE
    elif row.thinking_budget == "":
        # reasoning_effort takes the place of the budget.
        assert refused == row.hyphens() | {"thinking_budget"}
    else:
        assert refused == row.hyphens()


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.model)
def test_limits_are_those_of_the_page(row: Defaults) -> None:
    profile = resolve_model(row.model)
    assert profile.max_output == row.max_tokens
    budget = row.numbers().get("thinking_budget")
    assert profile.max_thinking == budget


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.model)
def test_no_deepseek_model_takes_top_k_or_an_image(row: Defaults) -> None:
    profile = resolve_model(row.model)
    assert "top_k" in profile.refused
    assert profile.inputs == {"text"}
    assert profile.native_path == "text-generation"


# --- The page "DeepSeek": thinking and other features -------------------------------


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("deepseek-v4-pro", "hybrid-on"),
        ("deepseek-v4-flash", "hybrid-on"),
        ("deepseek-v4-pro-us", "hybrid-on"),
        ("deepseek-v4-flash-us", "hybrid-on"),
        ("deepseek-v3.2", "hybrid-off"),
        ("deepseek-v3.2-exp", "hybrid-off"),
        ("deepseek-v3.1", "hybrid-off"),
        ("deepseek-r1", "only"),
        ("deepseek-r1-0528", "only"),
        ("deepseek-v3", "never"),
        *((model, "only") for model in DISTILLED),
        ("qwen3.8-max", "hybrid-on"),
        ("qwen3.8-flash", "hybrid-on"),
        ("qwen3.7-max", "hybrid-on"),
        ("qwen3.7-max-us", "hybrid-on"),
        ("qwen3.7-max-2026-05-20", "hybrid-on"),
        ("qwen3.7-max-2026-06-08", "hybrid-on"),
        ("qwen3.7-plus", "hybrid-on"),
        ("qwen3.7-plus-us", "hybrid-on"),
        ("qwen3.7-flash", "hybrid-on"),
        ("qwen3.6-plus", "hybrid-on"),
        ("qwen3.6-flash", "hybrid-on"),
        ("qwen3.6-flash-us", "hybrid-on"),
        ("qwen3.6-max-preview", "hybrid-on"),
        ("qwen3.5-plus", "hybrid-on"),
        ("qwen3.5-flash", "hybrid-on"),
        ("qwen3.5-35b-a3b", "hybrid-on"),
        ("qwen3-235b-a22b", "hybrid-on"),
        ("qwen3-32b", "hybrid-on"),
        ("qwen3-30b-a3b", "hybrid-on"),
        ("qwen3-14b", "hybrid-on"),
        ("qwen3-8b", "hybrid-on"),
        ("glm-5.2", "hybrid-on"),
        ("glm-5.2-us", "hybrid-on"),
        ("glm-5.1", "hybrid-on"),
        ("glm-5", "hybrid-on"),
        ("glm-4.7", "hybrid-on"),
        ("glm-4.6", "hybrid-on"),
        ("glm-4.5", "hybrid-on"),
        ("kimi/kimi-k2.6", "hybrid-on"),
        ("kimi/kimi-k2.5", "hybrid-on"),
        ("qwen3-max", "hybrid-off"),
        ("qwen-plus", "hybrid-off"),
        ("qwen-flash", "hybrid-off"),
        ("qwen-turbo", "hybrid-off"),
        ("kimi-k2.6", "hybrid-off"),
        ("kimi-k2.5", "hybrid-off"),
        ("qwen3.7-max-preview", "only"),
        ("qwen3.7-max-2026-05-17", "only"),
        ("qwen3-235b-a22b-thinking-2507", "only"),
        ("qwen3-30b-a3b-thinking-2507", "only"),
        ("qwen3-next-80b-a3b-thinking", "only"),
        ("qwq-plus", "only"),
        ("kimi-k2.7-code", "only"),
        ("kimi-k2-thinking", "only"),
        ("MiniMax-M2.5", "only"),
        ("MiniMax-M2.1", "only"),
        ("glm-5.3", "only"),
        ("wan2.6-t2i", "never"),
    ],
)
def test_how_a_model_thinks(model: str, thinking: str) -> None:
    profile = resolve_model(model)
    assert model in profile.ids
    assert profile.thinking == thinking
    switched = {"hybrid-on": True, "hybrid-off": False}.get(thinking)
    assert profile.default_thinking is switched


@pytest.mark.parametrize(
    ("model", "tools", "search", "cache"),
    [
        ("deepseek-v4-pro", True, True, True),
        ("deepseek-v4-flash", True, True, True),
        ("deepseek-v3.2", True, True, True),
        ("deepseek-v3.2-exp", "not-thinking", True, False),
        ("deepseek-v3.1", "not-thinking", True, True),
        ("deepseek-r1", True, True, True),
        ("deepseek-r1-0528", True, True, False),
        ("deepseek-v3", True, True, True),
        *((model, False, False, False) for model in DISTILLED),
    ],
)
def test_other_features_of_deepseek(
    model: str, tools: bool | str, search: bool, cache: bool
) -> None:
    profile = resolve_model(model)
    assert profile.tools == tools
    assert profile.search is search
    assert profile.cache is cache
    assert profile.structured_output == frozenset()
    assert profile.structured_output_while_thinking == frozenset()
    assert profile.partial is False


# --- The page "Models" --------------------------------------------------------------

K = 1024


@pytest.mark.parametrize(
    ("model", "context", "output", "thinking"),
    [
        ("deepseek-v4-pro", 1_000_000, 384 * K, None),
        ("deepseek-v3.2", 128 * K, 65_536, 32_768),
        ("deepseek-v3", 128 * K, 16_384, None),
        ("deepseek-r1", 128 * K, 16_384, 32_768),
        ("qwen3.7-max", 1_000_000, 64 * K, 256 * K),
        ("qwen3.7-plus", 1_000_000, 131_072, 256 * K),
        ("qwen3.6-plus", 1_000_000, 64 * K, 80 * K),
        ("qwen3.6-flash", 1_000_000, 64 * K, 128 * K),
        ("qwen3.6-max-preview", 256 * K, 64 * K, 128 * K),
        ("qwen3.5-plus", 1_000_000, 64 * K, 80 * K),
        ("qwen3.5-flash", 1_000_000, 64 * K, 80 * K),
        ("qwen3.5-397b-a17b", 256 * K, 64 * K, 80 * K),
        ("qwen-plus", 1_000_000, 32 * K, 80 * K),
        ("qwen-flash", 1_000_000, 32 * K, 80 * K),
        ("glm-5.1", 198 * K, 128 * K, 128 * K),
        ("kimi-k2.6", 256 * K, 96 * K, 80 * K),
        ("xiaomi/mimo-v2.5-pro", 1_000_000, 128 * K, 128 * K),
    ],
)
def test_how_much_a_model_holds(
    model: str, context: int, output: int, thinking: int | None
) -> None:
    profile = resolve_model(model)
    assert profile.context_window == context
    assert profile.max_output == output
    assert profile.max_thinking == thinking


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("qwen3.8-max", "multimodal-generation"),
        ("qwen3.7-plus", "multimodal-generation"),
        ("qwen3.6-plus", "multimodal-generation"),
        ("qwen3.6-flash", "multimodal-generation"),
        ("qwen3.5-plus", "multimodal-generation"),
        ("qwen3.5-27b", "multimodal-generation"),
        ("qwen3-vl-plus", "multimodal-generation"),
        ("qwen3-vl-flash-us", "multimodal-generation"),
        ("qwen3.7-max", "text-generation"),
        ("qwen3.7-max-us", "text-generation"),
        ("qwen3-max", "text-generation"),
        ("qwen-plus", "text-generation"),
        ("deepseek-v4-pro", "text-generation"),
        ("a-model-of-tomorrow", "text-generation"),
        ("wan2.6-t2i", "image-generation"),
    ],
)
def test_native_path_follows_the_model(model: str, path: str) -> None:
    assert resolve_model(model).native_path == path


def test_reasoning_is_preserved_by_default_where_the_page_says_so() -> None:
    preserving = [m for m in known_models() if resolve_model(m).preserves_thinking]
    assert preserving == [
        "qwen3.8-max",
        "qwen3.8-flash",
        "qwen3-omni-flash",
        "kimi-k2.7-code",
    ]


def test_only_deepseek_v4_wants_reasoning_on_tool_turns() -> None:
    wanting = [
        m for m in known_models() if resolve_model(m).wants_reasoning_on_tool_turns
    ]
    assert wanting == [m for m in known_models() if m.startswith("deepseek-v4")]


V4 = {"low": "high", "medium": "high", "high": "high", "xhigh": "max", "max": "max"}
DATED = {"low": "low", "medium": "high", "high": "high", "xhigh": "high", "max": "max"}
QWEN38 = {
    "none": "off",
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "xhigh",
    "xhigh": "xhigh",
    "max": "xhigh",
}


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("deepseek-v4-pro", V4),
        ("deepseek-v4-flash", V4),
        ("deepseek-v4-pro-us", V4),
        ("deepseek-v4-flash-us", V4),
        ("deepseek-v4-pro-0813", DATED),
        ("deepseek-v4-flash-0731", DATED),
        ("deepseek-v4-pro-1231", DATED),
        ("deepseek-v4.1-flash", DATED | {"minimal": "low", "ultra": "max"}),
        ("qwen3.8-max", QWEN38),
        ("qwen3.8-flash", QWEN38),
        ("glm-5.2", V4),
        ("glm-5.2-us", V4),
        ("glm-5.1", V4),
        ("glm-5", V4),
        ("glm-5.3", {}),
        ("glm-4.7", {}),
        ("qwen3.7-max", {}),
        ("deepseek-v3.2", {}),
        ("a-model-of-tomorrow", {}),
    ],
)
def test_efforts_as_given_and_as_sent(model: str, efforts: dict[str, str]) -> None:
    assert dict(resolve_model(model).efforts) == efforts


# --- The table as a whole -----------------------------------------------------------


def test_no_id_stands_twice() -> None:
    names = [name for entry in MODELS for name in (*entry.ids, *entry.aliases)]
    assert len(names) == len(set(names))


def test_no_prefix_stands_twice() -> None:
    prefixes = [entry.prefix for entry in MODELS if entry.prefix]
    assert len(prefixes) == len(set(prefixes))


@pytest.mark.parametrize(
    "model",
    [
        *(row.model for row in DEFAULTS),
        "qwen3.7-plus",
        "qwen3.7-max",
        "qwen3.6-flash",
        "wan2.6-t2i",
        "qwen3.7-plus-us",
        "qwen3.7-max-us",
        "qwen3.6-flash-us",
    ],
)
def test_models_of_both_pages_have_an_entry_of_their_own(model: str) -> None:
    assert model in known_models()
    assert resolve_model(model).id == model


@pytest.mark.parametrize("entry", MODELS, ids=lambda entry: entry.ids[0])
def test_every_entry_says_where_it_comes_from(entry: ModelProfile) -> None:
    assert entry.known
    assert entry.source.strip() == entry.source
    assert entry.checked is not None
    assert date(2026, 1, 1) <= entry.checked


@pytest.mark.parametrize("model", [m for m in known_models() if m.endswith("-us")])
def test_us_models_are_bound_to_the_us(model: str) -> None:
    profile = resolve_model(model)
    assert (profile.regions, profile.modes) == (("us-east-1",), ("us",))


@pytest.mark.parametrize("model", [m for m in known_models() if "/" in m])
def test_models_with_a_vendors_prefix_are_served_in_beijing(model: str) -> None:
    assert resolve_model(model).regions == ("cn-beijing",)


@pytest.mark.parametrize("model", known_models())
def test_every_model_is_found_under_its_own_id(model: str) -> None:
    profile = resolve_model(model)
    assert profile.id == model
    assert model in profile.ids


# --- Lookup order -------------------------------------------------------------------


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a table in place in which every step of the lookup shows."""
    entries = (
        ModelProfile(ids=("fam-1",), prefix="fam", source="short prefix"),
        ModelProfile(ids=("fam-x-1",), prefix="fam-x", source="long prefix"),
        ModelProfile(ids=("fam-x-exact",), aliases=("fam-x-alias",), source="exact"),
        ModelProfile(ids=("no-prefix",), source="exact only"),
    )
    _forget()
    monkeypatch.setattr(lookup, "MODELS", entries)
    yield
    _forget()


def _forget() -> None:
    resolve_model.cache_clear()
    lookup._index.cache_clear()  # pyright: ignore[reportPrivateUsage] - a cache to empty


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("name", "source", "model_id"),
    [
        ("fam-x-exact", "exact", "fam-x-exact"),
        ("fam-x-alias", "exact", "fam-x-exact"),
        ("fam-x-2", "long prefix", "fam-x-2"),
        ("fam-x", "long prefix", "fam-x"),
        ("fam-2", "short prefix", "fam-2"),
        ("no-prefix", "exact only", "no-prefix"),
        ("no-prefix-2", "", "no-prefix-2"),
        ("vendor/fam-x-exact", "", "vendor/fam-x-exact"),
        ("FAM-1", "", "FAM-1"),
        ("", "", ""),
    ],
)
def test_exact_then_alias_then_longest_prefix_then_permissive(
    name: str, source: str, model_id: str
) -> None:
    profile = resolve_model(name)
    assert profile.source == source
    assert profile.id == model_id


def test_unknown_model_is_allowed_everything() -> None:
    assert resolve_model("a-model-of-tomorrow") == ModelProfile(
        id="a-model-of-tomorrow"
    )
    profile = resolve_model("a-model-of-tomorrow")
    assert not profile.known
    assert profile.thinking is None
    assert profile.refused == frozenset()
    assert profile.tools is None


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("qwen3.8-max-2026-08-01", "qwen3.8-max"),
        ("qwen3.8-flash-2026-08-01", "qwen3.8-flash"),
        ("qwen3.7-plus-2026-07-01", "qwen3.7-plus"),
        ("qwen3.6-flash-2026-04-16", "qwen3.6-flash"),
        ("qwen-plus-2025-07-28", "qwen-plus"),
        ("qwen3-vl-plus-2025-09-23", "qwen3-vl-plus"),
        ("glm-5.2-2026", "glm-5.2"),
        ("MiniMax-M2.7", "MiniMax-M2.5"),
    ],
)
def test_snapshot_of_a_family_is_known_by_its_prefix(name: str, like: str) -> None:
    profile, family = resolve_model(name), resolve_model(like)
    assert profile.id == name
    assert profile.ids == family.ids


# --- Deprecated models --------------------------------------------------------------

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
    ("asked", "used", "thinking"),
    [(asked, used, thinking) for asked, (used, thinking) in REPLACED.items()],
)
def test_delisted_model_is_replaced(asked: str, used: str, thinking: bool) -> None:
    resolved = resolve_deprecated(asked)
    assert resolved.requested == asked
    assert resolved.profile == resolve_model(used)
    assert resolved.default_thinking is thinking
    assert resolved.replaced
    assert resolved.notice.startswith(
        f"{asked} was delisted on 2026-07-09: {used} is used instead."
    )
    for way in ("model=", "replacements=", "'keep'", "'error'"):
        assert way in resolved.notice


def test_exactly_nine_models_are_delisted() -> None:
    gone = {m for m in known_models() if resolve_model(m).delisted is not None}
    assert gone == set(REPLACED)
    assert {resolve_model(m).delisted for m in gone} == {date(2026, 7, 9)}


@pytest.mark.parametrize("asked", REPLACED)
def test_mode_us_replaces_with_the_us_twin(asked: str) -> None:
    resolved = resolve_deprecated(asked, mode="us")
    assert resolved.profile.id == f"{REPLACED[asked][0]}-us"
    assert resolved.profile.id in known_models()
    assert resolved.default_thinking is REPLACED[asked][1]


@pytest.mark.parametrize(
    "model",
    sorted(
        {
            *(m for m in known_models() if m not in REPLACED),
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
    assert resolved.default_thinking is resolve_model(model).default_thinking


@pytest.mark.parametrize("asked", REPLACED)
def test_keep_warns_and_sends_the_name_as_it_is(asked: str) -> None:
    resolved = resolve_deprecated(asked, deprecated_models="keep")
    assert resolved.profile.id == asked
    assert not resolved.replaced
    assert resolved.default_thinking is resolve_model(asked).default_thinking
    for word in (asked, REPLACED[asked][0], "2026-07-09", "'keep'"):
        assert word in resolved.notice


@pytest.mark.parametrize("asked", REPLACED)
def test_error_says_what_to_use(asked: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_deprecated(asked, deprecated_models="error")
    for word in (asked, REPLACED[asked][0], "2026-07-09", "'replace'"):
        assert word in caught.value.message


@pytest.mark.parametrize(
    ("asked", "mode", "replacements", "used", "thinking"),
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
    asked: str,
    mode: str | None,
    replacements: dict[str, str],
    used: str,
    thinking: bool | None,
) -> None:
    resolved = resolve_deprecated(asked, mode=mode, replacements=replacements)
    assert resolved.profile.id == used
    assert resolved.default_thinking is thinking


@pytest.mark.parametrize(
    ("replacements", "words"),
    [
        ({"deepseek-r2": "qwen-max"}, ["'deepseek-r2'", "Did you mean 'deepseek-r1'"]),
        ({"gpt-4": "qwen-max"}, ["'gpt-4'"]),
        ({"deepseek-r1": ""}, ["'deepseek-r1'", "must be a model id"]),
        ({"deepseek-r1": None}, ["'deepseek-r1'", "must be a model id"]),
        ({"deepseek-r1": "deepseek-v3"}, ["'deepseek-v3'", "delisted itself"]),
    ],
)
def test_replacements_that_are_none_are_refused(
    replacements: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_deprecated("qwen-plus", replacements=replacements)
    for word in words:
        assert word in caught.value.message


# --- Inference stays in the scope that was asked for --------------------------------

US_IDS = [m for m in known_models() if m.endswith("-us")]


def scope_refusal(model: str, **where: str) -> str:
    """Return the words with which a model is kept out of a mode."""
    endpoint = resolve_endpoint(**where)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - none of them is the switch
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


def test_us_model_elsewhere_is_told_its_worldwide_twin() -> None:
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
    endpoint = resolve_endpoint(**where)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - none of them is the switch
    check_scope(model, endpoint)


def test_other_host_in_mode_us_still_keeps_the_scope() -> None:
    message = scope_refusal(
        "deepseek-v4-pro", base_url="http://127.0.0.1:8000", mode="us"
    )
    assert "'deepseek-v4-pro-us'" in message
