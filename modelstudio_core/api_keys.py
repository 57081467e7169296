"""The API key: a string, or a function that returns it before each request."""

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from pydantic import SecretStr
from typing_extensions import override

from modelstudio_core.causes import shown_cause
from modelstudio_core.endpoints import API_KEY_VARIABLE, api_key_from_environment
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.fork_locks import ForkLock
from modelstudio_core.redaction import Redactor
from modelstudio_core.secrets import hide_in_logs, hide_keys

__all__ = ["ApiKey", "ApiKeyFunction", "ApiKeyGetter", "check_api_key"]

# What the argument ``api_key`` of every class accepts, beside None.
ApiKey = SecretStr | str
ApiKeyGetter = Callable[[], ApiKey]
# It is sent as a header, which cannot contain line ends.
_KEY: Final = re.compile(r"[\x21-\x7e]+")
_RULE: Final = (
    "a string of printable ASCII characters without spaces or line ends. If it was read"
    " from a file, strip it."
)
# How many keys of one function are hidden at the same time.
_MAX_HIDDEN: Final = 256


class ApiKeyFunction:
    """A user's function that returns the API key. It is asked before each request.

    The keys that it returned are hidden in errors and in logs. A copy has none of them,
    and a pickle neither.

    Attributes:
        function: The function.
        redactor: Hides the keys that the function returned.
        last: The key that the function returned last; empty if it was not called.

    Example:
        >>> key = ApiKeyFunction(lambda: "sk-0123456789abcdef")
        >>> key.ask()
        'sk-0123456789abcdef'
        >>> key.redactor.redact("Bad key sk-0123456789abcdef.")
        'Bad key **********.'
    """

    __slots__ = ("_hidden", "function", "last", "redactor")

    def __init__(
        self, function: ApiKeyGetter, redactor: Redactor | None = None
    ) -> None:
        """Create the object. The function is not called yet.

        Args:
            function: Returns the key. It is called from several threads.
            redactor: To which the keys are added; None for a new one.
        """
        self.function = function
        self.redactor = Redactor() if redactor is None else redactor
        self.last = ""
        # Each key is hidden in logs until its value here is collected.
        self._hidden: dict[str, _Hidden] = {}

    def ask(self) -> str:
        """Return the key that the function returns now.

        Raises:
            ConfigurationError: The function raised an exception, or what it returned is
                no key. It is not shown.
        """
        failures: list[ConfigurationError] = []
        key: object = None
        try:
            key = self.function()
        except Exception as error:  # noqa: BLE001 - of the user's function
            failures.append(self._failure(error))
        # Outside of the block: else its traceback would show that of the function.
        if failures:
            raise failures.pop()
        if isinstance(key, SecretStr):
            key = key.get_secret_value()
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            if inspect.iscoroutine(key):
                key.close()
            raise ConfigurationError(
                f"The function that was passed as api_key must return {_RULE} It"
                f" returned {_kind_of(key)}, so nothing was sent."
            )
        self._hide(key)
        self.last = key
        return key

    def _failure(self, error: Exception) -> ConfigurationError:
        """Return the error for what the function raised.

        What it raised is the cause, unless it shows a key.
        """
        reason = hide_keys(f"{type(error).__name__}: {error}", self.hidden)
        failure = ConfigurationError(
            "The function that was passed as api_key failed, so nothing was sent:"
            f" {reason}"
        )
        failure.__cause__ = shown_cause(error, partial(hide_keys, secrets=self.hidden))
        return failure

    @property
    def hidden(self) -> tuple[str, ...]:
        """The keys that the function returned, without those of long ago."""
        return tuple(self._hidden)

    def _hide(self, key: str) -> None:
        if key in self._hidden:
            return
        with _lock:
            if key in self._hidden:
                return
            hidden = self._hidden[key] = _Hidden()
            hide_in_logs(hidden, (key,))
            self.redactor.add(key)
            if len(self._hidden) > _MAX_HIDDEN:
                oldest = next(iter(self._hidden))
                del self._hidden[oldest]
                self.redactor.remove(oldest)

    @override
    def __eq__(self, other: object) -> bool:
        """Return whether another object has the same function."""
        if not isinstance(other, ApiKeyFunction):
            return NotImplemented
        return self.function is other.function or bool(self.function == other.function)

    @override
    def __hash__(self) -> int:
        try:
            return hash(self.function)
        except TypeError:
            return hash(type(self.function))

    @override
    def __repr__(self) -> str:
        return "ApiKeyFunction(...)"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        # What hides the keys in errors is the same object after a pickle too.
        return type(self), (self.function, self.redactor)


# One for all functions: a new key is rare.
_lock: Final = ForkLock()


class _Hidden:
    """Keeps a key hidden in the logs as long as it exists."""

    __slots__ = ("__weakref__",)


def _kind_of(value: object) -> str:
    """Return what a value is, without showing it."""
    if isinstance(value, str):
        return "another string" if value else "an empty string"
    if value is None:
        return "None"
    if inspect.iscoroutine(value):
        return "a coroutine: an async function cannot be used in sync calls"
    return f"a value of type {type(value).__name__}"


def check_api_key(value: object) -> str | ApiKeyFunction:
    """Check the argument ``api_key``. A function is not called.

    Args:
        value: The key as a string or a ``SecretStr``, a function that returns it, or
            None for the environment variable.

    Raises:
        ConfigurationError: The key is missing or invalid, or the function is async. The
            key is not shown.
    """
    if callable(value):
        return _check_function(cast("ApiKeyGetter", value))
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    key = api_key_from_environment() if value is None else value
    if not key:
        raise ConfigurationError(
            f"The API key is missing: pass api_key=, or set {API_KEY_VARIABLE}. Keys"
            " are created in the Model Studio console of the region that is called."
            " Without a key, modelstudio_core.emulator answers on this machine."
        )
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        source = "api_key" if value is not None else API_KEY_VARIABLE
        raise ConfigurationError(f"{source} must be {_RULE}")
    return key


def _check_function(function: ApiKeyGetter) -> ApiKeyFunction:
    call = getattr(function, "__call__", None)  # noqa: B004 - an object may have it
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call):
        raise ConfigurationError(
            "api_key is an async function, which cannot be used in sync calls. Pass a"
            " function that is not async: async calls call it in a thread."
        )
    return ApiKeyFunction(function)
