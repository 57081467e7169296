"""Interrupts at each of the places where CPython may raise one."""

import dis
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final

__all__ = ["InterruptError", "interrupted_everywhere"]


class InterruptError(BaseException):
    """Stands for ``KeyboardInterrupt``."""


# After these steps CPython looks for signals.
STEPS: Final = ("CALL", "JUMP_BACKWARD", "RESUME")


class Interrupter:
    """Raises an interrupt at one of the places where CPython may raise one.

    Attributes:
        places: The places that were passed.
    """

    def __init__(self, modules: list[Any], place: int) -> None:
        self.places = 0
        self._files = {module.__file__ for module in modules}
        self._place = place
        self._names: dict[CodeType, dict[int, str]] = {}
        self._last: dict[FrameType, str] = {}

    def __call__(self, frame: FrameType, event: str, _value: object) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        if event == "call":
            frame.f_trace_opcodes = True
        elif event == "opcode":
            code = frame.f_code
            if code not in self._names:
                steps = dis.get_instructions(code)
                self._names[code] = {step.offset: step.opname for step in steps}
            last = self._last.get(frame, "")
            self._last[frame] = self._names[code].get(frame.f_lasti, "")
            if last.startswith(STEPS):
                self.places += 1
                if self.places == self._place:
                    raise InterruptError
        return self


def interrupted_everywhere(
    modules: list[Any], action: Callable[[], object], check: Callable[[bool], None]
) -> int:
    """Repeat an action, and interrupt it at the next place each time.

    Args:
        modules: In whose frames it is interrupted.
        action: The action.
        check: Called after each interrupt.

    Returns:
        The number of places.
    """
    place = 0
    while True:
        place += 1
        interrupter = Interrupter(modules, place)
        previous = sys.gettrace()
        is_complete = False
        try:
            sys.settrace(interrupter)
            action()
            is_complete = True
        except InterruptError:
            pass
        finally:
            sys.settrace(previous)
        check(is_complete)
        if is_complete:
            return place - 1
