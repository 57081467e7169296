"""Every id that a source names, with the profile that it resolves to.

``data/recorded_ids.txt`` has the ids of the service's own lists of models (``GET
/compatible-mode/v1/models``, Beijing, Singapore and Virginia, 2025-12 to 2026-08), and
``data/documented_ids.txt`` those that the pages of the documentation name. An id under
the profile of a family of another nature shows up here as a line to be read.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from modelstudio_core.catalog import (
    ChatProfile,
    EmbeddingProfile,
    MediaProfile,
    ModelProfile,
    RerankProfile,
    model_ids,
    resolve_model,
)
from tests.support.recordings import VARIABLE

DATA = Path(__file__).parent / "data"
MODELS_PATH = "/compatible-mode/v1/models"


def read_ids(name: str) -> list[str]:
    """Return the ids of a data file."""
    return (DATA / name).read_text(encoding="utf-8").split()


RECORDED = read_ids("recorded_ids.txt")
DOCUMENTED = read_ids("documented_ids.txt")
ALL_IDS = sorted({*RECORDED, *DOCUMENTED, *model_ids(None)})


def format_value(value: object) -> str:
    """Format a column; ``?`` stands for not known."""
    if value is None:
        return "?"
    if isinstance(value, frozenset | tuple):
        return "+".join(sorted(map(str, value))) or "-"
    return str(value)


def select_columns(profile: ModelProfile) -> dict[str, object]:
    """Return the main columns of a profile."""
    match profile:
        case ChatProfile():
            columns: dict[str, object] = {
                "thinking": profile.thinking,
                "tools": profile.tools,
                "context": profile.context_window,
                "path": profile.native_path,
            }
            if profile.streams_only:
                columns["streams"] = "only"
        case EmbeddingProfile():
            columns = {
                "rows": profile.max_rows,
                "row_tokens": profile.max_row_tokens,
                "dimension": profile.default_dimension,
                "sparse": profile.sparse,
                "fusion": profile.fusion,
            }
        case RerankProfile():
            columns = {
                "shape": profile.shape,
                "documents": profile.max_documents,
                "item_tokens": profile.max_item_tokens,
                "instruct": profile.instruct,
            }
        case MediaProfile():
            columns = {
                "calls": profile.calls,
                "path": profile.native_path,
                "input": profile.input_form,
                "result": profile.result_form,
                "n": profile.default_n,
            }
        case _:
            raise AssertionError(profile)
    if profile.delisted:
        columns["delisted"] = profile.delisted
    return columns


def format_profile(name: str) -> str:
    """Describe the profile of an id in one line."""
    profile = resolve_model(name)
    modalities = f"{format_value(profile.inputs)}→{format_value(profile.outputs)}"
    columns = (f"{k}={format_value(v)}" for k, v in select_columns(profile).items())
    parts = (name, profile.kind, profile.matched, modalities, *columns)
    return "  ".join(parts)


def test_every_id_with_its_profile(snapshot: SnapshotAssertion) -> None:
    assert "\n".join(map(format_profile, ALL_IDS)) == snapshot


def test_every_limit_of_the_media_in_chat(snapshot: SnapshotAssertion) -> None:
    """The kinds of input with their limits, and the ids that have them."""
    models: dict[str, list[str]] = {}
    for name in ALL_IDS:
        profile = resolve_model(name)
        if isinstance(profile, ChatProfile):
            for kind, limits in (profile.media or {}).items():
                columns = asdict(limits).items()
                known = (f"{k}={format_limit(v)}" for k, v in columns if v is not None)
                models.setdefault("  ".join((kind, *known)), []).append(name)
    lines = (f"{limits}\n  {' '.join(ids)}" for limits, ids in models.items())
    assert "\n".join(lines) == snapshot


def format_limit(value: object) -> str:
    """Format a limit; that of a range has an order."""
    match value:
        case (least, most):
            return f"{least}-{most}"
        case _:
            return format_value(value)


@pytest.mark.parametrize("name", ["recorded_ids.txt", "documented_ids.txt"])
def test_the_lists_are_sorted_and_unique(name: str) -> None:
    ids = read_ids(name)
    assert ids == sorted(set(ids))


def ids_with(word: str) -> list[str]:
    """Return the ids that have a word between their hyphens."""
    ids = [name for name in ALL_IDS if word in name.replace("/", "-").split("-")]
    assert ids
    return ids


# A word in an id that names its nature, and the kinds that may have it.
@pytest.mark.parametrize(
    ("word", "kinds"),
    [
        ("embedding", {"embedding", "media"}),
        ("rerank", {"rerank"}),
        ("image", {"media"}),
        ("realtime", {"media"}),
        ("tts", {"media"}),
        ("t2i", {"media"}),
        ("t2v", {"media"}),
        ("speech", {"media"}),
        ("filetrans", {"media"}),
        ("s2s", {"media"}),
    ],
)
def test_no_id_has_the_kind_of_another_nature(word: str, kinds: set[str]) -> None:
    for name in ids_with(word):
        assert resolve_model(name).kind in kinds, name


@pytest.mark.parametrize(
    ("word", "modality"), [("ocr", "image"), ("omni", "audio"), ("asr", "audio")]
)
def test_the_inputs_have_what_an_id_is_named_after(word: str, modality: str) -> None:
    for name in ids_with(word):
        assert modality in resolve_model(name).inputs, name


def test_no_id_that_only_thinks_is_a_hybrid() -> None:
    for name in ids_with("thinking"):
        profile = resolve_model(name)
        assert isinstance(profile, ChatProfile)
        assert profile.thinking == "only", name


def test_no_instruct_model_thinks() -> None:
    for name in ids_with("instruct"):
        profile = resolve_model(name)
        if isinstance(profile, ChatProfile):
            # Nothing is known of older generations.
            assert profile.thinking in {"never", None}, name


def recorded_ids(folder: Path) -> Iterator[str]:
    """Yield the ids of every recorded list of models."""
    for path in folder.glob("*.json"):
        exchange = json.loads(path.read_text(encoding="utf-8"))
        if exchange["method"] == "GET" and exchange["url"].endswith(MODELS_PATH):
            for model in json.loads(exchange["body"])["data"]:
                yield model["id"]


def test_the_recorded_ids_are_those_of_the_recordings() -> None:
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} does not name the recordings")
    assert sorted(set(recorded_ids(Path(folder)))) == RECORDED
