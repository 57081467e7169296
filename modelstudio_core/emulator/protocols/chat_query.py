"""Parse a flat body, the last step of parsing on both protocols."""

from collections.abc import Sequence
from typing import cast

from modelstudio_core.catalog import ChatProfile, resolve_model
from modelstudio_core.emulator.json_values import JsonObject, is_array, is_object
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.rules.refusal import Refusal

__all__ = ["parse_flat_body"]


def parse_flat_body(body: JsonObject) -> ChatQuery:
    """Parse a body that has ``model``, ``messages`` and the parameters at its top.

    Raises:
        Refusal: There is no model, or messages or tools are not lists of objects.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Refusal("you must provide a model parameter.", code=None)
    return ChatQuery(
        body=body,
        # A model of another kind is refused before its chat columns are read.
        profile=cast("ChatProfile", resolve_model(model)),
        messages=_objects(body, "messages"),
        tools=_objects(body, "tools"),
    )


def _objects(body: JsonObject, name: str) -> Sequence[JsonObject]:
    value = body.get(name)
    if value is None:
        return []
    if is_array(value) and all(is_object(item) for item in value):
        return value
    raise Refusal(
        f"{name} must be an array of objects - '{name}'",
        code="invalid_value",
        gateway=True,
    )
