"""Play a model: decide what is thought, said and called, whichever the protocol."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from modelstudio_core.chat.events import Usage
from modelstudio_core.emulator.json_values import dump, is_object, text_of
from modelstudio_core.emulator.model.passages import (
    best_sentences,
    find_question,
    significant_words,
)
from modelstudio_core.emulator.model.query import Ask
from modelstudio_core.emulator.model.requested_schema import find_schema
from modelstudio_core.emulator.model.schema_values import instance_of
from modelstudio_core.emulator.model.tokens import (
    count_prompt,
    count_tokens,
    limit_tokens,
)
from modelstudio_core.emulator.script import Reply

__all__ = ["Answer", "Call", "perform", "play"]

_SAID_OF_EVERY_TOOL: Final = frozenset({"return", "argument", "result"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is answered: each of its parts is text.

    Attributes:
        id: The call's id.
        name: The tool's name.
        arguments: JSON text.
        pieces: How a stream cuts the arguments; None: the protocol decides.
    """

    id: str
    name: str
    arguments: str
    pieces: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer, ready to be written in a protocol.

    Attributes:
        thinking: Whether the model thought; then there may be reasoning.
        reasoning: What it thought.
        text: What it says.
        calls: The tools that it calls.
        finish_reason: ``stop``, ``length`` or ``tool_calls``; None is left out.
        usage: The tokens of the request and of all of its answers.
        pieces: How a stream cuts the text; None: the protocol decides.
        logprobs: The entries of log probabilities, None for none.
    """

    thinking: bool
    reasoning: str
    text: str
    calls: Sequence[Call]
    finish_reason: str | None
    usage: Usage
    pieces: Sequence[str] | None = None
    logprobs: Sequence[Mapping[str, Any]] | None = None


def play(ask: Ask) -> list[Answer]:
    """Answer a request out of its own prompt: as many answers as it asks for."""
    question = find_question((ask.texts("user") or [""])[-1])
    tools = _choose_tools(ask, question)
    calls = [_call(ask, tool, question) for tool in tools]
    passages = best_sentences(question, ask.texts("system", "user", "assistant"))
    reasoning = _reasoning(question, passages, tools) if ask.thinking else ""
    text = "" if calls else _text(ask, question, passages)
    answer = Answer(
        thinking=ask.thinking,
        reasoning=reasoning,
        text=text,
        calls=calls,
        finish_reason="tool_calls" if calls else "stop",
        usage=Usage(0, 0, 0),
    )
    return _counted(ask, [_limited(ask, answer)] * (ask.body.get("n") or 1))


def perform(ask: Ask, reply: Reply) -> list[Answer]:
    """Answer a request with a scripted reply."""
    calls = [
        Call(
            call.id if call.id is not None else _call_id(ask, call.name, index),
            call.name,
            _arguments(call.arguments if call.pieces is None else "".join(call.pieces)),
            call.pieces,
        )
        for index, call in enumerate(reply.tool_calls)
    ]
    called = calls or any("tool_calls" in delta for delta in reply.deltas or ())
    reason = reply.finish_reason or ("tool_calls" if called else "stop")
    answer = Answer(
        thinking=bool(reply.reasoning),
        reasoning=reply.reasoning,
        text=reply.text or "".join(reply.pieces or ()),
        calls=calls,
        finish_reason=None if "finish_reason" in reply.omit else reason,
        usage=Usage(0, 0, 0),
        pieces=reply.pieces,
        logprobs=reply.logprobs,
    )
    return _counted(ask, [answer] * (ask.body.get("n") or 1))


# --- Tools ------------------------------------------------------------------------


def _choose_tools(ask: Ask, question: str) -> list[Mapping[str, Any]]:
    """Decide which tools are called, none included."""
    functions = [tool["function"] for tool in ask.tools if "function" in tool]
    choice = ask.body.get("tool_choice")
    if not functions or choice == "none":
        return []
    if is_object(choice):
        name = choice["function"]["name"]
        return [f for f in functions if f["name"] == name]
    asked = significant_words(question)
    fits = {f["name"]: len(asked & _words_of(f)) for f in functions}
    ranked = sorted(functions, key=lambda f: -fits[f["name"]])
    if choice == "required":
        return ranked[:1]
    if ask.messages[-1].get("role") != "user":
        return []
    fitting = [f for f in ranked if fits[f["name"]]]
    return fitting if ask.body.get("parallel_tool_calls") else fitting[:1]


def _words_of(function: Mapping[str, Any]) -> set[str]:
    name = str(function["name"]).replace("_", " ").replace("-", " ")
    words = significant_words(f"{name} {function.get('description') or ''}")
    return words - _SAID_OF_EVERY_TOOL


def _call(ask: Ask, function: Mapping[str, Any], question: str) -> Call:
    parameters: Mapping[str, Any] = function.get("parameters") or {}
    arguments = instance_of({"type": "object", **parameters}, question)
    name = str(function["name"])
    return Call(_call_id(ask, name, len(ask.messages)), name, _arguments(arguments))


def _call_id(ask: Ask, name: str, index: int) -> str:
    seed = f"{dump(dict(ask.body))} {name} {index}"
    return f"call_{hashlib.sha256(seed.encode()).hexdigest()[:24]}"


def _arguments(value: Mapping[str, Any] | str) -> str:
    """Write arguments as models do: with blanks."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- Words ------------------------------------------------------------------------


def _text(ask: Ask, question: str, passages: Sequence[str]) -> str:
    results = _tool_results(ask)
    if results:
        said = f"The tool answered: {' '.join(results)}"
    elif passages:
        said = " ".join(passages)
    else:
        said = (
            f"This is the Model Studio emulator in the role of {ask.model}. It answers"
            " with sentences of the prompt, and none of them fits the question."
        )
    form = ask.response_format
    if form.get("type") == "json_object":
        asked = find_schema(ask.texts("system", "user"))
        return dump(instance_of(asked, said) if asked else {"answer": said})
    if form.get("type") == "json_schema":
        schema: Mapping[str, Any] = form.get("json_schema", {}).get("schema") or {}
        return dump(instance_of(schema, f"{question} {said}", whole=said))
    return said


def _tool_results(ask: Ask) -> list[str]:
    """Return the results at the end of the prompt, in their order."""
    results: list[str] = []
    for message in reversed(ask.messages):
        if message.get("role") != "tool":
            break
        results.insert(0, text_of(message.get("content")))
    return results


def _reasoning(
    question: str, passages: Sequence[str], tools: Sequence[Mapping[str, Any]]
) -> str:
    if tools:
        names = ", ".join(str(tool["name"]) for tool in tools)
        found = f"I should call {names} with what was given."
    elif passages:
        found = f'The prompt says: "{passages[0]}" That fits, so I will answer with it.'
    else:
        found = "The prompt has no passage about it, so I will say that."
    return f'The user asks: "{question}" {found}'


# --- Limits and usage -------------------------------------------------------------


def _limited(ask: Ask, answer: Answer) -> Answer:
    """Cut the answer where the request says: stop texts, then counts of tokens."""
    budget, both = (
        ask.body.get("thinking_budget"),
        ask.body.get("max_completion_tokens"),
    )
    reasoning, text = answer.reasoning, answer.text
    if budget is not None:
        reasoning = limit_tokens(reasoning, budget)
    for stop in ask.stops:
        text = text.partition(stop)[0] if stop else text
    limit = ask.body.get("max_tokens")
    if both is not None:
        reasoning = limit_tokens(reasoning, both)
        left = both - count_tokens(reasoning)
        limit = left if limit is None else min(left, limit)
    short = text if limit is None else limit_tokens(text, limit)
    cut = short != text
    reason = "length" if cut else answer.finish_reason
    return replace(answer, reasoning=reasoning, text=short, finish_reason=reason)


def _counted(ask: Ask, answers: list[Answer]) -> list[Answer]:
    reasoning = sum(count_tokens(answer.reasoning) for answer in answers)
    said = sum(
        count_tokens(answer.text)
        + sum(count_tokens(call.name + call.arguments) for call in answer.calls)
        for answer in answers
    )
    prompt = count_prompt(ask)
    usage = Usage(
        input_tokens=prompt,
        output_tokens=reasoning + said,
        total_tokens=prompt + reasoning + said,
        reasoning_tokens=reasoning if any(a.thinking for a in answers) else None,
        cached_tokens=0,
    )
    return [replace(answer, usage=usage) for answer in answers]
