"""A chat request in the shape that both protocols share.

Each protocol flattens its body to one shape: the parameters by their OpenAI names, with
``model`` and ``messages`` beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.emulator.json_values import (
    JsonObject,
    content_text,
    is_array,
    is_object,
)

__all__ = ["ChatQuery"]

_MAX_ANSWERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatQuery:
    """A parsed chat request.

    Attributes:
        body: The flat body.
        profile: The catalog's profile of the model.
        messages: The messages.
        tools: The tools, each in the OpenAI function shape.
        resolves_uploads: Whether a header allows ``oss://`` URLs.
        unread_files: The names of files that the emulator has no text of.
    """

    body: JsonObject
    profile: ChatProfile
    messages: Sequence[JsonObject]
    tools: Sequence[JsonObject]
    resolves_uploads: bool = False
    unread_files: Sequence[str] = ()

    @property
    def model(self) -> str:
        """The model's id as the request has it."""
        return str(self.body["model"])

    @property
    def count(self) -> int:
        """How many answers the request asks for, from 1 to 4."""
        number = self.body.get("n")
        return min(max(number, 1), _MAX_ANSWERS) if isinstance(number, int) else 1

    @property
    def stream(self) -> bool:
        """Whether the request asks for a stream."""
        return bool(self.body.get("stream"))

    @property
    def includes_usage(self) -> bool:
        """Whether a stream ends with the token counts."""
        options = self.body.get("stream_options")
        return is_object(options) and bool(options.get("include_usage"))

    @property
    def thinking(self) -> bool:
        """Whether the model thinks: by the request, else by the catalog."""
        enabled = self.body.get("enable_thinking")
        if enabled is not None:
            return bool(enabled)
        effort = self.body.get("reasoning_effort")
        if self.profile.efforts.get(str(effort)) == "off":
            return False
        return self.profile.thinking in {"only", "hybrid-on"}

    @property
    def response_format(self) -> JsonObject:
        """The ``response_format``; empty for text."""
        value = self.body.get("response_format")
        if not is_object(value) or value.get("type") == "text":
            return {}
        return value

    @property
    def forced_tool(self) -> str | None:
        """How ``tool_choice`` forces a call: ``required``, ``named``, or None."""
        choice = self.body.get("tool_choice")
        if is_object(choice):
            return "named"
        return "required" if choice == "required" else None

    @property
    def stop_texts(self) -> Sequence[str]:
        """The texts that end the answer."""
        stop = self.body.get("stop")
        if is_array(stop):
            # The DashScope protocol also accepts token ids, which are ignored here.
            return [text for text in stop if isinstance(text, str)]
        return [stop] if isinstance(stop, str) else []

    def texts(self, *roles: str) -> list[str]:
        """Return the text of each message that has one of these roles."""
        return [
            content_text(message.get("content"))
            for message in self.messages
            if message.get("role") in roles
        ]
