"""The integration tests of LangChain's standard suite, played from cassettes."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_tests.integration_tests import ChatModelIntegrationTests

from tests.langchain.standard import (
    CONFIGURATIONS,
    Configuration,
    DeepSeek,
    NativeDeepSeek,
    NativeQwen,
    Qwen,
    QwenThinking,
    get_asset,
    play,
    record,
    suite_path,
    without_skips,
)
from tests.support.cassettes import live_service

__all__ = ["without_skips"]

pytestmark = [
    pytest.mark.disable_socket,
    pytest.mark.usefixtures("without_skips"),
]

SENDS_NOTHING = {"test_no_overrides_DO_NOT_OVERRIDE"}

Detail = Literal[
    "audio_input",
    "audio_output",
    "reasoning_output",
    "cache_read_input",
    "cache_creation_input",
]


class IntegrationTests(Configuration, ChatModelIntegrationTests):
    """The suite with the features that Model Studio supports."""

    # --- Supported features -------------------------------------------------------

    @property
    def supports_json_mode(self) -> bool:
        """See the suite."""
        return True

    @property
    def supports_image_inputs(self) -> bool:
        """See the suite."""
        return True

    @property
    def supports_image_urls(self) -> bool:
        """See the suite."""
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        """See the suite."""
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        """See the suite."""
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        """See the suite."""
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        """See the suite."""
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        """See the suite."""
        return True

    @property
    def enable_vcr_tests(self) -> bool:
        """See the suite."""
        return True

    # --- Fixtures -----------------------------------------------------------------

    @pytest.fixture(autouse=True)
    def vcr(self, request: pytest.FixtureRequest, record_mode: str) -> Iterator[Any]:
        """Play the test's own cassette; with ``--record-mode=all``, record it."""
        if request.node.originalname in SENDS_NOTHING:
            yield None
            return
        path = suite_path(type(self), request.node.name)
        if record_mode == "none":
            yield from play(path, repeats="benchmark" in request.fixturenames)
        else:
            yield from record(path, request.getfixturevalue("live"))

    @pytest.fixture(autouse=True)
    def assets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Answer the suite's own requests for files."""
        monkeypatch.setattr(httpx, "get", get_asset)
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "nobody")

    @pytest.fixture
    def model(self, request: pytest.FixtureRequest) -> BaseChatModel:
        """Return the configuration's model, or one that supports the test's input."""
        arguments = self.chat_model_params | getattr(request, "param", {})
        overrides = self.overrides.get(request.node.originalname, {})
        return self.chat_model_class(**{**arguments, **overrides})

    # --- Token counts -------------------------------------------------------------

    @property
    def supported_usage_metadata_details(
        self,
    ) -> dict[Literal["invoke", "stream"], list[Detail]]:
        """See the suite."""
        details: list[Detail] = [
            "reasoning_output",
            "cache_read_input",
            "cache_creation_input",
        ]
        return {"invoke": details, "stream": details}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        """Ask a question that needs reasoning."""
        message = self._ask("Is 91 a prime number?", stream=stream, thinking=True)
        assert _details(message, "output_token_details")["reasoning"] > 0
        return message

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        """Ask twice about a text that is marked for the cache."""
        for question in ("What is the first line?", "What is the last line?"):
            prompt = _cached(f"A text that is read, stream={stream}.", question)
            message = self._ask(prompt, stream=stream)
        assert _details(message, "input_token_details")["cache_read"] >= 1024
        return message

    def invoke_with_cache_creation_input(self, *, stream: bool = False) -> AIMessage:
        """Ask once about a text that is marked for the cache."""
        prompt = _cached(f"A text that is written, stream={stream}.", "What is it?")
        message = self._ask(prompt, stream=stream)
        assert _details(message, "input_token_details")["cache_creation"] >= 1024
        return message

    def _ask(
        self,
        prompt: str | Sequence[BaseMessage],
        *,
        stream: bool,
        thinking: bool | None = None,
    ) -> AIMessage:
        options: dict[str, Any] = (
            {} if thinking is None else {"enable_thinking": thinking}
        )
        model = self.chat_model_class(**self.chat_model_params)
        if not stream:
            return model.invoke(prompt, **options)
        total: AIMessageChunk | None = None
        for chunk in model.stream(prompt, **options):
            assert isinstance(chunk, AIMessageChunk)
            total = chunk if total is None else total + chunk
        assert total is not None
        return total


def _cached(subject: str, question: str) -> list[BaseMessage]:
    """Return a prompt for the cache, which needs at least 1024 tokens."""
    text = f"{subject}\n" + "\n".join(f"This is line {n}." for n in range(300))
    marked = {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
    return [SystemMessage([marked]), HumanMessage(question)]


def _details(message: AIMessage, name: str) -> dict[str, int]:
    usage: Any = message.usage_metadata
    details: dict[str, int] = usage[name]
    return details


@pytest.fixture(scope="session")
def live() -> Any:
    """Return the service to record from, or None for the emulator."""
    return live_service()


class TestQwen(Qwen, IntegrationTests):
    """The integration suite."""


class TestQwenThinking(QwenThinking, IntegrationTests):
    """The integration suite."""


class TestDeepSeek(DeepSeek, IntegrationTests):
    """The integration suite."""


class TestNativeQwen(NativeQwen, IntegrationTests):
    """The integration suite."""


class TestNativeDeepSeek(NativeDeepSeek, IntegrationTests):
    """The integration suite."""


# --- Nothing is left out ----------------------------------------------------------

SUITE = [name for name in dir(ChatModelIntegrationTests) if name.startswith("test_")]


def cases(name: str) -> list[str]:
    """Return the names of a test of the suite, one for each parameter."""
    marks = getattr(getattr(ChatModelIntegrationTests, name), "pytestmark", [])
    for mark in marks:
        if mark.name == "parametrize":
            argument, values = mark.args
            ids = [
                value if isinstance(value, str) else f"{argument}{index}"
                for index, value in enumerate(values)
            ]
            return [f"{name}[{parameter}]" for parameter in ids]
    return [name]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("name", ["stream-model0", "astream-model1", "stream_time"])
def test_streams_are_recorded_as_streams(
    configuration: type[Configuration], name: str
) -> None:
    text = suite_path(configuration, name).read_text(encoding="utf-8")
    assert "- text/event-stream" in text
    assert text.count(" data:") > 10


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_each_test_of_the_suite_has_its_cassette(
    configuration: type[Configuration],
) -> None:
    assert len(SUITE) >= 42
    recorded = [
        case for name in SUITE if name not in SENDS_NOTHING for case in cases(name)
    ]
    expected = {suite_path(configuration, case) for case in recorded}
    assert set(suite_path(configuration, "test_invoke").parent.iterdir()) == expected


def test_each_configuration_runs_the_suite() -> None:
    bases = [cls.__bases__ for cls in IntegrationTests.__subclasses__()]
    assert bases == [
        (configuration, IntegrationTests) for configuration in CONFIGURATIONS
    ]
