"""Each rule has a source and the day on which it was read."""

import ast
import importlib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import modelstudio_core.emulator
from modelstudio_core.emulator.rules.sources import OWN, SOURCES, sourced

ROOT = Path(modelstudio_core.emulator.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
# What makes a refusal; the functions that call it are the rules.
MAKERS = re.compile(r"Refusal|invalid_parameter|invalid_shape|model_not_found")
# The home of the makers, and the translation of a scripted fault, which is no rule.
NOT_RULES = {"rules/refusal.py", "protocols/faults.py"}


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield the innermost functions and their qualified names."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.ClassDef):
            yield from functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{prefix}{child.name}", child


def makes_a_refusal(function: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and MAKERS.search(node.func.id)
        for node in ast.walk(function)
    )


def rules() -> list[str]:
    found: list[str] = []
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        if name in NOT_RULES:
            continue
        module = ".".join(["modelstudio_core.emulator", *Path(name).parts])
        module = module.removesuffix(".py")
        importlib.import_module(module)
        found.extend(
            f"{module}.{qualified}"
            for qualified, function in functions(ast.parse(path.read_text()))
            if makes_a_refusal(function)
        )
    return found


def test_no_rule_lacks_a_source() -> None:
    found = rules()
    assert len(found) > 30
    assert [rule for rule in found if rule not in SOURCES] == []


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_source_has_a_title_and_a_day(name: str) -> None:
    source = SOURCES[name]
    assert re.fullmatch(r"[A-Za-z].{2,}", source.title), source
    assert "http" not in source.title
    assert date(2024, 1, 1) < source.checked <= date(2026, 12, 31)


def test_a_source_is_registered_by_the_name_of_its_rule() -> None:
    def rule() -> None: ...

    assert sourced(OWN, "2026-09-15")(rule) is rule
    key = f"{__name__}.{rule.__qualname__}"
    assert SOURCES.pop(key).checked == date(2026, 9, 15)
