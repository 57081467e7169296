"""SQLite files that several processes of one machine use at once."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from modelstudio_core.inherited import keep

__all__ = ["SQLiteFile"]

_Result = TypeVar("_Result")
# How long a process waits for the others. A write takes less than a millisecond.
_BUSY_SECONDS: Final = 30.0


class SQLiteFile:
    """A SQLite file with one table, opened when it is first used.

    The file is created with mode 0600 and used in WAL mode. A forked process opens it
    again. It may be used by several threads.

    Attributes:
        path: The path of the file, absolute.
    """

    def __init__(self, path: Path, schema: str) -> None:
        """Create the object; the file is not opened yet.

        Args:
            path: The path of the file. Its folder must exist when it is used.
            schema: The statement that creates the table.
        """
        self.path = path.absolute()
        self._schema = schema
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = os.getpid()

    def read(self, statement: str, *values: str) -> tuple[object, ...] | None:
        """Return the first row of a SELECT statement, None if there is none.

        Args:
            statement: The statement.
            *values: Its parameters.

        Raises:
            sqlite3.Error: The file cannot be opened or read.
        """
        self._check_process()
        with self._lock:
            row: tuple[object, ...] | None
            row = self._open().execute(statement, values).fetchone()
            return row

    def write(self, statement: str, *values: str) -> None:
        """Execute a statement that changes the table.

        Args:
            statement: The statement.
            *values: Its parameters.

        Raises:
            sqlite3.Error: The file cannot be opened or written.
        """
        self._check_process()
        with self._lock:
            self._open().execute(statement, values)

    def update(self, change: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Read and write in one transaction, while other processes wait.

        Args:
            change: Called with the connection. What it raises undoes what it wrote.

        Returns:
            What ``change`` returns.

        Raises:
            sqlite3.Error: The file cannot be opened or written.
        """
        self._check_process()
        with self._lock:
            connection = self._open()
            try:
                # An interrupt while this waits is raised after it has begun.
                connection.execute("BEGIN IMMEDIATE")
                result = change(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

    def close(self) -> None:
        """Close the file. It is opened again when it is used again."""
        self._check_process()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __del__(self) -> None:
        """Close the file, unless it is a parent process's."""
        with suppress(Exception):
            self.close()

    def _check_process(self) -> None:
        """Forget what belongs to a parent process: a thread of it may hold the lock.

        A fork must neither use nor close its connection:
        https://www.sqlite.org/howtocorrupt.html, "Carrying an open database connection
        across a fork".
        """
        if self._process != os.getpid():
            if self._connection is not None:
                keep(self._connection)
            self._connection = None
            self._lock = threading.Lock()
            self._process = os.getpid()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _connect(self.path, self._schema)
        return self._connection


def _connect(path: Path, schema: str) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise sqlite3.OperationalError(f"{path}: {error.strerror}") from error
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Change to WAL mode, for which SQLite does not wait by itself."""
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return
