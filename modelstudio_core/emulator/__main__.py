"""Serve the emulator: ``python -m modelstudio_core.emulator --port 8000``."""

import argparse
import signal
import threading
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import Final

from modelstudio_core.emulator import Emulator

# Nobody reads the requests of the command, which may run for weeks.
_MAX_REQUESTS: Final = 100

_USAGE: Final = """\
A local Model Studio is running. Nothing leaves this machine; no account is needed.

  base URL  {url}
  API key   {key}

LangChain:
  ChatModelStudio(model="qwen3.7-plus", base_url="{url}", api_key="{key}")
LlamaIndex:
  ModelStudio(model="qwen3.7-plus", base_url="{url}", api_key="{key}")
OpenAI-compatible:
  curl {url}/compatible-mode/v1/chat/completions \\
    -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
    -d '{{"model": "qwen3.7-plus", "messages": [{{"role": "user", "content": "Hi"}}]}}'
DashScope SDK:
  dashscope.base_http_api_url = "{url}/api/v1"; dashscope.api_key = "{key}"

Press Ctrl-C to stop."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        arguments: The command line; None is that of the process.
    """
    stopped = threading.Event()
    emulator = build_emulator(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, partial(_stop, stopped))
    with emulator as studio:
        print(usage_of(studio), flush=True)
        stopped.wait()
    print("\nThe emulator has stopped.", flush=True)


def usage_of(studio: Emulator) -> str:
    """Return how to call a running emulator, as examples.

    Args:
        studio: The emulator.
    """
    return _USAGE.format(url=studio.base_url, key=studio.api_key)


def build_emulator(arguments: Sequence[str] | None) -> Emulator:
    """Build the emulator of a command line, which keeps the last 100 requests.

    Args:
        arguments: The command line; None is that of the process.
    """
    options = _parser().parse_args(arguments)
    return Emulator(
        port=options.port,
        host=options.host,
        api_key=options.api_key,
        generation=options.generation,
        chunk_delay=options.chunk_delay,
        task_seconds=options.task_seconds,
        max_requests=_MAX_REQUESTS,
    )


def _stop(stopped: threading.Event, _number: int, _frame: FrameType | None) -> None:
    stopped.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m modelstudio_core.emulator",
        description="Serve a local Model Studio.",
    )
    add = parser.add_argument
    add("--port", type=int, default=8000, help="0 is a free one (default: 8000)")
    add("--host", default="127.0.0.1", help="the address to listen on")
    add("--api-key", default=None, help="the key to accept (default: a fixed one)")
    add(
        "--generation",
        choices=("empty", "null"),
        default="empty",
        help="which recorded stream shapes to send (default: empty, the newer)",
    )
    add(
        "--chunk-delay",
        type=float,
        default=0.02,
        help="seconds between two chunks of a stream (default: 0.02)",
    )
    add(
        "--task-seconds",
        type=float,
        default=2.0,
        help="seconds until a task is done (default: 2)",
    )
    return parser


if __name__ == "__main__":
    main()
