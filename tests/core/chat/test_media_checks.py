"""What a model takes as media, before anything is sent."""

import warnings
from typing import cast

from modelstudio_core.chat.media_checks import check_parts
from modelstudio_core.chat.messages import Part
from tests.core.catalog.entries import chat_profile
from tests.core.support import AUDIO


def test_every_input_of_a_model_known_by_its_family_is_checked() -> None:
    svg = {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PA=="}}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_parts(
            cast("list[Part]", [AUDIO, svg]), chat_profile("qwen3-vl-plus-2031-01-01")
        )
    sound, image = (str(warning.message) for warning in caught)
    assert "does not support audio input" in sound
    assert "does not support image/svg+xml" in image
