"""Images and video as tools of an agent: create a task, wait, save what it made."""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, cast

from pydantic import Field
from typing_extensions import override

from modelstudio_core.arguments import ServiceArguments
from modelstudio_core.catalog import (
    MediaProfile,
    ResolvedServiceModel,
    resolve_service_model,
)
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.errors import ConfigurationError, ModelStudioError
from modelstudio_core.facts import refuse_or_warn
from modelstudio_core.service_inputs import check_seconds, list_of
from modelstudio_core.tasks import Task, TaskFile, TaskResult
from modelstudio_core.tasks.calls import Creation
from modelstudio_core.tasks.explain import explain
from modelstudio_core.tasks.inputs import Given
from modelstudio_core.tasks.outputs import make_folder
from modelstudio_core.tasks.routes import resolve_route
from modelstudio_core.transport.connection import Connection

__all__ = [
    "DEFAULT_TASK_TIMEOUT",
    "Generated",
    "Generation",
    "GenerationArguments",
    "GenerationOptions",
    "OutputMedium",
    "resolve_generation",
]

OutputMedium = Literal["image", "video"]
# Images need a minute or two, long videos up to ten (docs.qwencloud.com, 2026-09).
DEFAULT_TASK_TIMEOUT: Final = 1200.0
_REMOTE: Final = ("http://", "https://", "oss://", "data:image/")


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """What the tools of one object have in common.

    Attributes:
        directory: Where files are saved; None: nowhere.
        upload_media: Whether large local images may be uploaded.
        task_timeout: How long a task is waited for; None for its life of 24 hours.
        poll_interval: The seconds between two queries; None for the model's pace.
    """

    directory: Path | None = None
    upload_media: bool = False
    task_timeout: float | None = DEFAULT_TASK_TIMEOUT
    poll_interval: float | None = None

    @classmethod
    def check(cls, arguments: Mapping[str, Any]) -> "GenerationOptions":
        """Return the options of a constructor.

        Args:
            arguments: Its arguments by name.

        Raises:
            ConfigurationError: One of them is invalid.
        """
        directory = arguments.get("directory")
        if directory is not None and not isinstance(directory, str | Path):
            raise ConfigurationError(
                f"directory must be a path or None, got a {type(directory).__name__}."
            )
        upload = arguments.get("upload_media", False)
        if not isinstance(upload, bool):
            raise ConfigurationError("upload_media must be True or False.")
        timeout = arguments.get("task_timeout", DEFAULT_TASK_TIMEOUT)
        return cls(
            directory=None if directory is None else Path(directory),
            upload_media=upload,
            task_timeout=check_seconds("task_timeout", timeout),
            poll_interval=check_seconds(
                "poll_interval", arguments.get("poll_interval")
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Generated:
    """What a call of a tool made.

    Attributes:
        task: The task.
        result: Its result.
        paths: Where its files were saved, in their order; empty without a directory.
    """

    task: Task
    result: TaskResult
    paths: Sequence[Path]

    @property
    def files(self) -> list[TaskFile]:
        """The files that did not fail."""
        return [file for file in self.result.files if file.url is not None]

    def describe(self, noun: str) -> str:
        """Return what the model is to read.

        Args:
            noun: What was made: ``"image"`` or ``"video"``.
        """
        lines: list[str] = []
        for number, file in enumerate(self.files):
            ends = f"{file.expires_at:%Y-%m-%d %H:%M} UTC" if file.expires_at else "?"
            saved = f" Saved as {self.paths[number].name}." if self.paths else ""
            lines.append(f"The {noun}: {file.url} (works until {ends}).{saved}")
        lines += [
            f"One {noun} failed: {file.error.message}"
            for file in self.result.files
            if file.error is not None
        ]
        return "\n".join([*lines, self.result.text]).strip()

    def to_dict(self) -> dict[str, Any]:
        """Return the task, the files and the usage as JSON values."""
        paths = iter(self.paths)
        files = [
            {
                "url": file.url,
                "expires_at": file.expires_at.isoformat() if file.expires_at else None,
                "path": str(next(paths, "")) or None if file.url else None,
                "error": file.error.message if file.error else None,
            }
            for file in self.result.files
        ]
        return {
            "task": self.task.to_dict(),
            "files": files,
            "usage": {**self.result.usage},
        }


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A model that makes images or video for a tool.

    Attributes:
        connection: How to reach the service.
        model: The model.
        parameters: The parameters of each task; ``n`` is 1 unless it is among them.
        path: The path that the caller gave for a model that is not known.
        options: What the tools of one object have in common.
    """

    connection: Connection
    model: ResolvedServiceModel[MediaProfile]
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])
    path: str | None = None
    options: GenerationOptions = field(default_factory=GenerationOptions)

    @property
    def profile(self) -> MediaProfile:
        """What is known of the model."""
        return self.model.profile

    @property
    def reads_images(self) -> bool:
        """Whether a call may have images."""
        profile = self.profile
        return "image" in profile.inputs or not profile.is_known

    @property
    def needs_images(self) -> bool:
        """Whether a call must have images."""
        limits = self.profile.input_images
        return bool(limits and limits[0]) or self.profile.input_form == "prompt+images"

    def run(self, prompt: str, images: Sequence[str | Path] = ()) -> Generated:
        """Create a task, wait for it, and save its files. Nothing is created twice.

        Args:
            prompt: The text.
            images: URLs and paths of images.

        Raises:
            ConfigurationError: The input is invalid. Nothing was sent.
            TaskFailedError: The task failed.
            APITimeoutError: The task is not done in time. It goes on.
            APIError: A request failed. After the creation it is not retryable, and
                names the task, and the addresses of the files as soon as there are any.
        """
        options, creation = self.options, self._creation(prompt, images)
        if options.directory is not None:
            # First: what is made is paid for, and must have a place.
            make_folder(options.directory)
        task = creation.run(upload=options.upload_media)
        with _paid():
            result = task.result(
                options.task_timeout, poll_interval=options.poll_interval
            )
        generated = Generated(task=task, result=result, paths=())
        if options.directory is None:
            return generated
        with _paid(generated):
            return replace(generated, paths=result.download(options.directory))

    async def arun(self, prompt: str, images: Sequence[str | Path] = ()) -> Generated:
        """Async version of ``run``."""
        options, creation = self.options, self._creation(prompt, images)
        if options.directory is not None:
            await asyncio.to_thread(make_folder, options.directory)
        task = await creation.arun(upload=options.upload_media)
        with _paid():
            result = await task.aresult(
                options.task_timeout, poll_interval=options.poll_interval
            )
        generated = Generated(task=task, result=result, paths=())
        if options.directory is None:
            return generated
        with _paid(generated):
            return replace(generated, paths=await result.adownload(options.directory))

    def _creation(self, prompt: str, images: Sequence[str | Path]) -> Creation:
        given = Given(prompt=prompt, images=images, parameters=self.parameters)
        return Creation.of(self.connection, self.profile, given, self.path)

    def find_images(self, references: Sequence[str]) -> list[str | Path]:
        """Return the images that a model names: URLs, and files of the directory.

        A model, or what it has read, must not have any other file of this machine sent.

        Args:
            references: What the model passed.

        Raises:
            ConfigurationError: One is neither a URL nor the name of a saved file.
        """
        return [self._find(reference) for reference in list_of(references, "images")]

    async def afind_images(self, references: Sequence[str]) -> list[str | Path]:
        """Async version of ``find_images``: the directory is read in a thread."""
        return await asyncio.to_thread(self.find_images, references)

    def _find(self, reference: object) -> str | Path:
        if not isinstance(reference, str):
            raise ConfigurationError(
                "images must have the addresses of images, or the names under which"
                f" this tool saved them, got a {type(reference).__name__}."
            )
        text = reference.strip()
        if text.lower().startswith(_REMOTE):
            return text
        directory = self.options.directory
        if directory is not None and text and Path(text).name == text:
            path = directory / text
            if path.is_file() and not path.is_symlink():
                return path
        raise ConfigurationError(
            f"{text!r:.200} is not an image that can be used: pass the address of one,"
            " or the name under which this tool saved it."
        )


@contextmanager
def _paid(generated: Generated | None = None) -> Generator[None]:
    """Let nobody repeat a call whose task was created, and lose nothing that it made.

    Args:
        generated: What was made, if that is known.
    """
    try:
        yield
    except ModelStudioError as error:
        error.is_retryable = False
        if generated is not None:
            explain(error, f"It is paid for.\n{generated.describe('file')}")
        raise


def resolve_generation(
    model: object,
    output: OutputMedium,
    connection: Connection,
    *,
    parameters: object = None,
    path: str | None = None,
    options: GenerationOptions | None = None,
) -> Generation:
    """Check that a model can be used by a tool.

    Args:
        model: The model id.
        output: What the tool makes.
        connection: How to reach the service.
        parameters: The parameters of each task.
        path: The path of a model that is not known.
        options: What the tools of one object have in common.

    Raises:
        ConfigurationError: The model makes something else, or an argument is invalid.
    """
    resolved = resolve_service_model(MediaProfile, model, connection.endpoint)
    profile = resolved.profile
    if profile.outputs and output not in profile.outputs:
        refuse_or_warn(
            profile,
            f"{profile.id} does not make {'images' if output == 'image' else output}.",
        )
    resolve_route(profile, path)
    if parameters is not None and not isinstance(parameters, Mapping):
        raise ConfigurationError("parameters must be a mapping of names and values.")
    return Generation(
        connection=connection,
        model=resolved,
        parameters=dict(cast("Mapping[str, object]", parameters or {})),
        path=path,
        options=options or GenerationOptions(),
    )


class GenerationArguments(ServiceArguments):
    """The arguments of a class that makes images for an agent."""

    argument_names: ClassVar[frozenset[str]] = frozenset()

    directory: str | Path | None = Field(
        default=None,
        description="The folder where images are saved, under names that are made of"
        " the task's id. None: they are not saved, and only have an address that works"
        " for 24 hours.",
    )
    parameters: Mapping[str, Any] | None = Field(
        default=None,
        description="The parameters of each task, such as size. n is 1 unless it is"
        " among them.",
    )
    path: str | None = Field(
        default=None,
        description="The path below /api/v1/services/ of a model that is not known.",
    )
    upload_media: bool = Field(
        default=False,
        description="Whether images to edit that are too large for a request may be"
        " uploaded to the temporary storage of Model Studio, which is on another host.",
    )
    task_timeout: float | None = Field(
        default=DEFAULT_TASK_TIMEOUT,
        description="Seconds to wait for a task. None: 24 hours.",
    )
    poll_interval: float | None = Field(
        default=None,
        description="Seconds between two queries. None: the pace of the model.",
    )

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> Generation:
        name = arguments.get("model")
        if name is None:
            raise ConfigurationError(
                "model is missing: pass a model id such as model='wan2.6-t2i'."
            )
        return resolve_generation(
            name,
            "image",
            resolve_connection(arguments, model=name),
            parameters=arguments.get("parameters"),
            path=arguments.get("path"),
            options=GenerationOptions.check(arguments),
        )

    @property
    def resolved(self) -> Generation:
        """The resolved arguments."""
        return cast("Generation", self._resolved_now())


GenerationArguments.argument_names = frozenset(GenerationArguments.model_fields) - {
    "resolved_model"
}
