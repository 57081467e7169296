"""Files of batches: upload from disk, list, download to disk, delete."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelstudio_core.batches import BatchRun
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import (
    BadRequestError,
    ConfigurationError,
    NotFoundError,
)
from modelstudio_core.files import Files, RemoteFile, list_files
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.transport.procedures import Fetch
from tests.support.batches import chat, finish


@pytest.fixture
def studio() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def files(studio: Emulator) -> Files:
    address = {"base_url": studio.base_url, "api_key": studio.api_key}
    return Files(resolve_connection({**address, "max_retries": 0}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "lines.jsonl"
    file.write_bytes('{"a": "ü"}\n'.encode())
    return file


def test_a_file_is_uploaded_listed_and_deleted(
    studio: Emulator, files: Files, path: Path
) -> None:
    file = files.upload(path, models=["qwen-plus"], name="run.jsonl")
    assert (file.name, file.size, file.purpose) == ("run.jsonl", 12, "batch")
    stored = studio._studio.files[file.id]
    assert stored.content == path.read_bytes()
    assert files.list() == [file]
    assert files.list(purpose="other") == []
    assert files.list(created_after=(file.created_at or 0) + 10) == []
    assert files.retrieve(file.id) == file
    files.delete(file.id)
    files.delete(file.id)
    with pytest.raises(NotFoundError):
        files.retrieve(file.id)


async def test_the_same_in_async_code(
    studio: Emulator, files: Files, path: Path
) -> None:
    file = await files.aupload(path, models=["qwen-plus"])
    assert await files.alist() == [await files.aretrieve(file.id)]
    with pytest.raises(BadRequestError):
        await files.adownload(file.id, path.with_name("copy"))
    assert not path.with_name("copy").exists()
    await files.adelete(file.id)
    assert studio._studio.files == {}


@pytest.mark.parametrize("name", ["missing", ""])
async def test_a_file_that_cannot_be_read_is_a_configuration_error(
    studio: Emulator, files: Files, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"Cannot read|not a regular file"):
        files.upload(tmp_path / name, models=["qwen-plus"])
    with pytest.raises(ConfigurationError, match=r"Cannot read|not a regular file"):
        await files.aupload(tmp_path / name, models=["qwen-plus"])
    assert studio.requests == []


def test_results_are_written_to_disk(
    studio: Emulator, files: Files, tmp_path: Path
) -> None:
    run: BatchRun[object] = BatchRun.prepare(chat(studio), ["Hi"], tmp_path / "run")
    run.submit()
    finish(studio, run)
    (output,) = [f for f in files.list(purpose=None) if f.purpose == "batch_output"]
    files.download(output.id, tmp_path / "copy")
    expected = (tmp_path / "run" / "part-0001.output.jsonl").read_bytes()
    assert (tmp_path / "copy").read_bytes() == expected


def test_all_pages_of_a_list_are_read(files: Files, path: Path) -> None:
    ids = [files.upload(path, models=["m"], name=str(n)).id for n in range(3)]
    pages = list_files()
    first = next(pages)
    assert isinstance(first, Fetch)
    assert first.request.query["limit"] == "100"
    entries = [{"id": file_id} for file_id in ids]
    step = pages.send(JsonAnswer({"data": entries, "has_more": True}, None, {}))
    assert isinstance(step, Fetch)
    assert step.request.query["after"] == ids[-1]
    # A server that always has more does not hold the client for ever.
    with pytest.raises(StopIteration) as stop:
        pages.send(JsonAnswer({"data": entries, "has_more": True}, None, {}))
    assert [file.id for file in stop.value.value] == ids


def query_of(seconds: float) -> dict[str, str]:
    step = next(list_files(created_after=seconds))
    assert isinstance(step, Fetch)
    return {**step.request.query}


def test_a_time_of_a_filter_is_that_of_beijing() -> None:
    """As recorded: a batch of 16:26:34 in Beijing was between 16:20 and 17:00."""
    assert query_of(1776414394)["create_after"] == "20260417162634"


@pytest.mark.parametrize("seconds", [1e300, -1e300, 1e15, float("inf"), float("nan")])
def test_a_time_that_is_centuries_away_filters_nothing(seconds: float) -> None:
    assert "create_after" not in query_of(seconds)


def test_a_file_without_an_id_is_none() -> None:
    assert RemoteFile.from_json({"filename": "a"}) is None
    assert RemoteFile.from_json({"id": "f", "bytes": "3"}) == RemoteFile(id="f")
