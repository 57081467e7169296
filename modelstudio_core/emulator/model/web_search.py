"""What a web search finds: two results that say that they are made up."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from modelstudio_core.emulator.json_values import is_object
from modelstudio_core.emulator.model.passages import find_question
from modelstudio_core.emulator.model.query import Ask

__all__ = ["search_plugin", "search_results"]

_LONGEST_TITLE: Final = 60
_SITES: Final = (("Example News", "example.com"), ("Example Archive", "example.org"))


def search_results(ask: Ask) -> Sequence[Mapping[str, Any]]:
    """Return two results, always the same for the same question."""
    question = find_question((ask.texts("user") or [""])[-1])[:_LONGEST_TITLE]
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


def search_plugin(ask: Ask) -> Mapping[str, Any]:
    """Return what the usage says of a search."""
    options = ask.body.get("search_options")
    asked = options.get("search_strategy") if is_object(options) else None
    return {"search": {"count": 1, "strategy": asked or "turbo"}}
