"""Metadata of answers without secrets, which a service may repeat at any place."""

import operator
from collections.abc import Callable
from typing import Any, Final, cast

from modelstudio_core.redaction import PLACEHOLDER

__all__ = ["without_secrets"]

# What the model wrote or read, which is not searched.
_ANSWER: Final = frozenset(
    {
        "audio",
        "content",
        "document",
        "embedding",
        "function_call",
        "logprobs",
        "reasoning",
        "reasoning_content",
        "search_results",
        "sparse_embedding",
        "text",
        "tool_calls",
    }
)
# The names of nearly all fields, which are no secrets.
_NAMES: Final = frozenset(
    {
        "cached_tokens",
        "choices",
        "completion_tokens",
        "completion_tokens_details",
        "created",
        "delta",
        "finish_reason",
        "id",
        "image_tokens",
        "index",
        "input_tokens",
        "input_tokens_details",
        "message",
        "model",
        "object",
        "output",
        "output_tokens",
        "output_tokens_details",
        "prompt_tokens",
        "prompt_tokens_details",
        "reasoning_tokens",
        "relevance_score",
        "request_id",
        "role",
        "service_tier",
        "system_fingerprint",
        "text_index",
        "text_tokens",
        "total_tokens",
        "usage",
    }
)
_NUMBERS: Final = frozenset({int, float, bool, type(None)})
# No body of the service is nested as deeply.
_MAX_DEPTH: Final = 64


def without_secrets(value: Any, hide: Callable[[str], str], depth: int = 0) -> Any:
    """Return a value if it holds no secret, else a copy without it.

    The answer itself is not searched.

    Args:
        value: JSON: the body of a response, or a part of it.
        hide: Returns a text without secrets, the same one if it has none.
        depth: How deeply the value is nested.

    Example:
        >>> without_secrets({"id": "a", "content": "a"}, lambda text: text.upper())
        {'content': 'a', 'id': 'A'}
    """
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return _dict_without(fields, hide, depth + 1)
    if isinstance(value, list):
        return _list_without(cast("list[object]", value), hide, depth + 1)
    return cast("object", value)


def _list_without(
    items: list[object], hide: Callable[[str], str], depth: int
) -> list[object] | str:
    if depth > _MAX_DEPTH:
        return PLACEHOLDER
    hidden = [without_secrets(item, hide, depth) for item in items]
    return items if all(map(operator.is_, items, hidden)) else hidden


def _dict_without(
    fields: dict[str, Any], hide: Callable[[str], str], depth: int
) -> dict[str, Any] | str:
    if depth > _MAX_DEPTH:
        return PLACEHOLDER
    # Nearly always there is none, and nothing is copied.
    hidden: dict[str, Any] | None = None
    for name, value in fields.items():
        new_name, new = name, value
        if name not in _NAMES:
            if name in _ANSWER:
                continue
            new_name = hide(name)
        if type(value) not in _NUMBERS:
            new = without_secrets(value, hide, depth)
        if new is value and new_name is name:
            continue
        hidden = {**fields} if hidden is None else hidden
        del hidden[name]
        hidden[new_name] = new
    return fields if hidden is None else hidden
