"""Texts before they are sent: checks, estimated tokens, and batches of rows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from modelstudio_core.embeddings.options import ResolvedEmbeddings
from modelstudio_core.service_inputs import check_text, list_of

__all__ = ["Batch", "check_texts", "plan_batches"]

_Row = TypeVar("_Row")


class Batch(NamedTuple):
    """The rows of one request.

    Attributes:
        start: The position of the first row in the call.
        rows: The rows.
    """

    start: int
    rows: Sequence[object]


def check_texts(
    texts: object, max_tokens: int | None, name: str = "texts"
) -> list[str]:
    """Return the texts of a call, and refuse one that cannot be embedded.

    Args:
        texts: A list of texts.
        max_tokens: The most tokens of one text; None for no limit.
        name: What the texts are called in errors.

    Raises:
        ConfigurationError: It is not a list of texts, or a text is empty, no string, or
            surely too long. The error names the row and does not repeat it.
    """
    rows = list_of(texts, name)
    return [
        check_text(row, max_tokens, f"{name}[{index}]")
        for index, row in enumerate(rows)
    ]


def plan_batches(
    rows: Sequence[_Row],
    resolved: ResolvedEmbeddings,
    max_rows: int | None,
    estimate: Callable[[_Row], int],
) -> list[Batch]:
    """Split rows into batches, each of which one request can hold.

    Args:
        rows: The rows of a call.
        resolved: The resolved arguments, with the limits.
        max_rows: A smaller limit of rows that the service named.
        estimate: Returns the estimated tokens of a row.
    """
    limit = min(resolved.batch_size, max_rows or resolved.batch_size)
    budget = resolved.tokens_per_request
    batches: list[Batch] = []
    start = tokens = 0
    for index, row in enumerate(rows):
        cost = estimate(row) if budget else 0
        is_over = budget is not None and tokens + cost > budget
        if index > start and (is_over or index - start == limit):
            batches.append(Batch(start, rows[start:index]))
            start, tokens = index, 0
        tokens += cost
    if rows:
        batches.append(Batch(start, rows[start:]))
    return batches
