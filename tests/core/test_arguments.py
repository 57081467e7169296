"""The constructor machinery, shown with a service that only this module knows."""

import copy
import logging
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx
import pytest
from pydantic import Field, PrivateAttr, SecretStr, ValidationError
from typing_extensions import override

from modelstudio_core.argument_hints import unknown_argument
from modelstudio_core.arguments import Resolved, ServiceArguments, warn_of_model
from modelstudio_core.catalog import ResolvedModel, resolve_deprecated
from modelstudio_core.connection_arguments import (
    ConnectionArguments,
    canonical_arguments,
)
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.errors import ConfigurationError, ModelDeprecationWarning
from modelstudio_core.limits import RateLimit
from modelstudio_core.transport import pools
from modelstudio_core.transport.connection import Connection
from tests.core.support import KEY, error_message, make_connection

# --- A service ----------------------------------------------------------------------


@dataclass(frozen=True)
class ResolvedEcho:
    """What the arguments of the service resolve to."""

    connection: Connection
    model: ResolvedModel
    volume: int


class Echo(ServiceArguments):
    """A service with one option."""

    argument_aliases: ClassVar[Mapping[str, str]] = {
        "model_name": "model",
        "loudness": "volume",
    }

    volume: int = Field(default=5, description="How loud.")
    note: str = Field(default="", description="Not an argument of the service.")

    # What ``_after_resolving`` was called with, and what was resolved then.
    _history: list[tuple[Resolved | None, Resolved | None]] = PrivateAttr(
        default_factory=list
    )

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedEcho:
        if arguments["volume"] > 10:
            raise ConfigurationError("volume must be at most 10.")
        return ResolvedEcho(
            resolve_connection(arguments, model=arguments["model"]),
            resolve_deprecated(arguments["model"]),
            arguments["volume"],
        )

    @override
    def _after_resolving(self, before: Resolved | None) -> None:
        self._history.append((before, self._current()))


Echo.argument_names = frozenset(Echo.model_fields) - {"resolved_model", "note"}


class LoudEcho(Echo):
    """A subclass with defaults of its own."""

    model: str = "qwen-plus"
    volume: int = 9
    region: str | None = "beijing"


class TaggedEcho(LoudEcho):
    """A subclass whose defaults are made for each object."""

    volume: int = 5
    tags: list[str] = Field(default_factory=lambda: ["a"])
    label: str = Field(default_factory=lambda fields: f"{fields['model']}!")

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedEcho:
        volume = arguments["volume"] + len(arguments["tags"])
        return super()._decide({**arguments, "volume": volume})


TaggedEcho.argument_names = Echo.argument_names | {"tags", "label"}


def echo(**arguments: Any) -> Echo:
    """Make a service with a model and a key."""
    required: dict[str, Any] = {"model": "qwen-max", "api_key": KEY}
    return Echo(**required | arguments)


def resolved(service: Echo) -> ResolvedEcho:
    """Return what the arguments of a service resolve to."""
    value = service._resolved_now()
    assert isinstance(value, ResolvedEcho)
    return value


# --- The constructor ----------------------------------------------------------------


def test_the_constructor_resolves_its_arguments() -> None:
    service = echo(volume=7, region="beijing")
    assert resolved(service).volume == 7
    assert service.endpoint.region == "cn-beijing"
    assert service.resolved_model == "qwen-max"


def test_the_fields_keep_what_was_passed() -> None:
    service = echo(region="beijing", timeout=5, note="x")
    assert (service.region, service.timeout, service.note) == ("beijing", 5, "x")
    assert service.mode is None


def test_the_key_is_kept_as_a_secret() -> None:
    for key in (KEY, SecretStr(KEY)):
        service = echo(api_key=key)
        assert isinstance(service.api_key, SecretStr)
        assert service.api_key.get_secret_value() == KEY
        assert KEY not in f"{service!r} {service} {service.model_dump()}"


def test_what_reaches_the_service_with_secrets_is_in_no_dump_and_no_repr() -> None:
    with httpx.Client() as client:
        service = echo(
            http_client=client,
            http_async_client=httpx.AsyncClient(),
            default_headers={"X-A": "b"},
            limiter=RateLimit(requests_per_minute=60),
        )
        secrets = {"api_key", "http_client", "http_async_client", "default_headers"}
        assert secrets.isdisjoint(service.model_dump())
        assert "limiter" not in service.model_dump()
        assert not any(f"{name}=" in repr(service) for name in secrets)


def test_plain_http_must_be_allowed_by_the_constructor() -> None:
    arguments: dict[str, Any] = {"base_url": "http://gateway.example.com"}
    for function in (echo, make_connection):
        message = error_message(function, **arguments)
        assert message.endswith("or pass allow_insecure_http=True.")
    service = echo(**arguments, allow_insecure_http=True)
    assert service.endpoint.host == "gateway.example.com"


def test_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    service = Echo(model="qwen-max")
    assert isinstance(service.api_key, SecretStr)
    assert resolved(service).connection.api_key == KEY


def test_a_subclass_has_its_own_defaults() -> None:
    service = LoudEcho(api_key=KEY)
    assert resolved(service).volume == 9
    assert service.resolved_model == "qwen-plus"
    assert service.endpoint.region == "cn-beijing"
    service = LoudEcho(api_key=KEY, volume=1, region="singapore")
    assert resolved(service).volume == 1
    assert service.endpoint.region == "ap-southeast-1"


def test_a_delisted_model_is_replaced_and_warned_of() -> None:
    with pytest.warns(ModelDeprecationWarning) as caught:
        service = echo(model="deepseek-r1")
    assert (service.model, service.resolved_model) == ("deepseek-r1", "qwen3.7-max")
    assert [warning.filename for warning in caught] == [__file__]


def test_a_service_must_name_its_arguments() -> None:
    with pytest.raises(TypeError, match="must set argument_names"):
        ServiceArguments(model="qwen-max", api_key=KEY)


def test_an_abstract_service_decides_nothing() -> None:
    with pytest.raises(NotImplementedError):
        ServiceArguments._decide({})


def test_a_default_that_is_made_for_each_object_is_an_argument_too() -> None:
    one, other = TaggedEcho(api_key=KEY), TaggedEcho(api_key=KEY)
    assert (one.tags, other.tags) == (["a"], ["a"])
    assert one.tags is not other.tags
    assert resolved(one).volume == 6
    assert resolved(TaggedEcho(api_key=KEY, tags=[])).volume == 5


def test_a_default_that_depends_on_other_fields() -> None:
    assert TaggedEcho(api_key=KEY).label == "qwen-plus!"
    assert TaggedEcho(api_key=KEY, label="x").label == "x"


def test_an_object_shows_where_requests_go_and_what_was_passed() -> None:
    assert repr(echo(volume=7, note="x", timeout=5)) == (
        "Echo(model='qwen-max', region='ap-southeast-1', mode='international',"
        " host='dashscope-intl.aliyuncs.com', timeout=5.0, volume=7)"
    )
    with pytest.warns(ModelDeprecationWarning):
        replaced = echo(model="deepseek-r1", region="us")
    assert repr(replaced) == (
        "Echo(model='deepseek-r1', region='us-east-1', mode='global',"
        " host='dashscope-us.aliyuncs.com', resolved_model='qwen3.7-max')"
    )
    made = Echo.model_construct(model="qwen-max", api_key=KEY)
    assert repr(made).startswith("Echo(region=None, mode=None, ")


# --- Names --------------------------------------------------------------------------


def test_an_alias_is_another_name_of_an_argument() -> None:
    service = Echo(model_name="qwen-plus", loudness=2, api_key=KEY)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - an alias
    assert (service.model, service.volume) == ("qwen-plus", 2)
    assert resolved(service).volume == 2


@pytest.mark.parametrize(
    "arguments",
    [{"model": "a", "model_name": "a"}, {"model_name": "a", "model": "b"}],
)
def test_an_argument_under_two_names_is_refused(arguments: dict[str, Any]) -> None:
    first, second = arguments
    assert error_message(canonical_arguments, Echo, arguments) == (
        f"{second} and {first} are the same argument: pass one of the two."
    )


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("volum", "volume"),
        ("loudnes", "loudness"),
        ("regoin", "region"),
        ("openai_api_key", "api_key"),
        ("openai_api_base", "base_url"),
        ("api_base", "base_url"),
        ("base_http_api_url", "base_url"),
        ("request_timeout", "timeout"),
        ("modle", "model"),
    ],
)
def test_the_error_for_an_unknown_argument_suggests_one(
    name: str, suggestion: str
) -> None:
    message = error_message(echo, **{name: 1})
    assert message.startswith(f"Unknown argument {name!r} of Echo. Did you mean")
    assert message.endswith(f" {suggestion!r}?")


@pytest.mark.parametrize("cls", [Echo, ConnectionArguments])
def test_what_cannot_be_passed_is_not_suggested(
    cls: type[ConnectionArguments],
) -> None:
    message = error_message(canonical_arguments, cls, {"resolved_modle": 1})
    assert message.startswith(f"Unknown argument 'resolved_modle' of {cls.__name__}.")
    assert "'resolved_model'" not in message


# --- Validation errors --------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"note": [KEY]},
            "Invalid arguments of Echo: note: Input should be a valid string.",
        ),
        (
            {"note": [KEY], "volume": 1.5},
            (
                "Invalid arguments of Echo: volume: Input should be a valid integer,"
                " got a number with a fractional part; note: Input should be a valid"
                " string."
            ),
        ),
    ],
)
def test_a_validation_error_does_not_show_the_input(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        echo(**arguments)
    assert caught.value.message == message
    assert not isinstance(caught.value, ValidationError)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_pydantics_own_validation_does_not_show_the_input() -> None:
    with pytest.raises(ValidationError) as caught:
        ConnectionArguments(protocol=KEY)  # pyright: ignore[reportArgumentType] - what is tested
    assert KEY not in str(caught.value)


# --- Assigning ----------------------------------------------------------------------


def test_an_assigned_argument_is_resolved_again() -> None:
    service = echo()
    service.volume = 7
    assert resolved(service).volume == 7
    service.model = "qwen-plus"
    assert service.resolved_model == "qwen-plus"
    service.timeout = (1, None)
    assert resolved(service).connection.connect_timeout == 1
    service.api_key = "another-key-0123456789"
    assert isinstance(service.api_key, SecretStr)
    assert resolved(service).connection.api_key == "another-key-0123456789"


@pytest.mark.parametrize(
    ("name", "value"),
    [("volume", 11), ("region", "nowhere"), ("timeout", -1), ("protocol", "grpc")],
)
def test_an_invalid_assignment_is_undone(name: str, value: Any) -> None:
    service = echo(volume=7, region="beijing")
    before, was_resolved = getattr(service, name), resolved(service)
    with pytest.raises(ConfigurationError):
        setattr(service, name, value)
    assert getattr(service, name) == before
    assert resolved(service) is was_resolved


def test_an_assigned_field_that_is_no_argument_changes_nothing_else() -> None:
    service = echo()
    was_resolved = resolved(service)
    service.note = "x"
    assert service.note == "x"
    assert resolved(service) is was_resolved


def test_a_limiter_can_be_assigned() -> None:
    service = echo()
    service.limiter = limiter = RateLimit(requests_per_minute=60)
    assert resolved(service).connection.limiter is limiter
    service.limiter = None
    assert resolved(service).connection.limiter is None


def test_the_resolved_model_cannot_be_assigned() -> None:
    service = echo()
    message = error_message(setattr, service, "resolved_model", "qwen-plus")
    assert message == (
        "resolved_model is computed from model and cannot be assigned: assign model."
    )
    assert service.resolved_model == "qwen-max"


def test_an_assignment_keeps_the_scope_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "beijing")
    monkeypatch.setenv("DASHSCOPE_WORKSPACE_ID", "ws-1")
    service = echo()
    scope = {"region": "cn-beijing", "mode": "chinese-mainland", "workspace": "ws-1"}
    assert service.scope_arguments() == scope
    monkeypatch.setenv("DASHSCOPE_REGION", "singapore")
    monkeypatch.setenv("DASHSCOPE_WORKSPACE_ID", "ws-2")
    service.volume = 7
    assert service.scope_arguments() == scope
    service.workspace = "ws-3"
    assert service.endpoint.region == "ap-southeast-1"
    assert service.endpoint.workspace == "ws-3"


def test_the_scope_of_a_custom_base_url_is_empty() -> None:
    assert echo(base_url="http://127.0.0.1:9").scope_arguments() == {}


def test_an_assigned_delisted_model_warns() -> None:
    service = echo()
    with pytest.warns(ModelDeprecationWarning) as caught:
        service.model = "deepseek-r1"
    assert service.resolved_model == "qwen3.7-max"
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        service.volume = 7


def test_a_resolved_model_that_is_passed_does_not_count() -> None:
    """Frameworks pass every field of a saved model to the constructor."""
    assert echo(resolved_model="qwen-plus").resolved_model == "qwen-max"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        echo(model="deepseek-r1", resolved_model="qwen3.7-max")


@pytest.mark.parametrize(
    ("name", "value", "region"),
    [
        ("region", "us", "us-east-1"),
        ("mode", "us", "us-east-1"),
        ("workspace", "ws-1", "us-east-1"),
        ("base_url", "http://127.0.0.1:9", None),
    ],
)
def test_an_assigned_scope_is_resolved_without_the_old_one(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, region: str | None
) -> None:
    service = echo()
    monkeypatch.setenv("DASHSCOPE_REGION", "us")
    setattr(service, name, value)
    assert service.endpoint.region == region


# --- The hook -----------------------------------------------------------------------


def test_the_hook_is_called_with_what_was_resolved_before() -> None:
    service = echo(volume=1)
    first = resolved(service)
    service.volume = 2
    second = resolved(service)
    service.note = "x"
    with pytest.raises(ConfigurationError):
        service.volume = 11
    assert service._history == [(None, first), (first, second)]


def test_the_hook_is_called_for_a_changed_copy() -> None:
    service = echo(volume=1)
    first = resolved(service)
    copied = service.model_copy(update={"volume": 2}, deep=True)
    assert len(copied._history) == 2
    before, now = copied._history[-1]
    assert before == first
    assert now is resolved(copied)
    assert service._history == [(None, first)]


# --- Copies -------------------------------------------------------------------------


def test_a_copy_shares_what_was_resolved() -> None:
    service = echo(volume=7)
    for copied in (service.model_copy(), copy.copy(service)):
        assert resolved(copied) is resolved(service)
        copied.volume = 8
        assert (service.volume, resolved(service).volume) == (7, 7)


@pytest.mark.parametrize("deep", [False, True])
def test_a_copy_with_changes_is_resolved_again(deep: bool) -> None:
    service = echo(volume=7)
    copied = service.model_copy(
        update={"model_name": "qwen-plus", "volume": 8}, deep=deep
    )
    assert (copied.model, copied.resolved_model) == ("qwen-plus", "qwen-plus")
    assert resolved(copied).volume == 8
    assert (service.model, service.resolved_model) == ("qwen-max", "qwen-max")
    assert resolved(service).volume == 7


@pytest.mark.parametrize(
    ("update", "part"),
    [
        ({"volume": 11}, "volume must be at most 10."),
        ({"volum": 1}, "Did you mean 'volume'?"),
        ({"model": "a", "model_name": "a"}, "are the same argument"),
        ({"resolved_model": "qwen-plus"}, "cannot be assigned: assign model."),
    ],
)
def test_a_copy_with_invalid_changes_is_refused(
    update: dict[str, Any], part: str
) -> None:
    service = echo()
    assert part in error_message(service.model_copy, update=update)
    assert resolved(service).volume == 5


def test_a_copy_keeps_the_scope_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "beijing")
    service = echo()
    monkeypatch.setenv("DASHSCOPE_REGION", "singapore")
    copied = service.model_copy(update={"volume": 8})
    assert copied.endpoint.region == "cn-beijing"
    copied = service.model_copy(update={"region": "us"})
    assert copied.endpoint.region == "us-east-1"


def test_a_copy_made_around_the_constructor_is_resolved_when_needed() -> None:
    service = Echo.model_construct(model="qwen-max", api_key=KEY, volume=7)
    service.volume = 8
    assert service.endpoint.region == "ap-southeast-1"
    assert resolved(service).volume == 8
    assert service.resolved_model == "qwen-max"


def test_a_deep_copy_shares_the_users_clients() -> None:
    with httpx.Client() as client:
        async_client = httpx.AsyncClient()
        service = echo(
            http_client=client,
            http_async_client=async_client,
            default_headers={"A": "b"},
        )
        copied = copy.deepcopy(service)
        assert copied.http_client is client
        assert copied.http_async_client is async_client
        assert copied.default_headers is not service.default_headers
        assert resolved(copied).connection.http_client is client
        nested = copy.deepcopy([service, service, client])
        assert nested[0] is nested[1]
        assert nested[2] is client


@pytest.mark.parametrize("name", ["http_client", "http_async_client"])
def test_a_service_with_a_users_client_cannot_be_pickled(name: str) -> None:
    kind = httpx.Client if name == "http_client" else httpx.AsyncClient
    service = echo(**{name: kind()})
    assert error_message(pickle.dumps, service) == (
        "Echo cannot be pickled with a custom http_client or http_async_client:"
        " create it in the worker."
    )


def test_a_pickle_restores_the_service() -> None:
    service = echo(volume=7, region="beijing", default_headers={"X-A": "b"})
    restored = pickle.loads(pickle.dumps(service))  # noqa: S301 - our own bytes
    assert restored == service
    assert resolved(restored) == resolved(service)
    assert restored.endpoint.region == "cn-beijing"
    restored.volume = 8
    assert resolved(restored).volume == 8


# --- The connection -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeout", "connect", "read"),
    [
        (5, 10.0, 5.0),
        (0.5, 10.0, 0.5),
        (None, None, None),
        ((1, 2), 1.0, 2.0),
        ([1, 2], 1.0, 2.0),
        ((None, 2), None, 2.0),
        ((1, None), 1.0, None),
        ((None, None), None, None),
        (7 * 24 * 3600, 10.0, 604_800.0),
    ],
)
def test_timeouts(timeout: Any, connect: float | None, read: float | None) -> None:
    connection = make_connection(timeout=timeout)
    assert (connection.connect_timeout, connection.read_timeout) == (connect, read)


def test_the_default_timeouts() -> None:
    connection = make_connection()
    assert (connection.connect_timeout, connection.read_timeout) == (10.0, 600.0)


@pytest.mark.parametrize(
    "timeout",
    [
        0,
        -1,
        float("nan"),
        float("inf"),
        7 * 24 * 3600 + 1,
        True,
        "5",
        (),
        (1,),
        (1, 2, 3),
        (1, 0),
        (1, "2"),
        (True, 2),
        (1, 2, None),
        (1, "x", 2),
        {"read": 5},
    ],
)
def test_invalid_timeouts(timeout: Any) -> None:
    message = error_message(make_connection, timeout=timeout)
    assert message.startswith("timeout must be a number of seconds above 0")
    assert message.endswith(f"got {timeout!r}.")


@pytest.mark.parametrize("seconds", [None, 0.5, 5, 7 * 24 * 3600])
def test_the_seconds_of_a_whole_answer(seconds: float | None) -> None:
    connection = make_connection(total_timeout=seconds)
    assert connection.total_timeout == seconds
    assert not isinstance(connection.total_timeout, int)


@pytest.mark.parametrize(
    "seconds",
    [0, -1, float("nan"), float("inf"), 7 * 24 * 3600 + 1, True, "5", (1, 2)],
)
def test_invalid_seconds_of_a_whole_answer(seconds: Any) -> None:
    assert error_message(make_connection, total_timeout=seconds) == (
        "total_timeout must be a number of seconds above 0 and at most a week, or None"
        f" for no limit, got {seconds!r}."
    )


@pytest.mark.parametrize("retries", [0, 1, 100])
def test_retries(retries: int) -> None:
    assert make_connection(max_retries=retries).max_retries == retries
    assert make_connection().max_retries == 2


@pytest.mark.parametrize("retries", [-1, 1.0, True, "2", None])
def test_invalid_retries(retries: Any) -> None:
    message = error_message(make_connection, max_retries=retries)
    assert message == f"max_retries must be an integer >= 0, got {retries!r}."


BYTE_LIMITS = ("max_error_bytes", "max_event_bytes", "max_response_bytes")


@pytest.mark.parametrize("name", BYTE_LIMITS)
def test_limits_of_bytes(name: str) -> None:
    assert getattr(make_connection(**{name: 1}), name) == 1


@pytest.mark.parametrize("name", BYTE_LIMITS)
@pytest.mark.parametrize("value", [0, -1, True, 1.0, "2", None])
def test_invalid_limits_of_bytes(name: str, value: Any) -> None:
    assert error_message(make_connection, **{name: value}) == (
        f"{name} must be a number of bytes, an integer above 0, got {value!r}."
    )


@pytest.mark.parametrize("value", [1, "yes", None])
def test_insecure_http_is_allowed_by_a_bool(value: Any) -> None:
    message = error_message(make_connection, allow_insecure_http=value)
    assert message == f"allow_insecure_http must be True or False, got {value!r}."


@pytest.mark.parametrize(
    ("headers", "pairs"),
    [
        (None, ()),
        ({}, ()),
        ({"X-A": "b", "x-c": ""}, (("X-A", "b"), ("x-c", ""))),
        ({"X!#$%&'*+.^_`|~-1": "a\tb"}, (("X!#$%&'*+.^_`|~-1", "a\tb"),)),
    ],
)
def test_headers(
    headers: dict[str, str] | None, pairs: tuple[tuple[str, str], ...]
) -> None:
    assert make_connection(default_headers=headers).default_headers == pairs


@pytest.mark.parametrize("headers", ["X-A: b", [("X-A", "b")], 5])
def test_headers_that_are_no_dict(headers: Any) -> None:
    message = error_message(make_connection, default_headers=headers)
    assert message == "default_headers must be a dict of strings."


@pytest.mark.parametrize("name", ["", "X A", "X:", "X\n", "Ü", 5])
def test_invalid_header_names(name: Any) -> None:
    message = error_message(make_connection, default_headers={name: "a"})
    assert message == f"default_headers has an invalid header name: {name!r}."


@pytest.mark.parametrize("value", ["\n", "\r\nX: y", "\x00", "é", "\x7f"])
def test_invalid_header_values_are_not_shown(value: str) -> None:
    message = error_message(make_connection, default_headers={"X-A": KEY + value})
    assert message == "default_headers['X-A'] must be a string of printable ASCII."


@pytest.mark.parametrize("value", [5, None, b"a"])
def test_header_values_that_are_no_strings(value: Any) -> None:
    message = error_message(make_connection, default_headers={"X-A": value})
    assert message == "default_headers['X-A'] must be a string of printable ASCII."


@pytest.mark.parametrize("key", [None, "", SecretStr("")])
def test_a_missing_key(key: Any) -> None:
    message = error_message(make_connection, api_key=key)
    assert message.startswith("The API key is missing: pass api_key=")
    assert "DASHSCOPE_API_KEY" in message


@pytest.mark.parametrize(
    "key", [f"{KEY}\n", f" {KEY}", f"{KEY}\r\nX: y", f"{KEY}é", f"{KEY}\udcff", 5]
)
def test_an_invalid_key_is_not_shown(key: Any) -> None:
    message = error_message(make_connection, api_key=key)
    assert message.startswith("api_key must be a string of printable ASCII")
    assert KEY not in message


@pytest.mark.parametrize("key", ["sk-1\n", " sk-1", "sk-\u00e4", f"{KEY}\udcff"])
def test_an_invalid_key_of_the_environment_is_named_by_its_variable(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", key)
    message = error_message(make_connection, api_key=None)
    assert message.startswith("DASHSCOPE_API_KEY must be a string of printable ASCII")
    assert key not in message


@pytest.mark.parametrize("name", ["http_client", "http_async_client"])
@pytest.mark.parametrize("value", [object(), "client", httpx.Client])
def test_a_client_of_another_type_is_refused(name: str, value: Any) -> None:
    message = error_message(make_connection, **{name: value})
    kind = "Client" if name == "http_client" else "AsyncClient"
    assert message.startswith(f"{name} must be an httpx.{kind}")
    assert message.endswith(f"got a {type(value).__name__}.")


def test_a_client_of_the_other_kind_is_refused() -> None:
    with httpx.Client() as client:
        assert make_connection(http_client=client).http_client is client
        message = error_message(make_connection, http_async_client=client)
    assert message.startswith("http_async_client must be an httpx.AsyncClient")
    assert message.endswith("got a Client.")


def test_a_client_of_a_subclass_is_accepted() -> None:
    class MyClient(httpx.Client):
        pass

    with MyClient() as client:
        assert make_connection(http_client=client).http_client is client


@pytest.mark.parametrize("takes_httpx2", [True, False])
def test_httpx2_is_accepted_where_the_openai_sdk_runs_on_it(
    monkeypatch: pytest.MonkeyPatch, takes_httpx2: bool
) -> None:
    kind: Any = type("Client", (), {"__module__": "httpx2"})
    monkeypatch.setattr(
        "modelstudio_core.connection_checks.sdk_takes_httpx2", lambda: takes_httpx2
    )
    client = kind()
    if takes_httpx2:
        assert make_connection(http_client=client).http_client is client
    else:
        message = error_message(make_connection, http_client=client)
        assert message == "http_client must be an httpx.Client, got a Client."


def test_the_installed_openai_sdk_decides_about_httpx2() -> None:
    assert pools.sdk_takes_httpx2() is (pools.http_library().__name__ == "httpx2")


def test_the_model_chooses_the_mode_in_virginia() -> None:
    arguments = {"api_key": KEY, "region": "us"}
    assert resolve_connection(arguments, model="a-us").endpoint.mode == "us"
    assert resolve_connection(arguments, model="a").endpoint.mode == "global"
    assert resolve_connection(arguments, model=5).endpoint.mode == "global"


# --- Warnings about a model ---------------------------------------------------------


def test_a_model_without_a_notice_does_not_warn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="modelstudio")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_model(resolve_deprecated("qwen-max"))
    assert caplog.records == []


def test_a_replaced_model_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="modelstudio")
    with pytest.warns(ModelDeprecationWarning):
        warn_of_model(resolve_deprecated("deepseek-r1"))
    assert [record.getMessage() for record in caplog.records] == [
        "deepseek-r1 is replaced by qwen3.7-max"
    ]


def test_a_model_that_may_be_of_another_kind_warns() -> None:
    model = resolve_deprecated("qwen-max")._replace(warning="It may not chat.")
    with pytest.warns(UserWarning, match=r"^It may not chat\.$"):
        warn_of_model(model)


@pytest.mark.parametrize(
    ("name", "candidates", "advice"),
    [
        (
            "xyz",
            ["parameters"],
            " Parameters of the model go into parameters=: {'xyz':",
        ),
        ("xyz", ["model"], ""),
        (
            "xyz",
            ["extra_body"],
            " Parameters that have no argument go into extra_body.",
        ),
        ("modle", ["model", "parameters"], " Did you mean 'model'?"),
        ("modle", ["model"], " Did you mean 'model'?"),
    ],
)
def test_the_error_about_an_unknown_argument_has_one_advice(
    name: str, candidates: list[str], advice: str
) -> None:
    message = unknown_argument(name, candidates).message
    assert message.startswith(f"Unknown argument '{name}'.{advice}")
    assert advice or message == f"Unknown argument '{name}'."
    assert ("parameters=" in message) == ("parameters=" in advice)
