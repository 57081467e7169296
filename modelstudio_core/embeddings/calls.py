"""Calls for embeddings: any number of rows, in several requests at once."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar, cast

from modelstudio_core.concurrent_arguments import SharedState
from modelstudio_core.embeddings.answers import input_tokens, parse_vectors
from modelstudio_core.embeddings.inputs import Batch, plan_batches
from modelstudio_core.embeddings.options import OutputType, ResolvedEmbeddings, TextType
from modelstudio_core.embeddings.requests import build_request
from modelstudio_core.embeddings.vectors import HybridVector, Vector
from modelstudio_core.errors import APIError, BadRequestError
from modelstudio_core.token_estimates import estimate_tokens
from modelstudio_core.transport.fetch import JsonAnswer, afetch, fetch
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.tracebacks import parse_and_forget
from modelstudio_core.transport.workers import acall_for_each, call_for_each

__all__ = ["EmbeddingCall", "Progress", "TextCall", "aembed_texts", "embed_texts"]

_T = TypeVar("_T")
# Called with the number of rows whose vectors were received.
Progress = Callable[[int], None]
# The message is: Value error, batch size is invalid, it should not be larger than 10.
_TOO_MANY_ROWS: Final = re.compile(r"batch size.{0,60}not be larger than (\d{1,6})")


@dataclass(frozen=True, kw_only=True)
class EmbeddingCall:
    """What all requests of one call have in common.

    Attributes:
        resolved: The resolved arguments.
        shared: The state of the object.
        build: Builds the request for some rows.
        output: Which vectors are requested.
        progress: Called after each answer.
        name: What the rows are called in errors.
    """

    resolved: ResolvedEmbeddings
    shared: SharedState
    build: Callable[[Sequence[Any]], HttpRequest]
    output: OutputType = "dense"
    progress: Progress | None = None
    name: str = "texts"

    def run(self, batches: Sequence[Batch]) -> list[Vector]:
        """Send one request for each batch, and return the vectors of all rows."""
        limit = self.resolved.max_concurrency
        return _join(call_for_each(self._fetch, batches, limit))

    async def arun(self, batches: Sequence[Batch]) -> list[Vector]:
        """Async version of ``run``."""
        limit = self.resolved.max_concurrency
        return _join(await acall_for_each(self._afetch, batches, limit))

    def _fetch(self, batch: Batch) -> list[Vector]:
        resolved, request = self.resolved, self.build(batch.rows)
        try:
            return parse_and_forget(
                partial(self._parse, batch),
                fetch(resolved.connection, request, resolved.context, self.shared.gate),
            )
        except APIError as error:
            parts = self._smaller(batch, error)
        return _join([self._fetch(part) for part in parts])

    async def _afetch(self, batch: Batch) -> list[Vector]:
        resolved, request = self.resolved, self.build(batch.rows)
        try:
            return parse_and_forget(
                partial(self._parse, batch),
                await afetch(
                    resolved.connection, request, resolved.context, self.shared.gate
                ),
            )
        except APIError as error:
            parts = self._smaller(batch, error)
        return _join([await self._afetch(part) for part in parts])

    def _parse(self, batch: Batch, answer: JsonAnswer) -> list[Vector]:
        self.shared.count(input_tokens(answer))
        rows = len(batch.rows)
        vectors = parse_vectors(answer, self.resolved, rows, self.output)
        if self.progress:
            self.progress(rows)
        return vectors

    def _smaller(self, batch: Batch, error: APIError) -> list[Batch]:
        """Split a batch that has more rows than the service accepts.

        Raises:
            APIError: The given error, if it is another one.
        """
        rows = len(batch.rows)
        found = _TOO_MANY_ROWS.search(error.message)
        limit = int(found[1]) if found and isinstance(error, BadRequestError) else 0
        if not 0 < limit < rows:
            if rows > 1:
                first, last = batch.start, batch.start + rows - 1
                error.add_note(
                    f"The request had {self.name}[{first}] to {self.name}[{last}]."
                )
            raise error
        self.shared.max_rows = limit
        starts = range(0, rows, limit)
        return [Batch(batch.start + i, batch.rows[i : i + limit]) for i in starts]


@dataclass(frozen=True, kw_only=True)
class TextCall:
    """A call for the vectors of texts.

    Attributes:
        texts: The texts, which are checked.
        text_type: Whether they are documents or queries.
        output: Which vectors are returned.
        progress: Called after each answer, with the number of its texts.
    """

    texts: Sequence[str]
    text_type: TextType
    output: OutputType = "dense"
    progress: Progress | None = None


def embed_texts(
    resolved: ResolvedEmbeddings, shared: SharedState, call: TextCall
) -> list[Any]:
    """Return the vectors of texts, in their order.

    Args:
        resolved: The resolved arguments.
        shared: The state of the object.
        call: The texts, and which vectors are returned.

    Raises:
        APIError: A request failed, or its answer is not complete.
    """
    plan = _Plan(resolved, shared, call)
    vectors = plan.call.run(plan.batches) if plan.texts else []
    return plan.finish(vectors)


async def aembed_texts(
    resolved: ResolvedEmbeddings, shared: SharedState, call: TextCall
) -> list[Any]:
    """Async version of ``embed_texts``."""
    plan = _Plan(resolved, shared, call)
    vectors = await plan.call.arun(plan.batches) if plan.texts else []
    return plan.finish(vectors)


class _Plan:
    """Which texts are sent, and which vectors are requested for them.

    An object that keeps sparse vectors requests them with each dense one.
    """

    def __init__(
        self, resolved: ResolvedEmbeddings, shared: SharedState, call: TextCall
    ) -> None:
        self._text_call = call
        self._kept = shared.kept
        self._found: dict[str, Any] = {}
        output = call.output
        self.texts = call.texts
        if self._kept is not None and output == "dense":
            output = "dense&sparse"
        elif self._kept is not None and output == "sparse":
            self._found = self._kept.find(call.text_type, call.texts)
            missing = [text for text in call.texts if text not in self._found]
            self.texts = list(dict.fromkeys(missing))
        self.call = EmbeddingCall(
            resolved=resolved,
            shared=shared,
            build=partial(_build, resolved, call.text_type, output),
            output=output,
            progress=call.progress,
        )
        self.batches = plan_batches(
            self.texts, resolved, shared.max_rows, estimate_tokens
        )

    def finish(self, vectors: list[Vector]) -> list[Any]:
        call, kept = self._text_call, self._kept
        if kept is None or call.output == "dense&sparse":
            return vectors
        if call.output == "sparse":
            # Only now: after a failed request they are not paid for again.
            kept.remove(call.text_type, self._found)
            found = self._found | dict(zip(self.texts, vectors, strict=True))
            return [found[text] for text in call.texts]
        pairs = cast("list[HybridVector]", vectors)
        kept.put(call.text_type, call.texts, [pair.sparse for pair in pairs])
        return [pair.dense for pair in pairs]


def _build(
    resolved: ResolvedEmbeddings,
    text_type: TextType,
    output: OutputType,
    texts: Sequence[str],
) -> HttpRequest:
    return build_request(resolved, texts, text_type, output)


def _join(lists: Sequence[list[_T]]) -> list[_T]:
    return [item for items in lists for item in items]
