"""The events of an answer, the same for both protocols.

Parsers return them; the adapters and ``Completion`` read them. With ``n > 1`` the
events of several choices are mixed: ``choice`` is the number of an event's choice, from
0. Sources: the official page "OpenAI compatible - Chat" (September 2026), the official
DashScope API reference (spring 2026), and exchanges recorded from 2024 to August 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, TypedDict

__all__ = [
    "AudioDelta",
    "Citation",
    "Citations",
    "ContentParts",
    "Event",
    "Finish",
    "Problem",
    "ReasoningDelta",
    "TextDelta",
    "ToolCallDelta",
    "Usage",
    "usage_of_text",
]


@dataclass(slots=True)
class ReasoningDelta:
    """An increment of the reasoning, which comes before the answer."""

    text: str
    choice: int = 0


@dataclass(slots=True)
class TextDelta:
    """An increment of the text of the answer."""

    text: str
    choice: int = 0


@dataclass(slots=True)
class ToolCallDelta:
    """An increment of a tool call.

    Attributes:
        index: The number of the call in the answer, from 0.
        id: The id of the call, in one increment of the call only; else None.
        name: The name of the tool, in one increment of the call only; else None.
        arguments: The next part of the JSON text of the arguments, unchanged.
        choice: The number of the choice.
    """

    index: int
    id: str | None
    name: str | None
    arguments: str
    choice: int = 0


@dataclass(slots=True)
class AudioDelta:
    """An increment of the sound of an answer. Its words are in ``TextDelta`` events.

    Attributes:
        data: The next part of the sound in base64. The parts can be joined as text.
        transcript: The next words of the transcript, as the service sent them.
        fields: What else the service sent, each once: ``id``, ``expires_at``, ``url``.
        choice: The number of the choice.
    """

    data: str = ""
    transcript: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    choice: int = 0


@dataclass(slots=True)
class ContentParts:
    """All parts of an answer that are neither text nor sound, in one event.

    Attributes:
        parts: By the service's own name, such as ``image`` or ``ocr_result``: the
            value; a list of the values if there are several.
        choice: The number of the choice.
    """

    parts: Mapping[str, Any]
    choice: int = 0


class Citation(TypedDict):
    """A result of the service's web search. Any key may be missing.

    Attributes:
        index: The number that the text of the answer cites it by, from 1.
        title: The title of the page.
        url: The URL of the page.
        site_name: The name of the site.
        icon: The URL of the icon of the site.
    """

    index: int
    title: str
    url: str
    site_name: str
    icon: str


@dataclass(slots=True)
class Citations:
    """All results of the web search for an answer, in one event."""

    results: list[Citation]
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """The token counts of a response. ``None`` means that the service sent no count.

    Attributes:
        input_tokens: Tokens of the prompt, including cached tokens.
        output_tokens: Tokens of the answer, including reasoning.
        total_tokens: Input and output tokens together.
        reasoning_tokens: Output tokens that are reasoning.
        cached_tokens: Input tokens that were read from the context cache.
        cache_creation_tokens: Input tokens that were written to the context cache.
        input_details: Input tokens by what they are: of ``text``, ``image``,
            ``video``, ``audio``.
        output_details: Output tokens by what they are.
        tool_counts: How often the service's own tools were used, by their names; for
            ``pdf_page_parser``, the number of pages.
        raw: The object that the service sent.

    Example:
        >>> usage = Usage(input_tokens=10, output_tokens=5, total_tokens=15)
        >>> usage.reasoning_tokens is None
        True
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cache_creation_tokens: int | None = None
    input_details: Mapping[str, int] = field(
        default_factory=dict[str, int], hash=False, kw_only=True
    )
    output_details: Mapping[str, int] = field(
        default_factory=dict[str, int], hash=False, kw_only=True
    )
    tool_counts: Mapping[str, int] = field(
        default_factory=dict[str, int], hash=False, kw_only=True
    )
    raw: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)


_new: Final = object.__new__
# They write one field each. ``Usage(...)`` looks for each field by its name, which
# takes twice as long, and each row of a large run has a usage.
(
    _set_input,
    _set_output,
    _set_total,
    _set_reasoning,
    _set_cached,
    _set_created,
    _set_input_details,
    _set_output_details,
    _set_tools,
    _set_raw,
) = (getattr(Usage, each.name).__set__ for each in fields(Usage))


def usage_of_text(
    input_tokens: int,
    output_tokens: int,
    total_tokens: int,
    reasoning_tokens: int,
    cached_tokens: int,
    *,
    raw: Mapping[str, object],
) -> Usage:
    """Return what ``Usage`` with the same arguments is, in half the time.

    Args:
        input_tokens: As in ``Usage``, like all others.
        output_tokens: Tokens of the answer.
        total_tokens: Both together.
        reasoning_tokens: Output tokens that are reasoning.
        cached_tokens: Input tokens from the context cache.
        raw: The object that the service sent.
    """
    usage = _new(Usage)
    _set_input(usage, input_tokens)
    _set_output(usage, output_tokens)
    _set_total(usage, total_tokens)
    _set_reasoning(usage, reasoning_tokens)
    _set_cached(usage, cached_tokens)
    _set_created(usage, None)
    _set_input_details(usage, {})
    _set_output_details(usage, {})
    _set_tools(usage, {})
    _set_raw(usage, raw)
    return usage


# What is odd about a complete answer.
Problem = Literal["tool_call_missing", "tool_call_in_reasoning", "tool_call_in_content"]


@dataclass(slots=True)
class Finish:
    """The end of a choice, with the metadata of the response.

    Attributes:
        finish_reason: ``"stop"``, ``"length"``, ``"tool_calls"`` or another value of
            the service; None if it sent none.
        raw_finish_reason: The value as it was sent.
        usage: The token counts of the response; None if the service sent none.
        request_id: The id to give to the support of Alibaba Cloud.
        response_id: The id of the answer; None on the native protocol.
        model: The model id in the response; None on the native protocol.
        created: Seconds since 1970 (Unix time); None on the native protocol.
        logprobs: The log probabilities of the tokens of the answer; None without
            ``logprobs=True``.
        tool_info: The service's built-in tools that were used, such as the code
            interpreter; None on the OpenAI-compatible protocol.
        raw: The response as it was sent; for a stream the fields that its chunks share.
        choice: The number of the choice.
        problems: ``"tool_call_missing"``: the finish reason is ``tool_calls`` and there
            is no call. ``"tool_call_in_reasoning"`` or ``"tool_call_in_content"``: the
            model wrote a call as text.
    """

    finish_reason: str | None
    raw_finish_reason: str | None
    usage: Usage | None
    request_id: str | None
    response_id: str | None
    model: str | None
    created: int | None
    logprobs: list[dict[str, Any]] | None
    tool_info: list[dict[str, Any]] | None
    raw: dict[str, Any]
    choice: int = 0
    problems: tuple[Problem, ...] = ()


Event = (
    ReasoningDelta
    | TextDelta
    | ToolCallDelta
    | AudioDelta
    | ContentParts
    | Citations
    | Finish
)
