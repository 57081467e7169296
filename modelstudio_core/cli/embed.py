"""``modelstudio embed``: the vectors of texts."""

import sys
from typing import Annotated, Any, Final, Literal

import typer

from modelstudio_core.cli.connection_options import ConnectionOptions
from modelstudio_core.cli.reports import Output, printable

_SHOWN_NUMBERS: Final = 4
_SHOWN_CHARACTERS: Final = 40


def embed(
    output: Output,
    connection: ConnectionOptions,
    *,
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="The texts. Else each line that is piped is one."),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="The model id.")
    ] = "text-embedding-v4",
    dimensions: Annotated[
        int | None, typer.Option(help="The length of the vectors.")
    ] = None,
    instruct: Annotated[
        str | None, typer.Option(help="An instruction for queries, in English.")
    ] = None,
    query: Annotated[
        bool,
        typer.Option("--query/--document", help="What the texts are. (documents)"),
    ] = False,
) -> None:
    """Embed texts. --json has all numbers, without it the first ones are shown."""
    from modelstudio_core.cli.services import Embedder
    from modelstudio_core.errors import ConfigurationError

    embedder = Embedder(
        model=model,
        dimensions=dimensions,
        instruct=instruct,
        **connection.arguments(output),
    )
    output.expect_model(embedder.resolved.profile.id, embedder.endpoint)
    rows = texts or []
    if not rows and not sys.stdin.isatty():
        rows = [line.rstrip("\n") for line in sys.stdin if line.strip()]
    if not rows:
        raise ConfigurationError("There is no text: pass some, or pipe lines.")
    text_type: Literal["query", "document"] = "query" if query else "document"
    vectors = embedder.embed(rows, text_type)
    value = {
        "model": embedder.resolved_model,
        "dimensions": len(vectors[0]),
        "text_type": text_type,
        "vectors": vectors,
        "usage": embedder.usage._asdict(),
        "region": embedder.endpoint.region,
        "mode": embedder.endpoint.mode,
    }
    output.emit(value, lambda: _show(output, rows, value))


def _show(output: Output, rows: list[str], value: dict[str, Any]) -> None:
    for text, vector in zip(rows, value["vectors"], strict=True):
        numbers = ", ".join(f"{number:+.4f}" for number in vector[:_SHOWN_NUMBERS])
        shown = printable(text[:_SHOWN_CHARACTERS].replace("\n", " "))
        output.console.print(f"{shown:{_SHOWN_CHARACTERS}}  [{numbers}, ...]")
    usage = value["usage"]
    output.note(
        f"[{value['dimensions']} dimensions, {usage['input_tokens']} tokens in"
        f" {usage['requests']} requests, {value['model']}]"
    )
