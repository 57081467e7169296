"""LlamaIndex's engines and evaluators with a thinking model, over both protocols."""

# LlamaIndex types only some attributes of its engines.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Callable, Iterator
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
from tests.llamaindex.support import (
    SYNC_AND_ASYNC,
    THINKING_MODELS,
    EmulatedService,
    chat_memory,
)
from tests.support.fast_paths import NEEDS_FAST_PATHS

# Text that each of the parsers would read if it were in the answer.
REASONING = '[1] {"x": 2}\nAnswer: NO [[B]]'


class ReasoningRecorder(BaseEventHandler):
    """Keeps the reasoning of each answer."""

    reasoning: list[str] = Field(default_factory=list[str])

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:  # noqa: ARG002 - LlamaIndex's signature
        if isinstance(event, LLMChatEndEvent) and event.response is not None:
            extra = event.response.message.additional_kwargs
            self.reasoning.append(extra.get("reasoning_content", ""))
        if isinstance(event, LLMCompletionEndEvent):
            extra = event.response.additional_kwargs
            self.reasoning.append(extra["reasoning_content"])
        if isinstance(event, LLMChatInProgressEvent):
            assert "thinking_delta" in event.response.additional_kwargs


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the tokenizer and the embedding model, which need the network."""
    monkeypatch.setattr(Settings, "_tokenizer", str.split)
    monkeypatch.setattr(Settings, "_embed_model", MockEmbedding(embed_dim=3))


@pytest.fixture
def recorder() -> Iterator[ReasoningRecorder]:
    recorder, dispatcher = ReasoningRecorder(), get_dispatcher()
    dispatcher.add_event_handler(recorder)
    yield recorder
    dispatcher.event_handlers.remove(recorder)


def thinking_llm(service: EmulatedService, model: str, **arguments: Any) -> ModelStudio:
    return service.llm(model, enable_thinking=True, **arguments)


def index(text: str) -> SummaryIndex:
    return SummaryIndex.from_documents([Document(text=text)])


def tools(llm: ModelStudio) -> list[QueryEngineTool]:
    """Return an engine for Oslo and one for Rome."""
    return [
        QueryEngineTool.from_defaults(
            query_engine=index(f"{name} is {weather}.").as_query_engine(llm=llm),
            name=name,
            description=f"Knows {name}",
        )
        for name, weather in (("Oslo", "rainy"), ("Rome", "sunny"))
    ]


async def query(engine: Any, question: str = "How is Rome?", *, is_async: bool) -> Any:
    if is_async:
        return await engine.aquery(question)
    return engine.query(question)


# --- Routers ----------------------------------------------------------------------

SELECTION = '{"index": 2, "reason": "It is Rome."}'
CHOICE = '[{"choice": 2, "reason": "It is Rome."}]'


@THINKING_MODELS
@SYNC_AND_ASYNC
async def test_a_router_selects_with_a_forced_tool(
    service: EmulatedService, model: str, is_async: bool, recorder: ReasoningRecorder
) -> None:
    """The selection does not think; the second request does."""
    llm = thinking_llm(service, model)
    service.script(
        Reply(tool_calls=[ToolCall("SingleSelection", SELECTION)]),
        Reply(reasoning=REASONING, text="Sunny."),
    )
    engine = RouterQueryEngine.from_defaults(
        tools(llm), llm=llm, selector=PydanticSingleSelector.from_defaults(llm=llm)
    )
    assert str(await query(engine, is_async=is_async)) == "Sunny."
    assert service.values(lambda request: request.forced_tool) == ["named", None]
    assert service.values(lambda request: request.thinking) == [False, True]
    assert "Rome is sunny." in str(service.messages[1])
    assert recorder.reasoning == ["", REASONING]


@THINKING_MODELS
@SYNC_AND_ASYNC
async def test_a_router_selects_from_the_text_of_the_answer(
    service: EmulatedService, model: str, is_async: bool, recorder: ReasoningRecorder
) -> None:
    llm = thinking_llm(service, model)
    service.script(
        Reply(reasoning=REASONING, text=CHOICE),
        Reply(reasoning=REASONING, text="Sunny."),
    )
    engine = RouterQueryEngine.from_defaults(
        tools(llm), llm=llm, selector=LLMSingleSelector.from_defaults(llm=llm)
    )
    assert str(await query(engine, is_async=is_async)) == "Sunny."
    assert service.values(lambda request: request.thinking) == [True, True]
    assert recorder.reasoning == [REASONING, REASONING]


@THINKING_MODELS
def test_the_default_selector_of_a_router_uses_a_tool(
    service: EmulatedService, model: str
) -> None:
    """For a model that supports tools."""
    llm = thinking_llm(service, model)
    service.script(
        Reply(tool_calls=[ToolCall("SingleSelection", SELECTION)]),
        Reply(reasoning=REASONING, text="Sunny."),
    )
    engine = RouterQueryEngine.from_defaults(tools(llm), llm=llm)
    assert str(engine.query("How is Rome?")) == "Sunny."
    assert len(service.requests) == 2


@THINKING_MODELS
def test_a_router_combines_several_engines(
    service: EmulatedService, model: str
) -> None:
    """One selector uses a tool, one uses text; a third answer combines two."""
    llm = thinking_llm(service, model)
    one, two = '{"index": 1, "reason": ""}', '{"index": 2, "reason": ""}'
    selections = f'{{"selections": [{one}, {two}]}}'
    choices = '[{"choice": 1, "reason": ""}, {"choice": 2, "reason": ""}]'
    answers = [
        Reply(reasoning=REASONING, text=text) for text in ("Rain.", "Sun.", "Both.")
    ]
    service.script(
        Reply(tool_calls=[ToolCall("MultiSelection", selections)]),
        *answers,
        Reply(reasoning=REASONING, text=choices),
        *answers,
    )
    for selector in (PydanticMultiSelector, LLMMultiSelector):
        engine = RouterQueryEngine.from_defaults(
            tools(llm), llm=llm, selector=selector.from_defaults(llm=llm)
        )
        assert str(engine.query("How are they?")) == "Both."
    assert len(service.requests) == 8


def test_a_selector_with_a_thinking_only_model_sends_auto(
    service: EmulatedService,
) -> None:
    llm = service.llm("qwq-plus")
    service.script(
        Reply(reasoning=REASONING, tool_calls=[ToolCall("SingleSelection", SELECTION)])
    )
    selector = PydanticSingleSelector.from_defaults(llm=llm)
    described = [tool.metadata for tool in tools(llm)]
    with pytest.warns(UserWarning, match="tool_choice='auto' is sent"):
        assert selector.select(described, "How is Rome?").ind == 1
    assert service.requests[0].thinking


# --- Sub-questions ----------------------------------------------------------------


@THINKING_MODELS
@SYNC_AND_ASYNC
async def test_sub_questions_are_parsed_from_the_answer(
    service: EmulatedService, model: str, is_async: bool, recorder: ReasoningRecorder
) -> None:
    """One request for the questions, one for each question, one for the answer."""
    llm = thinking_llm(service, model)
    questions = '{"items": [{"sub_question": "Rome?", "tool_name": "Rome"}]}'
    service.script(
        Reply(reasoning=REASONING, text=f"```json\n{questions}\n```"),
        Reply(reasoning=REASONING, text="Sunny."),
        Reply(reasoning=REASONING, text="Rome is sunny."),
    )
    engine = SubQuestionQueryEngine.from_defaults(
        tools(llm),
        llm=llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        response_synthesizer=get_response_synthesizer(llm=llm),
        verbose=False,
        use_async=False,
    )
    assert str(await query(engine, is_async=is_async)) == "Rome is sunny."
    assert len(service.requests) == 3
    assert recorder.reasoning == [REASONING] * 3
    assert all(REASONING not in str(messages) for messages in service.messages)


# --- Chat engines -----------------------------------------------------------------


def chat_engine(llm: ModelStudio) -> CondensePlusContextChatEngine:
    built = VectorStoreIndex.from_documents([Document(text="Oslo is rainy.")])
    return CondensePlusContextChatEngine.from_defaults(
        built.as_retriever(),
        llm=llm,
        memory=chat_memory(),
    )


async def talk(engine: Any, method: str, text: str) -> str:
    match method:
        case "chat":
            return str(engine.chat(text))
        case "achat":
            return str(await engine.achat(text))
        case "stream_chat":
            return "".join(engine.stream_chat(text).response_gen)
        case _:
            stream = await engine.astream_chat(text)
            return "".join([text async for text in stream.async_response_gen()])


@THINKING_MODELS
@pytest.mark.parametrize("method", ["chat", "achat", "stream_chat", "astream_chat"])
async def test_a_chat_engine_condenses_and_answers(
    service: EmulatedService, model: str, method: str, recorder: ReasoningRecorder
) -> None:
    """Two turns make three requests; the text of a turn has no reasoning."""
    service.script(
        Reply(reasoning=REASONING, text="It rains."),
        Reply(reasoning=REASONING, text="Why does it rain in Oslo?"),
        Reply(reasoning=REASONING, text="The sea is near."),
    )
    engine = chat_engine(thinking_llm(service, model))
    assert await talk(engine, method, "How is Oslo?") == "It rains."
    assert await talk(engine, method, "Why?") == "The sea is near."
    assert len(service.requests) == 3
    assert recorder.reasoning == [REASONING] * 3
    assert "Oslo is rainy." in service.messages[0][0]["content"]
    answers = [
        message["content"]
        for message in service.messages[2]
        if message["role"] == "assistant"
    ]
    assert answers == ["It rains."]
    assert "It rains." in str(service.messages[1])
    assert REASONING not in str(service.messages)


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


@THINKING_MODELS
@pytest.mark.parametrize(
    "evaluator",
    EVALUATORS,
    ids=["correctness", "faithfulness", "relevancy", "guideline", "pairwise"],
)
async def test_an_evaluator_ignores_the_reasoning(
    service: EmulatedService, model: str, evaluator: Any, recorder: ReasoningRecorder
) -> None:
    """The reasoning says the contrary."""
    build, text, arguments = evaluator
    service.script(Reply(reasoning=REASONING, text=text))
    result = await build(thinking_llm(service, model)).aevaluate(
        query="How is Oslo?", response="Rain", contexts=["Oslo is rainy."], **arguments
    )
    assert result.passing is True
    assert len(service.requests) == 1
    assert recorder.reasoning == [REASONING]


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


@SYNC_AND_ASYNC
@pytest.mark.parametrize("mode", MODES)
async def test_a_query_engine_streams_the_answer_without_reasoning(
    service: EmulatedService,
    mode: ResponseMode,
    is_async: bool,
    recorder: ReasoningRecorder,
) -> None:
    service.script(Reply(reasoning=REASONING, text="It rains in Oslo."))
    llm = thinking_llm(service, "deepseek-v4-pro")
    engine = index("Oslo is rainy.").as_query_engine(
        llm=llm, response_mode=mode, streaming=True
    )
    response = await query(engine, is_async=is_async)
    if is_async:
        text = "".join([delta async for delta in response.response_gen])
    else:
        text = "".join(response.response_gen)
    assert text == "It rains in Oslo."
    assert recorder.reasoning == [REASONING]
    assert len(service.requests) == 1


@SYNC_AND_ASYNC
@pytest.mark.parametrize("mode", [ResponseMode.COMPACT, ResponseMode.TREE_SUMMARIZE])
async def test_a_query_engine_returns_an_object(
    service: EmulatedService, mode: ResponseMode, is_async: bool
) -> None:
    service.script(
        Reply(tool_calls=[ToolCall("Weather", {"city": "Oslo", "rain": True})])
    )
    engine = index("Oslo is rainy.").as_query_engine(
        llm=thinking_llm(service, "deepseek-v4-pro"),
        response_mode=mode,
        output_cls=Weather,
    )
    response = await query(engine, is_async=is_async)
    assert response.response == Weather(city="Oslo", rain=True)
    assert service.values(lambda request: request.forced_tool) == ["named"]


@NEEDS_FAST_PATHS
@SYNC_AND_ASYNC
@pytest.mark.parametrize("streaming", [False, True])
async def test_structured_answer_filtering_forces_its_tool(
    service: EmulatedService, is_async: bool, streaming: bool
) -> None:
    """LlamaIndex itself does not require the tool when it streams."""
    answer = {"answer": "It rains.", "query_satisfied": True}
    service.script(Reply(tool_calls=[ToolCall("StructuredRefineResponse", answer)]))
    synthesizer = get_response_synthesizer(
        llm=thinking_llm(service, "deepseek-v4-pro"),
        response_mode=ResponseMode.REFINE,
        structured_answer_filtering=True,
        streaming=streaming,
    )
    arguments: Any = ("How is Oslo?", ["Oslo is rainy."])
    response: Any
    if is_async:
        response = await synthesizer.aget_response(*arguments)
    else:
        response = synthesizer.get_response(*arguments)
    if streaming and is_async:
        response = [text async for text in response][-1]
    elif streaming:
        response = [*response][-1]
    assert service.values(lambda request: request.forced_tool) == ["named"]
    assert response == "It rains."
