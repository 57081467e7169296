"""Numbered passages of a prompt, and the citations of an answer."""

import pytest

from modelstudio_core.emulator.model.citations import (
    NumberedPassage,
    cite,
    find_numbered_passages,
)
from modelstudio_core.emulator.model.passages import best_sentences

EXAMPLE = """Cite the appropriate sources by their numbers. For example:
Source 1:
The sky is red in the evening.
Source 2:
Water is wet when the sky is red.
Query: When is water wet?
Answer: Water will be wet when the sky is red [2].
Now it's your turn. Below are several numbered sources of information:
------
Source 1:
The tower is 330 metres tall.

Source 2:
The bridge is long.
------
Query: How tall is the tower?
Answer: """


def test_an_example_before_the_passages_is_left_out() -> None:
    assert find_numbered_passages([EXAMPLE]) == [
        NumberedPassage(1, "The tower is 330 metres tall."),
        NumberedPassage(2, "The bridge is long."),
    ]


@pytest.mark.parametrize(
    "mark",
    ["[{}]", "[{}]:", "Source {}:", "passage [{}]:", "Document {}:", "来源{}\uff1a"],
)
def test_passages_are_marked_in_several_forms(mark: str) -> None:
    text = "\n".join(f"{mark.format(n)} Text {n}.\nMore." for n in (3, 4))
    assert find_numbered_passages(["Answer with citations.", text]) == [
        NumberedPassage(3, "Text 3.\nMore."),
        NumberedPassage(4, "Text 4.\nMore."),
    ]


@pytest.mark.parametrize(
    "texts",
    [
        ["Answer the question.", "[1] It rains."],
        ["Cite the passages.", "There are none [1]."],
        ["The cite was excited."],
        [],
    ],
)
def test_other_prompts_have_no_passages_to_cite(texts: list[str]) -> None:
    assert find_numbered_passages(texts) == []


def test_the_last_text_with_passages_counts() -> None:
    """The results of a second search replace those of the first."""
    texts = ["Cite by number.", "[1] Old.", "[1] New.", "Thanks."]
    assert find_numbered_passages(texts) == [NumberedPassage(1, "New.")]


def test_a_citation_stands_before_the_final_mark() -> None:
    passages = [NumberedPassage(1, "It is cold."), NumberedPassage(2, "Why? It snows!")]
    assert cite("It snows!", passages) == "It snows [2]!"
    assert cite("It is cold", passages) == "It is cold [1]"
    assert cite("It is warm.", passages) == "It is warm."


def test_a_heading_is_no_sentence_of_an_answer() -> None:
    text = "# The tower\n\nThe tower is 330 metres tall."
    assert best_sentences("How tall is the tower?", [text]) == [
        "The tower is 330 metres tall."
    ]
