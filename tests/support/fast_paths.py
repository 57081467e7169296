"""The mark of tests that need the fast paths."""

import os
from typing import Final

import pytest

from modelstudio_core.foreign.fast_path import VARIABLE

__all__ = ["NEEDS_FAST_PATHS"]

NEEDS_FAST_PATHS: Final = pytest.mark.skipif(
    os.environ.get(VARIABLE) == "0", reason=f"{VARIABLE}=0 switches off what is tested"
)
