"""Engines, selectors and evaluators with a thinking model, over both protocols."""

# LlamaIndex has half of the types for its engines.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document, Settings, SummaryIndex, VectorStoreIndex
from llama_index.core.chat_engine import CondensePlusContextChatEngine
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.evaluation import (
    BaseEvaluator,
    CorrectnessEvaluator,
    FaithfulnessEvaluator,
    GuidelineEvaluator,
    PairwiseComparisonEvaluator,
    RelevancyEvaluator,
)
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
    LLMCompletionEndEvent,
)
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.query_engine import RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.response_synthesizers import (
    ResponseMode,
    get_response_synthesizer,
)
from llama_index.core.selectors import (
    LLMMultiSelector,
    LLMSingleSelector,
    PydanticMultiSelector,
    PydanticSingleSelector,
)
from llama_index.core.tools import QueryEngineTool
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel, Field

from llamaindex_modelstudio import ModelStudio
from modelstudio_core.emulator import Reply, ToolCall
from tests.llamaindex.bench import Bench

THINKERS = pytest.mark.parametrize("model", ["deepseek-v4-pro", "qwen3.7-plus"])
COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])
# What would break each of them if it were in the answer.
THOUGHT = '[1] {"x": 2}\nAnswer: NO [[B]]'


class Watch(BaseEventHandler):
    """Keeps what was thought in each answer."""

    thought: list[str] = Field(default_factory=list[str])

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:  # noqa: ARG002 - LlamaIndex's
        if isinstance(event, LLMChatEndEvent) and event.response is not None:
            extra = event.response.message.additional_kwargs
            self.thought.append(extra.get("reasoning_content", ""))
        if isinstance(event, LLMCompletionEndEvent):
            self.thought.append(event.response.additional_kwargs["reasoning_content"])
        if isinstance(event, LLMChatInProgressEvent):
            assert "thinking_delta" in event.response.additional_kwargs


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Need no network: neither a tokenizer's file nor an embedding model."""
    monkeypatch.setattr(Settings, "_tokenizer", str.split)
    monkeypatch.setattr(Settings, "_embed_model", MockEmbedding(embed_dim=3))


@pytest.fixture
def watch() -> Any:
    handler, dispatcher = Watch(), get_dispatcher()
    dispatcher.add_event_handler(handler)
    yield handler
    dispatcher.event_handlers.remove(handler)


def thinker(bench: Bench, model: str, **arguments: Any) -> ModelStudio:
    return bench.llm(model, enable_thinking=True, **arguments)


def index(text: str) -> SummaryIndex:
    return SummaryIndex.from_documents([Document(text=text)])


def tools(llm: ModelStudio) -> list[QueryEngineTool]:
    """Make an engine of Oslo and one of Rome."""
    return [
        QueryEngineTool.from_defaults(
            query_engine=index(f"{name} is {weather}.").as_query_engine(llm=llm),
            name=name,
            description=f"Knows {name}",
        )
        for name, weather in (("Oslo", "rainy"), ("Rome", "sunny"))
    ]


async def query(engine: Any, colour: str, question: str = "How is Rome?") -> Any:
    if colour == "sync":
        return engine.query(question)
    return await engine.aquery(question)


# --- Routers ----------------------------------------------------------------------

SELECTION = '{"index": 2, "reason": "It is Rome."}'
CHOICE = '[{"choice": 2, "reason": "It is Rome."}]'


@THINKERS
@COLOURS
async def test_a_router_selects_with_a_forced_tool(
    bench: Bench, model: str, colour: str, watch: Watch
) -> None:
    """The selection alone does without thinking: of two requests the second thinks."""
    llm = thinker(bench, model)
    bench.script(
        Reply(tool_calls=[ToolCall("SingleSelection", SELECTION)]),
        Reply(reasoning=THOUGHT, text="Sunny."),
    )
    engine = RouterQueryEngine.from_defaults(
        tools(llm), llm=llm, selector=PydanticSingleSelector.from_defaults(llm=llm)
    )
    assert str(await query(engine, colour)) == "Sunny."
    assert bench.sent(lambda it: it.forced_tool) == ["named", None]
    assert bench.sent(lambda it: it.thinking) == [False, True]
    assert "Rome is sunny." in str(bench.messages[1])
    assert watch.thought == ["", THOUGHT]


@THINKERS
@COLOURS
async def test_a_router_selects_from_the_answers_text(
    bench: Bench, model: str, colour: str, watch: Watch
) -> None:
    llm = thinker(bench, model)
    bench.script(
        Reply(reasoning=THOUGHT, text=CHOICE), Reply(reasoning=THOUGHT, text="Sunny.")
    )
    engine = RouterQueryEngine.from_defaults(
        tools(llm), llm=llm, selector=LLMSingleSelector.from_defaults(llm=llm)
    )
    assert str(await query(engine, colour)) == "Sunny."
    assert bench.sent(lambda it: it.thinking) == [True, True]
    assert watch.thought == [THOUGHT, THOUGHT]


@THINKERS
def test_a_router_of_its_own_choice_takes_the_tool(bench: Bench, model: str) -> None:
    """LlamaIndex's default selector of a model that calls tools."""
    llm = thinker(bench, model)
    bench.script(
        Reply(tool_calls=[ToolCall("SingleSelection", SELECTION)]),
        Reply(reasoning=THOUGHT, text="Sunny."),
    )
    engine = RouterQueryEngine.from_defaults(tools(llm), llm=llm)
    assert str(engine.query("How is Rome?")) == "Sunny."
    assert len(bench.asks) == 2


@THINKERS
def test_a_router_asks_several_engines(bench: Bench, model: str) -> None:
    """One selector with a tool, one with text; two answers are summed up."""
    llm = thinker(bench, model)
    one, two = '{"index": 1, "reason": ""}', '{"index": 2, "reason": ""}'
    selections = f'{{"selections": [{one}, {two}]}}'
    choices = '[{"choice": 1, "reason": ""}, {"choice": 2, "reason": ""}]'
    answers = [Reply(reasoning=THOUGHT, text=it) for it in ("Rain.", "Sun.", "Both.")]
    bench.script(
        Reply(tool_calls=[ToolCall("MultiSelection", selections)]),
        *answers,
        Reply(reasoning=THOUGHT, text=choices),
        *answers,
    )
    for selector in (PydanticMultiSelector, LLMMultiSelector):
        engine = RouterQueryEngine.from_defaults(
            tools(llm), llm=llm, selector=selector.from_defaults(llm=llm)
        )
        assert str(engine.query("How are they?")) == "Both."
    assert len(bench.asks) == 8


def test_a_selector_of_a_model_that_only_thinks_asks_with_auto(bench: Bench) -> None:
    llm = bench.llm("qwq-plus")
    bench.script(
        Reply(reasoning=THOUGHT, tool_calls=[ToolCall("SingleSelection", SELECTION)])
    )
    selector = PydanticSingleSelector.from_defaults(llm=llm)
    described = [tool.metadata for tool in tools(llm)]
    with pytest.warns(UserWarning, match="tool_choice='auto' is sent"):
        assert selector.select(described, "How is Rome?").ind == 1
    assert bench.asks[0].thinking


# --- Sub-questions ----------------------------------------------------------------


@THINKERS
@COLOURS
async def test_sub_questions_are_read_from_the_answer(
    bench: Bench, model: str, colour: str, watch: Watch
) -> None:
    """One request for the questions, one for each of them, one for the answer."""
    llm = thinker(bench, model)
    asked = '{"items": [{"sub_question": "Rome?", "tool_name": "Rome"}]}'
    bench.script(
        Reply(reasoning=THOUGHT, text=f"```json\n{asked}\n```"),
        Reply(reasoning=THOUGHT, text="Sunny."),
        Reply(reasoning=THOUGHT, text="Rome is sunny."),
    )
    engine = SubQuestionQueryEngine.from_defaults(
        tools(llm),
        llm=llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        response_synthesizer=get_response_synthesizer(llm=llm),
        verbose=False,
        use_async=False,
    )
    assert str(await query(engine, colour)) == "Rome is sunny."
    assert len(bench.asks) == 3
    assert watch.thought == [THOUGHT] * 3
    assert all(THOUGHT not in str(it) for it in bench.messages)


# --- Chat engines -----------------------------------------------------------------


def engine_of(llm: ModelStudio) -> CondensePlusContextChatEngine:
    built = VectorStoreIndex.from_documents([Document(text="Oslo is rainy.")])
    return CondensePlusContextChatEngine.from_defaults(
        built.as_retriever(),
        llm=llm,
        memory=ChatMemoryBuffer.from_defaults(tokenizer_fn=str.split, token_limit=9999),
    )


async def talk(engine: Any, colour: str, text: str) -> str:
    match colour:
        case "sync":
            return str(engine.chat(text))
        case "async":
            return str(await engine.achat(text))
        case "stream":
            return "".join(engine.stream_chat(text).response_gen)
        case _:
            stream = await engine.astream_chat(text)
            return "".join([it async for it in stream.async_response_gen()])


@THINKERS
@pytest.mark.parametrize("colour", ["sync", "async", "stream", "astream"])
async def test_a_chat_engine_condenses_and_answers(
    bench: Bench, model: str, colour: str, watch: Watch
) -> None:
    """Two turns, three requests; the text of each turn is its answer alone."""
    bench.script(
        Reply(reasoning=THOUGHT, text="It rains."),
        Reply(reasoning=THOUGHT, text="Why does it rain in Oslo?"),
        Reply(reasoning=THOUGHT, text="The sea is near."),
    )
    engine = engine_of(thinker(bench, model))
    assert await talk(engine, colour, "How is Oslo?") == "It rains."
    assert await talk(engine, colour, "Why?") == "The sea is near."
    assert len(bench.asks) == 3
    assert watch.thought == [THOUGHT] * 3
    assert "Oslo is rainy." in bench.messages[0][0]["content"]
    said = [it["content"] for it in bench.messages[2] if it["role"] == "assistant"]
    assert said == ["It rains."]
    assert "It rains." in str(bench.messages[1])
    assert THOUGHT not in str(bench.messages)


# --- Evaluators -------------------------------------------------------------------

EVALUATORS: list[tuple[Callable[[Any], BaseEvaluator], str, dict[str, Any]]] = [
    (lambda llm: CorrectnessEvaluator(llm=llm), "4.0\nGood.", {"reference": "Rain"}),
    (lambda llm: FaithfulnessEvaluator(llm=llm), "YES", {}),
    (lambda llm: RelevancyEvaluator(llm=llm), "YES", {}),
    (
        lambda llm: GuidelineEvaluator(llm=llm),
        '{"passing": true, "feedback": "Fine."}',
        {},
    ),
    (
        lambda llm: PairwiseComparisonEvaluator(llm=llm, enforce_consensus=False),
        "Mine is better. [[A]]",
        {"second_response": "Sun"},
    ),
]


@THINKERS
@pytest.mark.parametrize(
    "judge",
    EVALUATORS,
    ids=["correctness", "faithfulness", "relevancy", "guideline", "pairwise"],
)
async def test_an_evaluator_reads_the_verdict_and_not_the_reasoning(
    bench: Bench, model: str, judge: Any, watch: Watch
) -> None:
    """What is thought says the contrary."""
    make, text, more = judge
    bench.script(Reply(reasoning=THOUGHT, text=text))
    verdict = await make(thinker(bench, model)).aevaluate(
        query="How is Oslo?", response="Rain", contexts=["Oslo is rainy."], **more
    )
    assert verdict.passing is True
    assert len(bench.asks) == 1
    assert watch.thought == [THOUGHT]


# --- Synthesizers -----------------------------------------------------------------


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    rain: bool


MODES = [
    ResponseMode.COMPACT,
    ResponseMode.REFINE,
    ResponseMode.TREE_SUMMARIZE,
    ResponseMode.SIMPLE_SUMMARIZE,
]


@COLOURS
@pytest.mark.parametrize("mode", MODES)
async def test_an_engine_streams_the_answer_and_not_the_reasoning(
    bench: Bench, mode: ResponseMode, colour: str, watch: Watch
) -> None:
    bench.script(Reply(reasoning=THOUGHT, text="It rains in Oslo."))
    llm = thinker(bench, "deepseek-v4-pro")
    engine = index("Oslo is rainy.").as_query_engine(
        llm=llm, response_mode=mode, streaming=True
    )
    response = await query(engine, colour)
    if colour == "sync":
        text = "".join(response.response_gen)
    else:
        text = "".join([it async for it in response.response_gen])
    assert text == "It rains in Oslo."
    assert watch.thought == [THOUGHT]
    assert len(bench.asks) == 1


@COLOURS
@pytest.mark.parametrize("mode", [ResponseMode.COMPACT, ResponseMode.TREE_SUMMARIZE])
async def test_an_engine_answers_with_an_object(
    bench: Bench, mode: ResponseMode, colour: str
) -> None:
    bench.script(
        Reply(tool_calls=[ToolCall("Weather", {"city": "Oslo", "rain": True})])
    )
    engine = index("Oslo is rainy.").as_query_engine(
        llm=thinker(bench, "deepseek-v4-pro"), response_mode=mode, output_cls=Weather
    )
    response = await query(engine, colour)
    assert response.response == Weather(city="Oslo", rain=True)
    assert bench.sent(lambda it: it.forced_tool) == ["named"]


@COLOURS
@pytest.mark.parametrize("streaming", [False, True])
async def test_a_filter_of_answers_forces_its_tool(
    bench: Bench, colour: str, streaming: bool
) -> None:
    """LlamaIndex streams it without requiring the tool: then it finds no answer."""
    answer = {"answer": "It rains.", "query_satisfied": True}
    bench.script(Reply(tool_calls=[ToolCall("StructuredRefineResponse", answer)]))
    synthesizer = get_response_synthesizer(
        llm=thinker(bench, "deepseek-v4-pro"),
        response_mode=ResponseMode.REFINE,
        structured_answer_filtering=True,
        streaming=streaming,
    )
    call: Any = (
        synthesizer.get_response if colour == "sync" else synthesizer.aget_response
    )
    response = call("How is Oslo?", ["Oslo is rainy."])
    if colour == "async":
        response = await response
    if streaming and colour == "sync":
        response = [*response][-1]
    elif streaming:
        response = [it async for it in response][-1]
    assert bench.sent(lambda it: it.forced_tool) == ["named"]
    assert response == "It rains."
