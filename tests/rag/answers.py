"""What the tests of answers from documents share."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pytest

from modelstudio_core.emulator import Emulator

__all__ = [
    "FACT",
    "MODELS",
    "ONE_EACH",
    "QUESTION",
    "SYNC_AND_ASYNC",
    "check_parts",
    "count_requests",
    "prompts",
]

SYNC_AND_ASYNC: Final = pytest.mark.parametrize(
    "is_async", [False, True], ids=["", "async"]
)
FACT: Final = "Its heart weighs about 180 kilograms"
ONE_EACH: Final = Counter(embedding=1, rerank=1, chat=1)
QUESTION: Final = "How much does the heart of a blue whale weigh?"

# A model that thinks, on each protocol.
MODELS: Final = pytest.mark.parametrize(
    "arguments",
    [
        {"model": "deepseek-v4-pro", "protocol": "openai"},
        {"model": "qwen3.7-plus", "protocol": "dashscope", "enable_thinking": True},
    ],
    ids=["openai", "dashscope"],
)

_KINDS: Final = {
    "text-embedding": "embedding",
    "reranks": "rerank",
    "completions": "chat",
    "generation": "chat",
}


def count_requests(studio: Emulator, since: int = 0) -> Counter[str]:
    """Return how many requests of each kind the emulator received."""
    return Counter(
        _KINDS[request.path.rpartition("/")[2]] for request in studio.requests[since:]
    )


def prompts(studio: Emulator, since: int = 0) -> Sequence[Any]:
    """Return the messages of each chat request that the emulator received."""
    bodies = [
        request.body
        for request in studio.requests[since:]
        if _KINDS[request.path.rpartition("/")[2]] == "chat"
    ]
    return [
        body["messages"] if "messages" in body else body["input"]["messages"]
        for body in bodies
    ]


def check_parts(parts: Sequence[tuple[str, str]], sentence: str, passage: str) -> None:
    """Check an example's answer: reasoning, answer, passages and tokens, in this order.

    Args:
        parts: The kinds and texts.
        sentence: What is in the answer, with its citation.
        passage: The first passage that is cited.
    """
    order = ["reasoning", "answer", "passage", "tokens"]
    kinds = [kind for kind, text in parts if text]
    assert kinds == sorted(kinds, key=order.index)
    assert {*kinds} == {*order}
    texts = {kind: "".join(t for k, t in parts if k == kind) for kind in kinds}
    assert kinds.count("reasoning") > 3 < kinds.count("answer")
    assert texts["reasoning"].startswith("The user asks")
    assert "The user asks" not in texts["answer"]
    assert sentence in texts["answer"]
    assert texts["passage"].startswith(passage)
    assert not texts["tokens"].startswith("0 input")
    assert "(0 reasoning)" not in texts["tokens"]
