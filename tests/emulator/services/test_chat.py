"""How the chat service uses the script."""

from modelstudio_core.emulator import Reply
from tests.emulator.helpers import OpenAIClient


def test_each_reply_answers_one_request_in_order(client: OpenAIClient) -> None:
    client.studio.script(Reply(text="one"), Reply(text="two"))
    answers = [client.message("Why?")["content"] for _ in range(3)]
    assert answers[:2] == ["one", "two"]
    assert "emulator" in answers[2]


def test_a_wrong_key_does_not_use_a_reply(client: OpenAIClient) -> None:
    client.studio.script(Reply(text="one"))
    assert client.http.post(client.url, json={}).status_code == 401
    assert client.message()["content"] == "one"


def test_a_reply_skips_the_rules(client: OpenAIClient) -> None:
    client.studio.script(Reply(text="Hi"))
    assert client.message(model="a-model-of-tomorrow", temperature=9)["content"] == "Hi"
