"""The temporary storage: a policy, an upload, and its ``oss://`` URL in a request."""

from typing import Any

import httpx
import pytest

from modelstudio_core.emulator.services import storage as storage_module
from tests.emulator.helpers import MULTIMODAL, DashScopeClient, OpenAIClient

MODEL = "qwen3.7-plus"
QUERY = {"action": "getPolicy", "model": MODEL}
RESOLVE = {"X-DashScope-OssResourceResolve": "enable"}
FILE = b"--\r\n\x00\xff--boundary\r\n"


def get_policy(client: OpenAIClient, **query: str) -> dict[str, Any]:
    response = client.http.get(
        f"{client.studio.base_url}/api/v1/uploads",
        params=QUERY | query,
        headers=client.headers,
    )
    assert response.status_code == 200, response.text
    assert response.json()["request_id"] == response.headers["x-request-id"]
    policy: dict[str, Any] = response.json()["data"]
    return policy


def form(
    given: dict[str, Any], name: str = "a.png", /, **changed: str
) -> dict[str, str]:
    fields = {
        "OSSAccessKeyId": given["oss_access_key_id"],
        "Signature": given["signature"],
        "policy": given["policy"],
        "key": f"{given['upload_dir']}/{name}",
        "x-oss-object-acl": given["x_oss_object_acl"],
        "x-oss-forbid-overwrite": given["x_oss_forbid_overwrite"],
        "success_action_status": "200",
    } | changed
    return {name: value for name, value in fields.items() if value}


def upload(
    client: OpenAIClient, policy: dict[str, Any], file: bytes = FILE, /, **changed: str
) -> httpx.Response:
    # httpx sends the fields first and the file last.
    return client.http.post(
        policy["upload_host"],
        data=form(policy, **changed),
        files={"file": ("a.png", file, "image/png")},
    )


def ask(client: OpenAIClient, url: str, **headers: str) -> httpx.Response:
    part = {"type": "image_url", "image_url": {"url": url}}
    text = {"type": "text", "text": "What is it?"}
    messages = [{"role": "user", "content": [part, text]}]
    return client.post({"model": MODEL, "messages": messages}, **headers)


def uploaded(client: OpenAIClient) -> str:
    policy = get_policy(client)
    assert upload(client, policy).status_code == 200
    return f"oss://{policy['upload_dir']}/a.png"


def test_a_policy_has_what_an_upload_needs(client: OpenAIClient) -> None:
    policy = get_policy(client)
    assert policy["expire_in_seconds"] == 300
    assert policy["max_file_size_mb"] == 100
    assert policy["upload_host"].startswith(client.studio.base_url)
    assert get_policy(client)["upload_dir"] != policy["upload_dir"]


def test_an_uploaded_file_is_read_with_the_header(client: OpenAIClient) -> None:
    url = uploaded(client)
    assert client.studio.requests[-1].body is None
    assert ask(client, url, **RESOLVE).status_code == 200
    without = ask(client, url)
    assert without.status_code == 400
    assert "The provided URL does not appear to be valid" in without.text


def test_the_dashscope_protocol_reads_it_too(
    client: OpenAIClient, dashscope: DashScopeClient
) -> None:
    url = uploaded(client)
    messages = [{"role": "user", "content": [{"image": url}, {"text": "What?"}]}]
    body = {"model": MODEL, "input": {"messages": messages}}
    assert dashscope.post(body, MULTIMODAL, **RESOLVE).status_code == 200
    refused = dashscope.post(body, MULTIMODAL)
    assert (refused.status_code, refused.json()["code"]) == (400, "InvalidParameter")


def test_a_file_is_bound_to_its_model_and_ends_after_two_days(
    client: OpenAIClient,
) -> None:
    url = uploaded(client)
    part = {"type": "image_url", "image_url": {"url": url}}
    messages = [{"role": "user", "content": [part]}]
    other = client.post({"model": "qwen3.6-plus", "messages": messages}, **RESOLVE)
    assert other.status_code == 400
    assert "Unable to download the media resource" in other.text
    assert ask(client, "oss://dashscope-instant/none.png", **RESOLVE).is_client_error
    client.studio.advance(48 * 3600 - 60)
    assert ask(client, url, **RESOLVE).status_code == 200
    client.studio.advance(60)
    assert ask(client, url, **RESOLVE).status_code == 400


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"Signature": "x"}, 403, "SignatureDoesNotMatch"),
        ({"policy": "e30="}, 403, "SignatureDoesNotMatch"),
        ({"OSSAccessKeyId": "x"}, 403, "InvalidAccessKeyId"),
        ({"key": "elsewhere/a.png"}, 403, "AccessDenied"),
        ({"x-oss-object-acl": "public-read"}, 403, "AccessDenied"),
        ({"x-oss-forbid-overwrite": ""}, 403, "AccessDenied"),
        ({"key": ""}, 400, "InvalidArgument"),
        ({"policy": ""}, 400, "InvalidArgument"),
    ],
)
def test_a_form_against_its_policy_is_refused(
    client: OpenAIClient, changed: dict[str, str], status: int, code: str
) -> None:
    response = upload(client, get_policy(client), **changed)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/xml"
    assert f"<Code>{code}</Code>" in response.text


def test_a_policy_ends_after_five_minutes(client: OpenAIClient) -> None:
    policy = get_policy(client)
    client.studio.advance(300)
    response = upload(client, policy)
    assert (response.status_code, "AccessDenied" in response.text) == (403, True)


def test_a_file_is_not_overwritten(client: OpenAIClient) -> None:
    policy = get_policy(client)
    assert upload(client, policy).status_code == 200
    assert upload(client, policy).status_code == 409


def test_fields_after_the_file_are_not_read(client: OpenAIClient) -> None:
    fields = form(get_policy(client))
    files: dict[str, Any] = {"file": ("a", b"x")}
    files |= {name: (None, value) for name, value in fields.items()}
    url = client.studio.base_url + storage_module.UPLOAD_PATH
    response = client.http.post(url, files=files)
    assert (response.status_code, "InvalidArgument" in response.text) == (400, True)
    no_form = client.http.post(url, content=b"x")
    assert (no_form.status_code, "has no field" in no_form.text) == (400, True)


def test_a_file_that_is_too_large_is_refused(
    client: OpenAIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "_MAX_FILE_BYTES", 4)
    policy = get_policy(client)
    response = upload(client, policy, b"12345")
    assert (response.status_code, "EntityTooLarge" in response.text) == (400, True)
    assert upload(client, policy, b"1234").status_code == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"action": "other"}, 'parameter "action"'),
        ({"model": ""}, 'parameter "model"'),
        ({"model": "no-such-model"}, "Model not exist."),
    ],
)
def test_a_request_for_a_policy_is_checked(
    client: OpenAIClient, query: dict[str, str], message: str
) -> None:
    url = f"{client.studio.base_url}/api/v1/uploads"
    response = client.http.get(url, params=QUERY | query, headers=client.headers)
    assert response.status_code == 400
    assert message in response.json()["message"]
    assert client.http.get(url, params=QUERY).status_code == 401
