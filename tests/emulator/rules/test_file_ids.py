"""Rules for the ids of files in system messages."""

from typing import Any

import pytest

from tests.emulator.helpers import TEXT, DashScopeClient, OpenAIClient

QUESTION = {"role": "user", "content": "The dog is Rex. Which dog is it?"}


def prompt(*file_ids: str, separator: str = ",") -> list[dict[str, Any]]:
    ids = separator.join(f"fileid://{file_id}" for file_id in file_ids)
    return [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": ids},
        QUESTION,
    ]


@pytest.mark.parametrize("model", ["qwen-long", "qwen-doc-turbo"])
@pytest.mark.parametrize("separator", [",", ", "])
def test_ids_of_the_service_are_accepted(
    client: OpenAIClient, dashscope: DashScopeClient, model: str, separator: str
) -> None:
    messages = prompt("file-fe-a1B2", "file-fe-3", separator=separator)
    assert "Rex" in client.message(messages, model=model)["content"]
    assert "Rex" in str(dashscope.output(messages, model=model))


@pytest.mark.parametrize(
    "file_id", ["file-batch-1", "file-fe-", "a.pdf", "", "file-fe-1 file-fe-2"]
)
def test_what_cannot_be_an_id_of_a_parsed_file_is_refused(
    client: OpenAIClient, dashscope: DashScopeClient, file_id: str
) -> None:
    text = f"Invalid file [id:{file_id}]."
    messages = prompt("file-fe-1", file_id)
    assert client.error(messages, model="qwen-long") == (400, text)
    error = dashscope.error(messages, model="qwen-long")
    assert error == (400, "InvalidParameter", text)


def test_more_than_a_hundred_files_are_refused(client: OpenAIClient) -> None:
    messages = prompt(*(f"file-fe-{number}" for number in range(101)))
    error = client.error(messages, model="qwen-long")
    assert error == (400, "Too many files provided.")
    assert client.message(prompt("file-fe-1"), model="qwen-long")


def test_to_other_models_an_id_is_a_text(
    client: OpenAIClient, dashscope: DashScopeClient
) -> None:
    messages = prompt("anything")
    assert client.message(messages, model="qwen-plus")["content"]
    assert dashscope.output(messages, model="qwen-plus", path=TEXT)
