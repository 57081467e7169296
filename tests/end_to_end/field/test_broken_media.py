"""Broken media, and media that no model reads: what certainly fails is not sent."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    ToolCallBlock,
    VideoBlock,
)

from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from tests.end_to_end.field.media_support import (
    CASES,
    EVERY_CALL,
    PDF_BYTES,
    PNG_BYTES,
    base64_of,
    chat_through,
    content_of,
    sent_by,
)
from tests.support.calls import CallStyle
from tests.support.media_server import serve_media
from tests.support.models import PROTOCOLS, Protocol
from tests.support.models import model as create_model

VISION, OMNI, LONG = "qwen3.8-max", "qwen3-omni-flash", "qwen-long"
PNG, PDF = base64_of(PNG_BYTES), base64_of(PDF_BYTES)
WORDS = base64_of(b"hello world")
QUOTED = str(base64.b64encode(PNG_BYTES))
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ZIP = base64_of(b"PK\x03\x04 and so on")
NO_CHARACTERS = "characters that base64 does not have"
IS_QUOTED = r"base64\.b64encode\(data\)\.decode\(\)"


class Picture:
    """An object that is an image in memory, as of Pillow."""

    def __repr__(self) -> str:
        return "SECRET PIXELS"


def error_of(
    framework: str, blocks: Sequence[Any], model: str = VISION, **arguments: Any
) -> str:
    """Return the error for a message before anything is sent."""
    message = (
        HumanMessage([*blocks])
        if framework == "LangChain"
        else ChatMessage(role="user", blocks=[*blocks])
    )
    with serve_media() as server:
        llm: Any = create_model(
            "LangChain" if framework == "LangChain" else "LlamaIndex",
            server.base_url,
            model=model,
            **arguments,
        )
        call = llm.invoke if framework == "LangChain" else llm.chat
        with pytest.raises(ConfigurationError) as raised:
            call([message])
        assert server.requests == []
    return str(raised.value)


# --- What is no base64, and what shows no type --------------------------------------

BROKEN: dict[str, tuple[str, dict[str, Any], str]] = {
    "no base64": (VISION, {"type": "image", "base64": "not base64!!"}, NO_CHARACTERS),
    "no base64, with a type": (
        VISION,
        {"type": "image", "base64": "not base64!!", "mime_type": "image/png"},
        NO_CHARACTERS,
    ),
    "the form of bytes": (VISION, {"type": "image", "base64": QUOTED}, IS_QUOTED),
    "the form of bytes, with a type": (
        VISION,
        {"type": "image", "base64": QUOTED, "mime_type": "image/png"},
        IS_QUOTED,
    ),
    "the form of bytes in a URL": (
        VISION,
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{QUOTED}"}},
        IS_QUOTED,
    ),
    "a broken end": (
        VISION,
        {"type": "image", "base64": PNG * 9 + "!!!!", "mime_type": "image/png"},
        NO_CHARACTERS,
    ),
    "nothing": (
        VISION,
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
        "is empty",
    ),
    "a PDF as an image": (VISION, {"type": "image", "base64": PDF}, "application/pdf"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_data_are_refused_as_a_broken_file_is(name: str) -> None:
    model, block, problem = BROKEN[name]
    assert re.search(problem, error_of("LangChain", [block], model))


def test_a_block_of_llamaindex_that_shows_another_type_is_refused() -> None:
    assert "first bytes show" in error_of("LlamaIndex", [ImageBlock(image=PDF_BYTES)])


@EVERY_CALL
async def test_a_broken_image_is_refused_by_every_call(
    style: CallStyle, protocol: Protocol
) -> None:
    message: Any = (
        HumanMessage([{"type": "image", "base64": QUOTED}])
        if style.framework == "LangChain"
        else ChatMessage(role="user", blocks=[ImageBlock(image=PDF_BYTES)])
    )
    with serve_media() as server:
        with pytest.raises(ConfigurationError, match=r"begins with b'|first bytes"):
            await chat_through(server, style, protocol, [message], model=VISION)
        assert server.requests == []


PNG_URL = "data:image/png;base64,"
DOUBTFUL: dict[str, tuple[str, Any, str, str]] = {
    "a part": (
        VISION,
        {"type": "image", "base64": PNG[:-1], "mime_type": "image/png"},
        "may be incomplete",
        PNG_URL + PNG[:-1],
    ),
    "a URL that was cut": (
        VISION,
        {"type": "image_url", "image_url": {"url": f"{PNG_URL}{PNG[:9]}..."}},
        NO_CHARACTERS,
        f"{PNG_URL}{PNG[:9]}...",
    ),
    "words": (
        VISION,
        {"type": "image", "base64": WORDS},
        "sent as image/png",
        PNG_URL + WORDS,
    ),
    "words of any type": (
        VISION,
        {"type": "image", "base64": WORDS, "mime_type": "application/octet-stream"},
        "sent as image/png",
        PNG_URL + WORDS,
    ),
    "words in bytes": (
        VISION,
        {"type": "image", "base64": b"hello world"},
        "sent as image/png",
        PNG_URL + WORDS,
    ),
    "words in a URL": (
        VISION,
        {"type": "image_url", "image_url": {"url": f"data:;base64,{WORDS}"}},
        "sent as image/png",
        PNG_URL + WORDS,
    ),
    "a video": (
        VISION,
        {"type": "video", "base64": WORDS},
        "sent as video/mp4",
        f"data:video/mp4;base64,{WORDS}",
    ),
    "a frame": (
        VISION,
        {"type": "video", "video": [b"hello world"] * 4},
        "sent as image/png",
        PNG_URL + WORDS,
    ),
    "an image of LlamaIndex": (
        VISION,
        ImageBlock(image=b"hello world"),
        "sent as image/png",
        PNG_URL + WORDS,
    ),
    "a video of LlamaIndex": (
        VISION,
        VideoBlock(video=b"hello world"),
        "sent as video/mp4",
        f"data:video/mp4;base64,{WORDS}",
    ),
    "a sound of LlamaIndex": (
        OMNI,
        AudioBlock(audio=b"hello world"),
        "sent as audio/wav",
        f"data:audio/wav;base64,{WORDS}",
    ),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", DOUBTFUL)
def test_doubtful_data_are_sent_with_a_warning(name: str, protocol: Protocol) -> None:
    model, block, warning, url = DOUBTFUL[name]
    is_langchain = isinstance(block, dict)
    message: Any = (
        HumanMessage([block, "?"])
        if is_langchain
        else ChatMessage(role="user", blocks=[block])
    )
    framework: Any = "LangChain" if is_langchain else "LlamaIndex"
    with pytest.warns(ModelStudioWarning, match=re.escape(warning)):
        sent = sent_by(framework, protocol, [message], model=model)
    assert url in str(content_of(sent)[0])


TRUSTED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a MIME type": (
        VISION,
        {"type": "image", "base64": WORDS, "mime_type": "image/heic"},
        f"data:image/heic;base64,{WORDS}",
    ),
    "a format": (
        OMNI,
        {"type": "input_audio", "input_audio": {"data": WORDS, "format": "mp3"}},
        WORDS,
    ),
    "a format beside a URL without a type": (
        OMNI,
        {
            "type": "input_audio",
            "input_audio": {"data": f"data:;base64,{WORDS}", "format": "mp3"},
        },
        f"data:;base64,{WORDS}",
    ),
    "Bedrock's format": (
        VISION,
        {"image": {"format": "bmp", "source": {"bytes": b"hello world"}}},
        f"data:image/bmp;base64,{WORDS}",
    ),
    "lines": (
        VISION,
        {
            "type": "image",
            "base64": base64.encodebytes(PNG_BYTES * 9).decode(),
            "mime_type": "image/png",
        },
        "data:image/png;base64,",
    ),
}


@pytest.mark.parametrize("name", TRUSTED)
def test_what_names_its_type_is_sent_whatever_its_first_bytes_are(name: str) -> None:
    model, block, url = TRUSTED[name]
    sent = sent_by("LangChain", "openai", [HumanMessage([block, "?"])], model=model)
    assert url in str(content_of(sent)[0])


def test_the_format_of_an_audio_block_is_its_type() -> None:
    block = AudioBlock(audio=b"hello world", format="mp3")
    message = ChatMessage(role="user", blocks=[block])
    sent = sent_by("LlamaIndex", "openai", [message], model=OMNI)
    data = {"data": f"data:audio/mpeg;base64,{WORDS}", "format": "mp3"}
    assert content_of(sent) == [{"type": "input_audio", "input_audio": data}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("data", ["not base64!!", QUOTED, "iVBO", "", "iVBOR"])
def test_the_emulator_refuses_what_is_no_base64(
    modelstudio_emulator: Emulator, protocol: Protocol, data: str
) -> None:
    """The request bypasses the client's check, so only the emulator's rule applies."""
    url = f"data:image/png;BASE64,{data}"
    image = {"type": "image_url", "image_url": {"url": url}}
    content = [image if protocol == "openai" else {"image": url}]
    is_valid = data == "iVBO"
    prompt = {"messages": [{"role": "user", "content": content}]}
    body = {**prompt} if protocol == "openai" else {"input": prompt}
    path = (
        "/compatible-mode/v1/chat/completions"
        if protocol == "openai"
        else "/api/v1/services/aigc/multimodal-generation/generation"
    )
    response = httpx.post(
        modelstudio_emulator.base_url + path,
        json={"model": VISION, **body},
        headers={"Authorization": f"Bearer {modelstudio_emulator.api_key}"},
    )
    assert response.status_code == (200 if is_valid else 400)
    assert is_valid or "Failed to decode the image" in response.text


# --- Base64 without a prefix, and paths ---------------------------------------------


@pytest.mark.parametrize("address", ["photo.png", "/9j/4AAQSkZJRg", "//server/share"])
@pytest.mark.parametrize("kind", ["image", "audio"])
def test_a_path_is_not_taken_for_base64(address: str, kind: str) -> None:
    model = OMNI if kind == "audio" else VISION
    error = error_of("LangChain", [{"type": kind, "url": address}], model)
    assert "pass local_files=True" in error


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pdf_on_this_machine_is_sent_with_its_name(
    protocol: Protocol, tmp_path: Path
) -> None:
    path = tmp_path / "a b.pdf"
    path.write_bytes(PDF_BYTES)
    file: dict[str, Any] = {
        "file_data": f"data:application/pdf;base64,{PDF}",
        "filename": "a b.pdf",
    }
    openai = {"type": "file", "file": {**file, "file_format": "pdf"}}
    expected = openai if protocol == "openai" else file
    for url in (str(path), path.as_uri()):
        message = HumanMessage([{"type": "file", "url": url}, "?"])
        sent = sent_by("LangChain", protocol, [message], local_files=True)
        assert content_of(sent)[0] == expected


# --- Files that are neither PDF nor text --------------------------------------------

FILES: dict[str, dict[str, Any]] = {
    DOCX: {"type": "file", "base64": ZIP, "mime_type": DOCX, "filename": "a.docx"},
    "application/json": {
        "type": "file",
        "base64": base64_of(b"{}"),
        "mime_type": "application/json",
    },
    "application/zip": {
        "type": "media",
        "data": b"PK\x03\x04",
        "mime_type": "application/zip",
    },
    "application/octet-stream": {
        "type": "file",
        "base64": ZIP,
        "mime_type": "application/octet-stream",
    },
    "application/docx": {
        "document": {"format": "docx", "name": "a", "source": {"bytes": b"PK"}}
    },
    "unknown": {
        "type": "file",
        "file": {"file_data": f"data:{DOCX};base64,{ZIP}", "filename": "a.docx"},
    },
}


@pytest.mark.parametrize("model", [VISION, LONG])
@pytest.mark.parametrize("mime_type", FILES)
def test_a_file_that_is_neither_pdf_nor_text_is_refused(
    mime_type: str, model: str
) -> None:
    error = error_of("LangChain", [FILES[mime_type]], model)
    assert f"A file of type {mime_type} is not supported" in error
    assert "Model Studio accepts PDF and text" in error
    assert "pass its id ({'type': 'file', 'file_id': ...}) to 'qwen-long'" in error


# --- Values of other types ----------------------------------------------------------

STRANGE: list[tuple[dict[str, Any], str]] = [
    ({"type": "image_url", "image_url": Picture()}, "pass a URL, base64 text, or the"),
    ({"type": "image", "image": Picture()}, "an object of type Picture"),
    ({"type": "image", "base64": [PNG_BYTES]}, "an object of type list"),
    ({"type": "text", "text": PNG_BYTES}, "an object of type bytes"),
    ({"type": "hologram", "data": PNG_BYTES}, "its keys are 'type', 'data'"),
    ({"hologram": PNG_BYTES}, "its keys are 'hologram'"),
    ({}, "it is empty"),
    ({"type": "image", "extras": PNG_BYTES}, "expected a dict"),
    (
        {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://a/b"}}}},
        "needs url, base64 or file_id (its keys are 'type', 'format', 'source',",
    ),
]


@pytest.mark.parametrize(("block", "problem"), STRANGE, ids=str)
def test_an_error_about_a_block_shows_its_keys_and_not_its_bytes(
    block: dict[str, Any], problem: str
) -> None:
    error = error_of("LangChain", [block])
    assert problem in error
    assert "PNG" not in error
    assert "SECRET PIXELS" not in error


@CASES
def test_the_text_of_a_file_is_sent_without_its_byte_order_mark(
    framework: str, protocol: Protocol
) -> None:
    data = "\ufeffHello".encode()
    message: Any = (
        HumanMessage(
            [{"type": "file", "base64": base64_of(data), "mime_type": "text/plain"}]
        )
        if framework == "LangChain"
        else ChatMessage(role="user", blocks=[DocumentBlock(data=data)])
    )
    sent = sent_by(framework, protocol, [message])
    assert "Hello" in str(sent.messages)
    assert "ufeff" not in repr(sent.messages)


@pytest.mark.parametrize("data", [b"PK\x03\x04\xff", b"\xff\xd8\xff\xe0 JPEG"])
def test_a_document_of_llamaindex_that_is_neither_pdf_nor_text(data: bytes) -> None:
    error = error_of("LlamaIndex", [DocumentBlock(data=data)])
    assert "accepts PDF and text. Upload the file" in error
    assert "document_mimetype" not in error


# --- Results of tools ---------------------------------------------------------------


@CASES
@pytest.mark.parametrize("form", ["a file", "a broken image"])
def test_what_a_tool_returned_and_cannot_be_sent_does_not_end_an_agent(
    framework: str, protocol: Protocol, form: str
) -> None:
    messages: list[Any]
    if framework == "LangChain":
        call: Any = {"name": "read", "args": {}, "id": "1"}
        block = (
            FILES[DOCX]
            if form == "a file"
            else {"type": "image", "base64": QUOTED, "mime_type": "image/png"}
        )
        messages = [
            HumanMessage("Hi"),
            AIMessage("", tool_calls=[call]),
            ToolMessage([block], tool_call_id="1"),
        ]
    else:
        document = DocumentBlock(data=b"PK", title="a.docx", document_mimetype=DOCX)
        picture = ImageBlock(image=PDF_BYTES)
        messages = [
            ChatMessage(role="user", content="Hi"),
            ChatMessage(
                role="assistant",
                blocks=[ToolCallBlock(tool_call_id="1", tool_name="read")],
            ),
            ChatMessage(
                role="tool",
                blocks=[document if form == "a file" else picture],
                additional_kwargs={"tool_call_id": "1"},
            ),
        ]
    with pytest.warns(ModelStudioWarning, match="was not sent"):
        sent = sent_by(framework, protocol, messages)
    result = str(sent.messages[-1]["content"])
    assert sent.messages[-1]["role"] == "tool"
    assert "was returned and is not shown" in result
    assert PNG not in result
