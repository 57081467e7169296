"""Rules for the ids of files in system messages, which Qwen-Long and others read.

The emulator keeps no file of the purpose ``file-extract``: an id of the form that the
service gives to such a file counts as the id of an uploaded and parsed file.
"""

import re
from typing import Final

from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["check_file_ids"]

_FILE_ID: Final = "fileid://"
# The service's ids of files of the purpose file-extract.
_EXTRACTED: Final = re.compile(r"file-fe-[A-Za-z0-9_-]+")
_MAX_FILES: Final = 100


@sourced("Error codes; Long context (Qwen-Long)", "2026-11-27")
def check_file_ids(query: ChatQuery) -> None:
    """Refuse ids that the service does not give to files of a conversation.

    Args:
        query: The request. To a model that reads no files, an id is a text.

    Raises:
        Refusal: An id is not of such a file, or there are too many.
    """
    if "file_id" not in query.profile.inputs:
        return
    file_ids = [
        file_id.strip().removeprefix(_FILE_ID)
        for text in query.texts("system")
        if text.lstrip().startswith(_FILE_ID)
        for file_id in text.split(",")
    ]
    if len(file_ids) > _MAX_FILES:
        raise Refusal("Too many files provided.")
    for file_id in file_ids:
        if not _EXTRACTED.fullmatch(file_id):
            raise Refusal(f"Invalid file [id:{file_id[:64]}].")
