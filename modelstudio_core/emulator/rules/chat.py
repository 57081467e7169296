"""Rules for the parameters of a chat request, on both protocols.

The facts of a model come from the catalog.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.tokens import count_prompt
from modelstudio_core.emulator.rules.messages import check_messages
from modelstudio_core.emulator.rules.refusal import (
    Refusal,
    invalid_parameter,
    model_not_found,
)
from modelstudio_core.emulator.rules.served_models import is_served
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["check_chat"]

_MAX_SEED: Final = 2**63 - 1
_MAX_SHOWN: Final = 80
_MODALITIES: Final = frozenset({"text", "audio"})
_OCR_TASKS: Final = frozenset(
    {
        "advanced_recognition",
        "document_parsing",
        "formula_recognition",
        "key_information_extraction",
        "multi_lan",
        "table_parsing",
        "text_recognition",
    }
)
_TOOL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOOL_CHOICE_MESSAGE: Final = (
    'tool_choice is one of the strings that should be ["none","auto"]'
)


def check_chat(query: ChatQuery) -> None:
    """Refuse a chat request that the service refuses.

    Raises:
        Refusal: With the service's status, code and message.
    """
    for rule in _RULES:
        rule(query)


# --- The model --------------------------------------------------------------------


@sourced("recorded (an unknown model); Error codes", "2026-09-15")
def _check_model(query: ChatQuery) -> None:
    if not is_served(query.profile):
        raise model_not_found(query.model)
    if query.profile.kind != "chat":
        raise Refusal(
            f"Unsupported model `{query.model}` for OpenAI compatibility mode.",
            status=404,
            code="model_not_supported",
            dashscope_code="ModelNotFound",
            gateway=True,
        )


# --- Numbers ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Range:
    """The numbers that a parameter accepts, and the error text for others."""

    message: str
    low: float
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    integer: bool = False

    def contains(self, value: object) -> bool:
        types = int if self.integer else (int, float)
        if isinstance(value, bool) or not isinstance(value, types):
            return False
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)


_RANGES: Final[Mapping[str, _Range]] = {
    "temperature": _Range("Temperature should be in [0.0, 2.0)", 0, 2, open_high=True),
    "top_p": _Range("Range of top_p should be (0.0, 1.0]", 0, 1, open_low=True),
    "top_k": _Range("Parameter top_k be greater than or equal to 0", 0, integer=True),
    "repetition_penalty": _Range(
        "Repetition_penalty should be greater than 0.0", 0, open_low=True
    ),
    "presence_penalty": _Range("Presence_penalty should be in [-2.0, 2.0]", -2, 2),
    "n": _Range("Range of n should be [1, 4]", 1, 4, integer=True),
    "top_logprobs": _Range(
        "Range of top_logprobs should be [0, 5]", 0, 5, integer=True
    ),
    "max_completion_tokens": _Range(
        "max_completion_tokens must be a positive integer", 1, integer=True
    ),
    "seed": _Range(
        f"Range of seed should be [0, {_MAX_SEED}]", 0, _MAX_SEED, integer=True
    ),
}


@sourced("Chat; Error codes", "2026-09-15")
def _check_numbers(query: ChatQuery) -> None:
    seed = query.body.get("seed")
    if isinstance(seed, int) and seed < 0:
        raise Refusal(
            f"{seed} is lesser than the minimum of 0 - 'seed'",
            code="invalid_value",
            dashscope_message=invalid_parameter(_RANGES["seed"].message).message,
            gateway=True,
        )
    for name, allowed in _RANGES.items():
        value = query.body.get(name)
        if value is not None and not allowed.contains(value):
            raise invalid_parameter(allowed.message)
    maximum = query.profile.max_output or math.inf
    limit = query.body.get("max_tokens")
    if limit is not None and not _Range("", 1, maximum, integer=True).contains(limit):
        raise invalid_parameter(f"Range of max_tokens should be [1, {maximum}]")


@sourced("DeepSeek; Chat", "2026-09-15")
def _check_unsupported_parameters(query: ChatQuery) -> None:
    for name in sorted(query.profile.refused):
        if query.body.get(name) is not None:
            raise invalid_parameter(
                f"The parameter {name} cannot be set for the model {query.model}"
                " (emulator)."
            )


@sourced("Error codes", "2026-09-15")
def _check_length(query: ChatQuery) -> None:
    maximum = query.profile.context_window
    if maximum is not None and count_prompt(query) > maximum:
        raise invalid_parameter(f"Range of input length should be [1, {maximum}]")


# --- Thinking ---------------------------------------------------------------------


@sourced("Error codes; Deep thinking", "2026-09-02")
def _check_thinking(query: ChatQuery) -> None:
    enabled = query.body.get("enable_thinking")
    if enabled and query.profile.thinking == "never":
        raise Refusal(
            f"The model {query.model} does not support enable_thinking.",
            dashscope_code="InvalidParameter.NotSupportEnableThinking",
        )
    if enabled is False and query.profile.thinking == "only":
        raise Refusal(
            "The value of the enable_thinking parameter is restricted to True."
        )
    if not query.stream:
        _check_without_stream(query)


@sourced("Error codes; Deep thinking", "2026-09-02")
def _check_without_stream(query: ChatQuery) -> None:
    """Check that the model answers without a stream."""
    needs_stream = query.thinking and query.profile.streams_thinking_only
    thinks_always = needs_stream and query.profile.thinking == "only"
    if query.profile.streams_only or thinks_always:
        raise Refusal(
            "This model only support stream mode, please enable the stream parameter"
            " to access the model."
        )
    if needs_stream:
        raise Refusal(
            "parameter.enable_thinking must be set to false for non-streaming calls"
        )


@sourced("Chat; Deep thinking", "2026-09-15")
def _check_thinking_limits(query: ChatQuery) -> None:
    budget = query.body.get("thinking_budget")
    effort = query.body.get("reasoning_effort")
    maximum = query.profile.max_thinking or math.inf
    if budget is not None and not _Range("", 1, maximum, integer=True).contains(budget):
        raise invalid_parameter(
            "The thinking_budget parameter must be a positive integer and not"
            f" greater than {maximum}"
        )
    efforts = query.profile.efforts
    if effort is None or not efforts:
        return
    if budget is not None:
        raise invalid_parameter(
            "'reasoning_effort' and 'thinking_budget' cannot be set simultaneously"
        )
    if effort not in efforts:
        names = ", ".join(f"'{name}'" for name in efforts)
        raise invalid_parameter(f"'reasoning_effort' must be one of: {names}")


# --- Tools, search and response format --------------------------------------------


@sourced("Function calling; Chat", "2026-09-15")
def _check_tools(query: ChatQuery) -> None:
    if not query.tools:
        return
    supported = query.profile.tools
    if supported is False or (supported == "not-thinking" and query.thinking):
        raise invalid_parameter("The tool call is not supported.")
    names = [tool["function"]["name"] for tool in query.tools]
    # The error-code page says that no tool may be named "search"; recorded are answers
    # of qwen-plus to a request that has one.
    for name in names:
        if not _TOOL_NAME.fullmatch(name):
            raise invalid_parameter(
                f"The tool name {name[:_MAX_SHOWN]!r} must be 1 to 64 letters, digits,"
                " underscores and hyphens (emulator)."
            )
    if query.count > 1:
        raise invalid_parameter("n must be 1 when tools are given (emulator).")
    _check_tool_choice(query, names)


@sourced("recorded (qwen3.7-max); Error codes", "2026-09-15")
def _check_tool_choice(query: ChatQuery, names: Sequence[object]) -> None:
    choice, forced = query.body.get("tool_choice"), query.forced_tool
    if forced is None:
        if choice not in {None, "auto", "none"}:
            raise invalid_parameter(_TOOL_CHOICE_MESSAGE)
        return
    while_thinking = query.profile.forced_tool_choice_while_thinking or ()
    if query.thinking and forced not in while_thinking:
        raise invalid_parameter(
            "The tool_choice parameter does not support being set to required"
            " or object in thinking mode"
        )
    forms = query.profile.forced_tool_choice
    if forms is not None and forced not in forms:
        raise invalid_parameter(_TOOL_CHOICE_MESSAGE)
    if (
        forced == "named"
        and query.body["tool_choice"].get("function", {}).get("name") not in names
    ):
        raise invalid_parameter(
            "tool_choice names a tool that is not given (emulator)."
        )


@sourced("Web search", "2026-09-15")
def _check_search(query: ChatQuery) -> None:
    if query.body.get("enable_search") and query.profile.search is False:
        raise invalid_parameter("This model does not support enable_search.")


@sourced("Structured output; Error codes", "2026-09-15")
def _check_format(query: ChatQuery) -> None:
    kind = query.response_format.get("type")
    if kind is None:
        return
    if kind in query.profile.structured_output_refused:
        raise invalid_parameter(
            f"The model {query.model} does not support response_format {kind}"
            " (emulator)."
        )
    thinking = query.profile.structured_output_while_thinking
    if query.thinking and thinking is not None and kind not in thinking:
        raise invalid_parameter(
            "Json mode response is not supported when enable_thinking is true"
        )
    text = "\n".join(query.texts("system", "user", "assistant", "tool"))
    if kind == "json_object" and "json" not in text.casefold():
        raise invalid_parameter(
            "'messages' must contain the word 'json' in some form, to use"
            " 'response_format' of type 'json_object'."
        )


# --- Speech, code, text in images -------------------------------------------------


@sourced("Qwen-Omni; Error codes", "2026-11-27")
def _check_speech(query: ChatQuery) -> None:
    modalities = query.body.get("modalities")
    if modalities is None:
        return
    if not modalities or not all(m in _MODALITIES for m in modalities):
        raise invalid_parameter(
            "modalities must be ['text'] or ['text', 'audio'] (emulator)."
        )
    if "audio" not in modalities:
        return
    if "audio" not in query.profile.outputs:
        raise invalid_parameter(
            f"The model {query.model} does not support the modality audio (emulator)."
        )
    if not query.stream:
        raise invalid_parameter("'audio' output only support with stream=true")
    if query.body.get("enable_thinking"):
        raise invalid_parameter(
            "'audio' output is not supported when enable_thinking is true (emulator)."
        )
    audio: JsonObject = query.body.get("audio") or {}
    if audio.get("format", "wav") != "wav":
        raise invalid_parameter("audio.format must be 'wav' (emulator).")


@sourced("Code interpreter", "2026-11-27")
def _check_code_interpreter(query: ChatQuery) -> None:
    if not query.body.get("enable_code_interpreter"):
        return
    if not query.thinking or not query.stream:
        raise invalid_parameter(
            "enable_code_interpreter needs enable_thinking and a stream (emulator)."
        )


@sourced("Qwen-OCR API reference; recorded (qwen-vl-ocr)", "2026-11-27")
def _check_ocr(query: ChatQuery) -> None:
    options = query.body.get("ocr_options")
    if options is None:
        return
    if "image" not in query.profile.inputs or options.get("task") not in _OCR_TASKS:
        raise invalid_parameter(
            f"ocr_options needs a model that reads images, and a task of"
            f" {', '.join(sorted(_OCR_TASKS))} (emulator)."
        )


_RULES: Final[tuple[Callable[[ChatQuery], None], ...]] = (
    _check_model,
    _check_numbers,
    _check_unsupported_parameters,
    _check_thinking,
    _check_thinking_limits,
    check_messages,
    _check_tools,
    _check_search,
    _check_format,
    _check_speech,
    _check_code_interpreter,
    _check_ocr,
    _check_length,
)
