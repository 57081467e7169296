"""Which regions and models have batch inference."""

from collections.abc import Iterable
from typing import Final, get_args

from modelstudio_core.catalog import (
    BATCH_TEST_MODEL,
    ModelKind,
    ModelProfile,
    models_with_batch,
)
from modelstudio_core.endpoints import Endpoint, RegionId, name_region
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.user_warnings import warn_once

__all__ = ["check_batch_support", "endpoint_of"]

_PAGE: Final = '"OpenAI compatible - Batch"'
_PATHS: Final[dict[ModelKind, str]] = {
    "chat": "/v1/chat/completions",
    "embedding": "/v1/embeddings",
}
_TEST_PATH: Final = "/v1/chat/ds-test"
# So many models are named in an error.
_MAX_NAMED: Final = 12


def endpoint_of(model: str, kind: ModelKind) -> str:
    """Return the path that the lines of a batch are for.

    Args:
        model: The model id that is sent.
        kind: The kind of the model.
    """
    return _TEST_PATH if model == BATCH_TEST_MODEL else _PATHS[kind]


def check_batch_support(
    endpoint: Endpoint, profile: ModelProfile, kind: ModelKind
) -> None:
    """Refuse a region or a model without batch inference.

    Args:
        endpoint: Where the requests would go.
        profile: The model that is sent.
        kind: The kind of model that the run needs.

    Raises:
        ConfigurationError: The region has no batch inference, or not for this very
            model. The error names those that have it.
    """
    region = endpoint.region
    regions = [name for name in get_args(RegionId) if models_with_batch(name, kind)]
    if region is not None and region not in regions:
        raise ConfigurationError(
            f"Region {name_region(region)} has no batch inference: it exists in"
            f" {_and(map(name_region, regions))} only, where other data may be stored"
            " and other models are served."
        )
    served = profile.batch_regions
    if served is None:
        warn_once(
            f"{profile.id} is not among the models of the page {_PAGE}: the batch is"
            " created nevertheless, and may fail at once, at no cost.",
            set(),
        )
        return
    if served and (region is None or region in served):
        return
    others = models_with_batch(region, kind)
    named = ", ".join(others[:_MAX_NAMED]) + (", ..." if others[_MAX_NAMED:] else "")
    where = f" in region {name_region(region)}" if region else ""
    elsewhere = (
        f" (it has in {_and(map(name_region, served))})" if served and region else ""
    )
    raise ConfigurationError(
        f"{profile.id} has no batch inference{where}{elsewhere}, by the page {_PAGE}."
        f" Models that have it{where}: {named}."
    )


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)
