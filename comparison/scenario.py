"""What a scenario is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from comparison.clients import Client, Framework
from comparison.verdict import Judge
from modelstudio_core.emulator import Fault, Reply

__all__ = ["BOTH", "STREAMS", "WHOLE", "Scenario", "Script"]

Script = Callable[[Client], Sequence[Reply | Fault]]
WHOLE = ("whole", "awhole")
STREAMS = ("stream", "astream")
BOTH: tuple[Framework, ...] = ("langchain", "llamaindex")


def _played(client: Client) -> Sequence[Reply | Fault]:
    del client
    return ()


def _nothing(client: Client) -> Mapping[str, Any]:
    del client
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that can be kept or lost.

    Attributes:
        title: What its row is called.
        kept: What is to be so for the verdict "kept".
        action: What the driver does.
        judge: Makes the verdict.
        script: What the server answers; without it the model is played, by the rules.
        parameters: What the driver needs to know.
        by_client: What it needs to know besides, for one client.
        frameworks: Where it makes sense.
        option: The attribute of a client with arguments to try again with, where it
            does not keep the thing by itself.
        limit: After how many seconds a client hangs.
    """

    title: str
    kept: str
    action: str = "answers"
    judge: Judge
    script: Script = _played
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    by_client: Callable[[Client], Mapping[str, Any]] = _nothing
    frameworks: tuple[Framework, ...] = BOTH
    option: str | None = None
    limit: float = 60.0
