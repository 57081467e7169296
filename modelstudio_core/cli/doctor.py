"""``modelstudio doctor``: what works on the way to an answer, and what to do."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from modelstudio_core.cli.connection_options import ConnectionOptions
from modelstudio_core.cli.exit_codes import ExitCode
from modelstudio_core.cli.reports import Output, printable

if TYPE_CHECKING:
    from modelstudio_core.cli.diagnosis import Check
    from modelstudio_core.transport.connection import Connection

_PACKAGES: Final = (
    "modelstudio-integrations",
    "openai",
    "dashscope",
    "pydantic",
    "langchain-core",
    "langchain",
    "llama-index-core",
)
_STYLES: Final = {"failed": "bold red", "warning": "yellow", "skipped": "dim"}
# Seconds, where no option says otherwise: a diagnosis should not take ten minutes.
_TIMEOUT: Final = (10.0, 30.0)


def doctor(
    output: Output,
    connection: ConnectionOptions,
    *,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="The model to call. Else a cheap one."),
    ] = None,
    free: Annotated[
        bool, typer.Option("--free", help="Make no call that is paid for.")
    ] = False,
    try_regions: Annotated[
        bool,
        typer.Option(
            "--try-regions",
            help="If the key is refused, ask the other regions. This shows them the"
            " key. A policy is respected.",
        ),
    ] = False,
) -> None:
    """Find out why calls fail: settings, network, key, model.

    The last check is one call of a few tokens.
    """
    from modelstudio_core.cli.diagnosis import Diagnosis, diagnose, failed_check
    from modelstudio_core.cli.exit_codes import describe_failure
    from modelstudio_core.connection_checks import resolve_connection
    from modelstudio_core.errors import ConfigurationError

    arguments = {"timeout": _TIMEOUT, "max_retries": 0}
    settings: dict[str, Any] = {
        "sources": _sources(connection),
        "versions": _versions(),
    }
    checks: list[Check] = []
    chosen = model
    try:
        arguments |= connection.arguments(output)
        resolved = resolve_connection(arguments, model=model)
    except ConfigurationError as error:
        checks.append(failed_check("settings", error, describe_failure(error)))
        _show_check(output, checks[0])
    else:
        settings |= _describe(resolved)
        _show_settings(output, settings)
        diagnosis = Diagnosis(
            connection=resolved,
            arguments=arguments,
            model=model,
            calls=not free,
            tries_regions=try_regions,
            before_region=lambda region: output.note(
                f"The key is now shown to region {region} (--try-regions)."
            ),
        )
        for check in diagnose(diagnosis):
            checks.append(check)
            _show_check(output, check)
        chosen = diagnosis.chosen_model
    code = next((c.code for c in checks if c.status == "failed"), ExitCode.DONE)
    summary = _summary(checks)
    value = {
        "ok": code is ExitCode.DONE,
        "exit_code": int(code),
        "summary": summary,
        **settings,
        "model": chosen,
        "checks": [check.as_json() for check in checks],
    }
    output.emit(value, lambda: output.console.print(printable(f"\n{summary}")))
    if code is not ExitCode.DONE:
        raise typer.Exit(code)


def _summary(checks: "list[Check]") -> str:
    """Return one sentence or two: what is wrong, and what to do."""
    failed = next((check for check in checks if check.status == "failed"), None)
    if failed is not None:
        return f"{failed.detail} {failed.advice}".strip()
    warnings = [check for check in checks if check.status == "warning"]
    if warnings:
        found = " ".join(f"{check.detail} {check.advice}".strip() for check in warnings)
        return f"Calls work. {found}"
    is_complete = all(check.status == "ok" for check in checks)
    return "Calls work." if is_complete else "No problem was found, without a call."


def _describe(resolved: "Connection") -> dict[str, Any]:
    """Return where requests go, and what kind of key is used."""
    from modelstudio_core.endpoints import describe_key

    endpoint = resolved.endpoint
    return {
        "endpoint": {
            "base_url": resolved.base_url,
            "region": endpoint.region,
            "mode": endpoint.mode,
            "workspace": endpoint.workspace,
            "protocol": resolved.protocol,
            "is_documented": endpoint.is_documented,
            "mode_declared": endpoint.mode_declared,
            "data_location": endpoint.data_location,
            "inference_scope": endpoint.inference_scope,
        },
        "key": describe_key(resolved.ask_key()),
    }


def _sources(options: ConnectionOptions) -> dict[str, str]:
    """Return where each setting is from."""
    from modelstudio_core import endpoints

    return {
        "region": _source(options, "region", endpoints.REGION_VARIABLE),
        "mode": _source(options, "mode", endpoints.MODE_VARIABLE),
        "workspace": _source(options, "workspace", *endpoints.WORKSPACE_VARIABLES),
        "key": _source(options, "api_key_file", endpoints.API_KEY_VARIABLE),
    }


def _source(options: ConnectionOptions, name: str, *variables: str) -> str:
    """Return where a setting is from: its option, a variable, or the default."""
    import os

    if getattr(options, name) is not None:
        return f"--{name.replace('_', '-')}"
    if options.base_url is not None and name in {"region", "mode", "workspace"}:
        return "--base-url"
    return next((v for v in variables if os.environ.get(v)), "default")


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _show_settings(output: Output, settings: dict[str, Any]) -> None:
    if output.json:
        return
    endpoint, sources = settings["endpoint"], settings["sources"]
    unknown = "not known"
    lines = [
        ("base URL", endpoint["base_url"]),
        ("region", f"{endpoint['region'] or unknown} ({sources['region']})"),
        ("mode", f"{endpoint['mode'] or unknown} ({sources['mode']})"),
        ("workspace", f"{endpoint['workspace'] or 'none'} ({sources['workspace']})"),
        ("data is stored in", endpoint["data_location"] or unknown),
        ("inference runs", endpoint["inference_scope"] or unknown),
        ("key", f"{settings['key']}, from {sources['key']}"),
        ("versions", ", ".join(f"{k} {v}" for k, v in settings["versions"].items())),
    ]
    for label, text in lines:
        output.console.print(printable(f"{label:18} {text}"))
    output.console.print()


def _show_check(output: Output, check: "Check") -> None:
    if output.json:
        return
    text = f"{check.status:8} {check.name:10} {check.detail}"
    if check.request_id:
        text += f" (request id {check.request_id})"
    output.console.print(printable(text), style=_STYLES.get(check.status))
    output.console.file.flush()
