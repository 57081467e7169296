"""From an error to an exit code and to what to do."""

from typing import Any

import pytest

from modelstudio_core.cli.exit_codes import ExitCode, describe_failure
from modelstudio_core.errors import (
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
)

GATEWAY = "Something between here and the service answered instead of it"


def test_the_exit_codes_are_those_of_the_documentation() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "OTHER": 1,
        "USAGE": 2,
        "KEY": 3,
        "REGION": 4,
        "MODEL": 5,
        "NETWORK": 6,
        "QUOTA": 7,
    }


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize(
    ("fields", "is_of_service"),
    [
        ({"body": {"code": "x"}, "code": "x"}, True),
        ({"body": {"request_id": "r-1"}, "request_id": "r-1"}, True),
        ({"body": {"detail": "No upstream"}}, False),
        ({"body": "<html></html>"}, False),
        ({"body": "<html></html>", "request_id": "r-1"}, False),
        ({}, False),
    ],
)
def test_a_gateway_is_known_by_what_it_answers(
    status: int, fields: dict[str, Any], is_of_service: bool
) -> None:
    error = InternalServerError("Failed.", status_code=status, **fields)
    failure = describe_failure(error)
    assert failure.code is (ExitCode.OTHER if is_of_service else ExitCode.NETWORK)
    assert failure.advice.startswith("The service" if is_of_service else GATEWAY)


@pytest.mark.parametrize(
    ("status", "is_gateway"),
    [(299, False), (300, True), (307, True), (399, True), (400, False), (500, False)],
)
def test_a_redirect_is_of_a_gateway(status: int, is_gateway: bool) -> None:
    body = {"code": "x", "request_id": "r-1"}
    error = APIStatusError("x", status_code=status, body=body, code="x")
    assert describe_failure(error).advice.startswith(GATEWAY) is is_gateway


def test_an_answer_that_cannot_be_read_is_of_a_gateway() -> None:
    failure = describe_failure(InvalidResponseError("The response is not JSON."))
    assert failure.code is ExitCode.NETWORK
    assert failure.advice.startswith(GATEWAY)


@pytest.mark.parametrize(
    "code", ["Workspace.AccessDenied", "workspace.notfound", "WorkspaceInvalid"]
)
def test_a_workspace_that_is_refused_is_one_of_another_region(code: str) -> None:
    for error in (
        PermissionDeniedError("No.", code=code),
        BadRequestError("No.", code=code, status_code=400),
        NotFoundError("No such workspace.", code=code),
    ):
        failure = describe_failure(error, served_elsewhere="cn-beijing")
        assert failure.code is ExitCode.REGION
        assert failure.advice.startswith("A workspace belongs to one region")


def test_a_wait_that_ended_is_no_broken_network() -> None:
    ended = describe_failure(APITimeoutError("The task has not ended. It goes on: …"))
    assert (ended.code, ended.advice) == (ExitCode.NETWORK, "")
    failure = describe_failure(APITimeoutError("No answer within 3 s."))
    assert failure.code is ExitCode.NETWORK
    assert failure.advice.startswith("Check the network")


@pytest.mark.parametrize(
    ("error", "elsewhere", "code", "advice"),
    [
        (NotFoundError("Not found"), "", ExitCode.USAGE, "Check the path"),
        (NotFoundError("Not found"), "cn-beijing", ExitCode.USAGE, "Check the path"),
        (NotFoundError("No such Model."), "", ExitCode.MODEL, "See what there is"),
        (NotFoundError("No.", code="ModelNotFound"), "", ExitCode.MODEL, "See what"),
        (
            NotFoundError("No such model."),
            "cn-beijing, us-east-1",
            ExitCode.REGION,
            "The catalog has the model in cn-beijing, us-east-1: pass --region with",
        ),
        # As reranking, embeddings of images and tasks say it.
        (
            BadRequestError("Model not exist.", code="InvalidParameter"),
            "",
            ExitCode.MODEL,
            "See what there is",
        ),
        (
            BadRequestError("Model not exist.", code="InvalidParameter"),
            "cn-beijing",
            ExitCode.REGION,
            "The catalog has the model in cn-beijing: pass --region with",
        ),
        (BadRequestError("Bad size."), "cn-beijing", ExitCode.OTHER, ""),
    ],
)
def test_what_was_not_found_is_a_path_a_model_or_a_region(
    error: APIStatusError, elsewhere: str, code: ExitCode, advice: str
) -> None:
    failure = describe_failure(error, served_elsewhere=elsewhere)
    assert failure.code is code
    assert failure.advice.startswith(advice)


def test_a_region_of_the_model_is_no_answer_to_another_error() -> None:
    error = PermissionDeniedError("Access denied.", code="access_denied")
    failure = describe_failure(error, served_elsewhere="cn-beijing")
    assert failure.code is ExitCode.MODEL
    assert failure.advice.startswith("The key is valid. Grant its workspace access")


@pytest.mark.parametrize("error", [ImportError("Install it."), KeyError("x")])
def test_an_error_of_another_library_has_no_advice(error: Exception) -> None:
    failure = describe_failure(error)
    is_usage = isinstance(error, ImportError)
    assert failure.code is (ExitCode.USAGE if is_usage else ExitCode.OTHER)
    assert failure.advice == ""
