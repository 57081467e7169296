"""The examples in CONTRIBUTING.md run."""

import re
from pathlib import Path
from typing import Any

import pytest

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import InternalServerError
from tests.support.calls import CALL_STYLES
from tests.support.models import model
from tests.support.recordings import chat_exchanges

DOCUMENT = Path(__file__).parents[2] / "CONTRIBUTING.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = EXAMPLE.findall(DOCUMENT.read_text(encoding="utf-8"))


def run(example: str, **names: Any) -> dict[str, Any]:
    """Run an example and return the names that it defines."""
    namespace: dict[str, Any] = {
        "pytest": pytest,
        "model": model,
        "ChatModelStudio": ChatModelStudio,
        "InternalServerError": InternalServerError,
        **names,
    }
    exec(example, namespace)  # noqa: S102 - our own document
    return namespace


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_an_example_runs(modelstudio_emulator: Emulator, example: str) -> None:
    names = run(example, modelstudio_emulator=modelstudio_emulator)
    if "test_a_call" in names:
        for style in CALL_STYLES:
            await names["test_a_call"](modelstudio_emulator, style)
    if "test_a_recording" in names and (exchange := chat_exchanges()[0].values[0]):
        names["test_a_recording"](exchange)


def test_every_fake_service_has_an_example() -> None:
    support = Path(__file__).parents[1] / "support"
    services = {"fault_server", "replay", "raw_server", "cassettes", "recordings"}
    assert services <= {path.stem for path in support.iterdir()}
    for name in services:
        assert any(f"tests.support.{name} import" in example for example in EXAMPLES)
