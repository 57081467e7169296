"""A model where one of another kind is needed."""

import pytest
from pydantic import SecretStr

from modelstudio_core.catalog import (
    ChatProfile,
    EmbeddingProfile,
    MediaProfile,
    ModelKind,
    ModelProfile,
    RerankProfile,
    describe_kind,
    kind_warning,
    model_ids,
    resolve_deprecated,
    resolve_in_scope,
    resolve_model,
    resolve_model_as,
)
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import ConfigurationError, ModelDeprecationWarning

PROFILES: dict[ModelKind, type[ModelProfile]] = {
    "chat": ChatProfile,
    "embedding": EmbeddingProfile,
    "rerank": RerankProfile,
    "media": MediaProfile,
}
NOT_CHAT = [name for name in model_ids(None) if name not in model_ids()]


@pytest.mark.parametrize(
    ("name", "noun"),
    [
        ("qwen3.7-plus", "a chat model"),
        ("text-embedding-v4", "an embedding model"),
        ("qwen3-vl-embedding", "an embedding model"),
        ("qwen3-rerank", "a rerank model"),
        ("wan2.6-t2i", "an image generation model"),
        ("wan2.6-image", "an image generation model"),
        ("wan2.6-t2v", "a video generation model"),
        ("fun-asr", "a speech recognition model"),
        ("qwen3-tts-flash", "a speech model"),
        (
            "qwen3-omni-flash-realtime",
            "a speech model that is served over WebSocket only",
        ),
        ("text-embedding-async-v2", "a model that embeds files"),
        ("wan2.9-anything", "a media model"),
    ],
)
def test_what_kind_of_model_it_is(name: str, noun: str) -> None:
    assert describe_kind(resolve_model(name)) == noun


@pytest.mark.parametrize("name", NOT_CHAT)
def test_a_model_of_another_kind_cannot_chat(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_deprecated(name)
    assert caught.value.message.startswith(
        f"{name} is {describe_kind(resolve_model(name))} and cannot chat. Use a chat"
        " model such as 'qwen3.7-plus'."
    )


def test_the_message_for_an_embedding_model() -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_in_scope(
            "text-embedding-v4",
            resolve_endpoint(region="singapore"),
            deprecated_models="replace",
            replacements=None,
        )
    assert caught.value.message == (
        "text-embedding-v4 is an embedding model and cannot chat. Use a chat model such"
        " as 'qwen3.7-plus'. text-embedding-v4 needs ModelStudioEmbeddings (LangChain)"
        " or ModelStudioEmbedding (LlamaIndex)."
    )


def test_a_replacement_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="qwen3-rerank is a rerank model"):
        resolve_deprecated("deepseek-r1", replacements={"deepseek-r1": "qwen3-rerank"})


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("embedding", "qwen3.7-plus", "a chat model and cannot embed texts"),
        ("rerank", "qwen3-vl-embedding", "an embedding model and cannot rerank"),
        ("media", "qwen3.7-max", "a chat model and cannot make or recognize media"),
    ],
)
def test_the_other_kinds_refuse_too(kind: ModelKind, name: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_model_as(PROFILES[kind], name)
    assert f"{name} is {words}" in caught.value.message


@pytest.mark.parametrize("kind", PROFILES)
def test_the_example_of_each_kind_is_of_that_kind(kind: ModelKind) -> None:
    other = "qwen3.7-plus" if kind != "chat" else "qwen3-rerank"
    with pytest.raises(ConfigurationError) as caught:
        resolve_model_as(PROFILES[kind], other)
    example = caught.value.message.partition(" such as '")[2].partition("'")[0]
    profile = resolve_model(example)
    assert profile.exact
    assert profile.kind == kind
    assert profile.delisted is None


@pytest.mark.parametrize(
    "name", ["qwen3-tts-flash-2027-01-01", "wan2.9-anything", "text-embedding-v5"]
)
def test_a_name_of_another_kinds_family_is_sent_with_a_warning(name: str) -> None:
    resolved = resolve_deprecated(name)
    assert resolved.profile == ChatProfile(id=name)
    assert resolved.notice == ""
    assert not resolved.replaced
    assert resolved.warning.startswith(f"{name} is not a known model")
    assert describe_kind(resolve_model(name)) in resolved.warning
    assert "cannot chat" in resolved.warning


@pytest.mark.parametrize("name", ["qwen3.7-plus", "qwen3.7-plus-x", "tomorrow"])
def test_no_warning_for_a_chat_model_or_an_unknown_one(name: str) -> None:
    assert kind_warning(name, "chat") == ""
    assert resolve_deprecated(name).warning == ""


@pytest.mark.parametrize("kind", PROFILES)
def test_an_unknown_model_is_allowed_for_every_kind(kind: ModelKind) -> None:
    profile = resolve_model_as(PROFILES[kind], "a-model-of-tomorrow")
    assert profile == PROFILES[kind](id="a-model-of-tomorrow")
    assert profile.kind == kind


# --- Constructors -------------------------------------------------------------------


def test_a_constructor_refuses_a_model_of_another_kind() -> None:
    with pytest.raises(ConfigurationError, match="rerank model and cannot chat"):
        ChatArguments(model="qwen3-rerank", api_key=SecretStr("k"))


def test_a_constructor_warns_of_a_name_of_another_kinds_family() -> None:
    with pytest.warns(UserWarning, match="probably a speech model") as caught:
        arguments = ChatArguments(model="qwen3-tts-flash-x", api_key=SecretStr("k"))
    assert len(caught) == 1
    assert not isinstance(caught[0].message, ModelDeprecationWarning)
    assert arguments.resolved_model == "qwen3-tts-flash-x"
