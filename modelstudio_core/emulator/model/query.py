"""What a request asks for, whichever protocol it came over.

Each protocol flattens its body to one shape: the OpenAI names at the top, with
``model`` and ``messages`` beside the parameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from modelstudio_core.catalog import ModelProfile, resolve_model
from modelstudio_core.emulator.json_values import is_array, is_object, text_of

__all__ = ["Ask", "Refusal"]


class Refusal(Exception):  # noqa: N818 - it is an answer of the service, not an error
    """A request that the service refuses.

    Attributes:
        message: The service's words.
        status: The HTTP status.
        code: The OpenAI-compatible protocol's code.
        type: Its type.
        native_code: The native protocol's code.
        native_message: Its words.
        gateway: Whether it is refused before any model sees it: then no answer's id.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = "invalid_parameter_error",
        type: str = "invalid_request_error",  # noqa: A002 - the wire's own word
        native_code: str = "InvalidParameter",
        native_message: str | None = None,
        gateway: bool = False,
    ) -> None:
        """Take the words and the codes; without words of its own it has the same."""
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.type = type
        self.native_code = native_code
        self.native_message = message if native_message is None else native_message
        self.gateway = gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One chat request.

    Attributes:
        body: The flat body.
        profile: What the catalog knows of the model.
        messages: The prompt.
        tools: The tools, each in the OpenAI function shape.
    """

    body: Mapping[str, Any]
    profile: ModelProfile
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """Read a flat body.

        Raises:
            Refusal: It has no model, or its messages or tools are not lists of objects.
        """
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise Refusal("you must provide a model parameter.", code=None)
        return cls(
            body=body,
            profile=resolve_model(model),
            messages=_objects(body, "messages"),
            tools=_objects(body, "tools"),
        )

    @property
    def model(self) -> str:
        """The model's id as it was sent."""
        return str(self.body["model"])

    @property
    def stream(self) -> bool:
        """Whether the answer is to be a stream."""
        return bool(self.body.get("stream"))

    @property
    def includes_usage(self) -> bool:
        """Whether a stream is to end with its token counts."""
        options = self.body.get("stream_options")
        return is_object(options) and bool(options.get("include_usage"))

    @property
    def thinking(self) -> bool:
        """Whether the model thinks: as asked, else as the catalog says."""
        asked = self.body.get("enable_thinking")
        if asked is not None:
            return bool(asked)
        effort = self.body.get("reasoning_effort")
        if self.profile.efforts.get(str(effort)) == "off":
            return False
        return self.profile.thinking in {"only", "hybrid-on"}

    @property
    def response_format(self) -> Mapping[str, Any]:
        """The form of the answer; empty for text."""
        asked = self.body.get("response_format")
        if not is_object(asked) or asked.get("type") == "text":
            return {}
        return asked

    @property
    def forced_tool(self) -> str | None:
        """The form of a forced choice: ``required``, ``named``, or None."""
        choice = self.body.get("tool_choice")
        if is_object(choice):
            return "named"
        return "required" if choice == "required" else None

    @property
    def stops(self) -> Sequence[str]:
        """The texts that end the answer."""
        stop = self.body.get("stop")
        if is_array(stop):
            # The native protocol takes token ids too, which mean nothing here.
            return [text for text in stop if isinstance(text, str)]
        return [stop] if isinstance(stop, str) else []

    def texts(self, *roles: str) -> list[str]:
        """Return the text of each message of these roles."""
        return [
            text_of(message.get("content"))
            for message in self.messages
            if message.get("role") in roles
        ]


def _objects(body: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    value = body.get(name)
    if value is None:
        return []
    if is_array(value) and all(is_object(item) for item in value):
        return value
    raise Refusal(
        f"{name} must be an array of objects - '{name}'",
        code="invalid_value",
        gateway=True,
    )
