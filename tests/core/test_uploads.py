"""Local files of a request: inside it, or in the temporary storage."""

import asyncio
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.errors import APIStatusError, ConfigurationError
from modelstudio_core.local_files import LocalFile
from modelstudio_core.transport.connection import Connection
from modelstudio_core.uploads import aload_files, load_files, oss_headers
from tests.core.support import CONTEXT, make_connection
from tests.support.media_server import FOLDER, MediaServer, serve_media

MP4 = b"\0\0\0\x20ftypisom"
PDF = b"%PDF-1.7\n"
MEGABYTE = 2**20
BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
NO_SERVICE = make_connection()


def file_of(
    folder: Path,
    size: int,
    kind: Any = "video",
    *,
    name: str = "a.mp4",
    begin: bytes = MP4,
) -> LocalFile:
    """Write a file of a size and return it."""
    path = folder / name
    path.write_bytes((b"" if kind == "text" else begin).ljust(size, b"a"))
    return LocalFile(path, kind)


def load(
    *files: LocalFile,
    connection: Connection = NO_SERVICE,
    upload: bool = False,
    asynchronous: bool = False,
    inline_bytes: Mapping[str, int] | None = None,
) -> list[str]:
    """Return what a request contains for each file."""
    arguments: dict[str, Any] = {
        "model": "qwen3.8-max",
        "upload": upload,
        "inline_bytes": inline_bytes or {},
    }
    if asynchronous:
        loaded = asyncio.run(aload_files(files, connection, CONTEXT, **arguments))
    else:
        loaded = load_files(files, connection, CONTEXT, **arguments)
    return [loaded[file] for file in files]


def connect(server: MediaServer) -> Connection:
    return make_connection(base_url=server.base_url, max_retries=0)


def send(
    server: MediaServer | Connection, *files: LocalFile, asynchronous: bool = False
) -> list[str]:
    """Upload files of which a request may contain nothing."""
    return load(
        *files,
        connection=connect(server) if isinstance(server, MediaServer) else server,
        upload=True,
        asynchronous=asynchronous,
        inline_bytes={"video": 0},
    )


@pytest.mark.parametrize("address", ["oss://a/b.png", "OSS://a/b.png"])
def test_an_address_of_the_temporary_storage_is_found_everywhere(address: str) -> None:
    assert oss_headers([{"multi_images": ["https://x.example", address]}])
    assert oss_headers(({"image": address},))
    assert not oss_headers([{"text": f"See {address}"}])


@pytest.mark.parametrize(
    "value", ["", "a", "oss:/", "osr://", "ost://a", LocalFile(Path("a"), "image"), 1]
)
def test_nothing_else_needs_the_header_of_the_temporary_storage(value: object) -> None:
    assert not oss_headers([{"image": value}])


# --- Inside the request -------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("upload", [False, True])
@pytest.mark.parametrize("kind", ["video", "text"])
@pytest.mark.parametrize("size", [99, 100])
def test_a_file_up_to_the_limit_is_sent_inside_the_request(
    tmp_path: Path, kind: str, size: int, upload: bool, asynchronous: bool
) -> None:
    file = file_of(tmp_path, size, kind)
    (text,) = load(
        file,
        upload=upload,
        asynchronous=asynchronous,
        inline_bytes={kind: 100, "image": 1},
    )
    assert text.startswith("a" * size if kind == "text" else "data:video/mp4;base64,")


@BOTH
@pytest.mark.parametrize("upload", [False, True])
def test_a_text_over_the_limit_is_refused(
    tmp_path: Path, upload: bool, asynchronous: bool
) -> None:
    small = file_of(tmp_path, 1, "text", name="b.txt")
    large = file_of(tmp_path, MEGABYTE * 3 // 2 + 1, "text", name="a.txt")
    with pytest.raises(ConfigurationError) as caught:
        load(
            small,
            large,
            upload=upload,
            asynchronous=asynchronous,
            inline_bytes={"text": MEGABYTE * 3 // 2},
        )
    path = repr(str(tmp_path / "a.txt"))
    assert caught.value.message == (
        f"{path} has 1.5 MB, and a text file may have 1.5 MB."
    )


@BOTH
@pytest.mark.parametrize(("kind", "begin"), [("video", MP4), ("pdf", PDF)])
def test_another_file_over_the_limit_is_refused_unless_it_may_be_uploaded(
    tmp_path: Path, kind: str, begin: bytes, asynchronous: bool
) -> None:
    limit = MEGABYTE * 3 // 2
    file = file_of(tmp_path, limit + 1, kind, begin=begin)
    with pytest.raises(ConfigurationError) as caught:
        load(file, asynchronous=asynchronous, inline_bytes={kind: limit})
    assert caught.value.message.startswith(
        f"{str(file.path)!r} has 1.5 MB, and a request may contain {kind} files of at"
        " most 1.5 MB. Pass upload_media=True"
    )
    with serve_media() as server:
        (address,) = load(
            file,
            connection=connect(server),
            upload=True,
            asynchronous=asynchronous,
            inline_bytes={kind: limit},
        )
    assert address.startswith("oss://")


def test_where_no_limit_is_known_a_file_fills_the_longest_text_in_a_request(
    tmp_path: Path,
) -> None:
    """The service's error names 10,485,760 characters, which are 7.5 MB."""
    (text,) = load(file_of(tmp_path, 7_864_200, "pdf", begin=PDF))
    assert 10_485_600 < len(text) <= 10_485_760
    with pytest.raises(ConfigurationError, match=r"7\.5 MB"):
        load(file_of(tmp_path, 7_864_320, "pdf", begin=PDF))


# --- In the temporary storage -------------------------------------------------------


@BOTH
def test_a_file_of_which_a_request_may_contain_nothing_is_uploaded(
    tmp_path: Path, asynchronous: bool
) -> None:
    first = file_of(tmp_path, 100)
    second = file_of(tmp_path, 101, name="b.mov")
    with serve_media() as server:
        addresses = send(server, first, second, asynchronous=asynchronous)
        uploads = server.uploads
    assert len(uploads) == 2
    for upload, address, size in zip(uploads, addresses, (100, 101), strict=True):
        fields = dict(upload.form)
        key = fields["key"].decode()
        assert address == f"oss://{key}"
        assert key.startswith(f"{FOLDER}/")
        assert len(fields["file"]) == size
        name = key.removeprefix(f"{FOLDER}/")
        assert f'filename="{name}"'.encode() in upload.body
        assert b"content-type: video/mp4" in upload.body.lower()


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("my holiday.mp4", ".mp4"), ("a.b.MOV", ".MOV"), ("a", ""), ("a.vidéo", "")],
)
def test_of_the_name_of_a_file_only_its_suffix_is_sent(
    tmp_path: Path, name: str, suffix: str
) -> None:
    with serve_media() as server:
        (address,) = send(server, file_of(tmp_path, 100, name=name))
    assert re.fullmatch(f"oss://{FOLDER}/[0-9a-f]{{32}}{re.escape(suffix)}", address)


@pytest.mark.parametrize(
    ("policy", "acl", "overwrite"),
    [
        ({"x_oss_object_acl": None, "x_oss_forbid_overwrite": None}, "private", "true"),
        (
            {"x_oss_object_acl": "default", "x_oss_forbid_overwrite": "false"},
            "default",
            "false",
        ),
    ],
)
def test_the_policy_says_who_may_read_an_upload(
    tmp_path: Path, policy: dict[str, Any], acl: str, overwrite: str
) -> None:
    with serve_media() as server:
        server.policy = policy
        send(server, file_of(tmp_path, 100))
        fields = dict(server.uploads[0].form)
    assert fields["x-oss-object-acl"] == acl.encode()
    assert fields["x-oss-forbid-overwrite"] == overwrite.encode()


@pytest.mark.parametrize(
    ("limit", "size", "got"),
    [
        (1, MEGABYTE, None),
        (1, MEGABYTE + 1, "1.0"),
        (1, MEGABYTE * 3 // 2, "1.5"),
        (2, MEGABYTE * 3 // 2, None),
        (None, MEGABYTE * 3 // 2, None),
    ],
)
def test_the_policy_says_how_large_an_upload_may_be(
    tmp_path: Path, limit: int | None, size: int, got: str | None
) -> None:
    file = file_of(tmp_path, size)
    with serve_media() as server:
        server.policy = {"max_file_size_mb": limit}
        if got is None:
            send(server, file)
            return
        with pytest.raises(ConfigurationError) as caught:
            send(server, file)
        assert server.uploads == []
    assert caught.value.message == (
        f"{str(file.path)!r} has {got} MB, and the temporary storage accepts 1 MB for"
        " this model: pass a public URL."
    )


@BOTH
@pytest.mark.parametrize("status", [400, 403, 408, 409, 410, 500])
def test_only_a_file_that_is_there_already_is_no_error(
    tmp_path: Path, status: int, asynchronous: bool
) -> None:
    with serve_media() as server:
        server.upload_status = [status]
        if status == 409:
            (address,) = send(server, file_of(tmp_path, 100), asynchronous=asynchronous)
            assert address.startswith("oss://")
            return
        with pytest.raises(APIStatusError) as caught:
            send(server, file_of(tmp_path, 100), asynchronous=asynchronous)
    assert caught.value.status_code == status


@BOTH
def test_an_address_is_used_again_well_below_its_life_of_48_hours(
    tmp_path: Path, asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, now = file_of(tmp_path, 100), time.time()
    hours = (0, 1, 39, 46, 47, 90)
    addresses: list[str] = []
    with serve_media() as server:
        connection = connect(server)
        for hour in hours:
            monkeypatch.setattr(time, "time", lambda: now + hour * 3600)  # noqa: B023 - called in this turn
            addresses += send(connection, file, asynchronous=asynchronous)
    first, second, third, fourth, fifth, sixth = addresses
    assert first == second == third
    assert fourth == fifth
    assert len({first, fourth, sixth}) == 3
