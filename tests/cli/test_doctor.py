"""``modelstudio doctor``: each fault has its exit code, and a sentence that helps."""

import json
import platform
import re
import socket
import ssl
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, NoReturn

import pytest

from modelstudio_core.emulator import Emulator, Fault
from modelstudio_core.policy import Policy, set_policy
from tests.cli.conftest import KEY, Ran, Route, Run
from tests.support.authority import Authority
from tests.support.fault_server import FaultServer
from tests.support.http_server import HttpServer, Scripted, serve_http
from tests.support.internals import clear_ssl_context
from tests.support.proxy import refusing_proxy
from tests.support.raw_server import answering
from tests.support.routing_proxy import RoutedRequest

MODELS = json.dumps({"object": "list", "data": [{"id": "qwen3.6-flash"}]}).encode()
REFUSED = json.dumps(
    {"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}}
).encode()


def failed(ran: Ran) -> dict[str, Any]:
    """Return the check that failed."""
    report = ran.json
    assert report["exit_code"] == ran.code
    assert report["ok"] is (ran.code == 0)
    (check,) = [c for c in report["checks"] if c["status"] == "failed"]
    assert report["summary"].startswith(check["detail"])
    return dict(check)


# --- Nothing is wrong -----------------------------------------------------------------


def test_a_working_setup(run: Run, studio: Emulator) -> None:
    ran = run("doctor", "--base-url", studio.base_url, "--json")
    report = ran.json
    assert (ran.code, report["ok"], ran.err) == (0, True, "")
    names = [check["name"] for check in report["checks"]]
    assert names == ["settings", "dns", "tcp", "key", "model", "call"]
    assert {check["status"] for check in report["checks"]} == {"ok"}
    assert report["sources"]["key"] == "DASHSCOPE_API_KEY"
    assert report["versions"]["modelstudio-integrations"]
    listed, called = studio.requests
    assert (listed.method, listed.path) == ("GET", "/compatible-mode/v1/models")
    assert called.body["max_tokens"] == 8
    assert called.body["enable_thinking"] is False
    assert report["checks"][-1]["request_id"]


def test_the_report_for_people_says_the_same(run: Run, studio: Emulator) -> None:
    ran = run("doctor", "--base-url", studio.base_url)
    assert ran.code == 0
    assert "ok       key" in ran.out
    assert "accepts the key and lists" in ran.out
    assert ran.out.endswith("\nCalls work.\n")


def test_the_report_for_people_begins_with_the_settings(
    run: Run, studio: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name in {"dashscope", "langchain"}:
            raise PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr("importlib.metadata.version", version)
    ran = run("doctor", "--base-url", studio.base_url, "--free")
    settings, _, checks = ran.out.partition("\n\n")
    assert settings.splitlines() == [
        f"base URL           {studio.base_url}/compatible-mode/v1",
        "region             not known (--base-url)",
        "mode               not known (--base-url)",
        "workspace          none (--base-url)",
        "data is stored in  not known",
        "inference runs     not known",
        "key                ordinary (sk-...), from DASHSCOPE_API_KEY",
        (
            f"versions           python {platform.python_version()},"
            " modelstudio-integrations 1.2, openai 1.2, pydantic 1.2,"
            " langchain-core 1.2, llama-index-core 1.2"
        ),
    ]
    host = studio.requests[0].headers["host"]
    uuid = "[0-9a-f-]{36}"
    assert re.sub(f"{uuid}|[0-9]+ models", "...", checks).splitlines() == [
        "ok       settings   Requests go to 127.0.0.1.",
        "ok       dns        127.0.0.1 is 127.0.0.1.",
        f"ok       tcp        {host} accepts connections.",
        f"ok       key        {host} accepts the key and lists .... (request id ...)",
        "ok       model      qwen3.6-flash is listed.",
        "skipped  call       No call was made (--free).",
        "",
        "No problem was found, without a call.",
    ]


@pytest.mark.parametrize(
    ("options", "variables", "sources"),
    [
        (
            (),
            {},
            {"region": "default", "mode": "default", "workspace": "default"},
        ),
        (
            ("--mode", "eu", "--workspace", "ws-1"),
            {"DASHSCOPE_REGION": "frankfurt", "DASHSCOPE_MODE": "global"},
            {
                "region": "DASHSCOPE_REGION",
                "mode": "--mode",
                "workspace": "--workspace",
            },
        ),
        (
            ("--region", "frankfurt"),
            {"DASHSCOPE_MODE": "global", "DASHSCOPE_WORKSPACE": "ws-1"},
            {
                "region": "--region",
                "mode": "DASHSCOPE_MODE",
                "workspace": "DASHSCOPE_WORKSPACE",
            },
        ),
        (
            ("--base-url", "https://dashscope.aliyuncs.com", "--workspace", "ws-1"),
            {"DASHSCOPE_WORKSPACE_ID": "ws-2"},
            {
                "region": "--base-url",
                "mode": "--base-url",
                "workspace": "--workspace",
            },
        ),
    ],
)
def test_the_report_says_where_each_setting_is_from(  # noqa: PLR0917 - three of them are fixtures
    run: Run,
    route: Route,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    variables: dict[str, str],
    sources: dict[str, str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with route(lambda _: (200, MODELS)):
        ran = run("doctor", *options, "--free", "--json")
    assert ran.code == 0
    assert ran.json["sources"] == {**sources, "key": "DASHSCOPE_API_KEY"}


def test_free_makes_no_call(run: Run, studio: Emulator) -> None:
    ran = run("doctor", "--base-url", studio.base_url, "--free", "--json")
    assert ran.code == 0
    assert [request.method for request in studio.requests] == ["GET"]
    assert ran.json["summary"] == "No problem was found, without a call."


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("text-embedding-v4", "/api/v1/services/embeddings"),
        ("qwen3-rerank", "/compatible-api/v1/reranks"),
        ("deepseek-v4-pro", "/compatible-mode/v1/chat/completions"),
    ],
)
def test_each_kind_of_model_gets_a_small_call(
    run: Run, studio: Emulator, model: str, path: str
) -> None:
    ran = run("doctor", "--base-url", studio.base_url, "--model", model, "--json")
    assert ran.code == 0
    assert studio.requests[-1].path.startswith(path)
    assert len(studio.requests) == 2


def test_a_model_for_images_is_not_called(run: Run, studio: Emulator) -> None:
    ran = run("doctor", "--base-url", studio.base_url, "-m", "wan2.6-t2i", "--json")
    assert ran.code == 0
    assert ran.json["checks"][-1]["status"] == "skipped"
    assert len(studio.requests) == 1


def test_the_native_protocol_can_be_checked(run: Run, studio: Emulator) -> None:
    url = studio.base_url
    ran = run("doctor", "--base-url", url, "--protocol", "dashscope", "--json")
    assert ran.code == 0
    assert studio.requests[-1].path.startswith("/api/v1/services/aigc/")


def test_the_endpoint_is_shown_before_anything_is_sent(run: Run, route: Route) -> None:
    with route(lambda _: (200, MODELS)) as proxy:
        ran = run("doctor", "--mode", "eu", "--workspace", "ws-1", "--free", "--json")
    assert ran.code == 0
    assert ran.json["endpoint"] == {
        "base_url": "https://ws-1.eu-central-1.maas.aliyuncs.com/compatible-mode/v1",
        "region": "eu-central-1",
        "mode": "eu",
        "workspace": "ws-1",
        "protocol": "openai",
        "is_documented": True,
        "mode_declared": True,
        "data_location": "Germany (Frankfurt)",
        "inference_scope": "Limited to the EU",
    }
    assert [check["name"] for check in ran.json["checks"][:3]] == [
        "settings",
        "proxy",
        "key",
    ]
    assert [request.host for request in proxy.received] == [
        "ws-1.eu-central-1.maas.aliyuncs.com"
    ]


# --- Settings -------------------------------------------------------------------------


def test_a_missing_key(run: Run) -> None:
    ran = run("doctor", "--json", key=None)
    assert ran.code == 2
    detail = failed(ran)["detail"]
    assert "pass --api-key-file, or set DASHSCOPE_API_KEY" in detail


def test_a_missing_workspace(run: Run) -> None:
    ran = run("doctor", "--region", "tokyo", "--json")
    assert ran.code == 2
    assert "needs a workspace" in failed(ran)["detail"]


def test_a_mode_of_another_region(run: Run) -> None:
    ran = run("doctor", "--region", "tokyo", "--mode", "eu", "--json")
    assert ran.code == 2
    assert "not bound" in failed(ran)["detail"]


def test_a_policy(run: Run, studio: Emulator) -> None:
    set_policy(Policy(regions=["frankfurt"]))
    ran = run("doctor", "--base-url", studio.base_url, "--json")
    assert ran.code == 2
    assert "set_policy" in failed(ran)["detail"]
    assert studio.requests == []


# --- The key --------------------------------------------------------------------------


def test_a_wrong_key(run: Run, studio: Emulator) -> None:
    key = "sk-another-key-0123456789"
    ran = run("doctor", "--base-url", studio.base_url, "--json", key=key)
    assert ran.code == 3
    assert "was refused by 127.0.0.1" in failed(ran)["detail"]
    assert len(studio.requests) == 1


def test_a_key_of_a_plan(run: Run, route: Route) -> None:
    with route(lambda _: (401, REFUSED)) as proxy:
        ran = run("doctor", "--json", "--try-regions", key="sk-sp-0123456789abcdef")
    assert ran.code == 3
    assert "of a Coding Plan or a Token Plan" in failed(ran)["detail"]
    assert "--base-url https://coding.dashscope" in failed(ran)["detail"]
    assert len(proxy.received) == 1


def test_other_regions_are_not_asked_without_the_option(run: Run, route: Route) -> None:
    with route(lambda _: (401, REFUSED)) as proxy:
        ran = run("doctor", "--json")
    assert ran.code == 3
    assert "No region was given, so Singapore was used" in failed(ran)["detail"]
    assert "--try-regions" in failed(ran)["advice"]
    assert "shows them the key" in failed(ran)["advice"]
    assert {request.host for request in proxy.received} == {
        "dashscope-intl.aliyuncs.com"
    }


def only_in(host: str) -> Callable[[RoutedRequest], tuple[int, bytes]]:
    """Return the answers of a service whose one region accepts the key."""
    return lambda request: (200, MODELS) if request.host == host else (401, REFUSED)


def test_a_key_of_another_region(run: Run, route: Route) -> None:
    with route(only_in("dashscope.aliyuncs.com")) as proxy:
        ran = run("doctor", "--json", "--try-regions")
    assert ran.code == 4
    assert "The key is one of region cn-beijing" in failed(ran)["detail"]
    assert failed(ran)["advice"].startswith("Pass --region cn-beijing")
    assert "The key is now shown to region us-east-1" in ran.err
    assert "The key is now shown to region cn-beijing" in ran.err
    # No region is asked after the one that accepts it, and none that needs a workspace.
    assert [request.host for request in proxy.received] == [
        "dashscope-intl.aliyuncs.com",
        "dashscope-us.aliyuncs.com",
        "dashscope.aliyuncs.com",
    ]


def test_a_key_that_no_region_accepts(run: Run, route: Route) -> None:
    with route(lambda _: (401, REFUSED)) as proxy:
        ran = run("doctor", "--json", "--try-regions")
    assert ran.code == 3
    assert "No other region that was asked accepts it" in failed(ran)["advice"]
    assert len(proxy.received) == 4


def test_trying_regions_stays_inside_the_policy(run: Run, route: Route) -> None:
    set_policy(Policy(regions=["singapore", "hongkong"]))
    with route(only_in("dashscope.aliyuncs.com")) as proxy:
        ran = run("doctor", "--json", "--try-regions")
    assert ran.code == 3
    assert [request.host for request in proxy.received] == [
        "dashscope-intl.aliyuncs.com",
        "cn-hongkong.dashscope.aliyuncs.com",
    ]
    assert "beijing" not in ran.err


# --- The model, the balance, the quota ------------------------------------------------

FAULTS = {
    "no grant": (
        Fault(status=403, code="access_denied", message="Access denied."),
        5,
        "Grant its workspace access",
    ),
    "a model without access": (
        Fault(status=403, code="Model.AccessDenied", message="Model access denied."),
        5,
        "Grant its workspace access",
    ),
    "no balance": (
        Fault(
            status=400,
            code="Arrearage",
            message="Access denied, please make sure your account is in good standing.",
        ),
        7,
        "Top up the account",
    ),
    "no free quota": (
        Fault(status=403, code="AllocationQuota.FreeTierOnly", message="Free tier."),
        7,
        "free quota only",
    ),
    "rate limit": (Fault(status=429, code="limit_requests"), 7, "Wait a minute"),
    "another workspace": (
        Fault(status=403, code="Workspace.AccessDenied", message="No access."),
        4,
        "A workspace belongs to one region",
    ),
    "key refused by the call": (
        Fault(status=401, code="invalid_api_key"),
        3,
        "restricted to some requests",
    ),
    "internal error": (Fault(status=500), 1, "The service failed"),
    "invalid request": (Fault(status=400, code="invalid_value", message="Bad."), 1, ""),
    "moderation": (Fault(status=400, code="data_inspection_failed"), 1, ""),
    "gateway": (
        Fault(status=502, code=None, body="<html><title>Bad Gateway</title></html>"),
        6,
        "Something between",
    ),
    "redirect": (Fault.redirect("http://127.0.0.1:1/"), 6, "Something between"),
    "cut": (Fault.cut(), 6, "Check the network"),
    "short body": (Fault.short_body(5), 6, "The connection broke"),
    "silence": (Fault.silence(5), 6, "Check the network"),
}


@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_the_call(
    run: Run, studio: Emulator, name: str, protocol: str
) -> None:
    fault, code, advice = FAULTS[name]
    studio.script(fault)
    url = studio.base_url
    ran = run(
        *("doctor", "--base-url", url, "--json", "--timeout", "0.3"),
        *("--protocol", protocol),
    )
    assert ran.code == code
    check = failed(ran)
    assert check["name"] == "call"
    assert check["detail"]
    assert advice in check["advice"] if advice else check["advice"] is None
    # One attempt: a diagnosis shows what happens.
    assert [r.method for r in studio.requests].count("POST") == 1


def test_a_model_that_does_not_exist(run: Run, studio: Emulator) -> None:
    ran = run("doctor", "--base-url", studio.base_url, "-m", "quen3.7-plus", "--json")
    assert ran.code == 5
    assert "nearest known model is 'qwen3.7-plus'" in failed(ran)["detail"]
    assert "modelstudio models --live" in failed(ran)["advice"]
    warned = next(c for c in ran.json["checks"] if c["name"] == "model")
    assert warned["status"] == "warning"


def test_a_model_of_another_region(run: Run, route: Route) -> None:
    missing = {"error": {"message": "The model does not exist.", "code": "x"}}

    def answer(request: RoutedRequest) -> tuple[int, bytes]:
        if request.path.endswith("/models"):
            return 200, MODELS
        return 404, json.dumps(missing).encode()

    with route(answer):
        ran = run("doctor", "--model", "siliconflow/deepseek-v3.2", "--json")
    assert ran.code == 4
    assert "The catalog has the model in cn-beijing" in failed(ran)["advice"]


def test_a_delisted_model_is_replaced_with_a_warning(
    run: Run, studio: Emulator
) -> None:
    ran = run("doctor", "--base-url", studio.base_url, "-m", "deepseek-r1", "--json")
    assert ran.code == 0
    assert "was delisted on 2026-07-09" in ran.json["summary"]
    assert "Warning: " in ran.err
    assert studio.requests[-1].body["model"] == "qwen3.7-max"


# --- The network ----------------------------------------------------------------------


def no_such_host(*_: object, **__: object) -> NoReturn:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_a_name_that_the_dns_does_not_have(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    ran = run("doctor", "--base-url", "https://no.example.com", "--json")
    assert ran.code == 6
    assert failed(ran)["name"] == "dns"
    assert "no.example.com has no address" in failed(ran)["detail"]


def test_a_dns_that_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> NoReturn:
        time.sleep(0.5)
        no_such_host()

    monkeypatch.setattr(socket, "getaddrinfo", never)
    monkeypatch.setattr("modelstudio_core.cli.doctor._TIMEOUT", (0.1, 1.0))
    ran = run("doctor", "--base-url", "https://no.example.com", "--json")
    assert ran.code == 6
    assert "did not answer" in failed(ran)["detail"]


def test_a_port_where_nothing_listens(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ran = run("doctor", "--base-url", f"http://127.0.0.1:{port}", "--json")
    assert ran.code == 6
    assert failed(ran)["name"] == "tcp"
    assert "refused" in failed(ran)["detail"]


def test_a_certificate_that_is_not_trusted(run: Run, tls_server: FaultServer) -> None:
    clear_ssl_context()
    ran = run("doctor", "--base-url", tls_server.base_url, "--json")
    assert ran.code == 6
    assert failed(ran)["name"] == "tls"
    assert "is not trusted" in failed(ran)["detail"]


def test_a_server_without_tls(run: Run, studio: Emulator) -> None:
    url = studio.base_url.replace("http:", "https:")
    ran = run("doctor", "--base-url", url, "--json")
    assert ran.code == 6
    assert failed(ran)["name"] == "tls"
    assert "handshake" in failed(ran)["detail"]
    assert studio.requests == []


@pytest.mark.usefixtures("trust_authority")
def test_a_certificate_that_is_trusted(run: Run, authority: Authority) -> None:
    assert authority.server.verify_mode is ssl.CERT_NONE
    with FaultServer(authority.server) as server:
        ran = run("doctor", "--base-url", server.base_url, "--free", "--json")
    tls = next(c for c in ran.json["checks"] if c["name"] == "tls")
    assert tls["detail"] == "TLSv1.3 with a certificate that is trusted."


def test_a_proxy_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret-word@127.0.0.1:{port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    ran = run("doctor", "--json")
    assert ran.code == 6
    assert failed(ran)["name"] == "proxy"
    assert str(port) in failed(ran)["detail"]
    assert "secret-word" not in ran.out + ran.err


def test_a_proxy_that_refuses(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_proxy() as seen:
        monkeypatch.setenv("HTTPS_PROXY", seen.pop(0))
        monkeypatch.delenv("NO_PROXY", raising=False)
        ran = run("doctor", "--json", key=f"{KEY}-proxy")
    assert ran.code == 6
    assert failed(ran)["name"] == "key"
    assert "through the proxy 127.0.0.1" in failed(ran)["detail"]
    assert seen == ["dashscope-intl.aliyuncs.com:443"] * len(seen)


def test_a_server_that_does_not_answer(run: Run) -> None:
    with answering([], reads=False) as url:
        ran = run("doctor", "--base-url", url, "--json", "--timeout", "0.3")
    assert ran.code == 6
    assert "did not answer within the timeout" in failed(ran)["detail"]


def answers(server: HttpServer, run: Run) -> Ran:
    return run("doctor", "--base-url", server.base_url, "--json", "--free")


def test_a_gateway_that_answers_instead(run: Run) -> None:
    page = Scripted(503, b"<html><title>No upstream</title></html>")
    with serve_http(page) as server:
        ran = answers(server, run)
    assert ran.code == 6
    assert failed(ran)["name"] == "key"
    assert "No upstream" in failed(ran)["detail"]
    assert "Something between here and the service" in failed(ran)["advice"]


def test_a_page_of_a_portal(run: Run) -> None:
    page = Scripted(200, b"<html>Sign in</html>", {"content-type": "text/html"})
    with serve_http(page) as server:
        ran = answers(server, run)
    assert ran.code == 6
    assert "not a JSON object" in failed(ran)["detail"]


def test_another_service(run: Run) -> None:
    with serve_http(Scripted(200, b'{"models": []}')) as server:
        ran = answers(server, run)
    assert ran.code == 6
    assert "not a list of models" in failed(ran)["detail"]


def test_a_gateway_without_a_list_of_models(run: Run) -> None:
    """Some have none: the call decides."""
    with serve_http(Scripted(404, b'{"detail": "Not Found"}')) as server:
        ran = run("doctor", "--base-url", server.base_url, "--json")
    assert ran.code == 2
    assert failed(ran)["name"] == "call"
    assert "Check the path of --base-url" in failed(ran)["advice"]


def test_a_key_that_the_service_repeats_is_hidden(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-file-0123456789abcdef\n")
    file.chmod(0o600)
    body = {"error": {"message": "Bad key sk-file-0123456789abcdef", "code": "x"}}
    with serve_http(Scripted(401, json.dumps(body).encode())) as server:
        ran = run(
            *("doctor", "--base-url", server.base_url, "--json", "--verbose"),
            *("--api-key-file", str(file)),
        )
    assert ran.code == 3
    assert "0123456789abcdef" not in ran.out + ran.err
    assert server.only.headers["authorization"] == "Bearer sk-file-0123456789abcdef"
    assert ran.json["sources"]["key"] == "--api-key-file"
