"""The files of a run are replaced as a whole."""

from pathlib import Path

import pytest

from modelstudio_core.batches.directory import write_file


def test_a_file_that_cannot_be_replaced_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    with pytest.raises(OSError, match=r"state\.json"):
        write_file(tmp_path / "state.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_file_is_replaced(tmp_path: Path) -> None:
    for content in (b"old", b""):
        write_file(tmp_path / "state.json", content)
        assert (tmp_path / "state.json").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
