"""Local files in messages: refused, inlined, or uploaded to the temporary storage."""

import os
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    VideoBlock,
)

from modelstudio_core.errors import (
    APITimeoutError,
    ConfigurationError,
    InternalServerError,
)
from tests.end_to_end.field.media_support import (
    AUDIO_BYTES,
    CASES,
    EVERY_CALL,
    MP4_BYTES,
    PDF_BYTES,
    PNG_BYTES,
    base64_of,
    chat_through,
    content_of,
)
from tests.support.calls import CALL_STYLES, CallStyle
from tests.support.media_server import FOLDER, MediaServer, serve_media
from tests.support.models import KEY, Protocol, model

VISION = "qwen3.8-max"
HEADER = "x-dashscope-ossresourceresolve"
# Over what a request may contain.
LARGE_VIDEO = MP4_BYTES + bytes(8 * 2**20)
INVOKE = CALL_STYLES[0]


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "photo of me.png"
    path.write_bytes(PNG_BYTES)
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "holiday.mp4"
    path.write_bytes(LARGE_VIDEO)
    return path


def message(framework: str, kind: str, address: str) -> Any:
    """Return a user's message with media at an address."""
    if framework == "LangChain":
        return HumanMessage([{"type": kind, "url": address}])
    blocks: dict[str, Any] = {"image": ImageBlock, "video": VideoBlock}
    # AnyUrl refuses a plain path, which LangChain's blocks may have.
    return ChatMessage(role="user", blocks=[blocks[kind](url=address)])


def media_of(request: Any) -> Any:
    """Return the address of the only part of a chat request."""
    (part,) = content_of(request)
    (media,) = [value for name, value in part.items() if name != "type"]
    return media["url"] if isinstance(media, dict) else media


def invoke(server: MediaServer, *messages: Any, **arguments: Any) -> None:
    """Call LangChain's model."""
    llm = model("LangChain", server.base_url, model=VISION, **arguments)
    llm.invoke(list(messages))


# --- Addresses in messages ----------------------------------------------------------


@CASES
def test_a_local_address_is_refused_unless_it_is_allowed(
    framework: str, protocol: Protocol, png: Path
) -> None:
    with serve_media() as server:
        llm: Any = model(framework, server.base_url, protocol, model=VISION)  # type: ignore[call-overload] # pytest passes a string
        send = llm.invoke if framework == "LangChain" else llm.chat
        with pytest.raises(ConfigurationError, match="local_files=True"):
            send([message(framework, "image", png.as_uri())])
        assert server.requests == []
        send([message(framework, "image", png.as_uri())], local_files=True)
        sent = server.chat
    assert media_of(sent) == f"data:image/png;base64,{base64_of(PNG_BYTES)}"
    assert HEADER not in sent.headers


@CASES
def test_an_address_of_the_temporary_storage_has_its_header(
    framework: str, protocol: Protocol
) -> None:
    address = "oss://folder/a.png"
    with serve_media() as server:
        llm: Any = model(framework, server.base_url, protocol, model=VISION)  # type: ignore[call-overload] # pytest passes a string
        send = llm.invoke if framework == "LangChain" else llm.chat
        send([message(framework, "image", address)])
        assert media_of(server.chat) == address
        assert server.chat.headers[HEADER] == "enable"


@pytest.mark.parametrize(
    "write",
    [str, Path.as_uri, lambda path: f"file://localhost{path.as_uri()[7:]}"],
    ids=["path", "uri", "localhost"],
)
def test_every_form_of_a_local_address_is_read(
    png: Path, write: Callable[[Path], str]
) -> None:
    block = {"type": "image", "url": write(png)}
    with serve_media() as server:
        with pytest.raises(ConfigurationError, match="local_files=True"):
            invoke(server, HumanMessage([block]))
        invoke(server, HumanMessage([block]), local_files=True)
        assert media_of(server.chat).startswith("data:image/png;base64,")


def test_the_frames_of_a_video_are_read(png: Path) -> None:
    frames = HumanMessage([{"video": [str(png)] * 4}])
    with serve_media() as server:
        invoke(server, frames, local_files=True)
        assert (
            media_of(server.chat)
            == [f"data:image/png;base64,{base64_of(PNG_BYTES)}"] * 4
        )


# --- Fields for paths ---------------------------------------------------------------


@EVERY_CALL
async def test_an_explicit_path_is_read_by_every_call(
    style: CallStyle, protocol: Protocol, png: Path
) -> None:
    if style.framework == "LangChain":
        messages: list[Any] = [HumanMessage([{"image": str(png)}])]
        arguments = {"local_files": True}
    else:
        messages = [ChatMessage(role="user", blocks=[ImageBlock(path=png)])]
        arguments = {}
    with serve_media() as server:
        await chat_through(server, style, protocol, messages, model=VISION, **arguments)
        expected = f"data:image/png;base64,{base64_of(PNG_BYTES)}"
        assert media_of(server.chat) == expected


@pytest.mark.parametrize(
    ("name", "data", "block", "used"),
    [
        ("a.mp4", MP4_BYTES, VideoBlock, VISION),
        ("a.wav", AUDIO_BYTES, AudioBlock, "qwen3-omni-flash"),
        ("a.pdf", PDF_BYTES, DocumentBlock, VISION),
    ],
)
def test_other_explicit_paths_are_read(
    tmp_path: Path, name: str, data: bytes, block: Any, used: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with serve_media() as server:
        llm = model("LlamaIndex", server.base_url, model=used)
        llm.chat([ChatMessage(role="user", blocks=[block(path=path)])])
        assert base64_of(data) in str(content_of(server.chat))


# --- Files that are not sent --------------------------------------------------------


def _symlink(folder: Path) -> Path:
    (folder / "real.png").write_bytes(PNG_BYTES)
    (folder / "a.png").symlink_to(folder / "real.png")
    return folder / "a.png"


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "a.png")
    return folder / "a.png"


def _file(data: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "a.png").write_bytes(data)
        return folder / "a.png"

    return write


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (_symlink, "symbolic link"),
        (_fifo, "not a regular file"),
        (lambda folder: folder, "not a regular file"),
        (lambda folder: folder / "none.png", "No such file"),
        (lambda folder: folder / ("iVBORw0KGgo" * 1000), "^Cannot read .{300}: File"),
        (_file(b""), "is empty"),
        (_file(b"root:x:0:0"), "not an image file"),
        (_file(MP4_BYTES), "not an image file: its first bytes show video/mp4"),
        (_file(PNG_BYTES + bytes(21 * 2**20)), "upload_media=True"),
    ],
    ids=[
        "link",
        "fifo",
        "folder",
        "missing",
        "base64",
        "empty",
        "text",
        "video",
        "large",
    ],
)
@pytest.mark.parametrize("style", CALL_STYLES[:4], ids=str)
async def test_a_file_that_cannot_be_sent_is_an_error_before_a_request(
    tmp_path: Path, make: Callable[[Path], Path], problem: str, style: CallStyle
) -> None:
    prompt = [HumanMessage([{"image": str(make(tmp_path))}])]
    with serve_media() as server:
        chat = chat_through(
            server, style, "openai", prompt, model=VISION, local_files=True
        )
        with pytest.raises(ConfigurationError, match=problem):
            await chat
        assert server.requests == []


def test_a_file_on_another_machine_is_an_error() -> None:
    prompt = HumanMessage([{"image": "file://server/share/a.png"}])
    with serve_media() as server, pytest.raises(ConfigurationError, match="another"):
        invoke(server, prompt, local_files=True)


# --- Uploads ------------------------------------------------------------------------


@EVERY_CALL
async def test_a_large_file_is_uploaded_by_every_call(
    style: CallStyle, protocol: Protocol, video: Path
) -> None:
    prompt = [message(style.framework, "video", video.as_uri())]
    allowed: dict[str, Any] = {"local_files": True, "upload_media": True}
    with serve_media() as server:
        await chat_through(server, style, protocol, prompt, model=VISION, **allowed)
        (policy,), (upload,), chat = server.policies, server.uploads, server.chat
    assert policy.method == "GET"
    assert policy.query == {"action": "getPolicy", "model": VISION}
    assert policy.headers["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in upload.headers
    assert KEY not in str(upload.headers)
    assert int(upload.headers["content-length"]) == len(upload.body)
    names = [name for name, _ in upload.form]
    assert names == [
        "OSSAccessKeyId",
        "Signature",
        "policy",
        "x-oss-object-acl",
        "x-oss-forbid-overwrite",
        "key",
        "success_action_status",
        "file",
    ]
    fields = dict(upload.form)
    assert fields["file"] == LARGE_VIDEO
    key = fields["key"].decode()
    assert key.startswith(f"{FOLDER}/")
    assert key.endswith(".mp4")
    assert video.stem not in key
    assert media_of(chat) == f"oss://{key}"
    assert chat.headers[HEADER] == "enable"


def test_a_pdf_is_uploaded_under_its_other_key(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(PDF_BYTES + bytes(8 * 2**20))
    with serve_media() as server:
        llm = model("LlamaIndex", server.base_url, model=VISION, upload_media=True)
        llm.chat([ChatMessage(role="user", blocks=[DocumentBlock(path=path)])])
        (part,) = content_of(server.chat)
    assert part["file"].keys() == {"file_url"}
    assert part["file"]["file_url"].startswith("oss://")


def test_a_small_file_is_not_uploaded(png: Path) -> None:
    prompt = HumanMessage([{"image": str(png)}])
    with serve_media() as server:
        invoke(server, prompt, local_files=True, upload_media=True)
        assert len(server.requests) == 1


def test_the_same_file_is_uploaded_once_within_its_life(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = [HumanMessage([{"video": str(video)}])]
    with serve_media() as server:
        llm = model(
            "LangChain",
            server.base_url,
            model=VISION,
            local_files=True,
            upload_media=True,
        )
        for _ in range(2):
            llm.invoke(prompt)
        assert len(server.uploads) == 1
        assert media_of(server.chats[0]) == media_of(server.chats[1])
        video.write_bytes(LARGE_VIDEO + b"1")
        llm.invoke(prompt)
        assert len(server.uploads) == 2
        llm.invoke(prompt, model="qwen3.7-plus")
        assert len(server.uploads) == 3
        later = time.time() + 41 * 3600
        monkeypatch.setattr(time, "time", lambda: later)
        llm.invoke(prompt)
        assert len(server.uploads) == 4


tenant: ContextVar[str] = ContextVar("tenant")


@EVERY_CALL
async def test_an_account_of_a_key_function_gets_no_address_of_another_one(
    style: CallStyle, protocol: Protocol, video: Path
) -> None:
    prompt = [message(style.framework, "video", video.as_uri())]
    arguments: dict[str, Any] = {
        "model": VISION,
        "local_files": True,
        "upload_media": True,
        "api_key": tenant.get,
    }
    with serve_media() as server:
        for key in ("sk-of-account-a-0123", "sk-of-account-b-0123") * 2:
            tenant.set(key)
            await chat_through(server, style, protocol, prompt, **arguments)
        addresses = [media_of(chat) for chat in server.chats]
        keys = [policy.headers["authorization"][-14:] for policy in server.policies]
    assert addresses[:2] == addresses[2:]
    assert len({*addresses}) == len(server.uploads) == 2
    assert keys == ["account-a-0123", "account-b-0123"]


def test_an_upload_is_repeated_after_a_fault(video: Path) -> None:
    prompt = HumanMessage([{"video": str(video)}])
    allowed: dict[str, Any] = {"local_files": True, "upload_media": True}
    with serve_media() as server:
        server.upload_status = [503, 200]
        invoke(server, prompt, max_retries=1, **allowed)
        first, second = server.uploads
        assert dict(first.form) == dict(second.form)
        assert len(server.chats) == 1
    with serve_media() as server:
        # The answer to the first attempt was lost, and the file is there.
        server.upload_status = [503, 409]
        invoke(server, prompt, max_retries=1, **allowed)
        assert len(server.chats) == 1
    with serve_media() as server:
        server.upload_status = [503]
        with pytest.raises(InternalServerError):
            invoke(server, prompt, max_retries=0, **allowed)
        assert server.chats == []


@pytest.mark.parametrize("style", CALL_STYLES[:4], ids=str)
async def test_all_uploads_of_a_call_share_its_time_limit(
    tmp_path: Path, style: CallStyle
) -> None:
    videos = [tmp_path / f"{number}.mp4" for number in range(4)]
    for path in videos:
        path.write_bytes(LARGE_VIDEO)
    prompt = [HumanMessage([{"video": str(path)} for path in videos])]
    allowed: dict[str, Any] = {"local_files": True, "upload_media": True}
    with serve_media() as server:
        server.upload_seconds = 0.4
        call = chat_through(
            server, style, "openai", prompt, model=VISION, total_timeout=0.6, **allowed
        )
        with pytest.raises(APITimeoutError, match=r"total_timeout=0\.6"):
            await call
        assert len(server.uploads) < len(videos)
        assert server.chats == []


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ({"max_file_size_mb": 5}, "accepts 5 MB for this model"),
        ({"upload_host": "https://bucket.example.com"}, "not allowed"),
        ({"upload_host": "http://bucket.oss-cn-beijing.aliyuncs.com"}, "not allowed"),
        ({"signature": None}, "lacks 'signature'"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_an_error(
    video: Path, policy: dict[str, Any], problem: str
) -> None:
    prompt = HumanMessage([{"video": str(video)}])
    with serve_media() as server:
        server.policy = policy
        with pytest.raises(Exception, match=problem):
            invoke(server, prompt, local_files=True, upload_media=True)
        assert server.uploads == server.chats == []


@pytest.mark.parametrize("name", ["upload_dir", "signature", "x_oss_object_acl"])
def test_a_lone_surrogate_in_a_policy_is_replaced(video: Path, name: str) -> None:
    prompt = HumanMessage([{"video": str(video)}])
    with serve_media() as server:
        server.policy = {name: "a\ud83d"}
        invoke(server, prompt, local_files=True, upload_media=True)
        (upload,) = server.uploads
        assert "a\ufffd".encode() in upload.body
