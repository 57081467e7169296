"""The reference: every argument is in its class's docstring, with its own default."""

import re
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

import langchain_modelstudio as langchain
import llamaindex_modelstudio as llamaindex
from tests.support.pages import DOCS, ROOT

CLASSES: list[type[BaseModel]] = [
    getattr(package, name)
    for package in (langchain, llamaindex)
    for name in package.__all__
    if isinstance(getattr(package, name), type)
    and issubclass(getattr(package, name), BaseModel)
]
_ARGUMENT = re.compile(r"^ {8}(\w+) \((.+?)(?: = (.+?))?\): ", re.MULTILINE)
_EACH_CLASS = pytest.mark.parametrize(
    "cls", CLASSES, ids=[f"{cls.__module__}.{cls.__name__}" for cls in CLASSES]
)


def documented(cls: type[BaseModel]) -> dict[str, str | None]:
    """Return the arguments of a docstring, each with the text of its default."""
    text = (cls.__doc__ or "").partition("\n    Args:\n")[2]
    section = re.split(r"^    \w+:$", text, maxsplit=1, flags=re.MULTILINE)[0]
    return {name: default for name, _, default in _ARGUMENT.findall(section)}


@_EACH_CLASS
def test_a_docstring_names_the_arguments_of_its_constructor(
    cls: type[BaseModel],
) -> None:
    fields = {
        name for name, field in cls.model_fields.items() if field.init is not False
    }
    assert set(documented(cls)) == fields


@_EACH_CLASS
def test_a_default_is_the_one_of_the_constructor(cls: type[BaseModel]) -> None:
    for name, shown in documented(cls).items():
        default: Any = cls.model_fields[name].get_default(call_default_factory=True)
        if isinstance(default, Enum):
            default = default.value
        if isinstance(default, bool | int | float | str) and shown:
            assert shown.strip('"') == str(default), name


def test_a_page_of_the_reference_has_every_class() -> None:
    pages = "".join(
        path.read_text(encoding="utf-8") for path in (DOCS / "reference").iterdir()
    )
    for cls in CLASSES:
        assert f"::: {cls.__module__.partition('.')[0]}.{cls.__name__}\n" in pages


def test_the_navigation_has_every_page() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for path in DOCS.rglob("*.md"):
        assert f": {path.relative_to(DOCS).as_posix()}\n" in navigation
