"""An unknown model: the error names the nearest model that the region serves."""

from typing import Any

import pytest

from modelstudio_core.catalog import nearest_served, resolve_model
from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import NotFoundError
from tests.support.calls import CALL_STYLES, collect_text
from tests.support.fault_server import FaultServer, prompt
from tests.support.models import PROTOCOLS, Protocol, model


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("region", [None, "singapore"])
async def test_a_404_names_the_nearest_model(
    server: FaultServer, protocol: Protocol, region: str | None
) -> None:
    llm = model(
        "LangChain", server.base_url, protocol, model="qwen3.7-pluss", region=region
    )
    result = await collect_text(llm, CALL_STYLES[3], prompt("x", "unknown model"))
    assert isinstance(result.error, NotFoundError)
    message = result.error.message
    assert "'qwen3.7-pluss'" in message
    assert "'qwen3.7-plus'" in message
    assert ("region ap-southeast-1" in message) is (region is not None)


@pytest.mark.parametrize(
    "fault", ["wrong key", "permission denied", "bad parameter", "internal error"]
)
@pytest.mark.usefixtures("no_backoff")
async def test_other_errors_name_no_model(server: FaultServer, fault: str) -> None:
    llm = model("LangChain", server.base_url, model="qwen3.7-pluss", max_retries=1)
    result = await collect_text(llm, CALL_STYLES[0], prompt("x", fault))
    assert "nearest" not in str(result.error)


@pytest.mark.parametrize(
    ("model_id", "where", "nearest"),
    [
        ("qwen3.7-max", {"region": "us", "mode": "us"}, "qwen3.7-max-us"),
        ("qwen3.7-plus-us", {"region": "us", "mode": "global"}, "qwen3.7-plus"),
        ("glm5.2-us", {"region": "us", "mode": "us"}, "glm-5.2-us"),
        ("kimi/kimi-k2-6", {"region": "singapore"}, "kimi-k2.6"),
        ("kimi/kimi-k2-6", {"region": "beijing"}, "kimi/kimi-k2.6"),
        ("deepseek-v3.2-expp", {"region": "singapore"}, "deepseek-v4-pro"),
    ],
)
def test_the_nearest_model_is_served_in_the_region(
    model_id: str, where: dict[str, Any], nearest: str
) -> None:
    assert nearest_served(model_id, resolve_endpoint(**where)) == nearest


def test_the_nearest_model_is_neither_delisted_nor_an_image_model() -> None:
    endpoint = resolve_endpoint(region="singapore")
    for model_id in ("deepseek-r1", "wan2.6-t2i", "deepseek-v3", "qwen3.7-max"):
        nearest = nearest_served(model_id, endpoint)
        assert nearest is not None
        assert nearest != model_id
        assert resolve_model(nearest).delisted is None
        assert "text" in resolve_model(nearest).outputs
