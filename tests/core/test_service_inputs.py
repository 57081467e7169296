"""Checks that embeddings and reranking share."""

import warnings
from dataclasses import replace

import pytest

from modelstudio_core.catalog import resolve_model
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from modelstudio_core.service_inputs import oss_headers, refuse_or_warn


def test_a_fact_of_a_family_is_warned_of_once() -> None:
    exact = resolve_model("text-embedding-v4")
    with pytest.raises(ConfigurationError, match="It has none"):
        refuse_or_warn(exact, "It has none.")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            refuse_or_warn(replace(exact, matched="prefix"), "It has none.")
    assert [warning.category for warning in caught] == [ModelStudioWarning]


@pytest.mark.parametrize("address", ["oss://a/b.png", "OSS://a/b.png"])
def test_an_address_of_the_temporary_storage_is_found_everywhere(address: str) -> None:
    assert oss_headers([{"multi_images": ["https://x.example", address]}])
    assert not oss_headers([{"text": f"See {address}"}])
