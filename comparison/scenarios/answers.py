"""What answers hold beside text: speech, broken calls, repeated text, all counts."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import CALLS, STREAMS, Scenario
from comparison.scenarios.expected import KEPT, compare, streamed_reply
from comparison.verdict import (
    Observation,
    Verdict,
    judge_each_mode,
    judge_value,
    worst,
)
from modelstudio_core.emulator import Reply

__all__ = ["ANSWERS"]

# Each part of the sound is padded base64 of its own.
_SOUND: Final = [b"\x01\x02\x03\x04", b"\x05", b"\x06\x07\x08"]
_WORDS: Final = "Hello there."
_REPEATED: Final = ["I", "I did", "I did not", "I did not laugh."]
_HALF: Final = '{"city": '
_TOKENS: Final = {"audio_tokens": 301, "image_tokens": 311, "video_tokens": 191}
_CREATED: Final = {"cache_creation_input_tokens": 41}
_USAGE: Final[Mapping[str, Mapping[str, Any]]] = {
    "openai": {
        "prompt_tokens": 900,
        "completion_tokens": 5,
        "total_tokens": 905,
        "prompt_tokens_details": {**_TOKENS, **_CREATED},
    },
    "dashscope": {
        "input_tokens": 900,
        "output_tokens": 5,
        "total_tokens": 905,
        "input_tokens_details": _TOKENS,
        "prompt_tokens_details": _CREATED,
    },
}


def _half_a_call(client: Client) -> Sequence[Reply]:
    function = {"name": "weather", "arguments": _HALF}
    call = {"index": 0, "id": "call_a", "type": "function", "function": function}
    reply = streamed_reply(client, [{"content": "", "tool_calls": [call]}], tools=True)
    return [Reply(deltas=reply.deltas, finish_reason="length")] * 2


def _judge_half_a_call(answer: Mapping[str, Any]) -> Verdict:
    if answer["calls"]:
        arguments = answer["calls"][0]["args"]
        return Verdict("corrupted", f"a call with the arguments `{arguments}`")
    return KEPT if "city" in answer["all"] else Verdict("lost", "no call at all")


def _half_a_call_and_done(client: Client) -> Sequence[Reply]:
    [reply, _] = _half_a_call(client)
    return [Reply(deltas=reply.deltas, omit={"finish_reason", "usage"})] * 8


def _judge_half_a_stream(outcomes: Mapping[str, Any], _: Observation) -> Verdict:
    """Judge whether each mode raises an error, or at least has no call."""
    return worst(_judge_cut(outcome) for outcome in outcomes.values())


def _judge_cut(outcome: Mapping[str, Any]) -> Verdict:
    if "error" in outcome:
        return KEPT
    calls = outcome["value"]["calls"]
    if calls:
        return Verdict("corrupted", f"a call with the arguments `{calls[0]['args']}`")
    return Verdict("lost", "no exception")


def _speech(client: Client) -> Sequence[Reply]:
    parts = [base64.b64encode(part).decode() for part in _SOUND]
    audio: list[dict[str, Any]] = [
        {"id": "audio_1", "data": parts[0], "transcript": _WORDS[:5]},
        {"data": parts[1]},
        {"data": parts[2], "transcript": _WORDS[5:]},
    ]
    deltas: list[dict[str, Any]] = [{"content": "", "audio": part} for part in audio]
    if client.protocol == "dashscope":
        deltas = [{"role": "assistant", "content": [{"audio": part}]} for part in audio]
    return [Reply(deltas=deltas, finish_reason="stop")] * 2


def _judge_speech(answer: Mapping[str, Any]) -> Verdict:
    joined = base64.b64encode(b"".join(_SOUND)).decode()
    words = compare("words", _WORDS, answer["text"])
    # A WAV file begins with a header of 44 bytes, which shifts its base64.
    header = answer["all"].find("UklGR")
    sound = KEPT if joined in answer["all"] or header >= 0 else _NO_SOUND
    return worst([words, sound])


_NO_SOUND: Final = Verdict("lost", "no sound that can be decoded")


def _repeating(client: Client) -> Sequence[Reply]:
    del client
    deltas = [{"role": "assistant", "content": text} for text in _REPEATED]
    return [Reply(deltas=deltas, finish_reason="stop")] * 2


def _judge_repeating(answer: Mapping[str, Any]) -> Verdict:
    return compare("text", _REPEATED[-1], answer["text"])


def _all_counts(client: Client) -> Sequence[Reply]:
    return [Reply(text="Hi.", usage=_USAGE[client.protocol])] * 2


def _judge_counts(answer: Mapping[str, Any]) -> Verdict:
    missing = [
        name
        for name, count in (*_TOKENS.items(), *_CREATED.items())
        if f": {count}" not in answer["all"]
    ]
    names = ", ".join(f"`{name}`" for name in missing)
    return Verdict("lost", f"not in the response: {names}") if missing else KEPT


ANSWERS: Final = (
    Scenario(
        title="half a tool call, finish reason `length`",
        expected="No call that an agent would run: its arguments are cut off.",
        script=_half_a_call,
        parameters={"modes": STREAMS, "tools": ["weather"]},
        judge=judge_each_mode(_judge_half_a_call),
    ),
    Scenario(
        title="half a tool call, then `[DONE]`",
        expected="An exception: the stream has no finish reason.",
        script=_half_a_call_and_done,
        parameters={"modes": STREAMS, "tools": ["weather"]},
        judge=judge_value(_judge_half_a_stream),
    ),
    Scenario(
        title="speech",
        expected="The words are the text, and the sound is in the response, joined from"
        " parts that are padded base64 each.",
        script=_speech,
        parameters={"modes": STREAMS, "model": "qwen3.5-omni-plus"},
        judge=judge_each_mode(_judge_speech),
    ),
    Scenario(
        title="a stream that repeats its text (`qwen-mt-plus`)",
        expected="The text, once.",
        script=_repeating,
        parameters={"modes": STREAMS, "model": "qwen-mt-plus"},
        judge=judge_each_mode(_judge_repeating),
    ),
    Scenario(
        title="tokens of audio, images, video and of a cache's creation",
        expected="They are in the response, by any name.",
        script=_all_counts,
        parameters={"modes": CALLS},
        judge=judge_each_mode(_judge_counts),
    ),
)
