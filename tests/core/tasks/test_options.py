"""The connection arguments of the functions for tasks."""

from typing import Any

import pytest

from modelstudio_core.errors import ConfigurationError, PolicyError
from modelstudio_core.policy import Policy, set_policy
from modelstudio_core.tasks.options import connect
from tests.support.models import KEY

AT: dict[str, Any] = {"api_key": KEY, "region": "singapore"}
INPUT = frozenset({"input", "prompt", "images"})


@pytest.mark.parametrize("model", ["wan2.6-t2i", "", None])
def test_the_policy_is_checked_before_anything_is_sent(model: str | None) -> None:
    set_policy(Policy(regions=["singapore"]))
    assert connect(AT, model).protocol == "dashscope"
    set_policy(Policy(regions=["frankfurt"]))
    with pytest.raises(PolicyError, match="ap-southeast-1"):
        connect(AT, model)
    set_policy(Policy(models=["qwen*"]))
    with pytest.raises(PolicyError):
        connect(AT, model)


def test_a_model_that_is_none_is_refused_where_models_are_checked() -> None:
    set_policy(Policy(models=["wan*"]))
    wrong: Any = 5
    assert connect(AT, wrong).endpoint.region == "ap-southeast-1"
    assert connect(AT, "wan2.6-t2i").endpoint.region == "ap-southeast-1"


@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
def test_tasks_have_the_native_protocol_only(protocol: str) -> None:
    assert connect({**AT, "protocol": protocol}, "wan2.6-t2i").protocol == "dashscope"


_FIELDS = ("negative_prompt", "function", "style_index", "source_lang", "ext")


@pytest.mark.parametrize(
    ("model", "name", "names", "is_field"),
    [
        *(("wan2.2-t2i-plus", name, INPUT, True) for name in _FIELDS),
        ("qwen-mt-image", "target_lang", INPUT, True),
        # A model that is not known, or not given, may have such a field.
        ("of-tomorrow", "ext", INPUT, True),
        (None, "ext", INPUT, True),
        # Its input has messages only.
        *(("wan2.6-t2i", name, INPUT, False) for name in _FIELDS),
        ("wan2.2-t2i-plus", "size", INPUT, False),
        # A function without an input, such as that of the list.
        ("wan2.2-t2i-plus", "ext", frozenset({"limit"}), False),
        ("wan2.2-t2i-plus", "ext", frozenset[str](), False),
    ],
)
def test_a_field_of_the_input_is_no_argument(
    model: str | None, name: str, names: frozenset[str], *, is_field: bool
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect({**AT, name: "x"}, model, names)
    assert name in caught.value.message
    assert ("It is a field of the input: pass input=" in caught.value.message) == (
        is_field
    )
