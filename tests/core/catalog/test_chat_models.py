"""The facts about chat models, as the pages of the documentation state them."""

from typing import NamedTuple

import pytest

from modelstudio_core.catalog import (
    model_ids,
    resolve_model,
)
from tests.core.catalog.entries import chat_profile

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
NOTHING_CAN_BE_SET = ("deepseek-r1", "deepseek-r1-0528", *DISTILLED)
TABLE = set(Defaults._fields) - {"model"}


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.model)
def test_defaults_are_those_of_the_page(row: Defaults) -> None:
    assert dict(chat_profile(row.model).defaults) == row.numbers()


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.model)
def test_a_hyphen_cannot_be_set_and_the_rest_can(row: Defaults) -> None:
    refused = chat_profile(row.model).refused & TABLE
    if row.model in NOTHING_CAN_BE_SET:
        assert refused == TABLE
    elif row.thinking_budget == "":
        # reasoning_effort replaces the budget.
        assert refused == row.hyphens() | {"thinking_budget"}
    else:
        assert refused == row.hyphens()


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.model)
def test_limits_are_those_of_the_page(row: Defaults) -> None:
    profile = chat_profile(row.model)
    assert profile.max_output == row.max_tokens
    budget = row.numbers().get("thinking_budget")
    assert profile.max_thinking == budget


@pytest.mark.parametrize("row", DEFAULTS, ids=lambda row: row.model)
def test_no_deepseek_model_accepts_top_k_or_an_image(row: Defaults) -> None:
    profile = chat_profile(row.model)
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
        ("qwen3-4b", "hybrid-on"),
        ("qwen3.8-omni-flash", "hybrid-on"),
        ("qwen3.8-2.4t-a95b", "only"),
        ("qwen3.8-27b", "hybrid-on"),
        ("kimi-k3", "only"),
        ("kimi/kimi-k3", "only"),
        ("kimi/kimi-k2.7-code", "only"),
        ("siliconflow/deepseek-v3.2", "hybrid-off"),
        ("siliconflow/deepseek-r1-0528", "only"),
        ("siliconflow/deepseek-v3-0324", "never"),
        ("vanchin/deepseek-v3.2-think", "hybrid-off"),
        ("vanchin/deepseek-r1", "only"),
        ("vanchin/deepseek-v3", "never"),
        ("vanchin/deepseek-v4-pro", "hybrid-on"),
        ("stepfun/step-3.7-flash", "hybrid-off"),
        ("ZHIPU/GLM-5.3-Flash", "only"),
        ("ZHIPU/GLM-5.2", "hybrid-on"),
        ("Moonshot-Kimi-K2-Instruct", "never"),
        ("qwen3-vl-8b-thinking", "only"),
        ("qwen3-vl-235b-a22b-thinking", "only"),
        ("qwen3-vl-8b-instruct", "never"),
        ("qwen3.5-omni-plus", "never"),
        ("qwen-omni-turbo", "never"),
    ],
)
def test_how_a_model_thinks(model: str, thinking: str) -> None:
    profile = chat_profile(model)
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
    profile = chat_profile(model)
    assert profile.tools == tools
    assert profile.search is search
    assert profile.cache is cache
    # The page "Structured output" lists v4 for json_object.
    is_v4 = model.startswith("deepseek-v4")
    formats = frozenset({"json_object"} if is_v4 else ())
    assert profile.structured_output == formats
    assert profile.structured_output_while_thinking == formats
    assert "json_schema" in profile.structured_output_refused
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
    profile = chat_profile(model)
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
    ],
)
def test_native_path_follows_the_model(model: str, path: str) -> None:
    assert chat_profile(model).native_path == path


TEXT = {"text"}
FILES = {"text", "file_id"}
IMAGE = {"text", "image"}
VISION = {"text", "image", "video"}
VISION_PDF = {"text", "image", "video", "pdf"}
OMNI = {"text", "image", "video", "audio"}


@pytest.mark.parametrize(
    ("model", "inputs", "outputs", "path"),
    [
        ("qwen3.8-max", VISION_PDF, TEXT, "multimodal-generation"),
        ("qwen3.8-flash", VISION_PDF, TEXT, "multimodal-generation"),
        ("qwen3.7-plus", VISION, TEXT, "multimodal-generation"),
        ("qwen-long", FILES, TEXT, "text-generation"),
        ("stepfun/step-3.7-flash", VISION, TEXT, None),
        ("ZHIPU/GLM-5.3-Flash", VISION_PDF, TEXT, None),
        ("vanchin/deepseek-ocr", IMAGE, TEXT, None),
        ("qwen3.7-max", TEXT, TEXT, "text-generation"),
        ("qwen3-vl-8b-thinking", VISION, TEXT, "multimodal-generation"),
        ("qwen2.5-vl-72b-instruct", VISION, TEXT, "multimodal-generation"),
        ("qwen-vl-ocr", IMAGE, TEXT, "multimodal-generation"),
        ("qwen-vl-ocr-2026-01-01", IMAGE, TEXT, "multimodal-generation"),
        ("qwen3.5-ocr", IMAGE, TEXT, "multimodal-generation"),
        ("qwen3.8-omni-flash", OMNI, TEXT, "multimodal-generation"),
        ("qwen3.5-omni-plus", OMNI, {"text", "audio"}, "multimodal-generation"),
        ("qwen3.5-omni-flash-2026-03-15", OMNI, {"text", "audio"}, None),
        ("qwen3-omni-flash", OMNI, {"text", "audio"}, "multimodal-generation"),
        ("qwen-omni-turbo", OMNI, {"text", "audio"}, "multimodal-generation"),
        ("qwen-audio-turbo", {"text", "audio"}, TEXT, "multimodal-generation"),
        ("qwen3-asr-flash", {"text", "audio"}, TEXT, "multimodal-generation"),
        ("qwen-doc-turbo", FILES, TEXT, "text-generation"),
        ("gui-plus", VISION, TEXT, "multimodal-generation"),
        ("kimi-k2.5", VISION, TEXT, "multimodal-generation"),
        ("kimi-k2.7-code", VISION, TEXT, "multimodal-generation"),
        ("kimi-k2-thinking", TEXT, TEXT, "text-generation"),
        ("MiniMax/MiniMax-M3", VISION, TEXT, None),
    ],
)
def test_what_a_model_accepts_and_returns(
    model: str, inputs: set[str], outputs: set[str], path: str | None
) -> None:
    profile = chat_profile(model)
    assert profile.inputs == inputs
    assert profile.outputs == outputs
    assert path in {None, profile.native_path}


def test_which_models_answer_only_as_a_stream() -> None:
    assert [m for m in model_ids() if chat_profile(m).streams_only] == [
        "qwen-deep-research",
        "qwen-deep-research-2025-12-15",
        "qwen3.5-omni-plus",
        "qwen3.5-omni-flash",
        "qwen3-omni-flash",
        "qwen-omni-turbo",
        "qwen2.5-omni-7b",
        "qwen3-livetranslate-flash",
        "qwen3-livetranslate-flash-2025-12-01",
    ]


def test_which_models_repeat_the_text_in_each_chunk() -> None:
    assert [m for m in model_ids() if chat_profile(m).streams_cumulatively] == [
        "qwen-mt-plus",
        "qwen-mt-turbo",
    ]


@pytest.mark.parametrize(
    ("model", "protocols"),
    [
        ("qwen-audio-turbo", ("dashscope",)),
        ("qwen3-livetranslate-flash", ("openai",)),
        ("qwen3.7-plus", None),
    ],
)
def test_models_of_one_protocol(model: str, protocols: tuple[str, ...] | None) -> None:
    assert chat_profile(model).protocols == protocols


def test_reasoning_is_preserved_by_default_where_the_page_says_so() -> None:
    preserving = [m for m in model_ids() if chat_profile(m).preserves_thinking]
    assert preserving == [
        "qwen3.8-max",
        "qwen3.8-max-0902",
        "qwen3.8-flash",
        "qwen3.8-27b",
        "qwen3.8-2.4t-a95b",
        "qwen3-omni-flash",
        "kimi-k2.7-code",
    ]


def test_who_wants_reasoning_on_tool_turns() -> None:
    wanting = {m for m in model_ids() if chat_profile(m).wants_reasoning_on_tool_turns}
    assert wanting == {
        "kimi-k2-thinking",
        *(
            m
            for m in model_ids()
            if m.startswith(("deepseek-v4", "vanchin/deepseek-v4", "kimi/", "stepfun/"))
        ),
    }


def test_who_wants_the_reasoning_of_every_turn() -> None:
    wanting = {m for m in model_ids() if chat_profile(m).wants_reasoning_on_every_turn}
    assert wanting == {m for m in model_ids() if m.startswith(("kimi/", "stepfun/"))}


def test_tool_stream_is_sent_for_glm_alone() -> None:
    sent = {m for m in model_ids() if chat_profile(m).tool_stream}
    assert sent == {m for m in model_ids() if m.startswith(("glm-", "ZHIPU/"))}


@pytest.mark.parametrize(
    ("model", "named", "while_thinking"),
    [
        ("kimi/kimi-k2.6", set[str](), set[str]()),
        ("kimi/kimi-k3", {"required"}, {"required"}),
        ("stepfun/step-3.7-flash", set[str](), set[str]()),
        ("kimi-k2.6", {"named"}, None),
        ("qwen-plus", {"named", "required"}, None),
    ],
)
def test_forced_tool_choice(
    model: str, named: set[str], while_thinking: set[str] | None
) -> None:
    profile = chat_profile(model)
    assert profile.forced_tool_choice is not None
    assert set(profile.forced_tool_choice) == named
    accepted = profile.forced_tool_choice_while_thinking
    assert (None if accepted is None else set(accepted)) == while_thinking


# --- The page "Partial mode" --------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "partial"),
    [
        *((m, True) for m in ("qwen3.8-max", "qwen3.7-max", "qwen3.7-plus")),
        *((m, True) for m in ("qwen3.7-flash", "qwen3.6-plus", "qwen3.5-flash")),
        *((m, True) for m in ("qwen-max", "qwen-plus", "qwen-flash", "qwen-turbo")),
        *((m, True) for m in ("qwen3-coder-plus", "qwen2.5-coder-7b-instruct")),
        *((m, True) for m in ("qwen3-32b", "qwen2.5-7b-instruct", "qwen-math-plus")),
        *((m, True) for m in ("qwen3-vl-plus", "qwen-vl-max", "qwen-vl-plus")),
        *((m, True) for m in ("kimi/kimi-k3", "kimi/kimi-k2.6", "kimi/kimi-k2.5")),
        *((m, True) for m in ("vanchin/deepseek-r1", "vanchin/deepseek-v3")),
        ("siliconflow/deepseek-v3.2", True),
        ("siliconflow/deepseek-r1-0528", False),
        ("vanchin/deepseek-v3.1-terminus", False),
        *((m, False) for m in ("deepseek-v4-pro", "glm-5.2", "kimi-k2.6")),
        *((m, False) for m in ("MiniMax-M2.5", "qwq-plus", "kimi-k2-thinking")),
        *((m, None) for m in ("qwen3.8-flash", "qwen-long", "kimi-k3")),
        ("a-model-of-tomorrow", None),
    ],
)
def test_partial_mode(model: str, partial: bool | None) -> None:
    assert chat_profile(model).partial is partial


# --- The page "Context cache" -------------------------------------------------------

CACHE_MODELS = (
    *("qwen3.8-max", "qwen3.8-max-0902", "qwen3.8-flash", "qwen3.8-27b"),
    *("qwen3.8-2.4t-a95b", "qwen3.7-max", "qwen3.7-max-2026-05-20"),
    *("qwen3.7-max-2026-06-08", "qwen3.7-max-us", "qwen3.7-plus"),
    *("qwen3.7-plus-2026-05-26", "qwen3.7-plus-us", "qwen3.7-flash"),
    *("qwen3.7-flash-2026-07-15", "qwen3.6-plus", "qwen3.6-flash"),
    *("qwen3.6-flash-us", "qwen3.6-max-preview", "qwen3.5-plus"),
    *("qwen3.5-plus-2026-04-20", "qwen3.5-flash", "qwen3-max", "qwen-plus"),
    *("qwen-flash", "qwen-plus-character", "qwen3-coder-plus", "qwen3-coder-flash"),
    *("qwen3-vl-plus", "qwen3-vl-flash", "deepseek-v3.2", "kimi-k2.6", "kimi-k2.5"),
    *("kimi-k2.7-code", "glm-5.1"),
)


def test_which_models_have_an_explicit_cache() -> None:
    cached = {m for m in model_ids() if chat_profile(m).explicit_cache}
    assert cached == set(CACHE_MODELS)


@pytest.mark.parametrize("model", CACHE_MODELS)
def test_an_explicit_cache_has_its_regions(model: str) -> None:
    regions = chat_profile(model).explicit_cache_regions
    if model.endswith("-us"):
        assert "us-east-1" in (regions or ())
    else:
        assert "cn-beijing" in (regions or ())


# --- The page "Structured output" ---------------------------------------------------


def test_which_models_are_said_to_accept_a_schema() -> None:
    families = ("qwen3.8-max", "qwen3.8-flash", "qwen3.7-")
    named = {m for m in model_ids() if m.startswith(families)}
    profiles = [chat_profile(m) for m in model_ids()]
    answering = {p.id for p in profiles if "json_schema" in (p.structured_output or ())}
    thinking = {
        p.id
        for p in profiles
        if "json_schema" in (p.structured_output_while_thinking or ())
    }
    assert answering == named
    assert thinking == {m for m in named if m.startswith("qwen3.8-")}


@pytest.mark.parametrize(
    ("model", "several"),
    [
        ("qwen3.7-plus", True),
        ("qwen-long", True),
        ("qwen-doc-turbo", True),
        ("qwen3.5-27b", False),
        ("qwen3.6-35b-a3b", False),
        ("MiniMax-M2.5", False),
        ("MiniMax/MiniMax-M3", False),
        ("deepseek-v4-pro", None),
        ("glm-5.2", None),
    ],
)
def test_several_system_messages(model: str, several: bool | None) -> None:
    assert chat_profile(model).several_system_messages is several


# --- The pages on images, video, audio and PDFs -------------------------------------


@pytest.mark.parametrize(
    ("model", "kind", "column", "value"),
    [
        ("qwen3.8-max", "image", "max_count", 2048),
        ("qwen3.8-max", "pdf", "max_pages", 256),
        ("qwen3.8-max", "video", "seconds", (2, 7200)),
        ("qwen3.7-plus", "image", "max_count", 2048),
        ("qwen3.7-flash", "image", "max_count", 256),
        ("qwen3.6-plus", "image", "max_inline_count", 250),
        ("qwen3-vl-plus", "video", "frames", (4, 2000)),
        ("qwen3-vl-8b-instruct", "video", "seconds", (2, 1200)),
        ("qwen-vl-max", "image", "max_megabytes", 10),
        ("qwen-vl-plus", "video", "max_megabytes", 1024),
        ("qvq-max", "video", "seconds", (2, 600)),
        ("qwen3.5-omni-plus", "audio", "max_count", 2048),
        ("qwen3-omni-flash", "audio", "max_megabytes", 100),
        ("qwen-omni-turbo", "audio", "seconds", (0, 180)),
        ("kimi-k2.5", "video", "frames", (4, 2000)),
        ("kimi/kimi-k2.5", "image", "inline", False),
        ("stepfun/step-3.7-flash", "image", "max_count", 50),
    ],
)
def test_media_limits(model: str, kind: str, column: str, value: object) -> None:
    assert getattr(chat_profile(model).media[kind], column) == value


@pytest.mark.parametrize("model", model_ids())
def test_media_limits_are_of_inputs_that_the_model_accepts(model: str) -> None:
    profile = chat_profile(model)
    assert profile.media.keys() <= profile.inputs


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
        ("glm-5.3", DATED | {"xhigh": "max"}),
        ("ZHIPU/GLM-5.3", DATED | {"xhigh": "max"}),
        ("stepfun/step-3.7-flash", {"low": "low", "medium": "medium", "high": "high"}),
        ("kimi/kimi-k3", {}),
        ("glm-4.7", {}),
        ("qwen3.7-max", {}),
        ("deepseek-v3.2", {}),
        ("a-model-of-tomorrow", {}),
    ],
)
def test_efforts_as_given_and_as_sent(model: str, efforts: dict[str, str]) -> None:
    assert dict(chat_profile(model).efforts) == efforts


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
def test_models_of_both_pages_have_their_own_entry(model: str) -> None:
    assert model in model_ids(kind=None)
    assert resolve_model(model).id == model
