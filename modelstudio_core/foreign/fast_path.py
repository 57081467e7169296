"""The switch of a fast path that leans on another library's private parts.

A fast path is off where ``MODELSTUDIO_FAST_PATH`` is ``0``, where its probe does not
find what it needs in the installed version, and after its first failure. Whatever it
does then has an ordinary way that uses public interfaces only.
"""

import logging
import os
from collections.abc import Callable
from typing import Final

__all__ = ["VARIABLE", "FastPath"]

VARIABLE: Final = "MODELSTUDIO_FAST_PATH"
_logger: Final = logging.getLogger("modelstudio")


class FastPath:
    """Whether a fast path is used, decided once and logged where it is not.

    Attributes:
        name: What the log calls it.
        active: Whether it is used.

    Example:
        >>> path = FastPath("an example", probe=lambda: True)
        >>> path.active
        True
    """

    __slots__ = ("active", "name")

    def __init__(self, name: str, probe: Callable[[], object] = lambda: True) -> None:
        """Decide whether the path is used.

        Args:
            name: What the log calls it.
            probe: Returns something true where the installed libraries have what the
                path needs. What it raises counts as false.
        """
        self.name = name
        self.active = True
        if os.environ.get(VARIABLE) == "0":
            self.switch_off(f"{VARIABLE}=0")
            return
        try:
            works = probe()
        except Exception as error:  # noqa: BLE001 - another version may raise anything
            self.switch_off(f"{type(error).__name__}: {error}")
            return
        if not works:
            self.switch_off("the installed libraries are not the expected ones")

    def switch_off(self, reason: object) -> None:
        """Use the ordinary way from now on, and log it once.

        Args:
            reason: Why; of an exception its type and text.
        """
        if not self.active:
            return
        self.active = False
        if isinstance(reason, Exception):
            reason = f"{type(reason).__name__}: {reason}"
        _logger.info("The fast path for %s is off: %s", self.name, reason)
