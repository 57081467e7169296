"""The rerank service, on its flat and its native path."""

from modelstudio_core.catalog import resolve_model
from modelstudio_core.emulator.json_values import JsonObject, dump, is_object
from modelstudio_core.emulator.model.tokens import count_tokens
from modelstudio_core.emulator.model.vectors import content_words, relevance
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.steps import Step, complete_response
from modelstudio_core.emulator.rules.refusal import invalid_parameter
from modelstudio_core.emulator.rules.rerank import (
    RerankQuery,
    as_content,
    check_rerank,
    rerank_profile,
)
from modelstudio_core.emulator.rules.sources import sourced
from modelstudio_core.emulator.services.plain import respond
from modelstudio_core.emulator.studio import RecordedRequest, ResponseContext, Studio

__all__ = ["RerankService"]


class RerankService:
    """Answers rerank requests on one path."""

    def __init__(self, studio: Studio, protocol: ErrorProtocol, *, flat: bool) -> None:
        """Set what the answers come from.

        Args:
            studio: The emulator's state.
            protocol: How errors are written; the flat path has those of the native
                protocol.
            flat: Whether requests and answers are flat.
        """
        self._studio = studio
        self._protocol = protocol
        self._flat = flat

    def respond(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer a request by the rules."""
        return respond(self._studio, self._protocol, request, context, self._answer)

    def _answer(self, body: JsonObject, context: ResponseContext) -> list[Step]:
        query = self._parse(body)
        check_rerank(query)
        results, tokens = _results(query), _count(query)
        answer: JsonObject = (
            {
                "object": "list",
                "results": results,
                "model": query.profile.id,
                "id": context.request_id,
                "usage": {"total_tokens": tokens},
            }
            if self._flat
            else {
                "output": {"results": results},
                "usage": {"total_tokens": tokens},
                "request_id": context.request_id,
            }
        )
        headers = {"content-type": self._protocol.content_type}
        return complete_response(200, headers, dump(answer).encode())

    @sourced("Text rerank API", "2026-11-27")
    def _parse(self, body: JsonObject) -> RerankQuery:
        model = body.get("model")
        name = model if isinstance(model, str) else ""
        profile = rerank_profile(resolve_model(name, "rerank"))
        if self._flat and profile.flat_path is None:
            raise invalid_parameter("Unsupported model for this path: model")
        given = body if self._flat else body.get("input")
        options = body if self._flat else body.get("parameters")
        content = given if is_object(given) else {}
        parameters = options if is_object(options) else {}
        return RerankQuery(
            profile=profile,
            query=content.get("query"),
            documents=content.get("documents"),
            top_n=parameters.get("top_n"),
            return_documents=parameters.get("return_documents") is True,
        )


def _results(query: RerankQuery) -> list[JsonObject]:
    wanted = content_words(as_content(query.query))
    results: list[JsonObject] = [
        {"index": index, "relevance_score": relevance(wanted, content_words(content))}
        for index, content in enumerate(query.contents)
    ]
    results.sort(key=lambda result: -result["relevance_score"])
    if query.return_documents:
        contents = query.contents
        for result in results:
            result["document"] = contents[result["index"]]
    return results[: query.top_n] if isinstance(query.top_n, int) else results


def _count(query: RerankQuery) -> int:
    """Count the tokens that are billed: those of the query for each document."""
    texts = [str(content.get("text", "")) for content in query.contents]
    query_tokens = count_tokens(str(as_content(query.query).get("text", "")))
    return query_tokens * len(texts) + sum(map(count_tokens, texts))
