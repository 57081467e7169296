"""Files of batches: upload from disk, list, download to disk, delete."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.batches import BatchRun
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import (
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
)
from modelstudio_core.files import (
    Files,
    RemoteFile,
    delete_files,
    download_file,
    list_files,
    retrieve_file,
    upload_file,
)
from modelstudio_core.local_files import FileContent
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.transport.procedures import Download, Fetch
from modelstudio_core.transport.requests import HttpRequest
from tests.core.support import CONTEXT
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


# --- What is sent, and what comes back ------------------------------------------------


def answer(**body: Any) -> JsonAnswer:
    return JsonAnswer(body, "r-1", {})


def request_of(step: object) -> HttpRequest:
    assert isinstance(step, Fetch)
    return step.request


def entries(*ids: str) -> list[dict[str, str]]:
    return [{"id": file_id} for file_id in ids]


def listed(*answers: JsonAnswer, **arguments: Any) -> tuple[list[str], list[Any]]:
    """Return the ids of a list, and the queries that were sent for it."""
    steps, queries = list_files(**arguments), list[Any]()
    step = next(steps)
    for each in answers:
        request = request_of(step)
        assert (request.method, request.path) == ("GET", "/files")
        queries.append({**request.query})
        try:
            step = steps.send(each)
        except StopIteration as end:
            return [file.id for file in end.value], queries
    pytest.fail("The list has no end.")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (answer(data=entries("c")), ["a", "b", "c"]),
        (answer(data=entries("c"), has_more=False), ["a", "b", "c"]),
        (answer(data=entries("c"), has_more="true"), ["a", "b", "c"]),
        (answer(data=entries("b", "c"), has_more=False), ["a", "b", "c"]),
        # A server that always has more does not hold the client for ever.
        (answer(data=entries("b", "a"), has_more=True), ["a", "b"]),
        (answer(data=[{"filename": "x"}, 3], has_more=True), ["a", "b"]),
        (answer(data=[], has_more=True), ["a", "b"]),
        (answer(has_more=True), ["a", "b"]),
    ],
)
def test_all_pages_of_a_list_are_read(last: JsonAnswer, expected: list[str]) -> None:
    first = answer(data=entries("a", "b"), has_more=True)
    found, queries = listed(first, last)
    assert found == expected
    query = {"limit": "100", "purpose": "batch"}
    assert queries == [query, {**query, "after": "b"}]


def test_the_next_page_begins_after_the_last_file_that_is_new() -> None:
    pages = [
        answer(data=entries("a", "b"), has_more=True),
        answer(data=entries("c", "b"), has_more=True),
        answer(data=entries("d")),
    ]
    found, queries = listed(*pages, purpose=None)
    assert found == ["a", "b", "c", "d"]
    assert [query.get("after") for query in queries] == [None, "b", "c"]
    assert queries[0] == {"limit": "100"}


def test_a_list_of_more_files_than_the_storage_can_hold_ends() -> None:
    pages = [answer(data=entries(str(n)), has_more=True) for n in range(101)]
    found, queries = listed(*pages)
    assert len(found) == len(queries) == 100


@pytest.mark.parametrize("name", [None, "run.jsonl"])
def test_the_purpose_of_a_file_is_sent_before_the_file(
    name: str | None, path: Path
) -> None:
    steps = upload_file(CONTEXT, path, models=["qwen-plus"], name=name)
    request = request_of(next(steps))
    assert (request.method, request.path, request.api) == ("POST", "/files", "openai")
    assert request.models == ["qwen-plus"]
    purpose, file = request.files
    assert (purpose.name, purpose.content, purpose.filename) == (
        "purpose",
        b"batch",
        None,
    )
    assert (file.name, file.filename) == ("file", name or "lines.jsonl")
    assert isinstance(file.content, FileContent)
    assert (file.content.path, file.content.size) == (path, 12)
    # A file that is stored twice costs nothing.
    assert request.repeatable
    with pytest.raises(StopIteration) as end:
        steps.send(answer(id="f-1", filename="x"))
    assert end.value.value == RemoteFile(id="f-1", name="x")


def test_a_link_to_another_file_is_not_sent(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.jsonl"
    link.symlink_to(path)
    with pytest.raises(ConfigurationError, match="is a symbolic link"):
        next(upload_file(CONTEXT, link, models=["qwen-plus"]))


def test_an_id_cannot_lead_to_another_path(tmp_path: Path) -> None:
    file_id, quoted = "../a/b?c#d", "/files/..%2Fa%2Fb%3Fc%23d"
    shown = request_of(next(retrieve_file(CONTEXT, file_id)))
    assert (shown.method, shown.path) == ("GET", quoted)
    deleted = request_of(next(delete_files([file_id])))
    assert (deleted.method, deleted.path) == ("DELETE", quoted)
    step = next(download_file(file_id, tmp_path / "copy"))
    assert isinstance(step, Download)
    assert (step.request.method, step.request.path) == ("GET", f"{quoted}/content")


def test_a_file_that_does_not_exist_is_deleted_already() -> None:
    steps = delete_files(["a", "b", "c"])
    paths = [request_of(next(steps)).path]
    paths.append(request_of(steps.throw(NotFoundError("No such file."))).path)
    paths.append(request_of(steps.send(answer())).path)
    assert paths == ["/files/a", "/files/b", "/files/c"]
    with pytest.raises(InternalServerError):
        steps.throw(InternalServerError("Oops."))


def test_an_answer_about_a_file_without_its_id_is_invalid(path: Path) -> None:
    for steps in (
        retrieve_file(CONTEXT, "a"),
        upload_file(CONTEXT, path, models=["qwen-plus"]),
    ):
        next(steps)
        with pytest.raises(InvalidResponseError, match="has no id") as caught:
            steps.send(answer(filename="a"))
        assert caught.value.request_id == "r-1"


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


@pytest.mark.parametrize(
    ("raw", "file"),
    [
        ({"filename": "a"}, None),
        ({"id": ""}, None),
        ({"id": 3}, None),
        ({"id": "f"}, RemoteFile(id="f")),
        ({"id": "f", "bytes": "3", "created_at": 1.5}, RemoteFile(id="f")),
        ({"id": "f", "filename": 3, "purpose": 3, "status": 3}, RemoteFile(id="f")),
        (
            {
                "id": "f",
                "filename": "a",
                "bytes": 0,
                "purpose": "batch",
                "status": "processed",
                "created_at": 1776414394,
            },
            RemoteFile(
                id="f",
                name="a",
                size=0,
                purpose="batch",
                status="processed",
                created_at=1776414394,
            ),
        ),
    ],
    ids=str,
)
def test_a_file_is_read_from_an_answer(
    raw: dict[str, Any], file: RemoteFile | None
) -> None:
    assert RemoteFile.from_json(raw) == file
