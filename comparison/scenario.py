"""What a scenario consists of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from comparison.clients import Client, Framework
from comparison.verdict import Judge
from modelstudio_core.emulator import Fault, Reply

__all__ = ["CALLS", "FRAMEWORKS", "STREAMS", "Scenario", "Script"]

Script = Callable[[Client], Sequence[Reply | Fault]]
CALLS = ("call", "acall")
STREAMS = ("stream", "astream")
FRAMEWORKS: tuple[Framework, ...] = ("langchain", "llamaindex")


def _no_script(client: Client) -> Sequence[Reply | Fault]:
    del client
    return ()


def _no_parameters(client: Client) -> Mapping[str, Any]:
    del client
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that a client can keep, lose or corrupt.

    Attributes:
        title: The title of its row.
        expected: What must be true for the verdict "kept".
        action: The driver's action.
        judge: Makes the verdict.
        script: The server's replies. By default the emulator plays the model.
        parameters: The parameters of the action.
        by_client: More parameters, for one client.
        frameworks: The frameworks in which it makes sense.
        option: The attribute of a client with the arguments of a second attempt, made
            where the first one is not kept.
        limit: The number of seconds after which a client counts as hanging.
    """

    title: str
    expected: str
    action: str = "answers"
    judge: Judge
    script: Script = _no_script
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    by_client: Callable[[Client], Mapping[str, Any]] = _no_parameters
    frameworks: tuple[Framework, ...] = FRAMEWORKS
    option: str | None = None
    limit: float = 60.0
