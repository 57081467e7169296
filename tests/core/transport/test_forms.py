"""Multipart forms: their bytes, the size they announce, and files that change."""

import asyncio
import threading
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.local_files import FileContent, open_file
from modelstudio_core.transport import forms
from modelstudio_core.transport.forms import MultipartForm
from modelstudio_core.transport.requests import Upload
from tests.core.transport.support import SYNC_AND_ASYNC


async def body_of(form: MultipartForm, *, is_async: bool) -> list[bytes]:
    """Return the pieces of the body of a form."""
    if is_async:
        return [piece async for piece in form.achunks()]
    return list(form.chunks())


def parts_of(form: MultipartForm, body: bytes) -> list[Message]:
    """Return the parts of a form as another library reads them."""
    head = f"content-type: {form.headers['Content-Type']}\r\n\r\n".encode()
    return cast("list[Message]", BytesParser().parsebytes(head + body).get_payload())


def file_with(path: Path, data: bytes, size: int | None = None) -> FileContent:
    """Write a file, and return it as if it had some size when it was inspected."""
    path.write_bytes(data)
    announced = len(data) if size is None else size
    return FileContent(path=path, mime_type="text/plain", size=announced)


@SYNC_AND_ASYNC
@pytest.mark.parametrize("size", [0, 1, 2**18, 2**18 + 1, 2**19])
async def test_a_file_is_sent_in_small_pieces(
    is_async: bool, size: int, tmp_path: Path
) -> None:
    data = bytes(number % 251 for number in range(size))
    file = file_with(tmp_path / "a", data)
    form = MultipartForm.build(
        [Upload(name="key", content=b"k"), Upload(name="file", content=file)]
    )
    for _ in range(2):
        pieces = await body_of(form, is_async=is_async)
        assert max(map(len, pieces)) <= 2**18
        body = b"".join(pieces)
        assert form.headers["Content-Length"] == str(len(body))
        key, sent = parts_of(form, body)
        assert (key.get_payload(decode=True), key["content-type"]) == (b"k", None)
        assert body.count(b"\r\n\r\n" + data + b"\r\n--" + form.boundary.encode()) == 1
        assert sent.get_param("name", header="content-disposition") == "file"


@SYNC_AND_ASYNC
@pytest.mark.parametrize(("announced", "has"), [(5, 4), (5, 6), (0, 1), (1, 0)])
async def test_a_file_that_changed_ends_the_body(
    is_async: bool, announced: int, has: int, tmp_path: Path
) -> None:
    """More or fewer bytes than were announced would be read as another part."""
    file = file_with(tmp_path / "a.bin", b"x" * has, announced)
    form = MultipartForm.build([Upload(name="file", content=file)])
    with pytest.raises(ConfigurationError, match=r"a\.bin' changed while it was sent"):
        await body_of(form, is_async=is_async)


@SYNC_AND_ASYNC
async def test_a_file_that_is_missing_ends_the_body(
    is_async: bool, tmp_path: Path
) -> None:
    file = FileContent(path=tmp_path / "a", mime_type="text/plain", size=1)
    form = MultipartForm.build([Upload(name="file", content=file)])
    with pytest.raises(ConfigurationError, match="Cannot read"):
        await body_of(form, is_async=is_async)


async def test_a_file_is_closed_if_a_task_is_cancelled_while_a_thread_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_open, may_return = threading.Event(), threading.Event()
    files: list[BinaryIO] = []

    def open_slowly(path: Path, *, follow: bool) -> BinaryIO:
        files.append(open_file(path, follow=follow))
        is_open.set()
        may_return.wait(5)
        return files[0]

    monkeypatch.setattr(forms, "open_file", open_slowly)
    file = file_with(tmp_path / "a", b"text")
    form = MultipartForm.build([Upload(name="file", content=file)])
    task = asyncio.create_task(body_of(form, is_async=True))
    assert await asyncio.to_thread(is_open.wait, 5)
    task.cancel()
    await asyncio.sleep(0)
    may_return.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    (opened,) = files
    assert opened.closed


@pytest.mark.parametrize(
    ("filename", "given", "sent"),
    [
        (None, None, None),
        (None, "text/plain", "text/plain"),
        ("a.txt", None, "application/octet-stream"),
        ("a.txt", "text/plain", "text/plain"),
        ("", None, "application/octet-stream"),
    ],
)
def test_a_file_has_a_media_type_and_a_field_only_if_it_is_given(
    filename: str | None, given: str | None, sent: str | None
) -> None:
    part = Upload(name="a", content=b"x", filename=filename, content_type=given)
    form = MultipartForm.build([part])
    (parsed,) = parts_of(form, b"".join(form.chunks()))
    assert parsed["content-type"] == sent
    assert parsed.get_param("filename", header="content-disposition") == filename


def test_a_name_cannot_end_its_header() -> None:
    odd = 'a"b\r\nX-Evil: 1'
    form = MultipartForm.build([Upload(name=odd, content=b"x", filename=odd)])
    escaped = "a%22b%0D%0AX-Evil: 1"
    line = f'form-data; name="{escaped}"; filename="{escaped}"\r\n'
    assert f"Content-Disposition: {line}".encode() in b"".join(form.chunks())
