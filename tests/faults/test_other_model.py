"""A model that is not there: which one to ask for instead."""

from typing import Any

import pytest

from modelstudio_core.catalog import nearest_served, resolve_model
from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import NotFoundError
from tests.faults.server import FaultServer
from tests.faults.ways import WAYS, ask, model
from tests.faults.wire import Protocol, prompt


@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
@pytest.mark.parametrize("region", [None, "singapore"])
async def test_a_404_offers_the_nearest_model(
    server: FaultServer, protocol: Protocol, region: str | None
) -> None:
    llm = model(
        "LangChain", server.base_url, protocol, model="qwen3.7-pluss", region=region
    )
    answer = await ask(llm, WAYS[3], prompt("x", "no such model"))
    assert isinstance(answer.error, NotFoundError)
    said = answer.error.message
    assert "'qwen3.7-pluss'" in said
    assert "'qwen3.7-plus'" in said
    assert ("region ap-southeast-1" in said) is (region is not None)


@pytest.mark.parametrize("play", ["wrong key", "denied", "bad parameter", "internal"])
@pytest.mark.usefixtures("at_once")
async def test_other_errors_offer_none(server: FaultServer, play: str) -> None:
    llm = model("LangChain", server.base_url, "openai", model="qwen3.7-pluss")
    answer = await ask(llm, WAYS[0], prompt("x", play))
    assert "nearest" not in str(answer.error)


@pytest.mark.parametrize(
    ("model_id", "where", "offered"),
    [
        ("qwen3.7-max", {"region": "us", "mode": "us"}, "qwen3.7-max-us"),
        ("qwen3.7-plus-us", {"region": "us", "mode": "global"}, "qwen3.7-plus"),
        ("glm5.2-us", {"region": "us", "mode": "us"}, "glm-5.2-us"),
        ("kimi/kimi-k2-6", {"region": "singapore"}, "kimi-k2.6"),
        ("kimi/kimi-k2-6", {"region": "beijing"}, "kimi/kimi-k2.6"),
        ("deepseek-v3.2-expp", {"region": "singapore"}, "deepseek-v4-pro"),
    ],
)
def test_the_nearest_model_that_a_region_serves(
    model_id: str, where: dict[str, Any], offered: str
) -> None:
    found = nearest_served(model_id, resolve_endpoint(**where))
    assert found == offered


def test_no_model_is_offered_that_is_delisted_or_of_another_kind() -> None:
    endpoint = resolve_endpoint(region="singapore")
    for asked in ("deepseek-r1", "wan2.6-t2i", "deepseek-v3", "qwen3.7-max"):
        found = nearest_served(asked, endpoint)
        assert found is not None
        assert found != asked
        assert resolve_model(found).delisted is None
        assert resolve_model(found).kind == resolve_model(asked).kind
        assert resolve_model(found).outputs & resolve_model(asked).outputs
