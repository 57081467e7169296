"""Bodies that cannot be parsed."""

import pytest

from tests.emulator.helpers import OpenAIClient


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": []}, "you must provide a model parameter."),
        ({"model": "qwen-plus", "messages": []}, "[] is too short - 'messages'"),
        (
            {"model": "qwen-plus", "messages": "Hi"},
            "\"Hi\" is not of type 'array' - 'messages'",
        ),
        ([], "We could not parse the JSON body of your request."),
        (
            {"model": "qwen-plus", "messages": [{"role": "developer"}]},
            (
                "developer is not one of ['system', 'assistant', 'user', 'tool'] -"
                " 'messages.role'"
            ),
        ),
    ],
)
def test_invalid_bodies_are_refused(
    client: OpenAIClient, body: object, message: str
) -> None:
    response = client.post(body)
    assert response.status_code == 400
    assert response.json()["error"]["message"] == message
