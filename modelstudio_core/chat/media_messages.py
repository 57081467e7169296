"""Where the media of a prompt go: of users, of tools' results, of earlier answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.chat.media import FILE_ID, is_text
from modelstudio_core.chat.media_checks import (
    check_input,
    check_parts,
    has_local_address,
    input_of,
    with_addresses,
)
from modelstudio_core.chat.messages import (
    Message,
    Part,
    SystemMessage,
    TextPart,
    split_text,
)
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from modelstudio_core.user_warnings import warn_user

__all__ = ["describe_media", "not_shown", "place_media"]

_RETURNED: Final = ("tool", "assistant")
_WITH_ARTICLE: Final[Mapping[str, str]] = {
    "image": "An image",
    "video": "A video",
    "audio": "Audio",
    "pdf": "A file",
    "file_id": "A file",
}


def describe_media(
    messages: Sequence[Message], profile: ChatProfile, *, local_files: bool
) -> list[Message]:
    """Replace media that a tool or the model returned and that cannot be shown.

    A sentence and a warning say so. An error would end an agent, and each later turn of
    its conversation. Sound in an answer with text is left out: the text is its
    transcript.

    Args:
        messages: The prompt. It is not changed.
        profile: The model that is used.
        local_files: Whether addresses in messages may be files on this machine.
    """
    return [
        message
        if message["role"] not in _RETURNED or is_text(message)
        else _described(message, profile, local_files)
        for message in messages
    ]


def _described(message: Message, profile: ChatProfile, local_files: bool) -> Message:
    parts = cast("list[Part]", message["content"])
    text, _ = split_text(parts)
    is_spoken = bool(text) and message["role"] == "assistant"
    kept: list[Part] = []
    for part in parts:
        if is_spoken and part["type"] == "input_audio":
            continue
        problem = _problem(part, profile, local_files)
        if problem is None:
            kept.append(part)
            continue
        noun = _WITH_ARTICLE[input_of(part) or "file_id"]
        kept.append(not_shown(noun, problem))
    return cast("Message", {**message, "content": kept})


def not_shown(noun: str, problem: str) -> TextPart:
    """Return the text in the place of what a tool or the model returned, and warn.

    Args:
        noun: What it is.
        problem: Why it cannot be sent.
    """
    warn_user(
        f"{noun} in an earlier message was not sent: {problem}", ModelStudioWarning
    )
    text = f"[{noun} was returned and is not shown: {problem}]"
    return {"type": "text", "text": text}


def _problem(part: Part, profile: ChatProfile, local_files: bool) -> str | None:
    """Return why a part of a result or of an answer cannot be shown to the model."""
    kind = input_of(part)
    if kind is None:
        return None
    if kind not in profile.inputs and profile.is_known:
        supported = ", ".join(sorted(profile.inputs - {"file_id"}))
        return f"{profile.id} supports only {supported}."
    if kind == "file_id":
        return "ids of files are read from messages of the user only."
    if not local_files and has_local_address(part):
        return "it is a local file, and local_files=True was not passed."
    try:
        check_parts([with_addresses(part, local_files=local_files)], profile)
    except ConfigurationError as error:
        return str(error)
    return None


def place_media(
    messages: Sequence[Message], profile: ChatProfile, *, local_files: bool
) -> list[Message]:
    """Check the media of a prompt, and put them where the service accepts them.

    - Media in a tool's result or in an earlier answer go into a user message behind the
      turn.
    - The ids of files go into a system message.

    Args:
        messages: The prompt, with valid tool calls. It is not changed.
        profile: The model that is used.
        local_files: Whether addresses in messages may be files on this machine.

    Raises:
        ConfigurationError: The model does not support an input, an input is over a
            limit, or an address is not allowed.
    """
    placed: list[Message] = []
    pending: list[Part] = []
    file_ids: list[str] = []
    names = _names_of_calls(messages)
    for message in messages:
        if pending and message["role"] != "tool":
            placed.append({"role": "user", "content": pending})
            pending = []
        if is_text(message):
            placed.append(message)
            continue
        content = cast("list[Part]", message["content"])
        if message["role"] not in _RETURNED:
            content = _extract_file_ids(content, profile, file_ids)
        parts = [with_addresses(part, local_files=local_files) for part in content]
        if message["role"] in _RETURNED:
            text, shown = split_text(parts)
            if shown:
                pending += [_label(message, names), *shown]
            content_left = text or _placeholder(message)
            placed.append(cast("Message", {**message, "content": content_left}))
        else:
            check_parts(parts, profile)
            placed.append(cast("Message", {**message, "content": parts}))
    if pending:
        placed.append({"role": "user", "content": pending})
    return _add_file_ids(placed, file_ids) if file_ids else placed


def _placeholder(message: Message) -> str:
    if message["role"] == "assistant":
        return ""
    return "The result is shown in the user's next message."


def _label(message: Message, names: Mapping[str, str]) -> TextPart:
    """Return the text before media: who returned them."""
    if message["role"] == "tool":
        name = message.get("name") or names.get(message["tool_call_id"])
        source = f"the tool {name!r}" if name else "a tool"
    else:
        source = "the assistant"
    return {"type": "text", "text": f"Returned by {source}:"}


def _names_of_calls(messages: Iterable[Message]) -> dict[str, str]:
    """Return the names of the tools by the ids of their calls."""
    return {
        call["id"]: call["function"]["name"]
        for message in messages
        if message["role"] == "assistant"
        for call in message.get("tool_calls", ())
    }


# --- File ids ---------------------------------------------------------------------


def _extract_file_ids(
    content: Sequence[Part], profile: ChatProfile, file_ids: list[str]
) -> list[Part]:
    """Move the ids of files out of a message's content."""
    parts: list[Part] = []
    for part in content:
        file_id = part["file"].get("file_id") if part["type"] == "file" else None
        if file_id is None:
            parts.append(part)
            continue
        check_input("file_id", profile)
        if file_id not in file_ids:
            file_ids.append(file_id)
    return parts


def _add_file_ids(
    messages: Sequence[Message], file_ids: Sequence[str]
) -> list[Message]:
    """Add a system message with the ids of files, after the first one."""
    ids = ",".join(f"{FILE_ID}{file_id}" for file_id in file_ids)
    message: SystemMessage = {"role": "system", "content": ids}
    position = 1 if messages and messages[0]["role"] == "system" else 0
    return [*messages[:position], message, *messages[position:]]
