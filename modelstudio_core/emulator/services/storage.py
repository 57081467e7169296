"""The temporary storage: upload policies, and the files that are uploaded with them.

A file is sent to the address of the policy and has then an ``oss://`` URL, which one
model can read for 48 hours (Upload a file and obtain a temporary URL, 2026-09-15).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, dump
from modelstudio_core.emulator.multipart import FormField, parse_form
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.faults import build_refusal
from modelstudio_core.emulator.protocols.steps import Step, complete_response
from modelstudio_core.emulator.rules.api_key import check_api_key
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import sourced
from modelstudio_core.emulator.rules.storage import (
    StorageRefusal,
    check_form,
    check_policy_request,
)
from modelstudio_core.emulator.studio import (
    RecordedRequest,
    ResponseContext,
    StoredFile,
    Studio,
)

__all__ = ["MAX_UPLOAD_BYTES", "UPLOAD_PATH", "StorageService"]

UPLOAD_PATH: Final = "/temporary-storage"
_MAX_FILE_MEGABYTES: Final = 100
_MAX_FILE_BYTES: Final = _MAX_FILE_MEGABYTES * 1024 * 1024
# A file and the fields beside it.
MAX_UPLOAD_BYTES: Final = _MAX_FILE_BYTES + 64 * 1024
_POLICY_LIFETIME: Final = 300  # seconds
_FILE_LIFETIME: Final = 48 * 3600.0  # seconds
_MAX_FILES: Final = 10_000
_ACCESS_KEY_ID: Final = "LTAI-emulator"
_ACCESS_KEY_SECRET: Final = b"emulator"
_FIXED_FIELDS: Final = {
    "x-oss-object-acl": "private",
    "x-oss-forbid-overwrite": "true",
}
_OK, _NO_CONTENT = 200, 204


class StorageService:
    """Hands out upload policies, and receives files."""

    def __init__(self, studio: Studio, protocol: ErrorProtocol) -> None:
        """Set where the files are kept.

        Args:
            studio: The emulator's state.
            protocol: How the errors of policy requests are written.
        """
        self._studio = studio
        self._protocol = protocol

    def respond(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Answer ``GET /api/v1/uploads?action=getPolicy&model=…`` with a policy."""
        try:
            check_api_key(request.headers, self._studio.api_key)
            model = check_policy_request(request.query)
        except Refusal as refusal:
            return build_refusal(refusal, self._protocol, context, stream=False)
        origin = f"http://{request.headers.get('host', '')}"
        data = self._build_policy(model, origin, context.request_id)
        body = dump({"request_id": context.request_id, "data": data}).encode()
        return complete_response(_OK, {"content-type": "application/json"}, body)

    def _build_policy(self, model: str, origin: str, request_id: str) -> JsonObject:
        now = self._studio.now()
        # The folder says which model the file is for, as the service's folders do.
        owner = hashlib.sha256(f"{self._studio.api_key} {model}".encode()).hexdigest()
        day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
        folder = f"dashscope-instant/{owner[:32]}/{day}/{request_id}"
        conditions = [
            ["content-length-range", 0, _MAX_FILE_BYTES],
            ["starts-with", "$key", folder],
            *({name: value} for name, value in _FIXED_FIELDS.items()),
        ]
        expires = datetime.fromtimestamp(now + _POLICY_LIFETIME, UTC)
        document = {
            "expiration": expires.isoformat(),
            "conditions": conditions,
            "model": model,
        }
        policy = base64.b64encode(dump(document).encode()).decode()
        return {
            "policy": policy,
            "signature": _sign(policy),
            "upload_dir": folder,
            "upload_host": origin + UPLOAD_PATH,
            "expire_in_seconds": _POLICY_LIFETIME,
            "max_file_size_mb": _MAX_FILE_MEGABYTES,
            "capacity_limit_mb": 999_999_999,
            "oss_access_key_id": _ACCESS_KEY_ID,
            "x_oss_object_acl": _FIXED_FIELDS["x-oss-object-acl"],
            "x_oss_forbid_overwrite": _FIXED_FIELDS["x-oss-forbid-overwrite"],
        }

    # --- Files --------------------------------------------------------------------

    def receive(self, request: RecordedRequest, context: ResponseContext) -> list[Step]:
        """Receive a file that is posted as a form."""
        fields = parse_form(context.raw, request.headers.get("content-type", ""))
        try:
            status = self._store(fields)
        except StorageRefusal as refusal:
            body = refusal.write(context.request_id)
            headers = {"content-type": "application/xml"}
            return complete_response(refusal.status, headers, body)
        return complete_response(status, {}, b"")

    @sourced("OSS PostObject reference", "2026-09-15")
    def _store(self, fields: Sequence[FormField]) -> int:
        form = check_form(fields)
        policy = self._read_policy(form.texts)
        key = form.texts["key"]
        _check_conditions(policy, form.texts, len(form.file))
        if key in self._studio.uploads:
            raise StorageRefusal(
                "FileAlreadyExists",
                "The object you specified already exists and can not be overwritten.",
                status=409,
            )
        expires = self._studio.now() + _FILE_LIFETIME
        file = StoredFile(str(policy["model"]), len(form.file), expires)
        self._studio.uploads[key] = file
        if len(self._studio.uploads) > _MAX_FILES:
            del self._studio.uploads[next(iter(self._studio.uploads))]
        return _OK if form.texts.get("success_action_status") == "200" else _NO_CONTENT

    @sourced("OSS PostObject reference", "2026-09-15")
    def _read_policy(self, texts: Mapping[str, str]) -> JsonObject:
        if texts["OSSAccessKeyId"] != _ACCESS_KEY_ID:
            raise StorageRefusal(
                "InvalidAccessKeyId",
                "The OSS Access Key Id you provided does not exist in our records.",
            )
        if not hmac.compare_digest(
            texts["Signature"].encode(), _sign(texts["policy"]).encode()
        ):
            raise StorageRefusal(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you"
                " provided. Check your key and signing method.",
            )
        document: JsonObject = json.loads(base64.b64decode(texts["policy"]))
        expires = datetime.fromisoformat(document["expiration"])
        if expires.timestamp() <= self._studio.now():
            raise StorageRefusal("AccessDenied", "Invalid according to Policy: expired")
        return document


@sourced("OSS PostObject reference", "2026-09-15")
def _check_conditions(policy: JsonObject, texts: Mapping[str, str], size: int) -> None:
    (_, low, high), (_, _, folder), *_ = policy["conditions"]
    if not low <= size <= high:
        raise StorageRefusal(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size.",
            status=400,
        )
    name = texts["key"].removeprefix(f"{folder}/")
    fits = all(texts.get(field) == value for field, value in _FIXED_FIELDS.items())
    if name in {"", texts["key"]} or not fits:
        raise StorageRefusal("AccessDenied", "Invalid according to Policy: condition")


def _sign(policy: str) -> str:
    digest = hmac.new(_ACCESS_KEY_SECRET, policy.encode(), hashlib.sha1)
    return base64.b64encode(digest.digest()).decode()
