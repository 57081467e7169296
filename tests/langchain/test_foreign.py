"""The fast path of message chunks, with and without LangChain's private parts."""

import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib import reload
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_modelstudio import _foreign
from modelstudio_core.foreign.fast_path import VARIABLE
from modelstudio_core.foreign.pydantic_objects import dump_state
from tests.langchain.support import add, model
from tests.support.answers import NULL_GENERATION, REASONING, STREAM, TEXT
from tests.support.fast_paths import NEEDS_FAST_PATHS
from tests.support.replay import replaying

SAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("x", {}),
    ("", {}),
    ("", {"reasoning_content": "Hm."}),
    ("\N{SNOWMAN}", {"reasoning_content": "\N{SNOWMAN}"}),
]
NewChunk = Callable[[str, dict[str, Any]], ChatGenerationChunk]


def check_stream() -> None:
    """Check that a stream has its text and reasoning, however chunks are created."""
    with replaying(200, STREAM, NULL_GENERATION) as replay:
        message = add(model(replay).stream("Hi"))
    assert message.content == TEXT
    assert message.additional_kwargs == {"reasoning_content": REASONING}


# --- The installed version --------------------------------------------------------


@NEEDS_FAST_PATHS
def test_the_fast_path_is_active() -> None:
    assert _foreign.same_chunks()
    assert _foreign.fast_chunks.active
    check_stream()
    assert _foreign.fast_chunks.active


@pytest.mark.parametrize(("content", "extra"), SAMPLES)
def test_both_functions_create_the_same_chunk(
    content: str, extra: dict[str, Any]
) -> None:
    ordinary = _foreign.validated_chunk(content, {**extra})
    fast = _foreign.unvalidated_chunk(content, {**extra})
    assert fast == ordinary
    assert dump_state(fast) == dump_state(ordinary)
    assert repr(fast) == repr(ordinary)
    assert dumpd(fast) == dumpd(ordinary)
    assert fast.model_dump(exclude_unset=True) == ordinary.model_dump(
        exclude_unset=True
    )
    assert pickle.loads(pickle.dumps(fast)) == ordinary  # noqa: S301 - our own pickle


@pytest.mark.parametrize(
    "new_chunk",
    [_foreign.new_chunk, _foreign.validated_chunk, _foreign.unvalidated_chunk],
)
def test_chunks_add_up_and_share_nothing(new_chunk: NewChunk) -> None:
    first, second = new_chunk("One ", {}), new_chunk("two", {})
    total = first + second
    assert total.text == "One two"
    assert isinstance(total.message, AIMessageChunk)
    first.message.response_metadata["mark"] = 1
    first.message.additional_kwargs["mark"] = 1
    assert isinstance(first.message, AIMessageChunk)
    first.message.tool_call_chunks.append({"name": "f"})  # type: ignore[typeddict-item] # only whether lists are shared matters
    fresh = new_chunk("One ", {})
    assert isinstance(fresh.message, AIMessageChunk)
    assert fresh.message.response_metadata == {"model_provider": "modelstudio"}
    assert fresh.message.additional_kwargs == {}
    assert fresh.message.tool_call_chunks == []


# --- Other versions ---------------------------------------------------------------


@NEEDS_FAST_PATHS
def test_a_class_with_a_new_field_switches_the_fast_path_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A field that a later LangChain adds must be in the chunks."""

    class LaterChunk(AIMessageChunk):
        added: str = "new"

    from langchain_core import messages

    with monkeypatch.context() as patched:
        patched.setattr(messages, "AIMessageChunk", LaterChunk)
        later = reload(_foreign)
        active = later.fast_chunks.active
        message = later.new_chunk("x", {}).message
    reload(_foreign)
    assert not active
    assert isinstance(message, LaterChunk)
    assert message.added == "new"
    assert _foreign.fast_chunks.active


def test_a_missing_private_part_switches_the_fast_path_off_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def construct(*_: Any) -> Any:
        raise AttributeError("__pydantic_fields_set__")

    monkeypatch.setattr(_foreign, "construct", construct)
    monkeypatch.setattr(_foreign.fast_chunks, "active", True)
    caplog.set_level(logging.INFO, "modelstudio")
    check_stream()
    check_stream()
    assert not _foreign.fast_chunks.active
    (record,) = [r for r in caplog.records if r.name == "modelstudio"]
    assert "AttributeError: __pydantic_fields_set__" in record.getMessage()
    chunk = _foreign.new_chunk("x", {})
    assert dump_state(chunk) == dump_state(_foreign.validated_chunk("x", {}))


@NEEDS_FAST_PATHS
def test_the_variable_switches_the_fast_path_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv(VARIABLE, "0")
        reload(_foreign)
        active = _foreign.fast_chunks.active
        check_stream()
    reload(_foreign)
    assert not active
    assert _foreign.fast_chunks.active


# --- Without LangChain ------------------------------------------------------------

HIDDEN = """
import json, sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hide())
try:
    import {module}
except ImportError as error:
    print(json.dumps([type(error).__name__, str(error), error.name]))
"""


def import_error(module: str, package: str) -> list[Any]:
    """Return what importing a module raises in a process without a package."""
    script = HIDDEN.format(module=module, package=package)
    process = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    error: list[Any] = json.loads(process.stdout)
    return error


@pytest.mark.parametrize(
    "module", ["langchain_modelstudio", "langchain_modelstudio.errors"]
)
def test_an_import_without_langchain_says_what_to_install(module: str) -> None:
    kind, text, name = import_error(module, "langchain_core")
    assert (kind, name) == ("ImportError", "langchain_core")
    assert 'pip install "modelstudio-integrations[langchain]"' in text


def test_an_import_without_another_package_names_that_package() -> None:
    _, text, _ = import_error("langchain_modelstudio", "langsmith")
    assert "langsmith" in text
    assert "pip install" not in text
