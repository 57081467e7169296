"""Estimates of the tokens of a request."""

import pytest

from modelstudio_core.token_estimates import (
    Estimator,
    estimate_tokens,
    tokens_of_bytes,
)

MESSAGES = [{"role": "user", "content": "x" * 300}]
INPUT = 101 + 2  # the text and the role


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 1),
        ("ab", 1),
        ("abc", 2),
        ("abcde", 2),
        ("abcdef", 3),
        # In UTF-8, é has two bytes, and 思 has three.
        ("é", 1),
        ("éé", 2),
        ("思", 2),
        ("a思思", 3),
        ("\ud800" * 3, 2),
    ],
)
def test_a_token_has_three_bytes(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens
    assert tokens_of_bytes(len(text.encode(errors="replace"))) == tokens - 1


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (None, 0),
        ({}, 0),
        ({"input": ["x" * 300, "y" * 30]}, 101 + 11),
        ({"input": "思" * 100}, 101),
        ({"query": "x" * 3, "top_n": 3, "documents": ["\ud800"]}, 2 + 1),
        ({"messages": MESSAGES}, INPUT + 500),
        ({"messages": MESSAGES, "max_tokens": 40}, INPUT + 40),
        (
            {"messages": MESSAGES, "max_tokens": 40, "max_completion_tokens": 30},
            INPUT + 30,
        ),
        ({"messages": MESSAGES, "max_tokens": None}, INPUT + 500),
        ({"input": {"messages": MESSAGES}, "parameters": {"max_tokens": 7}}, INPUT + 7),
        ({"input": {"messages": MESSAGES}, "parameters": {}}, INPUT + 500),
        ({"input": {"messages": MESSAGES}, "max_tokens": 7}, INPUT + 7),
        ({"messages": MESSAGES, "max_tokens": 7000}, INPUT + 7000),
        ({"messages": MESSAGES, "max_tokens": True}, INPUT + 500),
        ({"messages": MESSAGES, "max_tokens": 0}, INPUT),
        ({"messages": []}, 500),
        ({"input": {"texts": ("abc", "abc")}, "n": 1, "top_p": 0.5, "x": None}, 4),
        ({"input": {"image": "http://x.example/a.png"}}, 1000),
        ({"input": {"image": "https://x.example/a.png"}}, 1000),
        ({"input": [{"video": "oss://bucket/a.mp4"}, {"text": "abc"}]}, 1002),
        (
            {
                "messages": [
                    {"image_url": {"url": "data:image/png;base64," + "A" * 9999}}
                ]
            },
            1000 + 500,
        ),
    ],
)
def test_texts_media_and_the_longest_answer_are_counted(
    body: dict[str, object] | None, tokens: int
) -> None:
    assert Estimator().estimate("/chat/completions", body) == tokens


def test_answers_replace_the_guess_for_their_path() -> None:
    estimator, body = Estimator(), {"messages": MESSAGES}
    estimator.learn("/chat", 100)
    assert estimator.estimate("/chat", body) == INPUT + 100
    estimator.learn("/chat", 200)
    assert estimator.estimate("/chat", body) == INPUT + 110
    assert estimator.estimate("/chat", {**body, "max_tokens": 60}) == INPUT + 60
    assert estimator.estimate("/chat", {**body, "max_tokens": 6000}) == INPUT + 110
    assert estimator.estimate("/other", body) == INPUT + 500


def test_an_answer_without_tokens_counts_in_the_average() -> None:
    estimator, body = Estimator(), {"messages": MESSAGES}
    estimator.learn("/chat", 0)
    assert estimator.estimate("/chat", body) == INPUT
    estimator.learn("/chat", 1000)
    assert estimator.estimate("/chat", body) == INPUT + 100
    estimator.learn("/chat", 0)
    assert estimator.estimate("/chat", body) == INPUT + 90
    # What has no answer to generate has none to estimate.
    assert estimator.estimate("/chat", {"input": "abc"}) == 2
