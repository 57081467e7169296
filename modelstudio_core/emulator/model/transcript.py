"""Read tool calls and results that an agent sends back as text.

Some agents write the calls of a turn into the assistant's text, and the results into a
user message: "Calling tools:" and "Observation:".
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, content_text
from modelstudio_core.emulator.model.query import ChatQuery

__all__ = ["read_transcript"]

_CALLS: Final = re.compile(r"^\s*Calling tools:")
_CALLED: Final = re.compile(r"['\"]name['\"]\s*:\s*['\"]([\w-]{1,64})['\"]")
_RESULT: Final = re.compile(r"^\s*Observation:\s*")


def read_transcript(query: ChatQuery) -> ChatQuery:
    """Return a request whose written calls and results are calls and results."""
    if not query.tools:
        return query
    messages: Sequence[JsonObject] = [_read(message) for message in query.messages]
    return replace(query, messages=messages)


def _read(message: JsonObject) -> JsonObject:
    text = content_text(message.get("content"))
    role = message.get("role")
    if role == "user" and _RESULT.match(text):
        return {"role": "tool", "content": _RESULT.sub("", text)}
    if role == "assistant" and _CALLS.match(text):
        names = _CALLED.findall(text)
        calls = [{"function": {"name": name}} for name in names]
        return {"role": "assistant", "content": "", "tool_calls": calls}
    return message
