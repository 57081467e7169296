"""Files of a run that somebody changed, damaged or removed."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.batches import BatchRun
from modelstudio_core.emulator import BatchScript, Emulator
from modelstudio_core.errors import (
    ConfigurationError,
    ModelStudioWarning,
    NotFoundError,
)
from tests.support.batches import change, chat, finish, prompts, settle_at_once

Run = BatchRun[Any]


def resumed(studio: Emulator, path: Path) -> Run:
    """Return a run of three rows, of which one was sent again, in part 2."""
    studio.script_batches(BatchScript(missing_lines=[1]))
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    with pytest.warns(ModelStudioWarning, match="results of 2 rows of 3"):
        finish(studio, run)
    assert run.resume() == 1
    return run


@pytest.mark.parametrize(
    "text",
    [
        b'{"custom_id":"9999999999-00000000"}\n',
        b"not a line\n",
        b"",
        b'{"custom_id":"0000000001-00000000"}\n' * 2,
    ],
)
def test_a_damaged_part_is_an_error_that_names_its_file(
    text: bytes, studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_at_once(monkeypatch)
    run = resumed(studio, path)
    file = path / "part-0002.jsonl"
    file.write_bytes(text)
    for read in (lambda: list(run.results()), run.count_rows):
        with pytest.raises(
            ConfigurationError, match=r"part-0002.jsonl' cannot be read"
        ):
            read()


def test_rows_of_a_changed_part_are_not_sent_again(
    studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_at_once(monkeypatch)
    studio.script_batches(BatchScript(missing_lines=[1]))
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    with pytest.warns(ModelStudioWarning, match="results of 2 rows of 3"):
        finish(studio, run)
    file = path / "part-0001.jsonl"
    file.write_bytes(file.read_bytes().replace(b"number 1", b"number 7"))
    before = len(studio.requests)
    with pytest.raises(ConfigurationError, match=r"part-0001.jsonl' cannot be read"):
        run.resume()
    assert len(studio.requests) == before


@pytest.mark.parametrize("times", [0, 2])
def test_rows_are_not_sent_again_if_each_is_not_found_once(
    times: int, studio: Emulator, path: Path
) -> None:
    """Of files that were changed together with the state."""
    studio.script_batches(BatchScript(missing_lines=[1]))
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    with pytest.warns(ModelStudioWarning, match="results of 2 rows of 3"):
        finish(studio, run)
    file = path / "part-0001.jsonl"
    first, second, third = file.read_bytes().splitlines(keepends=True)
    content = b"".join([first, *[second] * times, third])
    file.write_bytes(content)
    change(path / "state.json", sha256=hashlib.sha256(content).hexdigest())
    before = len(studio.requests)
    text = rf"Of 1 rows to send again, {times} were found in .*run': its files are"
    with pytest.raises(ConfigurationError, match=text):
        run.resume()
    assert len(studio.requests) == before
    assert run.batch_ids == [studio.batches[0].id]


STATES: dict[str, dict[str, Any]] = {
    "a number that is text": {"number": "../../x"},
    "a greater number": {"number": 7},
    "a smaller number": {"number": 0},
    "rows that are text": {"rows": "many"},
    "more rows than there are": {"rows": 10**12},
    "no rows": {"rows": 0},
    "a negative first row": {"first": -1},
    "another first row": {"first": 1},
    "no first row": {"first": None},
    "fewer rows than there are": {"rows": 2},
    "an id that is a list": {"batch_id": ["batch_1"]},
    "an unknown step": {"step": "paid"},
    "an unknown field": {"extra": 1},
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_with(name: str, studio: Emulator, path: Path) -> None:
    BatchRun.prepare(chat(studio), prompts(3), directory=path)
    change(path / "state.json", **STATES[name])
    with pytest.raises(ConfigurationError, match="damaged"):
        BatchRun.open(path, api_key=studio.api_key)


@pytest.mark.parametrize("text", ["{}", '{"parts": []}', '{"parts": [1]}', "[" * 10**5])
def test_a_state_without_parts(text: str, studio: Emulator, path: Path) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    (path / "state.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"state.json' cannot be read"):
        list(run.results())
    with pytest.raises(ConfigurationError, match=r"state.json' cannot be read"):
        run.submit()
    assert studio.requests == []


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": "three"},
        {"rows": -3},
        {"format": 2},
        {"kind": "images"},
        {"reading": 1},
    ],
)
def test_a_manifest_with_another_type(
    changes: dict[str, Any], studio: Emulator, path: Path
) -> None:
    BatchRun.prepare(chat(studio), prompts(3), directory=path)
    change(path / "manifest.json", **changes)
    with pytest.raises(ConfigurationError, match=r"manifest|state"):
        BatchRun.open(path, api_key=studio.api_key)


def test_results_that_were_removed_are_downloaded_again(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    finish(studio, run)
    (path / "part-0001.output.jsonl").unlink()
    with pytest.raises(ConfigurationError, match=r"output.jsonl.*call collect\(\)"):
        list(run.results())
    before = len(studio.requests)
    run.collect()
    assert [request.method for request in studio.requests[before:]] == ["GET"]
    assert run.count_rows() == {"done": 3}


def test_results_that_were_cut_short_are_downloaded_again_and_not_paid_for_again(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    finish(studio, run)
    results = path / "part-0001.output.jsonl"
    complete = results.read_bytes()
    results.write_bytes(complete[: complete.index(b"\n") + 1])
    before = len(studio.requests)
    assert run.resume() == 0
    assert [request.method for request in studio.requests[before:]] == ["GET"]
    assert results.read_bytes() == complete
    assert run.count_rows() == {"done": 3}


def test_what_an_interrupted_download_left_is_removed(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(1), directory=path)
    run.submit()
    half = path / "part-0001.output.jsonl.x1y2.part"
    half.write_bytes(b"{")
    other = path / "part-0002.output.jsonl.x1y2.part"
    other.write_bytes(b"{")
    finish(studio, run)
    assert (half.exists(), other.exists()) == (False, True)
    assert run.count_rows() == {"done": 1}


def test_a_file_that_does_not_exist_is_named(studio: Emulator, path: Path) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    finish(studio, run, delete_remote=True)
    (path / "part-0001.output.jsonl").unlink()
    with pytest.raises(NotFoundError, match=r"There is no file file-\S+ at ") as caught:
        run.collect()
    assert "base_url" not in caught.value.message


def test_a_batch_that_does_not_exist_is_named(studio: Emulator, path: Path) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.submit()
    change(path / "state.json", batch_id="batch_of_another")
    with pytest.raises(NotFoundError, match="no batch batch_of_another at") as caught:
        run.refresh()
    assert "base_url" not in caught.value.message


def test_a_batch_of_a_file_that_was_deleted_says_so(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    change(path / "state.json", step="uploaded", file_id="file-gone")
    with pytest.raises(NotFoundError, match="the file of the batch does not exist"):
        run.submit()
    run.submit()
    assert run.status == "running"


def test_a_directory_that_was_removed_is_an_error(studio: Emulator, path: Path) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    shutil.rmtree(path)
    for step in (run.submit, run.refresh, run.cancel, run.resume):
        with pytest.raises(ConfigurationError, match="was removed"):
            step()
    assert studio.requests == []
