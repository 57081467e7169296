"""The names that modules export to each other."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import modelstudio_core

ROOT: Final = Path(modelstudio_core.__file__).parent.parent
# Here __all__ is the exceptions that users catch, each beside that of the core.
EXCEPTIONS: Final = "langchain_modelstudio.errors"
# One concept in two forms: the parser of each protocol, the charge that the transport
# needs and the one that a limit has, the options of functions and of the command, the
# usage of an answer and that of an object.
IN_TWO_FORMS: Final = frozenset({"Charge", "ConnectionOptions", "Parser", "Usage"})
PACKAGES: Final = (
    "modelstudio_core",
    "langchain_modelstudio",
    "llamaindex_modelstudio",
)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield name.removesuffix(".__init__"), tree


def exported(tree: ast.Module) -> set[str] | None:
    """Return the names in ``__all__``; None for a module without it."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return {*ast.literal_eval(node.value)}
    return None


def test_what_a_module_imports_from_another_is_in_its_all() -> None:
    trees = dict(modules())
    missing = [
        f"{node.module}.{alias.name}"
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in trees
        if node.module != EXCEPTIONS
        for alias in node.names
        if f"{node.module}.{alias.name}" not in trees
        if not alias.name.startswith("_")
        if alias.name not in (exported(trees[node.module]) or {alias.name})
    ]
    assert missing == []


def test_a_type_of_the_core_has_a_name_of_its_own() -> None:
    """A word that means two things in two modules is read wrongly in one of them."""
    places: dict[str, set[str]] = defaultdict(set)
    for module, tree in modules():
        if not module.startswith("modelstudio_core.") or ".emulator" in module:
            continue
        names = exported(tree) or set()
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name in names:
                places[node.name].add(module)
            if isinstance(node, ast.Assign):
                name = ast.unparse(node.targets[0])
                if name in names and name != name.upper() and name[0].isupper():
                    places[name].add(module)
    shared = {name for name, found in places.items() if len(found) > 1}
    assert shared - IN_TWO_FORMS == set()
