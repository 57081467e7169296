"""``ModelStudioImageGeneration``: a tool that lets an agent draw."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from langchain_core.callbacks import (
    AsyncCallbackManagerForToolRun,
    CallbackManagerForToolRun,
)
from langchain_core.tools import ArgsSchema, BaseTool, ToolException
from pydantic import BaseModel, Field
from typing_extensions import override

from langchain_modelstudio.errors import langchain_errors
from modelstudio_core.arguments import Resolved
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.generation import Generated, Generation, GenerationArguments

__all__ = ["ModelStudioImageGeneration"]

_PROMPT = "What the image shows, in detail: subject, style, light, composition."
_IMAGES = (
    "Images to change or to use, each as the address or the file name in an earlier"
    " result, or as the URL of another image."
)
_DESCRIPTION = (
    "Generate an image from a description. The result has the address of the image,"
    " which works for 24 hours."
)
_Blocks = list[str | dict[str, Any]]
_Answer = tuple[str | _Blocks, dict[str, Any]]


class _Prompt(BaseModel):
    """The arguments of a model that reads no images."""

    prompt: str = Field(description=_PROMPT)


class _PromptAndImages(_Prompt):
    """The arguments of a model that can change images."""

    images: list[str] = Field(default_factory=list, description=_IMAGES)


class _NeedsImages(_Prompt):
    """The arguments of a model that only changes images."""

    images: list[str] = Field(min_length=1, description=_IMAGES)


_SCHEMAS = (_Prompt, _PromptAndImages, _NeedsImages)


class ModelStudioImageGeneration(GenerationArguments, BaseTool):
    """Image models of Alibaba Cloud Model Studio, as a tool for an agent.

    A call makes one image, unless ``parameters`` has another ``n``, and waits for it.
    With a model that can edit, the tool has an argument ``images`` too. The content of
    the result names the address of the image, which works for 24 hours; the artifact
    has the files, the usage and the state of the task.

    A call creates one task and never a second one, whatever fails afterwards. An error
    of the model itself, such as a refused prompt, is an answer to the agent's model.

    Args:
        model (str): Model id, such as ``"wan2.6-t2i"`` or ``"qwen-image-3.0"``.
            ``model_name`` is an alias.
        directory (str | Path | None = None): Where images are saved, under names of
            this tool. Default: nowhere.
        parameters (Mapping | None = None): Parameters of each task, such as
            ``{"size": "1280*720"}``.
        show_images (bool = False): Whether the agent's model sees the images. It must
            be a model that reads images, and each costs input tokens.
        path (str | None = None): The path of a model that is not known.
        upload_media (bool = False): Whether large images to edit may be uploaded to the
            temporary storage of Model Studio, which is on another host.
        task_timeout (float | None = 1200.0): Seconds to wait for a task.
        poll_interval (float | None = None): Seconds between two queries. Default: the
            pace of the model.
        api_key (SecretStr | str | Callable | None = None): API key, or a function that
            returns it before each request. Default: ``DASHSCOPE_API_KEY``.
            ``dashscope_api_key`` is an alias.
        region (str | None = None): Region id or alias. Default: the region of ``mode``,
            else ``DASHSCOPE_REGION``, else ``"ap-southeast-1"`` (Singapore).
        mode (str | None = None): Deployment mode, which decides where inference runs.
            Default: ``DASHSCOPE_MODE`` if ``region`` is not given, else the default of
            the region.
        workspace (str | None = None): Workspace id, which some regions require.
            Default: ``DASHSCOPE_WORKSPACE_ID``, else ``DASHSCOPE_WORKSPACE``.
        protocol (str = "openai"): Changes nothing: tasks have the native protocol only.
        base_url (str | None = None): Custom base URL, such as that of a gateway,
            instead of the one of region, mode and workspace.
        allow_insecure_http (bool = False): Whether ``http://`` is allowed for hosts
            other than loopback.
        timeout (float | tuple | None = 600.0): Seconds without data after which a
            request fails, or ``(connect, read)``. With one number, connecting may take
            10 seconds. None is no limit.
        total_timeout (float | None = None): Seconds for each request, with its retries
            and waits. None is no limit.
        max_error_bytes (int = 1048576): Largest body of an error in bytes, decoded.
        max_event_bytes (int = 16777216): No effect: only streams have events.
        max_response_bytes (int = 268435456): Largest answer in bytes, decoded; files
            have no limit.
        max_retries (int = 2): How often a failed request is repeated. The request that
            creates a task is only repeated where it was not accepted.
        default_headers (Mapping[str, SecretStr | str] | None = None): Headers that are
            sent with each request.
        http_client (httpx.Client | None = None): HTTP client for synchronous calls;
            with openai 3, an ``httpx2.Client``.
        http_async_client (httpx.AsyncClient | None = None): HTTP client for
            asynchronous calls; with openai 3, an ``httpx2.AsyncClient``.
        limiter (RateLimit | None = None): Limit of requests a minute, a
            ``modelstudio_core.limits.RateLimit``.
        resolved_model (str | None = None): Read only: the model id that is sent.
        name (str = "generate_image"): Name by which the agent's model calls it.
        description (str): What the agent's model reads about it.
        args_schema (type[BaseModel] | dict | None = None): Arguments of a call.
            Default: ``prompt``, and ``images`` where the model reads images.
        response_format (str = "content_and_artifact"): What a call returns.
        handle_tool_error (bool | str | Callable = True): Whether a failed task is an
            answer to the agent's model, and not an exception.
        handle_validation_error (bool | str | Callable = False): The same for invalid
            arguments of a call.
        return_direct (bool = False): Whether the result ends the agent's run.
        callbacks (Callbacks = None): LangChain's callbacks.
        tags (list[str] | None = None): Tags of traces.
        metadata (dict[str, Any] | None = None): Metadata of traces.
        extras (dict[str, Any] | None = None): Fields of the tool for other providers.
        verbose (bool = False): Whether LangChain prints what happens.

    Raises:
        ConfigurationError: An argument is unknown or invalid, or the model does not
            make images.

    Example:
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     draw = ModelStudioImageGeneration(
        ...         model="wan2.6-t2i",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...         poll_interval=0.01,
        ...     )
        ...     content = draw.invoke({"prompt": "A flower shop"})
        >>> content[:22]
        'The image: http://127.'
    """

    argument_aliases: ClassVar[Mapping[str, str]] = {
        "model_name": "model",
        "dashscope_api_key": "api_key",
    }

    name: str = "generate_image"
    description: str = _DESCRIPTION
    args_schema: ArgsSchema | None = None
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    handle_tool_error: Any = True
    show_images: bool = Field(
        default=False,
        description="Whether the agent's model sees the images that were made.",
    )

    @property
    def model_name(self) -> str:
        """The requested model id: another name of ``model``."""
        return self.model

    @classmethod
    @override
    def _current_arguments(
        cls, arguments: dict[str, Any], resolved: Resolved
    ) -> dict[str, Any]:
        """Check the schema here: LangChain's own error repeats what was passed."""
        schema: object = arguments.get("args_schema")
        is_model = isinstance(schema, type) and issubclass(schema, BaseModel)
        if not (schema is None or isinstance(schema, dict) or is_model):
            raise ConfigurationError(
                "args_schema must be a pydantic model, a JSON schema or None."
            )
        return super()._current_arguments(arguments, resolved)

    @override
    def _after_resolving(self, before: Resolved | None) -> None:
        super()._after_resolving(before)
        if self.args_schema is None or self.args_schema in _SCHEMAS:
            self.args_schema = _schema_of(self.resolved)

    @override
    def _run(
        self,
        prompt: str,
        images: Sequence[str] = (),
        run_manager: CallbackManagerForToolRun | None = None,
    ) -> _Answer:
        """Make an image."""
        del run_manager
        with langchain_errors():
            try:
                found = self.resolved.find_images(images)
            except ConfigurationError as error:
                raise ToolException(error.message) from None
            return self._answer(self.resolved.run(prompt, found))

    @override
    async def _arun(
        self,
        prompt: str,
        images: Sequence[str] = (),
        run_manager: AsyncCallbackManagerForToolRun | None = None,
    ) -> _Answer:
        """Make an image, asynchronously."""
        del run_manager
        with langchain_errors():
            try:
                found = await self.resolved.afind_images(images)
            except ConfigurationError as error:
                raise ToolException(error.message) from None
            return self._answer(await self.resolved.arun(prompt, found))

    def _answer(self, generated: Generated) -> _Answer:
        text = generated.describe("image")
        if not self.show_images:
            return text, generated.to_dict()
        blocks: _Blocks = [{"type": "text", "text": text}]
        blocks += [{"type": "image", "url": file.url} for file in generated.files]
        return blocks, generated.to_dict()


def _schema_of(generation: Generation) -> type[BaseModel]:
    if not generation.reads_images:
        return _Prompt
    return _NeedsImages if generation.needs_images else _PromptAndImages
