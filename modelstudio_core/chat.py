"""Chat: a prompt in, events or whole answers out.

``Chat`` is what a constructor resolved, ``prepare`` decides a request and refuses what
cannot be sent, and ``generate``, ``agenerate``, ``stream`` and ``astream`` send it.
"""

import inspect
import random
import warnings
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
from typing import Any, Final, NamedTuple

import tenacity

from modelstudio_core import clients
from modelstudio_core.catalog import (
    DeprecatedModels,
    ResolvedModel,
    check_scope,
    nearest_served,
    resolve_deprecated,
)
from modelstudio_core.completion import Completion
from modelstudio_core.connection import Connection
from modelstudio_core.errors import (
    APITimeoutError,
    ConfigurationError,
    ErrorContext,
    IncompleteStreamError,
    ModelDeprecationWarning,
    ModelStudioError,
    ToolChoiceError,
    unknown_name,
)
from modelstudio_core.events import Event, Finish, ToolCallDelta
from modelstudio_core.messages import Message
from modelstudio_core.options import ChatOptions, ChatRequest, plan_request
from modelstudio_core.wire import dashscope, openai
from modelstudio_core.wire.answer import AnswerParser

__all__ = ["Chat", "Exchange", "agenerate", "astream", "generate", "prepare", "stream"]

# The longest that a server's Retry-After is waited for, and the back-off without one:
# that of both SDKs.
_LONGEST_WAIT: Final = 60.0
_BACK_OFF: Final = tenacity.wait_exponential(
    multiplier=0.5, max=8.0
) + tenacity.wait_random(0, 0.5)
# So much longer than asked for, at most: those who were told the same come apart.
_SPREAD: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
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
            self.connection,
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
_POLICIES: Final = ("replace", "keep", "error")


def resolve_in_scope(
    model: str,
    connection: Connection,
    *,
    deprecated_models: DeprecatedModels,
    replacements: Mapping[str, str] | None,
) -> ResolvedModel:
    """Decide which model answers, replacement first, and keep it in its mode.

    Raises:
        ConfigurationError: An argument is wrong, or the model is not in scope.
    """
    if not isinstance(model, str) or not model:
        raise ConfigurationError(f"model must be a model's id, and is {model!r}.")
    if deprecated_models not in _POLICIES:
        raise unknown_name("deprecated_models", str(deprecated_models), _POLICIES)
    if replacements is not None and not isinstance(replacements, Mapping):
        raise ConfigurationError("replacements must be a dict of model ids.")
    resolved = resolve_deprecated(
        model,
        mode=connection.endpoint.mode,
        deprecated_models=deprecated_models,
        replacements=replacements,
    )
    check_scope(resolved.profile.id, connection.endpoint)
    return resolved


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
    message: clients.Message
    context: ErrorContext

    @property
    def call(self) -> tuple[Connection, clients.Message, ErrorContext]:
        """What ``clients.open`` takes."""
        return self.connection, self.message, self.context

    def parser(self, reply: clients.Reply | clients.AsyncReply) -> AnswerParser:
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
    request = plan_request(
        chat.options, chat.model, protocol=chat.connection.protocol, stream=stream
    )
    if request.notice:
        warn_user(request.notice, UserWarning)
    wire = _WIRES[chat.connection.protocol]
    message = clients.Message(
        path=wire.path(request),
        headers=wire.headers(request),
        body=wire.build_request(request, messages, include_usage=include_usage),
    )
    return Exchange(
        connection=chat.connection,
        request=request,
        message=message,
        context=replace(
            chat.connection.context,
            other_model=partial(_offer_another, chat.connection, chat.model),
        ),
    )


def _offer_another(connection: Connection, model: ResolvedModel) -> str:
    """Say which model to ask for where this one is not served."""
    endpoint, asked = connection.endpoint, model.profile.id
    other = nearest_served(asked, endpoint)
    where = f" in region {endpoint.region}" if endpoint.region else ""
    said = f"The model that was asked for is {asked!r}."
    return f"{said} The nearest one that is known{where} is {other!r}."


_Begun = tuple[Event, Generator[Event]]
_AsyncBegun = tuple[Event, AsyncGenerator[Event]]


# --- Four functions ---------------------------------------------------------------


def generate(exchange: Exchange) -> list[Completion]:
    """Send a request and return its whole answers, one for each of ``n``.

    Raises:
        APIError: There was no answer, or it is not whole.
    """
    return _complete(exchange, _retrying(exchange)(_send, exchange))


async def agenerate(exchange: Exchange) -> list[Completion]:
    """Do as ``generate``."""
    return _complete(exchange, await _aretrying(exchange)(_asend, exchange))


def stream(exchange: Exchange) -> Generator[Event]:
    """Send a request and yield the events of its answer as they come.

    Closing the generator closes the connection. The last event is ``Finish``.

    Raises:
        APIError: There was no answer, it broke off, or an error came in its midst.
    """
    begun: _Begun = _retrying(exchange)(_begin, exchange)
    first, events = begun
    check = _CallCheck(exchange)
    with closing(events):
        check(first)
        yield first
        for event in events:
            check(event)
            yield event


async def astream(exchange: Exchange) -> AsyncGenerator[Event]:
    """Do as ``stream``."""
    begun: _AsyncBegun = await _aretrying(exchange)(_abegin, exchange)
    first, events = begun
    check = _CallCheck(exchange)
    async with aclosing(events):
        check(first)
        yield first
        async for event in events:
            check(event)
            yield event


# --- One attempt ------------------------------------------------------------------


def _send(exchange: Exchange) -> list[Event]:
    """Get a whole answer; one that is streamed underneath is tried again whole."""
    if exchange.request.stream:
        return list(_open(exchange))
    with closing(clients.open(*exchange.call)) as reply:
        return _read_whole(exchange, reply, reply.read())


async def _asend(exchange: Exchange) -> list[Event]:
    if exchange.request.stream:
        return [event async for event in _aopen(exchange)]
    reply = await clients.aopen(*exchange.call)
    async with aclosing(reply):
        return _read_whole(exchange, reply, await reply.read())


def _begin(exchange: Exchange) -> _Begun:
    """Open a stream and wait for its first event: until then it may be tried again."""
    events = _open(exchange)
    return next(events), events


async def _abegin(exchange: Exchange) -> _AsyncBegun:
    events = _aopen(exchange)
    return await anext(events), events


def _open(exchange: Exchange) -> Generator[Event]:
    reply = clients.open(*exchange.call)
    with closing(reply):
        if reply.is_json:
            yield from _read_whole(exchange, reply, reply.read())
            return
        parser = exchange.parser(reply)
        chunks = reply.chunks()
        try:
            for chunk in chunks:
                yield from parser.feed(chunk)
                if parser.done:
                    break
        except (IncompleteStreamError, APITimeoutError):
            if not parser.finished:
                raise
        yield from parser.close()
        reply.drain(chunks)


async def _aopen(exchange: Exchange) -> AsyncGenerator[Event]:
    reply = await clients.aopen(*exchange.call)
    async with aclosing(reply):
        if reply.is_json:
            for event in _read_whole(exchange, reply, await reply.read()):
                yield event
            return
        parser = exchange.parser(reply)
        chunks = reply.chunks()
        try:
            async for chunk in chunks:
                for event in parser.feed(chunk):
                    yield event
                if parser.done:
                    break
        except (IncompleteStreamError, APITimeoutError):
            if not parser.finished:
                raise
        for event in parser.close():
            yield event
        await reply.drain(chunks)


def _read_whole(
    exchange: Exchange, reply: clients.Reply | clients.AsyncReply, body: bytes
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


def _is_retryable(error: BaseException) -> bool:
    """Tell whether to try again: not before the service's time, and not much later."""
    if not isinstance(error, ModelStudioError):
        return False
    return error.is_retryable and (error.retry_after or 0.0) <= _LONGEST_WAIT


def _wait(state: tenacity.RetryCallState) -> float:
    """Wait as long as the service asks, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    asked: float | None = getattr(error, "retry_after", None)
    if not asked:
        return _BACK_OFF(state)
    return asked * random.uniform(1.0, 1.0 + _SPREAD)  # noqa: S311 - not a secret


def _policy(exchange: Exchange) -> dict[str, Any]:
    return {
        "stop": tenacity.stop_after_attempt(exchange.connection.max_retries + 1),
        "wait": _wait,
        "retry": tenacity.retry_if_exception(_is_retryable),
        "reraise": True,
    }


def _retrying(exchange: Exchange) -> tenacity.Retrying:
    return tenacity.Retrying(**_policy(exchange))


def _aretrying(exchange: Exchange) -> tenacity.AsyncRetrying:
    return tenacity.AsyncRetrying(**_policy(exchange))


class _CallCheck:
    """See that a call came where one was demanded."""

    __slots__ = ("_exchange", "_missing")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._missing = exchange.request.call_required

    def __call__(self, event: Event) -> None:
        if self._missing:
            if isinstance(event, ToolCallDelta):
                self._missing = False
            elif isinstance(event, Finish):
                raise self._exchange.context.error(
                    ToolChoiceError,
                    f"{self._exchange.request.model.profile.id} was asked to call a"
                    " tool and answered without a call.",
                    request_id=event.request_id,
                )


def _complete(exchange: Exchange, events: Iterable[Event]) -> list[Completion]:
    check = _CallCheck(exchange)
    completions: dict[int, Completion] = {}
    for event in events:
        check(event)
        completions.setdefault(event.choice, Completion()).add(event)
    return [completions[index] for index in sorted(completions)]


# Where a warning must not point: between the user's line and ours.
_INNER: Final = frozenset(
    {
        "modelstudio_core",
        "langchain_modelstudio",
        "llamaindex_modelstudio",
        "langchain",
        "langchain_core",
        "langgraph",
        "llama_index",
        "llama_index_instrumentation",
        "pydantic",
        "wrapt",
        "asyncio",
        "concurrent",
        "contextvars",
        "threading",
    }
)


def warn_user(notice: str, category: type[Warning]) -> None:
    """Warn, pointing at the user's line; in a thread of a framework's at our own."""
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals["__name__"].partition(".")[0] in _INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(notice, category, stacklevel=level if frame else 2)
