"""Rules for the product's code: imports, facts, words, types, and costs of a call."""

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
from tests.support.answers import JSON, NULL_GENERATION, RESPONSE, STREAM
from tests.support.fast_paths import NEEDS_FAST_PATHS
from tests.support.models import FRAMEWORKS, Framework, model
from tests.support.replay import replaying

ROOT = Path(__file__).parent.parent
PACKAGES = ("modelstudio_core", "langchain_modelstudio", "llamaindex_modelstudio")
FAMILY = re.compile(r"-?(qwen|deepseek|vl|kimi|glm|minimax)[\w.-]*$", re.IGNORECASE)

# A constructor must not load an SDK: the first call does.
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
    ran = subprocess.run(  # noqa: S603 - the script above
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    loaded = set(json.loads(ran.stdout))
    assert loaded & unwanted == set()


def sources(*packages: str) -> list[Path]:
    """Return the modules of the product, or of some of its packages."""
    paths = [
        path
        for package in packages or PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]
    assert len(paths) > 5
    return paths


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines and the values of string literals, without docstrings."""
    tree = parse(path)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
        ):
            yield node.lineno, node.value


def test_hosts_and_environment_variables_are_written_in_one_file() -> None:
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


def compares_names(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare) or (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"startswith", "endswith", "match", "search", "find"}
    )


def test_no_code_branches_on_the_name_of_a_model() -> None:
    """Model names belong in the catalog, or in messages and examples."""
    branches: list[str] = []
    for path in sources():
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.expr) and compares_names(node):
                branches.extend(
                    f"{path.relative_to(ROOT)}:{node.lineno}: {child.value}"
                    for child in ast.iter_child_nodes(node)
                    if isinstance(child, ast.Constant)
                    and isinstance(child.value, str)
                    and FAMILY.match(child.value)
                )
    assert branches == []


# --- Types and words ------------------------------------------------------------------

EACH_PACKAGE = pytest.mark.parametrize("package", PACKAGES)
MOST_ANY_PER_1000_LINES = 10


class AnyFinder(ast.NodeVisitor):
    """Finds each ``Any``, in quoted annotations too.

    Not counted are ``dict[str, Any]``, ``*args: Any`` and ``**kwargs: Any``.
    """

    def __init__(self) -> None:
        self.lines: list[int] = []

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == "Any":
            self.lines.append(node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == "Any":
            self.lines.append(node.lineno)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if ast.unparse(node) != "dict[str, Any]":
            self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> None:
        for argument in (node.vararg, node.kwarg):
            annotation = argument.annotation if argument else None
            if argument and annotation and ast.unparse(annotation) == "Any":
                argument.annotation = None
        self.generic_visit(node)


class Unquoter(ast.NodeTransformer):
    """Replaces a quoted annotation, or a part of one, by its expression."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str):
            return node
        try:
            expression = ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return node
        for child in ast.walk(expression):
            ast.copy_location(child, node)
        visited: ast.expr = self.visit(expression)
        return visited

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        is_literal = ast.unparse(node.value).endswith("Literal")
        return node if is_literal else self.generic_visit(node)


def unquote_annotations(tree: ast.Module) -> None:
    unquoter = Unquoter()
    for node in ast.walk(tree):
        match node:
            case ast.arg() | ast.AnnAssign() if node.annotation:
                node.annotation = unquoter.visit(node.annotation)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.returns:
                node.returns = unquoter.visit(node.returns)
            case ast.Call(func=ast.Name(id="cast"), args=[first, *_]):
                node.args[0] = unquoter.visit(first)
            case _:
                pass


def find_any(source: str) -> list[int]:
    """Return the line of each ``Any`` that counts."""
    tree = ast.parse(source)
    unquote_annotations(tree)
    finder = AnyFinder()
    finder.visit(tree)
    return sorted(finder.lines)


def test_any_is_found_in_every_kind_of_annotation() -> None:
    source = """
from typing import Any, Literal, cast
import typing
A = list[Any]
def f(a: Any, b: "Any", c: "dict[str, Any]", *d: Any, **e: "Any") -> "list[Any]":
    g: Mapping[str, Any] = cast("Any", a)
    h: dict[str, Any] = {"Any": "Any"}
    i: Literal["Any"] = "Any"
    return cast(typing.Any, g)
"""
    assert find_any(source) == [4, 5, 5, 5, 6, 6, 9]


@EACH_PACKAGE
def test_any_is_rare(package: str) -> None:
    strays: list[str] = []
    lines = 0
    for path in sources(package):
        source = path.read_text(encoding="utf-8")
        text = source.splitlines()
        lines += len(text)
        strays += [
            f"{path.relative_to(ROOT)}:{line}: {text[line - 1].strip()}"
            for line in find_any(source)
        ]
    rate = 1000 * len(strays) / lines
    assert rate <= MOST_ANY_PER_1000_LINES, f"{rate:.1f}\n" + "\n".join(strays)


# Names that say nothing about what they name.
VAGUE_NAMES = {
    *("it", "said", "told", "known", "ours", "theirs", "way", "whole", "take"),
    *("asked", "colour"),
}


def defined_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each function, class, argument and variable."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case _:
                pass


def vague_names(source: str) -> Iterator[tuple[int, str]]:
    for line, name in defined_names(ast.parse(source)):
        if name.strip("_").lower() in VAGUE_NAMES:
            yield line, name


@EACH_PACKAGE
def test_names_say_what_they_name(package: str) -> None:
    strays = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sources(package)
        for line, name in vague_names(path.read_text(encoding="utf-8"))
    ]
    assert strays == []


PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_names_in_the_documentation_say_what_they_name() -> None:
    strays = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
        for block in PYTHON_BLOCK.findall(path.read_text(encoding="utf-8"))
        for _, name in vague_names(block)
    ]
    assert strays == []


@EACH_PACKAGE
def test_docstrings_do_not_refer_to_another_function(package: str) -> None:
    strays = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {text}"
        for path in sources(package)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and (text := ast.get_docstring(node))
        and text.startswith("Do as")
    ]
    assert strays == []


def test_every_module_has_a_docstring() -> None:
    strays = [
        str(path.relative_to(ROOT))
        for path in sources()
        if not ast.get_docstring(parse(path))
    ]
    assert strays == []


def test_the_core_names_its_public_modules() -> None:
    modules = ("errors", "endpoints", "catalog", "embeddings", "tasks", "emulator")
    docstring = modelstudio_core.__doc__ or ""
    strays = [name for name in modules if not re.search(rf"\b{name}\b", docstring)]
    assert strays == []


# --- Arguments and requests -----------------------------------------------------------


def test_public_names() -> None:
    assert langchain_modelstudio.__all__ == [
        "ChatModelStudio",
        "ModelStudioEmbeddings",
        "ModelStudioImageGeneration",
        "ModelStudioRerank",
        "__version__",
        "register",
    ]
    assert llamaindex_modelstudio.__all__ == [
        "ModelStudio",
        "ModelStudioEmbedding",
        "ModelStudioMultiModalEmbedding",
        "ModelStudioRerank",
        "ModelStudioToolSpec",
        "__version__",
    ]
    assert modelstudio_core.__all__ == ["__version__"]
    for package in (langchain_modelstudio, llamaindex_modelstudio, modelstudio_core):
        for name in package.__all__:
            assert getattr(package, name) is not None
            assert name in dir(package)
        assert not hasattr(package, "no_such_name")


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
        defaults = [
            cls.model_fields[name].default for cls in (ChatModelStudio, ModelStudio)
        ]
        assert defaults[0] == defaults[1], name


@pytest.mark.parametrize("cls", [ChatModelStudio, ModelStudio])
def test_every_option_is_an_argument(cls: type[ChatModelStudio | ModelStudio]) -> None:
    assert set(OPTION_NAMES) - set(cls.model_fields) == {"tools", "tool_choice"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_call_sends_one_request_and_a_constructor_none(framework: Framework) -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        llm = model(framework, replay.base_url)
        assert replay.requests == []
        if isinstance(llm, ChatModelStudio):
            llm.invoke("Hi")
        else:
            llm.complete("Hi")
        assert len(replay.requests) == 1


@NEEDS_FAST_PATHS
def test_consecutive_streams_share_a_connection() -> None:
    with replaying(200, STREAM, NULL_GENERATION, times=5) as replay:
        llm = model("LangChain", replay.base_url)
        for _ in range(5):
            list(llm.stream("Hi"))
        assert len(replay.requests) == 5
        assert len(set(replay.peers)) == 1
