"""Verdicts, and the observations that they are made from."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from comparison.clients import Client
from modelstudio_core.emulator import RecordedRequest

__all__ = [
    "Judge",
    "Observation",
    "Outcome",
    "Verdict",
    "Word",
    "format_count",
    "format_error",
    "format_value",
    "judge_each_mode",
    "judge_error",
    "judge_value",
    "worst",
]

Word = Literal["kept", "by option", "lost", "corrupted", "error", "not tested"]
Outcome = Mapping[str, Any]
# From the best to the worst; an error at least says that something is wrong.
_ORDER: Final[Sequence[Word]] = (
    "kept",
    "by option",
    "not tested",
    "error",
    "lost",
    "corrupted",
)
_MAX_LENGTH: Final = 110
# Addresses and ids, which differ from run to run.
_UNSTABLE: Final = re.compile(
    r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|127\.0\.0\.1:\d+"
)
_MODES: Final = {
    "call": "call",
    "acall": "async call",
    "stream": "stream",
    "astream": "async stream",
    "v3": "v3",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a client in a scenario, and a line of evidence."""

    word: Word
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was observed of a client in a scenario.

    Attributes:
        client: The client.
        outcome: What the driver returned.
        requests: What the server received.
    """

    client: Client
    outcome: Outcome
    requests: Sequence[RecordedRequest]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The requests' bodies, with those of the DashScope protocol flattened."""
        return [_flatten(request) for request in self.requests]


Judge = Callable[[Observation], Verdict]


def _flatten(request: RecordedRequest) -> dict[str, Any]:
    body: dict[str, Any] = request.body
    if "input" not in body:
        return body
    streams = request.headers.get("x-dashscope-sse") == "enable"
    return {
        **body.get("parameters", {}),
        **body["input"],
        "model": body.get("model"),
        "stream": streams,
    }


# --- Judges -----------------------------------------------------------------------


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict, with the evidence of all that are equally bad."""
    verdicts = list(verdicts)
    word = max(verdicts, key=lambda verdict: _ORDER.index(verdict.word)).word
    lines = [v.evidence for v in verdicts if v.word == word and v.evidence]
    return Verdict(word, "; ".join(dict.fromkeys(lines)))


def judge_error(error: Mapping[str, Any]) -> Verdict:
    """Return the verdict on an unexpected exception."""
    if error["type"] == "ModuleNotFoundError" and "name" in error:
        return Verdict("not tested", f"Its environment has no `{error['name']}`.")
    return Verdict("error", format_error(error))


def judge_value(judge: Callable[[Any, Observation], Verdict]) -> Judge:
    """Return a judge of an action's value; an exception is the verdict "error"."""

    def judge_observation(observation: Observation) -> Verdict:
        error = observation.outcome.get("error")
        if error:
            return judge_error(error)
        return judge(observation.outcome["value"], observation)

    return judge_observation


def judge_each_mode(judge: Callable[[Any], Verdict]) -> Judge:
    """Return a judge of the value of each mode; the verdict is the worst of them."""

    def judge_modes(outcomes: Mapping[str, Outcome], _: Observation) -> Verdict:
        verdicts = {mode: judge_mode(mode, outcomes[mode]) for mode in outcomes}
        return _merge(verdicts)

    def judge_mode(mode: str, outcome: Outcome) -> Verdict:
        error = outcome.get("error")
        verdict = judge_error(error) if error else judge(outcome["value"])
        evidence = verdict.evidence and f"{_MODES[mode]}: {verdict.evidence}"
        return Verdict(verdict.word, evidence)

    return judge_value(judge_modes)


def _merge(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Return the worst verdict; evidence that all modes share is not repeated."""
    verdict = worst(verdicts.values())
    evidence = {v.evidence.partition(": ")[2] for v in verdicts.values()}
    if len(evidence) == 1 and len({v.word for v in verdicts.values()}) == 1:
        return Verdict(verdict.word, evidence.pop())
    return verdict


# --- Evidence ---------------------------------------------------------------------


def format_error(error: Mapping[str, Any]) -> str:
    """Return an exception as one line that is the same in each run."""
    text = _UNSTABLE.sub("…", " ".join(str(error["message"]).split()))
    text = text.removeprefix("request_id: … ")
    if match := re.search(r"'message': (['\"])(.*?)\1, '", text):
        text = match[2]
    text = text.replace("<400> InternalError.Algo.InvalidParameter: ", "")
    text = _shorten(text).replace("|", "\\|").replace("`", "'")
    return f"`{error['type']}`: {text}" if text else f"`{error['type']}`"


def format_value(value: object) -> str:
    """Return a value as short JSON in backticks."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"`{_shorten(_UNSTABLE.sub('…', text))}`".replace("|", "\\|")


def format_count(observation: Observation) -> str:
    """Return the number of requests in words."""
    count = len(observation.requests)
    return f"{count} request{'' if count == 1 else 's'}"


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH].rstrip()} …"
