"""Every row of the table, in every way to ask, over both protocols."""

import pytest

from modelstudio_core import errors
from tests.faults.server import FaultServer
from tests.faults.table import LANGCHAIN, TABLE, Outcome, Row
from tests.faults.ways import WAYS, Answer, Way, ask, model
from tests.faults.wire import REQUEST_ID, Ask, Protocol, prompt

PROTOCOLS = pytest.mark.parametrize("protocol", ["openai", "dashscope"])
# Both colours wait for it in full.
SILENCE = 0.15


@PROTOCOLS
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.play)
@pytest.mark.usefixtures("at_once")
async def test_outcome(
    shared_server: FaultServer, row: Row, way: Way, protocol: Protocol
) -> None:
    timeout = SILENCE if "silence" in row.play or row.play == "left open" else 10
    llm = model(way.framework, shared_server.base_url, protocol, timeout=timeout)
    own = f"{row.play} {way} {protocol}"
    answer = await ask(llm, way, prompt(own, row.play))
    outcome = row.outcome(stream=way.stream)
    check(answer, outcome, way, own)
    sent = shared_server.seen.attempts[own]
    assert sent == (2 if outcome.tries == "all" else 1)


def check(answer: Answer, outcome: Outcome, way: Way, of: str) -> None:
    """See that what came is what the table says."""
    text = Ask("openai", stream=True, id=of).text
    if outcome.error is None:
        assert answer.error is None
        assert answer.text == text
        return
    error = answer.error
    assert isinstance(error, errors.ModelStudioError)
    parents = type(error).__mro__
    ours = next(cls for cls in parents if cls.__module__ == errors.__name__)
    assert ours is outcome.error
    if way.framework == "LangChain":
        assert isinstance(error, LANGCHAIN[outcome.error])
    assert error.status_code == outcome.status
    assert bool(answer.text) is outcome.begun
    assert text.startswith(answer.text)
    if outcome.status or outcome.begun:
        assert error.request_id == REQUEST_ID
