"""``modelstudio endpoints``: regions, modes and hosts, and what an address resolves to.

It sends nothing.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelstudio_core.cli.reports import Output, printable

if TYPE_CHECKING:
    from modelstudio_core.endpoints import RegionInfo


def endpoints(
    output: Output,
    *,
    region: Annotated[str | None, typer.Option(help="Only this region.")] = None,
    mode: Annotated[str | None, typer.Option(help="Only this deployment mode.")] = None,
    workspace: Annotated[
        str | None, typer.Option(help="Show the hosts of this workspace.")
    ] = None,
) -> None:
    """Show each region and mode: the host, where data is stored, where inference runs.

    Nothing is sent.
    """
    from modelstudio_core.endpoints import (
        check_mode,
        check_region,
        documented_regions,
        resolve_endpoint,
    )
    from modelstudio_core.errors import ConfigurationError

    wanted = region and check_region(region)
    wanted_mode = mode and check_mode(mode)
    if workspace is not None:
        # Refused where it cannot be a part of a host.
        resolve_endpoint(region="singapore", workspace=workspace)
    rows = [
        _row(info, name, workspace)
        for info in documented_regions()
        if wanted in {None, info.region}
        for name in info.modes or (None,)
        if wanted_mode in {None, name}
    ]
    if not rows:
        raise ConfigurationError(
            f"Mode {wanted_mode} is not bound to region {wanted}: run 'modelstudio"
            " endpoints' to see which are."
        )
    output.emit(rows, lambda: _show(output, rows))


def _row(info: "RegionInfo", mode: str | None, workspace: str | None) -> dict[str, Any]:
    from modelstudio_core.endpoints import inference_scope_of

    host = info.host
    if workspace is not None:
        host = info.workspace_host.format(workspace=workspace)
    return {
        "region": info.region,
        "aliases": list(info.aliases),
        "mode": mode,
        "is_default_mode": mode is not None and mode == info.default_mode,
        "host": host,
        "workspace_host": info.workspace_host,
        "needs_workspace": info.host is None,
        "data_location": info.data_location,
        "inference_scope": inference_scope_of(info.region, mode),
    }


def _show(output: Output, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        mode = row["mode"] or "not documented"
        default = " (default)" if row["is_default_mode"] else ""
        host = row["host"] or f"{row['workspace_host']} (a workspace is required)"
        output.console.print(
            printable(f"{row['region']}  mode {mode}{default}"), style="bold"
        )
        for label, text in (
            ("also", ", ".join(row["aliases"])),
            ("host", host),
            ("data is stored in", row["data_location"]),
            ("inference runs", row["inference_scope"]),
        ):
            output.console.print(printable(f"  {label}: {text}"))
