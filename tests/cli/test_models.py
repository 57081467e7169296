"""``modelstudio models``: what is listed, and how it is shown."""

import json
from collections.abc import Callable
from itertools import pairwise

import pytest

from modelstudio_core.catalog import (
    ChatProfile,
    ModelProfile,
    model_ids,
    resolve_model,
)
from tests.cli.conftest import Route, Run


def ids(run: Run, *arguments: str) -> set[str]:
    """Return the ids that are listed."""
    return {row["id"] for row in run("models", "--json", *arguments).json}


def known(is_wanted: Callable[[ModelProfile], object]) -> set[str]:
    """Return the ids of the catalog that are wanted."""
    return {name for name in model_ids(None) if is_wanted(resolve_model(name))}


# --- Which ones -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capability", "is_wanted"),
    [
        ("thinking", lambda p: p.thinking in {"hybrid-on", "hybrid-off", "only"}),
        ("structured-output", lambda p: p.structured_output),
        ("tools", lambda p: p.tools),
        ("search", lambda p: p.search),
        ("cache", lambda p: p.cache),
        ("partial", lambda p: p.partial),
        ("reasoning-effort", lambda p: p.reasoning_effort),
    ],
)
def test_the_chat_models_that_have_a_capability(
    run: Run, capability: str, is_wanted: Callable[[ChatProfile], object]
) -> None:
    listed = ids(run, "--with", capability)
    assert listed == known(lambda p: isinstance(p, ChatProfile) and is_wanted(p))
    assert listed


@pytest.mark.parametrize("kind", ["image", "video", "audio", "pdf"])
def test_the_models_that_read_a_kind_of_media(run: Run, kind: str) -> None:
    listed = ids(run, "--with", kind)
    assert listed == known(lambda profile: kind in profile.inputs)
    assert listed


def test_the_models_for_vectors_and_scores_that_have_a_capability(run: Run) -> None:
    assert "text-embedding-v4" in ids(run, "--with", "sparse")
    assert "text-embedding-v2" not in ids(run, "--with", "sparse")
    listed = ids(run, "--with", "instruct")
    assert {"text-embedding-v4", "qwen3-rerank"} <= listed
    assert "text-embedding-v3" not in listed


def test_every_capability_that_is_asked_for_is_needed(run: Run) -> None:
    both = ids(run, "--with", "thinking", "--with", "video")
    assert both == ids(run, "--with", "thinking") & ids(run, "--with", "video")
    assert both


@pytest.mark.parametrize(
    ("arguments", "region", "mode"),
    [
        (("--region", "beijing"), "cn-beijing", "chinese-mainland"),
        (("--region", "us"), "us-east-1", "global"),
        (("--mode", "us"), "us-east-1", "us"),
        (("--mode", "intl"), "ap-southeast-1", "international"),
        (("--region", "frankfurt"), "eu-central-1", None),
        (("--region", "frankfurt", "--mode", "eu"), "eu-central-1", "eu"),
        (("--region", "tokyo", "--workspace", "ws-1"), "ap-northeast-1", None),
    ],
)
def test_a_region_and_a_mode_leave_out_what_is_served_elsewhere(
    run: Run, arguments: tuple[str, ...], region: str, mode: str | None
) -> None:
    listed = ids(run, *arguments)
    assert listed == known(
        lambda profile: (
            (profile.regions is None or region in profile.regions)
            and (None in {mode, profile.modes} or mode in (profile.modes or ()))
        )
    )
    assert listed != known(lambda _: True)


def test_a_part_of_a_name_in_any_case(run: Run) -> None:
    assert ids(run, "QWEN3-RERANK") == {"qwen3-rerank"}
    assert "MiniMax-M2.5" in ids(run, "minimax-m2")
    assert ids(run, "") == set(model_ids(None))


def test_deprecated_models_are_those_that_are_delisted(run: Run) -> None:
    assert ids(run, "--deprecated") == known(lambda profile: profile.delisted)
    assert ids(run, "--deprecated", "--kind", "rerank") == {"gte-rerank"}


# --- What is said of each -------------------------------------------------------------


def test_a_row_has_the_facts_of_the_catalog(run: Run) -> None:
    profile = resolve_model("qwen3-rerank")
    assert profile.checked is not None
    assert run("models", "qwen3-rerank", "--json").json == [
        {
            "id": "qwen3-rerank",
            "kind": "rerank",
            "in_catalog": True,
            "capabilities": ["instruct"],
            "inputs": ["text"],
            "regions": ["cn-beijing", "ap-southeast-1"],
            "modes": None,
            "delisted": None,
            "replacement": None,
            "source": profile.source,
            "checked": profile.checked.isoformat(),
        }
    ]
    (row,) = run("models", "qwen3.7-plus-us", "--json").json
    assert (row["regions"], row["modes"]) == (["us-east-1"], ["us"])
    assert row["context_window"] == 1_000_000
    assert row["thinking"] == "hybrid-on"
    assert row["max_output"]


def test_a_model_that_the_catalog_has_not(run: Run, route: Route) -> None:
    body = json.dumps({"data": [{"id": "a-new-model"}]}).encode()
    with route(lambda _: (200, body)):
        (row,) = run("models", "--live", "--json").json
        text = run("models", "--live")
    assert row.items() >= {"kind": None, "in_catalog": False, "inputs": None}.items()
    assert (row["source"], row["checked"], row["capabilities"]) == (None, None, [])
    assert text.out.splitlines()[1].split() == [
        *("a-new-model", "not", "in", "the", "catalog")
    ]


def test_live_models_can_be_filtered_by_kind_and_name(run: Run, route: Route) -> None:
    names = ("qwen3.7-plus", "qwen3-rerank", "qwen3.7-plus-us")
    body = json.dumps({"data": [{"id": name} for name in names]}).encode()
    with route(lambda _: (200, body)):
        # What the service lists is not left out for its region.
        assert ids(run, "--live", "--region", "beijing") == set(names)
        assert ids(run, "--live", "--kind", "rerank") == {"qwen3-rerank"}
        assert ids(run, "--live", "plus-us") == {"qwen3.7-plus-us"}
        complete = run("models", "--live", "--json")
    assert complete.err == ""


# --- For people -----------------------------------------------------------------------

FACTS = {
    "deepseek-v3.2-exp": (
        "chat",
        "131,072",
        "thinking, tools, search",
        "delisted on 2026-07-09: use qwen3.7-plus",
    ),
    "qwen3-rerank": ("rerank", "", "instruct", "only in cn-beijing, ap-southeast-1"),
    "deepseek-r1-distill-llama-70b": ("chat", "", "", ""),
}


@pytest.mark.parametrize("name", FACTS)
def test_a_wide_terminal_has_a_table(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    head, *lines = run("models", name).out.splitlines()
    assert head.split() == ["model", "kind", "context", "capabilities", "note"]
    columns = [head.index(f"  {title}") + 2 for title in head.split()[1:]]
    (line,) = lines
    bounds = [0, *columns, len(line)]
    cells = [line[a:b].strip() for a, b in pairwise(bounds)]
    assert cells == [name, *FACTS[name]]


@pytest.mark.parametrize("name", FACTS)
def test_a_narrow_terminal_has_a_paragraph_for_each_model(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    kind, context, capabilities, note = FACTS[name]
    lines = run("models", name).out.splitlines()
    assert lines == [
        f"{name}  {kind}" + (f", {context} tokens" if context else ""),
        *(f"  {detail}" for detail in (capabilities, note) if detail),
    ]


def test_no_model_is_a_line_on_standard_error(run: Run) -> None:
    ran = run("models", "no-such-model")
    assert (ran.code, ran.out, ran.err) == (0, "", "No model matches.\n")
    assert run("models", "no-such-model", "--json").json == []
