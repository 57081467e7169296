"""The other commands: what they send and print, and how they end."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core import __version__
from modelstudio_core.catalog import model_ids
from modelstudio_core.cli.exit_codes import describe_failure
from modelstudio_core.cli.reports import printable
from modelstudio_core.emulator import Emulator, Fault, Reply
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    IncompleteStreamError,
    NotFoundError,
    PermissionDeniedError,
    PolicyError,
    QuotaExceededError,
    RateLimitError,
    ToolChoiceError,
)
from modelstudio_core.policy import Policy, set_policy
from tests.cli.conftest import KEY, Route, Run

COMMANDS = ("doctor", "endpoints", "models", "chat", "embed", "emulator")


def pipe(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(run: Run, command: str) -> None:
    ran = run(command, "--help")
    assert ran.code == 0
    assert "--json" in ran.out
    assert "--verbose" in ran.out
    assert "--api-key " not in ran.out


def test_help_names_every_command_and_the_exit_codes(run: Run) -> None:
    ran = run("--help")
    assert all(f" {command} " in ran.out for command in COMMANDS)
    assert "Exit codes: 0 done" in ran.out
    assert run().out.strip() == ran.out.strip()


@pytest.mark.parametrize(
    "text",
    [
        "A file that holds the API key. Else DASHSCOPE_API_KEY.",
        "Region id or alias, such as 'frankfurt'. Else DASHSCOPE_REGION.",
        "Workspace id. Else DASHSCOPE_WORKSPACE_ID.",
        "Print one JSON value on stdout.",
        "Ask a question; without one, have a conversation.",
    ],
)
def test_help_says_what_an_option_is_for(run: Run, text: str) -> None:
    assert text in run("chat", "--help").out


def test_version(run: Run) -> None:
    assert run("--version").out.strip() == __version__


# --- Exit codes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), 2),
        (PolicyError("x"), 2),
        (AuthenticationError("x"), 3),
        (PermissionDeniedError("x"), 5),
        (PermissionDeniedError("x", code="Workspace.AccessDenied"), 4),
        (NotFoundError("No such model."), 5),
        (NotFoundError("Not found"), 2),
        (APIConnectionError("x"), 6),
        (APITimeoutError("x"), 6),
        (IncompleteStreamError("x"), 6),
        (QuotaExceededError("x"), 7),
        (RateLimitError("x"), 7),
        (BadRequestError("x"), 1),
        (ToolChoiceError("x"), 1),
        (APIError("x"), 1),
        (RuntimeError("x"), 1),
    ],
)
def test_exit_codes(error: Exception, code: int) -> None:
    assert describe_failure(error).code == code


@pytest.mark.parametrize(
    "command", [("chat", "Hi"), ("embed", "Hi"), ("models", "--live")]
)
def test_a_refused_key_ends_every_command_with_3(
    run: Run, studio: Emulator, command: tuple[str, ...]
) -> None:
    url = studio.base_url
    ran = run(*command, "--base-url", url, "--json", key="sk-another-0123456789")
    assert ran.code == 3
    assert ran.json["exit_code"] == 3
    assert ran.json["error"]["class"] == "AuthenticationError"
    assert ran.json["error"]["request_id"]
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1


def test_an_unknown_option_is_a_usage_error(run: Run) -> None:
    ran = run("chat", "--temperatur", "1", "Hi")
    assert (ran.code, ran.out) == (2, "")
    assert "No such option" in ran.err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("chat", "--temperatur", "1", "Hi", "--json"), "No such option: --temperatur"),
        (("--json", "chat", "Hi"), "No such option: --json"),
        (("chats", "--json"), "No such command 'chats'."),
        (("task", "wait", "--json"), "Missing argument"),
        (("task", "waits", "--json"), "No such command 'waits'."),
        (
            ("batch", "collect", "x", "--wait-timeout", "x", "--json"),
            "Invalid value for '--wait-timeout'",
        ),
    ],
)
def test_wrong_usage_is_an_error_in_json_where_that_is_asked_for(
    run: Run, command: tuple[str, ...], message: str
) -> None:
    ran = run(*command)
    assert ran.code == ran.json["exit_code"] == 2
    assert message in ran.json["error"]["message"]
    assert (
        ran.json["error"].keys()
        == run("chat", "Hi", "--json", "-o", "x=1").json["error"].keys()
    )
    assert message in " ".join(ran.err.replace("\u2502", " ").split())


def test_json_behind_the_options_is_a_part_of_the_question(run: Run) -> None:
    ran = run("chats", "--", "--json")
    assert (ran.code, ran.out) == (2, "")


def test_errors_name_options_and_not_arguments(run: Run) -> None:
    ran = run("chat", "Hi", "--region", "eu")
    assert "pass --mode eu." in ran.err
    ran = run("chat", "Hi", "--base-url", "http://192.0.2.1")
    assert "pass --allow-insecure-http." in ran.err
    assert run("chat", "Hi", key=None).err.startswith(
        "Error: The API key is missing: pass --api-key-file, or set DASHSCOPE_API_KEY."
    )


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            ("chat", "Hi", "--base-url", "http://127.0.0.1:9", "--max-retries", "0"),
            "cannot be reached: [Errno 111] Connection refused. Check the network,",
        ),
        (("chat", "Hi", "--max-retries", "-1"), "--max-retries must be an integer"),
        (("chat", "Hi", "--timeout", "0"), "--timeout must be a number of seconds"),
        (("chat", "Hi", "--timeout", "0"), "at most a week, got 0.0."),
        (("chat", "Hi", "--total-timeout", "0"), "at most a week, got 0.0."),
        (
            ("chat", "Hi", "--total-timeout", "0"),
            "--total-timeout must be a number of seconds above 0 and at most a week",
        ),
        (("chat", "Hi", "--base-url", "ftp://x"), "--base-url must be an http or"),
        (("chat", "Hi", "-o", "topp=1"), "Unknown --option 'topp'. Did you mean"),
        (
            ("chat", "Hi", "-o", "tools=[]"),
            "Unknown --option 'tools'. Remove it: the command calls no tools.",
        ),
        (("chat", "Hi", "-o", "strict=1"), "Unknown --option 'strict'. Remove it."),
        (("chat", "Hi", "-o", "system=x"), "Unknown --option 'system'. Use --system."),
        (
            ("chat", "Hi", "-o", "prompt=x"),
            "Remove it: what follows the options is the question.",
        ),
        (("chat", "Hi", "-m", "qwen-plus "), "--model must be a model's id"),
        (
            ("chat", "Hi", "-m", "text-embedding-v4"),
            "such as 'qwen3.7-plus'. For this model, run 'modelstudio embed'.\n",
        ),
        (
            ("embed", "Hi", "-m", "qwen-plus"),
            "such as 'text-embedding-v4'. For this model, run 'modelstudio chat'.\n",
        ),
        (("embed", "Hi", "-m", "qwen3-rerank"), "such as 'text-embedding-v4'.\n"),
        (("emulator", "--port", "99999"), "Invalid value for '--port'"),
        (("emulator", "--chunk-delay", "-1"), "Invalid value for '--chunk-delay'"),
        (("emulator", "--host", "host.invalid"), "--host host.invalid --port 8000"),
        (("task", "list", "--status", "x"), "--status must be one of PENDING,"),
        (("task", "list", "--limit", "0"), "--limit must be an integer above 0"),
    ],
)
def test_errors_speak_of_the_command_line(
    run: Run, command: tuple[str, ...], message: str
) -> None:
    ran = run(*command)
    assert message in ran.err
    assert ran.code in {2, 6}


def test_no_retries_are_none(run: Run, studio: Emulator) -> None:
    studio.script(Fault(status=500), Fault(status=500))
    url = studio.base_url
    assert run("chat", "Hi", "--base-url", url, "--max-retries", "0").code == 1
    assert len(studio.requests) == 1


def test_help_wraps_at_the_width_of_the_terminal(run: Run) -> None:
    assert "the usage to standard error, so that a file" in run("chat", "--help").out


def test_only_verbose_shows_a_traceback(
    studio: Emulator,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from modelstudio_core.cli import main

    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    studio.script(Fault(status=500), Fault(status=500))
    url = studio.base_url
    code = main(["chat", "Hi", "--base-url", url, "--max-retries", "1", "--verbose"])
    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert "Traceback" in err
    assert "modelstudio: " in err  # the retry
    assert KEY not in err


def test_an_error_of_the_command_itself_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError(f"no {KEY}")

    monkeypatch.setattr("modelstudio_core.endpoints.documented_regions", fail)
    ran = run("endpoints")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: RuntimeError: no **********. This may be")


def test_an_interrupt_ends_without_a_word(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("modelstudio_core.endpoints.documented_regions", interrupt)
    ran = run("endpoints")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


# --- endpoints ------------------------------------------------------------------------


def test_endpoints_are_an_array(run: Run) -> None:
    rows = run("endpoints", "--json", key=None).json
    assert len(rows) == 8
    frankfurt = [row for row in rows if row["region"] == "eu-central-1"]
    assert [row["mode"] for row in frankfurt] == ["eu", "global"]
    assert all(row["needs_workspace"] and row["host"] is None for row in frankfurt)
    assert rows[0]["host"] == "dashscope-intl.aliyuncs.com"
    assert rows[0]["inference_scope"].startswith("Global dynamic scheduling")


def test_endpoints_of_a_mode_and_a_workspace(run: Run) -> None:
    rows = run("endpoints", "--mode", "EU", "--workspace", "ws-1", "--json").json
    assert [row["host"] for row in rows] == ["ws-1.eu-central-1.maas.aliyuncs.com"]
    assert "Germany (Frankfurt)" in run("endpoints", "--mode", "eu").out


def test_endpoints_for_people(run: Run) -> None:
    tokyo = run("endpoints", "--region", "tokyo")
    assert tokyo.out.splitlines() == [
        "ap-northeast-1  mode not documented",
        "  also: tokyo, japan, jp, japan-tokyo",
        (
            "  host: {workspace}.ap-northeast-1.maas.aliyuncs.com (a workspace is"
            " required)"
        ),
        "  data is stored in: Japan (Tokyo)",
        "  inference runs: not documented",
    ]
    lines = run("endpoints", "--region", "us").out.splitlines()
    assert [line for line in lines if not line.startswith("  ")] == [
        "us-east-1  mode global (default)",
        "us-east-1  mode us",
    ]
    assert "  host: dashscope-us.aliyuncs.com" in lines
    hosted = run("endpoints", "--region", "tokyo", "--workspace", "ws-1").out
    assert "  host: ws-1.ap-northeast-1.maas.aliyuncs.com\n" in hosted


def test_endpoints_say_which_mode_is_the_default(run: Run) -> None:
    rows = run("endpoints", "--json", key=None).json
    assert {(row["region"], row["mode"]) for row in rows if row["is_default_mode"]} == {
        ("ap-southeast-1", "international"),
        ("us-east-1", "global"),
        ("cn-beijing", "chinese-mainland"),
        ("cn-hongkong", "hong-kong"),
    }
    needs = {row["region"] for row in rows if row["needs_workspace"]}
    assert needs == {"eu-central-1", "ap-northeast-1"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--region", "mars"),
        ("--workspace", "a.b"),
        ("--region", "tokyo", "--mode", "eu"),
    ],
)
def test_endpoints_that_do_not_exist(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run("endpoints", *arguments)
    assert (ran.code, ran.out) == (2, "")


# --- models ---------------------------------------------------------------------------


def test_models_are_an_array_and_need_no_key(run: Run) -> None:
    rows = run("models", "--json", key=None).json
    assert len(rows) == len(model_ids(None))
    assert {row["kind"] for row in rows} == {"chat", "embedding", "rerank", "media"}


def test_models_by_region_kind_and_capability(run: Run) -> None:
    def ids(*arguments: str) -> set[str]:
        return {row["id"] for row in run("models", "--json", *arguments).json}

    assert "qwen3-vl-plus" in ids("--with", "image", "--kind", "chat")
    assert "qwen3.7-max" not in ids("--with", "image")
    assert ids("--kind", "rerank") == set(model_ids("rerank"))
    assert "qwen3.7-plus-us" in ids("--mode", "us")
    assert "qwen3.7-plus-us" not in ids("--region", "frankfurt")
    assert ids("--with", "sparse") <= set(model_ids("embedding"))
    assert ids("deepseek-r1", "--deprecated") >= {"deepseek-r1", "deepseek-r1-0528"}
    assert ids("no-such-model") == set()


def test_a_delisted_model_has_its_replacement(run: Run) -> None:
    (row,) = run("models", "deepseek-v3.2-exp", "--json").json
    assert (row["delisted"], row["replacement"]) == ("2026-07-09", "qwen3.7-plus")
    text = run("models", "deepseek-v3.2-exp").out
    assert "delisted on 2026-07-09: use qwen3.7-plus" in text


@pytest.mark.parametrize("width", [60, 80, 109, 110, 200])
def test_models_break_no_word_at_any_width(
    run: Run, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    words = set(re.split(r"[\s,]+", run("models", "deepseek", key=None).out))
    assert {"deepseek-v4-pro", "chat", "thinking", "reasoning-effort"} <= words
    assert {"1", "000", "delisted", "2026-07-09:", "qwen3.7-plus"} <= words


@pytest.mark.parametrize(
    "arguments",
    [("--kind", "x"), ("--with", "x"), ("--region", "tokyo", "--mode", "eu")],
)
def test_models_with_a_wrong_filter(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("models", *arguments).code == 2


def test_live_models_are_those_of_the_service(run: Run, route: Route) -> None:
    data = [{"id": "qwen3.7-plus"}, {"id": "a-new-model"}]
    body = json.dumps({"data": data, "has_more": True}).encode()
    with route(lambda _: (200, body)) as proxy:
        ran = run("models", "--live", "--region", "virginia", "--json")
    assert ran.code == 0
    assert [(row["id"], row["in_catalog"]) for row in ran.json] == [
        ("qwen3.7-plus", True),
        ("a-new-model", False),
    ]
    assert "more models" in ran.err
    (request,) = proxy.received
    assert (request.host, request.key) == ("dashscope-us.aliyuncs.com", KEY)


# --- chat -----------------------------------------------------------------------------


def test_the_answer_alone_is_on_standard_output(run: Run, studio: Emulator) -> None:
    studio.script(Reply(reasoning="Let me see.", text="Blue."))
    ran = run("chat", "Which", "colour?", "--base-url", studio.base_url)
    assert (ran.code, ran.out) == (0, "Blue.\n")
    assert ran.err.startswith("Let me see.\n")
    assert "tokens" in ran.err
    assert "request id" in ran.err
    body = studio.requests[0].body
    assert body["messages"] == [{"role": "user", "content": "Which colour?"}]
    assert body["stream"] is True


def test_what_looks_like_markup_is_printed_as_it_is(run: Run, studio: Emulator) -> None:
    text = "A :cat: at [bold]12[/bold]."
    studio.script(Reply(reasoning=text, text=text))
    ran = run("chat", "Hi", "--base-url", studio.base_url)
    assert (ran.code, ran.out) == (0, f"{text}\n")
    assert ran.err.startswith(f"{text}\n")
    ran = run("endpoints", "--region", ":cat:[bold]eu[/bold]")
    assert (ran.code, ran.out) == (2, "")
    assert ":cat:[bold]eu[/bold]" in ran.err


def test_a_terminal_shows_numbers_and_addresses_without_colours(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run("endpoints", "--region", "eu"), run("endpoints", "--region", "us")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    error, listed = run("endpoints", "--region", "eu"), run("endpoints", "-h")
    assert error.err == plain[0].err
    assert "\x1b[" in listed.out
    lines = run("endpoints", "--region", "us").out.splitlines()
    assert lines[0] == "\x1b[1mus-east-1  mode global (default)\x1b[0m"
    assert lines[1:5] == plain[1].out.splitlines()[1:5]


def test_an_answer_without_text_prints_nothing(run: Run, studio: Emulator) -> None:
    studio.script(Reply(text=""))
    ran = run("chat", "Hi", "--base-url", studio.base_url)
    assert (ran.code, ran.out) == (0, "")
    studio.script(Reply(reasoning="Let me see.", text=""))
    ran = run("chat", "Hi", "--base-url", studio.base_url)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("Let me see.\n[")


def test_chat_as_json(run: Run, studio: Emulator) -> None:
    usage: dict[str, Any] = {
        "prompt_tokens": 5,
        "completion_tokens": 7,
        "total_tokens": 12,
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    studio.script(Reply(reasoning="Hm.", text="Grün, 蓝.", usage=usage))
    ran = run("chat", "Hi", "--base-url", studio.base_url, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["answer"] == "Grün, 蓝."
    assert '"Grün, 蓝."' in ran.out
    assert ran.json["reasoning"] == "Hm."
    assert ran.json["usage"]["reasoning_tokens"] == 3
    assert ran.json["finish_reason"] == "stop"
    assert ran.json["request_id"]
    assert (ran.json["tool_calls"], ran.json["citations"]) == (None, None)


def test_the_sources_of_an_answer_are_in_the_json(run: Run, studio: Emulator) -> None:
    source = {"index": 1, "title": "Ulm", "url": "https://example.com/ulm"}
    studio.script(Reply(text="Blue [1].", search_results=[source]))
    ran = run(
        *("chat", "Hi", "--base-url", studio.base_url, "--json"),
        *("--protocol", "dashscope", "-o", "enable_search=true"),
        *("-o", 'search_options={"enable_source": true}'),
    )
    assert ran.code == 0
    (citation,) = ran.json["citations"]
    assert citation.items() >= source.items()


def test_options_become_arguments(run: Run, studio: Emulator) -> None:
    ran = run(
        *("chat", "Hi", "--base-url", studio.base_url, "-s", "Be brief."),
        *("-o", "top_p=0.5", "-o", "enable_search=true", "-o", 'stop=["x"]'),
        "--no-thinking",
    )
    assert ran.code == 0
    body = studio.requests[0].body
    assert (body["top_p"], body["enable_search"]) == (0.5, True)
    assert (body["stop"], body["enable_thinking"]) == (["x"], False)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    "option", ["top_p=9", "topp=0.5", "top_p", "api_key=x", "model=x", "base_url=x"]
)
def test_a_wrong_option_sends_nothing(run: Run, studio: Emulator, option: str) -> None:
    ran = run("chat", "Hi", "--base-url", studio.base_url, "-o", option)
    assert (ran.code, ran.out) == (2, "")
    assert studio.requests == []


def test_a_piped_question(
    run: Run, studio: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, "What is this?\n")
    assert run("chat", "--base-url", studio.base_url).code == 0
    pipe(monkeypatch, "a log file")
    assert run("chat", "Explain", "-", "--base-url", studio.base_url).code == 0
    pipe(monkeypatch, "")
    assert run("chat", "--base-url", studio.base_url).code == 2
    asked = [r.body["messages"][-1]["content"] for r in studio.requests]
    assert asked == ["What is this?", "Explain\n\na log file"]


def test_an_answer_cannot_control_the_terminal(run: Run, studio: Emulator) -> None:
    studio.script(Reply(text="\x1b]0;title\x07red \x1b[31m", reasoning="\x9b2J"))
    ran = run("chat", "Hi", "--base-url", studio.base_url)
    assert ran.out == r"\x1b]0;title\x07red \x1b[31m" + "\n"
    assert "\x9b" not in ran.err


def test_markup_in_an_answer_is_text(run: Run, studio: Emulator) -> None:
    studio.script(Reply(text="[bold]x[/bold] :smile: [/]"))
    ran = run("chat", "Hi", "--base-url", studio.base_url, "--hide-reasoning")
    assert ran.out == "[bold]x[/bold] :smile: [/]\n"


def test_line_ends_and_tabs_are_kept() -> None:
    assert printable("a\n\tb") == "a\n\tb"


def test_a_delisted_model_is_a_line_on_standard_error(
    run: Run, studio: Emulator
) -> None:
    ran = run("chat", "Hi", "-m", "deepseek-r1", "--base-url", studio.base_url)
    assert ran.code == 0
    assert "Warning: " in ran.err
    assert studio.requests[0].body["model"] == "qwen3.7-max"


def test_a_policy_holds_for_the_command(run: Run, studio: Emulator) -> None:
    set_policy(Policy(models=["deepseek-*"]))
    ran = run("chat", "Hi", "--base-url", studio.base_url)
    assert ran.code == 2
    assert "set_policy" in ran.err
    assert studio.requests == []


def test_a_conversation_on_a_terminal(studio: Emulator) -> None:
    """Typed on a pseudo-terminal; a failed question can be asked again."""
    studio.script(
        Reply(text="First.", reasoning="Hm."),
        Fault(status=400, code="invalid_value", message="No."),
        Reply(text="Second."),
    )
    import pty

    command = [
        *(sys.executable, "-c", "import sys; from modelstudio_core.cli import main;"),
        *("chat", "--base-url", studio.base_url),
    ]
    command[2] += " sys.exit(main(sys.argv[1:]))"
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - another process
        os.environ["DASHSCOPE_API_KEY"] = KEY
        os.execv(sys.executable, command)  # noqa: S606 - the command of this package
    seen = b""
    for typed, awaited in (
        (b"one\n", b"First."),
        (b"two\n", b"Error: No."),
        (b"three\n", b"Second."),
        (b"/exit\n", b"/exit"),
    ):
        seen = read_until(terminal, b"> ", seen)
        os.write(terminal, typed)
        seen = read_until(terminal, awaited, b"")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    messages = studio.requests[-1].body["messages"]
    assert [message["content"] for message in messages] == ["one", "First.", "three"]


def read_until(terminal: int, text: bytes, seen: bytes) -> bytes:
    """Read from a terminal until a text was there, and return what follows it."""
    while text not in seen:
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the end, on Linux
            break
    assert text in seen
    return seen.partition(text)[2]


# --- embed ----------------------------------------------------------------------------


def test_embed_as_json(run: Run, studio: Emulator) -> None:
    ran = run(
        *("embed", "A fox", "A car", "--base-url", studio.base_url, "--json"),
        *("--dimensions", "64"),
    )
    assert ran.code == 0
    assert [len(vector) for vector in ran.json["vectors"]] == [64, 64]
    assert ran.json["usage"]["requests"] == 1
    assert studio.requests[0].body["parameters"]["text_type"] == "document"


def test_embed_queries_with_an_instruction(run: Run, studio: Emulator) -> None:
    ran = run(
        *("embed", "Which fox?", "--query", "--instruct", "Find animals"),
        *("--base-url", studio.base_url),
    )
    assert ran.code == 0
    parameters = studio.requests[0].body["parameters"]
    assert parameters["text_type"] == "query"
    assert parameters["instruct"] == "Find animals"
    assert "1024 dimensions" in ran.err


def test_embed_lines_that_are_piped(
    run: Run, studio: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, "one\n\ntwo\n")
    ran = run("embed", "--base-url", studio.base_url)
    assert ran.code == 0
    assert studio.requests[0].body["input"]["texts"] == ["one", "two"]
    pipe(monkeypatch, "")
    assert run("embed", "--base-url", studio.base_url).code == 2


def test_queries_need_the_native_protocol(run: Run, studio: Emulator) -> None:
    url = studio.base_url
    ran = run("embed", "x", "--query", "--protocol", "openai", "--base-url", url)
    assert ran.code == 2
    assert "--protocol dashscope" in ran.err
    assert studio.requests == []


# --- emulator -------------------------------------------------------------------------


def test_the_emulator_serves_until_a_signal() -> None:
    code = "import sys; from modelstudio_core.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "emulator", "--port", "0", "--json"]
    with subprocess.Popen(  # noqa: S603 - the command of this package
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        text = "".join(iter(process.stdout.readline, "}\n")) + "}"
        value = json.loads(text)
        request = urllib.request.Request(  # noqa: S310 - a server of this test
            f"{value['base_url']}/compatible-mode/v1/models",
            headers={"authorization": f"Bearer {value['api_key']}"},
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310 - the same
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=5)
    assert (process.returncode, out) == (0, "")
    assert err == "The emulator has stopped.\n"


def test_a_port_in_use_is_one_sentence(run: Run, studio: Emulator) -> None:
    port = studio.base_url.rpartition(":")[2]
    ran = run("emulator", "--port", port)
    assert (ran.code, ran.out) == (2, "")
    assert f"--port {port} cannot be listened on: Address already in use." in ran.err


def test_a_pipe_that_ends_early_is_no_error() -> None:
    code = "import sys; from modelstudio_core.cli import main; sys.exit(main())"
    command = f"{sys.executable} -c '{code}' models --json | head -1"
    ran = subprocess.run(  # noqa: S602 - the command of this package
        command, shell=True, capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("[\n", "")


def test_without_typer_there_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelstudio_core import cli

    monkeypatch.setattr(cli, "find_spec", lambda _: None)
    assert cli.main(["doctor"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "The command modelstudio needs typer and rich. Install them:"
        ' pip install "modelstudio-integrations[cli]".\n'
    )


def test_help_loads_nothing_that_is_slow(tmp_path: Path) -> None:
    script = tmp_path / "help.py"
    script.write_text(
        "import json, sys\n"
        "from modelstudio_core.cli import main\n"
        "main(['--help'])\n"
        "print(json.dumps([name for name in sys.modules]))\n"
    )
    ran = subprocess.run(  # noqa: S603 - the script above
        [sys.executable, str(script)], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(ran.stdout.splitlines()[-1]))
    slow = {"openai", "pydantic", "dashscope", "httpx", "httpx2", "aiohttp", "asyncio"}
    assert loaded & (slow | {"langchain_core", "llama_index", "uvicorn"}) == set()
