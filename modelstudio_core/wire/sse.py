r"""Server-sent events, split from bytes as they come.

The bytes may be cut anywhere: in a line, in a character, between ``\r`` and ``\n``.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

__all__ = ["EventSplitter", "field_of"]

_BOM = b"\xef\xbb\xbf"
# The beginning of most events, and what is then between two of them.
_DATA = b"data: "
_NEXT_DATA = b"\n\ndata: "


class EventSplitter:
    r"""Splits a stream of bytes into events, each the bytes of its lines.

    Example:
        >>> splitter = EventSplitter()
        >>> splitter.feed(b"data: a")
        []
        >>> splitter.feed(b"bc\n\ndata: d")
        [b'data: abc']
        >>> splitter.close()
        b'data: d'
    """

    __slots__ = ("_begun", "_pending", "_return")

    def __init__(self) -> None:
        """Start before the first byte."""
        # The parts of one event, joined when it is complete, so that a long event
        # takes time in proportion to its length.
        self._pending: list[bytes] = []
        self._return = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Add the next bytes and return the events that they complete."""
        if self._return or b"\r" in chunk:
            chunk = self._unify(chunk)
        if not self._begun:
            chunk = self._begin(chunk)
        if not self._pending and chunk.find(b"\n\n", 1) == len(chunk) - 2 > 0:
            # One complete event, as most servers send it.
            event = chunk[:-2].lstrip(b"\n")
            return [event] if event else []
        if b"\n\n" not in chunk and not self._is_cut_line_end(chunk):
            if chunk:
                self._pending.append(chunk)
            return []
        data = b"".join((*self._pending, chunk)) if self._pending else chunk
        events = data.split(b"\n\n")
        rest = events.pop()
        self._pending = [rest] if rest else []
        return [line for event in events if (line := event.strip(b"\n"))]

    def data_lines(self, chunk: bytes) -> list[bytes] | None:
        r"""Return the data of events that are one data line each, as most are.

        Args:
            chunk: The next bytes.

        Returns:
            What ``field_of(event, b"data")`` returns for each event; None if the bytes
            are anything else: then nothing has changed, and they are for ``feed``.

        Example:
            >>> splitter = EventSplitter()
            >>> splitter.feed(b"data: a\n\n")
            [b'data: a']
            >>> splitter.data_lines(b"data: b\n\ndata: c\n\n")
            [b'b', b'c']
        """
        if chunk[:6] != _DATA or self._pending or self._return:
            return None
        if chunk.find(b"\r") >= 0:
            return None
        line, _, rest = chunk.partition(b"\n")
        if rest == b"\n":
            data = [line[6:]]
        else:
            data = chunk[6:-2].split(_NEXT_DATA)
            if chunk[-2:] != b"\n\n" or chunk.count(b"\n") != 2 * len(data):
                return None
        self._begun = True
        return data

    def close(self) -> bytes:
        """Return what is left: an event without its closing blank line."""
        rest, self._pending = b"".join(self._pending), []
        return rest.strip(b"\n")

    def _begin(self, chunk: bytes) -> bytes:
        """Return the first bytes without a byte order mark, which may be cut."""
        data = b"".join((*self._pending, chunk))
        self._pending = []
        if len(data) >= len(_BOM) or not _BOM.startswith(data):
            self._begun = True
        return data.removeprefix(_BOM)

    def _is_cut_line_end(self, chunk: bytes) -> bool:
        """Tell whether a blank line is split between two chunks."""
        pending = self._pending
        return bool(pending) and chunk[:1] == b"\n" and pending[-1][-1:] == b"\n"

    def _unify(self, chunk: bytes) -> bytes:
        r"""Make every line end ``\n``; a ``\r`` at the end may be half of ``\r\n``."""
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
    if event.find(b"\n") < 0:
        has_field = event[: len(prefix)] == prefix
        return event[len(prefix) :].removeprefix(b" ") if has_field else b""
    values = [
        line[len(prefix) :].removeprefix(b" ")
        for line in event.split(b"\n")
        if line.startswith(prefix)
    ]
    return b"\n".join(values)
