"""The CPU time of importing a chat model and making the first instance.

Each sample is a new process; the start of Python itself is not counted.
"""

from collections.abc import Mapping
from typing import Final

from benchmarks.environments import PROJECT, interpreter, start_python

__all__ = ["STARTS", "sample"]

_SCRIPT: Final = """
import time
start = time.process_time()
{body}
print(time.process_time() - start)
"""

# A subclass with no more than the abstract methods that its base class requires.
_EMPTY_SUBCLASS: Final = """
from {module} import {base}
methods = {{name: lambda self: None for name in {base}.__abstractmethods__}}
type("Empty", ({base},), {{**methods, "__module__": __name__}})()
"""
_MODEL: Final = """
from {module} import {name}
{name}(model="qwen3.7-plus", api_key="sk-benchmark")
"""

STARTS: Final[Mapping[str, str]] = {
    "BaseChatModel": _EMPTY_SUBCLASS.format(
        module="langchain_core.language_models.chat_models", base="BaseChatModel"
    ),
    "ChatModelStudio": _MODEL.format(
        module="langchain_modelstudio", name="ChatModelStudio"
    ),
    "FunctionCallingLLM": _EMPTY_SUBCLASS.format(
        module="llama_index.core.llms.function_calling", base="FunctionCallingLLM"
    ),
    "ModelStudio": _MODEL.format(module="llamaindex_modelstudio", name="ModelStudio"),
}


def sample(name: str, python: str | None = None) -> float:
    """Return the CPU seconds of one new process.

    Args:
        name: A key of ``STARTS``.
        python: Another Python for this project's environment.

    Raises:
        RuntimeError: The process failed.
    """
    script = _SCRIPT.format(body=STARTS[name])
    process = start_python(interpreter(PROJECT, python), "-c", script, log="startup")
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{name} failed to start; see .benchmarks/startup.log.")
    return float(output)
