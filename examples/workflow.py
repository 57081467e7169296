"""A LlamaIndex workflow: questions about a text are answered at once, then combined.

python examples/workflow.py
"""

# The frameworks leave some of their types open.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUntypedFunctionDecorator=false

import asyncio
from typing import Any, Final

from llama_index.core.llms import ChatMessage
from llama_index.core.workflow import (
    Context,
    Event,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)

from llamaindex_modelstudio import ModelStudio
from service import open_service

TEXT: Final = (
    "The lighthouse of Lindau is 36 metres tall. The lighthouse was built in 1856."
)
QUESTIONS: Final = ("How tall is the lighthouse?", "When was the lighthouse built?")


class Question(Event):
    """A question about the text."""

    text: str


class Progress(Event):
    """What the user sees while the workflow runs."""

    reasoning: str


class Answer(Event):
    """The answer to one question."""

    text: str


class Report(Workflow):
    """Answers all questions at the same time, and combines the answers."""

    def __init__(self, llm: ModelStudio, **arguments: Any) -> None:
        """Keep the model."""
        super().__init__(**arguments)
        self.llm = llm

    @step
    async def ask(self, context: Context, event: StartEvent) -> Question | None:
        """Send one event for each question."""
        for question in event.get("questions"):
            context.send_event(Question(text=question))
        return None

    @step(num_workers=4)
    async def answer(self, context: Context, event: Question) -> Answer:
        """Answer a question from the text, and show the reasoning as it comes."""
        messages = [
            ChatMessage(role="system", content=TEXT),
            ChatMessage(content=event.text),
        ]
        response = None
        async for response in await self.llm.astream_chat(messages):
            if thinking := response.additional_kwargs["thinking_delta"]:
                context.write_event_to_stream(Progress(reasoning=thinking))
        assert response is not None  # noqa: S101 - a stream is never empty
        return Answer(text=response.message.content or "")

    @step
    async def combine(self, context: Context, event: Answer) -> StopEvent | None:
        """Wait for all answers."""
        answers = context.collect_events(event, [Answer] * len(QUESTIONS))
        if answers is None:
            return None
        return StopEvent(result="\n".join(sorted(answer.text for answer in answers)))


async def main() -> None:
    """Run the workflow, and count the pieces of reasoning that were seen."""
    with open_service() as service:
        llm = ModelStudio(model="deepseek-v4-pro", **service)
        run = Report(llm, timeout=120).run(questions=QUESTIONS)
        pieces = [
            event async for event in run.stream_events() if isinstance(event, Progress)
        ]
        print(await run)
        print(f"({len(pieces)} pieces of reasoning)")


if __name__ == "__main__":
    asyncio.run(main())
