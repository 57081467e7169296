"""The log probabilities of the tokens of an answer, the same for the same text."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.tokens import split_tokens

__all__ = ["build_logprobs", "split_logprobs"]

_LIKELY: Final = 0.8


def build_logprobs(
    query: ChatQuery, text: str
) -> Sequence[Mapping[str, object]] | None:
    """Return an entry for each token of a text; None where none are asked for."""
    if not query.body.get("logprobs"):
        return None
    count = query.body.get("top_logprobs")
    alternatives = count if isinstance(count, int) else 0
    return [_entry(token, alternatives) for token in split_tokens(text, 1)]


def _entry(token: str, alternatives: int) -> JsonObject:
    share = _LIKELY + hashlib.sha256(token.encode()).digest()[0] / 1_280
    entry = _probability(token, math.log(share))
    # The others share what is left: each has half of what is left by those before it.
    others = [
        _probability(f"{token}{'.' * n}", math.log((1 - share) / 2**n))
        for n in range(1, alternatives)
    ]
    top = [dict(entry), *others] if alternatives else []
    return {**entry, "top_logprobs": top}


def _probability(token: str, logprob: float) -> JsonObject:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def split_logprobs(
    entries: Sequence[Mapping[str, object]], pieces: Sequence[str]
) -> list[list[Mapping[str, object]]]:
    """Return the entries of each piece of a text.

    Entries whose tokens are not the text go to the first piece.
    """
    if "".join(str(entry.get("token")) for entry in entries) != "".join(pieces):
        return [list(entries) if index == 0 else [] for index in range(len(pieces))]
    left = list(entries)
    split: list[list[Mapping[str, object]]] = []
    for piece in pieces:
        length, own = 0, list[Mapping[str, object]]()
        while left and length < len(piece):
            own.append(left.pop(0))
            length += len(str(own[-1]["token"]))
        split.append(own)
    return split
