"""What a test scripts the emulator to answer: exact replies and faults."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

__all__ = ["BatchScript", "Fault", "FaultKind", "Reply", "TaskOutcome", "ToolCall"]

Omission = Literal["finish_reason", "usage", "done"]
FaultKind = Literal["status", "stream", "cut", "silence", "short"]
ErrorForm = Literal["code", "error_code", "response"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call of a scripted reply.

    Attributes:
        name: The tool's name.
        arguments: An object, or JSON text that is sent unchanged, valid or not.
        id: The call's id. None generates one; ``""`` is sent unchanged.
        pieces: The arguments as the pieces that a stream sends. None splits the
            arguments into pieces of a few tokens.
    """

    name: str
    arguments: Mapping[str, object] | str = field(default_factory=dict[str, object])
    id: str | None = None
    pieces: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An exact answer to one chat request, in the shape of the emulator's generation.

    A stream sends the reasoning, then the text, then the tool calls, then the end. The
    API key is checked first; the rules for requests are not, so that any model can be
    simulated.

    Attributes:
        text: The text of the answer.
        reasoning: The reasoning before the text.
        tool_calls: The tool calls, in their order.
        finish_reason: None is ``tool_calls`` where there are tool calls, else ``stop``.
        usage: The token counts that are sent, on the DashScope protocol with every
            chunk. None counts tokens.
        logprobs: The entries of ``logprobs.content``, one for each token.
        pieces: The text as the pieces that a stream sends. None splits the text into
            pieces of a few words.
        search_results: The results of a web search, each with ``index``, ``title`` and
            ``url``. None sends two invented results where the request asks for them.
            Only the DashScope protocol sends search results.
        deltas: A stream's deltas (on the DashScope protocol: its messages). Each is
            sent unchanged in its own chunk, in place of text, reasoning and tool calls;
            the end follows.
        raw_chunks: A stream's chunks, each sent unchanged as the data of an event. Only
            ``[DONE]`` follows, and nothing on the DashScope protocol.
        raw_body: The complete body of the response, byte for byte.
        content_type: The content type of ``raw_body``; None is the one that belongs to
            the request.
        headers: Additional headers of the response.
        omit: What is omitted at the end: ``finish_reason``, ``usage``, ``done``.

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
    usage: Mapping[str, object] | None = None
    logprobs: Sequence[Mapping[str, object]] | None = None
    pieces: Sequence[str] | None = None
    search_results: Sequence[Mapping[str, object]] | None = None
    deltas: Sequence[Mapping[str, object]] | None = None
    raw_chunks: Sequence[Mapping[str, object]] | None = None
    raw_body: bytes | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    omit: Collection[Omission] = ()

    def __post_init__(self) -> None:
        """Check the tool calls.

        Raises:
            TypeError: A tool call is of another kind, such as a dict of a framework.
        """
        for call in self.tool_calls:
            if not isinstance(call, ToolCall):  # pyright: ignore[reportUnnecessaryIsInstance] - users may be wrong
                raise TypeError(
                    "tool_calls accepts modelstudio_core.emulator.ToolCall objects"
                    " such as ToolCall('add', {'a': 2}), got a"
                    f" {type(call).__name__}."
                )

    @property
    def streams_only(self) -> bool:
        """Whether the reply has chunks or deltas, which only a stream can send."""
        return self.deltas is not None or self.raw_chunks is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """What becomes of one created task.

    Attributes:
        seconds: How long it is pending and running, by the emulator's time. It is
            pending for the first quarter. None is the emulator's ``task_seconds``.
        status: ``"SUCCEEDED"`` or ``"FAILED"``.
        code: The code of a failure.
        message: The message of a failure.
        failed: The indices of the files that fail in a task that succeeds.
        unknown: How many queries are answered with the status ``UNKNOWN`` first.

    Example:
        >>> TaskOutcome(seconds=60, failed={1}).status
        'SUCCEEDED'
    """

    seconds: float | None = None
    status: Literal["SUCCEEDED", "FAILED"] = "SUCCEEDED"
    code: str = "DataInspectionFailed"
    message: str = "Output data may contain inappropriate content."
    failed: Collection[int] = ()
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure of one chat request, whatever API key the request has.

    The constructor makes an error response with an HTTP status. The other kinds have
    their own constructors: ``in_stream``, ``cut``, ``silence``, ``short_body`` and
    ``redirect``.

    Attributes:
        status: The HTTP status.
        code: The service's code, such as ``limit_requests``; None sends null. The
            DashScope protocol sends its own code for it, such as
            ``Throttling.RateQuota``, and any other code unchanged.
        message: The error message.
        type: The error's type; None is the one that belongs to the status.
        headers: Additional headers, such as ``Retry-After``.
        body: What is sent in place of the error's JSON.
        content_type: The content type of ``body``.
        kind: Which kind of fault this is.
        after: How many events of a stream are sent first. None sends not even the
            headers.
        within: Whether half of the next event is sent before the connection is cut.
        seconds: How long nothing is sent.
        missing: How many bytes the body lacks.
        reply: What is answered before the fault, or after it. None generates an answer.

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
        type: str | None = None,  # noqa: A002 - the wire format's name
        after: int = 0,
        reply: Reply | None = None,
    ) -> Self:
        """Send an error inside an HTTP 200 stream, and end the stream.

        Args:
            code: The service's code.
            message: The error message.
            type: The error's type; None repeats the code, as content moderation does.
            after: How many events are sent first.
            reply: What is answered before the error.
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
            after: How many events are sent first. None cuts before the first byte.
            within: Whether half of the next event is sent.
            reply: What is answered before the cut.
        """
        return cls(kind="cut", after=after, within=within, reply=reply)

    @classmethod
    def silence(
        cls, seconds: float, *, after: int | None = None, reply: Reply | None = None
    ) -> Self:
        """Send nothing for some time, then continue.

        Args:
            seconds: How long nothing is sent.
            after: How many events are sent first. None waits before the first byte.
            reply: What is answered before and after the silence.
        """
        return cls(kind="silence", seconds=seconds, after=after, reply=reply)

    @classmethod
    def short_body(cls, missing: int = 1, *, reply: Reply | None = None) -> Self:
        """Send fewer bytes than ``content-length`` states, then cut the connection.

        Args:
            missing: How many bytes the body lacks.
            reply: What is answered. None generates an answer.
        """
        return cls(kind="short", missing=missing, reply=reply)

    @classmethod
    def redirect(cls, location: str, *, status: int = 307) -> Self:
        """Redirect to another URL.

        Args:
            location: The URL.
            status: The HTTP status, such as 307.
        """
        return cls(status=status, body=b"", headers={"location": location})


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchScript:
    """How one batch goes on. Its requests are answered as chat and embedding calls are.

    Lines are counted from 0.

    Attributes:
        seconds: How long it takes, in the emulator's time. As time goes on, so many of
            its requests are answered: at a cancellation, or at the end of its
            completion window, the others are not run.
        bad_lines: Lines whose requests fail, with an error in the error file.
        bad_code: The code of that error.
        missing_lines: Lines of which neither file has a result.
        replies: Exact answers to lines.
        error_form: How the error file says what failed: below ``error`` with ``code``
            or with ``error_code``, or as the body of a response.
        no_error_file: What the batch has in the place of the id of an error file that
            there is not: null or an empty text.
        writes_unfinished: Whether the error file of a batch that expired names the
            lines that were not run. That of a cancelled one always does.

    Example:
        >>> BatchScript(seconds=3600, bad_lines={2}).bad_lines
        {2}
    """

    seconds: float = 20.0
    bad_lines: Collection[int] = ()
    bad_code: str = "InvalidParameter"
    missing_lines: Collection[int] = ()
    replies: Mapping[int, Reply] = field(default_factory=dict[int, Reply])
    error_form: ErrorForm = "code"
    no_error_file: Literal[""] | None = None
    writes_unfinished: bool = False
