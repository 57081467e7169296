"""Rules for rerank requests.

Sources: text rerank API and rerank guide (read 2026-11-27). The message for a model
that does not exist is recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from modelstudio_core.catalog import ModelProfile, RerankProfile
from modelstudio_core.emulator.json_values import is_array, is_object
from modelstudio_core.emulator.model.tokens import count_tokens
from modelstudio_core.emulator.rules.refusal import Refusal, invalid_parameter
from modelstudio_core.emulator.rules.served_models import is_served
from modelstudio_core.emulator.rules.sources import sourced

__all__ = [
    "RerankQuery",
    "as_content",
    "check_rerank",
    "rerank_profile",
]

_KINDS: Final = frozenset({"text", "image", "video"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankQuery:
    """A request for the relevance of documents.

    Attributes:
        profile: What is known of the model.
        query: The query: a text, or a content object.
        documents: The documents: texts, or content objects.
        top_n: How many results it asks for.
        return_documents: Whether the results repeat the documents.
    """

    profile: RerankProfile
    query: object
    documents: object
    top_n: object = None
    return_documents: bool = False

    @property
    def contents(self) -> list[Mapping[str, object]]:
        """The documents as content objects."""
        documents = self.documents if is_array(self.documents) else []
        return [as_content(document) for document in documents]


def as_content(value: object) -> Mapping[str, object]:
    """Return a text or a content object as a content object; empty for others."""
    if isinstance(value, str):
        return {"text": value}
    return value if is_object(value) else {}


@sourced("recorded", "2026-11-27")
def rerank_profile(profile: ModelProfile) -> RerankProfile:
    """Return the profile of a model that exists and ranks documents.

    Raises:
        Refusal: There is no such model, or it is of another kind.
    """
    if not isinstance(profile, RerankProfile) or not is_served(profile):
        raise Refusal("Model not exist.", gateway=True)
    return profile


@sourced("Text rerank API", "2026-11-27")
def check_rerank(query: RerankQuery) -> None:
    """Refuse a rerank request that the service refuses.

    Raises:
        Refusal: With the service's status, code and message.
    """
    contents, profile = query.contents, query.profile
    if not contents:
        raise invalid_parameter("documents is empty or malformed: input.documents")
    _check_counts(contents, profile)
    items = [as_content(query.query), *contents]
    for item in items:
        if not item or not item.keys() <= _KINDS or not all(item.values()):
            raise invalid_parameter(
                "query and documents must be texts that are not empty: input"
            )
    tokens = [count_tokens(str(item.get("text", ""))) for item in items]
    _check_tokens(tokens, profile)
    top_n = query.top_n
    if top_n is not None and (type(top_n) is not int or top_n < 1):
        raise invalid_parameter("top_n must be a positive integer: parameters.top_n")


@sourced("Rerank guide", "2026-11-27")
def _check_counts(
    contents: Sequence[Mapping[str, object]], profile: RerankProfile
) -> None:
    counts = (
        ("text", profile.max_documents),
        ("image", profile.max_images),
        ("video", profile.max_videos),
    )
    for kind, limit in counts:
        count = sum(kind in content for content in contents)
        if limit is not None and count > limit:
            raise invalid_parameter(
                f"The number of documents should not be larger than {limit}:"
                " input.documents"
            )


@sourced("Rerank guide", "2026-11-27")
def _check_tokens(tokens: Sequence[int], profile: RerankProfile) -> None:
    """Check the tokens of the query and of each document.

    The newest guide says that a longer one is refused; an older page, that it is cut.
    """
    limit, total = profile.max_item_tokens, profile.max_request_tokens
    if limit is not None and max(tokens) > limit:
        raise invalid_parameter(f"Range of input length should be [1, {limit}]: input")
    query, *documents = tokens
    if total is not None and query * len(documents) + sum(documents) > total:
        raise invalid_parameter(f"The request has more than {total} tokens: input")
