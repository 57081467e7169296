"""The ids of files in system messages, which Qwen-Long and others read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, content_text
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.rules.files import EXTRACT
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import sourced
from modelstudio_core.emulator.stored_batches import BatchFile

__all__ = ["read_files"]

_FILE_ID: Final = "fileid://"
_MAX_FILES: Final = 100


def read_files(query: ChatQuery, files: Mapping[str, BatchFile]) -> ChatQuery:
    """Put the texts of files where a request has their ids.

    A file that is no text in UTF-8, such as a PDF, is accepted and has no text here:
    the answer says so.

    Args:
        query: The request. To a model that reads no files, an id is a text.
        files: The uploaded files by id.

    Returns:
        The request with texts.

    Raises:
        Refusal: With the service's status, code and message.
    """
    if "file_id" not in query.profile.inputs:
        return query
    found = [_file_ids(message) for message in query.messages]
    file_ids = [file_id for ids in found for file_id in ids]
    texts = _texts(file_ids, files)
    messages = [
        {**message, "content": "\n".join(map(texts.__getitem__, ids))}
        if ids
        else message
        for message, ids in zip(query.messages, found, strict=True)
    ]
    unread = [files[file_id].name for file_id in file_ids if not texts[file_id]]
    return replace(query, messages=messages, unread_files=tuple(unread))


def _file_ids(message: JsonObject) -> list[str]:
    """Return the ids in a system message that has nothing else."""
    text = content_text(message.get("content")).strip()
    if message.get("role") != "system" or not text.startswith(_FILE_ID):
        return []
    return [part.strip().removeprefix(_FILE_ID) for part in text.split(",")]


@sourced("Error codes; Long context (Qwen-Long)", "2026-11-27")
def _texts(file_ids: Sequence[str], files: Mapping[str, BatchFile]) -> dict[str, str]:
    if len(file_ids) > _MAX_FILES:
        raise Refusal("Too many files provided.")
    texts: dict[str, str] = {}
    for file_id in file_ids:
        file = files.get(file_id)
        if file is None or file.purpose != EXTRACT:
            raise Refusal(f"Invalid file [id:{file_id[:64]}].")
        if not file.content.strip():
            raise Refusal(f"File [id:{file_id}] content blank.")
        texts[file_id] = _text(file.content)
    return texts


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return ""
