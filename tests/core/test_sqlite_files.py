"""SQLite files that several processes use."""

import os
import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest

from modelstudio_core import sqlite_files
from modelstudio_core.sqlite_files import SQLiteFile

SCHEMA = "CREATE TABLE IF NOT EXISTS t (x TEXT)"


def locked(path: Path) -> sqlite3.Connection:
    """Lock a new file, so that SQLite does not wait before it changes to WAL mode."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_file_that_another_process_prepares_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    other = locked(path)
    release = threading.Timer(0.2, other.close)
    release.start()
    begin = time.monotonic()
    file = SQLiteFile(path, SCHEMA)
    file.write("INSERT INTO t VALUES (?)", "a")
    assert time.monotonic() - begin >= 0.1
    release.join()
    assert file.read("SELECT x FROM t") == ("a",)
    assert file.read("PRAGMA journal_mode") == ("wal",)
    file.close()


def test_a_new_file_is_for_its_user_alone(tmp_path: Path) -> None:
    file = SQLiteFile(tmp_path / "file.db", SCHEMA)
    file.write("INSERT INTO t VALUES (?)", "a")
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    file.close()


def test_a_file_that_stays_locked_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_files, "_BUSY_SECONDS", 0.1)
    path = tmp_path / "file.db"
    other = locked(path)
    file = SQLiteFile(path, SCHEMA)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        file.read("SELECT x FROM t")
    other.close()
    assert file.read("SELECT x FROM t") is None
    file.close()


def test_rows_are_written_read_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    file = SQLiteFile(path, SCHEMA)
    assert file.path == path
    assert not path.exists()
    assert file.read("SELECT x FROM t") is None
    file.write("INSERT INTO t VALUES (?)", "a")
    file.write("INSERT INTO t VALUES (?)", "b")
    assert file.read("SELECT x FROM t WHERE x = ?", "b") == ("b",)
    assert file.read("SELECT x, 1 FROM t ORDER BY x") == ("a", 1)
    for _ in range(2):
        file.close()
    # It is opened again.
    assert file.read("SELECT count(*) FROM t") == (2,)
    other = SQLiteFile(path, SCHEMA)
    other.write("DELETE FROM t WHERE x = ?", "a")
    assert file.read("SELECT count(*) FROM t") == (1,)
    other.close()
    file.close()


def test_a_change_is_written_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    file = SQLiteFile(tmp_path / "file.db", SCHEMA)

    def add(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES ('a')")
        assert connection.in_transaction
        return 7

    def fail(connection: sqlite3.Connection) -> None:
        add(connection)
        raise KeyError

    assert file.update(add) == 7
    for _ in range(2):
        with pytest.raises(KeyError):
            file.update(fail)
    assert file.read("SELECT count(*) FROM t") == (1,)
    assert file.update(add) == 7
    assert file.read("SELECT count(*) FROM t") == (2,)
    file.close()


def test_a_change_waits_for_that_of_another_connection(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    files = [SQLiteFile(path, SCHEMA) for _ in range(3)]
    files[0].write("INSERT INTO t VALUES ('0')")

    def add(connection: sqlite3.Connection) -> None:
        (number,) = connection.execute("SELECT x FROM t").fetchone()
        connection.execute("UPDATE t SET x = ?", (str(int(number) + 1),))

    def add_often(file: SQLiteFile) -> None:
        for _ in range(20):
            file.update(add)

    threads = [threading.Thread(target=add_often, args=(file,)) for file in files * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files[0].read("SELECT x FROM t") == ("120",)
    for file in files:
        file.close()


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file.db"
    file = SQLiteFile(path, SCHEMA)
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match=f"^{path}: No such file"):
            file.read("SELECT x FROM t")
    path.parent.mkdir()
    assert file.read("SELECT x FROM t") is None
    file.close()


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    path.write_bytes(b"no database" * 100)
    file = SQLiteFile(path, SCHEMA)
    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            file.write("INSERT INTO t VALUES (?)", "a")
    file.close()


@pytest.mark.parametrize("difference", [-1, 1])
def test_another_process_opens_the_file_again(tmp_path: Path, difference: int) -> None:
    file = SQLiteFile(tmp_path / "file.db", SCHEMA)
    file.write("INSERT INTO t VALUES (?)", "a")
    first = file._connection
    assert first is not None
    file._process = os.getpid() + difference
    assert file.read("SELECT x FROM t") == ("a",)
    assert file._connection is not first
    assert file._process == os.getpid()
    # That of the parent process was not closed.
    assert first.execute("SELECT x FROM t").fetchone() == ("a",)
    first.close()
    file.close()
