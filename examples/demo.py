"""Answer questions about a guide, in LangChain and in LlamaIndex.

Run it with ``python examples/demo.py``. Without ``DASHSCOPE_API_KEY`` it uses the local
emulator, which is not a model: it answers with sentences from the prompt. With a key it
uses the service, with the region, mode and workspace of the other ``DASHSCOPE_*``
variables and the model of ``MODELSTUDIO_MODEL``; this has not been tested yet.
"""

# The frameworks leave some of their dicts without types.
# pyright: reportUnknownMemberType=false

import os
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableGenerator
from llama_index.core import Document, SummaryIndex
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent
from llama_index_instrumentation import get_dispatcher
from pydantic import Field
from typing_extensions import override

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.emulator import Emulator
from modelstudio_core.endpoints import Endpoint, resolve_endpoint
from modelstudio_core.errors import ModelStudioError

GUIDE: Final = Path(__file__).parent.parent / "docs" / "guide.md"
MODEL: Final = os.environ.get("MODELSTUDIO_MODEL") or "deepseek-v4-pro"
WIDTH: Final = 88
COLORS: Final = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
TOKENS: Final = ("prompt_tokens", "completion_tokens", "reasoning_tokens")

LANGCHAIN_QUESTION: Final = "Where is static data stored in European Union mode?"
LLAMAINDEX_QUESTION: Final = "How are reasoning tokens billed?"


class Writer:
    """Print a text while it is received, with line breaks between words."""

    def __init__(self, *, dim: bool = False) -> None:
        """Start at the left margin, in a dim color for text that is not the answer."""
        self._style = "\x1b[2m{}\x1b[0m" if dim and COLORS else "{}"
        self._column = 0
        self._word = ""

    def write(self, text: str) -> None:
        """Print the complete words, and keep the last one until it is complete."""
        for character in text:
            if not character.isspace():
                self._word += character
                continue
            self._print_word()
            if character == "\n":
                print(flush=True)
                self._column = 0

    def _print_word(self) -> None:
        if not self._word:
            return
        fits = self._column + 1 + len(self._word) <= WIDTH
        gap = "" if not self._column else " " if fits else "\n"
        print(gap + self._style.format(self._word), end="", flush=True)
        self._column = len(self._word) + (self._column + 1 if gap == " " else 0)
        self._word = ""


def show_heading(text: str) -> None:
    """Print the heading of a section."""
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def show_usage(prompt: int, output: int, reasoning: int) -> None:
    """Print the token counts of an answer."""
    print(f"\ntokens: {prompt} input, {output} output ({reasoning} reasoning)")


def show_endpoint(title: str, endpoint: Endpoint) -> None:
    """Print where requests go, where data is stored and where inference runs."""
    print(title)
    print(f"  base URL         {endpoint.openai_base_url}")
    print(f"  region           {endpoint.region or 'unknown'}")
    print(f"  mode             {endpoint.mode or 'unknown'}")
    print(f"  data location    {endpoint.data_location or 'unknown'}")
    print(f"  inference scope  {endpoint.inference_scope or 'unknown'}")


def show_reasoning(chunks: Iterator[AIMessage]) -> Iterator[AIMessage]:
    """Print the reasoning before the answer, and yield every chunk."""
    writer = Writer(dim=True)
    print("Reasoning:")
    answering = False
    for chunk in chunks:
        writer.write(chunk.additional_kwargs.get("reasoning_content", ""))
        if chunk.content and not answering:
            answering = True
            writer.write("\n")
            print("\nAnswer:")
        yield chunk


def ask_with_langchain(model: ChatModelStudio, text: str) -> None:
    """Stream a chain: print the reasoning of its chunks, and the parsed answer."""
    prompt = ChatPromptTemplate.from_messages(
        [
            ("system", "Answer from this guide only.\n\n{guide}"),
            ("human", "{question}"),
        ]
    )

    chain = prompt | model | RunnableGenerator(show_reasoning) | StrOutputParser()
    answer = Writer()
    with get_usage_metadata_callback() as callback:
        for piece in chain.stream({"guide": text, "question": LANGCHAIN_QUESTION}):
            answer.write(piece)
    answer.write("\n")
    usage = callback.usage_metadata[model.resolved_model or model.model]
    details = usage.get("output_token_details", {})
    show_usage(
        usage["input_tokens"], usage["output_tokens"], details.get("reasoning", 0)
    )


class TokenCounter(BaseEventHandler):
    """Sum the tokens of all answers, from LlamaIndex's events."""

    tokens: Counter[str] = Field(default_factory=Counter[str])

    @override
    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        if isinstance(event, LLMChatEndEvent) and event.response is not None:
            counts = cast("dict[str, Any]", event.response.additional_kwargs)
            self.tokens.update({name: counts.get(name) or 0 for name in TOKENS})


def ask_with_llamaindex(llm: ModelStudio, text: str) -> None:
    """Query an index; a summary index needs no embeddings."""
    counter = TokenCounter()
    get_dispatcher().add_event_handler(counter)
    index = SummaryIndex.from_documents([Document(text=text)])
    engine = index.as_query_engine(response_mode="tree_summarize", llm=llm)
    Writer().write(f"{engine.query(LLAMAINDEX_QUESTION)}\n")
    show_usage(*(counter.tokens[name] for name in TOKENS))


def ask_a_delisted_model(model: ChatModelStudio) -> None:
    """Call a delisted model: a warning names the replacement, which answers."""
    message = model.invoke("Which is greater, 9.9 or 9.11?", model="deepseek-r1")
    used = message.response_metadata["model_name"]
    requested = message.response_metadata.get("requested_model", used)
    print(f"\nrequested model  {requested}\nused model       {used}")


@contextmanager
def open_connection() -> Generator[tuple[dict[str, Any], str]]:
    """Yield the connection arguments of the service or the emulator, and a note."""
    if os.environ.get("DASHSCOPE_API_KEY"):
        yield {}, "The answers come from the service. This has not been tested yet."
        return
    with Emulator() as studio:
        note = (
            "DASHSCOPE_API_KEY is not set: the answers come from the local emulator and"
            " not from a model. It answers with sentences from the prompt."
        )
        yield {"base_url": studio.base_url, "api_key": studio.api_key}, note


def run(connection: dict[str, Any]) -> None:
    """Run all parts of the demo."""
    text = GUIDE.read_text(encoding="utf-8")
    model = ChatModelStudio(model=MODEL, enable_thinking=True, **connection)
    llm = ModelStudio(model=MODEL, enable_thinking=True, **connection)

    show_heading("1. Where requests go")
    frankfurt = resolve_endpoint(region="frankfurt", mode="eu", workspace="ws-123")
    show_endpoint("Germany (Frankfurt) in European Union mode:", frankfurt)
    show_endpoint("\nThis demo:", model.endpoint)
    show_heading(f"2. LangChain, {MODEL}: {LANGCHAIN_QUESTION}")
    ask_with_langchain(model, text)
    show_heading(f"3. LlamaIndex, {MODEL}: {LLAMAINDEX_QUESTION}")
    ask_with_llamaindex(llm, text)
    show_heading("4. A delisted model: deepseek-r1")
    ask_a_delisted_model(model)


def main() -> int:
    """Run the demo on the service or the emulator, and print which one it is."""
    with open_connection() as (connection, note):
        Writer().write(f"{note}\n")
        try:
            run(connection)
        except ModelStudioError as error:
            print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
            return 1
        show_heading("Done")
        Writer().write(f"{note}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
