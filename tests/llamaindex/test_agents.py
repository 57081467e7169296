"""LlamaIndex's agents with a thinking model, over both protocols."""

# LlamaIndex types only some attributes of its agents.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
)
from llama_index.core.base.llms.types import ChatMessage, TextBlock, ThinkingBlock
from llama_index.core.memory import Memory
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import create_async_engine

from modelstudio_core.chat.history import NO_RESULT
from modelstudio_core.emulator import Reply, ToolCall
from tests.llamaindex.support import (
    IGNORE_AGENT_WARNINGS,
    THINKING_MODELS,
    EmulatedService,
    chat_memory,
)

pytestmark = IGNORE_AGENT_WARNINGS


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"Rain in {city}"


def clock() -> str:
    """Return the time."""
    return "Noon"


@dataclass
class Run:
    """The output of an agent, and the events that it streamed."""

    output: AgentOutput
    thinking: list[str] = field(default_factory=list[str])
    text: list[str] = field(default_factory=list[str])
    agents: list[str] = field(default_factory=list[str])
    raws: list[Any] = field(default_factory=list[Any])

    @property
    def reasoning(self) -> str:
        return "".join(self.thinking)


async def run(agent: Any, question: str = "How is Oslo?", **arguments: Any) -> Run:
    """Run an agent to its end and collect its stream."""
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


def check_two_steps(service: EmulatedService) -> None:
    """Check that each step was sent back with its reasoning."""
    assert len(service.messages) == 3
    *_, first, oslo, rome, second, noon = service.messages[2]
    assert first["reasoning_content"] == "Two cities."
    assert [call["id"] for call in first["tool_calls"]] == ["call_a", "call_b"]
    assert (oslo["tool_call_id"], oslo["content"]) == ("call_a", "Rain in Oslo")
    assert (rome["tool_call_id"], rome["content"]) == ("call_b", "Rain in Rome")
    assert second["reasoning_content"] == "And when?"
    assert second["tool_calls"][0]["function"]["arguments"] == "{}"
    assert noon["content"] == "Noon"
    assert service.messages[2][: len(service.messages[1])] == service.messages[1]
    assert service.values(lambda request: request.thinking) == [True] * 3


@THINKING_MODELS
async def test_a_function_agent_thinks_in_each_step(
    service: EmulatedService, model: str
) -> None:
    """With several steps and parallel calls; reasoning is streamed and sent back."""
    service.script(*TWO_STEPS)
    llm = service.llm(model, enable_thinking=True)
    ran = await run(
        FunctionAgent(tools=[weather, clock], llm=llm), memory=chat_memory()
    )
    assert str(ran.output) == "Rain in both at noon."
    assert ran.reasoning == "Two cities.And when?Enough."
    assert "".join(ran.text) == "Rain in both at noon."
    assert [call.tool_name for call in ran.output.tool_calls] == [
        "weather",
        "weather",
        "clock",
    ]
    assert (
        service.values(lambda request: request.body.get("parallel_tool_calls"))
        == [True] * 3
    )
    check_two_steps(service)


async def test_a_function_agent_works_without_streaming(
    service: EmulatedService,
) -> None:
    service.script(*TWO_STEPS)
    llm = service.llm(enable_thinking=True)
    agent = FunctionAgent(tools=[weather, clock], llm=llm, streaming=False)
    ran = await run(agent, memory=chat_memory())
    assert str(ran.output) == "Rain in both at noon."
    assert ran.output.response.blocks[0] == ThinkingBlock(
        content="Enough.",
        num_tokens=ran.output.response.blocks[0].num_tokens,  # type: ignore[union-attr]
    )
    check_two_steps(service)


@THINKING_MODELS
async def test_an_agent_ends_with_the_emulated_model(
    service: EmulatedService, model: str
) -> None:
    """Without a script, by the service's rules, after two requests."""
    llm = service.llm(model, enable_thinking=True)
    agent = FunctionAgent(tools=[weather], llm=llm)
    ran = await run(agent, "What is the weather in Oslo?", memory=chat_memory())
    assert str(ran.output) == "The tool answered: Rain in Oslo"
    assert "I should call weather" in ran.reasoning
    assert len(service.requests) == 2


async def test_a_second_tool_call_is_removed_if_one_is_allowed(
    service: EmulatedService,
) -> None:
    """From the stream, from the run and from the history."""
    service.script(TWO_STEPS[0], Reply(text="Rain."))
    agent = FunctionAgent(
        tools=[weather], llm=service.llm(), allow_parallel_tool_calls=False
    )
    ran = await run(agent, memory=chat_memory())
    assert [call.tool_id for call in ran.output.tool_calls] == ["call_a"]
    assert not service.requests[0].body.get("parallel_tool_calls")
    calls = service.messages[1][-2]["tool_calls"]
    assert [call["id"] for call in calls] == ["call_a"]


async def test_a_forced_first_tool_disables_thinking_for_one_request(
    service: EmulatedService,
) -> None:
    """The model itself is not changed."""
    service.script(
        Reply(tool_calls=[ToolCall("clock", {})]), Reply(reasoning="So.", text="Noon.")
    )
    llm = service.llm(enable_thinking=True)
    agent = FunctionAgent(tools=[weather, clock], llm=llm, initial_tool_choice="clock")
    ran = await run(agent, memory=chat_memory())
    assert service.values(lambda request: request.thinking) == [False, True]
    assert service.values(lambda request: request.forced_tool) == ["named", None]
    assert service.messages[1][-2]["tool_calls"]
    assert ran.reasoning == "So."
    assert llm.enable_thinking is True


class City(BaseModel):
    """A city and its weather."""

    name: str
    rain: bool


async def test_an_agent_returns_a_structured_response(service: EmulatedService) -> None:
    """Only the request that forces the tool of the object does not think."""
    service.script(
        Reply(reasoning="A tool.", tool_calls=[ToolCall("weather", {"city": "Oslo"})]),
        Reply(reasoning="Done.", text="Rain in Oslo."),
        Reply(tool_calls=[ToolCall("City", {"name": "Oslo", "rain": True})]),
    )
    llm = service.llm(enable_thinking=True)
    agent = FunctionAgent(tools=[weather], llm=llm, output_cls=City)
    ran = await run(agent, memory=chat_memory())
    assert ran.output.structured_response == {"name": "Oslo", "rain": True}
    assert ran.output.get_pydantic_model(City) == City(name="Oslo", rain=True)
    assert ran.reasoning == "A tool.Done."
    assert service.values(lambda request: request.thinking) == [True, True, False]
    assert "Rain in Oslo." in str(service.messages[2][-1]["content"])


async def test_a_workflow_hands_over_to_another_thinking_agent(
    service: EmulatedService,
) -> None:
    service.script(
        Reply(
            reasoning="Not mine.",
            tool_calls=[ToolCall("handoff", {"to_agent": "poet", "reason": "A poem."})],
        ),
        Reply(reasoning="It rhymes.", text="Rain, rain."),
    )
    llm = service.llm(enable_thinking=True)
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
    ran = await run(flow, "A poem on Oslo, please.", memory=chat_memory())
    assert str(ran.output) == "Rain, rain."
    assert ran.reasoning == "Not mine.It rhymes."
    assert list(dict.fromkeys(ran.agents)) == ["guide", "poet"]
    assert len(service.requests) == 2
    system, user, call, result = service.messages[1]
    assert system["content"] == "You write."
    assert user["role"] == "user"
    assert call["reasoning_content"] == "Not mine."
    assert "poet" in result["content"]
    assert service.requests[1].tools == []
    assert "tool_choice" not in service.requests[1].body


async def test_a_react_agent_ignores_the_reasoning(
    service: EmulatedService,
) -> None:
    """The reasoning contains the keywords that ReAct parses."""
    service.script(
        Reply(
            reasoning="Action: clock\nAction Input: {}",
            text='Thought: A tool.\nAction: weather\nAction Input: {"city": "Oslo"}',
        ),
        Reply(
            reasoning="Action: clock\nAnswer: wrong",
            text="Thought: I can answer.\nAnswer: Rain.",
        ),
    )
    llm = service.llm(enable_thinking=True)
    ran = await run(ReActAgent(tools=[weather, clock], llm=llm), memory=chat_memory())
    assert str(ran.output) == "Rain."
    assert (
        ran.reasoning == "Action: clock\nAction Input: {}Action: clock\nAnswer: wrong"
    )
    assert [call.tool_name for call in ran.output.tool_calls] == ["weather"]
    assert len(service.requests) == 2
    assert "clock\nAction Input" not in json.dumps(service.messages[1][1:])


async def test_a_react_agent_repeats_after_an_empty_answer(
    service: EmulatedService,
) -> None:
    """The second request ends with the empty answer and a message of the user."""
    service.script(
        Reply(reasoning="Hm."), Reply(text="Thought: I can answer.\nAnswer: Rain.")
    )
    ran = await run(
        ReActAgent(tools=[weather], llm=service.llm()), memory=chat_memory()
    )
    assert str(ran.output) == "Rain."
    roles = [
        (message["role"], bool(message["content"])) for message in service.messages[1]
    ]
    assert roles[-2:] == [("assistant", False), ("user", True)]


async def test_a_code_agent_runs_the_code_of_the_answer(
    service: EmulatedService,
) -> None:
    executed: list[str] = []

    async def execute(code: str) -> str:
        executed.append(code)
        return "3"

    service.script(
        Reply(
            reasoning="<execute>rm -rf</execute>",
            text="Let me see.\n<execute>\nprint(1 + 2)\n</execute>",
        ),
        Reply(reasoning="Three.", text="It is 3."),
    )
    agent = CodeActAgent(code_execute_fn=execute, llm=service.llm(enable_thinking=True))
    ran = await run(agent, "What is 1 + 2?", memory=chat_memory())
    assert executed == ["print(1 + 2)"]
    assert str(ran.output) == "It is 3."
    assert ran.reasoning == "<execute>rm -rf</execute>Three."
    assert len(service.requests) == 2


# --- Histories of agents ----------------------------------------------------------


async def test_the_history_after_a_direct_result_is_valid(
    service: EmulatedService,
) -> None:
    """A direct result ends the run: later calls have no result in the memory."""
    final = FunctionTool.from_defaults(clock, return_direct=True)
    service.script(
        Reply(
            reasoning="Both.",
            tool_calls=[
                ToolCall("clock", {}, id="call_a"),
                ToolCall("weather", {"city": "Oslo"}, id="call_b"),
            ],
        ),
        Reply(reasoning="Next.", text="Rain."),
    )
    agent = FunctionAgent(tools=[final, weather], llm=service.llm())
    memory = chat_memory()
    first = await run(agent, "What time is it?", memory=memory)
    second = await run(agent, "And the weather?", memory=memory)
    assert (str(first.output), str(second.output)) == ("Noon", "Rain.")
    user, call, result, missing, direct, question = service.messages[1]
    assert user["content"] == "What time is it?"
    assert [item["id"] for item in call["tool_calls"]] == [
        result["tool_call_id"],
        missing["tool_call_id"],
    ]
    assert missing["content"] == NO_RESULT
    assert direct == {"role": "assistant", "content": "Noon"}
    assert question == {"role": "user", "content": "And the weather?"}


async def test_the_last_request_of_a_stopped_agent_is_valid(
    service: EmulatedService,
) -> None:
    """LlamaIndex ends it with a system message."""
    service.script(
        Reply(tool_calls=[ToolCall("clock", {})]), Reply(text="I had no time.")
    )
    agent = FunctionAgent(
        tools=[clock],
        llm=service.llm(),
        system_prompt="Be brief.",
        early_stopping_method="generate",
    )
    ran = await run(agent, memory=chat_memory(), max_iterations=1)
    assert str(ran.output) == "I had no time."
    roles = [message["role"] for message in service.messages[1]]
    assert roles[0] == "system"
    assert roles[-1] == "user"
    assert "maximum" in service.messages[1][-1]["content"]


async def test_a_memory_in_a_database_keeps_the_history(
    service: EmulatedService, tmp_path: Path
) -> None:
    """SQL returns dicts; the next request sends the same messages."""
    service.script(*TWO_STEPS, Reply(text="You are welcome."))
    agent = FunctionAgent(tools=[weather, clock], llm=service.llm(enable_thinking=True))
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'memory.db'}")
    for question in ("How is Oslo?", "Thanks"):
        memory = Memory.from_defaults(
            session_id="s", async_engine=engine, tokenizer_fn=str.split
        )
        await run(agent, question, memory=memory)
    await engine.dispose()
    before, after = service.messages[2], service.messages[3]
    assert after[: len(before)] == before
    assert after[len(before) :] == [
        {"role": "assistant", "content": "Rain in both at noon."},
        {"role": "user", "content": "Thanks"},
    ]


async def test_an_answer_with_reasoning_only_has_an_empty_text(
    service: EmulatedService,
) -> None:
    """The reasoning is in its own field and block."""
    service.script(Reply(reasoning="Only reasoning.", finish_reason="length"))
    agent = FunctionAgent(tools=[weather], llm=service.llm(enable_thinking=True))
    ran = await run(agent, memory=chat_memory())
    response: ChatMessage = ran.output.response
    assert response.content == ""
    assert response.additional_kwargs["reasoning_content"] == "Only reasoning."
    assert isinstance(response.blocks[0], ThinkingBlock)
    assert response.blocks[1:] == [TextBlock(text="")]


async def test_raw_in_each_event_is_valid_json(service: EmulatedService) -> None:
    service.script(TWO_STEPS[2])
    agent = FunctionAgent(tools=[weather], llm=service.llm(enable_thinking=True))
    raws = (await run(agent, memory=chat_memory())).raws
    assert len(raws) > 1
    assert all(raw is None or isinstance(raw, dict) for raw in raws)
    assert json.loads(json.dumps(raws[-1]))["usage"]
