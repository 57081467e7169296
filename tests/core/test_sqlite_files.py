"""SQLite files that several processes use."""

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
