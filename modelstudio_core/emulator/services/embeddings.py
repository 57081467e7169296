"""The embedding services: texts on both protocols, and texts, images and video."""

import base64
from array import array
from collections.abc import Mapping, Sequence
from typing import Literal

from modelstudio_core.catalog import resolve_model
from modelstudio_core.emulator.json_values import JsonObject, dump, is_array, is_object
from modelstudio_core.emulator.model.tokens import count_tokens
from modelstudio_core.emulator.model.vectors import (
    content_words,
    dense_vector,
    sparse_vector,
    words_of,
)
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.steps import Step, complete_response
from modelstudio_core.emulator.rules.embeddings import (
    EmbeddingQuery,
    check_embedding,
    embedding_profile,
)
from modelstudio_core.emulator.services.plain import respond
from modelstudio_core.emulator.studio import RecordedRequest, ResponseContext, Studio

__all__ = ["EmbeddingService"]

EmbeddingPath = Literal["openai", "text", "multimodal"]

_DEFAULT_DIMENSION = 1024
_TOKENS_PER_FILE = 402


class EmbeddingService:
    """Answers embedding requests on one path."""

    def __init__(
        self, studio: Studio, protocol: ErrorProtocol, path: EmbeddingPath
    ) -> None:
        """Set what the answers come from.

        Args:
            studio: The emulator's state.
            protocol: How errors are written.
            path: Which path it is, which decides the form of requests and answers.
        """
        self._studio = studio
        self._protocol = protocol
        self._path: EmbeddingPath = path

    def respond(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer a request by the rules."""
        return respond(self._studio, self._protocol, request, context, self._answer)

    def _answer(self, body: JsonObject, context: ResponseContext) -> list[Step]:
        query = self._parse(body)
        check_embedding(query)
        vectors = _vectors(query)
        tokens = sum(map(_tokens, query.contents))
        answer = (
            _openai_body(query, vectors, tokens, context)
            if self._path == "openai"
            else _dashscope_body(query, vectors, tokens, context)
        )
        headers = {"content-type": self._protocol.content_type}
        return complete_response(200, headers, dump(answer).encode())

    def _parse(self, body: JsonObject) -> EmbeddingQuery:
        model = body.get("model")
        name = model if isinstance(model, str) else ""
        profile = embedding_profile(resolve_model(name, "embedding"))
        if self._path == "openai":
            rows = body.get("input")
            return EmbeddingQuery(
                profile=profile,
                path="text",
                rows=rows if is_array(rows) else [rows],
                dimension=body.get("dimensions"),
                base64=body.get("encoding_format") == "base64",
            )
        given, options = body.get("input"), body.get("parameters")
        key = "texts" if self._path == "text" else "contents"
        rows = given.get(key) if is_object(given) else None
        parameters = options if is_object(options) else {}
        return EmbeddingQuery(
            profile=profile,
            path=self._path,
            rows=rows if is_array(rows) else [],
            dimension=parameters.get("dimension"),
            text_type=parameters.get("text_type", "document"),
            output_type=parameters.get("output_type", "dense"),
            instruct=str(parameters.get("instruct", "")),
            fused=parameters.get("enable_fusion") is True,
        )


def _vectors(query: EmbeddingQuery) -> list[JsonObject]:
    """Return the vectors of each row; of a fused request, one for all rows."""
    profile = query.profile
    rows = [content_words(content) for content in query.contents]
    if query.fused or profile.fusion == "always":
        rows = [[word for row in rows for word in row]]
    lengths = profile.dimensions or ()
    default = profile.default_dimension or _DEFAULT_DIMENSION
    dimension = query.dimension if query.dimension in lengths else default
    small = ["(query)", *words_of(query.instruct)] if query.text_type == "query" else []
    made: list[JsonObject] = []
    for words in rows:
        vectors: JsonObject = {}
        if query.output_type != "sparse":
            vectors["embedding"] = dense_vector(
                words,
                dimension if isinstance(dimension, int) else default,
                normalized=profile.normalized is not False,
                small_words=small,
            )
        if query.output_type != "dense":
            vectors["sparse_embedding"] = sparse_vector(words)
        made.append(vectors)
    return made


def _tokens(content: Mapping[str, object]) -> int:
    text = content.get("text")
    files = len(content.keys() - {"text"})
    return count_tokens(str(text or "")) + files * _TOKENS_PER_FILE


def _openai_body(
    query: EmbeddingQuery,
    vectors: Sequence[JsonObject],
    tokens: int,
    context: ResponseContext,
) -> JsonObject:
    data = [
        {
            "embedding": _encoded(v["embedding"]) if query.base64 else v["embedding"],
            "index": index,
            "object": "embedding",
        }
        for index, v in enumerate(vectors)
    ]
    return {
        "data": data,
        "model": query.profile.id,
        "object": "list",
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        "id": context.request_id,
    }


def _encoded(vector: Sequence[float]) -> str:
    return base64.b64encode(array("f", vector).tobytes()).decode()


def _dashscope_body(
    query: EmbeddingQuery,
    vectors: Sequence[JsonObject],
    tokens: int,
    context: ResponseContext,
) -> JsonObject:
    if query.path == "text":
        rows = [{**v, "text_index": index} for index, v in enumerate(vectors)]
        usage: JsonObject = {"total_tokens": tokens}
    else:
        kinds = [next(iter(content)) for content in query.contents]
        if len(vectors) != len(kinds):
            kinds = ["fusion"]
        rows = [
            {"index": index, **v, "type": kind}
            for index, (v, kind) in enumerate(zip(vectors, kinds, strict=True))
        ]
        usage = {"input_tokens": tokens, "total_tokens": tokens}
    return {
        "output": {"embeddings": rows},
        "usage": usage,
        "request_id": context.request_id,
    }
