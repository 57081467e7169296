"""Chat: a prompt in, events or whole answers out.

``ChatCall`` is one request, ready to be sent. ``prepare_call`` decides it and refuses
what cannot be sent. ``generate``, ``agenerate``, ``stream`` and ``astream`` send it.
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
from modelstudio_core.chat.options import ChatOptions, ChatPlan
from modelstudio_core.chat.parser import ChatParser
from modelstudio_core.chat.plan import plan_chat
from modelstudio_core.errors import (
    APITimeoutError,
    IncompleteStreamError,
    ModelDeprecationWarning,
    ToolChoiceError,
)
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fairness import EVENT, REQUEST, cost_of, wait_for_turn
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.responses import AsyncHttpResponse, HttpResponse
from modelstudio_core.transport.retries import aretry, retry
from modelstudio_core.transport.send import asend, send
from modelstudio_core.user_warnings import warn_user
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "ChatCall",
    "ResolvedChat",
    "agenerate",
    "astream",
    "generate",
    "prepare_call",
    "stream",
]

# How many events are handed on before it is asked whether others are to have a turn.
_EVENTS_AT_ONCE: Final = 8


@dataclass(frozen=True, kw_only=True)
class ResolvedChat:
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
    def _plans(self) -> dict[bool, ChatPlan]:
        return {}

    def plan(self, *, stream: bool) -> ChatPlan:
        """Decide what is sent besides the messages; the same is decided once.

        Raises:
            ConfigurationError: An option is out of range, or not the model's.
        """
        planned = self._plans.get(stream)
        if planned is None:
            planned = self._plans[stream] = plan_chat(
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
    ) -> "ResolvedChat":
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

    def with_call(self, call: Mapping[str, Any]) -> "ResolvedChat":
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

    path: Callable[[ChatPlan], str]
    headers: Callable[[ChatPlan], Mapping[str, str]]
    build_request: Callable[..., dict[str, Any]]
    parser: type[ChatParser]


_WIRES: Final = {
    "openai": _Wire(openai.path, openai.headers, openai.build_request, openai.Parser),
    "dashscope": _Wire(
        dashscope.path, dashscope.headers, dashscope.build_request, dashscope.Parser
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCall:
    """One request, ready to be sent.

    Attributes:
        connection: How to reach the service.
        plan: What was decided.
        request: What is sent: path, headers and body.
        context: What errors need to know of it.
    """

    connection: Connection
    plan: ChatPlan
    request: HttpRequest
    context: ErrorContext

    @property
    def call(self) -> tuple[Connection, HttpRequest, ErrorContext]:
        """What ``clients.open`` takes."""
        return self.connection, self.request, self.context

    def parser(self, reply: HttpResponse | AsyncHttpResponse) -> ChatParser:
        """Make the parser of one answer."""
        parser = _WIRES[self.connection.protocol].parser
        return parser(self.context, request_id=reply.request_id)


def prepare_call(
    chat: ResolvedChat,
    messages: Sequence[Message],
    call: Mapping[str, Any],
    *,
    stream: bool,
    include_usage: bool = True,
) -> ChatCall:
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
        if chat.model.warning and chat.model != before:
            warn_user(chat.model.warning, UserWarning)
    request = chat.plan(stream=stream)
    if request.notice:
        warn_user(request.notice, UserWarning)
    wire = _WIRES[chat.connection.protocol]
    http_request = HttpRequest(
        path=wire.path(request),
        headers=wire.headers(request),
        body=wire.build_request(request, messages, include_usage=include_usage),
    )
    return ChatCall(
        connection=chat.connection,
        plan=request,
        request=http_request,
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


def generate(exchange: ChatCall) -> list[Completion]:
    """Send a request and return its whole answers, one for each of ``n``.

    Raises:
        APIError: There was no answer, or it is not whole.
    """
    tries = exchange.connection.max_retries
    return _complete(exchange, retry(partial(_send, exchange), tries))


async def agenerate(exchange: ChatCall) -> list[Completion]:
    """Do as ``generate``."""
    tries = exchange.connection.max_retries
    await wait_for_turn(REQUEST)
    events = await aretry(partial(_asend, exchange), tries)
    await wait_for_turn(REQUEST)
    return _complete(exchange, events)


def stream(exchange: ChatCall) -> Generator[Event]:
    """Send a request and yield the events of its answer as they come.

    Closing the generator closes the connection. The last event is ``Finish``.

    Raises:
        APIError: There was no answer, it broke off, or an error came in its midst.
    """
    tries = exchange.connection.max_retries
    first, batches = retry(partial(_begin, exchange), tries)
    checked = _checking(exchange)
    with closing(batches):
        yield from checked(first)
        for batch in batches:
            yield from checked(batch)


async def astream(exchange: ChatCall) -> AsyncGenerator[Event]:
    """Do as ``stream``."""
    tries = exchange.connection.max_retries
    await wait_for_turn(REQUEST)
    batch: _Batch | None
    batch, batches = await aretry(partial(_abegin, exchange), tries)
    checked = _checking(exchange)
    count = 0
    async with aclosing(batches):
        while batch is not None:
            for event in checked(batch):
                yield event
                count += 1
                if count == _EVENTS_AT_ONCE:
                    count = 0
                    await wait_for_turn(_EVENTS_AT_ONCE * EVENT)
            batch = await anext(batches, None)
    await wait_for_turn(REQUEST)


# --- One attempt ------------------------------------------------------------------


def _send(exchange: ChatCall) -> list[Event]:
    """Get a whole answer; one that is streamed underneath is tried again whole."""
    if exchange.plan.stream:
        return [event for batch in _open(exchange) for event in batch]
    with closing(send(*exchange.call)) as reply:
        return _read_whole(exchange, reply, reply.read())


async def _asend(exchange: ChatCall) -> list[Event]:
    if exchange.plan.stream:
        return [event async for batch in _aopen(exchange) for event in batch]
    reply = await asend(*exchange.call)
    async with aclosing(reply):
        return _read_whole(exchange, reply, await reply.read())


def _begin(exchange: ChatCall) -> _Begun:
    """Open a stream and wait for its first events: until then it may be tried again."""
    batches = _open(exchange)
    return next(batches), batches


async def _abegin(exchange: ChatCall) -> _AsyncBegun:
    batches = _aopen(exchange)
    return await anext(batches), batches


def _open(exchange: ChatCall) -> Generator[_Batch]:
    reply = send(*exchange.call)
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


async def _aopen(exchange: ChatCall) -> AsyncGenerator[_Batch]:
    reply = await asend(*exchange.call)
    async with aclosing(reply):
        if reply.is_json:
            yield _read_whole(exchange, reply, await reply.read())
            return
        parser = exchange.parser(reply)
        chunks = reply.chunks()
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
        yield parser.close()
        await reply.drain(chunks)


def _read_whole(
    exchange: ChatCall, reply: HttpResponse | AsyncHttpResponse, body: bytes
) -> list[Event]:
    """Read a body that has come to its end, as JSON or as the stream that it is."""
    parser = exchange.parser(reply)
    took = parser.feed if reply.is_stream else parser.feed_whole
    events = [*took(body), *parser.close()]
    for event in events:
        if isinstance(event, Finish) and event.finish_reason is None:
            warn_user(
                f"{exchange.plan.model.profile.id} answered without a finish reason"
                f" (request id {event.request_id}): the answer may be cut off.",
                RuntimeWarning,
            )
    return events


# --- Around it --------------------------------------------------------------------


def _checking(exchange: ChatCall) -> Callable[[Iterable[Event]], Iterable[Event]]:
    """Return what hands events on, and sees that a call came if one was demanded."""
    return _CallCheck(exchange) if exchange.plan.call_required else iter


class _CallCheck:
    """Hand events on until the end, and raise there if no call came."""

    __slots__ = ("_exchange", "_missing")

    def __init__(self, exchange: ChatCall) -> None:
        self._exchange = exchange
        self._missing = True

    def __call__(self, events: Iterable[Event]) -> Iterable[Event]:
        for event in events:
            if isinstance(event, ToolCallDelta):
                self._missing = False
            elif self._missing and isinstance(event, Finish):
                raise self._exchange.context.error(
                    ToolChoiceError,
                    f"{self._exchange.plan.model.profile.id} was asked to call a"
                    " tool and answered without a call.",
                    request_id=event.request_id,
                )
            yield event


def _complete(exchange: ChatCall, events: Iterable[Event]) -> list[Completion]:
    completions: dict[int, Completion] = {}
    for event in _checking(exchange)(events):
        completions.setdefault(event.choice, Completion()).add(event)
    return [completions[index] for index in sorted(completions)]
