"""Rules for the messages of a chat request."""

import json
from collections.abc import Sequence
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.rules.attachments import check_attachments
from modelstudio_core.emulator.rules.parts import check_parts
from modelstudio_core.emulator.rules.refusal import Refusal, invalid_parameter
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["check_messages"]

_ROLES: Final = frozenset({"system", "user", "assistant", "tool"})


@sourced("recorded (an empty list of messages)", "2026-09-15")
def check_messages(query: ChatQuery) -> None:
    """Refuse messages that the service refuses.

    Raises:
        Refusal: With the service's status, code and message.
    """
    if not query.messages:
        raise Refusal("[] is too short - 'messages'", code=None, gateway=True)
    for message in query.messages:
        _check_role(message)
        check_parts(message, query)
        check_attachments(message, query)
        _check_tool_calls(message, query)
    _check_tool_results(query.messages)
    _check_last_message(query)


@sourced("Chat", "2026-09-15")
def _check_role(message: JsonObject) -> None:
    if message.get("role") not in _ROLES:
        raise Refusal(
            f"{message.get('role')} is not one of ['system', 'assistant', 'user',"
            " 'tool'] - 'messages.role'",
            code=None,
            gateway=True,
        )


@sourced("Error codes; DeepSeek", "2026-09-15")
def _check_tool_calls(message: JsonObject, query: ChatQuery) -> None:
    calls: Sequence[JsonObject] = message.get("tool_calls") or ()
    for call in calls:
        function: JsonObject = call.get("function") or {}
        if not _is_json(function.get("arguments")):
            raise invalid_parameter(
                'The "function.arguments" parameter of the code model must be'
                " in JSON format."
            )
    needs_reasoning = query.profile.wants_reasoning_on_tool_turns
    if calls and needs_reasoning and message.get("reasoning_content") is None:
        raise invalid_parameter(
            "The `reasoning_content` in the thinking mode must be passed back"
            " to the API."
        )


@sourced("Error codes; Function calling", "2026-09-15")
def _check_tool_results(messages: Sequence[JsonObject]) -> None:
    """Check that results follow their tool calls, and that no result is missing."""
    pending: list[JsonObject] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            call = _answered_call(message, pending)
            if call is None:
                raise invalid_parameter(
                    'messages with role "tool" must be a response to a'
                    ' preceeding message with "tool_calls".'
                )
            pending.remove(call)
            continue
        if pending:
            raise _missing_result(index)
        pending = list(message.get("tool_calls") or ())
    if pending:
        raise _missing_result(len(messages))


def _answered_call(
    message: JsonObject, pending: Sequence[JsonObject]
) -> JsonObject | None:
    """Return the call that a result answers.

    The samples of the documentation send a result without ``tool_call_id``, with the
    tool's ``name`` only, and a client of the vendor sends ``id``.
    """
    wanted = message.get("tool_call_id")
    if wanted is not None:
        return next((call for call in pending if call.get("id") == wanted), None)
    same = [call for call in pending if call.get("id") == message.get("id")]
    same += [c for c in pending if c["function"].get("name") == message.get("name")]
    return next(iter([*same, *pending]), None)


@sourced("Error codes", "2026-09-15")
def _missing_result(index: int) -> Refusal:
    return invalid_parameter(
        'An assistant message with "tool_calls" must be followed by tool'
        ' messages responding to each "tool_call_id". The following tool_call_ids did'
        f" not have response messages: message[{index}].role"
    )


@sourced("Error codes; public report, 2026-05", "2026-11-27")
def _check_last_message(query: ChatQuery) -> None:
    last = query.messages[-1]
    if last["role"] == "assistant" and last.get("partial"):
        _check_partial(query)
    elif last["role"] == "assistant" or not query.texts("user"):
        # The service fails here with an internal error.
        raise Refusal(
            "<500> InternalError.Algo: list index out of range",
            status=500,
            code="internal_error",
            type="internal_error",
            dashscope_code="InternalError.Algo",
        )


@sourced("Partial mode; DeepSeek", "2026-09-15")
def _check_partial(query: ChatQuery) -> None:
    if query.thinking:
        raise invalid_parameter(
            "Partial mode is not supported when enable_thinking is true"
        )
    if query.profile.partial is False:
        raise invalid_parameter(
            f"The model {query.model} does not support partial mode (emulator)."
        )


def _is_json(arguments: object) -> bool:
    if not isinstance(arguments, str):
        return False
    try:
        json.loads(arguments)
    except ValueError:
        return False
    return True
