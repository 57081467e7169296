"""What a batch cannot have is refused while it is prepared, and names its input."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.batches import BatchRun, line_files
from modelstudio_core.batches.line_files import Limits
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.embeddings.arguments import EmbeddingArguments
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from tests.end_to_end.field.media_support import PNG_BYTES
from tests.support.batches import lines_of

KEY = "sk-0123456789abcdef"
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "x", "parameters": {}},
}


def chat(**arguments: Any) -> ChatArguments:
    defaults: dict[str, Any] = {"model": "qwen3.7-plus", "region": "beijing"}
    given: dict[str, Any] = {**defaults, "api_key": KEY, **arguments}
    return ChatArguments(**given)


def image(url: str) -> list[dict[str, Any]]:
    part = {"type": "image_url", "image_url": {"url": url}}
    return [{"role": "user", "content": [{"type": "text", "text": "What?"}, part]}]


def prepare(model: object, inputs: Any, path: Path, **options: Any) -> BatchRun[Any]:
    run: BatchRun[Any] = BatchRun.prepare(model, inputs, path / "run", **options)
    return run


REFUSED_MODELS: dict[str, tuple[dict[str, Any], str]] = {
    "a region": (
        {"region": "virginia"},
        r"us-east-1 \(virginia\) has no batch.*beijing",
    ),
    "a region with a workspace": (
        {"region": "frankfurt", "workspace": "ws-1"},
        "eu-central-1",
    ),
    "a model": ({"model": "deepseek-v4-pro"}, "deepseek-v4-pro has no batch.*qwen3.7"),
    "a model in another region": (
        {"region": "singapore"},
        (
            r"qwen3\.7-plus has no batch inference in region ap-southeast-1"
            r" \(singapore\) \(it has in cn-beijing \(beijing\)\).*qwen-turbo"
        ),
    ),
    "several answers": ({"n": 2, "enable_thinking": False}, "n=2 is not possible"),
    "several answers in extra_body": (
        {"extra_body": {"n": 2}},
        "n=2 is not possible",
    ),
    "sources, which the native protocol has": (
        {
            "protocol": "dashscope",
            "enable_search": True,
            "search_options": {"enable_source": True},
        },
        "by the native protocol only",
    ),
    "a stream": ({"extra_body": {"stream": True}}, "as a stream only"),
    "retries of a forced call": (
        {
            "tools": [WEATHER],
            "tool_choice": "weather",
            "forced_tool_choice_retries": 1,
        },
        "forced_tool_choice_retries has no effect",
    ),
    "speech": (
        {"model": "qwen3.5-omni-plus", "modalities": ["text", "audio"]},
        "as a stream only",
    ),
}


@pytest.mark.parametrize("name", REFUSED_MODELS)
def test_a_batch_cannot_have(name: str, tmp_path: Path) -> None:
    arguments, message = REFUSED_MODELS[name]
    names = arguments.keys() & {"tools", "tool_choice"}
    call = {name: arguments[name] for name in names}
    arguments = {k: v for k, v in arguments.items() if k not in names}
    with pytest.raises(ConfigurationError, match=message):
        prepare(chat(**arguments), ["Hi"], tmp_path, arguments=call)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("place", "text", "named"),
    [
        ({"region": "beijing"}, r"in region cn-beijing \(beijing\),.*beijing\)", 12),
        ({"region": "singapore"}, r"\(singapore\),.*in region ap.*\(singapore\)", 4),
        ({"base_url": "http://127.0.0.1:9"}, r"has no batch inference, by", 12),
    ],
)
def test_a_refusal_names_up_to_twelve_models_that_have_batches(
    place: dict[str, Any], text: str, named: int, tmp_path: Path
) -> None:
    model = ChatArguments(model="deepseek-v4-pro", api_key=KEY, **place)
    with pytest.raises(ConfigurationError, match=text) as caught:
        prepare(model, ["Hi"], tmp_path)
    names = caught.value.message.rpartition(": ")[2].removesuffix(".").split(", ")
    assert len([name for name in names if name != "..."]) == named
    assert (names[-1] == "...") == (named == 12)


REFUSED_INPUTS: dict[str, tuple[list[Any], str]] = {
    "another type": (["Hi", 3], r"inputs\[1\]: it must be a string or a list.*int"),
    "a malformed message": (
        ["Hi", [{"role": "user", "content": None}]],
        r"inputs\[1\]: content of message 0 must be a string",
    ),
    "no messages": (["Hi", []], r"inputs\[1\]: there are no messages"),
    "a long prompt": (["a " * 900_000], r"inputs\[0\]: the prompt is too long"),
    "a long line": (
        ["Hi", image("data:image/png;base64," + "A" * 7_000_000)],
        r"inputs\[1\]",
    ),
    "the temporary storage": (
        [image("oss://dashscope-instant/a.png")],
        r"inputs\[0\]: a file in the temporary storage",
    ),
    "two thinking modes": (
        ["Hi", "Bye", [{"role": "assistant", "content": "A", "partial": True}]],
        r"inputs\[2\]: it is in partial mode and others are not",
    ),
    "two thinking modes, the other way round": (
        [[{"role": "assistant", "content": "A", "partial": True}], "Hi"],
        r"inputs\[1\]: it is in partial mode and others are not",
    ),
}


@pytest.mark.parametrize("name", REFUSED_INPUTS)
def test_an_input_cannot_be(name: str, tmp_path: Path) -> None:
    inputs, message = REFUSED_INPUTS[name]
    with pytest.raises(ConfigurationError, match=message):
        prepare(chat(local_files=True), inputs, tmp_path)
    assert not (tmp_path / "run" / "manifest.json").exists()
    # What is left of it is no obstacle.
    prepare(chat(), ["Hi"], tmp_path)


def test_a_prompt_is_refused_only_if_it_certainly_has_too_many_tokens(
    tmp_path: Path,
) -> None:
    """A token has six bytes at most, and the largest batch takes 262,144 tokens."""
    most = 6 * 262_144
    longest = "a" * (most - len('[{"role":"user","content":""}]'))
    prepare(chat(), [longest], tmp_path)
    text = "has 1,572,865 bytes of text, and a batch accepts 262,144 tokens"
    with pytest.raises(ConfigurationError, match=text):
        prepare(chat(), [f"{longest}a"], tmp_path)


def test_of_a_prompt_with_media_the_texts_alone_are_counted(tmp_path: Path) -> None:
    """Those of all messages, wherever the media are."""
    media = image("data:image/png;base64," + "A" * 2_000_000)
    longest = "a" * (6 * 262_144 - len("Be brief.") - len("What?"))
    rest = [{"role": "assistant", "content": longest}, {"role": "user", "content": ""}]
    prompt = [{"role": "system", "content": "Be brief."}, *media, *rest]
    run = prepare(chat(), [prompt], tmp_path)
    assert run.estimated_tokens == 6 * 262_144 // 3
    rest[1]["content"] = "a"
    with pytest.raises(ConfigurationError, match="has 1,572,865 bytes of text"):
        prepare(chat(), [prompt], tmp_path)


def test_a_line_has_at_most_six_megabytes(tmp_path: Path) -> None:
    limit = 6 * 1024 * 1024
    prompt: list[dict[str, Any]] = image("https://example.com/a.png")
    prompt[0]["content"][1]["note"] = ""
    prepare(chat(), [prompt], tmp_path)
    (line,) = lines_of(tmp_path / "run" / "part-0001.jsonl")
    prompt[0]["content"][1]["note"] = "a" * (limit - len(line) - 1)
    BatchRun.prepare(chat(), [prompt], tmp_path / "longest")
    assert (tmp_path / "longest" / "part-0001.jsonl").stat().st_size == limit
    prompt[0]["content"][1]["note"] += "a"
    text = r"inputs\[1\]: its line has 6,291,457 bytes, and the .* accepts 6,291,456"
    with pytest.raises(ConfigurationError, match=text):
        BatchRun.prepare(chat(), ["Hi", prompt], tmp_path / "longer")


def size_of(value: object) -> int:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode())


def test_the_estimate_is_a_third_of_the_bytes_of_messages_and_tools(
    tmp_path: Path,
) -> None:
    inputs = ["word " * 300, "ü" * 1000]
    run = prepare(chat(), inputs, tmp_path)
    lines = lines_of(tmp_path / "run" / "part-0001.jsonl")
    bodies = [json.loads(line)["body"] for line in lines]
    sizes = [size_of(body["messages"]) for body in bodies]
    assert run.estimated_tokens == sum(size // 3 for size in sizes)
    assert sizes[1] > 2000
    tools = {"tools": [WEATHER]}
    other: BatchRun[Any]
    other = BatchRun.prepare(chat(), inputs, tmp_path / "tools", arguments=tools)
    more = size_of(tools["tools"]) // 3
    assert other.estimated_tokens == run.estimated_tokens + 2 * more


def test_the_estimate_of_embeddings_is_that_of_their_texts(tmp_path: Path) -> None:
    name = "text-embedding-v4"
    model = EmbeddingArguments(model=name, region="beijing", api_key=KEY)
    run = prepare(model, ["a" * 300, "ü" * 300], tmp_path)
    assert run.estimated_tokens == 101 + 201


@pytest.mark.parametrize("inputs", ["Hi", b"Bye", {"a": 1}, 3, None])
def test_inputs_must_be_several(inputs: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="inputs must be a list"):
        prepare(chat(), inputs, tmp_path)


def test_no_inputs_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="inputs is empty"):
        prepare(chat(), iter(()), tmp_path)


@pytest.mark.parametrize(
    "window",
    ["24", "23h", "0d", "337h", "15d", "1.5d", "24H", "24h ", "00024h", "", None, 30],
)
def test_a_completion_window_has_its_range(window: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="from '24h' to '336h'"):
        prepare(chat(), ["Hi"], tmp_path, completion_window=window)


@pytest.mark.parametrize("window", ["24h", "25h", "336h", "1d", "14d", "0048h"])
def test_a_completion_window_in_its_range_is_sent_as_given(
    window: str, tmp_path: Path
) -> None:
    prepare(chat(), ["Hi"], tmp_path, completion_window=window)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_bytes())
    assert manifest["completion_window"] == window


def test_another_object_is_no_model(tmp_path: Path) -> None:
    for model in ("qwen-plus", None, 3, chat):
        with pytest.raises(ConfigurationError, match="model must be a chat model"):
            prepare(model, ["Hi"], tmp_path)


def test_a_model_that_the_page_may_not_know_yet_is_sent(tmp_path: Path) -> None:
    with pytest.warns(ModelStudioWarning, match="is not among the models of the page"):
        prepare(chat(model="a-model-of-tomorrow"), ["Hi"], tmp_path)


def test_a_key_in_an_input_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Cannot read") as caught:
        prepare(chat(local_files=True), [image(f"./{KEY}.png")], tmp_path)
    assert KEY not in str(caught.value)


QUOTED_KEY = 'sk-"01\\23/45"<6789>'


@pytest.mark.parametrize("key", [KEY, QUOTED_KEY], ids=["plain", "with quotes"])
@pytest.mark.parametrize("place", ["prompt", "message", "argument", "embedding"])
def test_the_api_key_is_never_written(place: str, key: str, tmp_path: Path) -> None:
    """Not even as a part of what is sent, which is surely a mistake."""
    model: Any = chat(api_key=key)
    inputs: list[Any] = ["Hi", f"My key is {key}."]
    options: dict[str, Any] = {}
    match place:
        case "message":
            inputs[1] = [{"role": "system", "content": inputs[1]}]
            inputs[1].append({"role": "user", "content": "Hi"})
        case "argument":
            inputs[1] = "Hi"
            options = {"arguments": {"extra_body": {"note": [key]}}}
        case "embedding":
            name = "text-embedding-v4"
            model = EmbeddingArguments(model=name, region="beijing", api_key=key)
        case _:
            pass
    what = "An argument of the rows" if place == "argument" else r"inputs\[1\]"
    with pytest.raises(ConfigurationError, match=f"^{what} contains the") as caught:
        prepare(model, inputs, tmp_path, **options)
    assert key not in str(caught.value)
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert key.encode() not in written
    assert json.dumps(key)[1:-1].encode() not in written
    # What is left of it is no obstacle.
    prepare(model, ["Hi"], tmp_path)


def test_a_key_of_less_than_eight_characters_may_be_a_word(tmp_path: Path) -> None:
    prepare(chat(api_key="abcdefg"), ["My key is abcdefg."], tmp_path)
    with pytest.raises(ConfigurationError, match=r"^inputs\[0\] contains the API key"):
        prepare(chat(api_key="abcdefgh"), ["My key is abcdefgh."], tmp_path)


def test_the_key_of_a_function_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^inputs\[0\] contains the API key"):
        prepare(chat(api_key=lambda: KEY), [f"My key is {KEY}."], tmp_path)


def test_embeddings_are_texts_of_a_text_model(tmp_path: Path) -> None:
    def model(name: str) -> EmbeddingArguments:
        return EmbeddingArguments(model=name, region="beijing", api_key=KEY)

    for texts, message in ((["a", ""], r"inputs\[1\]"), ([["a"]], r"inputs\[0\]")):
        with pytest.raises(ConfigurationError, match=message):
            prepare(model("text-embedding-v4"), texts, tmp_path)
    with pytest.raises(ConfigurationError, match="text-embedding-v4"):
        prepare(model("qwen3-vl-embedding"), ["a"], tmp_path)
    with pytest.raises(ConfigurationError, match="temperature is not an argument"):
        prepare(
            model("text-embedding-v4"), ["a"], tmp_path, arguments={"temperature": 1}
        )


def test_all_rows_may_be_in_partial_mode(tmp_path: Path) -> None:
    messages = [
        {"role": "user", "content": "Count."},
        {"role": "assistant", "content": "One,", "partial": True},
    ]
    prepare(chat(), [messages, messages], tmp_path)
    (line, _) = map(json.loads, lines_of(tmp_path / "run" / "part-0001.jsonl"))
    assert line["body"]["enable_thinking"] is False
    assert line["body"]["messages"][1]["partial"] is True


def test_partial_mode_of_a_model_that_may_not_have_it_is_a_warning(
    tmp_path: Path,
) -> None:
    messages = [
        {"role": "user", "content": "Count."},
        {"role": "assistant", "content": "One,", "partial": True},
    ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = chat(model="deepseek-v4-pro-2099-01-01")
        before = len(caught)
        prepare(model, [messages, messages], tmp_path)
    issued = [str(warning.message) for warning in caught[before:]]
    assert sum("does not support partial mode" in text for text in issued) == 1


def test_a_history_with_tool_calls_may_have_none_as_content(tmp_path: Path) -> None:
    """As in the JSON of other clients."""
    function = {"name": "weather", "arguments": "{}"}
    call = {"id": "call_1", "type": "function", "function": function}
    messages = [
        {"role": "user", "content": "The weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Sun."},
    ]
    prepare(chat(), [messages], tmp_path)
    (line,) = map(json.loads, lines_of(tmp_path / "run" / "part-0001.jsonl"))
    sent = line["body"]["messages"]
    assert [message["content"] for message in sent] == ["The weather?", "", "Sun."]
    assert sent[1]["tool_calls"] == [call]


def test_thinking_is_always_stated(tmp_path: Path) -> None:
    """It is on by default for new models: who does not want it must not pay for it."""
    prepare(chat(), ["Hi"], tmp_path)
    (line,) = map(json.loads, lines_of(tmp_path / "run" / "part-0001.jsonl"))
    assert line["body"]["enable_thinking"] is True
    assert "stream" not in line["body"]


def test_a_local_file_is_in_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PNG_BYTES)
    prepare(chat(local_files=True), [image(str(file))], tmp_path)
    (line,) = map(json.loads, lines_of(tmp_path / "run" / "part-0001.jsonl"))
    url = line["body"]["messages"][0]["content"][1]["image_url"]["url"]
    assert url.startswith("data:image/png;base64,")


def test_a_lone_surrogate_is_replaced_as_in_calls(tmp_path: Path) -> None:
    prepare(chat(), ["a\ud83d"], tmp_path)
    (line,) = map(json.loads, lines_of(tmp_path / "run" / "part-0001.jsonl"))
    assert line["body"]["messages"][0]["content"] == "a\ufffd"


def test_inputs_are_read_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An iterable may be longer than the memory: nothing of it is kept."""
    monkeypatch.setattr(line_files, "_LIMITS", Limits(10, 10_000))
    monkeypatch.setattr(line_files, "_BUFFER_BYTES", 100)
    written: list[int] = []

    def inputs() -> Iterator[str]:
        for number in range(35):
            written.append(len(list((tmp_path / "run").glob("part-*.jsonl"))))
            yield f"{number} " * 20

    run = prepare(chat(), inputs(), tmp_path)
    assert written == sorted(written)
    assert (written[0], written[-1], run.row_count) == (0, 4, 35)


def test_parts_are_bounded_by_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_files, "_LIMITS", Limits(50_000, 1000))
    prepare(chat(), [f"{number} " * 200 for number in range(6)], tmp_path)
    files = sorted((tmp_path / "run").glob("part-*.jsonl"))
    assert len(files) > 2
    assert all(file.stat().st_size <= 1000 for file in files)
    with pytest.raises(ConfigurationError, match="at most 1,000"):
        BatchRun.prepare(chat(), ["a" * 2000], tmp_path / "other")


def test_a_line_that_no_answer_can_have_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_files, "_MAX_LINE_BYTES", 4)
    path = tmp_path / "lines"
    path.write_bytes(b"abc\nabcdefghi\nab")
    pieces = [b"abc\n", b"abcd", b"efgh", b"i\n", b"ab"]
    assert [*line_files.read_lines(path)] == pieces
