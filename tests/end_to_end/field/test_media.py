"""Images, video, audio and files as people send them, and what arrives."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    VideoBlock,
)

from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from tests.core.support import UNKNOWN_MODEL
from tests.end_to_end.field.media_support import (
    AUDIO_BYTES,
    CASES,
    EVERY_CALL,
    JPEG_BYTES,
    MP4_BYTES,
    PDF_BYTES,
    PNG_BYTES,
    base64_of,
    chat_through,
    content_of,
    sent_by,
)
from tests.support.calls import CallStyle, call
from tests.support.media_server import serve_media
from tests.support.models import PROTOCOLS, Protocol
from tests.support.models import model as create_model
from tests.support.recordings import native_exchanges
from tests.support.responses import summarize

VISION, OMNI, TEXT_ONLY, LONG = (
    "qwen3.8-max",
    "qwen3-omni-flash",
    "qwen-max",
    "qwen-long",
)
PNG, JPEG, WAV, MP4, PDF = map(
    base64_of, (PNG_BYTES, JPEG_BYTES, AUDIO_BYTES, MP4_BYTES, PDF_BYTES)
)
A_PNG, A_MP4, A_MP3, A_PDF = (
    f"https://x.example/a.{suffix}" for suffix in ("png", "mp4", "mp3", "pdf")
)
FRAMES = [f"https://x.example/{number}.png" for number in range(4)]
EPHEMERAL = {"type": "ephemeral"}
SETTINGS = {"fps": 2, "max_frames": 64, "min_pixels": 4096, "total_pixels": 9_999_999}


def image(url: str = A_PNG, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an image in the form of each protocol."""
    openai = {"type": "image_url", "image_url": {"url": url}, **more}
    return openai, {"image": url, **more}


def video(url: Any = A_MP4, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if isinstance(url, list):
        return {"type": "video", "video": url, **more}, {"video": url, **more}
    openai = {"type": "video_url", "video_url": {"url": url}, **more}
    return openai, {"video": url, **more}


def audio(url: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    openai = {"type": "input_audio", "input_audio": {"data": url, "format": name}}
    return openai, {"audio": url}


def pdf_at(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"type": "file", "file": {"file_url": url}}, {"file_url": url}


def pdf_data(filename: str) -> tuple[dict[str, Any], dict[str, Any]]:
    file = {"file_data": f"data:application/pdf;base64,{PDF}", "filename": filename}
    return {"type": "file", "file": {**file, "file_format": "pdf"}}, file


def text(words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"type": "text", "text": words}, {"text": words}


def expected_of(both: tuple[Any, Any], protocol: Protocol) -> Any:
    return both[PROTOCOLS.index(protocol)]


# --- LangChain's blocks -------------------------------------------------------------

LANGCHAIN: dict[str, tuple[str, dict[str, Any], tuple[Any, Any]]] = {
    "image by url": (VISION, {"type": "image", "url": A_PNG}, image()),
    "image in base64": (
        VISION,
        {"type": "image", "base64": JPEG, "mime_type": "image/jpg"},
        image(f"data:image/jpeg;base64,{JPEG}"),
    ),
    "extras of an image": (
        VISION,
        {"type": "image", "url": A_PNG, "extras": {"max_pixels": 9, "min_pixels": 4}},
        image(max_pixels=9, min_pixels=4),
    ),
    "image in base64 of LangChain 0, with a key": (
        VISION,
        {
            "type": "image",
            "source_type": "base64",
            "data": PNG,
            "mime_type": "image/png",
            "max_pixels": 9,
        },
        image(f"data:image/png;base64,{PNG}", max_pixels=9),
    ),
    "OpenAI's image with a detail": (
        VISION,
        {"type": "image_url", "image_url": {"url": A_PNG, "detail": "high"}},
        (
            {"type": "image_url", "image_url": {"url": A_PNG, "detail": "high"}},
            {"image": A_PNG, "detail": "high"},
        ),
    ),
    "OpenAI's image with a cache marker": (
        VISION,
        {
            "type": "image_url",
            "image_url": {"url": A_PNG},
            "cache_control": EPHEMERAL,
        },
        image(cache_control=EPHEMERAL),
    ),
    "an image to rotate": (
        "qwen-vl-ocr",
        {"type": "image_url", "image_url": {"url": A_PNG}, "enable_rotate": True},
        image(enable_rotate=True),
    ),
    "a key of tomorrow": (
        VISION,
        {"type": "image_url", "image_url": {"url": A_PNG}, "new_key": 1},
        image(new_key=1),
    ),
    "Anthropic's image": (
        VISION,
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": PNG},
        },
        image(f"data:image/png;base64,{PNG}"),
    ),
    "OpenAI's image of the Responses API": (
        VISION,
        {"type": "input_image", "image_url": A_PNG},
        image(),
    ),
    "DashScope's image": (
        VISION,
        {"image": A_PNG, "max_pixels": 9},
        image(max_pixels=9),
    ),
    "Qwen's image": (VISION, {"type": "image", "image": A_PNG}, image()),
    "video with keys": (
        VISION,
        {"type": "video_url", "video_url": {"url": A_MP4}, **SETTINGS},
        video(**SETTINGS),
    ),
    "video with extras": (
        VISION,
        {"type": "video", "url": A_MP4, "extras": SETTINGS},
        video(**SETTINGS),
    ),
    "video in base64": (
        VISION,
        {"type": "video", "base64": MP4, "mime_type": "video/mp4"},
        video(f"data:video/mp4;base64,{MP4}"),
    ),
    "frames": (
        VISION,
        {"type": "video", "video": FRAMES, "fps": 1},
        video(FRAMES, fps=1),
    ),
    "DashScope's frames": (VISION, {"video": FRAMES, "fps": 1}, video(FRAMES, fps=1)),
    "DashScope's video": (VISION, {"video": A_MP4, "fps": 1}, video(fps=1)),
    "OpenAI's audio by url": (
        OMNI,
        {"type": "input_audio", "input_audio": {"data": A_MP3, "format": "mp3"}},
        audio(A_MP3, "mp3"),
    ),
    "OpenAI's audio as a data url": (
        OMNI,
        {
            "type": "input_audio",
            "input_audio": {"data": f"data:;base64,{WAV}", "format": "wav"},
        },
        audio(f"data:;base64,{WAV}", "wav"),
    ),
    "OpenAI's audio without a format": (
        OMNI,
        {"type": "input_audio", "input_audio": {"data": A_MP3}},
        audio(A_MP3, "mp3"),
    ),
    "audio by url": (OMNI, {"type": "audio", "url": A_MP3}, audio(A_MP3, "mp3")),
    "audio/mpeg": (
        OMNI,
        {"type": "audio", "base64": "SUQzBAA=", "mime_type": "audio/mpeg"},
        audio("data:audio/mpeg;base64,SUQzBAA=", "mp3"),
    ),
    "audio/x-wav": (
        OMNI,
        {"type": "audio", "base64": WAV, "mime_type": "audio/x-wav"},
        audio(f"data:audio/x-wav;base64,{WAV}", "wav"),
    ),
    "audio by url of a wave": (
        OMNI,
        {"type": "audio", "url": "https://x.example/a?b", "mime_type": "audio/wave"},
        audio("https://x.example/a?b", "wav"),
    ),
    "vLLM's audio": (
        OMNI,
        {"type": "audio_url", "audio_url": {"url": A_MP3}},
        audio(A_MP3, "mp3"),
    ),
    "DashScope's audio": (OMNI, {"audio": A_MP3}, audio(A_MP3, "mp3")),
    "Gemini's media": (
        OMNI,
        {"type": "media", "mime_type": "audio/wav", "data": WAV},
        audio(f"data:audio/wav;base64,{WAV}", "wav"),
    ),
    "Gemini's media in bytes": (
        VISION,
        {"type": "media", "mime_type": "image/png", "data": PNG_BYTES},
        image(f"data:image/png;base64,{PNG}"),
    ),
    "Gemini's inline data": (
        VISION,
        {"inline_data": {"mime_type": "image/png", "data": PNG_BYTES}},
        image(f"data:image/png;base64,{PNG}"),
    ),
    "Gemini's inline data of its REST API": (
        VISION,
        {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
        pdf_data("file.pdf"),
    ),
    "Gemini's file": (
        VISION,
        {"fileData": {"mimeType": "image/png", "fileUri": A_PNG}},
        image(),
    ),
    "Bedrock's image": (
        VISION,
        {"image": {"format": "png", "source": {"bytes": PNG_BYTES}}},
        image(f"data:image/png;base64,{PNG}"),
    ),
    "Bedrock's video": (
        VISION,
        {"video": {"format": "mp4", "source": {"bytes": MP4_BYTES}}},
        video(f"data:video/mp4;base64,{MP4}"),
    ),
    "Bedrock's document": (
        VISION,
        {
            "document": {
                "format": "pdf",
                "name": "b.pdf",
                "source": {"bytes": PDF_BYTES},
            }
        },
        pdf_data("b.pdf"),
    ),
    "image in bytes": (
        VISION,
        {"type": "image", "base64": JPEG_BYTES},
        image(f"data:image/jpeg;base64,{JPEG}"),
    ),
    "DashScope's image in bytes": (
        VISION,
        {"image": memoryview(PNG_BYTES), "max_pixels": 9},
        image(f"data:image/png;base64,{PNG}", max_pixels=9),
    ),
    "frames in bytes": (
        VISION,
        {"type": "video", "video": [PNG_BYTES] * 4},
        video([f"data:image/png;base64,{PNG}"] * 4),
    ),
    "Ollama's image in base64 without a prefix": (
        VISION,
        {"type": "image_url", "image_url": JPEG},
        image(f"data:image/jpeg;base64,{JPEG}"),
    ),
    "PDF in base64 without a prefix": (
        VISION,
        {"type": "file", "url": PDF},
        pdf_data("file.pdf"),
    ),
    "PDF by url": (VISION, {"type": "file", "url": A_PDF}, pdf_at(A_PDF)),
    "PDF in base64": (
        VISION,
        {
            "type": "file",
            "base64": PDF,
            "mime_type": "application/pdf",
            "extras": {"filename": "b.pdf"},
        },
        pdf_data("b.pdf"),
    ),
    "OpenAI's PDF": (
        VISION,
        {
            "type": "file",
            "file": {
                "filename": "b.pdf",
                "file_data": f"data:application/pdf;base64,{PDF}",
            },
        },
        pdf_data("b.pdf"),
    ),
    "the service's PDF": (
        VISION,
        {
            "type": "file",
            "file": {
                "filename": "b.pdf",
                "file_format": "pdf",
                "file_data": f"data:application/pdf;base64,{PDF}",
            },
        },
        pdf_data("b.pdf"),
    ),
    "the service's PDF by url": (
        VISION,
        {"type": "file", "file": {"file_url": A_PDF}},
        pdf_at(A_PDF),
    ),
    "Anthropic's document": (
        VISION,
        {
            "type": "document",
            "title": "b.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
        },
        pdf_data("b.pdf"),
    ),
    "OpenAI's PDF of the Responses API": (
        VISION,
        {"type": "input_file", "file_url": A_PDF},
        pdf_at(A_PDF),
    ),
    "an image as a file": (
        VISION,
        {"type": "file", "base64": PNG, "mime_type": "image/png"},
        image(f"data:image/png;base64,{PNG}"),
    ),
    "an image as a file of any type": (
        VISION,
        {"type": "file", "base64": PNG, "mime_type": "application/octet-stream"},
        image(f"data:image/png;base64,{PNG}"),
    ),
    "text by url": (
        VISION,
        {"type": "text-plain", "url": "https://x.example/a.txt"},
        pdf_at("https://x.example/a.txt"),
    ),
}
# The words after the media keep the content a list on both protocols.
WORDS = {"type": "text", "text": "What is it?"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", LANGCHAIN)
def test_a_langchain_block_is_sent_with_its_keys(name: str, protocol: Protocol) -> None:
    model, block, both = LANGCHAIN[name]
    sent = sent_by("LangChain", protocol, [HumanMessage([block, WORDS])], model=model)
    words = WORDS if protocol == "openai" else {"text": "What is it?"}
    assert content_of(sent) == [expected_of(both, protocol), words]
    assert "x-dashscope-ossresourceresolve" not in sent.headers


TEXTS: dict[str, dict[str, Any]] = {
    "text": {"type": "text-plain", "text": "Grüße"},
    "base64": {
        "type": "text-plain",
        "base64": base64_of("Grüße".encode()),
        "mime_type": "text/plain",
    },
    "a file": {
        "type": "file",
        "base64": base64_of("Grüße".encode()),
        "mime_type": "text/markdown",
    },
    "Anthropic's": {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"},
    },
    "OpenAI's file": {
        "type": "file",
        "file": {
            "file_data": f"data:text/plain;base64,{base64_of('Grüße'.encode())}",
            "filename": "a.txt",
        },
    },
    "the name of a file": {
        "type": "file",
        "base64": base64_of("Grüße".encode()),
        "filename": "a.md",
    },
    "bytes": {"type": "text-plain", "base64": "Grüße".encode()},
    "Bedrock's": {"document": {"format": "md", "source": {"bytes": "Grüße".encode()}}},
    "Bedrock's in words": {"document": {"source": {"text": "Grüße"}}},
    "DashScope's": {"text": "Grüße"},
    "OpenAI's of the Responses API": {"type": "input_text", "text": "Grüße"},
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_document_is_sent_as_text(name: str, protocol: Protocol) -> None:
    sent = sent_by(
        "LangChain", protocol, [HumanMessage([TEXTS[name]])], model=TEXT_ONLY
    )
    assert sent.messages == [{"role": "user", "content": "Grüße"}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_cache_point_of_bedrock_marks_the_block_before_it(protocol: Protocol) -> None:
    point = {"cachePoint": {"type": "default"}}
    sent = sent_by(
        "LangChain", protocol, [HumanMessage([{"image": A_PNG}, point, WORDS])]
    )
    assert content_of(sent)[0] == expected_of(image(cache_control=EPHEMERAL), protocol)


@EVERY_CALL
@pytest.mark.parametrize("form", ["LangChain 1", "LangChain 0"])
async def test_an_image_without_a_mime_type_is_sent_with_the_type_of_its_bytes(
    style: CallStyle, protocol: Protocol, form: str
) -> None:
    """LangChain's tracing raises a bare ``ValueError`` for such a block."""
    if style.framework == "LlamaIndex":
        messages: list[Any] = [
            ChatMessage(role="user", blocks=[ImageBlock(image=JPEG_BYTES)])
        ]
    elif form == "LangChain 1":
        messages = [HumanMessage([{"type": "image", "base64": JPEG}])]
    else:
        block = {"type": "image", "source_type": "base64", "data": JPEG}
        messages = [HumanMessage(["See:", block])]
    before = [message.model_copy(deep=True) for message in messages]
    with serve_media() as server:
        await chat_through(server, style, protocol, messages, model=VISION)
        sent = content_of(server.chat)[-1]
    assert sent == expected_of(image(f"data:image/jpeg;base64,{JPEG}"), protocol)
    assert messages == before


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_image_without_a_mime_type_is_sent_by_generate_too(
    protocol: Protocol,
) -> None:
    prompt: list[Any] = [HumanMessage([{"type": "image", "base64": PNG}])]
    form = expected_of(image(f"data:image/png;base64,{PNG}"), protocol)
    with serve_media() as server:
        llm = create_model("LangChain", server.base_url, protocol, model=VISION)
        llm.generate([prompt])
        await llm.agenerate([prompt])
        llm.batch([prompt])
        assert [content_of(sent) for sent in server.chats] == [[form]] * 3


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ({"type": "image", "base64": 5}, "expected a string"),
        ({"type": "image"}, "needs url, base64 or file_id"),
        ({"type": "image_url"}, "missing key 'image_url'"),
        ({"type": "image", "url": 5}, "expected a string"),
        ({"type": "text-plain", "base64": "/w==", "mime_type": "text/plain"}, "UTF-8"),
        ({"type": "hologram", "url": A_PNG}, "type 'hologram' are not supported"),
        ({"type": "image", "url": "ftp://x.example/a.png"}, "must be an http, https"),
        ({"type": "image", "url": ""}, "needs url"),
    ],
)
def test_a_block_that_cannot_be_sent_is_an_error_before_a_request(
    block: dict[str, Any], problem: str
) -> None:
    with serve_media() as server:
        with pytest.raises(ConfigurationError, match=problem):
            _invoke(server.base_url, [HumanMessage([block])])
        assert server.requests == []


def _invoke(
    base_url: str,
    messages: Sequence[Any],
    model: str = VISION,
    protocol: Protocol = "openai",
) -> None:
    create_model("LangChain", base_url, protocol, model=model).invoke(messages)


# --- LlamaIndex's blocks ------------------------------------------------------------

POINT = CachePoint(cache_control=CacheControl(type="ephemeral"))
LLAMAINDEX: dict[str, tuple[str, list[Any], list[tuple[Any, Any]]]] = {
    "image by url": (VISION, [ImageBlock(url=A_PNG)], [image()]),
    "image in bytes": (
        VISION,
        [ImageBlock(image=PNG_BYTES)],
        [image(f"data:image/png;base64,{PNG}")],
    ),
    "image in a buffer": (
        VISION,
        [ImageBlock(image=BytesIO(JPEG_BYTES))],
        [image(f"data:image/jpeg;base64,{JPEG}")],
    ),
    "a cache point after an image": (
        VISION,
        [ImageBlock(url=A_PNG), POINT],
        [image(cache_control=EPHEMERAL)],
    ),
    "a cache point after a video": (
        VISION,
        [VideoBlock(url=A_MP4, fps=2), POINT],
        [video(fps=2, cache_control=EPHEMERAL)],
    ),
    "a detail": (
        VISION,
        [ImageBlock(url=A_PNG, detail="low")],
        [
            (
                {"type": "image_url", "image_url": {"url": A_PNG, "detail": "low"}},
                {"image": A_PNG, "detail": "low"},
            )
        ],
    ),
    "video with fps": (VISION, [VideoBlock(url=A_MP4, fps=2)], [video(fps=2)]),
    "video in bytes": (
        VISION,
        [VideoBlock(video=MP4_BYTES, fps=5)],
        [video(f"data:video/mp4;base64,{MP4}", fps=5)],
    ),
    "audio by url": (OMNI, [AudioBlock(url=A_MP3)], [audio(A_MP3, "mp3")]),
    "audio in bytes": (
        OMNI,
        [AudioBlock(audio=AUDIO_BYTES)],
        [audio(f"data:audio/wav;base64,{WAV}", "wav")],
    ),
    "audio with the name of a MIME type": (
        OMNI,
        [AudioBlock(url="https://x.example/a", format="mpeg")],
        [audio("https://x.example/a", "mp3")],
    ),
    "PDF in bytes": (
        VISION,
        [DocumentBlock(data=PDF_BYTES, title="b.pdf")],
        [pdf_data("b.pdf")],
    ),
    "PDF by url": (VISION, [DocumentBlock(url=A_PDF)], [pdf_at(A_PDF)]),
    "cited PDF": (
        VISION,
        [
            CitableBlock(
                title="B",
                source="s.pdf",
                content=[DocumentBlock(data=PDF_BYTES, title="b.pdf")],
            )
        ],
        [text("Source: B, s.pdf"), pdf_data("b.pdf")],
    ),
    "a cited image whose title is its source": (
        VISION,
        [CitableBlock(title="a.png", source="a.png", content=[ImageBlock(url=A_PNG)])],
        [text("Source: a.png"), image()],
    ),
    "cited text without a name, and an image": (
        VISION,
        [
            CitableBlock(
                title="",
                source="",
                content=[TextBlock(text="Hi"), ImageBlock(url=A_PNG)],
            )
        ],
        [text("Hi"), image()],
    ),
    "a citation": (
        VISION,
        [
            CitationBlock(
                cited_content=ImageBlock(url=A_PNG),
                source="s",
                title="t",
                additional_location_info={},
            )
        ],
        [text("Source: t, s"), image()],
    ),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", LLAMAINDEX)
def test_a_llamaindex_block_is_sent_with_its_fields(
    name: str, protocol: Protocol
) -> None:
    model, blocks, both = LLAMAINDEX[name]
    message = ChatMessage(role="user", blocks=[*blocks, TextBlock(text="What is it?")])
    sent = sent_by("LlamaIndex", protocol, [message], model=model)
    words = WORDS if protocol == "openai" else {"text": "What is it?"}
    assert content_of(sent) == [*(expected_of(one, protocol) for one in both), words]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cited_text_is_sent_below_its_title_and_its_source(protocol: Protocol) -> None:
    cited = CitableBlock(title="B", source="b.md", content=[TextBlock(text="Rex.")])
    blocks = [cited, TextBlock(text="Which dog?")]
    message = ChatMessage(role="user", blocks=blocks)
    sent = sent_by("LlamaIndex", protocol, [message], model=TEXT_ONLY)
    words = "Source: B, b.md\nRex.\nWhich dog?"
    assert sent.messages == [{"role": "user", "content": words}]


TITLED: dict[str, dict[str, Any]] = {
    "text": {**TEXTS["text"], "title": "Letter"},
    "extras": {**TEXTS["text"], "extras": {"title": "Letter"}},
    "base64": {**TEXTS["base64"], "title": "Letter"},
    "a file": {**TEXTS["a file"], "title": "Letter"},
    "Anthropic's": {**TEXTS["Anthropic's"], "title": "Letter"},
    "Bedrock's": {
        "document": {
            "format": "txt",
            "name": "Letter",
            "source": {"bytes": "Grüße".encode()},
        }
    },
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", TITLED)
def test_the_title_of_a_text_document_is_before_its_text(
    name: str, protocol: Protocol
) -> None:
    message = HumanMessage([TITLED[name], WORDS])
    sent = sent_by("LangChain", protocol, [message], model=TEXT_ONLY)
    words = "Source: Letter\nGrüße\nWhat is it?"
    assert sent.messages == [{"role": "user", "content": words}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_context_of_a_text_document_is_before_its_text(protocol: Protocol) -> None:
    block = {**TEXTS["text"], "title": "Letter", "context": "Of my aunt."}
    sent = sent_by("LangChain", protocol, [HumanMessage([block])], model=TEXT_ONLY)
    words = "Source: Letter\nOf my aunt.\nGrüße"
    assert sent.messages == [{"role": "user", "content": words}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("is_file", [False, True])
def test_the_title_of_llamaindex_s_text_document_is_before_its_text(
    protocol: Protocol, is_file: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Grüße", encoding="utf-8")
    source: dict[str, Any] = {"path": path}
    if not is_file:
        source = {"data": "Grüße".encode(), "document_mimetype": "text/plain"}
    for title, before in (("Letter", "Source: Letter\n"), (None, "")):
        block = DocumentBlock(title=title, **source)
        message = ChatMessage(role="user", blocks=[block])
        sent = sent_by("LlamaIndex", protocol, [message], model=TEXT_ONLY)
        assert sent.messages == [{"role": "user", "content": f"{before}Grüße"}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_text_document_block_is_sent_as_text(
    protocol: Protocol, tmp_path: Path
) -> None:
    path = tmp_path / "notes.md"
    path.write_text("Grüße", encoding="utf-8")
    for block in (
        DocumentBlock(path=path),
        DocumentBlock(path=str(path)),
        DocumentBlock(data="Grüße".encode(), document_mimetype="text/plain"),
        DocumentBlock(data="Grüße".encode()),
    ):
        message = ChatMessage(role="user", blocks=[block])
        sent = sent_by("LlamaIndex", protocol, [message], model=TEXT_ONLY)
        assert sent.messages == [{"role": "user", "content": "Grüße"}]


@pytest.mark.parametrize(
    "block",
    [
        DocumentBlock(data=b"PK\x03\x04", title="a.docx", document_mimetype="a/docx"),
        DocumentBlock(data=b"\xff\xfe\x00"),
    ],
)
def test_a_llamaindex_block_that_cannot_be_sent_is_an_error(block: Any) -> None:
    with pytest.raises(ConfigurationError, match="DocumentBlock"):
        sent_by("LlamaIndex", "openai", [ChatMessage(role="user", blocks=[block])])


def test_another_lifetime_of_a_cache_point_is_a_warning() -> None:
    point = CachePoint(cache_control=CacheControl(type="ephemeral", ttl="1h"))
    message = ChatMessage(role="user", blocks=[ImageBlock(url=A_PNG), point])
    with pytest.warns(ModelStudioWarning, match="ttl='1h'"):
        sent = sent_by("LlamaIndex", "openai", [message])
    assert content_of(sent) == [image(cache_control=EPHEMERAL)[0]]


# --- Files by their ids -------------------------------------------------------------


@CASES
def test_file_ids_go_into_a_system_message(framework: str, protocol: Protocol) -> None:
    """Only qwen-long and qwen-doc-turbo read them."""
    words, ids = "Compare them.", ("file-fe-1", "fileid://file-fe-2", "file-fe-1")
    messages: list[Any]
    if framework == "LangChain":
        blocks = [{"type": "file", "file_id": one} for one in ids]
        messages = [SystemMessage("Be brief."), HumanMessage([*blocks, words])]
    else:
        urls = [one if "//" in one else f"fileid://{one}" for one in ids]
        documents = [DocumentBlock(url=url) for url in urls]
        messages = [
            ChatMessage(role="system", content="Be brief."),
            ChatMessage(role="user", blocks=[*documents, TextBlock(text=words)]),
        ]
    sent = sent_by(framework, protocol, messages, model=LONG)
    assert sent.messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "fileid://file-fe-1,fileid://file-fe-2"},
        {"role": "user", "content": words},
    ]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "file", "file": {"file_id": "file-fe-1"}},
        {"type": "file", "source_type": "id", "id": "file-fe-1"},
        {"type": "document", "source": {"type": "file", "file_id": "file-fe-1"}},
        {"type": "input_file", "file_id": "file-fe-1"},
    ],
)
def test_a_file_id_is_read_from_the_blocks_of_other_providers(block: Any) -> None:
    message = HumanMessage([block, "Sum it up."])
    sent = sent_by("LangChain", "openai", [message], model="qwen-doc-turbo")
    assert sent.messages[0] == {"role": "system", "content": "fileid://file-fe-1"}


@EVERY_CALL
async def test_a_file_that_was_uploaded_is_read_by_every_call(
    modelstudio_emulator: Emulator, style: CallStyle, protocol: Protocol
) -> None:
    url = f"{modelstudio_emulator.base_url}/compatible-mode/v1"
    with openai.OpenAI(base_url=url, api_key=modelstudio_emulator.api_key) as sdk:
        purpose: Any = "file-extract"
        content = ("dog.txt", b"The dog is Rex.")
        file = sdk.files.create(file=content, purpose=purpose)
    question = "Which dog is it?"
    if style.framework == "LangChain":
        block = {"type": "file", "file_id": file.id}
        message: Any = HumanMessage([block, {"type": "text", "text": question}])
    else:
        document = DocumentBlock(url=f"fileid://{file.id}")
        blocks = [document, TextBlock(text=question)]
        message = ChatMessage(role="user", blocks=blocks)
    llm = create_model(style.framework, modelstudio_emulator, protocol, model=LONG)
    answer = await call(llm, style, [message])
    assert "Rex" in summarize(answer).text


def test_a_file_id_for_another_model_is_an_error() -> None:
    message = HumanMessage([{"type": "file", "file_id": "file-fe-1"}])
    with pytest.raises(ConfigurationError, match="qwen-long"):
        sent_by("LangChain", "openai", [message], model=VISION)


# --- Models -------------------------------------------------------------------------


URLS = {"image": A_PNG, "video": A_MP4, "audio": A_MP3, "pdf": A_PDF}
BLOCKS: dict[str, Any] = {
    "image": ImageBlock(url=A_PNG),
    "video": VideoBlock(url=A_MP4),
    "audio": AudioBlock(url=A_MP3),
    "pdf": DocumentBlock(url=A_PDF),
}


@EVERY_CALL
async def test_media_are_sent_by_every_call(
    style: CallStyle, protocol: Protocol
) -> None:
    message = (
        HumanMessage([{"type": "image", "url": A_PNG}])
        if style.framework == "LangChain"
        else ChatMessage(role="user", blocks=[ImageBlock(url=A_PNG)])
    )
    with serve_media() as server:
        await chat_through(server, style, protocol, [message], model=VISION)
        assert content_of(server.chat) == [expected_of(image(), protocol)]


@pytest.mark.parametrize(
    "model", [UNKNOWN_MODEL, "qwen2.5-vl-72b-instruct", "gui-plus"]
)
def test_media_take_the_multimodal_path(model: str) -> None:
    message = HumanMessage([{"type": "image", "url": A_PNG}])
    sent = sent_by("LangChain", "dashscope", [message], model=model)
    assert sent.path.endswith("/multimodal-generation/generation")
    assert content_of(sent) == [{"image": A_PNG}]


@CASES
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (TEXT_ONLY, "image"),
        ("deepseek-v4-pro", "image"),
        ("qwen3.7-max", "video"),
        ("qwen3-vl-plus", "audio"),
        ("qwen3-vl-plus", "pdf"),
    ],
)
def test_an_input_that_a_model_does_not_take_is_an_error(
    framework: str, protocol: Protocol, model: str, kind: str
) -> None:
    block = {"type": "file" if kind == "pdf" else kind, "url": URLS[kind]}
    message = (
        HumanMessage([block])
        if framework == "LangChain"
        else ChatMessage(role="user", blocks=[BLOCKS[kind]])
    )
    with pytest.raises(ConfigurationError, match=rf"{model} does not support"):
        sent_by(framework, protocol, [message], model=model)


@CASES
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("kimi-k2.5", "image"),
        ("kimi-k2.6", "video"),
        ("MiniMax/MiniMax-M3", "image"),
        ("gui-plus", "image"),
        ("qwen3.5-omni-plus", "audio"),
        ("qwen3.8-omni-flash", "audio"),
        ("qwen3.8-omni-flash", "video"),
        ("qwen3.8-flash", "pdf"),
    ],
)
def test_an_input_that_a_newer_page_allows_is_sent(
    framework: str, protocol: Protocol, model: str, kind: str
) -> None:
    if framework == "LangChain":
        block = {"type": "file" if kind == "pdf" else kind, "url": URLS[kind]}
        message: Any = HumanMessage([block])
    else:
        message = ChatMessage(role="user", blocks=[BLOCKS[kind]])
    sent = sent_by(framework, protocol, [message], model=model)
    forms = {
        "image": image(),
        "video": video(),
        "audio": audio(A_MP3, "mp3"),
        "pdf": pdf_at(A_PDF),
    }
    assert content_of(sent) == [expected_of(forms[kind], protocol)]
    if protocol == "dashscope":
        assert sent.path.endswith("/multimodal-generation/generation")


def test_a_doubt_about_a_model_of_a_family_is_a_warning_and_the_request_is_sent() -> (
    None
):
    message = HumanMessage([{"type": "image", "url": A_PNG}])
    model = "deepseek-chat-of-tomorrow"
    with pytest.warns(ModelStudioWarning, match="does not support image") as warned:
        requests = [
            sent_by("LangChain", "openai", [message], model=model) for _ in range(2)
        ]
    assert [content_of(sent) for sent in requests] == [[image()[0]]] * 2
    assert len(warned) == 1


# --- Limits -------------------------------------------------------------------------

TOO_MUCH: dict[str, tuple[str, list[Any], str]] = {
    "an SVG": (
        VISION,
        [{"type": "image", "base64": "PHN2Zz4=", "mime_type": "image/svg+xml"}],
        "does not support image/svg",
    ),
    "an image over 20 MB": (
        VISION,
        [{"type": "image", "base64": "A" * 30_000_000, "mime_type": "image/png"}],
        "may have 20 MB",
    ),
    "a video over 10 MB": (
        VISION,
        [{"type": "video", "base64": "A" * 11_000_000, "mime_type": "video/mp4"}],
        "may have 10 MB",
    ),
    "no frames": (VISION, [{"video": []}], "A video must have frames"),
    "no frames of a snapshot": (
        "qwen3-vl-plus-2099-01-01",
        [{"video": []}],
        "A video must have frames",
    ),
    "three frames": (VISION, [{"video": FRAMES[:3]}], "4 to 8000 frames, got 3"),
    "251 images": (
        VISION,
        [{"type": "image", "base64": PNG, "mime_type": "image/png"}] * 251,
        "at most 250 image inputs as base64, got 251",
    ),
    "65 videos": (
        VISION,
        [{"type": "video", "url": A_MP4}] * 65,
        "at most 64 video inputs as URLs, got 65",
    ),
    "a sound in a rare format": (
        OMNI,
        [{"type": "audio", "base64": "AAAA", "mime_type": "audio/midi"}],
        "does not support audio/midi",
    ),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_over_a_documented_limit_is_not_sent(
    name: str, protocol: Protocol
) -> None:
    model, blocks, problem = TOO_MUCH[name]
    with serve_media() as server:
        with pytest.raises(ConfigurationError, match=problem):
            _invoke(
                server.base_url, [HumanMessage(blocks)], model=model, protocol=protocol
            )
        assert server.requests == []


# --- Answers that are sent back -----------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "answer",
    [
        AIMessage("Hello.", additional_kwargs={"audio": {"data": WAV, "id": "a"}}),
        AIMessage(
            "", additional_kwargs={"audio": {"data": "", "transcript": "Hello."}}
        ),
        AIMessage([{"type": "audio", "base64": WAV, "transcript": "Hello."}]),
        AIMessage(
            [
                {"type": "text", "text": "Hello."},
                {"type": "audio", "base64": WAV, "extras": {"transcript": "Hello."}},
            ]
        ),
        AIMessage(
            [
                {"type": "text", "text": "Hello."},
                {"type": "audio", "base64": WAV, "mime_type": "audio/wav"},
            ]
        ),
        ChatMessage(
            role="assistant",
            blocks=[TextBlock(text="Hello."), AudioBlock(audio=AUDIO_BYTES)],
        ),
    ],
)
def test_speech_is_sent_back_as_its_transcript(answer: Any, protocol: Protocol) -> None:
    is_langchain = isinstance(answer, AIMessage)
    question: Any = (
        HumanMessage("Hi") if is_langchain else ChatMessage(role="user", content="Hi")
    )
    framework = "LangChain" if is_langchain else "LlamaIndex"
    sent = sent_by(framework, protocol, [question, answer, question], model=OMNI)
    content = sent.messages[1]["content"]
    assert content == ("Hello." if protocol == "openai" else [{"text": "Hello."}])
    assert len(sent.messages) == 3


@CASES
def test_an_image_of_an_answer_is_shown_by_a_user_message(
    framework: str, protocol: Protocol
) -> None:
    """The service accepts only text in an assistant's message."""
    messages: list[Any]
    if framework == "LangChain":
        blocks: list[Any] = [{"type": "text", "text": "Here."}, {"image": A_PNG}]
        messages = [HumanMessage("Hi"), AIMessage(blocks), HumanMessage("Edit it.")]
    else:
        messages = [
            ChatMessage(role="user", content="Hi"),
            ChatMessage(
                role="assistant",
                blocks=[TextBlock(text="Here."), ImageBlock(url=A_PNG)],
            ),
            ChatMessage(role="user", content="Edit it."),
        ]
    sent = sent_by(framework, protocol, messages)
    roles = [message["role"] for message in sent.messages]
    assert roles == ["user", "assistant", "user", "user"]
    assert expected_of(image(), protocol) in content_of(sent, 2)
    assert "Here." in str(sent.messages[1]["content"])


# --- Recorded requests --------------------------------------------------------------


def _recorded_contents(exchange: Any) -> list[Any]:
    """Return the contents of a recorded request's user messages that are lists."""
    messages = exchange.request.get("input", {}).get("messages", [])
    contents = [m["content"] for m in messages if m["role"] == "user"]
    return [content for content in contents if isinstance(content, list)]


@pytest.mark.parametrize("exchange", native_exchanges())
def test_the_content_of_a_recorded_request_is_sent_unchanged(exchange: Any) -> None:
    contents = _recorded_contents(exchange)
    if not contents:
        return
    messages = [HumanMessage(content) for content in contents]
    model = exchange.request["model"]
    sent = sent_by("LangChain", "dashscope", messages, model=model)
    assert [message["content"] for message in sent.messages] == contents
