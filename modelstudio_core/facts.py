"""What follows from a fact of the catalog that speaks against a request."""

from modelstudio_core.catalog import ModelProfile
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.user_warnings import warn_once

__all__ = ["refuse", "refuse_or_warn"]


def refuse(profile: ModelProfile, problem: str) -> str:
    """Refuse a request to a model, or return the warning with which it is sent.

    A fact that is stated for this very id is certain. One that is known of its family
    alone may not hold for it: then the service decides.

    Args:
        profile: The model.
        problem: What the model does not support, and what to do.

    Returns:
        The text of a warning.

    Raises:
        ConfigurationError: The catalog has this id.
    """
    if profile.exact:
        raise ConfigurationError(problem)
    reason = (
        f"has models whose id begins with {profile.prefix!r}, and not {profile.id}"
        " itself"
        if profile.prefix
        else f"does not have {profile.id}"
    )
    return f"{problem} The catalog {reason}: the request is sent."


def refuse_or_warn(profile: ModelProfile, problem: str) -> None:
    """Refuse a request to a model, or warn once in the process that it is sent.

    Args:
        profile: The model.
        problem: What the model does not support, and what to do.

    Raises:
        ConfigurationError: The catalog has this id.
    """
    warn_once(refuse(profile, problem), set())
