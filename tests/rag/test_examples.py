"""The scripts of the examples, as a user runs them."""

import gc
import re
import time
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient
from qdrant_client.qdrant_remote import QdrantRemote

import rag_langchain
import rag_llamaindex
from modelstudio_core.emulator import Emulator
from tests.rag.jobs import job_of
from tests.rag.qdrant_server import serve_qdrant
from tests.support.models import FRAMEWORKS

SCRIPTS: dict[str, Any] = {"LangChain": rag_langchain, "LlamaIndex": rag_llamaindex}
EACH_SCRIPT = pytest.mark.parametrize("framework", FRAMEWORKS)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty directory in which a script runs, without a progress bar."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def notes(directory: Path) -> Path:
    folder = directory / "notes"
    folder.mkdir()
    (folder / "lease.txt").write_text("The lease ends on 31 May.", encoding="utf-8")
    (folder / "garden.md").write_text("The garden has a pear tree.", encoding="utf-8")
    return folder


@EACH_SCRIPT
def test_one_s_own_question_about_one_s_own_folder(
    framework: str, notes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(notes), "--ask", "When does the lease end?", "--directory", "here"]
    assert SCRIPTS[framework].main(arguments) == 0
    printed = capsys.readouterr().out
    assert "the local emulator answers, not a model" in printed
    assert re.search(r": 2 new.*, 0 unchanged, 0 deleted\.", printed)
    assert re.search(
        r"\n\nReasoning:\nThe user asks.+\n\nAnswer:\n"
        r"The lease ends on 31 May \[1\]\.\n\nCited:\n\[1\] lease\.txt\n",
        printed,
    )
    assert re.search(r"\n\nTokens:\n\d+ input, \d+ output \(\d+ reasoning\)\n", printed)
    (notes / "garden.md").unlink()
    assert SCRIPTS[framework].main(arguments) == 0
    again = capsys.readouterr().out
    assert re.search(r": 0 new.*, 1 unchanged, 1 deleted\.", again)
    assert "Tokens embedded: 0." in again
    (name,) = [path.name for path in Path("here").iterdir()]
    assert re.fullmatch(r"emulator-notes-[0-9a-f]{8}", name)


@EACH_SCRIPT
def test_each_folder_has_an_index_of_its_own(
    framework: str, notes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = notes.parent / "other" / "notes"
    other.mkdir(parents=True)
    (other / "cat.md").write_text("The cat is black.", encoding="utf-8")
    for folder in (notes, other, notes, other):
        assert SCRIPTS[framework].main([str(folder), "--ask", "Which cat?"]) == 0
    printed = capsys.readouterr().out
    assert re.findall(r": (\d) new", printed) == ["2", "1", "0", "0"]
    assert re.findall(r"(\d) deleted", printed) == ["0"] * 4


@EACH_SCRIPT
def test_the_default_is_the_folder_of_the_examples(
    framework: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SCRIPTS[framework].main([]) == 0
    printed = capsys.readouterr().out
    assert ": 39 new" in printed
    document = {
        "LangChain": "structures/brooklyn-bridge.md",
        "LlamaIndex": "nature/octopus.md",
    }
    assert f"\nCited:\n[1] {document[framework]}\n" in printed
    folders = (directory / ".rag" / framework.lower()).glob("emulator-documents-*")
    assert len([*folders]) == 1


# Qdrant does not close the lock that it could not get.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@EACH_SCRIPT
def test_a_second_process_and_a_dead_server_are_errors_of_one_line(
    framework: str,
    notes: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # It warns in a thread that a test cannot wait for.
    monkeypatch.setattr(QdrantRemote, "_check_compatibility", lambda *_: None)
    script = SCRIPTS[framework]
    name = script.index_name(notes, "emulator")
    arguments = [str(notes), "--directory", "here"]
    client = QdrantClient(path=str(Path("here") / name / "qdrant"))
    assert script.main(arguments) == 1
    client.close()
    gc.collect()
    assert script.main([*arguments, "--ask", ""]) == 1
    assert script.main([*arguments, "--url", "http://127.0.0.1:1"]) == 1
    printed = capsys.readouterr().err
    errors = re.findall(r"^\w+(?:Error|Exception): .+", printed, re.MULTILINE)
    assert "Traceback" not in printed
    assert re.match("RuntimeError: Storage folder .+ is already accessed", errors[0])
    assert re.match("ConfigurationError: ", errors[1])
    assert re.match("ResponseHandlingException: .*Connection refused", errors[-1])


@EACH_SCRIPT
def test_errors_are_one_line(
    framework: str, notes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = SCRIPTS[framework].main
    assert main([str(notes / "missing")]) == 1
    (notes / "latin.txt").write_bytes(b"caf\xe9")
    assert main([str(notes)]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert re.match(r"FileNotFoundError: There are no \.md or \.txt files in .+", first)
    assert re.match(r"ValueError: .+latin\.txt is not UTF-8 text\.", second)


# It warns of a key over plain HTTP, also on loopback.
@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
@EACH_SCRIPT
def test_a_server_is_used_by_its_url(
    framework: str,
    notes: Path,
    monkeypatch: pytest.MonkeyPatch,
    modelstudio_emulator: Emulator,
) -> None:
    """The index is on the server, and the record of it in the directory."""
    monkeypatch.setenv("QDRANT_API_KEY", "secret")
    job = job_of(framework)(
        modelstudio_emulator.base_url, modelstudio_emulator.api_key, notes.parent / "i"
    )
    with serve_qdrant() as server:
        job.update(notes, server.url)
        requests = len(modelstudio_emulator.requests)
        (notes / "garden.md").unlink()
        job.update(notes, server.url)
        assert len(modelstudio_emulator.requests) == requests
        with job.open(server.url) as index:
            assert job.search(index, "the lease", "hybrid", 5) == ["lease.txt"]
        assert server.keys == {"secret"}
        assert "POST /points/delete" in server.paths
        # A client asks for the version in a thread that its end does not wait for.
        deadline = time.monotonic() + 10
        while server.paths.count("GET /") < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert not (notes.parent / "i" / "qdrant").exists()
