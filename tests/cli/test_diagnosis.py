"""The checks of ``modelstudio doctor`` one by one, where no server is needed."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from modelstudio_core.cli.diagnosis import Check, Diagnosis, diagnose
from modelstudio_core.cli.exit_codes import ExitCode
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator, Fault
from tests.cli.conftest import KEY, Ran, Route, Run
from tests.support.http_server import Scripted, serve_http
from tests.support.routing_proxy import RoutedRequest


def diagnosis(
    arguments: Mapping[str, Any], *, model: str | None = None, calls: bool = True
) -> Diagnosis:
    """Return what is diagnosed, before anything was checked."""
    arguments = {"api_key": KEY, "max_retries": 0, **arguments}
    return Diagnosis(
        connection=resolve_connection(arguments),
        arguments=arguments,
        model=model,
        calls=calls,
        tries_regions=False,
        before_region=lambda _: None,
    )


def check_of(ran: Ran, name: str) -> dict[str, Any]:
    """Return one check of a report."""
    (check,) = [check for check in ran.json["checks"] if check["name"] == name]
    return dict(check)


@pytest.mark.parametrize(
    ("region", "listed", "chosen"),
    [
        ("singapore", None, "qwen3.6-flash"),
        ("singapore", ["qwen-flash", "qwen3.5-flash"], "qwen3.5-flash"),
        ("singapore", ["qwen3.7-plus", "glm-5.3"], "qwen3.7-plus"),
        ("singapore", ["glm-5.3"], "qwen3.6-flash"),
        ("singapore", [], "qwen3.6-flash"),
    ],
)
def test_the_cheapest_model_that_the_service_lists_is_called(
    region: str, listed: list[str] | None, chosen: str
) -> None:
    found = diagnosis({"region": region})
    found.listed = listed
    assert found.chosen_model == chosen


def test_in_the_mode_us_a_model_of_it_is_called() -> None:
    found = diagnosis({"mode": "us"})
    assert found.chosen_model == "qwen3.6-flash-us"
    found.listed = ["qwen3.6-flash", "qwen-flash-us"]
    assert found.chosen_model == "qwen-flash-us"
    found.model = "qwen3-max"
    assert found.chosen_model == "qwen3-max"


def test_a_check_in_json() -> None:
    check = Check(name="key", status="failed", detail="No.", seconds=0.123456)
    assert check.as_json() == {
        "name": "key",
        "status": "failed",
        "detail": "No.",
        "advice": None,
        "seconds": 0.1235,
        "request_id": None,
    }
    assert check.code is ExitCode.DONE


def test_every_check_says_how_long_it_took(studio: Emulator) -> None:
    checks = [*diagnose(diagnosis({"base_url": studio.base_url}))]
    assert [check.status for check in checks] == ["ok"] * 6
    assert all(0 < check.seconds < 60 for check in checks)


# --- The key --------------------------------------------------------------------------


def test_a_key_that_a_gateway_refuses(run: Run, studio: Emulator) -> None:
    host = studio.base_url.removeprefix("http://")
    for key, advice in (
        ("sk-another-key-0123456789", f"Use a key of {host}."),
        ("sk-sp-0123456789abcdef", "The key itself may be valid."),
    ):
        ran = run("doctor", "--base-url", studio.base_url, "--json", key=key)
        assert (ran.code, check_of(ran, "key")["advice"]) == (3, advice)
        # A key of a gateway is not shown to the regions of the service.
        tried = run(
            *("doctor", "--base-url", studio.base_url, "--json", "--try-regions"),
            key=key,
        )
        assert (tried.code, tried.err) == (3, "")
        assert [c["name"] for c in tried.json["checks"]][-1] == "key"


def test_a_key_that_only_the_call_is_refused_with(run: Run, studio: Emulator) -> None:
    studio.script(Fault(status=401, code="invalid_api_key"))
    ran = run("doctor", "--base-url", studio.base_url, "--json")
    assert ran.code == 3
    assert check_of(ran, "key")["status"] == "ok"
    assert check_of(ran, "call")["advice"] == (
        "The list of models was answered with this key: it may be restricted to some"
        " requests. Look at its permissions in the console."
    )


def test_the_other_regions_are_asked_in_their_order(run: Run, route: Route) -> None:
    refused = json.dumps({"error": {"message": "No.", "code": "invalid_api_key"}})
    with route(lambda _: (401, refused.encode())):
        ran = run("doctor", "--json", "--try-regions", "--region", "us")
    assert ran.code == 3
    assert [
        (check["name"], check["status"], check["detail"])
        for check in ran.json["checks"][3:]
    ] == [
        ("key in ap-southeast-1", "warning", "Refused: AuthenticationError."),
        ("key in cn-beijing", "warning", "Refused: AuthenticationError."),
        ("key in cn-hongkong", "warning", "Refused: AuthenticationError."),
        (
            "key in eu-central-1",
            "skipped",
            "Not asked: its hosts belong to workspaces.",
        ),
        (
            "key in ap-northeast-1",
            "skipped",
            "Not asked: its hosts belong to workspaces.",
        ),
    ]
    assert "us-east-1" not in ran.err


def test_the_region_of_the_key_is_named_with_what_to_do(run: Run, route: Route) -> None:
    listed = json.dumps({"object": "list", "data": []}).encode()
    refused = json.dumps({"error": {"message": "No.", "code": "invalid_api_key"}})

    def answer(request: RoutedRequest) -> tuple[int, bytes]:
        if request.host == "dashscope-intl.aliyuncs.com":
            return 200, listed
        return 401, refused.encode()

    with route(answer):
        ran = run(
            *("doctor", "--json", "--try-regions", "--region", "us"),
            *("--workspace", "ws-1"),
        )
    assert ran.code == 4
    refusal, found = ran.json["checks"][-2:]
    assert refusal["name"] == "key"
    assert refusal["detail"] == (
        "The key is one of region ap-southeast-1 (Singapore), and us-east-1 was called."
    )
    assert refusal["advice"] == "Pass --region ap-southeast-1, or set DASHSCOPE_REGION."
    assert (found["name"], found["status"], found["detail"]) == (
        "key in ap-southeast-1",
        "ok",
        "The key is accepted.",
    )


# --- The model ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "status", "detail", "advice"),
    [
        ("qwen3.7-plus", "ok", "qwen3.7-plus is listed.", None),
        (
            "qwen-plus",
            "warning",
            "qwen-plus is not in the list of the service.",
            "Similar: ",
        ),
        (
            "gpt-4o",
            "warning",
            "gpt-4o is not in the list of the service.",
            None,
        ),
        (
            "deepseek-r1",
            "warning",
            "deepseek-r1 was delisted on 2026-07-09.",
            "Use qwen3.7-max.",
        ),
    ],
)
def test_the_model_is_looked_up(
    run: Run, model: str, status: str, detail: str, advice: str | None
) -> None:
    body = b'{"data": [{"id": "qwen3.7-plus"}]}'
    with serve_http(Scripted(200, body), Scripted(200, body)) as server:
        ran = run(
            *("doctor", "--base-url", server.base_url, "--free", "--json"),
            *("-m", model),
        )
    check = check_of(ran, "model")
    assert (check["status"], check["detail"]) == (status, detail)
    assert (check["advice"] or "").startswith(advice or "")
    assert bool(check["advice"]) is bool(advice)
    assert check_of(ran, "key")["detail"].endswith(" lists 1 models.")


def test_without_a_list_no_model_is_looked_up(run: Run) -> None:
    with serve_http(Scripted(404, b'{"detail": "Not Found"}')) as server:
        ran = run("doctor", "--base-url", server.base_url, "--json", "--free")
    assert ran.code == 0
    assert check_of(ran, "key")["status"] == "warning"
    check = check_of(ran, "model")
    assert check["status"] == "skipped"
    assert check["detail"] == "qwen3.6-flash cannot be looked up without a list."
    assert ran.json["summary"].startswith("Calls work. The host has no list of models")


# --- The call -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("qwen3.7-plus", {"enable_thinking": False, "max_tokens": 8}),
        ("qwen-max", {"max_tokens": 8}),
        ("kimi-k3", {"max_tokens": 8}),
    ],
)
def test_a_model_is_called_without_thinking_where_that_can_be_switched(
    run: Run, studio: Emulator, model: str, body: dict[str, object]
) -> None:
    ran = run("doctor", "--base-url", studio.base_url, "-m", model, "--json")
    assert ran.code == 0
    sent = studio.requests[-1].body
    options = {name: sent[name] for name in sent if name in body or "think" in name}
    assert options == body
    assert sent["messages"] == [{"role": "user", "content": "Hi"}]
    detail = check_of(ran, "call")["detail"]
    assert detail.startswith(f"{model} answered. ")
    assert detail.endswith(" tokens.")


@pytest.mark.parametrize(
    ("model", "detail"),
    [
        ("text-embedding-v4", "text-embedding-v4 returned a vector of 1024 numbers."),
        ("qwen3-rerank", "qwen3-rerank returned the score 0."),
        ("wan2.6-t2i", "A call of wan2.6-t2i would make something that is paid for."),
    ],
)
def test_what_another_kind_of_model_returned(
    run: Run, studio: Emulator, model: str, detail: str
) -> None:
    ran = run("doctor", "--base-url", studio.base_url, "-m", model, "--json")
    assert ran.code == 0
    assert check_of(ran, "call")["detail"].startswith(detail)
