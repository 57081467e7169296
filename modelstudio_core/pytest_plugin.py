"""The pytest plugin of this package: the fixture ``modelstudio_emulator``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from modelstudio_core.emulator import Emulator

__all__ = ["modelstudio_emulator"]


@pytest.fixture
def modelstudio_emulator() -> "Iterator[Emulator]":
    """A local Model Studio that runs for one test.

    Example:
        >>> def test_greets(modelstudio_emulator):
        ...     modelstudio_emulator.script(Reply(text="Hello."))
        ...     # ... call modelstudio_emulator.base_url

    Yields:
        The running emulator.
    """
    # pytest loads the plugin in each test run, which must not import a web server.
    from modelstudio_core.emulator import Emulator  # noqa: PLC0415 - see above

    with Emulator() as studio:
        yield studio
