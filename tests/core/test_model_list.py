"""The list of models that the service answers."""

import json
from typing import Any

import pytest

from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.errors import InvalidResponseError
from modelstudio_core.model_list import ModelList, list_models
from tests.support.http_server import Scripted, serve_http
from tests.support.models import KEY, PROTOCOLS, Protocol


def listed(body: dict[str, Any], protocol: Protocol = "openai") -> ModelList:
    answer = Scripted(body=json.dumps(body).encode(), headers={"x-request-id": "r-1"})
    with serve_http(answer) as server:
        at = {"base_url": server.base_url, "api_key": KEY, "protocol": protocol}
        models = list_models(resolve_connection({**at, "max_retries": 0}))
    assert server.only.method == "GET"
    assert server.only.path == "/compatible-mode/v1/models"
    assert server.only.headers["authorization"] == f"Bearer {KEY}"
    return models


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_model_is_listed_once_in_the_order_of_the_service(
    protocol: Protocol,
) -> None:
    rows = [{"id": name} for name in ("b", "a", "b", "c", "a")]
    models = listed({"data": rows}, protocol)
    assert models == (["b", "a", "c"], True, "r-1")


def test_rows_without_a_name_are_left_out() -> None:
    rows = [{"id": ""}, {"id": 3}, {}, "x", None, ["id"], {"id": "a"}]
    assert listed({"data": rows}).ids == ["a"]
    assert listed({"data": []}).ids == []


@pytest.mark.parametrize(
    ("more", "is_complete"),
    [
        ({}, True),
        *(
            ({"has_more": value}, value is not True)
            for value in (True, False, None, "true", 1)
        ),
    ],
    ids=str,
)
def test_a_list_says_whether_there_are_more(
    more: dict[str, Any], *, is_complete: bool
) -> None:
    assert listed({"data": [{"id": "a"}], **more}).is_complete == is_complete


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {"id": "a"}}, {"data": "a"}], ids=str
)
def test_an_answer_without_a_list_is_invalid(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponseError, match="check base_url") as caught:
        listed(body)
    assert not caught.value.is_retryable
    assert caught.value.request_id == "r-1"
