"""Answers of millions of values, in every service and in what an answer holds."""

from collections.abc import Awaitable, Callable, Generator
from typing import Final

import pytest

from modelstudio_core.errors import APIError, InvalidResponseError
from modelstudio_core.wire import json_values
from tests.attack.test_table import attacking

WIDE: Final = "[" + "[]," * (json_values.MAX_VALUES // 2) + "[]]"


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    with attacking() as port:
        yield f"http://127.0.0.1:{port}"


async def error_of(one: Callable[[], Awaitable[object]]) -> APIError:
    with pytest.raises(APIError) as caught:
        await one()
    return caught.value


def check(error: APIError) -> None:
    assert isinstance(error, InvalidResponseError)
    assert not error.is_retryable
    assert "more than 2,097,152 values. Check base_url" in str(error)
    assert len(str(error)) < 1000
