"""``with_structured_output``: requests, parsed answers and errors."""

import json
import pickle
from enum import Enum
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, Field, RootModel, field_validator
from pydantic.v1 import BaseModel as OldBaseModel

from langchain_modelstudio._chat import shapes
from modelstudio_core.emulator import Emulator, Reply, ToolCall
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import ConfigurationError
from tests.langchain.support import (
    both_protocols,
    messages,
    model,
    never_blocking,
    parameters,
    state,
)

METHODS: Any = ("function_calling", "json_schema", "json_mode")
all_methods = pytest.mark.parametrize("method", METHODS)


class Joke(BaseModel):
    """A joke to tell."""

    setup: str = Field(description="The question.")
    punchline: str


class OldJoke(OldBaseModel):
    """A joke to tell."""

    setup: str
    punchline: str


class TypedJoke(TypedDict):
    """A joke to tell."""

    setup: Annotated[str, ..., "The question."]
    punchline: str


TEXT = {"type": "string"}
PARAMETERS = {
    "type": "object",
    "properties": {"setup": TEXT, "punchline": TEXT},
    "required": ["setup", "punchline"],
}
FUNCTION = {"name": "Joke", "description": "A joke to tell.", "parameters": PARAMETERS}
SCHEMAS: dict[str, Any] = {
    "pydantic": Joke,
    "old pydantic": OldJoke,
    "typed dict": TypedJoke,
    "json schema": {"title": "Joke", "description": "A joke to tell.", **PARAMETERS},
    "openai function": FUNCTION,
    "openai tool": {"type": "function", "function": FUNCTION},
    "response format": {
        "type": "json_schema",
        "json_schema": {
            "name": "Joke",
            "description": "A joke to tell.",
            "schema": PARAMETERS,
        },
    },
}
ANSWER = {"setup": "Why?", "punchline": "Because."}


class Starts(BaseCallbackHandler):
    """Collects the options of each call of a model."""

    def __init__(self) -> None:
        """Create an empty list."""
        self.options: list[Any] = []

    def on_chat_model_start(self, *_: Any, **kwargs: Any) -> None:
        """Append the options."""
        self.options.append(kwargs["options"])


def reply(method: str, answer: Any = ANSWER, name: str = "Joke", **more: Any) -> Reply:
    """Return a method's answer, in deltas of four characters."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    pieces = [text[i : i + 4] for i in range(0, len(text), 4)]
    if method == "function_calling":
        return Reply(tool_calls=[ToolCall(name, pieces=pieces)], **more)
    return Reply(pieces=pieces, **more)


# --- Requests ---------------------------------------------------------------------


@both_protocols
@all_methods
@pytest.mark.parametrize("kind", SCHEMAS)
def test_each_schema_is_sent_by_each_method(
    modelstudio_emulator: Emulator, kind: str, method: Any, protocol: str
) -> None:
    schema = SCHEMAS[kind]
    name = getattr(schema, "__name__", "Joke")
    llm = model(modelstudio_emulator, protocol=protocol)
    before = state(llm)
    modelstudio_emulator.script(reply(method, name=name))
    starts = Starts()
    joke = llm.with_structured_output(schema, method=method).invoke(
        "Tell one.", config={"callbacks": [starts]}
    )
    expected: Any = schema(**ANSWER) if isinstance(schema, type) else ANSWER
    assert joke == expected
    assert type(joke) is type(expected)
    (body,) = map(parameters, modelstudio_emulator.requests)
    if method == "function_calling":
        (shape,) = body["tools"]
        assert shape["function"]["name"] == name
        assert shape["function"]["description"] == "A joke to tell."
        assert shape["function"]["parameters"]["required"] == ["setup", "punchline"]
        assert body["tool_choice"]["function"] == {"name": name}
        assert body["enable_thinking"] is False
    elif method == "json_schema":
        described = body["response_format"]["json_schema"]
        assert (described["name"], described["description"]) == (
            name,
            "A joke to tell.",
        )
        assert described["schema"]["required"] == ["setup", "punchline"]
        assert "strict" not in described
        assert body["enable_thinking"] is False
    else:
        assert body["response_format"] == {"type": "json_object"}
        assert body["enable_thinking"] is True
    (options,) = starts.options
    traced = options["ls_structured_output_format"]
    assert traced["kwargs"] == {"method": method, "strict": None}
    assert set(traced["schema"]["properties"]) == {"setup", "punchline"}
    if kind != "response format":
        assert traced["schema"] == convert_to_json_schema(schema)
    assert state(llm) == before


@pytest.mark.parametrize("kind", SCHEMAS)
@pytest.mark.parametrize("strict", [True, False])
def test_strict_is_sent_with_every_schema(
    modelstudio_emulator: Emulator, kind: str, strict: bool
) -> None:
    name = getattr(SCHEMAS[kind], "__name__", "Joke")
    llm = model(modelstudio_emulator)
    for method in ("function_calling", "json_schema"):
        modelstudio_emulator.script(reply(method, name=name))
        llm.with_structured_output(SCHEMAS[kind], method=method, strict=strict).invoke(
            "Tell one."
        )
    by_call, by_format = map(parameters, modelstudio_emulator.requests)
    assert by_call["tools"][0]["function"]["strict"] is strict
    assert by_format["response_format"]["json_schema"]["strict"] is strict


@pytest.mark.parametrize(
    ("name", "arguments", "method"),
    [
        ("deepseek-v4-pro", {}, "function_calling"),
        ("qwen3.7-plus", {}, "function_calling"),
        ("qwen3.7-plus", {"enable_thinking": False}, "json_schema"),
        ("qwen3.8-flash", {}, "json_schema"),
        ("qwen3.8-max", {"enable_thinking": True}, "json_schema"),
        ("qwen-plus", {}, "function_calling"),
        ("qwen-plus", {"enable_thinking": True}, "function_calling"),
        ("qwen-max", {}, "function_calling"),
        ("a-model-of-tomorrow", {}, "function_calling"),
    ],
)
def test_the_default_method_depends_on_the_model(
    modelstudio_emulator: Emulator, name: str, arguments: dict[str, Any], method: str
) -> None:
    llm = model(modelstudio_emulator, model=name, **arguments)
    modelstudio_emulator.script(reply(method))
    assert llm.with_structured_output(Joke).invoke("Tell one.") == Joke(**ANSWER)
    (body,) = map(parameters, modelstudio_emulator.requests)
    assert ("response_format" in body) is (method == "json_schema")
    assert ("tools" in body) is (method == "function_calling")


def test_the_default_method_depends_on_a_bound_model(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model(modelstudio_emulator).with_structured_output(Joke, model="qwen3.8-max")
    assert llm.invoke("The joke is 'Why' and 'Because'.")
    (body,) = map(parameters, modelstudio_emulator.requests)
    assert body["response_format"]["type"] == "json_schema"


class Mood(Enum):
    """An Enum, which cannot be the schema of an object."""

    GOOD = "good"


@both_protocols
@pytest.mark.parametrize("method", METHODS)
def test_a_schema_of_a_generic_class_has_a_valid_name(
    modelstudio_emulator: Emulator, protocol: str, method: Any
) -> None:
    """The name of such a class has brackets, which the service refuses."""
    llm = model(modelstudio_emulator, protocol=protocol, enable_thinking=False)
    answer = (
        Reply(tool_calls=[ToolCall("RootModel_Joke_", ANSWER)])
        if method == "function_calling"
        else Reply(text=json.dumps(ANSWER))
    )
    modelstudio_emulator.script(answer)
    structured = llm.with_structured_output(RootModel[Joke], method=method)
    assert structured.invoke("A joke.") == RootModel[Joke](Joke(**ANSWER))
    sent = str(modelstudio_emulator.requests[0].body)
    assert "RootModel[" not in sent
    assert ("RootModel_Joke_" in sent) == (method != "json_mode")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"schema": Joke, "method": "jsn_mode"}, "Did you mean 'json_mode'"),
        ({"schema": None}, "schema is required"),
        ({"schema": None, "method": "json_schema"}, "schema is required"),
        ({"schema": Joke, "method": "json_mode", "strict": True}, "strict"),
        ({"schema": 5}, "schema must be"),
        ({"schema": {"type": "object"}}, "with a title"),
        ({"schema": Joke, "tools": [Joke], "method": "json_mode"}, "tools"),
        ({"schema": Joke, "tools": [Joke]}, "^with_structured_output sends tools"),
        ({"schema": str}, "schema must be"),
        *(
            ({"schema": Mood, "method": method}, "Mood is an Enum")
            for method in METHODS
        ),
        ({"schema": RootModel[list[str]], "method": "json_mode"}, "type 'array'"),
        ({"schema": RootModel[str], "method": "function_calling"}, "type 'string'"),
        (
            {
                "schema": {
                    "type": "json_schema",
                    "json_schema": {"name": "J", "schema": {}, "strict": True},
                },
                "method": "json_schema",
                "strict": False,
            },
            "contradicts",
        ),
    ],
)
def test_an_invalid_argument_is_an_error(
    modelstudio_emulator: Emulator, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        model(modelstudio_emulator).with_structured_output(**arguments)


# --- The word "JSON" that JSON mode requires --------------------------------------

SYSTEM = "Be funny."
MARKED = {"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    ("prompt", "roles"),
    [
        ("Tell one.", ["system", "user"]),
        ([SystemMessage(SYSTEM), HumanMessage("Tell one.")], ["system", "user"]),
        ([SystemMessage([MARKED]), HumanMessage("Tell one.")], ["system", "user"]),
        (
            [ChatMessage(content=SYSTEM, role="system"), ("user", "T")],
            ["system", "user"],
        ),
        (
            [HumanMessage([{"type": "text", "text": "Tell"}]), AIMessage("?"), "one"],
            ["system", "user", "assistant", "user"],
        ),
    ],
)
def test_an_instruction_is_added_to_a_prompt_without_the_word(
    modelstudio_emulator: Emulator, prompt: Any, roles: list[str]
) -> None:
    llm = model(modelstudio_emulator).with_structured_output(Joke, method="json_mode")
    modelstudio_emulator.script(reply("json_mode"))
    assert llm.invoke(prompt) == Joke(**ANSWER)
    first, *rest = messages(modelstudio_emulator.requests[0])
    assert [message["role"] for message in (first, *rest)] == roles
    assert "Answer with a JSON object" in str(first["content"])
    assert '"punchline"' in str(first["content"])
    if not isinstance(prompt, str) and len(rest) == 1:
        assert SYSTEM in str(first["content"])


def test_a_cache_marker_of_the_system_message_is_kept(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model(modelstudio_emulator).with_structured_output(method="json_mode")
    modelstudio_emulator.script(reply("json_mode"))
    given = SystemMessage([MARKED])
    assert llm.invoke([given, HumanMessage("Tell one.")]) == ANSWER
    parts = modelstudio_emulator.requests[0].body["messages"][0]["content"]
    assert parts[0] == MARKED
    assert parts[1]["text"] == "Answer with a JSON object, and with nothing else."
    assert given.content == [MARKED]


@pytest.mark.parametrize(
    "prompt",
    [
        "Tell one as JSON.",
        [SystemMessage("Answer in Json."), HumanMessage("Tell one.")],
        [HumanMessage([{"type": "text", "text": "As json"}]), AIMessage("?"), "one"],
    ],
)
def test_no_instruction_is_added_to_a_prompt_with_the_word(
    modelstudio_emulator: Emulator, prompt: Any
) -> None:
    llm = model(modelstudio_emulator)
    modelstudio_emulator.script(reply("json_mode"), Reply(text="-"))
    llm.with_structured_output(Joke, method="json_mode").invoke(prompt)
    llm.invoke(prompt)
    structured, plain = map(messages, modelstudio_emulator.requests)
    assert structured == plain


@pytest.mark.parametrize(
    "prompt",
    [
        "Tell one.",
        [HumanMessage("Tell one."), SystemMessage("Be short.")],
        [SystemMessage("A."), HumanMessage("Tell one."), SystemMessage("B.")],
        [ChatMessage(content="Be short.", role="system"), HumanMessage([MARKED])],
    ],
)
@both_protocols
def test_json_mode_sends_what_its_response_format_alone_sends(
    modelstudio_emulator: Emulator, protocol: Protocol, prompt: Any
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol)
    modelstudio_emulator.script(reply("json_mode"), reply("json_mode"))
    llm.with_structured_output(method="json_mode").invoke(prompt)
    llm.invoke(prompt, response_format={"type": "json_object"})
    structured, plain = map(messages, modelstudio_emulator.requests)
    assert structured == plain
    assert "JSON" in str(structured)


# --- Methods of a runnable --------------------------------------------------------


@both_protocols
@all_methods
def test_a_stream_yields_growing_dicts(
    modelstudio_emulator: Emulator, method: Any, protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol)
    structured = llm.with_structured_output(SCHEMAS["json schema"], method=method)
    modelstudio_emulator.script(reply(method, reasoning="Hm."))
    results: list[Any] = list(structured.stream("Tell one."))
    assert len(results) > 4
    assert results[-1] == ANSWER
    assert all(
        isinstance(piece, dict) and set(piece) <= set(ANSWER) for piece in results
    )
    lengths = [len(str(piece)) for piece in results]
    assert lengths == sorted(lengths)
    assert len(modelstudio_emulator.requests) == 1


@all_methods
def test_a_stream_yields_objects_as_soon_as_they_are_valid(
    modelstudio_emulator: Emulator, method: Any
) -> None:
    structured = model(modelstudio_emulator).with_structured_output(Joke, method=method)
    modelstudio_emulator.script(reply(method))
    results: list[Any] = list(structured.stream("Tell one."))
    assert all(isinstance(piece, Joke) for piece in results)
    assert results[-1] == Joke(**ANSWER)
    assert len(results) > 1


@both_protocols
@all_methods
async def test_async_answers_are_the_same(
    modelstudio_emulator: Emulator, method: Any, protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol)
    structured = llm.with_structured_output(Joke, method=method)
    with_raw = llm.with_structured_output(Joke, method=method, include_raw=True)
    modelstudio_emulator.script(*[reply(method)] * 6)
    joke = Joke(**ANSWER)
    with never_blocking():
        assert await structured.ainvoke("Tell one.") == joke
        pieces = [chunk async for chunk in structured.astream("Tell one.")]
        assert await structured.abatch(["Tell one.", "Another."]) == [joke] * 2
        complete: Any = await with_raw.ainvoke("Tell one.")
        added: Any = None
        async for piece in with_raw.astream("Tell one."):
            added = piece if added is None else added + piece
    assert len(pieces) > 1
    assert pieces[-1] == joke
    assert complete["parsed"] == added["parsed"] == joke
    assert complete["raw"].response_metadata["request_id"]
    assert added["raw"].response_metadata["request_id"]
    assert len(modelstudio_emulator.requests) == 6


def test_batch_in_a_chain(modelstudio_emulator: Emulator) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "S"), ("user", "{about}")])
    llm = model(modelstudio_emulator, model="qwen3.8-max")
    chain = prompt | llm.with_structured_output(Joke)
    modelstudio_emulator.script(*[reply("json_schema")] * 3)
    jokes = chain.batch([{"about": "a"}, {"about": "b"}])
    assert jokes == [Joke(**ANSWER)] * 2
    assert list(chain.stream({"about": "c"}))[-1] == Joke(**ANSWER)
    questions = sorted(
        messages(request)[1]["content"] for request in modelstudio_emulator.requests
    )
    assert questions == ["a", "b", "c"]


@both_protocols
@all_methods
@pytest.mark.parametrize("by_variable", [False, True])
def test_v1_content_is_parsed_too(
    modelstudio_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    method: Any,
    by_variable: bool,
    protocol: str,
) -> None:
    if by_variable:
        monkeypatch.setenv("LC_OUTPUT_VERSION", "v1")
    arguments = {} if by_variable else {"output_version": "v1"}
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    structured = llm.with_structured_output(Joke, method=method, include_raw=True)
    calls = 1 if method == "function_calling" else 3
    modelstudio_emulator.script(*[reply(method, reasoning="Hm.")] * calls)
    result: Any = structured.invoke("Tell one.")
    assert result["parsed"] == Joke(**ANSWER)
    assert result["raw"].content[0] == {"type": "reasoning", "reasoning": "Hm."}
    only = llm.with_structured_output(SCHEMAS["typed dict"], method=method)
    if method != "function_calling":
        assert list(only.stream("Tell one."))[-1] == ANSWER
        assert only.invoke("Tell one.") == ANSWER


@all_methods
def test_include_raw_returns_the_message(
    modelstudio_emulator: Emulator, method: Any
) -> None:
    llm = model(modelstudio_emulator)
    structured = llm.with_structured_output(Joke, method=method, include_raw=True)
    modelstudio_emulator.script(*[reply(method, reasoning="Hm.")] * 2)
    result: Any = structured.invoke("Tell one.")
    assert set(result) == {"raw", "parsed", "parsing_error"}
    assert result["parsed"] == Joke(**ANSWER)
    assert result["parsing_error"] is None
    assert result["raw"].additional_kwargs["reasoning_content"] == "Hm."
    pieces: list[Any] = list(structured.stream("Tell one."))
    assert [set(piece) for piece in pieces[:-1]] == [{"raw"}] * (len(pieces) - 1)
    assert len(pieces) > 4
    assert pieces[-1] == {"parsed": Joke(**ANSWER), "parsing_error": None}


# --- Invalid answers --------------------------------------------------------------

CUT = '{"setup": "Why?", "punchline": "Bec'
BAD: dict[str, Any] = {
    "cut off": {"answer": CUT, "finish_reason": "length"},
    "broken": {"answer": CUT},
    "not JSON": {"answer": "{setup: Why?}"},
    "empty": {"answer": {}},
    "null": {"answer": "null"},
    "a list": {"answer": '["Why?"]'},
    "half": {"answer": {"setup": "Why?"}},
}
NO_CALL: dict[str, Reply] = {
    "text": Reply(text="Sorry."),
    "nothing": Reply(text=""),
    "refusal": Reply(text='{"setup": "Why?", "punchline": "Because."}'),
    "another call": Reply(tool_calls=[ToolCall("other", ANSWER)]),
}


def last_result(structured: Any, name: str) -> Any:
    """Call a method, and return its last result."""
    if name == "invoke":
        return structured.invoke("Tell one.")
    *_, last = structured.stream("Tell one.")
    return last


def check_invalid(studio: Emulator, answer: Reply, schema: Any, method: Any) -> None:
    """Check that every method raises for an invalid answer."""
    llm = model(studio)
    structured = llm.with_structured_output(schema, method=method)
    with_raw = llm.with_structured_output(schema, method=method, include_raw=True)
    for name in ("invoke", "stream"):
        studio.script(answer, answer)
        with pytest.raises(OutputParserException, match="The answer does not match"):
            last_result(structured, name)
        result = last_result(with_raw, name)
        assert result["parsed"] is None
        assert isinstance(result["parsing_error"], OutputParserException)
    assert len(studio.requests) == 4


@all_methods
@pytest.mark.parametrize("kind", ["pydantic", "old pydantic", "typed dict"])
@pytest.mark.parametrize("bad", BAD)
def test_an_answer_that_does_not_match_is_an_error(
    modelstudio_emulator: Emulator, bad: str, kind: str, method: Any
) -> None:
    schema = SCHEMAS[kind]
    answer = reply(method, name=schema.__name__, **BAD[bad])
    check_invalid(modelstudio_emulator, answer, schema, method)


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
@pytest.mark.parametrize("kind", ["pydantic", "json schema"])
@pytest.mark.parametrize("deep", ["[" * 3000, '{"a":' * 3000, "[" * 3000 + "]" * 3000])
async def test_an_answer_that_is_nested_too_deeply_is_an_error(
    modelstudio_emulator: Emulator, deep: str, kind: str, method: Any
) -> None:
    """No ``RecursionError``, whichever parser reads it."""
    llm = model(modelstudio_emulator)
    structured = llm.with_structured_output(SCHEMAS[kind], method=method)
    with_raw = llm.with_structured_output(
        SCHEMAS[kind], method=method, include_raw=True
    )
    modelstudio_emulator.script(*[Reply(text=deep, pieces=[deep])] * 6)
    for name in ("invoke", "stream"):
        with pytest.raises(OutputParserException):
            last_result(structured, name)
    with pytest.raises(OutputParserException):
        await structured.ainvoke("Tell one.")
    with pytest.raises(OutputParserException):
        [part async for part in structured.astream("Tell one.")]
    results: list[Any] = [with_raw.invoke("Hi"), await with_raw.ainvoke("Hi")]
    for result in results:
        assert result["parsed"] is None
        assert isinstance(result["parsing_error"], OutputParserException)


@pytest.mark.parametrize("kind", ["pydantic", "json schema"])
@pytest.mark.parametrize("none", NO_CALL)
def test_an_answer_without_the_call_is_an_error(
    modelstudio_emulator: Emulator, none: str, kind: str
) -> None:
    check_invalid(
        modelstudio_emulator, NO_CALL[none], SCHEMAS[kind], "function_calling"
    )


@all_methods
def test_the_error_of_a_cut_off_answer_names_max_tokens(
    modelstudio_emulator: Emulator, method: Any
) -> None:
    structured = model(modelstudio_emulator).with_structured_output(Joke, method=method)
    modelstudio_emulator.script(reply(method, CUT, finish_reason="length"))
    with pytest.raises(OutputParserException, match="increase max_tokens") as caught:
        structured.invoke("Tell one.")
    assert caught.value.llm_output == CUT


@all_methods
def test_a_cut_off_answer_is_an_error_with_streaming(
    modelstudio_emulator: Emulator, method: Any
) -> None:
    """LangChain repairs the arguments of a streamed call, which hides the cut."""
    llm = model(modelstudio_emulator, streaming=True)
    structured = llm.with_structured_output(Joke, method=method)
    modelstudio_emulator.script(reply(method, CUT, finish_reason="length"))
    with pytest.raises(OutputParserException, match="increase max_tokens"):
        structured.invoke("Tell one.")


def test_json_in_a_code_fence_is_parsed(modelstudio_emulator: Emulator) -> None:
    structured = model(modelstudio_emulator).with_structured_output(
        Joke, method="json_mode"
    )
    fenced = f"```json\n{json.dumps(ANSWER)}\n```"
    modelstudio_emulator.script(Reply(text=fenced), Reply(text=fenced))
    assert structured.invoke("Tell one.") == Joke(**ANSWER)
    assert list(structured.stream("Tell one."))[-1] == Joke(**ANSWER)


def test_a_validator_of_the_class_is_applied(modelstudio_emulator: Emulator) -> None:
    class Clean(BaseModel):
        """A clean joke."""

        setup: str

        @field_validator("setup")
        @classmethod
        def _is_clean(cls, setup: str) -> str:
            if "Why" in setup:
                raise ValueError("not clean")
            return setup

    structured = model(modelstudio_emulator).with_structured_output(Clean)
    modelstudio_emulator.script(reply("function_calling", {"setup": "Why?"}, "Clean"))
    with pytest.raises(OutputParserException, match="not clean"):
        structured.invoke("Tell one.")


def test_a_thinking_only_model_must_call_the_schema(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model(modelstudio_emulator, model="glm-5.3")
    structured = llm.with_structured_output(Joke, include_raw=True)
    modelstudio_emulator.script(
        reply("function_calling", reasoning="Hm."), Reply(reasoning="Hm.", text="No.")
    )
    with pytest.warns(UserWarning, match="an answer without a call is an error"):
        result: Any = structured.invoke("Tell one.")
    assert result["parsed"] == Joke(**ANSWER)
    assert result["raw"].additional_kwargs["reasoning_content"] == "Hm."
    result = structured.invoke("Tell one.")
    assert result["parsed"] is None
    assert result["raw"].text == "No."
    assert isinstance(result["parsing_error"], OutputParserException)
    body = parameters(modelstudio_emulator.requests[0])
    assert body["tool_choice"] == "auto"


def test_a_tool_can_be_called_before_the_answer(
    modelstudio_emulator: Emulator,
) -> None:
    def search(about: str) -> str:
        """Search for jokes."""
        return about

    llm = model(modelstudio_emulator)
    structured = llm.with_structured_output(
        Joke, method="json_schema", tools=[search], include_raw=True
    )
    called = Reply(tool_calls=[ToolCall("search", {"about": "cats"}, id="c")])
    modelstudio_emulator.script(called, reply("json_schema"))
    first: Any = structured.invoke("Tell one.")
    assert (first["parsed"], first["parsing_error"]) == (None, None)
    assert first["raw"].tool_calls[0]["name"] == "search"
    second: Any = structured.invoke("Tell one.")
    assert second["parsed"] == Joke(**ANSWER)
    body = parameters(modelstudio_emulator.requests[0])
    assert (len(body["tools"]), "tool_choice" in body) == (1, False)
    assert body["response_format"]["type"] == "json_schema"


@all_methods
@pytest.mark.parametrize("include_raw", [True, False])
def test_a_structured_model_can_be_pickled(
    modelstudio_emulator: Emulator, method: Any, include_raw: bool
) -> None:
    llm = model(modelstudio_emulator, model="qwen3.8-max")
    structured = llm.with_structured_output(
        Joke, method=method, include_raw=include_raw
    )
    sent = pickle.loads(pickle.dumps(structured))  # noqa: S301 - our own pickle
    text = json.dumps(ANSWER)
    called = Reply(tool_calls=[ToolCall("Joke", text)])
    reply = called if method == "function_calling" else Reply(text=text)
    modelstudio_emulator.script(reply)
    result: Any = sent.invoke("Tell me a joke.")
    assert (result["parsed"] if include_raw else result) == Joke(**ANSWER)


def test_reasoning_chunks_are_not_parsed(
    modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsing the answer at each reasoning chunk would take quadratic time."""
    partials: list[bool] = []
    parse = shapes.Shape.parse

    def parse_and_count(self: Any, message: Any, *, partial: bool = False) -> Any:
        partials.append(partial)
        return parse(self, message, partial=partial)

    monkeypatch.setattr(shapes.Shape, "parse", parse_and_count)
    reasoning = [{"reasoning_content": f"Hm {number}. "} for number in range(50)]
    answer = [{"content": json.dumps(ANSWER)}]
    modelstudio_emulator.script(Reply(deltas=[*reasoning, *answer]))
    structured = model(modelstudio_emulator).with_structured_output(
        Joke, method="json_mode"
    )
    assert list(structured.stream("Tell me a joke, in JSON.")) == [Joke(**ANSWER)]
    assert partials == [True, False]


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [
        ("function_calling", "tool_choice", "any"),
        ("json_schema", "response_format", {"type": "json_object"}),
        ("json_mode", "response_format", {"type": "json_object"}),
    ],
)
def test_an_argument_that_the_method_sets_is_refused(
    modelstudio_emulator: Emulator,
    method: Any,
    name: str,
    value: Any,
) -> None:
    llm = model(modelstudio_emulator)
    with pytest.raises(ConfigurationError, match=f"^{name} is set by method="):
        llm.with_structured_output(Joke, method=method, **{name: value})
