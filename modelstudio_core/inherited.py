"""What a forked process has of its parent, and must neither use nor close."""

__all__ = ["keep"]


def keep(parents: object) -> None:
    """Keep an object of the parent process, so that it is never finalized here.

    It stays beyond the end of the interpreter, which would finalize what a list holds.

    Args:
        parents: The object, such as an open connection.
    """
    import ctypes  # noqa: PLC0415 - slow, and rarely needed

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(parents))
