"""Estimates of the tokens of a text or a request before it is sent."""

from collections.abc import Mapping
from typing import Final, cast

__all__ = ["Estimator", "estimate_tokens", "tokens_of_bytes"]

# English has 4 to 5 bytes a token, Chinese 3 to 5 in UTF-8: rather too many tokens are
# estimated than too few.
_BYTES_PER_TOKEN: Final = 3
_MEDIA_TOKENS: Final = 1000
_MEDIA: Final = ("data:", "http://", "https://", "oss://")
# Of an answer before the first one has come.
_FIRST_ANSWER: Final = 500
# How much one answer changes the average.
_WEIGHT: Final = 0.1
_LIMITS: Final = ("max_completion_tokens", "max_tokens")


def tokens_of_bytes(size: int) -> int:
    """Estimate the tokens of a text, rather too many than too few.

    Args:
        size: How many bytes it has in UTF-8.
    """
    return size // _BYTES_PER_TOKEN


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text of its own; an empty one has one.

    Example:
        >>> estimate_tokens("How tall is the tower?")
        8
    """
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return tokens_of_bytes(size) + 1


class Estimator:
    """Estimates tokens, and learns how many the answers have."""

    def __init__(self) -> None:
        """Begin without answers."""
        self._answers: dict[str, float] = {}

    def estimate(self, path: str, body: Mapping[str, object] | None) -> int:
        """Return the estimated tokens of a request and its answer.

        Args:
            path: The path of the request.
            body: Its JSON body; None if it has none.
        """
        if body is None:
            return 0
        return _count(body) + self._answer(path, body)

    def learn(self, path: str, output: int) -> None:
        """Add an answer to the average of its path.

        Args:
            path: The path of the request.
            output: The tokens of the answer without the input.
        """
        average = self._answers.get(path, float(output))
        self._answers[path] = average + _WEIGHT * (output - average)

    def _answer(self, path: str, body: Mapping[str, object]) -> int:
        source = body.get("input")
        inner = cast("Mapping[str, object]", source if _is_dict(source) else {})
        if "messages" not in body and "messages" not in inner:
            return 0
        nested = body.get("parameters")
        options = cast("Mapping[str, object]", nested if _is_dict(nested) else body)
        limits = [n for key in _LIMITS if type(n := options.get(key)) is int]
        average = self._answers.get(path)
        if average is not None:
            limits.append(round(average))
        return min(limits, default=_FIRST_ANSWER)


def _is_dict(value: object) -> bool:
    return isinstance(value, Mapping)


def _count(value: object) -> int:
    match value:
        case str():
            if value.startswith(_MEDIA):
                return _MEDIA_TOKENS
            return estimate_tokens(value)
        case Mapping():
            return sum(map(_count, cast("Mapping[str, object]", value).values()))
        case list() | tuple():
            return sum(map(_count, cast("list[object]", value)))
        case _:
            return 0
