"""Reranking: the relevance of documents to a query."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar, Final, NamedTuple, cast

from pydantic import Field
from typing_extensions import override

from modelstudio_core.catalog import (
    RerankProfile,
    ResolvedServiceModel,
    resolve_service_model,
)
from modelstudio_core.concurrent_arguments import (
    DEFAULT_CONCURRENCY,
    ConcurrentArguments,
    SharedState,
    check_count,
)
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.errors import ConfigurationError, InvalidResponseError
from modelstudio_core.facts import refuse_or_warn
from modelstudio_core.inline_data import check_data_url
from modelstudio_core.local_files import is_local
from modelstudio_core.service_inputs import (
    check_instruct,
    check_text,
    list_of,
    service_context,
)
from modelstudio_core.token_estimates import estimate_tokens
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import JsonAnswer, afetch, fetch
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.tracebacks import parse_and_forget
from modelstudio_core.transport.workers import acall_for_each, call_for_each
from modelstudio_core.uploads import oss_headers
from modelstudio_core.user_warnings import warn_once, warn_user
from modelstudio_core.wire.json_values import (
    count_of,
    number_of,
    object_of,
    objects_of,
)
from modelstudio_core.wire.media_types import MediaKind, bare_base64_type
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["Ranked", "RerankArguments", "RerankDocument", "ResolvedRerank"]

# Every current model accepts so many, so it is used for one that is not known.
_DEFAULT_DOCUMENTS: Final = 500
_MEDIA: Final[Mapping[str, MediaKind]] = {"image": "image", "video": "video"}
_FIELDS: Final = frozenset({"text", *_MEDIA})

# A text, or for a multimodal model a mapping with text, image or video.
RerankDocument = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document and its relevance.

    Attributes:
        index: The position of the document in the call.
        score: Its relevance to the query, 0 to 1.
    """

    index: int
    score: float


@dataclass(frozen=True, kw_only=True)
class ResolvedRerank:
    """The resolved arguments of a rerank class.

    Attributes:
        connection: How to reach the service.
        model: The model.
        top_n: How many documents are returned; None for all.
        instruct: What relevance means; None for answers to the query.
        max_concurrency: The most requests at once.
    """

    connection: Connection
    model: ResolvedServiceModel[RerankProfile]
    top_n: int | None
    instruct: str | None
    max_concurrency: int

    @property
    def profile(self) -> RerankProfile:
        """What is known of the model."""
        return self.model.profile

    @cached_property
    def context(self) -> ErrorContext:
        """The facts of a request that errors report."""
        return service_context(self.connection, self.profile, "rerank")


class RerankArguments(ConcurrentArguments):
    """The arguments of a rerank class."""

    argument_names: ClassVar[frozenset[str]] = frozenset()

    top_n: int | None = Field(
        default=None,
        description="How many documents are returned, the most relevant first. None:"
        " all of them.",
    )
    instruct: str | None = Field(
        default=None,
        description="What relevance means, preferably in English. None: the document"
        " answers the query.",
    )

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedRerank:
        return _resolve_rerank(arguments)

    @property
    def resolved(self) -> ResolvedRerank:
        """The resolved arguments."""
        return cast("ResolvedRerank", self._resolved_now())

    def _rerank(
        self, documents: Iterable[RerankDocument], query: str, top_n: int | None = None
    ) -> list[Ranked]:
        call = _Call.prepare(self.resolved, self._shared_now(), documents, query, top_n)
        limit = self.resolved.max_concurrency
        return call.finish(call_for_each(call.fetch, call.parts, limit))

    async def _arerank(
        self, documents: Iterable[RerankDocument], query: str, top_n: int | None = None
    ) -> list[Ranked]:
        call = _Call.prepare(self.resolved, self._shared_now(), documents, query, top_n)
        limit = self.resolved.max_concurrency
        return call.finish(await acall_for_each(call.afetch, call.parts, limit))

    def _rerank_found(
        self, documents: Sequence[RerankDocument], query: str
    ) -> list[Ranked]:
        """Rank what a search found, of which those without text come last."""
        sent = _positions_with_text(documents)
        ranked = self._rerank([documents[index] for index in sent], query)
        return _add_empty(ranked, sent, len(documents))[: self.resolved.top_n]

    async def _arerank_found(
        self, documents: Sequence[RerankDocument], query: str
    ) -> list[Ranked]:
        """Async version of ``_rerank_found``."""
        sent = _positions_with_text(documents)
        ranked = await self._arerank([documents[index] for index in sent], query)
        return _add_empty(ranked, sent, len(documents))[: self.resolved.top_n]


RerankArguments.argument_names = frozenset(RerankArguments.model_fields) - {
    "resolved_model"
}


def _resolve_rerank(arguments: Mapping[str, Any]) -> ResolvedRerank:
    name = arguments.get("model")
    if name is None:
        raise ConfigurationError(
            "model is missing: pass a model id such as model='qwen3-rerank'."
        )
    connection = resolve_connection(arguments, model=name)
    model = resolve_service_model(RerankProfile, name, connection.endpoint)
    return ResolvedRerank(
        connection=connection,
        model=model,
        top_n=check_count(arguments, "top_n"),
        instruct=check_instruct(
            arguments.get("instruct"), model.profile, supported=model.profile.instruct
        ),
        max_concurrency=check_count(arguments, "max_concurrency")
        or DEFAULT_CONCURRENCY,
    )


# --- One call ---------------------------------------------------------------------


class _Part(NamedTuple):
    """The documents of one request, and the position of the first one."""

    start: int
    documents: Sequence[RerankDocument]


@dataclass(frozen=True, kw_only=True)
class _Call:
    """A call, in one request or, with too many documents for one, in several."""

    resolved: ResolvedRerank
    shared: SharedState
    query: str
    parts: Sequence[_Part]
    top_n: int | None

    @classmethod
    def prepare(
        cls,
        resolved: ResolvedRerank,
        shared: SharedState,
        documents: Iterable[RerankDocument],
        query: str,
        top_n: int | None,
    ) -> "_Call":
        """Check the query and the documents, and split them into requests."""
        profile = resolved.profile
        text = check_text(query, profile.max_item_tokens, "The query", "Pass a text.")
        checked = _check_documents(documents, profile)
        parts = _split(checked, text, profile)
        if len(parts) > 1:
            warn_user(
                f"{len(checked)} documents are more than one request of {profile.id}"
                f" accepts: {len(parts)} requests are sent. Scores of different"
                " requests are only roughly comparable.",
                UserWarning,
            )
        wanted = check_count({"top_n": top_n}, "top_n") or resolved.top_n
        return cls(
            resolved=resolved, shared=shared, query=text, parts=parts, top_n=wanted
        )

    def fetch(self, part: _Part) -> list[Ranked]:
        resolved = self.resolved
        context, gate = resolved.context, self.shared.gate
        return parse_and_forget(
            partial(self._parse, part),
            fetch(resolved.connection, self._build(part), context, gate),
        )

    async def afetch(self, part: _Part) -> list[Ranked]:
        resolved = self.resolved
        context, gate = resolved.context, self.shared.gate
        return parse_and_forget(
            partial(self._parse, part),
            await afetch(resolved.connection, self._build(part), context, gate),
        )

    def finish(self, results: Iterable[Sequence[Ranked]]) -> list[Ranked]:
        ranked = [item for result in results for item in result]
        ranked.sort(key=lambda item: (-item.score, item.index))
        return ranked[: self.top_n]

    def _wanted(self, part: _Part) -> int:
        count = len(part.documents)
        return min(self.top_n or count, count)

    def _build(self, part: _Part) -> HttpRequest:
        profile = self.resolved.profile
        parameters: dict[str, object] = {"top_n": self._wanted(part)}
        if self.resolved.instruct:
            parameters["instruct"] = self.resolved.instruct
        content = {"query": self.query, "documents": [*part.documents]}
        if profile.shape == "flat":
            return HttpRequest(
                api="rerank",
                path=f"/{profile.flat_path}",
                json={"model": profile.id, **content, **parameters},
            )
        return HttpRequest(
            api="dashscope",
            uses_sdk=False,
            path=f"/services/{profile.native_path}",
            headers=oss_headers(part.documents),
            json={"model": profile.id, "input": content, "parameters": parameters},
        )

    def _parse(self, part: _Part, answer: JsonAnswer) -> list[Ranked]:
        body = answer.body
        self.shared.count(count_of(object_of(body, "usage"), "total_tokens"))
        # Both shapes are read, whichever one was sent: some gateways answer the other.
        rows = objects_of(body, "results") or objects_of(
            object_of(body, "output"), "results"
        )
        ranked = [_to_ranked(row) for row in rows]
        indices = {item.index for item in ranked}
        in_range = indices <= set(range(len(part.documents)))
        wanted = self._wanted(part)
        if len(indices) != len(rows) or not in_range or len(rows) < wanted:
            raise self.resolved.context.error(
                InvalidResponseError,
                f"The response has {len(rows)} results for {len(indices)} documents,"
                f" and the request asked for {wanted} of {len(part.documents)}.",
                request_id=body.get("request_id") or answer.request_id,
            )
        if any(math.isnan(item.score) for item in ranked):
            raise self.resolved.context.error(
                InvalidResponseError,
                "The response has a relevance score that is not a number.",
                request_id=body.get("request_id") or answer.request_id,
            )
        return [Ranked(part.start + item.index, item.score) for item in ranked]


def _to_ranked(row: Mapping[str, Any]) -> Ranked:
    index = count_of(row, "index")
    score = number_of(row.get("relevance_score"))
    return Ranked(-1 if index is None else index, score)


# --- Queries and documents --------------------------------------------------------


def _check_documents(documents: object, profile: RerankProfile) -> list[RerankDocument]:
    given = list_of(documents, "documents")
    return [
        _check_document(document, profile, f"documents[{index}]")
        for index, document in enumerate(given)
    ]


def _check_document(
    document: object, profile: RerankProfile, name: str
) -> RerankDocument:
    if not isinstance(document, Mapping):
        return check_text(document, profile.max_item_tokens, name)
    fields = cast("Mapping[str, object]", document)
    if len(fields) != 1 or not fields.keys() <= _FIELDS:
        raise ConfigurationError(
            f"{name} must be a text, or a mapping with text, image or video."
        )
    ((kind, value),) = fields.items()
    if profile.is_known and kind not in profile.inputs:
        refuse_or_warn(profile, f"{name}: {profile.id} does not rank {kind}s.")
    if kind == "text":
        return {kind: check_text(value, profile.max_item_tokens, name)}
    place = f"{name}[{kind!r}]"
    if isinstance(value, str) and (found := bare_base64_type(value, _MEDIA[kind])):
        value = f"data:{found};base64,{value}"
    if not isinstance(value, str) or is_local(value):
        raise ConfigurationError(f"{place} must be a URL or a data URI.")
    check_data_url(value, place)
    return {kind: value}


def _positions_with_text(documents: Sequence[RerankDocument]) -> list[int]:
    """Return the positions of the documents that are sent: those that are not blank.

    The application did not choose what a search found, so a blank document is a warning
    and no error.
    """
    return [
        index
        for index, document in enumerate(documents)
        if not isinstance(document, str) or document.strip()
    ]


def _add_empty(
    ranked: Iterable[Ranked], sent: Sequence[int], count: int
) -> list[Ranked]:
    """Return the ranked documents by their positions among all, then the others."""
    rest = sorted({*range(count)} - {*sent})
    if rest:
        warn_once(
            "A document without text was not sent for reranking: documents without"
            " text come after the others, with a score of 0.",
            set(),
        )
    return [
        *(Ranked(sent[item.index], item.score) for item in ranked),
        *(Ranked(index, 0.0) for index in rest),
    ]


def _split(
    documents: Sequence[RerankDocument], query: str, profile: RerankProfile
) -> list[_Part]:
    """Split documents by the limits of one request: of documents, and of tokens."""
    limit = profile.max_documents or _DEFAULT_DOCUMENTS
    budget = profile.max_request_tokens
    query_tokens = estimate_tokens(query)
    parts: list[_Part] = []
    start = tokens = 0
    for index, document in enumerate(documents):
        # Each document is scored with the query, whose tokens count each time.
        text = document if isinstance(document, str) else document.get("text", "")
        cost = query_tokens + estimate_tokens(text)
        is_over = budget is not None and tokens + cost > budget
        if index > start and (is_over or index - start == limit):
            parts.append(_Part(start, documents[start:index]))
            start, tokens = index, 0
        tokens += cost
    if documents:
        parts.append(_Part(start, documents[start:]))
    return parts
