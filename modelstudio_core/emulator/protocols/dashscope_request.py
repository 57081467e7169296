"""Parse a request of the DashScope protocol into the shape that both share."""

from collections.abc import Callable, Mapping
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, is_array, is_object
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.protocols.chat_query import parse_flat_body
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["parse_dashscope_chat"]

_FILE_KEYS: Final = ("file_url", "file_data", "filename")
# The key of a part → what builds it in the OpenAI shape. A video is a URL or a list of
# frames; both are the same input here.
_BUILDERS: Final[Mapping[str, Callable[[object], JsonObject]]] = {
    "text": lambda text: {"type": "text", "text": text},
    "image": lambda url: {"type": "image_url", "image_url": {"url": url}},
    "audio": lambda url: {"type": "input_audio", "input_audio": {"data": url}},
    "video": lambda url: {"type": "video", "video": url},
}
_CONTENT_KEYS: Final = frozenset({*_BUILDERS, *_FILE_KEYS})


@sourced("DashScope API reference; Error codes; recorded (2026-02)", "2026-09-15")
def parse_dashscope_chat(body: object, headers: Mapping[str, str]) -> ChatQuery:
    """Parse a chat request.

    Args:
        body: The JSON body.
        headers: The headers, with lower-case names.

    Raises:
        Refusal: The body lacks what each request has.
    """
    if not is_object(body):
        raise _bad_request("IllegalInput", "The input parameter requires json format.")
    if headers.get("x-dashscope-async") == "enable":
        raise Refusal(
            "current user api does not support asynchronous calls",
            status=403,
            code="access_denied",
            dashscope_code="AccessDenied",
            gateway=True,
        )
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise _bad_request(
            "EmptyModel", 'Required parameter "model" missing from request.'
        )
    chat_input = body.get("input")
    parameters: object = body.get("parameters") or {}
    if not is_object(chat_input) or not chat_input.keys() & {"messages", "prompt"}:
        raise _bad_request(
            "EmptyInput", "Required input parameter missing from request."
        )
    if not is_object(parameters):
        raise _bad_request("IllegalInput", "The input parameter requires json format.")
    flat_body = {
        **parameters,
        "model": body["model"],
        "messages": _messages(chat_input),
        "stream": headers.get("x-dashscope-sse") == "enable",
    }
    return parse_flat_body(flat_body, headers)


@sourced("Error codes", "2026-09-15")
def _bad_request(reason: str, message: str) -> Refusal:
    return Refusal(message, dashscope_code=f"BadRequest.{reason}", gateway=True)


def _messages(chat_input: JsonObject) -> object:
    """Return the messages with their parts in the OpenAI shape.

    ``prompt`` is the older form; ``messages``, even an empty list, takes precedence.
    """
    if "messages" not in chat_input:
        return [{"role": "user", "content": chat_input["prompt"]}]
    messages = chat_input["messages"]
    if not is_array(messages):
        return messages
    return [_message(message) for message in messages]


def _message(message: object) -> object:
    if not is_object(message) or not is_array(message.get("content")):
        return message
    return {**message, "content": [_part(part) for part in message["content"]]}


def _part(part: object) -> JsonObject:
    """Return a part in the OpenAI shape; here its key, not a type, tells its kind.

    What stands beside the content, such as ``fps`` or ``cache_control``, is kept.
    """
    if not is_object(part):
        return {"type": "unknown"}
    beside = {key: value for key, value in part.items() if key not in _CONTENT_KEYS}
    for key, build in _BUILDERS.items():
        if key in part:
            return {**beside, **build(part[key])}
    if file := {key: part[key] for key in _FILE_KEYS if key in part}:
        return {**beside, "type": "file", "file": file}
    return {**part, "type": "unknown"}
