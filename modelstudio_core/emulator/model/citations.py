"""Find the numbered passages of a prompt that asks for citations, and cite them.

Passages are numbered as prompts of both frameworks do it: ``[1] The tower …`` or
``Source 1:`` before the text.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["NumberedPassage", "cite", "find_numbered_passages"]

# What asks for citations: "cite the sources by number", "with citations", 引用.
_REQUEST: Final = re.compile(
    r"\bcit(?:e[ds]?|ing|ations?)\b|引用|标注来源", re.IGNORECASE
)
_NUMBER: Final = re.compile(
    r"^[ \t]*(?:\[(\d{1,4})\]:?|(?:source|passage|document|context|来源|文档|资料)"
    r"[ \t]*\[?(\d{1,4})\]?[ \t]*[:\uff1a])",
    re.IGNORECASE | re.MULTILINE,
)
# Lines of dashes end the passages in LlamaIndex's prompts.
_END: Final = re.compile(r"^[ \t]*-{4,}[ \t]*$", re.MULTILINE)
_FINAL_MARK: Final = re.compile("[.!?\u3002\uff01\uff1f]+$")


@dataclass(frozen=True, slots=True)
class NumberedPassage:
    """A passage of a prompt.

    Attributes:
        number: The number by which it is cited.
        text: Its text.
    """

    number: int
    text: str


def find_numbered_passages(texts: Sequence[str]) -> list[NumberedPassage]:
    """Return the numbered passages of a prompt that asks for citations, else none.

    Where the numbers begin again at the first one, what comes before is an example.

    Args:
        texts: The texts of the prompt. Those of the last text with passages are
            returned.

    Example:
        >>> find_numbered_passages(["Cite the passages.", "[1] It rains."])
        [NumberedPassage(number=1, text='It rains.')]
    """
    if not any(_REQUEST.search(text) for text in texts):
        return []
    for text in reversed(texts):
        if passages := _passages(text):
            return passages
    return []


def cite(sentence: str, passages: Iterable[NumberedPassage]) -> str:
    """Return a sentence with the number of the first passage that has it.

    Example:
        >>> cite("It snows.", [NumberedPassage(2, "It is cold. It snows.")])
        'It snows [2].'
    """
    for passage in passages:
        if sentence in passage.text:
            mark = _FINAL_MARK.search(sentence)
            end = mark.start() if mark else len(sentence)
            return f"{sentence[:end]} [{passage.number}]{sentence[end:]}"
    return sentence


def _passages(text: str) -> list[NumberedPassage]:
    marks = list(_NUMBER.finditer(text))
    if not marks:
        return []
    first = max(i for i, mark in enumerate(marks) if _number(mark) == _number(marks[0]))
    marks = marks[first:]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        NumberedPassage(_number(mark), _body(text[mark.end() : end]))
        for mark, end in zip(marks, ends, strict=True)
    ]


def _number(mark: re.Match[str]) -> int:
    return int(mark[1] or mark[2])


def _body(text: str) -> str:
    end = _END.search(text)
    return text[: end.start() if end else None].strip()
