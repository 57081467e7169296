"""What is known of the models, and what stands in for those that are gone.

``resolve_model`` finds the profile of a name: by exact id, then by alias, then by the
longest family prefix, then a permissive default, so that a model that is released
tomorrow works today. The facts themselves are the table in ``chat_models.py``.
"""

from modelstudio_core.catalog.deprecation import (
    DeprecatedModels,
    ResolvedModel,
    check_scope,
    resolve_deprecated,
    resolve_in_scope,
)
from modelstudio_core.catalog.lookup import known_models, nearest_served, resolve_model
from modelstudio_core.catalog.profiles import ModelProfile, NativePath, Thinking

__all__ = [
    "DeprecatedModels",
    "ModelProfile",
    "NativePath",
    "ResolvedModel",
    "Thinking",
    "check_scope",
    "known_models",
    "nearest_served",
    "resolve_deprecated",
    "resolve_in_scope",
    "resolve_model",
]
