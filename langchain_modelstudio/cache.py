"""``SQLiteAnswerCache``: answers that are paid for once, in a file of this machine."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from langchain_core.caches import RETURN_VAL_TYPE, BaseCache
from langchain_core.load import dumps, loads
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation
from typing_extensions import override

from langchain_modelstudio.errors import ConfigurationError
from modelstudio_core.secrets import hide_keys
from modelstudio_core.sqlite_files import SQLiteFile

__all__ = ["SQLiteAnswerCache"]

# Nothing else is created from the file, which others may have written.
_ALLOWED: Final = (
    ChatGeneration,
    ChatGenerationChunk,
    Generation,
    AIMessage,
    AIMessageChunk,
)
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS answers"
    " (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID"
)
_logger: Final = logging.getLogger("modelstudio")


class SQLiteAnswerCache(BaseCache):
    """A cache of answers in a SQLite file, for the processes of one machine.

    A call that was answered is not sent again: not after a crash, and not by another
    process. The key is the prompt, the model and all options, and the account (not the
    key itself). Reasoning, usage and request id are kept. Streams do not use caches.

    Answers are stored as JSON, prompts as a hash. The file is created with mode 0600.
    It must not be on a network file system: for several machines use a cache in Redis.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from langchain_modelstudio import ChatModelStudio
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio, TemporaryDirectory() as directory:
        ...     cache = SQLiteAnswerCache(Path(directory, "answers.db"))
        ...     llm = ChatModelStudio(
        ...         model="qwen3.7-plus",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...         cache=cache,
        ...     )
        ...     same = llm.invoke("Hi").content == llm.invoke("Hi").content
        ...     cache.close()
        ...     same, len(studio.requests)
        (True, 1)
    """

    def __init__(self, path: str | Path) -> None:
        """Create a cache. The file is opened or created when it is first used.

        Args:
            path: The path of the file. Its folder must exist.

        Raises:
            ConfigurationError: ``path`` is not a path, or its folder does not exist.
        """
        if not isinstance(path, str | Path) or not str(path):
            raise ConfigurationError(
                "path of SQLiteAnswerCache must be the path of a file, got"
                f" {hide_keys(repr(path))}."
            )
        file = Path(path).absolute()
        if not file.parent.is_dir():
            raise ConfigurationError(
                f"The folder of SQLiteAnswerCache does not exist: {file.parent}."
                " Create it."
            )
        self._file = SQLiteFile(file, _SCHEMA)

    @property
    def path(self) -> Path:
        """The absolute path of the file."""
        return self._file.path

    @override
    def __repr__(self) -> str:
        return f"SQLiteAnswerCache({str(self.path)!r})"

    @override
    def __reduce__(self) -> tuple[type["SQLiteAnswerCache"], tuple[Path]]:
        """Pickle the path: a worker opens the same file."""
        return type(self), (self.path,)

    @override
    def lookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """Return the answers to a prompt, None if there are none.

        An answer that cannot be read, such as one of another version of LangChain, is
        not used.

        Args:
            prompt: The prompt, as LangChain serializes it.
            llm_string: The model and all options.

        Raises:
            sqlite3.Error: The file cannot be opened or read.
        """
        row = self._file.read(
            "SELECT answer FROM answers WHERE key = ?", _key(prompt, llm_string)
        )
        return _parse(str(row[0])) if row else None

    @override
    def update(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Store the answers to a prompt.

        Args:
            prompt: The prompt, as LangChain serializes it.
            llm_string: The model and all options.
            return_val: The answers.

        Raises:
            sqlite3.Error: The file cannot be opened or written.
        """
        self._file.write(
            "INSERT OR REPLACE INTO answers VALUES (?, ?)",
            _key(prompt, llm_string),
            json.dumps([json.loads(dumps(answer)) for answer in return_val]),
        )

    @override
    def clear(self, **kwargs: Any) -> None:
        """Delete all answers.

        Args:
            **kwargs: Not used.
        """
        self._file.write("DELETE FROM answers")

    @override
    async def alookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """Async version of ``lookup``."""
        return await asyncio.to_thread(self.lookup, prompt, llm_string)

    @override
    async def aupdate(
        self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE
    ) -> None:
        """Async version of ``update``."""
        await asyncio.to_thread(self.update, prompt, llm_string, return_val)

    @override
    async def aclear(self, **kwargs: Any) -> None:
        """Async version of ``clear``."""
        await asyncio.to_thread(self.clear)

    def close(self) -> None:
        """Close the file. It is opened again when it is used again."""
        self._file.close()


def _key(prompt: str, llm_string: str) -> str:
    parts = json.dumps([prompt, llm_string])
    return hashlib.sha256(parts.encode()).hexdigest()


def _parse(text: str) -> Sequence[Generation] | None:
    try:
        answers = [_load(answer) for answer in json.loads(text)]
        if not answers:
            # LangChain expects the first one.
            raise ValueError  # noqa: TRY301 - as what the libraries raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is asked for again
        _logger.warning(
            "an answer of the cache cannot be read (%s): it is requested again",
            type(error).__name__,
        )
        return None
    return answers


def _load(answer: object) -> Generation:
    loaded: object = loads(json.dumps(answer), allowed_objects=_ALLOWED)
    if not isinstance(loaded, Generation):
        raise TypeError
    return loaded
