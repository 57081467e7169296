"""Embeddings of images and video in both frameworks."""

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.embeddings.multi_modal_base import MultiModalEmbedding

from langchain_modelstudio import ModelStudioEmbeddings
from llamaindex_modelstudio import ModelStudioEmbedding, ModelStudioMultiModalEmbedding
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import BadRequestError, ConfigurationError
from tests.support.embedding_server import serve_embeddings
from tests.support.models import KEY
from tests.support.retrieval import STYLES, Style, call, embed, embed_query, embedder

EACH_STYLE = pytest.mark.parametrize("style", STYLES, ids=str)
PATH = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels of a red fox"
PNG_URI = "data:image/png;base64," + base64.b64encode(PNG).decode()
FOX = "https://x.example/red-fox.png"
VIDEO = "https://x.example/fox.mp4"


async def contents(model: Any, style: Style, items: Any, **options: Any) -> Any:
    return await call(model, "contents", style, items, **options)


@EACH_STYLE
async def test_texts_of_a_multimodal_model(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(
            style.framework, server.base_url, model="qwen3-vl-embedding", instruct="I"
        )
        await embed(model, style, ["a", "b"])
        await embed_query(model, style, "q")
    assert server.paths == [PATH, PATH]
    assert [body["input"]["contents"] for body in server.bodies] == [
        [{"text": "a"}, {"text": "b"}],
        [{"text": "q"}],
    ]
    assert server.parameters == [{}, {"instruct": "I"}]


@EACH_STYLE
async def test_each_item_has_a_vector(style: Style) -> None:
    items = ["a", {"image": FOX}, {"video": VIDEO}, {"image": PNG}]
    with serve_embeddings() as server:
        model = embedder(
            style.framework, server.base_url, model="qwen3-vl-embedding", dimensions=256
        )
        server.dimension = 256
        assert len(await contents(model, style, items, parameters={"fps": 0.5})) == 4
    (body,) = server.bodies
    assert body["input"]["contents"] == [
        {"text": "a"},
        {"image": FOX},
        {"video": VIDEO},
        {"image": PNG_URI},
    ]
    assert body["parameters"] == {"dimension": 256, "fps": 0.5}


@EACH_STYLE
async def test_a_fused_item_by_the_parameter(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(style.framework, modelstudio_emulator, model="qwen3-vl-embedding")
    items = ["a", {"text": "fox", "image": FOX}, "b"]
    assert len(await contents(model, style, items)) == 3
    bodies = [request.body for request in modelstudio_emulator.requests]
    (fused,) = [body for body in bodies if body["parameters"]]
    assert fused["parameters"] == {"enable_fusion": True}
    assert fused["input"]["contents"] == [{"text": "fox"}, {"image": FOX}]


@EACH_STYLE
async def test_a_fused_item_in_one_content(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(
        style.framework,
        modelstudio_emulator,
        model="tongyi-embedding-vision-plus-2026-03-06",
    )
    items = [{"text": "fox", "image": [FOX, FOX]}, "a"]
    assert len(await contents(model, style, items)) == 2
    (request,) = modelstudio_emulator.requests
    assert request.body["input"]["contents"] == [
        {"text": "fox", "multi_images": [FOX, FOX]},
        {"text": "a"},
    ]


@EACH_STYLE
async def test_a_model_that_always_fuses_has_a_request_for_each_item(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(
        style.framework, modelstudio_emulator, model="qwen2.5-vl-embedding"
    )
    assert len(await contents(model, style, ["a", {"text": "b", "image": FOX}])) == 2
    assert len(modelstudio_emulator.requests) == 2


@EACH_STYLE
async def test_a_model_that_always_fuses_has_a_request_for_each_text(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(
        style.framework, modelstudio_emulator, model="qwen2.5-vl-embedding"
    )
    vectors = await embed(model, style, ["a", "b", "a"])
    assert vectors[0] == vectors[2] != vectors[1]
    assert sorted(
        request.body["input"]["contents"][0]["text"]
        for request in modelstudio_emulator.requests
    ) == ["a", "a", "b"]


@EACH_STYLE
async def test_a_model_that_never_fuses(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(
            style.framework, server.base_url, model="multimodal-embedding-v1"
        )
        with pytest.raises(ConfigurationError, match=r"contents\[0\] has 2 parts"):
            await contents(model, style, [{"text": "a", "image": FOX}])
        assert server.bodies == []


@EACH_STYLE
async def test_requests_have_as_many_items_and_images_as_the_model_accepts(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(style.framework, modelstudio_emulator, model="qwen3-vl-embedding")
    items = [{"image": f"https://x.example/{i}.png"} for i in range(23)] + ["a"] * 30
    assert len(await contents(model, style, items)) == 53
    sizes = [len(r.body["input"]["contents"]) for r in modelstudio_emulator.requests]
    assert sorted(sizes) == [10, 10, 13, 20]


@EACH_STYLE
async def test_images_of_every_kind(style: Style, tmp_path: Path) -> None:
    file = tmp_path / "a b.png"
    file.write_bytes(PNG)
    bare = PNG_URI.partition(",")[2]
    images = [str(file), file, file.as_uri(), PNG, BytesIO(PNG), PNG_URI, bare]
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url, model="qwen3-vl-embedding")
        await contents(model, style, [{"image": image} for image in images])
    assert server.bodies[0]["input"]["contents"] == [{"image": PNG_URI}] * 7


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"image": "/no/such/file.png"}, r"\['image'\]: Cannot read .*: No such file"),
        ({"image": "/dev/zero"}, r"\['image'\]: '/dev/zero' is not a regular file"),
        (
            {"image": "iVBORw0KGgo" * 999},
            r"\['image'\]: Cannot read .{300}: File name",
        ),
        ({"image": __file__}, r"\['image'\] is not an image of a format"),
        ({"image": b"hello"}, r"\['image'\] is not an image of a format"),
        ({"image": ""}, r"\['image'\] must be the URL, the path or the bytes"),
        (
            {"image": f"data:image/png;base64,{base64.b64encode(PNG)!r}"},
            r"base64 text of contents\[0\]\['image'\] begins with b', as str",
        ),
        ({"image": 7}, r"\['image'\] must be the URL.*got a int"),
        ({"image": PNG + b"x" * 11 * 2**20}, r"image of 11.0 MB.*accepts 10 MB"),
        ({"video": "/tmp/a.mp4"}, r"\['video'\] must be the http"),  # noqa: S108 - a name
        ({"text": ""}, r"\['text'\] is empty"),
        ({"sound": "x"}, r"contents\[0\] must be a text, or a mapping"),
        ({}, r"contents\[0\] must be a text, or a mapping"),
        (3, r"contents\[0\] must be a text, or a mapping"),
    ],
)
@EACH_STYLE
async def test_items_that_cannot_be_embedded(
    style: Style, item: Any, words: str
) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url, model="qwen3-vl-embedding")
        with pytest.raises(ConfigurationError, match=words):
            await contents(model, style, [item])
        assert server.bodies == []


@EACH_STYLE
async def test_parameters_that_are_no_mapping(style: Style) -> None:
    with serve_embeddings() as server:
        model = embedder(style.framework, server.base_url, model="qwen3-vl-embedding")
        with pytest.raises(ConfigurationError, match="parameters must be a mapping"):
            await contents(model, style, ["a"], parameters=["fps"])
        assert server.bodies == []


@EACH_STYLE
async def test_files_of_the_temporary_storage_have_their_header(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(style.framework, modelstudio_emulator, model="qwen3-vl-embedding")
    await contents(model, style, [{"image": "oss://bucket/a.png"}])
    await contents(model, style, [{"image": FOX}])
    name = "x-dashscope-ossresourceresolve"
    headers = [request.headers.get(name) for request in modelstudio_emulator.requests]
    assert headers == ["enable", None]


@EACH_STYLE
async def test_an_image_is_near_a_text(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(style.framework, modelstudio_emulator, model="qwen3-vl-embedding")
    image, car = await contents(model, style, [{"image": FOX}, "a blue car"])
    query = await embed_query(model, style, "red fox")
    near = sum(a * b for a, b in zip(query, image, strict=True))
    assert near > 0.3 + sum(a * b for a, b in zip(query, car, strict=True))


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_langchain_images_as_chroma_passes_them(
    asynchronous: bool, tmp_path: Path
) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    with serve_embeddings() as server:
        model = embedder("LangChain", server.base_url, model="qwen3-vl-embedding")
        assert isinstance(model, ModelStudioEmbeddings)
        uris = [str(file), FOX]
        vectors = (
            await model.aembed_image(uris=uris)
            if asynchronous
            else model.embed_image(uris=uris)
        )
    assert len(vectors) == 2
    assert server.bodies[0]["input"]["contents"] == [{"image": PNG_URI}, {"image": FOX}]


def test_langchain_refuses_one_image_without_a_list() -> None:
    model = embedder("LangChain", "http://127.0.0.1:9", model="qwen3-vl-embedding")
    assert isinstance(model, ModelStudioEmbeddings)
    with pytest.raises(ConfigurationError, match="uris must be a list"):
        model.embed_image("a.png")
    with pytest.raises(ConfigurationError, match="uris must be a list, got a int"):
        model.embed_image(7)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_llamaindex_images(asynchronous: bool, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    images: list[str | BytesIO] = [str(file), FOX, BytesIO(PNG)]
    with serve_embeddings() as server:
        model = embedder("LlamaIndex", server.base_url, model="qwen3-vl-embedding")
        assert isinstance(model, MultiModalEmbedding)
        if asynchronous:
            vectors = await model.aget_image_embedding_batch(images)
            vectors.append(await model.aget_image_embedding(FOX))
        else:
            vectors = model.get_image_embedding_batch(images)
            vectors.append(model.get_image_embedding(FOX))
    assert len(vectors) == 4
    assert server.bodies[0]["input"]["contents"] == [
        {"image": PNG_URI},
        {"image": FOX},
        {"image": PNG_URI},
    ]


def test_text_models_embed_no_images() -> None:
    model = embedder("LangChain", "http://127.0.0.1:9")
    assert isinstance(model, ModelStudioEmbeddings)
    with pytest.raises(ConfigurationError, match=r"embeds texts only.*qwen3-vl"):
        model.embed_image([FOX])
    with pytest.raises(ConfigurationError, match=r"embeds texts only.*qwen3-vl"):
        ModelStudioMultiModalEmbedding(model="text-embedding-v4", api_key=KEY)


def test_a_model_that_is_not_known_may_embed_images() -> None:
    with serve_embeddings() as server:
        model = ModelStudioMultiModalEmbedding(
            model="a-model-of-tomorrow", base_url=server.base_url, api_key=KEY
        )
        model.get_image_embedding(FOX)
        ModelStudioEmbedding(
            model="a-model-of-tomorrow", base_url=server.base_url, api_key=KEY
        ).get_text_embedding("a")
    assert [path.rpartition("/")[2] for path in server.paths] == [
        "multimodal-embedding",
        "text-embedding",
    ]


@EACH_STYLE
async def test_a_refusal_of_the_service_names_the_items(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    model = embedder(style.framework, modelstudio_emulator, model="qwen3-vl-embedding")
    parameters = {"dimension": 3}
    with pytest.raises(BadRequestError) as caught:
        await contents(model, style, ["a", "b"], parameters=parameters)
    assert caught.value.__notes__ == ["The request had contents[0] to contents[1]."]
