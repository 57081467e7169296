"""Write ``docs/comparison.md`` from the verdicts."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks.environments import installed_versions, interpreter
from comparison.clients import CLIENTS, Client, Framework, build_arguments
from comparison.scenario import Scenario
from comparison.scenarios import SCENARIOS
from comparison.verdict import Verdict
from modelstudio_core import __version__

__all__ = ["Column", "client_versions", "format_page"]

Column = Mapping[str, Verdict]
Versions = Mapping[str, str]
_FRAMEWORKS: Final[Mapping[Framework, str]] = {
    "langchain": "LangChain",
    "llamaindex": "LlamaIndex",
}
_INTRODUCTION: Final = """\
# Comparison

What `ChatModelStudio`, `ModelStudio` and the classes that can be used in their place
keep, lose or corrupt of what Model Studio sends and should receive. `make compare`
wrote this page: each class runs in its own process and environment with the same
scripted server, and the verdict is made from what the class returned and what the
server received.

When you read it, note:

- The server is this project's [emulator](testing.md), not the service. Where
  a row scripts the reply, its bytes have the shape of a recorded response. Elsewhere
  the emulator plays the model by the documented rules, such as "no forced tool while
  thinking".
- The rows are features that this project was made to keep, so its own columns are no
  surprise; they are here so that a regression is seen. Features that only the others
  have (other services, embeddings, batches, the Responses API) have no row.
- `ChatOpenAI` documents that it drops what other services add to OpenAI's protocol, and
  recommends packages such as these.

| verdict | meaning |
|---|---|
| kept | as the row says |
| by option | kept only with an option of the class, which the row names |
| lost | it is not received, not sent, or not reported |
| corrupted | something else is received or sent |
| error | an exception, from the class or from the server, where none is expected |
| not tested | the environment does not have what the row needs |
"""


def client_versions(client: Client) -> Versions:
    """Return the installed versions of a client's packages."""
    return installed_versions(interpreter(client.environment), client.packages)


def format_page(columns: Mapping[str, Column], versions: Mapping[str, Versions]) -> str:
    """Return the page.

    Args:
        columns: The verdicts by the client's name and the scenario's title.
        versions: The versions by the client's name.
    """
    parts = [
        _INTRODUCTION,
        *_clients(versions),
        *(_table(framework, columns) for framework in _FRAMEWORKS),
        *_summary(columns),
        "## Row by row\n",
        *_details(columns),
    ]
    return "\n".join(parts)


# --- Clients ----------------------------------------------------------------------


def _clients(versions: Mapping[str, Versions]) -> Iterator[str]:
    python = ".".join(platform.python_version_tuple()[:2])
    yield "## The classes\n"
    yield f"Python {python}, this project {__version__}.\n"
    yield "| column | protocol | model | arguments | packages |\n|---|---|---|---|---|"
    for client in CLIENTS:
        packages = ", ".join(f"{k} {v}" for k, v in versions[client.name].items())
        model, arguments = f"`{client.model}`", _arguments(client)
        cells = (client.name, client.protocol, model, arguments, packages)
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield (
        "`model` is of the family that a class is made for. The `dashscope` SDK has one"
        " URL for the process, which is set there. `ChatTongyi` streams only with"
        " `streaming=True`: rows about streams set it, except the one about the default"
        " arguments.\n"
    )


def _arguments(client: Client) -> str:
    arguments = build_arguments(client, "http://…", "sk-…", client.model)
    del arguments[next(name for name in arguments if name.startswith("model"))]
    text = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return f"`{text}`"


# --- Tables -----------------------------------------------------------------------


def _clients_of(framework: Framework) -> list[Client]:
    return [client for client in CLIENTS if client.framework == framework]


def _rows(framework: Framework | None = None) -> Iterator[tuple[int, Scenario]]:
    """Yield the scenarios with their numbers."""
    scenarios = [scenario for _, group in SCENARIOS for scenario in group]
    for number, scenario in enumerate(scenarios, 1):
        if framework is None or framework in scenario.frameworks:
            yield number, scenario


def _table(framework: Framework, columns: Mapping[str, Column]) -> str:
    clients = _clients_of(framework)
    rows = list(_rows(framework))
    kept = [
        sum(columns[client.name][row.title].word == "kept" for _, row in rows)
        for client in clients
    ]
    lines = [
        f"## {_FRAMEWORKS[framework]}\n",
        f"| | | {' | '.join(client.name for client in clients)} |",
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
    yield "## Where other classes are as good or better\n"
    for framework, name in _FRAMEWORKS.items():
        rows = list(_rows(framework))
        yield f"**{name}.** Kept by all: {_kept_by_all(rows, columns, framework)}."
        better = list(_better(rows, columns, _clients_of(framework)))
        yield f"Kept by others but not by this project: {', '.join(better) or 'none'}."
        for client in _clients_of(framework):
            if not client.is_own:
                yield f"- {client.name} keeps {_kept_by(rows, columns[client.name])}."
        yield ""


def _kept_by_all(
    rows: Sequence[tuple[int, Scenario]],
    columns: Mapping[str, Column],
    framework: Framework,
) -> str:
    clients = _clients_of(framework)
    numbers = [
        str(number)
        for number, row in rows
        if all(columns[client.name][row.title].word == "kept" for client in clients)
    ]
    return ", ".join(numbers) or "none"


def _better(
    rows: Sequence[tuple[int, Scenario]],
    columns: Mapping[str, Column],
    clients: Sequence[Client],
) -> Iterator[str]:
    for number, row in rows:
        kept = {c.name for c in clients if columns[c.name][row.title].word == "kept"}
        worse = [c.name for c in clients if c.is_own and c.name not in kept]
        others = [c.name for c in clients if not c.is_own and c.name in kept]
        if worse and others:
            yield f"{number} ({', '.join(others)})"


def _kept_by(rows: Sequence[tuple[int, Scenario]], column: Column) -> str:
    numbers = [str(number) for number, row in rows if column[row.title].word == "kept"]
    return ", ".join(numbers) or "none"


# --- Details ----------------------------------------------------------------------


def _details(columns: Mapping[str, Column]) -> Iterator[str]:
    first_of_group = {group[0].title: name for name, group in SCENARIOS}
    for number, scenario in _rows():
        if scenario.title in first_of_group:
            yield f"### {first_of_group[scenario.title]}\n"
        yield f"**{number}. {scenario.title}.** {scenario.expected}\n"
        evidence = list(_evidence(scenario, columns))
        yield "\n".join(evidence or ["- Kept by all."])
        yield ""


def _evidence(scenario: Scenario, columns: Mapping[str, Column]) -> Iterator[str]:
    """Yield a line for each verdict that is not simply "kept"."""
    names: dict[Verdict, list[str]] = {}
    for client in CLIENTS:
        if client.framework in scenario.frameworks:
            verdict = columns[client.name][scenario.title]
            names.setdefault(verdict, []).append(client.name)
    for verdict, clients in names.items():
        if verdict.word == "kept" and not verdict.evidence:
            continue
        evidence = verdict.evidence or "see above"
        yield f"- {'; '.join(clients)}: {verdict.word}. {_sentence(evidence)}"


def _sentence(text: str) -> str:
    capital = text if text.startswith("`") else text[0].upper() + text[1:]
    return capital if capital.endswith((".", "…")) else f"{capital}."
