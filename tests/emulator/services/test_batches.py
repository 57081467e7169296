"""Files and batches of the emulator: what it refuses, and how batches go on."""

import json
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import BatchScript, Fault
from tests.emulator.helpers import OpenAIClient

BASE = "/compatible-mode/v1"
CHAT = "/v1/chat/completions"


def line(number: int = 0, **changes: Any) -> dict[str, Any]:
    body = {
        "model": "qwen-plus",
        "messages": [{"role": "user", "content": f"Hi {number}"}],
    }
    values = {"custom_id": str(number), "method": "POST", "url": CHAT, "body": body}
    return values | changes


def upload(client: OpenAIClient, *lines: Any, **form: str) -> httpx.Response:
    texts = [json.dumps(value) if isinstance(value, dict) else value for value in lines]
    return client.http.post(
        f"{client.studio.base_url}{BASE}/files",
        headers=client.headers,
        data={"purpose": "batch"} | form,
        files={"file": ("a.jsonl", "\n".join(texts))},
    )


def call(client: OpenAIClient, method: str, path: str, **options: Any) -> Any:
    url = f"{client.studio.base_url}{BASE}{path}"
    return client.http.request(method, url, headers=client.headers, **options)


def create(client: OpenAIClient, file_id: str, **changes: Any) -> httpx.Response:
    body = {"input_file_id": file_id, "endpoint": CHAT, "completion_window": "24h"}
    response: httpx.Response = call(client, "POST", "/batches", json=body | changes)
    return response


def made(client: OpenAIClient, *lines: Any) -> dict[str, Any]:
    file_id = upload(client, *lines).json()["id"]
    batch: dict[str, Any] = create(client, file_id).json()
    return batch


def shown(client: OpenAIClient, batch: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = call(client, "GET", f"/batches/{batch['id']}").json()
    return found


def test_a_file_is_kept_listed_and_deleted(client: OpenAIClient) -> None:
    file = upload(client, line()).json()
    assert file["id"].startswith("file-batch-")
    assert file["bytes"] == len(json.dumps(line()))
    assert (file["filename"], file["status"]) == ("a.jsonl", "processed")
    listed = call(client, "GET", "/files", params={"purpose": "batch"}).json()
    assert listed == {"object": "list", "data": [file], "has_more": False}
    assert call(client, "GET", f"/files/{file['id']}").json() == file
    content = call(client, "GET", f"/files/{file['id']}/content")
    assert content.status_code == 400
    deleted = call(client, "DELETE", f"/files/{file['id']}").json()
    assert deleted == {"object": "file", "deleted": True, "id": file["id"]}
    assert call(client, "GET", f"/files/{file['id']}").status_code == 404


def test_pages_are_newest_first(client: OpenAIClient) -> None:
    ids = [upload(client, line(number)).json()["id"] for number in range(5)]
    first = call(client, "GET", "/files", params={"limit": 2}).json()
    assert [file["id"] for file in first["data"]] == ids[:2:-1]
    assert first["has_more"] is True
    query = {"limit": 3, "after": first["data"][-1]["id"]}
    rest = call(client, "GET", "/files", params=query).json()
    assert [file["id"] for file in rest["data"]] == ids[2::-1]
    assert rest["has_more"] is False


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"purpose": "fine-tune"}, "purpose"),
        ({"purpose": "batch", "other": "1"}, "Unknown form field"),
    ],
    ids=["purpose", "unknown field"],
)
def test_a_form_is_checked(
    form: dict[str, str], message: str, client: OpenAIClient
) -> None:
    response = upload(client, line(), **form)
    assert response.status_code == 400
    assert message in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "/v1/completions"},
        {"completion_window": "23h"},
        {"completion_window": "15d"},
        {"completion_window": "1.5d"},
        {"metadata": {"ds_name": "x" * 101}},
        {"metadata": {"ds_description": "x" * 201}},
        {"metadata": 3},
        {"input_file_id": None},
    ],
    ids=str,
)
def test_a_creation_is_checked(changes: dict[str, Any], client: OpenAIClient) -> None:
    file_id = upload(client, line()).json()["id"]
    assert create(client, file_id, **changes).status_code == 400
    assert client.studio.batches == []
    assert create(client, "file-batch-unknown").status_code == 404


LINE_ERRORS: dict[str, tuple[list[Any], str, int]] = {
    "another path": ([line(), line(1, url="/v1/completions")], "url_not_found", 2),
    "another endpoint": ([line(url="/v1/embeddings")], "mismatched_url", 1),
    "the test endpoint": ([line(url="/v1/chat/ds-test")], "mismatched_test_url", 1),
    "the same id": ([line(), line()], "duplicate_custom_id", 2),
    "another model": (
        [line(), line(1, body={"model": "qwen-flash"})],
        "mismatched_model",
        2,
    ),
    "a model without batches": (
        [line(body={"model": "deepseek-v4-pro"})],
        "model_not_found",
        1,
    ),
    "no JSON": ([line(), "garbage"], "invalid_json_line", 2),
}


@pytest.mark.parametrize("name", LINE_ERRORS)
def test_a_batch_with_a_bad_line_fails_at_once(name: str, client: OpenAIClient) -> None:
    lines, code, number = LINE_ERRORS[name]
    batch = shown(client, made(client, *lines))
    assert batch["status"] == "failed"
    assert batch["failed_at"] == batch["created_at"]
    assert batch["in_progress_at"] is None
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    (error,) = batch["errors"]["data"]
    assert (error["code"], error["line"]) == (code, number)


def test_a_batch_goes_on_with_time(client: OpenAIClient) -> None:
    client.studio.script_batches(BatchScript(seconds=100, bad_lines={0}))
    batch = made(client, *map(line, range(10)))
    assert batch["status"] == "validating"
    client.studio.advance(50)
    half = shown(client, batch)
    assert (half["status"], half["output_file_id"]) == ("in_progress", None)
    assert half["request_counts"] == {"total": 10, "completed": 4, "failed": 1}
    client.studio.advance(60)
    done = shown(client, batch)
    assert done["status"] == "completed"
    assert done["request_counts"] == {"total": 10, "completed": 9, "failed": 1}
    output = call(client, "GET", f"/files/{done['output_file_id']}/content").text
    results = [json.loads(text) for text in output.splitlines()]
    ids = [result["custom_id"] for result in results]
    assert sorted(ids) == [str(number) for number in range(1, 10)]
    assert ids != sorted(ids)
    for result in results:
        assert result["id"] == result["response"]["request_id"]
        body = result["response"]["body"]
        assert body["id"] == f"chatcmpl-{result['id']}"
        assert body["usage"]["total_tokens"] > 0
    errors = call(client, "GET", f"/files/{done['error_file_id']}/content").json()
    assert errors["custom_id"] == "0"
    assert errors["error"]["code"] == "InvalidParameter"


def test_a_cancelled_batch_counts_what_was_not_run_as_failed(
    client: OpenAIClient,
) -> None:
    """As recorded: the time of the cancellation is not in its answer yet."""
    batch = made(client, line(0), line(1))
    cancelled = call(client, "POST", f"/batches/{batch['id']}/cancel").json()
    assert (cancelled["status"], cancelled["cancelling_at"]) == ("cancelling", None)
    done = shown(client, batch)
    assert done["status"] == "cancelled"
    assert done["cancelling_at"] == done["cancelled_at"] is not None
    assert done["request_counts"] == {"total": 2, "completed": 0, "failed": 2}
    assert done["output_file_id"] is None
    assert done["error_file_id"].startswith("file-batch_output-")
    again = call(client, "POST", f"/batches/{batch['id']}/cancel")
    assert again.status_code == 400


def test_batches_are_listed_by_their_file_and_name_for_30_days(
    client: OpenAIClient,
) -> None:
    batch = made(client, line())
    other = made(client, line(1))
    query = {"input_file_ids": batch["input_file_id"]}
    found = call(client, "GET", "/batches", params=query).json()
    assert [entry["id"] for entry in found["data"]] == [batch["id"]]
    assert found["first_id"] == found["last_id"] == batch["id"]
    everything = call(client, "GET", "/batches").json()
    assert [entry["id"] for entry in everything["data"]] == [other["id"], batch["id"]]
    empty = call(client, "GET", "/batches", params={"input_file_ids": "x"}).json()
    assert (empty["data"], empty["first_id"], empty["has_more"]) == (None, None, False)
    named = create(client, batch["input_file_id"], metadata={"ds_name": "my run"})
    listed = call(client, "GET", "/batches", params={"ds_name": "run"}).json()
    assert [entry["id"] for entry in listed["data"]] == [named.json()["id"]]
    client.studio.advance(31 * 86400)
    assert call(client, "GET", "/batches", params=query).json()["data"] is None
    assert shown(client, batch)["status"] == "completed"


def test_lists_have_a_limit_of_a_minute(client: OpenAIClient) -> None:
    for _ in range(100):
        assert call(client, "GET", "/batches").status_code == 200
    assert call(client, "GET", "/batches").status_code == 429
    client.studio.advance(61)
    assert call(client, "GET", "/batches").status_code == 200


def test_a_fault_can_be_scripted(client: OpenAIClient) -> None:
    client.studio.script(Fault(status=503))
    assert upload(client, line()).status_code == 503
    assert upload(client, line()).status_code == 200
