"""Chat calls: from the messages of a prompt to events or complete answers.

``prepare_call`` builds a request and refuses one that cannot be sent. ``generate``,
``stream`` and their async versions send it.
"""

from collections.abc import (
    AsyncGenerator,
    Callable,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, Final, NamedTuple, Self

from modelstudio_core.arguments import warn_of_model
from modelstudio_core.chat import dashscope, openai
from modelstudio_core.chat.addresses import prepare_addresses, replace_files
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Event, Finish, Problem
from modelstudio_core.chat.forced_calls import (
    RequiredCallCheck,
    has_call,
    log_missing_call,
)
from modelstudio_core.chat.media import is_text
from modelstudio_core.chat.media_checks import inline_limits
from modelstudio_core.chat.messages import Message, are_plain
from modelstudio_core.chat.parser import ChatParser
from modelstudio_core.chat.plan import ChatPlan, plan_partial
from modelstudio_core.chat.request_rules import apply_rules, ends_with_prefix
from modelstudio_core.chat.resolved import ResolvedChat
from modelstudio_core.errors import (
    APITimeoutError,
    IncompleteStreamError,
)
from modelstudio_core.local_files import LocalFile
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fairness import EVENT, REQUEST, cost_of, wait_for_turn
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.responses import AsyncHttpResponse, HttpResponse
from modelstudio_core.transport.retries import aretry, retry
from modelstudio_core.transport.send import asend, send
from modelstudio_core.uploads import aload_files, load_files
from modelstudio_core.user_warnings import warn_once, warn_user
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["ChatCall", "agenerate", "astream", "generate", "prepare_call", "stream"]

# A longer id is not shown completely.
_MAX_ID: Final = 256
# How many events are yielded before other tasks of the event loop may run.
_EVENTS_PER_TURN: Final = 8


class _ChatProtocol(NamedTuple):
    """The parts of a protocol: how to build a request and how to parse a response."""

    build_request: Callable[..., HttpRequest]
    parser: type[ChatParser]


_PROTOCOLS: Final = {
    "openai": _ChatProtocol(openai.build_request, openai.Parser),
    "dashscope": _ChatProtocol(dashscope.build_request, dashscope.Parser),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCall:
    """One chat request, ready to be sent.

    Attributes:
        connection: How to reach the service.
        plan: The model and the parameters.
        request: The HTTP request.
        context: The facts of the request that errors report.
        files: The files that are read before the request is sent. The request contains
            them in the place of addresses.
    """

    connection: Connection
    plan: ChatPlan
    request: HttpRequest
    context: ErrorContext
    files: frozenset[LocalFile] = frozenset()

    def send(self, attempt: int) -> HttpResponse:
        """Send the request once."""
        return send(self.connection, self.request, self.context, attempt)

    async def asend(self, attempt: int) -> AsyncHttpResponse:
        """Async version of ``send``."""
        return await asend(self.connection, self.request, self.context, attempt)

    def parser(self, response: HttpResponse | AsyncHttpResponse) -> ChatParser:
        """Create the parser of a response."""
        parser = _PROTOCOLS[self.connection.protocol].parser
        return parser(
            self.context,
            request_id=response.request_id,
            form=self.plan.form,
            max_event_bytes=self.connection.max_event_bytes,
        )

    def started(self) -> Self:
        """Return the call with a deadline that begins now, if it has a time limit."""
        seconds = self.connection.total_timeout
        if seconds is None:
            return self
        return replace(self, request=self.request.started(seconds))


def prepare_call(
    resolved: ResolvedChat,
    messages: Sequence[Message],
    arguments: Mapping[str, object],
    *,
    stream: bool,
    include_usage: bool = True,
    json_schema: Mapping[str, object] | None = None,
) -> ChatCall:
    """Build the request of a call, without sending it.

    Args:
        resolved: The resolved arguments of the constructor.
        messages: The messages of the prompt.
        arguments: The arguments of this call: options, and ``model``. They have
            precedence over the constructor's.
        stream: Whether the caller wants events as they come.
        include_usage: Whether a stream ends with token counts.
        json_schema: What the sentence describes that ``json_object`` may need.

    Raises:
        ConfigurationError: An option is unknown, out of range, or not supported by
            the model.
    """
    if arguments:
        before, resolved = resolved.model, resolved.with_call(arguments)
        if resolved.model != before:
            warn_of_model(resolved.model)
    plan = resolved.plan(stream=stream)
    if ends_with_prefix(messages):
        plan = plan_partial(plan)
    for notice in plan.notices:
        warn_once(notice, resolved.warned)
    if messages:
        messages = apply_rules(messages, plan, json_schema)
    protocol = _PROTOCOLS[resolved.connection.protocol]
    request = protocol.build_request(plan, messages, include_usage=include_usage)
    if resolved.batch_chat:
        # Whether a call that timed out must be paid for is not documented.
        request = replace(request, repeatable=False)
    call = ChatCall(
        connection=resolved.connection,
        plan=plan,
        request=request,
        context=resolved.context,
    )
    if are_plain(messages) or all(map(is_text, messages)):
        return call
    request, files = prepare_addresses(request)
    return replace(call, request=request, files=files)


def _with_files(call: ChatCall) -> ChatCall:
    """Read or upload the files of a call."""
    if not call.files:
        return call
    return _with_contents(call, load_files(**_files_to_load(call)))


async def _awith_files(call: ChatCall) -> ChatCall:
    if not call.files:
        return call
    return _with_contents(call, await aload_files(**_files_to_load(call)))


def _files_to_load(call: ChatCall) -> dict[str, Any]:
    profile = call.plan.model.profile
    return {
        "files": call.files,
        "connection": call.connection,
        "context": call.context,
        "model": profile.id,
        "upload": call.plan.options.upload_media,
        "inline_bytes": inline_limits(profile),
        "deadline": call.request.deadline,
    }


def _with_contents(call: ChatCall, contents: Mapping[LocalFile, str]) -> ChatCall:
    request = replace_files(call.request, contents)
    return replace(call, request=request, files=frozenset())


# The events of one chunk from the network.
_Batch = list[Event]


def generate(call: ChatCall) -> list[Completion]:
    """Send a request and return its complete answers: ``n`` of them.

    Args:
        call: The call. A failed request is repeated.

    Raises:
        APIError: There was no answer, or it is not complete.
    """
    call = call.started()
    call = _with_files(call)
    retries = call.connection.max_retries
    events = retry(partial(_generate_once, call), retries, call.request)
    for _ in range(call.plan.call_retries):
        if has_call(events):
            break
        log_missing_call(call.plan)
        events = retry(partial(_generate_once, call), retries, call.request)
    return _complete(call, events)


async def agenerate(call: ChatCall) -> list[Completion]:
    """Async version of ``generate``."""
    call = call.started()
    retries = call.connection.max_retries
    await wait_for_turn(REQUEST)
    call = await _awith_files(call)
    events = await aretry(partial(_agenerate_once, call), retries, call.request)
    for _ in range(call.plan.call_retries):
        if has_call(events):
            break
        log_missing_call(call.plan)
        events = await aretry(partial(_agenerate_once, call), retries, call.request)
    await wait_for_turn(REQUEST)
    return _complete(call, events)


def stream(call: ChatCall) -> Generator[Event]:
    """Send a request and yield the events of its answer as they come.

    Closing the generator closes the response. The last event is ``Finish``.

    Args:
        call: The call. A request that fails before its first events is repeated.

    Raises:
        APIError: There was no answer, it is not complete, or the service reported an
            error inside it.
    """
    call = call.started()
    call = _with_files(call)
    first, batches = _begin_answer(call)
    check = _call_check(call)
    with closing(batches):
        yield from check(first)
        for batch in batches:
            yield from check(batch)


async def astream(call: ChatCall) -> AsyncGenerator[Event]:
    """Async version of ``stream``."""
    call = call.started()
    await wait_for_turn(REQUEST)
    call = await _awith_files(call)
    batch: _Batch | None
    batch, batches = await _abegin_answer(call)
    check = _call_check(call)
    count = 0
    async with aclosing(batches):
        while batch is not None:
            for event in check(batch):
                yield event
                count += 1
                if count == _EVENTS_PER_TURN:
                    count = 0
                    await wait_for_turn(_EVENTS_PER_TURN * EVENT)
            batch = await anext(batches, None)
    await wait_for_turn(REQUEST)


def _begin_answer(call: ChatCall) -> tuple[_Batch, Generator[_Batch]]:
    """Start a stream; where a forced call does not come, start another.

    Nothing of an answer is handed on before its call, except of the last one: until
    then a stream that breaks is repeated too.
    """
    retries = call.connection.max_retries
    for _ in range(call.plan.call_retries):
        found, events, batches = retry(
            partial(_begin_with_call, call), retries, call.request
        )
        if found:
            return events, batches
        log_missing_call(call.plan)
    return retry(partial(_begin, call), retries, call.request)


async def _abegin_answer(call: ChatCall) -> tuple[_Batch, AsyncGenerator[_Batch]]:
    retries = call.connection.max_retries
    for _ in range(call.plan.call_retries):
        found, events, batches = await aretry(
            partial(_abegin_with_call, call), retries, call.request
        )
        if found:
            return events, batches
        log_missing_call(call.plan)
    return await aretry(partial(_abegin, call), retries, call.request)


# --- One attempt ------------------------------------------------------------------


def _generate_once(call: ChatCall, attempt: int) -> list[Event]:
    """Return all events of an answer, also where it comes as a stream."""
    # No comprehension, whose variables the traceback of an error would keep.
    return [*chain.from_iterable(_stream_once(call, attempt))]


async def _agenerate_once(call: ChatCall, attempt: int) -> list[Event]:
    events, batch = list[Event](), list[Event]()
    try:
        async for batch in _astream_once(call, attempt):
            events += batch
    except BaseException:
        # The traceback of the error would keep them.
        del events, batch
        raise
    return events


def _begin(call: ChatCall, attempt: int) -> tuple[_Batch, Generator[_Batch]]:
    """Start a stream and wait for its first events: until then a retry is possible."""
    batches = _stream_once(call, attempt)
    return next(batches), batches


async def _abegin(
    call: ChatCall, attempt: int
) -> tuple[_Batch, AsyncGenerator[_Batch]]:
    batches = _astream_once(call, attempt)
    return await anext(batches), batches


def _begin_with_call(
    call: ChatCall, attempt: int
) -> tuple[bool, _Batch, Generator[_Batch]]:
    """Start a stream and wait for its first tool call, or else for its end.

    Returns:
        Whether there is a call, the events so far, and the others.
    """
    events, batches = _begin(call, attempt)
    found = has_call(events)
    while not found and (batch := next(batches, None)) is not None:
        found = has_call(batch)
        events += batch
    return found, events, batches


async def _abegin_with_call(
    call: ChatCall, attempt: int
) -> tuple[bool, _Batch, AsyncGenerator[_Batch]]:
    events, batches = await _abegin(call, attempt)
    found = has_call(events)
    while not found and (batch := await anext(batches, None)) is not None:
        found = has_call(batch)
        events += batch
    return found, events, batches


def _stream_once(call: ChatCall, attempt: int) -> Generator[_Batch]:
    with call.send(attempt) as response:
        if _is_one_value(call, response):
            yield _parse_body(call, response, response.read())
            return
        parser, chunk, events = call.parser(response), b"", list[Event]()
        chunks = response.chunks()
        try:
            try:
                for chunk in chunks:
                    if events := parser.feed(chunk):
                        yield events
                    if parser.done:
                        break
            except (IncompleteStreamError, APITimeoutError):
                if not parser.finished:
                    raise
            yield _close(call, parser, response)
            response.drain(chunks)
        except BaseException:
            # The traceback of the error would keep them.
            del parser, chunk, events
            raise


async def _astream_once(call: ChatCall, attempt: int) -> AsyncGenerator[_Batch]:
    async with await call.asend(attempt) as response:
        if _is_one_value(call, response):
            yield _parse_body(call, response, await response.read())
            return
        parser, chunk, events = call.parser(response), b"", list[Event]()
        chunks = response.chunks()
        try:
            try:
                async for chunk in chunks:
                    await wait_for_turn(cost_of(chunk))
                    if events := parser.feed(chunk):
                        yield events
                    if parser.done:
                        break
            except (IncompleteStreamError, APITimeoutError):
                if not parser.finished:
                    raise
            yield _close(call, parser, response)
            await response.drain(chunks)
        except BaseException:
            # The traceback of the error would keep them.
            del parser, chunk, events
            raise


def _is_one_value(call: ChatCall, response: HttpResponse | AsyncHttpResponse) -> bool:
    """Return whether a response is one JSON value, as it says or as was asked for."""
    return response.is_json or not (call.plan.stream or response.is_stream)


def _close(
    call: ChatCall, parser: ChatParser, response: HttpResponse | AsyncHttpResponse
) -> _Batch:
    """Return the last events of a response, and report them for its audit record.

    Warn of what is odd about the answer.
    """
    events = parser.close()
    for event in events:
        if isinstance(event, Finish):
            response.report(event.usage and event.usage.raw, event.request_id)
            for problem in event.problems:
                _warn(call, event, *_PROBLEMS[problem])
    return events


def _parse_body(
    call: ChatCall, response: HttpResponse | AsyncHttpResponse, body: bytes
) -> list[Event]:
    """Parse a complete body: one JSON object."""
    parser = call.parser(response)
    events = [*parser.feed_body(body), *_close(call, parser, response)]
    for event in events:
        if isinstance(event, Finish) and event.finish_reason is None:
            _warn(call, event, "answered without a finish reason", "it may be cut off")
    return events


_PROBLEMS: Final[Mapping[Problem, tuple[str, str]]] = {
    "tool_call_missing": (
        "answered with the finish reason tool_calls and no tool call",
        "ask again, or use the text",
    ),
    "tool_call_in_reasoning": (
        "wrote a tool call as text in its reasoning",
        "it was not called; the text is in the reasoning",
    ),
    "tool_call_in_content": (
        "wrote a tool call as text in its answer",
        "it was not called; the text is in the answer",
    ),
}


def _warn(call: ChatCall, finish: Finish, what: str, advice: str) -> None:
    warn_user(
        f"{call.plan.model.profile.id} {what} (request id"
        f" {str(finish.request_id)[:_MAX_ID]}): {advice}.",
        RuntimeWarning,
    )


# --- Checks of an answer ----------------------------------------------------------


def _call_check(call: ChatCall) -> Callable[[Iterable[Event]], Iterable[Event]]:
    """Return a function that passes events on and checks for a required call."""
    if not call.plan.call_required:
        return iter
    return RequiredCallCheck(call.plan, call.context)


def _complete(call: ChatCall, events: Iterable[Event]) -> list[Completion]:
    completions: dict[int, Completion] = {}
    for event in _call_check(call)(events):
        completions.setdefault(event.choice, Completion()).add(event)
    return [completions[index] for index in sorted(completions)]
