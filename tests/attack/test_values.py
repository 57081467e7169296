"""Answers of millions of values, in every service and in what an answer holds."""

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Final, NoReturn

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from pydantic import BaseModel

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio._chat.output_schema import OutputSchema
from modelstudio_core import tasks
from modelstudio_core.chat.completion import parse_call
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import InvalidResponseError
from modelstudio_core.files import Files
from modelstudio_core.wire import json_values
from tests.attack.test_table import attacking
from tests.core.transport.support import connection_to
from tests.end_to_end.test_policy import CONNECTION, SERVICES
from tests.support.calls import CALL_STYLES, CallStyle, call
from tests.support.models import PROTOCOLS, Protocol, model

WIDE: Final = "[" + "[]," * json_values.MAX_VALUES + "[]]"


@pytest.fixture(scope="module")
def wide() -> Generator[str]:
    """The address of a server whose answers have more values than any answer has."""
    with attacking() as port:
        yield f"http://127.0.0.1:{port}/wide%20JSON"


def check(error: InvalidResponseError) -> None:
    assert not error.is_retryable
    assert "it has more than 2,097,152 values. Check base_url" in str(error)
    assert len(str(error)) < 1000


@pytest.mark.parametrize("name", [n for n in SERVICES if not n.endswith("chat")])
async def test_every_service_refuses_an_answer_of_millions_of_values(
    wide: str, name: str
) -> None:
    service = SERVICES[name]
    instance = service.build(base_url=wide)
    for one in service.calls.values():
        with pytest.raises(InvalidResponseError) as caught:
            await one(instance)
        check(caught.value)


async def test_tasks_and_lists_refuse_an_answer_of_millions_of_values(
    wide: str,
) -> None:
    connection: dict[str, Any] = {**CONNECTION, "base_url": wide}
    files = Files(connection_to(wide))
    task = tasks.Task.from_id("0b1c-2d3e", model="wan2.6-t2i", **connection)
    prompt: dict[str, Any] = {"model": "wan2.6-t2i", "prompt": "A", **connection}

    async def sync(function: Callable[..., object], **arguments: Any) -> None:
        function(**arguments)

    calls: list[Callable[[], Awaitable[object]]] = [
        partial(sync, files.list),
        files.alist,
        partial(sync, task.refresh),
        task.arefresh,
        partial(sync, tasks.submit, **prompt),
        partial(tasks.asubmit, **prompt),
        partial(sync, tasks.list_tasks, **connection),
        partial(tasks.alist_tasks, **connection),
    ]
    for one in calls:
        with pytest.raises(InvalidResponseError) as caught:
            await one()
        check(caught.value)


# --- Where the memory does not suffice ----------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
async def test_memory_that_does_not_suffice_is_an_error_of_the_response(
    modelstudio_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    style: CallStyle,
    protocol: Protocol,
) -> None:
    def fail(_data: bytes) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr("modelstudio_core.chat.parser.from_json", fail)
    monkeypatch.setattr("modelstudio_core.wire.refusals.load", fail)
    llm = model(style.framework, modelstudio_emulator, protocol, max_retries=2)
    with pytest.raises(InvalidResponseError, match="memory of this process") as caught:
        await call(llm, style, "Hi")
    assert "Lower max_response_bytes=268,435,456 and max_event_bytes=" in str(
        caught.value
    )
    # The frames of the other exception would keep what was received.
    chain: BaseException | None = caught.value
    while chain is not None:
        assert not isinstance(chain, MemoryError)
        chain = chain.__context__
    assert len(modelstudio_emulator.requests) == 1


# --- In an answer -------------------------------------------------------------------


def test_arguments_of_millions_of_values_are_not_parsed() -> None:
    function = {"name": "f", "arguments": f'{{"a": {WIDE}}}'}
    tool_call: Any = {"id": "c", "type": "function", "function": function}
    parsed = parse_call(tool_call, "tool_calls")
    assert parsed.arguments is None
    assert "it has more than 2,097,152 values" in str(parsed.problem)


class Book(BaseModel):
    title: str


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_a_text_of_millions_of_values_is_a_structured_answer_that_does_not_match(
    method: Any,
) -> None:
    llm = ChatModelStudio(model="qwen-plus", **CONNECTION)
    chain: Any = llm.with_structured_output(Book, method=method)
    with pytest.raises(OutputParserException, match="more than 2,097,152 values"):
        chain.last.invoke(AIMessage(WIDE))
    schema = OutputSchema(output_cls=Book, method="json_schema")
    response = ChatResponse(message=ChatMessage(f'{{"title": {WIDE}'))
    with pytest.raises(ValueError, match="more than 2,097,152 values"):
        schema.parse(response)
    assert schema.parse_partial(response) is None
