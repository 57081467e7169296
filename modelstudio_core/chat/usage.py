"""Details of token counts, which both protocols write in several forms."""

from collections.abc import Mapping
from typing import Final

from modelstudio_core.wire.json_values import count_of, object_of

__all__ = ["created_in_cache", "token_details", "tool_counts"]

# What tokens are, and the names of their counts.
_KINDS: Final = tuple(
    (kind, (kind, f"{kind}_tokens")) for kind in ("text", "image", "video", "audio")
)
_NAMES: Final = frozenset(name for _, names in _KINDS for name in names)
_CREATED: Final = frozenset({"cache_creation_input_tokens", "cache_creation"})


def token_details(*details: Mapping[str, object]) -> dict[str, int]:
    """Return the tokens by what they are.

    Args:
        *details: Objects with counts such as ``audio_tokens`` or ``audio``. A later
            one has precedence.

    Example:
        >>> token_details({"image_tokens": 310}, {"image": 310, "text": 214})
        {'text': 214, 'image': 310}
    """
    counts: dict[str, int] = {}
    if all(map(_NAMES.isdisjoint, details)):
        return counts
    for kind, names in _KINDS:
        for values in details:
            for name in names:
                if type(count := values.get(name)) is int:
                    counts[kind] = count
    return counts


def created_in_cache(
    details: Mapping[str, object], raw: Mapping[str, object]
) -> int | None:
    """Return the input tokens that were written to the context cache.

    Args:
        details: The details of the prompt.
        raw: The ``usage`` object.
    """
    for values in (details, raw):
        if _CREATED.isdisjoint(values):
            continue
        count = count_of(values, "cache_creation_input_tokens")
        if count is not None:
            return count
        # By the life of the entry, such as ``ephemeral_5m_input_tokens``.
        if created := object_of(values, "cache_creation"):
            counts = [value for value in created.values() if type(value) is int]
            if counts:
                return sum(counts)
    return None


def tool_counts(tools: Mapping[str, object]) -> dict[str, int]:
    """Return how often the service's own tools were used.

    Args:
        tools: ``plugins`` of the native protocol, or ``x_tools`` of the other.

    Example:
        >>> tool_counts({"search": {"count": 1, "strategy": "turbo"}})
        {'search': 1}
    """
    if not tools:
        return {}
    counts = {
        name: value if type(value) is int else count_of(object_of(tools, name), "count")
        for name, value in tools.items()
    }
    return {name: count for name, count in counts.items() if count is not None}
