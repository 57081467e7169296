"""The explicit context cache: marked beginnings are written once, then read."""

from typing import Any

import pytest

from modelstudio_core.chat.events import Usage
from modelstudio_core.emulator.model.context_cache import ContextCache
from modelstudio_core.emulator.model.query import Ask
from tests.emulator.client import Client
from tests.emulator.native_client import Native

LONG = ("A word to keep. " * 300).strip()
MARK = {"cache_control": {"type": "ephemeral"}}


def part(text: str, *, marked: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": text, **(MARK if marked else {})}


def prompt(*parts: dict[str, Any], question: str = "What?") -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": list(parts)},
        {"role": "user", "content": question},
    ]


def counted(
    cache: ContextCache, *parts: dict[str, Any], model: str = "qwen3.7-plus"
) -> tuple[int | None, int | None]:
    """Return what was read and what was written."""
    ask = Ask.read({"model": model, "messages": prompt(*parts)})
    usage = cache.count(ask, Usage(9999, 1, 10000, cached_tokens=0))
    return usage.cached_tokens, usage.cache_creation_tokens


def test_a_marked_beginning_is_written_then_read() -> None:
    cache = ContextCache()
    nothing, written = counted(cache, part(LONG, marked=True))
    assert nothing == 0
    assert written is not None
    assert written > 1024
    assert counted(cache, part(LONG, marked=True)) == (written, 0)


def test_only_what_was_added_is_written() -> None:
    cache = ContextCache()
    _, first = counted(cache, part(LONG, marked=True))
    read, added = counted(cache, part(LONG), part("One more word.", marked=True))
    assert (read, added) == (first, 4)


def test_another_text_or_model_is_not_read() -> None:
    cache = ContextCache()
    counted(cache, part(LONG, marked=True))
    assert counted(cache, part(LONG + "!", marked=True))[0] == 0
    assert counted(cache, part(LONG, marked=True), model="qwen-plus")[0] == 0


def test_short_beginnings_are_not_kept() -> None:
    cache = ContextCache()
    assert counted(cache, part("Short.", marked=True)) == (0, 0)
    assert counted(cache, part("Short.", marked=True)) == (0, 0)


def test_without_a_mark_nothing_is_counted() -> None:
    cache = ContextCache()
    assert counted(cache, part(LONG)) == (0, None)


def test_a_beginning_is_kept_five_minutes_after_each_hit() -> None:
    now = [0.0]
    cache = ContextCache(lambda: now[0])
    _, written = counted(cache, part(LONG, marked=True))
    for now[0] in (299.0, 598.0):
        assert counted(cache, part(LONG, marked=True)) == (written, 0)
    now[0] = 898.0
    assert counted(cache, part(LONG, marked=True)) == (0, written)


def test_marks_look_back_twenty_blocks() -> None:
    cache, words = ContextCache(), [part(f"{n}") for n in range(21)]
    _, written = counted(cache, part(LONG, marked=True))
    near = counted(cache, part(LONG), *words[:19], part("an end", marked=True))
    assert near[0] == written
    far = counted(cache, part(LONG), *words, part("the end", marked=True))
    assert far[0] == 0


def test_the_last_four_marks_count() -> None:
    cache = ContextCache()
    marked = [part(word, marked=True) for word in ("a", "b", "c", "d")]
    counted(cache, part(LONG, marked=True), *marked)
    assert counted(cache, part(LONG, marked=True))[0] == 0


@pytest.mark.parametrize("stream", [False, True])
def test_the_compatible_protocol_tells_of_it(client: Client, *, stream: bool) -> None:
    told = [
        details(client, prompt(part(LONG, marked=True), question=asked), stream=stream)
        for asked in ("One?", "Two?")
    ]
    check(*told)


def details(client: Client, asked: object, *, stream: bool) -> dict[str, Any]:
    if stream:
        options = {"stream_options": {"include_usage": True}}
        usage = client.chunks(asked, **options)[-1]["usage"]
    else:
        usage = client.ask(asked).json()["usage"]
    found: dict[str, Any] = usage["prompt_tokens_details"]
    return found


@pytest.mark.parametrize("stream", [False, True])
def test_the_native_protocol_tells_of_it(native: Native, *, stream: bool) -> None:
    told: list[dict[str, Any]] = []
    for asked in ("One?", "Two?"):
        messages = prompt(part(LONG, marked=True), question=asked)
        if stream:
            usage = native.bodies(messages)[-1]["usage"]
        else:
            usage = native.ask(messages).json()["usage"]
        told.append(usage["prompt_tokens_details"])
    check(*told)


def check(first: dict[str, Any], second: dict[str, Any]) -> None:
    kept = first["cache_creation_input_tokens"]
    assert kept > 1024
    assert first == {
        "cache_creation": {"ephemeral_5m_input_tokens": kept},
        "cache_creation_input_tokens": kept,
        "cache_type": "ephemeral",
        "cached_tokens": 0,
    }
    assert second["cached_tokens"] == kept
    assert second["cache_creation_input_tokens"] == 0
