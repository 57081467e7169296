"""Arguments by the service's own names, and those that people bring from elsewhere."""

from typing import Any, Final, get_args, get_type_hints

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from modelstudio_core.connection_arguments import ConnectionArguments
from modelstudio_core.emulator import Emulator, Reply
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from tests.end_to_end.field.sent import bodies, chat, messages, parameters, prompt
from tests.support.calls import CALL_STYLES, CallStyle, call
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model

both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
both_frameworks = pytest.mark.parametrize("framework", FRAMEWORKS)
all_styles = pytest.mark.parametrize("style", CALL_STYLES, ids=str)
NOWHERE: Final = "http://127.0.0.1:9"
MT: Final = {"source_lang": "auto", "target_lang": "English"}
NATIVE_NAMES: Final = [
    ("qwen3.5-omni-plus", "modalities", ["text"]),
    ("qwen3.5-omni-plus", "audio", {"voice": "Tina", "format": "wav"}),
    ("qwen-mt-flash", "translation_options", MT),
    ("qwen3.7-plus", "tool_stream", True),
    ("qwen3-vl-plus", "vl_high_resolution_images", True),
    ("qwen-vl-ocr", "ocr_options", {"task": "document_parsing"}),
    ("qwen3-max", "enable_code_interpreter", True),
]


@both_protocols
@all_styles
@pytest.mark.parametrize("where", ["constructor", "call"])
@pytest.mark.parametrize(("name", "argument", "value"), NATIVE_NAMES)
async def test_arguments_with_the_services_names_are_sent(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    style: CallStyle,
    where: str,
    name: str,
    argument: str,
    value: object,
) -> None:
    given: dict[str, Any] = {argument: value}
    arguments, options = (given, {}) if where == "constructor" else ({}, given)
    turns = prompt(style, ("user", "Hi"))
    await chat(modelstudio_emulator, style, protocol, name, turns, arguments, **options)
    assert parameters(bodies(modelstudio_emulator)[0])[argument] == value


@both_protocols
@both_frameworks
@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("modalities", ["video"], "'text' and 'audio'"),
        ("modalities", "audio", "'text' and 'audio'"),
        ("audio", {"voice": 7}, "a dict such as"),
        ("translation_options", "English", "a dict such as"),
        ("tool_stream", "yes", "True or False"),
        ("enable_code_interpreter", 1, "True or False"),
        ("ocr_options", {"task": "read"}, "text_recognition"),
        ("context_cache", "always", "'auto' or None"),
        ("forced_tool_choice_retries", -1, "an integer >= 0"),
        ("forced_tool_choice_retries", True, "an integer >= 0"),
    ],
)
def test_their_values_are_checked(
    framework: Framework, protocol: Protocol, argument: str, value: object, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        model(framework, NOWHERE, protocol, **{argument: value})
    assert caught.value.message.startswith(f"{argument} must be ")


@both_protocols
@all_styles
async def test_a_spoken_answer_is_streamed_underneath(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle
) -> None:
    turns = prompt(style, ("user", "Hi"))
    speech = {"modalities": ["text", "audio"]}
    name = "qwen3-omni-flash"
    await chat(modelstudio_emulator, style, protocol, name, turns, speech)
    await chat(
        modelstudio_emulator, style, protocol, name, turns, {"extra_body": speech}
    )
    for request in modelstudio_emulator.requests:
        sse = request.headers.get("x-dashscope-sse")
        assert request.body.get("stream") or sse == "enable"


SPEECH: Final = {"modalities": ["text", "audio"]}
THINKING: Final = {"enable_thinking": True}


@both_protocols
@both_frameworks
@pytest.mark.parametrize(
    "arguments",
    [
        {**SPEECH, **THINKING},
        {"extra_body": {**SPEECH, **THINKING}},
        {**SPEECH, "extra_body": THINKING},
        {**THINKING, "extra_body": SPEECH},
    ],
)
def test_speech_of_a_model_that_thinks_is_refused_where_the_page_says_so(
    framework: Framework, protocol: Protocol, arguments: dict[str, Any]
) -> None:
    def make(name: str) -> object:
        return model(framework, NOWHERE, protocol, model=name, **arguments)

    with pytest.raises(ConfigurationError, match="speaks only while it does not think"):
        make("qwen3-omni-flash")
    # Another snapshot of the family may differ; of other models no page says it.
    with pytest.warns(ModelStudioWarning, match="begins with 'qwen3-omni'"):
        make("qwen3-omni-flash-2030-01-01")
    make("qwen3.8-omni-flash")


# --- Values of another type in a call -----------------------------------------------


@both_protocols
@all_styles
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"),
        ("temperature", [1]),
        ("temperature", 10**400),
        ("max_tokens", "many"),
        ("max_tokens", {}),
        ("max_tokens", float("nan")),
        ("n", "two"),
        ("extra_body", 7),
    ],
)
async def test_a_value_of_another_type_in_a_call_is_refused(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    style: CallStyle,
    name: str,
    value: Any,
) -> None:
    turns = prompt(style, ("user", "Hi"))
    with pytest.raises(ConfigurationError, match=f"^{name} must be "):
        await chat(
            modelstudio_emulator, style, protocol, "qwen-plus", turns, **{name: value}
        )
    assert modelstudio_emulator.requests == []


@both_protocols
@both_frameworks
def test_a_value_that_cannot_be_copied_is_refused(
    framework: Framework, protocol: Protocol
) -> None:
    words = "^stop must be a string or a list of strings, and cannot pickle"
    with pytest.raises(ConfigurationError, match=words):
        model(framework, NOWHERE, protocol, stop=(text for text in "ab"))


# --- extra_body ---------------------------------------------------------------------


@both_protocols
@both_frameworks
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"enable_thinking": True}, "enable_thinking"),
        ({"temperature": 1.0}, "temperature"),
        ({"max_tokens": 5}, "max_tokens"),
        ({"translation_options": MT}, "translation_options"),
    ],
)
def test_extra_body_that_contradicts_an_argument_is_an_error(
    framework: Framework, protocol: Protocol, arguments: dict[str, Any], name: str
) -> None:
    other = {"extra_body": {name: False}}
    with pytest.raises(ConfigurationError, match=f"extra_body has {name}="):
        model(framework, NOWHERE, protocol, **arguments, **other)
    model(framework, NOWHERE, protocol, **arguments, extra_body=dict(arguments))


@both_protocols
@both_frameworks
def test_a_model_in_extra_body_is_an_error(
    framework: Framework, protocol: Protocol
) -> None:
    with pytest.raises(ConfigurationError, match="must not contain model"):
        model(framework, NOWHERE, protocol, extra_body={"model": "qwen-max"})


@both_protocols
@all_styles
async def test_a_call_wins_over_the_constructors_extra_body(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle
) -> None:
    arguments = {"extra_body": {"enable_thinking": True, "skill": "x"}}
    turns = prompt(style, ("user", "Hi"))
    await chat(
        modelstudio_emulator,
        style,
        protocol,
        "qwen-plus",
        turns,
        arguments,
        enable_thinking=False,
    )
    sent = parameters(bodies(modelstudio_emulator)[0])
    assert sent["enable_thinking"] is False
    assert sent["skill"] == "x"


@both_protocols
@all_styles
@pytest.mark.parametrize("name", ["qwen3.7-plus", "glm-5.2", "deepseek-v4-pro"])
async def test_thinking_in_extra_body_is_thinking(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle, name: str
) -> None:
    arguments = {"extra_body": {"enable_thinking": False}}
    turns = prompt(style, ("user", "Hi"))
    await chat(modelstudio_emulator, style, protocol, name, turns, arguments)
    assert parameters(bodies(modelstudio_emulator)[0])["enable_thinking"] is False


@both_protocols
@all_styles
async def test_a_stream_in_extra_body_is_read_as_one(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle
) -> None:
    turns = prompt(style, ("user", "Hi"))
    arguments = {"extra_body": {"stream": True}}
    answer = await chat(
        modelstudio_emulator, style, protocol, "qwen-plus", turns, arguments
    )
    (request,) = modelstudio_emulator.requests
    sse = request.headers.get("x-dashscope-sse")
    assert request.body.get("stream") is True or sse == "enable"
    is_message = style.framework == "LangChain"
    assert answer.text if is_message else answer.message.content


@both_protocols
@pytest.mark.parametrize("value", ["true", 1])
@both_frameworks
def test_a_stream_in_extra_body_is_true_or_false(
    framework: Framework, protocol: Protocol, value: object
) -> None:
    with pytest.raises(ConfigurationError, match="stream in extra_body must be True"):
        model(framework, NOWHERE, protocol, extra_body={"stream": value})


@both_protocols
@all_styles
@pytest.mark.parametrize("where", ["constructor", "call"])
async def test_several_answers_in_extra_body_are_not_mixed_and_not_lost(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle, where: str
) -> None:
    given: dict[str, Any] = {"extra_body": {"n": 2}, "enable_thinking": False}
    arguments, options = (given, {}) if where == "constructor" else ({}, given)
    turns = prompt(style, ("user", "Hi"))
    asked = chat(
        modelstudio_emulator, style, protocol, "qwen-plus", turns, arguments, **options
    )
    if style.stream or style.framework == "LlamaIndex":
        with pytest.raises(ConfigurationError, match=r"^n(=2| must be 1)"):
            await asked
        assert modelstudio_emulator.requests == []
    else:
        await asked
        assert parameters(bodies(modelstudio_emulator)[0])["n"] == 2


@both_protocols
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_langchain_returns_both_answers_that_extra_body_asks_for(
    modelstudio_emulator: Emulator, protocol: Protocol, asynchronous: bool
) -> None:
    llm = model("LangChain", modelstudio_emulator, protocol, extra_body={"n": 2})
    modelstudio_emulator.script(Reply(text="Hello."))
    turns: list[list[BaseMessage]] = [[HumanMessage("Hi")]]
    result = await llm.agenerate(turns) if asynchronous else llm.generate(turns)
    assert len(result.generations[0]) == 2


@both_protocols
@all_styles
async def test_reasoning_is_sent_back_if_extra_body_preserves_it(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle
) -> None:
    turns = prompt(
        style,
        ("user", "Hi"),
        ("assistant", "Hello.", {"reasoning_content": "A greeting."}),
        ("user", "Again"),
    )
    for value in (True, False):
        arguments = {"extra_body": {"preserve_thinking": value}}
        await chat(
            modelstudio_emulator, style, protocol, "qwen3.7-plus", turns, arguments
        )
    kept, dropped = [messages(body)[1] for body in bodies(modelstudio_emulator)]
    assert kept["reasoning_content"] == "A greeting."
    assert "reasoning_content" not in dropped


# --- Arguments of other classes -----------------------------------------------------


@both_frameworks
@pytest.mark.parametrize(
    ("name", "words", "misleading"),
    [
        ("model_kwargs", "as arguments of their own", "model_name"),
        ("additional_kwargs", "as arguments of their own", "max_completion_tokens"),
        ("organization", "workspace=", "'region'"),
        ("project", "workspace=", "'protocol'"),
        ("frequency_penalty", "presence_penalty and", "Did you mean"),
        ("is_chat_model", "every model of this class", "deprecated_models"),
        ("use_responses_api", "Chat Completions", "response_format"),
        ("api_version", "Chat Completions", "Did you mean"),
        ("logit_bias", "nothing like it", "Did you mean"),
        ("openai_api_key", "Did you mean 'api_key'?", "openai_api_base"),
        ("request_timeout", "Did you mean 'timeout'?", "total_timeout"),
        ("max_new_tokens", "Did you mean 'max_tokens'?", "max_completion_tokens"),
        ("temprature", "Did you mean 'temperature'?", "top_p"),
        ("asr_options", "extra_body", "ocr_options"),
        ("clear_thinking", "extra_body", "Did you mean"),
        ("max_input_tokens", "extra_body", "Did you mean"),
        ("quite_another", "extra_body", "Did you mean"),
        ("tools", "bind_tools() (LangChain), chat_with_tools() (Llama", "extra_body"),
        ("tool_choice", "bind_tools() (LangChain)", "forced_tool_choice"),
        ("function_call", "bind_tools() (LangChain)", "extra_body"),
        ("messages", "to the call, not to the constructor", "extra_body"),
        ("prompt", "to the call, not to the constructor", "extra_body"),
        ("instructions", "as the first message", "extra_body"),
        ("top_n", "the reranking classes", "top_p"),
        ("enable_reasoning", "Did you mean 'enable_thinking'?", "reasoning_effort"),
        ("effort", "Did you mean 'reasoning_effort'?", "timeout"),
        ("json_mode", "Did you mean 'response_format'?", "mode="),
        ("location", "Did you mean 'region'?", "local_files"),
        ("ssl_verify", "http_client=", "Did you mean"),
    ],
)
def test_foreign_arguments_have_the_right_hint(
    framework: Framework, name: str, words: str, misleading: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        model(framework, NOWHERE, "openai", **{name: 1})
    message = caught.value.message
    assert message.startswith(f"Unknown argument {name!r}")
    assert words in message
    assert misleading not in message


@both_protocols
@all_styles
async def test_an_unknown_argument_of_a_call_names_extra_body(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle
) -> None:
    turns = prompt(style, ("user", "Hi"))
    with pytest.raises(ConfigurationError, match="extra_body"):
        await chat(
            modelstudio_emulator, style, protocol, "qwen-plus", turns, asr_options={}
        )
    assert not modelstudio_emulator.requests


@both_protocols
@all_styles
@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("extra_headers", "default_headers"),
        ("headers", "default_headers"),
        ("request_timeout", "timeout"),
        ("openai_api_key", "api_key"),
        ("region_id", "region"),
    ],
)
async def test_an_argument_of_the_constructor_is_not_for_the_extra_body_of_a_call(
    protocol: Protocol, style: CallStyle, name: str, argument: str
) -> None:
    llm: Any = model(style.framework, NOWHERE, protocol)
    with pytest.raises(ConfigurationError) as caught:
        await call(llm, style, "Hi", **{name: "x"})
    assert caught.value.message == (
        f"Unknown argument {name!r}. Pass it to the constructor, as {argument}=."
    )


def test_images_of_a_completion_go_into_blocks_of_a_message() -> None:
    llm: Any = model("LlamaIndex", NOWHERE)
    with pytest.raises(ConfigurationError) as caught:
        llm.complete("Hi", image_documents=["x"])
    assert caught.value.message == (
        "Unknown argument 'image_documents'. Pass it in a message:"
        " ChatMessage(blocks=[ImageBlock(...), ...])."
    )


def test_a_constructor_of_llamaindex_has_no_switch_for_streams() -> None:
    with pytest.raises(ConfigurationError) as caught:
        model("LlamaIndex", NOWHERE, streaming=True)
    assert caught.value.message == (
        "Unknown argument 'streaming' of ModelStudio. Remove it: call stream(),"
        " stream_chat() or stream_complete(). The constructor of ChatModelStudio takes"
        " it."
    )


@both_frameworks
def test_model_name_is_another_name_of_model(framework: Framework) -> None:
    llm: Any = model(framework, NOWHERE, model="qwen-max")
    named = type(llm)(model_name="qwen-max", base_url=NOWHERE, api_key="k")
    assert named.model == named.model_name == "qwen-max"


def test_regions_and_modes_are_offered_by_type_checkers() -> None:
    hints = get_type_hints(ConnectionArguments)
    for name, value in (("region", "eu-central-1"), ("mode", "chinese-mainland")):
        literal = next(part for part in get_args(hints[name]) if get_args(part))
        assert value in get_args(literal)
        assert str in get_args(hints[name])


@both_protocols
@all_styles
async def test_a_call_takes_the_other_names_of_the_constructor(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle
) -> None:
    names: dict[str, Any] = {"model_name": "qwen-plus"}
    if style.framework == "LangChain":
        names["stop_sequences"] = ["END"]
    turns = prompt(style, ("user", "Hi"))
    await chat(modelstudio_emulator, style, protocol, "qwen-max", turns, **names)
    (body,) = bodies(modelstudio_emulator)
    assert body["model"] == "qwen-plus"
    assert parameters(body).get("stop") == names.get("stop_sequences")


@both_protocols
@both_frameworks
def test_a_call_refuses_two_names_of_one_argument(
    modelstudio_emulator: Emulator, protocol: Protocol, framework: Framework
) -> None:
    style = CallStyle(framework)
    turns = prompt(style, ("user", "Hi"))
    llm: Any = model(framework, modelstudio_emulator, protocol)
    answer = getattr(llm, style.method(turns))
    with pytest.raises(ConfigurationError, match="the same argument"):
        answer(turns, model="qwen-plus", model_name="qwen-max")
    address = "dashscope_api_key" if framework == "LangChain" else "api_base"
    with pytest.raises(ConfigurationError, match="an argument of the constructor"):
        answer(turns, **{address: "https://x.example"})
    if framework == "LangChain":
        with pytest.raises(ConfigurationError, match="stop and stop_sequences"):
            answer(turns, stop=["a"], stop_sequences=["b"])
    assert modelstudio_emulator.requests == []


def test_a_bound_other_name_is_the_same_argument(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model("LangChain", modelstudio_emulator, model="qwen-max")
    params = llm._get_ls_params(model_name="qwen-plus")
    assert params.get("ls_model_name") == "qwen-plus"
    bound = llm.bind(model_name="qwen3.7-plus", stop_sequences=["END"])
    bound.invoke("Hi")
    person = {"title": "Person", "type": "object", "properties": {"name": {}}}
    runnable = llm.with_structured_output(person, model_name="qwen3.7-plus")
    runnable.invoke("Jason", stop_sequences=["END"])
    for request in modelstudio_emulator.requests:
        assert request.body["model"] == "qwen3.7-plus"
        assert request.body["stop"] == ["END"]
