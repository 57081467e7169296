"""How the answers of a run are read: from the facts in its manifest."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from modelstudio_core.batches.records import Manifest
from modelstudio_core.batches.results import Answer, ParseSure
from modelstudio_core.catalog import (
    EmbeddingProfile,
    ResolvedModel,
    ResolvedServiceModel,
    resolve_model_as,
)
from modelstudio_core.catalog.profiles import ChatProfile
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Usage
from modelstudio_core.chat.forced_calls import missing_call_error
from modelstudio_core.chat.openai import is_plain, parse_answer, parse_plain
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.parser import AnswerForm
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.embeddings.answers import input_tokens, parse_vectors
from modelstudio_core.embeddings.options import ResolvedEmbeddings
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.wire.json_values import object_of
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["ChatReading", "EmbeddingReading", "reading_of"]

_T = TypeVar("_T")
_ADVICE = "a batch asks once: prepare such rows again."
Convert = Callable[[Completion, ChatPlan], _T]


@dataclass(frozen=True)
class ChatReading(Generic[_T]):
    """Reads the answers of chat requests.

    Attributes:
        plan: The plan of the requests, as far as answers are read with it.
        context: The facts of the requests that errors report.
        convert: Converts an answer to a message.
    """

    plan: ChatPlan
    context: ErrorContext
    convert: Convert[_T]

    def if_sure(self, body: object) -> ParseSure[_T] | None:
        """Return what reads a body that has text only; None for another one.

        Args:
            body: The body of an answer.
        """
        plan = self.plan
        if plan.form.tools or plan.call_required or not is_plain(body):
            return None
        return self._read_plain

    def _read_plain(self, body: Any, request_id: str | None) -> Answer[_T]:
        return self._answer(parse_plain(body, self.context, request_id=request_id))

    def _answer(self, completion: Completion) -> Answer[_T]:
        finish = completion.finish
        return Answer(
            self.convert(completion, self.plan),
            None,
            finish.usage if finish else None,
            finish.finish_reason if finish else None,
        )

    def __call__(self, body: object, request_id: str | None) -> Answer[_T]:
        """Read the body of an answer.

        Raises:
            APIError: It is an error, it is not what the protocol allows, or it lacks
                the tool call that was required.
        """
        plan = self.plan
        completion = parse_answer(
            body, self.context, request_id=request_id, form=plan.form
        )
        finish = completion.finish
        if plan.call_required and finish is not None and not completion.tool_calls:
            error = missing_call_error(plan, self.context, completion, finish, _ADVICE)
            # In the form of the framework, as the messages of other rows are.
            error.message_received = self.convert(completion, plan)
            raise error
        return self._answer(completion)


@dataclass(frozen=True)
class EmbeddingReading(Generic[_T]):
    """Reads the answers of embedding requests: one vector each.

    Attributes:
        resolved: The arguments of the requests, as far as answers are read with them.
    """

    resolved: ResolvedEmbeddings

    def if_sure(self, body: object) -> None:
        """Return None: each number is looked at.

        Args:
            body: The body of an answer.
        """

    def __call__(self, body: object, request_id: str | None) -> Answer[_T]:
        """Read the body of an answer.

        Raises:
            APIError: It is not what the protocol allows.
        """
        value = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
        answer = JsonAnswer(value, request_id, {})
        (found,) = parse_vectors(answer, self.resolved, 1, "dense")
        vector = cast("list[float]", found)
        tokens = input_tokens(answer)
        if tokens is None:
            return Answer(None, vector)
        usage = Usage(tokens, 0, tokens, raw=object_of(value, "usage"))
        return Answer(None, vector, usage)


def reading_of(
    manifest: Manifest, connection: Connection, convert: Convert[_T]
) -> ChatReading[_T] | EmbeddingReading[_T]:
    """Return how the answers of a run are read.

    Args:
        manifest: The manifest of the run.
        connection: How to reach the service.
        convert: Converts an answer to a message.
    """
    if manifest.kind == "embeddings":
        return EmbeddingReading(_embeddings_of(manifest, connection))
    reading = manifest.reading
    form = AnswerForm(
        speech=bool(reading.get("speech")), tools=bool(reading.get("tools"))
    )
    replaced = manifest.requested_model != manifest.model
    model = ResolvedModel(
        manifest.requested_model,
        resolve_model_as(ChatProfile, manifest.model),
        default_thinking=None,
        notice="replaced" if replaced else "",
    )
    plan = ChatPlan(
        model=model,
        options=ChatOptions(),
        thinking=None,
        thinking_disabled=reading.get("thinking_disabled") or "",
        call_required=bool(reading.get("call_required")),
        endpoint=connection.endpoint,
        form=form,
    )
    return ChatReading(plan, connection.context, convert)


def _embeddings_of(manifest: Manifest, connection: Connection) -> ResolvedEmbeddings:
    profile = resolve_model_as(EmbeddingProfile, manifest.model)
    return ResolvedEmbeddings(
        connection=connection,
        model=ResolvedServiceModel(manifest.requested_model, profile),
        dimensions=manifest.reading.get("dimensions"),
        instruct=None,
        batch_size=1,
        max_concurrency=1,
        tokens_per_request=None,
    )
