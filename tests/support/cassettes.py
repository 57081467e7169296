"""The cassettes: what is asked in each, what must come out, and how they are recorded.

``python -m tests.support.cassettes`` records them again over the real SDKs. With
``DASHSCOPE_API_KEY`` it asks the live service whatever that key reaches, the region
being that of ``DASHSCOPE_REGION`` and the workspace that of ``DASHSCOPE_WORKSPACE_ID``,
and leaves the other cassettes alone. Without a key it asks the emulator everything.
LangChain's standard suite then records its own, in ``langchain_standard/``.
"""

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml  # type: ignore[import-untyped]
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from llama_index.core.base.llms.types import (
    ChatMessage,
    ContentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from vcr import VCR  # type: ignore[import-untyped]
from vcr.persisters.filesystem import (  # type: ignore[import-untyped]
    CassetteNotFoundError,
)
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]
from vcr.serialize import (  # type: ignore[import-untyped]
    deserialize,
    serialize,
)
from vcr.serializers import yamlserializer  # type: ignore[import-untyped]

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import __version__, errors
from modelstudio_core.emulator import Emulator, Fault, Reply
from modelstudio_core.endpoints import (
    Protocol,
    api_key_from_environment,
    resolve_endpoint,
)
from tests.support.internals import (
    http_library,
    use_http_client_factory,
    without_aiohttp,
)

__all__ = [
    "FOLDER",
    "KEY",
    "SCENARIOS",
    "SINGAPORE",
    "Answer",
    "Live",
    "Place",
    "Refused",
    "Scenario",
    "for_langchain",
    "for_llamaindex",
    "live_service",
    "main",
    "over_httpx",
    "parameters",
    "path_of",
    "player",
    "recorder",
    "rerouted_to",
    "source_now",
    "source_of",
]

FOLDER: Final = Path(__file__).parents[2] / "cassettes"
# What the cassettes are played with: any key will do.
KEY: Final = "sk-of-nobody"

# --- Where ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a scenario is asked.

    Attributes:
        host: The host that the documentation names for it.
        region: The argument; the others too.
        mode: The deployment mode.
        workspace: The workspace.
        in_header: Whether the workspace goes into a header, not into the host.
    """

    host: str
    region: str | None = None
    mode: str | None = None
    workspace: str | None = None
    in_header: bool = False

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of a constructor."""
        said = {"region": self.region, "mode": self.mode, "workspace": self.workspace}
        return {name: value for name, value in said.items() if value is not None}


WORKSPACE: Final = "ws-123"
SINGAPORE: Final = Place(host="dashscope-intl.aliyuncs.com", region="singapore")
SINGAPORE_WORKSPACE: Final = Place(
    host="ws-123.ap-southeast-1.maas.aliyuncs.com",
    region="singapore",
    workspace=WORKSPACE,
)
VIRGINIA: Final = Place(
    host="dashscope-us.aliyuncs.com",
    region="virginia",
    workspace=WORKSPACE,
    in_header=True,
)
VIRGINIA_US: Final = Place(host="dashscope-us.aliyuncs.com", mode="us")
BEIJING: Final = Place(host="dashscope.aliyuncs.com", region="beijing")
BEIJING_WORKSPACE: Final = Place(
    host="ws-123.cn-beijing.maas.aliyuncs.com", region="beijing", workspace=WORKSPACE
)
HONG_KONG: Final = Place(host="cn-hongkong.dashscope.aliyuncs.com", region="hong-kong")
FRANKFURT: Final = Place(
    host="ws-123.eu-central-1.maas.aliyuncs.com",
    region="frankfurt",
    workspace=WORKSPACE,
)
TOKYO: Final = Place(
    host="ws-123.ap-northeast-1.maas.aliyuncs.com", region="tokyo", workspace=WORKSPACE
)

# --- What -------------------------------------------------------------------------

Turn = Mapping[str, Any]
Source = Mapping[str, Any]


class Call(NamedTuple):
    """A tool call: its id is not foreseen, only that it has one."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What must come out, to the letter where the emulator answered.

    Attributes:
        text: The answer.
        reasoning: What was thought before it.
        calls: The tool calls.
        finish_reason: Why it ended.
        tokens: Of the prompt, of the answer, and of the thinking in it.
        sources: The addresses that a web search found.
    """

    text: str = ""
    reasoning: str = ""
    calls: Sequence[Call] = ()
    finish_reason: str = "stop"
    tokens: tuple[int, int, int | None]
    sources: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """What error must be raised.

    Attributes:
        cls: Its class.
        status: The HTTP status, or the one that the service gives an error in a stream.
        code: The service's code, by protocol.
        retry_after: The seconds that the service asks to wait for.
    """

    cls: type[errors.APIError]
    status: int
    code: Mapping[str, str]
    retry_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One exchange, over each of its protocols a cassette.

    Attributes:
        at: Where it is asked.
        asked: The prompt.
        expected: What must come out of it.
        model: The model that is asked for.
        options: What is asked for besides.
        stream: Whether the answer is streamed.
        script: What the emulator is told to answer; None: as it does by itself.
        wrong_key: Whether the service refuses the key.
        warns: What the constructor warns of.
        protocols: The protocols that it is asked over.
    """

    at: Place
    asked: Sequence[Turn]
    expected: Answer | Refused
    model: str = "qwen3.7-plus"
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    stream: bool = False
    script: Reply | Fault | None = None
    wrong_key: bool = False
    warns: type[Warning] | None = None
    protocols: Sequence[Protocol] = ("openai", "dashscope")


def _user(content: str | list[dict[str, Any]]) -> list[Turn]:
    return [{"role": "user", "content": content}]


def _tool(name: str, description: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


_WEATHER: Final = _tool("get_weather", "Tell the weather of a city.")
_CLOCK: Final = _tool("get_time", "Tell the local time of a city.")
_CAPITAL: Final = _user("Oslo is the capital of Norway. What is the capital of Norway?")
_PICTURE: Final = (
    "https://dashscope.oss-cn-beijing.aliyuncs.com/images/dog_and_girl.jpeg"
)
_NOT_THINKING: Final = {"enable_thinking": False}
_OSLO: Final = "Oslo is the capital of Norway."
_THOUGHT: Final = (
    'The user asks: "What is the capital of Norway?" The prompt says: "Oslo is the'
    ' capital of Norway." That fits, so I will answer with it.'
)
_INSPECTION_FAILED: Final = {
    "openai": "data_inspection_failed",
    "dashscope": "DataInspectionFailed",
}

SCENARIOS: Final[dict[str, Scenario]] = {
    "plain": Scenario(
        at=SINGAPORE,
        asked=_CAPITAL,
        options=_NOT_THINKING,
        expected=Answer(text=_OSLO, tokens=(18, 7, None)),
    ),
    "plain_stream": Scenario(
        at=VIRGINIA,
        asked=_CAPITAL,
        options=_NOT_THINKING,
        stream=True,
        expected=Answer(text=_OSLO, tokens=(18, 7, None)),
    ),
    "thinking": Scenario(
        at=SINGAPORE_WORKSPACE,
        model="deepseek-v4-pro",
        asked=_CAPITAL,
        expected=Answer(text=_OSLO, reasoning=_THOUGHT, tokens=(18, 43, 36)),
    ),
    "thinking_stream": Scenario(
        at=BEIJING_WORKSPACE,
        model="deepseek-v4-pro",
        asked=_CAPITAL,
        stream=True,
        expected=Answer(text=_OSLO, reasoning=_THOUGHT, tokens=(18, 43, 36)),
    ),
    "tool_call": Scenario(
        at=SINGAPORE,
        asked=_user("What is the weather in Oslo?"),
        options={"tools": [_WEATHER], **_NOT_THINKING},
        expected=Answer(
            calls=[Call("get_weather", {"city": "Oslo"})],
            finish_reason="tool_calls",
            tokens=(99, 12, None),
        ),
    ),
    "parallel_tool_calls_stream": Scenario(
        at=FRANKFURT,
        asked=_user("Tell the weather and the time in Oslo."),
        options={
            "tools": [_WEATHER, _CLOCK],
            "parallel_tool_calls": True,
            **_NOT_THINKING,
        },
        stream=True,
        expected=Answer(
            calls=[
                Call("get_weather", {"city": "Oslo"}),
                Call("get_time", {"city": "Oslo"}),
            ],
            finish_reason="tool_calls",
            tokens=(189, 24, None),
        ),
    ),
    "tool_result_turn": Scenario(
        at=SINGAPORE_WORKSPACE,
        model="deepseek-v4-pro",
        asked=[
            *_user("What is the weather in Oslo?"),
            {
                "role": "assistant",
                "reasoning": "I should ask the tool.",
                "calls": [
                    {
                        "id": "call_a",
                        "name": "get_weather",
                        "arguments": {"city": "Oslo"},
                    }
                ],
            },
            {"role": "tool", "id": "call_a", "content": "Rain, 12 °C."},
        ],
        options={"tools": [_WEATHER]},
        expected=Answer(
            text="The tool answered: Rain, 12 °C.",
            reasoning=(
                'The user asks: "What is the weather in Oslo?" The prompt has no'
                " passage about it, so I will say that."
            ),
            tokens=(171, 37, 27),
        ),
    ),
    "length": Scenario(
        at=HONG_KONG,
        asked=_CAPITAL,
        options={"max_tokens": 2, **_NOT_THINKING},
        expected=Answer(text="Oslo is", finish_reason="length", tokens=(18, 2, None)),
    ),
    "json_object": Scenario(
        at=VIRGINIA_US,
        model="qwen3.7-plus-us",
        asked=_user(
            "Answer in JSON. Oslo is the capital of Norway. What is the capital of"
            " Norway?"
        ),
        options={"response_format": {"type": "json_object"}, **_NOT_THINKING},
        expected=Answer(
            text='{"answer":"Oslo is the capital of Norway."}', tokens=(22, 15, None)
        ),
    ),
    "image": Scenario(
        at=BEIJING,
        asked=_user(
            [
                {"type": "text", "text": "What is in the picture?"},
                {"type": "image_url", "image_url": {"url": _PICTURE}},
            ]
        ),
        options=_NOT_THINKING,
        script=Reply(text="A girl and her dog, on a beach."),
        expected=Answer(text="A girl and her dog, on a beach.", tokens=(266, 10, None)),
    ),
    "replaced_model": Scenario(
        at=SINGAPORE,
        model="deepseek-r1",
        asked=_CAPITAL,
        warns=errors.ModelDeprecationWarning,
        expected=Answer(text=_OSLO, reasoning=_THOUGHT, tokens=(18, 43, 36)),
    ),
    "web_search": Scenario(
        at=BEIJING,
        asked=_user("What is new in Oslo?"),
        options={
            "enable_search": True,
            "search_options": {"enable_source": True},
            **_NOT_THINKING,
        },
        script=Reply(text="A new library was opened [1]."),
        protocols=["dashscope"],
        expected=Answer(
            text="A new library was opened [1].",
            tokens=(10, 9, None),
            sources=[
                "https://example.com/articles/1",
                "https://example.org/articles/2",
            ],
        ),
    ),
    "wrong_key": Scenario(
        at=SINGAPORE,
        asked=_CAPITAL,
        options=_NOT_THINKING,
        wrong_key=True,
        expected=Refused(
            cls=errors.AuthenticationError,
            status=401,
            code={"openai": "invalid_api_key", "dashscope": "InvalidApiKey"},
        ),
    ),
    "unknown_model": Scenario(
        at=SINGAPORE_WORKSPACE,
        model="a-model-of-tomorrow",
        asked=_CAPITAL,
        expected=Refused(
            cls=errors.NotFoundError,
            status=404,
            code={"openai": "model_not_found", "dashscope": "ModelNotFound"},
        ),
    ),
    "content_filter": Scenario(
        at=BEIJING_WORKSPACE,
        asked=_CAPITAL,
        options=_NOT_THINKING,
        script=Fault(
            status=400,
            code="data_inspection_failed",
            message="Input data may contain inappropriate content.",
        ),
        expected=Refused(
            cls=errors.ContentFilterError, status=400, code=_INSPECTION_FAILED
        ),
    ),
    "error_in_stream": Scenario(
        at=FRANKFURT,
        asked=_CAPITAL,
        options=_NOT_THINKING,
        stream=True,
        script=Fault.in_stream(
            after=2, reply=Reply(pieces=["Oslo is", " the", " capital."])
        ),
        expected=Refused(
            cls=errors.ContentFilterError, status=400, code=_INSPECTION_FAILED
        ),
    ),
    "rate_limit": Scenario(
        at=TOKYO,
        asked=_CAPITAL,
        options=_NOT_THINKING,
        script=Fault(
            status=429,
            code="limit_requests",
            message="You have exceeded your request limit.",
            headers={"retry-after": "3"},
        ),
        expected=Refused(
            cls=errors.RateLimitError,
            status=429,
            code={"openai": "limit_requests", "dashscope": "Throttling.RateQuota"},
            retry_after=3.0,
        ),
    ),
}


# --- The prompt, in both frameworks -----------------------------------------------


def for_langchain(asked: Sequence[Turn]) -> list[BaseMessage]:
    """Return a prompt as LangChain's messages."""
    return [_langchain_message(turn) for turn in asked]


def _langchain_message(turn: Turn) -> BaseMessage:
    match turn["role"]:
        case "assistant":
            calls = [
                {"id": it["id"], "name": it["name"], "args": it["arguments"]}
                for it in turn["calls"]
            ]
            thought = {"reasoning_content": turn["reasoning"]}
            return AIMessage("", additional_kwargs=thought, tool_calls=calls)
        case "tool":
            return ToolMessage(turn["content"], tool_call_id=turn["id"])
        case _:
            return HumanMessage(turn["content"])


def for_llamaindex(asked: Sequence[Turn]) -> list[ChatMessage]:
    """Return a prompt as LlamaIndex's messages."""
    return [_llamaindex_message(turn) for turn in asked]


def _llamaindex_message(turn: Turn) -> ChatMessage:
    blocks: list[ContentBlock] = []
    extra: dict[str, Any] = {}
    if turn["role"] == "assistant":
        blocks.append(ThinkingBlock(content=turn["reasoning"]))
        blocks.extend(
            ToolCallBlock(
                tool_call_id=it["id"],
                tool_name=it["name"],
                tool_kwargs=it["arguments"],
            )
            for it in turn["calls"]
        )
    elif isinstance(turn["content"], str):
        blocks.append(TextBlock(text=turn["content"]))
    else:
        blocks.extend(_llamaindex_block(part) for part in turn["content"])
    if turn["role"] == "tool":
        extra["tool_call_id"] = turn["id"]
    return ChatMessage(role=turn["role"], blocks=blocks, additional_kwargs=extra)


def _llamaindex_block(part: Mapping[str, Any]) -> ContentBlock:
    if part["type"] == "text":
        return TextBlock(text=part["text"])
    return ImageBlock(url=part["image_url"]["url"])


# --- Files ------------------------------------------------------------------------

_SOURCE: Final = re.compile(r"# Recorded from: (the emulator|the live service), .+\n")
_HEADER: Final = """\
# Recorded from: {}
# Keys, cookies and the ids of accounts are scrubbed. To record it again: make record
"""


def parameters() -> list[tuple[Protocol, str]]:
    """Return each cassette that there must be: its protocol and its scenario's name."""
    return [
        (protocol, name)
        for name, scenario in SCENARIOS.items()
        for protocol in scenario.protocols
    ]


def path_of(protocol: str, name: str) -> Path:
    """Return the file of a cassette."""
    return FOLDER / protocol / f"{name}.yaml"


def source_of(path: Path) -> str:
    """Return what a cassette says that it was recorded from.

    Raises:
        ValueError: It does not say it.
    """
    with path.open(encoding="utf-8") as file:
        found = _SOURCE.fullmatch(file.readline())
    if found is None:
        raise ValueError(f"{path.name} does not say what it was recorded from.")
    return found.group(1)


def source_now(live: "Live | None") -> str:
    """Return what a cassette is to say that is recorded now."""
    if live is None:
        return f"the emulator, version {__version__}"
    return f"the live service, {datetime.now(UTC).date()}"


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes a stream line by line, as it is read."""


def _represent(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent)


class _Yaml:
    """The cassettes' own YAML: fit to be read."""

    @staticmethod
    def serialize(cassette: Any) -> str:
        options: Any = {"allow_unicode": True, "width": sys.maxsize}
        return str(yaml.dump(cassette, Dumper=_Dumper, **options))

    @staticmethod
    def deserialize(text: str) -> Any:
        return yamlserializer.deserialize(text)


@dataclass(frozen=True)
class _Files:
    """Reads cassettes whatever the locale, and writes them with their source."""

    source: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])

    def load_cassette(self, path: str, serializer: Any) -> Any:
        if self.source is not None:
            raise CassetteNotFoundError(path)  # it is recorded anew
        return deserialize(Path(path).read_text(encoding="utf-8"), serializer)

    def save_cassette(self, path: str, cassette: Any, serializer: Any) -> None:
        text = _HEADER.format(self.source) + serialize(cassette, serializer)
        for secret, word in self.hidden.items():
            text = text.replace(secret, word)
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")


# --- What is kept of an exchange --------------------------------------------------

# All that is not named here is dropped: cookies, dates, servers, sessions, accounts.
_REQUEST_HEADERS: Final = (
    "accept",
    "authorization",
    "content-type",
    "user-agent",
    "x-dashscope-sse",
    "x-dashscope-workspace",
)
_RESPONSE_HEADERS: Final = (
    "content-type",
    "retry-after",
    "x-modelstudio-emulator",
    "x-request-id",
)
_VERSION: Final = re.compile(r"/\d[^\s;/]*")
# Keys, workspaces that were not made up, and accounts, wherever they are echoed.
_SECRETS: Final = (
    (re.compile(rb"\bsk-[\w-]{6,}"), b"REDACTED"),
    (re.compile(rb"\b(llm|ws)-[a-z0-9]{8,}\b"), WORKSPACE.encode()),
    (re.compile(rb"(?<![\w.-])\d{16}(?![\w.-])"), b"0"),
)
_UUID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _scrub(text: bytes) -> bytes:
    for pattern, word in _SECRETS:
        text = pattern.sub(word, text)
    return text


def _scrub_request(request: Any) -> Any:
    kept = {k.lower(): v for k, v in request.headers.items()}
    kept = {name: kept[name] for name in _REQUEST_HEADERS if name in kept}
    if "authorization" in kept:
        kept["authorization"] = "Bearer REDACTED"
    if "user-agent" in kept:
        kept["user-agent"] = _VERSION.sub("/VERSION", kept["user-agent"])
    request.headers = kept
    request.body = _number_ids(_scrub(request.body))
    return request


def _number_ids(body: bytes) -> bytes:
    """Replace what is made up anew for each request by the order that it comes in."""
    for number, made_up in enumerate(dict.fromkeys(_UUID.findall(body)), 1):
        body = body.replace(made_up, b"uuid-%d" % number)
    return body


def _scrub_response(response: Any) -> Any:
    kept = {k.lower(): v for k, v in response["headers"].items()}
    response["headers"] = {
        name: kept[name] for name in _RESPONSE_HEADERS if name in kept
    }
    response["body"]["string"] = _scrub(response["body"]["string"])
    return response


@contextmanager
def over_httpx() -> Generator[None]:
    """Send asynchronous requests over httpx: vcrpy loses aiohttp's headers."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_aiohttp(monkeypatch)
        yield


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


@contextmanager
def player(path: Path, *, repeats: bool = False) -> Generator[Any]:
    """Let a cassette, and nothing else, answer.

    A request is known by its method, its address, what its JSON says, and its headers
    as far as a cassette keeps them. With ``repeats`` it may be sent more than once.
    """
    vcr: Any = VCR(
        record_mode=RecordMode.NONE,
        match_on=("method", "uri", "body", "headers"),
        before_record_request=_scrub_request,
        serializer="readable",
    )
    vcr.register_serializer("readable", _Yaml)
    vcr.register_persister(_Files())
    playing = vcr.use_cassette(str(path), allow_playback_repeats=repeats)
    with over_httpx(), playing as cassette:
        yield cassette


# --- Recording --------------------------------------------------------------------


class Live(NamedTuple):
    """What a key of the live service is good for."""

    key: str
    region: str | None
    workspace: str | None

    @property
    def hidden(self) -> dict[str, str]:
        """What must not be in the files, and what stands there instead."""
        own = {} if self.workspace is None else {self.workspace: WORKSPACE}
        return {self.key: "REDACTED", **own}

    def reaches(self, scenario: Scenario) -> bool:
        """Tell whether the service can be brought to answer as the scenario wants."""
        at = scenario.at
        return (
            not isinstance(scenario.script, Fault)
            and resolve_endpoint(**at.arguments).region == self.region
            and (at.workspace is None or self.workspace is not None)
        )


def main() -> None:
    """Record the cassettes, and say which and from where."""
    live, environment = live_service(), dict(os.environ)
    for name in [it for it in os.environ if it.startswith(("DASHSCOPE_", "OPENAI_"))]:
        del os.environ[name]
    for protocol, name in parameters():
        path, scenario = path_of(protocol, name), SCENARIOS[name]
        if live and live.reaches(scenario):
            source = source_now(live)
            _record_live(live, source, protocol, scenario, path)
        elif live and path.exists():
            source = f"kept, for this key does not reach it: {source_of(path)}"
        else:
            source = source_now(None)
            _record_emulator(source, protocol, scenario, path)
        sys.stdout.write(f"{path.relative_to(FOLDER.parent)}: {source}\n")
    if live is None or live.region == resolve_endpoint(**SINGAPORE.arguments).region:
        sys.exit(_record_suite(environment))


def _record_suite(environment: Mapping[str, str]) -> int:
    """Let LangChain's standard suite record its own, and tell whether it passed."""
    suite = "tests/langchain/test_standard_integration.py"
    # A benchmark that is recorded is not timed, which its plugin warns of.
    quiet = "ignore::pytest_benchmark.logger.PytestBenchmarkWarning"
    command = [sys.executable, "-m", "pytest", "-q", suite, "-W", quiet]
    recording = ["--record-mode=all", "--force-enable-socket"]
    return subprocess.run(  # noqa: S603 - every word of it stands here
        [*command, *recording], check=False, cwd=FOLDER.parent, env=environment
    ).returncode


def live_service() -> Live | None:
    """Return the service, if the environment has a key for it."""
    key = api_key_from_environment()
    if key is None:
        return None
    endpoint = resolve_endpoint()
    return Live(key, endpoint.region, endpoint.workspace)


def recorder(source: str, at: Place, hidden: Mapping[str, str]) -> Any:
    """Return what records the exchanges with one place.

    Args:
        source: What the files are to say that they were recorded from.
        at: The place; what is asked elsewhere is not recorded.
        hidden: What must not be in the files, and what stands there instead.
    """

    def with_documented_host(request: Any) -> Any:
        # The header is the host before it was rerouted; vcrpy filters a request more
        # than once, and the second time only the address is there.
        known = urlsplit(request.uri)
        host = str(request.headers.get("host") or known.netloc)
        for secret, word in hidden.items():
            host = host.replace(secret, word)
        request.uri = f"https://{host}{known.path}"
        return request if host == at.host else None

    vcr: Any = VCR(
        record_mode=RecordMode.ALL,
        before_record_request=(with_documented_host, _scrub_request),
        before_record_response=_scrub_response,
        decode_compressed_response=True,
        record_on_exception=False,
        serializer="readable",
    )
    vcr.register_serializer("readable", _Yaml)
    vcr.register_persister(_Files(source, hidden))
    return vcr


def _record_emulator(
    source: str, protocol: Protocol, scenario: Scenario, path: Path
) -> None:
    with Emulator(api_key=KEY) as studio:
        if scenario.script is not None:
            studio.script(scenario.script)
        with (
            rerouted_to(studio.base_url),
            recorder(source, scenario.at, {}).use_cassette(str(path)),
        ):
            _ask(protocol, scenario, KEY, scenario.at.arguments)


def _record_live(
    live: Live, source: str, protocol: Protocol, scenario: Scenario, path: Path
) -> None:
    hidden, at = live.hidden, scenario.at.arguments
    if "workspace" in at:
        at["workspace"] = live.workspace
    with recorder(source, scenario.at, hidden).use_cassette(str(path)):
        _ask(protocol, scenario, live.key, at)


def _ask(
    protocol: Protocol, scenario: Scenario, key: str, at: Mapping[str, Any]
) -> None:
    """Ask through LangChain; what is not foreseen is raised, and nothing written."""
    expected = scenario.expected
    foreseen = [expected.cls] if isinstance(expected, Refused) else []
    with warnings.catch_warnings(), suppress(*foreseen):
        warnings.simplefilter("ignore")
        llm = ChatModelStudio(
            model=scenario.model,
            protocol=protocol,
            api_key="sk-wrong-and-refused" if scenario.wrong_key else key,
            max_retries=0,
            **at,
        )
        asked = for_langchain(scenario.asked)
        if scenario.stream:
            for _ in llm.stream(asked, **scenario.options):
                pass
        else:
            llm.invoke(asked, **scenario.options)


if __name__ == "__main__":
    main()
