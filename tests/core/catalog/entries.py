"""Helpers for tests of the catalog's tables."""

from modelstudio_core.catalog import ChatProfile, ModelProfile, resolve_model_as

__all__ = ["chat_profile", "name_entry"]


def name_entry(entry: ModelProfile) -> str:
    """Return the first id of an entry, or its prefix."""
    return entry.ids[0] if entry.ids else f"{entry.prefix}*"


def chat_profile(model: str) -> ChatProfile:
    """Return what the catalog knows of a chat model."""
    return resolve_model_as(ChatProfile, model)
