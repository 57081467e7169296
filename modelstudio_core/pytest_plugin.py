"""The pytest plugin of this package: the fixture ``modelstudio_emulator``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from modelstudio_core.emulator import Emulator

__all__ = ["modelstudio_emulator"]


@pytest.fixture
def modelstudio_emulator() -> "Iterator[Emulator]":
    """An emulator of Model Studio that runs for one test.

    The test fails where scripted replies are left at its end: the requests that they
    were written for were not made.

    Example:
        >>> from langchain_modelstudio import ChatModelStudio
        >>> from modelstudio_core.emulator import Reply
        >>> def test_greeting(modelstudio_emulator):
        ...     modelstudio_emulator.script(Reply(text="Hello."))
        ...     url = modelstudio_emulator.base_url
        ...     llm = ChatModelStudio(model="qwen3.7-plus", base_url=url, api_key="key")
        ...     assert llm.invoke("Hi").text == "Hello."

    Yields:
        The running emulator.
    """
    # pytest loads this module in every test run: it must not import a web server.
    from modelstudio_core.emulator import Emulator  # noqa: PLC0415 - see above

    with Emulator() as emulator:
        yield emulator
        unused = emulator.scripted
    if unused:
        pytest.fail(
            f"{len(unused)} scripted answers were not used, the first is {unused[0]!r}."
            " Remove them, or make the requests that they are for.",
            pytrace=False,
        )
