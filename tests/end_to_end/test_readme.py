"""README.md: every snippet runs, its output is as shown, and every table is true."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import pytest

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import arguments
from modelstudio_core.catalog import resolve_deprecated, resolve_model
from modelstudio_core.catalog.deprecation import _REPLACEMENTS
from modelstudio_core.emulator import Emulator
from modelstudio_core.endpoints import _MODES, _REGIONS, Endpoint, resolve_endpoint
from modelstudio_core.errors import ConfigurationError, ModelDeprecationWarning
from modelstudio_core.policy import set_policy

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


class Snippet(NamedTuple):
    """A Python block, the number of its first line, and the output below it."""

    code: str
    line: int
    output: str | None


def snippets(page: str = README) -> Iterator[Snippet]:
    blocks = list(_BLOCK.finditer(page))
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        if block[1] != "python":
            continue
        line = page.count("\n", 0, block.start(2))
        between = page[block.end() : after.start()] if after else "no output"
        shown = (
            after[2] if after and after[1] == "text" and not between.strip() else None
        )
        yield Snippet(block[2], line, shown)


def table(*header: str) -> list[list[str]]:
    """Return the cells of the table with this header, without its backticks."""
    start = README.index(f"| {' | '.join(header)} |\n")
    lines = README[start:].partition("\n\n")[0].splitlines()[2:]
    return [
        [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        for line in lines
    ]


def names(cell: str) -> list[str]:
    return [name.strip() for name in cell.split(",") if name.strip()]


# --- Snippets ---------------------------------------------------------------------


@pytest.fixture
def redirected(
    modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Emulator:
    """Send every request to the emulator; everything else is as resolved."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", modelstudio_emulator.api_key)
    local = resolve_endpoint(base_url=modelstudio_emulator.base_url)

    def redirect(**kwargs: Any) -> Endpoint:
        endpoint = resolve_endpoint(**kwargs)
        if kwargs.get("base_url") is not None:
            return endpoint
        return replace(
            endpoint,
            openai_base_url=local.openai_base_url,
            dashscope_base_url=local.dashscope_base_url,
            rerank_base_url=local.rerank_base_url,
        )

    monkeypatch.setattr(arguments, "resolve_endpoint", redirect)
    return modelstudio_emulator


def run(snippet: Snippet, namespace: dict[str, Any]) -> None:
    """Run a block, with the README's line numbers in tracebacks."""
    source = "\n" * snippet.line + snippet.code
    code = compile(source, str(ROOT / "README.md"), "exec")
    exec(code, namespace)  # noqa: S102 - the README is what is tested


def expected_warning(snippet: Snippet) -> AbstractContextManager[Any]:
    """Return the context for the warning of a block with a delisted model."""
    if 'model="deepseek-r1"' in snippet.code:
        return pytest.warns(ModelDeprecationWarning, match="deepseek-r1 was delisted")
    return nullcontext()


def test_snippets_run_and_print_what_is_shown(
    redirected: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace: dict[str, Any] = {"__name__": "readme"}
    count = 0
    for snippet in snippets():
        count += 1
        with expected_warning(snippet):
            run(snippet, namespace)
        printed = capsys.readouterr().out
        if snippet.output is not None:
            assert printed == snippet.output
        if "print(" in snippet.code:
            assert printed.strip()
        for test in defined_tests(snippet, namespace):
            test(redirected)
    assert count == README.count("```python") >= 10
    assert len(redirected.requests) >= 8


def test_the_snippets_of_the_compliance_page_run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    modelstudio_emulator: Emulator,
) -> None:
    """The recipe for the EU as it is printed, and then a record in the file."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", modelstudio_emulator.api_key)
    monkeypatch.chdir(tmp_path)
    logger = logging.getLogger("modelstudio.audit")
    monkeypatch.setattr(logger, "propagate", True)
    page = (ROOT / "docs" / "compliance.md").read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "compliance"}
    handlers, level = [*logger.handlers], logger.level
    try:
        for snippet in snippets(page):
            run(snippet, namespace)
            assert capsys.readouterr().out == (snippet.output or "")
        set_policy(None)
        ChatModelStudio(
            model="qwen-plus", base_url=modelstudio_emulator.base_url
        ).invoke("Hi")
    finally:
        for handler in logger.handlers:
            handler.close()
        logger.handlers, logger.level = handlers, level
        logger.setLevel(level)
    (line,) = (tmp_path / "audit.jsonl").read_text().splitlines()
    names_in_page = {
        name
        for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert set(json.loads(line)) == {n for n in names_in_page if n.islower()}


def defined_tests(snippet: Snippet, namespace: dict[str, Any]) -> list[FunctionType]:
    """Return the tests that a block defines, which use the emulator fixture."""
    defined = re.findall(
        r"^def (test_\w+)\(modelstudio_emulator\)", snippet.code, re.MULTILINE
    )
    return [namespace[name] for name in defined]


@pytest.mark.usefixtures("redirected")
def test_streams_show_reasoning_before_the_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    namespace: dict[str, Any] = {"__name__": "readme"}
    for snippet in list(snippets())[:2]:
        run(snippet, namespace)
    message = namespace["llm"].invoke("Which is greater, 9.9 or 9.11?")
    expected = message.additional_kwargs["reasoning_content"] + message.content
    assert capsys.readouterr().out == expected


def test_shown_outputs_are_all_compared() -> None:
    compared = [snippet for snippet in snippets() if snippet.output is not None]
    assert len(compared) == README.count("```text")


# --- Tables -----------------------------------------------------------------------


def test_region_table() -> None:
    rows = table("region", "also", "data location", "host", "host with a workspace")
    assert [row[0] for row in rows] == list(_REGIONS)
    for region, also, location, host, workspace_host in rows:
        assert names(also)
        for name in (region, *names(also)):
            assert resolve_endpoint(region=name, workspace="ws-123").region == region
        endpoint = resolve_endpoint(region=region, workspace="ws-123")
        assert endpoint.data_location == location
        wanted = host if workspace_host == "the same" else workspace_host
        assert endpoint.host == wanted.format(workspace="ws-123")
        in_header = {"X-DashScope-WorkSpace": "ws-123"}
        assert endpoint.headers == (in_header if workspace_host == "the same" else {})
        if host == "none":
            with pytest.raises(ConfigurationError, match="needs a workspace"):
                resolve_endpoint(region=region)
        else:
            assert resolve_endpoint(region=region).host == host


def test_mode_table() -> None:
    rows = table("mode", "also", "regions", "inference scope")
    assert sorted(row[0] for row in rows) == sorted(_MODES)
    bound: set[tuple[str, str]] = set()
    for mode, also, regions, scope in rows:
        for name in (mode, *names(also)):
            for region in names(regions):
                endpoint = resolve_endpoint(
                    mode=name, region=region, workspace="ws-123"
                )
                assert endpoint.mode == mode
                assert endpoint.inference_scope == scope
                bound.add((region, mode))
    assert bound == {
        (region, mode) for region, facts in _REGIONS.items() for mode in facts.modes
    }


def test_replacement_table() -> None:
    rows = table("model", "replacement", "default thinking")
    replacements = {
        model: (target, thinking)
        for models, target, thinking in rows
        for model in names(models)
    }
    assert set(replacements) == set(_REPLACEMENTS)
    for model, (target, thinking) in replacements.items():
        resolved = resolve_deprecated(model)
        assert resolved.profile.id == target
        assert resolved.default_thinking is (thinking == "on")
        assert str(resolve_model(model).delisted) == "2026-07-09"


# --- Links ------------------------------------------------------------------------


def test_links_and_commands_exist() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / link).is_file(), link
    for anchor in re.findall(r"\]\(#([^)]+)\)", README):
        title = anchor.capitalize().replace("-", " ")
        assert f"\n## {title}\n" in README, anchor
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert targets
    for target in targets:
        assert f"\n{target}:" in makefile
