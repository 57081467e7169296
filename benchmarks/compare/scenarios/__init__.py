"""All scenarios, in the order of the table."""

from collections.abc import Sequence
from typing import Final

from benchmarks.compare.scenario import Scenario
from benchmarks.compare.scenarios.arguments import ARGUMENTS
from benchmarks.compare.scenarios.faults import FAULTS
from benchmarks.compare.scenarios.metadata import METADATA
from benchmarks.compare.scenarios.reasoning import REASONING
from benchmarks.compare.scenarios.structured import STRUCTURED
from benchmarks.compare.scenarios.tools import TOOLS

__all__ = ["SCENARIOS"]

SCENARIOS: Final[Sequence[tuple[str, Sequence[Scenario]]]] = (
    ("Reasoning", REASONING),
    ("Tool calls", TOOLS),
    ("Agents and structured output", STRUCTURED),
    ("Usage and request ids", METADATA),
    ("Errors", FAULTS),
    ("Arguments, keys and inputs", ARGUMENTS),
)
