"""What imports load, where facts live, and what a call costs."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import langchain_modelstudio
import llamaindex_modelstudio
import modelstudio_core
from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.chat.options import OPTION_NAMES
from tests.support.answers import JSON, NULL_GENERATION, STREAM, WHOLE
from tests.support.replay import replaying

ROOT = Path(__file__).parent.parent
PACKAGES = ("modelstudio_core", "langchain_modelstudio", "llamaindex_modelstudio")
KEY = "sk-0123456789abcdef"
FAMILY = re.compile(r"-?(qwen|deepseek|vl|kimi|glm|minimax)[\w.-]*$", re.IGNORECASE)

# A constructor may load no more than an import: the SDK waits for the first call.
LANGCHAIN = (
    "from langchain_modelstudio import ChatModelStudio as M; "
    "M(model='qwen3.7-plus', api_key='k')"
)
LLAMAINDEX = (
    "from llamaindex_modelstudio import ModelStudio as M; "
    "M(model='qwen3.7-plus', api_key='k')"
)


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        (LANGCHAIN, {"openai", "dashscope", "llama_index", "starlette", "uvicorn"}),
        (LLAMAINDEX, {"openai", "dashscope", "langchain_core", "starlette", "uvicorn"}),
        (
            "import modelstudio_core.chat.arguments, modelstudio_core.pytest_plugin",
            {"openai", "dashscope", "langchain_core", "llama_index", "starlette"},
        ),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(code: str, unwanted: set[str]) -> None:
    script = f"import sys, json; {code}; print(json.dumps(list(sys.modules)))"
    ran = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    loaded = set(json.loads(ran.stdout))
    assert loaded & unwanted == set()


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings of a file that are not documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in told
        ):
            yield node.lineno, node.value


def sources() -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(found) > 20
    return found


def test_hosts_and_variables_are_spelled_in_one_file() -> None:
    home = ROOT / "modelstudio_core" / "endpoints.py"
    words = ("aliyuncs", "DASHSCOPE_")
    strays = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sources()
        for line, text in literals(path)
        if path != home and any(word in text for word in words)
    ]
    assert strays == []
    assert any("aliyuncs" in text for _, text in literals(home))


def is_name_test(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare) or (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"startswith", "endswith", "match", "search", "find"}
    )


def test_models_are_named_in_the_table_only() -> None:
    """A model in a message or an example is fine; one in a comparison is a branch."""
    branches: list[str] = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.expr) and is_name_test(node):
                branches.extend(
                    f"{path.relative_to(ROOT)}:{node.lineno}: {child.value}"
                    for child in ast.iter_child_nodes(node)
                    if isinstance(child, ast.Constant)
                    and isinstance(child.value, str)
                    and FAMILY.match(child.value)
                )
    assert branches == []


def test_public_names() -> None:
    assert langchain_modelstudio.__all__ == ["ChatModelStudio", "__version__"]
    assert llamaindex_modelstudio.__all__ == ["ModelStudio", "__version__"]
    assert modelstudio_core.__all__ == ["__version__"]


def test_both_classes_take_the_same_arguments_with_the_same_defaults() -> None:
    shared = set(ChatModelStudio.model_fields) & set(ModelStudio.model_fields)
    arguments = {
        "api_key",
        "region",
        "mode",
        "workspace",
        "protocol",
        "base_url",
        "allow_insecure_http",
        "timeout",
        "max_retries",
        "default_headers",
        "http_client",
        "http_async_client",
        "model",
        "temperature",
        "top_p",
        "top_k",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "seed",
        "n",
        "presence_penalty",
        "repetition_penalty",
        "logprobs",
        "top_logprobs",
        "parallel_tool_calls",
        "response_format",
        "enable_thinking",
        "thinking_budget",
        "reasoning_effort",
        "preserve_thinking",
        "enable_search",
        "search_options",
        "extra_body",
        "forced_tool_choice",
        "deprecated_models",
        "replacements",
    }
    assert arguments <= shared
    for name in arguments:
        ours, theirs = (
            ChatModelStudio.model_fields[name],
            ModelStudio.model_fields[name],
        )
        assert ours.default == theirs.default, name


@pytest.mark.parametrize("cls", [ChatModelStudio, ModelStudio])
def test_every_option_is_an_argument(cls: type[ChatModelStudio | ModelStudio]) -> None:
    assert set(OPTION_NAMES) - set(cls.model_fields) == {"tools", "tool_choice"}


@pytest.mark.parametrize("cls", [ChatModelStudio, ModelStudio])
def test_a_call_costs_one_request_and_construction_none(
    cls: type[ChatModelStudio] | type[ModelStudio],
) -> None:
    with replaying(200, JSON, WHOLE) as replay:
        llm = cls(model="qwen3.7-plus", base_url=replay.base_url, api_key=KEY)
        assert replay.requests == []
        if isinstance(llm, ChatModelStudio):
            llm.invoke("Hi")
        else:
            llm.complete("Hi")
        assert len(replay.requests) == 1


def test_streams_in_a_row_share_a_connection() -> None:
    with replaying(200, STREAM, NULL_GENERATION, times=5) as replay:
        llm = ChatModelStudio(
            model="qwen3.7-plus", base_url=replay.base_url, api_key=KEY
        )
        for _ in range(5):
            list(llm.stream("Hi"))
        assert len(replay.requests) == 5
        assert len(set(replay.peers)) == 1
