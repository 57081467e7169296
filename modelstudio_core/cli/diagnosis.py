"""The checks of ``modelstudio doctor``: what works on the way to an answer.

Each check depends on those before it. Free ones come first; the last one is one small
call, which is paid for.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple

from modelstudio_core.catalog import nearest_served, resolve_model
from modelstudio_core.cli.exit_codes import (
    ExitCode,
    Failure,
    describe_failure,
    is_missing,
)
from modelstudio_core.cli.trial_calls import try_model
from modelstudio_core.cli.wording import in_words_of_the_command
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.endpoints import (
    REGION_VARIABLE,
    RegionInfo,
    documented_regions,
    is_plan_key,
)
from modelstudio_core.errors import (
    AuthenticationError,
    ConfigurationError,
    ModelStudioError,
    NotFoundError,
)
from modelstudio_core.model_list import list_models
from modelstudio_core.policy import check_request
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.probes import (
    SocketAddress,
    address_of,
    open_tcp,
    open_tls,
    proxy_address,
    resolve,
)

__all__ = ["Check", "Diagnosis", "diagnose", "failed_check"]

Status = Literal["ok", "failed", "skipped", "warning"]

# The cheap ones first. The one that is called is listed by the service, if it can be.
_MODELS: Final = ("qwen3.6-flash", "qwen3.5-flash", "qwen-flash", "qwen3.7-plus")
_US_SUFFIX: Final = "-us"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check.

    Attributes:
        name: What was checked.
        status: ``"ok"``, ``"failed"``, ``"skipped"`` or ``"warning"``.
        detail: What was found, in one sentence.
        advice: What to do; empty for nothing.
        code: The exit code of a failure.
        seconds: How long it took.
        request_id: The id to give to the support of Alibaba Cloud.
    """

    name: str
    status: Status
    detail: str
    advice: str = ""
    code: ExitCode = ExitCode.DONE
    seconds: float = 0.0
    request_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {
            "name": self.name,
            "status": self.status,
            "detail": self.detail,
            "advice": self.advice or None,
            "seconds": round(self.seconds, 4),
            "request_id": self.request_id,
        }


class _Found(NamedTuple):
    """What a check that did not fail found."""

    detail: str
    status: Status = "ok"
    advice: str = ""
    request_id: str | None = None


@dataclass(kw_only=True)
class Diagnosis:
    """What is diagnosed, and what is known so far.

    Attributes:
        connection: How to reach the service.
        arguments: The arguments of the constructor.
        model: The model to call; None for a cheap one.
        calls: Whether a call that is paid for may be made.
        tries_regions: Whether the key may be shown to other regions.
        before_region: Called before the key is shown to another region.
        listed: The models that the service lists; None if it is not known.
    """

    connection: Connection
    arguments: Mapping[str, Any]
    model: str | None
    calls: bool
    tries_regions: bool
    before_region: Callable[[str], None]
    listed: list[str] | None = field(default=None, init=False)

    @property
    def chosen_model(self) -> str:
        """The model that is called."""
        if self.model is not None:
            return self.model
        suffix = _US_SUFFIX if self.connection.endpoint.mode == "us" else ""
        names = [f"{name}{suffix}" for name in _MODELS]
        listed = self.listed
        return next((n for n in names if n in (listed or names)), names[0])


def diagnose(diagnosis: Diagnosis) -> Iterator[Check]:
    """Yield the results of the checks, as soon as each is known.

    After a failure only what does not depend on it is checked.

    Args:
        diagnosis: What to check.
    """
    for name, look in _network_checks(diagnosis):
        check = _run(diagnosis, name, look)
        yield check
        if check.status == "failed":
            return
    key = _run(diagnosis, "key", lambda: _check_key(diagnosis))
    if key.code is ExitCode.KEY and diagnosis.tries_regions:
        yield from _find_region(diagnosis, key)
        return
    yield key
    if key.status == "failed":
        return
    yield _run(diagnosis, "model", lambda: _check_model(diagnosis))
    if diagnosis.calls:
        yield _run(diagnosis, "call", lambda: _check_call(diagnosis))
    else:
        yield Check(name="call", status="skipped", detail="No call was made (--free).")


def failed_check(name: str, error: Exception, failure: Failure) -> Check:
    """Return the result of a check that failed.

    Args:
        name: What was checked.
        error: The error.
        failure: Its exit code, and what to do.
    """
    return Check(
        name=name,
        status="failed",
        detail=in_words_of_the_command(str(getattr(error, "message", error))),
        advice=failure.advice,
        code=failure.code,
        request_id=getattr(error, "request_id", None),
    )


def _run(diagnosis: Diagnosis, name: str, look: Callable[[], _Found]) -> Check:
    begin = time.perf_counter()
    try:
        found = look()
    except (ModelStudioError, OSError) as error:
        failure = describe_failure(error, served_elsewhere=_served(diagnosis, error))
        failure = _with_facts_of_key(diagnosis, error, failure)
        result = failed_check(name, error, failure)
    else:
        result = Check(
            name=name,
            status=found.status,
            detail=found.detail,
            advice=found.advice,
            request_id=found.request_id,
        )
    return replace(result, seconds=time.perf_counter() - begin)


def _with_facts_of_key(
    diagnosis: Diagnosis, error: Exception, failure: Failure
) -> Failure:
    """Return a failure whose advice fits what is known of the key."""
    if not isinstance(error, AuthenticationError):
        return failure
    connection = diagnosis.connection
    if is_plan_key(connection.last_key):
        # The message names the hosts of the plans.
        return failure._replace(advice="The key itself may be valid.")
    if diagnosis.listed is not None:
        return failure._replace(
            advice="The list of models was answered with this key: it may be"
            " restricted to some requests. Look at its permissions in the console."
        )
    if not connection.endpoint.is_documented:
        return failure._replace(advice=f"Use a key of {connection.endpoint.host}.")
    return failure


def _served(diagnosis: Diagnosis, error: Exception) -> str:
    """Return the regions of the model, if the one that was called is not one."""
    endpoint = diagnosis.connection.endpoint
    regions = resolve_model(diagnosis.chosen_model).regions
    is_elsewhere = endpoint.is_documented and endpoint.region not in (
        regions or (endpoint.region,)
    )
    if not is_missing(error) or not is_elsewhere:
        return ""
    return ", ".join(regions or ())


# --- The network ------------------------------------------------------------------


def _network_checks(
    diagnosis: Diagnosis,
) -> Iterator[tuple[str, Callable[[], _Found]]]:
    """Yield the checks, the later ones only if none failed before."""
    connection = diagnosis.connection
    yield (
        "settings",
        lambda: _Found(f"Requests go to {address_of(connection).host}."),
    )
    address, proxy = address_of(connection), proxy_address(connection)
    if proxy is not None:
        # The proxy resolves the name and opens the connection.
        yield "proxy", lambda: _check_tcp(diagnosis, proxy.host, proxy.port)
        return
    yield (
        "dns",
        lambda: _Found(f"{address.host} is {', '.join(resolve(connection, address))}."),
    )
    yield "tcp", lambda: _check_tcp(diagnosis, address.host, address.port)
    if address.is_tls:
        yield (
            "tls",
            lambda: _Found(
                f"{open_tls(connection, address)} with a certificate that is trusted."
            ),
        )


def _check_tcp(diagnosis: Diagnosis, host: str, port: int) -> _Found:
    open_tcp(diagnosis.connection, SocketAddress(host, port, is_tls=False))
    return _Found(f"{host}:{port} accepts connections.")


# --- The key ----------------------------------------------------------------------


def _check_key(diagnosis: Diagnosis) -> _Found:
    """Ask for the list of models, which is free."""
    try:
        models = list_models(diagnosis.connection)
    except NotFoundError:
        # Hosts of plans and gateways may have no list.
        return _Found(
            "The host has no list of models, so the call has to show whether the key"
            " is accepted.",
            status="warning",
        )
    diagnosis.listed = models.ids
    where = _place(diagnosis.connection)
    return _Found(
        f"{where} accepts the key and lists {len(models.ids)} models.",
        request_id=models.request_id,
    )


def _place(connection: Connection) -> str:
    endpoint = connection.endpoint
    if endpoint.is_documented and endpoint.region:
        return f"Region {endpoint.region}"
    return endpoint.host


def _find_region(diagnosis: Diagnosis, refused: Check) -> Iterator[Check]:
    """Ask the other regions whether they accept a key that was refused."""
    connection = diagnosis.connection
    if is_plan_key(connection.last_key) or not connection.endpoint.is_documented:
        yield refused
        return
    tried: list[Check] = []
    for info in documented_regions():
        if info.region == connection.endpoint.region:
            continue
        check = _try_region(diagnosis, info)
        if check.status == "ok":
            advice = f"Pass --region {info.region}, or set {REGION_VARIABLE}."
            yield replace(
                refused,
                code=ExitCode.REGION,
                detail=f"The key is one of region {info.region}"
                f" ({info.data_location}), and {connection.endpoint.region} was"
                " called.",
                advice=advice,
            )
            yield check
            return
        tried.append(check)
    yield replace(
        refused,
        advice="No other region that was asked accepts it either: it is wrong, deleted"
        " or of another service. Create a key in the console.",
    )
    yield from tried


def _try_region(diagnosis: Diagnosis, info: RegionInfo) -> Check:
    name = f"key in {info.region}"
    if info.host is None:
        detail = "Not asked: its hosts belong to workspaces."
        return Check(name=name, status="skipped", detail=detail)
    given = {
        argument: value
        for argument, value in diagnosis.arguments.items()
        if argument not in {"region", "mode", "workspace", "base_url"}
    }
    begin = time.perf_counter()
    try:
        base_url = f"https://{info.host}"
        connection = resolve_connection({**given, "base_url": base_url})
        url = connection.endpoint.openai_base_url
        check_request(connection.endpoint, url, (), needs_model=False)
        diagnosis.before_region(info.region)
        list_models(connection)
    except ConfigurationError as error:
        return Check(name=name, status="skipped", detail=f"Not asked: {error.message}")
    except ModelStudioError as error:
        detail = f"Refused: {type(error).__name__}."
        result = Check(name=name, status="warning", detail=detail)
    else:
        result = Check(name=name, status="ok", detail="The key is accepted.")
    return replace(result, seconds=time.perf_counter() - begin)


# --- The model --------------------------------------------------------------------


def _check_model(diagnosis: Diagnosis) -> _Found:
    """Look for the model in the catalog and in the list of the service."""
    endpoint = diagnosis.connection.endpoint
    profile = resolve_model(diagnosis.chosen_model)
    name = profile.id
    if profile.delisted is not None:
        replacement = profile.replacement or nearest_served(name, endpoint)
        return _Found(
            f"{name} was delisted on {profile.delisted}.",
            status="warning",
            advice=f"Use {replacement}." if replacement else "Use another model.",
        )
    if diagnosis.listed is None:
        return _Found(f"{name} cannot be looked up without a list.", status="skipped")
    if name in diagnosis.listed:
        return _Found(f"{name} is listed.")
    similar = nearest_served(name, endpoint)
    return _Found(
        f"{name} is not in the list of the service.",
        status="warning",
        advice=f"Similar: {similar}." if similar else "",
    )


def _check_call(diagnosis: Diagnosis) -> _Found:
    """Make one small call, of the kind of the model."""
    name = diagnosis.chosen_model
    trial = try_model(name, diagnosis.arguments)
    if trial is None:
        return _Found(
            f"A call of {name} would make something that is paid for.",
            status="skipped",
        )
    return _Found(trial.detail, request_id=trial.request_id)
