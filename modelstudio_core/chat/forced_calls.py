"""Forced tool calls: whether an answer has one, and the error where it has none."""

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Final

from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Event, Finish, ToolCallDelta
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.errors import ToolChoiceError
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "RequiredCallCheck",
    "converted_answer",
    "has_call",
    "log_missing_call",
    "missing_call_error",
]

_logger: Final = logging.getLogger("modelstudio")


def has_call(events: Iterable[Event]) -> bool:
    """Whether some of the events belong to a tool call.

    Args:
        events: Events of an answer.
    """
    return any(isinstance(event, ToolCallDelta) for event in events)


def log_missing_call(plan: ChatPlan) -> None:
    """Log that a request is sent again for a tool call that did not come.

    Args:
        plan: The plan of the request.
    """
    _logger.info(
        "%s answered without the forced tool call: asking again", plan.model.profile.id
    )


class RequiredCallCheck:
    """Passes events on, and raises an error at the end if there was no tool call."""

    __slots__ = ("_completion", "_context", "_is_missing", "_plan")

    def __init__(self, plan: ChatPlan, context: ErrorContext) -> None:
        """Create the check of one answer.

        Args:
            plan: The plan of the request.
            context: The facts of the request that errors report.
        """
        self._plan = plan
        self._context = context
        self._is_missing = True
        self._completion = Completion()

    def __call__(self, events: Iterable[Event]) -> Iterable[Event]:
        """Yield the events.

        Args:
            events: The next events of the answer.

        Raises:
            ToolChoiceError: The answer ended without a tool call.
        """
        for event in events:
            if isinstance(event, ToolCallDelta):
                self._is_missing = False
            if self._is_missing:
                self._completion.add(event)
                if isinstance(event, Finish):
                    raise self._error(event)
            yield event

    def _error(self, finish: Finish) -> ToolChoiceError:
        advice = "forced_tool_choice_retries=1 asks once more."
        return missing_call_error(
            self._plan, self._context, self._completion, finish, advice
        )


def missing_call_error(
    plan: ChatPlan,
    context: ErrorContext,
    completion: Completion,
    finish: Finish,
    advice: str,
) -> ToolChoiceError:
    """Create the error for an answer without the required tool call.

    Args:
        plan: The plan of the request.
        context: The facts of the request that errors report.
        completion: The answer.
        finish: Its last event.
        advice: What can be done, as a sentence.
    """
    error = context.error(
        ToolChoiceError,
        f"{plan.model.profile.id} was required to call a tool and answered without a"
        f" call. The answer is in message_received of this error; {advice}",
        request_id=finish.request_id,
    )
    error.message_received = completion
    return error


@contextmanager
def converted_answer(to_message: Callable[[Completion], object]) -> Generator[None]:
    """Give a ``ToolChoiceError`` the answer that came as a message of a framework.

    Args:
        to_message: Converts the answer.
    """
    try:
        yield
    except ToolChoiceError as error:
        if isinstance(error.message_received, Completion):
            error.message_received = to_message(error.message_received)
        raise
