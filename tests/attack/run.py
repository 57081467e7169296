"""Runs every attack in every call style, in a process with little memory.

``python -m tests.attack.run PORT [NAME…]`` prints a list of reports in JSON. The
address space of the process is limited to 1 GiB; the imports need 0.3 GiB of it. So
that the tests are fast, the limits of events and answers are smaller than by default,
unless ``MODELSTUDIO_ATTACK`` is ``full``.
"""

import asyncio
import json
import resource
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from modelstudio_core import errors
from modelstudio_core.transport import responses
from tests.attack.server import EVENT_BYTES, IS_FULL, RESPONSE_BYTES
from tests.attack.table import ATTACKS, Attack
from tests.support.calls import CALL_STYLES, CallStyle, collect_text
from tests.support.models import PROTOCOLS, Protocol, model

ADDRESS_SPACE: Final = 2**30
_LIMITS: Final[dict[str, int]] = (
    {}
    if IS_FULL
    else {"max_event_bytes": EVENT_BYTES, "max_response_bytes": RESPONSE_BYTES}
)
# The stack of each thread counts as address space.
_AT_ONCE: Final = 4
_STACK: Final = 2**19
_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Report:
    """What a call came to.

    Attributes:
        attack: The name of the attack.
        protocol: The protocol.
        style: The call style.
        stream: Whether the call was a stream.
        errors: The classes of the error in the core, the most special one first; empty
            for an answer.
        text: The beginning of the text that was received, or of the error.
        characters: How long the text of the error is.
        seconds: How long the call took.
        mebibytes: How much more memory the process had at most than before.
    """

    attack: str
    protocol: str
    style: str
    stream: bool
    errors: list[str]
    text: str
    characters: int
    seconds: float
    mebibytes: float


def memory(name: str) -> float:
    """Return a size of this process in MiB: ``VmRSS`` now, ``VmHWM`` at most."""
    text = _STATUS.read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def run(attack: Attack, protocol: Protocol, style: CallStyle, port: int) -> Report:
    """Make one call and report what it came to."""
    arguments: dict[str, Any] = {**_LIMITS, **dict(attack.arguments)}
    base_url = f"http://127.0.0.1:{port}/{attack.name.replace(' ', '%20')}"
    llm = model(style.framework, base_url, protocol, **arguments)
    # From here on the largest size counts anew.
    _CLEAR.write_text("5", encoding="ascii")
    before, begin = memory("VmRSS"), time.monotonic()
    result = asyncio.run(collect_text(llm, style, "Hi"))
    seconds, after = time.monotonic() - begin, memory("VmHWM")
    parents = type(result.error).__mro__ if result.error else ()
    return Report(
        attack=attack.name,
        protocol=protocol,
        style=str(style),
        stream=style.stream,
        errors=[c.__name__ for c in parents if c.__module__ == errors.__name__],
        text=str(result.error or result.text)[:300],
        characters=len(str(result.error)) if result.error else 0,
        seconds=round(seconds, 2),
        mebibytes=round(after - before, 1),
    )


def main(port: int, names: list[str]) -> None:
    """Run the attacks and print the reports."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    warnings.simplefilter("ignore")
    calls: list[tuple[Attack, Protocol, CallStyle, int]] = [
        (attack, protocol, style, port)
        for attack in ATTACKS
        if not names or attack.name in names
        for protocol in PROTOCOLS
        for style in CALL_STYLES
    ]
    threading.stack_size(_STACK)
    reports = [run(*call) for call in calls if not call[0].waits]
    # Not before: on a busy machine what is too large is not read in so short a time.
    module: Any = responses
    module.ERROR_BODY_SECONDS = 0.3
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        reports += pool.map(lambda call: run(*call), [c for c in calls if c[0].waits])
    json.dump([asdict(report) for report in reports], sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
