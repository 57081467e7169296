"""What the service refuses of a request's messages, and in which words.

The texts are those of the official error-code page and of recorded bodies.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from modelstudio_core.emulator.json_values import is_array
from modelstudio_core.emulator.model.query import Ask, Refusal

__all__ = ["check_messages"]

_ALGO: Final = "<400> InternalError.Algo.InvalidParameter: "
_ROLES: Final = frozenset({"system", "user", "assistant", "tool"})
_TEXT: Final = frozenset({"text"})
_INPUT_OF_PART: Final = {
    "text": "text",
    "image_url": "image",
    "video_url": "video",
    "video": "video",
    "input_audio": "audio",
}


def check_messages(ask: Ask) -> None:
    """Refuse a history that the service refuses.

    Raises:
        Refusal: With the service's status, code and words.
    """
    if not ask.messages:
        raise Refusal("[] is too short - 'messages'", code=None, gateway=True)
    for message in ask.messages:
        _check_role(message)
        _check_content(message, ask)
        _check_calls(message, ask)
    _check_tool_turns(ask.messages)
    _check_end(ask)


def _check_role(message: Mapping[str, Any]) -> None:
    if message.get("role") not in _ROLES:
        raise Refusal(
            f"{message.get('role')} is not one of ['system', 'assistant', 'user',"
            " 'tool'] - 'messages.role'",
            code=None,
            gateway=True,
        )


def _check_content(message: Mapping[str, Any], ask: Ask) -> None:
    content = message.get("content")
    if not is_array(content):
        return
    inputs = ask.profile.inputs
    for part in content:
        if _INPUT_OF_PART.get(str(part.get("type"))) not in inputs:
            raise Refusal(
                f"{_ALGO}The provided messages input is invalid. The error info is"
                " [Unexpected item type in content.]"
            )
    # Text-only models take a list only to mark an explicit cache.
    if inputs == _TEXT and not ask.profile.cache:
        raise Refusal(f"{_ALGO}input content must be a string.")


def _check_calls(message: Mapping[str, Any], ask: Ask) -> None:
    calls: Sequence[Mapping[str, Any]] = message.get("tool_calls") or ()
    for call in calls:
        if not _is_json(call.get("function", {}).get("arguments")):
            raise Refusal(
                f'{_ALGO}The "function.arguments" parameter of the code model must be'
                " in JSON format."
            )
    wants = ask.profile.wants_reasoning_on_tool_turns
    if calls and wants and message.get("reasoning_content") is None:
        raise Refusal(
            f"{_ALGO}The `reasoning_content` in the thinking mode must be passed back"
            " to the API."
        )


def _check_tool_turns(messages: Sequence[Mapping[str, Any]]) -> None:
    """See that calls and their results belong together, in their order."""
    awaited: set[Any] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in awaited:
                raise Refusal(
                    f'{_ALGO}messages with role "tool" must be a response to a'
                    ' preceeding message with "tool_calls".'
                )
            awaited.discard(message.get("tool_call_id"))
            continue
        if awaited:
            raise _unanswered(index)
        awaited = {call.get("id") for call in message.get("tool_calls") or ()}
    if awaited:
        raise _unanswered(len(messages))


def _unanswered(index: int) -> Refusal:
    return Refusal(
        f'{_ALGO}An assistant message with "tool_calls" must be followed by tool'
        ' messages responding to each "tool_call_id". The following tool_call_ids did'
        f" not have response messages: message[{index}].role"
    )


def _check_end(ask: Ask) -> None:
    last = ask.messages[-1]
    if last["role"] == "assistant" and last.get("partial"):
        _check_partial(ask)
    elif last["role"] == "assistant" or not ask.texts("user"):
        # The service itself fails here; the text is its own.
        raise Refusal(
            "<500> InternalError.Algo: list index out of range",
            status=500,
            code="internal_error",
            type="internal_error",
            native_code="InternalError.Algo",
        )


def _check_partial(ask: Ask) -> None:
    if ask.thinking:
        raise Refusal(
            f"{_ALGO}Partial mode is not supported when enable_thinking is true"
        )
    if ask.profile.partial is False:
        raise Refusal(
            f"{_ALGO}The model {ask.model} does not support partial mode (emulator)."
        )


def _is_json(arguments: object) -> bool:
    if not isinstance(arguments, str):
        return False
    try:
        json.loads(arguments)
    except ValueError:
        return False
    return True
