"""Kinds of models: a model where one of another kind is needed."""

from typing import Final, TypeVar

from modelstudio_core.catalog.lookup import resolve_model
from modelstudio_core.catalog.profiles import MediaProfile, ModelKind, ModelProfile
from modelstudio_core.errors import ConfigurationError

__all__ = ["describe_kind", "kind_warning", "resolve_model_as"]

_Profile = TypeVar("_Profile", bound=ModelProfile)

_NOUNS: Final[dict[ModelKind, str]] = {
    "chat": "a chat model",
    "embedding": "an embedding model",
    "rerank": "a rerank model",
    "media": "a media model",
}
# By the first of these that a media model makes.
_MEDIA_NOUNS: Final = {
    "video": "a video generation model",
    "image": "an image generation model",
    "embedding": "a model that embeds files",
    "audio": "a speech model",
    "text": "a speech recognition model",
}
_ABILITIES: Final[dict[ModelKind, str]] = {
    "chat": "chat",
    "embedding": "embed texts",
    "rerank": "rerank documents",
    "media": "make or recognize media",
}
_EXAMPLES: Final[dict[ModelKind, str]] = {
    "chat": "qwen3.7-plus",
    "embedding": "text-embedding-v4",
    "rerank": "qwen3-rerank",
    "media": "wan2.6-t2i",
}
# The classes that use a model of a kind: for LangChain, for LlamaIndex.
_CLASSES: Final[dict[ModelKind, tuple[str, str]]] = {
    "chat": ("ChatModelStudio", "ModelStudio"),
    "embedding": ("ModelStudioEmbeddings", "ModelStudioEmbedding"),
    "rerank": ("ModelStudioRerank", "ModelStudioRerank"),
}


def resolve_model_as(profile_type: type[_Profile], name: str) -> _Profile:
    """Find what is known of a model that must be of one kind.

    Args:
        profile_type: The class of that kind's profiles.
        name: A model id as it is sent.

    Returns:
        The profile. For a name that only shares its prefix with a family of another
        kind, one that knows nothing and allows everything: ``kind_warning`` says so.

    Raises:
        ConfigurationError: The exact id is known to be of another kind.

    Example:
        >>> from modelstudio_core.catalog import ChatProfile
        >>> resolve_model_as(ChatProfile, "qwen3.7-max").thinking
        'hybrid-on'
    """
    profile = resolve_model(name, profile_type.kind)
    if isinstance(profile, profile_type):
        return profile
    if profile.exact:
        raise ConfigurationError(
            f"{name} is {describe_kind(profile)} and {_inability(profile_type.kind)}"
            f"{_class_hint(name, profile.kind)}"
        )
    return profile_type(id=name)


def kind_warning(name: str, kind: ModelKind) -> str:
    """Return the warning for a name of another kind's family; empty if it is not one.

    Args:
        name: A model id as it is sent.
        kind: The kind of model that is needed.
    """
    profile = resolve_model(name, kind)
    if profile.kind == kind or profile.exact:
        return ""
    return (
        f"{name} is not a known model, and its name begins like {profile.prefix!r}, so"
        f" it is probably {describe_kind(profile)} and {_inability(kind)}"
    )


def describe_kind(profile: ModelProfile) -> str:
    """Return what kind of model it is, such as ``"an embedding model"``."""
    if not isinstance(profile, MediaProfile):
        return _NOUNS[profile.kind]
    made = (_MEDIA_NOUNS[name] for name in _MEDIA_NOUNS if name in profile.outputs)
    noun = next(made, _NOUNS["media"])
    if profile.calls == "websocket":
        return f"{noun} that is served over WebSocket only"
    return noun


def _inability(kind: ModelKind) -> str:
    noun = _NOUNS[kind]
    return f"cannot {_ABILITIES[kind]}. Use {noun} such as {_EXAMPLES[kind]!r}."


def _class_hint(name: str, kind: ModelKind) -> str:
    """Return a sentence that names the classes for a model; empty if there is none."""
    if kind not in _CLASSES:
        return ""
    langchain, llamaindex = _CLASSES[kind]
    return f" {name} needs {langchain} (LangChain) or {llamaindex} (LlamaIndex)."
