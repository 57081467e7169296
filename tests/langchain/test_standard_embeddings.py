"""LangChain's standard tests of embeddings; the integration tests play cassettes."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from langchain_modelstudio import ModelStudioEmbeddings
from tests.langchain.standard import (
    Configuration,
    play,
    record,
    suite_path,
    without_skips,
)
from tests.support.cassettes import SINGAPORE, live_service

__all__ = ["without_skips"]

pytestmark = [
    pytest.mark.disable_socket,
    pytest.mark.usefixtures("without_skips"),
]


class EmbeddingConfiguration(Configuration):
    """A model and a protocol."""

    other_model = ""
    overrides: ClassVar[Mapping[str, Any]] = {}

    @property
    def embeddings_class(self) -> type[Embeddings]:
        """The tested class."""
        return ModelStudioEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"api_key": self.api_key, **SINGAPORE.arguments, **self.arguments}


class V4(EmbeddingConfiguration):
    """text-embedding-v4 over the native protocol."""

    folder = "embeddings_v4"
    arguments: ClassVar[Mapping[str, Any]] = {
        "model": "text-embedding-v4",
        "dimensions": 64,
        "instruct": "Find documents that answer the question.",
    }


class CompatibleV4(EmbeddingConfiguration):
    """The same model over the OpenAI-compatible protocol."""

    folder = "embeddings_v4_compatible"
    arguments: ClassVar[Mapping[str, Any]] = {
        "model": "text-embedding-v4",
        "dimensions": 64,
        "protocol": "openai",
    }


class V3(EmbeddingConfiguration):
    """text-embedding-v3, which has no instruction."""

    folder = "embeddings_v3"
    arguments: ClassVar[Mapping[str, Any]] = {
        "model": "text-embedding-v3",
        "dimensions": 64,
    }


class Qwen37(EmbeddingConfiguration):
    """qwen3.7-text-embedding, with its own limits."""

    folder = "embeddings_qwen37"
    arguments: ClassVar[Mapping[str, Any]] = {
        "model": "qwen3.7-text-embedding",
        "dimensions": 256,
    }


CONFIGURATIONS = [V4, CompatibleV4, V3, Qwen37]

# --- Unit tests -------------------------------------------------------------------


class UnitTests(EmbeddingConfiguration, EmbeddingsUnitTests):
    """The suite with our environment variable."""

    @property
    def init_from_env_params(
        self,
    ) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        """The environment, the arguments, and the expected attributes."""
        return (
            {"DASHSCOPE_API_KEY": "sk-from-the-environment"},
            dict(self.arguments),
            {"api_key": "sk-from-the-environment"},
        )


class TestV4Unit(V4, UnitTests):
    """The unit suite."""


class TestCompatibleV4Unit(CompatibleV4, UnitTests):
    """The unit suite."""


class TestV3Unit(V3, UnitTests):
    """The unit suite."""


class TestQwen37Unit(Qwen37, UnitTests):
    """The unit suite."""


# --- Integration tests ------------------------------------------------------------


@pytest.fixture(scope="session")
def live() -> Any:
    """Return the service to record from, or None for the emulator."""
    return live_service()


class IntegrationTests(EmbeddingConfiguration, EmbeddingsIntegrationTests):
    """The suite, each test with its own cassette."""

    @pytest.fixture(autouse=True)
    def vcr(self, request: pytest.FixtureRequest, record_mode: str) -> Iterator[Any]:
        """Play the test's own cassette; with ``--record-mode=all``, record it."""
        name = request.node.name
        if name not in SUITE:
            yield None
        elif record_mode == "none":
            yield from play(suite_path(type(self), name), repeats=False)
        else:
            path = suite_path(type(self), name)
            yield from record(path, request.getfixturevalue("live"))


SUITE = [
    name
    for name in dir(EmbeddingsIntegrationTests)
    if name.startswith("test_") and "overrides" not in name
]


class TestV4Integration(V4, IntegrationTests):
    """The integration suite."""


class TestCompatibleV4Integration(CompatibleV4, IntegrationTests):
    """The integration suite."""


class TestV3Integration(V3, IntegrationTests):
    """The integration suite."""


class TestQwen37Integration(Qwen37, IntegrationTests):
    """The integration suite."""


# --- Nothing is left out ----------------------------------------------------------


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_each_test_of_the_suite_has_its_cassette(
    configuration: type[EmbeddingConfiguration],
) -> None:
    assert len(SUITE) >= 4
    expected = {suite_path(configuration, name) for name in SUITE}
    assert set(suite_path(configuration, SUITE[0]).parent.iterdir()) == expected


def test_each_configuration_runs_both_suites() -> None:
    for suite in (UnitTests, IntegrationTests):
        bases = [cls.__bases__ for cls in suite.__subclasses__()]
        assert bases == [(configuration, suite) for configuration in CONFIGURATIONS]
