"""Rules for a chat request that only the DashScope protocol has."""

from typing import Final

from modelstudio_core.catalog import NativePath
from modelstudio_core.emulator.model.dashscope_form import (
    is_incremental,
    is_text_format,
)
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.rules.refusal import Refusal, invalid_parameter
from modelstudio_core.emulator.rules.served_models import is_served
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["check_dashscope_chat"]

_ROLES: Final = frozenset({"system", "user", "assistant", "tool"})


@sourced("DashScope API reference; Error codes", "2026-09-15")
def check_dashscope_chat(query: ChatQuery, path: NativePath) -> None:
    """Refuse a chat request that only the DashScope protocol refuses.

    Args:
        query: The request.
        path: The path that it was sent to.

    Raises:
        Refusal: With the service's status, code and message.
    """
    profile = query.profile
    if is_served(profile) and profile.native_path != path:
        raise Refusal("url error, please check url!", gateway=True)
    roles = {message.get("role") for message in query.messages}
    if not roles or not roles <= _ROLES:
        raise Refusal(
            "Role must be user or assistant and Content length must be greater than 0"
        )
    if is_text_format(query, path):
        _check_text_format(query)
    if query.stream and query.thinking and not is_incremental(query):
        raise Refusal(
            'The incremental_output parameter must be "true" when enable_thinking is'
            " true"
        )


@sourced("DashScope API reference; Error codes", "2026-09-15")
def _check_text_format(query: ChatQuery) -> None:
    if query.thinking:
        raise Refusal(
            'The result_format parameter must be "message" when enable_thinking is true'
        )
    if query.tools:
        raise invalid_parameter(
            'The result_format parameter must be "message" when tools are given'
            " (emulator)."
        )
