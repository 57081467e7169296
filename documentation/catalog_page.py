"""The page of models, from the catalog."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar, cast

from modelstudio_core.catalog import (
    ChatProfile,
    EmbeddingProfile,
    MediaProfile,
    ModelProfile,
    RerankProfile,
    model_ids,
    resolve_model,
)

__all__ = ["PAGE", "format_page"]

PAGE: Final = Path(__file__).parents[1] / "docs" / "models.md"

_INTRODUCTION: Final = """\
# Models

The facts about each model, made from its catalog by `python -m documentation
--pages`. An empty cell means that no source says it. An id that is not here is sent as
it is: the facts of its family apply, else nothing is assumed.

The same facts in Python:

```python
from modelstudio_core.catalog import resolve_model

profile = resolve_model("deepseek-v4-pro")
print(profile.kind, sorted(profile.inputs), profile.checked)
```

```text
{example}
```

In the column "thinking", on and off are defaults that `enable_thinking` switches;
always and never cannot be switched. Where a region or a mode is not served, the
constructor says so before anything is sent. The sources are pages of Alibaba Cloud by
their own titles; the last column is the day on which they were read.
"""
_THINKING: Final = {
    "hybrid-on": "on",
    "hybrid-off": "off",
    "only": "always",
    "never": "never",
}

P = TypeVar("P", bound=ModelProfile)
Reader = Callable[[ModelProfile], object]
Column = tuple[str, Reader]


def format_page() -> str:
    """Return the page."""
    parts = [
        _INTRODUCTION.format(example=_example()),
        *_section("Chat models", "chat", _CHAT),
        *_section("Embedding models", "embedding", _EMBEDDING),
        *_section("Rerank models", "rerank", _RERANK),
        *_section("Models for images, video and speech", "media", _MEDIA),
        "## Sources\n",
        *(f"- {source}" for source in _sources()),
    ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _example() -> str:
    profile = resolve_model("deepseek-v4-pro")
    return f"{profile.kind} {sorted(profile.inputs)} {profile.checked}"


def _section(title: str, kind: str, columns: Sequence[Column]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"| {' | '.join(name for name, _ in columns)} |"
    yield f"|{'---|' * len(columns)}"
    for profile in _profiles(kind):
        cells = (_cell(read(profile)) for _, read in columns)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _profiles(kind: str) -> Iterator[ModelProfile]:
    """Yield the profile of each exact id of a kind, those of other vendors last."""
    for name in sorted(model_ids(None), key=lambda name: "/" in name):
        profile = resolve_model(name)
        if profile.kind == kind:
            yield profile


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, cast("frozenset[object]", value))))
    if isinstance(value, tuple | list):
        return ", ".join(map(str, cast("Sequence[object]", value)))
    return str(value)


def _name(profile: ModelProfile) -> str:
    delisted = f" (delisted {profile.delisted})" if profile.delisted else ""
    return f"`{profile.id}`{delisted}"


def _places(profile: ModelProfile) -> str:
    """Return the regions and the modes, where a source names them."""
    modes = profile.modes or ()
    places = [*(profile.regions or ()), *(f"mode `{mode}`" for mode in modes)]
    return ", ".join(places)


def _of(kind: type[P], read: Callable[[P], object]) -> Reader:
    """Return a function for the profiles of one kind."""
    return lambda profile: read(profile) if isinstance(profile, kind) else None


def _dimensions(profile: EmbeddingProfile) -> list[int]:
    """Return the lengths of vector, the default first."""
    default = profile.default_dimension
    rest = [length for length in profile.dimensions or () if length != default]
    return [*([default] if default else []), *rest]


def _sources() -> Iterable[str]:
    titles = {
        title.strip()
        for name in model_ids(None)
        for title in resolve_model(name).source.split(";")
    }
    return sorted(titles - {""})


_FIRST: Final[tuple[Column, ...]] = (("model", _name),)
_LAST: Final[tuple[Column, ...]] = (
    ("regions and modes", _places),
    ("read on", lambda profile: profile.checked),
)
_CHAT: Final[tuple[Column, ...]] = (
    *_FIRST,
    ("thinking", _of(ChatProfile, lambda p: _THINKING.get(p.thinking or ""))),
    ("context", _of(ChatProfile, lambda p: p.context_window)),
    ("answer", _of(ChatProfile, lambda p: p.max_output)),
    ("inputs", lambda profile: profile.inputs),
    ("tools", _of(ChatProfile, lambda p: p.tools)),
    ("formats", _of(ChatProfile, lambda p: p.structured_output)),
    ("web search", _of(ChatProfile, lambda p: p.search)),
    *_LAST,
)
_EMBEDDING: Final[tuple[Column, ...]] = (
    *_FIRST,
    ("inputs", lambda profile: profile.inputs),
    ("rows", _of(EmbeddingProfile, lambda p: p.max_rows)),
    ("tokens of a row", _of(EmbeddingProfile, lambda p: p.max_row_tokens)),
    ("dimensions", _of(EmbeddingProfile, _dimensions)),
    ("sparse", _of(EmbeddingProfile, lambda p: p.sparse)),
    *_LAST,
)
_RERANK: Final[tuple[Column, ...]] = (
    *_FIRST,
    ("inputs", lambda profile: profile.inputs),
    ("documents", _of(RerankProfile, lambda p: p.max_documents)),
    *_LAST,
)
_MEDIA: Final[tuple[Column, ...]] = (
    *_FIRST,
    ("results", lambda profile: profile.outputs),
    ("inputs", lambda profile: profile.inputs),
    ("calls", _of(MediaProfile, lambda p: p.calls)),
    *_LAST,
)
