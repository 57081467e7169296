"""Which models have batch inference, and where."""

import pytest

from modelstudio_core.catalog import (
    BATCH_TEST_MODEL,
    model_ids,
    models_with_batch,
    resolve_model,
)
from modelstudio_core.catalog.batch_models import BATCH_CHAT_MODELS, BATCH_REGIONS


@pytest.mark.parametrize(
    ("model", "regions"),
    [
        ("qwen3.7-plus", ("cn-beijing",)),
        ("qwen-plus", ("cn-beijing", "ap-southeast-1")),
        ("qwen-max", ("ap-southeast-1",)),
        ("text-embedding-v4", ("cn-beijing",)),
        ("deepseek-v4-pro", ()),
        ("qwen-plus-us", ()),
        (BATCH_TEST_MODEL, ("cn-beijing", "ap-southeast-1")),
        ("qwen-plus-latest", ("cn-beijing",)),
        # Nothing is stated for ids that only share a prefix, or are not known.
        ("qwen3.7-plus-2027-01-01", None),
        ("a-model-of-tomorrow", None),
    ],
)
def test_the_regions_of_a_model(model: str, regions: tuple[str, ...] | None) -> None:
    assert resolve_model(model).batch_regions == regions


def test_batch_chat_is_a_fact_of_exact_ids() -> None:
    assert resolve_model("qwen3.7-plus").batch_chat is True
    assert resolve_model("deepseek-v4-pro").batch_chat is False
    assert resolve_model("a-model-of-tomorrow").batch_chat is None


def test_models_with_batch_are_those_of_the_kind_that_are_not_delisted() -> None:
    assert models_with_batch("ap-southeast-1", "chat") == (
        "qwen-plus",
        "qwen-flash",
        "qwen-max",
        "qwen-turbo",
    )
    assert models_with_batch("ap-southeast-1", "embedding") == ()
    assert models_with_batch("us-east-1", "chat") == ()
    assert "text-embedding-v4" in models_with_batch(None, "embedding")
    chat = models_with_batch("cn-beijing", "chat")
    assert "deepseek-r1" not in chat
    assert BATCH_TEST_MODEL not in chat


def test_the_lists_name_models_of_the_catalog() -> None:
    names = {*BATCH_REGIONS, *BATCH_CHAT_MODELS}
    aliases = {"qwen-plus-latest", BATCH_TEST_MODEL}
    assert names - aliases <= set(model_ids(None))
