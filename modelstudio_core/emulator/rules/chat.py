"""What the service refuses of a request's parameters, and in which words.

The model's facts are the catalog's. The texts are those of the official error-code page
and of recorded bodies (2026-02 to 2026-09); where none is known, the text says
"emulator".
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from modelstudio_core.emulator.model.query import Ask, Refusal
from modelstudio_core.emulator.model.tokens import count_prompt
from modelstudio_core.emulator.rules.messages import check_messages

__all__ = ["check"]

_ALGO: Final = "<400> InternalError.Algo.InvalidParameter: "
_LARGEST_SEED: Final = 2**63 - 1


def check(ask: Ask) -> None:
    """Refuse what the service refuses.

    Raises:
        Refusal: With the service's status, code and words.
    """
    for rule in _RULES:
        rule(ask)


# --- The model --------------------------------------------------------------------


def _check_model(ask: Ask) -> None:
    if not ask.profile.known or ask.profile.delisted is not None:
        raise Refusal(
            f"The model `{ask.model}` does not exist or you do not have access to it.",
            status=404,
            code="model_not_found",
            native_code="ModelNotFound",
            gateway=True,
        )
    if "text" not in ask.profile.outputs:
        raise Refusal(
            f"Unsupported model `{ask.model}` for OpenAI compatibility mode.",
            status=404,
            code="model_not_supported",
            native_code="ModelNotFound",
            gateway=True,
        )


# --- Numbers ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Range:
    text: str
    low: float
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False

    def holds(self, value: object) -> bool:
        kinds = int if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return False
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)


_RANGES: Final[Mapping[str, _Range]] = {
    "temperature": _Range("Temperature should be in [0.0, 2.0)", 0, 2, open_high=True),
    "top_p": _Range("Range of top_p should be (0.0, 1.0]", 0, 1, open_low=True),
    "top_k": _Range("Parameter top_k be greater than or equal to 0", 0, whole=True),
    "repetition_penalty": _Range(
        "Repetition_penalty should be greater than 0.0", 0, open_low=True
    ),
    "presence_penalty": _Range("Presence_penalty should be in [-2.0, 2.0]", -2, 2),
    "n": _Range("Range of n should be [1, 4]", 1, 4, whole=True),
    "top_logprobs": _Range("Range of top_logprobs should be [0, 5]", 0, 5, whole=True),
    "max_completion_tokens": _Range(
        "max_completion_tokens must be a positive integer", 1, whole=True
    ),
    "seed": _Range(
        f"Range of seed should be [0, {_LARGEST_SEED}]", 0, _LARGEST_SEED, whole=True
    ),
}


def _check_numbers(ask: Ask) -> None:
    seed = ask.body.get("seed")
    if isinstance(seed, int) and seed < 0:
        raise Refusal(
            f"{seed} is lesser than the minimum of 0 - 'seed'",
            code="invalid_value",
            native_message=_ALGO + _RANGES["seed"].text,
            gateway=True,
        )
    for name, allowed in _RANGES.items():
        value = ask.body.get(name)
        if value is not None and not allowed.holds(value):
            raise Refusal(_ALGO + allowed.text)
    most = ask.profile.max_output or math.inf
    limit = ask.body.get("max_tokens")
    if limit is not None and not _Range("", 1, most, whole=True).holds(limit):
        raise Refusal(f"{_ALGO}Range of max_tokens should be [1, {most}]")


def _check_refused(ask: Ask) -> None:
    for name in sorted(ask.profile.refused):
        if ask.body.get(name) is not None:
            raise Refusal(
                f"{_ALGO}The parameter {name} cannot be set for the model {ask.model}"
                " (emulator)."
            )


def _check_length(ask: Ask) -> None:
    most = ask.profile.context_window
    if most is not None and count_prompt(ask) > most:
        raise Refusal(f"{_ALGO}Range of input length should be [1, {most}]")


# --- Thinking ---------------------------------------------------------------------


def _check_thinking(ask: Ask) -> None:
    asked = ask.body.get("enable_thinking")
    if asked and ask.profile.thinking == "never":
        raise Refusal(
            f"The model {ask.model} does not support enable_thinking.",
            native_code="InvalidParameter.NotSupportEnableThinking",
        )
    if asked is False and ask.profile.thinking == "only":
        raise Refusal(
            "The value of the enable_thinking parameter is restricted to True."
        )
    if not ask.stream:
        _check_whole(ask)


def _check_whole(ask: Ask) -> None:
    """Check that the model answers without a stream."""
    thinks = ask.thinking and ask.profile.streams_thinking_only
    if ask.profile.streams_only or (thinks and ask.profile.thinking == "only"):
        raise Refusal(
            "This model only support stream mode, please enable the stream parameter"
            " to access the model."
        )
    if thinks:
        raise Refusal(
            "parameter.enable_thinking must be set to false for non-streaming calls"
        )


def _check_depth(ask: Ask) -> None:
    """Check how much and how hard it is to think."""
    budget, effort = ask.body.get("thinking_budget"), ask.body.get("reasoning_effort")
    most = ask.profile.max_thinking or math.inf
    if budget is not None and not _Range("", 1, most, whole=True).holds(budget):
        raise Refusal(
            f"{_ALGO}The thinking_budget parameter must be a positive integer and not"
            f" greater than {most}"
        )
    efforts = ask.profile.efforts
    if effort is None or not efforts:
        return
    if budget is not None:
        raise Refusal(
            f"{_ALGO}'reasoning_effort' and 'thinking_budget' cannot be set"
            " simultaneously"
        )
    if effort not in efforts:
        names = ", ".join(f"'{name}'" for name in efforts)
        raise Refusal(f"{_ALGO}'reasoning_effort' must be one of: {names}")


# --- Tools, search and the form of the answer -------------------------------------


def _check_tools(ask: Ask) -> None:
    if not ask.tools:
        return
    supported = ask.profile.tools
    if supported is False or (supported == "not-thinking" and ask.thinking):
        raise Refusal(f"{_ALGO}The tool call is not supported.")
    names = [tool.get("function", {}).get("name") for tool in ask.tools]
    if "search" in names:
        raise Refusal(f"{_ALGO}Tool names are not allowed to be [search]")
    if (ask.body.get("n") or 1) > 1:
        raise Refusal(f"{_ALGO}n must be 1 when tools are given (emulator).")
    _check_tool_choice(ask, names)


def _check_tool_choice(ask: Ask, names: list[Any]) -> None:
    choice, form = ask.body.get("tool_choice"), ask.forced_tool
    if form is None:
        if choice not in {None, "auto", "none"}:
            raise Refusal(_ALGO + _CHOICES)
        return
    if ask.thinking:
        raise Refusal(
            f"{_ALGO}The tool_choice parameter does not support being set to required"
            " or object in thinking mode"
        )
    forms = ask.profile.forced_tool_choice
    if forms is not None and form not in forms:
        raise Refusal(_ALGO + _CHOICES)
    if (
        form == "named"
        and ask.body["tool_choice"].get("function", {}).get("name") not in names
    ):
        raise Refusal(f"{_ALGO}tool_choice names a tool that is not given (emulator).")


_CHOICES: Final = 'tool_choice is one of the strings that should be ["none","auto"]'


def _check_search(ask: Ask) -> None:
    if ask.body.get("enable_search") and ask.profile.search is False:
        raise Refusal(f"{_ALGO}This model does not support enable_search.")


def _check_format(ask: Ask) -> None:
    kind = ask.response_format.get("type")
    if kind is None:
        return
    supported = ask.profile.structured_output
    if supported is not None and kind not in supported:
        raise Refusal(
            f"{_ALGO}The model {ask.model} does not support response_format {kind}"
            " (emulator)."
        )
    thinking = ask.profile.structured_output_while_thinking
    if ask.thinking and thinking is not None and kind not in thinking:
        raise Refusal(
            f"{_ALGO}Json mode response is not supported when enable_thinking is true"
        )
    text = "\n".join(ask.texts("system", "user", "assistant", "tool"))
    if kind == "json_object" and "json" not in text.casefold():
        raise Refusal(
            f"{_ALGO}'messages' must contain the word 'json' in some form, to use"
            " 'response_format' of type 'json_object'."
        )


_RULES: Final[tuple[Callable[[Ask], None], ...]] = (
    _check_model,
    _check_numbers,
    _check_refused,
    _check_thinking,
    _check_depth,
    check_messages,
    _check_tools,
    _check_search,
    _check_format,
    _check_length,
)
