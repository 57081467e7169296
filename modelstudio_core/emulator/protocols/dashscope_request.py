"""Requests of the native protocol: read into the flat shape, and its own rules.

The texts are those of the official error-code page; where none is known, the text says
"emulator".
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from modelstudio_core.emulator.json_values import is_array, is_object
from modelstudio_core.emulator.model.query import Ask, Refusal

__all__ = [
    "MULTIMODAL",
    "NativePath",
    "check_native",
    "is_incremental",
    "read_native",
    "searches",
    "shows_sources",
    "wants_text",
]

NativePath = Literal["text-generation", "multimodal-generation"]

MULTIMODAL: Final[NativePath] = "multimodal-generation"
_ALGO: Final = "<400> InternalError.Algo.InvalidParameter: "
_ROLES: Final = frozenset({"system", "user", "assistant", "tool"})
# The families that answer with a bare text, and the ones that stream deltas, unless
# told otherwise (API reference).
_TEXT_BY_DEFAULT: Final = "qwen-"
_INCREMENTAL_BY_DEFAULT: Final = ("qwen3-", "qwq", "qvq")


def read_native(body: object, headers: Mapping[str, str]) -> Ask:
    """Read a request into the flat shape that both protocols share.

    Raises:
        Refusal: It lacks what every request has.
    """
    if not is_object(body):
        raise _faulty("IllegalInput", "The input parameter requires json format.")
    if headers.get("x-dashscope-async") == "enable":
        raise Refusal(
            "current user api does not support asynchronous calls",
            status=403,
            code="access_denied",
            native_code="AccessDenied",
            gateway=True,
        )
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise _faulty("EmptyModel", 'Required parameter "model" missing from request.')
    asked = body.get("input")
    parameters: object = body.get("parameters") or {}
    if not is_object(asked) or not asked.keys() & {"messages", "prompt"}:
        raise _faulty("EmptyInput", "Required input parameter missing from request.")
    if not is_object(parameters):
        raise _faulty("IllegalInput", "The input parameter requires json format.")
    flat = {
        **parameters,
        "model": body["model"],
        "messages": _messages(asked),
        "stream": headers.get("x-dashscope-sse") == "enable",
    }
    return Ask.read(flat)


def check_native(ask: Ask, path: NativePath) -> None:
    """Refuse what this protocol alone refuses.

    Raises:
        Refusal: With the service's status, code and words.
    """
    profile = ask.profile
    if profile.known and profile.delisted is None and profile.native_path != path:
        raise Refusal("url error, please check url!", gateway=True)
    roles = {message.get("role") for message in ask.messages}
    if not roles or not roles <= _ROLES:
        raise Refusal(
            "Role must be user or assistant and Content length must be greater than 0"
        )
    if wants_text(ask, path):
        _check_text(ask)
    if ask.stream and ask.thinking and not is_incremental(ask):
        raise Refusal(
            'The incremental_output parameter must be "true" when enable_thinking is'
            " true"
        )


def wants_text(ask: Ask, path: NativePath) -> bool:
    """Tell whether the answer is to be a text without a message around it."""
    if path == MULTIMODAL:
        return False
    asked = ask.body.get("result_format")
    if asked is None:
        return ask.model.startswith(_TEXT_BY_DEFAULT)
    return bool(asked == "text")


def is_incremental(ask: Ask) -> bool:
    """Tell whether each event of a stream says only what is new."""
    asked = ask.body.get("incremental_output")
    if asked is None:
        return ask.model.startswith(_INCREMENTAL_BY_DEFAULT)
    return bool(asked)


def searches(ask: Ask) -> bool:
    """Tell whether the web is searched."""
    return bool(ask.body.get("enable_search"))


def shows_sources(ask: Ask) -> bool:
    """Tell whether what the search found is part of the answer."""
    options = ask.body.get("search_options")
    return searches(ask) and is_object(options) and bool(options.get("enable_source"))


def _check_text(ask: Ask) -> None:
    if ask.thinking:
        raise Refusal(
            'The result_format parameter must be "message" when enable_thinking is true'
        )
    if ask.tools:
        raise Refusal(
            f'{_ALGO}The result_format parameter must be "message" when tools are given'
            " (emulator)."
        )


def _faulty(kind: str, message: str) -> Refusal:
    return Refusal(message, native_code=f"BadRequest.{kind}", gateway=True)


def _messages(asked: Mapping[str, Any]) -> object:
    """Return the messages with their parts in the OpenAI shape.

    A prompt is the older way to ask; messages win, even where there are none.
    """
    if "messages" not in asked:
        return [{"role": "user", "content": asked["prompt"]}]
    messages = asked["messages"]
    if not is_array(messages):
        return messages
    return [_flat_message(message) for message in messages]


def _flat_message(message: object) -> object:
    if not is_object(message) or not is_array(message.get("content")):
        return message
    return {**message, "content": [_flat_part(part) for part in message["content"]]}


def _flat_part(part: object) -> dict[str, Any]:
    """Return one part in the OpenAI shape; its key says what it is, and no type."""
    if not is_object(part):
        return {"type": "unknown"}
    if "text" in part:
        return {**part, "type": "text"}
    if "image" in part:
        return {"type": "image_url", "image_url": {"url": part["image"]}}
    if "audio" in part:
        return {"type": "input_audio", "input_audio": {"data": part["audio"]}}
    # A list of frames is the other kind of video; both are the same input here.
    return {**part, "type": "video" if "video" in part else "unknown"}
