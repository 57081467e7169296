"""The web search: two invented results, and what the usage reports of a search."""

from collections.abc import Sequence
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, is_object
from modelstudio_core.emulator.model.passages import find_question
from modelstudio_core.emulator.model.query import ChatQuery

__all__ = ["build_search_results", "build_search_usage", "has_search", "has_sources"]

_MAX_TITLE: Final = 60
_SITES: Final = (("Example News", "example.com"), ("Example Archive", "example.org"))


def has_search(query: ChatQuery) -> bool:
    """Return whether the request asks for a web search."""
    return bool(query.body.get("enable_search"))


def has_sources(query: ChatQuery) -> bool:
    """Return whether the request asks for the search results in the answer."""
    options = query.body.get("search_options")
    return (
        has_search(query) and is_object(options) and bool(options.get("enable_source"))
    )


def build_search_results(query: ChatQuery) -> Sequence[JsonObject]:
    """Return two results, the same for each request with the same question."""
    question = find_question((query.texts("user") or [""])[-1])[:_MAX_TITLE]
    return [
        {
            "icon": f"https://{host}/favicon.ico",
            "site_name": site,
            "index": index,
            "title": f"{question} - {site}",
            "url": f"https://{host}/articles/{index}",
        }
        for index, (site, host) in enumerate(_SITES, 1)
    ]


def build_search_usage(query: ChatQuery) -> JsonObject:
    """Return the ``plugins`` entry of the usage."""
    options = query.body.get("search_options")
    strategy = options.get("search_strategy") if is_object(options) else None
    return {"search": {"count": 1, "strategy": strategy or "turbo"}}
