"""Changes of functions in memory, so that nothing needs to be imported again."""

import gc
import sys
from collections import defaultdict
from collections.abc import Iterator
from inspect import CO_NEWLOCALS
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Final, NamedTuple

__all__ = ["Functions", "NotReplaceableError"]

# What runs at once where it stands in a class or a module.
COMPREHENSIONS: Final = frozenset(
    {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
)


class NotReplaceableError(Exception):
    """A change has effects beyond the functions that are in memory."""


class _Key(NamedTuple):
    """What names a function of a file."""

    path: str
    name: str
    line: int

    @classmethod
    def of(cls, code: CodeType) -> "_Key":
        return cls(code.co_filename, code.co_qualname, code.co_firstlineno)


class Functions:
    """The functions in memory whose code is in the files of a folder.

    What is called while the tests are collected has had its effect, such as what a
    decorator has computed, and is not replaced.
    """

    def __init__(self, folder: Path) -> None:
        """Begin to note what is called.

        Args:
            folder: The absolute path of the folder.
        """
        self._folder = f"{folder}/"
        self._called: set[_Key] = set()
        self._found: defaultdict[_Key, list[FunctionType]] = defaultdict(list)
        sys.setprofile(self._note)

    def find(self) -> None:
        """Note no more, and look for the functions."""
        sys.setprofile(None)
        for found in gc.get_objects():
            if isinstance(found, FunctionType) and self._is_ours(found.__code__):
                self._found[_Key.of(found.__code__)].append(found)

    def _note(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and self._is_ours(frame.f_code):
            self._called.add(_Key.of(frame.f_code))

    def _is_ours(self, code: CodeType) -> bool:
        return code.co_filename.startswith(self._folder)

    def replace(self, path: str, before: str, after: str) -> None:
        """Give functions the code that they have after a change of their file.

        Args:
            path: The absolute path of the file.
            before: The content that was imported.
            after: The changed content.

        Raises:
            NotReplaceableError: More than functions is changed, or a changed function
                was called already. Nothing is replaced.
        """
        codes = (
            compile(text, path, "exec", dont_inherit=True) for text in (before, after)
        )
        pairs = list(_changed_functions(*codes))
        for old, _ in pairs:
            if _Key.of(old) in self._called:
                msg = f"{old.co_qualname} was called before"
                raise NotReplaceableError(msg)
        found = [
            (function, new)
            for old, new in pairs
            for function in self._found[_Key.of(old)]
        ]
        if not found:
            msg = "The changed function is not in memory"
            raise NotReplaceableError(msg)
        for function, new in found:
            function.__code__ = new


def _changed_functions(
    before: CodeType, after: CodeType
) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the functions that two versions of a class or module define differently.

    Args:
        before: The code that runs when the class or module is made.
        after: The same after a change.

    Raises:
        NotReplaceableError: The class or module itself is changed.
    """
    if _without_parts(before) != _without_parts(after):
        msg = f"{before.co_qualname} itself is changed"
        raise NotReplaceableError(msg)
    for old, new in _changed_parts(before, after):
        if not old.co_flags & CO_NEWLOCALS:
            yield from _changed_functions(old, new)
        elif old.co_name in COMPREHENSIONS:
            msg = f"{old.co_qualname} runs with its class or module"
            raise NotReplaceableError(msg)
        else:
            yield from _with_inner_functions(old, new)


def _with_inner_functions(
    before: CodeType, after: CodeType
) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield a changed function, and those that are defined in it."""
    if before.co_freevars != after.co_freevars:
        msg = f"{before.co_qualname} uses other variables"
        raise NotReplaceableError(msg)
    yield before, after
    for old, new in _changed_parts(before, after):
        yield from _with_inner_functions(old, new)


def _changed_parts(
    before: CodeType, after: CodeType
) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the functions and classes directly inside that differ, even in a column."""
    old_parts, new_parts = _parts(before), _parts(after)
    names = [_Key.of(part) for part in old_parts]
    if names != [_Key.of(part) for part in new_parts]:
        msg = f"{before.co_qualname} has other parts"
        raise NotReplaceableError(msg)
    for name, old, new in zip(names, old_parts, new_parts, strict=True):
        if old == new:
            continue
        if names.count(name) > 1:
            msg = f"{old.co_qualname} is not the only one on its line"
            raise NotReplaceableError(msg)
        yield old, new


def _parts(code: CodeType) -> list[CodeType]:
    return [part for part in code.co_consts if isinstance(part, CodeType)]


def _without_parts(code: CodeType) -> tuple[object, ...]:
    """Return what a code does, without the functions and classes that it makes."""
    constants = [
        None if isinstance(value, CodeType) else (type(value), repr(value))
        for value in code.co_consts
    ]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_cellvars
