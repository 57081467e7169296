"""A chain that streams its reasoning and then its answer.

    python examples/chain.py
    python examples/chain.py "The tower is red. What is red?"

Without ``DASHSCOPE_API_KEY`` the answer comes from the local emulator, which is not a
model: it answers with a sentence of the question.
"""

import os
import sys
from collections.abc import Iterator
from typing import Final

from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableGenerator

from langchain_modelstudio import ChatModelStudio
from service import open_service

QUESTION: Final = "The Eiffel Tower is 330 metres tall. How tall is the Eiffel Tower?"
COLORS: Final = bool(os.environ.get("FORCE_COLOR") or sys.stdout.isatty())
DIM, BOLD, RESET = ("\x1b[2m", "\x1b[1m", "\x1b[0m") if COLORS else ("", "", "")
PROMPT: Final = ChatPromptTemplate.from_messages(
    [("system", "Answer in one sentence."), ("human", "{question}")]
)


def show_reasoning(chunks: Iterator[AIMessage]) -> Iterator[AIMessage]:
    """Print the reasoning of a stream, its model and its tokens; yield every chunk."""
    print(f"{BOLD}Reasoning{RESET}")
    answering = False
    for chunk in chunks:
        reasoning = chunk.additional_kwargs.get("reasoning_content", "")
        print(f"{DIM}{reasoning}{RESET}" if reasoning else "", end="", flush=True)
        if chunk.content and not answering:
            answering = True
            print(f"\n\n{BOLD}Answer{RESET}")
        yield chunk
        if usage := chunk.usage_metadata:
            details = usage.get("output_token_details", {})
            print(
                f"\n\n{DIM}{usage['input_tokens']} tokens in, {usage['output_tokens']}"
                f" out, {details.get('reasoning', 0)} of them reasoning{RESET}"
            )


def main(question: str) -> None:
    """Ask the question."""
    with open_service() as service:
        llm = ChatModelStudio(model="deepseek-v4-pro", enable_thinking=True, **service)
        print(f"{DIM}{llm.model} at {llm.endpoint.host}{RESET}\n")
        chain = PROMPT | llm | RunnableGenerator(show_reasoning) | StrOutputParser()
        for text in chain.stream({"question": question}):
            print(text, end="", flush=True)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or QUESTION)
