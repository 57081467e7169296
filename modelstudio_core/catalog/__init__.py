"""What is known of the models, and what replaces those that are delisted.

``resolve_model`` finds the profile of a name: by exact id, then by alias, then by the
longest family prefix of every kind, then a permissive default, so that a model that is
released tomorrow works today. Each kind of model has a class of profiles:
``ChatProfile``, ``EmbeddingProfile``, ``RerankProfile``, ``MediaProfile``. The facts
themselves are the tables in ``chat_models.py`` and ``other_models.py``.
"""

from modelstudio_core.catalog.deprecation import (
    DeprecatedModels,
    ResolvedModel,
    ResolvedServiceModel,
    check_scope,
    resolve_deprecated,
    resolve_in_scope,
    resolve_service_model,
)
from modelstudio_core.catalog.kinds import (
    describe_kind,
    kind_warning,
    resolve_model_as,
)
from modelstudio_core.catalog.lookup import (
    check_model_id,
    model_ids,
    models_with_batch,
    models_with_batch_chat,
    nearest_served,
    resolve_model,
    suggest_served,
)
from modelstudio_core.catalog.other_models import (
    IMAGE_PATHS,
    MEDIA_FORMS,
    MULTIMODAL_EMBEDDING_PATH,
    SYNC_MEDIA_PATH,
)
from modelstudio_core.catalog.profiles import (
    BATCH_TEST_MODEL,
    ChatProfile,
    EmbeddingProfile,
    MediaInput,
    MediaLimits,
    MediaProfile,
    ModelKind,
    ModelMatch,
    ModelProfile,
    NativePath,
    RerankProfile,
    Thinking,
)

__all__ = [
    "BATCH_TEST_MODEL",
    "IMAGE_PATHS",
    "MEDIA_FORMS",
    "MULTIMODAL_EMBEDDING_PATH",
    "SYNC_MEDIA_PATH",
    "ChatProfile",
    "DeprecatedModels",
    "EmbeddingProfile",
    "MediaInput",
    "MediaLimits",
    "MediaProfile",
    "ModelKind",
    "ModelMatch",
    "ModelProfile",
    "NativePath",
    "RerankProfile",
    "ResolvedModel",
    "ResolvedServiceModel",
    "Thinking",
    "check_model_id",
    "check_scope",
    "describe_kind",
    "kind_warning",
    "model_ids",
    "models_with_batch",
    "models_with_batch_chat",
    "nearest_served",
    "resolve_deprecated",
    "resolve_in_scope",
    "resolve_model",
    "resolve_model_as",
    "resolve_service_model",
    "suggest_served",
]
