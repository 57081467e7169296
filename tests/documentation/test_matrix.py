"""The page of versions says what the rows of the matrix have, and what they lack."""

import re
import tomllib

from tests.matrix import DOCUMENT, EXTRAS, ROOT, ROWS, to_markdown

PAGE = DOCUMENT.read_text(encoding="utf-8")


def test_the_text_around_the_table_is_that_of_the_tool() -> None:
    def around_table(page: str) -> list[str]:
        lines = [line for line in page.splitlines() if not line.startswith("| ")]
        return [re.sub(r"\d{4}-\d\d-\d\d", "", line) for line in lines]

    assert around_table(PAGE) == around_table(to_markdown({}))


def test_every_row_is_on_the_page() -> None:
    assert re.findall(r"^\| ((?:[a-z]+-)?[a-z0-9.]+) \|", PAGE, re.MULTILINE) == [
        "row",
        *ROWS,
    ]


def test_every_extra_is_in_the_rows_or_named_as_missing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = {*project["project"]["optional-dependencies"]} - {"all"}
    missing = extras - {*EXTRAS.split(",")}
    assert missing == {"llm", "rag", "ray"}
    assert "`llm`, `rag` and `ray` are in no row" in PAGE
