"""README.md: it is short, its code runs and prints what it shows, its links work."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from modelstudio_core.emulator import Emulator
from tests.support.pages import ROOT, read, run, snippets

README = read("README.md")
LINES = 150


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= LINES


@pytest.mark.usefixtures("redirected")
def test_snippets_run_and_print_what_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    namespace: dict[str, Any] = {"__name__": "readme"}
    shown = list(snippets("README.md"))
    for snippet in shown:
        run(snippet, namespace)
        printed = capsys.readouterr().out
        if snippet.output is not None:
            assert printed.rstrip("\n") == snippet.output.rstrip("\n")
        elif "print(" in snippet.code:
            assert printed.strip()
    assert len(shown) == README.count("```python") >= 4
    assert sum(one.output is not None for one in shown) == README.count("```text")


def test_streams_show_reasoning_before_the_answer(
    redirected: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace: dict[str, Any] = {"__name__": "readme"}
    for snippet in list(snippets("README.md"))[:2]:
        run(snippet, namespace)
        parts = capsys.readouterr().out.rstrip("\n").split("\n\n")
        reasoning, streamed, answer = parts
        assert reasoning.startswith("The user asks")
        assert streamed == answer
    assert [one.body["stream"] for one in redirected.requests if one.body["stream"]]


def test_links_and_commands_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    for link in links:
        assert (ROOT / link).is_file(), link
        assert "://" not in link
    makefile = read("Makefile")
    targets = re.findall(r"`make (\w+)`", README)
    assert targets
    for target in targets:
        assert f"\n{target}:" in makefile
    for script in re.findall(r"^python (\S+\.py)", README, re.MULTILINE):
        assert (ROOT / script).is_file()


def test_the_picture_of_the_terminal_shows_a_run_of_the_example() -> None:
    """``python -m documentation --terminal`` draws it."""
    (alternative,) = re.findall(r"!\[(.+?)\]\(docs/terminal\.svg\)", README)
    assert "330 metres tall" in alternative
    picture = read("docs/terminal.svg")
    text = "".join(ET.fromstring(picture).itertext()).replace("\xa0", " ")  # noqa: S314
    for words in ("python examples/chain.py", "Reasoning", "Answer", "reasoning"):
        assert words in text
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]+"', "", picture)
