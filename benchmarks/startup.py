"""What it costs to import a chat model and to make the first one.

Each sample is a process of its own; what Python itself needs to start is not counted.
"""

from typing import Any, Final

from benchmarks.environments import OURS, interpreter
from benchmarks.processes import start

__all__ = ["STARTS", "sample"]

_FRAME: Final = """
import time
begun = time.process_time()
{body}
print(time.process_time() - begun)
"""

# An empty subclass has nothing of its own but what the base class demands.
_EMPTY: Final = """
from {module} import {base}
demanded = {{name: lambda self: None for name in {base}.__abstractmethods__}}
type("Empty", ({base},), {{**demanded, "__module__": __name__}})()
"""
_MADE: Final = """
from {module} import {name}
{name}(model="qwen3.7-plus", api_key="sk-benchmark")
"""

STARTS: Final[dict[str, str]] = {
    "BaseChatModel": _EMPTY.format(
        module="langchain_core.language_models.chat_models", base="BaseChatModel"
    ),
    "ChatModelStudio": _MADE.format(
        module="langchain_modelstudio", name="ChatModelStudio"
    ),
    "FunctionCallingLLM": _EMPTY.format(
        module="llama_index.core.llms.function_calling", base="FunctionCallingLLM"
    ),
    "ModelStudio": _MADE.format(module="llamaindex_modelstudio", name="ModelStudio"),
}


def sample(name: str) -> dict[str, Any]:
    """Return the CPU seconds of one fresh process.

    Args:
        name: A key of ``STARTS``.

    Raises:
        RuntimeError: It failed.
    """
    process = start(
        interpreter(OURS), "-c", _FRAME.format(body=STARTS[name]), log="start"
    )
    told, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{name} could not be made; see .benchmarks/start.log.")
    return {"cpu": float(told)}
