"""The rule for which models there are."""

import re
from typing import Final

from modelstudio_core.catalog import ModelProfile, resolve_model
from modelstudio_core.emulator.rules.sources import OWN, sourced

__all__ = ["is_served"]

# The end of a snapshot's id behind that of its model: a day, of a year or not, or the
# newest one. Those of Virginia end with "-us".
_SNAPSHOT: Final = re.compile(
    r"-(?:latest|\d{4}-\d\d-\d\d|\d{4}|\d{6})(?=(?:-us)?$)", re.ASCII
)


@sourced(OWN, "2026-11-27")
def is_served(profile: ModelProfile) -> bool:
    """Return whether there is a model: one of the catalog, or a snapshot of one.

    An id that only begins like a family is misspelt, or the catalog does not have it.
    Of images, video and speech, the catalog states many models by their family only.

    Args:
        profile: What is known of the id.
    """
    if profile.delisted is not None or not profile.is_known:
        return False
    if profile.exact or profile.kind == "media":
        return True
    return resolve_model(_SNAPSHOT.sub("", profile.id)).exact
