"""Rules for the messages of one request that follow from its plan.

Each rule takes the messages and returns them, changed where it applies; what was passed
in is not changed. Sources: the pages "Structured output", "Context cache", "Partial
mode" and "Function calling" (October 2026).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from modelstudio_core.chat.messages import Message, Part, join_text, json_instruction
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.chat.tools import log_once

__all__ = ["apply_rules", "ends_with_prefix"]

_Content = str | list[Part]
_MARKER: Final = {"type": "ephemeral"}
# The service keeps the last four markers of a request.
_MAX_MARKERS: Final = 4


def apply_rules(
    messages: Sequence[Message],
    plan: ChatPlan,
    json_schema: Mapping[str, object] | None = None,
) -> list[Message]:
    """Return the messages of a request as its plan wants them.

    - ``partial`` is kept on the last message only: a prefix that was continued is
      history.
    - Several system messages become one for a model that refuses several.
    - For ``json_object`` a prompt without the word "json" gets a sentence that has it.
    - Where ``auto`` stands in for a forced tool choice, a sentence asks for the call.
    - With ``context_cache="auto"`` markers say what the explicit cache keeps.

    Args:
        messages: The prompt. It is not changed.
        plan: The model and the parameters.
        json_schema: What the sentence for ``json_object`` describes, if it is needed.
    """
    changed = [_without_old_prefix(m) for m in messages[:-1]] + list(messages[-1:])
    if plan.model.profile.several_system_messages is False:
        changed = _merge_system_messages(changed)
    if instruction := _json_sentence(changed, plan, json_schema):
        changed = _add_instruction(changed, instruction)
    if plan.call_instruction:
        log_once(
            f"{plan.model.profile.id} cannot be forced to call a tool like that: a"
            " sentence in the system message asks for the call."
        )
        changed = _add_instruction(changed, plan.call_instruction)
    if plan.marks_cache:
        changed = _mark_cache(changed)
    return changed


def ends_with_prefix(messages: Sequence[Message]) -> bool:
    """Whether the last message is the beginning of the answer (partial mode).

    Args:
        messages: The prompt.
    """
    return bool(messages and messages[-1].get("partial"))


def _without_old_prefix(message: Message) -> Message:
    if not message.get("partial"):
        return message
    return cast("Message", {k: v for k, v in message.items() if k != "partial"})


# --- System messages ----------------------------------------------------------------


def _merge_system_messages(messages: list[Message]) -> list[Message]:
    """Merge all system messages into one at the start."""
    system = [message for message in messages if message["role"] == "system"]
    if not system or (len(system) == 1 and messages[0] is system[0]):
        return messages
    content = system[0]["content"]
    for message in system[1:]:
        content = _join(content, message["content"])
    others = [message for message in messages if message["role"] != "system"]
    if not others:
        return messages
    return [{"role": "system", "content": content}, *others]


def _join(first: _Content, second: _Content) -> _Content:
    first, second = join_text(first), join_text(second)
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: _Content) -> list[Part]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content


def _add_instruction(messages: list[Message], instruction: str) -> list[Message]:
    """Add a sentence to the first system message, or one before all others."""
    first = messages[0]
    if first["role"] != "system":
        return [{"role": "system", "content": instruction}, *messages]
    content = _join(first["content"], instruction)
    return [cast("Message", {**first, "content": content}), *messages[1:]]


# --- JSON ---------------------------------------------------------------------------


def _json_sentence(
    messages: Sequence[Message],
    plan: ChatPlan,
    json_schema: Mapping[str, object] | None,
) -> str | None:
    if plan.response_format != "json_object" or not messages:
        return None
    instruction = json_instruction(_instructing_texts(messages), json_schema)
    if instruction:
        log_once(
            'response_format json_object needs the word "json" in a system or user'
            " message: a sentence was added to the system message."
        )
    return instruction


def _instructing_texts(messages: Sequence[Message]) -> Iterator[str]:
    """Yield the texts in which the service looks for the word."""
    for message in messages:
        if message["role"] not in {"system", "user"}:
            continue
        for part in _parts(message["content"]):
            if part["type"] == "text" and isinstance(part["text"], str):
                yield part["text"]


# --- The explicit cache -------------------------------------------------------------


def _mark_cache(messages: list[Message]) -> list[Message]:
    """Mark the system message, the last message and the end of the turn before.

    A message that has a marker already stays as it is.
    """
    marked = sum(map(_markers, messages))
    changed = list(messages)
    for index in _ends(messages):
        if marked >= _MAX_MARKERS:
            break
        if not _markers(messages[index]):
            changed[index] = _with_marker(messages[index])
            marked += 1
    return changed


def _ends(messages: Sequence[Message]) -> Iterator[int]:
    """Yield the positions of the messages to mark, the most useful first."""
    indices = range(len(messages))
    system = [i for i in indices if messages[i]["role"] == "system"]
    if system and messages[system[-1]]["content"]:
        yield system[-1]
    last = len(messages) - 1
    if messages[last]["role"] in {"user", "tool"} and messages[last]["content"]:
        yield last
    answers = [i for i in indices[:-1] if messages[i]["role"] == "assistant"]
    for before in reversed(indices[: answers[-1] + 1] if answers else ()):
        if messages[before]["role"] == "system":
            return
        if messages[before]["content"]:
            yield before
            return


def _markers(message: Message) -> int:
    return sum("cache_control" in part for part in _parts(message["content"]))


def _with_marker(message: Message) -> Message:
    *parts, last = _parts(message["content"])
    marked: dict[str, Any] = {**last, "cache_control": _MARKER}
    return cast("Message", {**message, "content": [*parts, marked]})
