"""The scenarios: a request each, and what must come out of its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from modelstudio_core import errors
from modelstudio_core.emulator import Fault, Reply
from modelstudio_core.endpoints import Protocol
from tests.support.cassettes.places import (
    BEIJING,
    BEIJING_WORKSPACE,
    FRANKFURT,
    HONG_KONG,
    SINGAPORE,
    SINGAPORE_WORKSPACE,
    TOKYO,
    VIRGINIA,
    VIRGINIA_US,
    Place,
)

__all__ = ["SCENARIOS", "ExpectedAnswer", "ExpectedError", "Message", "Scenario"]

Message = Mapping[str, Any]
ToolCall = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ExpectedAnswer:
    """An answer; its text is exact only where the emulator was recorded.

    Attributes:
        text: The text.
        reasoning: The reasoning before the text.
        calls: The name and the arguments of each tool call.
        finish_reason: Why the answer ended.
        tokens: The input tokens, the output tokens and the reasoning tokens.
        sources: The addresses that a web search found.
    """

    text: str = ""
    reasoning: str = ""
    calls: Sequence[ToolCall] = ()
    finish_reason: str = "stop"
    tokens: tuple[int, int, int | None]
    sources: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ExpectedError:
    """An error.

    Attributes:
        cls: The class of the error.
        status: The HTTP status, or the status that an error in a stream has.
        code: The service's error code, by protocol.
        retry_after: The seconds that the service asks to wait.
    """

    cls: type[errors.APIError]
    status: int
    code: Mapping[str, str]
    retry_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A request and its expected answer, with one cassette per protocol.

    Attributes:
        place: Where the request is sent.
        prompt: The messages.
        expected: What must come out of the answer.
        model: The model.
        options: The options of the call.
        stream: Whether the answer is streamed.
        reply: What the emulator is scripted to answer; None: its own answer.
        wrong_key: Whether the request is recorded with a key that is refused.
        warning: The class of the warning that the constructor issues.
        protocols: The protocols that the scenario is recorded over.
    """

    place: Place
    prompt: Sequence[Message]
    expected: ExpectedAnswer | ExpectedError
    model: str = "qwen3.7-plus"
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    stream: bool = False
    reply: Reply | Fault | None = None
    wrong_key: bool = False
    warning: type[Warning] | None = None
    protocols: Sequence[Protocol] = ("openai", "dashscope")


def _user(content: str | list[dict[str, Any]]) -> list[Message]:
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
_REASONING: Final = (
    'The user asks: "What is the capital of Norway?" The prompt says: "Oslo is the'
    ' capital of Norway." That fits, so I will answer with it.'
)
_INSPECTION_FAILED: Final = {
    "openai": "data_inspection_failed",
    "dashscope": "DataInspectionFailed",
}

SCENARIOS: Final[dict[str, Scenario]] = {
    "plain": Scenario(
        place=SINGAPORE,
        prompt=_CAPITAL,
        options=_NOT_THINKING,
        expected=ExpectedAnswer(text=_OSLO, tokens=(18, 7, None)),
    ),
    "plain_stream": Scenario(
        place=VIRGINIA,
        prompt=_CAPITAL,
        options=_NOT_THINKING,
        stream=True,
        expected=ExpectedAnswer(text=_OSLO, tokens=(18, 7, None)),
    ),
    "thinking": Scenario(
        place=SINGAPORE_WORKSPACE,
        model="deepseek-v4-pro",
        prompt=_CAPITAL,
        expected=ExpectedAnswer(text=_OSLO, reasoning=_REASONING, tokens=(18, 43, 36)),
    ),
    "thinking_stream": Scenario(
        place=BEIJING_WORKSPACE,
        model="deepseek-v4-pro",
        prompt=_CAPITAL,
        stream=True,
        expected=ExpectedAnswer(text=_OSLO, reasoning=_REASONING, tokens=(18, 43, 36)),
    ),
    "tool_call": Scenario(
        place=SINGAPORE,
        prompt=_user("What is the weather in Oslo?"),
        options={"tools": [_WEATHER], **_NOT_THINKING},
        expected=ExpectedAnswer(
            calls=[("get_weather", {"city": "Oslo"})],
            finish_reason="tool_calls",
            tokens=(99, 12, None),
        ),
    ),
    "parallel_tool_calls_stream": Scenario(
        place=FRANKFURT,
        prompt=_user("Tell the weather and the time in Oslo."),
        options={
            "tools": [_WEATHER, _CLOCK],
            "parallel_tool_calls": True,
            **_NOT_THINKING,
        },
        stream=True,
        expected=ExpectedAnswer(
            calls=[
                ("get_weather", {"city": "Oslo"}),
                ("get_time", {"city": "Oslo"}),
            ],
            finish_reason="tool_calls",
            tokens=(189, 24, None),
        ),
    ),
    "tool_result_turn": Scenario(
        place=SINGAPORE_WORKSPACE,
        model="deepseek-v4-pro",
        prompt=[
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
        expected=ExpectedAnswer(
            text="The tool answered: Rain, 12 °C.",
            reasoning=(
                'The user asks: "What is the weather in Oslo?" The prompt has no'
                " passage about it, so I will say that."
            ),
            tokens=(171, 37, 27),
        ),
    ),
    "length": Scenario(
        place=HONG_KONG,
        prompt=_CAPITAL,
        options={"max_tokens": 2, **_NOT_THINKING},
        expected=ExpectedAnswer(
            text="Oslo is", finish_reason="length", tokens=(18, 2, None)
        ),
    ),
    "json_object": Scenario(
        place=VIRGINIA_US,
        model="qwen3.7-plus-us",
        prompt=_user(
            "Answer in JSON. Oslo is the capital of Norway. What is the capital of"
            " Norway?"
        ),
        options={"response_format": {"type": "json_object"}, **_NOT_THINKING},
        expected=ExpectedAnswer(
            text='{"answer":"Oslo is the capital of Norway."}', tokens=(22, 15, None)
        ),
    ),
    "image": Scenario(
        place=BEIJING,
        prompt=_user(
            [
                {"type": "text", "text": "What is in the picture?"},
                {"type": "image_url", "image_url": {"url": _PICTURE}},
            ]
        ),
        options=_NOT_THINKING,
        reply=Reply(text="A girl and her dog, on a beach."),
        expected=ExpectedAnswer(
            text="A girl and her dog, on a beach.", tokens=(266, 10, None)
        ),
    ),
    "replaced_model": Scenario(
        place=SINGAPORE,
        model="deepseek-r1",
        prompt=_CAPITAL,
        warning=errors.ModelDeprecationWarning,
        expected=ExpectedAnswer(text=_OSLO, reasoning=_REASONING, tokens=(18, 43, 36)),
    ),
    "web_search": Scenario(
        place=BEIJING,
        prompt=_user("What is new in Oslo?"),
        options={
            "enable_search": True,
            "search_options": {"enable_source": True},
            **_NOT_THINKING,
        },
        reply=Reply(text="A new library was opened [1]."),
        protocols=["dashscope"],
        expected=ExpectedAnswer(
            text="A new library was opened [1].",
            tokens=(10, 9, None),
            sources=[
                "https://example.com/articles/1",
                "https://example.org/articles/2",
            ],
        ),
    ),
    "wrong_key": Scenario(
        place=SINGAPORE,
        prompt=_CAPITAL,
        options=_NOT_THINKING,
        wrong_key=True,
        expected=ExpectedError(
            cls=errors.AuthenticationError,
            status=401,
            code={"openai": "invalid_api_key", "dashscope": "InvalidApiKey"},
        ),
    ),
    "unknown_model": Scenario(
        place=SINGAPORE_WORKSPACE,
        model="a-model-of-tomorrow",
        prompt=_CAPITAL,
        expected=ExpectedError(
            cls=errors.NotFoundError,
            status=404,
            code={"openai": "model_not_found", "dashscope": "ModelNotFound"},
        ),
    ),
    "content_filter": Scenario(
        place=BEIJING_WORKSPACE,
        prompt=_CAPITAL,
        options=_NOT_THINKING,
        reply=Fault(
            status=400,
            code="data_inspection_failed",
            message="Input data may contain inappropriate content.",
        ),
        expected=ExpectedError(
            cls=errors.ContentFilterError, status=400, code=_INSPECTION_FAILED
        ),
    ),
    "error_in_stream": Scenario(
        place=FRANKFURT,
        prompt=_CAPITAL,
        options=_NOT_THINKING,
        stream=True,
        reply=Fault.in_stream(
            after=2, reply=Reply(pieces=["Oslo is", " the", " capital."])
        ),
        expected=ExpectedError(
            cls=errors.ContentFilterError, status=400, code=_INSPECTION_FAILED
        ),
    ),
    "rate_limit": Scenario(
        place=TOKYO,
        prompt=_CAPITAL,
        options=_NOT_THINKING,
        reply=Fault(
            status=429,
            code="limit_requests",
            message="You have exceeded your request limit.",
            headers={"retry-after": "3"},
        ),
        expected=ExpectedError(
            cls=errors.RateLimitError,
            status=429,
            code={"openai": "limit_requests", "dashscope": "Throttling.RateQuota"},
            retry_after=3.0,
        ),
    ),
}
