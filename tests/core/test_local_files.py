"""Files on this machine that a message names."""

import base64
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.local_files import (
    LocalFile,
    inspect_file,
    is_local,
    open_file,
    parse_local,
    read_data_url,
    read_text,
)
from tests.end_to_end.field.media_support import PNG_BYTES


@pytest.fixture(name="png")
def _png(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(PNG_BYTES)
    return path


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("a.png", True),
        ("/data/a.png", True),
        ("file:///data/a.png", True),
        ("FILE:///data/a.png", True),
        ("1a:b", True),
        ("https://example.com/a.png", False),
        ("oss://a/b", False),
        ("s3+x.y-z://a/b", False),
        ("data:,", False),
    ],
)
def test_what_has_no_scheme_of_its_own_is_local(address: str, local: bool) -> None:
    assert is_local(address) is local


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("a%20b.png", "a%20b.png"),
        ("file:///data/a%20b.png", "/data/a b.png"),
        ("file://localhost/data/a.png", "/data/a.png"),
        ("file:/data/a.png", "/data/a.png"),
    ],
)
def test_only_a_url_is_decoded(address: str, path: str) -> None:
    assert parse_local(address, "image") == LocalFile(Path(path), "image")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("file://host/a.png", "'file://host/a.png' names a file on another machine"),
        ("file://[host/a.png", "'file://[host/a.png' is not the path of a file"),
        ("", "'' is not the path of a file"),
        ("file:", "'file:' is not the path of a file"),
        ("a\0b", "is not the path of a file"),
        ("file:///a%00b", "is not the path of a file"),
    ],
)
def test_an_address_that_names_no_file_of_this_machine(
    address: str, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_local(address, "image")
    assert message in caught.value.message


def test_only_regular_files_are_opened(png: Path, tmp_path: Path) -> None:
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(png)
    for path, message in (
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "is not a regular file"),
        (fifo, "is not a regular file"),
        (link, "is a symbolic link: pass the path of the file itself"),
        (Path("x" * 5000), "File name too long"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            open_file(path, follow=False)
        assert message in caught.value.message
        assert len(caught.value.message) < 400
    with open_file(link, follow=True) as opened:
        assert opened.read() == PNG_BYTES


def test_the_first_bytes_say_what_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(PNG_BYTES)
    content = inspect_file(LocalFile(path, "image"))
    assert (content.mime_type, content.size) == ("image/png", len(PNG_BYTES))
    for kind, article in (("audio", "an"), ("video", "a"), ("pdf", "a")):
        file = LocalFile(path, kind)  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match=f"is not {article} {kind} file"):
            inspect_file(file)


@pytest.mark.parametrize("is_explicit", [True, False])
def test_a_file_whose_bytes_show_nothing_has_a_type_if_the_caller_named_it(
    is_explicit: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(b"?" * 100)
    file = LocalFile(path, "image", is_explicit=is_explicit)
    if not is_explicit:
        with pytest.raises(ConfigurationError, match="no known type"):
            inspect_file(file)
        return
    assert inspect_file(file).mime_type == "image/webp"
    typed = replace(file, mime_type="image/bmp")
    assert inspect_file(typed).mime_type == "image/bmp"
    with pytest.raises(ConfigurationError, match="show audio/mpeg"):
        inspect_file(replace(file, mime_type="audio/mpeg"))
    unnamed = path.rename(tmp_path / "unnamed")
    assert inspect_file(replace(file, path=unnamed)).mime_type == ""


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(ConfigurationError, match="is empty"):
        inspect_file(LocalFile(tmp_path / "a", "text"))


def test_a_file_is_read_as_it_was(png: Path) -> None:
    content = inspect_file(LocalFile(png, "image"))
    encoded = base64.b64encode(PNG_BYTES).decode()
    assert read_data_url(content) == f"data:image/png;base64,{encoded}"
    for changed in (PNG_BYTES + b"x", PNG_BYTES[:-1], b""):
        png.write_bytes(changed)
        with pytest.raises(ConfigurationError, match="changed while it was read"):
            read_data_url(content)


def test_a_file_that_is_written_is_another_one(png: Path) -> None:
    def facts() -> Any:
        return inspect_file(LocalFile(png, "image"))

    first = facts()
    assert facts() == first
    os.utime(png, ns=(0, 1))
    assert facts() != first
    png.with_name("b").write_bytes(PNG_BYTES)
    second = facts()
    os.utime(png.with_name("b"), ns=(0, 1))
    png.with_name("b").replace(png)
    assert facts() != second


def test_text_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffGrüße".encode())
    content = inspect_file(LocalFile(path, "text"))
    assert (content.mime_type, read_text(content)) == ("text/plain", "Grüße")
    path.write_bytes(b"\xff" * content.size)
    with pytest.raises(ConfigurationError, match="is not text in UTF-8"):
        read_text(content)
