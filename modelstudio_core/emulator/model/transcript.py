"""Read tool calls and results that an agent sends back in messages of other roles.

Some agents write the calls of a turn into the assistant's text, and the results into a
user message: "Calling tools:" and "Observation:". What a tool returned and the service
accepts from a user only, such as an image, is in a user message behind the results, and
each has the label "Returned by the tool ...:".
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from modelstudio_core.emulator.json_values import (
    JsonObject,
    content_text,
    is_array,
    objects,
)
from modelstudio_core.emulator.model.query import ChatQuery

__all__ = ["read_transcript"]

_CALLS: Final = re.compile(r"^\s*Calling tools:")
_CALLED: Final = re.compile(r"['\"]name['\"]\s*:\s*['\"]([\w-]{1,64})['\"]")
_RESULT: Final = re.compile(r"^\s*Observation:\s*")
_LABEL: Final = re.compile(r"Returned by (?:the tool .*|a tool|the assistant):")


def read_transcript(query: ChatQuery) -> ChatQuery:
    """Return a request whose calls and results are calls and results by their roles."""
    messages: Sequence[JsonObject] = [
        _read_labelled(message) for message in query.messages
    ]
    if query.tools:
        messages = [_read_text(message) for message in messages]
    return replace(query, messages=messages)


def _read_labelled(message: JsonObject) -> JsonObject:
    """Make a result of a user message whose texts are labels only."""
    content = message.get("content")
    if message.get("role") != "user" or not is_array(content):
        return message
    lines = content_text(content).splitlines()
    if not lines or not all(_LABEL.fullmatch(line) for line in lines):
        return message
    shown = [part for part in objects(content) if "text" not in part]
    return {"role": "tool", "content": shown}


def _read_text(message: JsonObject) -> JsonObject:
    text = content_text(message.get("content"))
    role = message.get("role")
    if role == "user" and _RESULT.match(text):
        return {"role": "tool", "content": _RESULT.sub("", text)}
    if role == "assistant" and _CALLS.match(text):
        names = _CALLED.findall(text)
        calls = [{"function": {"name": name}} for name in names]
        return {"role": "assistant", "content": "", "tool_calls": calls}
    return message
