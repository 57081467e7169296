"""The lists of models, and the entry of one model, on both protocols."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from modelstudio_core.catalog import model_ids, resolve_model
from modelstudio_core.emulator.json_values import JsonObject, dump
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.faults import build_refusal
from modelstudio_core.emulator.protocols.openai import CREATED
from modelstudio_core.emulator.protocols.steps import Step, complete_response
from modelstudio_core.emulator.rules.api_key import check_api_key
from modelstudio_core.emulator.rules.refusal import Refusal, model_not_found
from modelstudio_core.emulator.rules.sources import sourced
from modelstudio_core.emulator.studio import RecordedRequest, ResponseContext, Studio

__all__ = ["ModelService"]

# The default page, and the largest one, of the DashScope protocol's list.
_PAGE_SIZE: Final = 10
_MAX_PAGE_SIZE: Final = 100
_Write = Callable[[RecordedRequest, ResponseContext], JsonObject]


class ModelService:
    """Answers what models there are: those of the catalog that are not delisted."""

    def __init__(
        self, studio: Studio, openai: ErrorProtocol, dashscope: ErrorProtocol
    ) -> None:
        """Set what the answers come from.

        Args:
            studio: The emulator's state.
            openai: How errors of the OpenAI-compatible protocol are written.
            dashscope: How errors of the DashScope protocol are written.
        """
        self._studio = studio
        self._openai = openai
        self._dashscope = dashscope

    def list_openai(
        self, request: RecordedRequest, context: ResponseContext
    ) -> list[Step]:
        """Answer ``GET /compatible-mode/v1/models``."""
        return self._answer(_openai_list, self._openai, request, context)

    def show_openai(
        self, request: RecordedRequest, context: ResponseContext
    ) -> list[Step]:
        """Answer ``GET /compatible-mode/v1/models/{id}``; an id may have a slash."""
        return self._answer(_openai_entry, self._openai, request, context)

    def list_dashscope(
        self, request: RecordedRequest, context: ResponseContext
    ) -> list[Step]:
        """Answer ``GET /api/v1/models``, for a page or for one model."""
        return self._answer(_dashscope_list, self._dashscope, request, context)

    def _answer(
        self,
        write: _Write,
        protocol: ErrorProtocol,
        request: RecordedRequest,
        context: ResponseContext,
    ) -> list[Step]:
        try:
            check_api_key(request.headers, self._studio.api_key)
            body = write(request, context)
        except Refusal as refusal:
            return build_refusal(refusal, protocol, context, stream=False)
        headers = {"content-type": protocol.content_type}
        return complete_response(200, headers, dump(body).encode())


def _served_models() -> Sequence[str]:
    return [name for name in model_ids() if not resolve_model(name).delisted]


def _openai_list(_: RecordedRequest, __: ResponseContext) -> JsonObject:
    names = _served_models()
    return {
        "object": "list",
        "data": [_write_entry(name) for name in names],
        "first_id": names[0],
        "last_id": names[-1],
        "has_more": False,
    }


@sourced("OpenAI API reference (models); Error codes", "2026-09-15")
def _openai_entry(request: RecordedRequest, _: ResponseContext) -> JsonObject:
    name = request.path.partition("/models/")[2]
    if name not in _served_models():
        raise model_not_found(name)
    return _write_entry(name)


def _write_entry(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}


def _dashscope_list(request: RecordedRequest, context: ResponseContext) -> JsonObject:
    """Write a page; its shape is what the dashscope SDK 2.0.2 reads."""
    names = [
        name
        for name in _served_models()
        if request.query.get("model") in {None, "", name}
    ]
    number = _positive(request.query, "page_no", 1)
    size = min(_positive(request.query, "page_size", _PAGE_SIZE), _MAX_PAGE_SIZE)
    page = names[(number - 1) * size : number * size]
    models = [
        {"model": name, "name": name, "provider": "system", "source": "system"}
        for name in page
    ]
    output = {
        "models": models,
        "page_no": number,
        "page_size": size,
        "total": len(names),
    }
    return {"output": output, "request_id": context.request_id}


def _positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return max(int(text), 1) if text.isdecimal() and len(text) < _PAGE_SIZE else default
