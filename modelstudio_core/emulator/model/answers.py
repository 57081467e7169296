"""Build the answers to a chat request: reasoning, text, tool calls and usage."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from modelstudio_core.emulator.json_values import (
    JsonObject,
    content_text,
    dump,
    is_object,
)
from modelstudio_core.emulator.model.passages import (
    best_sentences,
    find_question,
    significant_words,
)
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.requested_schema import find_schema
from modelstudio_core.emulator.model.schema_values import build_value
from modelstudio_core.emulator.model.schemas import parameters_schema
from modelstudio_core.emulator.model.tokens import (
    Usage,
    count_prompt,
    count_tokens,
    truncate_tokens,
)
from modelstudio_core.emulator.script import Reply

__all__ = ["Answer", "FunctionCall", "build_answers", "build_scripted_answers"]

# Words of many tools' descriptions, which do not tell the tools apart.
_COMMON_TOOL_WORDS: Final = frozenset({"return", "argument", "result"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer (one choice), before a protocol writes it.

    Attributes:
        thinking: Whether the model thinks; only then there may be reasoning.
        reasoning: The reasoning.
        text: The text.
        tool_calls: The tool calls.
        finish_reason: ``stop``, ``length`` or ``tool_calls``; None is left out.
        usage: The tokens of the request and of all of its answers.
        pieces: The text as the pieces that a stream sends. None: the protocol splits
            it.
        logprobs: The entries of log probabilities; None for none.
    """

    thinking: bool
    reasoning: str
    text: str
    tool_calls: Sequence[FunctionCall]
    finish_reason: str | None
    usage: Usage
    pieces: Sequence[str] | None = None
    logprobs: Sequence[Mapping[str, object]] | None = None


def build_answers(query: ChatQuery) -> list[Answer]:
    """Build the answers from the prompt, as many as ``n`` asks for."""
    question = find_question((query.texts("user") or [""])[-1])
    functions = _choose_functions(query, question)
    calls = [_call(query, function, question) for function in functions]
    passages = best_sentences(question, query.texts("system", "user", "assistant"))
    reasoning = _reasoning(question, passages, functions) if query.thinking else ""
    text = "" if calls else _text(query, question, passages)
    answer = Answer(
        thinking=query.thinking,
        reasoning=reasoning,
        text=text,
        tool_calls=calls,
        finish_reason="tool_calls" if calls else "stop",
        usage=Usage(),
    )
    return _with_usage(query, [_truncate(query, answer)] * query.count)


def build_scripted_answers(query: ChatQuery, reply: Reply) -> list[Answer]:
    """Build the answers from a scripted reply, as many as ``n`` asks for."""
    calls = [
        FunctionCall(
            call.id if call.id is not None else _call_id(query, call.name, index),
            call.name,
            _write_arguments(
                call.arguments if call.pieces is None else "".join(call.pieces)
            ),
            call.pieces,
        )
        for index, call in enumerate(reply.tool_calls)
    ]
    has_calls = calls or any("tool_calls" in delta for delta in reply.deltas or ())
    reason = reply.finish_reason or ("tool_calls" if has_calls else "stop")
    answer = Answer(
        thinking=bool(reply.reasoning),
        reasoning=reply.reasoning,
        text=reply.text or "".join(reply.pieces or ()),
        tool_calls=calls,
        finish_reason=None if "finish_reason" in reply.omit else reason,
        usage=Usage(),
        pieces=reply.pieces,
        logprobs=reply.logprobs,
    )
    return _with_usage(query, [answer] * query.count)


# --- Tools ------------------------------------------------------------------------


def _choose_functions(query: ChatQuery, question: str) -> list[JsonObject]:
    """Return the functions to call; none where no tool fits the question."""
    functions = [tool["function"] for tool in query.tools]
    choice = query.body.get("tool_choice")
    if not functions or choice == "none":
        return []
    if is_object(choice):
        name = choice["function"]["name"]
        return [f for f in functions if f["name"] == name]
    words = significant_words(question)
    scores = {f["name"]: len(words & _function_words(f)) for f in functions}
    ranked = sorted(functions, key=lambda f: -scores[f["name"]])
    if choice == "required":
        return ranked[:1]
    if query.messages[-1].get("role") != "user":
        return []
    fitting = [f for f in ranked if scores[f["name"]]]
    return fitting if query.body.get("parallel_tool_calls") else fitting[:1]


def _function_words(function: JsonObject) -> set[str]:
    name = str(function["name"]).replace("_", " ").replace("-", " ")
    words = significant_words(f"{name} {function.get('description') or ''}")
    return words - _COMMON_TOOL_WORDS


def _call(query: ChatQuery, function: JsonObject, question: str) -> FunctionCall:
    schema = parameters_schema(function.get("parameters"))
    arguments = build_value(schema, question)
    name = str(function["name"])
    call_id = _call_id(query, name, len(query.messages))
    return FunctionCall(call_id, name, _write_arguments(arguments))


def _call_id(query: ChatQuery, name: str, index: int) -> str:
    source = f"{dump(query.body)} {name} {index}"
    return f"call_{hashlib.sha256(source.encode()).hexdigest()[:24]}"


def _write_arguments(arguments: object) -> str:
    """Write arguments as models do: with spaces; text stays as it is."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False)


# --- Texts ------------------------------------------------------------------------


def _text(query: ChatQuery, question: str, passages: Sequence[str]) -> str:
    results = _tool_results(query)
    if results:
        text = f"The tool answered: {' '.join(results)}"
    elif passages:
        text = " ".join(passages)
    else:
        text = (
            f"This is the Model Studio emulator in the role of {query.model}. It"
            " answers with sentences of the prompt, and none of them fits the question."
        )
    response_format = query.response_format
    if response_format.get("type") == "json_object":
        requested = find_schema(query.texts("system", "user"))
        return dump(build_value(requested, text) if requested else {"answer": text})
    if response_format.get("type") == "json_schema":
        schema: JsonObject = response_format.get("json_schema", {}).get("schema") or {}
        return dump(build_value(schema, f"{question} {text}", full_text=text))
    return text


def _tool_results(query: ChatQuery) -> list[str]:
    """Return the tool results at the end of the prompt, in their order."""
    results: list[str] = []
    for message in reversed(query.messages):
        if message.get("role") != "tool":
            break
        results.insert(0, content_text(message.get("content")))
    return results


def _reasoning(
    question: str, passages: Sequence[str], functions: Sequence[JsonObject]
) -> str:
    if functions:
        names = ", ".join(str(function["name"]) for function in functions)
        conclusion = f"I should call {names} with what was given."
    elif passages:
        conclusion = (
            f'The prompt says: "{passages[0]}" That fits, so I will answer with it.'
        )
    else:
        conclusion = "The prompt has no passage about it, so I will say that."
    return f'The user asks: "{question}" {conclusion}'


# --- Limits and usage -------------------------------------------------------------


def _truncate(query: ChatQuery, answer: Answer) -> Answer:
    """Apply the request's limits: stop texts first, then numbers of tokens."""
    reasoning, text = answer.reasoning, answer.text
    budget = query.body.get("thinking_budget")
    if budget is not None:
        reasoning = truncate_tokens(reasoning, budget)
    for stop in query.stop_texts:
        text = text.partition(stop)[0] if stop else text
    limit = query.body.get("max_tokens")
    total_limit = query.body.get("max_completion_tokens")
    if total_limit is not None:
        reasoning = truncate_tokens(reasoning, total_limit)
        remaining = total_limit - count_tokens(reasoning)
        limit = remaining if limit is None else min(remaining, limit)
    truncated = text if limit is None else truncate_tokens(text, limit)
    reason = answer.finish_reason if truncated == text else "length"
    return replace(answer, reasoning=reasoning, text=truncated, finish_reason=reason)


def _with_usage(query: ChatQuery, answers: list[Answer]) -> list[Answer]:
    reasoning = sum(count_tokens(answer.reasoning) for answer in answers)
    content = sum(
        count_tokens(answer.text)
        + sum(count_tokens(call.name + call.arguments) for call in answer.tool_calls)
        for answer in answers
    )
    usage = Usage(
        input_tokens=count_prompt(query),
        output_tokens=reasoning + content,
        reasoning_tokens=reasoning if any(a.thinking for a in answers) else None,
    )
    return [replace(answer, usage=usage) for answer in answers]
