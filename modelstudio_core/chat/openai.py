"""The OpenAI-compatible protocol for chat.

A parameter that OpenAI does not have is a key at the top level of the body, as all
others. Sources: the official page "OpenAI compatible - Chat" (September 2026) and
exchanges recorded from 2024 to August 2026.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from typing_extensions import override

from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Event, Finish, Usage, usage_of_text
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.parser import ANY_FORM, AnswerForm, ChatParser
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.chat.prompt import prepare_prompt
from modelstudio_core.chat.usage import created_in_cache, token_details, tool_counts
from modelstudio_core.secrets import redactor_of
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.wire.json_values import count_of, object_of
from modelstudio_core.wire.metadata import without_secrets
from modelstudio_core.wire.refusals import ErrorContext
from modelstudio_core.wire.sse import field_of

__all__ = [
    "Parser",
    "build_request",
    "is_plain",
    "parse_answer",
    "parse_plain",
    "parse_usage",
]

_PATH: Final = "/chat/completions"
# How many fields the token counts of a usual answer have.
_PLAIN_COUNTS: Final = 5


def build_request(
    plan: ChatPlan, messages: Sequence[Message], *, include_usage: bool = True
) -> HttpRequest:
    """Build the HTTP request of a plan.

    Args:
        plan: The model and the parameters.
        messages: The messages of the prompt.
        include_usage: Whether a stream ends with token counts.

    Raises:
        ConfigurationError: The model does not support a part of a message.
    """
    body: dict[str, Any] = {
        "model": plan.model.profile.id,
        "messages": prepare_prompt(messages, plan),
    }
    body |= plan.parameters()
    body["stream"] = plan.stream
    if plan.stream and include_usage:
        body["stream_options"] = {"include_usage": True}
    return HttpRequest(
        api="openai",
        path=_PATH,
        json=body | plan.extra_body(),
        requested_model=plan.requested_model,
    )


class Parser(ChatParser):
    r"""Converts the bytes of one response of the OpenAI protocol to events.

    Example:
        >>> parser = Parser(ErrorContext(None, "openai", "127.0.0.1"))
        >>> parser.feed(b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n')
        [TextDelta(text='Hi', choice=0)]
    """

    _END = b"[DONE]"

    def __init__(
        self,
        context: ErrorContext,
        *,
        request_id: str | None = None,
        form: AnswerForm = ANY_FORM,
        max_event_bytes: int = sys.maxsize,
    ) -> None:
        """Create the parser of one response; see ``ChatParser``."""
        super().__init__(
            context,
            request_id=request_id,
            form=form,
            max_event_bytes=max_event_bytes,
        )
        # The first chunk without its choices.
        self._first: dict[str, Any] = {}

    @property
    @override
    def _common(self) -> dict[str, Any]:
        return self._first

    @property
    @override
    def request_id(self) -> str | None:
        """The id in the header, else the id that the id of the answer contains."""
        if self._header_id:
            return self._header_id
        body_id = self._first.get("request_id") or self._first.get("id")
        if not body_id:
            return None
        return self._context.redact(str(body_id)).removeprefix("chatcmpl-")

    @override
    def _parse_event(self, raw: bytes, events: list[Event]) -> None:
        self._parse_data(field_of(raw, b"data"), events)

    @override
    def _add_chunk(self, chunk: dict[str, Any], events: list[Event]) -> None:
        choices = chunk.get("choices")
        if (choices is None and chunk.get("code")) or chunk.get("error"):
            raise self._refusal(chunk)
        if not self._first:
            self._first = {k: v for k, v in chunk.items() if k != "choices"}
        if chunk.get("usage") and (usage := object_of(chunk, "usage")):
            self._usage = usage
        for position, choice in enumerate(choices or ()):
            message = choice.get("delta") or choice.get("message")
            self._add_choice(choice, message, events, position)

    @override
    def _parse_usage(self, raw: Mapping[str, object]) -> Usage:
        return parse_usage(raw)


def parse_answer(
    body: object,
    context: ErrorContext,
    *,
    request_id: str | None = None,
    form: AnswerForm = ANY_FORM,
) -> Completion:
    """Return the first answer in a complete body that is parsed JSON already.

    Args:
        body: The value. It is not changed, and the answer shares parts of it.
        context: The facts of the request that errors report.
        request_id: The id of the request.
        form: What to expect of the answer.

    Raises:
        APIError: The body is an error, or not what the protocol allows.
    """
    if not form.tools and is_plain(body):
        return parse_plain(body, context, request_id=request_id)
    return _parse_any(body, context, request_id, form)


def _parse_any(
    body: object, context: ErrorContext, request_id: str | None, form: AnswerForm
) -> Completion:
    parser = Parser(context, request_id=request_id, form=form)
    events = [*parser.feed_value(body), *parser.close()]
    completion = Completion()
    for event in events:
        if event.choice == events[0].choice:
            completion.add(event)
    return completion


# The fields of a body, of its choice and of its message that text alone has.
_BODY: Final = frozenset({"id", "object", "created", "model", "choices", "usage"})
_CHOICE: Final = frozenset({"index", "finish_reason", "message", "logprobs"})
_MESSAGE: Final = frozenset({"role", "content", "reasoning_content"})
_NO_REASON: Final = ("", "null")


def is_plain(body: Any) -> bool:
    """Whether a complete body has one text, perhaps with its reasoning, and no more.

    Args:
        body: The parsed body.
    """
    try:
        (choice,) = body["choices"]
        message, reason = choice["message"], choice["finish_reason"]
        reasoning = message.get("reasoning_content")
        model, kind = body.get("model"), body.get("object")
        return (
            type(message["content"]) is str
            and (reasoning is None or type(reasoning) is str)
            and type(reason) is str
            and type(body["id"]) is str
            and type(body["usage"]) is dict
            and (model is None or type(model) is str)
            and (kind is None or type(kind) is str)
            and _BODY.issuperset(body)
            and _CHOICE.issuperset(choice)
            and _MESSAGE.issuperset(message)
            and choice.get("index") == 0
            and not choice.get("logprobs")
            and bool(body["usage"])
            and reason not in _NO_REASON
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def parse_plain(
    body: Any, context: ErrorContext, *, request_id: str | None = None
) -> Completion:
    """Return the answer in a body that ``is_plain``.

    Most rows of large runs are like that, and the parser of streams takes three times
    as long for them.

    Args:
        body: The value. It is not changed, and the answer shares parts of it.
        context: The facts of the request that errors report.
        request_id: The id of the request, without secrets.
    """
    (choice,) = body["choices"]
    message, reason = choice["message"], choice["finish_reason"]
    body_id, model, created = body["id"], body.get("model"), body.get("created")
    own_id = body_id.removeprefix("chatcmpl-")
    # What the service repeats in metadata must not be a key.
    redact = _redact_if_clean(context.secrets, (reason, model, body.get("object")))
    if (
        redact is None
        or context.later_secrets is not None
        or (own_id != request_id and redact(body_id) is not body_id)
    ):
        return _parse_any(body, context, request_id, ANY_FORM)
    usage = _parse_plain_usage(body["usage"])
    if usage is None:
        if without_secrets(body["usage"], redact) is not body["usage"]:
            return _parse_any(body, context, request_id, ANY_FORM)
        usage = parse_usage(body["usage"])
    # With keywords it takes twice as long.
    finish = Finish(
        reason,
        reason,
        usage,
        request_id or own_id or None,
        body_id or None,
        model or None,
        created if type(created) is int else None,
        None,
        None,
        body,
    )
    text, reasoning = message["content"], message.get("reasoning_content") or ""
    return Completion.of_text(text, reasoning, finish)


@lru_cache(maxsize=64)
def _redact_if_clean(
    secrets: tuple[str, ...], texts: tuple[str | None, ...]
) -> Callable[[str], str] | None:
    """Return what hides secrets; None if the texts that rows share contain one."""
    redact = redactor_of(secrets).redact
    return redact if all(not text or redact(text) == text for text in texts) else None


def parse_usage(raw: Mapping[str, object]) -> Usage:
    """Parse the token counts of a response.

    Args:
        raw: The ``usage`` object. A detail that is absent is None, not zero.

    Example:
        >>> parse_usage({"prompt_tokens": 9, "completion_tokens": 3}).total_tokens
        12
    """
    plain = _parse_plain_usage(raw)
    if plain is not None:
        return plain
    inputs = object_of(raw, "prompt_tokens_details")
    outputs = object_of(raw, "completion_tokens_details")
    input_tokens = count_of(raw, "prompt_tokens") or 0
    output_tokens = count_of(raw, "completion_tokens") or 0
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=count_of(raw, "total_tokens") or input_tokens + output_tokens,
        reasoning_tokens=count_of(outputs, "reasoning_tokens"),
        cached_tokens=count_of(inputs, "cached_tokens"),
        cache_creation_tokens=created_in_cache(inputs, raw),
        input_details=token_details(inputs),
        output_details=token_details(outputs),
        tool_counts=tool_counts(object_of(raw, "x_tools") or object_of(raw, "plugins")),
        raw=raw,
    )


def _parse_plain_usage(raw: Mapping[str, Any]) -> Usage | None:
    """Return the counts of a usual answer, each of them a number; None for others.

    Each answer and each row of a batch has them: it takes half the time.
    """
    try:
        inputs, outputs = raw["prompt_tokens_details"], raw["completion_tokens_details"]
        prompt, completion = raw["prompt_tokens"], raw["completion_tokens"]
        total = raw["total_tokens"]
        cached, reasoning = inputs["cached_tokens"], outputs["reasoning_tokens"]
    except (KeyError, TypeError):
        return None
    if not (
        len(raw) == _PLAIN_COUNTS
        and len(inputs) == len(outputs) == 1
        and type(prompt) is type(completion) is type(total) is int
        and type(cached) is type(reasoning) is int
        and total
    ):
        return None
    return usage_of_text(prompt, completion, total, reasoning, cached, raw=raw)
