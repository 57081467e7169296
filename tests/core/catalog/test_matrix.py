"""Every endpoint and every entry of the catalog, as text to be read.

A change of any address, scope, refusal or model fact shows up here as a line of a diff.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import cast

import pytest
from syrupy.assertion import SnapshotAssertion

from modelstudio_core.catalog import ModelProfile
from modelstudio_core.catalog.lookup import MODELS
from modelstudio_core.endpoints import PROTOCOLS, resolve_endpoint
from modelstudio_core.errors import ConfigurationError
from tests.core.catalog.entries import name_entry

REGIONS = (
    None,
    "ap-southeast-1",
    "us-east-1",
    "cn-beijing",
    "cn-hongkong",
    "eu-central-1",
    "ap-northeast-1",
)
MODES = (
    None,
    "global",
    "international",
    "us",
    "chinese-mainland",
    "hong-kong",
    "eu",
)
WORKSPACES = (None, "ws-123")


def describe(region: str | None, mode: str | None, workspace: str | None) -> list[str]:
    """Describe one combination in lines."""
    combination = f"{region or '-'} × {mode or '-'} × {workspace or '-'}"
    try:
        endpoint = resolve_endpoint(region=region, mode=mode, workspace=workspace)
    except ConfigurationError as error:
        return [combination, f"  {type(error).__name__}: {error}"]
    return [
        combination,
        f"  {endpoint.region} × {endpoint.mode} × {endpoint.workspace}",
        *(f"  {protocol}: {endpoint.base_url(protocol)}" for protocol in PROTOCOLS),
        f"  headers: {dict(endpoint.headers)}",
        f"  data: {endpoint.data_location}",
        f"  inference: {endpoint.inference_scope}",
    ]


_BLANK: tuple[object, ...] = (None, frozenset[str]())


def format_column(value: object) -> str:  # noqa: PLR0911 - a table of types
    """Format a column in an order that does not depend on hashes."""
    match value:
        case None:
            return "?"
        case (int(low), int(high)):
            return f"{low} to {high}"
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            entries = (f"{key} = {format_column(entry)}" for key, entry in items)
            return ", ".join(entries) or "-"
        case frozenset():
            return ", ".join(sorted(cast("frozenset[str]", value))) or "-"
        case tuple():
            parts = cast("tuple[object, ...]", value)
            return ", ".join(str(part) for part in parts) or "-"
        case _ if is_dataclass(value):
            columns = ((c.name, getattr(value, c.name)) for c in fields(value))
            known = (f"{n}: {format_column(v)}" for n, v in columns if v not in _BLANK)
            return f"({'; '.join(known)})"
        case _:
            return str(value) or "-"


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_mode_workspace_and_protocol(
    region: str | None, snapshot: SnapshotAssertion
) -> None:
    lines = [
        line
        for mode in MODES
        for workspace in WORKSPACES
        for line in describe(region, mode, workspace)
    ]
    assert "\n".join(lines) == snapshot


@pytest.mark.parametrize("profile", MODELS, ids=name_entry)
def test_every_entry_of_the_catalog(
    profile: ModelProfile, snapshot: SnapshotAssertion
) -> None:
    lines = [
        f"kind: {profile.kind}",
        *(
            f"{column.name}: {format_column(getattr(profile, column.name))}"
            for column in fields(profile)
            # The last two are facts of ids, not of entries: see test_batch_models.py.
            if column.name not in {"id", "matched", "batch_regions", "batch_chat"}
        ),
    ]
    assert "\n".join(lines) == snapshot
