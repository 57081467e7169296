"""The outcome of every attack; ``docs/reliability.md`` is generated from this table."""

from dataclasses import dataclass
from typing import Final

from modelstudio_core import errors

__all__ = ["ATTACKS", "SECONDS", "Attack"]

# How long one call may take on a busy machine; most take a tenth of it.
SECONDS: Final = 60.0


@dataclass(frozen=True)
class Attack:
    """An attack and its outcome, for both protocols and in every call style.

    Attributes:
        name: The name, as the server has it.
        description: What the server does, for the documentation.
        error: The class of the error; None is the right answer.
        stream: The class of the error of a stream; ``error`` if it is not given.
        arguments: Arguments of the constructor.
        waits: Whether a call takes no memory but time, so that several can be made at
            once.
        end: What ends it, for the documentation.
    """

    name: str
    description: str
    error: type[errors.ModelStudioError] | None
    end: str
    stream: type[errors.ModelStudioError] | None = None
    arguments: tuple[tuple[str, object], ...] = ()
    waits: bool = False

    def outcome(self, *, stream: bool) -> type[errors.ModelStudioError] | None:
        """Return the class of the error of a call with or without streaming."""
        return self.stream if stream and self.stream else self.error


_SHORT: Final = (("timeout", (0.3, 0.3)),)
_TOTAL: Final = (("total_timeout", 0.3),)
# Where no answer is expected, whatever the machine does.
_SHORTER: Final = (("timeout", (0.3, 0.1)),)
_SHORTER_TOTAL: Final = (("total_timeout", 0.1),)

ATTACKS: Final = (
    # --- Size
    Attack(
        "gzip bomb",
        "A compressed answer that is a thousand times larger than what is sent",
        errors.InvalidResponseError,
        "`max_response_bytes`; in streams `max_event_bytes`",
    ),
    Attack(
        "nested gzip bomb",
        "An answer that is compressed twice",
        errors.InvalidResponseError,
        "`max_response_bytes`; in streams `max_event_bytes`",
    ),
    Attack(
        "unknown encoding",
        "An answer in an encoding that was not asked for",
        errors.InvalidResponseError,
        "the header",
    ),
    Attack(
        "endless answer",
        "An answer of one JSON value that never ends",
        errors.InvalidResponseError,
        "`max_response_bytes`; in streams `max_event_bytes`",
    ),
    Attack(
        "endless line",
        "A line of an event that never ends",
        errors.InvalidResponseError,
        "`max_event_bytes`",
    ),
    Attack(
        "endless comments",
        "Comments of server-sent events without an end",
        errors.InvalidResponseError,
        "`max_event_bytes`",
    ),
    Attack(
        "endless empty events",
        "Events without data, without an end",
        errors.InvalidResponseError,
        "`max_event_bytes`",
    ),
    Attack(
        "endless blank lines",
        "Blank lines without an end",
        errors.InvalidResponseError,
        "`max_event_bytes`",
    ),
    Attack(
        "endless error",
        "The body of an error that never ends",
        errors.InvalidResponseError,
        "`max_error_bytes`",
    ),
    Attack(
        "gzip bomb as error",
        "A compressed body of an error that is a thousand times larger",
        errors.InvalidResponseError,
        "`max_error_bytes`",
    ),
    Attack(
        "endless headers",
        "Headers without an end",
        errors.APIConnectionError,
        "the HTTP library",
    ),
    Attack(
        "endless trailers",
        "Trailers without an end",
        # Where the library reads on before it hands on the headers: a connection error.
        errors.APIError,
        "the HTTP library",
    ),
    Attack(
        "comments after the answer",
        "Comments without an end after a complete answer",
        None,
        "the finish reason",
    ),
    # --- Time
    Attack(
        "informational responses",
        "Informational responses (1xx) without an end",
        errors.APITimeoutError,
        "`timeout`",
        arguments=_SHORT,
        waits=True,
    ),
    Attack(
        "informational responses in total",
        "The same, with `total_timeout`",
        errors.APITimeoutError,
        "`total_timeout`",
        arguments=_TOTAL,
        waits=True,
    ),
    Attack(
        "slow headers",
        "A header, one byte every 20 ms",
        errors.APITimeoutError,
        "`timeout`",
        arguments=_SHORTER,
        waits=True,
    ),
    Attack(
        "slow headers of an error",
        "A header of an error, one byte every 20 ms",
        errors.APITimeoutError,
        "`timeout`",
        arguments=_SHORTER,
        waits=True,
    ),
    Attack(
        "slow comments",
        "A comment every 20 ms, with `total_timeout`",
        errors.APITimeoutError,
        "`total_timeout`",
        arguments=_TOTAL,
        waits=True,
    ),
    Attack(
        "slow chunk",
        "The head of an HTTP chunk, one byte every 20 ms, with `total_timeout`",
        errors.APITimeoutError,
        "`total_timeout`",
        arguments=_SHORTER_TOTAL,
        waits=True,
    ),
    Attack(
        "slow trailers",
        "Trailers, one byte every 20 ms, with `total_timeout`",
        errors.APITimeoutError,
        "`total_timeout`",
        arguments=_SHORTER_TOTAL,
        waits=True,
    ),
    Attack(
        "slow gzip",
        "Bytes that decompress to nothing, every 20 ms, with `total_timeout`",
        errors.APITimeoutError,
        "`total_timeout`",
        arguments=_SHORTER_TOTAL,
        waits=True,
    ),
    Attack(
        "silence",
        "No byte after the headers, with `total_timeout`",
        errors.APITimeoutError,
        "`total_timeout`",
        arguments=_TOTAL,
        waits=True,
    ),
    Attack(
        "busy",
        "429 with a `Retry-After` of 30 s, with `total_timeout`",
        errors.APITimeoutError,
        "`total_timeout`",
        arguments=(*_TOTAL, ("max_retries", 2)),
    ),
    Attack(
        "slow error",
        "The body of an error, one byte every 20 ms",
        errors.RateLimitError,
        "ten seconds; what has arrived is used",
        waits=True,
    ),
    Attack(
        "slow chunk of an error",
        "The head of an HTTP chunk of an error, one byte every 20 ms",
        errors.RateLimitError,
        "ten seconds",
        waits=True,
    ),
    Attack(
        "slow gzip of an error",
        "An error whose bytes decompress to nothing, every 20 ms",
        errors.RateLimitError,
        "ten seconds",
        waits=True,
    ),
    Attack(
        "silent error",
        "No byte of the body of an error",
        errors.RateLimitError,
        "ten seconds",
        waits=True,
    ),
    # --- Odd values
    Attack(
        "odd Retry-After",
        "A `Retry-After` in the year 99999999999",
        errors.RateLimitError,
        "the status",
    ),
    Attack(
        "deep JSON",
        "An answer of 100,000 nested lists",
        errors.InvalidResponseError,
        "the parser",
    ),
    Attack(
        "deep JSON after half a character",
        "The same, after half of a surrogate pair",
        errors.InvalidResponseError,
        "the parser",
    ),
    Attack(
        "wide JSON",
        "An answer of millions of empty lists, within the limits of bytes",
        errors.InvalidResponseError,
        "two million values",
    ),
    Attack(
        "wide JSON as error",
        "The body of an error of hundreds of thousands of empty lists",
        errors.BadRequestError,
        "the status",
    ),
    Attack(
        "deep JSON as error",
        "The body of an error of 100,000 nested lists",
        errors.BadRequestError,
        "the status",
    ),
    Attack(
        "long error",
        "The body of an error with a message of a million characters",
        errors.BadRequestError,
        "the status; the message shows 4,000 characters",
    ),
    Attack(
        "markup as error",
        "The body of an error of 170,000 unclosed tags",
        errors.BadRequestError,
        "the status; the first 8,192 characters are searched for a title",
    ),
    Attack(
        "many tool calls",
        "Hundreds of tool calls without an index",
        None,
        "the answer",
    ),
)
