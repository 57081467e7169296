"""Agents: loops of a thinking model against the emulator, over both protocols."""

# LlamaIndex has half of the types for its agents.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
)
from llama_index.core.base.llms.types import ChatMessage, TextBlock, ThinkingBlock
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import create_async_engine

from modelstudio_core.emulator import Reply, ToolCall
from tests.llamaindex.bench import Bench

# LlamaIndex looks at all attributes of its agents, deprecated ones included.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pydantic.warnings.PydanticDeprecatedSince20",
    "ignore::pydantic.warnings.PydanticDeprecatedSince211",
    "ignore:is_running called from within a step:DeprecationWarning",
)
THINKERS = ["deepseek-v4-pro", "qwen3.7-plus"]


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Rain in {city}"


def clock() -> str:
    """Tell the time."""
    return "Noon"


@dataclass
class Run:
    """What came out of an agent."""

    output: AgentOutput
    thinking: list[str] = field(default_factory=list[str])
    text: list[str] = field(default_factory=list[str])
    agents: list[str] = field(default_factory=list[str])
    raws: list[Any] = field(default_factory=list[Any])

    @property
    def thought(self) -> str:
        return "".join(self.thinking)


async def run(agent: Any, question: str = "How is Oslo?", **arguments: Any) -> Run:
    """Run an agent to its end and collect what it streams."""
    handler = agent.run(user_msg=question, **arguments)
    thinking: list[str] = []
    text: list[str] = []
    agents: list[str] = []
    raws: list[Any] = []
    async for event in handler.stream_events():
        if isinstance(event, AgentStream):
            thinking.append(event.thinking_delta or "")
            text.append(event.delta)
            agents.append(event.current_agent_name)
            raws.append(event.raw)
    return Run(await handler, thinking, text, agents, raws)


def memory() -> ChatMemoryBuffer:
    return ChatMemoryBuffer.from_defaults(tokenizer_fn=str.split, token_limit=9999)


TWO_STEPS = [
    Reply(
        reasoning="Two cities.",
        tool_calls=[
            ToolCall("weather", {"city": "Oslo"}, id="call_a"),
            ToolCall("weather", {"city": "Rome"}, id="call_b"),
        ],
    ),
    Reply(reasoning="And when?", tool_calls=[ToolCall("clock", "", id="call_c")]),
    Reply(reasoning="Enough.", text="Rain in both at noon."),
]


def check_two_steps(bench: Bench) -> None:
    """See that each step was sent back with what was thought before it."""
    assert len(bench.messages) == 3
    *_, first, oslo, rome, second, noon = bench.messages[2]
    assert first["reasoning_content"] == "Two cities."
    assert [it["id"] for it in first["tool_calls"]] == ["call_a", "call_b"]
    assert (oslo["tool_call_id"], oslo["content"]) == ("call_a", "Rain in Oslo")
    assert (rome["tool_call_id"], rome["content"]) == ("call_b", "Rain in Rome")
    assert second["reasoning_content"] == "And when?"
    assert second["tool_calls"][0]["function"]["arguments"] == "{}"
    assert noon["content"] == "Noon"
    assert bench.messages[2][: len(bench.messages[1])] == bench.messages[1]
    assert bench.sent(lambda it: it.thinking) == [True] * 3


@pytest.mark.parametrize("model", THINKERS)
async def test_a_function_agent_thinks_in_each_of_its_steps(
    bench: Bench, model: str
) -> None:
    """Several steps and parallel calls; what was thought is streamed and sent back."""
    bench.script(*TWO_STEPS)
    llm = bench.llm(model, enable_thinking=True)
    ran = await run(FunctionAgent(tools=[weather, clock], llm=llm), memory=memory())
    assert str(ran.output) == "Rain in both at noon."
    assert ran.thought == "Two cities.And when?Enough."
    assert "".join(ran.text) == "Rain in both at noon."
    assert [it.tool_name for it in ran.output.tool_calls] == [
        "weather",
        "weather",
        "clock",
    ]
    assert bench.sent(lambda it: it.body.get("parallel_tool_calls")) == [True] * 3
    check_two_steps(bench)


async def test_a_function_agent_does_the_same_without_streams(bench: Bench) -> None:
    bench.script(*TWO_STEPS)
    llm = bench.llm(enable_thinking=True)
    agent = FunctionAgent(tools=[weather, clock], llm=llm, streaming=False)
    ran = await run(agent, memory=memory())
    assert str(ran.output) == "Rain in both at noon."
    assert ran.output.response.blocks[0] == ThinkingBlock(
        content="Enough.",
        num_tokens=ran.output.response.blocks[0].num_tokens,  # type: ignore[union-attr]
    )
    check_two_steps(bench)


@pytest.mark.parametrize("model", THINKERS)
async def test_an_agent_that_nobody_scripted_ends(bench: Bench, model: str) -> None:
    """The emulator plays the model, its rules included: two requests and no more."""
    llm = bench.llm(model, enable_thinking=True)
    agent = FunctionAgent(tools=[weather], llm=llm)
    ran = await run(agent, "What is the weather in Oslo?", memory=memory())
    assert str(ran.output) == "The tool answered: Rain in Oslo"
    assert "I should call weather" in ran.thought
    assert len(bench.asks) == 2


async def test_one_call_a_step_is_one_call(bench: Bench) -> None:
    """A second call is dropped from the stream, from the run and from the history."""
    bench.script(TWO_STEPS[0], Reply(text="Rain."))
    agent = FunctionAgent(
        tools=[weather], llm=bench.llm(), allow_parallel_tool_calls=False
    )
    ran = await run(agent, memory=memory())
    assert [it.tool_id for it in ran.output.tool_calls] == ["call_a"]
    assert not bench.asks[0].body.get("parallel_tool_calls")
    calls = bench.messages[1][-2]["tool_calls"]
    assert [it["id"] for it in calls] == ["call_a"]


async def test_a_first_tool_that_is_forced_is_thought_about_later(bench: Bench) -> None:
    """Only the forced request does without thinking; the instance is not changed."""
    bench.script(
        Reply(tool_calls=[ToolCall("clock", {})]), Reply(reasoning="So.", text="Noon.")
    )
    llm = bench.llm(enable_thinking=True)
    agent = FunctionAgent(tools=[weather, clock], llm=llm, initial_tool_choice="clock")
    ran = await run(agent, memory=memory())
    assert bench.sent(lambda it: it.thinking) == [False, True]
    assert bench.sent(lambda it: it.forced_tool) == ["named", None]
    assert bench.messages[1][-2]["tool_calls"]
    assert ran.thought == "So."
    assert llm.enable_thinking is True


class City(BaseModel):
    """A city and its weather."""

    name: str
    rain: bool


async def test_an_agent_answers_with_an_object(bench: Bench) -> None:
    """The run thinks; the one request that forces the object's tool does not."""
    bench.script(
        Reply(reasoning="A tool.", tool_calls=[ToolCall("weather", {"city": "Oslo"})]),
        Reply(reasoning="Done.", text="Rain in Oslo."),
        Reply(tool_calls=[ToolCall("City", {"name": "Oslo", "rain": True})]),
    )
    llm = bench.llm(enable_thinking=True)
    agent = FunctionAgent(tools=[weather], llm=llm, output_cls=City)
    ran = await run(agent, memory=memory())
    assert ran.output.structured_response == {"name": "Oslo", "rain": True}
    assert ran.output.get_pydantic_model(City) == City(name="Oslo", rain=True)
    assert ran.thought == "A tool.Done."
    assert bench.sent(lambda it: it.thinking) == [True, True, False]
    assert "Rain in Oslo." in str(bench.messages[2][-1]["content"])


async def test_a_workflow_hands_over_and_both_think(bench: Bench) -> None:
    bench.script(
        Reply(
            reasoning="Not mine.",
            tool_calls=[ToolCall("handoff", {"to_agent": "poet", "reason": "A poem."})],
        ),
        Reply(reasoning="It rhymes.", text="Rain, rain."),
    )
    llm = bench.llm(enable_thinking=True)
    agents: Sequence[Any] = [
        FunctionAgent(
            name="guide",
            description="Knows the weather",
            system_prompt="You guide.",
            tools=[weather],
            llm=llm,
            can_handoff_to=["poet"],
        ),
        FunctionAgent(
            name="poet",
            description="Writes poems",
            system_prompt="You write.",
            llm=llm,
            can_handoff_to=[],
        ),
    ]
    flow = AgentWorkflow(agents=list(agents), root_agent="guide")
    ran = await run(flow, "A poem on Oslo, please.", memory=memory())
    assert str(ran.output) == "Rain, rain."
    assert ran.thought == "Not mine.It rhymes."
    assert list(dict.fromkeys(ran.agents)) == ["guide", "poet"]
    assert len(bench.asks) == 2
    system, user, call, result = bench.messages[1]
    assert system["content"] == "You write."
    assert user["role"] == "user"
    assert call["reasoning_content"] == "Not mine."
    assert "poet" in result["content"]
    assert bench.asks[1].tools == []
    assert "tool_choice" not in bench.asks[1].body


async def test_a_react_agent_reads_the_answer_and_not_the_reasoning(
    bench: Bench,
) -> None:
    """What is thought holds the words that ReAct looks for."""
    bench.script(
        Reply(
            reasoning="Action: clock\nAction Input: {}",
            text='Thought: A tool.\nAction: weather\nAction Input: {"city": "Oslo"}',
        ),
        Reply(
            reasoning="Action: clock\nAnswer: wrong",
            text="Thought: I can answer.\nAnswer: Rain.",
        ),
    )
    llm = bench.llm(enable_thinking=True)
    ran = await run(ReActAgent(tools=[weather, clock], llm=llm), memory=memory())
    assert str(ran.output) == "Rain."
    assert ran.thought == "Action: clock\nAction Input: {}Action: clock\nAnswer: wrong"
    assert [it.tool_name for it in ran.output.tool_calls] == ["weather"]
    assert len(bench.asks) == 2
    assert "clock\nAction Input" not in json.dumps(bench.messages[1][1:])


async def test_a_react_agent_survives_an_empty_answer(bench: Bench) -> None:
    """It asks again: the user twice, an empty answer, and the reason as the user's."""
    bench.script(
        Reply(reasoning="Hm."), Reply(text="Thought: I can answer.\nAnswer: Rain.")
    )
    ran = await run(ReActAgent(tools=[weather], llm=bench.llm()), memory=memory())
    assert str(ran.output) == "Rain."
    roles = [(it["role"], bool(it["content"])) for it in bench.messages[1]]
    assert roles[-2:] == [("assistant", False), ("user", True)]


async def test_a_code_agent_runs_what_was_answered(bench: Bench) -> None:
    ran_code: list[str] = []

    async def execute(code: str) -> str:
        ran_code.append(code)
        return "3"

    bench.script(
        Reply(
            reasoning="<execute>rm -rf</execute>",
            text="Let me see.\n<execute>\nprint(1 + 2)\n</execute>",
        ),
        Reply(reasoning="Three.", text="It is 3."),
    )
    agent = CodeActAgent(code_execute_fn=execute, llm=bench.llm(enable_thinking=True))
    ran = await run(agent, "What is 1 + 2?", memory=memory())
    assert ran_code == ["print(1 + 2)"]
    assert str(ran.output) == "It is 3."
    assert ran.thought == "<execute>rm -rf</execute>Three."
    assert len(bench.asks) == 2


# --- What agents leave behind -----------------------------------------------------


async def test_a_direct_result_and_the_turn_after_it_are_legal(bench: Bench) -> None:
    """A direct result ends the run: the calls after it have no result in the memory."""
    final = FunctionTool.from_defaults(clock, return_direct=True)
    bench.script(
        Reply(
            reasoning="Both.",
            tool_calls=[
                ToolCall("clock", {}, id="call_a"),
                ToolCall("weather", {"city": "Oslo"}, id="call_b"),
            ],
        ),
        Reply(reasoning="Next.", text="Rain."),
    )
    agent = FunctionAgent(tools=[final, weather], llm=bench.llm())
    kept = memory()
    first = await run(agent, "What time is it?", memory=kept)
    second = await run(agent, "And the weather?", memory=kept)
    assert (str(first.output), str(second.output)) == ("Noon", "Rain.")
    user, call, result, direct, asked = bench.messages[1]
    assert user["content"] == "What time is it?"
    assert [it["id"] for it in call["tool_calls"]] == [result["tool_call_id"]]
    assert direct == {"role": "assistant", "content": "Noon"}
    assert asked == {"role": "user", "content": "And the weather?"}


async def test_the_last_word_of_an_agent_that_was_stopped_is_legal(
    bench: Bench,
) -> None:
    """LlamaIndex puts it into a system message at the end."""
    bench.script(
        Reply(tool_calls=[ToolCall("clock", {})]), Reply(text="I had no time.")
    )
    agent = FunctionAgent(
        tools=[clock],
        llm=bench.llm(),
        system_prompt="Be brief.",
        early_stopping_method="generate",
    )
    ran = await run(agent, memory=memory(), max_iterations=1)
    assert str(ran.output) == "I had no time."
    roles = [it["role"] for it in bench.messages[1]]
    assert roles[0] == "system"
    assert roles[-1] == "user"
    assert "maximum" in bench.messages[1][-1]["content"]


async def test_a_memory_in_a_database_brings_the_reasoning_back(
    bench: Bench, tmp_path: Path
) -> None:
    """SQL gives dicts back; the next turn sends them as before."""
    bench.script(*TWO_STEPS, Reply(text="You are welcome."))
    agent = FunctionAgent(tools=[weather, clock], llm=bench.llm(enable_thinking=True))
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'memory.db'}")
    for question in ("How is Oslo?", "Thanks"):
        kept = Memory.from_defaults(
            session_id="s", async_engine=engine, tokenizer_fn=str.split
        )
        await run(agent, question, memory=kept)
    await engine.dispose()
    before, after = bench.messages[2], bench.messages[3]
    assert after[: len(before)] == before
    assert after[len(before) :] == [
        {"role": "assistant", "content": "Rain in both at noon."},
        {"role": "user", "content": "Thanks"},
    ]


async def test_an_answer_of_reasoning_alone_is_kept_beside_an_empty_text(
    bench: Bench,
) -> None:
    """The text is never made of what was thought; it stays where one can look."""
    bench.script(Reply(reasoning="All of it thought.", finish_reason="length"))
    agent = FunctionAgent(tools=[weather], llm=bench.llm(enable_thinking=True))
    ran = await run(agent, memory=memory())
    response: ChatMessage = ran.output.response
    assert response.content == ""
    assert response.additional_kwargs["reasoning_content"] == "All of it thought."
    assert isinstance(response.blocks[0], ThinkingBlock)
    assert response.blocks[1:] == [TextBlock(text="")]


async def test_each_piece_has_a_raw_that_can_be_dumped(bench: Bench) -> None:
    bench.script(TWO_STEPS[2])
    agent = FunctionAgent(tools=[weather], llm=bench.llm(enable_thinking=True))
    raws = (await run(agent, memory=memory())).raws
    assert len(raws) > 1
    assert all(raw is None or isinstance(raw, dict) for raw in raws)
    assert json.loads(json.dumps(raws[-1]))["usage"]
