"""Rules for the types of a chat request's values, which the gateway checks first.

The texts are those of a JSON schema's validator, as in the recorded refusal of an empty
list of messages.
"""

from collections.abc import Callable, Mapping
from typing import Final

from modelstudio_core.emulator.json_values import (
    JsonObject,
    dump,
    is_array,
    is_number,
    is_object,
)
from modelstudio_core.emulator.rules.refusal import invalid_shape
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["check_value_types"]

_MAX_SHOWN: Final = 60

_IS: Final[Mapping[str, Callable[[object], bool]]] = {
    "array": is_array,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": is_number,
    "object": is_object,
    "string": lambda value: isinstance(value, str),
}
# The types of each value, with "|" between them; null is a value that is not given.
_BODY: Final = {
    "audio": "object",
    "enable_code_interpreter": "boolean",
    "enable_search": "boolean",
    "enable_thinking": "boolean",
    "incremental_output": "boolean",
    "logprobs": "boolean",
    "messages": "array",
    "modalities": "array",
    "ocr_options": "object",
    "parallel_tool_calls": "boolean",
    "preserve_thinking": "boolean",
    "reasoning_effort": "string",
    "response_format": "object",
    "result_format": "string",
    "search_options": "object",
    "stop": "string|array|integer",
    "stream": "boolean",
    "stream_options": "object",
    "tool_choice": "string|object",
    "tool_stream": "boolean",
    "tools": "array",
    "translation_options": "object",
    "vl_high_resolution_images": "boolean",
}
_MESSAGE: Final = {
    "content": "string|array",
    "name": "string",
    "partial": "boolean",
    "reasoning_content": "string",
    "role": "string",
    "tool_call_id": "string",
    "tool_calls": "array",
}
_CALL: Final = {"function": "object", "id": "string", "type": "string"}
_CALLED_FUNCTION: Final = {"arguments": "string", "name": "string"}
_TOOL: Final = {"function": "object", "type": "string"}
_FUNCTION: Final = {
    "description": "string",
    "name": "string",
    # A list is the form of older clients: one object for each parameter.
    "parameters": "object|array",
}
_AUDIO: Final = {"format": "string", "voice": "string"}
_OCR: Final = {"task": "string", "task_config": "object"}
_FORMAT: Final = {"json_schema": "object", "type": "string"}
_SCHEMA: Final = {"name": "string", "schema": "object"}


@sourced("Chat; recorded (an empty list of messages)", "2026-09-15")
def check_value_types(body: JsonObject) -> None:
    """Refuse a body with a value of a wrong type.

    Args:
        body: The flat body.

    Raises:
        Refusal: A value has a wrong type, or one that is required is missing.
    """
    _check_types(body, _BODY, "")
    for path, message in _entries(body, "messages"):
        _check_types(message, _MESSAGE, path)
        _check_content(message, path)
        for call_path, call in _entries(message, "tool_calls", path):
            _check_types(call, _CALL, call_path)
            _check_types(call.get("function") or {}, _CALLED_FUNCTION, call_path)
    for path, tool in _entries(body, "tools"):
        _check_types(tool, _TOOL, path)
        function = _required(tool, "function", path)
        _check_types(function, _FUNCTION, f"{path}.function")
        _required(function, "name", f"{path}.function")
    _check_types(body.get("audio") or {}, _AUDIO, "audio")
    _check_types(body.get("ocr_options") or {}, _OCR, "ocr_options")
    for index, modality in enumerate(body.get("modalities") or ()):
        _check_type(modality, "string", f"modalities.{index}")
    _check_choice(body.get("tool_choice"))
    _check_format(body.get("response_format"))


def _check_types(values: JsonObject, types: Mapping[str, str], path: str) -> None:
    for name, expected in types.items():
        _check_type(values.get(name), expected, f"{path}.{name}".lstrip("."))


@sourced("Chat; recorded (an empty list of messages)", "2026-09-15")
def _check_type(value: object, expected: str, path: str) -> None:
    if value is None or any(_IS[kind](value) for kind in expected.split("|")):
        return
    shown = dump(value)
    shown = shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."
    kinds = " or ".join(f"'{kind}'" for kind in expected.split("|"))
    raise invalid_shape(f"{shown} is not of type {kinds} - '{path}'")


def _entries(
    values: JsonObject, name: str, path: str = ""
) -> list[tuple[str, JsonObject]]:
    """Return the objects of an array with their paths; each entry must be one."""
    entries: list[JsonObject] = values.get(name) or []
    paths = [f"{path}.{name}.{index}".lstrip(".") for index in range(len(entries))]
    for entry_path, entry in zip(paths, entries, strict=True):
        _check_type(entry, "object", entry_path)
        _check_present(entry, entry_path)
    return list(zip(paths, entries, strict=True))


def _required(values: JsonObject, name: str, path: str) -> JsonObject:
    _check_present(values.get(name), f"{path}.{name}")
    value: JsonObject = values[name]
    return value


@sourced("Chat; recorded (an empty list of messages)", "2026-09-15")
def _check_present(value: object, path: str) -> None:
    if value in (None, ""):
        name = path.rpartition(".")[2]
        raise invalid_shape(f"'{name}' is a required property - '{path}'")


def _check_content(message: JsonObject, path: str) -> None:
    content = message.get("content")
    if not is_array(content):
        return
    for index, part in enumerate(content):
        part_path = f"{path}.content.{index}"
        _check_type(part, "object", part_path)
        _check_present(part, part_path)
        _check_types(part, {"text": "string", "type": "string"}, part_path)


def _check_choice(choice: object) -> None:
    if is_object(choice):
        _check_types(choice, _TOOL, "tool_choice")
        function = _required(choice, "function", "tool_choice")
        _check_types(function, _FUNCTION, "tool_choice.function")


def _check_format(value: object) -> None:
    if not is_object(value):
        return
    _check_types(value, _FORMAT, "response_format")
    if value.get("type") != "json_schema":
        return
    schema = _required(value, "json_schema", "response_format")
    _check_types(schema, _SCHEMA, "response_format.json_schema")
