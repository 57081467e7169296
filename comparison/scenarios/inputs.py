"""Inputs beside text: images, video, sound, PDFs, and histories that are not valid."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from comparison.scenario import Scenario
from comparison.scenarios.expected import KEPT
from comparison.verdict import (
    Judge,
    Observation,
    Verdict,
    format_value,
    judge_error,
)

__all__ = ["INPUTS"]

_Part = Mapping[str, Any]

# One transparent pixel.
_IMAGE: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAA"
    "AABJRU5ErkJggg=="
)
_IMAGE_URL: Final = "https://example.com/dog.png"
_VIDEO_URL: Final = "https://example.com/dog.mp4"
# The header of a WAV file.
_SOUND: Final = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA"
_PDF: Final = "JVBERi0xLjcKJeLjz9MK"
_VISION_MODEL: Final = "qwen3-vl-plus"
_FILE_MODEL: Final = "qwen3.8-max"
_OMNI_MODEL: Final = "qwen3.5-omni-plus"
_TEXT_MODEL: Final = "qwen-plus"


# --- Media ------------------------------------------------------------------------


def _judge_media(payload: str, follows: Callable[[_Part], bool], *beside: str) -> Judge:
    """Return a judge of whether a part is sent as the protocol wants it.

    Args:
        payload: The address or the base64 text of the media.
        follows: Whether a part has the form of one of the two protocols.
        *beside: The keys that must stand beside the media.
    """

    def judge(observation: Observation) -> Verdict:
        parts = [part for part in _parts(observation) if payload in json.dumps(part)]
        error = _error_of(observation)
        right = [part for part in parts if follows(part)]
        if right and (missing := [name for name in beside if name not in right[-1]]):
            return Verdict("lost", f"it is sent without `{missing[0]}`")
        if right and not error:
            return KEPT
        if error:
            return judge_error(error)
        if parts:
            sent = format_value(_without_data(parts[0], payload))
            return Verdict("corrupted", f"sent as {sent}, against the protocol")
        return Verdict("lost", "no error, and it is not in the request")

    return judge


def _parts(observation: Observation) -> list[_Part]:
    messages = [message for body in observation.bodies for message in body["messages"]]
    contents = [m["content"] for m in messages if isinstance(m.get("content"), list)]
    return [part for content in contents for part in content if isinstance(part, dict)]


def _error_of(observation: Observation) -> Mapping[str, Any] | None:
    """Return the exception of the action, or of its last mode."""
    if error := observation.outcome.get("error"):
        return dict(error)
    outcomes: Mapping[str, Any] = observation.outcome["value"]
    errors = [outcome["error"] for outcome in outcomes.values() if "error" in outcome]
    return errors[-1] if errors else None


def _without_data(part: _Part, payload: str) -> object:
    return json.loads(json.dumps(part).replace(payload, "…"))


def _is_image(part: _Part) -> bool:
    image_url: _Part = part.get("image_url") or {}
    return _IMAGE in str(part.get("image") or image_url.get("url"))


def _is_video(part: _Part) -> bool:
    video_url: _Part = part.get("video_url") or {}
    return (part.get("video") or video_url.get("url")) == _VIDEO_URL


def _is_sound(part: _Part) -> bool:
    audio: _Part = part.get("input_audio") or {}
    data = str(part.get("audio") or audio.get("data"))
    return data.startswith("data:") and data.endswith(_SOUND)


def _is_pdf(part: _Part) -> bool:
    file: _Part = part.get("file") or part
    is_data = file.get("file_data") == f"data:application/pdf;base64,{_PDF}"
    return is_data and file.get("filename") == "dog.pdf"


# --- Histories --------------------------------------------------------------------


def _judge_history(*words: str, call: bool = True) -> Judge:
    """Return a judge of whether a history is accepted, and still says what it said.

    Args:
        *words: What must be in the request.
        call: Whether the call must be there too.
    """

    def judge(observation: Observation) -> Verdict:
        if error := _error_of(observation):
            return judge_error(error)
        if not observation.outcome["value"]["call"]["value"]["text"]:
            return Verdict("lost", "an empty answer, and no exception")
        messages: list[dict[str, Any]] = observation.bodies[-1]["messages"]
        sent = json.dumps(messages)
        missing = [f"`{word}` is not sent" for word in words if word not in sent]
        calls = [one for m in messages for one in m.get("tool_calls") or ()]
        if call and [one["id"] for one in calls] != ["call_a"]:
            missing.append("the call is not sent")
        return Verdict("lost", "; ".join(missing)) if missing else KEPT

    return judge


_QUESTION: Final = {"role": "user", "content": "The tower has 330 m."}
_CALL: Final = {"role": "assistant", "call": "call_a", "arguments": {"city": "Oslo"}}
_RESULT: Final = {"role": "tool", "call": "call_a", "content": "Rain in Oslo."}
_NEXT: Final = {"role": "user", "content": "The tower has 330 m. How tall is it?"}


def _history(*turns: Mapping[str, Any]) -> dict[str, Any]:
    return {"modes": ["call"], "model": _TEXT_MODEL, "history": turns}


INPUTS: Final = (
    Scenario(
        title="image input",
        expected=f"The framework's image block is sent (`{_VISION_MODEL}`).",
        parameters={
            "modes": ["call"],
            "media": {"type": "image", "base64": _IMAGE, "mime_type": "image/png"},
            "model": _VISION_MODEL,
        },
        judge=_judge_media(_IMAGE, _is_image),
    ),
    Scenario(
        title="video input, with `fps`",
        expected="The framework's video block is sent, and its frames a second beside"
        f" it (`{_FILE_MODEL}`).",
        parameters={
            "modes": ["call"],
            "media": {"type": "video", "url": _VIDEO_URL, "fps": 2},
            "model": _FILE_MODEL,
        },
        judge=_judge_media(_VIDEO_URL, _is_video, "fps"),
    ),
    Scenario(
        title="sound input",
        expected="The framework's audio block is sent, as a `data:` URL"
        f" (`{_OMNI_MODEL}`).",
        parameters={
            "modes": ["stream"],
            "media": {"type": "audio", "base64": _SOUND, "mime_type": "audio/wav"},
            "model": _OMNI_MODEL,
        },
        judge=_judge_media(_SOUND, _is_sound),
    ),
    Scenario(
        title="PDF input",
        expected="The framework's file or document block is sent with its name"
        f" (`{_FILE_MODEL}`).",
        parameters={
            "modes": ["call"],
            "media": {
                "type": "file",
                "base64": _PDF,
                "mime_type": "application/pdf",
                "filename": "dog.pdf",
            },
            "model": _FILE_MODEL,
        },
        judge=_judge_media(_PDF, _is_pdf),
    ),
    Scenario(
        title="an image in a tool's result, for a text model",
        expected="The conversation goes on, and the model reads the text of the result"
        f" (`{_TEXT_MODEL}`).",
        parameters=_history(_QUESTION, _CALL, {**_RESULT, "image": _IMAGE_URL}),
        judge=_judge_history("Rain in Oslo."),
    ),
    Scenario(
        title="a tool call without its result",
        expected="What an interrupt leaves is made valid: the service accepts a call"
        " only with its result. The call is still there.",
        parameters=_history(_QUESTION, _CALL, _NEXT),
        judge=_judge_history("Oslo"),
    ),
    Scenario(
        title="a tool result without its call",
        expected="What a trimmed history begins with is made valid: the service accepts"
        " a result only behind its call. What it says is still there.",
        parameters=_history(_RESULT, _NEXT),
        judge=_judge_history("Rain in Oslo.", call=False),
    ),
    Scenario(
        title="a tool result behind a later message",
        expected="It is sent directly behind its call, as the service requires.",
        parameters=_history(_QUESTION, _CALL, _NEXT, _RESULT, _NEXT),
        judge=_judge_history("Rain in Oslo."),
    ),
)
