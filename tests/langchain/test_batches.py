"""Batches with LangChain's messages, bindings and errors."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from langchain_modelstudio import ModelStudioEmbeddings
from langchain_modelstudio.batches import BatchRow, BatchRun
from langchain_modelstudio.errors import APIError, BadRequestError, PolicyError
from modelstudio_core.emulator import BatchScript, Emulator, Reply, ToolCall
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.policy import Policy, set_policy
from tests.support.batches import bodies_of, finish
from tests.support.models import model


class Answer(BaseModel):
    """An answer."""

    text: str


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def collected(studio: Emulator, run: BatchRun) -> list[BatchRow[AIMessage]]:
    run.submit()
    finish(studio, run)
    return list(run.results())


def test_a_row_is_the_message_of_a_call(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    """With the same reasoning, usage and metadata, but for the ids."""
    llm = model("LangChain", modelstudio_emulator, model="qwen3.7-plus")
    run = BatchRun.prepare(llm, ["What is 2 + 2?"], directory=tmp_path / "run")
    (row,) = collected(modelstudio_emulator, run)
    expected = llm.invoke("What is 2 + 2?")
    message = row.message
    assert isinstance(message, AIMessage)
    assert message.content == expected.content
    assert message.content_blocks == expected.content_blocks
    assert message.usage_metadata == expected.usage_metadata
    assert message.usage_metadata is not None
    details: Any = message.usage_metadata.get("output_token_details")
    assert details["reasoning"] > 0
    ids = {"id", "request_id"}
    assert message.response_metadata.keys() == expected.response_metadata.keys()
    for name in message.response_metadata.keys() - ids:
        assert message.response_metadata[name] == expected.response_metadata[name]
    assert message.response_metadata["request_id"] == row.request_id


def test_inputs_are_what_invoke_takes(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    llm = model("LangChain", modelstudio_emulator)
    prompt = ChatPromptTemplate.from_messages(
        [("system", "Be brief."), ("user", "{x}")]
    )
    inputs: list[Any] = [
        "Hi",
        [SystemMessage("Be brief."), HumanMessage("Hi")],
        prompt.invoke({"x": "Hi"}),
        [("system", "Be brief."), ("user", "Hi")],
        [
            HumanMessage("Add 1 and 2."),
            AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "c"}]),
            ToolMessage("3", tool_call_id="c"),
        ],
    ]
    path = tmp_path / "run"
    run = BatchRun.prepare(llm, inputs, directory=path)
    for item in inputs:
        llm.invoke(item)
    sent = [request.body for request in modelstudio_emulator.requests]
    assert [body["messages"] for body in bodies_of(path)] == [
        b["messages"] for b in sent
    ]
    rows = collected(modelstudio_emulator, run)
    assert {row.status for row in rows} == {"done"}


def test_what_is_bound_is_in_the_lines(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    llm = model("LangChain", modelstudio_emulator, model="qwen3.7-plus")
    bound: Any = llm.bind_tools([add], tool_choice="add").bind(temperature=0.1)
    path = tmp_path / "run"
    run = BatchRun.prepare(bound, ["Add 3 and 4."], directory=path)
    bound.invoke("Add 3 and 4.")
    sent = dict(modelstudio_emulator.requests[0].body)
    assert sent.pop("stream") is False
    assert bodies_of(path) == [sent]
    assert sent["temperature"] == 0.1
    (row,) = collected(modelstudio_emulator, run)
    assert row.message is not None
    assert row.message.tool_calls[0]["name"] == "add"


@pytest.mark.parametrize(
    ("bound", "text"),
    [({"stream": True}, "no streams"), ({"total_timeout": 5}, "completion_window=")],
)
def test_what_is_bound_and_in_no_line_is_refused(
    bound: dict[str, Any],
    text: str,
    modelstudio_emulator: Emulator,
    tmp_path: Path,
) -> None:
    llm = model("LangChain", modelstudio_emulator, model="qwen3.7-plus")
    with pytest.raises(ConfigurationError, match=text):
        BatchRun.prepare(llm.bind(**bound), ["Hi"], directory=tmp_path / "run")
    BatchRun.prepare(llm.bind(stream=False), ["Hi"], directory=tmp_path / "run")


def test_a_forced_call_that_did_not_come_has_its_answer(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    llm = model("LangChain", modelstudio_emulator, model="qwen3.7-plus")
    modelstudio_emulator.script_batches(BatchScript(replies={0: Reply(text="No.")}))
    bound = llm.bind_tools([add], tool_choice="any")
    run = BatchRun.prepare(bound, ["Hi"], directory=tmp_path / "run")
    (row,) = collected(modelstudio_emulator, run)
    assert (row.status, type(row.error).__name__) == ("error", "ToolChoiceError")
    received: Any = row.error
    assert received.message_received.content == "No."


def test_arguments_of_a_call_can_be_given(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    llm = model("LangChain", modelstudio_emulator, model="qwen3.7-plus")
    arguments = {"response_format": Answer, "enable_thinking": False}
    path = tmp_path / "run"
    run = BatchRun.prepare(llm, ["JSON"], path, arguments=arguments)
    (body,) = bodies_of(path)
    assert body["response_format"]["type"] == "json_schema"
    assert body["enable_thinking"] is False
    (row,) = collected(modelstudio_emulator, run)
    assert row.message is not None
    assert Answer.model_validate_json(row.message.text)


def test_chains_are_refused(modelstudio_emulator: Emulator, tmp_path: Path) -> None:
    llm = model("LangChain", modelstudio_emulator, model="qwen3.7-plus")
    chains: list[Any] = [
        llm | RunnableLambda(str),
        llm.with_structured_output(Answer),
        llm.with_retry(),
        llm.with_fallbacks([llm]),
    ]
    for chain in chains:
        with pytest.raises(ConfigurationError, match="pass the model itself"):
            BatchRun.prepare(chain, ["Hi"], directory=tmp_path / "run")
    with pytest.raises(ConfigurationError, match="with_config"):
        BatchRun.prepare(llm.with_config(tags=["x"]), ["Hi"], tmp_path / "run")
    for wrong in ({"question": "Hi"}, HumanMessage("Hi"), 3):
        with pytest.raises(
            ConfigurationError, match=r"inputs\[0\]: it must be a string"
        ):
            BatchRun.prepare(llm, [wrong], directory=tmp_path / "run")
    assert modelstudio_emulator.requests == []


def test_errors_are_those_of_langchain(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    llm = model("LangChain", modelstudio_emulator)
    script = BatchScript(bad_lines={0}, missing_lines={1})
    modelstudio_emulator.script_batches(script)
    run = BatchRun.prepare(llm, ["Hi", "Bye"], directory=tmp_path / "run")
    with pytest.warns(UserWarning, match="results of 1 rows"):
        bad, missing = collected(modelstudio_emulator, run)
    assert type(bad.error) is BadRequestError
    assert isinstance(bad.error, ModelInvalidRequestError)
    assert isinstance(missing.error, APIError)
    set_policy(Policy(models=["glm-*"]))
    with pytest.raises(PolicyError):
        run.resume()
    with pytest.raises(ModelInvalidRequestError):
        BatchRun.open(tmp_path / "other")


def test_embeddings_have_a_vector_a_row(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    embeddings = ModelStudioEmbeddings(
        model="text-embedding-v4",
        dimensions=128,
        base_url=modelstudio_emulator.base_url,
        api_key=modelstudio_emulator.api_key,
    )
    texts = ["A red fox.", "A blue car."]
    run = BatchRun.prepare(embeddings, texts, directory=tmp_path / "run")
    rows = collected(modelstudio_emulator, run)
    assert [row.embedding for row in rows] == embeddings.embed_documents(texts)
    assert [row.message for row in rows] == [None, None]


def test_a_run_is_read_by_another_process_without_the_model(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    reply = Reply(text="", tool_calls=[ToolCall("add", {"a": 1, "b": 2})])
    modelstudio_emulator.script_batches(BatchScript(replies={1: reply}))
    llm = model("LangChain", modelstudio_emulator, model="qwen3.7-max")
    run = BatchRun.prepare(llm.bind_tools([add]), ["Hi", "Add."], tmp_path / "run")
    first = collected(modelstudio_emulator, run)
    key = modelstudio_emulator.api_key
    again = list(BatchRun.open(tmp_path / "run", api_key=key).results())
    assert [row.message for row in again] == [row.message for row in first]
    assert again[1].message is not None
    assert again[1].message.tool_calls[0]["args"] == {"a": 1, "b": 2}
