"""The same scenarios with the real service and with the emulator, and what differed.

``make live`` is the first thing to run for whoever has a key: nothing in this
repository has been tried with the service. It runs the scenarios on the emulator, says
how many tokens the service will charge for, asks, runs them with the service, and
writes a page that lists every difference. Prices are not known to this package.

``--base-url`` tries it with another address, such as that of an emulator.
"""

import argparse
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from langchain_modelstudio import (
    ChatModelStudio,
    ModelStudioEmbeddings,
    ModelStudioRerank,
)
from modelstudio_core import __version__
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator
from modelstudio_core.endpoints import Endpoint, Protocol
from modelstudio_core.errors import APIError, ConfigurationError, ModelStudioError
from modelstudio_core.model_list import list_models
from tests.support.cassettes import SCENARIOS, to_langchain
from tests.support.cassettes.scenarios import Scenario

__all__ = ["main"]

ROOT: Final = Path(__file__).parents[1]
# A model may think more than the emulator does: a round number for each such scenario.
THINKING_ALLOWANCE: Final = 2000
_US_SUFFIX: Final = "-us"


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario.

    Attributes:
        facts: What must be the same everywhere: not texts, but which parts there are.
        input_tokens: The tokens of the input.
        output_tokens: The tokens of the output.
    """

    facts: Mapping[str, object]
    input_tokens: int = 0
    output_tokens: int = 0


Run = Callable[[Mapping[str, Any]], Outcome]


@dataclass(frozen=True)
class LiveScenario:
    """A scenario.

    Attributes:
        run: Runs it with the arguments of a connection.
        thinks: Whether the model thinks in it.
        model: The model id; empty for none.
    """

    run: Run
    thinks: bool = False
    model: str = ""


# --- Scenarios ------------------------------------------------------------------------


def scenarios() -> dict[str, LiveScenario]:
    """Return the scenarios by their names: free ones, then each kind of call."""
    found: dict[str, LiveScenario] = {
        "list of models": LiveScenario(list_all),
        "wrong key": LiveScenario(use_wrong_key),
        "wrong model": LiveScenario(partial(ask, "openai", "no-such-model")),
    }
    for name, scenario in SCENARIOS.items():
        if scenario.reply is not None or scenario.wrong_key or scenario.warning:
            continue
        thinks = scenario.options.get("enable_thinking") is not False
        for protocol in scenario.protocols:
            run = partial(run_chat, scenario, protocol)
            found[f"{name}, {protocol}"] = LiveScenario(run, thinks, scenario.model)
    found["embeddings"] = LiveScenario(embed, model="text-embedding-v4")
    found["reranking"] = LiveScenario(rerank, model="qwen3-rerank")
    return found


def list_all(connection: Mapping[str, Any]) -> Outcome:
    """Ask for the list of models, which is free."""
    models = list_models(resolve_connection(connection))
    return Outcome({"has models": bool(models.ids), "is complete": models.is_complete})


def use_wrong_key(connection: Mapping[str, Any]) -> Outcome:
    """Use a key that nobody has."""
    return ask("openai", "qwen-plus", {**connection, "api_key": "sk-0123456789abcdef"})


def ask(protocol: Protocol, model: str, connection: Mapping[str, Any]) -> Outcome:
    """Ask something, without thinking."""
    llm = ChatModelStudio(**merged(connection, protocol=protocol, model=model))
    return outcome_of(llm.invoke("Hi", max_tokens=8))


def run_chat(
    scenario: Scenario, protocol: Protocol, connection: Mapping[str, Any]
) -> Outcome:
    """Run a scenario of the cassettes, at the place of the connection."""
    llm = ChatModelStudio(**merged(connection, protocol=protocol, model=scenario.model))
    messages = to_langchain(scenario.prompt)
    if not scenario.stream:
        return outcome_of(llm.invoke(messages, **scenario.options))
    joined: AIMessageChunk | None = None
    count = 0
    for chunk in llm.stream(messages, **scenario.options):
        joined = chunk if joined is None else joined + chunk
        count += 1
    assert joined is not None
    return outcome_of(joined, {"came in several chunks": count > 1})


def embed(connection: Mapping[str, Any]) -> Outcome:
    """Embed two documents and a query."""
    arguments = merged(connection, model="text-embedding-v4", dimensions=256)
    embeddings = ModelStudioEmbeddings(**arguments)
    vectors = embeddings.embed_documents(["A red fox.", "A blue car."])
    query = embeddings.embed_query("Which fox?")
    facts = {
        "lengths": [len(vector) for vector in [*vectors, query]],
        "the right one is nearest": dot(vectors[0], query) > dot(vectors[1], query),
    }
    return Outcome(facts, input_tokens=embeddings.usage.input_tokens)


def merged(connection: Mapping[str, Any], **arguments: object) -> dict[str, Any]:
    """Return the arguments of a constructor."""
    return {**connection, **arguments}


def dot(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the scalar product of two vectors."""
    return sum(a * b for a, b in zip(left, right, strict=True))


def rerank(connection: Mapping[str, Any]) -> Outcome:
    """Rank two documents."""
    reranker = ModelStudioRerank(**merged(connection, model="qwen3-rerank"))
    ranked = reranker.rerank(["A blue car.", "A red fox."], "Which fox?")
    facts = {"order": [item["index"] for item in ranked]}
    return Outcome(facts, input_tokens=reranker.usage.input_tokens)


def outcome_of(
    message: BaseMessage, more: Mapping[str, object] | None = None
) -> Outcome:
    """Return the facts of an answer: which parts it has, not what they say."""
    assert isinstance(message, AIMessage)
    usage: Mapping[str, Any] = message.usage_metadata or {}
    details = usage.get("output_token_details") or {}
    metadata = message.response_metadata
    facts = {
        "has text": bool(message.text),
        "has reasoning": bool(message.additional_kwargs.get("reasoning_content")),
        "calls": [call["name"] for call in message.tool_calls],
        "invalid calls": len(message.invalid_tool_calls),
        "finish reason": metadata.get("finish_reason"),
        "has a request id": bool(metadata.get("request_id")),
        "has usage": bool(usage),
        "counts reasoning tokens": bool(details.get("reasoning")),
        # The place is another one.
        "metadata": sorted(set(metadata) - {"region", "mode"}),
        **(more or {}),
    }
    return Outcome(facts, usage.get("input_tokens", 0), usage.get("output_tokens", 0))


def try_scenario(scenario: LiveScenario, connection: Mapping[str, Any]) -> Outcome:
    """Run a scenario; an error is an outcome too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return scenario.run(connection)
    except APIError as error:
        facts = {
            "error": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "has a request id": bool(error.request_id),
        }
        return Outcome(facts)
    except (ModelStudioError, ValueError) as error:
        return Outcome({"error": type(error).__name__})


# --- The command ----------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios.

    Args:
        arguments: The command line; None is that of the process.

    Returns:
        0; 2 if there is no key, or if it was not agreed to.
    """
    parser = argparse.ArgumentParser(prog="make live", description=__doc__)
    for name in ("region", "mode", "workspace", "base-url"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--report", type=Path, default=ROOT / "build" / "live.md")
    options = parser.parse_args(arguments)
    names = ("region", "mode", "workspace", "base_url")
    connection = {n: v for n in names if (v := getattr(options, n)) is not None}
    try:
        endpoint = resolve_connection(connection).endpoint
    except ConfigurationError as error:
        say(f"{error}")
        return 2
    chosen = {
        name: scenario
        for name, scenario in scenarios().items()
        if scenario.model.endswith(_US_SUFFIX) == (endpoint.mode == "us")
        or not scenario.model
    }
    say(f"Running {len(chosen)} scenarios on the emulator, which is free ...")
    with Emulator() as studio:
        local = {"base_url": studio.base_url, "api_key": studio.api_key}
        expected = {n: try_scenario(s, local) for n, s in chosen.items()}
    say(estimate(chosen, expected, endpoint))
    if not (options.yes or agreed()):
        return 2
    found: dict[str, Outcome] = {}
    for name, scenario in chosen.items():
        found[name] = try_scenario(scenario, connection)
        say(f"{name}: {', '.join(differences(expected[name], found[name])) or 'same'}")
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(to_markdown(endpoint, expected, found), encoding="utf-8")
    say(f"Written: {options.report}")
    return 0


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def agreed() -> bool:
    """Ask whether to go on. Without a terminal the answer is no."""
    if not sys.stdin.isatty():
        say("Nothing was sent. Pass --yes to go on.")
        return False
    return input("Go on? [y/N] ").strip().casefold() in {"y", "yes"}


def estimate(
    chosen: Mapping[str, LiveScenario],
    expected: Mapping[str, Outcome],
    endpoint: Endpoint,
) -> str:
    """Return what the service will be asked to do, and how many tokens that is."""
    inputs = sum(outcome.input_tokens for outcome in expected.values())
    outputs = sum(outcome.output_tokens for outcome in expected.values())
    thinking = THINKING_ALLOWANCE * sum(s.thinks for s in chosen.values())
    models = sorted({s.model for s in chosen.values() if s.model})
    return (
        f"{len(chosen)} scenarios will be sent to {endpoint.host}. By the emulator's"
        f" count they use about {inputs:,} input tokens and {outputs:,} output tokens,"
        f" and up to {thinking:,} more where models think, of {', '.join(models)}."
        " Prices are on the pricing page of the service; this package does not know"
        " them."
    )


def differences(expected: Outcome, found: Outcome) -> list[str]:
    """Return what differs from the emulator, as sentences without a full stop."""
    names = dict.fromkeys((*expected.facts, *found.facts))
    return [
        f"{name}: {found.facts.get(name)!r}, with the emulator"
        f" {expected.facts.get(name)!r}"
        for name in names
        if expected.facts.get(name) != found.facts.get(name)
    ]


def to_markdown(
    endpoint: Endpoint,
    expected: Mapping[str, Outcome],
    found: Mapping[str, Outcome],
) -> str:
    """Return the page."""
    place = endpoint.region or endpoint.host
    tokens = [
        sum(getattr(outcome, name) for outcome in found.values())
        for name in ("input_tokens", "output_tokens")
    ]
    day = datetime.now(UTC).date().isoformat()
    used = f"{tokens[0]:,} input tokens and {tokens[1]:,} output tokens"
    lines = [
        "# With the real service",
        "",
        f"Version {__version__}, {place}, mode {endpoint.mode or 'not known'}, {day}.",
        f"Used: {used}.",
        "`make live` writes this page.",
        "",
        "| scenario | differs from the emulator in |",
        "|---|---|",
    ]
    for name, outcome in found.items():
        cells = "; ".join(differences(expected[name], outcome)) or "nothing"
        lines.append(f"| {name} | {cells.replace('|', chr(92) + '|')} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
