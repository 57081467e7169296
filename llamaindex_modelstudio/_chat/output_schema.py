"""The schema of a structured answer: how it is requested, and how it is parsed."""

# LlamaIndex types only some attributes of its messages and models.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, cast

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.program.utils import FlexibleModel, create_flexible_model
from llama_index.core.types import Model
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from modelstudio_core.chat.messages import ToolCall
from modelstudio_core.chat.option_rules import valid_name
from modelstudio_core.chat.tools import check_root
from modelstudio_core.wire.json_values import check_values

__all__ = ["OutputMethod", "OutputParser", "OutputSchema"]

OutputMethod = Literal["json_schema", "tool", "prompt"]

# Arguments that LlamaIndex's programs set themselves.
_SET_BY_PROGRAMS: Final = ("tool_choice", "tool_required", "allow_parallel_tool_calls")
_MAX_QUOTE_LENGTH: Final = 300


@dataclass(frozen=True, kw_only=True)
class OutputSchema(Generic[Model]):
    """The class of a structured answer, and how the model is asked for it.

    Attributes:
        output_cls: The class.
        method: ``json_schema``: as ``response_format``. ``tool``: as a tool that the
            model must call. ``prompt``: as text in the prompt.
    """

    output_cls: type[Model]
    method: OutputMethod
    _schema: dict[str, Any] = field(init=False, repr=False, compare=False)
    _partial_cls: type[FlexibleModel] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Build once what each chunk of a stream needs."""
        partial_cls = create_flexible_model(self.output_cls)
        object.__setattr__(self, "_partial_cls", partial_cls)
        object.__setattr__(self, "_schema", self.output_cls.model_json_schema())

    # --- The request --------------------------------------------------------------

    def messages(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """Return the prompt; for ``prompt``, with the schema in its text."""
        prompt = list(messages)
        if self.method == "prompt" and prompt:
            index = 0 if prompt[0].role is MessageRole.SYSTEM else -1
            # A copy, because LlamaIndex's parser changes the message.
            message = prompt[index].model_copy(deep=True)
            parser = _SchemaInPrompt(self.output_cls)
            (prompt[index],) = parser.format_messages([message])
        return prompt

    def arguments(self, call: Mapping[str, object]) -> dict[str, Any]:
        """Return the arguments of a call, with those that request the schema.

        Raises:
            ConfigurationError: The root of the class is no object, as a call's is.
        """
        arguments = {
            name: value for name, value in call.items() if name not in _SET_BY_PROGRAMS
        }
        if self.method == "prompt":
            return arguments
        schema = deepcopy(self._schema)
        header = {"name": self.name}
        if "description" in schema:
            header["description"] = schema.pop("description")
        if self.method == "json_schema":
            json_schema = {**header, "schema": schema}
            response_format = {"type": "json_schema", "json_schema": json_schema}
            return {**arguments, "response_format": response_format}
        check_root(self.name, schema, "a tool call")
        function = {**header, "parameters": schema}
        return {
            **arguments,
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": self.name}},
        }

    @property
    def name(self) -> str:
        """The name of the class without characters that the service refuses."""
        return valid_name(self.output_cls.__name__)

    # --- The answer ---------------------------------------------------------------

    @property
    def _brackets(self) -> str:
        """The first and last character of the JSON: a root may be a list."""
        return "[]" if self._schema.get("type") == "array" else "{}"

    def json_text(self, response: ChatResponse) -> str | None:
        """Return the JSON text in a response so far; None if there is none."""
        if self.method == "tool":
            extra = response.message.additional_kwargs
            calls = cast("list[ToolCall] | None", extra.get("tool_calls"))
            return calls[0]["function"]["arguments"] if calls else None
        content = response.message.content or ""
        start = content.find(self._brackets[0])
        return content[start:] if start >= 0 else None

    def parse(self, response: ChatResponse) -> Model:
        """Parse a complete answer.

        Raises:
            ValueError: The answer is not a valid object of the class.
        """
        text = self.json_text(response)
        if text is None:
            missing = "tool call" if self.method == "tool" else "JSON"
            raise self._error(f"there is no {missing} in it", response)
        if self.method != "tool":
            # Models may add a code fence or other text after the JSON.
            text = text[: text.rfind(self._brackets[1]) + 1] or text
        try:
            check_values(text)
            return self.output_cls.model_validate_json(text or "{}")
        except ValueError as error:
            raise self._error(str(error), response) from error

    def parse_partial(self, response: ChatResponse) -> Model | FlexibleModel | None:
        """Parse an incomplete answer; None if no field has arrived yet."""
        try:
            text = self.json_text(response) or ""
            check_values(text)
            value = from_json(text, allow_partial="trailing-strings")
        except ValueError:
            return None
        if not value or not isinstance(value, dict):
            return None
        try:
            return self.output_cls.model_validate(value)
        except ValidationError:
            return self._partial_cls.model_validate(value)

    def _error(self, reason: str, response: ChatResponse) -> ValueError:
        answer = self.json_text(response) or response.message.content or ""
        cut_off = response.additional_kwargs.get("finish_reason") == "length"
        hint = " It was cut off by the token limit: raise max_tokens." * cut_off
        return ValueError(
            f"The model's answer is not a valid {self.output_cls.__name__}: {reason}."
            f"{hint} The answer was: {answer[:_MAX_QUOTE_LENGTH]!r}"
        )


class _SchemaInPrompt(PydanticOutputParser[BaseModel]):
    """Adds the schema to a prompt; LlamaIndex's own version doubles its braces."""

    def format(self, query: str) -> str:
        return f"{query}\n\n{self.get_format_string(escape_json=False)}"


class OutputParser(Generic[Model]):
    """Parses the responses of one stream into objects that grow."""

    __slots__ = ("_last", "_length", "_schema")

    def __init__(self, schema: OutputSchema[Model]) -> None:
        """Parse a stream.

        Args:
            schema: The schema that was requested.
        """
        self._schema = schema
        self._last: BaseModel | None = None
        self._length = 0

    def parse(self, response: ChatResponse) -> Model | FlexibleModel | None:
        """Parse the next response; None if it adds nothing to the object.

        Raises:
            ValueError: It is the last response, and the answer is not a valid object.
        """
        # Only the last response of a stream has a raw answer.
        is_last = response.raw is not None
        schema = self._schema
        parsed = schema.parse(response) if is_last else schema.parse_partial(response)
        if parsed == self._last:
            return None
        self._last = parsed
        return parsed

    def delta(self, response: ChatResponse) -> str:
        """Return the JSON text that the response added."""
        text = self._schema.json_text(response) or ""
        delta, self._length = text[self._length :], len(text)
        return delta
