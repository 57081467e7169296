"""The requests for vectors."""

from typing import Any

import pytest

from modelstudio_core.embeddings.options import OutputType, TextType
from modelstudio_core.embeddings.requests import build_contents_request, build_request
from tests.core.embeddings.support import resolve

VL = "qwen3-vl-embedding"


@pytest.mark.parametrize(
    ("arguments", "text_type", "output", "parameters"),
    [
        ({}, "document", "dense", {"text_type": "document"}),
        ({}, "query", "dense", {"text_type": "query"}),
        ({"instruct": "I"}, "document", "dense", {"text_type": "document"}),
        ({"instruct": "I"}, "query", "dense", {"text_type": "query", "instruct": "I"}),
        (
            {"dimensions": 64},
            "document",
            "sparse",
            {"text_type": "document", "dimension": 64, "output_type": "sparse"},
        ),
        (
            {"dimensions": 64, "instruct": "I"},
            "query",
            "dense&sparse",
            {
                "text_type": "query",
                "dimension": 64,
                "instruct": "I",
                "output_type": "dense&sparse",
            },
        ),
    ],
)
def test_the_parameters_of_a_native_request(
    arguments: dict[str, Any],
    text_type: TextType,
    output: OutputType,
    parameters: dict[str, Any],
) -> None:
    request = build_request(resolve(**arguments), ["a", "b"], text_type, output)
    assert request.json == {
        "model": "text-embedding-v4",
        "input": {"texts": ["a", "b"]},
        "parameters": parameters,
    }
    assert request.api == "dashscope"
    assert request.path == "/services/embeddings/text-embedding/text-embedding"


@pytest.mark.parametrize(
    ("arguments", "added"), [({}, {}), ({"dimensions": 64}, {"dimensions": 64})]
)
@pytest.mark.parametrize("text_type", ["document", "query"])
def test_a_compatible_request(
    arguments: dict[str, Any], added: dict[str, Any], text_type: TextType
) -> None:
    resolved = resolve(protocol="openai", **arguments)
    request = build_request(resolved, ("a", "b"), text_type)
    assert request.json == {
        "model": "text-embedding-v4",
        "input": ["a", "b"],
        "encoding_format": "float",
        **added,
    }
    assert (request.api, request.path) == ("openai", "/embeddings")


@pytest.mark.parametrize(
    ("arguments", "text_type", "parameters"),
    [
        ({}, "query", {}),
        ({"instruct": "I"}, "document", {}),
        ({"instruct": "I"}, "query", {"instruct": "I"}),
        (
            {"instruct": "I", "dimensions": 256},
            "query",
            {"dimension": 256, "instruct": "I"},
        ),
    ],
)
def test_texts_of_a_multimodal_model_are_contents(
    arguments: dict[str, Any], text_type: TextType, parameters: dict[str, Any]
) -> None:
    request = build_request(resolve(VL, **arguments), ["a", "b"], text_type)
    assert request.json == {
        "model": VL,
        "input": {"contents": [{"text": "a"}, {"text": "b"}]},
        "parameters": parameters,
    }
    assert request.path == (
        "/services/embeddings/multimodal-embedding/multimodal-embedding"
    )


def test_a_parameter_of_the_call_has_precedence_over_the_length() -> None:
    resolved = resolve(VL, dimensions=256)
    contents = [{"image": "oss://bucket/a.png"}]
    request = build_contents_request(resolved, contents, {"dimension": 512, "fps": 1})
    assert request.json == {
        "model": VL,
        "input": {"contents": contents},
        "parameters": {"dimension": 512, "fps": 1},
    }
    assert dict(request.headers) == {"X-DashScope-OssResourceResolve": "enable"}
