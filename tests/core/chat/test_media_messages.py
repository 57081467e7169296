"""Media in messages: what a model takes, and where the media of a result go."""

import copy
import re
from typing import Any, cast

import pytest

from modelstudio_core.catalog import model_ids
from modelstudio_core.chat.media_messages import describe_media, place_media
from modelstudio_core.chat.messages import Message, join_text
from modelstudio_core.errors import ModelStudioWarning
from tests.core.catalog.entries import chat_profile
from tests.core.support import (
    AUDIO,
    FRAMES,
    IMAGE,
    UNKNOWN_MODEL,
    VIDEO,
    assistant,
    error_message,
    text_part,
    tool_call,
    user,
)

V4 = "deepseek-v4-pro"
QWEN = "qwen3.7-plus"


def prepared_media(
    *messages: dict[str, Any], model: str = QWEN, local_files: bool = False
) -> list[Any]:
    """Prepare messages; the originals must not change."""
    before = copy.deepcopy(messages)
    prompt = cast("list[Message]", list(messages))
    profile = chat_profile(model)
    described = describe_media(prompt, profile, local_files=local_files)
    result = place_media(described, profile, local_files=local_files)
    assert messages == before
    return list(result)


def media_error(*messages: dict[str, Any], model: str = QWEN) -> str:
    """Return the message of the error that preparing messages raises."""
    return error_message(prepared_media, *messages, model=model)


def result(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "call_1", "content": list(parts)}


# --- Inputs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model", [*(m for m in model_ids() if m.startswith("deepseek")), "qwen3.7-max"]
)
def test_an_image_for_a_text_model_is_refused(model: str) -> None:
    message = media_error(user([text_part("What is it?"), IMAGE]), model=model)
    assert model in message
    assert "image input" in message
    assert "Qwen-VL" in message
    assert "qwen3-vl-plus" in message


@pytest.mark.parametrize("part", [VIDEO, FRAMES])
def test_a_video_for_a_text_model_is_refused(part: dict[str, Any]) -> None:
    message = media_error(user([part]), model=V4)
    assert "video input" in message
    assert "Qwen-VL" in message


def test_audio_for_a_model_without_audio_input_is_refused() -> None:
    message = media_error(user([AUDIO]), model="qwen3-vl-plus")
    assert "audio input" in message
    assert "qwen3.5-omni-plus" in message


@pytest.mark.parametrize(
    ("model", "part"),
    [
        ("qwen3-vl-plus", IMAGE),
        ("qwen3.7-plus", IMAGE),
        ("qwen3.7-plus", VIDEO),
        ("qwen3-vl-plus", FRAMES),
        ("qwen3-omni-flash", AUDIO),
        (UNKNOWN_MODEL, IMAGE),
        (UNKNOWN_MODEL, AUDIO),
    ],
)
def test_parts_that_a_model_accepts_are_sent(model: str, part: dict[str, Any]) -> None:
    assert prepared_media(user([part]), model=model) == [user([part])]


# --- Media of results and answers ---------------------------------------------------

TURN = assistant(tool_calls=[{**tool_call(), "id": "call_1"}])


def test_an_image_of_a_result_goes_behind_the_last_result() -> None:
    name = TURN["tool_calls"][0]["function"]["name"]
    other = {"role": "tool", "tool_call_id": "call_2", "content": "Done"}
    sent = prepared_media(user(), TURN, result(text_part("See"), IMAGE), other, user())
    label = text_part(f"Returned by the tool {name!r}:")
    assert sent[2:] == [
        {**result(), "content": "See"},
        other,
        user([label, IMAGE]),
        user(),
    ]


def test_a_result_that_is_only_an_image_says_where_it_is() -> None:
    _, _, sent, shown = prepared_media(user(), TURN, result(IMAGE))
    assert sent["content"] == "The result is shown in the user's next message."
    assert shown["content"][1:] == [IMAGE]


@pytest.mark.parametrize("part", [IMAGE, VIDEO, FRAMES, AUDIO])
def test_media_of_a_result_become_a_sentence_for_a_text_model(
    part: dict[str, Any],
) -> None:
    with pytest.warns(ModelStudioWarning, match=f"{V4} supports only text"):
        sent = prepared_media(user(), TURN, result(text_part("See"), part), model=V4)
    assert len(sent) == 3
    text = str(join_text(sent[2]["content"]))
    assert text.startswith("See\n[")
    assert "was returned and is not shown" in text


def test_an_image_that_a_vision_model_refuses_becomes_a_sentence() -> None:
    svg = {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PA=="}}
    with pytest.warns(ModelStudioWarning, match="does not support image/svg"):
        sent = prepared_media(user(), TURN, result(svg))
    assert len(sent) == 3


def test_a_local_address_in_a_result_is_not_read_unless_that_is_allowed() -> None:
    image = {"type": "image_url", "image_url": {"url": "/etc/hostname"}}
    with pytest.warns(ModelStudioWarning, match="local_files=True"):
        sent = prepared_media(user(), TURN, result(image))
    assert len(sent) == 3
    assert "/etc/hostname" not in str(sent)
    *_, shown = prepared_media(user(), TURN, result(image), local_files=True)
    assert shown["content"][1]["image_url"]["url"].path.name == "hostname"


def test_the_sound_of_a_spoken_answer_is_left_out_and_its_image_is_kept() -> None:
    spoken = assistant([text_part("Hello"), AUDIO, IMAGE])
    _, answer, shown, _ = prepared_media(user(), spoken, user())
    assert join_text(answer["content"]) == "Hello"
    assert shown["role"] == "user"
    assert shown["content"][1:] == [IMAGE]


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ({**result(IMAGE), "name": "camera"}, "the tool 'camera'"),
        (result(IMAGE), f"the tool {TURN['tool_calls'][0]['function']['name']!r}"),
        ({**result(IMAGE), "tool_call_id": "call_9"}, "a tool"),
        (assistant([IMAGE]), "the assistant"),
    ],
)
def test_a_label_says_who_returned_media(message: dict[str, Any], label: str) -> None:
    *_, shown = prepared_media(user(), TURN, message)
    assert shown == user([text_part(f"Returned by {label}:"), IMAGE])


def test_media_of_several_results_are_shown_together_behind_their_turn() -> None:
    other = {**result(VIDEO), "tool_call_id": "call_2"}
    turn = [TURN, result(IMAGE), other]
    sent = prepared_media(user(), *turn, assistant("See"), *turn)
    name = TURN["tool_calls"][0]["function"]["name"]
    shown = [
        text_part(f"Returned by the tool {name!r}:"),
        IMAGE,
        text_part("Returned by a tool:"),
        VIDEO,
    ]
    roles = ["user", "assistant", "tool", "tool", "user", "assistant"]
    assert [message["role"] for message in sent] == [*roles, *roles[1:5]]
    assert sent[4] == sent[-1] == user(shown)


def test_the_image_of_an_answer_without_text_leaves_an_empty_answer() -> None:
    _, answer, shown = prepared_media(user(), assistant([IMAGE]))
    assert answer == assistant("")
    assert shown["content"][1:] == [IMAGE]


def test_the_sound_of_an_answer_without_text_is_shown_to_a_model_that_hears() -> None:
    sound = assistant([AUDIO])
    *_, shown = prepared_media(user(), sound, model="qwen3-omni-flash")
    assert shown["content"][1:] == [AUDIO]
    with pytest.warns(ModelStudioWarning, match="^Audio in an earlier message was not"):
        _, answer = prepared_media(user(), sound)
    assert str(join_text(answer["content"])).startswith("[Audio was returned")


@pytest.mark.parametrize(
    ("part", "noun", "problem"),
    [
        (IMAGE, "An image", f"{V4} supports only text."),
        (FRAMES, "A video", f"{V4} supports only text."),
        (AUDIO, "Audio", f"{V4} supports only text."),
        (
            {"type": "file", "file": {"file_url": "https://example.com/a.pdf"}},
            "A file",
            f"{V4} supports only text.",
        ),
    ],
)
def test_a_sentence_says_what_was_returned_and_why_it_is_not_shown(
    part: dict[str, Any], noun: str, problem: str
) -> None:
    warning = re.escape(f"{noun} in an earlier message was not sent: {problem}")
    with pytest.warns(ModelStudioWarning, match=f"^{warning}$"):
        *_, sent = prepared_media(user(), TURN, result(part), model=V4)
    assert (
        join_text(sent["content"])
        == f"[{noun} was returned and is not shown: {problem}]"
    )


# --- Ids of files -------------------------------------------------------------------


def file_id(name: str) -> dict[str, Any]:
    return {"type": "file", "file": {"file_id": name}}


@pytest.mark.parametrize(
    "before", [[], [{"role": "system", "content": "Be brief."}]], ids=["", "system"]
)
def test_the_ids_of_files_go_into_one_system_message(before: list[Any]) -> None:
    words = text_part("Compare.")
    sent = prepared_media(
        *before,
        user([file_id("a"), words, file_id("b")]),
        user("Hi"),
        user([file_id("b"), file_id("c"), words]),
        model="qwen-long",
    )
    ids = {"role": "system", "content": "fileid://a,fileid://b,fileid://c"}
    assert sent == [*before, ids, user([words]), user("Hi"), user([words])]


@pytest.mark.parametrize("first", [user("Hi"), assistant("Hi")])
def test_without_instructions_the_ids_of_files_are_the_first_message(
    first: dict[str, Any],
) -> None:
    sent = prepared_media(
        first, user([file_id("a"), text_part("See")]), model="qwen-long"
    )
    ids = {"role": "system", "content": "fileid://a"}
    assert sent == [ids, first, user([text_part("See")])]


def test_the_id_of_a_file_is_refused_where_the_model_reads_none() -> None:
    message = media_error(user([file_id("a")]))
    assert f"{QWEN} does not support file id input" in message
    assert "'qwen-long'" in message


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ("qwen-long", "ids of files are read from messages of the user only."),
        (V4, f"{V4} supports only text."),
    ],
)
def test_the_id_of_a_file_in_a_result_becomes_a_sentence(
    model: str, problem: str
) -> None:
    with pytest.warns(ModelStudioWarning, match=re.escape(problem)):
        *_, sent = prepared_media(user(), TURN, result(file_id("a")), model=model)
    assert (
        join_text(sent["content"])
        == f"[A file was returned and is not shown: {problem}]"
    )


def test_a_model_that_is_not_known_may_accept_any_media_of_a_result() -> None:
    *_, shown = prepared_media(user(), TURN, result(VIDEO, AUDIO), model=UNKNOWN_MODEL)
    assert shown["content"][1:] == [VIDEO, AUDIO]
