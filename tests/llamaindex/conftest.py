"""A bench for each protocol."""

from collections.abc import Iterator

import pytest

from modelstudio_core.emulator import Emulator
from tests.llamaindex.bench import Bench


@pytest.fixture(params=["openai", "dashscope"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Run a studio; at the end, all that it was asked must be legal."""
    with Emulator() as studio:
        bench = Bench(studio, request.param)
        yield bench
        bench.check()
