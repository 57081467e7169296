"""The table of chat models: one entry a family, each with its source and its date.

Nothing here is code. A fact that is missing is a new column of ``ChatProfile``; a
branch on a model's name anywhere else is a mistake.

A source is the title of a page of the Model Studio documentation ("Chat" is the page
"OpenAI compatible - Chat", "Vision guide" the user guide of the vision models);
"recorded" is an exchange with the service itself. Four columns have one page each for
all models, as of October 2026: ``partial`` ("Partial mode"), ``explicit_cache``
("Context cache"), ``structured_output`` ("Structured output") and ``tool_stream``
("Function calling"). A model that a page does not name has None there.

An id that looks like a family's but has another nature (it only thinks, it speaks, it
reads text in images) needs an entry of its own, with a longer prefix.
"""

from dataclasses import replace
from datetime import date
from typing import Final

from modelstudio_core.catalog import media_limits
from modelstudio_core.catalog.profiles import ChatProfile

_IMAGE = frozenset({"text", "image"})
_VISION = frozenset({"text", "image", "video"})
_AUDIO = frozenset({"text", "audio"})
_OMNI = frozenset({"text", "image", "video", "audio"})
_VISION_PDF = frozenset({"text", "image", "video", "pdf"})
_FILES = frozenset({"text", "file_id"})
_JSON = frozenset({"json_object"})
_SCHEMA = frozenset({"json_object", "json_schema"})
_NONE = frozenset[str]()
_NAMED = frozenset({"named"})
_NAMED_OR_REQUIRED = frozenset({"named", "required"})
_REQUIRED = frozenset({"required"})
_VIRGINIA = ("us-east-1",)
# Ids with a vendor's prefix are served by the vendor, in China (Beijing) only (Chat).
_BEIJING = ("cn-beijing",)
_BEIJING_SINGAPORE = ("cn-beijing", "ap-southeast-1")
# Regions whose part of the page "Context cache" names a model.
_BEIJING_SINGAPORE_FRANKFURT = (*_BEIJING_SINGAPORE, "eu-central-1")
_WITH_HONGKONG = (*_BEIJING_SINGAPORE_FRANKFURT, "cn-hongkong")
_EVERY_CACHE = (
    "cn-beijing",
    "us-east-1",
    "ap-southeast-1",
    "eu-central-1",
    "ap-northeast-1",
    "cn-hongkong",
)
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
    structured_output_refused=_SCHEMA,
    search=True,
    cache=True,
    explicit_cache=False,
    partial=False,
    reasoning_effort=False,
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
    max_tokens_includes_thinking=True,  # Chat
    # reasoning_effort replaces the budget; top_k: Chat.
    refused=_PENALTIES | {"thinking_budget", "top_k"},
    # "Structured output" lists v4 for json_object; json_schema was refused by
    # v4.1-flash (public report, September 2026).
    structured_output=_JSON,
    structured_output_while_thinking=_JSON,
    structured_output_refused=frozenset({"json_schema"}),
    reasoning_effort=True,
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

_SILICONFLOW = replace(
    _DEEPSEEK_OTHERS,
    thinking="hybrid-off",
    tools=True,
    structured_output=_NONE,
    structured_output_while_thinking=_NONE,
    structured_output_refused=_SCHEMA,
    search=False,
    explicit_cache=False,
    partial=True,
    refused=_PENALTIES,
    regions=_BEIJING,
    source="DeepSeek (SiliconFlow); Partial mode",
    checked=_CHECKED,
)
_VANCHIN = replace(
    _DEEPSEEK_OTHERS,
    tools=True,
    structured_output=_JSON,
    search=False,
    cache=True,
    explicit_cache=False,
    partial=True,
    regions=_BEIJING,
    source="DeepSeek (Vanchin); Partial mode; Structured output",
    checked=_CHECKED,
)

_DEEPSEEK_MODELS = (
    # Snapshots, other distillations and ids of third parties: text only, like all of
    # DeepSeek's, and no more is known.
    replace(
        _DEEPSEEK_OTHERS,
        ids=("deepseek-r1-distill-llama-70b", "deepseek-r1-distill-llama-8b"),
        prefix="deepseek-",
    ),
    # What SiliconFlow serves.
    replace(_SILICONFLOW, prefix="siliconflow/deepseek", thinking=None, partial=None),
    replace(
        _SILICONFLOW,
        ids=("siliconflow/deepseek-v3.2", "siliconflow/deepseek-v3.1-terminus"),
    ),
    replace(
        _SILICONFLOW,
        ids=("siliconflow/deepseek-r1-0528",),
        thinking="only",
        partial=False,
    ),
    replace(_SILICONFLOW, ids=("siliconflow/deepseek-v3-0324",), thinking="never"),
    # What Vanchin serves.
    replace(_VANCHIN, prefix="vanchin/deepseek", thinking=None, partial=None),
    replace(_VANCHIN, ids=("vanchin/deepseek-v3.2-think",), thinking="hybrid-off"),
    replace(
        _VANCHIN,
        ids=("vanchin/deepseek-v3.1-terminus",),
        thinking="hybrid-off",
        structured_output=_NONE,
        partial=False,
    ),
    replace(
        _VANCHIN,
        ids=("vanchin/deepseek-r1",),
        thinking="only",
        structured_output=_NONE,
    ),
    replace(_VANCHIN, ids=("vanchin/deepseek-v3",), thinking="never"),
    replace(
        _VANCHIN,
        ids=("vanchin/deepseek-v4-pro", "vanchin/deepseek-v4-pro-0813"),
        prefix="vanchin/deepseek-v4",
        thinking="hybrid-on",
        wants_reasoning_on_tool_turns=True,
        refused=frozenset(
            {
                "repetition_penalty",
                "preserve_thinking",
                "thinking_budget",
                "seed",
                "logprobs",
                "top_logprobs",
                "enable_search",
                "search_options",
            }
        ),
    ),
    replace(
        _VANCHIN,
        ids=("vanchin/deepseek-ocr",),
        prefix="vanchin/deepseek-ocr",
        inputs=_IMAGE,
        thinking="never",
        tools=False,
        cache=False,
        partial=False,
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
        explicit_cache=True,
        explicit_cache_regions=_BEIJING_SINGAPORE,
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
    structured_output=_JSON,
    # Recorded with json_object on qwen3.5, 3.7 and 3.8, against the documentation.
    structured_output_while_thinking=_JSON,
    search=True,
    cache=True,
    partial=True,
    reasoning_effort=False,
    # "The official API … does support multiple system roles" (a maintainer of Qwen,
    # public report, April 2026).
    several_system_messages=True,
    source="Chat; Deep thinking; Models",
    checked=date(2026, 9, 15),
)
_QWEN_VISION = replace(
    _QWEN,
    inputs=_VISION,
    native_path="multimodal-generation",
    media=media_limits.QWEN_VISION,
)
# PDFs in Beijing and Singapore. The page on partial mode has no Qwen3.8-Flash.
_QWEN38 = replace(
    _QWEN_VISION,
    inputs=_VISION_PDF,
    media=media_limits.QWEN_VISION_PDF,
    structured_output=_SCHEMA,
    # The example of the page "Structured output" does not turn the thinking of
    # qwen3.8-max off; qwen3.8-flash: a public report, September 2026.
    structured_output_while_thinking=_SCHEMA,
    explicit_cache=True,
    explicit_cache_regions=_EVERY_CACHE,
    thinking="hybrid-on",
    reasoning_effort=True,
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
    structured_output=_SCHEMA,
    explicit_cache=True,
    explicit_cache_regions=_EVERY_CACHE,
    thinking="hybrid-on",
    context_window=_1M,
    max_output=64 * _K,
    max_thinking=256 * _K,
    defaults={"temperature": 0.6},
)
# A request for more than 131,072 tokens is refused with that range (2026-09).
_QWEN37_PLUS = replace(
    _QWEN_VISION,
    structured_output=_SCHEMA,
    explicit_cache=True,
    explicit_cache_regions=_EVERY_CACHE,
    media=media_limits.QWEN_PLUS_VISION,
    thinking="hybrid-on",
    context_window=_1M,
    max_output=128 * _K,
    max_thinking=256 * _K,
    defaults={"temperature": 0.6},
)
_QWEN36_FLASH = replace(
    _QWEN_VISION,
    explicit_cache=True,
    explicit_cache_regions=(
        "cn-beijing",
        "us-east-1",
        "ap-southeast-1",
        "ap-northeast-1",
        "cn-hongkong",
    ),
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

_QWEN_OLD = ChatProfile(
    thinking="never",
    tools=True,
    structured_output=_JSON,
    partial=True,
    source="Partial mode; Function calling; Structured output",
    checked=_CHECKED,
)

_QWEN_MODELS = (
    replace(_QWEN38, ids=("qwen3.8-max", "qwen3.8-max-0902"), prefix="qwen3.8"),
    replace(
        _QWEN38,
        ids=("qwen3.8-flash",),
        prefix="qwen3.8-flash",
        partial=None,
    ),
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
        explicit_cache=None,
        explicit_cache_regions=None,
    ),
    replace(
        _QWEN37_PLUS,
        ids=("qwen3.7-plus", "qwen3.7-plus-2026-05-26"),
        prefix="qwen3.7-plus",
    ),
    replace(_QWEN37_PLUS, ids=("qwen3.7-plus-us",), regions=_VIRGINIA, modes=("us",)),
    replace(
        _QWEN37_PLUS,
        ids=("qwen3.7-flash", "qwen3.7-flash-2026-07-15"),
        prefix="qwen3.7",
        max_output=64 * _K,
        media=media_limits.QWEN_VISION,
    ),
    replace(
        _QWEN36_FLASH,
        ids=("qwen3.6-plus",),
        prefix="qwen3.6",
        max_thinking=80 * _K,
        explicit_cache_regions=(
            "cn-beijing",
            "ap-southeast-1",
            "eu-central-1",
            "ap-northeast-1",
            "cn-hongkong",
        ),
    ),
    replace(
        _QWEN36_FLASH,
        ids=("qwen3.6-plus-2026-04-02",),
        max_thinking=80 * _K,
        explicit_cache=None,
        explicit_cache_regions=None,
    ),
    replace(_QWEN36_FLASH, ids=("qwen3.6-flash",), prefix="qwen3.6-flash"),
    replace(
        _QWEN36_FLASH,
        ids=("qwen3.6-flash-2026-04-16",),
        explicit_cache=None,
        explicit_cache_regions=None,
    ),
    replace(_QWEN36_FLASH, ids=("qwen3.6-flash-us",), regions=_VIRGINIA, modes=("us",)),
    replace(
        _QWEN37_MAX,
        ids=("qwen3.6-max-preview",),
        prefix="qwen3.6-max",
        context_window=256 * _K,
        max_thinking=128 * _K,
        structured_output=_JSON,
        search=False,
        explicit_cache_regions=_BEIJING,
    ),
    replace(
        _QWEN36_FLASH,
        ids=("qwen3.5-plus", "qwen3.5-plus-2026-04-20"),
        prefix="qwen3.5",
        max_thinking=80 * _K,
        explicit_cache_regions=_BEIJING_SINGAPORE_FRANKFURT,
    ),
    replace(
        _QWEN36_FLASH,
        ids=("qwen3.5-flash",),
        prefix="qwen3.5-flash",
        max_thinking=80 * _K,
        explicit_cache_regions=_WITH_HONGKONG,
    ),
    replace(
        _QWEN36_FLASH,
        ids=("qwen3.5-plus-2026-02-15", "qwen3.5-flash-2026-02-23"),
        max_thinking=80 * _K,
        explicit_cache=None,
        explicit_cache_regions=None,
    ),
    # Open weights. Their own chat template refuses a second system message (public
    # reports, April to September 2026).
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
        explicit_cache=None,
        explicit_cache_regions=None,
        several_system_messages=False,
        source="Models; recorded (qwen3.5-35b-a3b)",
    ),
    replace(
        _QWEN36_FLASH,
        ids=("qwen3.6-35b-a3b", "qwen3.6-27b"),
        context_window=None,
        max_output=None,
        max_thinking=None,
        search=None,
        explicit_cache=None,
        explicit_cache_regions=None,
        several_system_messages=False,
        source="Deep thinking; recorded (list of models)",
        checked=_CHECKED,
    ),
    replace(
        _QWEN38,
        ids=("qwen3.8-27b",),
        context_window=None,
        max_thinking=None,
        media=media_limits.QWEN_VISION_PDF,
        structured_output=_JSON,
        structured_output_while_thinking=_JSON,
        explicit_cache_regions=_BEIJING_SINGAPORE,
        search=None,
        several_system_messages=False,
        source="Deep thinking; Context cache; Structured output; PDF understanding",
        checked=_CHECKED,
    ),
    replace(
        _QWEN38,
        ids=("qwen3.8-2.4t-a95b",),
        inputs=_VISION,
        media=media_limits.QWEN_VISION,
        thinking="only",
        context_window=None,
        max_thinking=None,
        structured_output=_JSON,
        structured_output_while_thinking=_JSON,
        explicit_cache_regions=_BEIJING_SINGAPORE,
        search=None,
        partial=None,
        several_system_messages=False,
        source="Deep thinking; Context cache; Structured output",
        checked=_CHECKED,
    ),
    replace(
        _QWEN_PLUS,
        ids=("qwen3-max",),
        prefix="qwen3-max",
        context_window=256 * _K,
        max_output=64 * _K,
        explicit_cache=True,
        explicit_cache_regions=("us-east-1", *_WITH_HONGKONG),
    ),
    replace(
        _QWEN_PLUS,
        ids=("qwen3-max-2026-01-23", "qwen3-max-preview"),
        context_window=256 * _K,
        max_output=64 * _K,
    ),
    replace(
        _QWEN_PLUS,
        ids=("qwen-plus",),
        prefix="qwen-plus",
        # recorded: tool_choice "required" is answered with a call while not thinking.
        forced_tool_choice=_NAMED_OR_REQUIRED,
        explicit_cache=True,
        explicit_cache_regions=_WITH_HONGKONG,
    ),
    replace(
        _QWEN_PLUS,
        ids=("qwen-flash",),
        prefix="qwen-flash",
        explicit_cache=True,
        explicit_cache_regions=_BEIJING_SINGAPORE_FRANKFURT,
    ),
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
        explicit_cache=True,
        explicit_cache_regions=_BEIJING,
        source="Chat; Context cache",
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
        inputs=_FILES,
        thinking="never",
        partial=None,
        context_window=10 * _1M,
        tools=False,
        search=False,
        cache=False,
    ),
    # It reads files by id, which Beijing alone has.
    ChatProfile(
        ids=("qwen-doc-turbo",),
        prefix="qwen-doc-turbo",
        inputs=_FILES,
        several_system_messages=True,
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
        explicit_cache=True,
        explicit_cache_regions=_BEIJING_SINGAPORE_FRANKFURT,
    ),
    # Older generations: what they hold is not known.
    replace(_QWEN_OLD, prefix="qwen2.5-", ids=("qwen2.5-72b-instruct",)),
    replace(_QWEN_OLD, prefix="qwen2.5-coder-", structured_output=None),
    replace(_QWEN_OLD, prefix="qwen2.5-math-", tools=None, structured_output=None),
    replace(
        _QWEN_OLD,
        ids=("qwen-coder-plus", "qwen-coder-turbo"),
        prefix="qwen-coder-",
        structured_output=None,
    ),
    replace(
        _QWEN_OLD,
        ids=("qwen-math-plus", "qwen-math-turbo"),
        prefix="qwen-math-",
        tools=None,
        structured_output=None,
    ),
    ChatProfile(
        ids=("qwen-deep-research", "qwen-deep-research-2025-12-15"),
        prefix="qwen-deep-research",
        protocols=("dashscope",),
        streams_only=True,
        regions=_BEIJING,
        source="Qwen-Deep-Research API reference",
        checked=_CHECKED,
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
        media=media_limits.QVQ,
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
    search=None,
    media=media_limits.QWEN3_VL,
    source="Models; Vision guide; recorded (qwen3-vl-flash)",
)
_QWEN3_VL_OPEN = replace(
    _QWEN_VL,
    context_window=None,
    max_output=None,
    max_thinking=None,
    media=media_limits.QWEN3_VL_SMALL,
    source="Models; Vision guide; recorded (list of models)",
    checked=_CHECKED,
)

# The newest page on function calling names no Qwen-VL-Max or -Plus: not known.
_QWEN_VL_OLD = replace(
    _QWEN_VL,
    thinking="never",
    context_window=128 * _K,
    max_output=8 * _K,
    tools=None,
    max_thinking=None,
    source="Models; Vision guide",
)

_QWEN_VISION_MODELS = (
    replace(
        _QWEN_VL,
        ids=("qwen3-vl-plus",),
        prefix="qwen3-vl",
        thinking="hybrid-off",
        # recorded: tool_choice "required" is answered with a call while not thinking.
        forced_tool_choice=_NAMED_OR_REQUIRED,
        explicit_cache=True,
        explicit_cache_regions=_WITH_HONGKONG,
    ),
    replace(
        _QWEN_VL,
        ids=("qwen3-vl-flash",),
        prefix="qwen3-vl-flash",
        thinking="hybrid-off",
        forced_tool_choice=_NAMED_OR_REQUIRED,
        # recorded
        search=True,
        explicit_cache=True,
        explicit_cache_regions=_BEIJING_SINGAPORE_FRANKFURT,
    ),
    replace(
        _QWEN_VL,
        ids=("qwen3-vl-flash-us",),
        thinking="hybrid-off",
        forced_tool_choice=_NAMED_OR_REQUIRED,
        search=True,
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
        _QWEN_VL_OLD,
        ids=("qwen-vl-plus",),
        prefix="qwen-vl",
        media=media_limits.QWEN_VL_PLUS,
    ),
    replace(
        _QWEN_VL_OLD,
        ids=("qwen-vl-max",),
        prefix="qwen-vl-max",
        media=media_limits.QWEN_VL_MAX,
    ),
    ChatProfile(
        ids=("qwen2.5-vl-72b-instruct", "qwen2.5-vl-32b-instruct"),
        prefix="qwen2.5-vl",
        inputs=_VISION,
        native_path="multimodal-generation",
        thinking="never",
        media=media_limits.QWEN_VL_PLUS,
        source="Vision guide",
        checked=_CHECKED,
    ),
    ChatProfile(
        prefix="qwen2-vl",
        inputs=_VISION,
        native_path="multimodal-generation",
        thinking="never",
        media=media_limits.OLD_VISION,
        source="Vision guide",
        checked=_CHECKED,
    ),
    ChatProfile(
        ids=("qwen-vl-ocr", "qwen-vl-ocr-latest", "qwen-vl-ocr-2025-11-20"),
        prefix="qwen-vl-ocr",
        inputs=_IMAGE,
        media=media_limits.QWEN_VL_OCR,
        native_path="multimodal-generation",
        source="Qwen-OCR API reference; recorded",
        checked=_CHECKED,
    ),
    ChatProfile(
        ids=("qwen3.5-ocr",),
        prefix="qwen3.5-ocr",
        inputs=_IMAGE,
        media=media_limits.QWEN_VL_OCR,
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
        media=media_limits.OMNI_38,
        structured_output=_JSON,
        reasoning_effort=True,
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
        media=media_limits.OMNI_35,
        thinking="never",
        tools=True,
        streams_only=True,
        regions=_BEIJING_SINGAPORE,
    ),
    replace(
        _QWEN_VL,
        ids=("qwen3-omni-flash",),
        prefix="qwen3-omni",
        inputs=_OMNI,
        media=media_limits.OMNI_3,
        outputs=_AUDIO,
        thinking="hybrid-off",
        streams_only=True,
        context_window=64 * _K,
        max_output=16 * _K,
        preserves_thinking=True,
        structured_output=_NONE,
        partial=None,
        several_system_messages=None,
        speaks_while_thinking=False,
        source="Chat; Models; Qwen-Omni",
    ),
    ChatProfile(
        ids=("qwen3-omni-30b-a3b-captioner",),
        prefix="qwen3-omni-30b-a3b-captioner",
        inputs=_AUDIO,
        media=media_limits.AUDIO,
        native_path="multimodal-generation",
        source="Speech Recognition",
        checked=_CHECKED,
    ),
    # enable_thinking is not accepted.
    replace(
        _OMNI_PROFILE,
        ids=("qwen-omni-turbo",),
        prefix="qwen-omni-turbo",
        media=media_limits.OMNI_TURBO,
        thinking="never",
        streams_only=True,
    ),
    replace(
        _OMNI_PROFILE,
        ids=("qwen2.5-omni-7b",),
        prefix="qwen2.5-omni",
        media=media_limits.OMNI_TURBO,
        thinking="never",
        streams_only=True,
    ),
    ChatProfile(
        prefix="qwen2-audio",
        inputs=_AUDIO,
        protocols=("dashscope",),
        native_path="multimodal-generation",
        source="DashScope API reference",
        checked=_CHECKED,
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

# One user message, and no system message. qwen-mt-flash and -lite stream increments.
_QWEN_MT = ChatProfile(
    thinking="never",
    streams_cumulatively=False,
    tools=False,
    source="Machine translation (Qwen-MT); recorded",
    checked=_CHECKED,
)

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
    tool_stream=True,
    structured_output=_JSON,
    structured_output_while_thinking=_NONE,
    structured_output_refused=frozenset({"json_schema"}),
    search=False,
    cache=True,
    explicit_cache=False,
    partial=False,
    source="Chat; Deep thinking; GLM; Function calling; Structured output",
    checked=date(2026, 9, 15),
)
# ``max`` (the default), ``high`` and ``low``.
_GLM53_EFFORTS = {
    "low": "low",
    "medium": "high",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}
_GLM53 = replace(
    _GLM,
    thinking="only",
    # Chat: thinking_budget is ignored.
    max_tokens_includes_thinking=True,
    structured_output=None,
    structured_output_while_thinking=None,
    partial=None,
    search=None,
    reasoning_effort=True,
    efforts=_GLM53_EFFORTS,
    checked=_CHECKED,
)
# The page "GLM (Zhipu)": it has no top_k and no repetition_penalty.
_ZHIPU = replace(
    _GLM,
    context_window=None,
    max_output=None,
    max_thinking=None,
    partial=True,
    search=False,
    refused=frozenset({"top_k", "repetition_penalty"}),
    regions=_BEIJING,
    source="GLM (Zhipu)",
    checked=_CHECKED,
)
_ZHIPU53 = replace(
    _ZHIPU,
    thinking="only",
    structured_output_while_thinking=_JSON,
    reasoning_effort=True,
    efforts=_GLM53_EFFORTS,
)
_KIMI = ChatProfile(
    context_window=256 * _K,
    max_output=96 * _K,
    max_thinking=80 * _K,
    tools=True,
    forced_tool_choice=_NAMED,
    structured_output=_NONE,
    structured_output_while_thinking=_NONE,
    search=False,
    cache=True,
    partial=False,
    reasoning_effort=False,
    refused=frozenset({"top_k"}),
    source="Chat; Deep thinking; Kimi",
    checked=date(2026, 9, 15),
)
_KIMI_VISION = replace(
    _KIMI,
    inputs=_VISION,
    native_path="multimodal-generation",
    media=media_limits.KIMI,
    source="Chat; Deep thinking; Kimi; Vision guide",
    checked=_CHECKED,
)
# What Moonshot AI serves: "in thinking mode … the reasoning_content of every assistant
# message must be kept; tool_choice supports auto and none, kimi/kimi-k3 also required".
_MOONSHOT = replace(
    _KIMI_VISION,
    forced_tool_choice=_NONE,
    forced_tool_choice_while_thinking=_NONE,
    structured_output=_JSON,
    structured_output_while_thinking=None,
    explicit_cache=False,
    partial=True,
    media=media_limits.MOONSHOT,
    refused=frozenset({"top_k", "thinking_budget"}),
    wants_reasoning_on_tool_turns=True,
    wants_reasoning_on_every_turn=True,
    regions=_BEIJING,
    source="Kimi (Moonshot AI); Function calling; Partial mode; Structured output",
)
_MINIMAX = ChatProfile(
    thinking="only",
    context_window=192 * _K,
    max_output=32 * _K,
    tools=True,
    forced_tool_choice=_NAMED,
    structured_output=_NONE,
    structured_output_while_thinking=_NONE,
    search=False,
    cache=True,
    explicit_cache=False,
    partial=False,
    # MiniMax refuses a second one with "invalid chat setting (2013)" (public reports,
    # November 2025 to May 2026).
    several_system_messages=False,
    refused=frozenset({"top_k"}),
    source="Chat; Models; MiniMax",
    checked=date(2026, 9, 15),
)
# What MiniMax serves; its page says that temperature and top_p cannot be changed.
_MINIMAX_VENDOR = replace(
    _MINIMAX,
    refused=frozenset({"top_k", "temperature", "top_p"}),
    regions=_BEIJING,
)
_STEPFUN = ChatProfile(
    inputs=_VISION,
    native_path="multimodal-generation",
    media=media_limits.STEPFUN,
    thinking="hybrid-off",
    tools=True,
    forced_tool_choice=_NONE,
    forced_tool_choice_while_thinking=_NONE,
    structured_output=_JSON,
    structured_output_while_thinking=_JSON,
    structured_output_refused=frozenset({"json_schema"}),
    search=False,
    cache=True,
    explicit_cache=False,
    partial=False,
    reasoning_effort=True,
    efforts={"low": "low", "medium": "medium", "high": "high"},
    wants_reasoning_on_tool_turns=True,
    wants_reasoning_on_every_turn=True,
    refused=frozenset(
        {
            "thinking_budget",
            "top_k",
            "repetition_penalty",
            "preserve_thinking",
            "enable_search",
            "search_options",
            "seed",
            "logprobs",
            "top_logprobs",
            "n",
        }
    ),
    regions=_BEIJING,
    source="Stepfun",
    checked=_CHECKED,
)
_OTHER_MODELS = (
    replace(_GLM53, ids=("glm-5.3",), prefix="glm-5.3"),
    replace(_ZHIPU53, ids=("ZHIPU/GLM-5.3",), prefix="ZHIPU/GLM-5.3"),
    replace(
        _ZHIPU53,
        ids=("ZHIPU/GLM-5.3-Flash",),
        prefix="ZHIPU/GLM-5.3-Flash",
        inputs=_VISION_PDF,
        native_path="multimodal-generation",
    ),
    replace(
        _ZHIPU,
        ids=("ZHIPU/GLM-5.2",),
        prefix="ZHIPU/GLM-",
        reasoning_effort=True,
    ),
    replace(_ZHIPU, ids=("ZHIPU/GLM-5.1", "ZHIPU/GLM-5"), reasoning_effort=False),
    replace(
        _GLM,
        ids=("glm-5.2", "glm-5.2-fast-preview"),
        prefix="glm-5.2",
        max_tokens_includes_thinking=True,
        reasoning_effort=True,
        efforts=_GLM_EFFORTS,
    ),
    replace(
        _GLM,
        ids=("glm-5",),
        prefix="glm-5",
        reasoning_effort=True,
        efforts=_GLM_EFFORTS,
    ),
    replace(
        _GLM,
        ids=("glm-5.1",),
        structured_output_while_thinking=_JSON,
        explicit_cache=True,
        explicit_cache_regions=_BEIJING,
        reasoning_effort=True,
        efforts=_GLM_EFFORTS,
    ),
    replace(
        _GLM,
        ids=("glm-5.2-us",),
        max_tokens_includes_thinking=True,
        reasoning_effort=True,
        efforts=_GLM_EFFORTS,
        regions=_VIRGINIA,
        modes=("us",),
    ),
    replace(
        _GLM,
        ids=("glm-4.7", "glm-4.6"),
        prefix="glm-4",
        context_window=128 * _K,
        max_output=16 * _K,
        max_thinking=32 * _K,
        reasoning_effort=False,
    ),
    replace(
        _GLM,
        ids=("glm-4.5", "glm-4.5-air"),
        context_window=128 * _K,
        max_output=16 * _K,
        max_thinking=32 * _K,
        structured_output_while_thinking=_JSON,
        cache=False,
        reasoning_effort=False,
    ),
    replace(
        _KIMI_VISION,
        ids=("kimi-k2.6",),
        prefix="kimi-k2.",
        thinking="hybrid-off",
        explicit_cache=True,
        explicit_cache_regions=_BEIJING,
    ),
    replace(
        _KIMI_VISION,
        ids=("kimi-k2.5",),
        thinking="hybrid-off",
        explicit_cache=True,
        explicit_cache_regions=("cn-beijing", "eu-central-1"),
    ),
    replace(
        _MOONSHOT,
        ids=("kimi/kimi-k2.6", "kimi/kimi-k2.5"),
        thinking="hybrid-on",
    ),
    replace(
        _MOONSHOT,
        ids=("kimi/kimi-k2.7-code", "kimi/kimi-k2.7-code-highspeed"),
        prefix="kimi/kimi-k2.7-code",
        thinking="only",
        partial=None,
    ),
    replace(
        _MOONSHOT,
        ids=("kimi/kimi-k3",),
        prefix="kimi/",
        thinking="only",
        forced_tool_choice=_REQUIRED,
        forced_tool_choice_while_thinking=_REQUIRED,
        structured_output_while_thinking=_JSON,
        # Another client's catalog has reasoning_effort for it, and no budget.
        reasoning_effort=True,
        max_output=None,
        max_thinking=None,
    ),
    replace(
        _KIMI_VISION,
        ids=("kimi-k2.7-code",),
        prefix="kimi-k2.7-code",
        thinking="only",
        preserves_thinking=True,
        explicit_cache=True,
        explicit_cache_regions=_EVERY_CACHE,
    ),
    # Announced to end on 2026-07-09, and still served.
    replace(
        _KIMI,
        ids=("kimi-k2-thinking",),
        prefix="kimi-k2-thinking",
        wants_reasoning_on_tool_turns=True,
        thinking="only",
        structured_output=_JSON,
        structured_output_while_thinking=_JSON,
    ),
    replace(
        _KIMI,
        ids=("Moonshot-Kimi-K2-Instruct",),
        thinking="never",
        max_output=None,
        max_thinking=None,
        search=True,
        checked=_CHECKED,
    ),
    # Chat only says that it has no thinking_budget.
    replace(
        _KIMI_VISION,
        ids=("kimi-k3",),
        prefix="kimi-k3",
        thinking="only",
        max_output=None,
        max_thinking=None,
        structured_output=_JSON,
        structured_output_while_thinking=_JSON,
        search=None,
        partial=None,
        reasoning_effort=None,
        refused=frozenset({"top_k", "thinking_budget"}),
        source="Chat; Deep thinking; Structured output; Vision guide",
    ),
    replace(_MINIMAX, ids=("MiniMax-M2.5", "MiniMax-M2.1"), prefix="MiniMax-M2"),
    replace(
        _MINIMAX_VENDOR,
        ids=("MiniMax/MiniMax-M2.7", "MiniMax/MiniMax-M2.5", "MiniMax/MiniMax-M2.1"),
        prefix="MiniMax/MiniMax-M2",
    ),
    # It is a hybrid whose switch is ``thinking`` and not ``enable_thinking``.
    replace(
        _MINIMAX,
        ids=("MiniMax/MiniMax-M3",),
        prefix="MiniMax/MiniMax-",
        inputs=_VISION,
        thinking=None,
        structured_output=None,
        structured_output_while_thinking=None,
        search=None,
        partial=None,
        regions=_BEIJING,
        source="Chat; Models; Deep thinking; Vision guide",
        checked=_CHECKED,
    ),
    replace(
        _STEPFUN,
        ids=("stepfun/step-3.7-flash", "stepfun/step-5-preview"),
        prefix="stepfun/",
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
