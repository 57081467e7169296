"""Tracebacks of errors, which keep everything that the functions in them have used."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from pathlib import Path
from traceback import walk_tb
from types import FrameType
from typing import Final, TypeVar

__all__ = ["forget_bodies", "parse_and_forget"]

_Answer = TypeVar("_Answer")
_Result = TypeVar("_Result")
_PACKAGE: Final = f"{Path(__file__).parents[1]}{os.sep}"
# One that waits would be ended.
_MAY_WAIT: Final = CO_ASYNC_GENERATOR | CO_COROUTINE | CO_GENERATOR


def forget_bodies(error: BaseException) -> None:
    """Clear the variables of this package's functions that an error has ended.

    A function that parses a response holds its body, perhaps of 256 MiB, and the
    traceback would keep it for as long as somebody keeps the error. What a nested
    function uses of an outer one is kept.

    Args:
        error: The error. Those that it came from are cleared too.
    """
    for frame in _frames_of(error):
        code = frame.f_code
        if code.co_filename.startswith(_PACKAGE) and not code.co_flags & _MAY_WAIT:
            # It may still run.
            with suppress(RuntimeError):
                frame.clear()


def parse_and_forget(parse: Callable[[_Answer], _Result], answer: _Answer) -> _Result:
    """Parse an answer. An error keeps nothing of it, unless the caller holds it.

    Args:
        parse: The function that parses it.
        answer: The answer, which must be no variable of the caller.
    """
    try:
        return parse(answer)
    except BaseException as error:
        del answer
        forget_bodies(error)
        raise


def _frames_of(error: BaseException) -> Iterator[FrameType]:
    seen: set[int] = set()
    errors: list[BaseException | None] = [error]
    while errors:
        current = errors.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        errors += current.__cause__, current.__context__
        for frame, _ in walk_tb(current.__traceback__):
            yield frame
