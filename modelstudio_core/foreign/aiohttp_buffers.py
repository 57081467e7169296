"""The bytes that aiohttp has received but not returned when a connection breaks.

``StreamReader`` raises its error before it returns the last bytes, and has no public
method to read them. Without this module the end of a broken stream would be lost.
"""

from typing import TYPE_CHECKING, Final

from modelstudio_core.foreign.fast_path import FastPath

if TYPE_CHECKING:
    from aiohttp import StreamReader

__all__ = ["BUFFERED", "read_buffered"]

BUFFERED: Final = FastPath("the last bytes of a broken aiohttp response")


def read_buffered(content: "StreamReader") -> bytes:
    """Return the bytes that were received before the error.

    Args:
        content: The ``StreamReader`` of a response that has failed.

    Returns:
        The bytes; empty if there are none, or if the fast path is off.
    """
    if not BUFFERED.active:
        return b""
    try:
        rest = content._read_nowait(-1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no public method
    except Exception as error:  # noqa: BLE001 - another version may raise anything
        BUFFERED.switch_off(error)
        return b""
    return rest if isinstance(rest, bytes) else b""
