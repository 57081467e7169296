"""The tables of regions, modes and delisted models are true."""

import pytest

from modelstudio_core.catalog import resolve_deprecated, resolve_model
from modelstudio_core.catalog.deprecation import _REPLACEMENTS
from modelstudio_core.endpoints import _MODES, _REGIONS, resolve_endpoint
from modelstudio_core.errors import ConfigurationError
from tests.support.pages import names, table


def test_region_table() -> None:
    header = ("region", "also", "data location", "host", "host with a workspace")
    rows = table("docs/regions.md", *header)
    assert [row[0] for row in rows] == list(_REGIONS)
    for region, also, location, host, workspace_host in rows:
        assert names(also)
        for name in (region, *names(also)):
            assert resolve_endpoint(region=name, workspace="ws-123").region == region
        endpoint = resolve_endpoint(region=region, workspace="ws-123")
        assert endpoint.data_location == location
        wanted = host if workspace_host == "the same" else workspace_host
        assert endpoint.host == wanted.format(workspace="ws-123")
        in_header = {"X-DashScope-WorkSpace": "ws-123"}
        assert endpoint.headers == (in_header if workspace_host == "the same" else {})
        if host == "none":
            with pytest.raises(ConfigurationError, match="needs a workspace"):
                resolve_endpoint(region=region)
        else:
            assert resolve_endpoint(region=region).host == host


def test_mode_table() -> None:
    rows = table("docs/regions.md", "mode", "also", "regions", "inference scope")
    assert sorted(row[0] for row in rows) == sorted(_MODES)
    bound: set[tuple[str, str]] = set()
    for mode, also, regions, scope in rows:
        for name in (mode, *names(also)):
            for region in names(regions):
                endpoint = resolve_endpoint(
                    mode=name, region=region, workspace="ws-123"
                )
                assert endpoint.mode == mode
                assert endpoint.inference_scope == scope
                bound.add((region, mode))
    assert bound == {
        (region, mode) for region, facts in _REGIONS.items() for mode in facts.modes
    }


def test_replacement_table() -> None:
    rows = table("docs/delisted.md", "model", "replacement", "default thinking")
    replacements = {
        model: (target, thinking)
        for models, target, thinking in rows
        for model in names(models)
    }
    assert set(replacements) == set(_REPLACEMENTS)
    for model, (target, thinking) in replacements.items():
        resolved = resolve_deprecated(model)
        assert resolved.profile.id == target
        assert resolved.default_thinking is (thinking == "on")
        assert str(resolve_model(model).delisted) == "2026-07-09"
