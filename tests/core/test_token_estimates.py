"""Estimates of the tokens of a request."""

import pytest

from modelstudio_core.token_estimates import Estimator

MESSAGES = [{"role": "user", "content": "x" * 300}]
INPUT = 101 + 2  # the text and the role


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
