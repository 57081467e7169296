"""HTTP requests for embeddings."""

from collections.abc import Mapping, Sequence
from typing import Any

from modelstudio_core.embeddings.options import OutputType, ResolvedEmbeddings, TextType
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.uploads import oss_headers

__all__ = ["build_contents_request", "build_request"]


def build_request(
    resolved: ResolvedEmbeddings,
    texts: Sequence[str],
    text_type: TextType,
    output: OutputType = "dense",
) -> HttpRequest:
    """Build the request for the vectors of texts.

    Args:
        resolved: The resolved arguments.
        texts: The texts: at most as many as one request can hold.
        text_type: Whether they are documents or queries.
        output: Which vectors to request.
    """
    if resolved.profile.multimodal:
        contents = [{"text": text} for text in texts]
        return build_contents_request(
            resolved, contents, _instruct(resolved, text_type)
        )
    if resolved.is_native:
        return _build_native(resolved, texts, text_type, output)
    body: dict[str, Any] = {
        "model": resolved.profile.id,
        "input": [*texts],
        # The documented format, and measured to need less CPU time than base64.
        "encoding_format": "float",
    }
    if resolved.dimensions:
        body["dimensions"] = resolved.dimensions
    return HttpRequest(api="openai", path="/embeddings", json=body, uses_sdk=False)


def build_contents_request(
    resolved: ResolvedEmbeddings,
    contents: Sequence[Mapping[str, object]],
    parameters: Mapping[str, object],
) -> HttpRequest:
    """Build the request for the vectors of texts, images and video.

    Args:
        resolved: The resolved arguments.
        contents: The contents as they are sent.
        parameters: Parameters besides the length of the vectors.
    """
    body = {
        "model": resolved.profile.id,
        "input": {"contents": [*contents]},
        "parameters": _dimension(resolved) | {**parameters},
    }
    return HttpRequest(
        api="dashscope",
        uses_sdk=False,
        path=f"/services/{resolved.profile.native_path}",
        headers=oss_headers(contents),
        json=body,
    )


def _build_native(
    resolved: ResolvedEmbeddings,
    texts: Sequence[str],
    text_type: TextType,
    output: OutputType,
) -> HttpRequest:
    parameters: dict[str, Any] = {
        "text_type": text_type,
        **_dimension(resolved),
        **_instruct(resolved, text_type),
    }
    if output != "dense":
        parameters["output_type"] = output
    return HttpRequest(
        api="dashscope",
        uses_sdk=False,
        path=f"/services/{resolved.profile.native_path}",
        json={
            "model": resolved.profile.id,
            "input": {"texts": [*texts]},
            "parameters": parameters,
        },
    )


def _dimension(resolved: ResolvedEmbeddings) -> dict[str, object]:
    return {"dimension": resolved.dimensions} if resolved.dimensions else {}


def _instruct(resolved: ResolvedEmbeddings, text_type: TextType) -> dict[str, object]:
    """Return the instruction, which only queries have."""
    if text_type == "query" and resolved.instruct:
        return {"instruct": resolved.instruct}
    return {}
