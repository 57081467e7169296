"""``modelstudio chat``: one question, or a conversation."""

import sys
from collections.abc import Generator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelstudio_core.cli.connection_options import (
    ChatOptionsOption,
    ConnectionOptions,
    chat_options,
)
from modelstudio_core.cli.reports import Output, printable

if TYPE_CHECKING:
    from modelstudio_core.chat.arguments import ChatArguments
    from modelstudio_core.chat.completion import Completion
    from modelstudio_core.chat.messages import Message

_END_WORDS = ("/exit", "/quit")


def chat(
    output: Output,
    connection: ConnectionOptions,
    *,
    text: Annotated[
        list[str] | None,
        typer.Argument(help="The question. '-' adds what is piped."),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="The model id.")
    ] = "qwen3.7-plus",
    system: Annotated[
        str | None, typer.Option("--system", "-s", help="Instructions for the model.")
    ] = None,
    thinking: Annotated[
        bool | None,
        typer.Option("--thinking/--no-thinking", help="Think first. Else the default."),
    ] = None,
    reasoning: Annotated[
        bool, typer.Option("--reasoning/--hide-reasoning", help="Show the reasoning.")
    ] = True,
    option: ChatOptionsOption = None,
) -> None:
    """Ask a question; without one, have a conversation.

    The answer goes to standard output, the reasoning and the usage to standard error,
    so that a file or a pipe gets the answer alone. Without an argument, piped input is
    the question.
    """
    from modelstudio_core.chat.arguments import ChatArguments

    arguments = connection.arguments(output) | chat_options(option or [])
    if thinking is not None:
        arguments["enable_thinking"] = thinking
    llm = ChatArguments(model=model, **arguments)
    output.expect_model(llm.resolved.model.profile.id, llm.endpoint)
    conversation = _Conversation(output, llm, system, shows_reasoning=reasoning)
    question = _question(text or [])
    if question is None:
        conversation.run()
    else:
        conversation.ask(question)


def _question(words: list[str]) -> str | None:
    """Return the question; None for a conversation.

    Raises:
        ConfigurationError: There is no question, and nobody who could be asked for one.
    """
    from modelstudio_core.errors import ConfigurationError

    text = " ".join(word for word in words if word != "-")
    if "-" not in words and (text or sys.stdin.isatty()):
        return text or None
    question = "\n\n".join(filter(None, (text, sys.stdin.read().strip())))
    if not question:
        raise ConfigurationError(
            "There is no question: pass one, or pipe one to standard input."
        )
    return question


class _Conversation:
    """The messages so far, and how an answer is shown."""

    def __init__(
        self,
        output: Output,
        llm: "ChatArguments",
        system: str | None,
        *,
        shows_reasoning: bool,
    ) -> None:
        self._output = output
        self._llm = llm
        self._shows_reasoning = shows_reasoning
        self._messages: list[Message] = []
        if system:
            self._messages.append({"role": "system", "content": system})

    def run(self) -> None:
        """Ask what is typed, until the end of the input."""
        from modelstudio_core.cli.reports import show_error
        from modelstudio_core.errors import APIError

        self._output.note(
            f"A conversation with {self._llm.resolved_model} in"
            f" {self._llm.endpoint.region or self._llm.endpoint.host}. Ctrl-D or"
            f" {_END_WORDS[0]} ends it."
        )
        for question in _typed(self._output):
            before = len(self._messages)
            try:
                self.ask(question)
            except APIError as error:
                # The question can be asked again.
                del self._messages[before:]
                show_error(self._output, error)

    def ask(self, question: str) -> None:
        """Ask a question, show the answer, and keep both."""
        from modelstudio_core.chat.calls import prepare_call, stream
        from modelstudio_core.chat.completion import Completion

        self._messages.append({"role": "user", "content": question})
        call = prepare_call(self._llm.resolved, self._messages, {}, stream=True)
        completion = Completion()
        printer = _Printer(self._output, shows_reasoning=self._shows_reasoning)
        for event in stream(call):
            completion.add(event)
            if not self._output.json:
                printer.show(event)
        printer.end()
        self._messages.append(_as_message(completion))
        value = self._as_json(completion)
        self._output.emit(value, lambda: self._output.note(_usage_line(value)))

    def _as_json(self, completion: "Completion") -> dict[str, Any]:
        llm, finish = self._llm, completion.finish
        usage = finish and finish.usage
        return {
            "answer": completion.text,
            "reasoning": completion.reasoning or None,
            "tool_calls": completion.tool_calls or None,
            "citations": completion.citations or None,
            "finish_reason": finish and finish.finish_reason,
            "usage": usage
            and {
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "total_tokens": usage.total_tokens,
                "reasoning_tokens": usage.reasoning_tokens,
                "cached_tokens": usage.cached_tokens,
            },
            "model": llm.resolved_model,
            "requested_model": llm.model if llm.model != llm.resolved_model else None,
            "request_id": finish and finish.request_id,
            "region": llm.endpoint.region,
            "mode": llm.endpoint.mode,
        }


class _Printer:
    """Prints the events of an answer: the reasoning dimmed, the answer bright."""

    def __init__(self, output: Output, *, shows_reasoning: bool) -> None:
        self._output = output
        self._shows_reasoning = shows_reasoning
        self._in_reasoning = False
        self._in_answer = False

    def show(self, event: object) -> None:
        from modelstudio_core.chat.events import ReasoningDelta, TextDelta

        if isinstance(event, ReasoningDelta) and self._shows_reasoning:
            text = printable(event.text)
            self._output.notes.print(text, end="", style="dim italic")
            self._in_reasoning = self._in_reasoning or bool(text)
        elif isinstance(event, TextDelta) and event.text:
            if self._in_reasoning:
                self._output.notes.print("\n")
                self._in_reasoning = False
            self._output.console.print(printable(event.text), end="", style="bold")
            self._output.console.file.flush()
            self._in_answer = True

    def end(self) -> None:
        if self._in_reasoning:
            self._output.notes.print()
        if self._in_answer:
            self._output.console.print()


def _as_message(completion: "Completion") -> "Message":
    return {
        "role": "assistant",
        "content": completion.text,
        "reasoning_content": completion.reasoning,
    }


def _usage_line(value: dict[str, Any]) -> str:
    usage = value["usage"]
    parts: list[str] = []
    if usage:
        reasoning = usage["reasoning_tokens"]
        thought = f" ({reasoning} of reasoning)" if reasoning else ""
        parts.append(
            f"{usage['input_tokens']} + {usage['output_tokens']} tokens{thought}"
        )
    if value["finish_reason"] not in {"stop", None}:
        parts.append(f"ended with {value['finish_reason']}")
    parts += [str(value["model"]), f"request id {value['request_id']}"]
    return f"[{', '.join(parts)}]"


def _typed(output: Output) -> Generator[str]:
    """Yield what is typed, line by line, without empty lines."""
    _load_line_editor()
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            output.notes.print()
            return
        if line in _END_WORDS:
            return
        if line:
            yield line


def _load_line_editor() -> None:
    """Let arrow keys edit a line, where Python has the module. No history is kept."""
    # input() uses it once it is loaded.
    with suppress(ImportError):
        import_module("readline")
