r"""Server-sent events, split from bytes as they come.

The bytes may be cut anywhere: in a line, in a character, between ``\r`` and ``\n``.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

__all__ = ["EventSplitter", "field_of"]

_BOM = b"\xef\xbb\xbf"


class EventSplitter:
    r"""Split a stream of bytes into events, each the bytes of its lines.

    Example:
        >>> splitter = EventSplitter()
        >>> splitter.feed(b"data: a")
        []
        >>> splitter.feed(b"bc\n\ndata: d")
        [b'data: abc']
        >>> splitter.close()
        b'data: d'
    """

    __slots__ = ("_begun", "_rest", "_return")

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._rest: bytes = b""
        self._return = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and return the events that they complete."""
        if self._return or b"\r" in chunk:
            chunk = self._unify(chunk)
        data = self._rest + chunk if self._rest else chunk
        if not self._begun:
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._rest = data
                return []
            data = data.removeprefix(_BOM)
            self._begun = True
        if b"\n\n" not in data:
            self._rest = data
            return []
        events = data.split(b"\n\n")
        self._rest = events.pop()
        return [line for event in events if (line := event.strip(b"\n"))]

    def close(self) -> bytes:
        """Return what is left: an event whose closing blank line never came."""
        rest, self._rest = self._rest, b""
        return rest.strip(b"\n")

    def _unify(self, chunk: bytes) -> bytes:
        r"""Make every line end ``\n``; a ``\r`` at the end may be half of one."""
        if self._return:
            chunk = b"\r" + chunk
        self._return = chunk.endswith(b"\r")
        if self._return:
            chunk = chunk[:-1]
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def field_of(event: bytes, name: bytes) -> bytes:
    r"""Return a field of an event; several lines of it are joined by a newline.

    Example:
        >>> field_of(b"event:result\ndata:1\ndata: 2", b"data")
        b'1\n2'
    """
    prefix = name + b":"
    values = [
        line[len(prefix) :].removeprefix(b" ")
        for line in event.split(b"\n")
        if line.startswith(prefix)
    ]
    return b"\n".join(values)
