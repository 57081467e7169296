"""The state of one choice of a response."""

import pytest

from modelstudio_core.chat.choice import Choice


@pytest.mark.parametrize("name", ["content", "reasoning_content", "reasoning"])
def test_what_repeats_nothing_is_all_new(name: str) -> None:
    """A cumulative stream whose service begins to send increments."""
    choice = Choice()
    received = ["Hel", "Hello", "Hello", " you", "Hello you!"]
    new = [choice.remove_repetition({name: text})[name] for text in received]
    assert new == ["Hel", "lo", "", " you", "!"]
