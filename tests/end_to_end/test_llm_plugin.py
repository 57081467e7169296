"""The models of the command ``llm``: what is sent, and what comes back."""

import base64
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest

from modelstudio_core.catalog import resolve_model
from modelstudio_core.chat.options import ChatOptionArguments
from modelstudio_core.connection_arguments import ConnectionArguments
from modelstudio_core.emulator import Emulator, Fault, Reply, ToolCall
from modelstudio_core.errors import AuthenticationError, ConfigurationError
from modelstudio_core.policy import Policy, set_policy
from tests.end_to_end.field.media_support import PNG_BYTES
from tests.support.models import PROTOCOLS, Protocol
from tests.support.pages import ROOT

llm = pytest.importorskip("llm", reason="llm is not installed")

from click.testing import CliRunner, Result  # noqa: E402 - it comes with llm
from llm.cli import cli  # noqa: E402 - the same
from llm.parts import ReasoningPart, TextPart, ToolCallPart  # noqa: E402 - the same

from modelstudio_core import llm_plugin  # noqa: E402 - it needs llm

MODEL: Final = "qwen3.7-plus"


@pytest.fixture(autouse=True)
def empty_user_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the keys, options and logs of the developer out of the tests."""
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))


@dataclass(frozen=True)
class Style:
    """How a model is called."""

    protocol: Protocol
    is_async: bool
    stream: bool

    def __str__(self) -> str:
        kind = "async" if self.is_async else "sync"
        return f"{self.protocol}-{kind}-{'stream' if self.stream else 'whole'}"


STYLES: Final = [
    Style(protocol, is_async, stream)
    for protocol, is_async, stream in product(PROTOCOLS, (False, True), (True, False))
]
EACH_STYLE: Final = pytest.mark.parametrize("style", STYLES, ids=str)


async def ask(
    style: Style, studio: Emulator, prompt: str | None, name: str = MODEL, **more: Any
) -> Any:
    """Ask a model, and return its response after the end."""
    arguments: dict[str, Any] = {
        "key": studio.api_key,
        "stream": style.stream,
        "base_url": studio.base_url,
        "protocol": style.protocol,
        "max_retries": 0,
        **more,
    }
    if not style.is_async:
        response: Any = llm_plugin.ModelStudioChat(name).prompt(prompt, **arguments)
        response.text()
        return response
    asked: Any = llm_plugin.AsyncModelStudioChat(name).prompt(prompt, **arguments)
    return await asked.to_sync_response()


def sent(studio: Emulator) -> dict[str, Any]:
    """Return what the last request asked for, in the form of the OpenAI protocol."""
    body: dict[str, Any] = studio.requests[-1].body
    if "input" not in body:
        return body
    messages = [
        {**message, "content": plain(message["content"])}
        for message in body["input"]["messages"]
    ]
    return {"model": body["model"], "messages": messages, **body["parameters"]}


def plain(content: Any) -> Any:
    """Return the native protocol's content as a string, if it is text alone."""
    if isinstance(content, list) and all(set(part) == {"text"} for part in content):
        return "".join(part["text"] for part in content)
    return content


# --- Answers --------------------------------------------------------------------------


@EACH_STYLE
async def test_an_answer_is_apart_from_its_reasoning(
    modelstudio_emulator: Emulator, style: Style
) -> None:
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 7,
        "total_tokens": 12,
        "input_tokens": 5,
        "output_tokens": 7,
        "completion_tokens_details": {"reasoning_tokens": 3},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    modelstudio_emulator.script(Reply(text="Blue.", reasoning="A sky.", usage=usage))
    response = await ask(
        style,
        modelstudio_emulator,
        "Which?",
        system="Be brief.",
        temperature="0.5",
        thinking_budget=100,
        search_options='{"forced_search": true}',
        enable_search=True,
    )
    assert response.text() == "Blue."
    (message,) = response.messages()
    assert message.parts == [ReasoningPart("A sky."), TextPart("Blue.")]
    assert (response.input_tokens, response.output_tokens) == (5, 7)
    assert response.token_details == {"reasoning_tokens": 3}
    assert response.resolved_model == MODEL
    assert response.response_json["finish_reason"] == "stop"
    assert response.response_json["request_id"]
    assert "reasoning" not in response.response_json
    body = sent(modelstudio_emulator)
    assert body["model"] == MODEL
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Which?"},
    ]
    assert (body["temperature"], body["thinking_budget"]) == (0.5, 100)
    assert body["search_options"] == {"forced_search": True}
    (request,) = modelstudio_emulator.requests
    streams = (
        request.body.get("stream") or request.headers.get("x-dashscope-sse") == "enable"
    )
    assert streams == style.stream


@EACH_STYLE
async def test_no_usage_and_no_reasoning_are_none(
    modelstudio_emulator: Emulator, style: Style
) -> None:
    modelstudio_emulator.script(Reply(text="Blue.", omit={"usage"}))
    response = await ask(style, modelstudio_emulator, "Hi", enable_thinking=False)
    (message,) = response.messages()
    assert message.parts == [TextPart("Blue.")]
    assert (response.input_tokens, response.token_details) == (None, None)
    assert sent(modelstudio_emulator)["enable_thinking"] is False


def test_a_stream_yields_its_text_piece_by_piece(
    modelstudio_emulator: Emulator,
) -> None:
    modelstudio_emulator.script(
        Reply(reasoning="Hm.", text="abc", pieces=["a", "b", "c"])
    )
    response = llm_plugin.ModelStudioChat(MODEL).prompt(
        "Hi", key=modelstudio_emulator.api_key, base_url=modelstudio_emulator.base_url
    )
    assert list(response) == ["a", "b", "c"]


async def test_citations_are_in_the_metadata(modelstudio_emulator: Emulator) -> None:
    result = {"index": 1, "title": "T", "url": "https://example.com"}
    modelstudio_emulator.script(Reply(text="Rain.", search_results=[result]))
    response = await ask(
        Style("dashscope", is_async=False, stream=True),
        modelstudio_emulator,
        "Weather?",
        enable_search=True,
        search_options={"enable_source": True},
    )
    (citation,) = response.response_json["citations"]
    assert citation["url"] == "https://example.com"


# --- Conversations, tools, schemas, images -------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_conversation_has_what_was_said_before(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    modelstudio_emulator.script(
        Reply(text="First.", reasoning="Hm."), Reply(text="Second.")
    )
    conversation = llm_plugin.ModelStudioChat(MODEL).conversation()
    options: dict[str, Any] = {
        "key": modelstudio_emulator.api_key,
        "base_url": modelstudio_emulator.base_url,
        "protocol": protocol,
        "preserve_thinking": True,
    }
    for text in ("one", "two"):
        conversation.prompt(text, system="Be brief.", **options).text()
    assert sent(modelstudio_emulator)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "First.", "reasoning_content": "Hm."},
        {"role": "user", "content": "two"},
    ]


def weather(city: str) -> str:
    """Return the weather."""
    return f"Rain in {city}."


TOOL: Final = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Return the weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


@EACH_STYLE
async def test_tools_are_called_and_their_results_sent(
    modelstudio_emulator: Emulator, style: Style
) -> None:
    calls = [ToolCall("weather", {"city": c}, id=c) for c in ("Oslo", "Rome")]
    modelstudio_emulator.script(
        Reply(reasoning="Ask.", tool_calls=calls), Reply(text="Rain.")
    )
    response = await ask(style, modelstudio_emulator, "Weather?", tools=[weather])
    assert sent(modelstudio_emulator)["tools"] == [TOOL]
    found = [
        (call.name, call.arguments, call.tool_call_id) for call in response.tool_calls()
    ]
    assert found == [
        ("weather", {"city": "Oslo"}, "Oslo"),
        ("weather", {"city": "Rome"}, "Rome"),
    ]
    (message,) = response.messages()
    assert message.parts == [
        ReasoningPart("Ask."),
        ToolCallPart("weather", {"city": "Oslo"}, "Oslo"),
        ToolCallPart("weather", {"city": "Rome"}, "Rome"),
    ]
    history = [*response.prompt.messages, message]
    answer = await ask(
        style,
        modelstudio_emulator,
        None,
        messages=history,
        tools=[weather],
        tool_results=response.execute_tool_calls(),
    )
    assert answer.text() == "Rain."
    _, assistant, *results = sent(modelstudio_emulator)["messages"]
    assert assistant["reasoning_content"] == "Ask."
    assert [
        (call["id"], json.loads(call["function"]["arguments"]))
        for call in assistant["tool_calls"]
    ] == [("Oslo", {"city": "Oslo"}), ("Rome", {"city": "Rome"})]
    assert [(r["role"], r["tool_call_id"], r["content"]) for r in results] == [
        ("tool", "Oslo", "Rain in Oslo."),
        ("tool", "Rome", "Rain in Rome."),
    ]


def test_a_chain_runs_tools_until_there_is_an_answer(
    modelstudio_emulator: Emulator,
) -> None:
    modelstudio_emulator.script(
        Reply(tool_calls=[ToolCall("weather", {"city": "Oslo"})]), Reply(text="Rain.")
    )
    chain = llm_plugin.ModelStudioChat(MODEL).chain(
        "Weather?",
        tools=[weather],
        key=modelstudio_emulator.api_key,
        options={"base_url": modelstudio_emulator.base_url},
    )
    assert chain.text() == "Rain."
    assert sent(modelstudio_emulator)["messages"][-1]["content"] == "Rain in Oslo."


@EACH_STYLE
@pytest.mark.parametrize("arguments", ['{"city": ', "[1]"])
async def test_a_tool_call_that_cannot_be_made_is_an_error(
    modelstudio_emulator: Emulator, style: Style, arguments: str
) -> None:
    modelstudio_emulator.script(Reply(tool_calls=[ToolCall("weather", arguments)]))
    with pytest.raises(llm.ModelError, match="call of the tool 'weather' cannot be"):
        await ask(style, modelstudio_emulator, "Weather?", tools=[weather])


@EACH_STYLE
async def test_a_schema_is_the_format_of_the_answer(
    modelstudio_emulator: Emulator, style: Style
) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    modelstudio_emulator.script(Reply(text='{"city": "Oslo"}'))
    response = await ask(style, modelstudio_emulator, "Which?", schema=schema)
    assert json.loads(response.text()) == {"city": "Oslo"}
    assert sent(modelstudio_emulator)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "output", "schema": schema},
    }


def by_bytes(_: Path) -> Any:
    return llm.Attachment(type="image/png", content=PNG_BYTES)


def by_path(folder: Path) -> Any:
    (folder / "a.png").write_bytes(PNG_BYTES)
    return llm.Attachment(path=str(folder / "a.png"))


def by_url(_: Path) -> Any:
    return llm.Attachment(type="image/png", url="https://example.com/a.png")


DATA_URL: Final = f"data:image/png;base64,{base64.b64encode(PNG_BYTES).decode()}"


@EACH_STYLE
@pytest.mark.parametrize(
    ("attach", "address"),
    [
        (by_bytes, DATA_URL),
        (by_path, DATA_URL),
        (by_url, "https://example.com/a.png"),
    ],
)
async def test_an_image_follows_the_text(
    modelstudio_emulator: Emulator,
    tmp_path: Path,
    style: Style,
    attach: Callable[[Path], Any],
    address: str,
) -> None:
    modelstudio_emulator.script(Reply(text="A fox."))
    response = await ask(
        style, modelstudio_emulator, "What?", attachments=[attach(tmp_path)]
    )
    assert response.text() == "A fox."
    (message,) = sent(modelstudio_emulator)["messages"]
    if style.protocol == "openai":
        text, image = message["content"]
        assert text == {"type": "text", "text": "What?"}
        assert image == {"type": "image_url", "image_url": {"url": address}}
    else:
        assert message["content"] == [{"text": "What?"}, {"image": address}]


async def test_an_image_needs_no_text(modelstudio_emulator: Emulator) -> None:
    modelstudio_emulator.script(Reply(text="A fox."))
    image = llm.Attachment(type="image/png", content=PNG_BYTES)
    style = Style("openai", is_async=False, stream=True)
    await ask(style, modelstudio_emulator, None, attachments=[image])
    (message,) = sent(modelstudio_emulator)["messages"]
    assert [part["type"] for part in message["content"]] == ["image_url"]


# --- Models and options ---------------------------------------------------------------


def registered() -> dict[str, tuple[Any, Any]]:
    """Return the models, and their async versions, by name."""
    models: dict[str, tuple[Any, Any]] = {}

    def register(model: Any, async_model: Any) -> None:
        models[model.name] = model, async_model

    llm_plugin.register_models(register)
    return models


def test_the_models_have_what_the_catalog_says() -> None:
    models = registered()
    assert len(models) > 100
    for name, pair in models.items():
        profile: Any = resolve_model(name, "chat")
        assert profile.delisted is None
        for model in pair:
            assert model.model_id == f"modelstudio/{name}"
            assert model.can_stream
            assert model.needs_key == "dashscope"
            assert model.key_env_var == "DASHSCOPE_API_KEY"
            assert bool(model.attachment_types) == ("image" in profile.inputs)
            formats = profile.structured_output or ()
            assert model.supports_schema == ("json_schema" in formats)
            assert model.supports_tools == (profile.tools is not False)
    assert "deepseek-v3" not in models
    assert "image/png" in models[MODEL][0].attachment_types
    assert models["deepseek-v4-pro"][0].attachment_types == set()
    kinds = [
        {getattr(model, name) for model, _ in models.values()}
        for name in ("supports_schema", "supports_tools")
    ]
    assert kinds == [{True, False}, {True, False}]


def test_the_options_are_those_of_the_core() -> None:
    fields = llm_plugin.ModelStudioChat(MODEL).Options.model_fields
    core = ChatOptionArguments.model_fields | ConnectionArguments.model_fields
    assert {"temperature", "stop", "enable_thinking", "region", "base_url"} <= {*fields}
    assert not {"api_key", "n", "audio", "http_client"} & {*fields}
    for name, field in fields.items():
        assert field.description == core[name].description
        assert field.default is None


# --- Errors ---------------------------------------------------------------------------


@EACH_STYLE
async def test_an_error_of_the_service_has_its_message_and_no_key(
    modelstudio_emulator: Emulator, style: Style
) -> None:
    key = "sk-0123456789abcdefghij"
    with pytest.raises(llm.ModelError) as caught:
        await ask(style, modelstudio_emulator, "Hi", key=key)
    assert "The API key was refused" in str(caught.value)
    assert key not in str(caught.value)
    assert isinstance(caught.value.__cause__, AuthenticationError)


@EACH_STYLE
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 3}, "temperature must be"),
        ({"region": "atlantis"}, "atlantis"),
    ],
)
async def test_what_the_core_refuses_is_not_sent(
    modelstudio_emulator: Emulator,
    style: Style,
    options: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(llm.ModelError, match=message) as caught:
        await ask(style, modelstudio_emulator, "Hi", **options)
    assert isinstance(caught.value.__cause__, ConfigurationError)
    assert not modelstudio_emulator.requests


@EACH_STYLE
async def test_a_policy_holds(modelstudio_emulator: Emulator, style: Style) -> None:
    set_policy(Policy(models=["glm*"]))
    with pytest.raises(llm.ModelError, match="policy"):
        await ask(style, modelstudio_emulator, "Hi")
    assert not modelstudio_emulator.requests


# --- The command ----------------------------------------------------------------------


Run = Callable[..., Result]


@pytest.fixture(name="run")
def _run(modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line of llm, with an empty folder of its own."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", modelstudio_emulator.api_key)
    # Installed with this package, it is there already.
    if not llm.plugins.pm.is_registered(llm_plugin):
        llm.plugins.pm.register(llm_plugin, "modelstudio")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    return run


def test_a_question_on_the_command_line(
    run: Run, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script(Reply(text="Blue.", reasoning="Hm."))
    ran = run(
        *("-m", f"modelstudio/{MODEL}", "Which?", "--no-log"),
        *("-o", "base_url", modelstudio_emulator.base_url),
        *("-o", "enable_thinking", "true", "-o", "max_tokens", "50"),
        *("-o", "extra_body", '{"x": 1}', "-o", "timeout", "30"),
    )
    assert ran.stdout == "Blue.\n"
    assert "Hm." in ran.stderr
    body = sent(modelstudio_emulator)
    assert (body["enable_thinking"], body["max_tokens"], body["x"]) == (True, 50, 1)


def test_the_key_is_that_of_llm(
    run: Run, modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DASHSCOPE_API_KEY")
    question = (
        *("-m", f"modelstudio/{MODEL}", "Hi", "--no-log", "--no-stream"),
        *("-o", "base_url", modelstudio_emulator.base_url),
    )
    ran = run(*question)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "llm keys set dashscope" in ran.stderr
    run("keys", "set", "dashscope", "--value", modelstudio_emulator.api_key)
    assert run(*question).exit_code == 0
    assert (
        modelstudio_emulator.requests[-1].headers["authorization"]
        == f"Bearer {modelstudio_emulator.api_key}"
    )


def test_a_conversation_goes_on_in_another_command(
    run: Run, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script(Reply(text="First."), Reply(text="Second."))
    place = ("-o", "base_url", modelstudio_emulator.base_url)
    run("-m", f"modelstudio/{MODEL}", "one", "-s", "Be brief.", *place)
    assert run("-c", "two", *place).stdout == "Second.\n"
    assert sent(modelstudio_emulator)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "First."},
        {"role": "user", "content": "two"},
    ]


def test_an_error_on_the_command_line(run: Run, modelstudio_emulator: Emulator) -> None:
    modelstudio_emulator.script(Fault(status=400, code="invalid_value", message="No."))
    ran = run(
        *("-m", f"modelstudio/{MODEL}", "Hi", "--no-log"),
        *("-o", "base_url", modelstudio_emulator.base_url),
    )
    assert ran.exit_code == 1
    assert ran.stderr.startswith("Error: No.")
    assert "status 400" in ran.stderr


def test_the_list_of_models_has_the_options(run: Run) -> None:
    ran = run("models", "--options", "-m", f"modelstudio/{MODEL}")
    assert ran.stdout.startswith(f"Model Studio: modelstudio/{MODEL}")
    assert "enable_thinking: boolean" in ran.stdout
    for feature in ("streaming", "schemas", "tools", "async"):
        assert f"  - {feature}\n" in ran.stdout
    assert "  key: dashscope\n" in ran.stdout


# --- Installation ---------------------------------------------------------------------


def test_the_entry_point_is_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["llm"] == {"modelstudio": llm_plugin.__name__}


def test_listing_the_models_loads_the_catalog_alone() -> None:
    code = (
        "import json, sys, modelstudio_core.llm_plugin as plugin;"
        "plugin.register_models(lambda *models: None);"
        "print(json.dumps(list(sys.modules)))"
    )
    ran = subprocess.run(  # noqa: S603 - the script above
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    loaded = set(json.loads(ran.stdout))
    assert not loaded & {
        *("langchain_core", "llama_index", "dashscope", "starlette"),
        *("modelstudio_core.chat", "modelstudio_core.connection_arguments"),
        *("modelstudio_core.transport", "modelstudio_core.emulator"),
    }
