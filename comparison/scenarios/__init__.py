"""All scenarios, in the order of the rows."""

from collections.abc import Sequence
from typing import Final

from comparison.scenario import Scenario
from comparison.scenarios.answers import ANSWERS
from comparison.scenarios.arguments import ARGUMENTS
from comparison.scenarios.faults import FAULTS
from comparison.scenarios.inputs import INPUTS
from comparison.scenarios.metadata import METADATA
from comparison.scenarios.reasoning import REASONING
from comparison.scenarios.structured import STRUCTURED
from comparison.scenarios.tools import TOOLS

__all__ = ["SCENARIOS"]

SCENARIOS: Final[Sequence[tuple[str, Sequence[Scenario]]]] = (
    ("Reasoning", REASONING),
    ("Tool calls", TOOLS),
    ("Agents and structured output", STRUCTURED),
    ("Usage and request ids", METADATA),
    ("Broken, repeated and spoken answers", ANSWERS),
    ("Errors", FAULTS),
    ("Media and histories", INPUTS),
    ("Arguments and keys", ARGUMENTS),
)
