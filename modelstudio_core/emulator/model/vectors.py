"""Deterministic vectors, in which contents with words in common are near.

Each word adds 1 or -1 at some positions of the vector, which follow from its hash. An
image or a video has the words of its file's name.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, is_array

__all__ = ["content_words", "dense_vector", "relevance", "sparse_vector", "words_of"]

# A word of letters and digits; a character of a language without spaces is a word.
_WORD: Final = re.compile(
    r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W_\u3040-\u30ff\u4e00-\u9fff]+"
)
_POSITIONS_PER_WORD: Final = 16
_VOCABULARY: Final = 246_000
# What an instruction or the text type changes is small beside the words.
_SMALL: Final = 0.1
# The length of the vectors of a model whose vectors are not normalized (recorded).
_UNNORMALIZED_LENGTH: Final = 80.0


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without a plural's ``s``.

    Example:
        >>> words_of("Red foxes, 2 cats!")
        ['red', 'foxe', '2', 'cat']
    """
    return [_stem(word) for word in _WORD.findall(text.casefold())]


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word  # noqa: PLR2004 - "is", "as", "gas"


def content_words(content: Mapping[str, object]) -> list[str]:
    """Return the words of one content object: of its text, and of its files' names."""
    words: list[str] = []
    for kind, value in content.items():
        values: list[object] = value if is_array(value) else [value]
        for part in values:
            text = str(part)
            if kind == "text":
                words += words_of(text)
            elif text.startswith("data:"):
                words.append(sha256(text.encode()).hexdigest()[:12])
            else:
                words += words_of(text.rpartition("/")[2].partition(".")[0])
    return words


def dense_vector(
    words: Iterable[str],
    dimension: int,
    *,
    normalized: bool = True,
    small_words: Sequence[str] = (),
) -> list[float]:
    """Return a dense vector.

    Args:
        words: The words of the content.
        dimension: The length of the vector.
        normalized: Whether its norm is 1.
        small_words: Words that count less, such as those of an instruction.
    """
    vector = [0.0] * dimension
    weights = Counter[str](words)
    for word, weight in (*weights.items(), *((w, _SMALL) for w in small_words)):
        for position, sign in _positions(word):
            vector[position % dimension] += weight * sign
    length = math.sqrt(sum(x * x for x in vector)) or 1.0
    scale = (1.0 if normalized else _UNNORMALIZED_LENGTH) / length
    return [round(x * scale, 8) for x in vector]


@lru_cache(maxsize=65536)
def _positions(word: str) -> tuple[tuple[int, int], ...]:
    digest = b"".join(sha256(f"{part} {word}".encode()).digest() for part in "ab")
    pieces = (digest[i : i + 4] for i in range(0, len(digest), 4))
    numbers = (int.from_bytes(piece) for piece in pieces)
    pairs = ((number >> 1, 1 if number & 1 else -1) for number in numbers)
    return tuple(pairs)[:_POSITIONS_PER_WORD]


def sparse_vector(words: Iterable[str]) -> list[JsonObject]:
    """Return a sparse vector: the index, the value and the token of each word."""
    counts = Counter[str](words)
    return [
        {
            "index": int.from_bytes(sha256(word.encode()).digest()[:4]) % _VOCABULARY,
            "value": round(1.0 - 0.5**count, 4),
            "token": word,
        }
        for word, count in counts.items()
    ]


def relevance(query: Sequence[str], document: Sequence[str]) -> float:
    """Return the relevance of a document to a query: how many words they share.

    Args:
        query: The words of the query.
        document: The words of the document.
    """
    wanted, words = set(query), set(document)
    if not wanted or not words:
        return 0.0
    shared = len(wanted & words)
    return round((shared / len(wanted) + shared / len(words)) / 2, 6)
