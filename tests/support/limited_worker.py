"""A process that calls a model as fast as a shared limit allows.

It prints ``ready``, waits for a line of its input, and calls for some seconds.
"""

import asyncio
import sys
import time
from typing import Any

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.limits import RateLimit

__all__ = ["main"]

_CONCURRENCY = 64


async def main(url: str, key: str, *rest: str) -> None:
    """Call a model until some seconds have passed.

    Args:
        url: The address of the service.
        key: The key.
        *rest: The store of the limit, how many requests and tokens a minute are
            allowed, and how many seconds to call.
    """
    store, requests, tokens, seconds = rest
    limit = RateLimit(
        requests_per_minute=int(requests), tokens_per_minute=int(tokens), store=store
    )
    arguments: dict[str, Any] = {"base_url": url, "api_key": key, "limiter": limit}
    llm = ChatModelStudio(model="qwen-plus", max_tokens=80, **arguments)
    free = ChatModelStudio(model="qwen-plus", base_url=url, api_key=key)
    # Connections are made, and imports are done.
    await asyncio.gather(*(free.ainvoke("warm up") for _ in range(_CONCURRENCY)))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    end = time.monotonic() + float(seconds)

    async def call() -> None:
        while (left := end - time.monotonic()) > 0:
            try:
                await llm.ainvoke("limited", total_timeout=left)
            except TimeoutError:
                return

    await asyncio.gather(*(call() for _ in range(_CONCURRENCY)))
    limit.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
