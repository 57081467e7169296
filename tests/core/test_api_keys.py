"""The argument ``api_key``: a string, or a function that returns the key."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from modelstudio_core.api_keys import ApiKeyFunction, check_api_key
from modelstudio_core.errors import ConfigurationError
from tests.core.support import KEY, error_message

RULE = (
    "The function that was passed as api_key must return a string of printable ASCII"
    " characters without spaces or line ends. If it was read from a file, strip it. It"
    " returned "
)


def return_key() -> str:
    return KEY


def return_another_key() -> str:
    return "sk-another-0123456789"


async def return_later() -> str:
    return KEY


class KeyStore:
    """An object that is called for the key."""

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - what is tested

    def __init__(self, key: str) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyStore) and self.key == other.key

    def __call__(self) -> str:
        return self.key


class AsyncKeyStore:
    """An object whose call is async."""

    async def __call__(self) -> str:
        return KEY


@pytest.mark.parametrize("key", [KEY, SecretStr(KEY)])
def test_a_function_is_asked_each_time(key: str | SecretStr) -> None:
    calls: list[int] = []

    def ask() -> str | SecretStr:
        calls.append(1)
        return key

    function = check_api_key(ask)
    assert isinstance(function, ApiKeyFunction)
    assert (calls, function.last, function.hidden) == ([], "", ())
    assert [function.ask(), function.ask()] == [KEY, KEY]
    assert len(calls) == 2
    assert (function.last, function.hidden) == (KEY, (KEY,))


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        (None, "None"),
        ("", "an empty string"),
        (f"{KEY}\n", "another string"),
        (f" {KEY}", "another string"),
        ("sk-\u00e4", "another string"),
        (SecretStr(""), "an empty string"),
        (5, "a value of type int"),
        (KEY.encode(), "a value of type bytes"),
    ],
)
def test_what_is_no_key_is_not_shown(returned: Any, kind: str) -> None:
    function = ApiKeyFunction(lambda: returned)
    message = error_message(function.ask)
    assert message == f"{RULE}{kind}, so nothing was sent."
    assert (function.last, function.hidden) == ("", ())


def test_a_coroutine_that_a_function_returns_is_closed() -> None:
    """So that Python does not warn that it was never awaited."""
    function = ApiKeyFunction(lambda: return_later())  # type: ignore[arg-type,return-value]  # noqa: PLW0108 # pyright: ignore[reportArgumentType] - what is tested
    assert error_message(function.ask) == (
        f"{RULE}a coroutine: an async function cannot be used in sync calls, so nothing"
        " was sent."
    )


@pytest.mark.parametrize("function", [return_later, AsyncKeyStore()])
def test_an_async_function_is_refused(function: Callable[[], object]) -> None:
    assert error_message(check_api_key, function) == (
        "api_key is an async function, which cannot be used in sync calls. Pass a"
        " function that is not async: async calls call it in a thread."
    )


@pytest.mark.parametrize("is_key_shown", [False, True])
def test_a_function_that_fails_is_the_cause_unless_it_shows_a_key(
    is_key_shown: bool,
) -> None:
    answers: list[str] = [KEY]

    def ask() -> str:
        if answers:
            return answers.pop()
        raise OSError(f"no vault for {KEY if is_key_shown else 'you'}")

    function = ApiKeyFunction(ask)
    function.ask()
    with pytest.raises(ConfigurationError) as caught:
        function.ask()
    shown = "**********" if is_key_shown else "you"
    assert caught.value.message == (
        "The function that was passed as api_key failed, so nothing was sent: OSError:"
        f" no vault for {shown}"
    )
    assert KEY not in str(caught.value.__cause__)
    assert isinstance(caught.value.__cause__, OSError) is not is_key_shown
    assert function.last == KEY


def test_every_key_that_a_function_returned_is_hidden() -> None:
    keys = [KEY, "gateway.key.987654321", KEY, "another.key.0123456789"]
    rest = iter(keys)
    function = ApiKeyFunction(lambda: next(rest))
    for _ in keys:
        function.ask()
    assert function.hidden == (KEY, "gateway.key.987654321", "another.key.0123456789")
    assert function.last == keys[-1]
    for key in keys:
        assert function.redactor.redact(f"x {key} y") == "x ********** y"


def test_two_arguments_with_the_same_function_are_equal() -> None:
    one, same = ApiKeyFunction(return_key), ApiKeyFunction(return_key)
    other = ApiKeyFunction(return_another_key)
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != return_key
    assert repr(one) == "ApiKeyFunction(...)"


def test_functions_that_are_equal_objects_are_equal() -> None:
    one, same = ApiKeyFunction(KeyStore(KEY)), ApiKeyFunction(KeyStore(KEY))
    assert one == same
    assert hash(one) == hash(same)
    assert one != ApiKeyFunction(KeyStore("sk-another-0123456789"))


def test_a_pickle_has_the_function_and_no_key() -> None:
    function = ApiKeyFunction(return_key)
    function.ask()
    pickled = pickle.dumps(function)
    assert KEY.encode() not in pickled
    restored = pickle.loads(pickled)  # noqa: S301 - our own bytes
    assert restored == function
    assert (restored.last, restored.hidden) == ("", ())
    assert restored.ask() == KEY
