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
# What a framework or a service is the reason for.
OWN_DESCRIPTIONS = {
    *("instruct", "limiter", "max_concurrency", "max_event_bytes"),
    *("max_response_bytes", "max_retries", "model", "n", "protocol", "rate_limiter"),
    *("response_format", "top_n", "total_timeout", "upload_media"),
    *("callbacks", "metadata", "name", "tags", "verbose"),
}
_ALIAS = re.compile(r" ``\w+`` is an alias\.")
_ARGUMENT = re.compile(r"^ {8}(\w+) \((.+?)(?: = (.+?))?\): ", re.MULTILINE)
_EACH_CLASS = pytest.mark.parametrize(
    "cls", CLASSES, ids=[f"{cls.__module__}.{cls.__name__}" for cls in CLASSES]
)


def arguments(cls: type[BaseModel]) -> str:
    """Return the section of a docstring that describes the arguments."""
    text = (cls.__doc__ or "").partition("\n    Args:\n")[2]
    return re.split(r"^    \w+:$", text, maxsplit=1, flags=re.MULTILINE)[0]


def documented(cls: type[BaseModel]) -> dict[str, str | None]:
    """Return the arguments of a docstring, each with the text of its default."""
    return {name: default for name, _, default in _ARGUMENT.findall(arguments(cls))}


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


def described(cls: type[BaseModel]) -> dict[str, str]:
    """Return the arguments of a docstring, each with its description on one line."""
    # Before the first argument nothing; then name, type, default and description.
    parts = _ARGUMENT.split(arguments(cls))
    entries = zip(parts[1::4], parts[4::4], strict=True)
    return {name: _ALIAS.sub("", " ".join(text.split())) for name, text in entries}


def test_an_argument_is_described_alike_in_all_classes() -> None:
    descriptions: dict[str, set[str]] = {}
    for cls in CLASSES:
        for name, text in described(cls).items():
            descriptions.setdefault(name, set()).add(text)
    several = {name for name, texts in descriptions.items() if len(texts) > 1}
    assert several == OWN_DESCRIPTIONS


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
