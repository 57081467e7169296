"""The emulator's rules for embeddings and reranking, and the forms of its answers."""

import base64
from array import array
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import Emulator, Fault

NATIVE = "/api/v1/services/embeddings/text-embedding/text-embedding"
MULTIMODAL = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"
COMPATIBLE = "/compatible-mode/v1/embeddings"
RERANK = "/api/v1/services/rerank/text-rerank/text-rerank"
FLAT = "/compatible-api/v1/reranks"


def post(studio: Emulator, path: str, body: Any, key: str = "") -> httpx.Response:
    headers = {"authorization": f"Bearer {key or studio.api_key}"}
    return httpx.post(studio.base_url + path, json=body, headers=headers)


def native(
    texts: list[Any], model: str = "text-embedding-v4", **parameters: Any
) -> Any:
    return {"model": model, "input": {"texts": texts}, "parameters": parameters}


def multimodal(contents: list[Any], model: str, **parameters: Any) -> Any:
    return {"model": model, "input": {"contents": contents}, "parameters": parameters}


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        (NATIVE, native(["a"] * 11), 400, "should not be larger than 10."),
        (NATIVE, native(["a"] * 26, "text-embedding-v2"), 400, "larger than 25."),
        (NATIVE, native(["a"] * 21, "qwen3.7-text-embedding"), 400, "larger than 20."),
        (NATIVE, native([""]), 400, "Range of input length"),
        (NATIVE, native(["word "] * 0), 400, "input can not be empty"),
        (NATIVE, native([[1, 2]]), 400, "neither str nor list of str"),
        (NATIVE, native(["word " * 9000]), 400, "[1, 8192]"),
        (NATIVE, native(["a"], dimension=1000), 400, "dimension must be one of"),
        (NATIVE, native(["a"], text_type="x"), 400, "text_type must be"),
        (NATIVE, native(["a"], output_type="x"), 400, "output_type x is not"),
        (
            NATIVE,
            native(["a"], "text-embedding-v2", output_type="sparse"),
            400,
            "output_type sparse is not",
        ),
        (NATIVE, native(["a"], "text-embedding-v4-2031-01-01"), 200, ""),
        (NATIVE, native(["a"], "text-embedding-v8x"), 404, "does not exist"),
        (NATIVE, native(["a"], "nothing-like-it"), 404, "does not exist"),
        (NATIVE, native(["a"], "qwen3-vl-embedding"), 400, "url error"),
        (NATIVE, native(["a"], "qwen-plus"), 400, "url error"),
        (NATIVE, [], 400, "not valid JSON"),
        (COMPATIBLE, {"model": "text-embedding-v4", "input": [1]}, 400, "neither str"),
        (COMPATIBLE, {"model": "qwen3-vl-embedding", "input": "a"}, 400, "url error"),
        (
            MULTIMODAL,
            multimodal([{"text": "a"}], "text-embedding-v4"),
            400,
            "url error",
        ),
        (MULTIMODAL, multimodal([{"x": "a"}], "qwen3-vl-embedding"), 500, "malformed"),
        (
            MULTIMODAL,
            multimodal([{"image": "a"}] * 11, "qwen3-vl-embedding"),
            400,
            "images should not be larger than 10",
        ),
        (
            MULTIMODAL,
            multimodal([{"text": "a"}], "multimodal-embedding-v1", enable_fusion=True),
            400,
            "enable_fusion",
        ),
        (
            RERANK,
            {"model": "invalid-model-name", "input": {"query": "a", "documents": []}},
            400,
            "Model not exist.",
        ),
        (
            RERANK,
            {"model": "gte-rerank", "input": {"query": "a", "documents": ["a"]}},
            400,
            "Model not exist.",
        ),
        (
            FLAT,
            {"model": "qwen3-rerank", "input": {"query": "a", "documents": ["a"]}},
            400,
            "documents is empty or malformed",
        ),
        (
            FLAT,
            {"model": "gte-rerank-v2", "query": "a", "documents": ["a"]},
            400,
            "Unsupported model",
        ),
        (
            FLAT,
            {"model": "qwen3-rerank", "query": "a", "documents": ["a"] * 501},
            400,
            "larger than 500",
        ),
        (
            FLAT,
            {"model": "qwen3-rerank", "query": "a", "documents": [""]},
            400,
            "texts that are not empty",
        ),
        (
            FLAT,
            {"model": "qwen3-rerank", "query": "word " * 300, "documents": ["a"] * 450},
            400,
            "more than 120000 tokens",
        ),
        (
            FLAT,
            {"model": "qwen3-rerank", "query": "a", "documents": ["a"], "top_n": 0},
            400,
            "top_n must be",
        ),
    ],
)
def test_what_is_refused(
    modelstudio_emulator: Emulator, path: str, body: Any, status: int, words: str
) -> None:
    response = post(modelstudio_emulator, path, body)
    assert (response.status_code, words in response.text) == (status, True)


@pytest.mark.parametrize("path", [NATIVE, COMPATIBLE, MULTIMODAL, RERANK, FLAT])
def test_a_key_and_faults(modelstudio_emulator: Emulator, path: str) -> None:
    assert post(modelstudio_emulator, path, {}, key="sk-other").status_code == 401
    modelstudio_emulator.script(Fault(status=503, code="internal_error"))
    assert post(modelstudio_emulator, path, {}).status_code == 503


def test_a_dimension_of_a_model_with_one_length_is_ignored(
    modelstudio_emulator: Emulator,
) -> None:
    body = native(["a"], "text-embedding-v1", dimension=512)
    answer = post(modelstudio_emulator, NATIVE, body).json()
    vector = answer["output"]["embeddings"][0]["embedding"]
    assert len(vector) == 1536
    # Its vectors are not normalized.
    assert 68 < sum(x * x for x in vector) ** 0.5 < 107


def test_base64_has_the_same_numbers(modelstudio_emulator: Emulator) -> None:
    body = {"model": "text-embedding-v3", "input": "a red fox", "dimensions": 64}
    floats = post(modelstudio_emulator, COMPATIBLE, body).json()["data"][0]
    encoded = post(
        modelstudio_emulator, COMPATIBLE, {**body, "encoding_format": "base64"}
    ).json()["data"][0]["embedding"]
    numbers = array("f", base64.b64decode(encoded))
    assert list(numbers) == pytest.approx(floats["embedding"], abs=1e-6)


def test_documents_are_returned_where_they_are_asked_for(
    modelstudio_emulator: Emulator,
) -> None:
    body = {
        "model": "gte-rerank-v2",
        "input": {"query": "a fox", "documents": ["A car.", "A fox."]},
        "parameters": {"return_documents": True, "top_n": 1},
    }
    answer = post(modelstudio_emulator, RERANK, body).json()
    (result,) = answer["output"]["results"]
    assert (result["index"], result["document"]) == (1, {"text": "A fox."})
    # The query's tokens count for each document.
    assert answer["usage"] == {"total_tokens": 2 * 2 + 6}


def test_answers_are_the_same_each_time(modelstudio_emulator: Emulator) -> None:
    bodies = [
        post(modelstudio_emulator, NATIVE, native(["a"])).json() for _ in range(2)
    ]
    assert bodies[0]["output"] == bodies[1]["output"]
