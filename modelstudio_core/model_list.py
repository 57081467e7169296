"""The list of models that the service answers for a key. The request is free.

Sources: recorded (``GET /compatible-mode/v1/models``, 2026-08); the page "OpenAI API
reference (models)" (2026-09).
"""

from collections.abc import Mapping
from typing import NamedTuple, cast

from modelstudio_core.errors import InvalidResponseError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import fetch
from modelstudio_core.transport.requests import HttpRequest

__all__ = ["ModelList", "list_models"]


class ModelList(NamedTuple):
    """The models that the service lists.

    Attributes:
        ids: The model ids in the service's order, each once.
        is_complete: Whether the service has no more of them.
        request_id: The id to give to the support of Alibaba Cloud.
    """

    ids: list[str]
    is_complete: bool
    request_id: str | None


def list_models(connection: Connection) -> ModelList:
    """Ask the service for the models that it lists for the key.

    Args:
        connection: How to reach the service. The OpenAI-compatible API is called,
            whatever its protocol is.

    Raises:
        APIError: There was no answer, or it is an error.
        InvalidResponseError: The answer is not a list of models.
        ConfigurationError: The request must not be sent, and was not.

    Example:
        >>> from modelstudio_core.connection_checks import (resolve_connection)
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     address = {"base_url": studio.base_url, "api_key": studio.api_key}
        ...     models = list_models(resolve_connection(address))
        >>> "qwen3.7-plus" in models.ids
        True
    """
    request = HttpRequest(path="/models", method="GET")
    answer = fetch(connection, request, connection.context)
    rows = answer.body.get("data")
    if not isinstance(rows, list):
        raise connection.context.error(
            InvalidResponseError,
            "The response is not a list of models: it has no list 'data'. The address"
            " may be that of another service: check base_url.",
            request_id=answer.request_id,
            is_retryable=False,
        )
    names = [
        cast("Mapping[str, object]", row).get("id")
        for row in cast("list[object]", rows)
        if isinstance(row, Mapping)
    ]
    ids = [name for name in names if isinstance(name, str) and name]
    is_complete = answer.body.get("has_more") is not True
    return ModelList(list(dict.fromkeys(ids)), is_complete, answer.request_id)
