"""The list of models (``GET /models``)."""

from modelstudio_core.catalog import known_models, resolve_model
from modelstudio_core.emulator.json_values import JsonObject, dump
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.faults import build_refusal
from modelstudio_core.emulator.protocols.openai import CREATED
from modelstudio_core.emulator.protocols.steps import Step, complete_response
from modelstudio_core.emulator.rules.api_key import check_api_key
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.studio import RecordedRequest, ResponseContext, Studio

__all__ = ["list_models"]


def list_models(
    studio: Studio,
    protocol: ErrorProtocol,
    request: RecordedRequest,
    context: ResponseContext,
) -> list[Step]:
    """List the models of the catalog that are not delisted."""
    try:
        check_api_key(request.headers, studio.api_key)
    except Refusal as refusal:
        return build_refusal(refusal, protocol, context, stream=False)
    headers = {"content-type": protocol.content_type}
    return complete_response(200, headers, dump(_body()).encode())


def _body() -> JsonObject:
    ids = [name for name in known_models() if not resolve_model(name).delisted]
    data = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}
        for name in ids
    ]
    return {
        "object": "list",
        "data": data,
        "first_id": ids[0],
        "last_id": ids[-1],
        "has_more": False,
    }
