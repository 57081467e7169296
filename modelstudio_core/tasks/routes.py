"""Where a task of a model is created, and what form its input has."""

import re
from dataclasses import dataclass
from typing import Final

from modelstudio_core.catalog import (
    IMAGE_PATHS,
    MEDIA_FORMS,
    SYNC_MEDIA_PATH,
    MediaInput,
    MediaProfile,
)
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse_or_warn

__all__ = ["Route", "resolve_route"]

_PATH: Final = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*/?")
_PREFIXES: Final = ("/", "api/v1/", "services/")


@dataclass(frozen=True, slots=True)
class Route:
    """How a model is called.

    Attributes:
        profile: What is known of the model.
        path: The path below ``/services/``.
        form: The form of the input; None if it is not known.
        is_task: Whether the call creates a task, and is not answered at once.
    """

    profile: MediaProfile
    path: str
    form: MediaInput | None
    is_task: bool

    @property
    def has_number(self) -> bool:
        """Whether ``n`` images are requested, for which the service has a default.

        The service's default is up to 4 (Wan image generation and editing API
        reference, 2026-11).
        """
        profile = self.profile
        if profile.default_n is not None:
            return True
        if profile.is_known and "image" not in profile.outputs:
            return False
        makes_images = _bare(self.path) in map(_bare, IMAGE_PATHS)
        return makes_images and self.form != "image_url"


def resolve_route(profile: MediaProfile, path: str | None) -> Route:
    """Decide how a model is called. A model that can do both gets a task.

    Args:
        profile: What is known of the model.
        path: The path that the caller gave; None for that of the catalog.

    Raises:
        ConfigurationError: The path is invalid, or it is missing for a model whose path
            is not known.
    """
    if profile.calls == "websocket":
        refuse_or_warn(
            profile,
            f"{profile.id} is served over WebSocket only, and has no tasks.",
        )
    if path is not None:
        return _given(profile, _normalize(path))
    if profile.calls == "sync" and profile.sync_path:
        return Route(profile, profile.sync_path, profile.input_form, is_task=False)
    if profile.calls in {"async", "both"} and profile.native_path:
        return Route(profile, profile.native_path, profile.input_form, is_task=True)
    raise ConfigurationError(
        f"The path of {profile.id!r} is not known: pass path=, such as"
        " path='aigc/image-generation/generation', as the documentation of the model"
        " says."
    )


def _given(profile: MediaProfile, path: str) -> Route:
    bare = _bare(path)
    form = MEDIA_FORMS.get(bare)
    if bare == _bare(profile.native_path or "") and profile.input_form is not None:
        form = profile.input_form
    return Route(profile, path, form, is_task=bare != SYNC_MEDIA_PATH)


def _bare(path: str) -> str:
    """Return a path without the slash at its end, which only some have."""
    return path.rstrip("/")


def _normalize(path: object) -> str:
    """Return a path below ``/services/``, whichever beginning of it was copied."""
    text = path if isinstance(path, str) else ""
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    if not _PATH.fullmatch(text):
        raise ConfigurationError(
            "path must be the path of a service below /api/v1/services/, such as"
            f" 'aigc/image-generation/generation', got {path!r:.200}."
        )
    return text
