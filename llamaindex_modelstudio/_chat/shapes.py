"""The shape of a structured answer: how it is asked for, and how it is read."""

# LlamaIndex has half of the types for its messages and models.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import re
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

__all__ = ["Reader", "Shape", "Way"]

Way = Literal["schema", "tool", "text"]

# What programs of LlamaIndex decide themselves.
_DECIDED: Final = ("tool_choice", "tool_required", "allow_parallel_tool_calls")
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME: Final = 64
_LONGEST_QUOTE: Final = 300


@dataclass(frozen=True, kw_only=True)
class Shape(Generic[Model]):
    """A class that an answer must be of, and the way in which the model is asked.

    Attributes:
        output_cls: The class.
        way: ``schema``: a ``response_format`` that holds it. ``tool``: a tool that must
            be called. ``text``: words in the prompt.
    """

    output_cls: type[Model]
    way: Way
    _schema: dict[str, Any] = field(init=False, repr=False, compare=False)
    _partial_cls: type[FlexibleModel] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make once what each piece of a stream is read with."""
        partial_cls = create_flexible_model(self.output_cls)
        object.__setattr__(self, "_partial_cls", partial_cls)
        object.__setattr__(self, "_schema", self.output_cls.model_json_schema())

    def messages(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """Return the prompt, with what must be said in words."""
        said = list(messages)
        if self.way == "text" and said:
            at = 0 if said[0].role is MessageRole.SYSTEM else -1
            # Parsers write into the message that they are given.
            (said[at],) = _InWords(self.output_cls).format_messages(
                [said[at].model_copy(deep=True)]
            )
        return said

    def arguments(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call, with those that ask for the shape."""
        asked = {name: it for name, it in call.items() if name not in _DECIDED}
        if self.way == "text":
            return asked
        schema = deepcopy(self._schema)
        described = {"name": self.name}
        if "description" in schema:
            described["description"] = schema.pop("description")
        if self.way == "schema":
            json_schema = {**described, "schema": schema}
            response_format = {"type": "json_schema", "json_schema": json_schema}
            return {**asked, "response_format": response_format}
        function = {**described, "parameters": schema}
        return {
            **asked,
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": self.name}},
        }

    @property
    def name(self) -> str:
        """The class's name as the service takes it: generics have brackets."""
        return _NOT_IN_A_NAME.sub("_", self.output_cls.__name__)[:_LONGEST_NAME]

    @property
    def _marks(self) -> str:
        """What the JSON begins and ends with: a class may be a list at its root."""
        return "[]" if self._schema.get("type") == "array" else "{}"

    def text(self, response: ChatResponse) -> str | None:
        """Return the JSON text of a response as far as it came; None for none."""
        if self.way == "tool":
            calls: Any = response.message.additional_kwargs.get("tool_calls")
            return cast("str", calls[0]["function"]["arguments"]) if calls else None
        content = response.message.content or ""
        start = content.find(self._marks[0])
        return content[start:] if start >= 0 else None

    def read(self, response: ChatResponse) -> Model:
        """Read a whole answer.

        Raises:
            ValueError: It is not of the class.
        """
        text = self.text(response)
        if text is None:
            raise self._error("it holds no JSON object", response)
        if self.way != "tool":
            # Some put it between the marks of a code block.
            text = text[: text.rfind(self._marks[1]) + 1] or text
        try:
            return self.output_cls.model_validate_json(text or "{}")
        except ValidationError as error:
            raise self._error(str(error), response) from error

    def read_partial(self, response: ChatResponse) -> Model | FlexibleModel | None:
        """Read an answer as far as it came; None where nothing of it can be seen."""
        try:
            found = from_json(
                self.text(response) or "", allow_partial="trailing-strings"
            )
        except ValueError:
            return None
        if not found or not isinstance(found, dict):
            return None
        try:
            return self.output_cls.model_validate(found)
        except ValidationError:
            return self._partial_cls.model_validate(found)

    def _error(self, why: str, response: ChatResponse) -> ValueError:
        quoted = self.text(response) or response.message.content or ""
        cut_off = response.additional_kwargs.get("finish_reason") == "length"
        hint = " It was cut off: raise max_tokens." if cut_off else ""
        return ValueError(
            f"The model's answer is not a {self.output_cls.__name__}: {why}.{hint} It"
            f" answered: {quoted[:_LONGEST_QUOTE]!r}"
        )


class _InWords(PydanticOutputParser[Any]):
    """Says the schema as it is: LlamaIndex's own doubles its braces."""

    def format(self, query: str) -> str:
        return f"{query}\n\n{self.get_format_string(escape_json=False)}"


class Reader(Generic[Model]):
    """Reads the responses of one stream: the object as far as it came, then whole."""

    __slots__ = ("_last", "_seen", "_shape")

    def __init__(self, shape: Shape[Model]) -> None:
        """Begin with nothing."""
        self._shape = shape
        self._last: BaseModel | None = None
        self._seen = 0

    def read(self, response: ChatResponse) -> Model | FlexibleModel | None:
        """Read the next response; None where it brought nothing new.

        Raises:
            ValueError: It is the last, and the answer is not of the class.
        """
        # Only the last response of a stream has what the service said about it.
        last = response.raw is not None
        shape = self._shape
        found = shape.read(response) if last else shape.read_partial(response)
        if found == self._last:
            return None
        self._last = found
        return found

    def delta(self, response: ChatResponse) -> str:
        """Return the piece of JSON that a response brought."""
        text = self._shape.text(response) or ""
        piece, self._seen = text[self._seen :], len(text)
        return piece
