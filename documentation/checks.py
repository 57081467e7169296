"""What must hold for the built site, beside what Zensical checks itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urldefrag, urlsplit

from typing_extensions import override

__all__ = ["FIRST_PAGE", "Page", "find_problems", "read_page"]

FIRST_PAGE: Final = "index.html"
# The theme's page for addresses that do not exist: it is shown at any depth, so its
# links begin at the root of a server.
_MISSING_PAGE: Final = "404.html"
# What a browser loads by itself.
_LOADED: Final = {
    "img": "src",
    "script": "src",
    "iframe": "src",
    "source": "src",
    "link": "href",
}
# Links between pages that a browser does not load.
_NOT_LOADED: Final = frozenset({"canonical", "next", "prev", "alternate"})


@dataclass
class Page(HTMLParser):
    """What a page links to, loads, shows and can be linked to.

    Attributes:
        links: The targets of its links.
        loaded: What a browser loads with it.
        anchors: The ids and names of its elements.
        untitled: The pictures that have no text beside them.
    """

    links: list[str] = field(default_factory=list[str])
    loaded: list[str] = field(default_factory=list[str])
    anchors: set[str] = field(default_factory=set[str])
    untitled: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        """Set up the parser."""
        super().__init__(convert_charrefs=True)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "img" and not values.get("alt", "").strip():
            self.untitled.append(values.get("src", "img"))
        if tag in _LOADED and values.get("rel") not in _NOT_LOADED:
            self.loaded.append(values.get(_LOADED[tag], ""))


def read_page(text: str) -> Page:
    """Return what a page of HTML holds.

    Args:
        text: The HTML.
    """
    page = Page()
    page.feed(text)
    page.close()
    return page


def find_problems(site: Path) -> Iterator[str]:
    """Yield a sentence for each problem of a built site.

    Args:
        site: The folder with the built site.
    """
    pages = {
        path.relative_to(site).as_posix(): read_page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
        if path.name != _MISSING_PAGE
    }
    if FIRST_PAGE not in pages:
        yield f"The site has no {FIRST_PAGE}."
        return
    reached = {FIRST_PAGE}
    for name, page in pages.items():
        for source in page.untitled:
            yield f"{name}: the picture {source} has no alternative text."
        for source in filter(_is_elsewhere, page.loaded):
            yield f"{name}: {source} is loaded from another host."
        for target in [*page.links, *page.loaded]:
            if _is_elsewhere(target) or urlsplit(target).scheme:
                continue
            path, anchor = _resolve(site, name, target)
            reached.add(path)
            if not (site / path).is_file():
                yield f"{name}: the link {target} leads to nothing."
            elif anchor and path in pages and anchor not in pages[path].anchors:
                yield f"{name}: the link {target} has no such place."
    for name in sorted({*pages} - reached):
        yield f"{name}: no page links to it."


def _is_elsewhere(target: str) -> bool:
    return bool(urlsplit(target).netloc)


def _resolve(site: Path, page: str, target: str) -> tuple[str, str]:
    """Return the file and the anchor that a link of a page leads to."""
    address, anchor = urldefrag(target)
    if not address:
        return page, unquote(anchor)
    path = (site / page).parent / unquote(urlsplit(address).path)
    if address.endswith("/") or path.is_dir():
        path /= FIRST_PAGE
    resolved = path.resolve()
    inside = resolved.is_relative_to(site.resolve())
    name = resolved.relative_to(site.resolve()).as_posix() if inside else target
    return name, unquote(anchor)
