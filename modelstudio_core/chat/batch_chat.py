"""Batch Chat: ordinary chat calls at half the price, which are answered within an hour.

Source: the official page "OpenAI compatible - Batch Chat" (read 2026-11-27).
"""

from modelstudio_core.catalog import ChatProfile, models_with_batch_chat
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse_or_warn

__all__ = ["check_batch_chat_model", "no_streams_error"]


def check_batch_chat_model(profile: ChatProfile) -> None:
    """Refuse a model that Batch Chat does not have, and warn of an unknown one.

    Args:
        profile: The model that is sent.

    Raises:
        ConfigurationError: The page does not list this very id.
    """
    if profile.batch_chat:
        return
    names = ", ".join(models_with_batch_chat())
    refuse_or_warn(
        profile,
        f'{profile.id} is not among the models of the page "OpenAI compatible - Batch'
        f' Chat": {names}.',
    )


def no_streams_error(model: str) -> ConfigurationError:
    """Return the error for a request that would be answered as a stream.

    Args:
        model: The model that is sent.
    """
    return ConfigurationError(
        f"Batch Chat has no streams, and this request to {model} is one: use invoke or"
        " chat, or a model without batch_chat=True."
    )
