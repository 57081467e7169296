"""Details of token counts, in the forms that both protocols have."""

from typing import Any

import pytest

from modelstudio_core.chat.usage import created_in_cache, token_details, tool_counts

LIFE = "ephemeral_5m_input_tokens"


@pytest.mark.parametrize(
    ("details", "raw", "count"),
    [
        ({}, {}, None),
        ({"cache_creation_input_tokens": 2}, {}, 2),
        ({"cache_creation_input_tokens": 0}, {}, 0),
        ({}, {"cache_creation_input_tokens": 2}, 2),
        ({"cache_creation_input_tokens": 2}, {"cache_creation_input_tokens": 3}, 2),
        ({"cache_creation_input_tokens": None}, {"cache_creation_input_tokens": 3}, 3),
        # By the life of the entries only.
        ({"cache_creation": {LIFE: 2}}, {}, 2),
        ({"cache_creation": {LIFE: 2, "ephemeral_1h_input_tokens": 3}}, {}, 5),
        ({"cache_creation": {LIFE: 2, "kind": "ephemeral", "on": True}}, {}, 2),
        ({"cache_creation": {LIFE: 0}}, {"cache_creation_input_tokens": 3}, 0),
        ({"cache_creation": {"kind": "x"}}, {"cache_creation_input_tokens": 3}, 3),
        ({"cache_creation": {}}, {"cache_creation": {LIFE: 4}}, 4),
        ({"cache_creation": None}, {}, None),
        ({"cache_creation": [1]}, {}, None),
    ],
)
def test_what_was_written_to_the_cache(
    details: dict[str, Any], raw: dict[str, Any], count: int | None
) -> None:
    assert created_in_cache(details, raw) == count


@pytest.mark.parametrize(
    ("details", "counts"),
    [
        ([], {}),
        ([{}], {}),
        ([{"cached_tokens": 3}], {}),
        ([{"text_tokens": 1, "image_tokens": 2}], {"text": 1, "image": 2}),
        ([{"video": 3, "audio": 4}], {"video": 3, "audio": 4}),
        ([{"text": 0}], {"text": 0}),
        # A later one has precedence.
        ([{"text": 1, "audio": 2}, {"text": 3}], {"text": 3, "audio": 2}),
        ([{"text": 1}, {"text_tokens": None}], {"text": 1}),
        ([{"text": "1", "audio": True, "image": 1.5}], {}),
    ],
)
def test_tokens_by_what_they_are(
    details: list[dict[str, Any]], counts: dict[str, int]
) -> None:
    assert token_details(*details) == counts


@pytest.mark.parametrize(
    ("tools", "counts"),
    [
        ({}, {}),
        ({"search": {"count": 1, "strategy": "turbo"}}, {"search": 1}),
        ({"pdf_page_parser": 3}, {"pdf_page_parser": 3}),
        ({"search": {"count": 0}, "code": {"count": 2}}, {"search": 0, "code": 2}),
        ({"search": {}, "code": None, "x": "1", "y": True}, {}),
    ],
)
def test_how_often_tools_were_used(
    tools: dict[str, Any], counts: dict[str, int]
) -> None:
    assert tool_counts(tools) == counts
