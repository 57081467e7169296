"""Chat: a prompt in, events or whole answers out.

``Chat`` is what a constructor resolved, ``prepare`` decides a request and refuses what
cannot be sent, and ``generate``, ``agenerate``, ``stream`` and ``astream`` send it.
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
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

from modelstudio_core.catalog import (
    DeprecatedModels,
    ResolvedModel,
    nearest_served,
    resolve_in_scope,
)
from modelstudio_core.chat import dashscope, openai
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Event, Finish, ToolCallDelta
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.options import ChatOptions, ChatRequest
from modelstudio_core.chat.parser import AnswerParser
from modelstudio_core.chat.plan import plan_request
from modelstudio_core.errors import (
    APITimeoutError,
    IncompleteStreamError,
    ModelDeprecationWarning,
    ToolChoiceError,
)
from modelstudio_core.transport import send as clients
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fairness import EVENT, REQUEST, take_turn, work_of
from modelstudio_core.transport.requests import Message as HttpMessage
from modelstudio_core.transport.responses import AsyncReply, Reply
from modelstudio_core.transport.retries import aattempt, attempt
from modelstudio_core.user_warnings import warn_user
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["Chat", "Exchange", "agenerate", "astream", "generate", "prepare", "stream"]

# How many events are handed on before it is asked whether others are to have a turn.
_EVENTS_AT_ONCE: Final = 8


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A chat model with everything decided that its constructor can decide.

    Attributes:
        connection: How to reach the service.
        model: The model as it was asked for and as it is used.
        options: What to ask for unless a call says otherwise.
        deprecated_models: What to do about a delisted model in a call.
        replacements: What replaces it.
    """

    connection: Connection
    model: ResolvedModel
    options: ChatOptions
    deprecated_models: DeprecatedModels = "replace"
    replacements: Mapping[str, str] | None = None

    @cached_property
    def context(self) -> ErrorContext:
        """What errors need to know of a request."""
        other = partial(_offer_another, self.connection, self.model)
        return replace(self.connection.context, other_model=other)

    @cached_property
    def _plans(self) -> dict[bool, ChatRequest]:
        return {}

    def plan(self, *, stream: bool) -> ChatRequest:
        """Decide what is sent besides the messages; the same is decided once.

        Raises:
            ConfigurationError: An option is out of range, or not the model's.
        """
        planned = self._plans.get(stream)
        if planned is None:
            planned = self._plans[stream] = plan_request(
                self.options,
                self.model,
                protocol=self.connection.protocol,
                stream=stream,
            )
        return planned

    def with_model(
        self,
        model: str | None = None,
        deprecated_models: DeprecatedModels | None = None,
        replacements: Mapping[str, str] | None = None,
    ) -> "Chat":
        """Return the same for another model, through the constructor's own door.

        Args:
            model: The model that is asked for; None: the same.
            deprecated_models: What to do if it is delisted; None: the same.
            replacements: What replaces it then; None: the same.

        Raises:
            ConfigurationError: The model belongs to another deployment mode, or is
                delisted and may not be replaced.
        """
        policy = deprecated_models or self.deprecated_models
        others = self.replacements if replacements is None else replacements
        resolved = resolve_in_scope(
            self.model.requested if model is None else model,
            self.connection.endpoint,
            deprecated_models=policy,
            replacements=others,
        )
        return replace(
            self, model=resolved, deprecated_models=policy, replacements=others
        )

    def with_call(self, call: Mapping[str, Any]) -> "Chat":
        """Return the same with the options of one call, ``model`` among them, on top.

        Raises:
            ConfigurationError: An option is unknown, or the model out of scope.
        """
        options = dict(call)
        asked = {name: options.pop(name, None) for name in MODEL_ARGUMENTS}
        named = any(value is not None for value in asked.values())
        chat = self.with_model(**asked) if named else self
        return replace(chat, options=chat.options.override(options))


# What a call may say of the model itself; the rest are options.
MODEL_ARGUMENTS: Final = ("model", "deprecated_models", "replacements")


class _Wire(NamedTuple):
    """What a protocol is: where a request goes, what it says, how an answer reads."""

    path: Callable[[ChatRequest], str]
    headers: Callable[[ChatRequest], Mapping[str, str]]
    build_request: Callable[..., dict[str, Any]]
    parser: type[AnswerParser]


_WIRES: Final = {
    "openai": _Wire(openai.path, openai.headers, openai.build_request, openai.Parser),
    "dashscope": _Wire(
        dashscope.path, dashscope.headers, dashscope.build_request, dashscope.Parser
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request, ready to be sent.

    Attributes:
        connection: How to reach the service.
        request: What was decided.
        message: What is sent: path, headers and body.
        context: What errors need to know of it.
    """

    connection: Connection
    request: ChatRequest
    message: HttpMessage
    context: ErrorContext

    @property
    def call(self) -> tuple[Connection, HttpMessage, ErrorContext]:
        """What ``clients.open`` takes."""
        return self.connection, self.message, self.context

    def parser(self, reply: Reply | AsyncReply) -> AnswerParser:
        """Make the parser of one answer."""
        parser = _WIRES[self.connection.protocol].parser
        return parser(self.context, request_id=reply.request_id)


def prepare(
    chat: Chat,
    messages: Sequence[Message],
    call: Mapping[str, Any],
    *,
    stream: bool,
    include_usage: bool = True,
) -> Exchange:
    """Decide one request and build its body; nothing is sent.

    Args:
        chat: What the constructor resolved.
        messages: The prompt.
        call: The options of this call, ``model`` among them; they win.
        stream: Whether the caller wants events as they come.
        include_usage: Whether a stream ends with its token counts.

    Raises:
        ConfigurationError: An option is unknown, out of range, or not the model's.
    """
    if call:
        before, chat = chat.model, chat.with_call(call)
        if chat.model.notice and chat.model != before:
            warn_user(chat.model.notice, ModelDeprecationWarning)
    request = chat.plan(stream=stream)
    if request.notice:
        warn_user(request.notice, UserWarning)
    wire = _WIRES[chat.connection.protocol]
    message = HttpMessage(
        path=wire.path(request),
        headers=wire.headers(request),
        body=wire.build_request(request, messages, include_usage=include_usage),
    )
    return Exchange(
        connection=chat.connection,
        request=request,
        message=message,
        context=chat.context,
    )


def _offer_another(connection: Connection, model: ResolvedModel) -> str:
    """Say which model to ask for where this one is not served."""
    endpoint, asked = connection.endpoint, model.profile.id
    other = nearest_served(asked, endpoint)
    where = f" in region {endpoint.region}" if endpoint.region else ""
    said = f"The model that was asked for is {asked!r}."
    return f"{said} The nearest one that is known{where} is {other!r}."


# What one piece from the network brought.
_Batch = list[Event]
_Begun = tuple[_Batch, Generator[_Batch]]
_AsyncBegun = tuple[_Batch, AsyncGenerator[_Batch]]


# --- Four functions ---------------------------------------------------------------


def generate(exchange: Exchange) -> list[Completion]:
    """Send a request and return its whole answers, one for each of ``n``.

    Raises:
        APIError: There was no answer, or it is not whole.
    """
    tries = exchange.connection.max_retries
    return _complete(exchange, attempt(partial(_send, exchange), tries))


async def agenerate(exchange: Exchange) -> list[Completion]:
    """Do as ``generate``."""
    tries = exchange.connection.max_retries
    await take_turn(REQUEST)
    events = await aattempt(partial(_asend, exchange), tries)
    await take_turn(REQUEST)
    return _complete(exchange, events)


def stream(exchange: Exchange) -> Generator[Event]:
    """Send a request and yield the events of its answer as they come.

    Closing the generator closes the connection. The last event is ``Finish``.

    Raises:
        APIError: There was no answer, it broke off, or an error came in its midst.
    """
    tries = exchange.connection.max_retries
    first, batches = attempt(partial(_begin, exchange), tries)
    checked = _checking(exchange)
    with closing(batches):
        yield from checked(first)
        for batch in batches:
            yield from checked(batch)


async def astream(exchange: Exchange) -> AsyncGenerator[Event]:
    """Do as ``stream``."""
    tries = exchange.connection.max_retries
    await take_turn(REQUEST)
    batch: _Batch | None
    batch, batches = await aattempt(partial(_abegin, exchange), tries)
    checked = _checking(exchange)
    count = 0
    async with aclosing(batches):
        while batch is not None:
            for event in checked(batch):
                yield event
                count += 1
                if count == _EVENTS_AT_ONCE:
                    count = 0
                    await take_turn(_EVENTS_AT_ONCE * EVENT)
            batch = await anext(batches, None)
    await take_turn(REQUEST)


# --- One attempt ------------------------------------------------------------------


def _send(exchange: Exchange) -> list[Event]:
    """Get a whole answer; one that is streamed underneath is tried again whole."""
    if exchange.request.stream:
        return [event for batch in _open(exchange) for event in batch]
    with closing(clients.open(*exchange.call)) as reply:
        return _read_whole(exchange, reply, reply.read())


async def _asend(exchange: Exchange) -> list[Event]:
    if exchange.request.stream:
        return [event async for batch in _aopen(exchange) for event in batch]
    reply = await clients.aopen(*exchange.call)
    async with aclosing(reply):
        return _read_whole(exchange, reply, await reply.read())


def _begin(exchange: Exchange) -> _Begun:
    """Open a stream and wait for its first events: until then it may be tried again."""
    batches = _open(exchange)
    return next(batches), batches


async def _abegin(exchange: Exchange) -> _AsyncBegun:
    batches = _aopen(exchange)
    return await anext(batches), batches


def _open(exchange: Exchange) -> Generator[_Batch]:
    reply = clients.open(*exchange.call)
    with closing(reply):
        if reply.is_json:
            yield _read_whole(exchange, reply, reply.read())
            return
        parser = exchange.parser(reply)
        chunks = reply.chunks()
        try:
            for chunk in chunks:
                if events := parser.feed(chunk):
                    yield events
                if parser.done:
                    break
        except (IncompleteStreamError, APITimeoutError):
            if not parser.finished:
                raise
        yield parser.close()
        reply.drain(chunks)


async def _aopen(exchange: Exchange) -> AsyncGenerator[_Batch]:
    reply = await clients.aopen(*exchange.call)
    async with aclosing(reply):
        if reply.is_json:
            yield _read_whole(exchange, reply, await reply.read())
            return
        parser = exchange.parser(reply)
        chunks = reply.chunks()
        try:
            async for chunk in chunks:
                await take_turn(work_of(chunk))
                if events := parser.feed(chunk):
                    yield events
                if parser.done:
                    break
        except (IncompleteStreamError, APITimeoutError):
            if not parser.finished:
                raise
        yield parser.close()
        await reply.drain(chunks)


def _read_whole(
    exchange: Exchange, reply: Reply | AsyncReply, body: bytes
) -> list[Event]:
    """Read a body that has come to its end, as JSON or as the stream that it is."""
    parser = exchange.parser(reply)
    took = parser.feed if reply.is_stream else parser.feed_whole
    events = [*took(body), *parser.close()]
    for event in events:
        if isinstance(event, Finish) and event.finish_reason is None:
            warn_user(
                f"{exchange.request.model.profile.id} answered without a finish reason"
                f" (request id {event.request_id}): the answer may be cut off.",
                RuntimeWarning,
            )
    return events


# --- Around it --------------------------------------------------------------------


def _checking(exchange: Exchange) -> Callable[[Iterable[Event]], Iterable[Event]]:
    """Return what hands events on, and sees that a call came if one was demanded."""
    return _CallCheck(exchange) if exchange.request.call_required else iter


class _CallCheck:
    """Hand events on until the end, and raise there if no call came."""

    __slots__ = ("_exchange", "_missing")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._missing = True

    def __call__(self, events: Iterable[Event]) -> Iterable[Event]:
        for event in events:
            if isinstance(event, ToolCallDelta):
                self._missing = False
            elif self._missing and isinstance(event, Finish):
                raise self._exchange.context.error(
                    ToolChoiceError,
                    f"{self._exchange.request.model.profile.id} was asked to call a"
                    " tool and answered without a call.",
                    request_id=event.request_id,
                )
            yield event


def _complete(exchange: Exchange, events: Iterable[Event]) -> list[Completion]:
    completions: dict[int, Completion] = {}
    for event in _checking(exchange)(events):
        completions.setdefault(event.choice, Completion()).add(event)
    return [completions[index] for index in sorted(completions)]
