"""The switch of a fast path that uses private attributes of another library.

A fast path is off if ``MODELSTUDIO_FAST_PATH`` is ``0``, if its probe fails with the
installed version, and after its first exception. The caller then uses a fallback that
needs public interfaces only.
"""

import logging
import os
from collections.abc import Callable
from typing import Final

__all__ = ["VARIABLE", "FastPath"]

VARIABLE: Final = "MODELSTUDIO_FAST_PATH"
_logger: Final = logging.getLogger("modelstudio")


class FastPath:
    """The switch of one fast path. It logs once when the path is switched off.

    Attributes:
        name: The name of the path in the log.
        active: Whether the path is used.

    Example:
        >>> path = FastPath("an example", probe=lambda: True)
        >>> path.active
        True
    """

    __slots__ = ("active", "name")

    def __init__(
        self,
        name: str,
        probe: Callable[[], object] = lambda: True,
        *,
        is_guard: bool = False,
    ) -> None:
        """Decide whether the path is used.

        Args:
            name: The name of the path in the log.
            probe: Returns a true value if the installed libraries have what the path
                needs. An exception counts as false.
            is_guard: Whether it protects the caller and is no faster: it stays on with
                ``MODELSTUDIO_FAST_PATH=0``.
        """
        self.name = name
        self.active = True
        if os.environ.get(VARIABLE) == "0" and not is_guard:
            self.switch_off(f"{VARIABLE}=0")
            return
        try:
            works = probe()
        except Exception as error:  # noqa: BLE001 - another version may raise anything
            self.switch_off(f"{type(error).__name__}: {error}")
            return
        if not works:
            self.switch_off("the installed versions do not have what it needs")

    def switch_off(self, reason: object) -> None:
        """Use the fallback from now on, and log that once.

        Args:
            reason: The reason for the log: a text, or an exception.
        """
        if not self.active:
            return
        self.active = False
        if isinstance(reason, Exception):
            reason = f"{type(reason).__name__}: {reason}"
        _logger.info("The fast path for %s is off: %s", self.name, reason)
