"""``modelstudio models``: the catalog, and what the service lists."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from modelstudio_core.cli.connection_options import ConnectionOptions
from modelstudio_core.cli.reports import Output, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelstudio_core.catalog import ModelProfile
    from modelstudio_core.endpoints import Endpoint

# Columns of characters that the table needs.
_TABLE_WIDTH: Final = 110
_KINDS: Final = ("chat", "embedding", "rerank", "media")
# By name of a capability: the column of the profile, and the value in it that counts.
_COLUMNS: Final = {
    "tools": "tools",
    "search": "search",
    "cache": "cache",
    "partial": "partial",
    "sparse": "sparse",
    "instruct": "instruct",
    "reasoning-effort": "reasoning_effort",
}
_INPUTS: Final = ("image", "video", "audio", "pdf")
_CAPABILITIES: Final = ("thinking", "structured-output", *_COLUMNS, *_INPUTS)


def models(
    output: Output,
    connection: ConnectionOptions,
    *,
    name: Annotated[
        str | None, typer.Argument(help="A model id, or a part of one.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(_KINDS)}.")
    ] = None,
    capability: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help=f"Only models that have it: {', '.join(_CAPABILITIES)}. May be"
            " repeated.",
            metavar="CAPABILITY",
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the service which models it lists.")
    ] = False,
    deprecated: Annotated[
        bool, typer.Option("--deprecated", help="Only delisted models.")
    ] = False,
) -> None:
    """List the models of the catalog, or with --live those of the service.

    --region and --mode leave out what is known to be served elsewhere. Without --live
    nothing is sent and no key is needed.
    """
    from modelstudio_core.catalog import model_ids, resolve_model

    _check("--kind", [kind] if kind else [], _KINDS)
    _check("--with", capability or [], _CAPABILITIES)
    endpoint, listed = _ask(output, connection) if live else (_place(connection), None)
    ids = model_ids(None) if listed is None else listed
    rows = [
        _row(model_id, profile)
        for model_id in ids
        if not (name and name.casefold() not in model_id.casefold())
        for profile in (resolve_model(model_id),)
        if kind in {None, profile.kind}
        and (listed is not None or _is_served(profile, endpoint))
        and all(_has(profile, wanted) for wanted in capability or ())
        and (profile.delisted is not None or not deprecated)
    ]
    output.emit(rows, lambda: _show(output, rows))


def _check(option: str, values: "Sequence[str]", allowed: "Sequence[str]") -> None:
    from modelstudio_core.errors import ConfigurationError

    for value in values:
        if value not in allowed:
            raise ConfigurationError(
                f"{option} must be one of {', '.join(allowed)}, got {value!r}."
            )


def _place(connection: ConnectionOptions) -> "Endpoint | None":
    """Return where models must be served; None for anywhere."""
    from modelstudio_core.endpoints import (
        check_mode,
        check_region,
        documented_regions,
        resolve_endpoint,
    )

    if connection.region is None and connection.mode is None:
        return None
    region = connection.region and check_region(connection.region)
    mode = connection.mode and check_mode(connection.mode)
    regions = {info.region: info for info in documented_regions()}
    if region and mode and mode not in regions[region].modes:
        # Raises the error that says which modes there are.
        return resolve_endpoint(region=region, mode=mode)
    if region is None:
        region = next(name for name, info in regions.items() if mode in info.modes)
    # Which models there are does not depend on the workspace.
    workspace = connection.workspace or "any"
    return resolve_endpoint(region=region, mode=mode, workspace=workspace)


def _ask(output: Output, connection: ConnectionOptions) -> "tuple[Endpoint, list[str]]":
    from modelstudio_core.connection_checks import resolve_connection
    from modelstudio_core.model_list import list_models

    resolved = resolve_connection(connection.arguments(output))
    answer = list_models(resolved)
    if not answer.is_complete:
        output.note("Warning: the service has more models than it listed.")
    return resolved.endpoint, answer.ids


def _is_served(profile: "ModelProfile", endpoint: "Endpoint | None") -> bool:
    if endpoint is None:
        return True
    in_region = profile.regions is None or endpoint.region in profile.regions
    in_mode = endpoint.mode is None or endpoint.mode in (
        profile.modes or (endpoint.mode,)
    )
    return in_region and in_mode


def _has(profile: "ModelProfile", capability: str) -> bool:
    if capability in _INPUTS:
        return capability in profile.inputs
    if capability == "thinking":
        return getattr(profile, "thinking", None) not in {None, "never"}
    if capability == "structured-output":
        return bool(getattr(profile, "structured_output", None))
    return bool(getattr(profile, _COLUMNS[capability], None))


def _row(model_id: str, profile: "ModelProfile") -> dict[str, Any]:
    from modelstudio_core.catalog import ChatProfile

    row: dict[str, Any] = {
        "id": model_id,
        "kind": profile.kind if profile.is_known else None,
        "in_catalog": profile.is_known,
        "capabilities": [c for c in _CAPABILITIES if _has(profile, c)],
        "inputs": sorted(profile.inputs) if profile.is_known else None,
        "regions": list(profile.regions) if profile.regions else None,
        "modes": list(profile.modes) if profile.modes else None,
        "delisted": profile.delisted.isoformat() if profile.delisted else None,
        "replacement": profile.replacement,
        "source": profile.source or None,
        "checked": profile.checked.isoformat() if profile.checked else None,
    }
    if isinstance(profile, ChatProfile):
        row |= {
            "thinking": profile.thinking,
            "context_window": profile.context_window,
            "max_output": profile.max_output,
        }
    return row


def _show(output: Output, rows: list[dict[str, Any]]) -> None:
    if not rows:
        output.note("No model matches.")
    elif output.console.width < _TABLE_WIDTH:
        _show_list(output, rows)
    else:
        _show_table(output, rows)


def _show_list(output: Output, rows: list[dict[str, Any]]) -> None:
    """Print a model a paragraph: a narrow table would break its words."""
    for row in rows:
        context = row.get("context_window")
        facts = [row["kind"] or "not in the catalog"]
        facts += [f"{context:,} tokens"] if context else []
        lines = [f"{printable(row['id'])}  {', '.join(facts)}"]
        details = (", ".join(row["capabilities"]), _note(row))
        lines += [f"  {detail}" for detail in details if detail]
        output.console.print("\n".join(lines))


def _show_table(output: Output, rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    # An id in one piece can be copied.
    table.add_column("model", no_wrap=True, overflow="ignore")
    for title in ("kind", "context", "capabilities", "note"):
        table.add_column(title, overflow="fold")
    for row in rows:
        context = row.get("context_window")
        table.add_row(
            printable(row["id"]),
            row["kind"] or "not in the catalog",
            f"{context:,}" if context else "",
            ", ".join(row["capabilities"]),
            _note(row),
        )
    output.console.print(table)


def _note(row: dict[str, Any]) -> str:
    if row["delisted"]:
        replacement = row["replacement"]
        advice = f": use {replacement}" if replacement else ""
        return f"delisted on {row['delisted']}{advice}"
    return f"only in {', '.join(row['regions'])}" if row["regions"] else ""
