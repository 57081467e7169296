"""``ChatMapper``: columns in, columns with an answer or an error for each row out."""

import asyncio
import pickle
import threading
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.caches import BaseCache, InMemoryCache
from pydantic import SecretStr

from langchain_modelstudio import ChatModelStudio
from langchain_modelstudio.bulk import OUTPUT_COLUMNS, ChatMapper
from langchain_modelstudio.cache import SQLiteAnswerCache
from modelstudio_core.emulator import Emulator, Fault, Reply
from modelstudio_core.errors import ConfigurationError, PolicyError
from modelstudio_core.limits import RateLimit
from modelstudio_core.policy import Policy, set_policy

Make = Callable[..., ChatMapper]
MODEL: Final[Mapping[str, Any]] = {"model": "qwen3.7-plus"}


@pytest.fixture
def make(
    modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Generator[Make]:
    monkeypatch.setenv("DASHSCOPE_API_KEY", modelstudio_emulator.api_key)
    mappers: list[ChatMapper] = []

    def make(arguments: Mapping[str, Any] = MODEL, **options: Any) -> ChatMapper:
        address = {"base_url": modelstudio_emulator.base_url, "max_retries": 0}
        mappers.append(ChatMapper({**address, **arguments}, **options))
        return mappers[-1]

    yield make
    for mapper in mappers:
        mapper.close()


def prompts_of(studio: Emulator) -> list[str]:
    return [request.body["messages"][-1]["content"] for request in studio.requests]


def test_the_columns_of_the_answers_are_added(
    modelstudio_emulator: Emulator, make: Make
) -> None:
    modelstudio_emulator.script(
        Reply(
            reasoning="Hm.",
            text="Hello.",
            usage={
                "prompt_tokens": 30,
                "completion_tokens": 4,
                "total_tokens": 34,
                "prompt_tokens_details": {"cached_tokens": 16},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
        )
    )
    columns = make()({"id": [7], "prompt": ["Hi"]})
    (request_id,) = columns.pop("request_id")
    assert isinstance(request_id, str)
    assert columns == {
        "id": [7],
        "prompt": ["Hi"],
        "answer": ["Hello."],
        "reasoning": ["Hm."],
        "finish_reason": ["stop"],
        "input_tokens": [30],
        "output_tokens": [4],
        "reasoning_tokens": [2],
        "cached_tokens": [16],
        "error": [None],
    }
    assert set(OUTPUT_COLUMNS) == {*columns, "request_id"} - {"id", "prompt"}


def test_rows_keep_their_order_and_a_bad_one_costs_no_other(
    modelstudio_emulator: Emulator, make: Make
) -> None:
    prompts: list[Any] = ["Say a", "", None, "Say b", 7, "Say c"]
    columns = make()({"prompt": prompts})
    answered = [answer is not None for answer in columns["answer"]]
    assert answered == [True, False, False, True, False, True]
    assert [error is None for error in columns["error"]] == answered
    assert columns["error"][1] == (
        "ConfigurationError: prompt must be a string that is not empty, got an empty"
        " string. No request was sent."
    )
    assert "got a NoneType" in columns["error"][2]
    assert sorted(prompts_of(modelstudio_emulator)) == ["Say a", "Say b", "Say c"]


def test_an_error_has_its_class_its_message_and_the_request_id(
    modelstudio_emulator: Emulator, make: Make
) -> None:
    modelstudio_emulator.script(
        Fault(status=400, code="data_inspection_failed", message="Bad words.")
    )
    columns = make()({"prompt": ["Hi"]})
    (error,), (request_id,) = columns["error"], columns["request_id"]
    assert error.startswith("ContentFilterError: ")
    assert "Bad words." in error
    assert request_id in error
    assert modelstudio_emulator.api_key not in str(columns)


def test_a_system_prompt_and_another_column(
    modelstudio_emulator: Emulator, make: Make
) -> None:
    mapper = make(input_column="text", system_prompt="Be brief.")
    assert mapper({"text": ["Hi"], "prompt": ["not this"]})["error"] == [None]
    (request,) = modelstudio_emulator.requests
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]


def test_calls_at_once_are_bounded_over_threads(make: Make) -> None:
    mapper = make(max_concurrency=3)
    running = peak = 0
    ainvoke = ChatModelStudio.ainvoke

    async def counting(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.01)
        answer = await ainvoke(self, *arguments, **options)
        running -= 1
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChatModelStudio, "ainvoke", counting)
        results: list[Any] = []
        threads = [
            threading.Thread(
                target=lambda: results.append(mapper({"prompt": ["Hi"] * 6}))
            )
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert peak == 3
    assert [result["error"] for result in results] == [[None] * 6] * 3


async def test_it_can_be_called_inside_an_event_loop(make: Make) -> None:
    mapper = make()
    assert mapper({"prompt": ["Hi"]})["error"] == [None]
    assert (await mapper.acall({"prompt": ["Hi"]}))["error"] == [None]


def test_an_empty_batch_has_empty_columns(make: Make) -> None:
    assert make()({"prompt": []}) == {
        "prompt": [],
        **{name: [] for name in OUTPUT_COLUMNS},
    }


# --- Workers ------------------------------------------------------------------------


def test_a_pickle_has_no_key_and_makes_its_own_model(
    modelstudio_emulator: Emulator, make: Make, tmp_path: Path
) -> None:
    limit = RateLimit(requests_per_minute=6000, store=f"sqlite:///{tmp_path}/limits.db")
    mapper = make(
        {**MODEL, "limiter": limit},
        input_column="text",
        max_concurrency=2,
        cache=tmp_path / "answers.db",
    )
    mapper({"text": ["Hi"]})
    state = pickle.dumps(mapper)
    assert modelstudio_emulator.api_key.encode() not in state
    worker: ChatMapper = pickle.loads(state)  # noqa: S301 - our own
    assert worker({"text": ["Hi"]})["error"] == [None]
    assert len(modelstudio_emulator.requests) == 1
    worker.close()
    limit.close()


def test_the_cache_is_opened_in_the_worker(
    modelstudio_emulator: Emulator, make: Make, tmp_path: Path
) -> None:
    opened: list[BaseCache] = []

    def open_cache() -> BaseCache:
        opened.append(InMemoryCache())
        return opened[-1]

    mapper = make(cache=open_cache)
    assert opened == []
    for _ in range(2):
        assert mapper({"prompt": ["Hi"]})["error"] == [None]
    assert len(opened) == len(modelstudio_emulator.requests) == 1
    stored = make(cache=str(tmp_path / "answers.db"))
    for _ in range(2):
        stored({"prompt": ["Hi"]})
    assert len(modelstudio_emulator.requests) == 2


def test_a_closed_mapper_can_be_called_again(make: Make) -> None:
    mapper = make()
    mapper({"prompt": ["Hi"]})
    mapper.close()
    mapper.close()
    assert mapper({"prompt": ["Hi"]})["error"] == [None]


# --- Arguments ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ({"api_key": "sk-0123456789"}, {}, "must not contain api_key"),
        ({"dashscope_api_key": "sk-0123456789"}, {}, "must not contain dashscope_api"),
        ({"cache": InMemoryCache()}, {}, "pass cache= to ChatMapper"),
        ("qwen3.7-plus", {}, "model_arguments must be a dict"),
        ({}, {"input_column": ""}, "input_column must be a string"),
        ({}, {"input_column": 1}, "input_column must be a string"),
        ({}, {"system_prompt": ""}, "system_prompt must be a string"),
        ({}, {"max_concurrency": 0}, "max_concurrency must be an integer"),
        ({}, {"max_concurrency": True}, "max_concurrency must be an integer"),
        ({}, {"cache": InMemoryCache()}, "a function that returns a cache"),
        ({}, {"cache": 7}, "must be a path or a function"),
        ({}, {"cache": ""}, "must be a path or a function"),
    ],
)
def test_an_invalid_argument_is_refused(
    arguments: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        ChatMapper(arguments, **options)
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"text": ["Hi"]}, "There is no column 'prompt', there are: 'text'"),
        ({"prompt": ["Hi"], "error": [1], "answer": [2]}, "'answer', 'error' exist"),
        (["Hi"], "must be called with a dict of columns, got a list"),
    ],
)
def test_a_batch_that_cannot_be_answered_is_refused(
    make: Make, modelstudio_emulator: Emulator, batch: Any, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()(batch)
    assert modelstudio_emulator.requests == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "model is missing"),
        ({**MODEL, "temperatur": 1}, "Did you mean 'temperature'"),
        ({**MODEL, "region": "mars"}, "Unknown region"),
        ({**MODEL, "model": "text-embedding-v4"}, "is an embedding model"),
    ],
)
def test_an_invalid_argument_of_the_model_is_refused_without_a_key(
    arguments: Mapping[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    ChatMapper(MODEL)
    with pytest.raises(ConfigurationError, match=message):
        ChatMapper(arguments)


def test_a_model_outside_the_policy_is_refused() -> None:
    set_policy(Policy(models=["glm-*"]))
    with pytest.raises(PolicyError, match=r"'qwen3\.7-plus' is not"):
        ChatMapper(MODEL)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Authorization", "Bearer of-a-gateway"),
        ("proxy-authorization", "Basic eDp5"),
        ("X-Api-Key", "of-a-gateway"),
        ("Ocp-Apim-Subscription-Key", "of-a-gateway"),
        ("X-Auth-Token", "of-a-gateway"),
        ("Cookie", "session=1"),
        ("X-Team", SecretStr("of-a-gateway")),
    ],
)
def test_a_header_that_holds_a_key_is_refused(
    make: Make, header: str, value: SecretStr | str
) -> None:
    with pytest.raises(ConfigurationError, match=f"must not contain {header!r}"):
        make({**MODEL, "default_headers": {header: value}})


def test_another_header_is_sent(modelstudio_emulator: Emulator, make: Make) -> None:
    mapper = make({**MODEL, "default_headers": {"X-Trace-Id": "42"}})
    assert mapper({"prompt": ["Hi"]})["error"] == [None]
    assert modelstudio_emulator.requests[0].headers["x-trace-id"] == "42"


def test_a_missing_key_ends_the_first_call(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapper = make()
    monkeypatch.delenv("DASHSCOPE_API_KEY")
    with pytest.raises(ConfigurationError, match="DASHSCOPE_API_KEY"):
        mapper({"prompt": ["Hi"]})


def test_sqlite_is_the_cache_of_a_path(make: Make, tmp_path: Path) -> None:
    mapper = make(cache=tmp_path / "a.db")
    mapper({"prompt": ["Hi"]})
    assert mapper._worker is not None
    assert isinstance(mapper._worker.model.cache, SQLiteAnswerCache)
