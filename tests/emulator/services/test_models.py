"""The list of models."""

from modelstudio_core.catalog import resolve_model
from tests.emulator.helpers import OpenAIClient


def test_the_list_has_the_models_that_are_not_delisted(client: OpenAIClient) -> None:
    url = client.studio.base_url + "/compatible-mode/v1/models"
    body = client.http.get(url, headers=client.headers).json()
    ids = [model["id"] for model in body["data"]]
    assert body["object"] == "list"
    assert (body["first_id"], body["last_id"]) == (ids[0], ids[-1])
    assert body["has_more"] is False
    assert "deepseek-v4-pro" in ids
    assert not any(resolve_model(name).delisted for name in ids)
    assert set(body["data"][0]) == {"id", "object", "created", "owned_by"}
    assert client.http.get(url).status_code == 401
