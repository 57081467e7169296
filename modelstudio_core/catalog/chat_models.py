"""The table of models: one entry a family, each with its source and its date.

Nothing here is code. A fact that is missing is a new column of ``ModelProfile``; a
branch on a model's name anywhere else is a mistake.

Sources: "DeepSeek" and "Regions and deployment modes" are the pages that define this
product; "Chat" is the page "OpenAI compatible - Chat"; "Deep thinking" and "Models" the
pages of that name; "recorded" is an exchange with the service itself.
"""

from dataclasses import replace
from datetime import date
from typing import Final

from modelstudio_core.catalog.profiles import ModelProfile

_TEXT = frozenset({"text"})
_VISION = frozenset({"text", "image", "video"})
_OMNI = frozenset({"text", "image", "video", "audio"})
_JSON = frozenset({"json_object"})
_SCHEMA = frozenset({"json_object", "json_schema"})
_NONE = frozenset[str]()
_NAMED = frozenset({"named"})
_NAMED_OR_REQUIRED = frozenset({"named", "required"})
_VIRGINIA = ("us-east-1",)
# Ids with a vendor's prefix are served by the vendor, in China (Beijing) only (Chat).
_BEIJING = ("cn-beijing",)

_1M = 1_000_000
_K = 1024

# --- DeepSeek: the seed's table of default values; "-" there is `refused` here ------

_SAMPLING = frozenset(
    {"temperature", "top_p", "repetition_penalty", "presence_penalty", "max_tokens"}
)
_EVERYTHING = _SAMPLING | {"thinking_budget", "top_k"}
_PENALTIES = frozenset({"repetition_penalty", "presence_penalty"})

_DEEPSEEK = ModelProfile(
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
_DEEPSEEK_OTHERS = ModelProfile(source="DeepSeek", checked=date(2026, 9, 15))
_DEEPSEEK_V4 = replace(
    _DEEPSEEK,
    context_window=_1M,
    max_output=393_216,
    # The seed and Chat say on, Deep thinking says off: it is always sent.
    thinking="hybrid-on",
    defaults={"temperature": 1.0, "top_p": 1.0, "max_tokens": 393_216},
    # reasoning_effort takes the place of the budget; top_k: Chat.
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
_DEEPSEEK_GONE = replace(_DEEPSEEK, context_window=128 * _K, delisted=date(2026, 7, 9))
_DEEPSEEK_V31 = replace(
    _DEEPSEEK_GONE,
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
    _DEEPSEEK_GONE,
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
        _DEEPSEEK_GONE,
        ids=("deepseek-v3.2",),
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
        _DEEPSEEK_GONE,
        ids=(
            "deepseek-r1-distill-qwen-7b",
            "deepseek-r1-distill-qwen-14b",
            "deepseek-r1-distill-qwen-32b",
        ),
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
        _DEEPSEEK_GONE,
        ids=("deepseek-v3",),
        thinking="never",
        max_output=16_384,
        defaults={"temperature": 0.7, "top_p": 0.6, "max_tokens": 16_384},
        refused=_PENALTIES | {"thinking_budget", "top_k"},
    ),
)

# --- Qwen, commercial ---------------------------------------------------------------

_QWEN = ModelProfile(
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
        ),
        thinking="hybrid-on",
        # The documentation refuses it otherwise; some regions answer all the same.
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

# --- Qwen that sees and hears -------------------------------------------------------

_QWEN_VL = replace(
    _QWEN_VISION,
    context_window=256 * _K,
    max_output=32 * _K,
    max_thinking=80 * _K,
    structured_output_while_thinking=_NONE,
    search=False,
    source="Models; recorded (qwen3-vl-flash)",
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
        _QWEN_VL,
        ids=("qwen-vl-max", "qwen-vl-plus"),
        prefix="qwen-vl",
        thinking="never",
        context_window=128 * _K,
        max_output=8 * _K,
        tools=False,
        max_thinking=None,
        source="Models",
    ),
    replace(
        _QWEN_VL,
        ids=("qwen3-omni-flash",),
        prefix="qwen3-omni",
        inputs=_OMNI,
        thinking="hybrid-off",
        streams_only=True,
        context_window=64 * _K,
        max_output=16 * _K,
        preserves_thinking=True,
        structured_output=_NONE,
        source="Chat; Models; Qwen-Omni",
    ),
)

# --- Others on Model Studio ---------------------------------------------------------

_GLM_EFFORTS = {
    "low": "high",
    "medium": "high",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}
_GLM = ModelProfile(
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
_KIMI = ModelProfile(
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
_MINIMAX = ModelProfile(
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
_OTHER_MODELS = (
    replace(_GLM, ids=("glm-5.3",), thinking="only"),
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
        _KIMI, ids=("kimi-k2.6", "kimi-k2.5"), prefix="kimi-k2", thinking="hybrid-off"
    ),
    replace(
        _KIMI,
        ids=("kimi/kimi-k2.6", "kimi/kimi-k2.5"),
        prefix="kimi/",
        thinking="hybrid-on",
        regions=_BEIJING,
    ),
    replace(_KIMI, ids=("kimi-k2.7-code",), thinking="only", preserves_thinking=True),
    replace(
        _KIMI,
        ids=("kimi-k2-thinking",),
        thinking="only",
        structured_output=_JSON,
        structured_output_while_thinking=_JSON,
    ),
    # Chat only says that it takes no thinking_budget.
    replace(
        _KIMI,
        ids=("kimi-k3",),
        max_output=None,
        max_thinking=None,
        structured_output=None,
        refused=frozenset({"top_k", "thinking_budget"}),
        source="Chat",
    ),
    replace(_MINIMAX, ids=("MiniMax-M2.5", "MiniMax-M2.1"), prefix="MiniMax-M2"),
    replace(
        _MINIMAX,
        ids=("MiniMax/MiniMax-M3",),
        prefix="MiniMax/",
        thinking=None,
        regions=_BEIJING,
    ),
    ModelProfile(
        ids=("xiaomi/mimo-v2.5-pro",),
        context_window=_1M,
        max_output=128 * _K,
        max_thinking=128 * _K,
        regions=_BEIJING,
        source="Models",
        checked=date(2026, 9, 15),
    ),
    # The regions page's own example of an asynchronous task.
    ModelProfile(
        ids=("wan2.6-t2i",),
        prefix="wan2.6-t2i",
        outputs=frozenset({"image"}),
        tools=False,
        thinking="never",
        native_path="image-generation",
        source="Regions and deployment modes",
        checked=date(2026, 9, 15),
    ),
)

MODELS: Final = (
    *_DEEPSEEK_MODELS,
    *_QWEN_MODELS,
    *_QWEN_OPEN_MODELS,
    *_QWEN_VISION_MODELS,
    *_OTHER_MODELS,
)
