"""The state of an emulator is bounded, so that it can serve for weeks."""

import pytest

from modelstudio_core.emulator import Emulator
from modelstudio_core.emulator import studio as studio_module
from modelstudio_core.emulator.studio import Studio
from tests.emulator.helpers import OpenAIClient


def build_studio(max_requests: int) -> Studio:
    return Studio(
        api_key="sk-x", generation="empty", chunk_delay=0, max_requests=max_requests
    )


@pytest.mark.parametrize(("max_requests", "kept"), [(0, []), (1, [2]), (9, [0, 1, 2])])
def test_the_last_requests_are_kept(max_requests: int, kept: list[int]) -> None:
    studio = build_studio(max_requests)
    for number in range(3):
        studio.record("POST", "/", {}, str(number).encode())
    assert [request.body for request in studio.requests] == kept


def test_an_emulator_keeps_ten_thousand_requests() -> None:
    studio = Emulator()._studio
    for _ in range(10_001):
        studio.record("POST", "/", {}, b"")
    assert len(studio.requests) == 10_000


def test_max_requests_can_be_set(client: OpenAIClient) -> None:
    with Emulator(max_requests=2) as studio:
        for path in ("/a", "/b", "/c"):
            client.http.get(studio.base_url + path)
        assert [request.path for request in studio.requests] == ["/b", "/c"]


def test_a_negative_max_requests_is_an_error() -> None:
    with pytest.raises(ValueError, match="max_requests must be 0 or more, got -1"):
        Emulator(max_requests=-1)


def test_repeated_requests_have_different_ids() -> None:
    studio = build_studio(0)
    ids = {studio.record("POST", "/", {}, b"{}")[1].request_id for _ in range(3)}
    assert len(ids) == 3


def test_the_counts_of_bodies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "_MAX_COUNTED_BODIES", 2)
    studio = build_studio(0)
    for number in range(5):
        studio.record("POST", "/", {}, str(number).encode())
    assert len(studio._body_counts) == 2
