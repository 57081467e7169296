"""What the image tools of both frameworks share."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator, TaskOutcome
from modelstudio_core.errors import (
    APITimeoutError,
    ConfigurationError,
    ModelStudioWarning,
    TaskFailedError,
)
from modelstudio_core.generation import (
    DEFAULT_TASK_TIMEOUT,
    Generated,
    Generation,
    GenerationArguments,
    GenerationOptions,
    OutputMedium,
    resolve_generation,
)
from modelstudio_core.tasks import Task, TaskFile, TaskResult
from tests.core.support import error_message, make_connection
from tests.support.models import KEY
from tests.support.tasks import STYLES, Style, creations

AT: dict[str, Any] = {"api_key": KEY, "region": "singapore"}
URL = "https://a.com/b"
EACH_STYLE = pytest.mark.parametrize("style", STYLES)


def generation(model: str, output: OutputMedium = "image", **given: Any) -> Generation:
    return resolve_generation(model, output, resolve_connection(AT), **given)


# --- Arguments ------------------------------------------------------------------------


def test_the_options_have_defaults() -> None:
    assert GenerationOptions.check({}) == GenerationOptions(
        directory=None, upload_media=False, task_timeout=1200.0, poll_interval=None
    )
    arguments = GenerationArguments(model="wan2.6-t2i", **AT)
    assert arguments.resolved.options == GenerationOptions()
    assert arguments.resolved.parameters == {}
    assert arguments.task_timeout == DEFAULT_TASK_TIMEOUT


def test_the_options_are_those_that_are_given() -> None:
    given = {
        "directory": "a",
        "upload_media": True,
        "task_timeout": 5,
        "poll_interval": 0,
    }
    assert GenerationOptions.check(given) == GenerationOptions(
        directory=Path("a"), upload_media=True, task_timeout=5.0, poll_interval=0.0
    )
    assert GenerationOptions.check({"directory": Path("a")}).directory == Path("a")
    assert GenerationOptions.check({"task_timeout": None}).task_timeout is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"directory": 3}, "directory must be a path or None, got a int."),
        ({"directory": b"a"}, "directory must be a path or None, got a bytes."),
        ({"upload_media": None}, "upload_media must be True or False."),
        ({"upload_media": 1}, "upload_media must be True or False."),
        ({"task_timeout": -1}, "task_timeout must be a number of seconds"),
        ({"task_timeout": "1"}, "task_timeout must be a number of seconds"),
        ({"poll_interval": -1}, "poll_interval must be a number of seconds"),
    ],
    ids=str,
)
def test_an_invalid_option_is_refused(given: dict[str, Any], message: str) -> None:
    assert error_message(GenerationOptions.check, given).startswith(message)


@pytest.mark.parametrize(
    ("model", "output", "made"),
    [
        ("wan2.6-t2i", "video", "video"),
        ("wan2.6-t2v", "image", "images"),
        ("fun-asr", "image", "images"),
        ("fun-asr", "video", "video"),
    ],
)
def test_a_model_must_make_what_the_tool_makes(
    model: str, output: OutputMedium, made: str
) -> None:
    assert error_message(generation, model, output) == f"{model} does not make {made}."


@pytest.mark.parametrize("output", ["image", "video"])
def test_a_model_of_which_nothing_is_known_may_make_it(output: OutputMedium) -> None:
    path = "aigc/image-generation/generation"
    made = generation("of-tomorrow", output, path=path)
    assert made.path == path
    assert made.reads_images
    assert not made.needs_images
    assert "pass path=" in error_message(generation, "of-tomorrow", output)
    with pytest.warns(ModelStudioWarning, match="does not make video"):
        generation("wan2.6-t2i-2027-01-01", "video")


@pytest.mark.parametrize("parameters", [["n"], "n", 3, ()])
def test_parameters_are_a_mapping(parameters: object) -> None:
    message = error_message(generation, "wan2.6-t2i", parameters=parameters)
    assert message == "parameters must be a mapping of names and values."


def test_parameters_are_copied() -> None:
    parameters = {"size": "1K"}
    made = generation("wan2.6-t2i", parameters=parameters)
    assert made.parameters == parameters
    assert made.parameters is not parameters
    assert generation("wan2.6-t2i", parameters=None).parameters == {}


@pytest.mark.parametrize(
    ("model", "output", "reads", "needs"),
    [
        ("wan2.6-t2i", "image", False, False),
        ("wan2.7-image", "image", True, False),
        ("qwen-image-2.0", "image", True, False),
        ("qwen-image-edit", "image", True, True),
        ("wan2.5-i2i-preview", "image", True, True),
        ("wan2.6-t2v", "video", False, False),
        ("wan2.7-i2v", "video", True, False),
    ],
)
def test_a_model_may_read_images_or_needs_them(
    model: str, output: OutputMedium, *, reads: bool, needs: bool
) -> None:
    made = generation(model, output)
    assert (made.reads_images, made.needs_images) == (reads, needs)


# --- Images that a model names --------------------------------------------------------


@pytest.fixture
def drawing(tmp_path: Path) -> Generation:
    (tmp_path / "saved.png").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "saved.png")
    return generation("wan2.7-image", options=GenerationOptions(directory=tmp_path))


@pytest.mark.parametrize(
    "url",
    [URL, "http://a.com/b", "oss://a/b", "data:image/png;base64,aGk=", "HTTPS://a.com"],
)
async def test_a_model_may_name_an_address(url: str, drawing: Generation) -> None:
    for made in (drawing, generation("wan2.7-image")):
        assert made.find_images([url, f" {url}\n"]) == [url, url]
        assert await made.afind_images([url]) == [url]


async def test_a_model_may_name_what_was_saved(
    drawing: Generation, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.png"
    assert drawing.find_images([" saved.png ", URL]) == [saved, URL]
    assert await drawing.afind_images(["saved.png"]) == [saved]
    assert drawing.find_images([]) == []


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", ".", "..", "/", "folder", "link.png", "other.png", "./saved.png"),
        *("folder/../saved.png", "/saved.png", "{}/saved.png", "file://{}/saved.png"),
        *("data:text/plain,a", "ftp://a.com/b", "saved.png/"),
    ],
)
def test_a_model_cannot_name_any_other_file(
    name: str, drawing: Generation, tmp_path: Path
) -> None:
    name = name.format(tmp_path)
    message = error_message(drawing.find_images, [name])
    assert message.startswith(f"{name.strip()!r:.200} is not an image that can be used")


def test_without_a_directory_a_model_can_name_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "saved.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    made = generation("wan2.7-image")
    assert "is not an image" in error_message(made.find_images, ["saved.png"])


@pytest.mark.parametrize("value", [3, None, b"a", ["a"], Path("saved.png")])
def test_a_name_must_be_a_text(value: object, drawing: Generation) -> None:
    message = error_message(drawing.find_images, [URL, value])
    kind = type(value).__name__
    assert message.startswith("images must have the addresses of images")
    assert message.endswith(f"got a {kind}.")


# --- What was made --------------------------------------------------------------------

END = datetime(2026, 4, 17, 8, 26, tzinfo=UTC)


def made_of(*urls: str | None, text: str = "", saved: int = 0) -> Generated:
    """Return what was made: a file for each address, an error for None."""
    files = [
        TaskFile(url, END, None, {})
        if url
        else TaskFile(None, None, TaskFailedError("It was refused."), {})
        for url in urls
    ]
    connection = make_connection()
    result = TaskResult(
        task_id="t-1",
        files=tuple(files),
        text=text,
        usage={"image_count": len(urls)},
        raw={},
        _connection=connection,
        _context=connection.context,
    )
    paths = [Path(f"/pictures/t-1-{number}.png") for number in range(1, saved + 1)]
    task = Task.from_id("t-1", model="wan2.6-t2i", **AT)
    return Generated(task=task, result=result, paths=paths)


def test_the_model_reads_where_each_file_is() -> None:
    until = "works until 2026-04-17 08:26 UTC"
    assert made_of("a", "b").describe("image") == (
        f"The image: a ({until}).\nThe image: b ({until})."
    )
    assert made_of("a", None, "b", text="A text.", saved=2).describe("video") == (
        f"The video: a ({until}). Saved as t-1-1.png.\n"
        f"The video: b ({until}). Saved as t-1-2.png.\n"
        "One video failed: It was refused.\n"
        "A text."
    )
    assert made_of().describe("image") == ""
    assert made_of(text=" A text.\n").describe("image") == "A text."


def test_a_file_whose_end_is_not_known_is_shown() -> None:
    made = made_of("a")
    files = (TaskFile("a", None, None, {}),)
    made = replace(made, result=replace(made.result, files=files))
    assert made.describe("image") == "The image: a (works until ?)."
    assert made.to_dict()["files"][0]["expires_at"] is None


def test_the_files_are_json_values_in_their_order() -> None:
    made = made_of(None, "a", "b", saved=2)
    assert [file.url for file in made.files] == ["a", "b"]
    values = made.to_dict()
    failed, first, second = values["files"]
    assert failed == {
        "url": None,
        "expires_at": None,
        "path": None,
        "error": "It was refused.",
    }
    assert first == {
        "url": "a",
        "expires_at": "2026-04-17T08:26:00+00:00",
        "path": "/pictures/t-1-1.png",
        "error": None,
    }
    assert (second["url"], second["path"]) == ("b", "/pictures/t-1-2.png")
    assert values["task"]["id"] == "t-1"
    assert values["usage"] == {"image_count": 3}
    assert [file["path"] for file in made_of("a").to_dict()["files"]] == [None]


# --- A call ---------------------------------------------------------------------------


def drawing_at(studio: Emulator, **options: Any) -> Generation:
    address = {"base_url": studio.base_url, "api_key": studio.api_key}
    return resolve_generation(
        "wan2.6-t2i",
        "image",
        resolve_connection({**address, "max_retries": 0}),
        options=GenerationOptions(poll_interval=0.0, **options),
    )


async def run(made: Generation, style: Style) -> Generated:
    return made.run("A") if style == "sync" else await made.arun("A")


@EACH_STYLE
async def test_files_are_saved_where_there_is_a_directory(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    made = await run(drawing_at(modelstudio_emulator), style)
    assert (made.paths, len(made.files)) == ((), 1)
    made = await run(drawing_at(modelstudio_emulator, directory=folder), style)
    assert [*folder.iterdir()] == made.paths
    assert len(made.paths) == len(made.files) == 1
    assert creations(modelstudio_emulator) == 2


@EACH_STYLE
@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (TaskOutcome(status="FAILED"), TaskFailedError),
        (TaskOutcome(seconds=60), APITimeoutError),
    ],
    ids=["failed", "late"],
)
async def test_an_error_after_the_creation_is_final(
    style: Style,
    outcome: TaskOutcome,
    error: type[Exception],
    modelstudio_emulator: Emulator,
) -> None:
    modelstudio_emulator.script_tasks(outcome)
    with pytest.raises(error) as caught:
        await run(drawing_at(modelstudio_emulator, task_timeout=0.0), style)
    values: Any = caught.value
    assert values.is_retryable is False
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_a_folder_that_cannot_be_made_costs_nothing(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        await run(drawing_at(modelstudio_emulator, directory=file), style)
    assert creations(modelstudio_emulator) == 0
