"""Limits of requests and tokens a minute, shared by processes and machines.

Example:
    >>> limit = RateLimit(requests_per_minute=600, tokens_per_minute=1_000_000)
    >>> limit
    RateLimit(requests_per_minute=600, tokens_per_minute=1000000)

It is passed as ``limiter=`` to any class of this package. It needs the extra
``limits``.
"""

import asyncio
import math
import os
import re
import time
from collections.abc import Mapping
from typing import Final, Never, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr
from typing_extensions import override

from modelstudio_core.argument_hints import unknown_argument
from modelstudio_core.errors import APIConnectionError, ConfigurationError
from modelstudio_core.limit_state import Charge, LimitState, call_in_thread
from modelstudio_core.secrets import hide_keys

__all__ = ["RateLimit"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ARGUMENTS: Final = ("requests_per_minute", "tokens_per_minute", "name", "store")
_SCHEMES: Final = ("redis", "rediss", "sqlite")
_MAX_LIMIT: Final = 10**12


class RateLimit:
    """A limit of the requests and tokens that are sent in a minute.

    Each request waits until the limit allows it. The limit is shared by all objects
    that have it: by the threads and event loops of a process, and with a store by all
    processes and machines that use the same store and name.

    A bucket of each limit holds a tenth of what it allows in a minute, and never less
    than one request: so much can be sent at once, and then as fast as the bucket fills.
    A request that needs more tokens than the bucket holds takes all of it.

    The tokens of a request are estimated before it is sent: one for three bytes of its
    texts, 1,000 for each image or other medium, and for a chat the average of the
    answers so far, at most its ``max_completion_tokens`` or ``max_tokens`` (before the
    first answer those, else 500). The difference to what the answer used is settled
    with the next request of this process.

    Each HTTP request to a model is counted, with retries and the creation of a task:
    not polls, lists and cancellations, and not the storage of files and batches, for
    which the service has other limits.

    Example:
        >>> limit = RateLimit(requests_per_minute=600, tokens_per_minute=1_000_000)
        >>> limit
        RateLimit(requests_per_minute=600, tokens_per_minute=1000000)
    """

    def __init__(
        self,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        name: str = "default",
        store: str | None = None,
        **unknown: Never,
    ) -> None:
        """Create a limit. Its store is connected when it is first used.

        Args:
            requests_per_minute: How many requests are sent in a minute at most; None
                for no limit.
            tokens_per_minute: How many tokens of inputs and answers together are used
                in a minute at most; None for no limit.
            name: The name of the limit in the store, of letters, digits, ``.``, ``_``
                and ``-``. The service has limits for each account and model.
            store: ``"redis://user:password@host:6379/0"`` (``rediss://`` for TLS) for
                several machines, ``"sqlite:///path/to/file"`` for the processes of one
                machine; None for one process.
            **unknown: None. Any other argument is refused, with the nearest name.

        Raises:
            ConfigurationError: An argument is unknown or invalid, or pyrate-limiter is
                not installed.
        """
        for argument in unknown:
            raise unknown_argument(argument, _ARGUMENTS, owner="RateLimit")
        self.requests_per_minute = _check_limit(
            requests_per_minute, "requests_per_minute"
        )
        self.tokens_per_minute = _check_limit(tokens_per_minute, "tokens_per_minute")
        if requests_per_minute is None and tokens_per_minute is None:
            raise ConfigurationError(
                "RateLimit needs requests_per_minute=, tokens_per_minute= or both."
            )
        self.name = _check_name(name)
        self._url = _check_store(store)
        self._process = os.getpid()
        self._state = self._new_state()

    @property
    def store(self) -> str | None:
        """The URL of the store, without its password; None for memory."""
        return _shown_url(self._url) if self._url else None

    @override
    def __repr__(self) -> str:
        """Return the arguments, without the password of the store."""
        defaults = {"name": "default"}
        names = ("requests_per_minute", "tokens_per_minute", "name", "store")
        values = {name: getattr(self, name) for name in names}
        shown = (
            f"{name}={value!r}"
            for name, value in values.items()
            if value is not None and value != defaults.get(name)
        )
        return f"RateLimit({', '.join(shown)})"

    @override
    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the arguments. A limit without a store is of one process only."""
        arguments = (
            self.requests_per_minute,
            self.tokens_per_minute,
            self.name,
            self._shared_url().get_secret_value(),
        )
        return _rebuild, arguments

    def __copy__(self) -> Self:
        """Return the limit itself: copies of an object share it."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        """Return the limit itself: copies of an object share it."""
        return self

    def check_pickle(self) -> None:
        """Raise an error if the limit cannot be pickled.

        Raises:
            ConfigurationError: It has no store.
        """
        self._shared_url()

    def _shared_url(self) -> SecretStr:
        if self._url is None:
            raise ConfigurationError(
                "A RateLimit without a store cannot be pickled: the copy would count"
                " for itself. Pass store='sqlite:///path/to/file' for the processes of"
                " one machine, or store='redis://host:6379/0' for several machines."
            )
        return self._url

    def close(self) -> None:
        """Close the store. It is opened again when it is used again."""
        self._current().store.close()

    def acquire(
        self, path: str, body: Mapping[str, object] | None, seconds: float | None
    ) -> Charge:
        """Wait until a request may be sent, and count it.

        It blocks the thread.

        Args:
            path: The path of the request, to which the average of answers belongs.
            body: The JSON body of the request.
            seconds: How long to wait at most; None for no limit.

        Returns:
            What was counted, which is settled when the answer has come.

        Raises:
            TimeoutError: It may not be sent within ``seconds``. This is raised as soon
                as it is certain.
            APIConnectionError: The store cannot be used.
        """
        state = self._current()
        charge = Charge(state, path, state.estimator.estimate(path, body))
        end = math.inf if seconds is None else time.monotonic() + seconds

        def wait_in_turn() -> None:
            wait = self._book(state, charge, end)
            if wait > 0:
                state.log_wait(self.name, wait)
                time.sleep(wait)

        try:
            state.in_turn(end, wait_in_turn)
        except BaseException:
            charge.give_back()
            raise
        return charge

    async def aacquire(
        self, path: str, body: Mapping[str, object] | None, seconds: float | None
    ) -> Charge:
        """Async version of ``acquire``: it waits without blocking the event loop."""
        state = self._current()
        charge = Charge(state, path, state.estimator.estimate(path, body))
        end = math.inf if seconds is None else time.monotonic() + seconds
        try:
            async with state.aturn(end):
                if self._url is None:
                    wait = self._book(state, charge, end)
                else:
                    wait = await call_in_thread(lambda: self._book(state, charge, end))
                if wait > 0:
                    state.log_wait(self.name, wait)
                    await asyncio.sleep(wait)
        except BaseException:
            charge.give_back()
            raise
        return charge

    def _book(self, state: LimitState, charge: Charge, end: float) -> float:
        """Count a request, and return the seconds to wait before it is sent."""
        longest = None if end == math.inf else max(0.0, end - time.monotonic())
        failures: list[Exception] = []
        try:
            wait = state.book(charge, longest)
        except Exception as error:  # noqa: BLE001 - of sqlite3 or redis; see below
            failures.append(error)
        else:
            if longest is not None and wait > longest:
                raise TimeoutError
            return wait
        # Not inside the except block: the error of a library may show the password.
        raise self._store_error(failures.pop())

    def _store_error(self, error: Exception) -> APIConnectionError:
        text = f"{type(error).__name__}: {error}"
        if self._url is not None and (
            password := urlsplit(self._url.get_secret_value()).password
        ):
            text = text.replace(password, "***")
        return APIConnectionError(
            f"The store of the rate limit {self.name!r} cannot be used: {self.store}:"
            f" {text}. No request was sent.",
            was_sent=False,
        )

    def _current(self) -> LimitState:
        """Return the state of this process."""
        if self._process != os.getpid():
            if self._url is None:
                raise ConfigurationError(
                    "A RateLimit without a store holds in the process that created it"
                    " only, and this is a fork of it. Pass"
                    " store='sqlite:///path/to/file', or create it in the worker."
                )
            self._state = self._new_state()
            self._process = os.getpid()
        return self._state

    def _new_state(self) -> LimitState:
        try:
            from modelstudio_core.limit_stores import (  # noqa: PLC0415 - it is optional
                make_rates,
                open_store,
            )
        except ImportError:
            raise ConfigurationError(
                "RateLimit needs pyrate-limiter: pip install"
                ' "modelstudio-integrations[limits]".'
            ) from None
        url = self._url.get_secret_value() if self._url else None
        try:
            store = open_store(url, self.name)
        except ValueError:
            # Its text may contain a part of the URL.
            raise _invalid_store("an invalid part") from None
        rates = make_rates(self.requests_per_minute, self.tokens_per_minute)
        return LimitState(store, rates)


def _rebuild(
    requests: int | None, tokens: int | None, name: str, url: str
) -> RateLimit:
    return RateLimit(
        requests_per_minute=requests, tokens_per_minute=tokens, name=name, store=url
    )


# --- Arguments --------------------------------------------------------------------


def _check_limit(value: object, name: str) -> int | None:
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int)
        or not 1 <= value <= _MAX_LIMIT
    ):
        raise ConfigurationError(
            f"{name} must be an integer from 1 to {_MAX_LIMIT}, or None for no limit,"
            f" got {hide_keys(repr(value))}."
        )
    return value


def _check_name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ConfigurationError(
            "name of a RateLimit must have 1 to 100 letters, digits, '.', '_' and '-',"
            f" and begin with a letter or a digit, got {hide_keys(repr(value))}."
        )
    return value


def _check_store(value: object) -> SecretStr | None:
    """Check the URL of a store. The errors do not contain its parts."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(
            f"store must be a string or None, got a {type(value).__name__}."
        )
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise _invalid_store("another scheme")
    if scheme == "sqlite" and not (rest.startswith("/") and len(rest) > 1):
        raise _invalid_store("no path")
    if scheme != "sqlite" and not _has_host(value):
        raise _invalid_store("no host, or an invalid port")
    return SecretStr(value)


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _invalid_store(problem: str) -> ConfigurationError:
    return ConfigurationError(
        "store must be a URL such as 'redis://host:6379/0' or 'sqlite:///path/to/file'"
        f" ('sqlite:////' begins an absolute path). This one has {problem}. It is not"
        " shown, because it may contain a password."
    )


def _shown_url(url: SecretStr) -> str:
    """Return a URL without its password and its query."""
    parts = urlsplit(url.get_secret_value())
    if parts.scheme == "sqlite":
        return url.get_secret_value()
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    netloc = f"{name}:***@{host}" if colon else f"{user}{at}{host}"
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))
