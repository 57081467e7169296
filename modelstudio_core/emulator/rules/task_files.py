"""Rules for the addresses of the files that tasks made."""

from collections.abc import Callable

from modelstudio_core.emulator.rules.sources import sourced
from modelstudio_core.emulator.rules.storage import StorageRefusal
from modelstudio_core.emulator.rules.tasks import RESULT_LIFETIME
from modelstudio_core.emulator.studio import RecordedRequest, StoredTask

__all__ = ["check_result"]


@sourced("OSS GetObject reference; Manage asynchronous tasks", "2026-11-27")
def check_result(
    request: RecordedRequest,
    found: tuple[StoredTask, int] | None,
    now: float,
    sign: Callable[[str, int], str],
) -> tuple[StoredTask, int]:
    """Refuse a request for a file that is not there, or whose address is not valid.

    Args:
        request: The request.
        found: The task that made the file, and its number.
        now: The time in seconds.
        sign: Returns the signature of a path and a time.

    Returns:
        The task and the number of the file.

    Raises:
        StorageRefusal: With the storage's status, code and message.
    """
    if "authorization" in request.headers:
        raise StorageRefusal(
            "InvalidArgument",
            "Only one signature is accepted: in the address, or in a header.",
            status=400,
        )
    expires = request.query.get("Expires", "")
    signature = request.query.get("Signature")
    if not expires.isdecimal() or signature != sign(request.path, int(expires)):
        raise StorageRefusal(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you"
            " provided.",
        )
    if now >= int(expires):
        raise StorageRefusal("AccessDenied", "Request has expired.")
    if found is None or now >= found[0].ended + RESULT_LIFETIME:
        raise StorageRefusal(
            "NoSuchKey", "The specified key does not exist.", status=404
        )
    return found
