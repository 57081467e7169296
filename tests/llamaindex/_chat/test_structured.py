"""Structured prediction: its four methods, their requests and their objects."""

# LlamaIndex types only some attributes of its prompts.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any, Generic, TypeVar

import pytest
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import ChatPromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, RootModel

from llamaindex_modelstudio import ModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Reply, ToolCall
from tests.llamaindex.books import (
    BOOK,
    BOOK_JSON,
    BOOK_MESSAGES,
    BOOK_PROMPT,
    SCHEMA_MODEL,
    TOOL_MODEL,
    Book,
    book_reply,
)
from tests.llamaindex.support import EmulatedService, recorded_events
from tests.support.fast_paths import NEEDS_FAST_PATHS

Method = Callable[..., Awaitable[list[Any]]]


async def predict(llm: ModelStudio, *args: Any, **kwargs: Any) -> list[Any]:
    return [llm.structured_predict(*args, **kwargs)]


async def apredict(llm: ModelStudio, *args: Any, **kwargs: Any) -> list[Any]:
    return [await llm.astructured_predict(*args, **kwargs)]


async def stream(llm: ModelStudio, *args: Any, **kwargs: Any) -> list[Any]:
    return list(llm.stream_structured_predict(*args, **kwargs))


async def astream(llm: ModelStudio, *args: Any, **kwargs: Any) -> list[Any]:
    objects = await llm.astream_structured_predict(*args, **kwargs)
    return [item async for item in objects]


METHODS = pytest.mark.parametrize("method", [predict, apredict, stream, astream])
STREAMS = pytest.mark.parametrize("method", [stream, astream])
MODELS = pytest.mark.parametrize("model", [TOOL_MODEL, SCHEMA_MODEL])


# --- Requests and objects ---------------------------------------------------------


@METHODS
@MODELS
async def test_a_prediction_returns_an_object(
    service: EmulatedService, model: str, method: Method
) -> None:
    """Each method sends the same request and ends with the complete object."""
    service.script(book_reply(model))
    llm = service.llm(model, system_prompt="You read.")
    objects = await method(llm, Book, BOOK_PROMPT, topic="hunger")
    assert objects[-1] == BOOK
    (request,) = service.requests
    assert service.messages[0] == [
        {"role": "system", "content": "You read."},
        {"role": "user", "content": "Name a book about hunger."},
    ]
    if model == TOOL_MODEL:
        (tool,) = request.tools
        assert tool["function"]["name"] == "Book"
        assert "$defs" in tool["function"]["parameters"]
        assert tool["function"]["parameters"]["required"] == ["title", "year"]
        assert request.forced_tool == "named"
        assert request.thinking is False
        assert not request.response_format
    else:
        assert request.response_format["type"] == "json_schema"
        schema: Any = request.response_format["json_schema"]
        assert (schema["name"], schema["description"]) == ("Book", "A book.")
        assert schema["schema"]["required"] == ["title", "year"]
        assert not request.tools


@METHODS
async def test_a_prediction_follows_the_services_rules(
    service: EmulatedService, method: Method
) -> None:
    """The emulated model answers without a script and checks the forced tool."""
    objects = await method(service.llm(TOOL_MODEL), Book, BOOK_PROMPT, topic="1890")
    assert isinstance(objects[-1], Book)
    assert objects[-1].year == 1890
    assert len(service.requests) == 1


class Shelf(RootModel[list[Book]]):
    """Books in a list."""


@METHODS
@pytest.mark.parametrize("fence", ["", "```"])
async def test_a_root_list_is_parsed(
    service: EmulatedService, method: Method, fence: str
) -> None:
    service.script(
        book_reply(SCHEMA_MODEL, f"{fence}[{BOOK_JSON}, {BOOK_JSON}]{fence}")
    )
    objects = await method(
        service.llm(SCHEMA_MODEL), Shelf, BOOK_PROMPT, topic="hunger"
    )
    assert objects[-1] == Shelf.model_validate([BOOK, BOOK])


@METHODS
async def test_a_root_list_is_refused_where_it_would_be_a_tool_call(
    service: EmulatedService, method: Method
) -> None:
    """The arguments of a call are an object."""
    with pytest.raises(errors.ConfigurationError, match="Shelf is of the type 'array'"):
        await method(service.llm(TOOL_MODEL), Shelf, BOOK_PROMPT, topic="hunger")
    assert service.requests == []


@STREAMS
@MODELS
async def test_streamed_objects_grow_and_are_never_empty(
    service: EmulatedService, model: str, method: Method
) -> None:
    service.script(book_reply(model))
    objects = await method(service.llm(model), Book, BOOK_PROMPT, topic="hunger")
    assert len(objects) > 3
    assert all(isinstance(book, Book | FlexibleModel) for book in objects)
    assert all(book.model_dump(exclude_none=True) for book in objects)
    titles = [book.title for book in objects]
    assert all("Sult".startswith(title or "") for title in titles)
    years = [book.year for book in objects]
    assert years[0] is None
    assert type(objects[-1]) is Book
    assert not any(a == b for a, b in pairwise(objects))


@METHODS
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"title": "Sult"}', "not a valid Book: 1 validation error.*year"),
        ('{"title": "Sult", "ye', "not a valid Book.*cut off.*raise max_tokens"),
        ("I know none.", "not a valid Book: there is no JSON in it.*I know none"),
        ("", "not a valid Book"),
    ],
)
async def test_an_invalid_answer_is_an_error(
    service: EmulatedService, text: str, words: str, method: Method
) -> None:
    """It quotes the answer, and no empty object is returned."""
    reason = "length" if text.endswith('"ye') else None
    service.script(Reply(text=text, finish_reason=reason))
    with pytest.raises(ValueError, match=f"(?s){words}"):
        await method(service.llm(SCHEMA_MODEL), Book, BOOK_PROMPT, topic="hunger")


@METHODS
async def test_an_answer_without_a_tool_call_is_an_error(
    service: EmulatedService, method: Method
) -> None:
    service.script(Reply(text="I know none."))
    with pytest.raises(ValueError, match=r"there is no tool call in it.*I know none"):
        await method(service.llm(TOOL_MODEL), Book, BOOK_PROMPT, topic="hunger")


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{BOOK_JSON}\n```",
        f"Here it is:\n{BOOK_JSON}",
        f"{BOOK_JSON}\n\nEnjoy!",
    ],
)
async def test_json_in_other_text_is_parsed(
    service: EmulatedService, text: str
) -> None:
    service.script(Reply(text=text), Reply(text=text))
    for method in (predict, stream):
        objects = await method(
            service.llm(SCHEMA_MODEL), Book, BOOK_PROMPT, topic="hunger"
        )
        assert objects[-1] == BOOK


Item = TypeVar("Item")


class Box(BaseModel, Generic[Item]):
    """A box."""

    item: Item


@MODELS
async def test_the_name_of_a_generic_class_is_valid_for_the_service(
    service: EmulatedService, model: str
) -> None:
    service.script(
        Reply(text='{"item": 3}', tool_calls=[ToolCall("Box_int_", {"item": 3})])
    )
    assert service.llm(model).structured_predict(Box[int], BOOK_PROMPT) == Box[int](
        item=3
    )
    body = str(service.requests[0].body)
    assert "'name': 'Box_int_'" in body


# --- Thinking ---------------------------------------------------------------------


@METHODS
async def test_a_forced_tool_disables_thinking_for_one_request(
    service: EmulatedService, method: Method, caplog: pytest.LogCaptureFixture
) -> None:
    """With ``disable_thinking``, the default; the model itself is not changed."""
    caplog.set_level(logging.INFO)
    service.script(book_reply(TOOL_MODEL), Reply(reasoning="Hm.", text="Hi."))
    llm = service.llm(TOOL_MODEL, enable_thinking=True, reasoning_effort="high")
    before = llm.to_dict()
    await method(llm, Book, BOOK_PROMPT, topic="hunger")
    llm.chat(BOOK_MESSAGES)
    assert service.values(lambda request: request.thinking) == [False, True]
    assert llm.to_dict() == before


@METHODS
async def test_forced_tool_choice_auto_keeps_thinking(
    service: EmulatedService, method: Method
) -> None:
    """With a warning; an answer without a tool call is then an error."""
    service.script(
        book_reply(TOOL_MODEL, reasoning="A book."), Reply(text="I know none.")
    )
    llm = service.llm(TOOL_MODEL, enable_thinking=True, forced_tool_choice="auto")
    with pytest.warns(UserWarning, match="tool_choice='auto' is sent"):
        objects = await method(llm, Book, BOOK_PROMPT, topic="hunger")
    assert objects[-1] == BOOK
    # The warning is issued once.
    with pytest.raises(errors.ToolChoiceError):
        await method(llm, Book, BOOK_PROMPT, topic="hunger")
    assert service.values(lambda request: request.thinking) == [True, True]
    assert service.values(lambda request: request.body["tool_choice"]) == [
        "auto",
        "auto",
    ]


@METHODS
async def test_forced_tool_choice_error_sends_nothing(
    service: EmulatedService, method: Method
) -> None:
    llm = service.llm(TOOL_MODEL, enable_thinking=True, forced_tool_choice="error")
    with pytest.raises(errors.ConfigurationError, match="forced to call a tool while"):
        await method(llm, Book, BOOK_PROMPT, topic="hunger")
    assert service.requests == []


@METHODS
async def test_a_thinking_only_model_gets_tool_choice_auto(
    service: EmulatedService, method: Method
) -> None:
    service.script(book_reply(TOOL_MODEL, reasoning="A book."))
    with pytest.warns(UserWarning, match="tool_choice='auto' is sent"):
        objects = await method(
            service.llm("qwq-plus"), Book, BOOK_PROMPT, topic="hunger"
        )
    assert objects[-1] == BOOK
    assert service.requests[0].thinking
    assert service.requests[0].stream


async def test_the_method_depends_on_the_thinking_of_the_call(
    service: EmulatedService,
) -> None:
    """This model supports a JSON schema only without thinking."""
    service.script(book_reply(SCHEMA_MODEL), book_reply(TOOL_MODEL))
    llm = service.llm("qwen3.7-plus")
    off = {"enable_thinking": False}
    llm.structured_predict(Book, BOOK_PROMPT, off, topic="hunger")
    llm.structured_predict(Book, BOOK_PROMPT, topic="hunger")
    assert [bool(request.response_format) for request in service.requests] == [
        True,
        False,
    ]
    assert [bool(request.tools) for request in service.requests] == [False, True]


@METHODS
async def test_a_given_response_format_keeps_thinking(
    service: EmulatedService, method: Method
) -> None:
    """The schema is put into a copy of the prompt."""
    service.script(Reply(reasoning="A book.", text=BOOK_JSON))
    llm = service.llm("qwen3.7-plus", enable_thinking=True)
    json_mode = {"response_format": {"type": "json_object"}}
    prompt = ChatPromptTemplate(BOOK_MESSAGES)
    objects = await method(llm, Book, prompt, json_mode)
    assert objects[-1] == BOOK
    assert service.requests[0].thinking is True
    assert '"title": {"title": "Title", "type": "string"}' in str(service.messages[0])
    assert BOOK_MESSAGES[0].content == "Name a book. Use {braces} and {{more}}."
    assert prompt.output_parser is None


# --- Modes ------------------------------------------------------------------------


@METHODS
@pytest.mark.parametrize(
    ("mode", "place"),
    [
        ("function", "tools"),
        ("llm", "messages"),
        ("default", "response_format"),
    ],
)
async def test_pydantic_program_mode_decides_the_method(
    service: EmulatedService, mode: str, place: str, method: Method
) -> None:
    service.script(book_reply(TOOL_MODEL if place == "tools" else SCHEMA_MODEL))
    llm = service.llm(SCHEMA_MODEL, pydantic_program_mode=mode)
    objects = await method(llm, Book, BOOK_PROMPT, topic="hunger")
    assert objects[-1] == BOOK
    (request,) = service.requests
    assert bool(request.tools) is (place == "tools")
    assert bool(request.response_format) is (place == "response_format")
    assert ("JSON schema" in str(request.messages)) is (place == "messages")


@METHODS
async def test_llamaindex_handles_other_program_modes(
    service: EmulatedService, method: Method
) -> None:
    llm = service.llm(SCHEMA_MODEL, pydantic_program_mode="openai")
    with pytest.raises(ImportError):
        await method(llm, Book, BOOK_PROMPT, topic="hunger")


async def test_a_model_without_tools_gets_the_schema_in_the_prompt(
    service: EmulatedService,
) -> None:
    service.script(Reply(text=BOOK_JSON))
    llm = service.llm(TOOL_MODEL, is_function_calling_model=False)
    prediction = llm.structured_predict(Book, BOOK_PROMPT, topic="hunger")
    assert prediction == BOOK
    assert not service.requests[0].tools


async def test_an_unknown_argument_is_refused_before_the_request(
    service: EmulatedService,
) -> None:
    with pytest.raises(errors.ConfigurationError, match="temprature"):
        service.llm(TOOL_MODEL).structured_predict(Book, BOOK_PROMPT, {"temprature": 1})
    assert service.requests == []


# --- FunctionCallingProgram -------------------------------------------------------


def program(llm: ModelStudio) -> FunctionCallingProgram[Any]:
    return FunctionCallingProgram.from_defaults(
        output_cls=Book, llm=llm, prompt_template_str="Name a book about {topic}."
    )


@NEEDS_FAST_PATHS
@pytest.mark.parametrize("method", ["call", "acall", "stream_call", "astream_call"])
async def test_a_function_calling_program_forces_its_tool(
    service: EmulatedService, method: str
) -> None:
    """LlamaIndex's streams do not require it; selectors and synthesizers use them."""
    service.script(book_reply(TOOL_MODEL))
    llm = service.llm(TOOL_MODEL, enable_thinking=True)
    book_program = program(llm)
    match method:
        case "call":
            prediction = book_program(topic="hunger")
        case "acall":
            prediction = await book_program.acall(topic="hunger")
        case "stream_call":
            *_, prediction = book_program.stream_call(topic="hunger")
        case _:
            books = await book_program.astream_call(topic="hunger")
            *_, prediction = [book async for book in books]
    assert prediction == BOOK
    assert service.requests[0].forced_tool == "named"
    assert service.requests[0].thinking is False


def test_a_stream_with_other_tools_forces_no_tool(service: EmulatedService) -> None:
    """``tool_choice=None`` is the default; only the tool of a program is required."""

    def weather(city: str) -> str:
        """Return the weather."""
        return city

    service.script(Reply(text="Hi."), Reply(text="Hi."))
    tool = FunctionTool.from_defaults(weather)
    list(service.llm().stream_chat_with_tools([tool], "Hi", tool_choice=None))
    service.llm().chat_with_tools([tool], "Hi", tool_choice=None)
    assert ["tool_choice" in request.body for request in service.requests] == [
        False,
        False,
    ]


# --- Events and speed -------------------------------------------------------------


@METHODS
async def test_a_prediction_and_its_tokens_are_reported_once(
    service: EmulatedService, method: Method
) -> None:
    service.script(book_reply(TOOL_MODEL))
    counter = TokenCountingHandler(tokenizer=str.split)
    llm = service.llm(TOOL_MODEL, callback_manager=CallbackManager([counter]))
    with recorded_events() as events:
        await method(llm, Book, BOOK_PROMPT, topic="hunger")
    assert len(counter.llm_token_counts) == 1
    assert counter.prompt_llm_token_count > 5
    kinds = [type(event) for event in events]
    assert kinds.count(LLMStructuredPredictStartEvent) == 1
    assert kinds.count(LLMStructuredPredictEndEvent) == 1
    assert (LLMStructuredPredictInProgressEvent in kinds) is (
        method in (stream, astream)
    )


@STREAMS
async def test_the_schema_is_built_once_per_stream(
    service: EmulatedService, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Building it takes more time than the rest of the work for a chunk."""
    calls: list[str] = []
    build = Book.model_json_schema

    def count(*args: Any, **kwargs: Any) -> dict[str, Any]:
        calls.append("schema")
        return build(*args, **kwargs)

    monkeypatch.setattr(Book, "model_json_schema", count)
    service.script(book_reply(SCHEMA_MODEL, pieces=list(BOOK_JSON)))
    objects = await method(service.llm(SCHEMA_MODEL), Book, BOOK_PROMPT, topic="hunger")
    assert objects[-1] == BOOK
    assert len(calls) == 1
