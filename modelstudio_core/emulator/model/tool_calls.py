"""Choose the tools that an answer calls, and build their calls."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from modelstudio_core.emulator.json_values import (
    JsonObject,
    content_text,
    dump,
    is_object,
)
from modelstudio_core.emulator.model.passages import significant_words, split_sentences
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.schema_values import build_value
from modelstudio_core.emulator.model.schemas import (
    as_schema,
    parameters_schema,
    type_of,
)
from modelstudio_core.emulator.script import ToolCall

__all__ = [
    "FunctionCall",
    "build_calls",
    "build_scripted_calls",
    "choose_functions",
    "tool_results",
]

# Words of many tools' descriptions, which do not tell the tools apart.
_COMMON_TOOL_WORDS: Final = frozenset({"return", "argument", "result"})
# A sentence that asks for a call, whatever the question is.
_ASKS: Final = re.compile(
    r"\b(?:call|calling|use|using|invoke|invoking)\b", re.IGNORECASE
)
_OBLIGES: Final = re.compile(
    r"\b(?:must|always|need to|have to|answer|respond|reply|finish|final|finally"
    r"|end)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A tool call of an answer.

    Attributes:
        id: The call's id.
        name: The tool's name.
        arguments: The arguments as JSON text.
        pieces: The arguments as the pieces that a stream sends. None: the protocol
            splits them.
    """

    id: str
    name: str
    arguments: str
    pieces: Sequence[str] | None = None


def choose_functions(query: ChatQuery, question: str) -> list[JsonObject]:
    """Return the functions to call; none where no tool fits the question.

    A tool is called once in a turn: ``required`` goes on to the next one after a
    result, and where all have answered, the answer is a text. So each loop of an agent
    ends.
    """
    functions: list[JsonObject] = [tool["function"] for tool in query.tools]
    choice = query.body.get("tool_choice")
    if not functions or choice == "none" or _withholds_calls(query):
        return []
    if is_object(choice):
        name = choice["function"]["name"]
        return [f for f in functions if f["name"] == name]
    called = _called_tools(query)
    left = [f for f in functions if f["name"] not in called]
    words = significant_words(question)
    scores = {f["name"]: len(words & _function_words(f)) for f in functions}
    ranked = sorted(left, key=lambda f: -scores[f["name"]])
    if choice == "required":
        return ranked[:1]
    fitting = [f for f in ranked if scores[f["name"]]]
    if called or not fitting:
        return _asked_for(query, left)[:1]
    return fitting if query.body.get("parallel_tool_calls") else fitting[:1]


def _withholds_calls(query: ChatQuery) -> bool:
    """Return whether the model returns no calls, for want of ``tool_stream``.

    The page "Function calling" says so of GLM (2026-11-27); where the parameter is not
    given, it is that model's default.
    """
    return bool(query.profile.tool_stream) and query.body.get("tool_stream") is False


def _called_tools(query: ChatQuery) -> set[object]:
    """Return the names of the tools that were called since the last user message."""
    called: set[object] = set()
    for message in reversed(query.messages):
        if message.get("role") == "user":
            break
        called |= {_function(call).get("name") for call in _calls(message)}
    return called


def _calls(message: JsonObject) -> Sequence[JsonObject]:
    calls: Sequence[JsonObject] = message.get("tool_calls") or ()
    return calls


def _function(call: JsonObject) -> JsonObject:
    function: JsonObject = call.get("function") or {}
    return function


def _function_words(function: JsonObject) -> set[str]:
    name = str(function["name"]).replace("_", " ").replace("-", " ")
    words = significant_words(f"{name} {function.get('description') or ''}")
    return words - _COMMON_TOOL_WORDS


def _asked_for(query: ChatQuery, functions: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the functions that a sentence of the prompt says must be called."""
    sentences = [
        sentence
        for text in query.texts("system", "user")
        for sentence in split_sentences(text)
        if _ASKS.search(sentence) and _OBLIGES.search(sentence)
    ]
    return [
        function
        for function in functions
        if any(_names(sentence, function["name"]) for sentence in sentences)
    ]


def _names(sentence: str, name: str) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", sentence))


def tool_results(query: ChatQuery) -> list[str]:
    """Return the texts of the tool results that end the prompt, in their order."""
    results: list[str] = []
    for message in reversed(query.messages):
        if message.get("role") != "tool":
            break
        results.insert(0, content_text(message.get("content")))
    return [text for text in results if text]


# --- Calls ----------------------------------------------------------------------------


def build_calls(
    query: ChatQuery, functions: Sequence[JsonObject], question: str
) -> list[FunctionCall]:
    """Build a call of each function, with arguments from the prompt."""
    results = "\n".join(tool_results(query))
    return [_call(query, function, question, results) for function in functions]


def _call(
    query: ChatQuery, function: JsonObject, question: str, results: str
) -> FunctionCall:
    schema = parameters_schema(function.get("parameters"))
    text = f"{question}\n{results}".strip()
    arguments = _write_arguments(
        build_value(schema, text, full_text=results or question, question=question)
    )
    name = str(function["name"])
    call_id = _call_id(query, name, len(query.messages))
    pieces = None if _streams_arguments(query, schema) else (arguments,)
    return FunctionCall(call_id, name, arguments, pieces)


def _streams_arguments(query: ChatQuery, schema: JsonObject) -> bool:
    """Return whether a stream sends arguments in pieces.

    Those of a tool that takes an array or an object arrive in one piece, unless
    ``tool_stream`` asks for pieces (Chat, 2026-09-15).
    """
    properties = as_schema(schema.get("properties"))
    kinds = {type_of(as_schema(value)) for value in properties.values()}
    return bool(query.body.get("tool_stream")) or kinds.isdisjoint({"array", "object"})


def build_scripted_calls(
    query: ChatQuery, calls: Sequence[ToolCall]
) -> list[FunctionCall]:
    """Build the calls of a scripted reply."""
    return [
        FunctionCall(
            call.id if call.id is not None else _call_id(query, call.name, index),
            call.name,
            _write_arguments(
                call.arguments if call.pieces is None else "".join(call.pieces)
            ),
            call.pieces,
        )
        for index, call in enumerate(calls)
    ]


def _call_id(query: ChatQuery, name: str, index: int) -> str:
    source = f"{dump(query.body)} {name} {index}"
    return f"call_{hashlib.sha256(source.encode()).hexdigest()[:24]}"


def _write_arguments(arguments: object) -> str:
    """Write arguments as models do: with spaces; text stays as it is."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False)
