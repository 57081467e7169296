"""The checks: what each driver returns, and what must be in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from comparison.verdict import Outcome, format_error, format_value

__all__ = ["CHECKS", "Check", "Result", "judge"]

_HEIGHT: Final = "330"
_PERSON: Final = {"name": "Jason", "age": 25}
_REFUSED: Final = ("does not exist", "model_not_found", "ModelNotFound")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one check with one client.

    Attributes:
        word: ``passed``, ``failed``, or ``not offered`` where the client's driver has
            no such check.
        evidence: What came instead.
    """

    word: Literal["passed", "failed", "not offered"]
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A check.

    Attributes:
        action: The name of the driver's action.
        title: The title of its row.
        expected: What must come back.
        is_right: Whether a value is what must come back.
        is_refusal: Whether an exception must come instead of a value.
    """

    action: str
    title: str
    expected: str
    is_right: Callable[[Any], bool]
    is_refusal: bool = False


def _has_counts(value: Any) -> bool:
    counts = value["usage"]
    return counts is None or all(isinstance(n, int) and n > 0 for n in counts)


def _is_stream(value: Any) -> bool:
    pieces = [piece for piece in value if piece]
    return len(pieces) > 1 and _HEIGHT in "".join(pieces)


def _ran_tool(value: Any) -> bool:
    return value["arguments"] == {"city": "Oslo"} and "sunny" in value["text"]


CHECKS: Final = (
    Check(
        "plain",
        "a plain answer",
        "The sentence of the prompt that answers the question, and token counts.",
        lambda value: _HEIGHT in value["text"] and _has_counts(value),
    ),
    Check(
        "stream",
        "a streamed answer",
        "Several pieces that make the sentence.",
        _is_stream,
    ),
    Check(
        "thinking",
        "thinking",
        "Reasoning, and the sentence apart from it.",
        lambda value: bool(value["reasoning"]) and _HEIGHT in value["text"],
    ),
    Check(
        "tools",
        "a tool",
        "A call with the city of the question, and an answer from the tool's result.",
        _ran_tool,
    ),
    Check(
        "agent",
        "an agent with a tool and an output tool",
        "The agent ends with the output, made from the tool's result.",
        lambda value: value == {"city": "Oslo", "degrees": 21},
    ),
    Check(
        "structured",
        "structured output, by a tool or a schema",
        "The person of the prompt.",
        lambda value: value == _PERSON,
    ),
    Check(
        "json",
        "structured output, by JSON mode",
        "The person of the prompt.",
        lambda value: value == _PERSON,
    ),
    Check(
        "words",
        "structured output, asked for in words",
        "The person of the prompt.",
        lambda value: value == _PERSON,
    ),
    Check(
        "image",
        "an image beside text",
        "An answer from the text.",
        lambda value: "Rex" in str(value),
    ),
    Check(
        "file",
        "a local file that is uploaded",
        "An answer from the text.",
        lambda value: "Rex" in str(value),
    ),
    Check(
        "models",
        "the list of models",
        "The model that is looked up.",
        lambda value: value == "qwen-plus",
    ),
    Check(
        "error",
        "a model that does not exist",
        "An exception that says so.",
        lambda value: any(word in str(value) for word in _REFUSED),
        is_refusal=True,
    ),
)


def judge(check: Check, outcome: Outcome, notes: Mapping[str, str]) -> Result:
    """Return the result of a check.

    Args:
        check: The check.
        outcome: What the driver returned.
        notes: Why a check of this client fails, by its action.
    """
    error = outcome.get("error")
    note = notes.get(check.action, "")
    if check.is_refusal:
        shown = str(error and error["message"])
        right = bool(error) and check.is_right(shown)
        return _result(
            format_error(error) if error else "no exception", note, right=right
        )
    if error:
        return _result(format_error(error), note, right=False)
    value = outcome["value"]
    try:
        right = check.is_right(value)
    except (KeyError, TypeError):
        right = False
    return _result(format_value(value), note, right=right)


def _result(evidence: str, note: str, *, right: bool) -> Result:
    return Result("passed") if right else Result("failed", f"{evidence} {note}".strip())
