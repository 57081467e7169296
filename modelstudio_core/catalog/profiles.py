"""What is known of a model, as a type."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

__all__ = ["ModelProfile", "NativePath", "Thinking"]

Thinking = Literal["hybrid-on", "hybrid-off", "only", "never"]
NativePath = Literal["text-generation", "multimodal-generation", "image-generation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """What is known of one model. ``None`` means that it is not known.

    Attributes:
        id: The id that is sent.
        ids: The exact ids of the family that this entry describes.
        aliases: Other names for the first of them.
        prefix: The beginning of the ids of the family; empty for exact ids only.
        context_window: Tokens of prompt and answer together.
        max_output: The most tokens of one answer.
        max_thinking: The most tokens of thinking, which ``thinking_budget`` may set.
        thinking: ``"hybrid-on"`` and ``"hybrid-off"`` can be switched and begin on or
            off; ``"only"`` and ``"never"`` cannot.
        streams_only: It answers only as a stream.
        streams_thinking_only: The same, for requests that think.
        inputs: What a prompt may hold: of text, image, video, audio.
        outputs: What an answer holds: text, or image.
        tools: Whether it calls tools; ``"not-thinking"``: only while not thinking.
        forced_tool_choice: The forms of ``tool_choice`` that force a call and that it
            takes while not thinking: of ``"named"`` and ``"required"``.
        structured_output: The ``response_format`` types that it takes.
        structured_output_while_thinking: The same, while thinking.
        structured_output_with_tools: Whether it takes them together with tools, and
            still calls those.
        search: Whether it takes ``enable_search``.
        cache: Whether it has a context cache.
        partial: Whether it continues a prefix (partial mode).
        regions: The region ids that serve it.
        modes: The deployment modes that serve it.
        native_path: The path of the native protocol that answers for it.
        defaults: What the service takes for a parameter that is not sent.
        refused: Parameters that cannot be set.
        efforts: ``reasoning_effort`` as given → as sent. ``"off"`` on the right
            switches thinking off; empty where there is no such parameter.
        preserves_thinking: Whether ``preserve_thinking`` is on unless switched off.
        wants_reasoning_on_tool_turns: It refuses an assistant turn with tool calls that
            has no ``reasoning_content``, an empty one included.
        released: The day of release.
        delisted: The day that it was taken off.
        source: Where the facts come from; empty for a model that is not known.
        checked: The day that the source was read.
    """

    id: str = ""
    ids: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    prefix: str = ""
    context_window: int | None = None
    max_output: int | None = None
    max_thinking: int | None = None
    thinking: Thinking | None = None
    streams_only: bool = False
    streams_thinking_only: bool = False
    inputs: frozenset[str] = frozenset({"text"})
    outputs: frozenset[str] = frozenset({"text"})
    tools: bool | Literal["not-thinking"] | None = None
    forced_tool_choice: frozenset[str] | None = None
    structured_output: frozenset[str] | None = None
    structured_output_while_thinking: frozenset[str] | None = None
    structured_output_with_tools: bool | None = None
    search: bool | None = None
    cache: bool | None = None
    partial: bool | None = None
    regions: tuple[str, ...] | None = None
    modes: tuple[str, ...] | None = None
    native_path: NativePath = "text-generation"
    defaults: Mapping[str, float] = field(default_factory=dict[str, float], hash=False)
    refused: frozenset[str] = frozenset()
    efforts: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    preserves_thinking: bool = False
    wants_reasoning_on_tool_turns: bool = False
    released: date | None = None
    delisted: date | None = None
    source: str = ""
    checked: date | None = None

    @property
    def known(self) -> bool:
        """Whether the catalog has this model or its family."""
        return bool(self.source)

    @property
    def default_thinking(self) -> bool | None:
        """Whether it thinks unless told; None where that cannot be switched or told."""
        return {"hybrid-on": True, "hybrid-off": False}.get(self.thinking or "")
