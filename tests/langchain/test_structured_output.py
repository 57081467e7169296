"""``with_structured_output``: what is asked for, and objects or errors, no blanks."""

import json
import pickle
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, Field, field_validator
from pydantic.v1 import BaseModel as OldBaseModel

from langchain_modelstudio._chat import shapes as _shapes
from modelstudio_core.emulator import Emulator, Reply, ToolCall
from modelstudio_core.errors import ConfigurationError
from tests.langchain.asking import (
    PROTOCOLS,
    messages,
    model,
    never_blocking,
    parameters,
    state,
)

METHODS: Any = ("function_calling", "json_schema", "json_mode")
both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
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
    """Counts the starts of models, and keeps what they were told."""

    def __init__(self) -> None:
        """Begin with none."""
        self.options: list[Any] = []

    def on_chat_model_start(self, *_: Any, **told: Any) -> None:
        """Keep one."""
        self.options.append(told["options"])


def reply(method: str, answer: Any = ANSWER, name: str = "Joke", **more: Any) -> Reply:
    """Return an answer as the method wants it, in pieces of a few characters."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    pieces = [text[i : i + 4] for i in range(0, len(text), 4)]
    if method == "function_calling":
        return Reply(tool_calls=[ToolCall(name, pieces=pieces)], **more)
    return Reply(pieces=pieces, **more)


# --- What is asked for ------------------------------------------------------------


@both_protocols
@all_methods
@pytest.mark.parametrize("kind", SCHEMAS)
def test_each_schema_is_asked_for_by_each_method(
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
    wanted: Any = schema(**ANSWER) if isinstance(schema, type) else ANSWER
    assert joke == wanted
    assert type(joke) is type(wanted)
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
    (told,) = starts.options
    traced = told["ls_structured_output_format"]
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
        ("qwen-plus", {}, "json_schema"),
        ("qwen-plus", {"enable_thinking": True}, "function_calling"),
        ("qwen-max", {}, "json_schema"),
        ("a-model-of-tomorrow", {}, "function_calling"),
    ],
)
def test_the_method_is_what_the_model_is_known_to_take(
    modelstudio_emulator: Emulator, name: str, arguments: dict[str, Any], method: str
) -> None:
    llm = model(modelstudio_emulator, model=name, **arguments)
    modelstudio_emulator.script(reply(method))
    assert llm.with_structured_output(Joke).invoke("Tell one.") == Joke(**ANSWER)
    (body,) = map(parameters, modelstudio_emulator.requests)
    assert ("response_format" in body) is (method == "json_schema")
    assert ("tools" in body) is (method == "function_calling")


def test_the_model_that_a_binding_names_decides_the_method(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model(modelstudio_emulator).with_structured_output(Joke, model="qwen-max")
    assert llm.invoke("The joke is 'Why' and 'Because'.")
    (body,) = map(parameters, modelstudio_emulator.requests)
    assert body["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"schema": Joke, "method": "jsn_mode"}, "Did you mean 'json_mode'"),
        ({"schema": None}, "needs a schema"),
        ({"schema": None, "method": "json_schema"}, "needs a schema"),
        ({"schema": Joke, "method": "json_mode", "strict": True}, "strict"),
        ({"schema": 5}, "schema must be"),
        ({"schema": {"type": "object"}}, "with a title"),
        ({"schema": Joke, "tools": [Joke], "method": "json_mode"}, "tools"),
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
def test_a_wrong_argument_is_refused_at_once(
    modelstudio_emulator: Emulator, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        model(modelstudio_emulator).with_structured_output(**arguments)


# --- The word that JSON mode demands ----------------------------------------------

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
def test_the_word_is_added_where_it_is_missing(
    modelstudio_emulator: Emulator, prompt: Any, roles: list[str]
) -> None:
    llm = model(modelstudio_emulator).with_structured_output(Joke, method="json_mode")
    modelstudio_emulator.script(reply("json_mode"))
    assert llm.invoke(prompt) == Joke(**ANSWER)
    first, *rest = messages(modelstudio_emulator.requests[0])
    assert [it["role"] for it in (first, *rest)] == roles
    assert "Answer with a JSON object" in str(first["content"])
    assert '"punchline"' in str(first["content"])
    if not isinstance(prompt, str) and len(rest) == 1:
        assert SYSTEM in str(first["content"])


def test_a_cache_marker_survives_the_word(modelstudio_emulator: Emulator) -> None:
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
def test_the_word_is_not_added_where_it_is(
    modelstudio_emulator: Emulator, prompt: Any
) -> None:
    llm = model(modelstudio_emulator)
    modelstudio_emulator.script(reply("json_mode"), Reply(text="-"))
    llm.with_structured_output(Joke, method="json_mode").invoke(prompt)
    llm.invoke(prompt)
    asked, plain = map(messages, modelstudio_emulator.requests)
    assert asked == plain


# --- Whole, streamed, in batches, in chains ---------------------------------------


@both_protocols
@all_methods
def test_dicts_grow_while_they_stream(
    modelstudio_emulator: Emulator, method: Any, protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol)
    structured = llm.with_structured_output(SCHEMAS["json schema"], method=method)
    modelstudio_emulator.script(reply(method, reasoning="Hm."))
    seen: list[Any] = list(structured.stream("Tell one."))
    assert len(seen) > 4
    assert seen[-1] == ANSWER
    assert all(isinstance(it, dict) and set(it) <= set(ANSWER) for it in seen)
    lengths = [len(str(it)) for it in seen]
    assert lengths == sorted(lengths)
    assert len(modelstudio_emulator.requests) == 1


@all_methods
def test_objects_stream_as_soon_as_they_are_valid(
    modelstudio_emulator: Emulator, method: Any
) -> None:
    structured = model(modelstudio_emulator).with_structured_output(Joke, method=method)
    modelstudio_emulator.script(reply(method))
    seen: list[Any] = list(structured.stream("Tell one."))
    assert all(isinstance(it, Joke) for it in seen)
    assert seen[-1] == Joke(**ANSWER)
    assert len(seen) > 1


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
        pieces = [it async for it in structured.astream("Tell one.")]
        assert await structured.abatch(["Tell one.", "Another."]) == [joke] * 2
        whole: Any = await with_raw.ainvoke("Tell one.")
        added: Any = None
        async for piece in with_raw.astream("Tell one."):
            added = piece if added is None else added + piece
    assert len(pieces) > 1
    assert pieces[-1] == joke
    assert whole["parsed"] == added["parsed"] == joke
    assert whole["raw"].response_metadata["request_id"]
    assert added["raw"].response_metadata["request_id"]
    assert len(modelstudio_emulator.requests) == 6


def test_batches_and_chains(modelstudio_emulator: Emulator) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "S"), ("user", "{about}")])
    llm = model(modelstudio_emulator, model="qwen-max")
    chain = prompt | llm.with_structured_output(Joke)
    modelstudio_emulator.script(*[reply("json_schema")] * 3)
    jokes = chain.batch([{"about": "a"}, {"about": "b"}])
    assert jokes == [Joke(**ANSWER)] * 2
    assert list(chain.stream({"about": "c"}))[-1] == Joke(**ANSWER)
    asked = sorted(messages(it)[1]["content"] for it in modelstudio_emulator.requests)
    assert asked == ["a", "b", "c"]


@both_protocols
@all_methods
@pytest.mark.parametrize("by_variable", [False, True])
def test_blocks_of_v1_change_nothing(
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
    modelstudio_emulator.script(*[reply(method, reasoning="Hm.")] * 3)
    found: Any = structured.invoke("Tell one.")
    assert found["parsed"] == Joke(**ANSWER)
    assert found["raw"].content[0] == {"type": "reasoning", "reasoning": "Hm."}
    only = llm.with_structured_output(SCHEMAS["typed dict"], method=method)
    if method != "function_calling":
        assert list(only.stream("Tell one."))[-1] == ANSWER
        assert only.invoke("Tell one.") == ANSWER


@all_methods
def test_the_message_is_kept_beside_the_object(
    modelstudio_emulator: Emulator, method: Any
) -> None:
    llm = model(modelstudio_emulator)
    structured = llm.with_structured_output(Joke, method=method, include_raw=True)
    modelstudio_emulator.script(*[reply(method, reasoning="Hm.")] * 2)
    found: Any = structured.invoke("Tell one.")
    assert set(found) == {"raw", "parsed", "parsing_error"}
    assert found["parsed"] == Joke(**ANSWER)
    assert found["parsing_error"] is None
    assert found["raw"].additional_kwargs["reasoning_content"] == "Hm."
    pieces: list[Any] = list(structured.stream("Tell one."))
    assert [set(it) for it in pieces[:-1]] == [{"raw"}] * (len(pieces) - 1)
    assert len(pieces) > 4
    assert pieces[-1] == {"parsed": Joke(**ANSWER), "parsing_error": None}


# --- Answers that are none --------------------------------------------------------

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


def read_all(structured: Any, way: str) -> Any:
    """Ask in one way, and return the last that comes."""
    if way == "invoke":
        return structured.invoke("Tell one.")
    *_, last = structured.stream("Tell one.")
    return last


def check_refusal(studio: Emulator, answer: Reply, schema: Any, method: Any) -> None:
    """See that no way of asking gives an object for an answer that is none."""
    llm = model(studio)
    structured = llm.with_structured_output(schema, method=method)
    with_raw = llm.with_structured_output(schema, method=method, include_raw=True)
    for way in ("invoke", "stream"):
        studio.script(answer, answer)
        with pytest.raises(OutputParserException, match="no answer in the shape of"):
            read_all(structured, way)
        found = read_all(with_raw, way)
        assert found["parsed"] is None
        assert isinstance(found["parsing_error"], OutputParserException)
    assert len(studio.requests) == 4


@all_methods
@pytest.mark.parametrize("kind", ["pydantic", "old pydantic", "typed dict"])
@pytest.mark.parametrize("bad", BAD)
def test_an_answer_of_another_shape_is_an_error(
    modelstudio_emulator: Emulator, bad: str, kind: str, method: Any
) -> None:
    schema = SCHEMAS[kind]
    answer = reply(method, name=schema.__name__, **BAD[bad])
    check_refusal(modelstudio_emulator, answer, schema, method)


@pytest.mark.parametrize("kind", ["pydantic", "json schema"])
@pytest.mark.parametrize("none", NO_CALL)
def test_an_answer_without_its_call_is_an_error(
    modelstudio_emulator: Emulator, none: str, kind: str
) -> None:
    check_refusal(
        modelstudio_emulator, NO_CALL[none], SCHEMAS[kind], "function_calling"
    )


@all_methods
def test_an_answer_that_was_cut_off_says_what_to_raise(
    modelstudio_emulator: Emulator, method: Any
) -> None:
    structured = model(modelstudio_emulator).with_structured_output(Joke, method=method)
    modelstudio_emulator.script(reply(method, CUT, finish_reason="length"))
    with pytest.raises(OutputParserException, match="raise max_tokens") as caught:
        structured.invoke("Tell one.")
    assert caught.value.llm_output == CUT


@all_methods
def test_a_cut_answer_is_one_where_callbacks_make_it_stream(
    modelstudio_emulator: Emulator, method: Any
) -> None:
    """LangChain mends the arguments of a streamed call before anybody can check."""
    llm = model(modelstudio_emulator, streaming=True)
    structured = llm.with_structured_output(Joke, method=method)
    modelstudio_emulator.script(reply(method, CUT, finish_reason="length"))
    with pytest.raises(OutputParserException, match="raise max_tokens"):
        structured.invoke("Tell one.")


def test_json_in_a_fence_is_read(modelstudio_emulator: Emulator) -> None:
    structured = model(modelstudio_emulator).with_structured_output(
        Joke, method="json_mode"
    )
    fenced = f"```json\n{json.dumps(ANSWER)}\n```"
    modelstudio_emulator.script(Reply(text=fenced), Reply(text=fenced))
    assert structured.invoke("Tell one.") == Joke(**ANSWER)
    assert list(structured.stream("Tell one."))[-1] == Joke(**ANSWER)


def test_a_models_own_check_is_an_error_too(modelstudio_emulator: Emulator) -> None:
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


def test_a_model_that_only_thinks_is_asked_and_its_call_demanded(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model(modelstudio_emulator, model="glm-5.3")
    structured = llm.with_structured_output(Joke, include_raw=True)
    modelstudio_emulator.script(
        reply("function_calling", reasoning="Hm."), Reply(reasoning="Hm.", text="No.")
    )
    with pytest.warns(UserWarning, match="a call demanded"):
        found: Any = structured.invoke("Tell one.")
    assert found["parsed"] == Joke(**ANSWER)
    assert found["raw"].additional_kwargs["reasoning_content"] == "Hm."
    with pytest.warns(UserWarning, match="a call demanded"):
        found = structured.invoke("Tell one.")
    assert found["parsed"] is None
    assert found["raw"].text == "No."
    assert isinstance(found["parsing_error"], OutputParserException)
    body = parameters(modelstudio_emulator.requests[0])
    assert body["tool_choice"] == "auto"


def test_a_tool_may_be_called_before_the_answer(
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
def test_it_can_be_sent_to_a_worker(
    modelstudio_emulator: Emulator, method: Any, include_raw: bool
) -> None:
    llm = model(modelstudio_emulator, model="qwen-plus")
    asking = llm.with_structured_output(Joke, method=method, include_raw=include_raw)
    sent = pickle.loads(pickle.dumps(asking))  # noqa: S301 - our own pickle
    text = json.dumps(ANSWER)
    called = Reply(tool_calls=[ToolCall("Joke", text)])
    reply = called if method == "function_calling" else Reply(text=text)
    modelstudio_emulator.script(reply)
    found: Any = sent.invoke("Tell me a joke.")
    assert (found["parsed"] if include_raw else found) == Joke(**ANSWER)


def test_nothing_is_read_while_the_model_thinks(
    modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading what has come so far for each thought would cost its square."""
    reads: list[bool] = []
    read = _shapes.Shape.read

    def count(self: Any, message: Any, *, partial: bool = False) -> Any:
        reads.append(partial)
        return read(self, message, partial=partial)

    monkeypatch.setattr(_shapes.Shape, "read", count)
    thoughts = [{"reasoning_content": f"Hm {number}. "} for number in range(50)]
    said = [{"content": json.dumps(ANSWER)}]
    modelstudio_emulator.script(Reply(deltas=[*thoughts, *said]))
    asking = model(modelstudio_emulator).with_structured_output(
        Joke, method="json_mode"
    )
    assert list(asking.stream("Tell me a joke, in JSON.")) == [Joke(**ANSWER)]
    assert reads == [True, False]
