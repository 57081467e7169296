"""Find the question in a prompt, and the passages that answer it."""

import pytest

from modelstudio_core.emulator.model.passages import best_sentences, find_question


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Hello there", "Hello there"),
        ("It rains. Why? Tell me.", "Why?"),
        ("x\n" * 200 + "Summarise all of it", "Summarise all of it"),
        ("The original query is as follows: Who?\nWe have more.", "Who?"),
    ],
)
def test_find_question(text: str, question: str) -> None:
    assert find_question(text) == question


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("How long do I have to return an item?", "You have 30 days for returns."),
        ("Which cities are cheap?", "A cheap city is Porto."),
        ("What are the prices?", "The price is 5 euros."),
        ("Where is the question mark?", "Question marks stand at the end."),
    ],
)
def test_passages_that_look_like_instructions_are_found(
    question: str, passage: str
) -> None:
    noise = "You are a helpful assistant. Answer the question with care. It rains."
    assert best_sentences(question, [noise, passage]) == [passage]


def test_at_most_three_sentences_are_returned() -> None:
    texts = [" ".join(f"Cats have {n} lives." for n in range(9))]
    assert len(best_sentences("How many lives have cats?", texts)) == 3
    assert best_sentences("?", texts) == []
