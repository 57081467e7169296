"""Suggestions for unknown names."""

import pytest

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import is_similar, nearest, unknown_name


def test_names_are_sorted_by_likeness_then_by_name() -> None:
    assert nearest("regoin", ["model", "region", "timeout"])[0] == "region"
    assert nearest("REGION", ["model", "region"])[0] == "region"
    assert nearest("xyz", ["b", "a"]) == ["a", "b"]
    assert nearest("x", []) == []


def test_the_error_for_an_unknown_name() -> None:
    error = unknown_name("argument", "regoin", ["model", "region"])
    assert type(error) is ConfigurationError
    assert error.message == "Unknown argument 'regoin'. Did you mean 'region'?"
    assert unknown_name("argument", "x", []).message == "Unknown argument 'x'."


def test_a_name_that_is_not_similar_is_not_offered() -> None:
    message = unknown_name("method", "xml", ["json_mode", "function_calling"]).message
    assert message == "Unknown method 'xml'. Known: 'function_calling', 'json_mode'."
    message = unknown_name("tool", "x", [f"tool-{n:02}" for n in range(99)]).message
    assert message.count("tool-") == 10


def test_the_error_names_the_owner_of_the_names() -> None:
    error = unknown_name("argument", "x", ["model"], owner="ChatModelStudio")
    assert error.message == ("Unknown argument 'x' of ChatModelStudio. Known: 'model'.")


@pytest.mark.parametrize(
    ("name", "candidate", "expected"),
    [
        ("gemini-2.5-flash", "qwen3.5-flash", False),
        ("abcdefgxyz", "abcdefgijk", True),
        ("abcdefwxyz", "abcdefghij", False),
        ("REGOIN", "region", True),
        ("Reg", "REGION", True),
        ("kimi", "kimi-k3", True),
    ],
)
def test_a_similar_name_has_most_letters_in_the_same_order(
    name: str, candidate: str, expected: bool
) -> None:
    assert is_similar(name, candidate) is expected


def test_the_beginning_of_a_name_is_similar() -> None:
    assert is_similar("func", "function_calling")
    assert not is_similar("calling", "function_calling")
    assert not is_similar("", "function_calling")


def test_the_order_does_not_depend_on_that_of_the_names() -> None:
    names = ["timeout", "region", "model"]
    assert nearest("modl", names) == nearest("modl", reversed(names))
    assert nearest("modl", names)[0] == "model"
    assert sorted(nearest("modl", names)) == sorted(names)


def test_the_suggested_name_keeps_its_spelling() -> None:
    message = unknown_name("mode", "GLOBL", ["Global", "us"]).message
    assert message == "Unknown mode 'GLOBL'. Did you mean 'Global'?"
