"""The messages of a prompt as one model accepts them."""

from collections.abc import Sequence

from modelstudio_core.chat.history import repair_history
from modelstudio_core.chat.media import is_text
from modelstudio_core.chat.media_messages import describe_media, place_media
from modelstudio_core.chat.messages import Message, are_plain, prepare_messages
from modelstudio_core.chat.plan import ChatPlan

__all__ = ["prepare_prompt"]


def prepare_prompt(messages: Sequence[Message], plan: ChatPlan) -> list[Message]:
    """Return the messages to send: with valid tool calls, media and text.

    Args:
        messages: The prompt. It is not changed.
        plan: The model and the parameters.

    Raises:
        ConfigurationError: A message cannot be sent to the model.
    """
    profile = plan.model.profile
    local_files = plan.options.local_files
    valid: Sequence[Message]
    if are_plain(messages):
        valid = messages
    elif all(map(is_text, messages)):
        valid = repair_history(messages)
    else:
        described = describe_media(messages, profile, local_files=local_files)
        repaired = repair_history(described)
        valid = place_media(repaired, profile, local_files=local_files)
    return prepare_messages(valid, profile, preserve_thinking=plan.preserve_thinking)
