"""Runs what the documentation shows against the emulator."""

import logging
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core import connection_checks
from modelstudio_core.emulator import Emulator
from modelstudio_core.endpoints import Endpoint, resolve_endpoint


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

    monkeypatch.setattr(connection_checks, "resolve_endpoint", redirect)
    return modelstudio_emulator


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run a test in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def restored_loggers() -> Generator[None]:
    """Remove the handlers and levels that a page sets."""
    loggers = [logging.getLogger(name) for name in ("modelstudio", "modelstudio.audit")]
    before = [(log, [*log.handlers], log.level, log.propagate) for log in loggers]
    yield
    for log, handlers, level, propagate in before:
        for handler in log.handlers:
            if handler not in handlers:
                handler.close()
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)
