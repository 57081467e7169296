"""The checks of the built site find what is broken in it."""

from pathlib import Path

import pytest

from documentation.checks import find_problems

GOOD = '<h2 id="a">A</h2><a href="b.html#c">b</a><img src="p.svg" alt="A plot">'
OTHER = '<p id="c"></p><a href="index.html#a">back</a>'


def site(folder: Path, index: str = GOOD, other: str = OTHER) -> list[str]:
    (folder / "index.html").write_text(index, encoding="utf-8")
    (folder / "b.html").write_text(other, encoding="utf-8")
    (folder / "p.svg").write_text("<svg/>", encoding="utf-8")
    return list(find_problems(folder))


def test_a_good_site_has_no_problem(tmp_path: Path) -> None:
    assert site(tmp_path) == []


@pytest.mark.parametrize(
    ("index", "problem"),
    [
        (f'{GOOD}<a href="no.html">', "index.html: the link no.html leads to nothing."),
        (f'{GOOD}<a href="../x.html">', "the link ../x.html leads to nothing."),
        (f'{GOOD}<a href="b.html#no">', "the link b.html#no has no such place."),
        (f'{GOOD}<a href="#no">', "the link #no has no such place."),
        (f'{GOOD}<img src="p.svg">', "the picture p.svg has no alternative text."),
        (f'{GOOD}<img src="p.svg" alt=" ">', "p.svg has no alternative text."),
        (
            f'{GOOD}<script src="https://example.com/x.js"></script>',
            "https://example.com/x.js is loaded from another host.",
        ),
        ('<h2 id="a"></h2>', "b.html: no page links to it."),
    ],
)
def test_a_problem_is_named(tmp_path: Path, index: str, problem: str) -> None:
    (found,) = site(tmp_path, index)
    assert found.endswith(problem)


def test_links_to_the_web_are_not_followed(tmp_path: Path) -> None:
    assert site(tmp_path, f'{GOOD}<a href="https://example.com/no">x</a>') == []


def test_a_site_without_a_first_page(tmp_path: Path) -> None:
    assert list(find_problems(tmp_path)) == ["The site has no index.html."]
