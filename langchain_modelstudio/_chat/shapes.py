"""Parsers of structured output, for complete answers and for streams."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableGenerator
from langchain_core.runnables.utils import AddableDict
from langchain_core.utils.json import parse_json_markdown, parse_partial_json
from pydantic import BaseModel, InstanceOf
from pydantic.v1 import BaseModel as BaseModelV1
from typing_extensions import override

from langchain_modelstudio._chat.tools import Schema, Tool, to_function
from modelstudio_core.wire.json_values import check_values

__all__ = ["AnswerParser", "shape_of", "with_raw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a structured answer must be.

    Attributes:
        cls: The Pydantic class; None for a dict.
        name: The schema's name.
        required: The keys that a dict must have.
        called: Whether the answer is the arguments of a tool call; otherwise it is the
            text.
        has_tools: Whether the model may call a tool instead.
    """

    cls: type[BaseModel | BaseModelV1] | None
    name: str
    required: Sequence[str]
    called: bool
    has_tools: bool

    def parse(self, message: AIMessage, *, partial: bool = False) -> object:
        """Parse an answer.

        Args:
            message: The answer, or what has arrived of it.
            partial: Whether more chunks may follow.

        Returns:
            A dict or an object of the Pydantic class; None if the model called a tool
            instead, or if a partial answer cannot be parsed yet.

        Raises:
            OutputParserException: The answer is incomplete or does not match.
        """
        if self.has_tools and message.tool_calls:
            return None
        extract = self._from_call if self.called else self._from_text
        try:
            return self._validate(extract(message, partial), partial)
        except (ValueError, RecursionError) as error:
            if partial:
                return None
            raise self._exception(message, error) from error

    def _from_text(self, message: AIMessage, partial: bool) -> object:
        parser = parse_partial_json if partial else _parse_json
        text = str(message.text)
        check_values(text)
        return parse_json_markdown(text, parser=parser)

    def _from_call(self, message: AIMessage, partial: bool) -> object:
        if isinstance(message, AIMessageChunk) and not partial:
            # LangChain repairs truncated arguments in tool_calls, but not in chunks.
            for chunk in message.tool_call_chunks:
                if chunk["name"] == self.name:
                    return _parse_json(chunk["args"] or "{}")
        for call in message.tool_calls:
            if call["name"] == self.name:
                if _is_cut_off(message) and not partial:
                    raise ValueError("The tool call is incomplete.")
                return call["args"]
        errors = [call["error"] for call in message.invalid_tool_calls if call["error"]]
        raise ValueError(" ".join(errors) or "The model did not call the tool.")

    def _validate(self, value: object, partial: bool) -> object:
        if self.cls is not None:
            if issubclass(self.cls, BaseModel):
                return self.cls.model_validate(value)
            return self.cls.parse_obj(value)
        if not isinstance(value, dict):
            raise ValueError("It is not a JSON object.")  # noqa: TRY004 - as the others
        missing = [name for name in self.required if name not in value]
        if missing and not partial:
            raise ValueError(f"Missing keys: {', '.join(missing)}.")
        return cast("dict[str, object]", value)

    def _exception(self, message: AIMessage, error: Exception) -> OutputParserException:
        hint = ""
        if _is_cut_off(message):
            hint = " The answer was cut off: increase max_tokens."
        arguments = [str(call["args"]) for call in message.tool_calls]
        arguments += [call["args"] or "" for call in message.invalid_tool_calls]
        return OutputParserException(
            f"The answer does not match {self.name}. {error}{hint}",
            llm_output=str(message.text) or "\n".join(arguments),
        )


def shape_of(
    schema: Schema | None, method: str, tools: Sequence[Tool] | None = None
) -> Shape:
    """Return the shape of the answer for a schema and a method."""
    function: dict[str, Any] = {"name": "JSON"}
    if schema is not None:
        function = to_function(schema)
    parameters: dict[str, Any] = function.get("parameters") or {}
    cls = None
    if isinstance(schema, type) and issubclass(schema, BaseModel | BaseModelV1):
        cls = schema
    return Shape(
        cls=cls,
        name=function["name"],
        required=parameters.get("required") or (),
        called=method == "function_calling",
        has_tools=bool(tools),
    )


_DECODER: Final = json.JSONDecoder(strict=False)


def _parse_json(text: str) -> object:
    """Parse a complete JSON value and ignore the text after it."""
    check_values(text)
    try:
        return _DECODER.raw_decode(text.lstrip())[0]
    except json.JSONDecodeError as error:
        # parse_json_markdown catches this class, and then looks for a fenced block.
        raise json.JSONDecodeError(
            f"The answer is not valid JSON: {error.msg}", error.doc, error.pos
        ) from None


def _is_cut_off(message: AIMessage) -> bool:
    return message.response_metadata.get("finish_reason") == "length"


class _StreamReader:
    """Adds up the chunks of a stream, and parses the sum only when it is needed."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._chunks: list[AIMessage] = []
        self._last: object = None

    def add(self, chunk: AIMessage) -> Iterator[object]:
        """Add a chunk, and yield the partial answer if it has changed."""
        self.keep(chunk)
        if chunk.text or getattr(chunk, "tool_call_chunks", None):
            yield from self._changed(self._shape.parse(self._sum(), partial=True))

    def end(self) -> Iterator[object]:
        """Yield the complete answer if it has changed.

        Raises:
            OutputParserException: The answer is incomplete or does not match.
        """
        yield from self._changed(self._shape.parse(self._sum()))

    def raw_end(self) -> AddableDict:
        """Return the complete answer, or the reason why there is none."""
        try:
            parsed = self._shape.parse(self._sum())
        except Exception as error:  # noqa: BLE001 - a validator may raise anything
            return AddableDict(parsed=None, parsing_error=error)
        return AddableDict(parsed=parsed, parsing_error=None)

    def keep(self, chunk: AIMessage) -> None:
        """Add a chunk without parsing."""
        self._chunks.append(chunk)

    def _sum(self) -> AIMessage:
        first, *rest = self._chunks
        if rest:
            chunks = cast("list[AIMessageChunk]", rest)
            first = cast("AIMessageChunk", first) + chunks
        self._chunks = [first]
        return first

    def _changed(self, parsed: object) -> Iterator[object]:
        if parsed is not None and parsed != self._last:
            self._last = parsed
            yield parsed


class AnswerParser(BaseTransformOutputParser[object]):
    """Parses an answer; streamed, yields the partial answers too."""

    shape: InstanceOf[Shape]

    @override
    def parse_result(
        self, result: list[Generation], *, partial: bool = False
    ) -> object:
        generation = result[0]
        message = (
            cast("AIMessage", generation.message)
            if isinstance(generation, ChatGeneration)
            else AIMessage(generation.text)
        )
        return self.shape.parse(message, partial=partial)

    @override
    def parse(self, text: str) -> object:
        return self.parse_result([Generation(text=text)])

    @override
    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[object]:
        reader = _StreamReader(self.shape)
        for chunk in cast("Iterator[AIMessage]", input):
            yield from reader.add(chunk)
        yield from reader.end()

    @override
    async def _atransform(
        self, input: AsyncIterator[str | BaseMessage]
    ) -> AsyncIterator[object]:
        reader = _StreamReader(self.shape)
        async for chunk in cast("AsyncIterator[AIMessage]", input):
            for parsed in reader.add(chunk):
                yield parsed
        for parsed in reader.end():
            yield parsed


def with_raw(shape: Shape) -> Runnable[AIMessage, AddableDict]:
    """Return a parser that yields ``raw``, ``parsed`` and ``parsing_error``."""
    parser = _RawParser(shape)
    return RunnableGenerator(parser.transform, parser.atransform)


@dataclass(frozen=True, slots=True)
class _RawParser:
    """Yields each chunk as it arrives, and the parsed answer at the end."""

    shape: Shape

    def transform(self, chunks: Iterator[AIMessage]) -> Iterator[AddableDict]:
        reader = _StreamReader(self.shape)
        for chunk in chunks:
            reader.keep(chunk)
            yield AddableDict(raw=chunk)
        yield reader.raw_end()

    async def atransform(
        self, chunks: AsyncIterator[AIMessage]
    ) -> AsyncIterator[AddableDict]:
        reader = _StreamReader(self.shape)
        async for chunk in chunks:
            reader.keep(chunk)
            yield AddableDict(raw=chunk)
        yield reader.raw_end()
