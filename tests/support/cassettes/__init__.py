"""Cassettes: recorded exchanges with the service, one per scenario and protocol.

``python -m tests.support.cassettes`` records them again. With ``DASHSCOPE_API_KEY`` it
records from the live service what the key can reach, in the region of
``DASHSCOPE_REGION`` and the workspace of ``DASHSCOPE_WORKSPACE_ID``, and keeps the
other cassettes. Without a key it records everything from the emulator. LangChain's
standard tests then record theirs, in ``langchain_standard/``.
"""

from tests.support.cassettes.files import FOLDER, parameters, path_of, source_of
from tests.support.cassettes.places import SINGAPORE, Place
from tests.support.cassettes.playback import KEY, over_httpx, player
from tests.support.cassettes.prompts import to_langchain, to_llamaindex
from tests.support.cassettes.recording import (
    Live,
    live_service,
    recorder,
    rerouted_to,
    source_now,
)
from tests.support.cassettes.scenarios import (
    SCENARIOS,
    ExpectedAnswer,
    ExpectedError,
    Scenario,
)

__all__ = [
    "FOLDER",
    "KEY",
    "SCENARIOS",
    "SINGAPORE",
    "ExpectedAnswer",
    "ExpectedError",
    "Live",
    "Place",
    "Scenario",
    "live_service",
    "over_httpx",
    "parameters",
    "path_of",
    "player",
    "recorder",
    "rerouted_to",
    "source_now",
    "source_of",
    "to_langchain",
    "to_llamaindex",
]
