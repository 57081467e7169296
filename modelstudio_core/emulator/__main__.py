"""Serve a local Model Studio: ``python -m modelstudio_core.emulator --port 8000``."""

import argparse
import signal
import threading
from collections.abc import Sequence
from functools import partial
from types import FrameType

from modelstudio_core.emulator import Emulator

_USAGE = """\
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

Press Ctrl-C to end it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until it is interrupted.

    Args:
        arguments: The command line; None is the real one.
    """
    asked = _parser().parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, partial(_end, ended))
    emulator = Emulator(
        port=asked.port,
        host=asked.host,
        api_key=asked.api_key,
        generation=asked.generation,
        chunk_delay=asked.chunk_delay,
    )
    with emulator as studio:
        print(_USAGE.format(url=studio.base_url, key=studio.api_key), flush=True)
        ended.wait()
    print("\nThe emulator has ended.", flush=True)


def _end(ended: threading.Event, _number: int, _frame: FrameType | None) -> None:
    ended.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m modelstudio_core.emulator",
        description="Serve a local Model Studio.",
    )
    add = parser.add_argument
    add("--port", type=int, default=8000, help="0 takes a free one (default: 8000)")
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
    return parser


if __name__ == "__main__":
    main()
