"""``ModelStudioToolSpec``: tools that let an agent make images and videos."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from llama_index.core.base.llms.types import ImageBlock, TextBlock
from llama_index.core.tools.tool_spec.base import BaseToolSpec
from pydantic import ValidationError
from typing_extensions import Unpack, override

from modelstudio_core.connection_arguments import keys_hidden
from modelstudio_core.endpoints import Endpoint
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.generation import (
    DEFAULT_TASK_TIMEOUT,
    Generated,
    Generation,
    GenerationOptions,
    OutputMedium,
    resolve_generation,
)
from modelstudio_core.tasks.options import ConnectionOptions, connect

__all__ = ["ModelStudioToolSpec"]

_Blocks = list[TextBlock | ImageBlock]
# The tools, the argument with the model of each, and what it makes.
_TOOLS: Final[Mapping[str, tuple[str, OutputMedium]]] = {
    "generate_image": ("image_model", "image"),
    "edit_image": ("edit_model", "image"),
    "generate_video": ("video_model", "video"),
}
_OPTIONS: Final = frozenset(
    {"image_model", "edit_model", "video_model", "parameters", "directory"}
) | {"show_images", "upload_media", "task_timeout", "poll_interval"}


class ModelStudioToolSpec(BaseToolSpec):
    """Image and video models of Alibaba Cloud Model Studio, as tools for an agent.

    There is a tool for each model that is given, and no other: an agent cannot spend
    money on what nobody allowed. A call makes one image or video, unless ``parameters``
    has another ``n``, and waits for it. The result names its address, which works for
    24 hours. A call creates one task and never a second one, whatever fails afterwards.

    All arguments are keywords.

    Args:
        image_model (str): Model id for ``generate_image``, such as ``"wan2.6-t2i"``.
        edit_model (str): Model id for ``edit_image``, such as ``"qwen-image-3.0"``.
        video_model (str): Model id for ``generate_video``, such as ``"wan2.6-t2v"``.
        parameters (Mapping[str, Mapping]): Parameters of the tasks by the name of
            the tool, such as ``{"generate_image": {"size": "1280*720"}}``.
        directory (str | Path): Where files are saved, under names of these tools.
            Default: nowhere.
        show_images (bool): Whether the agent's model sees the images. It must be a
            model that reads images, and each costs input tokens. Default: False.
        upload_media (bool): Whether large images to edit may be uploaded to the
            temporary storage of Model Studio, which is on another host. Default: False.
        task_timeout (float | None): Seconds to wait for a task. Default: 1200.
        poll_interval (float | None): Seconds between two queries. Default: the pace of
            the model.
        **connection: The connection arguments of every class: ``api_key``, ``region``,
            ``mode``, ``workspace``, ``base_url`` …

    Raises:
        ConfigurationError: No model is given, an argument is unknown or invalid, or a
            model makes something else.

    Example:
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     spec = ModelStudioToolSpec(
        ...         image_model="wan2.6-t2i",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...         poll_interval=0.01,
        ...     )
        ...     tools = spec.to_tool_list()
        ...     output = tools[0].call(prompt="A flower shop")
        >>> [tool.metadata.name for tool in tools], output.content[:22]
        (['generate_image'], 'The image: http://127.')
    """

    def __init__(
        self,
        *,
        image_model: str | None = None,
        edit_model: str | None = None,
        video_model: str | None = None,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        directory: str | Path | None = None,
        show_images: bool = False,
        upload_media: bool = False,
        task_timeout: float | None = DEFAULT_TASK_TIMEOUT,
        poll_interval: float | None = None,
        **connection: Unpack[ConnectionOptions],
    ) -> None:
        """Check the arguments. Nothing is sent."""
        models = {
            "image_model": image_model,
            "edit_model": edit_model,
            "video_model": video_model,
        }
        values = {
            "directory": directory,
            "upload_media": upload_media,
            "task_timeout": task_timeout,
            "poll_interval": poll_interval,
        }
        self._show_images = show_images
        self._generations: dict[str, Generation] = {}
        with keys_hidden(connection):
            options = GenerationOptions.check(values)
            given = _check_parameters(parameters)
            for tool, (argument, output) in _TOOLS.items():
                if (model := models[argument]) is not None:
                    self._generations[tool] = resolve_generation(
                        model,
                        output,
                        connect(connection, model, _OPTIONS),
                        parameters=given.get(tool),
                        options=options,
                    )
        if not self._generations:
            raise ConfigurationError(
                "No model is given: pass image_model=, edit_model= or video_model=."
            )
        self.spec_functions = [(tool, f"a{tool}") for tool in self._generations]

    @property
    def endpoint(self) -> Endpoint:
        """Where requests go, where data is stored and where inference runs."""
        return next(iter(self._generations.values())).connection.endpoint

    @override
    def __repr__(self) -> str:
        """Return the models and the endpoint."""
        arguments = {tool: argument for tool, (argument, _) in _TOOLS.items()}
        models = ", ".join(
            f"{arguments[tool]}={generation.profile.id!r}"
            for tool, generation in self._generations.items()
        )
        endpoint = self.endpoint
        return (
            f"{type(self).__name__}({models}, region={endpoint.region!r},"
            f" mode={endpoint.mode!r}, host={endpoint.host!r})"
        )

    # --- Tools: agents read these docstrings ------------------------------------------

    def generate_image(self, prompt: str) -> str | _Blocks:
        """Generate an image. The result has its address, which works for 24 hours.

        Args:
            prompt: What the image shows, in detail: subject, style, light, composition.
        """
        return self._run("generate_image", prompt, [])

    async def agenerate_image(self, prompt: str) -> str | _Blocks:
        """Async version of ``generate_image``."""
        return await self._arun("generate_image", prompt, [])

    def edit_image(self, prompt: str, images: list[str]) -> str | _Blocks:
        """Change images. The result has the address of a new one, for 24 hours.

        Args:
            prompt: What to change, and what to keep.
            images: The images, each as the address or the file name in an earlier
                result, or as the URL of another image.
        """
        return self._run("edit_image", prompt, images)

    async def aedit_image(self, prompt: str, images: list[str]) -> str | _Blocks:
        """Async version of ``edit_image``."""
        return await self._arun("edit_image", prompt, images)

    def generate_video(self, prompt: str, image: str | None = None) -> str | _Blocks:
        """Generate a video. The result has its address, which works for 24 hours.

        Args:
            prompt: What happens in the video, in detail.
            image: The first frame of the video, as the address or the file name in an
                earlier result, if the model accepts one.
        """
        return self._run("generate_video", prompt, [image] if image else [])

    async def agenerate_video(
        self, prompt: str, image: str | None = None
    ) -> str | _Blocks:
        """Async version of ``generate_video``."""
        return await self._arun("generate_video", prompt, [image] if image else [])

    # --- Calls ------------------------------------------------------------------------

    def _run(self, tool: str, prompt: str, images: Sequence[str]) -> str | _Blocks:
        generation = self._generation(tool)
        found = generation.find_images(images)
        return self._answer(tool, generation.run(prompt, found))

    async def _arun(
        self, tool: str, prompt: str, images: Sequence[str]
    ) -> str | _Blocks:
        generation = self._generation(tool)
        found = await generation.afind_images(images)
        return self._answer(tool, await generation.arun(prompt, found))

    def _generation(self, tool: str) -> Generation:
        generation = self._generations.get(tool)
        if generation is None:
            raise ConfigurationError(
                f"{tool} has no model: pass {_TOOLS[tool][0]}= to ModelStudioToolSpec."
            )
        return generation

    def _answer(self, tool: str, generated: Generated) -> str | _Blocks:
        output = _TOOLS[tool][1]
        text = generated.describe(output)
        if not self._show_images or output != "image":
            return text
        images: list[ImageBlock] = []
        for file in generated.files:
            # The text has an address that LlamaIndex does not accept.
            with suppress(ValidationError):
                images.append(ImageBlock(url=file.url))
        return [TextBlock(text=text), *images]


def _check_parameters(
    parameters: Mapping[str, Mapping[str, Any]] | None,
) -> Mapping[str, Mapping[str, Any]]:
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping) or not parameters.keys() <= _TOOLS.keys():
        raise ConfigurationError(
            f"parameters must be a mapping by tool: {', '.join(_TOOLS)}."
        )
    return parameters
