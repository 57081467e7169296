"""docs/models.md agrees with the catalog."""

from documentation.catalog_page import PAGE, format_page
from modelstudio_core.catalog import model_ids


def test_the_page_is_up_to_date() -> None:
    """``python -m documentation --pages`` writes it again."""
    assert PAGE.read_text(encoding="utf-8") == format_page()


def test_every_model_has_one_row() -> None:
    page = format_page()
    for name in model_ids(None):
        assert page.count(f"\n| `{name}`") == 1, name
