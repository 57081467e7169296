"""What a forked process has of its parent, and must neither use nor close."""

import ctypes
from typing import Final

__all__ = ["keep"]

_add_reference: Final = ctypes.pythonapi.Py_IncRef


def keep(parents: object) -> None:
    """Keep an object of the parent process, so that it is never finalized here.

    It stays beyond the end of the interpreter, which would finalize what a list holds.

    Args:
        parents: The object, such as an open connection.
    """
    _add_reference(ctypes.py_object(parents))
