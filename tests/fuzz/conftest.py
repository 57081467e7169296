"""Two hypothesis profiles: a few fixed examples, and a long search."""

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

VARIABLE: Final = "MODELSTUDIO_FUZZ"

_COMMON: Final = settings(
    deadline=None,
    database=None,
    # The explain phase takes minutes.
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    # The fixture that cleans the environment need not run for each example.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)
settings.register_profile("daily", _COMMON, derandomize=True, max_examples=30)
settings.register_profile("long", _COMMON, max_examples=1000)
settings.load_profile("long" if os.environ.get(VARIABLE) == "long" else "daily")
