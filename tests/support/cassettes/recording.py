"""Records cassettes from the live service, or from the emulator without a key."""

import os
import subprocess
import sys
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from vcr import VCR  # type: ignore[import-untyped]
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import __version__
from modelstudio_core.emulator import Emulator, Fault
from modelstudio_core.endpoints import (
    Protocol,
    api_key_from_environment,
    resolve_endpoint,
)
from tests.support.cassettes.files import (
    FOLDER,
    Files,
    ReadableYaml,
    parameters,
    path_of,
    source_of,
)
from tests.support.cassettes.places import SINGAPORE, WORKSPACE, Place
from tests.support.cassettes.playback import KEY
from tests.support.cassettes.prompts import to_langchain
from tests.support.cassettes.scenarios import SCENARIOS, ExpectedError, Scenario
from tests.support.cassettes.scrubbing import scrub_request, scrub_response
from tests.support.internals import http_library, use_http_client_factory

__all__ = [
    "Live",
    "live_service",
    "main",
    "recorder",
    "rerouted_to",
    "source_now",
]


class Live(NamedTuple):
    """An API key of the live service, and the region and workspace that it reaches."""

    key: str
    region: str | None
    workspace: str | None

    @property
    def hidden(self) -> dict[str, str]:
        """Texts that must not be in the files, and their replacements."""
        own = {} if self.workspace is None else {self.workspace: WORKSPACE}
        return {self.key: "REDACTED", **own}

    def reaches(self, scenario: Scenario) -> bool:
        """Return whether the live service can answer as the scenario expects."""
        place = scenario.place
        return (
            not isinstance(scenario.reply, Fault)
            and resolve_endpoint(**place.arguments).region == self.region
            and (place.workspace is None or self.workspace is not None)
        )


def live_service() -> Live | None:
    """Return the live service if the environment has an API key."""
    key = api_key_from_environment()
    if key is None:
        return None
    endpoint = resolve_endpoint()
    return Live(key, endpoint.region, endpoint.workspace)


def source_now(live: Live | None) -> str:
    """Return the source that a cassette recorded now must name."""
    if live is None:
        return f"the emulator, version {__version__}"
    return f"the live service, {datetime.now(UTC).date()}"


def recorder(source: str, place: Place, hidden: Mapping[str, str]) -> Any:
    """Return a VCR that records the exchanges with one place.

    Args:
        source: The source that the cassette names.
        place: The place; requests to other hosts are not recorded.
        hidden: Texts that must not be in the cassette, and their replacements.
    """

    def restore_host(request: Any) -> Any:
        # The Host header is the host before rerouting. vcrpy filters a request more
        # than once, and the second time the header is gone.
        address = urlsplit(request.uri)
        host = str(request.headers.get("host") or address.netloc)
        for secret, replacement in hidden.items():
            host = host.replace(secret, replacement)
        request.uri = f"https://{host}{address.path}"
        return request if host == place.host else None

    vcr: Any = VCR(
        record_mode=RecordMode.ALL,
        before_record_request=(restore_host, scrub_request),
        before_record_response=scrub_response,
        decode_compressed_response=True,
        record_on_exception=False,
        serializer="readable",
    )
    vcr.register_serializer("readable", ReadableYaml)
    vcr.register_persister(Files(source, hidden))
    return vcr


@contextmanager
def rerouted_to(origin: str) -> Generator[None]:
    """Send every request to ``origin``; its ``Host`` header stays as it was."""
    target = urlsplit(origin)
    http: Any = http_library()

    def reroute(request: Any) -> None:
        request.url = request.url.copy_with(
            scheme=target.scheme, host=target.hostname, port=target.port
        )

    async def areroute(request: Any) -> None:
        reroute(request)

    def make_client(kind: str) -> Any:
        hook = reroute if kind == "Client" else areroute
        return getattr(http, kind)(event_hooks={"request": [hook]})

    with pytest.MonkeyPatch.context() as monkeypatch:
        use_http_client_factory(monkeypatch, make_client)
        yield


# --- The command ----------------------------------------------------------------------


def main() -> None:
    """Record every cassette, and print which was recorded from where."""
    live, environment = live_service(), dict(os.environ)
    for variable in list(os.environ):
        if variable.startswith(("DASHSCOPE_", "OPENAI_")):
            del os.environ[variable]
    for protocol, name in parameters():
        path, scenario = path_of(protocol, name), SCENARIOS[name]
        if live and live.reaches(scenario):
            source = source_now(live)
            _record_live(live, source, protocol, scenario, path)
        elif live and path.exists():
            source = f"kept, this key does not reach it: {source_of(path)}"
        else:
            source = source_now(None)
            _record_emulator(source, protocol, scenario, path)
        sys.stdout.write(f"{path.relative_to(FOLDER.parent)}: {source}\n")
    if live is None or live.region == resolve_endpoint(**SINGAPORE.arguments).region:
        sys.exit(_record_langchain_suite(environment))


def _record_langchain_suite(environment: Mapping[str, str]) -> int:
    """Record the cassettes of LangChain's standard tests; return pytest's exit code."""
    suites = [
        "tests/langchain/test_standard_integration.py",
        "tests/langchain/test_standard_embeddings.py",
    ]
    # pytest-benchmark warns that it cannot time tests while they are recorded.
    quiet = "ignore::pytest_benchmark.logger.PytestBenchmarkWarning"
    command = [sys.executable, "-m", "pytest", "-q", *suites, "-W", quiet]
    options = ["--record-mode=all", "--force-enable-socket"]
    return subprocess.run(  # noqa: S603 - a fixed command
        [*command, *options], check=False, cwd=FOLDER.parent, env=environment
    ).returncode


def _record_emulator(
    source: str, protocol: Protocol, scenario: Scenario, path: Path
) -> None:
    with Emulator(api_key=KEY) as emulator:
        if scenario.reply is not None:
            emulator.script(scenario.reply)
        with (
            rerouted_to(emulator.base_url),
            recorder(source, scenario.place, {}).use_cassette(str(path)),
        ):
            _call(protocol, scenario, KEY, scenario.place.arguments)


def _record_live(
    live: Live, source: str, protocol: Protocol, scenario: Scenario, path: Path
) -> None:
    arguments = scenario.place.arguments
    if "workspace" in arguments:
        arguments["workspace"] = live.workspace
    with recorder(source, scenario.place, live.hidden).use_cassette(str(path)):
        _call(protocol, scenario, live.key, arguments)


def _call(
    protocol: Protocol, scenario: Scenario, key: str, arguments: Mapping[str, Any]
) -> None:
    """Send the request of a scenario; an unexpected error prevents the recording."""
    expected = scenario.expected
    expected_errors = [expected.cls] if isinstance(expected, ExpectedError) else []
    with warnings.catch_warnings(), suppress(*expected_errors):
        warnings.simplefilter("ignore")
        llm = ChatModelStudio(
            model=scenario.model,
            protocol=protocol,
            api_key="sk-wrong-and-refused" if scenario.wrong_key else key,
            max_retries=0,
            **arguments,
        )
        messages = to_langchain(scenario.prompt)
        if scenario.stream:
            for _ in llm.stream(messages, **scenario.options):
                pass
        else:
            llm.invoke(messages, **scenario.options)
