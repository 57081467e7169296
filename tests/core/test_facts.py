"""What follows from a fact of the catalog that speaks against a request."""

import warnings
from dataclasses import replace

import pytest

from modelstudio_core.catalog import resolve_model
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from modelstudio_core.facts import refuse, refuse_or_warn


def test_a_fact_of_this_very_model_is_an_error() -> None:
    exact = resolve_model("text-embedding-v4")
    for check in (refuse, refuse_or_warn):
        with pytest.raises(ConfigurationError, match=r"^It has none\.$"):
            check(exact, "It has none.")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "qwen3.7-plus-x",
            "has models whose id begins with 'qwen3.7-plus', and not {} itself",
        ),
        ("a-model-of-tomorrow", "does not have {}"),
    ],
)
def test_what_is_not_known_of_this_very_model_is_sent(name: str, reason: str) -> None:
    text = refuse(resolve_model(name), "It has none.")
    assert (
        text == f"It has none. The catalog {reason.format(name)}: the request is sent."
    )


def test_a_fact_of_a_family_is_warned_of_once() -> None:
    exact = resolve_model("text-embedding-v4")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            refuse_or_warn(replace(exact, matched="prefix"), "It has none.")
    assert [warning.category for warning in caught] == [ModelStudioWarning]
