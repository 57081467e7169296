"""The input of a task: checks, local files, and the body of the request."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast

from modelstudio_core.catalog import MediaInput, MediaProfile
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse_or_warn
from modelstudio_core.inline_data import check_data_url
from modelstudio_core.local_files import LocalFile, parse_local
from modelstudio_core.service_inputs import check_text, list_of
from modelstudio_core.tasks.routes import Route
from modelstudio_core.wire.media_types import (
    MediaKind,
    bare_base64_type,
)

__all__ = ["Given", "TaskInput", "UrlOrPath", "build_body", "check_input"]

# A URL (http, https, oss or data), or a path on this machine.
UrlOrPath = str | Path
_Argument = Literal["prompt", "images", "media", "urls"]
_Place = str | LocalFile

_REMOTE: Final = ("http://", "https://", "oss://", "data:")
_FILES: Final[frozenset[_Argument]] = frozenset({"urls"})
_IMAGES: Final[frozenset[_Argument]] = frozenset({"images"})
_AUDIO: Final = frozenset({"audio"})
_ACCEPTED: Final[Mapping[MediaInput, frozenset[_Argument]]] = {
    "messages": frozenset({"prompt", "images"}),
    "prompt": frozenset({"prompt"}),
    "prompt+images": frozenset({"prompt", "images"}),
    "image_url": frozenset({"images"}),
    "base_image_url": frozenset(),
    "media": frozenset({"prompt", "images", "media"}),
    "img_url": frozenset({"prompt", "images"}),
    "frames": frozenset({"prompt", "images"}),
    "file_url": frozenset({"urls"}),
    "file_urls": frozenset({"urls"}),
    "url": frozenset({"urls"}),
}
_NEEDED: Final[Mapping[MediaInput, tuple[_Argument, ...]]] = {
    "messages": ("prompt",),
    "prompt": ("prompt",),
    "prompt+images": ("prompt", "images"),
    "image_url": ("images",),
    "img_url": ("images",),
    "frames": ("images",),
    "file_url": ("urls",),
    "file_urls": ("urls",),
    "url": ("urls",),
}
# The most addresses of an argument, where the form has room for no more.
_MOST: Final[Mapping[MediaInput, int]] = {
    "prompt": 1,
    "image_url": 1,
    "media": 1,
    "img_url": 1,
    "frames": 2,
    "file_url": 1,
    "url": 1,
}
# Words in the type of a medium → what it is, for files on this machine.
_KIND_OF_WORD: Final[tuple[tuple[str, MediaKind], ...]] = (
    ("frame", "image"),
    ("image", "image"),
    ("audio", "audio"),
    ("video", "video"),
    ("clip", "video"),
)
_DATA: Final = "data:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a caller passed.

    Attributes:
        prompt: The text.
        images: Addresses of images.
        media: Mappings with ``type`` and ``url``.
        urls: Addresses of files, for speech recognition and embeddings.
        parameters: The parameters.
        input: The complete input, instead of the four above.
    """

    prompt: str | None = None
    images: Iterable[UrlOrPath] = ()
    media: Iterable[Mapping[str, object]] = ()
    urls: Iterable[UrlOrPath] = ()
    parameters: Mapping[str, object] | None = None
    input: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInput:
    """An input that was checked. Files on this machine are not read yet.

    Attributes:
        route: How the model is called.
        parameters: The parameters that are sent.
        prompt: The text.
        images: The images.
        media: The media: the fields beside the address, and the address.
        urls: The files.
        complete: The complete input, instead of the four above.
    """

    route: Route
    parameters: Mapping[str, object]
    prompt: str | None = None
    images: Sequence[_Place] = ()
    media: Sequence[tuple[Mapping[str, object], _Place]] = ()
    urls: Sequence[_Place] = ()
    complete: Mapping[str, object] | None = None
    files: frozenset[LocalFile] = field(default=frozenset())


def check_input(route: Route, given: Given) -> TaskInput:
    """Check what a caller passed. Nothing is read and nothing is sent.

    Args:
        route: How the model is called.
        given: What the caller passed.

    Raises:
        ConfigurationError: An argument is invalid, is missing, or has no place in the
            input of the model.
    """
    parameters = _check_parameters(route, given.parameters)
    if given.input is not None:
        if _passed(given):
            raise ConfigurationError(
                f"input replaces {_names(_passed(given))}: pass one of the two."
            )
        if not isinstance(given.input, Mapping):
            raise ConfigurationError("input must be a mapping, sent as it is.")
        _check_json(given.input, "input")
        return TaskInput(route=route, parameters=parameters, complete=given.input)
    _check_form(route, given)
    return _placed(route, given, parameters)


def build_body(task: TaskInput, loaded: Mapping[LocalFile, str]) -> dict[str, object]:
    """Return the JSON body of the request.

    Args:
        task: The input.
        loaded: The addresses of the files that were read or uploaded.
    """
    route = task.route
    content = task.complete
    if content is None:
        content = _content(task, loaded)
    body: dict[str, object] = {"model": route.profile.id, "input": {**content}}
    if task.parameters:
        body["parameters"] = {**task.parameters}
    return body


# --- Parameters -------------------------------------------------------------------


def _check_parameters(
    route: Route, parameters: Mapping[str, object] | None
) -> dict[str, object]:
    if parameters is not None and not isinstance(parameters, Mapping):
        raise ConfigurationError("parameters must be a mapping of names and values.")
    checked = dict(parameters or {})
    if route.has_number:
        # The service's own default is up to 4 images, each of which is paid for.
        checked.setdefault("n", 1)
    _check_json(checked, "parameters")
    number, limits = checked.get("n"), route.profile.n_range
    # It may have more images than a single request.
    is_series = bool(checked.get("enable_sequential"))
    if number is None:
        checked.pop("n", None)
    elif type(number) is not int or number < 1:
        raise ConfigurationError(f"n must be an integer above 0, got {number!r}.")
    elif limits and not is_series and not limits[0] <= number <= limits[1]:
        refuse_or_warn(
            route.profile,
            f"{route.profile.id} makes {limits[0]} to {limits[1]} images at once,"
            f" got n={number}.",
        )
    return checked


def _check_json(values: object, name: str) -> None:
    try:
        json.dumps(values, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        # The value is not shown: it may be an image, or hold a key.
        raise ConfigurationError(
            f"{name} must hold strings, finite numbers, lists and dicts only: it has a"
            " value that JSON cannot represent."
        ) from None


# --- Which argument a form has ----------------------------------------------------


def _passed(given: Given) -> set[_Argument]:
    values: dict[_Argument, object] = {
        "prompt": given.prompt,
        "images": given.images,
        "media": given.media,
        "urls": given.urls,
    }
    return {name for name, value in values.items() if value not in (None, (), [])}


def _accepted(route: Route) -> frozenset[_Argument]:
    if route.form is None:
        return frozenset()
    accepted, inputs = _ACCEPTED[route.form], route.profile.inputs
    if route.form == "messages" and inputs == _AUDIO:
        return _FILES
    if route.form in {"messages", "media"} and route.profile.is_known:
        return accepted if "image" in inputs else accepted - _IMAGES
    if route.form in {"prompt", "img_url"} and "audio" in inputs:
        return accepted | _FILES
    return accepted


def _check_form(route: Route, given: Given) -> None:
    profile, form, accepted = route.profile, route.form, _accepted(route)
    if form is None or not accepted:
        raise ConfigurationError(
            f"The input of {profile.id} has fields of its own: pass input=, a mapping"
            " as the documentation of the model describes it."
        )
    passed = _passed(given)
    if surplus := passed - accepted:
        raise ConfigurationError(
            f"{profile.id} has no place for {_names(surplus)}: it accepts"
            f" {_names(accepted)}, or input=."
        )
    needed = _NEEDED.get(form, ())
    if accepted == _FILES:
        needed = ("urls",)
    if missing := [name for name in needed if name not in passed]:
        raise ConfigurationError(f"{profile.id} needs {_names(missing)}.")
    if not passed:
        raise ConfigurationError(f"{profile.id} needs {_names(accepted)}.")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"{name}=" for name in sorted(names))


# --- Values -----------------------------------------------------------------------


def _placed(route: Route, given: Given, parameters: Mapping[str, object]) -> TaskInput:
    profile = route.profile
    images = [
        _place(image, "image", f"images[{index}]")
        for index, image in enumerate(list_of(given.images, "images"))
    ]
    _check_count(route, "images", len(images))
    media = [
        _medium(item, f"media[{index}]")
        for index, item in enumerate(list_of(given.media, "media"))
    ]
    urls = [
        _place(url, "audio", f"urls[{index}]")
        for index, url in enumerate(list_of(given.urls, "urls"))
    ]
    _check_count(route, "urls", len(urls))
    places = [*images, *urls, *(place for _, place in media)]
    files = frozenset(place for place in places if isinstance(place, LocalFile))
    if files and route.form == "url":
        raise ConfigurationError(
            f"urls must have the http, https or oss URL of a text file: {profile.id}"
            " does not read files of this machine."
        )
    return TaskInput(
        route=route,
        parameters=parameters,
        prompt=_check_prompt(given.prompt, profile),
        images=images,
        media=media,
        urls=urls,
        files=files,
    )


def _check_prompt(prompt: object, profile: MediaProfile) -> str | None:
    if prompt is None:
        return None
    text = check_text(prompt, None, "prompt", "Pass a text.")
    limit = profile.max_prompt_characters
    if limit is not None and len(text) > limit:
        refuse_or_warn(
            profile,
            f"prompt has {len(text)} characters, and {profile.id} accepts {limit}."
            " Shorten it.",
        )
    return text


def _check_count(route: Route, name: _Argument, count: int) -> None:
    profile, most = route.profile, _MOST.get(route.form or "messages")
    if most is not None and count > most:
        advice = " Pass media= for more." if route.form == "media" else ""
        raise ConfigurationError(
            f"{name} has {count} addresses, and the input of {profile.id} has room for"
            f" {most}.{advice}"
        )
    limits = profile.input_images
    if name == "images" and limits and not limits[0] <= count <= limits[1]:
        refuse_or_warn(
            profile,
            f"{profile.id} accepts {limits[0]} to {limits[1]} images, got {count}.",
        )


def _place(value: object, kind: MediaKind | None, name: str) -> _Place:
    """Return a URL as it is, and a path as the file that it names."""
    match value:
        case str() if value.startswith(_REMOTE):
            if value.startswith(_DATA) and kind != "image":
                raise ConfigurationError(
                    f"{name} is a data URL, and only images are accepted so: pass an"
                    " http, https or oss URL."
                )
            check_data_url(value, name)
            return value
        case str() if kind == "image" and (found := bare_base64_type(value, kind)):
            return f"{_DATA}{found};base64,{value}"
        case str() | Path() if value and kind is not None:
            path = parse_local(value, kind).path if isinstance(value, str) else value
            return LocalFile(path, kind, is_explicit=True)
        case str() | Path() if value:
            raise ConfigurationError(
                f"{name} must have an http, https or oss URL: what its type is on this"
                " machine is not known."
            )
        case _:
            raise ConfigurationError(
                f"{name} must be a URL or a path, got a {type(value).__name__}."
            )


def _medium(item: object, name: str) -> tuple[Mapping[str, object], _Place]:
    fields = cast("Mapping[str, object]", item if isinstance(item, Mapping) else {})
    kind = fields.get("type")
    if not isinstance(kind, str) or not kind or "url" not in fields:
        raise ConfigurationError(
            f"{name} must be a mapping with type and url, such as"
            " {'type': 'first_frame', 'url': 'https://...'}."
        )
    kinds: list[MediaKind] = [k for word, k in _KIND_OF_WORD if word in kind]
    _check_json({**fields, "url": ""}, name)
    place = _place(fields["url"], kinds[0] if kinds else None, f"{name}['url']")
    return {key: value for key, value in fields.items() if key != "url"}, place


# --- Forms ------------------------------------------------------------------------


def _content(task: TaskInput, loaded: Mapping[LocalFile, str]) -> dict[str, object]:
    """Return the object ``input`` of the body."""

    def address(place: _Place) -> str:
        return loaded[place] if isinstance(place, LocalFile) else place

    images = [address(image) for image in task.images]
    urls = [address(url) for url in task.urls]
    if task.route.form == "messages":
        return {"messages": [_message(task.prompt, images, urls)]}
    media = [{**fields, "url": address(place)} for fields, place in task.media]
    text = {} if task.prompt is None else {"prompt": task.prompt}
    return {**text, **_fields(task.route.form, images, media, urls)}


def _fields(
    form: MediaInput | None,
    images: Sequence[str],
    media: Sequence[Mapping[str, object]],
    urls: Sequence[str],
) -> dict[str, object]:
    """Return the fields of an input beside the prompt."""
    first = urls[0] if urls else None
    frames = [{"type": "first_frame", "url": image} for image in images]
    names = ("first_frame_url", "last_frame_url")
    forms: dict[MediaInput, dict[str, object]] = {
        "prompt": {"audio_url": first},
        "prompt+images": {"images": [*images]},
        "image_url": {"image_url": images[0] if images else None},
        "img_url": {"img_url": images[0] if images else None, "audio_url": first},
        "frames": dict(zip(names, images, strict=False)),
        "media": {"media": [*frames, *media] or None},
        "file_url": {"file_url": first},
        "file_urls": {"file_urls": [*urls]},
        "url": {"url": first},
    }
    fields = forms.get(form or "prompt", {})
    return {name: value for name, value in fields.items() if value is not None}


def _message(
    prompt: str | None, images: Iterable[str], urls: Iterable[str]
) -> dict[str, object]:
    content = [{"image": image} for image in images]
    content += [{"audio": url} for url in urls]
    if prompt is not None:
        content.append({"text": prompt})
    return {"role": "user", "content": content}
