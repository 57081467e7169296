"""Rules for the API key of a request; both refusals are recorded."""

from collections.abc import Mapping
from typing import Final

from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["check_api_key"]

_BEARER: Final = "Bearer "


@sourced("recorded (both refusals)", "2026-09-15")
def check_api_key(headers: Mapping[str, str], api_key: str) -> None:
    """Refuse a request that has no API key or a wrong one.

    Args:
        headers: The headers of the request, with lower-case names.
        api_key: The key that is accepted.

    Raises:
        Refusal: There is no key, or another one.
    """
    authorization = headers.get("authorization", "")
    key = authorization.removeprefix(_BEARER).strip()
    if not authorization.startswith(_BEARER) or not key:
        raise Refusal(
            "You didn't provide an API key. You need to provide your API key in an"
            " Authorization header using Bearer auth (i.e. Authorization: Bearer"
            " YOUR_KEY). ",
            status=401,
            code=None,
            dashscope_code="InvalidApiKey",
            dashscope_message="No API-key provided.",
            gateway=True,
        )
    if key != api_key:
        raise Refusal(
            "Incorrect API key provided. For details, see:"
            " https://www.alibabacloud.com/help/en/model-studio/error-code"
            "#apikey-error",
            status=401,
            code="invalid_api_key",
            dashscope_code="InvalidApiKey",
            dashscope_message="Invalid API-key provided.",
            gateway=True,
        )
