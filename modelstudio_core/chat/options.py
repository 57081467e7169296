"""The options of a chat request, each with its type, valid values and description.

The checks of values, the parameters of a request and the arguments of the constructor
are derived from this file. To add an option, add a type below and a field to each of
the two classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Final, Literal, cast, get_args, get_type_hints

from pydantic import BaseModel, Field

from modelstudio_core.argument_hints import unknown_argument
from modelstudio_core.chat.option_rules import (
    OCR_TASKS,
    Rule,
    are_modalities,
    are_tools,
    is_bool,
    is_mapping,
    is_ocr_task,
    is_string,
    is_string_or_strings,
    is_voice,
    number,
)

__all__ = [
    "OPTION_NAMES",
    "PARAMETERS",
    "RULES",
    "THINKING_AMOUNT",
    "ChatOptionArguments",
    "ChatOptions",
    "ForcedToolChoice",
    "answer_count",
    "format_type",
    "speaks",
    "value_of",
    "wanted_thinking",
]

ForcedToolChoice = Literal["disable_thinking", "auto", "error"]
_SWITCH: Final = Rule("True or False", is_bool)
_OBJECT: Final = Rule("a dict", is_mapping)

# --- The options ------------------------------------------------------------------

Temperature = Annotated[
    float | None,
    number(0, 2, exclusive_maximum=True),
    Field(description="Sampling temperature, in [0, 2)."),
]
TopP = Annotated[
    float | None,
    number(0, 1, exclusive_minimum=True),
    Field(description="Nucleus sampling: the probability mass to sample from."),
]
TopK = Annotated[
    int | None,
    number(0, integer=True),
    Field(description="How many candidates to sample from; above 100: all."),
]
MaxTokens = Annotated[
    int | None,
    number(1, integer=True),
    Field(
        description="Maximum tokens of the answer; for most models without thinking."
    ),
]
MaxCompletionTokens = Annotated[
    int | None,
    number(1, integer=True),
    Field(description="Maximum tokens of thinking and answer together."),
]
Stop = Annotated[
    str | list[str] | None,
    Rule("a string or a list of strings", is_string_or_strings, sent=False),
    Field(description="Strings that end the answer; they do not end the thinking."),
]
Seed = Annotated[
    int | None,
    number(0, 2**63 - 1, integer=True),
    Field(description="The same seed makes the same answer more likely."),
]
N = Annotated[
    int | None,
    number(1, 4, integer=True),
    Field(description="How many answers, 1 to 4; not for streams or with tools."),
]
PresencePenalty = Annotated[
    float | None,
    number(-2, 2),
    Field(description="Penalty for tokens that occurred before, -2 to 2."),
]
RepetitionPenalty = Annotated[
    float | None,
    number(0, exclusive_minimum=True),
    Field(description="Penalty for repetition, above 0; 1: no penalty."),
]
Logprobs = Annotated[
    bool | None,
    _SWITCH,
    Field(description="Whether to return log probabilities."),
]
TopLogprobs = Annotated[
    int | None,
    number(0, 5, integer=True),
    Field(description="For how many candidates of each token, 0 to 5."),
]
ParallelToolCalls = Annotated[
    bool | None,
    _SWITCH,
    Field(description="Whether one answer may hold several tool calls."),
]
ResponseFormat = Annotated[
    dict[str, Any] | None,
    _OBJECT,
    Field(description="The format of the answer, such as {'type': 'json_object'}."),
]
EnableThinking = Annotated[
    bool | None,
    Rule(_SWITCH.expected, is_bool, sent=False),
    Field(description="Whether to think; None: the default of the model."),
]
ThinkingBudget = Annotated[
    int | None,
    number(1, integer=True),
    Field(description="Maximum tokens of thinking."),
]
ReasoningEffort = Annotated[
    str | None,
    Rule("a string", is_string),
    Field(description="How much to think, for models that support it."),
]
PreserveThinking = Annotated[
    bool | None,
    _SWITCH,
    Field(description="Whether earlier reasoning is sent back and used."),
]
EnableSearch = Annotated[
    bool | None,
    _SWITCH,
    Field(description="Whether the service may search the web."),
]
SearchOptions = Annotated[
    dict[str, Any] | None,
    _OBJECT,
    Field(description="The options of the web search."),
]
Modalities = Annotated[
    list[str] | None,
    Rule("a list of 'text' and 'audio'", are_modalities),
    Field(description="What the answer is: ['text'], or ['text', 'audio']."),
]
Audio = Annotated[
    dict[str, Any] | None,
    Rule("a dict such as {'voice': 'Tina', 'format': 'wav'}", is_voice),
    Field(description="The voice and the format of a spoken answer."),
]
TranslationOptions = Annotated[
    dict[str, Any] | None,
    Rule(
        "a dict such as {'source_lang': 'auto', 'target_lang': 'English'}",
        is_mapping,
    ),
    Field(description="Languages, terms and domain of a Qwen-MT model."),
]
ToolStream = Annotated[
    bool | None,
    _SWITCH,
    Field(
        description="Whether the arguments of tool calls are streamed in pieces. None:"
        " sent with tools for GLM, which needs it."
    ),
]
EnableCodeInterpreter = Annotated[
    bool | None,
    _SWITCH,
    Field(description="Whether the service may run code; it thinks, and streams."),
]
VLHighResolutionImages = Annotated[
    bool | None,
    _SWITCH,
    Field(description="Whether images are seen in the highest resolution."),
]
OcrOptions = Annotated[
    dict[str, Any] | None,
    Rule(
        f"a dict whose task is one of {', '.join(map(repr, OCR_TASKS))}",
        is_ocr_task,
    ),
    Field(description="The built-in task of a Qwen-OCR model."),
]
ContextCache = Annotated[
    Literal["auto"] | None,
    Rule("'auto' or None", lambda value: value == "auto", sent=False),
    Field(
        description="'auto' marks what the explicit cache keeps: the system message,"
        " the last message and the one that ended the turn before."
    ),
]
ForcedToolChoiceRetries = Annotated[
    int,
    Rule("an integer >= 0", number(0, integer=True).accepts, sent=False),
    Field(
        description="How often to ask again, at a price, where a forced tool call did"
        " not come."
    ),
]
ExtraBody = Annotated[
    dict[str, Any] | None,
    Rule(_OBJECT.expected, is_mapping, sent=False),
    Field(description="Parameters that have no argument here, sent unchanged."),
]
LocalFiles = Annotated[
    bool,
    Rule(_SWITCH.expected, is_bool, sent=False),
    Field(description="Whether addresses in messages may be files on this machine."),
]
UploadMedia = Annotated[
    bool,
    Rule(_SWITCH.expected, is_bool, sent=False),
    Field(
        description="Whether local files that are too large for a request are uploaded"
        " to the temporary storage of Model Studio, which is on another host."
    ),
]
ForcedToolChoiceOption = Annotated[
    ForcedToolChoice,
    Rule(
        f"one of {', '.join(map(repr, get_args(ForcedToolChoice)))}",
        lambda value: value in get_args(ForcedToolChoice),
        sent=False,
    ),
    Field(description="What to do if a tool call is forced while the model thinks."),
]
Tools = Annotated[
    Sequence[Mapping[str, object]] | None,
    Rule(
        "a list of dicts in the OpenAI format, such as {'type': 'function', 'function':"
        " {'name': ...}}",
        are_tools,
    ),
    Field(description="Tools in the OpenAI function format."),
]
ToolChoice = Annotated[
    str | Mapping[str, object] | None,
    Rule("a string or a dict", lambda value: isinstance(value, str | Mapping)),
    Field(description="auto, none, required, any, a tool's name, or the OpenAI dict."),
]
_DEFAULT_FORCED_TOOL_CHOICE: Final = "disable_thinking"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """The options of a chat request. ``None`` is the default of the service.

    The type of a field contains its description and its valid values.

    Example:
        >>> ChatOptions(temperature=0.5).override({"top_p": 0.9}).temperature
        0.5
    """

    temperature: Temperature = None
    top_p: TopP = None
    top_k: TopK = None
    max_tokens: MaxTokens = None
    max_completion_tokens: MaxCompletionTokens = None
    stop: Stop = None
    seed: Seed = None
    n: N = None
    presence_penalty: PresencePenalty = None
    repetition_penalty: RepetitionPenalty = None
    logprobs: Logprobs = None
    top_logprobs: TopLogprobs = None
    parallel_tool_calls: ParallelToolCalls = None
    response_format: ResponseFormat = None
    enable_thinking: EnableThinking = None
    thinking_budget: ThinkingBudget = None
    reasoning_effort: ReasoningEffort = None
    preserve_thinking: PreserveThinking = None
    enable_search: EnableSearch = None
    search_options: SearchOptions = None
    modalities: Modalities = None
    audio: Audio = None
    translation_options: TranslationOptions = None
    tool_stream: ToolStream = None
    enable_code_interpreter: EnableCodeInterpreter = None
    vl_high_resolution_images: VLHighResolutionImages = None
    ocr_options: OcrOptions = None
    context_cache: ContextCache = None
    extra_body: ExtraBody = None
    local_files: LocalFiles = False
    upload_media: UploadMedia = False
    forced_tool_choice: ForcedToolChoiceOption = _DEFAULT_FORCED_TOOL_CHOICE
    forced_tool_choice_retries: ForcedToolChoiceRetries = 0
    tools: Tools = None
    tool_choice: ToolChoice = None

    def override(self, call: Mapping[str, object]) -> "ChatOptions":
        """Return a copy in which the options of one call have precedence.

        A call that disables thinking also removes the constructor's
        ``thinking_budget`` and ``reasoning_effort``. A call that sets one of those two
        removes the constructor's other one. One that disables the web search removes
        the constructor's ``search_options``. What a call sets is no longer taken from
        the constructor's ``extra_body``, and what the ``extra_body`` of a call sets not
        from the constructor's arguments.

        Args:
            call: The options of the call by name. None keeps the constructor's value.

        Raises:
            ConfigurationError: A name is not an option.
        """
        options = {name: value for name, value in call.items() if value is not None}
        for name in options:
            if name not in RULES:
                raise unknown_argument(name, OPTION_NAMES)
        in_body = _parameters_in(options.get("extra_body"))
        given = {**in_body, **options}
        if given.get("enable_thinking") is False or given.keys() & THINKING_AMOUNT:
            options = {**dict.fromkeys(THINKING_AMOUNT), **options}
        if given.get("enable_search") is False:
            options = {"search_options": None, **options}
        options = {**dict.fromkeys(in_body), **options}
        if self.extra_body and "extra_body" not in options:
            kept = {k: v for k, v in self.extra_body.items() if k not in options}
            if len(kept) < len(self.extra_body):
                options["extra_body"] = kept
        # The values are checked when the request is planned.
        return replace(self, **cast("dict[str, Any]", options)) if options else self


class ChatOptionArguments(BaseModel):
    """The options as arguments of a constructor, without those for tools."""

    temperature: Temperature = None
    top_p: TopP = None
    top_k: TopK = None
    max_tokens: MaxTokens = None
    max_completion_tokens: MaxCompletionTokens = None
    stop: Stop = None
    seed: Seed = None
    n: N = None
    presence_penalty: PresencePenalty = None
    repetition_penalty: RepetitionPenalty = None
    logprobs: Logprobs = None
    top_logprobs: TopLogprobs = None
    parallel_tool_calls: ParallelToolCalls = None
    response_format: ResponseFormat = None
    enable_thinking: EnableThinking = None
    thinking_budget: ThinkingBudget = None
    reasoning_effort: ReasoningEffort = None
    preserve_thinking: PreserveThinking = None
    enable_search: EnableSearch = None
    search_options: SearchOptions = None
    modalities: Modalities = None
    audio: Audio = None
    translation_options: TranslationOptions = None
    tool_stream: ToolStream = None
    enable_code_interpreter: EnableCodeInterpreter = None
    vl_high_resolution_images: VLHighResolutionImages = None
    ocr_options: OcrOptions = None
    context_cache: ContextCache = None
    extra_body: ExtraBody = None
    local_files: LocalFiles = False
    upload_media: UploadMedia = False
    forced_tool_choice: ForcedToolChoiceOption = _DEFAULT_FORCED_TOOL_CHOICE
    forced_tool_choice_retries: ForcedToolChoiceRetries = 0


OPTION_NAMES: Final = tuple(field.name for field in fields(ChatOptions))
# The options for how much to think. Without thinking they have no effect.
THINKING_AMOUNT: Final = ("thinking_budget", "reasoning_effort")


def _rule_of(name: str, annotation: object) -> Rule:
    for metadata in get_args(annotation):
        if isinstance(metadata, Rule):
            return metadata
    raise TypeError(f"The option {name} has no rule.")


RULES: Final[Mapping[str, Rule]] = {
    name: _rule_of(name, annotation)
    for name, annotation in get_type_hints(ChatOptions, include_extras=True).items()
}
# The options with the name of the parameter that they become.
PARAMETERS: Final = frozenset(
    {*(name for name, rule in RULES.items() if rule.sent), "enable_thinking", "stop"}
)


def _parameters_in(extra_body: object) -> dict[str, object]:
    """Return what an ``extra_body`` has that is an argument, too."""
    if not isinstance(extra_body, Mapping):
        # It is refused when the request is planned.
        return {}
    body = cast("Mapping[str, object]", extra_body)
    return {name: value for name, value in body.items() if name in PARAMETERS}


def value_of(options: ChatOptions, name: str) -> object:
    """Return the value that is sent for an option, also one in ``extra_body``.

    Args:
        options: The options of the request.
        name: The name of the option.
    """
    value, extra = getattr(options, name), options.extra_body
    # It may not be checked yet.
    if value is None and isinstance(extra, Mapping):
        return extra.get(name)
    return value


def wanted_thinking(options: ChatOptions) -> bool | None:
    """Return what the caller wants of thinking, as an argument or in ``extra_body``.

    Args:
        options: The options of the request.
    """
    value = value_of(options, "enable_thinking")
    return value if isinstance(value, bool) else None


def speaks(options: ChatOptions) -> bool:
    """Return whether speech is asked for, as an argument or in ``extra_body``.

    Args:
        options: The options of the request.
    """
    modalities = value_of(options, "modalities")
    return isinstance(modalities, list | tuple) and "audio" in modalities


def answer_count(options: ChatOptions) -> int:
    """Return how many answers are asked for, as an argument or in ``extra_body``.

    Args:
        options: The options of the request.
    """
    number = value_of(options, "n")
    return number if isinstance(number, int) else 1


def format_type(options: ChatOptions) -> str:
    """Return the type of the response format, from the argument or ``extra_body``.

    Args:
        options: The options of the request.
    """
    value = value_of(options, "response_format")
    if not isinstance(value, Mapping):
        return "text"
    return str(cast("Mapping[str, object]", value).get("type", "text"))
