"""Verdicts, and what they are made from."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from comparison.clients import Client
from modelstudio_core.emulator import RecordedRequest

__all__ = [
    "Judge",
    "Outcome",
    "Seen",
    "Verdict",
    "Word",
    "each",
    "failed",
    "of_value",
    "show",
    "told",
    "worst",
]

Word = Literal["kept", "by option", "lost", "corrupted", "error", "not tried"]
Outcome = Mapping[str, Any]
# From the best to the worst; an error at least says that something is wrong.
_ORDER: Final[Sequence[Word]] = (
    "kept",
    "by option",
    "not tried",
    "error",
    "lost",
    "corrupted",
)
_LONGEST: Final = 110
# What differs from run to run.
_UNSTABLE: Final = re.compile(
    r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|127\.0\.0\.1:\d+"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a thing, and a line of evidence."""

    word: Word
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What both sides saw of a scenario.

    Attributes:
        client: Whom it was done with.
        outcome: What the driver answered.
        requests: What the server received.
    """

    client: Client
    outcome: Outcome
    requests: Sequence[RecordedRequest]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The requests' bodies, those of the native protocol flat as the others."""
        return [_flat(request) for request in self.requests]


Judge = Callable[[Seen], Verdict]


def _flat(request: RecordedRequest) -> dict[str, Any]:
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


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict, with the evidence of all that are as bad."""
    found = list(verdicts)
    word = max(found, key=lambda it: _ORDER.index(it.word)).word
    lines = [it.evidence for it in found if it.word == word and it.evidence]
    return Verdict(word, "; ".join(dict.fromkeys(lines)))


def failed(error: Mapping[str, Any]) -> Verdict:
    """Return the verdict on an exception that should not have been raised."""
    if error["type"] == "ModuleNotFoundError" and "name" in error:
        return Verdict("not tried", f"Its environment has no `{error['name']}`.")
    return Verdict("error", told(error))


def told(error: Mapping[str, Any]) -> str:
    """Return an exception as one line that is the same in each run."""
    text = _UNSTABLE.sub("…", " ".join(str(error["message"]).split()))
    text = text.removeprefix("request_id: … ")
    if found := re.search(r"'message': (['\"])(.*?)\1, '", text):
        text = found[2]
    text = text.replace("<400> InternalError.Algo.InvalidParameter: ", "")
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()} …"
    short = short.replace("|", "\\|").replace("`", "'")
    return f"`{error['type']}`: {short}" if short else f"`{error['type']}`"


def of_value(judge: Callable[[Any, Seen], Verdict]) -> Judge:
    """Judge the value of an action; what it raised is an error."""

    def judged(seen: Seen) -> Verdict:
        error = seen.outcome.get("error")
        return failed(error) if error else judge(seen.outcome["value"], seen)

    return judged


def each(judge: Callable[[Any], Verdict]) -> Judge:
    """Judge the answer of each mode; the verdict is the worst."""

    def one(mode: str, outcome: Outcome) -> Verdict:
        error = outcome.get("error")
        found = failed(error) if error else judge(outcome["value"])
        evidence = f"{_NAMES[mode]}: {found.evidence}" if found.evidence else ""
        return Verdict(found.word, evidence)

    def judged(outcomes: Mapping[str, Outcome], seen: Seen) -> Verdict:
        del seen
        verdicts = {mode: one(mode, outcome) for mode, outcome in outcomes.items()}
        return _grouped(verdicts)

    return of_value(judged)


_NAMES: Final = {
    "whole": "whole",
    "awhole": "whole, async",
    "stream": "streamed",
    "astream": "streamed, async",
    "v3": "v3",
}


def _grouped(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Say once what is so in each mode."""
    found = worst(verdicts.values())
    said = {it.evidence.partition(": ")[2] for it in verdicts.values()}
    if len(said) == 1 and len({it.word for it in verdicts.values()}) == 1:
        return Verdict(found.word, said.pop())
    return found


def show(value: object) -> str:
    """Return a value as it stands in the evidence."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = _UNSTABLE.sub("…", text)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()} …"
    return f"`{text}`".replace("|", "\\|")
