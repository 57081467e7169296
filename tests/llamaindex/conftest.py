"""The emulated service, once for each protocol."""

from collections.abc import Iterator

import pytest

from modelstudio_core.emulator import Emulator
from tests.llamaindex.support import EmulatedService


@pytest.fixture(params=["openai", "dashscope"])
def service(request: pytest.FixtureRequest) -> Iterator[EmulatedService]:
    """Run an emulator; at the end, each request must follow the service's rules."""
    with Emulator() as emulator:
        service = EmulatedService(emulator, request.param)
        yield service
        service.check()
