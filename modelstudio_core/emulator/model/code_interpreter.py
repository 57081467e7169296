"""The code interpreter: the code that a model runs for a question, and its result."""

import re
from dataclasses import dataclass
from typing import Final

from modelstudio_core.emulator.model.query import ChatQuery

__all__ = ["RunCode", "run_code"]

_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
# No power with more digits is computed.
_MAX_DIGITS: Final = 4_000
# What a question asks for → the operator between its first two numbers.
_OPERATORS: Final = (
    ("**", re.compile(r"\*\*|\^|\bpower\b|次方", re.IGNORECASE)),
    ("*", re.compile(r"[*×]|\btimes\b|\bmultipl|乘", re.IGNORECASE)),
    ("/", re.compile(r"/|÷|\bdivided\b|除", re.IGNORECASE)),
    ("-", re.compile(r"(?<=\d) ?- ?(?=\d)|\bminus\b|减", re.IGNORECASE)),
    ("+", re.compile("")),
)


@dataclass(frozen=True, slots=True)
class RunCode:
    """Code that was run.

    Attributes:
        code: The code.
        result: What it gave; None where it is no sum.
    """

    code: str
    result: str | None


def run_code(query: ChatQuery, question: str) -> RunCode | None:
    """Return what the code interpreter ran; None where it is not asked for.

    Recorded (qwen3-max-preview): ``123**21`` for "123 to the power of 21".
    """
    if not query.body.get("enable_code_interpreter") or not query.thinking:
        return None
    numbers = _NUMBER.findall(question)
    if len(numbers) < 2:  # noqa: PLR2004 - a sum has two numbers
        return RunCode(f"print({question!r})", None)
    operator = next(sign for sign, words in _OPERATORS if words.search(question))
    left, right = numbers[:2]
    return RunCode(f"{left}{operator}{right}", _compute(left, operator, right))


def _compute(left: str, operator: str, right: str) -> str | None:
    first, second = _to_number(left), _to_number(right)
    if operator == "**":
        digits = len(left) * second
        is_small = isinstance(first, int) and digits <= _MAX_DIGITS
        return str(first**second) if is_small else None
    if operator == "/":
        return str(first / second) if second else None
    if operator == "*":
        return str(first * second)
    return str(first - second if operator == "-" else first + second)


def _to_number(text: str) -> int | float:
    return float(text) if "." in text else int(text)
