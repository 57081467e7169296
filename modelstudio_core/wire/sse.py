r"""Server-sent events, split from the bytes of a stream.

A piece of the bytes may end anywhere: in a line, in a character, between ``\r`` and
``\n``. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

__all__ = ["EventSplitter", "field_of"]

_BOM = b"\xef\xbb\xbf"
# The beginning of most events, and what separates two such events.
_DATA = b"data: "
_NEXT_DATA = b"\n\ndata: "


class EventSplitter:
    r"""Splits a stream of bytes into events. An event is the bytes of its lines.

    Example:
        >>> splitter = EventSplitter()
        >>> splitter.feed(b"data: a")
        []
        >>> splitter.feed(b"bc\n\ndata: d")
        [b'data: abc']
        >>> splitter.close()
        b'data: d'
    """

    __slots__ = ("_begun", "_held_return", "_pending")

    def __init__(self) -> None:
        """Create a splitter for one stream."""
        # The parts of one event. They are joined once, when the event is complete:
        # joining after each part would take quadratic time.
        self._pending: list[bytes] = []
        self._held_return = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Add the next bytes and return the events that are complete.

        Args:
            chunk: The next bytes of the stream.
        """
        if self._held_return or b"\r" in chunk:
            chunk = self._unify(chunk)
        if not self._begun:
            chunk = self._begin(chunk)
        if not self._pending and chunk.find(b"\n\n", 1) == len(chunk) - 2 > 0:
            # The usual case: exactly one complete event.
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
        r"""Return the data of events that have one ``data`` line each, as most do.

        Args:
            chunk: The next bytes of the stream.

        Returns:
            The data of each event. None if the bytes are anything but such events, all
            complete: then the splitter has not changed, and ``feed`` must get the
            bytes.

        Example:
            >>> splitter = EventSplitter()
            >>> splitter.feed(b"data: a\n\n")
            [b'data: a']
            >>> splitter.data_lines(b"data: b\n\ndata: c\n\n")
            [b'b', b'c']
        """
        if chunk[:6] != _DATA or self._pending or self._held_return:
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

    @property
    def pending_bytes(self) -> int:
        """How many bytes of an incomplete event are kept."""
        return sum(map(len, self._pending))

    def close(self) -> bytes:
        """Return the bytes that are left: an event without its final blank line."""
        rest, self._pending = b"".join(self._pending), []
        return rest.strip(b"\n")

    def _begin(self, chunk: bytes) -> bytes:
        """Return the first bytes of the stream without the byte order mark."""
        data = b"".join((*self._pending, chunk))
        self._pending = []
        if len(data) >= len(_BOM) or not _BOM.startswith(data):
            self._begun = True
        return data.removeprefix(_BOM)

    def _is_cut_line_end(self, chunk: bytes) -> bool:
        """Return whether a blank line is split between two chunks."""
        pending = self._pending
        return bool(pending) and chunk[:1] == b"\n" and pending[-1][-1:] == b"\n"

    def _unify(self, chunk: bytes) -> bytes:
        r"""Replace line ends by ``\n``; hold a ``\r`` at the end for the next bytes."""
        if self._held_return:
            chunk = b"\r" + chunk
        self._held_return = chunk.endswith(b"\r")
        if self._held_return:
            chunk = chunk[:-1]
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def field_of(event: bytes, name: bytes) -> bytes:
    r"""Return the value of a field of an event.

    Args:
        event: The bytes of the event's lines.
        name: The name of the field, such as ``b"data"``.

    Returns:
        The value; several lines of the field are joined by a newline. Empty if the
        event does not have the field.

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
