"""Tests of the retrieval examples, which need the extra ``rag``."""

import sys
from pathlib import Path

# The examples are scripts: each imports what lies beside it.
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
