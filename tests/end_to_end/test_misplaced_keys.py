"""A key that is passed as another argument appears in no error, whatever the class."""

import traceback
import warnings
from inspect import signature
from typing import Any, Final

import pytest
from pydantic import BaseModel

import langchain_modelstudio
import llamaindex_modelstudio
from modelstudio_core.connection_arguments import ConnectionArguments
from tests.support.models import KEY

# The models that the classes need.
MODELS: Final[dict[type[Any], str]] = {
    langchain_modelstudio.ChatModelStudio: "qwen-plus",
    langchain_modelstudio.ModelStudioEmbeddings: "text-embedding-v4",
    langchain_modelstudio.ModelStudioImageGeneration: "wan2.6-t2i",
    langchain_modelstudio.ModelStudioRerank: "qwen3-rerank",
    llamaindex_modelstudio.ModelStudio: "qwen-plus",
    llamaindex_modelstudio.ModelStudioEmbedding: "text-embedding-v4",
    llamaindex_modelstudio.ModelStudioMultiModalEmbedding: "qwen3-vl-embedding",
    llamaindex_modelstudio.ModelStudioRerank: "qwen3-rerank",
    llamaindex_modelstudio.ModelStudioToolSpec: "wan2.6-t2i",
}
# Where a key is expected, and the headers, whose values are kept as secrets. LangChain
# itself warns of unknown fields of a profile, with their names.
EXPECTED: Final = {"api_key", "default_headers", "profile"}
VALUES: Final = (KEY, f"{KEY}!", f"Bearer {KEY}", [KEY], {KEY: KEY})
EACH_CLASS = pytest.mark.parametrize(
    "cls", MODELS, ids=lambda cls: f"{cls.__module__.partition('_')[0]}-{cls.__name__}"
)


def names_of(cls: type[Any]) -> list[str]:
    """Return the names of the arguments of a class, and some that do not exist."""
    if not issubclass(cls, BaseModel):
        own = {*signature(cls).parameters} - {"connection"}
        names = {*own, *ConnectionArguments.model_fields, "regoin", "api-key", KEY}
        return sorted(names - EXPECTED)
    aliases = [field.alias for field in cls.model_fields.values() if field.alias]
    names = {*cls.model_fields, *aliases, "regoin", "api-key", KEY}
    return sorted(names - EXPECTED)


def error_of(cls: type[Any], arguments: dict[str, Any]) -> Exception | None:
    """Return the error that the constructor raises, whichever it is."""
    try:
        cls(**arguments)
    except Exception as error:  # noqa: BLE001 - see above
        return error
    return None


def shown_by(error: BaseException) -> str:
    """Return what an error shows, with its causes."""
    return "".join([repr(error), *traceback.format_exception(error)])


def test_every_public_class_is_tested() -> None:
    public = {
        getattr(package, name)
        for package in (langchain_modelstudio, llamaindex_modelstudio)
        for name in package.__all__
    }
    assert {value for value in public if isinstance(value, type)} == set(MODELS)


@EACH_CLASS
@pytest.mark.parametrize("known", [True, False], ids=["known key", "other key"])
def test_the_error_about_an_argument_repeats_no_key(
    cls: type[Any], known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is the one in use, or another one that looks like a key."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY if known else "sk-test")
    refused: set[str] = set()
    for name in names_of(cls):
        for value in VALUES:
            model = "model" if issubclass(cls, BaseModel) else "image_model"
            arguments = {model: MODELS[cls], "region": "singapore", name: value}
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                error = error_of(cls, arguments)
            if error is not None:
                refused.add(name)
                assert KEY not in shown_by(error), (name, value)
            assert not any(KEY in str(warning.message) for warning in caught), name
    assert {"region", "workspace", "mode", "timeout", "regoin"} <= refused


@EACH_CLASS
def test_the_error_about_an_argument_without_a_name_says_how_to_pass_it(
    cls: type[Any],
) -> None:
    with pytest.raises(TypeError) as caught:
        cls(KEY)
    if issubclass(cls, BaseModel):
        assert f"by name, such as {cls.__name__}(model=...)." in str(caught.value)
    assert KEY not in shown_by(caught.value)
