"""Data in a request: what is refused, and what is sent with a warning."""

import warnings

import pytest

from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from modelstudio_core.inline_data import check_base64, check_data_url

PNG = "data:image/png;base64,"
QUOTED = "begins with b', as str() of bytes does"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("QQ==", None),
        ("QQ", None),
        ("Q!==", "has characters that base64 does not have."),
        ("", "is empty."),
        ("b'QQ=='", f"{QUOTED}: make it with base64.b64encode(data).decode()."),
    ],
)
def test_a_text_that_should_be_base64_is_refused_if_it_is_none(
    text: str, problem: str | None
) -> None:
    if problem is None:
        check_base64(text, "the image")
        return
    with pytest.raises(ConfigurationError) as caught:
        check_base64(text, "the image")
    assert caught.value.message == f"The base64 text of the image {problem}"


@pytest.mark.parametrize(
    ("url", "error", "warning"),
    [
        (f"{PNG}QQ==", None, None),
        (f"{PNG}QQ==\n", None, None),
        ("data:image/svg+xml,<svg>!", None, None),
        ("data:,", None, None),
        (PNG, "is empty.", None),
        (f"{PNG}b'QQ=='", QUOTED, None),
        (f"{PNG}QUJ!", None, "has characters that base64 does not have. It is sent."),
        (f"{PNG}QU!", None, "has characters that base64 does not have. It is sent."),
        (
            f"{PNG}QUJDR",
            None,
            "may be incomplete: its length is not a multiple of 4. It is sent.",
        ),
    ],
)
def test_a_data_url_is_refused_if_it_is_certainly_broken(
    url: str, error: str | None, warning: str | None
) -> None:
    start, raised = "The base64 text of the image ", None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            check_data_url(url, "the image")
        except ConfigurationError as problem:
            raised = problem.message
    assert raised is None if error is None else str(raised).startswith(start + error)
    issued = [(str(warned.message), warned.category) for warned in caught]
    assert issued == ([(start + warning, ModelStudioWarning)] if warning else [])
