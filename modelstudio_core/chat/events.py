"""What an answer is made of, whichever protocol it came over.

Parsers emit these, adapters and ``Completion`` consume them. An answer with several
choices interleaves them: each event says which ``choice`` it belongs to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

__all__ = [
    "Citation",
    "Citations",
    "Event",
    "Finish",
    "ReasoningDelta",
    "TextDelta",
    "ToolCallDelta",
    "Usage",
]


@dataclass(slots=True)
class ReasoningDelta:
    """A piece of what the model thinks before it answers."""

    text: str
    choice: int = 0


@dataclass(slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str
    choice: int = 0


@dataclass(slots=True)
class ToolCallDelta:
    """A piece of a tool call.

    Attributes:
        index: Which call of the answer: 0, 1, … in the order of their beginning.
        id: The call's id, once; None on every later piece.
        name: The tool's name, once; None on every later piece.
        arguments: The next piece of the arguments' JSON text, verbatim.
        choice: Which choice of the answer.
    """

    index: int
    id: str | None
    name: str | None
    arguments: str
    choice: int = 0


class Citation(TypedDict):
    """A page that the service's own web search found; keys may be missing.

    Attributes:
        index: The number by which the answer's text refers to it, from 1.
        title: The page's title.
        url: Its address.
        site_name: The name of its site.
        icon: The address of the site's icon.
    """

    index: int
    title: str
    url: str
    site_name: str
    icon: str


@dataclass(slots=True)
class Citations:
    """The pages that an answer rests on, all of them at once."""

    results: list[Citation]
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that were billed. ``None`` means that the service did not say.

    Attributes:
        input_tokens: Tokens of the prompt, cached ones included.
        output_tokens: Tokens of the answer, reasoning included.
        total_tokens: Both.
        reasoning_tokens: Those of the output that were thinking.
        cached_tokens: Those of the input that were read from the context cache.
        cache_creation_tokens: Those of the input that were written to it.
        raw: The service's own words.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cache_creation_tokens: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)


@dataclass(slots=True)
class Finish:
    """The end of a choice, and what is known of the whole response.

    Attributes:
        finish_reason: ``stop``, ``length``, ``tool_calls`` or another word of the
            service; None where it gave none.
        raw_finish_reason: The same as it was sent.
        usage: Tokens; None where the service did not say.
        request_id: The id to quote to Alibaba Cloud's support.
        response_id: The answer's own id.
        model: The model that answered, by its own word.
        created: When, in seconds since 1970; None on the native protocol.
        logprobs: The log probabilities of the answer's tokens, where asked for.
        tool_info: The service's own tools that it ran, such as its code interpreter;
            they are told on the native protocol only.
        raw: The response as it was sent; of a stream what its chunks have in common.
        choice: Which choice of the answer.
    """

    finish_reason: str | None
    raw_finish_reason: str | None
    usage: Usage | None
    request_id: str | None
    response_id: str | None
    model: str | None
    created: int | None
    logprobs: list[Any] | None
    tool_info: list[Any] | None
    raw: dict[str, Any]
    choice: int = 0


Event = ReasoningDelta | TextDelta | ToolCallDelta | Citations | Finish
