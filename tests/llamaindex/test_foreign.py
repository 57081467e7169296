"""The private parts of LlamaIndex: used where they exist, replaced where they do not.

Each part is tested three times: in use with the installed version, off by the
environment variable, and taken away.
"""

import logging
from collections.abc import Iterator
from importlib import reload
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.base.llms import types
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, TextBlock
from llama_index.core.llms.llm import LLM
from llama_index.core.program import FunctionCallingProgram, function_program
from llama_index.core.tools import FunctionTool

from llamaindex_modelstudio import _foreign
from llamaindex_modelstudio._chat.responses import (
    to_delta_response,
    validated_response,
)
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import ReasoningDelta, TextDelta
from modelstudio_core.foreign import pydantic_objects
from modelstudio_core.foreign.fast_path import VARIABLE, FastPath
from tests.llamaindex.books import (
    BOOK,
    BOOK_PROMPT,
    SCHEMA_MODEL,
    TOOL_MODEL,
    Book,
    book_reply,
)
from tests.llamaindex.support import (
    HI,
    SYNC_AND_ASYNC,
    EmulatedService,
    replay_llm,
)
from tests.support.fast_paths import NEEDS_FAST_PATHS

pytestmark = NEEDS_FAST_PATHS

FAST_PATHS = {
    "UNVALIDATED_RESPONSES": _foreign.UNVALIDATED_RESPONSES,
    "SYSTEM_PROMPT": _foreign.SYSTEM_PROMPT,
    "PROGRAM_TOOLS": _foreign.PROGRAM_TOOLS,
}
NAMES = pytest.mark.parametrize("name", FAST_PATHS)


@pytest.fixture(autouse=True)
def restored_fast_paths() -> Iterator[None]:
    """Restore the state of the fast paths after each test."""
    states = {name: path.active for name, path in FAST_PATHS.items()}
    yield
    for name, active in states.items():
        FAST_PATHS[name].active = active


def reloaded() -> SimpleNamespace:
    """Return the names of the module after another import of it."""
    names = _foreign.__dict__.copy()
    try:
        return SimpleNamespace(**reload(_foreign).__dict__)
    finally:
        _foreign.__dict__.update(names)


def raise_error(*_: Any, **__: Any) -> Any:
    raise RuntimeError("Not in this version.")


# --- All of them ------------------------------------------------------------------


@NAMES
def test_the_fast_path_is_active_with_the_installed_llamaindex(name: str) -> None:
    """A change in LlamaIndex would otherwise make it slow without an error."""
    assert FAST_PATHS[name].active
    assert getattr(reloaded(), name).active


@NAMES
def test_the_variable_switches_the_fast_path_off(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    assert not getattr(reloaded(), name).active


def check_logged_once(caplog: pytest.LogCaptureFixture, path: FastPath) -> None:
    assert not path.active
    messages = [record.getMessage() for record in caplog.records]
    assert len([text for text in messages if path.name in text]) == 1


# --- Responses without validation -------------------------------------------------


def delta_response() -> ChatResponse:
    """Return the response of an event; it must be equal to a validated one."""
    event = TextDelta("x")
    completion = Completion()
    completion.add(ReasoningDelta("Hm."))
    completion.add(event)
    response = to_delta_response(
        event, completion, replay_llm().resolved.plan(stream=True)
    )
    assert response == validated_response(completion, "x", "")
    return response


def test_a_new_field_of_a_llamaindex_class_switches_the_fast_path_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the field would be missing from the responses."""

    class LaterBlock(TextBlock):
        added: str = "new"

    monkeypatch.setattr(types, "TextBlock", LaterBlock)
    assert not reloaded().UNVALIDATED_RESPONSES.active


def test_responses_are_validated_if_they_cannot_be_constructed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(_foreign, "construct", raise_error)
    assert delta_response() == delta_response()
    check_logged_once(caplog, _foreign.UNVALIDATED_RESPONSES)


def test_an_import_survives_a_changed_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe fails, and not the import."""
    monkeypatch.setattr(
        pydantic_objects, vars(_foreign)["construct"].__name__, raise_error
    )
    assert not reloaded().UNVALIDATED_RESPONSES.active


# --- The system prompt ------------------------------------------------------------


def test_an_overridden_step_adds_the_system_prompt(
    service: EmulatedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in LlamaIndex's own programs."""

    def extend(_: LLM, messages: list[ChatMessage]) -> list[ChatMessage]:
        return [ChatMessage(role="system", content="Overridden."), *messages]

    monkeypatch.setattr(LLM, "_extend_messages", extend)
    service.script(book_reply(SCHEMA_MODEL))
    service.llm(SCHEMA_MODEL).structured_predict(Book, BOOK_PROMPT, topic="hunger")
    assert service.messages[0][0] == {"role": "system", "content": "Overridden."}


@pytest.mark.parametrize("system_prompt", [None, "You read."])
def test_the_system_prompt_is_added_without_llamaindex(
    service: EmulatedService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    system_prompt: str | None,
) -> None:
    """The messages are those that LlamaIndex makes."""
    caplog.set_level(logging.INFO)
    llm = service.llm(SCHEMA_MODEL, system_prompt=system_prompt)
    expected = llm._extend_messages(HI)
    monkeypatch.delattr(LLM, "_extend_messages")
    assert _foreign.add_system_prompt(llm, HI) == expected
    service.script(book_reply(SCHEMA_MODEL))
    assert llm.structured_predict(Book, BOOK_PROMPT, topic="hunger") == BOOK
    assert (service.messages[0][0]["role"] == "system") is bool(system_prompt)
    check_logged_once(caplog, _foreign.SYSTEM_PROMPT)
    assert not reloaded().SYSTEM_PROMPT.active


# --- Calls by a FunctionCallingProgram --------------------------------------------


def weather(city: str) -> str:
    """Return the weather of a city."""
    return city


def test_a_call_by_a_program_is_recognized() -> None:
    tool = function_program.get_function_tool(Book)
    other = FunctionTool.from_defaults(weather)
    assert _foreign.is_program_call([tool], {"tool_choice": None})
    assert not _foreign.is_program_call([tool], {"tool_choice": "auto"})
    assert not _foreign.is_program_call([tool], {})
    assert not _foreign.is_program_call([], {"tool_choice": None})
    assert not _foreign.is_program_call([tool, other], {"tool_choice": None})


@SYNC_AND_ASYNC
async def test_a_program_streams_without_recognition(
    service: EmulatedService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_async: bool,
) -> None:
    """The tool is then not required, as in LlamaIndex itself."""
    caplog.set_level(logging.INFO)
    monkeypatch.delattr(FunctionTool, "real_fn")
    service.script(book_reply(TOOL_MODEL))
    program: FunctionCallingProgram[Any] = FunctionCallingProgram.from_defaults(
        output_cls=Book,
        llm=service.llm(TOOL_MODEL),
        prompt_template_str="Name a book about {topic}.",
    )
    if is_async:
        stream = await program.astream_call(topic="hunger")
        books = [book async for book in stream]
    else:
        books = list(program.stream_call(topic="hunger"))
    assert books[-1] == BOOK
    assert service.values(lambda request: request.forced_tool) == [None]
    check_logged_once(caplog, _foreign.PROGRAM_TOOLS)
    assert not reloaded().PROGRAM_TOOLS.active


def test_a_moved_function_switches_the_recognition_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(function_program, "get_function_tool")
    assert not reloaded().PROGRAM_TOOLS.active
