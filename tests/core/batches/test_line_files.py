"""Files of lines: their limits, and what of a changed file is refused or read."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.batches import BatchRun, line_files
from modelstudio_core.batches.directory import RunDirectory
from modelstudio_core.batches.line_files import (
    Limits,
    digest_lines,
    limits_of,
    read_lines,
    write_parts,
)
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError
from tests.support.batches import change, chat, prompts

TEST_MODEL = "batch-test-model"


def numbered(index: int, size: int) -> bytes:
    """Return a line of a row that has so many bytes."""
    begin = b'{"custom_id":"%010d-00000000"' % index
    return begin.ljust(size - 2) + b"}\n"


# --- Limits ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "count", "rows"),
    [
        ("qwen-plus", 50_000, [50_000]),
        ("qwen-plus", 50_001, [50_000, 1]),
        (TEST_MODEL, 100, [100]),
        (TEST_MODEL, 201, [100, 100, 1]),
    ],
)
def test_a_file_has_at_most_the_documented_lines(
    model: str, count: int, rows: list[int], tmp_path: Path
) -> None:
    lines = (b"{}\n" for _ in range(count))
    written = write_parts(RunDirectory(tmp_path), lines, limits_of(model))
    assert [part.rows for part in written.parts] == rows
    assert written.rows == count


class LongLine(bytes):
    """A short line that says that it is a long one."""

    def __len__(self) -> int:
        """Return the size of half a file."""
        return 250_000_000


@pytest.mark.parametrize(
    ("model", "lines", "sizes"),
    [
        ("qwen-plus", [LongLine(b"{}\n")] * 2, [500_000_000]),
        ("qwen-plus", [*[LongLine(b"{}\n")] * 2, b"\n"], [500_000_000, 1]),
        (TEST_MODEL, [b" " * 500_000] * 2, [1_000_000]),
        (TEST_MODEL, [b" " * 500_000, b" " * 500_001], [500_000, 500_001]),
    ],
)
def test_a_file_has_at_most_the_documented_bytes(
    model: str, lines: list[bytes], sizes: list[int], tmp_path: Path
) -> None:
    written = write_parts(RunDirectory(tmp_path), lines, limits_of(model))
    assert [part.size for part in written.parts] == sizes


def test_a_line_as_long_as_a_file_is_written_and_a_longer_one_is_named(
    tmp_path: Path,
) -> None:
    directory, limits = RunDirectory(tmp_path), Limits(10, 100)
    lines = [numbered(0, 60), numbered(1, 100), numbered(2, 40)]
    parts = write_parts(directory, lines, limits).parts
    assert [part.size for part in parts] == [60, 100, 40]
    text = r"inputs\[7\]: its line has 101 bytes, and a file .* at most 100\."
    with pytest.raises(ConfigurationError, match=text):
        write_parts(directory, [numbered(6, 60), numbered(7, 101)], limits)


@pytest.mark.parametrize("buffer", [1, 100, 101, 2**20])
@pytest.mark.parametrize(("number", "consecutive"), [(1, True), (7, False)])
def test_the_state_of_a_part_is_that_of_its_file(
    number: int,
    consecutive: bool,
    buffer: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line_files, "_BUFFER_BYTES", buffer)
    lines = [numbered(index, 50) for index in range(8)]
    directory = RunDirectory(tmp_path)
    written = write_parts(
        directory, lines, Limits(3, 1000), number=number, consecutive=consecutive
    )
    assert [part.number for part in written.parts] == [number, number + 1, number + 2]
    begins = [0, 3, 6] if consecutive else [None] * 3
    assert [part.first for part in written.parts] == begins
    by_part = (lines[:3], lines[3:6], lines[6:])
    for part, rows in zip(written.parts, by_part, strict=True):
        content = directory.lines(part.number).read_bytes()
        assert content == b"".join(rows)
        assert (part.rows, part.size) == (len(rows), len(content))
        assert part.sha256 == hashlib.sha256(content).hexdigest()
    assert (written.digest, written.rows) == digest_lines(lines)
    assert written.digest == hashlib.sha256(b"".join(lines)).hexdigest()


# --- Changed files --------------------------------------------------------------------


def with_field(path: str, value: object) -> Callable[[bytes], bytes]:
    """Return what changes a field of the last line of a file."""

    def change(content: bytes) -> bytes:
        *others, last = content.splitlines(keepends=True)
        line = target = json.loads(last)
        *parents, name = path.split(".")
        for parent in parents:
            target = target[parent]
        target[name] = value
        return b"".join([*others, json.dumps(line).encode(), b"\n"])

    return change


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "another prompt": lambda content: content.replace(b"number 1", b"number 7"),
    "a line less": lambda content: content[content.index(b"\n") + 1 :],
    "a line more": lambda content: content + content[: content.index(b"\n") + 1],
    "no line": lambda _content: b"",
    "another model": with_field("body.model", "qwen-max"),
    "a model of a longer name": with_field("body.model", "qwen-plus-latest"),
    "no model": with_field("body", {}),
    "another address": with_field("url", "/v1/embeddings"),
    "a shorter address": with_field("url", "/v1/chat"),
    "no address": with_field("url", None),
    "another method": with_field("method", "DELETE"),
    "a method of a shorter name": with_field("method", "PUT"),
    "a list": lambda content: content + b"[]\n",
    "no JSON": lambda content: content + b"{\n",
}
# What is wrong with the lines themselves, whoever wrote the state beside them.
WRONG_LINES = [*CHANGES][1:]


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_file_is_not_sent(name: str, tmp_path: Path) -> None:
    with Emulator() as studio:
        run: BatchRun[Any] = BatchRun.prepare(
            chat(studio), prompts(2), directory=tmp_path / "run"
        )
        file = tmp_path / "run" / "part-0001.jsonl"
        file.write_bytes(CHANGES[name](file.read_bytes()))
        text = r"part-0001\.jsonl' is not the file that was prepared"
        with pytest.raises(ConfigurationError, match=text):
            run.submit()
        assert studio.requests == []


@pytest.mark.parametrize("name", WRONG_LINES)
def test_a_changed_file_is_not_sent_whose_state_was_changed_too(
    name: str, tmp_path: Path
) -> None:
    """The lines count as they are: the policy of the process is about them."""
    with Emulator() as studio:
        run: BatchRun[Any] = BatchRun.prepare(
            chat(studio), prompts(2), directory=tmp_path / "run"
        )
        file = tmp_path / "run" / "part-0001.jsonl"
        content = CHANGES[name](file.read_bytes())
        file.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        state = tmp_path / "run" / "state.json"
        change(state, sha256=digest, size=len(content))
        with pytest.raises(ConfigurationError, match="is not the file that was"):
            run.submit()
        assert studio.requests == []


def test_a_file_that_was_removed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with pytest.raises(ConfigurationError, match=r"lines' cannot be read: .*removed"):
        list(read_lines(path))
    model = ChatArguments(model="qwen-plus", region="beijing", api_key="sk-0123456789")
    run: BatchRun[Any] = BatchRun.prepare(model, ["Hi"], directory=tmp_path / "run")
    (tmp_path / "run" / "part-0001.jsonl").unlink()
    with pytest.raises(ConfigurationError, match=r"part-0001\.jsonl' cannot be read"):
        run.submit()
