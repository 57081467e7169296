"""What an answer must be, and how it is read: whole, or as far as it came."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableGenerator
from langchain_core.runnables.utils import AddableDict
from langchain_core.utils.json import parse_json_markdown, parse_partial_json
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel
from typing_extensions import override

from langchain_modelstudio._chat.tools import Schema, Tool, function_of

__all__ = ["AnswerParser", "shape_of", "with_raw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an answer must be.

    Attributes:
        cls: The Pydantic class; None for a dict.
        name: The schema's name.
        required: The keys that a dict must have.
        called: Whether it is the arguments of a call, else it is the text.
        has_tools: Whether a call of a tool may come in its place.
    """

    cls: Any
    name: str
    required: Sequence[str]
    called: bool
    has_tools: bool

    def read(self, message: AIMessage, *, partial: bool = False) -> Any:
        """Return what a message says; None for a call in its place, or nothing yet.

        Raises:
            OutputParserException: The answer is not whole, or not of this shape.
        """
        if self.has_tools and message.tool_calls:
            return None
        find = self._in_call if self.called else self._in_text
        try:
            return self._shaped(find(message, partial), partial)
        except ValueError as error:
            if partial:
                return None
            raise self._refusal(message, error) from error

    def _in_text(self, message: AIMessage, partial: bool) -> Any:
        parse = parse_partial_json if partial else _whole_json
        return parse_json_markdown(str(message.text), parser=parse)

    def _in_call(self, message: AIMessage, partial: bool) -> Any:
        if isinstance(message, AIMessageChunk) and not partial:
            # LangChain mends arguments that are cut off: these are as they came.
            for chunk in message.tool_call_chunks:
                if chunk["name"] == self.name:
                    return _whole_json(chunk["args"] or "{}")
        for call in message.tool_calls:
            if call["name"] == self.name:
                if _is_cut_off(message) and not partial:
                    raise ValueError("The call may not be whole.")
                return call["args"]
        broken = [str(it["error"]) for it in message.invalid_tool_calls if it["error"]]
        raise ValueError(" ".join(broken) or "The model answered without a call.")

    def _shaped(self, found: Any, partial: bool) -> Any:
        if self.cls is not None:
            is_new = issubclass(self.cls, BaseModel)
            return (self.cls.model_validate if is_new else self.cls.parse_obj)(found)
        if not isinstance(found, dict):
            raise ValueError("It is no JSON object.")  # noqa: TRY004 - as all the others
        missing = [name for name in self.required if name not in found]
        if missing and not partial:
            raise ValueError(f"It lacks {', '.join(missing)}.")
        return cast("Any", found)

    def _refusal(self, message: AIMessage, error: ValueError) -> OutputParserException:
        why = " It was cut off: raise max_tokens." if _is_cut_off(message) else ""
        said = [str(it["args"]) for it in message.tool_calls] + [
            it["args"] or "" for it in message.invalid_tool_calls
        ]
        return OutputParserException(
            f"There is no answer in the shape of {self.name}. {error}{why}",
            llm_output=str(message.text) or "\n".join(said),
        )


def shape_of(
    schema: Schema | None, method: str, tools: Sequence[Tool] | None = None
) -> Shape:
    """Return what an answer must be, for a schema and the way it is asked for."""
    function: dict[str, Any] = (
        {"name": "JSON"} if schema is None else function_of(schema)
    )
    is_class = isinstance(schema, type) and is_basemodel_subclass(schema)
    parameters: Mapping[str, Any] = function.get("parameters") or {}
    return Shape(
        cls=schema if is_class else None,
        name=function["name"],
        required=parameters.get("required") or (),
        called=method == "function_calling",
        has_tools=bool(tools),
    )


_DECODER: Final = json.JSONDecoder(strict=False)


def _whole_json(text: str) -> Any:
    """Parse JSON that must be whole; what follows it does not matter."""
    try:
        return _DECODER.raw_decode(text.lstrip())[0]
    except json.JSONDecodeError as error:
        # Of the same class: LangChain looks for a fence around the JSON then.
        raise json.JSONDecodeError(
            f"The answer is not JSON: {error.msg}", error.doc, error.pos
        ) from None


def _is_cut_off(message: AIMessage) -> bool:
    return message.response_metadata.get("finish_reason") == "length"


class _Reading:
    """What has come of a stream so far, put together when it is looked at."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._chunks: list[Any] = []
        self._last: Any = None

    def add(self, chunk: AIMessage) -> Iterator[Any]:
        """Take the next chunk, and yield what is new, if anything is."""
        self.keep(chunk)
        if chunk.text or getattr(chunk, "tool_call_chunks", None):
            yield from self._changed(self._shape.read(self._whole(), partial=True))

    def end(self) -> Iterator[Any]:
        """Yield the whole if it is new, and see that it is one."""
        yield from self._changed(self._shape.read(self._whole()))

    def raw_end(self) -> AddableDict:
        """Return the whole, or why there is none."""
        try:
            parsed = self._shape.read(self._whole())
        except Exception as error:  # noqa: BLE001 - a class may check what it likes
            return AddableDict(parsed=None, parsing_error=error)
        return AddableDict(parsed=parsed, parsing_error=None)

    def keep(self, chunk: AIMessage) -> None:
        """Take the next chunk without a look at it."""
        self._chunks.append(chunk)

    def _whole(self) -> Any:
        first, *rest = self._chunks
        self._chunks = [first + rest if rest else first]
        return self._chunks[0]

    def _changed(self, parsed: Any) -> Iterator[Any]:
        if parsed is not None and parsed != self._last:
            self._last = parsed
            yield parsed


class AnswerParser(BaseTransformOutputParser[Any]):
    """Read an answer: what there is of it while it streams, and the whole at last."""

    shape: Any

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        return self.shape.read(_message(result), partial=partial)

    @override
    def parse(self, text: str) -> Any:
        return self.parse_result([Generation(text=text)])

    @override
    def _transform(self, input: Iterator[Any]) -> Iterator[Any]:
        reading = _Reading(self.shape)
        for chunk in input:
            yield from reading.add(chunk)
        yield from reading.end()

    @override
    async def _atransform(self, input: AsyncIterator[Any]) -> AsyncIterator[Any]:
        reading = _Reading(self.shape)
        async for chunk in input:
            for parsed in reading.add(chunk):
                yield parsed
        for parsed in reading.end():
            yield parsed


def _message(result: list[Generation]) -> AIMessage:
    generation = result[0]
    if isinstance(generation, ChatGeneration):
        return cast("AIMessage", generation.message)
    return AIMessage(generation.text)


def with_raw(shape: Shape) -> Runnable[Any, Any]:
    """Keep the message beside what was made of it, and the reason if nothing was."""
    raw = _Raw(shape)
    return RunnableGenerator(raw.read, raw.aread)


@dataclass(frozen=True, slots=True)
class _Raw:
    """Hands on the chunks as they come, and the verdict at last."""

    shape: Shape

    def read(self, chunks: Iterator[AIMessage]) -> Iterator[AddableDict]:
        reading = _Reading(self.shape)
        for chunk in chunks:
            reading.keep(chunk)
            yield AddableDict(raw=chunk)
        yield reading.raw_end()

    async def aread(
        self, chunks: AsyncIterator[AIMessage]
    ) -> AsyncIterator[AddableDict]:
        reading = _Reading(self.shape)
        async for chunk in chunks:
            reading.keep(chunk)
            yield AddableDict(raw=chunk)
        yield reading.raw_end()
