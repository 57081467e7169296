"""Structured prediction: four ways to call it, and what each sends and returns."""

# LlamaIndex has half of the types for its prompts.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any, Generic, TypeVar

import pytest
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import ChatPromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel, Field, RootModel

from llamaindex_modelstudio import ModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Reply, ToolCall
from tests.llamaindex.bench import Bench
from tests.llamaindex.books import (
    BOOK,
    HI,
    PROMPT,
    SCHEMA,
    TEXT,
    TOOL,
    Book,
    reply,
)

Predict = Callable[..., Awaitable[list[Any]]]


async def whole(llm: ModelStudio, *args: Any, **kwargs: Any) -> list[Any]:
    return [llm.structured_predict(*args, **kwargs)]


async def awhole(llm: ModelStudio, *args: Any, **kwargs: Any) -> list[Any]:
    return [await llm.astructured_predict(*args, **kwargs)]


async def streamed(llm: ModelStudio, *args: Any, **kwargs: Any) -> list[Any]:
    return list(llm.stream_structured_predict(*args, **kwargs))


async def astreamed(llm: ModelStudio, *args: Any, **kwargs: Any) -> list[Any]:
    stream = await llm.astream_structured_predict(*args, **kwargs)
    return [it async for it in stream]


ALL = pytest.mark.parametrize("predict", [whole, awhole, streamed, astreamed])
STREAMS = pytest.mark.parametrize("predict", [streamed, astreamed])
MODELS = pytest.mark.parametrize("model", [TOOL, SCHEMA])


# --- What is sent and what comes back ---------------------------------------------


@ALL
@MODELS
async def test_an_object_comes_back(bench: Bench, model: str, predict: Predict) -> None:
    """Each of the four sends the same and ends with the whole object."""
    bench.script(reply(model))
    llm = bench.llm(model, system_prompt="You read.")
    found = await predict(llm, Book, PROMPT, topic="hunger")
    assert found[-1] == Book.model_validate(BOOK)
    (ask,) = bench.asks
    assert bench.messages[0] == [
        {"role": "system", "content": "You read."},
        {"role": "user", "content": "Name a book about hunger."},
    ]
    if model == TOOL:
        (tool,) = ask.tools
        assert tool["function"]["name"] == "Book"
        assert "$defs" in tool["function"]["parameters"]
        assert tool["function"]["parameters"]["required"] == ["title", "year"]
        assert ask.forced_tool == "named"
        assert ask.thinking is False
        assert not ask.response_format
    else:
        assert ask.response_format["type"] == "json_schema"
        asked: Any = ask.response_format["json_schema"]
        assert (asked["name"], asked["description"]) == ("Book", "A book.")
        assert asked["schema"]["required"] == ["title", "year"]
        assert not ask.tools


@ALL
async def test_nobody_scripted_it(bench: Bench, predict: Predict) -> None:
    """The emulator plays the model by its rules, forced tool and all."""
    found = await predict(bench.llm(TOOL), Book, PROMPT, topic="1890")
    assert isinstance(found[-1], Book)
    assert found[-1].year == 1890
    assert len(bench.asks) == 1


class Shelf(RootModel[list[Book]]):
    """Books, with nothing around them."""


@ALL
@pytest.mark.parametrize("fence", ["", "```"])
async def test_a_list_at_the_root_comes_back(
    bench: Bench, predict: Predict, fence: str
) -> None:
    bench.script(reply(SCHEMA, f"{fence}[{TEXT}, {TEXT}]{fence}"))
    found = await predict(bench.llm(SCHEMA), Shelf, PROMPT, topic="hunger")
    assert found[-1] == Shelf.model_validate([BOOK, BOOK])


@STREAMS
@MODELS
async def test_objects_grow_and_none_is_blank(
    bench: Bench, model: str, predict: Predict
) -> None:
    bench.script(reply(model))
    found = await predict(bench.llm(model), Book, PROMPT, topic="hunger")
    assert len(found) > 3
    assert all(isinstance(it, Book | FlexibleModel) for it in found)
    assert all(it.model_dump(exclude_none=True) for it in found)
    titles = [it.title for it in found]
    assert all("Sult".startswith(it or "") for it in titles)
    years = [it.year for it in found]
    assert years[0] is None
    assert type(found[-1]) is Book
    assert not any(a == b for a, b in pairwise(found))


@ALL
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"title": "Sult"}', "not a Book: 1 validation error.*year"),
        ('{"title": "Sult", "ye', "not a Book.*cut off: raise max_tokens"),
        ("I know none.", "not a Book: it holds no JSON object.*I know none"),
        ("", "not a Book"),
    ],
)
async def test_what_is_not_the_object_is_an_error(
    bench: Bench, text: str, words: str, predict: Predict
) -> None:
    """Never a blank object, whole or streamed, and it says what was answered."""
    reason = "length" if text.endswith('"ye') else None
    bench.script(Reply(text=text, finish_reason=reason))
    with pytest.raises(ValueError, match=f"(?s){words}"):
        await predict(bench.llm(SCHEMA), Book, PROMPT, topic="hunger")


@ALL
async def test_an_answer_without_the_call_is_an_error(
    bench: Bench, predict: Predict
) -> None:
    bench.script(Reply(text="I know none."))
    with pytest.raises(ValueError, match=r"not a Book: it .*I know none"):
        await predict(bench.llm(TOOL), Book, PROMPT, topic="hunger")


@pytest.mark.parametrize(
    "text", [f"```json\n{TEXT}\n```", f"Here it is:\n{TEXT}", f"{TEXT}\n\nEnjoy!"]
)
async def test_json_between_other_words_is_found(bench: Bench, text: str) -> None:
    bench.script(Reply(text=text), Reply(text=text))
    for predict in (whole, streamed):
        found = await predict(bench.llm(SCHEMA), Book, PROMPT, topic="hunger")
        assert found[-1] == Book.model_validate(BOOK)


Item = TypeVar("Item")


class Box(BaseModel, Generic[Item]):
    """A box."""

    item: Item


@MODELS
async def test_the_name_of_a_generic_is_one_that_the_service_takes(
    bench: Bench, model: str
) -> None:
    bench.script(
        Reply(text='{"item": 3}', tool_calls=[ToolCall("Box_int_", {"item": 3})])
    )
    assert bench.llm(model).structured_predict(Box[int], PROMPT) == Box[int](item=3)
    body = str(bench.asks[0].body)
    assert "'name': 'Box_int_'" in body


# --- Thinking ---------------------------------------------------------------------


@ALL
async def test_a_forced_tool_costs_one_requests_thinking(
    bench: Bench, predict: Predict, caplog: pytest.LogCaptureFixture
) -> None:
    """``disable_thinking``: that request alone, and never the instance."""
    caplog.set_level(logging.INFO)
    bench.script(reply(TOOL), Reply(reasoning="Hm.", text="Hi."))
    llm = bench.llm(TOOL, enable_thinking=True, reasoning_effort="high")
    before = llm.to_dict()
    await predict(llm, Book, PROMPT, topic="hunger")
    llm.chat(HI)
    assert bench.sent(lambda it: it.thinking) == [False, True]
    assert llm.to_dict() == before


@ALL
async def test_the_policy_auto_keeps_thinking(bench: Bench, predict: Predict) -> None:
    """It warns and sends ``auto``, and an answer without a call is an error."""
    bench.script(reply(TOOL, reasoning="A book."), Reply(text="I know none."))
    llm = bench.llm(TOOL, enable_thinking=True, forced_tool_choice="auto")
    with pytest.warns(UserWarning, match="tool_choice='auto' is sent"):
        found = await predict(llm, Book, PROMPT, topic="hunger")
    assert found[-1] == Book.model_validate(BOOK)
    with (
        pytest.warns(UserWarning, match="tool_choice='auto' is sent"),
        pytest.raises(errors.ToolChoiceError),
    ):
        await predict(llm, Book, PROMPT, topic="hunger")
    assert bench.sent(lambda it: it.thinking) == [True, True]
    assert bench.sent(lambda it: it.body["tool_choice"]) == ["auto", "auto"]


@ALL
async def test_the_policy_error_sends_nothing(bench: Bench, predict: Predict) -> None:
    llm = bench.llm(TOOL, enable_thinking=True, forced_tool_choice="error")
    with pytest.raises(
        errors.ConfigurationError,
        match="forced to call a tool while",
    ):
        await predict(llm, Book, PROMPT, topic="hunger")
    assert bench.asks == []


@ALL
async def test_a_model_that_only_thinks_is_asked_with_auto(
    bench: Bench, predict: Predict
) -> None:
    bench.script(reply(TOOL, reasoning="A book."))
    with pytest.warns(UserWarning, match="tool_choice='auto' is sent"):
        found = await predict(bench.llm("qwq-plus"), Book, PROMPT, topic="hunger")
    assert found[-1] == Book.model_validate(BOOK)
    assert bench.asks[0].thinking
    assert bench.asks[0].stream


async def test_the_way_follows_what_the_call_says_of_thinking(bench: Bench) -> None:
    """A model that takes a schema only while it does not think gets the tool else."""
    bench.script(reply(SCHEMA), reply(TOOL))
    llm = bench.llm("qwen3.7-plus")
    off = {"enable_thinking": False}
    llm.structured_predict(Book, PROMPT, off, topic="hunger")
    llm.structured_predict(Book, PROMPT, topic="hunger")
    assert [bool(it.response_format) for it in bench.asks] == [True, False]
    assert [bool(it.tools) for it in bench.asks] == [False, True]


@ALL
async def test_a_json_mode_of_the_users_own_keeps_thinking(
    bench: Bench, predict: Predict
) -> None:
    """The schema is then said in words, and the caller's prompt stays as it was."""
    bench.script(Reply(reasoning="A book.", text=TEXT))
    llm = bench.llm("qwen3.7-plus", enable_thinking=True)
    json_mode = {"response_format": {"type": "json_object"}}
    prompt = ChatPromptTemplate(HI)
    found = await predict(llm, Book, prompt, json_mode)
    assert found[-1] == Book.model_validate(BOOK)
    assert bench.asks[0].thinking is True
    assert '"title": {"title": "Title", "type": "string"}' in str(bench.messages[0])
    assert HI[0].content == "Name a book. Use {braces} and {{more}}."
    assert prompt.output_parser is None


# --- Modes ------------------------------------------------------------------------


@ALL
@pytest.mark.parametrize(
    ("mode", "asked"), [("function", "tools"), ("llm", "messages"), ("default", "rf")]
)
async def test_the_program_mode_wins(
    bench: Bench, mode: str, asked: str, predict: Predict
) -> None:
    bench.script(reply(TOOL if asked == "tools" else SCHEMA))
    llm = bench.llm(SCHEMA, pydantic_program_mode=mode)
    found = await predict(llm, Book, PROMPT, topic="hunger")
    assert found[-1] == Book.model_validate(BOOK)
    (ask,) = bench.asks
    assert bool(ask.tools) is (asked == "tools")
    assert bool(ask.response_format) is (asked == "rf")
    assert ("JSON schema" in str(ask.messages)) is (asked == "messages")


@ALL
async def test_a_mode_of_another_package_is_left_to_llamaindex(
    bench: Bench, predict: Predict
) -> None:
    llm = bench.llm(SCHEMA, pydantic_program_mode="openai")
    with pytest.raises(ImportError):
        await predict(llm, Book, PROMPT, topic="hunger")


async def test_a_model_without_tools_is_asked_in_words(bench: Bench) -> None:
    bench.script(Reply(text=TEXT))
    llm = bench.llm(TOOL, is_function_calling_model=False)
    found = llm.structured_predict(Book, PROMPT, topic="hunger")
    assert found == Book.model_validate(BOOK)
    assert not bench.asks[0].tools


async def test_a_bad_argument_is_refused_before_anything_is_sent(bench: Bench) -> None:
    with pytest.raises(errors.ConfigurationError, match="temprature"):
        bench.llm(TOOL).structured_predict(Book, PROMPT, {"temprature": 1})
    assert bench.asks == []


# --- LlamaIndex's own program -----------------------------------------------------


def program(llm: ModelStudio) -> FunctionCallingProgram[Any]:
    return FunctionCallingProgram.from_defaults(
        output_cls=Book, llm=llm, prompt_template_str="Name a book about {topic}."
    )


@pytest.mark.parametrize("colour", ["call", "acall", "stream_call", "astream_call"])
async def test_a_function_program_forces_its_tool(bench: Bench, colour: str) -> None:
    """Selectors and synthesizers make one; its streams forget to require the tool."""
    bench.script(reply(TOOL))
    llm = bench.llm(TOOL, enable_thinking=True)
    made = program(llm)
    match colour:
        case "call":
            found = made(topic="hunger")
        case "acall":
            found = await made.acall(topic="hunger")
        case "stream_call":
            *_, found = made.stream_call(topic="hunger")
        case _:
            stream = await made.astream_call(topic="hunger")
            *_, found = [it async for it in stream]
    assert found == Book.model_validate(BOOK)
    assert bench.asks[0].forced_tool == "named"
    assert bench.asks[0].thinking is False


def test_a_stream_of_other_tools_forces_none(bench: Bench) -> None:
    """A ``tool_choice`` of None is no choice, and only a program's tool is required."""

    def weather(city: str) -> str:
        """Tell the weather."""
        return city

    bench.script(Reply(text="Hi."), Reply(text="Hi."))
    tool = FunctionTool.from_defaults(weather)
    list(bench.llm().stream_chat_with_tools([tool], "Hi", tool_choice=None))
    bench.llm().chat_with_tools([tool], "Hi", tool_choice=None)
    assert ["tool_choice" in it.body for it in bench.asks] == [False, False]


# --- Observers --------------------------------------------------------------------


class Seen(BaseEventHandler):
    """Keep every event."""

    seen: list[BaseEvent] = Field(default_factory=list[BaseEvent])

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:  # noqa: ARG002 - LlamaIndex's
        self.seen.append(event)


@ALL
async def test_observers_see_a_prediction_and_its_tokens_once(
    bench: Bench, predict: Predict
) -> None:
    bench.script(reply(TOOL))
    counter = TokenCountingHandler(tokenizer=str.split)
    handler = Seen()
    dispatcher = get_dispatcher()
    dispatcher.add_event_handler(handler)
    try:
        llm = bench.llm(TOOL, callback_manager=CallbackManager([counter]))
        await predict(llm, Book, PROMPT, topic="hunger")
    finally:
        dispatcher.event_handlers.remove(handler)
    assert len(counter.llm_token_counts) == 1
    assert counter.prompt_llm_token_count > 5
    kinds = [type(it) for it in handler.seen]
    assert kinds.count(LLMStructuredPredictStartEvent) == 1
    assert kinds.count(LLMStructuredPredictEndEvent) == 1
    assert (LLMStructuredPredictInProgressEvent in kinds) is (
        predict in (streamed, astreamed)
    )


@STREAMS
async def test_the_schema_is_made_once_a_stream(
    bench: Bench, predict: Predict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs more than the rest of what is done for a piece."""
    made: list[str] = []
    make = Book.model_json_schema

    def count(*args: Any, **kwargs: Any) -> dict[str, Any]:
        made.append("schema")
        return make(*args, **kwargs)

    monkeypatch.setattr(Book, "model_json_schema", count)
    bench.script(reply(SCHEMA, pieces=list(TEXT)))
    found = await predict(bench.llm(SCHEMA), Book, PROMPT, topic="hunger")
    assert found[-1] == Book.model_validate(BOOK)
    assert len(made) == 1
