"""The arguments of an embedding class: what they resolve to, and what is refused."""

from typing import Any

import pytest

from modelstudio_core.embeddings.options import require_native
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from tests.core.embeddings.support import resolve
from tests.core.support import UNKNOWN_MODEL, error_message

BEIJING = "https://dashscope.aliyuncs.com"
SINGAPORE = "https://dashscope-intl.aliyuncs.com"


@pytest.mark.parametrize(
    ("model", "arguments", "namespace"),
    [
        ("text-embedding-v4", {}, "text-embedding-v4_1024_dashscope"),
        (
            "text-embedding-v4",
            {"dimensions": 64},
            "text-embedding-v4_64_dashscope",
        ),
        (
            "text-embedding-v4",
            {"protocol": "openai"},
            "text-embedding-v4_1024_openai",
        ),
        (UNKNOWN_MODEL, {}, "a-model-of-tomorrow_default_dashscope"),
        (UNKNOWN_MODEL, {"dimensions": 7}, "a-model-of-tomorrow_7_dashscope"),
        ("a.b_c-D9", {}, "a.b_c-D9_default_dashscope"),
        ("a/b", {}, "a-b_default_dashscope_241714c62f70695b"),
        (
            "text-embedding-v4",
            {"instruct": "I"},
            "text-embedding-v4_1024_dashscope_d494b943435a1a44",
        ),
    ],
)
def test_the_namespace_of_a_cache_stays_the_same(
    model: str, arguments: dict[str, Any], namespace: str
) -> None:
    """Another name would have users pay for all their vectors again."""
    assert resolve(model, **arguments).cache_namespace == namespace


@pytest.mark.parametrize(
    ("model", "given", "rows"),
    [
        ("text-embedding-v4", None, 10),
        ("text-embedding-v4", 1, 1),
        ("text-embedding-v4", 10, 10),
        ("qwen3.7-text-embedding", None, 20),
        ("qwen3-vl-embedding", None, 20),
        ("qwen3-vl-embedding", 20, 20),
        ("tongyi-embedding-vision-plus", None, 10),
        ("tongyi-embedding-vision-plus", 99, 99),
        (UNKNOWN_MODEL, None, 10),
        (UNKNOWN_MODEL, 99, 99),
        ("qwen2.5-vl-embedding", None, 1),
        ("qwen2.5-vl-embedding", 3, 1),
    ],
)
def test_the_rows_of_a_request(model: str, given: int | None, rows: int) -> None:
    assert resolve(model, batch_size=given).batch_size == rows


@pytest.mark.parametrize(
    ("model", "limit"), [("text-embedding-v4", 10), ("qwen3-vl-embedding", 20)]
)
def test_more_rows_than_a_request_has_are_refused(model: str, limit: int) -> None:
    message = error_message(resolve, model, batch_size=limit + 1)
    assert f"batch_size must be at most {limit} for {model}, got {limit + 1}" in message


@pytest.mark.parametrize(
    ("model", "base_url", "given", "tokens"),
    [
        ("text-embedding-v4", BEIJING, None, 33_000),
        ("text-embedding-v4", SINGAPORE, None, 8_192),
        ("text-embedding-v4", "http://127.0.0.1:9", None, 8_192),
        ("text-embedding-v4", BEIJING, 50_000, 50_000),
        ("text-embedding-v4", BEIJING, 1, 1),
        ("text-embedding-v3", BEIJING, None, 8_192),
        (UNKNOWN_MODEL, BEIJING, None, None),
        (UNKNOWN_MODEL, BEIJING, 7, 7),
    ],
)
def test_the_tokens_of_a_request(
    model: str, base_url: str, given: int | None, tokens: int | None
) -> None:
    resolved = resolve(model, base_url=base_url, tokens_per_request=given)
    assert resolved.tokens_per_request == tokens


def test_the_requests_at_once() -> None:
    assert resolve().max_concurrency == 4
    assert resolve(max_concurrency=1).max_concurrency == 1


@pytest.mark.parametrize(
    ("model", "length", "problem"),
    [
        ("text-embedding-v4", None, None),
        ("text-embedding-v4", 64, None),
        (
            "text-embedding-v4",
            65,
            "must be one of 2048, 1536, 1024, 768, 512, 256, 128, 64, got 65.",
        ),
        ("text-embedding-v2", 1536, None),
        (
            "text-embedding-v2",
            64,
            "dimensions of text-embedding-v2 must be 1536, got 64.",
        ),
        ("tongyi-embedding-vision-plus", 5, None),
        (UNKNOWN_MODEL, 5, None),
    ],
)
def test_the_length_of_vectors(
    model: str, length: int | None, problem: str | None
) -> None:
    if problem is None:
        assert resolve(model, dimensions=length).dimensions == length
    else:
        assert problem in error_message(resolve, model, dimensions=length)


@pytest.mark.parametrize(
    ("model", "instruct", "protocol", "problem"),
    [
        ("text-embedding-v4", "I", "dashscope", None),
        ("text-embedding-v4", None, "openai", None),
        ("text-embedding-v4", "I", "openai", "instruct exists on the native protocol"),
        ("text-embedding-v4", "", "dashscope", "instruct must be a string that is not"),
        ("text-embedding-v4", 7, "dashscope", "instruct must be a string that is not"),
        ("text-embedding-v3", "I", "dashscope", "does not support instruct. Remove"),
        ("text-embedding-v3", None, "dashscope", None),
        ("tongyi-embedding-vision-plus", "I", "dashscope", None),
        (UNKNOWN_MODEL, "I", "dashscope", None),
    ],
)
def test_an_instruction(
    model: str, instruct: Any, protocol: str, problem: str | None
) -> None:
    arguments = {"instruct": instruct, "protocol": protocol}
    if problem is None:
        assert resolve(model, **arguments).instruct == instruct
    else:
        assert problem in error_message(resolve, model, **arguments)


@pytest.mark.parametrize(
    ("model", "protocol", "problem"),
    [
        ("qwen3-vl-embedding", "dashscope", None),
        (UNKNOWN_MODEL, "dashscope", None),
        (UNKNOWN_MODEL, "openai", "Embeddings of images and video exist on the native"),
        ("text-embedding-v4", "openai", "exist on the native protocol only"),
        ("text-embedding-v4", "dashscope", "text-embedding-v4 embeds texts only"),
    ],
)
def test_images_need_a_model_that_may_embed_them(
    model: str, protocol: str, problem: str | None
) -> None:
    resolved = resolve(model, protocol=protocol)
    if problem is not None:
        assert problem in error_message(resolved.as_multimodal)
        return
    profile = resolved.as_multimodal().profile
    assert profile.multimodal
    assert profile.id == model
    assert profile.native_path == (
        "embeddings/multimodal-embedding/multimodal-embedding"
    )


def test_a_multimodal_model_has_the_native_protocol_only() -> None:
    message = error_message(resolve, "qwen3-vl-embedding", protocol="openai")
    assert "qwen3-vl-embedding is served by the native protocol only" in message
    require_native(resolve(), "Vectors")
    with pytest.raises(ConfigurationError, match="Vectors exist on the native"):
        require_native(resolve(protocol="openai"), "Vectors")


def test_what_is_known_of_a_family_alone_is_a_warning() -> None:
    with pytest.warns(ModelStudioWarning, match="at most 20"):
        resolved = resolve("qwen3.7-text-embedding-2027-01-01", batch_size=64)
    assert resolved.batch_size == 64
