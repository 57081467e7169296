"""What a test tells the emulator to answer: exact replies and faults."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

__all__ = ["Fault", "FaultKind", "Reply", "ToolCall"]

Omission = Literal["finish_reason", "usage", "done"]
FaultKind = Literal["status", "stream", "cut", "silence", "short"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool.

    Attributes:
        name: The tool's name.
        arguments: An object, or JSON text that is sent as it is, broken or not.
        id: The call's id; None makes one up, ``""`` stays empty.
        pieces: How a stream cuts the arguments; None: into pieces of a few tokens.
    """

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict[str, Any])
    id: str | None = None
    pieces: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An exact answer to one chat request, in the shape of the studio's generation.

    A stream sends the reasoning, then the text, then the calls, then the end. The key
    is checked first; the rules for requests are not, so that any model can be played.

    Attributes:
        text: The answer.
        reasoning: What is thought before it.
        tool_calls: The calls, in their order.
        finish_reason: None is ``tool_calls`` where there are calls, else ``stop``.
        usage: The token counts that are sent, on the native protocol with every event;
            None counts.
        logprobs: The entries of ``logprobs.content``, one a token.
        pieces: How a stream cuts the text; None: into pieces of a few words.
        search_results: What a web search found, each with ``index``, ``title`` and
            ``url``; None: two made-up results where the request asks for them. Only
            the native protocol sends them.
        deltas: A stream's deltas (its messages, on the native protocol), each sent as
            it is in a chunk of its own, in place of text, reasoning and calls; the end
            follows.
        raw_chunks: A stream's chunks, each sent as it is as the data of an event. Only
            ``[DONE]`` follows, and on the native protocol nothing.
        raw_body: The whole body of the response, byte for byte.
        content_type: That of ``raw_body``; None is the one that belongs to the request.
        headers: More headers of the response.
        omit: What is left out of the end: ``finish_reason``, ``usage``, ``done``.

    Example:
        >>> Reply(reasoning="Easy.", text="4", omit={"usage"}).text
        '4'
        >>> both = Reply(tool_calls=[ToolCall("add", {"a": 2}), ToolCall("now")])
        >>> two_in_one = Reply(
        ...     deltas=[{"content": "x", "reasoning_content": "y"}],
        ...     finish_reason="stop",
        ... )
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: Sequence[ToolCall] = ()
    finish_reason: str | None = None
    usage: Mapping[str, Any] | None = None
    logprobs: Sequence[Mapping[str, Any]] | None = None
    pieces: Sequence[str] | None = None
    search_results: Sequence[Mapping[str, Any]] | None = None
    deltas: Sequence[Mapping[str, Any]] | None = None
    raw_chunks: Sequence[Mapping[str, Any]] | None = None
    raw_body: bytes | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    omit: Collection[Omission] = ()

    @property
    def streams_only(self) -> bool:
        """Whether it says what a stream sends and not what a whole answer is."""
        return self.deltas is not None or self.raw_chunks is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with one chat request, whatever its key.

    Called as it is, it is a refusal with an HTTP status; the other kinds have a
    constructor of their own: ``in_stream``, ``cut``, ``silence``, ``short_body`` and
    ``redirect``.

    Attributes:
        status: The HTTP status.
        code: The service's code, such as ``limit_requests``; None sends null. The
            native protocol sends its own word for it, such as
            ``Throttling.RateQuota``, and a code that it has no word for as it is.
        message: The service's words.
        type: The error's type; None is the one that belongs to the status.
        headers: More headers, such as ``Retry-After``.
        body: What is sent in place of the error's JSON.
        content_type: That of ``body``.
        kind: Which fault it is.
        after: How many events of a stream come first; None: not even the headers.
        within: Whether half of the next event is sent before the connection is cut.
        seconds: How long the silence is.
        missing: How many bytes the body lacks.
        reply: What is answered up to the fault, or after it; None plays the model.

    Example:
        >>> Fault(status=429, code="limit_requests", headers={"Retry-After": "1"}).kind
        'status'
        >>> Fault(status=502, body="<html>Bad Gateway</html>").content_type
        'text/html'
    """

    status: int = 500
    code: str | None = "internal_error"
    message: str = "An internal error has occurred, please try again later."
    type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | str | None = None
    content_type: str = "text/html"
    kind: FaultKind = "status"
    after: int | None = None
    within: bool = False
    seconds: float = 0.0
    missing: int = 0
    reply: Reply | None = None

    @classmethod
    def in_stream(
        cls,
        *,
        code: str | None = "data_inspection_failed",
        message: str = "<400> InternalError.Algo.DataInspectionFailed: Output data may"
        " contain inappropriate content.",
        type: str | None = None,  # noqa: A002 - the wire's own word
        after: int = 0,
        reply: Reply | None = None,
    ) -> Self:
        """Report an error inside an HTTP 200 stream, and end it.

        Args:
            code: The service's code.
            message: The service's words.
            type: The error's type; None repeats the code, as moderation does.
            after: How many events come first.
            reply: What is answered until then.
        """
        return cls(
            kind="stream",
            status=200,
            code=code,
            message=message,
            type=type or code,
            after=after,
            reply=reply,
        )

    @classmethod
    def cut(
        cls,
        *,
        after: int | None = None,
        within: bool = False,
        reply: Reply | None = None,
    ) -> Self:
        """Cut the connection.

        Args:
            after: How many events come first; None cuts before the first byte.
            within: Whether half of the next event is sent.
            reply: What is answered until then.
        """
        return cls(kind="cut", after=after, within=within, reply=reply)

    @classmethod
    def silence(
        cls, seconds: float, *, after: int | None = None, reply: Reply | None = None
    ) -> Self:
        """Send nothing for a while, then go on.

        Args:
            seconds: How long.
            after: How many events come first; None is silent before the first byte.
            reply: What is answered around it.
        """
        return cls(kind="silence", seconds=seconds, after=after, reply=reply)

    @classmethod
    def short_body(cls, missing: int = 1, *, reply: Reply | None = None) -> Self:
        """Send fewer bytes than ``content-length`` says, then cut the connection."""
        return cls(kind="short", missing=missing, reply=reply)

    @classmethod
    def redirect(cls, location: str, *, status: int = 307) -> Self:
        """Point at another address."""
        return cls(status=status, body=b"", headers={"location": location})
