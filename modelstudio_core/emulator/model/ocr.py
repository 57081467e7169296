"""What a model for reading text in images finds: the same for each image."""

from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, dump, is_object
from modelstudio_core.emulator.model.query import ChatQuery

__all__ = ["build_ocr_result"]

# The words that each image has, a line each, and the height of a line in pixels.
_LINES: Final = ("MODEL STUDIO", "EMULATOR")
_WIDTH_PER_LETTER: Final = 20
_HEIGHT: Final = 40


def build_ocr_result(query: ChatQuery) -> tuple[JsonObject, str] | None:
    """Return the ``ocr_result`` of a task and the text beside it.

    Recorded: ``advanced_recognition`` has ``words_info``,
    ``key_information_extraction`` has ``kv_result``, and the text is the same as JSON.
    Other tasks have a text only.
    """
    options = query.body.get("ocr_options")
    task = options.get("task") if is_object(options) else None
    if task == "advanced_recognition":
        words = [_word(line, index) for index, line in enumerate(_LINES)]
        shown = [{"rotate_rect": w["rotate_rect"], "text": w["text"]} for w in words]
        return {"words_info": words}, _fenced(shown)
    if task == "key_information_extraction":
        config = options.get("task_config") if is_object(options) else None
        schema = config.get("result_schema") if is_object(config) else None
        values = _fill(schema) if is_object(schema) else {"text": " ".join(_LINES)}
        return {"kv_result": values}, _fenced(values)
    return None


def _word(text: str, index: int) -> JsonObject:
    left, top = _HEIGHT, _HEIGHT + 2 * _HEIGHT * index
    width = _WIDTH_PER_LETTER * len(text)
    right, bottom = left + width, top + _HEIGHT
    return {
        "location": [left, top, right, top, right, bottom, left, bottom],
        "rotate_rect": [left + width // 2, top + _HEIGHT // 2, _HEIGHT, width, 90],
        "text": text,
    }


def _fill(schema: JsonObject) -> JsonObject:
    """Return an object with the keys of a schema, whose leaves describe values."""
    return {
        name: _fill(value) if is_object(value) else f"{name} 1"
        for name, value in schema.items()
    }


def _fenced(value: object) -> str:
    return f"```json\n{dump(value)}\n```"
