"""The ids of files in system messages, and the files that models read."""

from typing import Any

import openai
import pytest

from tests.emulator.helpers import DashScopeClient, OpenAIClient

MODELS = pytest.mark.parametrize("model", ["qwen-long", "qwen-doc-turbo"])
QUESTION = {"role": "user", "content": "Which dog is it?"}


def upload(client: OpenAIClient, content: bytes, name: str = "dog.txt") -> str:
    """Upload a file that models read, and return its id."""
    url = f"{client.studio.base_url}/compatible-mode/v1/files"
    response = client.http.post(
        url,
        headers=client.headers,
        data={"purpose": "file-extract"},
        files={"file": (name, content)},
    )
    assert response.status_code == 200, response.text
    file = response.json()
    assert (file["purpose"], file["status"]) == ("file-extract", "processed")
    return str(file["id"])


def prompt(*file_ids: str, separator: str = ",") -> list[dict[str, Any]]:
    ids = separator.join(f"fileid://{file_id}" for file_id in file_ids)
    return [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": ids},
        QUESTION,
    ]


@MODELS
@pytest.mark.parametrize("separator", [",", ", "])
def test_a_question_is_answered_from_uploaded_files(
    client: OpenAIClient, dashscope: DashScopeClient, model: str, separator: str
) -> None:
    ids = [
        upload(client, b"The tower has 330 m. The river is long."),
        upload(client, "The dog is Rex, größer als Max.".encode(), "b.md"),
    ]
    assert all(file_id.startswith("file-fe-") for file_id in ids)
    messages = prompt(*ids, separator=separator)
    assert "Rex" in client.message(messages, model=model)["content"]
    assert "Rex" in str(dashscope.output(messages, model=model))


def test_a_file_is_uploaded_with_the_openai_sdk(client: OpenAIClient) -> None:
    url = f"{client.studio.base_url}/compatible-mode/v1"
    with openai.OpenAI(base_url=url, api_key=client.studio.api_key) as sdk:
        file = sdk.files.create(
            file=("dog.txt", b"The dog is Rex."),
            purpose="file-extract",  # type: ignore[arg-type] # the service's own
        )
        answer = sdk.chat.completions.create(
            model="qwen-long",
            messages=[
                {"role": "system", "content": f"fileid://{file.id}"},
                {"role": "user", "content": "Which dog is it?"},
            ],
        )
        assert "Rex" in (answer.choices[0].message.content or "")
        sdk.files.delete(file.id)
    error = client.error(prompt(file.id), model="qwen-long")
    assert error == (400, f"Invalid file [id:{file.id}].")


def test_a_file_that_is_no_text_is_accepted(client: OpenAIClient) -> None:
    file_id = upload(client, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a.pdf")
    answer = client.message(prompt(file_id), model="qwen-long")["content"]
    assert answer.endswith("It reads no text but UTF-8, so nothing of: a.pdf.")


def test_the_answer_is_found_in_the_file_that_is_a_text(client: OpenAIClient) -> None:
    pdf = upload(client, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a.pdf")
    text = upload(client, b"The dog is Rex.")
    answer = client.message(prompt(pdf, text), model="qwen-long")["content"]
    assert "Rex" in answer
    assert "a.pdf" not in answer


@pytest.mark.parametrize("file_id", ["file-batch-1", "file-fe-", "a.pdf", "", "x y"])
def test_an_id_of_no_uploaded_file_is_refused(
    client: OpenAIClient, dashscope: DashScopeClient, file_id: str
) -> None:
    text = f"Invalid file [id:{file_id}]."
    messages = prompt(upload(client, b"Rex"), file_id)
    assert client.error(messages, model="qwen-long") == (400, text)
    error = dashscope.error(messages, model="qwen-long")
    assert error == (400, "InvalidParameter", text)


def test_a_file_of_a_batch_is_not_read(client: OpenAIClient) -> None:
    url = f"{client.studio.base_url}/compatible-mode/v1/files"
    response = client.http.post(
        url,
        headers=client.headers,
        data={"purpose": "batch"},
        files={"file": ("a.jsonl", b"{}")},
    )
    file_id = response.json()["id"]
    error = client.error(prompt(file_id), model="qwen-long")
    assert error == (400, f"Invalid file [id:{file_id}].")


def test_an_empty_file_and_too_many_files_are_refused(client: OpenAIClient) -> None:
    blank = upload(client, b"  \n")
    error = client.error(prompt(blank), model="qwen-long")
    assert error == (400, f"File [id:{blank}] content blank.")
    error = client.error(prompt(*[upload(client, b"Rex")] * 101), model="qwen-long")
    assert error == (400, "Too many files provided.")


def test_an_image_over_20_mb_is_not_kept(client: OpenAIClient) -> None:
    response = client.http.post(
        f"{client.studio.base_url}/compatible-mode/v1/files",
        headers=client.headers,
        data={"purpose": "file-extract"},
        files={"file": ("a.png", bytes(20 * 1024 * 1024 + 1))},
    )
    assert response.status_code == 400
    assert "limit of 20 MB" in response.json()["error"]["message"]


def test_to_other_models_an_id_is_a_text(
    client: OpenAIClient, dashscope: DashScopeClient
) -> None:
    messages = prompt("anything")
    assert client.message(messages, model="qwen-plus")["content"]
    assert dashscope.output(messages, model="qwen-plus")
