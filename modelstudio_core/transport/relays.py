"""The HTTP clients of the SDKs: they send over a pool, and keep error bodies from them.

An SDK reads the body of an error completely, however large it is. A relay raises
``ErrorStatusError`` in place of the response, which no SDK handles, and
``responses.py`` reads the body. It overrides public methods of the HTTP library alone.
"""

from functools import cache, lru_cache
from types import ModuleType
from typing import Any, Final

from modelstudio_core.causes import causes_of

__all__ = [
    "ErrorStatusError",
    "is_success",
    "make_relay",
    "refused_response",
]

_SUCCESS: Final = range(200, 300)
_FIRST_REDIRECT: Final = 300


class ErrorStatusError(Exception):
    """The response has no success status.

    Attributes:
        response: The response, whose body was not read.
    """

    def __init__(self, response: Any) -> None:
        """Create an error for a response."""
        super().__init__(f"HTTP status {response.status_code}")
        self.response = response


def is_success(response: Any) -> bool:
    """Return whether a response has a success status, faster than the HTTP library."""
    return response.status_code in _SUCCESS


def refused_response(error: Exception, url: str) -> object:
    """Return the response with an error status that led to an error; None if none did.

    The response of another request, such as one that an event hook sent or whose error
    the caller is handling, is none.

    Args:
        error: What an SDK raised: ``ErrorStatusError``; with openai 2 an error with it
            as its cause; or what an event hook of the user's client raised.
        url: The address of the request, without its query.
    """
    for cause in causes_of(error):
        if isinstance(cause, ErrorStatusError):
            return cause.response
        response = getattr(cause, "response", None)
        if _is_refused(response) and _is_answer_to(url, response):
            return response
    return None


def _is_refused(response: Any) -> bool:
    return getattr(response, "status_code", 0) >= _FIRST_REDIRECT


def _is_answer_to(url: str, response: Any) -> bool:
    try:
        # RuntimeError: the response was made without a request.
        address = response.url.copy_with(query=None)
        return bool(address == type(address)(url))
    except (AttributeError, RuntimeError):
        return False


def make_relay(http: ModuleType, pool: Any, *, is_async: bool) -> Any:
    """Create the HTTP client of an SDK.

    Args:
        http: ``httpx`` or ``httpx2``: the library of the pool.
        pool: The client that builds and sends the requests.
        is_async: Whether the pool is async.
    """
    return _relay_classes(http)[is_async](pool)


@lru_cache(maxsize=256)
def _parsed(kind: Any, url: str) -> Any:
    """Return the URL object of an HTTP library, which it makes in a fifth of a call."""
    return kind(url)


@cache
def _relay_classes(http: ModuleType) -> tuple[Any, Any]:
    class Relay(http.Client):  # type: ignore[name-defined,misc]
        """Sends over another client; redirects are never followed."""

        def __init__(self, pool: Any) -> None:
            client: Any = super()
            client.__init__(transport=http.BaseTransport(), trust_env=False)
            self._over = pool

        def build_request(self, method: str, url: Any, **options: Any) -> Any:
            url = _parsed(http.URL, url) if isinstance(url, str) else url
            return self._over.build_request(method, url, **options)

        def send(self, request: Any, **options: Any) -> Any:
            options["follow_redirects"] = False
            response = self._over.send(request, **options)
            if is_success(response):
                return response
            raise ErrorStatusError(response)

    class AsyncRelay(http.AsyncClient):  # type: ignore[name-defined,misc]
        """Async version of ``Relay``."""

        def __init__(self, pool: Any) -> None:
            client: Any = super()
            client.__init__(transport=http.AsyncBaseTransport(), trust_env=False)
            self._over = pool

        def build_request(self, method: str, url: Any, **options: Any) -> Any:
            url = _parsed(http.URL, url) if isinstance(url, str) else url
            return self._over.build_request(method, url, **options)

        async def send(self, request: Any, **options: Any) -> Any:
            options["follow_redirects"] = False
            response = await self._over.send(request, **options)
            if is_success(response):
                return response
            raise ErrorStatusError(response)

    return Relay, AsyncRelay
