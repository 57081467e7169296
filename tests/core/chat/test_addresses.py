"""Local files in a request, and what replaces them."""

from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.chat.addresses import prepare_addresses, replace_files
from modelstudio_core.local_files import LocalFile
from modelstudio_core.transport.requests import HttpRequest
from tests.core.support import text_part, user

HEADER = {"X-DashScope-OssResourceResolve": "enable"}
IMAGE = LocalFile(Path("a.png"), "image")
DOCUMENT = LocalFile(Path("a.pdf"), "pdf")
TEXT = LocalFile(Path("a.txt"), "text")


def request(*contents: Any) -> HttpRequest:
    """Return a request with a message for each content."""
    return HttpRequest(
        path="/chat",
        json={"messages": [user(content) for content in contents]},
        headers={"X-Mine": "1"},
    )


def contents_of(sent: HttpRequest) -> list[Any]:
    body: Any = sent.json
    return [message["content"] for message in body["messages"]]


def picture(url: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize(
    ("urls", "files", "is_stored"),
    [
        ((), set(), False),
        (("https://example.com/a.png",), set(), False),
        ((IMAGE,), {IMAGE}, False),
        ((IMAGE, IMAGE, DOCUMENT), {IMAGE, DOCUMENT}, False),
        (("oss://a/b.png",), set(), True),
        ((IMAGE, "OSS://a/b.png"), {IMAGE}, True),
    ],
)
def test_a_request_has_the_header_that_its_addresses_need(
    urls: tuple[Any, ...], files: set[LocalFile], is_stored: bool
) -> None:
    before = request([picture(url) for url in urls], "Hi")
    prepared, found = prepare_addresses(before)
    assert found == files
    assert prepared.headers == {"X-Mine": "1", **(HEADER if is_stored else {})}
    assert prepared.json == before.json


@pytest.mark.parametrize(
    ("content", "is_uploaded"),
    [("data:image/png;base64,AA==", False), ("oss://a/b.png", True)],
)
def test_a_file_is_replaced_wherever_it_is(content: str, is_uploaded: bool) -> None:
    frames = {"type": "video", "video": [IMAGE, "https://example.com/a.png", IMAGE]}
    before = request("Hi", [picture(IMAGE), frames])
    after = replace_files(before, {IMAGE: content})
    assert contents_of(after) == [
        "Hi",
        [
            picture(content),
            {"type": "video", "video": [content, "https://example.com/a.png", content]},
        ],
    ]
    assert after.headers == {"X-Mine": "1", **(HEADER if is_uploaded else {})}
    assert contents_of(before)[1][0] == picture(IMAGE)


@pytest.mark.parametrize(
    ("content", "file"),
    [
        (
            "data:application/pdf;base64,AA==",
            {
                "file_data": "data:application/pdf;base64,AA==",
                "filename": "a.pdf",
                "file_format": "pdf",
                "x": 1,
            },
        ),
        ("oss://a/b.pdf", {"file_url": "oss://a/b.pdf", "x": 1}),
    ],
)
def test_a_document_that_was_uploaded_has_an_address_and_no_name(
    content: str, file: dict[str, Any]
) -> None:
    named = {"file_data": DOCUMENT, "filename": "a.pdf", "file_format": "pdf", "x": 1}
    before = request([{"type": "file", "file": named}])
    after = replace_files(before, {DOCUMENT: content})
    assert contents_of(after) == [[{"type": "file", "file": file}]]


def test_texts_alone_are_sent_as_one() -> None:
    other = picture("https://example.com/a.png")
    before = request(
        [text_part(TEXT), text_part("Summarize.")],  # type: ignore[arg-type] # as the parts of a prompt have it
        [text_part(TEXT), other],  # type: ignore[arg-type] # as the parts of a prompt have it
        # The native protocol keeps its parts.
        [{"text": TEXT}, {"text": "Summarize."}],
    )
    after = replace_files(before, {TEXT: "Hello"})
    texts, mixed, native = contents_of(after)
    assert texts == "Hello\nSummarize."
    assert mixed == [text_part("Hello"), other]
    assert native == [{"text": "Hello"}, {"text": "Summarize."}]
