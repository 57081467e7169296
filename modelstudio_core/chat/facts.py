"""What follows from a fact of the catalog that speaks against a request."""

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.errors import ConfigurationError

__all__ = ["refuse"]


def refuse(profile: ChatProfile, problem: str) -> str:
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
    return (
        f"{problem} That is known of models whose id begins with {profile.prefix!r},"
        f" and not of {profile.id} itself: the request is sent."
    )
