"""The emulator's tasks: states over time, limits, errors, files."""

import struct
import time
import zlib
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import Emulator, Fault, Reply, TaskOutcome
from tests.emulator.helpers import OpenAIClient

SERVICES = "/api/v1/services"
GENERATION = f"{SERVICES}/aigc/image-generation/generation"
MULTIMODAL = f"{SERVICES}/aigc/multimodal-generation/generation"
TEXT_TO_IMAGE = f"{SERVICES}/aigc/text2image/image-synthesis"
ASYNC = {"x-dashscope-async": "enable"}


def messages(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [*parts]}]}


def body(model: str = "wan2.6-t2i", **parameters: Any) -> dict[str, Any]:
    return {"model": model, "input": messages({"text": "A"}), "parameters": parameters}


class Client:
    """A client of the emulator's tasks."""

    def __init__(self, client: OpenAIClient) -> None:
        self.studio: Emulator = client.studio
        self.http: httpx.Client = client.http
        self._headers = client.headers

    def post(self, path: str, json: object = None, **headers: str) -> httpx.Response:
        url = self.studio.base_url + path
        return self.http.post(url, json=json, headers=self._headers | headers)

    def get(self, path: str, **query: Any) -> httpx.Response:
        url = self.studio.base_url + path
        return self.http.get(url, params=query, headers=self._headers)

    def create(self, json: object = None, path: str = GENERATION) -> str:
        response = self.post(path, json or body(), **ASYNC)
        assert response.status_code == 200, response.text
        output: dict[str, Any] = response.json()["output"]
        assert output["task_status"] == "PENDING"
        return str(output["task_id"])

    def output(self, task_id: str) -> dict[str, Any]:
        response = self.get(f"/api/v1/tasks/{task_id}")
        assert response.status_code == 200, response.text
        output: dict[str, Any] = response.json()["output"]
        return output

    def fetch(self, url: str, **headers: str) -> httpx.Response:
        return self.http.get(url, headers=headers)


@pytest.fixture
def studio(client: OpenAIClient) -> Client:
    return Client(client)


def test_a_task_over_time(studio: Client) -> None:
    studio.studio.script_tasks(TaskOutcome(seconds=100))
    task_id = studio.create()
    seen: list[tuple[str, set[str]]] = []
    for seconds in (0, 30, 70):
        studio.studio.advance(seconds)
        output = studio.output(task_id)
        seen.append((output["task_status"], {k for k in output if k.endswith("time")}))
    assert seen == [
        ("PENDING", {"submit_time"}),
        ("RUNNING", {"submit_time", "scheduled_time"}),
        ("SUCCEEDED", {"submit_time", "scheduled_time", "end_time"}),
    ]
    assert output["task_metrics"] == {"TOTAL": 4, "SUCCEEDED": 4, "FAILED": 0}
    studio.studio.advance(24 * 3600)
    assert studio.output(task_id) == {"task_id": task_id, "task_status": "UNKNOWN"}


def test_a_task_of_another_host_is_unknown(studio: Client) -> None:
    task_id = studio.create()
    with Emulator() as other:
        url = f"{other.base_url}/api/v1/tasks/{task_id}"
        headers = {"authorization": f"Bearer {other.api_key}"}
        answer = studio.http.get(url, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["output"]["task_status"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("path", "json", "headers", "status", "code"),
    [
        (GENERATION, body(), {}, 403, "AccessDenied"),
        (MULTIMODAL, body("qwen-image-2.0"), ASYNC, 403, "AccessDenied"),
        (TEXT_TO_IMAGE, body(), ASYNC, 400, "InvalidParameter"),
        (GENERATION, body("nobody-made-it"), ASYNC, 400, "InvalidParameter"),
        (GENERATION, body("qwen3.7-max"), ASYNC, 400, "InvalidParameter"),
        (GENERATION, body(n="2"), ASYNC, 400, "InvalidParameter"),
        (GENERATION, body(n=13), ASYNC, 400, "InvalidParameter"),
        (GENERATION, body(size="1024x1024"), ASYNC, 400, "InvalidParameter"),
        (GENERATION, {"model": "wan2.6-t2i"}, ASYNC, 400, "InvalidParameter"),
        (GENERATION, [], ASYNC, 400, "InvalidParameter"),
        (
            GENERATION,
            {"model": "wan2.6-t2i", "input": messages({"text": "A"}, {"text": "B"})},
            ASYNC,
            400,
            "InvalidParameter",
        ),
        (
            GENERATION,
            {"model": "wan2.6-t2i", "input": messages({"text": "A" * 2101})},
            ASYNC,
            400,
            "InvalidParameter",
        ),
        (
            GENERATION,
            {
                "model": "wan2.6-t2i",
                "input": messages({"image": "https://a.com/b"}, {"text": "A"}),
            },
            ASYNC,
            400,
            "InvalidParameter",
        ),
        (
            MULTIMODAL,
            {"model": "qwen-image-2.0", "input": messages({"image": 3}, {"text": "A"})},
            {},
            400,
            "InvalidURL",
        ),
        (
            MULTIMODAL,
            {
                "model": "qwen-image-2.0",
                "input": messages({"image": "oss://gone/a.png"}, {"text": "A"}),
            },
            {},
            400,
            "InvalidParameter.DataInspection",
        ),
        (
            TEXT_TO_IMAGE,
            {"model": "wanx-v1", "input": {}},
            ASYNC,
            400,
            "BadRequest.EmptyInput",
        ),
    ],
)
def test_what_the_service_refuses(
    *,
    path: str,
    json: object,
    headers: dict[str, str],
    status: int,
    code: str,
    studio: Client,
) -> None:
    response = studio.post(path, json, **headers)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert studio.get("/api/v1/tasks").json()["total"] == 0


def test_a_key_is_needed(studio: Client) -> None:
    for path in ("/api/v1/tasks", "/api/v1/tasks/t-1"):
        response = studio.http.get(studio.studio.base_url + path)
        assert response.status_code == 401


def test_more_than_20_queries_in_a_second_are_refused(studio: Client) -> None:
    begin = time.monotonic()
    statuses = [studio.get("/api/v1/tasks/t-1").status_code for _ in range(21)]
    assert time.monotonic() - begin < 1
    assert statuses == [200] * 20 + [429]
    studio.studio.advance(1)
    assert studio.get("/api/v1/tasks/t-1").status_code == 200


def test_a_pending_task_is_canceled(studio: Client) -> None:
    studio.studio.script_tasks(*[TaskOutcome(seconds=100)] * 2)
    first, second = studio.create(), studio.create(body(n=1))
    assert studio.post(f"/api/v1/tasks/{first}/cancel").status_code == 200
    assert studio.output(first)["task_status"] == "CANCELED"
    studio.studio.advance(30)
    for task_id in (first, second, "t-1"):
        refused = studio.post(f"/api/v1/tasks/{task_id}/cancel")
        assert refused.status_code == 400
        assert refused.json()["code"] == "UnsupportedOperation"


def test_an_image_is_a_real_one_of_its_proportions(studio: Client) -> None:
    task_id = studio.create(body(n=2, size="1280*640"))
    choices = studio.output(task_id)["choices"]
    urls = [choice["message"]["content"][0]["image"] for choice in choices]
    images = [studio.fetch(url).content for url in urls]
    assert len(set(images)) == 2
    for image in images:
        assert image.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", image[16:24]) == (64, 32)
        size = struct.unpack(">I", image[33:37])[0]
        assert len(zlib.decompress(image[41 : 41 + size])) == 32 * (1 + 3 * 64)
        assert (
            zlib.crc32(image[37 : 41 + size])
            == struct.unpack(">I", image[41 + size : 45 + size])[0]
        )


@pytest.mark.parametrize(
    ("change", "headers", "status", "code"),
    [
        (("Signature=", "Signature=x"), {}, 403, "SignatureDoesNotMatch"),
        (("Expires=1", "Expires=9"), {}, 403, "SignatureDoesNotMatch"),
        (("?", "?x=1#"), {}, 403, "SignatureDoesNotMatch"),
        (("", ""), {"authorization": "Bearer x"}, 400, "InvalidArgument"),
    ],
)
def test_an_address_is_signed(
    change: tuple[str, str],
    headers: dict[str, str],
    status: int,
    code: str,
    studio: Client,
) -> None:
    task_id = studio.create(body(n=1))
    url = studio.output(task_id)["choices"][0]["message"]["content"][0]["image"]
    assert studio.fetch(url).status_code == 200
    response = studio.fetch(url.replace(*change) if change[0] else url, **headers)
    assert response.status_code == status
    assert f"<Code>{code}</Code>" in response.text
    studio.studio.advance(24 * 3600)
    assert "Request has expired." in studio.fetch(url).text


def test_a_fault_is_for_the_next_request_and_replies_are_left(studio: Client) -> None:
    studio.studio.script(Fault(status=503), Reply(text="for chat"))
    assert studio.post(GENERATION, body(), **ASYNC).status_code == 503
    assert studio.get("/api/v1/tasks").json()["total"] == 0
    studio.create()
    assert studio.studio.scripted == [Reply(text="for chat")]
    studio.studio.clear_script()


def test_unused_outcomes_are_listed(studio: Client) -> None:
    studio.studio.script_tasks(TaskOutcome(status="FAILED"))
    assert studio.studio.scripted == [TaskOutcome(status="FAILED")]
    studio.studio.clear_script()
    assert studio.studio.scripted == []


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="task_seconds"):
        Emulator(task_seconds=-1)


def test_chat_and_embeddings_keep_their_paths(studio: Client) -> None:
    chat = {"model": "qwen3.7-plus", "input": messages({"text": "Hi"})}
    assert studio.post(MULTIMODAL, chat).status_code == 200
    rows = {"model": "text-embedding-v4", "input": {"texts": ["Hi"]}}
    path = f"{SERVICES}/embeddings/text-embedding/text-embedding"
    assert "embeddings" in studio.post(path, rows).json()["output"]
