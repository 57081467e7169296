"""Checks of arguments that several services share."""

import math
from typing import Any

import pytest

from modelstudio_core.catalog import EmbeddingProfile
from modelstudio_core.errors import ModelStudioWarning
from modelstudio_core.service_inputs import (
    check_instruct,
    check_seconds,
    check_text,
    list_of,
    service_context,
)
from tests.core.support import error_message, make_connection


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ([], []),
        (["a", 7], ["a", 7]),
        (("a",), ["a"]),
        (iter("ab"), ["a", "b"]),
        (dict.fromkeys("ab").keys(), ["a", "b"]),
    ],
)
def test_the_items_of_any_iterable_are_a_list(value: object, items: list[Any]) -> None:
    assert list_of(value, "texts") == items


@pytest.mark.parametrize("value", ["ab", b"cd", {"a": 1}, None, 7])
def test_one_value_is_no_list(value: object) -> None:
    message = error_message(list_of, value, "texts")
    assert message == f"texts must be a list, got a {type(value).__name__}."


@pytest.mark.parametrize(
    ("text", "max_tokens", "sent"),
    [
        ("a", None, "a"),
        (" ", None, " "),
        ("a" * 100_000, None, "a" * 100_000),
        # A token has six characters at most on average.
        ("a" * 60, 10, "a" * 60),
        ("a\ud83d", 10, "a\ufffd"),
    ],
)
def test_a_text_that_can_be_sent(text: str, max_tokens: int | None, sent: str) -> None:
    assert check_text(text, max_tokens, "It") == sent


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "It is empty. Remove it."),
        (None, "It must be a string, got a NoneType."),
        (b"a", "It must be a string, got a bytes."),
        (
            "a" * 61,
            "It is too long: it has 61 characters, and the model accepts 10 tokens.",
        ),
    ],
)
def test_a_text_that_cannot_be_sent(text: object, problem: str) -> None:
    assert error_message(check_text, text, 10, "It").startswith(problem)


def test_what_to_do_about_an_empty_text_may_be_said() -> None:
    message = error_message(check_text, "", None, "It", "Pass one.")
    assert message == "It is empty. Pass one."


@pytest.mark.parametrize("supported", [True, None])
def test_an_instruction_is_sent_where_it_may_be_supported(
    supported: bool | None,
) -> None:
    profile = EmbeddingProfile(id="m", matched="exact")
    assert check_instruct("I\ud83d", profile, supported=supported) == "I\ufffd"


def test_an_instruction_that_is_not_supported_is_refused() -> None:
    profile = EmbeddingProfile(id="m", matched="exact")
    message = error_message(check_instruct, "I", profile, supported=False)
    assert message == "m does not support instruct. Remove instruct=."
    assert check_instruct(None, profile, supported=False) is None
    # What is not known of this very model is for the service to say.
    with pytest.warns(ModelStudioWarning, match="m does not support instruct"):
        check_instruct("I", EmbeddingProfile(id="m"), supported=False)


@pytest.mark.parametrize("value", ["", " \n", 7, ["I"], b"J"])
def test_an_instruction_is_a_text(value: object) -> None:
    profile = EmbeddingProfile(id="m", matched="exact")
    message = error_message(check_instruct, value, profile, supported=True)
    assert message == "instruct must be a string that is not empty, or None."


def test_an_error_suggests_a_model_of_the_kind_that_the_service_needs() -> None:
    profile = EmbeddingProfile(id="text-embeding-v4")
    context = service_context(make_connection(), profile, "embedding")
    assert context.suggest_model is not None
    assert context.suggest_model() == (
        "The requested model is 'text-embeding-v4'. The nearest known embedding model"
        " is 'text-embedding-v4'."
    )


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, None), (0, 0.0), (5, 5.0), (0.25, 0.25)]
)
def test_a_time_is_in_seconds(value: float | None, seconds: float | None) -> None:
    found = check_seconds("timeout", value)
    assert found == seconds
    assert found is None or type(found) is float


@pytest.mark.parametrize(
    "value", [-1, -0.001, math.inf, -math.inf, math.nan, True, False, "5", [5]]
)
def test_another_time_is_refused(value: Any) -> None:
    message = error_message(check_seconds, "timeout", value)
    assert message == (
        f"timeout must be a number of seconds >= 0, or None, got {value!r}."
    )


def test_an_error_shows_the_beginning_of_a_long_value() -> None:
    value: Any = "5" * 1000
    message = error_message(check_seconds, "timeout", value)
    assert message.endswith(f"got '{'5' * 79}.")


def test_a_time_that_no_clock_can_count_is_shortened() -> None:
    """``time.sleep`` raises OverflowError for more than 292 years."""
    assert check_seconds("timeout", 1e300) == 1e9
    assert check_seconds("timeout", 10**300) == 1e9
    assert check_seconds("timeout", 1e8) == 1e8
