"""The explicit context cache: marked prefixes are written once, then read."""

from typing import Any

import pytest

from modelstudio_core.emulator.model.context_cache import ContextCache
from modelstudio_core.emulator.model.tokens import Usage
from modelstudio_core.emulator.protocols.chat_query import parse_flat_body
from tests.emulator.helpers import DashScopeClient, OpenAIClient

LONG = ("A word to keep. " * 300).strip()
MARK = {"cache_control": {"type": "ephemeral"}}


def part(text: str, *, marked: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": text, **(MARK if marked else {})}


def prompt(*parts: dict[str, Any], question: str = "What?") -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": list(parts)},
        {"role": "user", "content": question},
    ]


def count(
    cache: ContextCache, *parts: dict[str, Any], model: str = "qwen3.7-plus"
) -> tuple[int | None, int | None]:
    """Return how many tokens were read and how many were written."""
    query = parse_flat_body({"model": model, "messages": prompt(*parts)})
    usage = cache.count(query, Usage(input_tokens=9999, output_tokens=1))
    return usage.cached_tokens, usage.cache_creation_tokens


def test_a_marked_prefix_is_written_then_read() -> None:
    cache = ContextCache()
    read, written = count(cache, part(LONG, marked=True))
    assert read == 0
    assert written is not None
    assert written > 1024
    assert count(cache, part(LONG, marked=True)) == (written, 0)


def test_only_the_addition_is_written() -> None:
    cache = ContextCache()
    _, first = count(cache, part(LONG, marked=True))
    read, added = count(cache, part(LONG), part("One more word.", marked=True))
    assert (read, added) == (first, 4)


def test_another_text_or_model_is_a_miss() -> None:
    cache = ContextCache()
    count(cache, part(LONG, marked=True))
    assert count(cache, part(LONG + "!", marked=True))[0] == 0
    assert count(cache, part(LONG, marked=True), model="qwen-plus")[0] == 0


def test_short_prefixes_are_not_cached() -> None:
    cache = ContextCache()
    assert count(cache, part("Short.", marked=True)) == (0, 0)
    assert count(cache, part("Short.", marked=True)) == (0, 0)


def test_without_a_mark_nothing_is_counted() -> None:
    cache = ContextCache()
    assert count(cache, part(LONG)) == (0, None)


def test_a_prefix_is_kept_five_minutes_after_each_hit() -> None:
    now = [0.0]
    cache = ContextCache(clock=lambda: now[0])
    _, written = count(cache, part(LONG, marked=True))
    for now[0] in (299.0, 598.0):
        assert count(cache, part(LONG, marked=True)) == (written, 0)
    now[0] = 898.0
    assert count(cache, part(LONG, marked=True)) == (0, written)


def test_expired_prefixes_are_removed() -> None:
    now = [0.0]
    cache = ContextCache(clock=lambda: now[0])
    for text in ("a", "b"):
        count(cache, part(LONG + text, marked=True))
    now[0] = 200.0
    count(cache, part(LONG + "a", marked=True))
    now[0] = 400.0
    count(cache, part(LONG + "c", marked=True))
    assert len(cache.expiries) == 2


def test_a_mark_looks_back_twenty_blocks() -> None:
    cache, words = ContextCache(), [part(f"{n}") for n in range(21)]
    _, written = count(cache, part(LONG, marked=True))
    near = count(cache, part(LONG), *words[:19], part("an end", marked=True))
    assert near[0] == written
    far = count(cache, part(LONG), *words, part("the end", marked=True))
    assert far[0] == 0


def test_the_last_four_marks_count() -> None:
    cache = ContextCache()
    marked = [part(word, marked=True) for word in ("a", "b", "c", "d")]
    count(cache, part(LONG, marked=True), *marked)
    assert count(cache, part(LONG, marked=True))[0] == 0


@pytest.mark.parametrize("stream", [False, True])
def test_the_openai_protocol_reports_the_cache(
    client: OpenAIClient, *, stream: bool
) -> None:
    details = [
        read_details(
            client, prompt(part(LONG, marked=True), question=question), stream=stream
        )
        for question in ("One?", "Two?")
    ]
    check_details(*details)


def read_details(
    client: OpenAIClient, messages: object, *, stream: bool
) -> dict[str, Any]:
    if stream:
        options = {"stream_options": {"include_usage": True}}
        usage = client.chunks(messages, **options)[-1]["usage"]
    else:
        usage = client.send(messages).json()["usage"]
    details: dict[str, Any] = usage["prompt_tokens_details"]
    return details


@pytest.mark.parametrize("stream", [False, True])
def test_the_dashscope_protocol_reports_the_cache(
    dashscope: DashScopeClient, *, stream: bool
) -> None:
    details: list[dict[str, Any]] = []
    for question in ("One?", "Two?"):
        messages = prompt(part(LONG, marked=True), question=question)
        if stream:
            usage = dashscope.chunks(messages)[-1]["usage"]
        else:
            usage = dashscope.send(messages).json()["usage"]
        details.append(usage["prompt_tokens_details"])
    check_details(*details)


def check_details(first: dict[str, Any], second: dict[str, Any]) -> None:
    written = first["cache_creation_input_tokens"]
    assert written > 1024
    assert first == {
        "cache_creation": {"ephemeral_5m_input_tokens": written},
        "cache_creation_input_tokens": written,
        "cache_type": "ephemeral",
        "cached_tokens": 0,
    }
    assert second["cached_tokens"] == written
    assert second["cache_creation_input_tokens"] == 0
