"""The table of chat models: one entry a family, each with its source and its date.

Nothing here is code. A fact that is missing is a new column of ``ChatProfile``; a
branch on a model's name anywhere else is a mistake.

A source is the title of a page of the Model Studio documentation ("Chat" is the page
"OpenAI compatible - Chat", "Vision guide" the user guide of the vision models);
"recorded" is an exchange with the service itself.

An id that looks like a family's but has another nature (it only thinks, it speaks, it
reads text in images) needs an entry of its own, with a longer prefix.
"""

from dataclasses import replace
from datetime import date
from typing import Final

from modelstudio_core.catalog.profiles import ChatProfile

_IMAGE = frozenset({"text", "image"})
_VISION = frozenset({"text", "image", "video"})
_AUDIO = frozenset({"text", "audio"})
_OMNI = frozenset({"text", "image", "video", "audio"})
_JSON = frozenset({"json_object"})
_SCHEMA = frozenset({"json_object", "json_schema"})
_NONE = frozenset[str]()
_NAMED = frozenset({"named"})
_NAMED_OR_REQUIRED = frozenset({"named", "required"})
_VIRGINIA = ("us-east-1",)
# Ids with a vendor's prefix are served by the vendor, in China (Beijing) only (Chat).
_BEIJING = ("cn-beijing",)
_BEIJING_SINGAPORE = ("cn-beijing", "ap-southeast-1")
# The day on which the entries that do not inherit another one were checked.
_CHECKED = date(2026, 11, 27)

_1M = 1_000_000
_K = 1024

# --- DeepSeek: the page's table of default values; "-" there is `refused` here ------

_SAMPLING = frozenset(
    {"temperature", "top_p", "repetition_penalty", "presence_penalty", "max_tokens"}
)
_EVERYTHING = _SAMPLING | {"thinking_budget", "top_k"}
_PENALTIES = frozenset({"repetition_penalty", "presence_penalty"})

_DEEPSEEK = ChatProfile(
    tools=True,
    forced_tool_choice=_NAMED,
    structured_output=_NONE,
    structured_output_while_thinking=_NONE,
    search=True,
    cache=True,
    partial=False,
    source="DeepSeek",
    checked=date(2026, 9, 15),
)
_DEEPSEEK_OTHERS = ChatProfile(source="DeepSeek", checked=date(2026, 9, 15))
_DEEPSEEK_V4 = replace(
    _DEEPSEEK,
    context_window=_1M,
    max_output=393_216,
    # "DeepSeek" and Chat say on, Deep thinking says off: it is always sent.
    thinking="hybrid-on",
    defaults={"temperature": 1.0, "top_p": 1.0, "max_tokens": 393_216},
    # reasoning_effort replaces the budget; top_k: Chat.
    refused=_PENALTIES | {"thinking_budget", "top_k"},
    efforts={
        "low": "high",
        "medium": "high",
        "high": "high",
        "xhigh": "max",
        "max": "max",
    },
    wants_reasoning_on_tool_turns=True,
)
_DEEPSEEK_DELISTED = replace(
    _DEEPSEEK, context_window=128 * _K, delisted=date(2026, 7, 9)
)
_DEEPSEEK_V31 = replace(
    _DEEPSEEK_DELISTED,
    replacement="qwen3.7-plus",
    thinking="hybrid-off",
    tools="not-thinking",
    max_output=65_536,
    max_thinking=32_768,
    defaults={
        "temperature": 0.6,
        "top_p": 0.95,
        "repetition_penalty": 1.0,
        "max_tokens": 65_536,
        "thinking_budget": 32_768,
    },
    refused=frozenset({"presence_penalty", "top_k"}),
)
_DEEPSEEK_R1 = replace(
    _DEEPSEEK_DELISTED,
    replacement="qwen3.7-max",
    thinking="only",
    max_output=16_384,
    max_thinking=32_768,
    defaults={
        "temperature": 0.6,
        "top_p": 0.95,
        "presence_penalty": 1,
        "max_tokens": 16_384,
        "thinking_budget": 32_768,
    },
    refused=_EVERYTHING,
)

_DEEPSEEK_MODELS = (
    # Snapshots, other distillations and ids of third parties: text only, like all of
    # DeepSeek's, and no more is known.
    replace(
        _DEEPSEEK_OTHERS,
        ids=("deepseek-r1-distill-llama-70b", "deepseek-r1-distill-llama-8b"),
        prefix="deepseek-",
    ),
    replace(
        _DEEPSEEK_OTHERS,
        ids=("siliconflow/deepseek-v3.2",),
        prefix="siliconflow/deepseek",
        regions=_BEIJING,
    ),
    replace(
        _DEEPSEEK_OTHERS,
        ids=("vanchin/deepseek-r1", "vanchin/deepseek-v3"),
        prefix="vanchin/deepseek",
        regions=_BEIJING,
        source="Chat",
    ),
    # Its name is the only source for the images.
    replace(
        _DEEPSEEK_OTHERS,
        ids=("vanchin/deepseek-ocr",),
        prefix="vanchin/deepseek-ocr",
        inputs=_IMAGE,
        regions=_BEIJING,
        source="Chat; recorded (list of models)",
    ),
    replace(_DEEPSEEK_V4, ids=("deepseek-v4-pro", "deepseek-v4-flash")),
    replace(
        _DEEPSEEK_V4,
        ids=("deepseek-v4-pro-us", "deepseek-v4-flash-us"),
        regions=_VIRGINIA,
        modes=("us",),
    ),
    replace(
        _DEEPSEEK_V4,
        ids=("deepseek-v4-pro-0813", "deepseek-v4-flash-0731"),
        prefix="deepseek-v4",
        efforts={
            "low": "low",
            "medium": "high",
            "high": "high",
            "xhigh": "high",
            "max": "max",
        },
        source="Chat",
    ),
    replace(
        _DEEPSEEK_V4,
        ids=("deepseek-v4.1-flash",),
        prefix="deepseek-v4.1",
        efforts={
            "minimal": "low",
            "low": "low",
            "medium": "high",
            "high": "high",
            "xhigh": "high",
            "max": "max",
            "ultra": "max",
        },
        source="Chat",
    ),
    replace(
        _DEEPSEEK_DELISTED,
        ids=("deepseek-v3.2",),
        replacement="qwen3.7-plus",
        thinking="hybrid-off",
        max_output=65_536,
        max_thinking=32_768,
        defaults={
            "temperature": 1.0,
            "top_p": 0.95,
            "max_tokens": 65_536,
            "thinking_budget": 32_768,
        },
        refused=_PENALTIES | {"top_k"},
    ),
    replace(_DEEPSEEK_V31, ids=("deepseek-v3.1",)),
    replace(_DEEPSEEK_V31, ids=("deepseek-v3.2-exp",), cache=False),
    replace(_DEEPSEEK_R1, ids=("deepseek-r1",)),
    replace(_DEEPSEEK_R1, ids=("deepseek-r1-0528",), cache=False),
    replace(
        _DEEPSEEK_DELISTED,
        ids=(
            "deepseek-r1-distill-qwen-7b",
            "deepseek-r1-distill-qwen-14b",
            "deepseek-r1-distill-qwen-32b",
        ),
        replacement="qwen3.6-flash",
        thinking="only",
        tools=False,
        search=False,
        cache=False,
        max_output=16_384,
        max_thinking=16_384,
        defaults={
            "temperature": 0.6,
            "top_p": 0.95,
            "presence_penalty": 1,
            "max_tokens": 16_384,
            "thinking_budget": 16_384,
        },
        refused=_EVERYTHING,
    ),
    replace(
        _DEEPSEEK_DELISTED,
        ids=("deepseek-v3",),
        replacement="qwen3.7-plus",
        thinking="never",
        max_output=16_384,
        defaults={"temperature": 0.7, "top_p": 0.6, "max_tokens": 16_384},
        refused=_PENALTIES | {"thinking_budget", "top_k"},
    ),
)

# --- Qwen, commercial ---------------------------------------------------------------

_QWEN = ChatProfile(
    tools=True,
    forced_tool_choice=_NAMED,
    structured_output=_SCHEMA,
    # Recorded with json_object on qwen3.5, 3.7 and 3.8, against the documentation.
    structured_output_while_thinking=_JSON,
    search=True,
    cache=True,
    partial=True,
    source="Chat; Deep thinking; Models",
    checked=date(2026, 9, 15),
)
_QWEN_VISION = replace(_QWEN, inputs=_VISION, native_path="multimodal-generation")
_QWEN38 = replace(
    _QWEN_VISION,
    thinking="hybrid-on",
    context_window=_1M,
    max_thinking=256 * _K,
    defaults={"temperature": 0.6},
    efforts={
        "none": "off",
        "minimal": "low",
        "low": "low",
        "medium": "medium",
        "high": "xhigh",
        "xhigh": "xhigh",
        "max": "xhigh",
    },
    preserves_thinking=True,
)
_QWEN37_MAX = replace(
    _QWEN,
    thinking="hybrid-on",
    context_window=_1M,
    max_output=64 * _K,
    max_thinking=256 * _K,
    defaults={"temperature": 0.6},
)
# A request for more than 131,072 tokens is refused with that range (2026-09).
_QWEN37_PLUS = replace(
    _QWEN_VISION,
    thinking="hybrid-on",
    context_window=_1M,
    max_output=128 * _K,
    max_thinking=256 * _K,
    defaults={"temperature": 0.6},
)
_QWEN36_FLASH = replace(
    _QWEN_VISION,
    thinking="hybrid-on",
    context_window=_1M,
    max_output=64 * _K,
    max_thinking=128 * _K,
    defaults={"temperature": 0.6},
)
_QWEN_PLUS = replace(
    _QWEN,
    thinking="hybrid-off",
    context_window=_1M,
    max_output=32 * _K,
    max_thinking=80 * _K,
    structured_output_while_thinking=_NONE,
    # A public report of January 2026: agents that send both get no tool calls.
    structured_output_with_tools=False,
    defaults={"temperature": 0.7},
)

_QWEN_MODELS = (
    replace(_QWEN38, ids=("qwen3.8-max",), prefix="qwen3.8"),
    replace(_QWEN38, ids=("qwen3.8-flash",), prefix="qwen3.8-flash"),
    replace(
        _QWEN37_MAX,
        ids=("qwen3.7-max", "qwen3.7-max-2026-05-20", "qwen3.7-max-2026-06-08"),
        prefix="qwen3.7-max",
    ),
    replace(_QWEN37_MAX, ids=("qwen3.7-max-us",), regions=_VIRGINIA, modes=("us",)),
    replace(
        _QWEN37_MAX,
        ids=("qwen3.7-max-preview", "qwen3.7-max-2026-05-17"),
        thinking="only",
    ),
    replace(_QWEN37_PLUS, ids=("qwen3.7-plus",), prefix="qwen3.7-plus"),
    replace(_QWEN37_PLUS, ids=("qwen3.7-plus-us",), regions=_VIRGINIA, modes=("us",)),
    replace(_QWEN37_PLUS, ids=("qwen3.7-flash",), prefix="qwen3.7", max_output=64 * _K),
    replace(
        _QWEN36_FLASH, ids=("qwen3.6-plus",), prefix="qwen3.6", max_thinking=80 * _K
    ),
    replace(_QWEN36_FLASH, ids=("qwen3.6-flash",), prefix="qwen3.6-flash"),
    replace(_QWEN36_FLASH, ids=("qwen3.6-flash-us",), regions=_VIRGINIA, modes=("us",)),
    replace(
        _QWEN37_MAX,
        ids=("qwen3.6-max-preview",),
        prefix="qwen3.6-max",
        context_window=256 * _K,
        max_thinking=128 * _K,
        search=False,
    ),
    replace(
        _QWEN36_FLASH,
        ids=("qwen3.5-plus", "qwen3.5-flash"),
        prefix="qwen3.5",
        max_thinking=80 * _K,
    ),
    replace(
        _QWEN36_FLASH,
        ids=(
            "qwen3.5-397b-a17b",
            "qwen3.5-122b-a10b",
            "qwen3.5-35b-a3b",
            "qwen3.5-27b",
        ),
        context_window=256 * _K,
        max_thinking=80 * _K,
        search=False,
        source="Models; recorded (qwen3.5-35b-a3b)",
    ),
    replace(
        _QWEN_PLUS,
        ids=("qwen3-max",),
        prefix="qwen3-max",
        context_window=256 * _K,
        max_output=64 * _K,
    ),
    replace(
        _QWEN_PLUS,
        ids=("qwen-plus",),
        prefix="qwen-plus",
        # recorded: tool_choice "required" is answered with a call while not thinking.
        forced_tool_choice=_NAMED_OR_REQUIRED,
    ),
    replace(_QWEN_PLUS, ids=("qwen-flash",), prefix="qwen-flash"),
    replace(
        _QWEN_PLUS,
        ids=("qwen-plus-us", "qwen-flash-us"),
        regions=_VIRGINIA,
        modes=("us",),
    ),
    replace(_QWEN_PLUS, ids=("qwen-turbo",), prefix="qwen-turbo", max_output=16 * _K),
    # Snapshots from before their families could think: Deep thinking names later ones.
    replace(
        _QWEN_PLUS,
        ids=(
            "qwen3-max-2025-09-23",
            "qwen-plus-2025-01-25",
            "qwen-turbo-2024-11-01",
            "qwen-turbo-0919",
        ),
        thinking=None,
        context_window=None,
        max_output=None,
        max_thinking=None,
        source="Deep thinking; recorded (list of models)",
    ),
    ChatProfile(
        ids=("qwen-plus-character",),
        prefix="qwen-plus-character",
        source="Chat",
        checked=_CHECKED,
    ),
    ChatProfile(
        ids=("qwen-flash-character", "qwen-flash-character-2026-02-26"),
        prefix="qwen-flash-character",
        source="recorded (list of models)",
        checked=_CHECKED,
    ),
    replace(
        _QWEN,
        ids=("qwen-max",),
        prefix="qwen-max",
        thinking="never",
        context_window=128 * _K,
        max_output=8 * _K,
        defaults={"temperature": 0.7},
    ),
    replace(
        _QWEN,
        ids=("qwen-long",),
        prefix="qwen-long",
        thinking="never",
        context_window=10 * _1M,
        tools=False,
        search=False,
        cache=False,
    ),
    # It reads files by id, which Beijing alone has.
    ChatProfile(
        ids=("qwen-doc-turbo",),
        prefix="qwen-doc-turbo",
        regions=_BEIJING,
        source="Chat; Long context (Qwen-Long)",
        checked=_CHECKED,
    ),
    replace(
        _QWEN,
        ids=("qwen3-coder-plus", "qwen3-coder-flash"),
        prefix="qwen3-coder",
        thinking="never",
        context_window=_1M,
        max_output=64 * _K,
        search=False,
    ),
    replace(
        _QWEN,
        ids=("qwq-plus",),
        prefix="qwq",
        thinking="only",
        streams_thinking_only=True,
        context_window=128 * _K,
        max_output=8 * _K,
        max_thinking=32 * _K,
        structured_output=_NONE,
        structured_output_while_thinking=_NONE,
        partial=False,
    ),
    replace(
        _QWEN_VISION,
        ids=("qvq-max",),
        prefix="qvq",
        thinking="only",
        streams_thinking_only=True,
        context_window=128 * _K,
        tools=False,
        structured_output=_NONE,
        structured_output_while_thinking=_NONE,
        search=False,
        partial=False,
    ),
)

# --- Qwen, open ---------------------------------------------------------------------

_QWEN3_OPEN = replace(
    _QWEN,
    context_window=128 * _K,
    max_output=16 * _K,
    max_thinking=32 * _K,
    structured_output_while_thinking=_NONE,
    search=False,
    cache=False,
    source="Deep thinking; Models; recorded (qwen3-30b-a3b, qwen3-235b-a22b)",
)

_QWEN_OPEN_MODELS = (
    replace(
        _QWEN3_OPEN,
        ids=(
            "qwen3-235b-a22b",
            "qwen3-32b",
            "qwen3-30b-a3b",
            "qwen3-14b",
            "qwen3-8b",
            "qwen3-4b",
            "qwen3-1.7b",
            "qwen3-0.6b",
        ),
        thinking="hybrid-on",
        # The documentation says so; some regions answer without a stream too.
        streams_thinking_only=True,
    ),
    replace(
        _QWEN3_OPEN,
        ids=("qwen3-235b-a22b-thinking-2507", "qwen3-30b-a3b-thinking-2507"),
        thinking="only",
        streams_thinking_only=True,
        structured_output=_NONE,
        max_output=32 * _K,
        max_thinking=80 * _K,
    ),
    replace(
        _QWEN3_OPEN,
        ids=("qwen3-235b-a22b-instruct-2507", "qwen3-30b-a3b-instruct-2507"),
        thinking="never",
        max_output=32 * _K,
        max_thinking=None,
    ),
    replace(
        _QWEN3_OPEN,
        ids=("qwen3-next-80b-a3b-thinking",),
        thinking="only",
        streams_thinking_only=True,
        structured_output=_NONE,
        max_output=32 * _K,
        max_thinking=80 * _K,
    ),
    replace(
        _QWEN3_OPEN,
        ids=("qwen3-next-80b-a3b-instruct",),
        thinking="never",
        max_output=32 * _K,
        max_thinking=None,
    ),
)

# --- Qwen that sees -----------------------------------------------------------------

_QWEN_VL = replace(
    _QWEN_VISION,
    context_window=256 * _K,
    max_output=32 * _K,
    max_thinking=80 * _K,
    structured_output_while_thinking=_NONE,
    search=False,
    source="Models; recorded (qwen3-vl-flash)",
)
_QWEN3_VL_OPEN = replace(
    _QWEN_VL,
    context_window=None,
    max_output=None,
    max_thinking=None,
    source="Models; Vision guide; recorded (list of models)",
    checked=_CHECKED,
)

_QWEN_VISION_MODELS = (
    replace(
        _QWEN_VL,
        ids=("qwen3-vl-plus", "qwen3-vl-flash"),
        prefix="qwen3-vl",
        thinking="hybrid-off",
        # recorded: tool_choice "required" is answered with a call while not thinking.
        forced_tool_choice=_NAMED_OR_REQUIRED,
    ),
    replace(
        _QWEN_VL,
        ids=("qwen3-vl-flash-us",),
        thinking="hybrid-off",
        forced_tool_choice=_NAMED_OR_REQUIRED,
        regions=_VIRGINIA,
        modes=("us",),
    ),
    replace(
        _QWEN3_VL_OPEN,
        ids=(
            "qwen3-vl-235b-a22b-instruct",
            "qwen3-vl-32b-instruct",
            "qwen3-vl-30b-a3b-instruct",
            "qwen3-vl-8b-instruct",
        ),
        thinking="never",
    ),
    # enable_thinking=False is refused with 400 (a public report on the 8b).
    replace(
        _QWEN3_VL_OPEN,
        ids=(
            "qwen3-vl-235b-a22b-thinking",
            "qwen3-vl-32b-thinking",
            "qwen3-vl-30b-a3b-thinking",
            "qwen3-vl-8b-thinking",
        ),
        thinking="only",
        streams_thinking_only=True,
        structured_output=_NONE,
    ),
    replace(
        _QWEN_VL,
        ids=("qwen-vl-max", "qwen-vl-plus"),
        prefix="qwen-vl",
        thinking="never",
        context_window=128 * _K,
        max_output=8 * _K,
        tools=None,
        max_thinking=None,
        source="Models",
    ),
    ChatProfile(
        ids=("qwen2.5-vl-72b-instruct", "qwen2.5-vl-32b-instruct"),
        prefix="qwen2.5-vl",
        inputs=_VISION,
        native_path="multimodal-generation",
        source="Vision guide",
        checked=_CHECKED,
    ),
    ChatProfile(
        ids=("qwen-vl-ocr", "qwen-vl-ocr-latest", "qwen-vl-ocr-2025-11-20"),
        prefix="qwen-vl-ocr",
        inputs=_IMAGE,
        native_path="multimodal-generation",
        source="Qwen-OCR API reference; recorded",
        checked=_CHECKED,
    ),
    ChatProfile(
        ids=("qwen3.5-ocr",),
        prefix="qwen3.5-ocr",
        inputs=_IMAGE,
        native_path="multimodal-generation",
        source="Qwen-OCR API reference",
        checked=_CHECKED,
    ),
    ChatProfile(
        ids=("gui-plus",),
        prefix="gui-plus",
        inputs=_VISION,
        native_path="multimodal-generation",
        source="Vision guide; recorded (list of models)",
        checked=_CHECKED,
    ),
)

# --- Qwen that hears and speaks -----------------------------------------------------

_OMNI_PROFILE = ChatProfile(
    inputs=_OMNI,
    outputs=_AUDIO,
    native_path="multimodal-generation",
    source="Qwen-Omni",
    checked=_CHECKED,
)

_QWEN_AUDIO_MODELS = (
    ChatProfile(
        ids=("qwen3.8-omni-flash",),
        prefix="qwen3.8-omni",
        inputs=_OMNI,
        native_path="multimodal-generation",
        context_window=_1M,
        thinking="hybrid-on",
        tools=True,
        search=True,
        efforts=_QWEN38.efforts,
        released=date(2026, 9, 21),
        source="Qwen3.8-Omni-Flash",
        checked=_CHECKED,
    ),
    replace(
        _OMNI_PROFILE,
        ids=("qwen3.5-omni-plus", "qwen3.5-omni-flash"),
        prefix="qwen3.5-omni",
        thinking="never",
        streams_only=True,
        regions=_BEIJING_SINGAPORE,
    ),
    replace(
        _QWEN_VL,
        ids=("qwen3-omni-flash",),
        prefix="qwen3-omni",
        inputs=_OMNI,
        outputs=_AUDIO,
        thinking="hybrid-off",
        streams_only=True,
        context_window=64 * _K,
        max_output=16 * _K,
        preserves_thinking=True,
        structured_output=_NONE,
        source="Chat; Models; Qwen-Omni",
    ),
    ChatProfile(
        ids=("qwen3-omni-30b-a3b-captioner",),
        prefix="qwen3-omni-30b-a3b-captioner",
        inputs=_AUDIO,
        native_path="multimodal-generation",
        source="Speech Recognition",
        checked=_CHECKED,
    ),
    # enable_thinking is not accepted.
    replace(
        _OMNI_PROFILE,
        ids=("qwen-omni-turbo",),
        prefix="qwen-omni-turbo",
        thinking="never",
        streams_only=True,
    ),
    replace(
        _OMNI_PROFILE,
        ids=("qwen2.5-omni-7b",),
        prefix="qwen2.5-omni",
        thinking="never",
        streams_only=True,
    ),
    ChatProfile(
        ids=("qwen-audio-turbo",),
        prefix="qwen-audio-turbo",
        inputs=_AUDIO,
        protocols=("dashscope",),
        native_path="multimodal-generation",
        source="DashScope API reference; recorded",
        checked=_CHECKED,
    ),
    ChatProfile(
        ids=(
            "qwen3-asr-flash",
            "qwen3-asr-flash-2026-02-10",
            "qwen3-asr-flash-2025-09-08",
        ),
        prefix="qwen3-asr-flash",
        inputs=_AUDIO,
        native_path="multimodal-generation",
        source="Audio file recognition (Qwen-ASR) API reference",
        checked=_CHECKED,
    ),
    # The page says that the region has no OpenAI-compatible recognition (2026-03); the
    # region's OpenAI-compatible list of models has both ids (recorded 2026-08).
    ChatProfile(
        ids=("qwen3-asr-flash-us", "qwen3-asr-flash-2025-09-08-us"),
        inputs=_AUDIO,
        native_path="multimodal-generation",
        regions=_VIRGINIA,
        modes=("us",),
        source="Audio file recognition (Qwen-ASR) API reference",
        checked=_CHECKED,
    ),
    # One page says that every request is streamed, a later one that none need be.
    ChatProfile(
        ids=("qwen3-livetranslate-flash", "qwen3-livetranslate-flash-2025-12-01"),
        prefix="qwen3-livetranslate-flash",
        inputs=frozenset({"text", "audio", "video"}),
        outputs=_AUDIO,
        protocols=("openai",),
        streams_only=True,
        regions=_BEIJING_SINGAPORE,
        source="Audio and video translation - Qwen API reference",
        checked=_CHECKED,
    ),
)

# --- Qwen that translates text ------------------------------------------------------

# That two of them stream cumulatively is what public reports show.
_QWEN_MT = ChatProfile(source="recorded; public reports", checked=_CHECKED)

_QWEN_MT_MODELS = (
    replace(
        _QWEN_MT,
        ids=("qwen-mt-plus",),
        prefix="qwen-mt-plus",
        streams_cumulatively=True,
    ),
    replace(
        _QWEN_MT,
        ids=("qwen-mt-turbo",),
        prefix="qwen-mt-turbo",
        streams_cumulatively=True,
    ),
    replace(_QWEN_MT, ids=("qwen-mt-flash",), prefix="qwen-mt-flash"),
    replace(_QWEN_MT, ids=("qwen-mt-lite",), prefix="qwen-mt-lite"),
)

# --- Others on Model Studio ---------------------------------------------------------

_GLM_EFFORTS = {
    "low": "high",
    "medium": "high",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}
_GLM = ChatProfile(
    thinking="hybrid-on",
    context_window=198 * _K,
    max_output=128 * _K,
    max_thinking=128 * _K,
    tools=True,
    forced_tool_choice=_NAMED,
    structured_output=_JSON,
    structured_output_while_thinking=_NONE,
    source="Chat; Deep thinking; GLM",
    checked=date(2026, 9, 15),
)
_KIMI = ChatProfile(
    context_window=256 * _K,
    max_output=96 * _K,
    max_thinking=80 * _K,
    tools=True,
    forced_tool_choice=_NAMED,
    structured_output=_NONE,
    structured_output_while_thinking=_NONE,
    refused=frozenset({"top_k"}),
    source="Chat; Deep thinking; Kimi",
    checked=date(2026, 9, 15),
)
_MINIMAX = ChatProfile(
    thinking="only",
    context_window=192 * _K,
    max_output=32 * _K,
    tools=True,
    forced_tool_choice=_NAMED,
    structured_output=_NONE,
    structured_output_while_thinking=_NONE,
    refused=frozenset({"top_k"}),
    source="Chat; Models",
    checked=date(2026, 9, 15),
)
_KIMI_VISION = replace(
    _KIMI,
    inputs=_VISION,
    native_path="multimodal-generation",
    source="Chat; Deep thinking; Kimi; Vision guide",
    checked=_CHECKED,
)
_OTHER_MODELS = (
    replace(_GLM, ids=("glm-5.3",), prefix="glm-5.3", thinking="only"),
    replace(_GLM, ids=("ZHIPU/GLM-5.3",), thinking="only", regions=_BEIJING),
    replace(
        _GLM, ids=("glm-5.2", "glm-5.1", "glm-5"), prefix="glm-5", efforts=_GLM_EFFORTS
    ),
    replace(
        _GLM,
        ids=("glm-5.2-us",),
        efforts=_GLM_EFFORTS,
        regions=_VIRGINIA,
        modes=("us",),
    ),
    replace(
        _GLM,
        ids=("glm-4.7", "glm-4.6", "glm-4.5", "glm-4.5-air"),
        prefix="glm-4",
        context_window=128 * _K,
        max_output=16 * _K,
        max_thinking=32 * _K,
    ),
    replace(
        _KIMI_VISION,
        ids=("kimi-k2.6", "kimi-k2.5"),
        prefix="kimi-k2.",
        thinking="hybrid-off",
    ),
    replace(
        _KIMI_VISION,
        ids=("kimi/kimi-k2.6", "kimi/kimi-k2.5"),
        thinking="hybrid-on",
        wants_reasoning_on_tool_turns=True,
        regions=_BEIJING,
    ),
    replace(
        _KIMI_VISION,
        ids=("kimi/kimi-k3",),
        prefix="kimi/",
        wants_reasoning_on_tool_turns=True,
        max_output=None,
        max_thinking=None,
        structured_output=None,
        regions=_BEIJING,
    ),
    replace(
        _KIMI_VISION,
        ids=("kimi-k2.7-code",),
        prefix="kimi-k2.7-code",
        thinking="only",
        preserves_thinking=True,
    ),
    replace(
        _KIMI,
        ids=("kimi-k2-thinking",),
        prefix="kimi-k2-thinking",
        wants_reasoning_on_tool_turns=True,
        thinking="only",
        structured_output=_JSON,
        structured_output_while_thinking=_JSON,
    ),
    # Chat only says that it has no thinking_budget.
    replace(
        _KIMI_VISION,
        ids=("kimi-k3",),
        max_output=None,
        max_thinking=None,
        structured_output=None,
        refused=frozenset({"top_k", "thinking_budget"}),
        source="Chat; Vision guide",
    ),
    replace(_MINIMAX, ids=("MiniMax-M2.5", "MiniMax-M2.1"), prefix="MiniMax-M2"),
    replace(
        _MINIMAX,
        ids=("MiniMax/MiniMax-M2.7", "MiniMax/MiniMax-M2.5", "MiniMax/MiniMax-M2.1"),
        prefix="MiniMax/MiniMax-M2",
        regions=_BEIJING,
    ),
    replace(
        _MINIMAX,
        ids=("MiniMax/MiniMax-M3",),
        prefix="MiniMax/MiniMax-",
        inputs=_VISION,
        thinking=None,
        regions=_BEIJING,
        source="Chat; Models; Vision guide",
    ),
    ChatProfile(
        ids=("xiaomi/mimo-v2.5-pro",),
        context_window=_1M,
        max_output=128 * _K,
        max_thinking=128 * _K,
        regions=_BEIJING,
        source="Models",
        checked=date(2026, 9, 15),
    ),
)

MODELS: Final = (
    *_DEEPSEEK_MODELS,
    *_QWEN_MODELS,
    *_QWEN_OPEN_MODELS,
    *_QWEN_VISION_MODELS,
    *_QWEN_AUDIO_MODELS,
    *_QWEN_MT_MODELS,
    *_OTHER_MODELS,
)
