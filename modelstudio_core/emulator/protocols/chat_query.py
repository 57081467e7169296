"""Parse a flat body, the last step of parsing on both protocols."""

from collections.abc import Mapping
from typing import Final, cast

from modelstudio_core.catalog import ChatProfile, resolve_model
from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import sourced
from modelstudio_core.emulator.rules.value_types import check_value_types

__all__ = ["parse_flat_body"]

_RESOLVE: Final = "x-dashscope-ossresourceresolve"


@sourced("Error codes", "2026-09-15")
def parse_flat_body(
    body: JsonObject, headers: Mapping[str, str] | None = None
) -> ChatQuery:
    """Parse a body that has ``model``, ``messages`` and the parameters at its top.

    Args:
        body: The body.
        headers: The headers, with lower-case names; None for none.

    Raises:
        Refusal: There is no model, or a value has a wrong type.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Refusal("you must provide a model parameter.", code=None)
    check_value_types(body)
    return ChatQuery(
        body=body,
        # A model of another kind is refused before its chat columns are read.
        profile=cast("ChatProfile", resolve_model(model)),
        messages=body.get("messages") or [],
        tools=body.get("tools") or [],
        resolves_uploads=(headers or {}).get(_RESOLVE) == "enable",
    )
