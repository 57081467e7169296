"""Reads the docstrings of the reference as they are written here."""

import re
from collections.abc import Iterator
from typing import Any, Final, cast

from griffe import (
    Docstring,
    DocstringSection,
    DocstringSectionParameters,
    Extension,
    Module,
    Object,
)
from typing_extensions import override

__all__ = ["Docstrings"]

# The reader of docstrings wants the plural; with one example the code has the singular.
_EXAMPLE: Final = re.compile(r"^(\s*)Example:$", re.MULTILINE)


class Docstrings(Extension):
    """Makes examples blocks of code, and the defaults of arguments a column."""

    @override
    def on_package(self, *, pkg: Module, **kwargs: Any) -> None:
        for docstring in _docstrings(pkg):
            docstring.value = _EXAMPLE.sub(r"\1Examples:", docstring.value)
            _keep_parsed(docstring, _sections(docstring))


def _docstrings(parent: Object) -> Iterator[Docstring]:
    """Yield the docstrings of an object and of all that is in it."""
    if parent.docstring is not None:
        yield parent.docstring
    for member in parent.members.values():
        if isinstance(member, Object):
            yield from _docstrings(member)


def _sections(docstring: Docstring) -> list[DocstringSection]:
    """Parse a docstring, with ``name (type = default)`` for an argument."""
    sections = docstring.parse("google", warn_unknown_params=False, warnings=False)
    for section in sections:
        if not isinstance(section, DocstringSectionParameters):
            continue
        for argument in section.value:
            kind, equals, default = str(argument.annotation or "").partition(" = ")
            if equals:
                argument.annotation, argument.value = kind, default
    return sections


def _keep_parsed(docstring: Docstring, sections: list[DocstringSection]) -> None:
    # A cached property, which the pages are made from.
    cast("Any", docstring).__dict__["parsed"] = sections
