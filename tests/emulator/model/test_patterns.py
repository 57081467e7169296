"""Texts that regular expressions match."""

import re

import pytest

from modelstudio_core.emulator.model.patterns import build_match


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "abc",
        r"^[A-Z]{3}$",
        r"^\d{4}-\d{2}-\d{2}$",
        r"^(?:red|green)$",
        r"^(?P<year>\d+)x*y?z+$",
        r"^[^a-z0-9]{2}$",
        r"^[\w.-]+@[\w-]+\.[a-z]{2,}$",
        r"^\+?\(?\d{1,3}\)?$",
        r"^a{2,3}b{0}$",
        r"^\u0041\x42$",
        r"^[]]$",
        r"^a|b$",
        r"^x{$",
        r"^.{3}\s\S$",
        r"^(?=a)[a-c]+?$",
        r"^((ab)+c){2}$",
    ],
)
def test_the_text_matches(pattern: str) -> None:
    text = build_match(pattern)
    assert text is not None
    assert re.search(pattern, text), text


@pytest.mark.parametrize(
    "pattern", ["(", "[a", "a)", "\\", "\\u00", "(?<x", "(" * 5_000]
)
def test_a_pattern_that_cannot_be_read_has_no_text(pattern: str) -> None:
    assert build_match(pattern) is None


def test_a_text_can_have_a_least_length() -> None:
    assert build_match("^[a-z]+$", min_length=5) == "aaaaa"
    assert build_match("^a{1,3}$", min_length=5) == "aaa"
