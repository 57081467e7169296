"""What can be asked of a chat model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

from modelstudio_core.catalog import ResolvedModel
from modelstudio_core.wire.suggestions import unknown_name

__all__ = ["OPTION_NAMES", "ChatOptions", "ChatPlan", "ForcedToolChoice"]

ForcedToolChoice = Literal["disable_thinking", "auto", "error"]

THINKING_AMOUNT = ("thinking_budget", "reasoning_effort")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """What the user asks for besides the messages. ``None`` is: not said.

    Attributes:
        temperature: Randomness, from 0 to below 2.
        top_p: Nucleus sampling, above 0 to 1.
        top_k: Candidates for sampling, at least 0; above 100 switches it off.
        max_tokens: The most tokens of the answer; for most models without thinking.
        max_completion_tokens: The most tokens of thinking and answer together.
        stop: Texts that end the answer; they do not end the thinking.
        seed: From 0 to 2**63-1; the same seed makes the same answer more likely.
        n: How many answers, 1 to 4; only whole and without tools.
        presence_penalty: From -2 to 2.
        repetition_penalty: Above 0; 1 is none.
        logprobs: Whether to return log probabilities.
        top_logprobs: Of how many candidates, 0 to 5.
        parallel_tool_calls: Whether one answer may call several tools.
        response_format: ``{"type": "json_object"}`` and the like.
        enable_thinking: Whether to think; None is the model's own default.
        thinking_budget: The most tokens of thinking.
        reasoning_effort: How hard to think, for models that take it.
        preserve_thinking: Whether earlier reasoning is sent back and used.
        enable_search: Whether the service may search the web.
        search_options: How it searches.
        extra_body: Parameters that have no name here, sent as they are.
        forced_tool_choice: What to do about a forced tool while thinking.
        tools: Tools in the OpenAI function shape.
        tool_choice: ``auto``, ``none``, ``required``, ``any``, a tool's name, or the
            OpenAI object.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | Sequence[str] | None = None
    seed: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    parallel_tool_calls: bool | None = None
    response_format: Mapping[str, Any] | None = None
    enable_thinking: bool | None = None
    thinking_budget: int | None = None
    reasoning_effort: str | None = None
    preserve_thinking: bool | None = None
    enable_search: bool | None = None
    search_options: Mapping[str, Any] | None = None
    extra_body: Mapping[str, Any] | None = None
    forced_tool_choice: ForcedToolChoice = "disable_thinking"
    tools: Sequence[Mapping[str, Any]] | None = None
    tool_choice: str | Mapping[str, Any] | None = None

    def override(self, call: Mapping[str, Any]) -> "ChatOptions":
        """Return these options with those of one call on top.

        A call that switches thinking off also sets aside how much and how hard the
        constructor asked to think, and of those two the one that a call names wins.

        Args:
            call: Option names and values; None is: as the constructor said.

        Raises:
            ConfigurationError: A name is not an option.
        """
        said = {name: value for name, value in call.items() if value is not None}
        for name in said:
            if name not in OPTION_NAMES:
                raise unknown_name("argument", name, OPTION_NAMES)
        if said.get("enable_thinking") is False or said.keys() & THINKING_AMOUNT:
            said = {**dict.fromkeys(THINKING_AMOUNT), **said}
        return replace(self, **said) if said else self


OPTION_NAMES: Final = tuple(f.name for f in fields(ChatOptions))
# None: a model that is not known is believed to be switchable if the user says so.
SWITCHABLE: Final = ("hybrid-on", "hybrid-off", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPlan:
    """What is sent, decided: nothing below this line knows a default or a rule.

    Attributes:
        model: The model as it was asked for and as it is used.
        options: The options as they are sent, with every value that the model takes.
        thinking: What is sent as ``enable_thinking``; None: nothing.
        thinking_disabled: What thinking was switched off for: ``tool_choice``,
            ``response_format``, or nothing.
        call_required: An answer without a tool call is an error.
        notice: What the user should be warned of, empty for nothing.
        stream: Whether the answer comes as a stream.
    """

    model: ResolvedModel
    options: ChatOptions
    thinking: bool | None
    thinking_disabled: Literal["", "tool_choice", "response_format"] = ""
    call_required: bool = False
    notice: str = ""
    stream: bool = False

    @property
    def preserve_thinking(self) -> bool:
        """Whether reasoning goes back on every assistant turn."""
        asked = self.options.preserve_thinking
        return self.model.profile.preserves_thinking if asked is None else asked
