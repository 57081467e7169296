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
# It is in no secret, nor a line break within one.
_BETWEEN: Final = "\0"


def without_secrets(value: Any, hide: Callable[[str], str]) -> Any:
    """Return a value if it holds no secret, else a copy without it.

    The answer itself is not searched.

    Args:
        value: JSON: the body of a response, or a part of it.
        hide: Returns a text without secrets, the same one if it has none.

    Example:
        >>> without_secrets({"id": "a", "content": "a"}, lambda text: text.upper())
        {'content': 'a', 'id': 'A'}
    """
    if isinstance(value, str):
        return hide(value)
    texts = _searched_texts(value)
    if texts is not None:
        # Nearly always there is no secret, and one search is enough.
        joined = _BETWEEN.join(texts)
        if not texts or hide(joined) is joined:
            return value
    return _without(value, hide, 0)


def _searched_texts(value: object) -> list[str] | None:
    """Return the texts that may hold a secret.

    None: they are nested too deeply, or are in something that no JSON parser makes.
    """
    texts: list[str] = []
    containers = [value]
    for _ in range(_MAX_DEPTH):
        inner: list[object] = []
        for container in containers:
            if type(container) is dict:
                _sort_fields(cast("dict[str, object]", container), texts, inner)
            elif type(container) is list:
                _sort_items(cast("list[object]", container), texts, inner)
            else:
                return None
        if not inner:
            return texts
        containers = inner
    return None


def _sort_fields(
    fields: dict[str, object], texts: list[str], others: list[object]
) -> None:
    for name, value in fields.items():
        if name not in _NAMES:
            if name in _ANSWER:
                continue
            texts.append(name)
        if type(value) is str:
            texts.append(value)
        elif type(value) not in _NUMBERS:
            others.append(value)


def _sort_items(items: list[object], texts: list[str], others: list[object]) -> None:
    for item in items:
        if type(item) is str:
            texts.append(item)
        elif type(item) not in _NUMBERS:
            others.append(item)


def _without(value: Any, hide: Callable[[str], str], depth: int) -> Any:
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
    hidden = [_without(item, hide, depth) for item in items]
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
            new = _without(value, hide, depth)
        if new is value and new_name is name:
            continue
        hidden = {**fields} if hidden is None else hidden
        del hidden[name]
        hidden[new_name] = new
    return fields if hidden is None else hidden
