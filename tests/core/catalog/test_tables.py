"""The tables as a whole: no id twice, every entry with its source."""

from datetime import date

import pytest

from modelstudio_core.catalog import ModelProfile, model_ids, resolve_model
from modelstudio_core.catalog.lookup import MODELS
from tests.core.catalog.entries import name_entry

ALL_IDS = model_ids(None)


def test_ids_are_unique() -> None:
    names = [name for entry in MODELS for name in (*entry.ids, *entry.aliases)]
    assert len(names) == len(set(names))


def test_prefixes_are_unique() -> None:
    prefixes = [entry.prefix for entry in MODELS if entry.prefix]
    assert len(prefixes) == len(set(prefixes))


@pytest.mark.parametrize("entry", MODELS, ids=name_entry)
def test_every_entry_has_a_source_and_a_date(entry: ModelProfile) -> None:
    assert entry.is_known
    assert entry.ids or entry.prefix
    assert entry.source.strip() == entry.source
    assert entry.checked is not None
    assert date(2026, 1, 1) <= entry.checked


@pytest.mark.parametrize("model", [m for m in ALL_IDS if m.endswith("-us")])
def test_us_models_are_bound_to_the_us(model: str) -> None:
    profile = resolve_model(model)
    assert (profile.regions, profile.modes) == (("us-east-1",), ("us",))


@pytest.mark.parametrize("model", [m for m in ALL_IDS if "/" in m])
def test_ids_with_a_vendor_prefix_are_served_in_beijing(model: str) -> None:
    assert resolve_model(model).regions == ("cn-beijing",)


@pytest.mark.parametrize("model", ALL_IDS)
def test_every_model_is_found_under_its_own_id(model: str) -> None:
    profile = resolve_model(model)
    assert profile.id == model
    assert model in profile.ids
    assert profile.exact


@pytest.mark.parametrize("entry", MODELS, ids=name_entry)
def test_every_replacement_is_served_and_of_the_same_kind(entry: ModelProfile) -> None:
    if entry.replacement is None:
        return
    assert entry.delisted is not None
    replacement = resolve_model(entry.replacement)
    assert replacement.exact
    assert replacement.delisted is None
    assert replacement.kind == entry.kind
