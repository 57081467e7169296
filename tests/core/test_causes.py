"""The causes of errors."""

from modelstudio_core.causes import causes_of, shown_cause
from modelstudio_core.redaction import PLACEHOLDER
from tests.core.support import KEY


def hide(text: str) -> str:
    return text.replace(KEY, PLACEHOLDER)


def test_each_cause_comes_once_and_no_context() -> None:
    first, second, third = ValueError("1"), ValueError("2"), ValueError("3")
    first.__cause__, second.__cause__ = second, first
    first.__context__, third.__context__ = third, first
    assert [*causes_of(first)] == [first, second]
    assert [*causes_of(third)] == [third]
    assert [*causes_of(None)] == []


def test_what_an_error_was_made_of_is_its_cause() -> None:
    origin, context = ValueError("1"), ValueError("3")
    error = ValueError(origin)
    error.__context__, error.__suppress_context__ = context, True
    assert [*causes_of(error)] == [error, origin]


def test_a_cause_that_shows_a_key_is_not_shown() -> None:
    plain, noted, grouped = ValueError("a"), ValueError("a"), ValueError("a")
    noted.add_note(f"with {KEY}")
    outer, around = ValueError("a"), ValueError("a")
    outer.__cause__ = ValueError(KEY)
    around.__context__ = ValueError(KEY)
    group = ExceptionGroup("a", [grouped, ValueError(KEY)])
    assert shown_cause(plain, hide) is plain
    for error in (ValueError(f"x{KEY}y"), noted, outer, around, group):
        assert shown_cause(error, hide) is None
    # A traceback does not show this context.
    around.__suppress_context__ = True
    assert shown_cause(around, hide) is around
