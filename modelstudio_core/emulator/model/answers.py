"""Build the answers to a chat request: reasoning, text, tool calls and usage."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, content_text, dump
from modelstudio_core.emulator.model.citations import (
    NumberedPassage,
    cite,
    find_numbered_passages,
)
from modelstudio_core.emulator.model.code_interpreter import run_code
from modelstudio_core.emulator.model.examples import remove_examples
from modelstudio_core.emulator.model.logprobs import build_logprobs
from modelstudio_core.emulator.model.ocr import build_ocr_result
from modelstudio_core.emulator.model.passages import (
    best_sentences,
    find_question,
    remove_instructions,
)
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.requested_schema import (
    asks_for_json,
    find_request,
    find_schema,
)
from modelstudio_core.emulator.model.schema_values import build_value
from modelstudio_core.emulator.model.sound import Speech, build_speech, is_spoken
from modelstudio_core.emulator.model.tokens import (
    Usage,
    count_media,
    count_pages,
    count_prompt,
    count_tokens,
    split_tokens,
    truncate_tokens,
)
from modelstudio_core.emulator.model.tool_calls import (
    FunctionCall,
    build_calls,
    build_scripted_calls,
    choose_functions,
    tool_results,
)
from modelstudio_core.emulator.model.transcript import read_transcript
from modelstudio_core.emulator.script import Reply

__all__ = ["Answer", "build_answers", "build_scripted_answers"]

_QUESTION_MARKS: Final = ("?", "\uff1f")


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
        speech: The sound of the text; None where none is asked for.
        ocr_result: What was read in an image, on the DashScope protocol.
        code: What the code interpreter ran, on the DashScope protocol.
    """

    thinking: bool
    reasoning: str
    text: str
    tool_calls: Sequence[FunctionCall]
    finish_reason: str | None
    usage: Usage
    pieces: Sequence[str] | None = None
    logprobs: Sequence[Mapping[str, object]] | None = None
    speech: Speech | None = None
    ocr_result: JsonObject | None = None
    code: str | None = None

    @property
    def text_pieces(self) -> Sequence[str]:
        """The text as the pieces that a stream sends."""
        return split_tokens(self.text) if self.pieces is None else self.pieces


def build_answers(query: ChatQuery) -> list[Answer]:
    """Build the answers from the prompt, as many as ``n`` asks for."""
    sent, query = query, read_transcript(query)
    question = _find_question(query)
    functions = choose_functions(query, question)
    calls = build_calls(query, functions, question)
    ran = run_code(query, question)
    numbered = find_numbered_passages(query.texts("system", "user", "tool"))
    statements = [passage.text for passage in numbered] or _statements(query)
    passages = best_sentences(question, statements)
    if ran is not None and ran.result is not None:
        passages = [f"The result is {ran.result}."]
    reasoning = _reasoning(question, passages, functions) if query.thinking else ""
    read = build_ocr_result(query)
    text = "" if calls else _text(query, question, passages, numbered)
    answer = Answer(
        thinking=query.thinking,
        reasoning=reasoning,
        text=text if read is None else read[1],
        tool_calls=calls,
        finish_reason="tool_calls" if calls else "stop",
        usage=Usage(),
        ocr_result=None if read is None else read[0],
        code=None if ran is None else ran.code,
    )
    answer = _add_sound(query, _truncate(query, answer))
    logprobs = build_logprobs(query, answer.text)
    answer = replace(answer, logprobs=logprobs)
    return _with_usage(sent, [answer] * query.count)


def build_scripted_answers(query: ChatQuery, reply: Reply) -> list[Answer]:
    """Build the answers from a scripted reply, as many as ``n`` asks for."""
    calls = build_scripted_calls(query, reply.tool_calls)
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
    return _with_usage(query, [_add_sound(query, answer)] * query.count)


def _find_question(query: ChatQuery) -> str:
    text = (query.texts("user") or [""])[-1]
    if not asks_for_json(query.texts("system", "user")):
        return find_question(text)
    rest = remove_examples(text)
    question = find_question(rest)
    if question.endswith(_QUESTION_MARKS):
        return question
    return find_question(remove_instructions(rest) or rest)


def _statements(query: ChatQuery) -> list[str]:
    """Return the texts of the prompt, without the JSON that it asks for."""
    texts = query.texts("system", "user", "assistant")
    if _prefix(query):
        texts.pop()
    if not asks_for_json(query.texts("system", "user")):
        return texts
    return [remove_examples(text) for text in texts]


def _add_sound(query: ChatQuery, answer: Answer) -> Answer:
    if not is_spoken(query) or not answer.text:
        return answer
    digest = hashlib.sha256(dump(query.body).encode()).hexdigest()
    speech = build_speech(answer.text_pieces, f"audio_{digest[:24]}")
    return replace(answer, speech=speech)


# --- Texts ------------------------------------------------------------------------


def _text(
    query: ChatQuery,
    question: str,
    passages: Sequence[str],
    numbered: Sequence[NumberedPassage],
) -> str:
    results = [] if numbered and passages else tool_results(query)
    found = " ".join(results or passages)
    cited = " ".join(cite(sentence, numbered) for sentence in passages)
    text = f"The tool answered: {found}" if results else cited or _no_answer(query)
    if query.body.get("translation_options"):
        text = question
    text = text.removeprefix(_prefix(query)).lstrip()
    kind = query.response_format.get("type")
    prompt = query.texts("system", "user")
    if kind == "json_object":
        schema = find_schema(prompt, question)
        if schema is None:
            return dump({"answer": text})
        return dump(_value(schema, question, found, text))
    if kind == "json_schema":
        given: JsonObject = query.response_format["json_schema"].get("schema") or {}
        return dump(_value(given, question, found, text))
    request = find_request(prompt, question)
    if request is None:
        return text
    value = json.dumps(
        _value(request.schema, question, found, text), ensure_ascii=False, indent=2
    )
    return f"```json\n{value}\n```" if request.fenced else value


def _no_answer(query: ChatQuery) -> str:
    names = ", ".join(query.unread_files)
    unread = f" It reads no text but UTF-8, so nothing of: {names}." if names else ""
    return (
        f"This is the Model Studio emulator in the role of {query.model}. It"
        " answers with sentences of the prompt, and none of them fits the question."
        f"{unread}"
    )


def _value(schema: JsonObject, question: str, found: str, text: str) -> object:
    """Build a value from what was found; without anything, from the question."""
    states = not question.endswith(_QUESTION_MARKS)
    full_text = found or (question if states else text)
    return build_value(
        schema, f"{question}\n{found}".strip(), full_text=full_text, question=question
    )


def _prefix(query: ChatQuery) -> str:
    """Return the beginning of the answer that partial mode gives."""
    last = query.messages[-1] if query.messages else {}
    return content_text(last.get("content")) if last.get("partial") else ""


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
    limit, total_limit = _limits(query)
    if total_limit is not None:
        reasoning = truncate_tokens(reasoning, total_limit)
        remaining = total_limit - count_tokens(reasoning)
        limit = remaining if limit is None else min(remaining, limit)
    truncated = text if limit is None else truncate_tokens(text, limit)
    is_cut = truncated != text or reasoning != _within(answer.reasoning, budget)
    calls = () if is_cut and not text else answer.tool_calls
    reason = "length" if is_cut else answer.finish_reason
    return replace(
        answer,
        reasoning=reasoning,
        text=truncated,
        tool_calls=calls,
        finish_reason=reason,
    )


def _within(reasoning: str, budget: int | None) -> str:
    return reasoning if budget is None else truncate_tokens(reasoning, budget)


def _limits(query: ChatQuery) -> tuple[int | None, int | None]:
    """Return the most tokens of the text, and those of text and reasoning together."""
    limit: int | None = query.body.get("max_tokens")
    total: int | None = query.body.get("max_completion_tokens")
    counts_all = query.profile.max_tokens_includes_thinking
    # A thinking_budget limits the reasoning apart, where the model accepts one.
    if limit is None or not counts_all or query.body.get("thinking_budget"):
        return limit, total
    return None, limit if total is None else min(limit, total)


def _with_usage(query: ChatQuery, answers: list[Answer]) -> list[Answer]:
    reasoning = sum(count_tokens(answer.reasoning) for answer in answers)
    sound = sum(answer.speech.tokens for answer in answers if answer.speech)
    content = sum(
        count_tokens(answer.text)
        + sum(count_tokens(call.name + call.arguments) for call in answer.tool_calls)
        for answer in answers
    )
    usage = Usage(
        input_tokens=count_prompt(query),
        output_tokens=reasoning + content + sound,
        reasoning_tokens=reasoning if any(a.thinking for a in answers) else None,
        media_tokens=count_media(query),
        spoken_tokens=sound,
        pages=count_pages(query),
        runs=sum(answer.code is not None for answer in answers[:1]),
    )
    return [replace(answer, usage=usage) for answer in answers]
