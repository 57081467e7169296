"""Tools, and answers in the shape of a schema."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    SystemMessage,
)
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda
from langchain_core.runnables.utils import AddableDict
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import (
    convert_to_openai_function,
    convert_to_openai_tool,
)
from langchain_core.utils.json import parse_json_markdown, parse_partial_json
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel
from typing_extensions import override

from modelstudio_core.errors import ConfigurationError, unknown_name
from modelstudio_core.messages import json_instruction
from modelstudio_core.options import check_tools

__all__ = [
    "CALL_IS_CHECKED",
    "METHODS",
    "Schema",
    "StructuredOutputMethod",
    "Tool",
    "structured_output",
    "to_response_format",
    "to_tools",
]

Tool = Mapping[str, Any] | type | Callable[..., Any] | BaseTool
Schema = dict[str, Any] | type
StructuredOutputMethod = Literal["function_calling", "json_schema", "json_mode"]
METHODS = ("function_calling", "json_schema", "json_mode")
# An argument of a call: whoever reads the answer sees for himself that a call came.
CALL_IS_CHECKED: Final = "call_is_checked"

_Structured = Runnable[LanguageModelInput, Any]


def to_tools(
    tools: Sequence[Tool], tool_choice: object = None, strict: bool | None = None
) -> list[dict[str, Any]]:
    """Convert tools of any kind that LangChain knows to the wire's shape.

    Raises:
        ConfigurationError: A tool is not a function, or the choice is none of them.
    """
    try:
        converted = [_to_tool(tool, strict) for tool in tools]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(f"tools holds what is no tool: {error}") from error
    check_tools(converted, tool_choice)
    return converted


def _to_tool(tool: Any, strict: bool | None) -> dict[str, Any]:
    """Convert a tool; LangChain takes OpenAI's as it is, and ``strict`` not into it."""
    if isinstance(tool, dict) and cast("Any", tool).get("type") == "function":
        known = cast("dict[str, Any]", tool)
        function = convert_to_openai_function(
            known.get("function", known), strict=strict
        )
        return {"type": "function", "function": function}
    return convert_to_openai_tool(cast("Tool", tool), strict=strict)


def to_response_format(schema: object, strict: bool | None = None) -> Mapping[str, Any]:
    """Convert a schema to a ``response_format``; one is returned as it is.

    Raises:
        ConfigurationError: It is neither.
    """
    if _is_response_format(schema):
        return _stricter(cast("Mapping[str, Any]", schema), strict)
    function = _function(schema, strict)
    described: dict[str, Any] = {
        "name": function["name"],
        "schema": function.get("parameters") or {"type": "object", "properties": {}},
    }
    if function.get("description"):
        described["description"] = function["description"]
    if strict is not None:
        described["strict"] = strict
    return {"type": "json_schema", "json_schema": described}


def _stricter(asked: Mapping[str, Any], strict: bool | None) -> Mapping[str, Any]:
    """Say ``strict`` in a ``response_format`` that does not say it."""
    described: Mapping[str, Any] = asked.get("json_schema") or {}
    if strict is None or described.get("strict") == strict:
        return asked
    if not described or "strict" in described:
        raise ConfigurationError(
            f"strict={strict} contradicts the response_format {asked}: drop one."
        )
    return {**asked, "json_schema": {**described, "strict": strict}}


def _is_response_format(schema: Any) -> bool:
    kinds = ("text", "json_object", "json_schema")
    return isinstance(schema, dict) and cast("Any", schema).get("type") in kinds


def _function(schema: Any, strict: bool | None = None) -> dict[str, Any]:
    """Return the name, the description and the parameters of a schema."""
    if isinstance(schema, dict):
        schema = _bare(cast("dict[str, Any]", schema))
    try:
        return cast("dict[str, Any]", _to_tool(schema, strict)["function"])
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(
            "schema must be a Pydantic class, a TypedDict, a JSON schema with a title,"
            f" or an OpenAI function: {error}"
        ) from error


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """Take a schema out of OpenAI's ``response_format``, and make it a function."""
    named = schema.get("json_schema", schema)
    if not isinstance(named.get("schema"), dict):
        return schema
    told = {k: named[k] for k in ("description", "strict") if k in named}
    return {"name": named.get("name"), "parameters": named["schema"], **told}


# --- Structured output ------------------------------------------------------------


def structured_output(
    llm: BaseChatModel,
    schema: Schema | None,
    *,
    method: StructuredOutputMethod,
    include_raw: bool = False,
    strict: bool | None = None,
    tools: Sequence[Tool] | None = None,
    **bound: Any,
) -> _Structured:
    """Return what asks a model for a schema and reads the answer as that.

    Raises:
        ConfigurationError: An argument is wrong, or two contradict each other.
    """
    _check(schema, method, strict, tools)
    shape = _shape(schema, method, tools)
    bound["ls_structured_output_format"] = {
        "kwargs": {"method": method, "strict": strict},
        "schema": _bare(schema) if isinstance(schema, dict) else schema,
    }
    match method:
        case "function_calling":
            asking = _forcing(llm, cast("Schema", schema), strict, bound)
        case "json_schema":
            response_format = to_response_format(schema, strict)
            asking = llm.bind_tools(
                cast("Any", tools or []), response_format=response_format, **bound
            )
        case "json_mode":
            response_format = {"type": "json_object"}
            asking = RunnableLambda(_saying_json(llm, schema)) | llm.bind(
                response_format=response_format, **bound
            )
    return asking | (_with_raw(shape) if include_raw else _AnswerParser(shape=shape))


def _check(schema: object, method: str, strict: object, tools: object) -> None:
    if method not in METHODS:
        raise unknown_name("method", str(method), METHODS)
    if schema is None and method != "json_mode":
        raise ConfigurationError(f"method={method!r} needs a schema: pass one.")
    if strict is not None and method == "json_mode":
        raise ConfigurationError(
            "strict has no meaning with method='json_mode': use 'json_schema'."
        )
    if tools and method != "json_schema":
        raise ConfigurationError(
            f"tools cannot be combined with method={method!r}: use 'json_schema'."
        )


def _forcing(
    llm: BaseChatModel, schema: Schema, strict: bool | None, bound: dict[str, Any]
) -> Runnable[LanguageModelInput, AIMessage]:
    function = _function(schema, strict)
    tool = {"type": "function", "function": function}
    bound[CALL_IS_CHECKED] = True
    return llm.bind_tools([tool], tool_choice=function["name"], **bound)


def _saying_json(
    llm: BaseChatModel, schema: Schema | None
) -> Callable[[LanguageModelInput], list[BaseMessage]]:
    """Return the step that says the word the service demands, where it is missing."""
    wanted = None if schema is None else _function(schema).get("parameters")

    def say(prompt: LanguageModelInput) -> list[BaseMessage]:
        messages = llm._convert_input(prompt).to_messages()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public twin
        texts = [str(message.text) for message in messages]
        instruction = json_instruction(texts, wanted)
        return _instructed(messages, instruction) if instruction else messages

    return say


def _instructed(messages: list[BaseMessage], instruction: str) -> list[BaseMessage]:
    """Add an instruction: the service takes one system message, and that first."""
    first = messages[0] if messages else None
    if not (
        isinstance(first, SystemMessage)
        or (isinstance(first, ChatMessage) and first.role == "system")
    ):
        return [SystemMessage(instruction), *messages]
    content = (
        f"{first.content}\n\n{instruction}"
        if isinstance(first.content, str)
        else [*first.content, {"type": "text", "text": instruction}]
    )
    return [first.model_copy(update={"content": content}), *messages[1:]]


# --- Answers ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
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


def _shape(
    schema: Schema | None, method: str, tools: Sequence[Tool] | None = None
) -> _Shape:
    function: dict[str, Any] = {"name": "JSON"} if schema is None else _function(schema)
    is_class = isinstance(schema, type) and is_basemodel_subclass(schema)
    parameters: Mapping[str, Any] = function.get("parameters") or {}
    return _Shape(
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
    """What has come of a stream so far."""

    def __init__(self, shape: _Shape) -> None:
        self._shape = shape
        self._whole: Any = None
        self._last: Any = None

    def add(self, chunk: AIMessage) -> None:
        self._whole = chunk if self._whole is None else self._whole + chunk

    def so_far(self) -> Iterator[Any]:
        """Yield what is new, if anything is."""
        yield from self._changed(self._shape.read(self._whole, partial=True))

    def end(self) -> Iterator[Any]:
        """Yield the whole if it is new, and see that it is one."""
        yield from self._changed(self._shape.read(self._whole))

    def raw_end(self) -> AddableDict:
        """Return the whole, or why there is none."""
        try:
            return AddableDict(parsed=self._shape.read(self._whole), parsing_error=None)
        except Exception as error:  # noqa: BLE001 - a class may check what it likes
            return AddableDict(parsed=None, parsing_error=error)

    def _changed(self, parsed: Any) -> Iterator[Any]:
        if parsed is not None and parsed != self._last:
            self._last = parsed
            yield parsed


class _AnswerParser(BaseTransformOutputParser[Any]):
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
            reading.add(chunk)
            yield from reading.so_far()
        yield from reading.end()

    @override
    async def _atransform(self, input: AsyncIterator[Any]) -> AsyncIterator[Any]:
        reading = _Reading(self.shape)
        async for chunk in input:
            reading.add(chunk)
            for parsed in reading.so_far():
                yield parsed
        for parsed in reading.end():
            yield parsed


def _message(result: list[Generation]) -> AIMessage:
    generation = result[0]
    if isinstance(generation, ChatGeneration):
        return cast("AIMessage", generation.message)
    return AIMessage(generation.text)


def _with_raw(shape: _Shape) -> Runnable[Any, Any]:
    """Keep the message beside what was made of it, and the reason if nothing was."""

    def read(chunks: Iterator[AIMessage]) -> Iterator[AddableDict]:
        reading = _Reading(shape)
        for chunk in chunks:
            reading.add(chunk)
            yield AddableDict(raw=chunk)
        yield reading.raw_end()

    async def aread(chunks: AsyncIterator[AIMessage]) -> AsyncIterator[AddableDict]:
        reading = _Reading(shape)
        async for chunk in chunks:
            reading.add(chunk)
            yield AddableDict(raw=chunk)
        yield reading.raw_end()

    return RunnableGenerator(read, aread)
