"""``modelstudio emulator``: serve a local Model Studio."""

import signal
import threading
from contextlib import ExitStack
from types import FrameType
from typing import Annotated, Final

import typer

from modelstudio_core.cli.reports import Output

# Nobody reads the requests of the command, which may run for weeks.
_MAX_REQUESTS: Final = 100
_MAX_PORT: Final = 65535


def emulator(
    output: Output,
    *,
    port: Annotated[
        int, typer.Option(help="The port; 0 is a free one.", min=0, max=_MAX_PORT)
    ] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    chunk_delay: Annotated[
        float, typer.Option(help="Seconds between two chunks of a stream.", min=0)
    ] = 0.02,
) -> None:
    """Serve a local Model Studio until Ctrl-C. No account and no network are needed.

    With --json, one object with base_url and api_key is printed when it is ready.
    """
    from modelstudio_core.emulator import Emulator
    from modelstudio_core.emulator.__main__ import usage_of
    from modelstudio_core.errors import ConfigurationError

    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    server = Emulator(
        port=port, host=host, chunk_delay=chunk_delay, max_requests=_MAX_REQUESTS
    )
    with ExitStack() as stack:
        try:
            studio = stack.enter_context(server)
        except OSError as error:
            reason = (error.strerror or str(error)).partition(" (")[0]
            raise ConfigurationError(
                f"--host {host} --port {port} cannot be listened on: {reason}. Pass"
                " another --host or --port."
            ) from None
        value = {"base_url": studio.base_url, "api_key": studio.api_key}
        output.emit(value, lambda: output.console.print(usage_of(studio)))
        stopped.wait()
    output.note("The emulator has stopped.")
