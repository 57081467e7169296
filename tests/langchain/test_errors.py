"""``langchain_modelstudio.errors``: each error is one of the core and of LangChain."""

import json
import pickle
import traceback
from typing import Any

import pytest
from langchain_core import exceptions as langchain

from langchain_modelstudio import errors
from langchain_modelstudio.errors import langchain_errors
from modelstudio_core import errors as core
from tests.langchain.support import model
from tests.support.answers import JSON, REQUEST_ID, STREAM, stream_body
from tests.support.replay import replaying

CORE_NAMES = [
    name
    for name in core.__all__
    if issubclass(getattr(core, name), core.ModelStudioError)
]
FIELDS: dict[str, Any] = {
    "status_code": 418,
    "code": "teapot",
    "request_id": "r-1",
    "region": "us-east-1",
    "protocol": "openai",
    "body": {"message": "short and stout"},
    "retry_after": 2.0,
    "is_retryable": True,
}

# --- The tree ---------------------------------------------------------------------


def test_every_error_of_the_core_has_a_class_here() -> None:
    """An error without one is raised as its nearest base class: add the class."""
    assert {"APIError", "ConfigurationError", "ModelStudioError"} <= set(CORE_NAMES)
    assert errors.__all__ == sorted(CORE_NAMES)


def test_the_context_manager_is_internal() -> None:
    assert "langchain_errors" not in errors.__all__


@pytest.mark.parametrize("name", errors.__all__)
def test_a_class_is_one_of_the_core_and_one_of_langchain(name: str) -> None:
    cls, original = getattr(errors, name), getattr(core, name)
    assert cls.__module__ == "langchain_modelstudio.errors"
    assert issubclass(cls, original)
    assert issubclass(cls, langchain.ModelError)
    assert cls("x").is_retryable is original("x").is_retryable


@pytest.mark.parametrize("name", errors.__all__)
def test_the_tree_is_that_of_the_core(name: str) -> None:
    cls, original = getattr(errors, name), getattr(core, name)
    for other in errors.__all__:
        expected = issubclass(original, getattr(core, other))
        assert issubclass(cls, getattr(errors, other)) is expected


@pytest.mark.parametrize("name", errors.__all__)
def test_the_docstring_shows_the_class(name: str) -> None:
    assert f" {name}" in (errors.__doc__ or "")


# --- Translation ------------------------------------------------------------------


def translated(error: core.ModelStudioError) -> core.ModelStudioError:
    with pytest.raises(core.ModelStudioError) as caught, langchain_errors():
        raise error
    return caught.value


@pytest.mark.parametrize("name", CORE_NAMES)
def test_a_translated_error_has_the_same_fields(name: str) -> None:
    cause = OSError("broken")
    original = getattr(core, name)("No tea.", **FIELDS)
    original.__cause__ = cause
    original.add_note("a note")
    error = translated(original)
    assert isinstance(error, getattr(errors, name))
    assert type(error).__mro__[0:2].count(getattr(errors, name)) == 1
    assert error.message == "No tea."
    assert error.fields() == FIELDS
    assert str(error) == str(original)
    assert error.__cause__ is cause
    assert error.__notes__ == ["a note"]
    assert "raise error" in "".join(traceback.format_exception(error))
    restored = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(restored) is type(error)
    assert restored.fields() == FIELDS


@pytest.mark.parametrize("name", ["APIError", "APIStatusError"])
def test_what_has_no_class_of_its_own_is_an_error_of_the_service(name: str) -> None:
    error = translated(getattr(core, name)("No tea.", **FIELDS))
    assert isinstance(error, langchain.ModelAPIError)
    assert not issubclass(getattr(errors, name), langchain.ModelAPIError)


class LaterError(core.RateLimitError):
    """An error of a later core, with a field of its own."""

    def __init__(self, message: str, *, limit: int = 0, **fields: Any) -> None:
        """Keep the field."""
        super().__init__(message, **fields)
        self.limit = limit

    def fields(self) -> dict[str, Any]:
        """Return the field too."""
        return {**super().fields(), "limit": self.limit}


def test_an_error_without_a_class_here_is_raised_as_its_base() -> None:
    error = translated(LaterError("Slow down.", limit=5, **FIELDS))
    assert type(error) is errors.RateLimitError
    assert core.ModelStudioError.fields(error) == FIELDS
    assert vars(error)["limit"] == 5


def test_an_error_is_translated_once() -> None:
    original = errors.RateLimitError("Slow down.")
    assert translated(original) is original
    with pytest.raises(KeyError), langchain_errors():
        raise KeyError


def test_langchains_tracers_read_the_response_of_an_api_error() -> None:
    response = errors.BadRequestError("No tea.", **FIELDS).response
    assert response.status_code == 418
    assert response.headers == {"x-request-id": "r-1"}
    assert response.json() == FIELDS["body"]
    assert not hasattr(errors.ConfigurationError("x"), "response")


# --- Errors of calls --------------------------------------------------------------


def failure(status: int, code: str, message: str) -> tuple[int, bytes]:
    error = {"message": message, "type": code, "param": None, "code": code}
    return status, json.dumps({"error": error, "request_id": "r-1"}).encode()


@pytest.mark.parametrize(
    ("answer", "cls", "base", "retryable"),
    [
        (
            failure(401, "invalid_api_key", "Incorrect API key provided."),
            core.AuthenticationError,
            langchain.ModelAuthenticationError,
            False,
        ),
        (
            failure(
                400, "invalid_parameter_error", "Range of input length should be [1, 9]"
            ),
            core.ContextOverflowError,
            langchain.ContextOverflowError,
            False,
        ),
        (
            failure(429, "insufficient_quota", "Allocated quota exceeded"),
            core.RateLimitError,
            langchain.ModelRateLimitError,
            True,
        ),
        (
            failure(429, "insufficient_quota", "Free allocated quota exceeded."),
            core.QuotaExceededError,
            langchain.ModelPermissionDeniedError,
            False,
        ),
        (
            failure(400, "data_inspection_failed", "Input data may be inappropriate"),
            core.ContentFilterError,
            langchain.ModelInvalidRequestError,
            False,
        ),
    ],
)
def test_an_error_is_an_error_of_the_core_and_of_langchain(
    answer: tuple[int, bytes],
    cls: type[core.APIError],
    base: type[langchain.ModelError],
    retryable: bool,
) -> None:
    status, body = answer
    with replaying(status, JSON, body) as replay, pytest.raises(cls) as caught:
        model(replay, region="virginia").invoke("Hi")
    error = caught.value
    assert isinstance(error, base)
    assert error.is_retryable is retryable
    assert error.status_code == status
    assert error.request_id == "r-1"
    assert error.region == "us-east-1"
    assert error.protocol == "openai"
    assert type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301 - our own


def test_an_error_inside_a_stream_is_raised_after_the_chunks_before_it() -> None:
    body = stream_body([{"content": "Hel"}], None, usage=False, done=False)
    fault = {
        "error": {
            "message": "<400> InternalError.Algo.DataInspectionFailed: Output data",
            "type": "data_inspection_failed",
            "code": "data_inspection_failed",
        },
        "id": "chatcmpl-1",
    }
    body += f"data: {json.dumps(fault)}\n\n".encode()
    texts: list[str] = []
    with replaying(200, STREAM, body) as replay:
        stream = model(replay).stream("Hi")
        with pytest.raises(core.ContentFilterError) as caught:
            texts.extend(str(chunk.content) for chunk in stream)
    assert texts == ["Hel"]
    assert caught.value.status_code == 400


def test_an_incomplete_stream_is_an_error_after_its_chunks() -> None:
    body = stream_body(
        [{"content": "Hel"}, {"content": "lo"}], None, usage=False, done=False
    )
    texts: list[str] = []
    with replaying(200, STREAM, body) as replay:
        stream = model(replay).stream("Hi")
        with pytest.raises(core.IncompleteStreamError) as caught:
            texts.extend(str(chunk.content) for chunk in stream)
    assert texts == ["Hel", "lo"]
    assert isinstance(caught.value, langchain.ModelConnectionError)
    assert caught.value.request_id == REQUEST_ID


def test_failed_requests_are_retried_max_retries_times() -> None:
    status, body = failure(503, "ModelUnavailable", "Busy")
    headers = {**JSON, "retry-after-ms": "1"}
    with replaying(status, headers, body, times=3) as replay:
        with pytest.raises(core.InternalServerError):
            model(replay, max_retries=2).invoke("Hi")
        assert len(replay.requests) == 3
