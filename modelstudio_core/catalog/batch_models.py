"""The models that have batch inference, at half the price, and where they have it.

Batch inference is a file of requests that is answered within hours, Batch Chat a chat
call whose connection is held. Sources: the official pages "OpenAI compatible - Batch"
and "OpenAI compatible - Batch Chat" (read 2026-11-27). Both list their models: a model
of the catalog that a page does not list has none.
"""

from collections.abc import Mapping
from typing import Final

from modelstudio_core.catalog.profiles import BATCH_TEST_MODEL

__all__ = ["BATCH_CHAT_MODELS", "BATCH_REGIONS"]

_BEIJING: Final = "cn-beijing"
_SINGAPORE: Final = "ap-southeast-1"
_BY_REGION: Final[Mapping[str, tuple[str, ...]]] = {
    _BEIJING: (
        "qwen3.8-max",
        "qwen3.8-flash",
        "qwen3.7-max",
        "qwen3.7-plus",
        "qwen3.7-flash",
        "qwen3.6-plus",
        "qwen3.6-flash",
        "qwen3.5-plus",
        "qwen3.5-flash",
        "qwen3-max",
        "qwen-plus",
        "qwen-plus-latest",
        "qwen-flash",
        "qwen-long",
        "deepseek-r1",
        "deepseek-v3",
        "deepseek-v3.2",
        "qwen3-vl-plus",
        "qwen3-vl-flash",
        "qwen-vl-ocr",
        "qwen3.5-omni-plus",
        "text-embedding-v1",
        "text-embedding-v2",
        "text-embedding-v3",
        "text-embedding-v4",
        "qwen3.7-text-embedding",
        "qwen3.7-text-embedding-flash",
        BATCH_TEST_MODEL,
    ),
    _SINGAPORE: (
        "qwen-max",
        "qwen-plus",
        "qwen-turbo",
        "qwen-flash",
        BATCH_TEST_MODEL,
    ),
}
# Model id → the regions that have batch inference for it.
BATCH_REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(region for region, models in _BY_REGION.items() if name in models)
    for names in _BY_REGION.values()
    for name in names
}
# In China (Beijing) only.
BATCH_CHAT_MODELS: Final = frozenset(
    {
        "qwen3.8-max",
        "qwen3.8-flash",
        "qwen3.7-max",
        "qwen3.7-plus",
        "qwen3.7-flash",
        "qwen3.6-plus",
        "qwen3.6-flash",
        "qwen3.5-plus",
        "qwen3.5-flash",
        "qwen-plus",
        "qwen-flash",
        "qwen3.5-omni-plus",
        "qwen3-vl-plus",
        "qwen3-vl-flash",
    }
)
