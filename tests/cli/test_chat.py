"""``modelstudio chat``: a conversation, and what is shown of each answer."""

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typing_extensions import override

from modelstudio_core.emulator import Emulator, Fault, Reply
from tests.cli.conftest import Run


class Terminal(io.StringIO):
    """Standard input on which lines are typed."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture(name="type_lines")
def _type_lines(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Type lines, and then Ctrl-D."""

    def type_lines(*lines: str) -> None:
        text = "".join(f"{line}\n" for line in lines)
        monkeypatch.setattr(sys, "stdin", Terminal(text))

    return type_lines


def usage(**more: int) -> dict[str, Any]:
    """Return the usage of an answer."""
    tokens = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    return tokens | ({"completion_tokens_details": more} if more else {})


@pytest.mark.parametrize("lines", [("/exit", "Hi"), (" /quit ", "Hi"), ("", " "), ()])
def test_a_conversation_ends_with_a_word_or_with_the_input(
    run: Run, type_lines: Callable[..., None], lines: tuple[str, ...]
) -> None:
    type_lines(*lines)
    ran = run("chat", "--region", "singapore")
    assert ran.code == 0
    assert ran.err.rstrip("\n") == (
        "A conversation with qwen3.7-plus in ap-southeast-1. Ctrl-D or /exit ends it."
    )


def test_arrow_keys_edit_a_line_that_is_typed(
    run: Run, type_lines: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "readline", raising=False)
    type_lines("/exit")
    assert run("chat").code == 0
    assert "readline" in sys.modules


def test_a_conversation_has_what_was_said_before(
    run: Run, studio: Emulator, type_lines: Callable[..., None]
) -> None:
    studio.script(
        Reply(text="First.", reasoning="Hm."),
        Fault(status=400, code="invalid_value", message="No."),
        Reply(text="Second."),
        Reply(text="Third."),
    )
    type_lines("one", "refused", "", "  two ", "/exit now", "/exit")
    ran = run(
        *("chat", "--base-url", studio.base_url, "-s", "Be brief."),
        *("-o", "preserve_thinking=true"),
    )
    assert ran.code == 0
    host = studio.base_url.removeprefix("http://")
    assert ran.err.startswith(f"A conversation with qwen3.7-plus in {host}. ")
    assert "Error: No." in ran.err
    assert "refused" not in str(studio.requests[-1].body)
    assert studio.requests[-1].body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "First.", "reasoning_content": "Hm."},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": "Second."},
        {"role": "user", "content": "/exit now"},
    ]


@pytest.mark.parametrize(
    ("reply", "out", "err"),
    [
        (
            Reply(text="Blue.", reasoning="", usage=usage()),
            "Blue.\n",
            "[5 + 7 tokens, qwen3.7-plus, ",
        ),
        (
            Reply(text="Blue.", reasoning="Hm.", usage=usage(reasoning_tokens=3)),
            "Blue.\n",
            "Hm.\n\n[5 + 7 tokens (3 of reasoning), qwen3.7-plus, ",
        ),
        (
            Reply(text="Blu", reasoning="", finish_reason="length", usage=usage()),
            "Blu\n",
            "[5 + 7 tokens, ended with length, qwen3.7-plus, ",
        ),
    ],
)
def test_the_usage_is_a_line_behind_the_answer(
    run: Run, studio: Emulator, reply: Reply, out: str, err: str
) -> None:
    studio.script(reply)
    ran = run("chat", "Hi", "--base-url", studio.base_url)
    assert (ran.code, ran.out) == (0, out)
    assert ran.err.startswith(f"{err}request id ")
    assert ran.err.endswith("]\n")


def test_reasoning_can_be_hidden(run: Run, studio: Emulator) -> None:
    studio.script(Reply(text="Blue.", reasoning="Hm."))
    ran = run("chat", "Hi", "--base-url", studio.base_url, "--hide-reasoning")
    assert (ran.code, ran.out) == (0, "Blue.\n")
    assert ran.err.startswith("[")
    assert ran.err.count("\n") == 1


def test_the_requested_model_is_in_the_json_where_another_is_used(
    run: Run, studio: Emulator
) -> None:
    url = ("--base-url", studio.base_url, "--json")
    value = run("chat", "Hi", "-m", "deepseek-r1", *url).json
    assert (value["model"], value["requested_model"]) == ("qwen3.7-max", "deepseek-r1")
    value = run("chat", "Hi", "-m", "qwen-plus", *url).json
    assert (value["model"], value["requested_model"]) == ("qwen-plus", None)
