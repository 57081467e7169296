"""``modelstudio embed``: the vectors of texts, in full and in short."""

import io
import sys

import pytest

from modelstudio_core.emulator import Emulator
from tests.cli.conftest import Run


def test_the_beginning_of_each_vector_is_shown(run: Run, studio: Emulator) -> None:
    long = "A red fox\njumps over " + "the lazy dog " * 5
    arguments = ("embed", "A fox.", long, "--dimensions", "64")
    url = ("--base-url", studio.base_url)
    vectors = run(*arguments, *url, "--json").json["vectors"]
    ran = run(*arguments, *url)
    shown = [", ".join(f"{number:+.4f}" for number in vector[:4]) for vector in vectors]
    assert ran.out.splitlines() == [
        f"A fox.{' ' * 36}[{shown[0]}, ...]",
        f"A red fox jumps over the lazy dog the la  [{shown[1]}, ...]",
    ]
    body = studio.requests[-1].body
    assert body["input"]["texts"] == ["A fox.", long]
    assert ran.err.startswith("[64 dimensions, ")
    assert ran.err.endswith(" tokens in 1 requests, text-embedding-v4]\n")


def test_a_text_cannot_control_the_terminal(run: Run, studio: Emulator) -> None:
    ran = run("embed", "A\x1b[31m[bold]", "--base-url", studio.base_url)
    assert ran.out.startswith(r"A\x1b[31m[bold] ")


def test_the_json_says_what_was_embedded_and_where(run: Run, studio: Emulator) -> None:
    url = ("--base-url", studio.base_url, "--json")
    documents = run("embed", "A fox", *url).json
    assert (documents["text_type"], documents["dimensions"]) == ("document", 1024)
    queries = run("embed", "A fox", "--query", "-m", "text-embedding-v3", *url).json
    assert (queries["text_type"], queries["model"]) == ("query", "text-embedding-v3")
    assert (queries["region"], queries["mode"]) == (None, None)


def test_a_text_that_is_passed_is_embedded_without_what_is_piped(
    run: Run, studio: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("piped\n"))
    assert run("embed", "passed", "--base-url", studio.base_url).code == 0
    assert studio.requests[0].body["input"]["texts"] == ["passed"]


def test_white_space_in_a_line_that_is_piped_is_kept(
    run: Run, studio: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("  one\t\n \n\ntwo"))
    assert run("embed", "--base-url", studio.base_url).code == 0
    assert studio.requests[0].body["input"]["texts"] == ["  one\t", "two"]


def test_nothing_to_embed_is_a_usage_error(
    run: Run, studio: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n \n"))
    ran = run("embed", "--base-url", studio.base_url)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "Error: There is no text: pass some, or pipe lines.\n"
    assert studio.requests == []
