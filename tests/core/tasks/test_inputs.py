"""The input of a task: what a form has room for, and where it goes."""

from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.catalog import MediaProfile, resolve_model_as
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from modelstudio_core.local_files import LocalFile
from modelstudio_core.tasks.inputs import Given, TaskInput, build_body, check_input
from modelstudio_core.tasks.routes import resolve_route

URL = "https://a.com/b"
TEXT_TO_IMAGE = "aigc/text2image/image-synthesis"


def checked(model: str, path: str | None = None, **given: Any) -> TaskInput:
    route = resolve_route(resolve_model_as(MediaProfile, model), path)
    return check_input(route, Given(**given))


def input_of(model: str, path: str | None = None, **given: Any) -> Any:
    """Return the input that is sent."""
    return build_body(checked(model, path, **given), {})["input"]


def refusal(model: str, path: str | None = None, **given: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        checked(model, path, **given)
    return caught.value.message


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


# --- Parameters -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "parameters", "sent"),
    [
        ("wan2.7-image", None, {"n": 1}),
        ("wan2.7-image", {}, {"n": 1}),
        ("wan2.7-image", {"n": None}, {}),
        ("wan2.7-image", {"n": None, "size": "1K"}, {"size": "1K"}),
        *(("wan2.7-image", {"n": n}, {"n": n}) for n in (1, 2, 4)),
        # The number of a model of which no most is known.
        ("wan2.5-t2i-preview", {"n": 50}, {"n": 50}),
        ("wan2.6-t2v", None, {}),
        ("wan2.6-t2v", {"n": None}, {}),
        ("wan2.6-t2v", {"n": 50}, {"n": 50}),
    ],
)
def test_a_number_of_images_is_sent(
    model: str, parameters: dict[str, Any] | None, sent: dict[str, Any]
) -> None:
    body = build_body(checked(model, prompt="A", parameters=parameters), {})
    assert body.get("parameters", {}) == sent
    assert ("parameters" in body) == bool(sent)


@pytest.mark.parametrize("model", ["wan2.7-image", "wan2.5-t2i-preview", "wan2.6-t2v"])
@pytest.mark.parametrize("number", [0, -1, True, 1.0, "1", [1]])
def test_a_number_that_is_none_is_refused(model: str, number: object) -> None:
    message = refusal(model, prompt="A", parameters={"n": number})
    assert message == f"n must be an integer above 0, got {number!r}."


def test_only_a_series_has_more_images_than_the_model_makes_at_once() -> None:
    def body(**parameters: object) -> object:
        task = checked("wan2.7-image", prompt="A", parameters=parameters)
        return build_body(task, {})["parameters"]

    series = {"n": 5, "enable_sequential": True}
    assert body(**series) == series
    for extra in ({}, {"enable_sequential": False}):
        parameters = {"n": 5, **extra}
        message = refusal("wan2.7-image", prompt="A", parameters=parameters)
        assert message == "wan2.7-image makes 1 to 4 images at once, got n=5."


def test_the_mapping_of_the_caller_is_not_changed() -> None:
    parameters, content = {"size": "1K"}, {"prompt": "A"}
    body = build_body(checked("wan2.5-t2i-preview", input=content), {})
    assert body["input"] == content
    assert body["input"] is not content
    checked("wan2.7-image", prompt="A", parameters=parameters)
    assert parameters == {"size": "1K"}


@pytest.mark.parametrize(
    "value",
    [{1}, b"x", float("nan"), float("inf"), _nested(100_000)],
    ids=["set", "bytes", "nan", "inf", "depth"],
)
def test_a_value_that_json_has_not_is_refused(value: object) -> None:
    image = {"type": "image", "url": URL, "x": value}
    for name, given in (
        ("parameters", {"prompt": "A", "parameters": {"x": value}}),
        ("input", {"input": {"x": [value]}}),
        ("media[1]", {"media": [{"type": "image", "url": URL}, image]}),
    ):
        arguments: dict[str, Any] = given
        message = refusal("wan2.7-i2v", **arguments)
        assert message.startswith(f"{name} must hold strings, finite numbers,")


@pytest.mark.parametrize("value", [["n"], "n", 3])
def test_parameters_and_input_are_mappings(value: Any) -> None:
    message = refusal("wan2.7-i2v", prompt="A", parameters=value)
    assert message == "parameters must be a mapping of names and values."
    message = refusal("wan2.7-i2v", input=value)
    assert message == "input must be a mapping, sent as it is."


# --- Which argument a form has --------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "path", "accepted"),
    [
        # A message: with images where the model reads them, of audio alone as files.
        ("wan2.6-t2i", None, {"prompt"}),
        ("wan2.7-image", None, {"prompt", "images"}),
        ("fun-asr-flash-2026-06-15", None, {"urls"}),
        ("of-tomorrow", "aigc/image-generation/generation", {"prompt", "images"}),
        # An audio track beside a prompt or a frame, where the model reads it.
        ("wan2.5-t2i-preview", None, {"prompt"}),
        ("wan2.2-t2v-plus", None, {"prompt"}),
        ("wan2.6-t2v", None, {"prompt", "urls"}),
        ("wan2.2-i2v-plus", None, {"prompt", "images"}),
        ("wan2.6-i2v", None, {"prompt", "images", "urls"}),
        # Models that read audio, at a path without a place for it.
        ("wan2.7-i2v", None, {"prompt", "images", "media"}),
        ("wan2.6-t2i", "aigc/video-generation/video-synthesis", {"prompt", "media"}),
        (
            "of-tomorrow",
            "aigc/video-generation/video-synthesis",
            {"prompt", "images", "media"},
        ),
        ("wan2.5-i2i-preview", None, {"prompt", "images"}),
        ("qwen-mt-image", None, {"images"}),
        ("wan2.2-kf2v-flash", None, {"prompt", "images"}),
        ("fun-asr", None, {"urls"}),
        ("qwen3-asr-flash-filetrans", None, {"urls"}),
        ("text-embedding-async-v2", None, {"urls"}),
        ("of-tomorrow", TEXT_TO_IMAGE, {"prompt"}),
    ],
)
def test_an_argument_without_a_place_is_refused(
    model: str, path: str | None, accepted: set[str]
) -> None:
    values: dict[str, Any] = {
        "prompt": "A",
        "images": [URL],
        "media": [{"type": "image", "url": URL}],
        "urls": [URL],
    }
    names = ", ".join(f"{name}=" for name in sorted(accepted))
    checked(model, path, **{name: values[name] for name in accepted})
    for name in values.keys() - accepted:
        message = refusal(model, path, **{name: values[name]})
        assert message == (
            f"{model} has no place for {name}=: it accepts {names}, or input=."
        )


@pytest.mark.parametrize(
    ("model", "given", "needed"),
    [
        ("wan2.6-t2i", {}, "prompt="),
        ("wan2.7-image", {"images": [URL]}, "prompt="),
        ("wan2.5-t2i-preview", {}, "prompt="),
        ("wan2.5-i2i-preview", {"prompt": "A"}, "images="),
        ("wan2.5-i2i-preview", {"images": [URL]}, "prompt="),
        ("wan2.5-i2i-preview", {}, "images=, prompt="),
        ("qwen-mt-image", {}, "images="),
        ("wan2.6-i2v", {"prompt": "A"}, "images="),
        ("wan2.2-kf2v-flash", {"prompt": "A"}, "images="),
        ("fun-asr", {}, "urls="),
        ("fun-asr-flash-2026-06-15", {}, "urls="),
        ("qwen3-asr-flash-filetrans", {}, "urls="),
        ("text-embedding-async-v2", {}, "urls="),
        # Any one of them is enough.
        ("wan2.7-i2v", {}, "images=, media=, prompt="),
    ],
)
def test_an_input_without_what_the_model_needs_is_refused(
    model: str, given: dict[str, Any], needed: str
) -> None:
    assert refusal(model, **given) == f"{model} needs {needed}."


@pytest.mark.parametrize(
    "given",
    [
        {"prompt": "A"},
        {"images": [URL]},
        {"media": [{"type": "video", "url": URL}]},
    ],
    ids=str,
)
def test_a_model_that_reads_media_needs_any_one_of_them(given: dict[str, Any]) -> None:
    assert len(input_of("wan2.7-i2v", **given)) == 1


@pytest.mark.parametrize(
    "model", ["wanx2.1-imageedit", "wanx-background-generation-v2"]
)
@pytest.mark.parametrize("given", [{}, {"prompt": "A"}, {"images": [URL]}], ids=str)
def test_an_input_with_fields_of_its_own_is_passed_whole(
    model: str, given: dict[str, Any]
) -> None:
    assert refusal(model, **given) == (
        f"The input of {model} has fields of its own: pass input=, a mapping as the"
        " documentation of the model describes it."
    )
    assert input_of(model, input={"x": 1}) == {"x": 1}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"prompt": "A"}, "prompt="),
        ({"images": [URL]}, "images="),
        ({"media": [{}]}, "media="),
        ({"urls": [URL], "prompt": ""}, "prompt=, urls="),
    ],
    ids=str,
)
def test_an_input_replaces_the_other_arguments(
    given: dict[str, Any], names: str
) -> None:
    message = refusal("wan2.7-i2v", input={"prompt": "A"}, **given)
    assert message == f"input replaces {names}: pass one of the two."


def test_an_empty_list_is_nothing_beside_an_input() -> None:
    empty: dict[str, Any] = {"images": [], "media": (), "urls": [], "prompt": None}
    assert input_of("wan2.7-i2v", input={"prompt": "A"}, **empty) == {"prompt": "A"}


# --- Limits ---------------------------------------------------------------------------

_ROOM = "addresses, and the input of"


@pytest.mark.parametrize(
    ("model", "given", "name", "most", "advice"),
    [
        ("wan2.6-t2v", {"prompt": "A"}, "urls", 1, ""),
        ("wan2.6-i2v", {"images": [URL]}, "urls", 1, ""),
        ("wan2.6-i2v", {"prompt": "A"}, "images", 1, ""),
        ("qwen-mt-image", {}, "images", 1, ""),
        ("wan2.7-i2v", {}, "images", 1, " Pass media= for more."),
        ("wan2.2-kf2v-flash", {}, "images", 2, ""),
        ("qwen3-asr-flash-filetrans", {}, "urls", 1, ""),
        ("text-embedding-async-v2", {}, "urls", 1, ""),
    ],
)
def test_an_input_has_room_for_so_many_addresses(
    model: str, given: dict[str, Any], name: str, most: int, advice: str
) -> None:

    def arguments(count: int) -> dict[str, Any]:
        return {**given, name: [URL] * count}

    for count in range(1, most + 1):
        checked(model, **arguments(count))
    message = refusal(model, **arguments(most + 1))
    assert message == (
        f"{name} has {most + 1} {_ROOM} {model} has room for {most}.{advice}"
    )


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("wan2.7-i2v", {"media": [{"type": "image", "url": URL}] * 5}),
        ("wan2.5-i2i-preview", {"prompt": "A", "images": [URL] * 5}),
        ("fun-asr", {"urls": [URL] * 5}),
    ],
    ids=str,
)
def test_lists_of_which_no_most_is_known_may_be_long(
    model: str, given: dict[str, Any]
) -> None:
    checked(model, **given)


@pytest.mark.parametrize(
    ("model", "least", "most"),
    [("wan2.7-image", 0, 9), ("wan2.6-image", 0, 4), ("qwen-image-edit", 1, 3)],
)
def test_a_model_reads_so_many_images(model: str, least: int, most: int) -> None:
    for count in range(least, most + 1):
        task = checked(model, prompt="A", images=[URL] * count)
        assert len(task.images) == count
    for count in {least - 1, most + 1} - {-1}:
        message = refusal(model, prompt="A", images=[URL] * count)
        assert message == f"{model} accepts {least} to {most} images, got {count}."


def test_a_limit_of_the_family_alone_is_a_warning() -> None:
    model = "wan2.7-image-2027-01-01"
    with pytest.warns(ModelStudioWarning, match="0 to 9 images, got 10"):
        checked(model, prompt="A", images=[URL] * 10)
    with pytest.warns(ModelStudioWarning, match="accepts 5000"):
        checked(model, prompt="x" * 5001)
    checked(model, prompt="x" * 5000)


# --- Values ---------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://a.com/b", URL, "oss://a/b"])
def test_an_address_is_sent_as_it_is(url: str) -> None:
    assert input_of("fun-asr", urls=[url]) == {"file_urls": [url]}
    assert input_of("qwen-mt-image", images=[url]) == {"image_url": url}


def test_only_images_are_accepted_inside_a_request() -> None:
    data = "data:image/png;base64,iVBORw0KGgo="
    assert input_of("qwen-mt-image", images=[data]) == {"image_url": data}
    assert input_of("wan2.7-i2v", media=[{"type": "first_frame", "url": data}])
    for kind in ("video", "first_clip", "driving_audio", "link"):
        message = refusal("wan2.7-i2v", media=[{"type": kind, "url": data}])
        assert message.startswith("media[0]['url'] is a data URL, and only images")
    assert "urls[1] is a data URL" in refusal("fun-asr", urls=[URL, data])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("first_frame", "image"),
        ("reference_image", "image"),
        ("driving_audio", "audio"),
        ("reference_video", "video"),
        ("first_clip", "video"),
        # An image of a video.
        ("video_frame", "image"),
    ],
)
def test_a_file_is_of_the_kind_that_the_type_of_the_medium_names(
    kind: str, expected: str
) -> None:
    path = Path("/somewhere/a")
    for url in (path, str(path)):
        task = checked("wan2.7-i2v", media=[{"type": kind, "url": url}])
        (file,) = task.files
        assert (file.path, file.kind) == (path, expected)
        assert file.is_explicit


def test_an_image_may_be_bare_base64() -> None:
    bare = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    sent = f"data:image/png;base64,{bare}"
    assert input_of("qwen-mt-image", images=[bare]) == {"image_url": sent}
    (medium,) = input_of("wan2.7-i2v", media=[{"type": "image", "url": bare}])["media"]
    assert medium["url"] == sent
    # Where no image has a place it is the name of a file.
    assert checked("fun-asr", urls=[bare]).files


@pytest.mark.parametrize("url", ["a.png", Path("a.png"), "ftp://a.com/b", "HTTPS"])
def test_a_file_of_a_kind_that_is_not_known_is_refused(url: object) -> None:
    message = refusal("wan2.7-i2v", media=[{"type": "link", "url": url}])
    assert "what its type is on this machine is not known" in message


@pytest.mark.parametrize("value", ["", None, 3, b"a.png", ["a.png"]])
def test_a_thing_that_is_no_address_is_refused(value: Any) -> None:
    kind = type(value).__name__
    message = refusal("wan2.7-image", prompt="A", images=[URL, value])
    assert message == f"images[1] must be a URL or a path, got a {kind}."
    message = refusal("fun-asr", urls=[value])
    assert message == f"urls[0] must be a URL or a path, got a {kind}."
    for medium in ("image", "link"):
        media = [{"type": "video", "url": URL}, {"type": medium, "url": value}]
        message = refusal("wan2.7-i2v", media=media)
        assert message == f"media[1]['url'] must be a URL or a path, got a {kind}."


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"type": "image"},
        {"url": URL},
        {"type": "", "url": URL},
        {"type": 3, "url": URL},
        {"type": None, "url": URL},
        URL,
        None,
    ],
    ids=str,
)
def test_a_medium_has_a_type_and_an_address(item: Any) -> None:
    message = refusal("wan2.7-i2v", media=[{"type": "image", "url": URL}, item])
    assert message.startswith("media[1] must be a mapping with type and url")


def test_an_embedding_reads_no_file_of_this_machine() -> None:
    for url in ("a.txt", Path("a.txt")):
        message = refusal("text-embedding-async-v2", urls=[url])
        assert message.endswith("does not read files of this machine.")
    assert input_of("text-embedding-async-v2", urls=[URL]) == {"url": URL}


# --- Forms ----------------------------------------------------------------------------


def test_files_are_sent_where_their_addresses_would_be() -> None:
    image, film, sound = (Path(f"/somewhere/{name}") for name in "abc")

    def content(task: TaskInput) -> Any:
        loaded = {file: f"oss://{file.path.name}" for file in task.files}
        return build_body(task, loaded)["input"]

    media = [
        {"type": "video", "url": film, "id": 1, "weight": 2},
        {"type": "image", "url": URL},
    ]
    task = checked("wan2.7-i2v", prompt="A", images=[image], media=media)
    assert task.files == {
        LocalFile(image, "image", is_explicit=True),
        LocalFile(film, "video", is_explicit=True),
    }
    assert content(task) == {
        "prompt": "A",
        "media": [
            {"type": "first_frame", "url": "oss://a"},
            {"type": "video", "id": 1, "weight": 2, "url": "oss://b"},
            {"type": "image", "url": URL},
        ],
    }
    task = checked("wan2.7-image", prompt="A", images=[URL, image])
    (message,) = content(task)["messages"]
    assert message == {
        "role": "user",
        "content": [{"image": URL}, {"image": "oss://a"}, {"text": "A"}],
    }
    task = checked("wan2.6-i2v", images=[image], urls=[sound])
    assert content(task) == {"img_url": "oss://a", "audio_url": "oss://c"}
    task = checked("fun-asr-flash-2026-06-15", urls=[sound, URL])
    (message,) = content(task)["messages"]
    assert message["content"] == [{"audio": "oss://c"}, {"audio": URL}]
    task = checked("wan2.2-kf2v-flash", prompt="A", images=[image, URL])
    assert content(task) == {
        "prompt": "A",
        "first_frame_url": "oss://a",
        "last_frame_url": URL,
    }


def test_what_is_missing_is_not_sent() -> None:
    for model in ("wan2.7-i2v", "wan2.7-r2v", "wan2.6-t2v"):
        assert input_of(model, prompt="A") == {"prompt": "A"}
    assert input_of("wan2.2-kf2v-flash", images=[URL]) == {"first_frame_url": URL}
