"""Rules for the API key."""

import pytest

from tests.emulator.helpers import DashScopeClient, OpenAIClient


def test_a_missing_key_is_refused_by_the_gateway(client: OpenAIClient) -> None:
    response = client.http.post(client.url, json={})
    body = response.json()
    assert response.status_code == 401
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["error"].pop("message").startswith("You didn't provide an API key. ")
    assert body["error"] == {
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    assert "id" not in body


@pytest.mark.parametrize("stream", [False, True])
def test_a_wrong_key_is_refused_by_the_gateway(
    null_client: OpenAIClient, stream: bool
) -> None:
    """Recorded as JSON for streams too, in both generations."""
    headers = {"authorization": "Bearer sk-another"}
    response = null_client.http.post(
        null_client.url, json={"stream": stream}, headers=headers
    )
    assert response.status_code == 401
    assert response.json() == {
        "error": {
            "message": "Incorrect API key provided. For details, see:"
            " https://www.alibabacloud.com/help/en/model-studio/error-code#apikey-error",
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_api_key",
        },
        "request_id": response.headers["x-request-id"],
    }


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "No API-key provided."),
        ({"authorization": "Bearer sk-another"}, "Invalid API-key provided."),
    ],
)
def test_the_dashscope_protocol_refuses_keys_in_plain_json(
    dashscope: DashScopeClient, headers: dict[str, str], message: str
) -> None:
    """Recorded for a stream."""
    sent = headers | {"X-DashScope-SSE": "enable"}
    response = dashscope.http.post(dashscope.url(), json={}, headers=sent)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "code": "InvalidApiKey",
        "message": message,
        "request_id": response.headers["x-request-id"],
    }
