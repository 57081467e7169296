"""Profiles: what the catalog knows of a model, one class for each kind of model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final, Literal

from modelstudio_core.endpoints import Protocol

__all__ = [
    "BATCH_TEST_MODEL",
    "ChatProfile",
    "EmbeddingProfile",
    "Fusion",
    "MediaCalls",
    "MediaInput",
    "MediaLimits",
    "MediaProfile",
    "MediaResult",
    "ModelKind",
    "ModelMatch",
    "ModelProfile",
    "NativePath",
    "RerankProfile",
    "RerankShape",
    "Thinking",
]

# A free model that answers batches of the endpoint for tests ("OpenAI compatible -
# Batch", 2026-11-27).
BATCH_TEST_MODEL: Final = "batch-test-model"

ModelKind = Literal["chat", "embedding", "rerank", "media"]
ModelMatch = Literal["exact", "alias", "prefix", "default"]
Thinking = Literal["hybrid-on", "hybrid-off", "only", "never"]
NativePath = Literal["text-generation", "multimodal-generation"]
Fusion = Literal["parameter", "one-content", "always", "never"]
RerankShape = Literal["flat", "nested"]
MediaCalls = Literal["sync", "async", "both", "websocket"]
MediaInput = Literal[
    "messages",
    "prompt",
    "prompt+images",
    "image_url",
    "base_image_url",
    "media",
    "img_url",
    "frames",
    "file_url",
    "file_urls",
    "url",
]
MediaResult = Literal[
    "choices", "results", "image_url", "video_url", "transcription", "url", "text"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """What is known of a model of any kind. ``None`` means not known.

    Each kind has a class of its own, and ``kind`` names it.

    Attributes:
        id: The id that is sent.
        ids: The exact ids that this entry describes.
        aliases: Other names for the first of them.
        prefix: The beginning of the ids of the family; empty for exact ids only.
        matched: How the name was found: as an exact id, by alias, by family prefix, or
            not at all (``"default"``).
        inputs: What a request may hold: of ``text``, ``image``, ``video``, ``audio``,
            ``pdf`` (a PDF in a message) and ``file_id`` (the id of an uploaded file).
        outputs: What comes back: of ``text``, ``image``, ``video``, ``audio``,
            ``embedding``, ``score``; empty where it is not known.
        protocols: The protocols that serve it.
        native_path: The path of the native protocol below ``/services/``. A chat model
            has the service's name alone (``aigc/{name}/generation``).
        regions: The region ids that serve it.
        modes: The deployment modes that serve it.
        batch_regions: The region ids that have batch inference for it; empty for none.
        batch_chat: Whether Batch Chat has it, in China (Beijing).
        released: The day of release.
        delisted: The day on which the service removed it.
        replacement: The model that the documentation recommends instead of it.
        source: The sources of the facts by their own titles, ``;`` between them; empty
            for a model that is not known.
        checked: The day on which the source was read.
    """

    kind: ClassVar[ModelKind]

    id: str = ""
    ids: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    prefix: str = ""
    matched: ModelMatch = "default"
    inputs: frozenset[str] = frozenset({"text"})
    outputs: frozenset[str] = frozenset()
    protocols: tuple[Protocol, ...] | None = None
    native_path: str | None = None
    regions: tuple[str, ...] | None = None
    modes: tuple[str, ...] | None = None
    batch_regions: tuple[str, ...] | None = None
    batch_chat: bool | None = None
    released: date | None = None
    delisted: date | None = None
    replacement: str | None = None
    source: str = ""
    checked: date | None = None

    @property
    def is_known(self) -> bool:
        """Whether the catalog has this model or its family."""
        return bool(self.source)

    @property
    def exact(self) -> bool:
        """Whether the facts are stated for this id, not only for its family."""
        return self.matched in {"exact", "alias"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """The limits of one kind of input of a chat model. ``None`` means not known.

    Attributes:
        max_count: The most of them in one request, as URLs.
        max_inline_count: The most of them in one request, as base64.
        max_megabytes: The largest one behind a URL.
        max_inline_megabytes: The largest one as base64, before it is encoded.
        max_encoded_megabytes: The longest base64 text of one.
        seconds: The shortest and the longest one.
        frames: The fewest and the most images of a video that is a list of frames.
        max_pages: The most pages.
        inline: Whether it is accepted as base64, and not as a URL only.
        formats: The formats, as the names after ``/`` in their MIME types; empty where
            no list is published, or where the list is open.
    """

    max_count: int | None = None
    max_inline_count: int | None = None
    max_megabytes: int | None = None
    max_inline_megabytes: int | None = None
    max_encoded_megabytes: int | None = None
    seconds: tuple[int, int] | None = None
    frames: tuple[int, int] | None = None
    max_pages: int | None = None
    inline: bool | None = None
    formats: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatProfile(ModelProfile):
    """What is known of a chat model. ``None`` means not known.

    Attributes:
        context_window: Tokens of prompt and answer together.
        max_output: The most tokens of one answer.
        max_thinking: The most tokens of thinking, which ``thinking_budget`` may set.
        max_tokens_includes_thinking: Whether ``max_tokens`` counts the thinking too.
        thinking: ``"hybrid-on"`` and ``"hybrid-off"`` can be switched and begin on or
            off; ``"only"`` and ``"never"`` cannot.
        streams_only: Whether it answers only as a stream.
        streams_thinking_only: Whether it answers requests that think only as a stream.
        streams_cumulatively: Whether each chunk of a stream repeats the text so far, on
            both protocols.
        tools: Whether it calls tools; ``"not-thinking"``: only while not thinking.
        forced_tool_choice: The forms of ``tool_choice`` that force a call and that it
            accepts while not thinking: of ``"named"`` and ``"required"``.
        forced_tool_choice_while_thinking: Those that it accepts while thinking.
        tool_stream: Whether ``tool_stream`` is sent with tools: the page on function
            calling says that GLM returns no calls without it.
        structured_output: The ``response_format`` types that a source says it accepts.
        structured_output_while_thinking: The ``response_format`` types that it accepts
            while thinking.
        structured_output_refused: The ``response_format`` types that a source says it
            refuses.
        structured_output_with_tools: Whether it accepts them together with tools, and
            still calls those.
        search: Whether it accepts ``enable_search``.
        cache: Whether it has a context cache.
        explicit_cache: Whether ``cache_control`` marks what is cached.
        explicit_cache_regions: The regions where it does.
        partial: Whether it continues a prefix (partial mode).
        several_system_messages: Whether it accepts several system messages, and one
            after another message.
        media: The limits of images, video, audio and PDFs, by the name in ``inputs``.
        native_path: The service of the native protocol that answers for it; the path is
            ``/services/aigc/{native_path}/generation``.
        defaults: What the service uses for a parameter that is not sent.
        refused: Parameters that cannot be set.
        reasoning_effort: Whether it accepts ``reasoning_effort``.
        efforts: ``reasoning_effort`` as given → as sent. ``"off"`` on the right
            switches thinking off; empty where the values are not known.
        preserves_thinking: Whether ``preserve_thinking`` is on by default.
        wants_reasoning_on_tool_turns: Whether it refuses an assistant turn with tool
            calls that has no ``reasoning_content``; an empty one is accepted.
        wants_reasoning_on_every_turn: Whether it wants the ``reasoning_content`` of
            every assistant turn while it thinks.
        speaks_while_thinking: Whether its answer may be speech while it thinks.
    """

    kind: ClassVar[ModelKind] = "chat"

    outputs: frozenset[str] = frozenset({"text"})
    native_path: NativePath = "text-generation"
    context_window: int | None = None
    max_output: int | None = None
    max_thinking: int | None = None
    max_tokens_includes_thinking: bool | None = None
    thinking: Thinking | None = None
    streams_only: bool | None = None
    streams_thinking_only: bool | None = None
    streams_cumulatively: bool | None = None
    tools: bool | Literal["not-thinking"] | None = None
    forced_tool_choice: frozenset[str] | None = None
    forced_tool_choice_while_thinking: frozenset[str] | None = None
    tool_stream: bool | None = None
    structured_output: frozenset[str] | None = None
    structured_output_while_thinking: frozenset[str] | None = None
    structured_output_refused: frozenset[str] = frozenset()
    structured_output_with_tools: bool | None = None
    search: bool | None = None
    cache: bool | None = None
    explicit_cache: bool | None = None
    explicit_cache_regions: tuple[str, ...] | None = None
    partial: bool | None = None
    several_system_messages: bool | None = None
    media: Mapping[str, MediaLimits] = field(
        default_factory=dict[str, MediaLimits], hash=False
    )
    defaults: Mapping[str, float] = field(default_factory=dict[str, float], hash=False)
    refused: frozenset[str] = frozenset()
    reasoning_effort: bool | None = None
    efforts: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    preserves_thinking: bool | None = None
    wants_reasoning_on_tool_turns: bool | None = None
    wants_reasoning_on_every_turn: bool | None = None
    speaks_while_thinking: bool | None = None

    @property
    def default_thinking(self) -> bool | None:
        """Whether it thinks by default; None where that cannot be switched."""
        return {"hybrid-on": True, "hybrid-off": False}.get(self.thinking or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingProfile(ModelProfile):
    """What is known of an embedding model. ``None`` means not known.

    Attributes:
        multimodal: Whether it embeds images and video too. Such a model has its own
            native path and body (``input.contents``), and a text model has
            ``input.texts``.
        max_rows: The most texts of one request (text models).
        max_row_tokens: The most tokens of one text.
        max_request_tokens: The most tokens of all texts of one request, in every
            region.
        max_request_tokens_by_region: The regions that accept more, by region id.
        dimensions: The lengths of vector that can be asked for; one length: it is
            fixed.
        default_dimension: The length of vector where none is asked for.
        normalized: Whether the vectors have length 1.
        sparse: Whether ``output_type`` can ask for sparse vectors.
        text_type: Whether ``text_type`` tells queries from documents.
        instruct: Whether it accepts ``instruct``.
        fusion: How one vector is made of several contents: by the parameter
            ``enable_fusion``, by putting them into one content object, always, or
            never.
        max_contents: The most contents of one request (multimodal models).
        max_images: The most images of one request.
        max_videos: The most videos of one request.
        max_image_list: The most images of one ``multi_images`` content; 0: it has no
            such content.
        max_image_megabytes: The largest image.
        max_video_megabytes: The largest video.
    """

    kind: ClassVar[ModelKind] = "embedding"

    outputs: frozenset[str] = frozenset({"embedding"})
    native_path: str | None = "embeddings/text-embedding/text-embedding"
    multimodal: bool = False
    max_rows: int | None = None
    max_row_tokens: int | None = None
    max_request_tokens: int | None = None
    max_request_tokens_by_region: Mapping[str, int] = field(
        default_factory=dict[str, int], hash=False
    )
    dimensions: tuple[int, ...] | None = None
    default_dimension: int | None = None
    normalized: bool | None = None
    sparse: bool | None = None
    text_type: bool | None = None
    instruct: bool | None = None
    fusion: Fusion | None = None
    max_contents: int | None = None
    max_images: int | None = None
    max_videos: int | None = None
    max_image_list: int | None = None
    max_image_megabytes: int | None = None
    max_video_megabytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankProfile(ModelProfile):
    """What is known of a rerank model. ``None`` means not known.

    Attributes:
        shape: ``"flat"``: ``query``, ``documents`` and options side by side, sent to
            ``flat_path``; ``"nested"``: below ``input`` and ``parameters``, sent to
            ``native_path``.
        flat_path: The path below the base of the rerank API (``/compatible-api/v1``)
            that accepts the flat shape; None: there is none.
        max_documents: The most documents of one request; for a multimodal model, the
            most texts.
        max_images: The most images among the documents.
        max_videos: The most videos among the documents.
        max_item_tokens: The most tokens of the query, and of each document.
        max_request_tokens: The most tokens of one request: the query's tokens times
            the number of documents, and the tokens of all documents.
        instruct: Whether it accepts ``instruct``.
        return_documents: Whether it accepts ``return_documents``.
    """

    kind: ClassVar[ModelKind] = "rerank"

    outputs: frozenset[str] = frozenset({"score"})
    native_path: str | None = "rerank/text-rerank/text-rerank"
    shape: RerankShape = "nested"
    flat_path: str | None = None
    max_documents: int | None = None
    max_images: int | None = None
    max_videos: int | None = None
    max_item_tokens: int | None = None
    max_request_tokens: int | None = None
    instruct: bool | None = None
    return_documents: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaProfile(ModelProfile):
    """What is known of a model for images, video, speech or files of embeddings.

    ``None`` means not known.

    Attributes:
        calls: Whether it answers at once (``"sync"``), creates a task (``"async"``),
            does both, or is served over WebSocket only.
        native_path: The path that creates a task; for a model that only answers at
            once, the path of that call.
        sync_path: The path of a call that is answered at once, below ``/services/``;
            where it is not the native path, such a call has ``messages`` and
            ``choices``, whatever the two forms below say of tasks.
        input_form: The field of ``input`` that holds the request: ``"messages"`` (one
            user message of text and media), ``"prompt"``, ``"prompt+images"`` (an
            ``images`` list beside it), ``"image_url"``, ``"base_image_url"`` (with
            ``function``), ``"media"`` (a list of type and URL beside the prompt),
            ``"img_url"`` (and ``audio_url``), ``"frames"`` (``first_frame_url``,
            ``last_frame_url``), ``"file_url"``, ``"file_urls"``, ``"url"``.
        result_form: Where the result is: ``output.choices``, ``output.results``,
            ``output.image_url``, ``output.video_url``, ``output.url``,
            ``output.text``; ``"transcription"``: a ``transcription_url`` in
            ``output.results`` or ``output.result``.
        default_n: How many images are made, and billed, where ``n`` is not sent.
        n_range: The smallest and the largest ``n``.
        input_images: The fewest and the most images of a request.
        max_prompt_characters: The most characters of the prompt.
        size_parameter: The parameter that sets the size of a video.
        poll_seconds: The seconds before the first query of a task, and the most
            between two queries.
    """

    kind: ClassVar[ModelKind] = "media"

    calls: MediaCalls | None = None
    sync_path: str | None = None
    input_form: MediaInput | None = None
    result_form: MediaResult | None = None
    default_n: int | None = None
    n_range: tuple[int, int] | None = None
    input_images: tuple[int, int] | None = None
    max_prompt_characters: int | None = None
    size_parameter: Literal["size", "resolution"] | None = None
    poll_seconds: tuple[float, float] = (3.0, 15.0)
