"""Write ``docs/comparison.md`` out of the verdicts."""

import json
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks.environments import interpreter
from comparison.clients import CLIENTS, Client, Framework, arguments_of
from comparison.scenario import Scenario
from comparison.scenarios import SCENARIOS
from comparison.verdict import Verdict
from modelstudio_core import __version__

__all__ = ["Column", "versions", "write"]

Column = Mapping[str, Verdict]
Versions = Mapping[str, str]
_FRAMEWORKS: Final[Mapping[Framework, str]] = {
    "langchain": "LangChain",
    "llamaindex": "LlamaIndex",
}
_VERSIONS: Final = """
import json, sys
from importlib.metadata import version
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""
_INTRODUCTION: Final = """\
# Comparison

What `ChatModelStudio` and `ModelStudio` keep, lose or corrupt of what Model Studio
sends and is to be sent, beside the classes that can be used in their place. `make
compare` made this page: each class runs in a process and an environment of its own
against the same scripted server, and the verdict is made from what the class returned
and from what the server received.

Read it with this in mind:

- The server is this project's [emulator](../README.md#offline), not the service. Where
  a row scripts the answer, it is bytes in a recorded shape; where the model is played,
  the documented rules hold, such as "no forced tool while thinking".
- The rows are things that this project was made to keep, so its own columns are no
  surprise; they are here so that they cannot rot. What the others do beyond it (other
  services, embeddings, batches, the Responses API) is not a row.
- `ChatOpenAI` documents that it drops what other services add to OpenAI's protocol, and
  points to packages such as these.

| verdict | meaning |
|---|---|
| kept | as it should be, see the row |
| by option | kept only where an option of the class is set, which the row names |
| lost | it does not arrive, is not sent, or is not told |
| corrupted | something arrives, or is sent, that nobody said |
| error | an exception, from the class or from the server, where there should be none |
| not tried | the environment lacks what the row needs |
"""


def versions(client: Client) -> Versions:
    """Return the versions of a client's packages, as they are installed."""
    command = [str(interpreter(client.environment)), "-c", _VERSIONS, *client.packages]
    said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command
    found: Versions = json.loads(said.stdout)
    return found


def write(columns: Mapping[str, Column], found: Mapping[str, Versions]) -> str:
    """Return the page.

    Args:
        columns: The verdicts by the client's name, each by the scenario's title.
        found: The versions by the client's name.
    """
    parts = [
        _INTRODUCTION,
        *_clients(found),
        *(_table(framework, columns) for framework in _FRAMEWORKS),
        *_summary(columns),
        "## Row by row\n",
        *_details(columns),
    ]
    return "\n".join(parts)


# --- Clients ----------------------------------------------------------------------


def _clients(found: Mapping[str, Versions]) -> Iterator[str]:
    python = ".".join(platform.python_version_tuple()[:2])
    yield "## The classes\n"
    yield f"Python {python}, this project {__version__}.\n"
    yield "| column | protocol | model | made with | packages |\n|---|---|---|---|---|"
    for client in CLIENTS:
        packages = ", ".join(f"{k} {v}" for k, v in found[client.name].items())
        cells = (client.name, client.protocol, f"`{client.model}`", _made(client))
        yield f"| {' | '.join((*cells, packages))} |"
    yield ""
    yield (
        "`model` is one of the family that a class is made for. The `dashscope` SDK"
        " takes its address from a variable of the whole process; it is set there."
        " `ChatTongyi` streams with `streaming=True` only, so that rows about streams"
        " set it, but for the one that asks for that.\n"
    )


def _made(client: Client) -> str:
    arguments = arguments_of(client, "http://…", "sk-…", client.model)
    del arguments[next(name for name in arguments if name.startswith("model"))]
    said = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return f"`{said}`"


# --- Tables -----------------------------------------------------------------------


def _of(framework: Framework) -> list[Client]:
    return [client for client in CLIENTS if client.framework == framework]


def _rows(framework: Framework | None = None) -> Iterator[tuple[int, Scenario]]:
    """Return the scenarios with their numbers."""
    every = [scenario for _, group in SCENARIOS for scenario in group]
    for number, scenario in enumerate(every, 1):
        if framework is None or framework in scenario.frameworks:
            yield number, scenario


def _table(framework: Framework, columns: Mapping[str, Column]) -> str:
    clients = _of(framework)
    rows = list(_rows(framework))
    kept = [
        sum(columns[it.name][row.title].word == "kept" for _, row in rows)
        for it in clients
    ]
    lines = [
        f"## {_FRAMEWORKS[framework]}\n",
        f"| | | {' | '.join(it.name for it in clients)} |",
        f"|---|---|{'---|' * len(clients)}",
        *(_row(number, row, clients, columns) for number, row in rows),
        f"| | kept, of {len(rows)} | {' | '.join(map(str, kept))} |\n",
    ]
    return "\n".join(lines)


def _row(
    number: int,
    scenario: Scenario,
    clients: Sequence[Client],
    columns: Mapping[str, Column],
) -> str:
    words = [columns[client.name][scenario.title].word for client in clients]
    shown = [word if word == "kept" else f"**{word}**" for word in words]
    return f"| {number} | {scenario.title} | {' | '.join(shown)} |"


def _summary(columns: Mapping[str, Column]) -> Iterator[str]:
    yield "## Where the others are as good, and where better\n"
    for framework, name in _FRAMEWORKS.items():
        rows = list(_rows(framework))
        yield f"**{name}.** Kept by all: {_numbers(rows, columns, framework)}."
        better = list(_better(rows, columns, _of(framework)))
        yield f"Kept by another and not by ours: {', '.join(better) or 'none'}."
        for client in _of(framework):
            if not client.is_ours:
                yield f"- {client.name} keeps {_kept_by(rows, columns[client.name])}."
        yield ""


def _numbers(
    rows: Sequence[tuple[int, Scenario]],
    columns: Mapping[str, Column],
    framework: Framework,
) -> str:
    clients = _of(framework)
    all_keep = [
        str(number)
        for number, row in rows
        if all(columns[it.name][row.title].word == "kept" for it in clients)
    ]
    return ", ".join(all_keep) or "none"


def _better(
    rows: Sequence[tuple[int, Scenario]],
    columns: Mapping[str, Column],
    clients: Sequence[Client],
) -> Iterator[str]:
    for number, row in rows:
        words = {it.name: columns[it.name][row.title].word for it in clients}
        ours = [it for it in clients if it.is_ours and words[it.name] != "kept"]
        others = [it for it in clients if not it.is_ours and words[it.name] == "kept"]
        if ours and others:
            yield f"{number} ({', '.join(it.name for it in others)})"


def _kept_by(rows: Sequence[tuple[int, Scenario]], column: Column) -> str:
    kept = [str(number) for number, row in rows if column[row.title].word == "kept"]
    return ", ".join(kept) or "none"


# --- Details ----------------------------------------------------------------------


def _details(columns: Mapping[str, Column]) -> Iterator[str]:
    first_of_group = {group[0].title: name for name, group in SCENARIOS}
    for number, scenario in _rows():
        if scenario.title in first_of_group:
            yield f"### {first_of_group[scenario.title]}\n"
        yield f"**{number}. {scenario.title}.** {scenario.kept}\n"
        evidence = list(_evidence(scenario, columns))
        yield "\n".join(evidence or ["- Kept by all, with nothing to add."])
        yield ""


def _evidence(scenario: Scenario, columns: Mapping[str, Column]) -> Iterator[str]:
    """Return a line for each verdict that has something to tell."""
    names: dict[Verdict, list[str]] = {}
    for client in CLIENTS:
        if client.framework in scenario.frameworks:
            verdict = columns[client.name][scenario.title]
            names.setdefault(verdict, []).append(client.name)
    for verdict, found in names.items():
        if verdict.word == "kept" and not verdict.evidence:
            continue
        evidence = verdict.evidence or "see above"
        yield f"- {'; '.join(found)}: {verdict.word}. {_sentence(evidence)}"


def _sentence(text: str) -> str:
    capital = text if text.startswith("`") else text[0].upper() + text[1:]
    return capital if capital.endswith((".", "…")) else f"{capital}."
