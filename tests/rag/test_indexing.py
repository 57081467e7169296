"""The index follows its folder, and only what changed is embedded."""

from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.emulator import Emulator, Fault
from modelstudio_core.errors import APIError
from tests.rag.jobs import Job, count_repetitions, embedded_texts, job_of
from tests.support.models import FRAMEWORKS

EACH_FRAMEWORK = pytest.mark.parametrize("framework", FRAMEWORKS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with five documents, of which one has several chunks."""
    folder = tmp_path / "documents"
    for name in ("one", "deep/two", "deep/three", "été"):
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n\nThe subject is {name}.\n", encoding="utf-8")
    (folder / "long.txt").write_text(paragraphs("long"), encoding="utf-8")
    (folder / "empty.md").write_text("\n", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


def paragraphs(word: str) -> str:
    return "\n\n".join(f"Paragraph {i} is about {word}. " * 12 for i in range(6))


def make(framework: str, studio: Emulator, tmp_path: Path, **arguments: Any) -> Job:
    return job_of(framework)(
        studio.base_url, studio.api_key, tmp_path / "index", **arguments
    )


@EACH_FRAMEWORK
def test_the_first_run_embeds_each_chunk_once_and_the_second_none(
    framework: str, modelstudio_emulator: Emulator, folder: Path, tmp_path: Path
) -> None:
    job = make(framework, modelstudio_emulator, tmp_path)
    job.update(folder)
    expected = job.expected(folder)
    assert {source for source, _ in expected} == {
        *("one.md", "deep/two.md", "deep/three.md", "été.md", "long.txt")
    }
    assert job.stored() == expected
    assert max(expected.values()) == 1
    sent = embedded_texts(modelstudio_emulator)
    assert len(sent) == sum(sent.values()) == len(expected)
    requests = len(modelstudio_emulator.requests)
    job.update(folder)
    job.update(folder)
    assert len(modelstudio_emulator.requests) == requests
    assert job.stored() == expected


@EACH_FRAMEWORK
def test_a_changed_document_embeds_its_own_chunks_only(
    framework: str, modelstudio_emulator: Emulator, folder: Path, tmp_path: Path
) -> None:
    job = make(framework, modelstudio_emulator, tmp_path)
    job.update(folder)
    before = embedded_texts(modelstudio_emulator)
    (folder / "long.txt").write_text("Short now.", encoding="utf-8")
    (folder / "deep" / "four.md").write_text("Four is new.", encoding="utf-8")
    job.update(folder)
    new = embedded_texts(modelstudio_emulator) - before
    assert sorted(text.split("\n\n")[-1] for text in new) == [
        "Four is new.",
        "Short now.",
    ]
    assert sum(new.values()) == 2
    assert job.stored() == job.expected(folder)


@EACH_FRAMEWORK
def test_a_deleted_document_is_gone(
    framework: str, modelstudio_emulator: Emulator, folder: Path, tmp_path: Path
) -> None:
    job = make(framework, modelstudio_emulator, tmp_path)
    job.update(folder)
    requests = len(modelstudio_emulator.requests)
    with job.open() as index:
        assert job.search(index, "two", "hybrid", 1) == ["deep/two.md"]
    (folder / "deep" / "two.md").unlink()
    (folder / "long.txt").unlink()
    job.update(folder)
    assert len(modelstudio_emulator.requests) == requests + 1
    assert job.stored() == job.expected(folder)
    with job.open() as index:
        found = job.search(index, "two", "hybrid", 9)
    assert found
    assert {"deep/two.md", "long.txt"}.isdisjoint(found)


@EACH_FRAMEWORK
def test_a_renamed_document_is_not_there_twice(
    framework: str, modelstudio_emulator: Emulator, folder: Path, tmp_path: Path
) -> None:
    job = make(framework, modelstudio_emulator, tmp_path)
    job.update(folder)
    (folder / "one.md").rename(folder / "uno.md")
    (folder / "copy.md").write_bytes((folder / "été.md").read_bytes())
    job.update(folder)
    assert job.stored() == job.expected(folder)


@EACH_FRAMEWORK
def test_a_folder_without_documents_deletes_nothing(
    framework: str, modelstudio_emulator: Emulator, folder: Path, tmp_path: Path
) -> None:
    job = make(framework, modelstudio_emulator, tmp_path)
    job.update(folder)
    expected = job.stored()
    for wrong in (tmp_path / "missing", tmp_path / "index"):
        with pytest.raises(FileNotFoundError, match=r"no \.md or \.txt files in"):
            job.update(wrong)
    assert job.stored() == expected


@EACH_FRAMEWORK
def test_another_dimension_has_an_index_of_its_own(
    framework: str, modelstudio_emulator: Emulator, folder: Path, tmp_path: Path
) -> None:
    small = make(framework, modelstudio_emulator, tmp_path)
    large = make(framework, modelstudio_emulator, tmp_path, dimensions=128)
    small.update(folder)
    large.update(folder)
    requests = len(modelstudio_emulator.requests)
    for job in (small, large):
        job.update(folder)
        assert job.stored() == job.expected(folder)
    assert len(modelstudio_emulator.requests) == requests


# --- After a run that did not end -----------------------------------------------------


@EACH_FRAMEWORK
@pytest.mark.parametrize("then", ["same", "changed", "deleted", "restored"])
def test_a_run_that_fails_leaves_nothing_behind(
    framework: str,
    then: str,
    modelstudio_emulator: Emulator,
    folder: Path,
    tmp_path: Path,
) -> None:
    """Whatever happens to the document until the next run."""
    job = make(framework, modelstudio_emulator, tmp_path)
    job.update(folder)
    path = folder / "long.txt"
    old = path.read_text(encoding="utf-8")
    path.write_text(paragraphs("another"), encoding="utf-8")
    modelstudio_emulator.script(Fault(status=400, code="InvalidParameter"))
    with pytest.raises(APIError):
        job.update(folder)
    match then:
        case "changed":
            path.write_text("Short now.", encoding="utf-8")
        case "deleted":
            path.unlink()
        case "restored":
            path.write_text(old, encoding="utf-8")
        case _:
            pass
    job.update(folder)
    assert job.stored() == job.expected(folder)
    requests = len(modelstudio_emulator.requests)
    job.update(folder)
    assert len(modelstudio_emulator.requests) == requests
    sent = embedded_texts(modelstudio_emulator)
    assert count_repetitions(sent) <= job.batch


@EACH_FRAMEWORK
@pytest.mark.parametrize("lost", ["record", "store"])
def test_an_index_that_lost_a_part_is_complete_after_the_next_run(
    framework: str,
    lost: str,
    modelstudio_emulator: Emulator,
    folder: Path,
    tmp_path: Path,
) -> None:
    job = make(framework, modelstudio_emulator, tmp_path)
    job.update(folder)
    with job.open() as index:
        if lost == "store":
            index.store.client.delete_collection(index.store.collection_name)
    if lost == "record":
        for path in (*job.directory.glob("*.json"), *job.directory.glob("*.sqlite")):
            path.unlink()
    job.update(folder)
    assert job.stored() == job.expected(folder)
