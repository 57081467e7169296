"""The exceptions of the package: their tree, their fields, and what they show."""

import copy
import pickle
from typing import Any

import pytest

from modelstudio_core import errors
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ContentFilterError,
    ContextOverflowError,
    IncompleteStreamError,
    InternalServerError,
    InvalidResponseError,
    ModelDeprecationWarning,
    ModelStudioError,
    ModelStudioWarning,
    NotFoundError,
    PermissionDeniedError,
    PolicyError,
    QuotaExceededError,
    RateLimitError,
    TaskFailedError,
    ToolChoiceError,
)

TREE: list[tuple[type[BaseException], tuple[type[BaseException], ...]]] = [
    (ModelStudioError, (Exception,)),
    (ConfigurationError, (ModelStudioError, ValueError)),
    (PolicyError, (ConfigurationError,)),
    (APIError, (ModelStudioError,)),
    (APIConnectionError, (APIError, ConnectionError)),
    (APITimeoutError, (APIConnectionError, TimeoutError)),
    (IncompleteStreamError, (APIError,)),
    (InvalidResponseError, (IncompleteStreamError,)),
    (TaskFailedError, (APIError,)),
    (ToolChoiceError, (APIError,)),
    (APIStatusError, (APIError,)),
    (BadRequestError, (APIStatusError,)),
    (ContextOverflowError, (BadRequestError,)),
    (ContentFilterError, (BadRequestError,)),
    (AuthenticationError, (APIStatusError,)),
    (PermissionDeniedError, (APIStatusError,)),
    (NotFoundError, (APIStatusError,)),
    (RateLimitError, (APIStatusError,)),
    (QuotaExceededError, (APIStatusError,)),
    (InternalServerError, (APIStatusError,)),
    (ModelDeprecationWarning, (DeprecationWarning,)),
    (ModelStudioWarning, (UserWarning,)),
]
ERRORS = [cls for cls, _ in TREE if issubclass(cls, ModelStudioError)]
FIELDS: dict[str, Any] = {
    "status_code": 429,
    "code": "limit_requests",
    "request_id": "r-1",
    "region": "us-east-1",
    "protocol": "openai",
    "body": {"error": {"message": "Slow down."}},
    "retry_after": 2.5,
    "is_retryable": True,
}


@pytest.mark.parametrize(("cls", "bases"), TREE)
def test_base_classes(
    cls: type[BaseException], bases: tuple[type[BaseException], ...]
) -> None:
    assert cls.__bases__ == bases


def test_every_public_name_is_in_the_tree() -> None:
    assert sorted(errors.__all__) == sorted(cls.__name__ for cls, _ in TREE)


@pytest.mark.parametrize("cls", ERRORS)
def test_is_retryable_of_each_class(cls: type[ModelStudioError]) -> None:
    retryable = {
        APIConnectionError,
        APITimeoutError,
        IncompleteStreamError,
        InvalidResponseError,
        RateLimitError,
        InternalServerError,
    }
    assert cls("x").is_retryable is (cls in retryable)
    assert cls("x", is_retryable=True).is_retryable is True
    assert cls("x", is_retryable=False).is_retryable is False


@pytest.mark.parametrize("cls", ERRORS)
def test_pickles_and_copies_are_equal(cls: type[ModelStudioError]) -> None:
    error = cls("Slow down.", **FIELDS)
    dumped = pickle.dumps(error)
    for other in (pickle.loads(dumped), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - our own bytes
        assert type(other) is cls
        assert other.message == "Slow down."
        assert other.fields() == FIELDS
        assert str(other) == str(error)
        assert other.args == ("Slow down.",)


@pytest.mark.parametrize(
    ("cls", "own"),
    [
        (APIConnectionError, {"was_sent": False}),
        (APITimeoutError, {"was_sent": False}),
        (TaskFailedError, {"task_id": "t-1", "status": "CANCELED"}),
        (ToolChoiceError, {"message_received": ["Hi"]}),
    ],
)
def test_pickles_and_copies_have_what_only_this_error_has(
    cls: type[ModelStudioError], own: dict[str, Any]
) -> None:
    error = cls("x", **own, **FIELDS)
    dumped = pickle.dumps(error)
    for other in (error, pickle.loads(dumped), copy.copy(error)):  # noqa: S301 - our own bytes
        assert {name: getattr(other, name) for name in own} == own
        assert other.fields() == FIELDS


def test_a_task_has_failed_by_default() -> None:
    error = TaskFailedError("x")
    assert (error.task_id, error.status) == ("", "FAILED")
    assert ToolChoiceError("x").message_received is None


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, "Slow down."),
        ({"status_code": 429}, "Slow down. (status 429)"),
        (
            FIELDS,
            (
                "Slow down. (status 429, code limit_requests, region us-east-1,"
                " request id r-1)"
            ),
        ),
        ({"body": "x", "protocol": "openai"}, "Slow down."),
    ],
)
@pytest.mark.parametrize("cls", [RateLimitError, APITimeoutError, ConfigurationError])
def test_str_shows_what_identifies_the_request(
    cls: type[ModelStudioError], fields: dict[str, Any], shown: str
) -> None:
    assert str(cls("Slow down.", **fields)) == shown


def test_fields_without_a_value_are_none() -> None:
    fields = ModelStudioError("x").fields()
    assert fields.pop("is_retryable") is False
    assert set(fields.values()) == {None}


def test_errors_can_be_caught_as_builtin_exceptions() -> None:
    with pytest.raises(TimeoutError):
        raise APITimeoutError("x")
    with pytest.raises(ConnectionError):
        raise APITimeoutError("x")
    with pytest.raises(ValueError, match=r"^x$"):
        raise ConfigurationError("x")


@pytest.mark.parametrize("cls", [APIConnectionError, APITimeoutError])
def test_a_request_may_have_been_sent_by_default(cls: type[APIConnectionError]) -> None:
    error = cls("x")
    assert error.was_sent
    error.was_sent = False
    assert not error.was_sent
    assert cls("y").was_sent


def test_identifiers() -> None:
    assert ModelStudioError("x").identifiers == ""
    assert ModelStudioError("x", **FIELDS).identifiers == (
        "status 429, code limit_requests, region us-east-1, request id r-1"
    )


# --- Messages of any length ---------------------------------------------------------


@pytest.mark.parametrize("cls", ERRORS)
@pytest.mark.parametrize("length", [4001, 600_000])
def test_of_a_long_message_the_middle_is_left_out(
    cls: type[ModelStudioError], length: int
) -> None:
    error = cls("BEGIN" + "x" * (length - 8) + "END", body="kept")
    assert error.message.startswith("BEGINx")
    assert error.message.endswith("xEND")
    assert f"[... {length - 3900:,} characters left out ...]" in error.message
    assert len(error.message) <= 4000
    assert error.args == (error.message,)
    assert error.body == "kept"
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
        assert other.message == error.message


def test_a_message_of_4000_characters_is_complete() -> None:
    assert ModelStudioError("x" * 4000).message == "x" * 4000


def test_what_identifies_a_request_is_shown_in_a_limited_length() -> None:
    error = ModelStudioError("x", code="c" * 10_000, request_id="r" * 10_000)
    assert str(error) == f"x (code {'c' * 256}, request id {'r' * 256})"
    assert error.code == "c" * 10_000
