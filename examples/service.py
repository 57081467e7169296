"""The service of the examples: Model Studio where there is a key, else the emulator."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from modelstudio_core.emulator import Emulator

__all__ = ["open_service"]


@contextmanager
def open_service() -> Generator[dict[str, Any]]:
    """Yield the arguments that every class needs to reach the service.

    With ``DASHSCOPE_API_KEY`` they are empty: key, region, mode and workspace come from
    the environment. This has not been tried yet.
    """
    if os.environ.get("DASHSCOPE_API_KEY"):
        yield {}
        return
    # A short pause after each chunk, so that a stream can be seen.
    with Emulator(chunk_delay=0.02) as studio:
        yield {"base_url": studio.base_url, "api_key": studio.api_key}
