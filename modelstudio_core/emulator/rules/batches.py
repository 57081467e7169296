"""Rules for batches: their creation, and the lines of their files."""

import re
from collections.abc import Sequence
from typing import Final

from modelstudio_core.catalog import BATCH_TEST_MODEL, resolve_model
from modelstudio_core.emulator.json_values import JsonObject, is_object, parse
from modelstudio_core.emulator.rules.refusal import Refusal, invalid_shape
from modelstudio_core.emulator.rules.served_models import is_served
from modelstudio_core.emulator.rules.sources import OWN, sourced

__all__ = [
    "TEST_ENDPOINT",
    "batch_not_found",
    "check_batch_body",
    "check_cancellation",
    "check_rate",
    "find_line_errors",
    "parse_lines",
    "window_seconds",
]

TEST_ENDPOINT: Final = "/v1/chat/ds-test"
ENDPOINTS: Final = ("/v1/chat/completions", "/v1/embeddings", TEST_ENDPOINT)
_WINDOW: Final = re.compile(r"([0-9]{1,4})([hd])")
_HOURS: Final = {"h": 1, "d": 24}
_MIN_HOURS, _MAX_HOURS = 24, 336
_MAX_NAME, _MAX_DESCRIPTION = 100, 200
_MAX_LINES: Final = 50_000
_MAX_LINE_BYTES: Final = 6 * 1024 * 1024
_MAX_TEST_LINES, _MAX_TEST_BYTES = 100, 1024 * 1024
_PAGE: Final = "OpenAI compatible - Batch"


@sourced(_PAGE, "2026-11-27")
def check_batch_body(body: JsonObject) -> None:
    """Refuse the creation of a batch with an invalid argument.

    Args:
        body: The body of the request.

    Raises:
        Refusal: With the service's status, code and message.
    """
    for name in ("input_file_id", "endpoint", "completion_window"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise invalid_shape(f"'{name}' is a required property")
    if body["endpoint"] not in ENDPOINTS:
        raise invalid_shape(
            f"{body['endpoint']} is not one of {list(ENDPOINTS)} (emulator)."
        )
    metadata: object = body.get("metadata") or {}
    if not is_object(metadata):
        raise invalid_shape("'metadata' must be an object")
    limits = {"ds_name": _MAX_NAME, "ds_description": _MAX_DESCRIPTION}
    for name, limit in limits.items():
        if len(str(metadata.get(name, ""))) > limit:
            raise invalid_shape(f"{name} has more than {limit} characters (emulator).")
    window_seconds(body["completion_window"])


@sourced(_PAGE, "2026-11-27")
def window_seconds(text: str) -> float:
    """Return a completion window in seconds.

    Raises:
        Refusal: It is not a whole number of hours or days from 24h to 336h.
    """
    match = _WINDOW.fullmatch(text)
    hours = int(match[1]) * _HOURS[match[2]] if match else 0
    if not _MIN_HOURS <= hours <= _MAX_HOURS:
        raise invalid_shape("completion_window must be from 24h to 336h (emulator).")
    return hours * 3600.0


@sourced(_PAGE, "2026-11-27")
def check_rate(times: Sequence[float], now: float, limit: int) -> None:
    """Refuse a request above the limit of a minute.

    Args:
        times: When the last requests came.
        now: The time.
        limit: The most requests of a minute.

    Raises:
        Refusal: There were as many in the last minute.
    """
    if sum(time > now - 60.0 for time in times) >= limit:
        raise Refusal(
            "Requests rate limit exceeded, please try again later.",
            status=429,
            code="limit_requests",
            type="limit_requests",
            gateway=True,
        )


@sourced(_PAGE, "2026-11-27")
def parse_lines(content: bytes, endpoint: str) -> list[object]:
    """Parse the lines of a file; None for a line that is no JSON.

    Raises:
        Refusal: There are no lines, or too many of them, or one is too long.
    """
    raw = [line for line in content.split(b"\n") if line.strip()]
    if not raw:
        raise invalid_shape("The file has no lines (emulator).")
    if len(raw) > _MAX_LINES:
        raise invalid_shape(f"The file has more than {_MAX_LINES} lines (emulator).")
    if max(map(len, raw)) > _MAX_LINE_BYTES:
        raise invalid_shape("A line of the file is longer than 6 MB (emulator).")
    if endpoint == TEST_ENDPOINT and (
        len(raw) > _MAX_TEST_LINES or len(content) > _MAX_TEST_BYTES
    ):
        raise invalid_shape(
            f"A test has at most {_MAX_TEST_LINES} lines and 1 MB (emulator)."
        )
    return [parse(line) for line in raw]


def find_line_errors(lines: Sequence[object], endpoint: str) -> list[JsonObject]:
    """Return what is wrong with the lines, in the form of ``errors.data``.

    Args:
        lines: The parsed lines.
        endpoint: The endpoint of the batch.
    """
    ids: set[object] = set()
    first = next((_model(line) for line in lines if _model(line)), "")
    errors: list[JsonObject] = []
    for number, line in enumerate(lines, 1):
        problem = _problem(line, endpoint, first, ids)
        if problem is not None:
            code, message, param = problem
            errors.append(
                {"code": code, "message": message, "param": param, "line": number}
            )
    return errors


def _model(line: object) -> str:
    body = line.get("body") if is_object(line) else None
    return str(body.get("model") or "") if is_object(body) else ""


def _problem(
    line: object, endpoint: str, first_model: str, ids: set[object]
) -> tuple[str, str, str | None] | None:
    """Return the code, the message and the field of what is wrong with a line.

    ``url_not_found`` and ``mismatched_test_url`` are recorded; the other codes are
    documented, with messages of the emulator's own.
    """
    if not is_object(line) or not is_object(line.get("body")):
        return "invalid_json_line", "This line is not a valid request.", None
    if (problem := _url_problem(line.get("url"), endpoint)) is not None:
        return problem
    model, custom_id = _model(line), line.get("custom_id")
    if not isinstance(custom_id, str) or custom_id in ids:
        message = "The custom_id is missing, or another line has the same one."
        return "duplicate_custom_id", message, "custom_id"
    ids.add(custom_id)
    if model != first_model:
        message = "The lines of a file must have the same model."
        return "mismatched_model", message, "model"
    is_test = endpoint == TEST_ENDPOINT
    profile = resolve_model(model)
    has_batch = is_test or (is_served(profile) and profile.batch_regions != ())
    if is_test != (model == BATCH_TEST_MODEL) or not has_batch:
        message = f"The model {model} does not exist or has no batch inference."
        return "model_not_found", message, "model"
    return None


def _url_problem(url: object, endpoint: str) -> tuple[str, str, str] | None:
    if url not in ENDPOINTS:
        message = f"The provided url '{url}' is not supported by the Batch API."
        return "url_not_found", message, "url"
    if url == endpoint:
        return None
    is_test = TEST_ENDPOINT in {url, endpoint}
    code = "mismatched_test_url" if is_test else "mismatched_url"
    message = f"The provided url '{url}' does not match the endpoint '{endpoint}'."
    return code, message, "url"


@sourced(OWN, "2026-11-27")
def check_cancellation(status: str) -> None:
    """Refuse to cancel a batch that has ended.

    Args:
        status: Its status.

    Raises:
        Refusal: It has ended.
    """
    if status not in {"validating", "in_progress", "finalizing", "cancelling"}:
        raise invalid_shape(f"A batch that is {status} cannot be cancelled (emulator).")


@sourced(OWN, "2026-11-27")
def batch_not_found(batch_id: str) -> Refusal:
    """Return the refusal of a batch that does not exist."""
    return Refusal(
        f"No batch found with id '{batch_id}' (emulator).",
        status=404,
        code="not_found",
        gateway=True,
    )
